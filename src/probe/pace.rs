//! When to send: absolute due times, fixed or Poisson, in bursts; what was missed is skipped, never bunched up.

use std::time::{Duration, Instant};

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::Rng;

/// Lateness that is caught up at once even where missed packets are skipped: a preemption by the scheduler is no
/// reason to lose a measurement of a sub-millisecond schedule. `schedule_error` shows it.
const TOLERANCE: Duration = Duration::from_millis(1);

/// No send is planned for later than this after the start, 136 years, which every clock can name.
const MOST_OFFSET: Duration = Duration::from_secs(1 << 32);

/// How the times of sending are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Send k is due at start + k × interval.
    Fixed,
    /// Exponentially distributed intervals (RFC 3432 §3.3 tells why; RFC 2330 §11.1.1 is this).
    Poisson,
}

/// When packets shall be sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Packets in all.
    pub(crate) count: u64,
    /// Time between bursts.
    pub(crate) interval: Duration,
    /// Packets per burst.
    pub(crate) burst: u16,
    /// How intervals are drawn.
    pub(crate) schedule: Schedule,
    /// Seed of what is drawn.
    pub(crate) seed: u64,
    /// No packet is sent later than this after the first.
    pub(crate) deadline: Option<Duration>,
    /// Send what was missed, instead of skipping it.
    pub(crate) catch_up: bool,
    /// So many packets are due at the start, and the next one interval later; 0 is as 1.
    pub(crate) preload: u64,
    /// A reply makes the next packet due at once, so long after the one before at the earliest.
    pub(crate) follows: Option<Duration>,
}

/// The course of a pace: which packet is due next, and when.
#[derive(Clone, Debug)]
pub(crate) struct Cadence {
    pace: Pace,
    rng: Rng,
    start: Option<Instant>,
    slot: u64,
    in_burst: u16,
    offset: Duration,
    planned: u64,
    rounds: Option<Rounds>,
    /// By how much replies have brought the plan forward.
    ahead: Duration,
    /// When the latest packet was taken, and whether a reply has come since.
    last: Option<Instant>,
    answered: bool,
    /// Packets that were due and not sent.
    pub(crate) skipped: u64,
}

/// Slots that come in rounds: each round has a time of its own, whatever its slots need.
#[derive(Clone, Copy, Debug)]
struct Rounds {
    /// Slots of a round.
    size: u64,
    /// Time from the begin of this round to that of the next.
    period: Duration,
    /// What each period is longer than the one before: 1 for all alike.
    growth: f64,
    /// When this round began.
    begin: Duration,
}

/// What a cadence wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Send a packet now; it is this late.
    Now(Duration),
    /// Nothing before this moment.
    At(Instant),
    /// Every packet has been dealt with.
    Never,
}

impl Cadence {
    pub(crate) fn new(pace: Pace) -> Self {
        let rng = Rng::new(pace.seed);
        let (slot, in_burst, planned, skipped) = (0, 0, 0, 0);
        Self {
            pace,
            rng,
            start: None,
            slot,
            in_burst,
            offset: Duration::ZERO,
            planned,
            rounds: None,
            ahead: Duration::ZERO,
            last: None,
            answered: false,
            skipped,
        }
    }

    /// The same in rounds of `size` slots, of which each begins `period` after the one before, and not before that has
    /// had its slots. Each period is `growth` times the one before. For fixed schedules.
    pub(crate) fn in_rounds(self, size: u64, period: Duration, growth: f64) -> Self {
        Self { rounds: Some(Rounds { size, period, growth, begin: Duration::ZERO }), ..self }
    }

    /// The number of the latest packet that was taken, from 0, skipped ones counted.
    pub(crate) const fn latest(&self) -> u64 {
        self.planned.saturating_sub(1)
    }

