//! HEAD over a connection that is kept (HTTP/1.1, RFC 9112). A connection's first request is told apart: what is timed is
//! the next one.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::tcp::Made;
use super::{Reached, Unreached, Way, why};
use crate::probe::ping::plan::Host;
use crate::probe::ping::tally::{Connected, Said};
use crate::sys::clock;

/// Octets of the longest head of a response.
const MOST_HEAD: usize = 64 << 10;

/// A connection that waits for its next request.
pub(super) struct Kept(Box<dyn Stream>);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl Stream for TcpStream {}
impl Stream for TlsStream<TcpStream> {}

/// The parts of a URL, or of a host alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Url<'a> {
    is_https: bool,
    host: &'a str,
    port: Option<u16>,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Self {
        let (is_https, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.eq_ignore_ascii_case("https"), rest),
            None => (false, text),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // Several colons without brackets are an address.
        let split = authority.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let port = split.and_then(|(_, port)| port.parse().ok());
        let host = split.filter(|_| port.is_some()).map_or(authority, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Self { is_https, host, port, path: path.split('#').next().unwrap_or_default() }
    }

    fn port(&self, otherwise: Option<u16>) -> u16 {
        self.port.or(otherwise).unwrap_or(if self.is_https { 443 } else { 80 })
    }

    /// The request, nothing of which can be more than a part of a line.
    fn request(&self) -> String {
        let clean = |text: &str| text.chars().filter(char::is_ascii_graphic).collect::<String>();
        let (host, path) = (clean(self.host.split('%').next().unwrap_or_default()), clean(self.path));
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let host = self.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let slash = if path.starts_with('/') { "" } else { "/" };
        let agent = concat!("waddleperf/", env!("CARGO_PKG_VERSION"));
        format!("HEAD {slash}{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\r\n")
    }
}

/// The host and port that a target's text names.
pub(in super::super) fn place(text: &str, port: Option<u16>) -> (String, u16) {
    let url = Url::parse(text);
    (url.host.to_owned(), url.port(port))
}

impl Way {
    pub(super) async fn http(&self, host: &Host, kept: Option<Kept>) -> Result<Reached, Unreached> {
        let url = Url::parse(host.asked());
        let request = Url { port: url.port.or(self.port), ..url }.request();
        if let Some(Kept(mut stream)) = kept
            && let Ok((rtt, response)) = head(&mut stream, &request).await
        {
            return Ok(reached(rtt, Connected::default(), response, stream));
        }
        let Made { stream, rtt: connect, resent, .. } = self.dial(host).await?;
        let mut told = Connected { resent, connect: Some(connect), ..Connected::default() };
        let mut stream: Box<dyn Stream> = if url.is_https {
            let (stream, time) = self.client.shake(stream, self.name.as_deref().unwrap_or(url.host)).await?;
            told.tls = Some(time);
            Box::new(stream)
        } else {
            Box::new(stream)
        };
        let (first, response) = head(&mut stream, &request).await?;
        told.first_byte = Some(first);
        if response.is_kept
            && let Ok((rtt, response)) = head(&mut stream, &request).await
        {
            return Ok(reached(rtt, told, response, stream));
        }
        // It is not kept, so that every request is a first one.
        Ok(reached(first, told, Response { is_kept: false, ..response }, stream))
    }
}

/// An attempt that got `response` over `stream`.
fn reached(rtt: Duration, told: Connected, response: Response, stream: Box<dyn Stream>) -> Reached {
    let kept = response.is_kept.then_some(Kept(stream));
    Reached { rtt, kernel: false, told, said: Some(Said::Status(response.status)), kept }
}

/// Sends `request`: the time to the first octet of its response, and the response.
async fn head(stream: &mut Box<dyn Stream>, request: &str) -> Result<(Duration, Response), Unreached> {
    let start = clock::now().mono;
    let sent = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    let failed = |error: &std::io::Error| Unreached::Failed(why(error, "before a response"));
    let no_http = || Unreached::Failed("no http response".to_owned());
    sent.await.map_err(|error| failed(&error))?;
    let (mut response, mut time) = (Vec::new(), None);
    while response.len() < MOST_HEAD {
        let mut part = [0; 4096];
        let length = stream.read(&mut part).await.map_err(|error| failed(&error))?;
        if length == 0 {
            return Err(failed(&std::io::ErrorKind::UnexpectedEof.into()));
        }
        let time = *time.get_or_insert_with(|| clock::now().mono.saturating_duration_since(start));
        response.extend(&part[..length]);
        if let Some(response) = Response::parse(&response).map_err(|()| no_http())? {
            return Ok((time, response));
        }
    }
    Err(Unreached::Failed("the head of a response is longer than 64 KiB".to_owned()))
}

