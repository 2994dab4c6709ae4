//! A test that runs: who moves octets, for how long, and when it is too much.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::end::End;
use super::screen::Teller;
use super::streams::{Glance, Line};
use super::talk::{Talk, unexpected};
use super::tally::{Moved, cpu, inside};
use super::{Iperf3Settings, Shared, limits};
use crate::net::bulk::{Pace, Test, Worker};
use crate::sys::{bulk, clock, tcp};
use crate::wire::iperf3::{Code, Cpu, Inside, Params, Refusal, State, Transport};

/// How often it is looked what was moved.
const TICK: Duration = Duration::from_millis(100);
/// Nothing may move for so long at most: a place is for who tests.
const STALL: Duration = Duration::from_secs(15);
/// What a flow may bring above its rate: so much more, and at once so much time's worth.
const TOLERANCE: f64 = 1.05;
const BURST: Duration = Duration::from_secs(1);
/// So long after the last octet nothing more comes; and how long that is waited for.
const QUIET: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(2);
/// What is reported together.
const INTERVAL: Duration = Duration::from_secs(1);
/// Intervals that are remembered for who wants them all at the end: an hour's.
pub(super) const MOST_INTERVALS: usize = 3600;

/// A test that runs.
pub(super) struct Running {
    params: Params,
    shared: Arc<Shared>,
    source: IpAddr,
    test: Arc<Test>,
    began: Instant,
    /// What each stream showed when that began which counts, when that was, and what the process had used then.
    base: Vec<Glance>,
    counts_from: Instant,
    process: (Duration, Duration),
    /// Octets that the ledger knows of.
    noted: u64,
    /// When that last grew.
    moved_at: Instant,
    intervals: Vec<Interval>,
    last: (Instant, Vec<Glance>),
    /// Who shows it, where somebody does.
    teller: Option<Teller>,
    /// How long an interval is, where anybody wants them.
    every: Option<Duration>,
}

/// What was moved in an interval.
#[derive(Debug)]
pub(super) struct Interval {
    /// When it began and ended, since that began which it belongs to: what is omitted, or what counts.
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) is_omitted: bool,
    /// By stream.
    pub(super) moved: Vec<Moved>,
    /// What the kernel knew at its end of the streams through which we send.
    pub(super) sent: Vec<Option<tcp::Info>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How long that took which counts.
    pub(super) time: Duration,
    pub(super) moved: Vec<Moved>,
    pub(super) intervals: Vec<Interval>,
    pub(super) cpu: Cpu,
    pub(super) congestion: Option<String>,
    /// What a client is told that is a waddleperf.
    pub(super) inside: Inside,
    /// Both ends of each stream.
    pub(super) ends: Vec<(Option<SocketAddr>, Option<SocketAddr>)>,
}

impl Running {
    /// Starts who receives: nothing that the client sends then waits for us.
    pub(super) fn start(
        params: &Params,
        shared: &Arc<Shared>,
        source: IpAddr,
        lines: &mut [Line],
        teller: Option<Teller>,
    ) -> Result<Self, End> {
        let every = match &teller {
            Some(teller) => teller.interval(),
            None => params.wants_output.then_some(INTERVAL),
        };
        let failed = |error| Refusal::new(Code::STREAM_ACCEPT, format_args!("{error}"));
        let now = clock::now().mono;
        let test = Test::new(now, None).map_err(|error: std::io::Error| failed(error))?;
        let test = match limits::ceiling(&shared.settings, params) {
            0 => test,
            rate => test.below(rate),
        };
        let began = Instant::from_std(now);
        let running = Self {
            params: params.clone(),
            shared: Arc::clone(shared),
            source,
            test: Arc::new(test),
            began,
            base: vec![Glance::default(); lines.len()],
            counts_from: began,
            process: bulk::process_time(),
            noted: 0,
            moved_at: began,
            intervals: Vec::new(),
            last: (began, vec![Glance::default(); lines.len()]),
            teller,
            every,
        };
        for line in lines.iter_mut().filter(|line| !line.sends) {
            line.start(&running.test)?;
        }
        Ok(running)
    }

