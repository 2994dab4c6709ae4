//! `udpping` for people, in the spirit of ping's and irtt's summaries.

use std::io;

use super::packets::{clock, errors, jitter, label, others, round_trips, row, runs};
use super::{ABSENT, Style, Summary, amount, millis, percent, span};
use crate::probe::udpping::{Direction, OneWay, Report};
use crate::probe::{Measurement, Probe};
use crate::units::ms;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        writeln!(out, "{}", counts(of, self, style))?;
        writeln!(out)?;
        times(out, self, style)?;
        writeln!(out)?;
        directions(out, self, style)?;
        writeln!(out)?;
        label(out, style, "jitter", &jitter(self.rtt.as_ref()))?;
        label(out, style, "clock", &clock(self.clock, self.schedule_error))?;
        if let Some(text) = reflector(self) {
            label(out, style, "reflector", &text)?;
        }
        for note in notes(of, self) {
            label(out, style, "note", &note)?;
        }
        Ok(())
    }
}

/// `10 sent, 9 received, 10.0 % lost (up 10.0 %, down 0.0 %), 1 late in 1.81 s`
fn counts(of: &Measurement, report: &Report, style: Style) -> String {
    let counts = &report.counts;
    let lost = report.loss_ratio.map_or(ABSENT.to_owned(), percent);
    let lost = style.red_if(report.loss_ratio > Some(0.0), &format!("{lost} lost"));
    let by_direction = match (report.up.loss_ratio, report.down.loss_ratio) {
        (Some(up), Some(down)) => format!(" (up {}, down {})", percent(up), percent(down)),
        _ => String::new(),
    };
    let rest: String = others(counts).iter().map(|text| format!(", {text}")).collect();
    let elapsed = span(of.elapsed);
    format!("{} sent, {} received, {lost}{by_direction}{rest} in {elapsed}", counts.sent, counts.received)
}

/// Round trip, and one way where the clocks allow.
fn times(out: &mut impl io::Write, report: &Report, style: Style) -> io::Result<()> {
    round_trips(out, style, report.rtt.as_ref())?;
    for (name, direction) in [("delay up", &report.up), ("delay down", &report.down)] {
        if let Some(delay) = &direction.delay {
            row(out, style, name, &one_way(delay), false)?;
        }
    }
    Ok(())
}

fn one_way(delay: &OneWay) -> [String; 7] {
    let absent = || ABSENT.to_owned();
    [
        amount(delay.min_ms),
        absent(),
        amount(delay.p50_ms),
        amount(delay.p95_ms),
        absent(),
        amount(delay.max_ms),
        absent(),
    ]
}

fn directions(out: &mut impl io::Write, report: &Report, style: Style) -> io::Result<()> {
    let heads = ["lost", "loss", "ipdv", "dup", "reord", "ttl", "dscp", "ce"];
    row(out, style, "", &heads.map(str::to_owned), true)?;
    row(out, style, "up", &direction(&report.up), false)?;
    row(out, style, "down", &direction(&report.down), false)
}

fn direction(way: &Direction) -> [String; 8] {
    fn of(value: Option<impl ToString>) -> String {
        value.map_or(ABSENT.to_owned(), |value| value.to_string())
    }
    [
        of(way.lost),
        of(way.loss_ratio.map(percent)),
        of(way.ipdv.map(millis)),
        of(way.duplicates),
        of(way.reordered),
        of(way.ttl),
        of(way.dscp),
        of(way.ecn_ce),
    ]
}

