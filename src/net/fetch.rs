//! One file by HTTP or HTTPS (GET, RFC 9110), as it is stored: for what this program needs itself, never for measuring.

use std::net::SocketAddr;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, ETAG, HOST, HeaderValue, IF_NONE_MATCH, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::dial::{self, race};
use super::{Resolver, Trust};
use crate::failure::{Class, Failure};
use crate::sys::connect::Way;

/// Redirections that are followed.
const MOST_LEGS: usize = 5;

/// What is fetched, and how much of it at most.
#[derive(Debug)]
pub struct Fetch<'a> {
    /// Where it is: `http` or `https`.
    pub url: Url,
    /// User name and password (Basic, RFC 7617): sent to the URL's own origin only.
    pub account: Option<(&'a str, &'a str)>,
    /// The entity tag of what is here already (RFC 9110 §8.8.3).
    pub held: Option<&'a str>,
    /// Octets of the body that are accepted.
    pub most: u64,
    /// When it must have ended.
    pub deadline: Instant,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Fetched {
    /// What is held is still what is there.
    Unchanged,
    /// All of it was handed over.
    Whole {
        /// Its entity tag.
        etag: Option<String>,
    },
}

type Body = Empty<Bytes>;

impl Fetch<'_> {
    /// Fetches it; `take` gets the body piece by piece. Without `trust` only over plain HTTP.
    ///
    /// # Errors
    /// Those of the way there; class `protocol` for another status than success, for a body that is too long or ends
    /// early, and for redirections without end or from `https` to `http`; and those of `take`.
    pub async fn run(
        &self,
        resolver: &Resolver,
        trust: Option<&Trust>,
        take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Fetched, Failure> {
        let fetched = timeout_at(self.deadline.into(), self.follow(resolver, trust, take)).await;
        fetched.unwrap_or_else(|_| {
            Err(Class::Timeout.because(format_args!("fetch {}: it takes too long", shown(&self.url))))
        })
    }

    async fn follow(
        &self,
        resolver: &Resolver,
        trust: Option<&Trust>,
        take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Fetched, Failure> {
        let mut url = self.url.clone();
        for _ in 0..=MOST_LEGS {
            // Dropped with this leg, and the connection with it.
            let mut connections = JoinSet::new();
            let response = self.ask(&url, resolver, trust, &mut connections).await?;
            let wrong = |why: String| Class::Protocol.because(format_args!("fetch {}: {why}", shown(&url)));
            match response.status() {
                StatusCode::NOT_MODIFIED if self.held.is_some() => return Ok(Fetched::Unchanged),
                StatusCode::OK => return self.read(&url, response, take).await,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    return Err(Class::Auth.because(format_args!(
                        "fetch {}: the server answers {}",
                        shown(&url),
                        response.status()
                    )));
                }
                status if status.is_redirection() => {
                    let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
                    let next = place.and_then(|place| url.join(place).ok());
                    let next = next.ok_or_else(|| wrong(format!("{status} leads nowhere")))?;
                    if url.scheme() == "https" && next.scheme() != "https" {
                        return Err(wrong(format!("it leads to {}, which is not protected", shown(&next))));
                    }
                    url = next;
                }
                status => return Err(wrong(format!("the server answers {status}"))),
            }
        }
        Err(Class::Protocol
            .because(format_args!("fetch {}: more than {MOST_LEGS} redirections", shown(&self.url))))
    }

    /// The head of the answer to one request.
    async fn ask(
        &self,
        url: &Url,
        resolver: &Resolver,
        trust: Option<&Trust>,
        connections: &mut JoinSet<()>,
    ) -> Result<Response<Incoming>, Failure> {
        let no_url =
            || Class::Usage.because(format_args!("fetch {}: that is no http or https URL", shown(url)));
        let (host, port) = url.host().zip(url.port_or_known_default()).ok_or_else(no_url)?;
        let mut addresses: Vec<SocketAddr> = Vec::new();
        match &host {
            Host::Domain(name) => {
                addresses.extend(
                    resolver.all(name).await?.into_iter().map(|address| SocketAddr::new(address, port)),
                );
            }
            Host::Ipv4(address) => addresses.push((*address, port).into()),
            Host::Ipv6(address) => addresses.push((*address, port).into()),
        }
        let raced = race(&dial::interleaved(&addresses), &Way::default(), self.deadline).await;
        let (connection, _) = raced.map_err(|attempts| {
            let nobody = || Class::Resolve.because(format_args!("resolve {host}: no address"));
            dial::failure(&attempts).unwrap_or_else(nobody)
        })?;
        let request = self.request(url)?;
        let stream = connection.stream;
        // Nobody waits for more.
        let _ = stream.set_nodelay(true);
        match url.scheme() {
            "http" => exchange(url, TokioIo::new(stream), request, connections).await,
            "https" => {
                let name = ServerName::try_from(host.to_string().trim_matches(['[', ']']).to_owned());
                let name = name.map_err(|_| no_url())?;
                let trust = trust.ok_or_else(|| wrong_trust(url))?;
                let connector = TlsConnector::from(Arc::new(trust.client(&[b"http/1.1"])?));
                let shaken = connector.connect(name, stream).await;
                let stream = shaken
                    .map_err(|error| Class::Tls.because(format_args!("fetch {}: {error}", shown(url))))?;
                exchange(url, TokioIo::new(stream), request, connections).await
            }
            _ => Err(no_url()),
        }
    }

    fn request(&self, url: &Url) -> Result<Request<Body>, Failure> {
        let no_header = |_| Class::Usage.because(format_args!("fetch {}: that is no URL", shown(url)));
        let mut request = Request::new(Body::new());
        *request.uri_mut() = url[url::Position::BeforePath..url::Position::AfterQuery]
            .parse()
            .map_err(|_| Class::Usage.because(format_args!("fetch {}: that is no URL", shown(url))))?;
        let headers = request.headers_mut();
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        headers.insert(HOST, HeaderValue::from_str(authority).map_err(no_header)?);
        headers
            .insert(USER_AGENT, HeaderValue::from_static(concat!("waddleperf/", env!("CARGO_PKG_VERSION"))));
        if let Some(held) = self.held.and_then(|held| HeaderValue::from_str(held).ok()) {
            headers.insert(IF_NONE_MATCH, held);
        }
        if let Some((user, password)) = self.account.filter(|_| url.origin() == self.url.origin()) {
            let encoded = STANDARD.encode(format!("{user}:{password}"));
            let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).map_err(no_header)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    async fn read(
        &self,
        url: &Url,
        response: Response<Incoming>,
        mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Fetched, Failure> {
        let wrong = |why: String| Class::Protocol.because(format_args!("fetch {}: {why}", shown(url)));
        let etag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let mut body = response.into_body();
        let mut octets = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| wrong(said(&error)))?;
            let Some(data) = frame.data_ref() else { continue };
            octets += data.len() as u64;
            if octets > self.most {
                return Err(wrong(format!("it is longer than {} octets", self.most)));
            }
            take(data)?;
        }
        Ok(Fetched::Whole { etag })
    }
}

async fn exchange<S>(
    url: &Url,
    stream: TokioIo<S>,
    request: Request<Body>,
    connections: &mut JoinSet<()>,
) -> Result<Response<Incoming>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed =
        |error: hyper::Error| Class::Protocol.because(format_args!("fetch {}: {}", shown(url), said(&error)));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.map_err(failed)?;
    connections.spawn(async move {
        // How it ends is told by the response or its body.
        let _ = connection.await;
    });
    sender.send_request(request).await.map_err(failed)
}

/// A server that asks for plain HTTP cannot lead to one that must prove who it is.
fn wrong_trust(url: &Url) -> Failure {
    Class::Protocol.because(format_args!("fetch {}: name this https URL itself", shown(url)))
}

/// What went wrong, with its cause.
fn said(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// `url` without what may be secret: account, query.
pub fn shown(url: &Url) -> String {
    let end = url::Position::AfterPath;
    format!("{}://{}", url.scheme(), &url[url::Position::BeforeHost..end])
}
