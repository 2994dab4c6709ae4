//! The text of `ping`: iputils (also `-D`, `-q`, IPv6), and the like lines of `BusyBox` and BSD.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::read::{Entry, Numbers, address, runs};
use crate::units::{Timestamp, ms};

/// More samples than this are left to the summary.
const MOST_SAMPLES: u64 = 100_000;

/// More letters of a complaint are cut off.
const LONGEST_REFUSAL: usize = 200;

/// Every run in `text`.
pub(super) fn read(text: &str) -> Vec<Entry> {
    let runs = runs(text.lines(), Run::begin, Run::take);
    runs.into_iter().filter_map(Run::end).collect()
}

/// What ping itself complains of: `ping: nowhere.invalid: Name or service not known`.
pub(super) fn refusal(text: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("ping: "))?;
    Some(line.chars().filter(|letter| !letter.is_control()).take(LONGEST_REFUSAL).collect())
}

/// One run, as its lines tell it.
#[derive(Default)]
struct Run<'a> {
    target: &'a str,
    address: Option<std::net::IpAddr>,
    at: Option<Timestamp>,
    /// Answered in time, by number.
    samples: BTreeMap<u64, f64>,
    /// The number last seen, with its wraps at 65,536 undone.
    last: u64,
    duplicates: u64,
    summary: Option<Summary>,
    /// Least, mean, greatest, deviation in milliseconds.
    rtt: Vec<f64>,
}

/// The line of counts.
#[derive(Default)]
struct Summary {
    sent: u64,
    received: u64,
    duplicates: u64,
    errors: u64,
    elapsed: Duration,
}

impl<'a> Run<'a> {
    /// `PING host (192.0.2.1) 56(84) bytes of data.`, `PING host(name (2001:db8::1)) 56 data bytes`.
    fn begin(line: &'a str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix("PING ").filter(|rest| rest.contains("bytes"))?;
        let target = rest.split([' ', '(']).next().filter(|target| !target.is_empty())?;
        let address = rest.split([' ', '(', ')']).find_map(address);
        Some(Self { target, address, ..Self::default() })
    }

    fn take(&mut self, line: &str) {
        if let Some((_, rtt)) = line.split_once("min/avg/max").and_then(|(_, rest)| rest.split_once('=')) {
            let numbers = rtt.trim().split(['/', ' ']).map_while(|number| number.parse().ok());
            self.rtt = numbers.filter(|number: &f64| number.is_finite()).collect();
        } else if line.contains("packets transmitted") {
            self.summary = Some(Summary::of(line));
        } else {
            self.sample(line);
        }
    }

    /// `[1795599021.775325] 64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.059 ms (DUP!)`
    fn sample(&mut self, line: &str) -> Option<()> {
        let seq: u64 = after(line, "seq=")?.parse().ok()?;
        let time: f64 = after(line, "time=").or_else(|| after(line, "time<"))?.parse().ok()?;
        if line.contains("(DUP!)") {
            self.duplicates += 1;
            return Some(());
        }
        if self.at.is_none() {
            self.at = stamp(line);
        }
        let sample = Some(time).filter(|time| ms::to(*time).is_some())?;
        let seq = unwrapped(seq, self.last);
        self.last = seq;
        self.samples.entry(seq).or_insert(sample);
        Some(())
    }

    fn end(self) -> Option<Entry> {
        let (sent, received) = match &self.summary {
            Some(summary) => (summary.sent, summary.received),
            // Cut off before its end: what was seen counts.
            None if self.samples.is_empty() => return None,
            None => (self.samples.len() as u64, self.samples.len() as u64),
        };
        let samples = self.in_order(sent, received);
        let mut numbers = Numbers::default();
        for (name, value) in ["rtt_min", "rtt_mean", "rtt_max"].into_iter().zip(&self.rtt) {
            numbers.put_ms(name, Some(*value));
        }
        numbers.put_samples(&samples);
        if received == 0 {
            numbers.no_reply();
        }
        if self.summary.is_some() {
            numbers.put_loss(Some(sent as f64), Some(received as f64));
        }
        Some(Entry {
            tool: "ping",
            mode: "icmp".to_owned(),
            target: self.target.to_owned(),
            address: self.address,
            at: self.at,
            elapsed: self.summary.as_ref().map_or(Duration::ZERO, |summary| summary.elapsed),
            partial: self.summary.is_none(),
            outcome: numbers.report(samples, self.details(sent, received)),
        })
    }

