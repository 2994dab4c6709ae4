//! One request over a connection, and its answer.

use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Buf, Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::{Request, Response, StatusCode, Version};

use super::intake::{Body, Intake};
use super::link::{Driver, Link, MOST_HEADERS, Sender};
use super::quic::{Requests, Stream};
use super::rates::Rates;
use super::request::Ask;
use super::watch::Watch;
use crate::failure::{Class, Failure};
use crate::sys::clock;
use crate::wire::text::printable;

/// The head of an answer; its body is still to come.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) version: &'static str,
    pub(super) reason: String,
    pub(super) headers: HeaderMap,
    /// The last octet of the request was handed on; `None` where the answer came before.
    pub(super) written: Option<Instant>,
    /// Its own first octet came.
    pub(super) first: Instant,
    body: Coming,
}

/// A body that is still to come.
enum Coming {
    Hyper(Incoming),
    Http3(Box<Stream>),
}

impl Coming {
    /// The next octets of it; `None` at its end.
    async fn next(&mut self) -> Option<Result<Bytes, String>> {
        match self {
            Self::Hyper(body) => loop {
                match body.frame().await? {
                    Err(error) => return Some(Err(said(&error))),
                    // Trailers are no part of it.
                    Ok(frame) => {
                        if let Ok(data) = frame.into_data() {
                            return Some(Ok(data));
                        }
                    }
                }
            },
            Self::Http3(stream) => match stream.recv_data().await {
                Ok(data) => data.map(|mut data| Ok(data.copy_to_bytes(data.remaining()))),
                Err(error) => Some(Err(printable(error.to_string().as_bytes()))),
            },
        }
    }
}

/// A body that came, and when its end did.
pub(super) struct Received {
    pub(super) body: Body,
    pub(super) rates: Rates,
    pub(super) ended: Instant,
}

/// Sends `ask`, and waits for the head of its answer.
///
/// # Errors
/// Class `protocol` for what is no answer of HTTP.
pub(super) async fn send(link: &mut Link, ask: &Ask) -> Result<Head, Failure> {
    link.watch.begin();
    let failed = |error: hyper::Error| Class::Protocol.because(format_args!("{ask}: {}", said(&error)));
    let response: Response<Coming>;
    let (mut written, mut first) = (None, None);
    match &mut link.sender {
        Sender::Http1(sender) => {
            let asking = sender.send_request(request(ask, false)?);
            let answered = link.driver.along(asking).await;
            response = answered.map_err(failed)?.map(Coming::Hyper);
        }
        Sender::Http2(sender) => {
            let answered = sender.send_request(request(ask, true)?).await;
            response = answered.map_err(failed)?.map(Coming::Hyper);
        }
        Sender::Http3(sender) => {
            let (answered, moment) = over_http3(sender, ask).await?;
            (written, first) = (Some(moment), Some(clock::now().mono));
            response = answered;
        }
    }
    let seen = link.watch.seen();
    let first = first.or(seen.first).unwrap_or_else(|| clock::now().mono);
    let written = written.or(seen.written).filter(|written| *written <= first);
    let (parts, body) = response.into_parts();
    if parts.headers.len() > MOST_HEADERS {
        return Err(
            Class::Protocol.because(format_args!("{ask}: the answer has more than {MOST_HEADERS} headers"))
        );
    }
    let version = match parts.version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    };
    let reason = match parts.extensions.get::<ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None if version.starts_with("1.") => parts.status.canonical_reason().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    Ok(Head { status: parts.status, version, reason, headers: parts.headers, written, first, body })
}

/// The same over HTTP/3: the answer, and when the request was handed on.
async fn over_http3(sender: &mut Requests, ask: &Ask) -> Result<(Response<Coming>, Instant), Failure> {
    let failed = |error: h3::error::StreamError| {
        Class::Protocol.because(format_args!("{ask}: http/3: {}", printable(error.to_string().as_bytes())))
    };
    let (parts, _) = request(ask, true)?.into_parts();
    let mut stream = sender.send_request(Request::from_parts(parts, ())).await.map_err(failed)?;
    if let Some(body) = &ask.body {
        stream.send_data(body.clone()).await.map_err(failed)?;
    }
    stream.finish().await.map_err(failed)?;
    let written = clock::now().mono;
    let (mut parts, ()) = stream.recv_response().await.map_err(failed)?.into_parts();
    parts.version = Version::HTTP_3;
    Ok((Response::from_parts(parts, Coming::Http3(Box::new(stream))), written))
}

