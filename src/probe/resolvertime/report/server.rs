//! One server, asked by one transport: what became of the queries, how long they took, what it said.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::said::{Answer, Cookies, Edns, ExtendedError, Flags, RecordText, Tls};
use crate::failure::Failure;
use crate::probe::resolvertime::{Dnssec, Sizes, Transport};
use crate::probe::{Clock, Rtt, Scalar};
use crate::stats::percentile;
use crate::units::{Timestamp, ms};

/// One server, asked by one transport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverServer")]
pub struct Server {
    /// As it was named; `system` is this host's own way, getaddrinfo(3).
    pub server: String,
    /// Its address; null of `system`.
    pub address: Option<IpAddr>,
    /// Its port; null of `system`.
    pub port: Option<u16>,
    /// How queries travelled.
    pub transport: Transport,
    /// Why it could not be asked at all, or why no query came through.
    pub failure: Option<Failure>,
    /// What became of the queries.
    pub counts: Answered,
    /// Queries without an answer in time, of all that were sent; null when none was.
    pub loss_ratio: Option<f64>,
    /// From a query to its answer, connections and handshakes apart; null without an answer.
    pub query: Option<Rtt>,
    /// Who took the times.
    pub clock: Clock,
    /// The first query, with the connection that was made for it; null over UDP.
    pub first: Option<Phases>,
    /// Queries over a connection that stood already.
    pub reused: Option<Times>,
    /// From SYN to SYN-ACK, of all connections.
    pub connect: Option<Times>,
    /// Handshakes of TLS, or of QUIC.
    pub tls: Option<Times>,
    /// The session that was agreed upon.
    pub tls_session: Option<Tls>,
    /// Truncated answers over UDP, which were asked for again over TCP (`query` has the time of the latter).
    pub truncated: Option<Times>,
    /// A query for a name that nobody can have asked for before, or the first one where the trace proves that it was not in
    /// the cache; null without such a proof.
    #[serde(rename = "cold_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub cold: Option<Duration>,
    /// Queries behind the first, where the TTL that counts down proves that answers came from a cache.
    pub warm: Option<Times>,
    /// How often it answered with which response code.
    pub rcodes: BTreeMap<String, u64>,
    /// The response code of the last answer.
    pub rcode: Option<String>,
    /// The records of the last answer, 100 at most.
    pub answers: Vec<RecordText>,
    /// How many there were.
    pub answers_total: Option<u64>,
    /// The smallest TTL among them, in seconds; null where they have none.
    pub ttl_s: Option<u32>,
    /// Octets of the last answer.
    pub response_bytes: Option<u64>,
    /// The bits of its header.
    pub flags: Option<Flags>,
    /// What it said by EDNS (RFC 6891).
    pub edns: Option<Edns>,
    /// It did not take EDNS, and was asked without.
    pub edns_refused: bool,
    /// What it makes of cookies (RFC 7873); null where none were sent, or nothing came back.
    pub cookies: Option<Cookies>,
    /// Which of several machines it is, in its own words (RFC 5001).
    pub nsid: Option<String>,
    /// Extended errors (RFC 8914).
    pub ede: Vec<ExtendedError>,
    /// The letters of the name came back in the case in which they were sent; null where it was not mixed.
    pub case_preserved: Option<bool>,
    /// Whether what it says is signed, and whether it looks (`--dnssec`).
    pub dnssec: Option<Dnssec>,
    /// When the first of the signatures in the answer ends.
    #[schemars(with = "Option<String>")]
    pub signature_expires: Option<Timestamp>,
    /// What it said of a name that cannot be (`--check`).
    pub absent: Option<Answer>,
    /// Which sizes get through over UDP (`--sizes`).
    pub sizes: Option<Sizes>,
    /// Its place by loss, then by median; null without an answer.
    pub rank: Option<u32>,
    /// How likely chance alone makes it as much slower than the first in rank: Mann-Whitney test, Holm's correction; null of the
    /// first, and with fewer than 8 answers on a side.
    pub p_value: Option<f64>,
    /// It is slower than the first in rank by more than chance (p < 0.05).
    pub significant: Option<bool>,
}

/// What became of the queries to one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverCounts")]
pub struct Answered {
    /// Queries sent whose fate is known, each try of its own.
    pub sent: u64,
    /// Answered in time, whatever the answer.
    pub received: u64,
    /// Nothing came in time.
    pub timeouts: u64,
    /// An ICMP error, a refused or broken connection, a failed handshake, something that is no DNS.
    pub failed: u64,
    /// Replies with another identifier or question than ours: somebody guesses, or the server errs. They are waited past.
    pub mismatched: u64,
    /// Connections made.
    pub connections: u64,
    /// Not sent by this host.
    pub send_errors: u64,
    /// On their way when the run was interrupted; not in `sent`.
    pub pending: u64,
}

/// The phases of one query.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverPhases")]
pub struct Phases {
    /// From SYN to SYN-ACK; null over QUIC, where the handshake is one.
    #[serde(rename = "connect_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub connect: Option<Duration>,
    /// The handshake of TLS, or of QUIC; null over TCP alone.
    #[serde(rename = "tls_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub tls: Option<Duration>,
    /// From the query to the answer.
    #[serde(rename = "query_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub query: Duration,
}

/// Times of one kind, summed up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Times {
    /// How many there are.
    pub count: u64,
    /// The shortest.
    #[serde(rename = "min_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub min: Duration,
    /// Their median.
    #[serde(rename = "p50_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p50: Duration,
    /// Their 95th percentile.
    #[serde(rename = "p95_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p95: Duration,
    /// The longest.
    #[serde(rename = "max_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub max: Duration,
}

impl Times {
    /// The summary of `times`; `None` of none.
    pub(in crate::probe::resolvertime) fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        Some(Self {
            count: times.len() as u64,
            min: *times.first()?,
            p50: percentile(&times, 0.50)?,
            p95: percentile(&times, 0.95)?,
            max: *times.last()?,
        })
    }
}

impl Server {
    /// Nothing is known of it yet.
    pub(in crate::probe::resolvertime) fn unasked(server: String, transport: Transport) -> Self {
        Self {
            server,
            address: None,
            port: None,
            transport,
            failure: None,
            counts: Answered::default(),
            loss_ratio: None,
            query: None,
            clock: Clock::User,
            first: None,
            reused: None,
            connect: None,
            tls: None,
            tls_session: None,
            truncated: None,
            cold: None,
            warm: None,
            rcodes: BTreeMap::new(),
            rcode: None,
            answers: Vec::new(),
            answers_total: None,
            ttl_s: None,
            response_bytes: None,
            flags: None,
            edns: None,
            edns_refused: false,
            cookies: None,
            nsid: None,
            ede: Vec::new(),
            case_preserved: None,
            dnssec: None,
            signature_expires: None,
            absent: None,
            sizes: None,
            rank: None,
            p_value: None,
            significant: None,
        }
    }

    /// The headline numbers of one server, or their names.
    pub(super) fn scalars_of(server: Option<&Self>, loss: Option<f64>) -> Vec<Scalar> {
        let rtt = server.and_then(|server| server.query.as_ref());
        let median = |times: fn(&Self) -> Option<Times>| server.and_then(times).map(|times| times.p50);
        let mut scalars = vec![
            Scalar::time("lookup", rtt.map(|rtt| rtt.p50)),
            Scalar::time("connect", median(|server| server.connect)),
            Scalar::time("tls", median(|server| server.tls)),
            Scalar::ratio("loss_ratio", loss),
        ];
        scalars.extend(Rtt::scalars(rtt));
        scalars
    }
}
