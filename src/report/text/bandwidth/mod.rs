//! `bandwidth` for people: iperf3's table in our units or in its own, then what limited it.

mod document;
pub(super) mod iperf3;
mod live;
mod search;
mod stream;
pub mod table;

pub(super) use iperf3::failed;
pub(super) use live::Live;
pub use search::trial;
pub(super) use stream::Stream;

use std::io;
use std::time::Duration;

use super::packets::label;
use super::{ABSENT, Style, Summary, bytes, counted, escape, percent, rate, span};
use crate::probe::bandwidth::{
    Bandwidth, By, Flow, Latency, Moved, Part, Processor, RateUnit, Report, Wording,
};
use crate::probe::{Measurement, Probe, Rtt};
use live::{role, table};
use table::{Columns, Detail, RULE, Row, Table};

/// What stands before each line: a title, as with iperf3.
pub(super) fn prefix(asked: &Bandwidth) -> String {
    asked.title.as_deref().map_or_else(String::new, |title| format!("{}:  ", escape(title)))
}

/// The moment `at`, nanoseconds since the epoch, as strftime(3) writes it.
pub fn stamp(at: u64, format: &str) -> Option<String> {
    let at = jiff::Timestamp::from_nanosecond(at.into()).ok()?;
    jiff::fmt::strtime::format(format, &at.to_zoned(jiff::tz::TimeZone::system())).ok()
}

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        let mut text = Vec::new();
        let Probe::Bandwidth(asked) = &of.probe else { return Ok(()) };
        self.summary(&mut text, asked, style)?;
        let end = of.at.as_nanosecond() + of.elapsed.as_nanos() as i128;
        let format = asked.timestamp_format.as_deref();
        let time = format.and_then(|format| stamp(u64::try_from(end).ok()?, format));
        let time = time.map_or_else(String::new, |time| time + " ");
        let prefix = prefix(asked);
        String::from_utf8_lossy(&text).lines().try_for_each(|line| writeln!(out, "{time}{prefix}{line}"))
    }

    fn is_titled(&self, of: &Measurement) -> bool {
        !matches!(&of.probe, Probe::Bandwidth(asked) if asked.style == Wording::Iperf3)
    }

    fn write_foreign(&self, out: &mut impl io::Write, of: &Measurement) -> io::Result<bool> {
        match (&of.probe, &self.trace) {
            (Probe::Bandwidth(asked), Some(trace)) if asked.json_stream => {
                stream::end(out, self, asked, trace).map(|()| true)
            }
            (Probe::Bandwidth(asked), Some(trace)) if asked.iperf3_json => {
                iperf3::write(out, self, asked, trace).map(|()| true)
            }
            // A record holds no more than its own form needs.
            _ => Ok(false),
        }
    }
}

