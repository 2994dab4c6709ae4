//! What is asked: method, URL, headers, body; and what a redirect makes of it, by curl's rules.

use std::fmt;

use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use hyper::{Method, StatusCode};
use url::{Origin, Position, Url};

use super::decode::ACCEPTED;

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) url: Url,
    pub(super) method: Method,
    /// Whether the method was chosen by name: redirects then keep it, as with curl.
    pub(super) is_method_fixed: bool,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
}

/// What a redirect leads to.
#[derive(Debug)]
pub(super) struct Redirected {
    pub(super) ask: Ask,
    /// From `https` to `http`.
    pub(super) is_downgrade: bool,
    /// What proves who asks was left behind.
    pub(super) dropped_credentials: bool,
}

/// Reads a URL as curl does: without a scheme it is `http`.
///
/// # Errors
/// What is wrong with it. It does not repeat a user name or password.
pub(super) fn url(text: &str) -> Result<Url, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole).map_err(|error| format!("is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("takes a URL of http or https, not of {}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password, which everybody on this host could read: put `user:password` into \
                    a file and name it by --user-file"
            .to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("names no host".to_owned());
    }
    Ok(url)
}

/// `url` without what may be secret: account and fragment.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Only URLs without a host refuse this.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url.into()
}

/// `text` without the user names and passwords in the URLs that it holds.
pub(super) fn without_accounts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        let end = behind.find(['/', '?', '#', '"', '>', ' ', ',']).unwrap_or(behind.len());
        let account = behind[..end].rfind('@').map_or(0, |at| at + 1);
        out += before;
        rest = &behind[account..];
    }
    out + rest
}

/// A header as curl takes it: `Name: value`, `Name;` for an empty one, `Name:` for none at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Set(HeaderName, HeaderValue),
    Without(HeaderName),
}

impl Line {
    /// # Errors
    /// What it should look like. It does not repeat the value.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let name = |name: &str| {
            HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| "takes a header as `Name: value`".to_owned())
        };
        if let Some((left, value)) = text.split_once(':') {
            let (name, value) = (name(left)?, value.trim());
            if value.is_empty() {
                return Ok(Self::Without(name));
            }
            let wrong = || format!("{name}: has a value that no header can hold");
            return HeaderValue::from_str(value)
                .map(|value| Self::Set(name.clone(), value))
                .map_err(|_| wrong());
        }
        match text.trim_end().strip_suffix(';') {
            Some(left) => Ok(Self::Set(name(left)?, HeaderValue::from_static(""))),
            None => Err("takes a header as `Name: value`".to_owned()),
        }
    }
}

/// Whether the header `name` tells who asks: such a value is masked wherever it is recorded.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "authorization" | "cookie" | "set-cookie" | "x-api-key" | "x-auth-token")
        || name.starts_with("proxy-auth")
}

/// What stands where a secret was.
pub(super) const MASK: &str = "…";

impl Ask {
    /// The request before any `-H`.
    pub(super) fn new(url: Url, method: Option<Method>, body: Option<Bytes>, agent: &HeaderValue) -> Self {
        let is_method_fixed = method.is_some();
        let method = method.unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, agent.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        Self { url, method, is_method_fixed, headers, body }
    }

    /// Asks for a body that is compressed by what this program can undo.
    pub(super) fn accept_compressed(&mut self) {
        self.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
    }

    /// Adds the lines that were asked for; the first of a name replaces what would be sent by itself.
    pub(super) fn add(&mut self, lines: &[Line]) {
        let mut seen: Vec<&HeaderName> = Vec::new();
        for line in lines {
            match line {
                Line::Without(name) => {
                    self.headers.remove(name);
                }
                Line::Set(name, value) => {
                    let mut value = value.clone();
                    value.set_sensitive(is_secret(name.as_str()));
                    if seen.contains(&name) {
                        self.headers.append(name, value);
                    } else {
                        self.headers.insert(name, value);
                        seen.push(name);
                    }
                }
            }
        }
    }

