//! `ping` for people: one target as ping's users know it, with percentiles; many in a table; or as fping writes it.

pub(super) mod fping;

use std::io;
use std::time::Duration;

use super::packets::{clock, jitter, label, others, round_trips, row, runs, times};
use super::{ABSENT, Style, Summary, counted, escape, millis, percent, span};
use crate::probe::ping::{Errors, Mode, Phases, Ping, Report, Status};
use crate::probe::{Findings, Measurement, Probe, Rtt};
use crate::units::ms;

/// Letters of the longest name that a table makes room for.
const MOST_NAME: usize = 40;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        let default = Ping::default();
        let asked = if let Probe::Ping(asked) = &of.probe { asked } else { &default };
        if asked.is_fpings() {
            return fping::summary(out, self, of, asked);
        }
        writeln!(out, "{}", counts(self, of, style))?;
        if !self.targets.is_empty() {
            writeln!(out)?;
            targets(out, self, style)?;
        }
        writeln!(out)?;
        round_trips(out, style, self.rtt.as_ref())?;
        writeln!(out)?;
        if self.targets.is_empty() {
            label(out, style, "jitter", &jitter(self.rtt.as_ref()))?;
        }
        if let Some(phases) = &self.phases {
            label(out, style, "phases", &parts(phases))?;
        }
        if !self.statuses.is_empty() {
            label(out, style, "status", &statuses(&self.statuses))?;
        }
        if let Some(versions) = &self.versions {
            label(out, style, "versions", &listed(versions))?;
        }
        if let Some(initial) = self.initial {
            let text = format!("answered a real Initial after {}, but no version negotiation", span(initial));
            label(out, style, "quic", &text)?;
        }
        label(out, style, "clock", &clock(self.clock, self.schedule_error))?;
        for responder in &self.responders {
            let times = responder.rtt.as_ref().map_or(ABSENT.to_owned(), |rtt| span(rtt.p50));
            let told = format!("{}: {} received, rtt p50 {times}", responder.address, responder.received);
            label(out, style, "responder", &told)?;
        }
        notes(self).iter().try_for_each(|note| label(out, style, "note", note))
    }

    fn is_titled(&self, of: &Measurement) -> bool {
        let Probe::Ping(asked) = &of.probe else { return true };
        !asked.is_fpings()
    }
}