/// The request in hyper's form: `whole` as HTTP/2 wants it, with scheme and authority, else as HTTP/1.1 does.
fn request(ask: &Ask, whole: bool) -> Result<Request<Full<Bytes>>, Failure> {
    let wrong = || Class::Usage.because(format_args!("{ask}: that is no URL that can be asked for"));
    let named = ask.headers.get(HOST).cloned();
    let host = match &named {
        Some(named) => named.clone(),
        None => HeaderValue::from_str(ask.authority()).map_err(|_| wrong())?,
    };
    let uri = match whole {
        true => format!("{}://{}{}", ask.url.scheme(), host.to_str().map_err(|_| wrong())?, ask.path()),
        false => ask.path().to_owned(),
    };
    let mut request = Request::new(Full::new(ask.body.clone().unwrap_or_default()));
    *request.method_mut() = ask.method.clone();
    *request.uri_mut() = uri.parse().map_err(|_| wrong())?;
    let headers = request.headers_mut();
    if !whole {
        headers.insert(HOST, host);
    }
    let fields = ask.headers.iter().filter(|(name, _)| *name != HOST);
    headers.extend(fields.map(|(name, value)| (name.clone(), value.clone())));
    Ok(request)
}

impl Head {
    /// Octets of it as HTTP/1.1 writes it, which is what curl counts of every version.
    pub(super) fn bytes(&self) -> u64 {
        let line = format!("HTTP/{} {} {}\r\n", self.version, self.status.as_u16(), self.reason).len();
        let field = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
        (line + self.headers.iter().map(field).sum::<usize>() + 2) as u64
    }

    /// How long its body says that it is.
    fn length(&self) -> Option<u64> {
        self.headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
    }

    /// Whether nothing but the stream's end tells where its body does (RFC 9112 §6.3).
    fn ends_with_its_stream(&self) -> bool {
        let is_told =
            self.headers.contains_key(CONTENT_LENGTH) || self.headers.contains_key(TRANSFER_ENCODING);
        matches!(self.version, "1.0" | "1.1") && !is_told
    }

    /// Takes the body in, which `driver` moves and which passes `watch`.
    ///
    /// # Errors
    /// Class `protocol` for a body that ends early, and those of `intake`.
    pub(super) async fn receive(
        &mut self,
        ask: &Ask,
        mut intake: Intake,
        driver: &mut Driver,
        watch: &Watch,
    ) -> Result<Received, Failure> {
        let named = |failure: Failure| match failure.class.is_far_side() {
            true => failure.class.because(format_args!("{ask}: {}", failure.detail)),
            false => failure,
        };
        let (mut rates, mut octets) = (Rates::default(), 0);
        let has_body = ask.method != hyper::Method::HEAD
            && !matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let length = self.length().filter(|_| has_body);
        let short = |octets: u64, why: &str| {
            let of = length.map(|length| format!(" of {length}")).unwrap_or_default();
            Class::Protocol
                .because(format_args!("{ask}: the body is truncated: {octets}{of} octets came ({why})"))
        };
        let came = async {
            while let Some(data) = driver.along(self.body.next()).await {
                let data = data.map_err(|why| short(octets, &why))?;
                octets += data.len() as u64;
                rates.push(clock::now().mono.saturating_duration_since(self.first), data.len() as u64);
                intake.take(data).await.map_err(named)?;
            }
            match length.is_some_and(|length| length != octets) {
                true => Err(short(octets, "its length was said beforehand")),
                false => Ok(()),
            }
        };
        if let Err(failure) = came.await {
            intake.give_up().await;
            return Err(failure);
        }
        // What took its octets in time is not to blame for how long they were looked at.
        let seen = watch.seen();
        let ended = seen.ended.filter(|_| has_body && self.ends_with_its_stream()).or(seen.last);
        let ended = ended.unwrap_or_else(|| clock::now().mono).max(self.first);
        Ok(Received { body: intake.end().await.map_err(named)?, rates, ended })
    }
}

/// What went wrong, with its cause, in words that are harmless.
pub(super) fn said(error: &hyper::Error) -> String {
    let text = match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    printable(text.as_bytes())
}
