//! The screen of iperf3's own server: each test as it runs, in its words or in its JSON, for who sits before it.
//!
//! Several tests run at the same time, so their streams have numbers that no other one on the screen has, as descriptors would be.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;
use tokio::sync::mpsc;

use super::end::End;
use super::running::{Interval, MOST_INTERVALS, Outcome};
use super::streams::Line;
use super::tally::{self, Moved};
use super::text::{FIRST, MOST_OUTPUT, Page, accepted};
use crate::probe::Target;
use crate::probe::bandwidth::{Bandwidth, Both, Ends, Kernel, RateUnit, Snapshot, Tally, Total, Trace};
use crate::report::text::table::Table;
use crate::report::text::{Iperf3Form, stamp};
use crate::sys::clock;
use crate::units::Span;
use crate::wire::iperf3::{Cookie, Params, Results, Transport};

/// Stands above and below what is listened to.
const LINE: &str = "-----------------------------------------------------------";

/// In which form tests are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shown {
    /// iperf3's lines and tables.
    Text,
    /// What `iperf3 -J` prints, at the end of each test.
    Json,
    /// What `iperf3 --json-stream` prints.
    JsonStream,
}

/// How tests are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Show {
    /// In which form.
    pub form: Shown,
    /// How long an interval is; nothing where there are none.
    pub interval: Duration,
    /// The unit of rates; `None` is what fits.
    pub unit: Option<RateUnit>,
    /// How the time before each line is written (strftime(3)).
    pub timestamps: Option<String>,
}

/// A screen.
pub(super) struct Screen {
    show: Show,
    port: u16,
    to: mpsc::Sender<String>,
    /// Tests that have begun.
    tests: AtomicU64,
    /// Numbers of streams that are on it.
    numbers: Mutex<BTreeSet<u32>>,
}

impl Screen {
    /// One of a server at `port` whose lines go to `to`: those that it has no room for are lost.
    pub(super) fn new(show: Show, port: u16, to: mpsc::Sender<String>) -> Self {
        Self { show, port, to, tests: AtomicU64::new(0), numbers: Mutex::default() }
    }

    /// Says that it waits for the next test.
    pub(super) fn wait(&self) {
        if self.show.form == Shown::Text {
            let next = self.tests.load(Ordering::Relaxed) + 1;
            let listening = format!("Server listening on {} (test #{next})", self.port);
            self.put(&[LINE.to_owned(), listening, LINE.to_owned()]);
        }
    }

    /// Says that the client at `peer` has no test, and why.
    pub(super) fn refuse(&self, peer: SocketAddr, end: &End) {
        if self.show.form == Shown::Text {
            self.put(&[accepted(peer), format!("iperf3: error - {end}")]);
        }
    }

    /// Says what is not as it was asked for.
    pub(super) fn warn(&self, what: &str) {
        if self.show.form == Shown::Text {
            self.put(&[format!("warning: {what}")]);
        }
    }

    /// Shows a test of the client at `peer`, whose streams are `lines`.
    pub(super) fn test(
        self: &Arc<Self>,
        peer: SocketAddr,
        cookie: &Cookie,
        params: &Params,
        lines: &[Line],
    ) -> Teller {
        self.tests.fetch_add(1, Ordering::Relaxed);
        let numbers = self.take(lines.len());
        let asked = Bandwidth {
            interval: Span(self.show.interval),
            ..Bandwidth::of(params, Target::from(peer.ip().to_canonical().to_string().as_str()))
        };
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let ends = |(line, number): (&Line, &u32)| Ends {
            id: *number,
            local: line.local.unwrap_or(unknown),
            peer: line.peer.unwrap_or(unknown),
            sends: line.sends,
        };
        let (send, receive) = lines.iter().find_map(Line::buffers).unwrap_or_default();
        let trace = Trace {
            at: clock::now().timestamp(),
            cookie: cookie.shown(),
            peer,
            length: params.length,
            mss: params.mss,
            buffers: (params.window.into(), send as u64, receive as u64),
            streams: lines.iter().zip(&numbers).map(ends).collect(),
            intervals: Vec::new(),
            totals: Vec::new(),
            cpu: [[0.0; 3]; 2],
            congestion: [None, None],
        };
        let teller = Teller {
            screen: Arc::clone(self),
            params: params.clone(),
            numbers,
            asked,
            trace,
            rtts: Vec::new(),
            has_head: false,
        };
        match self.show.form {
            Shown::Text => {
                let ends: Vec<_> = lines.iter().map(|line| (line.local, line.peer)).collect();
                self.put(&teller.page().begun(peer, &ends));
            }
            Shown::Json => {}
            Shown::JsonStream => self.put(&[teller.form().start_line()]),
        }
        teller
    }

