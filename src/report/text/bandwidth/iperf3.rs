//! What `iperf3 -J` prints, for people's scripts: the keys, their form and their units are iperf 3.21's.

use std::io;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::stream;
use crate::probe::bandwidth::{Bandwidth, Report, Snapshot, Tally, Trace};

/// What the document says that it is from.
const VERSION: &str = concat!("iperf 3.21+waddleperf-", env!("CARGO_PKG_VERSION"));

/// Writes the document.
pub(super) fn write(out: &mut impl io::Write, report: &Report, asked: &Bandwidth) -> io::Result<()> {
    let mut document = Map::new();
    if let Some(trace) = &report.trace {
        let form = Form { asked, trace };
        document.insert("start".to_owned(), form.start());
        let intervals = trace.intervals.iter().map(|snapshots| form.interval(snapshots));
        document.insert("intervals".to_owned(), intervals.collect());
        document.insert("end".to_owned(), form.end());
    }
    for (key, text) in [("title", &asked.title), ("extra_data", &asked.extra_data)] {
        if let Some(text) = text {
            document.insert(key.to_owned(), json!(text));
        }
    }
    if let Some((key, output)) = server_output(report) {
        document.insert(key.to_owned(), output.clone());
    }
    if let Some(ended) = &report.ended {
        document.insert("error".to_owned(), json!(ended));
    }
    serde_json::to_writer_pretty(&mut *out, &Value::Object(document))?;
    writeln!(out)
}

/// What the server says of the test, and its key.
pub(super) fn server_output(report: &Report) -> Option<(&'static str, &Value)> {
    let output = report.server_output.as_ref()?;
    Some((if output.is_string() { "server_output_text" } else { "server_output_json" }, output))
}

/// Writes the document, or the lines, of a test that was none, because of `why`.
pub(in crate::report::text) fn failed(
    out: &mut impl io::Write,
    asked: &Bandwidth,
    why: &str,
) -> io::Result<()> {
    if asked.json_stream {
        return stream::failed(out, why);
    }
    if !asked.iperf3_json {
        return Ok(());
    }
    let start = json!({ "connected": [], "version": VERSION, "system_info": system() });
    let document = json!({ "start": start, "intervals": [], "end": {}, "error": why });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// The parts of the document.
pub(super) struct Form<'a> {
    pub(super) asked: &'a Bandwidth,
    pub(super) trace: &'a Trace,
}