impl Report {
    fn summary(&self, out: &mut impl io::Write, asked: &Bandwidth, style: Style) -> io::Result<()> {
        if let Some(search) = &self.search {
            search::summary(out, search, style)?;
        }
        let is_both = self.up.is_some() && self.down.is_some();
        self.table(out, &Table { has_roles: is_both, ..table(asked) }, style)?;
        for (name, flow) in self.flows() {
            let way = if name == "up" { "up" } else { "down" };
            label(out, style, way, &course(flow, asked.format))?;
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
        match asked.style {
            Wording::Iperf3 if self.ended.is_none() => writeln!(out, "\niperf Done."),
            _ => Ok(()),
        }
    }

    /// The last table: of each stream what either end has counted.
    fn table(&self, out: &mut impl io::Write, table: &Table, style: Style) -> io::Result<()> {
        let knows = self.flows().any(|(_, flow)| flow.retransmits.is_some());
        let columns = match self.protocol.as_str() {
            "udp" => Columns::Jitter,
            _ if knows => Columns::Again,
            _ => Columns::Plain,
        };
        writeln!(out, "{RULE}\n{}", style.dim(&table.head(columns)))?;
        for (name, flow) in self.flows() {
            let sum = (flow.parts.len() > 1).then(|| all(flow));
            for part in flow.parts.iter().chain(&sum) {
                for line in self.ends(table, role(name == "up"), flow, part) {
                    writeln!(out, "{line}")?;
                }
            }
        }
        Ok(())
    }

    /// What the sender and what the receiver of `part` has counted.
    fn ends(&self, table: &Table, role: &str, flow: &Flow, part: &Part) -> [String; 2] {
        let stream = (part.id > 0).then_some(part.id);
        // A sender's datagrams are all of one length, and it knows neither what is late nor what is lost.
        let sent = part.sent_bytes.unwrap_or(0) / u64::from(self.length_bytes.max(1));
        let (lost, seen) = (part.lost.unwrap_or(0) as i64, part.seen.unwrap_or(0));
        let (sender, receiver) = match flow.udp {
            Some(_) => (
                Detail::Jitter(Duration::ZERO, 0, sent),
                Detail::Jitter(part.jitter.unwrap_or_default(), lost, seen),
            ),
            None => (Detail::Again(part.retransmits, None), Detail::Plain),
        };
        let each = [
            ("sender", part.sent_bytes, flow.sent, sender),
            ("receiver", part.received_bytes, flow.received, receiver),
        ];
        each.map(|(note, bytes, moved, detail)| match bytes.zip(moved) {
            Some((bytes, Moved { elapsed, .. })) => table.row(&Row {
                stream,
                role,
                span: (Duration::ZERO, elapsed),
                bytes,
                bps: Moved { bytes, elapsed }.rate().unwrap_or(0.0),
                detail,
                note,
            }),
            None => table.unknown(stream, role, note),
        })
    }
}

/// All streams of a direction as one.
fn all(flow: &Flow) -> Part {
    let udp = flow.udp;
    Part {
        id: 0,
        sent_bytes: flow.sent.map(|moved| moved.bytes),
        received_bytes: flow.received.map(|moved| moved.bytes),
        throughput_bps: flow.throughput_bps,
        retransmits: flow.retransmits,
        seen: udp.and_then(|udp| udp.seen),
        lost: udp.and_then(|udp| udp.lost),
        loss_ratio: udp.and_then(|udp| udp.loss_ratio),
        jitter: udp.and_then(|udp| udp.jitter),
    }
}

/// `941 Mbit/s received (cubic); min 870 Mbit/s, p5 911 Mbit/s, p50 943 Mbit/s, p95 951 Mbit/s, max 960 Mbit/s over 100 ms`
fn course(flow: &Flow, unit: Option<RateUnit>) -> String {
    let rate = |bps: f64| speed(bps, unit);
    let received = flow.throughput_bps.map_or_else(|| ABSENT.to_owned(), rate);
    let by = flow.congestion.as_deref().map_or_else(String::new, |by| format!(" ({})", escape(by)));
    let bins = flow.bins.map_or_else(String::new, |bins| {
        format!(
            "; min {}, p5 {}, p50 {}, p95 {}, max {} over 100 ms",
            rate(bins.min_bps),
            rate(bins.p5_bps),
            rate(bins.p50_bps),
            rate(bins.p95_bps),
            rate(bins.max_bps)
        )
    });
    format!("{received} received{by}{bins}")
}

/// A rate, in `unit` where one was asked for.
fn speed(bits_per_second: f64, unit: Option<RateUnit>) -> String {
    let Some(unit) = unit else { return rate(bits_per_second) };
    let (scale, name) = unit.scale();
    let value = bits_per_second / scale;
    let decimals = match value {
        _ if value >= 999.95 => 0,
        _ if value >= 99.995 => 1,
        _ if value >= 9.9995 => 2,
        _ => 3,
    };
    format!("{value:.decimals$} {name}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::bandwidth::{Datagrams, Factor, Limit};

    fn flow(ids: &[u32]) -> Flow {
        let moved = |bytes, ms| Some(Moved { bytes, elapsed: Duration::from_millis(ms) });
        let part = |&id: &u32| Part {
            id,
            sent_bytes: Some(6_291_456),
            received_bytes: Some(6_160_384),
            throughput_bps: Some(48.9e6),
            retransmits: Some(3),
            ..Part::default()
        };
        let count = ids.len() as u64;
        Flow {
            throughput_bps: Some(48.9e6 * count as f64),
            sent: moved(6_291_456 * count, 1000),
            received: moved(6_160_384 * count, 1008),
            retransmits: Some(3 * count),
            congestion: Some("cubic".to_owned()),
            limit: Some(Limit { factor: Factor::Network, evidence: vec!["segments were lost".to_owned()] }),
            parts: ids.iter().map(part).collect(),
            ..Flow::default()
        }
    }

    fn told(report: &Report, asked: &Bandwidth) -> String {
        let mut out = Vec::new();
        report.summary(&mut out, asked, Style::PLAIN).expect("written");
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn the_last_table_has_a_row_for_each_end_of_each_stream() {
        let report = Report {
            protocol: "tcp".to_owned(),
            up: Some(flow(&[1, 3])),
            down: Some(flow(&[4])),
            ..Report::default()
        };
        insta::assert_snapshot!(told(&report, &Bandwidth::default()), @"
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [ ID][Role] Interval           Transfer     Bitrate         Retr
        [  1][TX-C]   0.00-1.00   sec  6.00 MiB     50.3 Mbit/s       3             sender
        [  1][TX-C]   0.00-1.01   sec  5.88 MiB     48.9 Mbit/s                     receiver
        [  3][TX-C]   0.00-1.00   sec  6.00 MiB     50.3 Mbit/s       3             sender
        [  3][TX-C]   0.00-1.01   sec  5.88 MiB     48.9 Mbit/s                     receiver
        [SUM][TX-C]   0.00-1.00   sec  12.0 MiB      101 Mbit/s       6             sender
        [SUM][TX-C]   0.00-1.01   sec  11.8 MiB     97.8 Mbit/s                     receiver
        [  4][RX-C]   0.00-1.00   sec  6.00 MiB     50.3 Mbit/s       3             sender
        [  4][RX-C]   0.00-1.01   sec  5.88 MiB     48.9 Mbit/s                     receiver
        up         97.8 Mbit/s received (cubic)
        limit      the network up: segments were lost
        down       48.9 Mbit/s received (cubic)
        limit      the network down: segments were lost
        cpu        here –, server –
        ");
    }

    #[test]
    fn datagrams_have_jitter_and_loss_in_iperf3s_words() {
        let mut flow = flow(&[1]);
        let jitter = Some(Duration::from_micros(48));
        flow.udp = Some(Datagrams::of(Some(4344), Some(4300), Some(12), jitter));
        flow.parts[0] = Part { seen: Some(4300), lost: Some(12), jitter, retransmits: None, ..flow.parts[0] };
        flow.parts.push(Part { id: 3, sent_bytes: Some(1448), ..Part::default() });
        let report =
            Report { protocol: "udp".to_owned(), length_bytes: 1448, up: Some(flow), ..Report::default() };
        let asked = Bandwidth { style: Wording::Iperf3, ..Bandwidth::default() };
        insta::assert_snapshot!(told(&report, &asked), @"
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
        [  1]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec  0.000 ms  0/4344 (0%)  sender
        [  1]   0.00-1.01   sec  5.88 MBytes  48.9 Mbits/sec  0.048 ms  12/4300 (0.28%)  receiver
        [  3]   0.00-1.00   sec  1.41 KBytes  11.6 Kbits/sec  0.000 ms  0/1 (0%)  sender
        [  3] (receiver statistics not available)
        [SUM]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec  0.000 ms  0/4344 (0%)  sender
        [SUM]   0.00-1.01   sec  5.88 MBytes  48.9 Mbits/sec  0.048 ms  12/4300 (0.28%)  receiver
        up         48.9 Mbit/s received (cubic)
        udp        12 of 4300 datagrams lost (0.3 %), jitter 0.048 ms, 44 behind the last that came
        limit      the network: segments were lost
        cpu        here –, server –

        iperf Done.
        ");
    }
}