    fn put(&self, lines: &[String]) {
        let format = self.show.timestamps.as_deref().filter(|_| self.show.form == Shown::Text);
        let time = format.and_then(|format| stamp(clock::now().wall, format));
        let time = time.map_or_else(String::new, |time| time + " ");
        let text: Vec<String> = lines.iter().map(|line| format!("{time}{line}")).collect();
        // A server goes on when nobody reads what it says.
        let _ = self.to.try_send(text.join("\n"));
    }

    /// The least numbers that are free.
    fn take(&self, count: usize) -> Vec<u32> {
        let mut taken = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let free: Vec<u32> = (FIRST..).filter(|number| !taken.contains(number)).take(count).collect();
        taken.extend(&free);
        free
    }
}

/// Who shows one test.
pub(super) struct Teller {
    screen: Arc<Screen>,
    params: Params,
    numbers: Vec<u32>,
    /// What was asked for and what came of it, as a client of ours would know it.
    asked: Bandwidth,
    trace: Trace,
    /// Of each stream the sum of the RTTs that it has shown, microseconds, and how many they are.
    rtts: Vec<(u64, u64)>,
    has_head: bool,
}

impl Teller {
    /// How long an interval is.
    pub(super) fn interval(&self) -> Option<Duration> {
        Some(self.screen.show.interval).filter(|interval| !interval.is_zero())
    }

    /// Shows an interval.
    pub(super) fn tell(&mut self, interval: &Interval) {
        let snapshots = self.snapshots(interval);
        match self.screen.show.form {
            Shown::Text => {
                let is_first = !std::mem::replace(&mut self.has_head, true);
                self.screen.put(&self.page().interval(interval, is_first));
            }
            Shown::Json => {}
            Shown::JsonStream => self.screen.put(&[self.form().interval_line(&snapshots)]),
        }
        self.note(&snapshots);
        let are_kept = match self.screen.show.form {
            Shown::Text => false,
            Shown::Json => true,
            Shown::JsonStream => self.params.wants_output,
        };
        if are_kept && self.trace.intervals.len() < MOST_INTERVALS {
            self.trace.intervals.push(snapshots);
        }
    }

    /// What came of the test and of what the client has told, for that client (`--get-server-output`), where it is shown as JSON.
    pub(super) fn document(&mut self, outcome: &Outcome, theirs: &Results) -> Option<Value> {
        if self.screen.show.form == Shown::Text {
            return None;
        }
        self.total(outcome, Some(theirs));
        Some(self.form().value(MOST_OUTPUT))
    }

    /// Shows what came of the test, and of what the client has `told`, and waits for the next one.
    pub(super) fn end(mut self, outcome: &Outcome, told: &Result<Results, End>) {
        let error = told.as_ref().err().map(|end| format!("error - {end}"));
        self.total(outcome, told.as_ref().ok());
        let lines = match self.screen.show.form {
            Shown::Text => {
                let error = error.map(|error| format!("iperf3: {error}"));
                self.page().ended(outcome).into_iter().chain(error).collect()
            }
            Shown::Json => vec![self.form().text(error.as_deref())],
            Shown::JsonStream => self.form().end_lines(error.as_deref()),
        };
        self.screen.put(&lines);
        self.screen.wait();
    }

