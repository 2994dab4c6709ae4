//! The text of `pping` (wzv5/pping and what was made of it): TCP, TLS, HTTP, DNS, QUIC and ICMP.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::read::{Entry, Numbers, address, runs};
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
    address: Option<std::net::IpAddr>,
    samples: Vec<Option<f64>>,
    /// Sent, answered.
    counts: Option<(f64, f64)>,
    /// Least, greatest, mean in milliseconds.
    times: Option<(f64, f64, f64)>,
}

impl<'a> Run<'a> {
    /// `Ping www.example.com (443):`, `Ping https://www.example.com/:`
    fn begin(line: &'a str) -> Option<Self> {
        let rest = line.strip_prefix("Ping ")?.strip_suffix(':')?.trim();
        let (target, inner) = match rest.split_once(" (") {
            Some((target, inner)) => (target, inner.strip_suffix(')')),
            None => (rest, None),
        };
        let port = inner.and_then(|inner| inner.parse().ok());
        let by_url = target.contains("://").then_some("http");
        (!target.is_empty()).then(|| Self {
            target,
            port,
            mode: by_url,
            address: inner.and_then(address).or_else(|| address(target)),
            ..Self::default()
        })
    }

    fn take(&mut self, line: &str) {
        if line.starts_with("sent =") {
            self.counts = value(line, "sent").zip(value(line, "ok"));
        } else if line.starts_with("min =") {
            let (least, greatest, mean) = (value(line, "min"), value(line, "max"), value(line, "avg"));
            self.times =
                least.zip(greatest).zip(mean).map(|((least, greatest), mean)| (least, greatest, mean));
        } else if line.contains('[') && line.contains(']') {
            self.mode = self.mode.or_else(|| mode(line));
            let time = line.split_once("time=").map(|(_, rest)| rest.split([' ', ',', 'm']).next());
            let time = time.flatten().and_then(|time| time.parse().ok());
            self.samples.push(time.filter(|time| ms::to(*time).is_some()));
        }
    }

    fn end(self) -> Option<Entry> {
        let answered = self.samples.iter().flatten().count() as f64;
        let (sent, ok) = match self.counts {
            Some(counts) => counts,
            None if self.samples.is_empty() => return None,
            None => (self.samples.len() as f64, answered),
        };
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
        Some(Entry {
            tool: "pping",
            mode: self.mode.unwrap_or(if self.port.is_some() { "tcp" } else { "icmp" }).to_owned(),
            target: self.target.to_owned(),
            address: self.address,
            at: None,
            elapsed: Duration::ZERO,
            partial: self.counts.is_none(),
            outcome: numbers.report(samples, details),
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

/// What a sample's line shows of the protocol.
fn mode(line: &str) -> Option<&'static str> {
    let line = line.to_ascii_lowercase();
    let shows = |words: &[&str]| words.iter().any(|word| line.contains(word));
    match () {
        () if shows(&["quic"]) => Some("quic"),
        () if shows(&["status=", "http/"]) => Some("http"),
        () if shows(&["handshake=", "tls"]) => Some("tls"),
        () if shows(&["dns", "rcode="]) => Some("dns"),
        () if shows(&["ttl="]) => Some("icmp"),
        () => None,
    }
}
