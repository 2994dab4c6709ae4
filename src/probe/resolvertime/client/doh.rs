//! Over HTTPS (RFC 8484), by HTTP/2: POST, or GET with the query in the path.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_util::task::TaskTracker;

use super::session::Secured;
use super::{Client, Made, Put, Raw, Strays, Unanswered, until};
use crate::failure::{Class, Failure};
use crate::sys::clock;

const MESSAGE: HeaderValue = HeaderValue::from_static("application/dns-message");

/// An HTTP/2 connection.
pub(super) struct Session {
    to: SendRequest<Full<Bytes>>,
    /// Scheme, host and port, and the path.
    url: String,
    what: String,
}

/// Runs what hyper needs to run; each ends with its connection.
#[derive(Clone, Default)]
struct Tasks(TaskTracker);

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, work: F) {
        self.0.spawn(work);
    }
}

fn broken(what: &str, error: &hyper::Error) -> Unanswered {
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    Unanswered::Broken(Class::Refused.because(format_args!("{what}: {error}{cause}")))
}

fn wrong(what: &str, why: impl std::fmt::Display) -> Unanswered {
    Unanswered::Broken(Class::Protocol.because(format_args!("{what}: {why}")))
}

impl Session {
    pub(super) async fn open(client: &Client, deadline: Instant) -> Result<(Self, Made), Unanswered> {
        let (stream, connect) = client.dial(deadline).await?;
        let Secured { stream, tls, session } = client.secured(stream, b"h2", deadline).await?;
        let what = format!("ask https {}", client.peer);
        let tasks = Tasks::default();
        let shake = async {
            handshake(tasks.clone(), TokioIo::new(stream)).await.map_err(|error| broken(&what, &error))
        };
        let (to, connection) = until(deadline, shake).await?;
        tasks.0.spawn(connection);
        let spec = &client.spec;
        let host = if spec.name.contains(':') { format!("[{}]", spec.name) } else { spec.name.clone() };
        let url = format!("https://{host}:{}{}", spec.port, spec.path);
        Ok((Self { to, url, what }, Made { connect: Some(connect), tls: Some(tls), session: Some(session) }))
    }

    pub(super) async fn ask(
        &mut self,
        get: bool,
        query: &Put,
        deadline: Instant,
        strays: &mut Strays,
    ) -> Result<Raw, Unanswered> {
        let request = self.request(get, query).map_err(Unanswered::NotSent)?;
        let what = &self.what;
        until(deadline, async {
            let sent = clock::now().mono;
            let response = self.to.send_request(request).await.map_err(|error| broken(what, &error))?;
            if response.status() != StatusCode::OK {
                return Err(wrong(what, format_args!("the server answers {}", response.status())));
            }
            let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
            if !kind.to_ascii_lowercase().starts_with(MESSAGE.as_bytes()) {
                return Err(wrong(what, "the answer is no DNS message"));
            }
            let body = Limited::new(response.into_body(), usize::from(u16::MAX)).collect().await;
            let body = body.map_err(|error| wrong(what, error))?.to_bytes();
            let raw = Raw::of(&body, query, sent, strays);
            raw.ok_or_else(|| wrong(what, "the answer is to another question"))
        })
        .await
    }

    fn request(&self, get: bool, query: &Put) -> Result<Request<Full<Bytes>>, Failure> {
        let mut octets = Vec::with_capacity(128);
        query.write(&mut octets);
        let no_url = |_| Class::Usage.because(format_args!("{}: that is no URL", self.url));
        let mut request = Request::new(Full::default());
        if get {
            let url = format!("{}?dns={}", self.url, URL_SAFE_NO_PAD.encode(&octets));
            *request.uri_mut() = url.parse().map_err(no_url)?;
        } else {
            *request.uri_mut() = self.url.parse().map_err(no_url)?;
            *request.method_mut() = Method::POST;
            request.headers_mut().insert(CONTENT_TYPE, MESSAGE);
            *request.body_mut() = Full::new(octets.into());
        }
        request.headers_mut().insert(ACCEPT, MESSAGE);
        Ok(request)
    }
}
