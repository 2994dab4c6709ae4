//! The trials of a search, one after the other, each on a control connection of its own.

use std::time::{Duration, Instant};

use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::judge::Rule;
use super::seek::{Goal, Outcome, Seek, Step};
use super::{Search, SearchEnd, Trial, Verdict};
use crate::failure::{Class, Failure};
use crate::probe::bandwidth::busy::Backoff;
use crate::probe::bandwidth::run::{Held, Server};
use crate::probe::bandwidth::talk::Untested;
use crate::probe::bandwidth::{Bandwidth, Rate, Report};
use crate::probe::{Ctx, Event, Events};
use crate::sys::clock;
use crate::units::Span;
use crate::wire::iperf3::Code;

/// Where a search begins, bits per second; and datagrams of a trial, fewer of which say nothing.
const START: f64 = 1e6;
const LEAST_DATAGRAMS: f64 = 20.0;
/// The highest rate that is tried where nobody says which.
const CEILING: u64 = 10_000_000_000;
/// Between two trials: queues are emptied, and a stock server listens again.
const PAUSE: Duration = Duration::from_millis(250);
/// What the conversation of a trial may take beside its time, on average.
const TALK: Duration = Duration::from_secs(1);
/// How long a busy server is waited for, where nobody says how long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Trials that are not held, one after the other, end a search.
const MOST_VOID: u32 = 2;

/// A search by trials like `asked`.
struct Finder<'a> {
    asked: &'a Bandwidth,
    ctx: &'a Ctx,
    server: Server,
    rule: Rule,
    seek: Seek,
    trials: Vec<Trial>,
    /// What the trial has told that counts: of the highest rate that passed, else the last.
    report: Option<(Option<f64>, Report)>,
    deadline: Instant,
}

/// Why a search ends before its end.
enum Early {
    Interrupted,
    Deadline,
    Broken(Failure),
}

impl Bandwidth {
    /// The bounds of its search, all streams together.
    fn goal(&self) -> Goal {
        let streams = f64::from(self.parallel);
        let ceiling = self.ceiling() as f64 * streams;
        let datagrams = LEAST_DATAGRAMS * f64::from(self.length_over(0)) * 8.0 / self.trial.0.as_secs_f64();
        let floor = (datagrams * streams).min(ceiling);
        Goal { floor, start: floor.max(START).min(ceiling), ceiling }
    }

    /// The highest rate of a stream that a search tries.
    pub(in crate::probe::bandwidth) fn ceiling(&self) -> u64 {
        let share = CEILING / u64::from(self.parallel.max(1));
        self.bitrate.map(|rate| rate.bps).filter(|&bps| bps > 0).unwrap_or(share)
    }

    /// How long its search takes at most.
    pub(in crate::probe::bandwidth) fn longest_search(&self) -> Duration {
        let (short, long) = self.goal().trials();
        let each = |time: Duration| time + self.omit.0 + PAUSE + TALK;
        each(self.trial.0) * short + each(self.time.0) * long
    }
}

/// Finds the highest rate.
///
/// # Errors
/// Why not even one trial could be held.
pub(in crate::probe::bandwidth) async fn find(
    asked: &Bandwidth,
    ctx: &Ctx,
    server: Server,
) -> Result<Report, Failure> {
    let began = clock::now().mono;
    let longest = asked.longest_search();
    let minutes = Span(Duration::from_secs(longest.as_secs().div_ceil(60) * 60));
    let how = format!("{}; a search by trials of {}, {minutes} at most", asked.how(), asked.trial);
    ctx.events.tell(Event::Started { address: server.peer.ip(), how });
    let mut finder = Finder {
        asked,
        ctx,
        server,
        rule: Rule { up: !asked.reverse, loss: asked.loss.ratio() },
        seek: Seek::new(asked.goal()),
        trials: Vec::new(),
        report: None,
        deadline: began + longest,
    };
    let ended = finder.search().await;
    finder.tell(ended, clock::now().mono - began)
}

