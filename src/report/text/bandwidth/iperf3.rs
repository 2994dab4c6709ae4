//! What `iperf3 -J` prints, for people's scripts: what a client's and what a server's test come to.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::document::{
    Asked, Begun, Connected, Cpu, Document, End, Ended, Flow, Interval, Moment, Moved, Peer, Real, Receiver,
    Row, Sender, Start, Stream, Sum, Tcp, Udp,
};
use super::stream;
use crate::probe::bandwidth::{Bandwidth, DatagramCounts, Report, Snapshot, Tally, Total, Trace};

/// What the document says that it is from.
const VERSION: &str = concat!("iperf 3.21+waddleperf-", env!("CARGO_PKG_VERSION"));

/// Octets of the longest row of an interval.
const ROW: usize = 400;

/// Writes the document.
pub(super) fn write(
    out: &mut impl io::Write,
    report: &Report,
    asked: &Bandwidth,
    trace: &Trace,
) -> io::Result<()> {
    let output = report.server_output.as_ref();
    let form = Form::of_client(asked, trace);
    let document = Document {
        server_output_text: output.filter(|output| output.is_string()),
        server_output_json: output.filter(|output| !output.is_string()),
        ..form.document(report.ended.as_deref())
    };
    print(out, &document)
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
    let start = Start { connected: Vec::new(), version: VERSION, system_info: system(), test: None };
    print(out, &whole(asked, start, Vec::new(), End::default(), Some(why)))
}

fn print(out: &mut impl io::Write, document: &Document<'_>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}

fn whole<'a>(
    asked: &'a Bandwidth,
    start: Start<'a>,
    intervals: Vec<Interval>,
    end: End<'a>,
    error: Option<&'a str>,
) -> Document<'a> {
    let (title, extra_data) = (asked.title.as_deref(), asked.extra_data.as_deref());
    Document {
        start,
        intervals,
        end,
        error,
        title,
        extra_data,
        server_output_text: None,
        server_output_json: None,
    }
}

/// What the server says of the test, and its key.
pub(super) fn server_output(report: &Report) -> Option<(&'static str, &Value)> {
    let output = report.server_output.as_ref()?;
    Some((if output.is_string() { "server_output_text" } else { "server_output_json" }, output))
}

/// The form of one test, and its parts.
pub struct Form<'a> {
    asked: &'a Bandwidth,
    trace: &'a Trace,
    peer: Peer,
}

impl<'a> Form<'a> {
    /// As a client tells it.
    pub(super) fn of_client(asked: &'a Bandwidth, trace: &'a Trace) -> Self {
        let peer = Peer::Server { host: asked.target.as_str().to_owned(), port: asked.port };
        Self { asked, trace, peer }
    }

    /// As a server tells it of the client that `trace` names as its peer.
    pub fn of_server(asked: &'a Bandwidth, trace: &'a Trace) -> Self {
        let (host, port) = (trace.peer.ip().to_canonical().to_string(), trace.peer.port());
        Self { asked, trace, peer: Peer::Client { host, port } }
    }

    /// All of it as text, and why it ended early.
    pub fn text(&self, error: Option<&str>) -> String {
        serde_json::to_string_pretty(&self.document(error)).unwrap_or_default()
    }

    /// All of it as a value, without its intervals where they make it longer than about `most` octets.
    pub fn value(&self, most: usize) -> Value {
        let rows: usize = self.trace.intervals.iter().map(Vec::len).sum();
        let document = match rows <= most / ROW {
            true => self.document(None),
            false => whole(self.asked, self.start(), Vec::new(), self.end(), None),
        };
        serde_json::to_value(document).unwrap_or_default()
    }

    /// `--json-stream`'s line of the beginning.
    pub fn start_line(&self) -> String {
        line("start", &self.start())
    }

    /// Its line of an interval.
    pub fn interval_line(&self, snapshots: &[Snapshot]) -> String {
        line("interval", &self.interval(snapshots))
    }

    /// Its last lines, the first of which says why it ended early.
    pub fn end_lines(&self, error: Option<&str>) -> Vec<String> {
        let error = error.map(|error| line("error", &error));
        error.into_iter().chain([line("end", &self.end())]).collect()
    }

    fn document<'b>(&'b self, error: Option<&'b str>) -> Document<'b> {
        let intervals = self.trace.intervals.iter().map(|snapshots| self.interval(snapshots)).collect();
        whole(self.asked, self.start(), intervals, self.end(), error)
    }

    const fn is_udp(&self) -> bool {
        self.asked.udp
    }

    /// Whether this host sends in the direction that is told first: of two, that of the client.
    const fn sends_first(&self) -> bool {
        matches!(self.peer, Peer::Server { .. }) != self.asked.reverse
    }

