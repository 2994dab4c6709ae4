//! Where HTTP/3 of an origin is to be had: what an HTTPS record (RFC 9460) or an earlier answer's Alt-Svc (RFC 7838) says.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Origin;

use super::linker::Linker;
use super::place::Place;
use super::request::Ask;
use super::{Version, fields};
use crate::failure::Failure;
use crate::sys::clock;

/// Origins whose alternatives are kept.
const MOST_ORIGINS: usize = 64;
/// Alternatives of one header that are looked at.
const MOST_ENTRIES: usize = 16;
/// How long one is good that does not say so (RFC 7838 §3.1).
const FRESH: Duration = Duration::from_secs(86_400);
/// What HTTP/3 is called (RFC 9114 §3.1).
const H3: &str = "h3";

/// Why HTTP/3 was tried, or was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpQuicChoice")]
pub struct Http3 {
    /// It was tried. Not so where an HTTPS record offers other protocols only.
    pub tried: bool,
    /// What that was decided by.
    pub by: DecidedBy,
    /// The host that offers it.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// What decided whether HTTP/3 is tried, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "HttpQuicDecidedBy")]
pub enum DecidedBy {
    /// Nothing is known: it was asked for, and is tried at the URL's own host and port.
    Option,
    /// The name's HTTPS record (RFC 9460).
    HttpsRecord,
    /// The Alt-Svc header of an earlier leg or repeat (RFC 7838).
    AltSvc,
}

/// What servers have said in this run.
#[derive(Debug, Default)]
pub(super) struct Alternatives(Mutex<HashMap<Origin, Alternative>>);

/// Another place that offers HTTP/3.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alternative {
    /// `None`: the origin's own.
    host: Option<String>,
    port: u16,
    until: Instant,
}

/// What decides, and where HTTP/3 is tried.
pub(super) struct Choice {
    pub(super) told: Http3,
    /// None where it is not tried.
    pub(super) addresses: Vec<SocketAddr>,
    /// The look-up of a host of another name.
    pub(super) dns_time: Option<Duration>,
}

impl Alternatives {
    /// Takes in what an answer of `origin` says.
    pub(super) fn learn(&self, origin: &Origin, headers: &HeaderMap) {
        let values = headers.get_all("alt-svc").iter().filter_map(|value| value.to_str().ok());
        let now = clock::now().mono;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for value in values {
            if value.trim() == "clear" {
                known.remove(origin);
            } else if let Some(found) = http3_of(value, now)
                && (known.len() < MOST_ORIGINS || known.contains_key(origin))
            {
                known.insert(origin.clone(), found);
            }
        }
    }

    fn of(&self, origin: &Origin) -> Option<Alternative> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(origin).filter(|one| one.until > clock::now().mono).cloned()
    }
}

/// The first place that `value` names for HTTP/3: `h3=":443"; ma=86400, h2="alt.example:443"`.
fn http3_of(value: &str, now: Instant) -> Option<Alternative> {
    fields::split(value, ',').take(MOST_ENTRIES).find_map(|entry| {
        let mut parts = fields::split(entry, ';').map(str::trim);
        let (protocol, authority) = parts.next()?.split_once('=')?;
        let (host, port) = authority.trim().strip_prefix('"')?.strip_suffix('"')?.rsplit_once(':')?;
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let host = Some(host.trim_matches(['[', ']']).to_ascii_lowercase()).filter(|host| !host.is_empty());
        let age = parts.find_map(|part| part.strip_prefix("ma=")?.trim_matches('"').parse().ok());
        let fresh = age.map_or(FRESH, Duration::from_secs).min(FRESH * 365);
        (protocol.trim() == H3).then_some(Alternative { host, port, until: now + fresh })
    })
}

impl Linker<'_> {
    /// Whether HTTP/3 of `ask`, which goes to `place`, is tried, and where.
    ///
    /// # Errors
    /// Those of another host's look-up, where HTTP/3 is the only way.
    pub(super) async fn where_http3(&self, ask: &Ask, place: &Place) -> Result<Choice, Failure> {
        let own = ask.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let own_port = ask.url.port_or_known_default().unwrap_or(443);
        let services = place.dns.as_ref().and_then(|dns| dns.services.as_deref()).unwrap_or_default();
        let offer = services.iter().find(|one| one.alpn.iter().any(|name| name == H3));
        let is_only = self.asked.version == Version::Http3Only;
        let (by, host, port) = if let Some(found) = self.alternatives.of(&ask.url.origin()) {
            (DecidedBy::AltSvc, found.host, found.port)
        } else if let Some(offer) = offer {
            (DecidedBy::HttpsRecord, offer.target.clone(), offer.port.unwrap_or(own_port))
        } else if services.is_empty() || is_only {
            (DecidedBy::Option, None, own_port)
        } else {
            let told =
                Http3 { tried: false, by: DecidedBy::HttpsRecord, host: own.to_owned(), port: own_port };
            return Ok(Choice { told, addresses: Vec::new(), dns_time: None });
        };
        let host = host.filter(|host| !host.eq_ignore_ascii_case(own));
        let name = host.as_deref().unwrap_or(own);
        let told = Http3 { tried: true, by, host: name.to_owned(), port };
        let found = match &host {
            Some(host) => {
                self.place_of(host, port, false).await.map(|there| (there.addresses, there.dns_time))
            }
            None if by == DecidedBy::Option => Ok((place.addresses.clone(), None)),
            None => {
                let there = place.addresses.iter().map(|at| SocketAddr::new(at.ip(), port)).collect();
                self.admitted(name, there, place.dns.is_some()).map(|there| (there, None))
            }
        };
        match found {
            Ok((addresses, dns_time)) => Ok(Choice { told, addresses, dns_time }),
            Err(failure) if is_only => Err(failure),
            // The others can still do it.
            Err(_) => {
                Ok(Choice { told: Http3 { tried: false, ..told }, addresses: Vec::new(), dns_time: None })
            }
        }
    }
}

