//! A test as a stock server prints it: for clients that ask for that (`--get-server-output`), and for who sits at our screen.

use std::net::SocketAddr;
use std::time::Duration;

use super::running::{Interval, Outcome};
use super::tally::Moved;
use crate::report::text::table::{Columns, Detail, RULE, Row, Table};
use crate::wire::iperf3::{Params, Stream, Transport};

/// Octets of an output.
pub(super) const MOST_OUTPUT: usize = 1 << 20;
/// The number of the first stream: there are no descriptors of ours that a client should see.
pub(super) const FIRST: u32 = 5;

/// The output of a test of the client at `peer`.
pub(super) fn output(peer: SocketAddr, params: &Params, outcome: &Outcome) -> String {
    let numbers: Vec<u32> = (FIRST..).take(outcome.moved.len()).collect();
    let page = Page { params, numbers: &numbers, table: Table::iperf3s(None, params.bidirectional) };
    let mut text = String::new();
    let mut put = |lines: Vec<String>| {
        for line in lines {
            if text.len() < MOST_OUTPUT {
                text += &line;
                text.push('\n');
            }
        }
    };
    put(page.begun(peer, &outcome.ends));
    let intervals = outcome.intervals.iter().enumerate();
    intervals.for_each(|(n, interval)| put(page.interval(interval, n == 0)));
    put(page.ended(outcome));
    text
}

/// The lines about a test.
pub(super) struct Page<'a> {
    pub(super) params: &'a Params,
    /// Of its streams.
    pub(super) numbers: &'a [u32],
    pub(super) table: Table,
}

impl Page<'_> {
    /// Who has come, and both ends of each stream.
    pub(super) fn begun(
        &self,
        peer: SocketAddr,
        ends: &[(Option<SocketAddr>, Option<SocketAddr>)],
    ) -> Vec<String> {
        let ends = self.numbers.iter().zip(ends).filter_map(|(number, ends)| {
            let ((local, port), (peer, to)) = (place(ends.0?), place(ends.1?));
            Some(format!("[{number:>3}] local {local} port {port} connected to {peer} port {to}"))
        });
        [accepted(peer)].into_iter().chain(ends).collect()
    }

    /// The rows of an interval; above the first is its head, above others of several streams a line.
    pub(super) fn interval(&self, interval: &Interval, is_first: bool) -> Vec<String> {
        let note = if interval.is_omitted { "(omitted)" } else { "" };
        let head = is_first.then(|| self.table.head(self.columns(true)));
        let rule = (!is_first && self.params.parallel > 1).then(|| RULE.to_owned());
        let windows: Vec<Option<u64>> =
            interval.sent.iter().map(|sent| sent.as_ref().map(|sent| sent.window())).collect();
        let rows = self.rows(&interval.moved, Some(&windows), (interval.from, interval.to), note);
        head.into_iter().chain(rule).chain(rows).collect()
    }

    /// The last table.
    pub(super) fn ended(&self, outcome: &Outcome) -> Vec<String> {
        let rows = self.rows(&outcome.moved, None, (Duration::ZERO, outcome.time), "");
        [RULE.to_owned(), self.table.head(self.columns(false))].into_iter().chain(rows).collect()
    }

    fn columns(&self, of_intervals: bool) -> Columns {
        let sends = self.params.reverse || self.params.bidirectional;
        match (self.params.transport, sends, of_intervals) {
            (Transport::Udp, true, true) if !self.params.bidirectional => Columns::Datagrams,
            (Transport::Udp, ..) => Columns::Jitter,
            (Transport::Tcp, true, true) => Columns::Window,
            (Transport::Tcp, true, false) => Columns::Again,
            (Transport::Tcp, false, _) => Columns::Plain,
        }
    }

    /// A row for each stream, and for the sum of each direction's; `windows` are an interval's.
    fn rows(
        &self,
        moved: &[Moved],
        windows: Option<&[Option<u64>]>,
        span: (Duration, Duration),
        note: &str,
    ) -> Vec<String> {
        let is_interval = windows.is_some();
        let row = |stream: Option<u32>, moved: &Moved, window: Option<u64>| {
            let seconds = span.1.saturating_sub(span.0).as_secs_f64();
            self.table.row(&Row {
                stream,
                role: if moved.sends { "[TX-S]" } else { "[RX-S]" },
                span,
                bytes: moved.seen.bytes,
                bps: if seconds > 0.0 { moved.seen.bytes as f64 * 8.0 / seconds } else { 0.0 },
                detail: self.detail(moved, window, is_interval),
                note: match (is_interval, moved.sends) {
                    (true, _) => note,
                    (false, true) => "sender",
                    (false, false) => "receiver",
                },
            })
        };
        let mut rows = Vec::new();
        for sends in [false, true] {
            let of_direction = || moved.iter().enumerate().filter(|(_, moved)| moved.sends == sends);
            for (n, stream) in of_direction() {
                let window = windows.and_then(|windows| windows.get(n).copied().flatten());
                rows.push(row(self.numbers.get(n).copied(), stream, window));
            }
            if of_direction().count() > 1 {
                let seen = sum(of_direction().map(|(_, moved)| &moved.seen));
                rows.push(row(None, &Moved { sends, seen }, None));
            }
        }
        rows
    }

    fn detail(&self, moved: &Moved, window: Option<u64>, is_interval: bool) -> Detail {
        match (self.params.transport, moved.sends) {
            (Transport::Tcp, true) => Detail::Again(moved.seen.retransmits, window),
            (Transport::Tcp, false) => Detail::Plain,
            (Transport::Udp, true) if is_interval => Detail::Datagrams(moved.seen.counted()),
            (Transport::Udp, true) => Detail::Jitter(Duration::ZERO, 0, moved.seen.counted()),
            (Transport::Udp, false) => Detail::Jitter(
                moved.seen.jitter.unwrap_or_default(),
                moved.seen.lost() as i64,
                moved.seen.counted(),
            ),
        }
    }
}