    /// Each packet's sample in order; none where the text lists not all of them.
    fn in_order(&self, sent: u64, received: u64) -> Vec<Option<f64>> {
        if sent > MOST_SAMPLES || self.samples.len() as u64 != received {
            return Vec::new();
        }
        if self.summary.is_none() {
            return self.samples.values().map(|&sample| Some(sample)).collect();
        }
        // BusyBox and BSD count from 0.
        let first = u64::from(!self.samples.contains_key(&0));
        let fits = self.last < first + sent;
        let listed = (first..first + sent).map(|seq| self.samples.get(&seq).copied());
        if fits { listed.collect() } else { Vec::new() }
    }

    fn details(&self, sent: u64, received: u64) -> BTreeMap<String, Value> {
        let summary = self.summary.as_ref();
        let duplicates = summary.map_or(self.duplicates, |summary| summary.duplicates.max(self.duplicates));
        let counts = [
            ("transmitted", sent),
            ("received", received),
            ("duplicates", duplicates),
            ("errors", summary.map_or(0, |summary| summary.errors)),
        ];
        let mut details: BTreeMap<_, _> =
            counts.into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
        details.extend(self.rtt.get(3).map(|mdev| ("mdev_ms".to_owned(), json!(mdev))));
        details
    }
}

impl Summary {
    /// `3 packets transmitted, 3 received, +2 duplicates, 0% packet loss, time 405ms`
    fn of(line: &str) -> Self {
        let mut summary = Self::default();
        for part in line.split(',').map(str::trim) {
            let count =
                || part.trim_start_matches('+').split(' ').next().and_then(|count| count.parse().ok());
            match part {
                _ if part.ends_with("transmitted") => summary.sent = count().unwrap_or(0),
                _ if part.ends_with("received") => summary.received = count().unwrap_or(0),
                _ if part.ends_with("duplicates") => summary.duplicates = count().unwrap_or(0),
                _ if part.ends_with("errors") => summary.errors = count().unwrap_or(0),
                _ => {
                    let time = part.strip_prefix("time ").and_then(|time| time.strip_suffix("ms"));
                    let time = time.and_then(|time| ms::to(time.parse().ok()?));
                    summary.elapsed = time.unwrap_or(summary.elapsed);
                }
            }
        }
        summary
    }
}

/// The word behind `name`.
fn after<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(name)?;
    rest.split([' ', ',']).next()
}

/// The moment that `-D` writes in front.
fn stamp(line: &str) -> Option<Timestamp> {
    let stamp = line.trim_start().strip_prefix('[')?.split(']').next()?;
    let seconds: f64 = stamp.parse().ok()?;
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok().filter(|at| at.as_second() > 0)
}

/// `seq` with the wraps at 65,536 before it, where `last` came before.
fn unwrapped(seq: u64, last: u64) -> u64 {
    const WRAP: u64 = 1 << 16;
    if seq >= WRAP {
        return seq;
    }
    let near = last - last % WRAP + seq;
    if near + WRAP / 2 < last { near + WRAP } else { near }
}

#[cfg(test)]
mod tests {
    use super::unwrapped;

    #[test]
    fn numbers_go_on_beyond_their_wrap() {
        for (seq, last, expected) in
            [(1, 0, 1), (0, 65_535, 65_536), (65_535, 65_534, 65_535), (3, 65_538, 65_539)]
        {
            assert_eq!(unwrapped(seq, last), expected, "{seq} {last}");
        }
    }
}