    /// Starts who sends, once the client knows that the test runs.
    pub(super) fn start_sending(&mut self, lines: &mut [Line]) -> Result<(), End> {
        // Retransmits of the handshake are none of the test's; all that come once octets are sent are.
        let mut shaken = glances(lines);
        shaken.iter_mut().for_each(|glance| glance.reading = Default::default());
        if self.params.omit == 0 {
            self.base.clone_from(&shaken);
        }
        self.last.1 = shaken;
        for line in lines.iter_mut().filter(|line| line.sends) {
            line.start(&self.test)?;
        }
        Ok(())
    }

    /// Waits for the client's word that it is over.
    pub(super) async fn watch(&mut self, talk: &mut Talk, lines: &mut [Line]) -> Result<(), End> {
        let shared = Arc::clone(&self.shared);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let omit = Duration::from_secs(self.params.omit.into());
        let mut is_omitting = !omit.is_zero();
        let longest = limits::longest(&self.shared.settings, &self.params);
        let (over, code) =
            longest.map_or((self.began, Code::EXPIRED), |(time, code)| (self.began + time, code));
        loop {
            let next = self.every.map(|every| self.last.0 + every);
            tokio::select! {
                said = talk.heard("the end of the test") => return match said? {
                    State::TestEnd => Ok(()),
                    other => Err(unexpected(other, "the end of the test")),
                },
                () = shared.ended.cancelled() => return Err(End::Stopping),
                () = sleep_until(over), if longest.is_some() => {
                    return Err(Refusal::new(code, "the test went on for too long").into());
                }
                _ = tick.tick() => self.judge(lines)?,
                () = sleep_until(self.began + omit), if is_omitting => {
                    is_omitting = false;
                    self.begin_anew(lines);
                }
                () = sleep_until(next.unwrap_or(self.began)), if next.is_some() => {
                    self.note(next.unwrap_or(self.began), lines, is_omitting);
                }
            }
        }
    }

    /// What came so far does not count.
    fn begin_anew(&mut self, lines: &[Line]) {
        let now = Instant::now();
        // The last one that is omitted ends now, and may have been noted just before.
        if self.every.is_some_and(|every| now.saturating_duration_since(self.last.0) > every / 10) {
            self.note(now, lines, true);
        }
        self.test.begin_anew();
        self.base = glances(lines);
        self.process = bulk::process_time();
        self.counts_from = now;
        self.last = (now, self.base.clone());
    }

    /// Notes an interval that has ended.
    fn note(&mut self, at: Instant, lines: &[Line], is_omitted: bool) {
        let glances = glances(lines);
        let since = if is_omitted { self.began } else { self.counts_from };
        let (from, before) = std::mem::replace(&mut self.last, (at, glances));
        let time = at.saturating_duration_since(from);
        let moved = |(line, (before, now))| Moved::between(line, before, now, time);
        let interval = Interval {
            from: from.saturating_duration_since(since),
            to: at.saturating_duration_since(since),
            is_omitted,
            moved: lines.iter().zip(before.iter().zip(&self.last.1)).map(moved).collect(),
            sent: self.last.1.iter().map(|glance| glance.sent).collect(),
        };
        if let Some(teller) = &mut self.teller {
            teller.tell(&interval);
        }
        if self.params.wants_output && self.intervals.len() < MOST_INTERVALS {
            self.intervals.push(interval);
        }
    }

    /// Ends a test that moves too much.
    fn judge(&mut self, lines: &[Line]) -> Result<(), End> {
        let octets: u64 = lines.iter().map(|line| line.gauge.read().octets).sum();
        let new = octets.saturating_sub(std::mem::replace(&mut self.noted, octets));
        let now = Instant::now();
        if new > 0 {
            self.moved_at = now;
        }
        if now.saturating_duration_since(self.moved_at) > self.longest_stall() {
            return Err(Refusal::new(Code::NO_DATA, "nothing moves any more").into());
        }
        let settings = &self.shared.settings;
        let refuse = |what: &str| Err(Refusal::new(Code::RATE, what).into());
        if !self.shared.ledger.spend(self.source, new, clock::now().mono) {
            return refuse("the day's octets are used up");
        }
        if settings.bytes > 0 && octets > settings.bytes {
            return refuse("more octets than a test may move");
        }
        if self.params.transport == Transport::Udp && self.is_too_fast(settings, lines) {
            return refuse("the client sends faster than the server allows");
        }
        Ok(())
    }

