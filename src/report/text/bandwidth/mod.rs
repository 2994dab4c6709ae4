//! `bandwidth` for people: iperf3's table in our units, then what limited it.

pub(super) mod iperf3;
mod row;
mod search;
mod stream;

pub(super) use iperf3::failed;
pub(super) use row::{head, interval};
pub use search::trial;
pub(super) use stream::Stream;

use std::io;

use super::packets::label;
use super::{ABSENT, Style, Summary, bytes, counted, escape, percent, span};
use crate::probe::bandwidth::{Bandwidth, By, Flow, Latency, Moved, Processor, RateUnit, Report};
use crate::probe::{Measurement, Probe, Rtt};
use row::speed;

/// What stands before each line: a title, as with iperf3.
pub(super) fn prefix(asked: &Bandwidth) -> String {
    asked.title.as_deref().map_or_else(String::new, |title| format!("{}:  ", escape(title)))
}

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        let (unit, prefix) = match &of.probe {
            Probe::Bandwidth(asked) => (asked.format, prefix(asked)),
            _ => (None, String::new()),
        };
        let mut text = Vec::new();
        self.summary(&mut text, unit, style)?;
        String::from_utf8_lossy(&text).lines().try_for_each(|line| writeln!(out, "{prefix}{line}"))
    }

    fn write_foreign(&self, out: &mut impl io::Write, of: &Measurement) -> io::Result<bool> {
        match &of.probe {
            // A record holds no more than its own form needs.
            _ if self.trace.is_none() => Ok(false),
            Probe::Bandwidth(asked) if asked.json_stream => stream::end(out, self, asked).map(|()| true),
            Probe::Bandwidth(asked) if asked.iperf3_json => iperf3::write(out, self, asked).map(|()| true),
            _ => Ok(false),
        }
    }
}

impl Report {
    fn summary(&self, out: &mut impl io::Write, unit: Option<RateUnit>, style: Style) -> io::Result<()> {
        if let Some(search) = &self.search {
            search::summary(out, search, style)?;
        }
        let rate = |bps: f64| speed(bps, unit);
        let is_both = self.up.is_some() && self.down.is_some();
        for (name, flow) in self.flows() {
            let way = if name == "up" { "up" } else { "down" };
            label(out, style, way, &moved(flow, unit))?;
            if flow.parts.len() > 1 {
                for part in &flow.parts {
                    let speed = part.throughput_bps.map_or_else(|| ABSENT.to_owned(), rate);
                    let again =
                        part.retransmits.map_or_else(String::new, |again| format!(", {again} sent again"));
                    let lost =
                        part.loss_ratio.map_or_else(String::new, |lost| format!(", {} lost", percent(lost)));
                    label(out, style, "", &format!("[{:>3}] {speed}{again}{lost}", part.id))?;
                }
            }
            if let Some(bins) = flow.bins {
                let text = format!(
                    "min {}, p5 {}, p50 {}, p95 {}, max {} over 100 ms",
                    rate(bins.min_bps),
                    rate(bins.p5_bps),
                    rate(bins.p50_bps),
                    rate(bins.p95_bps),
                    rate(bins.max_bps)
                );
                label(out, style, "", &text)?;
            }
            if let Some(stalls) = flow.stalls.filter(|stalls| stalls.count > 0) {
                let text = format!(
                    "stood still {}, the longest {}",
                    if stalls.count == 1 { "once".to_owned() } else { counted(stalls.count, "time") },
                    span(stalls.longest)
                );
                label(out, style, "", &style.red(&text))?;
            }
            datagrams(out, flow, style)?;
            if let Some(tcp) = flow.tcp {
                let text = format!(
                    "rtt min {}, mean {}, max {}; cwnd up to {}",
                    span(tcp.min),
                    span(tcp.mean),
                    span(tcp.max),
                    bytes(tcp.cwnd_max_bytes as f64)
                );
                label(out, style, "tcp", &text)?;
            }
            if let Some(limit) = &flow.limit {
                let which = if is_both { format!(" {way}") } else { String::new() };
                let evidence = limit.evidence.join("; ");
                label(
                    out,
                    style,
                    "limit",
                    &format!("{}{which}: {evidence}", style.bold(limit.factor.words())),
                )?;
            }
        }
        if let Some(latency) = &self.latency {
            label(out, style, "latency", &round_trips(latency))?;
        }
        let of_one =
            |cpu: Option<Processor>| cpu.map_or_else(|| ABSENT.to_owned(), |cpu| percent(cpu.total_ratio));
        label(
            out,
            style,
            "cpu",
            &format!("here {}, server {}", of_one(self.cpu.local), of_one(self.cpu.remote)),
        )?;
        if let Some(ended) = &self.ended {
            label(out, style, "ended", &style.red(&escape(ended)))?;
        }
        if let Some(output) = &self.server_output {
            let text = output.as_str().map_or_else(|| output.to_string(), str::to_owned);
            label(out, style, "server", "")?;
            text.lines().try_for_each(|line| writeln!(out, "  {}", escape(line)))?;
        }
        Ok(())
    }
}

