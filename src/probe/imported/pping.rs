//! The text of `pping` (wzv5/pping and what was made of it): TCP, TLS, HTTP, DNS, QUIC and ICMP.
//!
//! It writes whole milliseconds, and each answer to stderr: who kept stdout alone has the summary without a mode.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::read::{Entry, Numbers, address, class, runs};
use crate::failure::Class;
use crate::probe::Outcome;
use crate::units::ms;

/// Every run in `text`.
pub(super) fn read(text: &str) -> Vec<Entry> {
    let runs = runs(text.lines().map(str::trim), Run::begin, Run::take);
    runs.into_iter().filter_map(Run::end).collect()
}

/// One run, as its lines tell it.
#[derive(Default)]
struct Run<'a> {
    target: &'a str,
    port: Option<u16>,
    mode: Option<&'static str>,
    /// `udp`, `tcp` or `tcp-tls` of DNS.
    transport: Option<&'a str>,
    address: Option<std::net::IpAddr>,
    samples: Vec<Option<f64>>,
    /// Why the first that failed did, and whether all of them that failed say that the name is unknown.
    error: Option<&'a str>,
    nameless: bool,
    /// Sent, answered.
    counts: Option<(f64, f64)>,
    /// Least, greatest, mean in milliseconds.
    times: Option<(f64, f64, f64)>,
}

impl<'a> Run<'a> {
    /// `Ping www.example.com (443):`, `Ping https://www.example.com/:`, `Ping udp://192.0.2.53:53:` of DNS.
    fn begin(line: &'a str) -> Option<Self> {
        let rest = line.strip_prefix("Ping ")?.strip_suffix(':')?.trim();
        let run = match (rest.split_once("://"), rest.split_once(" (")) {
            (Some((transport @ ("udp" | "tcp" | "tcp-tls"), server)), _) => {
                let (host, port) = server.rsplit_once(':')?;
                let target = host.trim_start_matches('[').trim_end_matches(']');
                let transport = Some(transport);
                Self { target, port: port.parse().ok(), mode: Some("dns"), transport, ..Self::default() }
            }
            (Some(_), _) => Self { target: rest, mode: Some("http"), ..Self::default() },
            (None, Some((target, inner))) => {
                let inner = inner.strip_suffix(')')?;
                Self { target, port: inner.parse().ok(), address: address(inner), ..Self::default() }
            }
            (None, None) => Self { target: rest, mode: Some("icmp"), ..Self::default() },
        };
        let address = run.address.or_else(|| address(run.target));
        (!run.target.is_empty()).then_some(Self { address, nameless: true, ..run })
    }

    fn take(&mut self, line: &'a str) {
        if line.starts_with("sent =") {
            self.counts = value(line, "sent").zip(value(line, "ok"));
        } else if line.starts_with("min =") {
            let (least, greatest, mean) = (value(line, "min"), value(line, "max"), value(line, "avg"));
            self.times =
                least.zip(greatest).zip(mean).map(|((least, greatest), mean)| (least, greatest, mean));
        } else if let Some((_, told)) = line.split_once('[').and_then(|(_, rest)| rest.split_once("] ")) {
            self.sample(told);
        }
    }

    /// `192.0.2.1: time=26 ms`, of the first versions `time = 26 ms`, or why there was no answer.
    fn sample(&mut self, told: &'a str) {
        let terse = told.replace(" = ", "=");
        let time = terse.split_once("time=").and_then(|(_, rest)| rest.split([' ', ',', 'm']).next());
        let time = time.and_then(|time| time.parse().ok()).filter(|time| ms::to(*time).is_some());
        self.mode = self.mode.or_else(|| mode(&terse, time.is_some()));
        if time.is_none() {
            self.error = self.error.or(Some(told));
            self.nameless &= class(told) == Class::Resolve;
        } else if let Some((from, _)) = told.split_once(": ") {
            self.address = self.address.or_else(|| address(from));
        }
        self.samples.push(time);
    }

    fn end(self) -> Option<Entry> {
        let answered = self.samples.iter().flatten().count() as f64;
        let (sent, ok) = match self.counts {
            Some(counts) => counts,
            None if self.samples.is_empty() => return None,
            None => (self.samples.len() as f64, answered),
        };
        // Of a single ping (`-c 1`) there is no summary.
        let once = self.samples.len() == 1;
        let listed = self.samples.len() as f64 == sent && answered == ok;
        let samples = if listed { self.samples } else { Vec::new() };
        let mut numbers = Numbers::default();
        if let Some((least, greatest, mean)) = self.times {
            numbers.put_ms("rtt_min", Some(least));
            numbers.put_ms("rtt_mean", Some(mean));
            numbers.put_ms("rtt_max", Some(greatest));
        }
        numbers.put_samples(&samples);
        if ok == 0.0 {
            numbers.no_reply();
        }
        numbers.put_loss(Some(sent), Some(ok));
        let mut details: BTreeMap<String, Value> =
            [("sent".to_owned(), json!(sent)), ("ok".to_owned(), json!(ok))].into();
        details.extend(self.port.map(|port| ("port".to_owned(), json!(port))));
        details.extend(self.transport.map(|transport| ("transport".to_owned(), json!(transport))));
        details.extend(self.error.map(|error| ("error".to_owned(), json!(error))));
        let looked = self.error.filter(|_| ok == 0.0 && self.nameless);
        Some(Entry {
            tool: "pping",
            mode: self.mode.unwrap_or("unknown").to_owned(),
            target: self.target.to_owned(),
            address: self.address,
            at: None,
            elapsed: Duration::ZERO,
            partial: self.counts.is_none() && !once,
            outcome: match looked {
                Some(error) => Outcome::Failure(Class::Resolve.because(error)),
                None => numbers.report(samples, details),
            },
        })
    }
}

/// The number in `name = 26 ms`.
fn value(line: &str, name: &str) -> Option<f64> {
    let mut parts = line.split(',').filter_map(|part| part.split_once('='));
    let (_, value) = parts.find(|(known, _)| known.trim() == name)?;
    let value: f64 = value.split_whitespace().next()?.parse().ok()?;
    (value.is_finite() && value >= 0.0).then_some(value)
}

/// What a sample's line shows of the protocol. TCP and the first step of TLS fail alike, as TCP.
fn mode(line: &str, answered: bool) -> Option<&'static str> {
    let shows = |words: &[&str]| words.iter().any(|word| line.contains(word));
    match () {
        () if shows(&["quic=", "CRYPTO_ERROR", "no recent network activity"]) => Some("quic"),
        () if shows(&["status="]) => Some("http"),
        () if shows(&["handshake=", "x509: ", "tls: "]) => Some("tls"),
        () if shows(&["TTL="]) => Some("icmp"),
        () if answered || shows(&["dial tcp "]) => Some("tcp"),
        () => None,
    }
}