    /// Takes the next packet of the plan if it is due at `now`. The first call is the start.
    pub(crate) fn take(&mut self, now: Instant) -> Due {
        let start = *self.start.get_or_insert(now);
        loop {
            let offset = self.offset.saturating_sub(self.ahead);
            let beyond =
                self.pace.deadline.is_some_and(|deadline| offset >= deadline || now >= start + deadline);
            if self.planned >= self.pace.count || beyond {
                return Due::Never;
            }
            let due = start + offset;
            if due > now {
                match self.pulled().filter(|pulled| *pulled < due) {
                    Some(pulled) if pulled <= now => self.ahead += due - now,
                    pulled => return Due::At(pulled.unwrap_or(due)),
                }
            }
            let late = now.saturating_duration_since(due);
            (self.last, self.answered) = (Some(now), false);
            self.step();
            if self.pace.catch_up || late <= self.pace.interval.max(TOLERANCE) {
                return Due::Now(late);
            }
            self.skipped += 1;
        }
    }

    /// A reply has come.
    pub(crate) const fn answered(&mut self) {
        self.answered = true;
    }

    /// When the next packet may follow the reply to the last.
    fn pulled(&self) -> Option<Instant> {
        Some(self.last.filter(|_| self.answered)? + self.pace.follows?)
    }

    fn step(&mut self) {
        self.planned += 1;
        if self.planned < self.pace.preload {
            return;
        }
        self.in_burst += 1;
        if self.in_burst < self.pace.burst {
            return;
        }
        self.in_burst = 0;
        self.slot += 1;
        if let Some(rounds) = &mut self.rounds {
            self.offset = rounds.offset(self.slot, self.pace.interval);
            return;
        }
        self.offset = match self.pace.schedule {
            Schedule::Fixed => {
                Duration::from_nanos(crate::units::nanos(self.pace.interval).saturating_mul(self.slot))
            }
            Schedule::Poisson => self.offset + self.pace.interval.mul_f64(self.rng.exponential()),
        };
    }
}

