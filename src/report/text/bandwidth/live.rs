//! The lines of a test that runs: its streams, and a row for each of them at the end of each interval.

use std::time::Duration;

use super::table::{Columns, Detail, RULE, Row, Table};
use crate::probe::Event;
use crate::probe::bandwidth::{Bandwidth, Ends, Tally, Wording};
use crate::report::text::escape;

/// The table that grows while a test runs.
#[derive(Debug, Default)]
pub(in crate::report::text) struct Live {
    table: Table,
    has_head: bool,
    /// What stands above all, with iperf3's words.
    connecting: Vec<String>,
    /// The interval that the last row of a stream tells of: its beginning, and whether it counts.
    last: Option<(Duration, bool)>,
}

/// Whom a direction's rows are about, as a client's table names them.
pub(super) const fn role(up: bool) -> &'static str {
    if up { "[TX-C]" } else { "[RX-C]" }
}

/// Both ends of a stream.
fn ends(ends: &Ends) -> String {
    let (local, peer) = (ends.local.ip().to_canonical(), ends.peer.ip().to_canonical());
    let (port, to) = (ends.local.port(), ends.peer.port());
    format!("[{:>3}] local {local} port {port} connected to {peer} port {to}", ends.id)
}

/// The columns of what streams moved in an interval.
const fn columns(tally: &Tally, both: bool) -> Columns {
    match tally {
        Tally { jitter: Some(_), .. } => Columns::Jitter,
        Tally { datagrams: Some(_), .. } if both => Columns::Jitter,
        Tally { datagrams: Some(_), .. } => Columns::Datagrams,
        Tally { retransmits: Some(_), .. } => Columns::Window,
        _ => Columns::Plain,
    }
}

/// What a row about `tally` has besides; windows are no sum.
fn detail(tally: &Tally, is_sum: bool) -> Detail {
    match *tally {
        Tally { jitter: Some(jitter), datagrams: Some(all), lost: Some(lost), .. } => {
            Detail::Jitter(jitter, lost, all)
        }
        Tally { datagrams: Some(all), .. } => Detail::Datagrams(all),
        Tally { retransmits: Some(again), cwnd_bytes, .. } => {
            Detail::Again(Some(again), cwnd_bytes.filter(|_| !is_sum))
        }
        _ => Detail::Plain,
    }
}

impl Live {
    /// The table of a test that is `asked` for.
    pub(in crate::report::text) fn of(asked: &Bandwidth) -> Self {
        let connecting = match asked.style {
            Wording::Waddleperf => Vec::new(),
            Wording::Iperf3 => connecting(asked),
        };
        Self { table: table(asked), connecting, ..Self::default() }
    }

    /// Whether its words are iperf3's.
    pub(in crate::report::text) fn is_iperf3s(&self) -> bool {
        self.table.wording == Wording::Iperf3
    }

    /// The lines about `event`: those of the head, and others.
    pub(in crate::report::text) fn lines(&mut self, event: &Event) -> (Vec<String>, Vec<String>) {
        match event {
            Event::Streams { trace } => {
                let connecting = self.connecting.drain(..);
                (Vec::new(), connecting.chain(trace.streams.iter().map(ends)).collect())
            }
            Event::Throughput { stream, is_whole, up, both, start, end, tally, omitted, .. } => {
                self.table.has_roles = *both;
                let row = Row {
                    stream: *stream,
                    role: role(*up),
                    span: (*start, *end),
                    bytes: tally.bytes,
                    bps: tally.throughput_bps.unwrap_or(0.0),
                    detail: detail(tally, stream.is_none()),
                    note: if *omitted { "(omitted)" } else { "" },
                };
                let of = Some((*start, *omitted));
                let is_next = !is_whole && self.last.is_some_and(|last| Some(last) != of);
                self.last = if *is_whole { self.last } else { of };
                let has_head = std::mem::replace(&mut self.has_head, true);
                let head = (!has_head).then(|| self.table.head(columns(tally, *both)));
                let rule = is_next.then(|| RULE.to_owned());
                (head.into_iter().collect(), rule.into_iter().chain([self.table.row(&row)]).collect())
            }
            _ => (Vec::new(), Vec::new()),
        }
    }
}

/// What iperf3 says of what is `asked` for.
fn connecting(asked: &Bandwidth) -> Vec<String> {
    let host = escape(asked.target.as_str());
    let reverse = asked.reverse.then(|| format!("Reverse mode, remote host {host} is sending"));
    [format!("Connecting to host {host}, port {}", asked.port)].into_iter().chain(reverse).collect()
}

/// How what is `asked` for is written.
pub(super) fn table(asked: &Bandwidth) -> Table {
    Table { unit: asked.format, wording: asked.style, has_roles: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interval_of_several_streams_has_its_rule() {
        let tally =
            Tally { bytes: 655_360, throughput_bps: Some(5.24e6), retransmits: Some(0), ..Tally::default() };
        let mut live = Live::of(&Bandwidth::default());
        let mut shown = Vec::new();
        for second in [0, 1] {
            for stream in [Some(1), Some(3), None] {
                let (start, end) = (Duration::from_secs(second), Duration::from_secs(second + 1));
                let (at, is_whole, up, both) = (0, stream.is_none(), true, false);
                let event = Event::Throughput {
                    at,
                    stream,
                    is_whole,
                    up,
                    both,
                    start,
                    end,
                    tally,
                    omitted: second == 0,
                };
                let (head, rows) = live.lines(&event);
                shown.extend(head.into_iter().chain(rows));
            }
        }
        insta::assert_snapshot!(shown.join("\n"), @r"
        [ ID] Interval           Transfer     Bitrate         Retr  Cwnd
        [  1]   0.00-1.00   sec   640 KiB     5.24 Mbit/s       0             (omitted)
        [  3]   0.00-1.00   sec   640 KiB     5.24 Mbit/s       0             (omitted)
        [SUM]   0.00-1.00   sec   640 KiB     5.24 Mbit/s       0             (omitted)
        - - - - - - - - - - - - - - - - - - - - - - - - -
        [  1]   1.00-2.00   sec   640 KiB     5.24 Mbit/s       0
        [  3]   1.00-2.00   sec   640 KiB     5.24 Mbit/s       0
        [SUM]   1.00-2.00   sec   640 KiB     5.24 Mbit/s       0
        ");
    }
}