/// What the reflector told of itself; `None` where it told nothing.
fn reflector(report: &Report) -> Option<String> {
    let held = report
        .server_processing
        .map(|held| format!("held packets for {} (max {})", span(held.p50), span(held.max)));
    let offset = report.clock_offset_ms.map(|offset| {
        if offset == 0.0 {
            return "its clock is ours".to_owned();
        }
        let side = if offset < 0.0 { "behind" } else { "ahead" };
        let error =
            report.clock_error_ms.map_or_else(String::new, |error| format!(" (±{} ms)", amount(error)));
        format!("its clock is {} ms {side}{error}", amount(offset.abs()))
    });
    let parts: Vec<String> = held.into_iter().chain(offset).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn notes(of: &Measurement, report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(runs(&report.loss_bursts));
    if report.lost_unknown > 0 && report.up.lost.is_some() {
        notes.push(format!("{} lost, and nothing tells in which direction", report.lost_unknown));
    }
    if report.restarts > 0 {
        notes.push(format!(
            "the reflector lost its session {}: was it restarted?",
            super::packets::times(report.restarts)
        ));
    }
    notes.extend(remarks(of, report));
    notes.extend(report.errors.iter().map(|error| errors(error, of.address)));
    notes
}

/// What the path did to the marks on the packets, and to the plan.
fn remarks(of: &Measurement, report: &Report) -> Vec<String> {
    let Probe::UdpPing(asked) = &of.probe else {
        return Vec::new();
    };
    let mut remarks = Vec::new();
    if let (Some(sent), Some(arrived)) = (asked.egress.dscp, report.up.dscp)
        && sent != arrived
    {
        remarks.push(format!("DSCP {sent} was sent and {arrived} arrived: the way there remarks it"));
    }
    if let (Some(up), Some(down)) = (report.up.dscp, report.down.dscp)
        && up != down
        && asked.egress.dscp.is_some()
    {
        remarks.push(format!("DSCP {up} was reflected and {down} came back: the way back remarks it"));
    }
    if report.interval != asked.interval.0 {
        let (kept, wanted) = (span(report.interval), asked.interval);
        remarks.push(format!("sent every {kept} instead of {wanted}: the reflector granted no more"));
    }
    if report.counts.skipped > 0 {
        let most = ms::of(report.interval);
        remarks.push(format!("this host could not keep {most} ms between packets"));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::super::summary;
    use super::*;
    use crate::report::sample;

    fn shown(of: &Measurement) -> String {
        let mut out = Vec::new();
        summary(&mut out, of, Style::PLAIN).expect("memory takes everything");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_summary_is_complete_and_aligned() {
        insta::assert_snapshot!(shown(&sample::udpping(100, &[7, 8, 40])), @"
        --- reflector.example (192.0.2.1) udpping ---
        100 sent, 97 received, 3.0 % lost (up 3.0 %, down 0.0 %) in 20.00 s

        ms              min     mean      p50      p95      p99      max   stddev
        rtt           10.00    10.24    10.24    10.48    10.50    10.50    0.147
        delay up      4.900        –    5.100    5.400        –    5.500        –
        delay down    4.900        –    5.100    5.400        –    5.500        –

                       lost     loss     ipdv      dup    reord      ttl     dscp       ce
        up                3    3.0 %    0.031        0        0       57        0        –
        down              0    0.0 %    0.031        0        0       57        0        –

        jitter     0.073 ms, ipdv p95 0.463 ms
        clock      kernel timestamps, sent 0.012 ms late (p99 0.055 ms)
        reflector  held packets for 0.009 ms (max 0.031 ms); its clock is 1.250 ms behind (±0.400 ms)
        note       losses came in 3 runs, the longest of 2 packets
        note       DSCP 46 was sent and 0 arrived: the way there remarks it
        ");
    }

    #[test]
    fn a_dead_link_shows_no_zeros() {
        let lost: Vec<u64> = (0..10).collect();
        insta::assert_snapshot!(shown(&sample::udpping(10, &lost)), @"
        --- reflector.example (192.0.2.1) udpping ---
        10 sent, 0 received, 100.0 % lost in 2.00 s

        ms              min     mean      p50      p95      p99      max   stddev
        rtt               –        –        –        –        –        –        –

                       lost     loss     ipdv      dup    reord      ttl     dscp       ce
        up                –        –        –        –        –        –        –        –
        down              –        –        –        –        –        –        –        –

        jitter     –, ipdv p95 –
        clock      kernel timestamps, sent 0.012 ms late (p99 0.055 ms)
        note       losses came in 10 runs, the longest of 2 packets
        ");
    }
}