/// Who has come.
pub(super) fn accepted(peer: SocketAddr) -> String {
    let (address, port) = place(peer);
    format!("Accepted connection from {address}, port {port}")
}

fn place(address: SocketAddr) -> (String, u16) {
    (address.ip().to_canonical().to_string(), address.port())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::tcp;

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
        let window = tcp::Info { cwnd: 1 << 10, payload: 1 << 10, ..tcp::Info::default() };
        let interval = |is_omitted| Interval {
            from: Duration::ZERO,
            to: Duration::from_secs(1),
            is_omitted,
            moved: streams.to_vec(),
            sent: streams.iter().map(|moved| moved.sends.then_some(window)).collect(),
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
        [  5][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec                  (omitted)
        [  6][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec                  (omitted)
        [SUM][RX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec                  (omitted)
        [  7][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2   1.00 MBytes       (omitted)
        [  8][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2   1.00 MBytes       (omitted)
        [SUM][TX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec    4             (omitted)
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [  5][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec
        [  6][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec
        [SUM][RX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec
        [  7][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2   1.00 MBytes
        [  8][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2   1.00 MBytes
        [SUM][TX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec    4
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [ ID][Role] Interval           Transfer     Bitrate         Retr
        [  5][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec                  receiver
        [  6][RX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec                  receiver
        [SUM][RX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec                  receiver
        [  7][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2             sender
        [  8][TX-S]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec    2             sender
        [SUM][TX-S]   0.00-1.00   sec  2.50 MBytes  21.0 Mbits/sec    4             sender
        ");
    }

    #[test]
    fn flows_read_like_iperf3s() {
        let params = Params { transport: Transport::Udp, ..Params::default() };
        insta::assert_snapshot!(told(&params, &[moved(1, false)]), @"
        Accepted connection from 192.0.2.1, port 40000
        [  5] local 192.0.2.1 port 5201 connected to 192.0.2.1 port 1
        [ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
        [  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec  0.099 ms  4/400 (1%)  (omitted)
        [  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec  0.099 ms  4/400 (1%)
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
        [  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec  0.099 ms  4/400 (1%)  receiver
        ");
    }

    #[test]
    fn an_output_has_an_end() {
        let streams = vec![moved(1, false); 128];
        let params = Params { parallel: 128, ..Params::default() };
        assert!(told(&params, &streams.repeat(200)).len() < MOST_OUTPUT + 200);
    }
}