/// `941 Mbit/s, 1.10 GiB in 10.00 s; 1.10 GiB were sent, 12 segments again by cubic`
fn moved(flow: &Flow, unit: Option<RateUnit>) -> String {
    let speed = flow.throughput_bps.map_or_else(|| ABSENT.to_owned(), |bps| speed(bps, unit));
    let of = |moved: Option<Moved>| {
        moved.map_or_else(
            || ABSENT.to_owned(),
            |moved| format!("{} in {}", bytes(moved.bytes as f64), span(moved.elapsed)),
        )
    };
    let again = flow
        .retransmits
        .map_or_else(String::new, |again| format!(", {} sent again", counted(again, "segment")));
    let by = flow.congestion.as_deref().map_or_else(String::new, |by| format!(" ({})", escape(by)));
    format!("{speed} received, {}; sent {}{again}{by}", of(flow.received), of(flow.sent))
}

/// `icmp idle 0.412 ms, p95 0.630 ms; loaded 240 ms, p95 244 ms: +239.6 ms`
fn round_trips(latency: &Latency) -> String {
    let by = match latency.by {
        By::Icmp => "icmp",
        By::Udp => "udp",
        By::Tcp => "tcp",
    };
    let of = |rtt: &Option<Rtt>, loss: Option<f64>| {
        let times = rtt
            .as_ref()
            .map_or_else(|| ABSENT.to_owned(), |rtt| format!("{}, p95 {}", span(rtt.p50), span(rtt.p95)));
        let lost = loss
            .filter(|&loss| loss > 0.0)
            .map_or_else(String::new, |loss| format!(", {} lost", percent(loss)));
        times + &lost
    };
    let more = latency.increase_ms.map_or_else(String::new, |ms| format!(": {ms:+.1} ms"));
    let why = latency
        .failure
        .as_ref()
        .map_or_else(String::new, |failure| format!(" ({})", escape(&failure.detail)));
    let (idle, loaded) =
        (of(&latency.idle, latency.idle_loss_ratio), of(&latency.loaded, latency.loaded_loss_ratio));
    format!("{by} idle {idle}; loaded {loaded}{more}{why}")
}

fn datagrams(out: &mut impl io::Write, flow: &Flow, style: Style) -> io::Result<()> {
    let Some(udp) = flow.udp else { return Ok(()) };
    let number = |count: Option<u64>| count.map_or_else(|| ABSENT.to_owned(), |count| count.to_string());
    let ratio = udp.loss_ratio.map_or_else(|| ABSENT.to_owned(), percent);
    let lost = format!("{} of {} lost ({ratio})", number(udp.lost), counted_or(udp.seen, "datagram"));
    let lost = if udp.lost.is_some_and(|lost| lost > 0) { style.red(&lost) } else { lost };
    let jitter = udp.jitter.map_or_else(|| ABSENT.to_owned(), span);
    let more = [
        (udp.behind, "behind the last that came"),
        (udp.reordered, "reordered"),
        (udp.duplicates, "duplicate"),
        (udp.dropped_here, "dropped by this host's socket"),
    ];
    let more = more
        .iter()
        .filter_map(|(count, what)| Some(format!(", {} {what}", count.filter(|&count| count > 0)?)));
    let omitted = if udp.with_omitted { ", those omitted included" } else { "" };
    label(out, style, "udp", &format!("{lost}, jitter {jitter}{}{omitted}", more.collect::<String>()))
}

fn counted_or(count: Option<u64>, noun: &str) -> String {
    count.map_or_else(|| format!("{ABSENT} {noun}s"), |count| counted(count, noun))
}