    fn page(&self) -> Page<'_> {
        let table = Table::iperf3s(self.screen.show.unit, self.params.bidirectional);
        Page { params: &self.params, numbers: &self.numbers, table }
    }

    fn form(&self) -> Iperf3Form<'_> {
        Iperf3Form::of_server(&self.asked, &self.trace)
    }

    const fn is_udp(&self) -> bool {
        matches!(self.params.transport, Transport::Udp)
    }

    fn snapshots(&self, interval: &Interval) -> Vec<Snapshot> {
        let span = (interval.from, interval.to);
        let seconds = span.1.saturating_sub(span.0).as_secs_f64();
        let snapshot = |(moved, sent): (&Moved, &Option<crate::sys::tcp::Info>)| Snapshot {
            span,
            tally: Tally {
                bytes: moved.seen.bytes,
                throughput_bps: (seconds > 0.0).then(|| moved.seen.bytes as f64 * 8.0 / seconds),
                retransmits: moved.seen.retransmits,
                cwnd_bytes: sent.as_ref().map(|sent| sent.window()),
                datagrams: self.is_udp().then(|| moved.seen.counted()),
                lost: (self.is_udp() && !moved.sends).then(|| moved.seen.lost() as i64),
                jitter: (self.is_udp() && !moved.sends).then(|| moved.seen.jitter.unwrap_or_default()),
            },
            tcp: sent.as_ref().map(Kernel::from),
            omitted: interval.is_omitted,
        };
        interval.moved.iter().zip(&interval.sent).map(snapshot).collect()
    }

    /// Keeps the extremes and means of what connections show; what was omitted does not count.
    fn note(&mut self, snapshots: &[Snapshot]) {
        if snapshots.iter().any(|snapshot| snapshot.omitted) {
            return;
        }
        self.trace.totals.resize(snapshots.len(), Total::default());
        self.rtts.resize(snapshots.len(), (0, 0));
        for ((total, rtts), snapshot) in self.trace.totals.iter_mut().zip(&mut self.rtts).zip(snapshots) {
            let Some(kernel) = snapshot.tcp else { continue };
            let (cwnd, rtt) = (snapshot.tally.cwnd_bytes.unwrap_or(0), kernel.rtt_us.0);
            total.windows = (total.windows.0.max(cwnd), total.windows.1.max(kernel.snd_wnd));
            if rtt > 0 {
                let (most, least, _) = total.rtt_us;
                let least = if least == 0 { rtt } else { least.min(rtt) };
                *rtts = (rtts.0 + rtt, rtts.1 + 1);
                total.rtt_us = (most.max(rtt), least, rtts.0 / rtts.1);
            }
        }
    }

    /// Puts together what both ends have seen of it.
    fn total(&mut self, outcome: &Outcome, theirs: Option<&Results>) {
        let ours = tally::results(&self.params, outcome, theirs);
        let both = Both { asked: &self.asked, is_client: false, ours: &ours, theirs };
        self.trace.totals.resize(ours.streams.len(), Total::default());
        for (total, ours) in self.trace.totals.iter_mut().zip(&ours.streams) {
            *total = Total { windows: total.windows, rtt_us: total.rtt_us, ..both.total(ours) };
        }
        let percent = |cpu: crate::wire::iperf3::Cpu| [cpu.total, cpu.user, cpu.system];
        self.trace.cpu = [percent(outcome.cpu), theirs.map_or([0.0; 3], |theirs| percent(theirs.cpu))];
        let (ours, far) = (outcome.congestion.clone(), theirs.and_then(|theirs| theirs.congestion.clone()));
        self.trace.congestion = if self.params.reverse { [ours, far] } else { [far, ours] };
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        let mut taken = self.screen.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|number| !self.numbers.contains(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_tests_at_the_same_time_have_numbers_of_their_own() {
        let (to, _from) = mpsc::channel(1);
        let show = Show { form: Shown::Text, interval: Duration::from_secs(1), unit: None, timestamps: None };
        let screen = Arc::new(Screen::new(show, 5201, to));
        let params = Params::default();
        let test =
            || screen.test(SocketAddr::from(([192, 0, 2, 1], 7)), &Cookie::new([b'a'; 36]), &params, &[]);
        let mut first = test();
        first.numbers = screen.take(2);
        let mut second = test();
        second.numbers = screen.take(1);
        assert_eq!((&first.numbers, &second.numbers), (&vec![5, 6], &vec![7]));
        drop(first);
        assert_eq!(screen.take(3), [5, 6, 8]);
    }
}