impl Form<'_> {
    fn is_udp(&self) -> bool {
        self.asked.udp
    }

    pub(super) fn start(&self) -> Value {
        let trace = self.trace;
        let connected = trace.streams.iter().map(|ends| {
            json!({
                "socket": ends.id,
                "local_host": ends.local.ip().to_canonical().to_string(),
                "local_port": ends.local.port(),
                "remote_host": ends.peer.ip().to_canonical().to_string(),
                "remote_port": ends.peer.port(),
            })
        });
        let target = self.asked.rate().bps;
        let (wanted, send, receive) = trace.buffers;
        let time = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&trace.at);
        let mut start = json!({
            "connected": connected.collect::<Value>(),
            "version": VERSION,
            "system_info": system(),
            "sock_bufsize": wanted,
            "sndbuf_actual": send,
            "rcvbuf_actual": receive,
            "timestamp": {
                "time": time.unwrap_or_default(),
                "timesecs": trace.at.as_second(),
                "timemillisecs": trace.at.as_millisecond(),
            },
            "connecting_to": { "host": self.asked.target.as_str(), "port": self.asked.port },
            "cookie": trace.cookie,
        });
        if !self.is_udp() {
            let key = if self.asked.mss.is_some() { "tcp_mss" } else { "tcp_mss_default" };
            start[key] = json!(self.asked.mss.unwrap_or(trace.mss));
        }
        let limits =
            (self.asked.bytes.map_or(0, |size| size.0), self.asked.blocks.map_or(0, |count| count.0));
        let is_limited = limits != (0, 0);
        start["target_bitrate"] = json!(target);
        let fq_rate = self.asked.fq_rate.map_or(0, |rate| rate.bps);
        start["fq_rate"] = json!(fq_rate);
        start["test_start"] = json!({
            "protocol": if self.is_udp() { "UDP" } else { "TCP" },
            "num_streams": self.asked.parallel,
            "blksize": trace.length,
            "omit": self.asked.omit.0.as_secs(),
            "duration": if is_limited { 0 } else { self.asked.time.0.as_secs() },
            "bytes": limits.0,
            "blocks": limits.1,
            "reverse": u8::from(self.asked.reverse),
            "tos": self.asked.type_of_service().unwrap_or(0),
            "target_bitrate": target,
            "bidir": u8::from(self.asked.bidir),
            "fqrate": fq_rate,
            "interval": self.asked.interval.0.as_secs_f64(),
            "gso": u8::from(self.asked.gso),
            "gro": u8::from(self.asked.gso),
        });
        start
    }

    /// One of the intervals.
    pub(super) fn interval(&self, snapshots: &[Snapshot]) -> Value {
        let streams = || self.trace.streams.iter().zip(snapshots);
        let rows: Value = streams().map(|(ends, of)| self.row(Some(ends.id), ends.sends, of)).collect();
        let mut interval = json!({ "streams": rows });
        let sum = |sends: bool| {
            let of: Vec<Snapshot> =
                streams().filter(|(ends, _)| ends.sends == sends).map(|(_, of)| *of).collect();
            let first = of.first().copied()?;
            let tallies: Vec<Tally> = of.iter().map(|of| of.tally).collect();
            let tally = Tally::sum(&tallies, first.span.1 - first.span.0);
            Some(self.row(None, sends, &Snapshot { tally, tcp: None, ..first }))
        };
        match (sum(true), sum(false)) {
            (Some(sent), Some(received)) => {
                interval["sum"] = sent;
                interval["sum_bidir_reverse"] = received;
            }
            (one, other) => interval["sum"] = one.or(other).unwrap_or(Value::Null),
        }
        interval
    }

    fn row(&self, socket: Option<u32>, sends: bool, of: &Snapshot) -> Value {
        let mut row = Map::new();
        let mut put = |key: &str, value: Value| drop(row.insert(key.to_owned(), value));
        let tally = &of.tally;
        if let Some(socket) = socket {
            put("socket", json!(socket));
        }
        timing(&mut put, of.span, tally.bytes);
        if let Some(again) = tally.retransmits {
            put("retransmits", json!(again));
        }
        if let (Some(kernel), Some(cwnd)) = (of.tcp, tally.cwnd_bytes) {
            put("snd_cwnd", json!(cwnd));
            put("snd_wnd", json!(kernel.snd_wnd));
            put("rtt", json!(kernel.rtt_us.0));
            put("rttvar", json!(kernel.rtt_us.1));
            put("pmtu", json!(kernel.pmtu));
            put("reorder", json!(kernel.reorder));
        }
        if let Some(datagrams) = tally.datagrams {
            if let (Some(jitter), Some(lost)) = (tally.jitter, tally.lost) {
                put("jitter_ms", json!(jitter.as_secs_f64() * 1e3));
                put("lost_packets", json!(lost));
                put("packets", json!(datagrams));
                put("lost_percent", json!(share(lost, datagrams)));
            } else {
                put("packets", json!(datagrams));
            }
        }
        put("omitted", json!(of.omitted));
        put("sender", json!(sends));
        Value::Object(row)
    }

    pub(super) fn end(&self) -> Value {
        let rows = || self.trace.streams.iter().zip(&self.trace.totals);
        let streams: Value = if self.is_udp() {
            rows().map(|(ends, of)| json!({ "udp": self.udp(Some(ends.id), ends.sends, &[of]) })).collect()
        } else {
            rows().map(|(ends, of)| self.tcp(ends.id, ends.sends, of)).collect()
        };
        let mut end = json!({ "streams": streams });
        let of = |sends: bool| {
            rows().filter(|(ends, _)| ends.sends == sends).map(|(_, of)| of).collect::<Vec<_>>()
        };
        // A client that only receives calls what it received the sum, too.
        let first = !self.asked.reverse;
        let ways = [(first, ""), (!first, "_bidir_reverse")];
        for (sends, suffix) in ways.into_iter().take(if self.asked.bidir { 2 } else { 1 }) {
            let totals = of(sends);
            if self.is_udp() {
                end[format!("sum{suffix}")] = self.udp(None, sends, &totals);
            }
            end[format!("sum_sent{suffix}")] = self.sum(sends, &totals, true);
            end[format!("sum_received{suffix}")] = self.sum(sends, &totals, false);
        }
        let [host, remote] = self.trace.cpu;
        end["cpu_utilization_percent"] = json!({
            "host_total": host[0], "host_user": host[1], "host_system": host[2],
            "remote_total": remote[0], "remote_user": remote[1], "remote_system": remote[2],
        });
        for (key, name) in
            ["sender_tcp_congestion", "receiver_tcp_congestion"].into_iter().zip(&self.trace.congestion)
        {
            if let Some(name) = name.as_ref().filter(|_| !self.is_udp()) {
                end[key] = json!(name);
            }
        }
        end
    }

    fn tcp(&self, id: u32, sends: bool, of: &crate::probe::bandwidth::Total) -> Value {
        let side = |moved: Option<(u64, Duration)>| {
            let mut row = Map::new();
            row.insert("socket".to_owned(), json!(id));
            let (bytes, span) = moved.unwrap_or_default();
            timing(
                &mut |key: &str, value| drop(row.insert(key.to_owned(), value)),
                (Duration::ZERO, span),
                bytes,
            );
            row
        };
        let mut sender = side(of.sent);
        let mut put = |key: &str, value: Value| drop(sender.insert(key.to_owned(), value));
        if let Some(again) = of.retransmits {
            put("retransmits", json!(again));
        }
        if sends {
            put("reorder", json!(of.reorder));
        }
        put("max_snd_cwnd", json!(of.windows.0));
        put("max_snd_wnd", json!(of.windows.1));
        put("max_rtt", json!(of.rtt_us.0));
        put("min_rtt", json!(of.rtt_us.1));
        put("mean_rtt", json!(of.rtt_us.2));
        put("sender", json!(sends));
        let mut receiver = side(of.received);
        receiver.insert("sender".to_owned(), json!(sends));
        json!({ "sender": sender, "receiver": receiver })
    }

    /// The document's ambiguous sum of datagrams, and what it says of one stream.
    fn udp(&self, id: Option<u32>, sends: bool, of: &[&crate::probe::bandwidth::Total]) -> Value {
        let mut row = Map::new();
        let mut put = |key: &str, value: Value| drop(row.insert(key.to_owned(), value));
        if let Some(id) = id {
            put("socket", json!(id));
        }
        let (bytes, span) = moved(of, true);
        timing(&mut put, (Duration::ZERO, span), bytes);
        let (sent, _, lost, disordered) = datagrams(of);
        put("jitter_ms", json!(jitter(of)));
        put("lost_packets", json!(lost));
        put("packets", json!(sent));
        put("lost_percent", json!(share(lost, sent)));
        if id.is_some() {
            put("out_of_order", json!(disordered));
        }
        put("sender", json!(sends));
        Value::Object(row)
    }

    fn sum(&self, sends: bool, of: &[&crate::probe::bandwidth::Total], is_sent: bool) -> Value {
        let mut row = Map::new();
        let mut put = |key: &str, value: Value| drop(row.insert(key.to_owned(), value));
        let (bytes, span) = moved(of, is_sent);
        timing(&mut put, (Duration::ZERO, span), bytes);
        if self.is_udp() {
            let (sent, seen, lost, _) = datagrams(of);
            let (lost, packets) = if is_sent { (0, sent) } else { (lost, seen) };
            put("jitter_ms", json!(if is_sent { 0.0 } else { jitter(of) }));
            put("lost_packets", json!(lost));
            put("packets", json!(packets));
            put("lost_percent", json!(share(lost, packets)));
            put("sender", json!(is_sent));
            return Value::Object(row);
        }
        let again: Option<u64> = of.iter().map(|of| of.retransmits).sum();
        if let Some(again) = again.filter(|_| is_sent) {
            put("retransmits", json!(again));
        }
        put("sender", json!(sends));
        Value::Object(row)
    }
}