    fn start(&self) -> Start<'_> {
        let connected = self.trace.streams.iter().map(|ends| Connected {
            socket: ends.id,
            local_host: ends.local.ip().to_canonical().to_string(),
            local_port: ends.local.port(),
            remote_host: ends.peer.ip().to_canonical().to_string(),
            remote_port: ends.peer.port(),
        });
        let (connected, test) = (connected.collect(), Some(self.begun()));
        Start { connected, version: VERSION, system_info: system(), test }
    }

    fn begun(&self) -> Begun<'_> {
        let (asked, trace) = (self.asked, self.trace);
        let (wanted, send, receive) = trace.buffers;
        let time = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&trace.at);
        let mss = |is_asked: bool| (!self.is_udp() && asked.mss.is_some() == is_asked).then_some(trace.mss);
        let (bytes, blocks) = (asked.bytes.map_or(0, |size| size.0), asked.blocks.map_or(0, |count| count.0));
        let is_limited = (bytes, blocks) != (0, 0);
        let target_bitrate = asked.rate().bps;
        let fq_rate = asked.fq_rate.map_or(0, |rate| rate.bps);
        Begun {
            timestamp: Moment {
                time: time.unwrap_or_default(),
                timesecs: trace.at.as_second(),
                timemillisecs: trace.at.as_millisecond(),
            },
            peer: self.peer.clone(),
            cookie: &trace.cookie,
            tcp_mss: mss(true).and(asked.mss),
            tcp_mss_default: mss(false),
            target_bitrate,
            fq_rate,
            sock_bufsize: wanted,
            sndbuf_actual: send,
            rcvbuf_actual: receive,
            test_start: Asked {
                protocol: if self.is_udp() { "UDP" } else { "TCP" },
                num_streams: asked.parallel,
                blksize: trace.length,
                omit: asked.omit.0.as_secs(),
                duration: if is_limited { 0 } else { asked.time.0.as_secs() },
                bytes,
                blocks,
                reverse: u8::from(asked.reverse),
                tos: asked.type_of_service().unwrap_or(0),
                target_bitrate,
                bidir: u8::from(asked.bidir),
                fqrate: fq_rate,
                interval: Real(asked.interval.0.as_secs_f64()),
                gso: u8::from(asked.gso),
                gro: u8::from(asked.gso),
            },
        }
    }

    /// One of the intervals.
    fn interval(&self, snapshots: &[Snapshot]) -> Interval {
        let streams = || self.trace.streams.iter().zip(snapshots);
        let sum = |sends: bool| {
            let of: Vec<Snapshot> =
                streams().filter(|(ends, _)| ends.sends == sends).map(|(_, of)| *of).collect();
            let first = of.first().copied()?;
            let tallies: Vec<Tally> = of.iter().map(|of| of.tally).collect();
            let tally = Tally::sum(&tallies, first.span.1 - first.span.0);
            Some(row(None, sends, &Snapshot { tally, tcp: None, ..first }))
        };
        let first = self.sends_first();
        Interval {
            streams: streams().map(|(ends, of)| row(Some(ends.id), ends.sends, of)).collect(),
            sum: sum(first),
            sum_bidir_reverse: sum(!first),
        }
    }

    fn end(&self) -> End<'_> {
        let rows = || self.trace.streams.iter().zip(&self.trace.totals);
        let of = |sends: bool| {
            rows().filter(|(ends, _)| ends.sends == sends).map(|(_, of)| of).collect::<Vec<_>>()
        };
        let first = self.sends_first();
        let (there, back) = (of(first), self.asked.bidir.then(|| of(!first)));
        let sum = |sends: bool, of: &[&Total]| self.is_udp().then(|| ambiguous(sends, of));
        let [host, remote] = self.trace.cpu;
        let congestion = |of: &'a Option<String>| {
            of.as_deref().filter(|_| !self.is_udp() && !self.trace.streams.is_empty())
        };
        let [sender, receiver] = &self.trace.congestion;
        let stream = |(ends, of): (&crate::probe::bandwidth::Ends, &Total)| match self.is_udp() {
            true => Stream::Udp { udp: flow(ends.id, ends.sends, of) },
            false => tcp(ends.id, ends.sends, of),
        };
        End {
            all: Some(Ended {
                streams: rows().map(stream).collect(),
                sum: sum(first, &there),
                sum_sent: self.sum(first, &there, true),
                sum_received: self.sum(first, &there, false),
                sum_bidir_reverse: back.as_ref().and_then(|back| sum(!first, back)),
                sum_sent_bidir_reverse: back.as_ref().map(|back| self.sum(!first, back, true)),
                sum_received_bidir_reverse: back.as_ref().map(|back| self.sum(!first, back, false)),
                cpu_utilization_percent: Cpu {
                    host_total: Real(host[0]),
                    host_user: Real(host[1]),
                    host_system: Real(host[2]),
                    remote_total: Real(remote[0]),
                    remote_user: Real(remote[1]),
                    remote_system: Real(remote[2]),
                },
                sender_tcp_congestion: congestion(sender),
                receiver_tcp_congestion: congestion(receiver),
            }),
        }
    }

    fn sum(&self, sends: bool, of: &[&Total], is_sent: bool) -> Sum {
        let (bytes, span) = both(of, is_sent);
        let moved = moved((Duration::ZERO, span), bytes);
        if self.is_udp() {
            let DatagramCounts { sent, seen, lost, .. } = datagrams(of);
            let (lost, packets) = if is_sent { (0, sent) } else { (lost, seen) };
            let jitter = if is_sent { 0.0 } else { jitter(of) };
            return Sum { moved, retransmits: None, udp: Some(udp(jitter, lost, packets)), sender: is_sent };
        }
        let again: Option<u64> = of.iter().map(|of| of.retransmits).sum();
        Sum { moved, retransmits: again.filter(|_| is_sent), udp: None, sender: sends }
    }
}

