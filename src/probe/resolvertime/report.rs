//! What was found of the servers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RecordType;
use super::judge::{Dnssec, Finding};
use super::load::LoadReport;
use super::server::Transport;
use super::trace::Trace;
use crate::failure::Failure;
use crate::net::tls::{Session, Verdict};
use crate::probe::{Clock, Findings, Packets, Part, Rtt, Scalar, Scalars};
use crate::stats::{Sketch, percentile};
use crate::units::{Timestamp, Unit, ms};

/// How long servers take to answer one question, and what they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverTimeReport")]
pub struct Report {
    /// The name that was asked for, as in a zone file (RFC 1035 §5.1).
    pub name: String,
    /// The type of records that was asked for.
    #[serde(rename = "type")]
    pub record: RecordType,
    /// Each server, in the order asked; empty with `load`, and where there is a `trace` alone.
    pub servers: Vec<Server>,
    /// All servers that answered said the same, apart from order and TTL; null with fewer than two.
    pub agreement: Option<bool>,
    /// What is odd, the worst first.
    pub findings: Vec<Finding>,
    /// The way down from the root (`--trace`).
    pub trace: Option<Trace>,
    /// What came of many questions (`--load`).
    pub load: Option<LoadReport>,
    /// The times of all answers of all servers, mergeable with other runs'.
    pub rtt_sketch: Sketch,
}

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
    pub(super) fn of(mut times: Vec<Duration>) -> Option<Self> {
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

/// A TLS session, and whether its server is who it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverTls")]
pub struct Tls {
    /// The protocol's version.
    pub version: Option<String>,
    /// The cipher suite; null over QUIC.
    pub suite: Option<String>,
    /// The group of the key exchange; null over QUIC.
    pub group: Option<String>,
    /// The application's protocol (RFC 7301).
    pub alpn: Option<String>,
    /// The name that its certificate must have.
    pub name: String,
    /// What a strict client says of its certificate; other than `ok` only with `--insecure`.
    pub verify: Verdict,
}

impl Tls {
    pub(super) fn of(session: Option<Session>, verify: Verdict, name: &str) -> Self {
        let alpn = |alpn: &Vec<u8>| crate::wire::text::printable(alpn);
        Self {
            version: session.as_ref().map(|session| session.version.to_owned()),
            suite: session.as_ref().map(|session| session.suite.clone()).filter(|suite| !suite.is_empty()),
            group: session.as_ref().and_then(|session| session.group.clone()),
            alpn: session.as_ref().and_then(|session| session.alpn.as_ref().map(alpn)),
            name: name.to_owned(),
            verify,
        }
    }
}

/// A record as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsRecord")]
pub struct RecordText {
    /// Whose it is.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Seconds that it may be kept; null where its teller does not say.
    pub ttl_s: Option<u32>,
    /// Its data, as in a zone file.
    pub data: String,
}

/// An answer in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsAnswer")]
pub struct Answer {
    /// The name that was asked for.
    pub name: String,
    /// The response code; null without an answer.
    pub rcode: Option<String>,
    /// The data of the records of the type that was asked for, 10 at most.
    pub answers: Vec<String>,
}

/// The bits of a header (RFC 1035 §4.1.1, RFC 4035 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsFlags")]
pub struct Flags {
    /// The server is an authority for the name.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion was desired.
    pub rd: bool,
    /// The server offers recursion.
    pub ra: bool,
    /// The server has validated it.
    pub ad: bool,
    /// It was not to check.
    pub cd: bool,
}

/// What a server says by EDNS (RFC 6891).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsEdns")]
pub struct Edns {
    /// Its version.
    pub version: u8,
    /// Octets of a UDP message that the server accepts.
    pub udp_bytes: u16,
    /// The bit DO came back (RFC 3225).
    pub dnssec_ok: bool,
}

/// An extended error (RFC 8914).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsExtendedError")]
pub struct ExtendedError {
    /// Its number.
    pub code: u16,
    /// What the number means; null where it is not registered.
    pub meaning: Option<String>,
    /// What the server says of it.
    pub text: Option<String>,
}

impl Server {
    /// Nothing is known of it yet.
    pub(super) fn unasked(server: String, transport: Transport) -> Self {
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
            nsid: None,
            ede: Vec::new(),
            case_preserved: None,
            dnssec: None,
            signature_expires: None,
            absent: None,
            rank: None,
            p_value: None,
            significant: None,
        }
    }

    /// The headline numbers of one server, or their names.
    fn scalars_of(server: Option<&Self>, loss: Option<f64>) -> Vec<Scalar> {
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

impl Report {
    /// The headline numbers of a report, or their names: those of the server that is the fastest of all that were asked.
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let best = report.and_then(|report| {
            report.servers.iter().find(|server| server.rank == Some(1)).or(report.servers.first())
        });
        let loss = report.and_then(|report| match &report.load {
            Some(load) => load.loss_ratio,
            None => crate::probe::counts::ratio(report.lost(), report.sent()),
        });
        let mut scalars = Server::scalars_of(best, loss);
        if let Some(load) = report.and_then(|report| report.load.as_ref()) {
            for (name, value) in [
                ("lookup", load.latency.map(|times| times.p50)),
                ("rtt_p50", load.latency.map(|times| times.p50)),
                ("rtt_p95", load.latency.map(|times| times.p95)),
            ] {
                if let Some(scalar) = scalars.iter_mut().find(|scalar| scalar.name == name) {
                    *scalar = Scalar::time(name, value);
                }
            }
        }
        let number = |name: &'static str, value| Scalar { name: name.into(), unit: Unit::None, value };
        scalars.push(number("qps", report.and_then(|report| report.load.as_ref()?.qps)));
        scalars.push(number("findings", report.map(|report| report.findings.len() as f64)));
        scalars
    }

    fn sent(&self) -> u64 {
        self.servers.iter().map(|server| server.counts.sent).sum()
    }

    fn lost(&self) -> u64 {
        self.servers.iter().map(|server| server.counts.sent.saturating_sub(server.counts.received)).sum()
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }

    fn losses(&self) -> Vec<crate::probe::Loss> {
        let (lost, sent) = match &self.load {
            Some(load) => (load.timeouts, load.sent),
            None => (self.lost(), self.sent()),
        };
        vec![crate::probe::Loss { name: "loss_ratio".into(), lost, sent }]
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        let traced = self.trace.as_ref().is_some_and(|trace| trace.rcode.is_some());
        let loaded = self.load.as_ref().is_some_and(|load| load.completed > 0);
        traced || loaded || self.servers.iter().any(|server| server.counts.received > 0)
    }

    fn packets(&self) -> Option<Packets> {
        let (sent, lost) = match &self.load {
            Some(load) => (load.sent, load.timeouts),
            None => (self.sent(), self.lost()),
        };
        Some(Packets { sent, lost, rtt: self.rtt_sketch.clone() })
    }

    fn parts(&self) -> Vec<Part> {
        if self.servers.len() < 2 {
            return Vec::new();
        }
        let part = |server: &Server| {
            let mut scalars = Server::scalars_of(Some(server), server.loss_ratio);
            for name in ["qps", "findings"] {
                scalars.push(Scalar { name: name.into(), unit: Unit::None, value: None });
            }
            Part {
                target: server.server.clone(),
                address: server.address,
                failure: server.failure.as_ref().map(|failure| failure.class),
                scalars,
            }
        };
        self.servers.iter().map(part).collect()
    }
}