impl Finder<'_> {
    async fn search(&mut self) -> Result<SearchEnd, Early> {
        loop {
            let (rate, is_long) = match self.seek.step() {
                Step::Try { rate, is_long } => (rate, is_long),
                Step::End(end) => return Ok(end),
            };
            let outcome = self.outcome(rate, is_long).await?;
            self.seek.heard(&outcome);
        }
    }

    /// What comes of a trial; one that is not held is held again.
    async fn outcome(&mut self, rate: f64, is_long: bool) -> Result<Outcome, Early> {
        let mut voids = 0;
        loop {
            if !self.trials.is_empty() {
                self.pause(PAUSE).await?;
            }
            let trial = self.held(rate, is_long).await?;
            let outcome = self.rule.outcome(&trial);
            let failure = trial.failure.clone();
            self.ctx.events.tell(Event::Trial { at: clock::now().wall, trial: trial.clone() });
            self.trials.push(trial);
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
            voids += 1;
            if voids >= MOST_VOID {
                let why = failure.unwrap_or_else(|| "the server did not say what it counted".to_owned());
                return Err(Early::Broken(Class::Protocol.because(why)));
            }
        }
    }

    /// A trial, whatever came of it.
    async fn held(&mut self, rate: f64, is_long: bool) -> Result<Trial, Early> {
        let asked = self.trial(rate, is_long);
        let rate = asked.rate().bps as f64 * f64::from(asked.parallel);
        let time = asked.time.0;
        let untested = match self.hold(&asked).await? {
            Ok(Held { report, rtt }) => {
                let trial = self.rule.trial(rate, time, &report, rtt);
                self.keep(report, &trial, is_long);
                return Ok(trial);
            }
            Err(untested) => untested,
        };
        // The very first tells what is wrong as a test of its own would.
        if self.trials.is_empty() {
            return Err(Early::Broken(untested.failure));
        }
        let broken = Report { ended: Some(untested.failure.detail.clone()), ..Report::default() };
        let trial = self.rule.trial(rate, time, &broken, None);
        match untested.said {
            Some(Code::RATE) => Ok(Trial { verdict: Verdict::Refused, ..trial }),
            // What a server refuses once it refuses again.
            Some(_) => {
                self.trials.push(trial);
                Err(Early::Broken(untested.failure))
            }
            None => Ok(trial),
        }
    }

    /// One test, once the server has time for it.
    async fn hold(&self, asked: &Bandwidth) -> Result<Result<Held, Untested>, Early> {
        let patience = self.asked.retry_busy.map_or(PATIENCE, |span| span.0);
        let mut backoff = Backoff::new(patience);
        loop {
            if self.ctx.cancel.is_cancelled() {
                return Err(Early::Interrupted);
            }
            let cancel = self.ctx.cancel.child_token();
            let ctx = Ctx { cancel: cancel.clone(), events: Events::none(), ..self.ctx.clone() };
            let over = CancellationToken::new();
            let test = async {
                let held = asked.hold(&ctx, &self.server, None, &CancellationToken::new()).await;
                over.cancel();
                held
            };
            let in_time = async {
                tokio::select! {
                    () = over.cancelled() => {}
                    () = sleep_until(self.deadline.into()) => cancel.cancel(),
                }
            };
            let (held, ()) = tokio::join!(test, in_time);
            if self.ctx.cancel.is_cancelled() {
                return Err(Early::Interrupted);
            }
            if cancel.is_cancelled() {
                return Err(Early::Deadline);
            }
            // Between two tests a stock server does not listen for a moment.
            let is_for_now = |untested: &Untested| {
                untested.is_busy() || untested.failure.class == Class::Refused && untested.said.is_none()
            };
            match held {
                Err(untested) if is_for_now(&untested) && (untested.is_busy() || !self.trials.is_empty()) => {
                    match backoff.next() {
                        Some(time) => self.pause(time).await?,
                        None => return Ok(Err(untested)),
                    }
                }
                held => return Ok(held),
            }
        }
    }

    /// Waits, unless the search is to end.
    async fn pause(&self, time: Duration) -> Result<(), Early> {
        let now = clock::now().mono;
        if now + time >= self.deadline {
            return Err(Early::Deadline);
        }
        tokio::select! {
            () = self.ctx.cancel.cancelled() => Err(Early::Interrupted),
            () = sleep_until((now + time).into()) => Ok(()),
        }
    }

    /// The test that a trial is.
    fn trial(&self, rate: f64, is_long: bool) -> Bandwidth {
        let each = (rate / f64::from(self.asked.parallel)).round().max(1.0) as u64;
        Bandwidth {
            bitrate: Some(Rate { bps: each.min(self.asked.ceiling()), burst: self.asked.rate().burst }),
            time: if is_long { self.asked.time } else { self.asked.trial },
            ..self.asked.clone()
        }
    }

    /// Keeps what a trial has told, if it is of more interest than what is kept.
    fn keep(&mut self, report: Report, trial: &Trial, is_long: bool) {
        let passed = matches!(trial.verdict, Verdict::Passed | Verdict::Short).then_some(trial.rate_bps);
        let is_proof = is_long && passed.is_some();
        let is_less = |kept: &(Option<f64>, Report)| !is_proof && kept.0 > passed;
        if trial.verdict != Verdict::Void && !self.report.as_ref().is_some_and(is_less) {
            self.report = Some((passed, report));
        }
    }

    /// The report of the trial that counts, with the search's own.
    fn tell(self, ended: Result<SearchEnd, Early>, elapsed: Duration) -> Result<Report, Failure> {
        let (end, why) = match ended {
            Ok(end) => (end, None),
            Err(Early::Interrupted) => (SearchEnd::Interrupted, Some("interrupted".to_owned())),
            Err(Early::Deadline) => (SearchEnd::Deadline, Some("the search took too long".to_owned())),
            Err(Early::Broken(failure)) if self.report.is_none() => return Err(failure),
            Err(Early::Broken(failure)) => (SearchEnd::Broken, Some(failure.detail)),
        };
        let Some((_, mut report)) = self.report else {
            return Err(match end {
                SearchEnd::Interrupted => {
                    Class::Cancelled.because("interrupted before the first trial was over")
                }
                _ => Class::Timeout.because("not one trial could be held in time"),
            });
        };
        let (above, bound) = self.seek.above();
        let (found, confirmed) = self.seek.found().unzip();
        // What limits it is told by the search: that the rate was asked for is no reason.
        report.up.iter_mut().chain(&mut report.down).for_each(|flow| flow.limit = None);
        let search = Search {
            allowed_loss_ratio: self.rule.loss,
            found_bps: found.map(f64::round),
            confirmed: confirmed.unwrap_or(false),
            above_bps: above.map(f64::round),
            bound,
            ended: end,
            elapsed,
            trials: self.trials,
        };
        Ok(Report { ended: why, search: Some(search), ..report })
    }
}
