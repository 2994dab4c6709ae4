//! Our output as a stock server would print it, for clients that ask for it (`--get-server-output`).

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use super::running::Outcome;
use super::tally::Moved;
use crate::wire::iperf3::{Params, Stream, Transport};

/// Octets of an output.
const MOST: usize = 1 << 20;
/// The number of the first stream: there are no descriptors of ours that a client should see.
const FIRST: usize = 5;

/// The output of a test of the client at `peer`.
pub(super) fn output(peer: SocketAddr, params: &Params, outcome: &Outcome) -> String {
    let mut page = Page { params, text: String::new() };
    page.line(format_args!("Accepted connection from {}, port {}", peer.ip(), peer.port()));
    for (n, ends) in outcome.ends.iter().enumerate() {
        if let (Some(local), Some(peer)) = ends {
            page.line(format_args!(
                "[{:>3}] local {} port {} connected to {} port {}",
                n + FIRST,
                local.ip(),
                local.port(),
                peer.ip(),
                peer.port()
            ));
        }
    }
    page.header(true);
    for (n, interval) in outcome.intervals.iter().enumerate() {
        if n > 0 {
            page.rule();
        }
        let span = (interval.from.as_secs_f64(), interval.to.as_secs_f64());
        let note = if interval.is_omitted { "(omitted)" } else { "" };
        page.rows(&interval.moved, Some(&interval.windows), span, note);
    }
    page.rule();
    page.header(false);
    page.rows(&outcome.moved, None, (0.0, outcome.time.as_secs_f64()), "");
    page.text
}

struct Page<'a> {
    params: &'a Params,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        if self.text.len() < MOST {
            let _ = writeln!(self.text, "{}", line.to_string().trim_end());
        }
    }

    fn rule(&mut self) {
        self.line(format_args!("{}", "- ".repeat(25).trim_end()));
    }

    fn header(&mut self, of_intervals: bool) {
        let is_udp = self.params.transport == Transport::Udp;
        let sends = self.params.reverse || self.params.bidirectional;
        let role = if self.params.bidirectional { "[Role]" } else { "" };
        let columns = match (is_udp, sends, of_intervals) {
            (true, true, true) if !self.params.bidirectional => "  Total Datagrams",
            (true, ..) => "  Jitter    Lost/Total Datagrams",
            (false, true, true) => "  Retr  Cwnd",
            (false, true, false) => "  Retr",
            (false, false, _) => "",
        };
        self.line(format_args!("[ ID]{role} Interval           Transfer     Bitrate       {columns}"));
    }

    /// A row for each stream, and for the sum of each direction's.
    fn rows(&mut self, moved: &[Moved], windows: Option<&[Option<u64>]>, span: (f64, f64), note: &str) {
        for sends in [false, true] {
            let of_direction = || moved.iter().enumerate().filter(|(_, moved)| moved.sends == sends);
            for (n, stream) in of_direction() {
                let window = windows.and_then(|windows| windows.get(n).copied().flatten());
                self.row(&format!("{:>3}", n + FIRST), stream, span, window, windows.is_some(), note);
            }
            if of_direction().count() > 1 {
                let sum = sum(of_direction().map(|(_, moved)| &moved.seen));
                self.row("SUM", &Moved { sends, seen: sum }, span, None, windows.is_some(), note);
            }
        }
    }

    fn row(
        &mut self,
        id: &str,
        moved: &Moved,
        (from, to): (f64, f64),
        window: Option<u64>,
        is_interval: bool,
        note: &str,
    ) {
        let role = match (self.params.bidirectional, moved.sends) {
            (false, _) => "",
            (true, true) => "[TX-S]",
            (true, false) => "[RX-S]",
        };
        let rate = if to > from { moved.seen.bytes as f64 * 8.0 / (to - from) } else { 0.0 };
        let end = match (is_interval, moved.sends) {
            (true, _) => note,
            (false, true) => "sender",
            (false, false) => "receiver",
        };
        let detail = match (self.params.transport, moved.sends) {
            (Transport::Tcp, true) => {
                let sent_again = moved.seen.retransmits.map_or_else(String::new, |count| count.to_string());
                let window = window.map_or_else(String::new, |window| octets(window as f64));
                format!("{sent_again:>3}   {window:>11}")
            }
            (Transport::Tcp, false) => " ".repeat(17),
            (Transport::Udp, true) if is_interval => format!("{}", moved.seen.counted()),
            (Transport::Udp, _) => {
                let (lost, all) = (moved.seen.lost(), moved.seen.counted());
                let percent = if all > 0 { lost as f64 / all as f64 * 100.0 } else { 0.0 };
                let jitter = moved.seen.jitter.unwrap_or_default().as_secs_f64() * 1e3;
                format!("{jitter:.3} ms  {lost}/{all} ({percent:.2}%)")
            }
        };
        self.line(format_args!(
            "[{id}]{role} {from:>6.2}-{to:<6.2} sec  {}  {}  {detail}  {end}",
            octets(moved.seen.bytes as f64),
            bits(rate),
        ));
    }
}

