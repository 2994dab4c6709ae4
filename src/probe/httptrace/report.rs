//! What `httptrace` found.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alternatives::Http3;
use super::expect::Expectation;
use super::fields::{Cache, Field, Hsts, ServerTiming};
use super::rates::Rates;
use crate::failure::Failure;
use crate::net::tls::{Certificate, Verdict};
use crate::net::{Answerer, Service};
use crate::probe::phases::Phases;
use crate::probe::{Findings, Scalar, Scalars, TcpState};
use crate::units::{Unit, ms};

/// What an answer took, phase by phase, and what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpTraceReport")]
pub struct Report {
    /// The URL that answered last, redirects followed.
    pub url: String,
    /// Its status code (RFC 9110 §15).
    pub status: u16,
    /// The version of HTTP that it was spoken to in: `1.0`, `1.1`, `2`, `3`.
    pub http: String,
    /// The phases, of all legs together; of several repeats the medians.
    pub phases: Phases,
    /// Octets of the last body, as they came, by the time that they took; null without a body, or where it came at once.
    pub throughput_bps: Option<f64>,
    /// The redirects that were followed, and the answer: each a leg. Of several repeats those of the last.
    pub legs: Vec<Leg>,
    /// Several repeats, together; null of one.
    pub repeats: Option<Repeats>,
    /// What was expected.
    pub expectations: Vec<Expectation>,
    /// Whatever certificate was shown, it was accepted (`-k`).
    pub insecure: bool,
}

/// Several repeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpRepeats")]
pub struct Repeats {
    /// That were begun and came to an end.
    pub sent: u64,
    /// That were answered.
    pub answered: u64,
    /// Each asked over the connection of the one before, where that was kept.
    pub keepalive: bool,
    /// Connections that were made.
    #[serde(default)]
    pub connections: u64,
    /// Those of them that resumed an earlier TLS session (`--resume`).
    #[serde(default)]
    pub resumed: u64,
    /// The repeats, counted from 0, in which one did, 1000 at most.
    #[serde(default)]
    pub resumed_in: Vec<u64>,
    /// The median handshake over TCP of those that resumed none; null where there were none.
    #[serde(rename = "tls_full_ms", with = "ms::option", default)]
    #[schemars(with = "Option<f64>")]
    pub tls_full: Option<Duration>,
    /// The same of those that did.
    #[serde(rename = "tls_resumed_ms", with = "ms::option", default)]
    #[schemars(with = "Option<f64>")]
    pub tls_resumed: Option<Duration>,
    /// The 95th percentile of each phase.
    pub p95: Phases,
    /// The fastest of each phase.
    pub min: Phases,
    /// The slowest of each phase.
    pub max: Phases,
    /// Why some were not answered, each reason once, 10 at most.
    pub failures: Vec<Failure>,
}

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpLeg")]
pub struct Leg {
    /// What was asked, without account and fragment.
    pub url: String,
    /// The method.
    pub method: String,
    /// The answer's status code.
    pub status: u16,
    /// The version of HTTP: `1.0`, `1.1`, `2`, `3`.
    pub http: String,
    /// When it began, after the first leg did: the legs before it took so long, without what this program did in between.
    #[serde(rename = "start_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub start: Duration,
    /// What it took. Judging a certificate is no part of it (`judged_ms`).
    pub phases: Phases,
    /// It went over the connection of the leg or repeat before.
    pub reused: bool,
    /// The look-up of its name; null where there was none to look up.
    pub dns: Option<Lookup>,
    /// Whether HTTP/3 was tried, and what decided that; null where it was not asked for (`--http3`, `--http3-only`).
    #[serde(default)]
    pub http3: Option<Http3>,
    /// The connections that were tried, in their order.
    pub attempts: Vec<Attempt>,
    /// The far end.
    pub remote: SocketAddr,
    /// Our end.
    pub local: Option<SocketAddr>,
    /// The TLS session; null without TLS.
    pub tls: Option<TlsSession>,
    /// How many octets there were of what.
    pub sizes: Sizes,
    /// How fast the body came; null without one.
    pub rates: Option<Rates>,
    /// What the kernel knows of the connection at its end; null over QUIC.
    pub tcp: Option<TcpState>,
    /// The answer's headers, 100 at most.
    pub headers: Vec<Field>,
    /// Where it leads; null where it does not, or cannot be followed.
    pub redirect: Option<Redirect>,
    /// What the server says that its parts took.
    pub server_timing: Vec<ServerTiming>,
    /// Where else it can be had (Alt-Svc, RFC 7838).
    pub alt_svc: Option<String>,
    /// That only TLS may be used.
    pub hsts: Option<Hsts>,
    /// What caches say.
    pub cache: Option<Cache>,
}