/// What every row begins with.
fn timing(put: &mut impl FnMut(&str, Value), (start, end): (Duration, Duration), bytes: u64) {
    let seconds = end.saturating_sub(start).as_secs_f64();
    put("start", json!(start.as_secs_f64()));
    put("end", json!(end.as_secs_f64()));
    put("seconds", json!(seconds));
    put("bytes", json!(bytes));
    put("bits_per_second", json!(if seconds > 0.0 { bytes as f64 * 8.0 / seconds } else { 0.0 }));
}

fn moved(of: &[&crate::probe::bandwidth::Total], is_sent: bool) -> (u64, Duration) {
    let each = of.iter().filter_map(|of| if is_sent { of.sent } else { of.received });
    each.fold((0, Duration::ZERO), |(bytes, longest), (more, span)| (bytes + more, longest.max(span)))
}

fn datagrams(of: &[&crate::probe::bandwidth::Total]) -> (u64, u64, i64, u64) {
    of.iter()
        .map(|of| of.datagrams)
        .fold((0, 0, 0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1, sum.2 + of.2, sum.3 + of.3))
}

/// The mean of the streams', milliseconds.
fn jitter(of: &[&crate::probe::bandwidth::Total]) -> f64 {
    let sum: f64 = of.iter().map(|of| of.jitter.as_secs_f64() * 1e3).sum();
    sum / of.len().max(1) as f64
}

fn share(lost: i64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { 100.0 * lost as f64 / of as f64 }
}

/// This host, as uname(1) describes it.
fn system() -> String {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    let [kind, host, release, version] =
        ["ostype", "hostname", "osrelease", "version"].map(|name| read(name).trim().to_owned());
    format!("{kind} {host} {release} {version} {}", std::env::consts::ARCH)
}