/// A line of `--json-stream`.
pub(super) fn line(event: &str, data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("{{\"event\":\"{event}\",\"data\":{data}}}")
}

fn row(socket: Option<u32>, sends: bool, of: &Snapshot) -> Row {
    let tally = &of.tally;
    let tcp = of.tcp.zip(tally.cwnd_bytes).map(|(kernel, cwnd)| Tcp {
        snd_cwnd: cwnd,
        snd_wnd: kernel.snd_wnd,
        rtt: kernel.rtt_us.0,
        rttvar: kernel.rtt_us.1,
        pmtu: kernel.pmtu,
        reorder: kernel.reorder,
    });
    let udp = match (tally.datagrams, tally.jitter, tally.lost) {
        (Some(all), Some(jitter), Some(lost)) => Some(udp(jitter.as_secs_f64() * 1e3, lost, all)),
        _ => None,
    };
    Row {
        socket,
        moved: moved(of.span, tally.bytes),
        retransmits: tally.retransmits,
        tcp,
        packets: tally.datagrams.filter(|_| udp.is_none()),
        udp,
        omitted: of.omitted,
        sender: sends,
    }
}

fn tcp(socket: u32, sends: bool, of: &Total) -> Stream {
    let side = |end: Option<(u64, Duration)>| {
        let (bytes, span) = end.unwrap_or_default();
        moved((Duration::ZERO, span), bytes)
    };
    Stream::Tcp {
        sender: Sender {
            socket,
            moved: side(of.sent),
            retransmits: of.retransmits,
            reorder: sends.then_some(of.reorder),
            max_snd_cwnd: of.windows.0,
            max_snd_wnd: of.windows.1,
            max_rtt: of.rtt_us.0,
            min_rtt: of.rtt_us.1,
            mean_rtt: of.rtt_us.2,
            sender: sends,
        },
        receiver: Receiver { socket, moved: side(of.received), sender: sends },
    }
}

fn flow(socket: u32, sends: bool, of: &Total) -> Flow {
    let Sum { moved, udp: all, sender, .. } = ambiguous(sends, &[of]);
    let udp = all.unwrap_or_else(|| udp(0.0, 0, 0));
    Flow { socket, moved, udp, out_of_order: of.datagrams.disordered, sender }
}

/// The document's ambiguous sum of datagrams: octets of the sender, losses of the receiver.
fn ambiguous(sends: bool, of: &[&Total]) -> Sum {
    let (bytes, span) = both(of, true);
    let DatagramCounts { sent, lost, .. } = datagrams(of);
    let udp = Some(udp(jitter(of), lost, sent));
    Sum { moved: moved((Duration::ZERO, span), bytes), retransmits: None, udp, sender: sends }
}

fn moved((start, end): (Duration, Duration), bytes: u64) -> Moved {
    let seconds = end.saturating_sub(start).as_secs_f64();
    Moved {
        start: Real(start.as_secs_f64()),
        end: Real(end.as_secs_f64()),
        seconds: Real(seconds),
        bytes,
        bits_per_second: Real(if seconds > 0.0 { bytes as f64 * 8.0 / seconds } else { 0.0 }),
    }
}

fn udp(jitter_ms: f64, lost: i64, of: u64) -> Udp {
    let share = if of == 0 { 0.0 } else { 100.0 * lost as f64 / of as f64 };
    Udp { jitter_ms: Real(jitter_ms), lost_packets: lost, packets: of, lost_percent: Real(share) }
}

fn both(of: &[&Total], is_sent: bool) -> (u64, Duration) {
    let each = of.iter().filter_map(|of| if is_sent { of.sent } else { of.received });
    each.fold((0, Duration::ZERO), |(bytes, longest), (more, span)| (bytes + more, longest.max(span)))
}

fn datagrams(of: &[&Total]) -> DatagramCounts {
    of.iter().fold(DatagramCounts::default(), |sum, of| sum + of.datagrams)
}

/// The mean of the streams', milliseconds.
fn jitter(of: &[&Total]) -> f64 {
    let sum: f64 = of.iter().map(|of| of.jitter.as_secs_f64() * 1e3).sum();
    sum / of.len().max(1) as f64
}

/// This host, as uname(1) describes it.
fn system() -> String {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    let [kind, host, release, version] =
        ["ostype", "hostname", "osrelease", "version"].map(|name| read(name).trim().to_owned());
    format!("{kind} {host} {release} {version} {}", std::env::consts::ARCH)
}
