//! `bandwidth` for people: iperf3's table in our units, then what limited it.

mod iperf3;
mod row;

pub(super) use row::{head, interval};

use std::io;

use super::packets::label;
use super::{ABSENT, Style, Summary, bytes, counted, escape, percent, rate, span};
use crate::probe::bandwidth::{Flow, Moved, Processor, Report};
use crate::probe::{Measurement, Probe};

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        let is_both = self.up.is_some() && self.down.is_some();
        for (name, flow) in self.flows() {
            let way = if name == "up" { "up" } else { "down" };
            label(out, style, way, &moved(flow))?;
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
            if flow.stalls.count > 0 {
                let stalls = flow.stalls;
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
        let _ = of;
        Ok(())
    }

    fn write_foreign(&self, out: &mut impl io::Write, of: &Measurement) -> io::Result<bool> {
        match &of.probe {
            Probe::Bandwidth(asked) if asked.iperf3_json => iperf3::write(out, self, asked).map(|()| true),
            _ => Ok(false),
        }
    }
}

/// `941 Mbit/s, 1.10 GiB in 10.00 s; 1.10 GiB were sent, 12 segments again by cubic`
fn moved(flow: &Flow) -> String {
    let speed = flow.throughput_bps.map_or_else(|| ABSENT.to_owned(), rate);
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