/// The streams of a direction as one: their jitter is the mean.
fn sum<'a>(streams: impl Iterator<Item = &'a Stream> + Clone) -> Stream {
    let jitters: Option<Duration> = streams.clone().map(|stream| stream.jitter).sum();
    let jitter = jitters.map(|sum| sum / streams.clone().count().max(1) as u32);
    let none = Stream { omitted: Some((0, 0)), ..Stream::default() };
    let all = streams.fold(none, |sum, stream| Stream {
        bytes: sum.bytes + stream.bytes,
        retransmits: stream.retransmits.map(|count| count + sum.retransmits.unwrap_or(0)),
        errors: sum.errors + stream.errors,
        packets: sum.packets + stream.packets,
        omitted: sum.omitted.zip(stream.omitted).map(|(sum, more)| (sum.0 + more.0, sum.1 + more.1)),
        ..sum
    });
    Stream { jitter, ..all }
}

/// Octets as iperf3 writes them: by 1024.
fn octets(count: f64) -> String {
    scaled(count, 1024.0, ["Bytes", "KBytes", "MBytes", "GBytes", "TBytes"])
}

/// Bits per second, by 1000.
fn bits(rate: f64) -> String {
    scaled(rate, 1000.0, ["bits/sec", "Kbits/sec", "Mbits/sec", "Gbits/sec", "Tbits/sec"])
}

/// A number of about four characters and its unit.
fn scaled(mut number: f64, by: f64, units: [&str; 5]) -> String {
    let mut unit = 0;
    while number >= by && unit + 1 < units.len() {
        number /= by;
        unit += 1;
    }
    let places = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:>4.places$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::iperf3::running::Interval;

    fn moved(id: u32, sends: bool) -> Moved {
        let (retransmits, jitter) = (sends.then_some(2), Some(Duration::from_micros(99)));
        let seen = Stream {
            id,
            bytes: 1_310_720,
            retransmits,
            jitter,
            errors: 4,
            packets: 400,
            ..Stream::default()
        };
        Moved { sends, seen }
    }

    fn told(params: &Params, streams: &[Moved]) -> String {
        let at = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
        let interval = |is_omitted| Interval {
            from: Duration::ZERO,
            to: Duration::from_secs(1),
            is_omitted,
            moved: streams.to_vec(),
            windows: streams.iter().map(|moved| moved.sends.then_some(1 << 20)).collect(),
        };
        let outcome = Outcome {
            time: Duration::from_secs(1),
            moved: streams.to_vec(),
            intervals: vec![interval(true), interval(false)],
            ends: streams.iter().map(|moved| (Some(at(5201)), Some(at(moved.seen.id as u16)))).collect(),
            ..Outcome::default()
        };
        output(at(40_000), params, &outcome)
    }

    #[test]
    fn both_directions_read_like_iperf3s() {
        let params = Params { parallel: 2, bidirectional: true, ..Params::default() };
        let streams = [moved(1, false), moved(3, false), moved(4, true), moved(5, true)];
        insta::assert_snapshot!(told(&params, &streams), @"
        Accepted connection from 192.0.2.1, port 40000
        [  5] local 192.0.2.1 port 5201 connected to 192.0.2.1 port 1
        [  6] local 192.0.2.1 port 5201 connected to 192.0.2.1 port 3
        [  7] local 192.0.2.1 port 5201 connected to 192.0.2.1 port 4
        [  8] local 192.0.2.1 port 5201 connected to 192.0.2.1 port 5
        [ ID][Role] Interval           Transfer     Bitrate         Retr  Cwnd
        [  5][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec                     (omitted)
        [  6][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec                     (omitted)
        [SUM][RX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec                     (omitted)
        [  7][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2   1.00 MBytes  (omitted)
        [  8][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2   1.00 MBytes  (omitted)
        [SUM][TX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec    4                (omitted)
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [  5][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec
        [  6][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec
        [SUM][RX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec
        [  7][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2   1.00 MBytes
        [  8][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2   1.00 MBytes
        [SUM][TX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec    4
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [ ID][Role] Interval           Transfer     Bitrate         Retr
        [  5][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec                     receiver
        [  6][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec                     receiver
        [SUM][RX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec                     receiver
        [  7][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2                sender
        [  8][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2                sender
        [SUM][TX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec    4                sender
        ");
    }

    #[test]
    fn flows_read_like_iperf3s() {
        let params = Params { transport: Transport::Udp, ..Params::default() };
        insta::assert_snapshot!(told(&params, &[moved(1, false)]), @"
        Accepted connection from 192.0.2.1, port 40000
        [  5] local 192.0.2.1 port 5201 connected to 192.0.2.1 port 1
        [ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
        [  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec  0.099 ms  4/400 (1.00%)  (omitted)
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec  0.099 ms  4/400 (1.00%)
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
        [  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec  0.099 ms  4/400 (1.00%)  receiver
        ");
    }

    #[test]
    fn numbers_have_four_characters() {
        let cases = [(0.0, "0.00 Bytes"), (1_310_720.0, "1.25 MBytes"), (11_534_336.0, "11.0 MBytes")];
        for (number, expected) in cases {
            assert_eq!(octets(number), expected);
        }
        assert_eq!([bits(10_485_760.0), bits(999_000.0)], ["10.5 Mbits/sec", " 999 Kbits/sec"]);
    }

    #[test]
    fn an_output_has_an_end() {
        let params = Params::default();
        let mut page = Page { params: &params, text: "x".repeat(MOST - 1) };
        page.rule();
        page.rule();
        assert!(page.text.len() < MOST + 100);
    }
}
