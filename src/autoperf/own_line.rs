//! This host's own line: when no reference answers, the fault is here and says nothing about any target.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::tests;
use crate::probe::udpping::UdpPing;
use crate::probe::{Ctx, Findings, Measurement, Outcome, Probe, Target};
use crate::store::run::OwnLine;
use crate::sys::clock;
use crate::units::Span;

/// Packets to each reference.
const PACKETS: u64 = 5;
/// Rounds that begin within this time of each other share one look.
const FRESH: Duration = Duration::from_secs(5);
/// The most that a look may take.
const LONGEST: Duration = Duration::from_secs(10);
/// With fewer references nobody can tell their fault from ours.
const FEWEST: usize = 2;

/// The hosts that tell this host's line from the targets', and what they said last.
pub(super) struct References {
    probes: Vec<Probe>,
    last: Mutex<Option<(Instant, OwnLine)>>,
}

impl PartialEq for References {
    fn eq(&self, other: &Self) -> bool {
        self.probes == other.probes
    }
}

impl References {
    /// `HOST` or `HOST:PORT` each.
    pub(super) fn new(references: &[String]) -> Self {
        Self { probes: references.iter().map(|text| probe(text)).collect(), last: Mutex::new(None) }
    }

    /// How this host's line is now, and what was measured to know it (nothing if it was known already).
    pub(super) async fn look(&self, ctx: &Ctx) -> (OwnLine, Vec<Measurement>) {
        if self.probes.len() < FEWEST {
            return (OwnLine::Weak, Vec::new());
        }
        let mut last = self.last.lock().await;
        let now = clock::now().mono;
        if let Some((at, line)) = *last
            && now.saturating_duration_since(at) < FRESH
        {
            return (line, Vec::new());
        }
        let mut ctx = ctx.clone();
        ctx.labels.insert("target".to_owned(), "reference".to_owned());
        let found = tests::run(self.probes.clone(), &ctx, true, LONGEST).await;
        let measurements: Vec<Measurement> = found.measurements.into_iter().flatten().collect();
        let line = match measurements.iter().any(replied) {
            true => OwnLine::Ok,
            // A look that was cut short has not seen that the line is down.
            false if ctx.cancel.is_cancelled() => OwnLine::Weak,
            false => OwnLine::Down,
        };
        *last = Some((clock::now().mono, line));
        (line, measurements)
    }
}

fn replied(measurement: &Measurement) -> bool {
    matches!(&measurement.outcome, Outcome::Report(report) if report.replied())
}

fn probe(reference: &str) -> Probe {
    let (host, port) = split(reference);
    Probe::UdpPing(UdpPing {
        target: Target::from(host),
        port,
        count: PACKETS,
        interval: Span::millis(100),
        ..UdpPing::default()
    })
}

/// `host:port`, `[v6]:port`, or a host alone; a bare IPv6 address has no port.
fn split(text: &str) -> (&str, Option<u16>) {
    let bare = |host: &str| host.contains(':') && !host.starts_with('[');
    match text.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) if !bare(host) => (host.trim_matches(['[', ']']), Some(port)),
        _ => (text.trim_matches(['[', ']']), None),
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn a_reference_may_name_its_port() {
        for (text, expected) in [
            ("192.0.2.1", ("192.0.2.1", None)),
            ("ref.example:2001", ("ref.example", Some(2001))),
            ("[2001:db8::1]:2001", ("2001:db8::1", Some(2001))),
            ("2001:db8::1", ("2001:db8::1", None)),
            ("[2001:db8::1]", ("2001:db8::1", None)),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }
}