/// A name's look-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpLookup")]
pub struct Lookup {
    /// The name.
    pub name: String,
    /// Its addresses, in the order in which they came.
    pub addresses: Vec<IpAddr>,
    /// Who knew them.
    pub source: Source,
    /// The resolver that answered, of two that did the first; null where none was asked, or it cannot be known.
    #[serde(default)]
    pub answered_by: Option<Answerer>,
    /// The resolvers that this host asks, where `source` is `resolvers`: one of them has answered.
    pub resolvers: Vec<IpAddr>,
    /// What its HTTPS records say (RFC 9460), the preferred first; null where they were not asked for, or no answer came in time.
    #[serde(default)]
    pub services: Option<Vec<Service>>,
}

/// Who knew the addresses of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "HttpLookupSource")]
pub enum Source {
    /// `--resolve`.
    Given,
    /// `/etc/hosts`.
    Hosts,
    /// The resolvers of this host.
    Resolvers,
    /// This program, from an earlier answer in the same run.
    Cache,
}

/// A connection that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpAttempt")]
pub struct Attempt {
    /// Whom.
    pub address: SocketAddr,
    /// `tcp` or `quic`.
    pub proto: String,
    /// When it began, after its leg did.
    #[serde(rename = "start_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub start: Duration,
    /// How long it took to stand or to fail; null where another one won first.
    #[serde(rename = "took_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub took: Option<Duration>,
    /// It is the one that was used.
    pub won: bool,
    /// Why it failed.
    pub error: Option<String>,
}

/// What client and server agreed upon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpTlsSession")]
pub struct TlsSession {
    /// `TLSv1.3`.
    pub version: String,
    /// The cipher suite, by IANA's name; null over QUIC, where it is not told.
    pub suite: Option<String>,
    /// The group of the key exchange; null where it is not told.
    pub group: Option<String>,
    /// The application's protocol (RFC 7301).
    pub alpn: Option<String>,
    /// An earlier session was resumed.
    pub resumed: bool,
    /// What a strict client says of the certificate; null where this host has no authorities to ask.
    pub verdict: Option<Verdict>,
    /// Why it is not `ok`, in a few words.
    pub why: Option<String>,
    /// What judging the certificate took, after the handshake and before the request: this program's own time, in no phase
    /// and no total.
    #[serde(rename = "judged_ms", with = "ms", default)]
    #[schemars(with = "f64")]
    pub judged: Duration,
    /// Certificates that were sent, now or in the session that was resumed.
    pub chain_count: u64,
    /// Seconds until the first certificate of the path to an authority expires; negative where one has. Null where none can be
    /// read, or this host has no authorities.
    pub expires_in_s: Option<f64>,
    /// The server's own.
    pub certificate: Option<Certificate>,
}

/// How many octets there were of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpSizes")]
pub struct Sizes {
    /// The request's head, as HTTP/1.1 writes it.
    pub request_head_bytes: u64,
    /// The request's body.
    pub request_body_bytes: u64,
    /// The answer's head, as HTTP/1.1 writes it.
    pub head_bytes: u64,
    /// The answer's body, as it came.
    pub body_bytes: u64,
    /// The same, decoded; null where it was not decoded (`--compressed`).
    pub decoded_bytes: Option<u64>,
    /// All that was sent for it, TLS and its handshake included, IP and TCP not; over QUIC the datagrams.
    pub wire_sent_bytes: u64,
    /// All that came for it.
    pub wire_received_bytes: u64,
}

/// Where an answer leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpRedirect")]
pub struct Redirect {
    /// The URL, without account and fragment.
    pub url: String,
    /// It was followed.
    pub followed: bool,
    /// It leads from https to http: what follows is not protected.
    pub downgrade: bool,
    /// What proves who asks was not sent there, as it is another origin.
    pub credentials_dropped: bool,
}

impl Report {
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let phases = report.map(|report| report.phases);
        let time =
            |name, part: fn(&Phases) -> Option<Duration>| Scalar::time(name, phases.as_ref().and_then(part));
        let number = |name: &'static str, unit, value| Scalar { name: name.into(), unit, value };
        let expires = report.and_then(|report| {
            let sessions = report.legs.iter().filter_map(|leg| leg.tls.as_ref()?.expires_in_s);
            sessions.min_by(f64::total_cmp)
        });
        vec![
            time("lookup", |phases| phases.dns),
            time("connect", |phases| phases.connect),
            time("tls", |phases| phases.tls),
            time("first_byte", |phases| phases.first_byte),
            time("transfer", |phases| phases.transfer),
            time("total", |phases| Some(phases.total)),
            number("http_status", Unit::None, report.map(|report| f64::from(report.status))),
            number("throughput", Unit::BitsPerSecond, report.and_then(|report| report.throughput_bps)),
            number("tls_expires_in", Unit::Seconds, expires),
            number("unmet_expectations", Unit::None, report.map(|report| report.unmet() as f64)),
        ]
    }

    /// Expectations that were not met.
    pub fn unmet(&self) -> usize {
        self.expectations.iter().filter(|one| !one.met).count()
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        true
    }
}