impl Rounds {
    /// When `slot` is due after the start; slots are asked for in their order.
    fn offset(&mut self, slot: u64, interval: Duration) -> Duration {
        let within = |slots: u64| Duration::from_nanos(crate::units::nanos(interval).saturating_mul(slots));
        let place = slot % self.size;
        if place == 0 {
            self.begin = self.begin.saturating_add(self.period.max(within(self.size))).min(MOST_OFFSET);
            self.period = self.period.mul_f64(self.growth).min(MOST_OFFSET);
        }
        self.begin + within(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn pace() -> Pace {
        Pace {
            count: 4,
            interval: 10 * MS,
            burst: 1,
            schedule: Schedule::Fixed,
            seed: 1,
            deadline: None,
            catch_up: false,
            preload: 0,
            follows: None,
        }
    }

    fn start() -> Instant {
        crate::sys::clock::now().mono
    }

    #[test]
    fn a_late_wake_never_moves_the_plan() {
        let (mut cadence, start) = (Cadence::new(pace()), start());
        assert_eq!(cadence.take(start), Due::Now(Duration::ZERO));
        assert_eq!(cadence.take(start), Due::At(start + 10 * MS));
        assert_eq!(cadence.take(start + 13 * MS), Due::Now(3 * MS));
        assert_eq!(cadence.take(start + 13 * MS), Due::At(start + 20 * MS));
    }

    #[test]
    fn what_is_missed_by_more_than_an_interval_is_skipped_unless_asked_for() {
        let start = start();
        let late = start + 31 * MS;
        for (catch_up, sent, skipped) in [(false, 1, 2), (true, 3, 0)] {
            let mut cadence = Cadence::new(Pace { catch_up, ..pace() });
            assert_eq!(cadence.take(start), Due::Now(Duration::ZERO));
            let now =
                std::iter::from_fn(|| Some(cadence.take(late))).take_while(|due| matches!(due, Due::Now(_)));
            assert_eq!((now.count(), cadence.skipped), (sent, skipped));
        }
    }

    #[test]
    fn rounds_begin_by_their_own_period_which_may_grow() {
        let start = start();
        for (period, growth, due) in
            [(5, 1.0, [10, 20, 30]), (100, 1.0, [10, 100, 110]), (100, 1.5, [10, 100, 110])]
        {
            let rounds =
                Cadence::new(Pace { count: 6, catch_up: true, ..pace() }).in_rounds(2, period * MS, growth);
            let (mut cadence, mut now, mut found) = (rounds, start, Vec::new());
            loop {
                match cadence.take(now) {
                    Due::Now(_) => {}
                    Due::At(due) => {
                        found.push((due - start).as_millis() as u32);
                        now = due;
                    }
                    Due::Never => break,
                }
            }
            assert_eq!(found[..3], due);
            let third = found[3];
            assert_eq!(third, if growth > 1.0 { 250 } else { 2 * due[1] }, "the third round");
            assert_eq!(cadence.latest(), 5);
        }
    }

    #[test]
    fn a_burst_is_due_at_one_moment() {
        let (mut cadence, start) = (Cadence::new(Pace { burst: 3, ..pace() }), start());
        let sent =
            std::iter::from_fn(|| Some(cadence.take(start))).take_while(|due| matches!(due, Due::Now(_)));
        assert_eq!(sent.count(), 3);
        assert_eq!(cadence.take(start), Due::At(start + 10 * MS));
    }

    #[test]
    fn poisson_intervals_are_exponential_around_the_mean_asked_for() {
        let count = 20_000;
        let start = start();
        let mut cadence = Cadence::new(Pace { count, schedule: Schedule::Poisson, ..pace() });
        let (mut now, mut gaps) = (start, Vec::new());
        loop {
            match cadence.take(now) {
                Due::Now(_) => {}
                Due::At(due) => {
                    gaps.push((due - now).as_secs_f64());
                    now = due;
                }
                Due::Never => break,
            }
        }
        let count = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / count;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
        assert!((0.0097..0.0103).contains(&mean), "{mean}");
        assert!((0.97..1.03).contains(&(variance.sqrt() / mean)), "{variance}");
    }

    #[test]
    fn what_is_preloaded_is_due_at_the_start() {
        let start = start();
        for rounds in [false, true] {
            let cadence = Cadence::new(Pace { preload: 3, ..pace() });
            let mut cadence = if rounds { cadence.in_rounds(1, 10 * MS, 1.0) } else { cadence };
            let taken = std::iter::from_fn(|| Some(cadence.take(start)));
            assert_eq!(taken.take_while(|due| matches!(due, Due::Now(_))).count(), 3);
            assert_eq!(cadence.take(start), Due::At(start + 10 * MS));
            assert_eq!(cadence.take(start + 10 * MS), Due::Now(Duration::ZERO));
            assert_eq!(cadence.take(start + 10 * MS), Due::Never);
        }
    }

    #[test]
    fn replies_bring_the_plan_forward_and_never_too_far() {
        let start = start();
        let mut cadence = Cadence::new(Pace { follows: Some(2 * MS), ..pace() }).in_rounds(1, 10 * MS, 1.0);
        assert_eq!(cadence.take(start), Due::Now(Duration::ZERO));
        assert_eq!(cadence.take(start + MS), Due::At(start + 10 * MS), "no reply, no hurry");
        cadence.answered();
        assert_eq!(cadence.take(start + MS), Due::At(start + 2 * MS));
        assert_eq!(cadence.take(start + 3 * MS), Due::Now(Duration::ZERO));
        assert_eq!(cadence.take(start + 3 * MS), Due::At(start + 13 * MS), "an interval after the last");
        assert_eq!(cadence.take(start + 13 * MS), Due::Now(Duration::ZERO));
    }

    #[test]
    fn nothing_is_sent_after_the_deadline() {
        let (mut cadence, start) = (Cadence::new(Pace { deadline: Some(15 * MS), ..pace() }), start());
        assert_eq!(cadence.take(start), Due::Now(Duration::ZERO));
        assert_eq!(cadence.take(start + 10 * MS), Due::Now(Duration::ZERO));
        assert_eq!(cadence.take(start + 10 * MS), Due::Never);
    }
}