    /// How long nothing may move: at a low rate a unit may take longer than else a stall.
    fn longest_stall(&self) -> Duration {
        STALL + Pace { rate: self.params.rate, burst: 1 }.time(self.params.length as usize * 2)
    }

    /// Whether more datagrams come than the rate allows: unlike a connection, a flow cannot be slowed down.
    fn is_too_fast(&self, settings: &Iperf3Settings, lines: &[Line]) -> bool {
        let most = limits::ceiling(settings, &self.params);
        let time = self.began.elapsed() + BURST;
        most > 0 && received(lines) as f64 * 8.0 > most as f64 * time.as_secs_f64() * TOLERANCE
    }

    /// Waits for what is under way to us: a client that has sent so many octets ends its test before all have come. Returns when
    /// the last one did.
    async fn settle(&self, lines: &[Line]) -> Instant {
        let ended = Instant::now();
        let mut read = received(lines);
        while (self.params.bytes > 0 || self.params.blocks > 0) && ended.elapsed() < PATIENCE {
            let Some(quiet) = lines.iter().filter_map(Line::quiet).min() else { break };
            sleep(QUIET.saturating_sub(quiet).max(QUIET / 4)).await;
            let before = std::mem::replace(&mut read, received(lines));
            if quiet >= QUIET && before == read {
                return Instant::now().checked_sub(quiet).map_or(ended, |last| last.max(self.counts_from));
            }
        }
        ended
    }

    /// Stops everybody, and counts; gives back who shows the test.
    pub(super) async fn finish(mut self, lines: &mut [Line], is_whole: bool) -> (Outcome, Option<Teller>) {
        let ended = if is_whole { self.settle(lines).await } else { Instant::now() };
        // The kernel's view, while there are connections.
        let mut end = glances(lines);
        let process = bulk::process_time();
        self.test.stop.set();
        let workers: Vec<Worker> = lines.iter_mut().filter_map(Line::take_worker).collect();
        let joined = tokio::task::spawn_blocking(move || {
            for worker in workers {
                if let Err(error) = worker.join() {
                    tracing::debug!("iperf3: a stream ended early: {error}");
                }
            }
        });
        let _ = joined.await;
        // What had come before the end counts, also what was read only now.
        for (glance, line) in end.iter_mut().zip(&*lines) {
            glance.reading = line.gauge.read();
        }
        // Also what no tick has seen is of the day's octets.
        let octets: u64 = end.iter().map(|glance| glance.reading.octets).sum();
        self.shared.ledger.spend(self.source, octets.saturating_sub(self.noted), clock::now().mono);
        let congestion = lines.iter().find_map(Line::congestion);
        // A rate over a few milliseconds tells nothing.
        let rest = ended.saturating_duration_since(self.last.0);
        let is_first = self.last.0 == self.counts_from;
        if self.every.is_some_and(|every| rest > every / 10 || is_first) {
            self.note(ended, lines, ended < self.counts_from);
        }
        let time = ended.saturating_duration_since(self.counts_from);
        let since = end.iter().zip(&self.base).map(|(end, base)| end.reading.since(&base.reading));
        let readings: Vec<_> = lines.iter().map(|line| line.sends).zip(since).collect();
        let threads = readings.iter().map(|(_, reading)| reading.processor);
        let used = (process.0.saturating_sub(self.process.0), process.1.saturating_sub(self.process.1));
        let moved = lines.iter().zip(self.base.iter().zip(&end));
        let outcome = Outcome {
            time,
            cpu: cpu(threads.sum(), used, time),
            moved: moved.map(|(line, (base, end))| Moved::between(line, base, end, time)).collect(),
            intervals: std::mem::take(&mut self.intervals),
            congestion,
            inside: inside(
                &readings,
                time,
                limits::ceiling(&self.shared.settings, &self.params),
                self.params.transport == Transport::Udp,
            ),
            ends: lines.iter().map(|line| (line.local, line.peer)).collect(),
        };
        (outcome, self.teller.take())
    }
}

impl Drop for Running {
    /// However it ends: nobody sends from here on.
    fn drop(&mut self) {
        self.test.stop.set();
    }
}

/// Octets that have been read.
fn received(lines: &[Line]) -> u64 {
    lines.iter().filter(|line| !line.sends).map(|line| line.gauge.read().octets).sum()
}

fn glances(lines: &[Line]) -> Vec<Glance> {
    lines.iter().map(Line::glance).collect()
}
