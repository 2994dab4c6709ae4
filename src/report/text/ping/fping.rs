//! `ping` as fping's users know it (fping 5.1): who is alive, a line for each packet, counts or columns at the end.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::probe::ping::{Form, Ping, Report, TargetReport};
use crate::probe::{Event, Measurement, Rtt};
use crate::report::text::escape;
use crate::units::ms;

/// The end of a run: states, columns or counts.
pub(super) fn summary(
    out: &mut impl io::Write,
    report: &Report,
    of: &Measurement,
    asked: &Ping,
) -> io::Result<()> {
    if asked.lists_states() {
        return states(out, report, of, asked);
    }
    if asked.vcount.is_some() { columns(out, report, of) } else { counts(out, report, of) }
}

/// Who answered, or who did not, a name on each line; or both, each with a word.
fn states(out: &mut impl io::Write, report: &Report, of: &Measurement, asked: &Ping) -> io::Result<()> {
    let has_words = !(asked.alive || asked.unreach);
    for alive in [true, false] {
        if !has_words && alive != asked.alive {
            continue;
        }
        each(report, of, |name, _, _, own| {
            if own.alive != alive {
                return Ok(());
            }
            let word = match alive {
                _ if !has_words => "",
                true => " is alive",
                false => " is unreachable",
            };
            let time = own
                .rtt
                .filter(|_| asked.elapsed)
                .map_or_else(String::new, |rtt| format!(" ({} ms)", millis(ms::of(rtt.min))));
            writeln!(out, "{name}{word}{time}")
        })?;
    }
    Ok(())
}

/// -C: `10.0.0.1 : 0.10 0.12 - 0.11`. What this host did not send stands at the end.
fn columns(out: &mut impl io::Write, report: &Report, of: &Measurement) -> io::Result<()> {
    let time = |sample: &Option<f64>| sample.map_or_else(|| "-".to_owned(), millis);
    each(report, of, |name, width, samples, own| {
        let one = [own.rtt.map(|rtt| ms::of(rtt.mean))];
        let samples = samples.unwrap_or(&one[..own.sent.min(1) as usize]);
        let sent = samples.iter().map(time);
        let refused = (0..own.refused).map(|_| "-".to_owned());
        let cells: String = sent.chain(refused).map(|cell| format!(" {cell}")).collect();
        writeln!(out, "{name:<width$} :{cells}")
    })
}

/// -c: `10.0.0.1 : xmt/rcv/%loss = 3/3/0%, min/avg/max = 0.10/0.11/0.12`. What this host did not send counts as fping counts it.
fn counts(out: &mut impl io::Write, report: &Report, of: &Measurement) -> io::Result<()> {
    each(report, of, |name, width, _, own| {
        let (tried, received) = (own.sent + own.refused, own.received);
        let loss = ((tried - received) * 100).checked_div(tried).unwrap_or(0);
        write!(out, "{name:<width$} : xmt/rcv/%loss = {tried}/{received}/{loss}%")?;
        if let Some(rtt) = own.rtt {
            let [min, mean, max] = [rtt.min, rtt.mean, rtt.max].map(|time| millis(ms::of(time)));
            write!(out, ", min/avg/max = {min}/{mean}/{max}")?;
        }
        writeln!(out)
    })
}

/// What fping tells of a target.
struct Own<'a> {
    alive: bool,
    sent: u64,
    refused: u64,
    received: u64,
    rtt: Option<&'a Rtt>,
}

/// Tells each target that was measured, or the only one, with its samples.
fn each(
    report: &Report,
    of: &Measurement,
    mut tell: impl FnMut(&str, usize, Option<&[Option<f64>]>, Own<'_>) -> io::Result<()>,
) -> io::Result<()> {
    if report.targets.is_empty() {
        let counts = &report.counts;
        let own = Own {
            alive: counts.received > 0 || report.initial.is_some(),
            sent: counts.sent,
            refused: counts.send_errors,
            received: counts.received,
            rtt: report.rtt.as_ref(),
        };
        return tell(&escape(&of.probe.subject()), 0, report.samples_ms.as_deref(), own);
    }
    // Who could not be measured was told on the way.
    let measured = || report.targets.iter().filter(|target| target.address.is_some());
    let width = measured().map(|target| target.target.chars().count()).max().unwrap_or(0);
    let mut tell_one = |target: &TargetReport| {
        let own = Own {
            alive: target.is_alive(),
            sent: target.counts.sent.into(),
            refused: target.counts.send_errors.into(),
            received: target.counts.received.into(),
            rtt: target.rtt.as_deref(),
        };
        tell(&escape(&target.target), width, target.samples_ms.as_deref(), own)
    };
    measured().try_for_each(&mut tell_one)
}

/// The lines of a run that goes on.
#[derive(Debug)]
pub(in super::super) struct Course {
    /// A line for each packet; else only what routers say.
    tells_packets: bool,
    /// Letters of the longest name.
    width: usize,
    targets: HashMap<String, Sum>,
}

/// What a target has done so far.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sent: u64,
    received: u64,
    time: Duration,
}

