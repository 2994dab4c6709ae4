//! What renderers of packet-counting probes share: counts, tables, notes.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use super::{ABSENT, Style, counted, millis, span};
use crate::probe::{Clock, Counts, IcmpErrors, LossBursts, Rtt, ScheduleError};
use crate::wire::icmp::{Meaning, Version};

/// What happened besides sending and receiving; what did not happen is not said.
pub(super) fn others(counts: &Counts) -> Vec<String> {
    [
        (counts.duplicates, "duplicate"),
        (counts.reordered, "reordered"),
        (counts.late, "late"),
        (counts.skipped, "skipped"),
        (counts.send_errors, "not sent"),
        (counts.pending, "pending"),
        (counts.receive_overflow, "dropped in this host's receive queue"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect()
}

/// The table of round trips.
pub(super) fn round_trips(out: &mut impl io::Write, style: Style, rtt: Option<&Rtt>) -> io::Result<()> {
    let heads = ["min", "mean", "p50", "p95", "p99", "max", "stddev"];
    row(out, style, "ms", &heads.map(str::to_owned), true)?;
    let of = |part: fn(&Rtt) -> Duration| rtt.map(part).map_or(ABSENT.to_owned(), millis);
    let cells = [
        of(|rtt| rtt.min),
        of(|rtt| rtt.mean),
        of(|rtt| rtt.p50),
        of(|rtt| rtt.p95),
        of(|rtt| rtt.p99),
        of(|rtt| rtt.max),
        of(|rtt| rtt.stddev),
    ];
    row(out, style, "rtt", &cells, false)
}

/// One line of a table: a name and right-aligned cells.
pub(super) fn row(
    out: &mut impl io::Write,
    style: Style,
    name: &str,
    cells: &[String],
    head: bool,
) -> io::Result<()> {
    if head {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>8}")).collect();
        return writeln!(out, "{}", style.dim(&format!("{name:<10}{cells}")));
    }
    write!(out, "{name:<10}")?;
    cells.iter().try_for_each(|cell| write!(out, " {cell:>8}"))?;
    writeln!(out)
}

/// A word, and what there is to say of it.
pub(super) fn label(out: &mut impl io::Write, style: Style, name: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{} {text}", style.dim(&format!("{name:<10}")))
}

/// How much round trips vary.
pub(super) fn jitter(rtt: Option<&Rtt>) -> String {
    let of = |value: Option<Duration>| value.map_or(ABSENT.to_owned(), span);
    let jitter = of(rtt.and_then(|rtt| rtt.jitter));
    format!("{jitter}, ipdv p95 {}", of(rtt.and_then(|rtt| rtt.ipdv)))
}

/// How far the times can be trusted.
pub(super) fn clock(clock: Clock, error: Option<ScheduleError>) -> String {
    let by = match clock {
        Clock::Kernel => "kernel timestamps",
        Clock::User => "process timestamps",
    };
    error.map_or_else(
        || by.to_owned(),
        |error| format!("{by}, sent {} late (p99 {})", span(error.p50), span(error.p99)),
    )
}

/// Runs of losses, where one was longer than a packet.
pub(super) fn runs(bursts: &LossBursts) -> Option<String> {
    let LossBursts { count, longest } = bursts;
    (*longest > 1)
        .then(|| format!("losses came in {}, the longest of {longest} packets", counted(*count, "run")))
}

/// What a router or host said of packets to `target`, and how often.
pub(super) fn errors(error: &IcmpErrors, target: Option<IpAddr>) -> String {
    let is_ipv6 = error.from.or(target).is_some_and(|address| address.is_ipv6());
    let what = Meaning::of(Version::of(is_ipv6), error.kind, error.code).text();
    let from = error.from.map_or("an unknown sender".to_owned(), |from| from.to_string());
    format!("{what} (ICMP type {} code {}) from {from}, {}", error.kind, error.code, times(error.count))
}

/// `once`, `3 times`.
pub(super) fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}