/// `10 sent, 9 received, 10.0 % lost in 9.01 s`, and of many how many answered.
fn counts(report: &Report, of: &Measurement, style: Style) -> String {
    let counts = &report.counts;
    let lost = report.loss_ratio.map_or(ABSENT.to_owned(), percent);
    let lost = style.red_if(report.loss_ratio > Some(0.0), &format!("{lost} lost"));
    let alive = report
        .alive
        .map_or_else(String::new, |alive| format!("{alive} of {} targets answered; ", report.targets.len()));
    let mut rest = others(counts);
    let own = [
        (report.corrupt, "damaged"),
        (report.truncated, "truncated"),
        (report.closed.unwrap_or(0), "refused by the target"),
        (report.syn_retransmits.unwrap_or(0), "with a SYN sent again"),
    ];
    rest.extend(own.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")));
    let rest: String = rest.iter().map(|text| format!(", {text}")).collect();
    let elapsed = span(of.elapsed);
    format!("{alive}{} sent, {} received, {lost}{rest} in {elapsed}", counts.sent, counts.received)
}

/// A line for each target.
fn targets(out: &mut impl io::Write, report: &Report, style: Style) -> io::Result<()> {
    let width = report.targets.iter().map(|target| target.target.chars().count()).max().unwrap_or(0);
    let width = width.clamp(10, MOST_NAME);
    let name = |text: &str| format!("{text:<width$}");
    let heads = ["sent", "received", "loss", "min", "mean", "p50", "p95", "max"];
    row(out, style, &name("target"), &heads.map(str::to_owned), true)?;
    for target in &report.targets {
        let shown = name(&escape(&target.target));
        if let Some(failure) = &target.failure {
            writeln!(out, "{shown} {}", style.red(&escape(&failure.detail)))?;
            continue;
        }
        let rtt = target.rtt.as_deref();
        let of = |part: fn(&Rtt) -> Duration| rtt.map(part).map_or(ABSENT.to_owned(), millis);
        let cells = [
            target.counts.sent.to_string(),
            target.counts.received.to_string(),
            target.loss_ratio.map_or(ABSENT.to_owned(), percent),
            of(|rtt| rtt.min),
            of(|rtt| rtt.mean),
            of(|rtt| rtt.p50),
            of(|rtt| rtt.p95),
            of(|rtt| rtt.max),
        ];
        row(out, style, &shown, &cells, false)?;
        if let Some(initial) = target.initial {
            let text = format!("answered a real Initial after {}, but no version negotiation", span(initial));
            writeln!(out, "  {}", style.dim(&text))?;
        }
        if !target.statuses.is_empty() {
            writeln!(out, "  {}", style.dim(&format!("status {}", statuses(&target.statuses))))?;
        }
        for error in &*target.errors {
            writeln!(out, "  {}", style.dim(&told(error)))?;
        }
    }
    Ok(())
}

fn parts(phases: &Phases) -> String {
    let of = |name: &str, part: Option<Duration>| part.map(|part| format!("{name} {}", span(part)));
    let parts = [
        of("connect", phases.connect),
        of("tls", phases.tls),
        of("first byte of the first response", phases.first_byte),
    ];
    format!("medians: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// `200: 9 times, 503: once`
fn statuses(all: &[Status]) -> String {
    let told: Vec<String> = all.iter().map(|one| format!("{}: {}", one.status, times(one.count))).collect();
    told.join(", ")
}

/// QUIC versions: 1 and 2 by their names (RFC 9000, RFC 9369), others by their numbers.
fn listed(versions: &[u32]) -> String {
    let name = |version: &u32| match version {
        1 => "1".to_owned(),
        0x6b33_43cf => "2".to_owned(),
        other => format!("{other:#010x}"),
    };
    match versions {
        [] => "none was named".to_owned(),
        versions => versions.iter().map(name).collect::<Vec<_>>().join(", "),
    }
}

fn notes(report: &Report) -> Vec<String> {
    let mut notes: Vec<String> = runs(&report.loss_bursts).into_iter().collect();
    if report.ignored > 0 {
        let came = counted(report.ignored, "packet");
        notes.push(format!("{came} came that answered nothing of ours"));
    }
    if report.syn_retransmits > Some(0) {
        notes.push("times of a second and more are those of lost SYNs, not of the path".to_owned());
    }
    if report.counts.skipped > 0 {
        notes.push(format!("this host could not keep {} ms between packets", ms::of(report.interval)));
    }
    if report.mode == Mode::Quic && report.counts.received == 0 && !report.replied() {
        notes.push("neither version negotiation nor a real Initial was answered".to_owned());
    }
    // What is told of each target need not be told again.
    let is_told = |error: &Errors| {
        let mut own = report.targets.iter().flat_map(|target| target.errors.iter());
        own.any(|own| (&own.what, own.from) == (&error.what, error.from))
    };
    notes.extend(report.errors.iter().filter(|error| !is_told(error)).map(told));
    if report.errors_unlisted > 0 {
        notes.push(format!("{} of other senders or kinds", counted(report.errors_unlisted, "error")));
    }
    notes
}

/// `connection refused (RST) from 192.0.2.1, 3 times`
fn told(error: &Errors) -> String {
    let icmp = error.kind.zip(error.code);
    let icmp = icmp.map_or_else(String::new, |(kind, code)| format!(" (ICMP type {kind} code {code})"));
    if error.local {
        return format!("not sent by this host: {}, {}", escape(&error.told()), times(error.count));
    }
    let from = error.from.map_or("an unknown sender".to_owned(), |from| from.to_string());
    format!("{}{icmp} from {from}, {}", escape(&error.told()), times(error.count))
}
