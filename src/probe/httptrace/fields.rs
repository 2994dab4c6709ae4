//! What headers of an answer say about how it was made and delivered.

use std::time::Duration;

use hyper::header::{AGE, CACHE_CONTROL, HeaderMap, HeaderName, STRICT_TRANSPORT_SECURITY};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request::{MASK, is_secret, without_accounts};
use crate::units::ms;
use crate::wire::text::printable;

/// Entries of one header that are told.
const MOST_ENTRIES: usize = 32;

/// A header, harmless for a terminal; what tells who somebody is, is masked unless it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpField")]
pub struct Field {
    /// Its name, in small letters.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What a server says of the time that a part of its work took (Server-Timing).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpServerTiming")]
pub struct ServerTiming {
    /// The part's name.
    pub name: String,
    /// How long it took; null where the server gives none.
    #[serde(rename = "duration_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub duration: Option<Duration>,
    /// What it is, in the server's words.
    pub description: Option<String>,
}

/// That only TLS may be used from now on (HSTS, RFC 6797).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpHsts")]
pub struct Hsts {
    /// For how many seconds.
    pub max_age_s: Option<u64>,
    /// For all names below it too.
    pub include_subdomains: bool,
    /// It asks to be known to browsers beforehand.
    pub preload: bool,
}

/// What caches say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpCache")]
pub struct Cache {
    /// How many seconds ago its origin made the answer (RFC 9111 §5.1).
    pub age_s: Option<u64>,
    /// `X-Cache`, or `CF-Cache-Status`: whether a cache had it.
    pub x_cache: Option<String>,
    /// For how long it may be kept (`Cache-Control`).
    pub control: Option<String>,
}

/// All of them, in their order.
pub(super) fn all(headers: &HeaderMap, shows_secrets: bool) -> Vec<Field> {
    let value = |name: &HeaderName, octets: &[u8]| match is_secret(name.as_str()) && !shows_secrets {
        true => MASK.to_owned(),
        false if shows_secrets => printable(octets),
        false => without_accounts(&printable(octets)),
    };
    let field = |(name, octets): (&HeaderName, &hyper::header::HeaderValue)| Field {
        name: name.as_str().to_owned(),
        value: value(name, octets.as_bytes()),
    };
    headers.iter().map(field).collect()
}

/// The value of a header, harmless.
pub(super) fn text(headers: &HeaderMap, name: impl hyper::header::AsHeaderName) -> Option<String> {
    headers.get(name).map(|value| printable(value.as_bytes()))
}

impl ServerTiming {
    pub(super) fn all(headers: &HeaderMap) -> Vec<Self> {
        let values = headers.get_all("server-timing").iter().map(|value| printable(value.as_bytes()));
        let values: Vec<String> = values.collect();
        let entries = values.iter().flat_map(|value| split(value, ','));
        entries.filter_map(Self::parse).take(MOST_ENTRIES).collect()
    }

    fn parse(entry: &str) -> Option<Self> {
        let mut parts = split(entry, ';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?.to_owned();
        let mut timing = Self { name, duration: None, description: None };
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_lowercase().as_str() {
                "dur" => timing.duration = value.parse().ok().and_then(ms::to),
                "desc" => timing.description = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(timing)
    }
}

impl Hsts {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = text(headers, STRICT_TRANSPORT_SECURITY)?.to_ascii_lowercase();
        let mut hsts = Self { max_age_s: None, include_subdomains: false, preload: false };
        for part in value.split(';').map(str::trim) {
            match part.split_once('=') {
                Some(("max-age", age)) => hsts.max_age_s = age.trim().trim_matches('"').parse().ok(),
                _ => {
                    hsts.include_subdomains |= part == "includesubdomains";
                    hsts.preload |= part == "preload";
                }
            }
        }
        Some(hsts)
    }
}

impl Cache {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let cache = Self {
            age_s: text(headers, AGE).and_then(|age| age.trim().parse().ok()),
            x_cache: text(headers, "x-cache").or_else(|| text(headers, "cf-cache-status")),
            control: text(headers, CACHE_CONTROL),
        };
        (cache.age_s.is_some() || cache.x_cache.is_some() || cache.control.is_some()).then_some(cache)
    }
}

/// The parts of `text` between separators that no quotes hold together.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |letter| {
        quoted ^= letter == '"';
        letter == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(lines: &[(&'static str, &'static [u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    }

    #[test]
    fn servers_say_how_long_their_parts_took() {
        let told = ServerTiming::all(&headers(&[
            ("server-timing", b"miss, db;dur=53.25;desc=\"a, b; c\", ;x, app;dur=x"),
            ("server-timing", b"edge;dur=1"),
        ]));
        let told: Vec<_> =
            told.iter().map(|one| (one.name.as_str(), one.duration, one.description.as_deref())).collect();
        let us = |us| Some(Duration::from_micros(us));
        let expected = [
            ("miss", None, None),
            ("db", us(53_250), Some("a, b; c")),
            ("app", None, None),
            ("edge", us(1000), None),
        ];
        assert_eq!(told, expected);
        let many = b"a;dur=1,".repeat(100);
        assert_eq!(ServerTiming::all(&headers(&[("server-timing", many.leak())])).len(), MOST_ENTRIES);
    }

    #[test]
    fn policies_and_caches_are_read_and_secrets_are_masked() {
        let given = headers(&[
            ("strict-transport-security", b"max-age=31536000; includeSubDomains"),
            ("age", b"12"),
            ("x-cache", b"HIT\xff"),
            ("set-cookie", b"sid=s3cret"),
        ]);
        let hsts = Hsts::of(&given).expect("a policy");
        assert_eq!((hsts.max_age_s, hsts.include_subdomains, hsts.preload), (Some(31_536_000), true, false));
        let cache = Cache::of(&given).expect("words of a cache");
        assert_eq!((cache.age_s, cache.x_cache.as_deref()), (Some(12), Some("HIT\\xff")));
        assert_eq!(Cache::of(&headers(&[])), None);
        let shown = |shows| all(&given, shows).pop().expect("the cookie").value;
        assert_eq!((shown(false).as_str(), shown(true).as_str()), (MASK, "sid=s3cret"));
    }
}