impl Course {
    /// The lines that `ping` asks for, if it asks for fping's.
    pub(in super::super) fn of(ping: &Ping) -> Option<Self> {
        let course = Self { tells_packets: !ping.lists_states(), width: 0, targets: HashMap::new() };
        (ping.style == Form::Fping).then_some(course)
    }

    /// What goes to stderr at once: who has no address, and what routers said.
    pub(in super::super) fn aside(&self, event: &Event, alone: &str) -> Option<String> {
        match event {
            Event::Unmeasured { target, why } => {
                let why = if why == "no such name" { "Name or service not known" } else { why };
                Some(format!("{}: {}", escape(target), escape(why)))
            }
            Event::Unreached { target, from: Some(from), icmp: Some(icmp), .. } => {
                let of = target.as_deref().map_or_else(|| alone.into(), escape);
                Some(format!("{} from {from} for ICMP Echo sent to {of}", said(*from, *icmp)?))
            }
            _ => None,
        }
    }

    /// `HOST : [0], 64 bytes, 0.055 ms (0.059 avg, 0% loss)` for packet `seq`.
    pub(in super::super) fn line(&mut self, event: &Event, alone: &str, seq: u64) -> Option<String> {
        if let Event::Several { longest, .. } = event {
            self.width = *longest;
        }
        let (target, answer) = match event {
            Event::Reply { target, rtt, bytes, .. } => (target, Some((*rtt, bytes.unwrap_or(0)))),
            Event::Lost { target, .. } | Event::Unreached { target, .. } | Event::Refused { target, .. } => {
                (target, None)
            }
            _ => return None,
        };
        let name = target.as_deref().map_or_else(|| alone.into(), escape).into_owned();
        let width = self.width;
        let sum = self.targets.entry(name.clone()).or_default();
        sum.sent += 1;
        if let Some((rtt, _)) = answer {
            (sum.received, sum.time) = (sum.received + 1, sum.time + rtt);
        }
        if !self.tells_packets || matches!(event, Event::Refused { .. }) {
            return None;
        }
        let mean = millis(ms::of(sum.time) / sum.received as f64);
        let loss = (sum.sent - sum.received) * 100 / sum.sent;
        let told = match answer {
            Some((rtt, bytes)) => format!("{bytes} bytes, {} ms", millis(ms::of(rtt))),
            None => "timed out".to_owned(),
        };
        Some(format!("{name:<width$} : [{seq}], {told} ({mean} avg, {loss}% loss)"))
    }
}

/// What fping calls an ICMP error from `from`; over IPv6 it says nothing.
fn said(from: IpAddr, icmp: (u8, u8)) -> Option<&'static str> {
    if from.is_ipv6() {
        return None;
    }
    Some(match icmp {
        (3, 0) => "ICMP Network Unreachable",
        (3, 1) => "ICMP Host Unreachable",
        (3, 2) => "ICMP Protocol Unreachable",
        (3, 3) => "ICMP Port Unreachable",
        (3, 4) => "ICMP Unreachable (Fragmentation Needed)",
        (3, 5) => "ICMP Unreachable (Source Route Failed)",
        (3, 6) => "ICMP Unreachable (Destination Network Unknown)",
        (3, 7) => "ICMP Unreachable (Destination Host Unknown)",
        (3, 8) => "ICMP Unreachable (Source Host Isolated)",
        (3, 9) => "ICMP Unreachable (Communication with Network Prohibited)",
        (3, 10) => "ICMP Unreachable (Communication with Host Prohibited)",
        (3, 11) => "ICMP Unreachable (Network Unreachable For Type Of Service)",
        (3, 12) => "ICMP Unreachable (Host Unreachable For Type Of Service)",
        (3, 13) => "ICMP Unreachable (Communication Administratively Prohibited)",
        (3, 14) => "ICMP Unreachable (Host Precedence Violation)",
        (3, 15) => "ICMP Unreachable (Precedence cutoff in effect)",
        (3, _) => "ICMP Unreachable (Invalid Code)",
        (4, _) => "ICMP Source Quench",
        (5, _) => "ICMP Redirect",
        (11, _) => "ICMP Time Exceeded",
        (12, _) => "ICMP Parameter Problem",
        _ => return None,
    })
}

/// Milliseconds as fping writes them: three digits, more where they are of no weight.
fn millis(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value < 1.0 => format!("{value:.3}"),
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