    /// Host and port as the request names them.
    pub(super) fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// Path and query.
    pub(super) fn path(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Octets of its head as HTTP/1.1 would write it in `version`, which is what curl counts.
    pub(super) fn head_bytes(&self, version: &str) -> u64 {
        let line = self.method.as_str().len() + self.path().len() + "  HTTP/\r\n".len() + version.len();
        let host =
            if self.headers.contains_key(HOST) { 0 } else { "Host: \r\n".len() + self.authority().len() };
        let field = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
        let length = match &self.body {
            Some(body) => format!("Content-Length: {}\r\n", body.len()).len(),
            None => 0,
        };
        (line + host + self.headers.iter().map(field).sum::<usize>() + length + 2) as u64
    }

    /// What `status` with this `Location` makes of it (RFC 9110 §15.4, and curl where that leaves a choice).
    ///
    /// # Errors
    /// Why it leads nowhere.
    pub(super) fn redirected(&self, status: StatusCode, location: &[u8]) -> Result<Redirected, String> {
        let text = std::str::from_utf8(location).map_err(|_| "its location is no URL".to_owned())?;
        let url = self.url.join(text).map_err(|error| format!("its location is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("it leads to a URL of {}, which is not followed", url.scheme()));
        }
        let is_downgrade = self.url.scheme() == "https" && url.scheme() == "http";
        let is_elsewhere = origin(&url) != origin(&self.url);
        let mut ask = Self { url, ..self.clone() };
        let becomes_get = match status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            _ => false,
        };
        if becomes_get {
            ask.body = None;
            ask.headers.remove(CONTENT_TYPE);
            if !self.is_method_fixed {
                ask.method = Method::GET;
            }
        }
        let mut dropped_credentials = false;
        if is_elsewhere {
            for name in [AUTHORIZATION, COOKIE] {
                dropped_credentials |= ask.headers.remove(name).is_some();
            }
            // It named the first one's host.
            ask.headers.remove(HOST);
        }
        Ok(Redirected { ask, is_downgrade, dropped_credentials })
    }
}

fn origin(url: &Url) -> Origin {
    url.origin()
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, shown(&self.url))
    }
}