/// Reads any header as what a server says of other places.
pub(super) fn fuzz(value: &str) {
    if let Some(found) = http3_of(value, clock::now().mono) {
        assert!(found.port > 0 && found.host.is_none_or(|host| !host.is_empty()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{HttpTrace, request};
    use super::*;
    use crate::net::{Policy, Resolver};
    use crate::probe::{Agent, Ctx};
    use hyper::header::HeaderValue;
    use uuid::Uuid;

    fn said(value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("alt-svc", HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn alternatives_are_read_as_they_are_written() {
        let now = clock::now().mono;
        let read = |value| http3_of(value, now).map(|one| (one.host, one.port, one.until - now));
        let day = FRESH;
        for (value, expected) in [
            ("h3=\":443\"", Some((None, 443, day))),
            (
                "h2=\":1\", h3=\"Alt.example:8443\"; ma=60; persist=1",
                Some((Some("alt.example"), 8443, Duration::from_secs(60))),
            ),
            ("h3-29=\":443\"; ma=9, h3=\"[::1]:4\";ma=\"7\"", Some((Some("::1"), 4, Duration::from_secs(7)))),
            ("h3=\"a;b,c:5\"", Some((Some("a;b,c"), 5, day))),
            ("h3=\":0\"", None),
            ("h3=\":65536\"", None),
            ("h3=:443", None),
            ("h2=\":443\"", None),
            ("clear", None),
            ("", None),
        ] {
            let expected = expected.map(|(host, port, fresh)| (host.map(str::to_owned), port, fresh));
            assert_eq!(read(value), expected, "{value}");
        }
        assert!(read("h3=\":1\"; ma=18446744073709551615").is_some_and(|(.., fresh)| fresh <= FRESH * 365));
    }

    #[test]
    fn what_was_said_last_counts_and_can_be_taken_back() {
        let of = |text: &str| url::Url::parse(text).expect("a URL").origin();
        let (here, there) = (of("https://a.example/x"), of("https://a.example:8443/"));
        let known = Alternatives::default();
        known.learn(&here, &said("h3=\":1\""));
        known.learn(&here, &said("h3=\":2\""));
        known.learn(&here, &said("h2=\":3\""));
        assert_eq!(known.of(&here).map(|one| one.port), Some(2));
        assert_eq!(known.of(&there), None);
        known.learn(&here, &said("clear"));
        assert_eq!(known.of(&here), None);
        known.learn(&here, &said("h3=\":1\"; ma=0"));
        assert_eq!(known.of(&here), None, "out of date at once");
        for n in 0..2 * MOST_ORIGINS {
            known.learn(&of(&format!("https://{n}.example/")), &said("h3=\":1\""));
        }
        assert_eq!(known.0.lock().expect("nobody panicked").len(), MOST_ORIGINS);
    }

    /// Whoever asks for others (the API) is led nowhere that he could not name himself.
    #[tokio::test]
    async fn nobody_is_led_where_he_may_not_go() {
        let agent = Arc::new(Agent { id: Uuid::nil(), host: String::new(), version: String::new() });
        let ctx = Ctx::new(agent, Arc::new(Policy::Remote), Resolver::default());
        let asked = HttpTrace { version: Version::Http3, ..HttpTrace::default() };
        let url = request::url("https://8.8.8.8/").expect("a URL");
        let ask = Ask::new(url, None, None, &HeaderValue::from_static("test"));
        let linker = Linker::new(&asked, &ctx).expect("it can be asked");
        let place = linker.place(&ask, true).await.expect("a place");
        for (value, leads_to) in [
            ("h3=\":25\"", None),
            ("h3=\"127.0.0.1:8443\"", None),
            ("h3=\"[::ffff:10.0.0.1]:8443\"", None),
            ("h3=\":8443\"", Some("8.8.8.8:8443")),
            ("h3=\"8.8.4.4:443\"", Some("8.8.4.4:443")),
        ] {
            linker.alternatives.learn(&ask.url.origin(), &said(value));
            let choice = linker.where_http3(&ask, &place).await.expect("the others can do it");
            let there: Vec<String> = choice.addresses.iter().map(SocketAddr::to_string).collect();
            assert_eq!(there, leads_to.into_iter().collect::<Vec<_>>(), "{value}");
            assert_eq!(
                (choice.told.tried, choice.told.by),
                (leads_to.is_some(), DecidedBy::AltSvc),
                "{value}"
            );
        }
    }
}