/// What the head of a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Response {
    /// Its status code (RFC 9110 §15).
    status: u16,
    /// The connection is kept.
    is_kept: bool,
}

impl Response {
    /// What a whole head of a final response says; `None` while there is none.
    fn parse(mut octets: &[u8]) -> Result<Option<Self>, ()> {
        let (text, status) = loop {
            if !octets.starts_with(&b"HTTP/1."[..octets.len().min(7)]) {
                return Err(());
            }
            let Some(end) = octets.windows(4).position(|four| four == b"\r\n\r\n") else {
                return Ok(None);
            };
            let text = String::from_utf8_lossy(&octets[..end]).to_ascii_lowercase();
            octets = &octets[end + 4..];
            // An interim response (RFC 9110 §15.2) precedes the one that counts.
            let status = text.get(9..12).and_then(|code| code.parse::<u16>().ok()).ok_or(())?;
            if status >= 200 {
                break (text, status);
            }
        };
        let connection = text.lines().filter_map(|line| line.strip_prefix("connection:"));
        let says =
            |word: &str| connection.clone().any(|value| value.split(',').any(|one| one.trim() == word));
        let is_kept = if text.starts_with("http/1.0") { says("keep-alive") } else { !says("close") };
        Ok(Some(Self { status, is_kept }))
    }
}

/// Reads any octets as a URL and as a response.
pub(in super::super) fn fuzz(octets: &[u8]) {
    let request = Url::parse(&String::from_utf8_lossy(octets)).request();
    assert_eq!(request.matches("\r\n").count(), 5, "{request}");
    let _ = Response::parse(octets);
    let _ = Response::parse(&[b"HTTP/1.1 ", octets, b"\r\n\r\n"].concat());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_url_is_taken_apart() {
        for (text, host, port, https, line) in [
            ("h.example", "h.example", 80, false, "HEAD / HTTP/1.1"),
            ("https://h.example/a?b#c", "h.example", 443, true, "HEAD /a?b HTTP/1.1"),
            ("http://[::1]:8080?q", "::1", 8080, false, "HEAD /?q HTTP/1.1"),
            ("::1", "::1", 80, false, "HEAD / HTTP/1.1"),
            ("HTTPS://h.example:8443", "h.example", 8443, true, "HEAD / HTTP/1.1"),
            ("h.example/a\r\nX: y", "h.example", 80, false, "HEAD /aX:y HTTP/1.1"),
        ] {
            let url = Url::parse(text);
            assert_eq!(place(text, None), (host.to_owned(), port), "{text}");
            assert_eq!((url.is_https, url.request().lines().next()), (https, Some(line)), "{text}");
        }
        assert!(Url::parse("http://[fe80::1%eth0]:81/").request().contains("Host: [fe80::1]:81\r\n"));
    }

    #[test]
    fn a_response_tells_its_status_and_whether_the_connection_is_kept() {
        let told = |status, is_kept| Ok(Some(Response { status, is_kept }));
        for (response, expected) in [
            ("HTTP/1.1 200 OK\r\n\r\n", told(200, true)),
            ("HTTP/1.1 404 No\r\nConnection: Close\r\n\r\n", told(404, false)),
            ("HTTP/1.0 503\r\n\r\n", told(503, false)),
            ("HTTP/1.0 200 OK\r\nconnection: x, keep-alive\r\n\r\n", told(200, true)),
            ("HTTP/1.1 103 Early\r\n\r\n", Ok(None)),
            ("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", told(200, false)),
            ("HTTP/1.1 OK\r\n\r\n", Err(())),
            ("HTTP/1.1 200", Ok(None)),
            ("HT", Ok(None)),
            ("SSH-2.0-x\r\n\r\n", Err(())),
        ] {
            assert_eq!(Response::parse(response.as_bytes()), expected, "{response:?}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets: Vec<u8>, text in ".{0,60}") {
            fuzz(&octets);
            fuzz(text.as_bytes());
        }
    }
}