/// Reads any header as the place of a redirect: credentials stay at their origin.
pub(super) fn fuzz(location: &HeaderValue) {
    let Ok(url) = url("https://a.example/x") else { return };
    let mut ask = Ask::new(url, None, None, &HeaderValue::from_static("fuzz"));
    ask.headers.insert(AUTHORIZATION, HeaderValue::from_static("secret"));
    if let Ok(next) = ask.redirected(StatusCode::FOUND, location.as_bytes()) {
        let is_there = next.ask.url.host_str() == Some("a.example") && next.ask.url.scheme() == "https";
        assert!(is_there || next.dropped_credentials && !next.ask.headers.contains_key(AUTHORIZATION));
        assert!(!shown(&next.ask.url).contains(char::is_control));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: Option<Method>, body: Option<&'static [u8]>) -> Ask {
        let agent = HeaderValue::from_static("t");
        let url = url("https://a.example/x/y?z").expect("a URL");
        let mut ask = Ask::new(url, method, body.map(Bytes::from_static), &agent);
        ask.add(
            &[Line::parse("Authorization: Basic x"), Line::parse("Cookie: a=b")]
                .map(|line| line.expect("a line")),
        );
        ask
    }

    #[test]
    fn a_url_is_read_as_curl_reads_it_and_holds_no_secret() {
        for (text, expected) in [
            ("a.example", "http://a.example/"),
            ("localhost:8080/x", "http://localhost:8080/x"),
            ("HTTPS://[::1]:1/a b#f", "https://[::1]:1/a%20b"),
        ] {
            assert_eq!(shown(&url(text).expect(text)), expected);
        }
        for text in [
            "ftp://a.example",
            "http://",
            "http://u:s3cret@a.example/",
            "http://a.example:99999/",
            "u@a.example",
        ] {
            let why = url(text).expect_err(text);
            assert!(!why.contains("s3cret"), "{why}");
        }
    }

    #[test]
    fn accounts_are_taken_out_of_urls_wherever_they_stand() {
        for (text, expected) in [
            ("http://u:s3cret@a.example/x@y", "http://a.example/x@y"),
            (
                "<https://u@a.example>; rel=next, <https://a@b@c.example/>",
                "<https://a.example>; rel=next, <https://c.example/>",
            ),
            ("u@a.example", "u@a.example"),
            ("https://a.example", "https://a.example"),
            ("://", "://"),
        ] {
            assert_eq!(without_accounts(text), expected);
        }
    }

    #[test]
    fn a_redirect_changes_the_request_as_curls_does() {
        let moved = |ask: &Ask, status: u16, to: &str| {
            let status = StatusCode::from_u16(status).expect("a status");
            ask.redirected(status, to.as_bytes()).expect("somewhere").ask
        };
        let post = ask(None, Some(b"q"));
        for (status, method, has_body) in [
            (301, "GET", false),
            (302, "GET", false),
            (303, "GET", false),
            (307, "POST", true),
            (308, "POST", true),
        ] {
            let next = moved(&post, status, "/n");
            assert_eq!((next.method.as_str(), next.body.is_some()), (method, has_body), "{status}");
            assert_eq!(next.headers.contains_key(CONTENT_TYPE), has_body, "{status}");
            assert_eq!(next.url.as_str(), "https://a.example/n");
        }
        // curl -X: the method stays whatever comes.
        let named = moved(&ask(Some(Method::POST), Some(b"q")), 302, "n");
        assert_eq!((named.method, named.body), (Method::POST, None));
        assert_eq!(moved(&ask(Some(Method::HEAD), None), 303, "n").method, Method::HEAD);
        assert_eq!(moved(&ask(Some(Method::PUT), Some(b"q")), 302, "n").method, Method::PUT);
    }

    #[test]
    fn credentials_stay_at_their_origin() {
        let see = |to: &str| ask(None, None).redirected(StatusCode::FOUND, to.as_bytes()).expect("somewhere");
        for (to, kept, downgrade) in [
            ("/other", true, false),
            ("https://a.example:443/", true, false),
            ("https://a.example:8443/", false, false),
            ("https://b.a.example/", false, false),
            ("http://a.example/", false, true),
        ] {
            let next = see(to);
            let has = next.ask.headers.contains_key(AUTHORIZATION) || next.ask.headers.contains_key(COOKIE);
            assert_eq!((has, next.dropped_credentials, next.is_downgrade), (kept, !kept, downgrade), "{to}");
        }
        assert!(ask(None, None).redirected(StatusCode::FOUND, b"file:///etc/passwd").is_err());
        assert!(ask(None, None).redirected(StatusCode::FOUND, b"\xff").is_err());
    }

    #[test]
    fn header_lines_are_curls() {
        let set = |name: &'static str, value: &'static str| {
            Ok(Line::Set(HeaderName::from_static(name), HeaderValue::from_static(value)))
        };
        assert_eq!(Line::parse("X-A: b: c "), set("x-a", "b: c"));
        assert_eq!(Line::parse("X-A;"), set("x-a", ""));
        assert_eq!(Line::parse("Accept:"), Ok(Line::Without(HeaderName::from_static("accept"))));
        for text in ["nothing", "a b: c", "x: a\r\nb: c", ""] {
            assert!(Line::parse(text).is_err(), "{text:?}");
        }
        let mut ask = ask(None, None);
        ask.add(&["Accept:", "User-Agent: me", "X: 1", "X: 2"].map(|line| Line::parse(line).expect(line)));
        assert_eq!((ask.headers.get(ACCEPT), ask.headers[USER_AGENT].as_bytes()), (None, &b"me"[..]));
        assert_eq!(ask.headers.get_all("x").iter().count(), 2);
    }
}
