//! When to send: absolute due times, fixed or Poisson, in bursts; what was missed is skipped, never bunched up.

use std::time::{Duration, Instant};

use super::Schedule;
use crate::stats::Rng;

/// Lateness that is caught up at once even where missed packets are skipped: a preemption by the scheduler is no
/// reason to lose a measurement of a sub-millisecond schedule. `schedule_error` shows it.
const TOLERANCE: Duration = Duration::from_millis(1);

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// Packets in all.
    pub(super) count: u64,
    /// Time between bursts.
    pub(super) interval: Duration,
    /// Packets per burst.
    pub(super) burst: u16,
    /// How intervals are drawn.
    pub(super) schedule: Schedule,
    /// Seed of what is drawn.
    pub(super) seed: u64,
    /// How long each packet's reply is waited for.
    pub(super) timeout: Duration,
    /// No packet is sent later than this after the first.
    pub(super) deadline: Option<Duration>,
    /// Send what was missed, instead of skipping it.
    pub(super) catch_up: bool,
    /// Octets of UDP payload wanted.
    pub(super) size: usize,
}

/// The course of a plan: which packet is due next, and when.
#[derive(Clone, Debug)]
pub(super) struct Cadence {
    plan: Plan,
    rng: Rng,
    start: Option<Instant>,
    slot: u64,
    in_burst: u16,
    offset: Duration,
    planned: u64,
    /// Packets that were due and not sent.
    pub(super) skipped: u64,
}

/// What a cadence wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Send a packet now; it is this late.
    Now(Duration),
    /// Nothing before this moment.
    At(Instant),
    /// Every packet has been dealt with.
    Never,
}

impl Cadence {
    pub(super) fn new(plan: Plan) -> Self {
        let rng = Rng::new(plan.seed);
        Self { plan, rng, start: None, slot: 0, in_burst: 0, offset: Duration::ZERO, planned: 0, skipped: 0 }
    }

    /// Takes the next packet of the plan if it is due at `now`. The first call is the start.
    pub(super) fn take(&mut self, now: Instant) -> Due {
        let start = *self.start.get_or_insert(now);
        loop {
            let beyond =
                self.plan.deadline.is_some_and(|deadline| self.offset >= deadline || now >= start + deadline);
            if self.planned >= self.plan.count || beyond {
                return Due::Never;
            }
            let due = start + self.offset;
            if due > now {
                return Due::At(due);
            }
            let late = now - due;
            self.step();
            if self.plan.catch_up || late <= self.plan.interval.max(TOLERANCE) {
                return Due::Now(late);
            }
            self.skipped += 1;
        }
    }

    fn step(&mut self) {
        self.planned += 1;
        self.in_burst += 1;
        if self.in_burst < self.plan.burst {
            return;
        }
        self.in_burst = 0;
        self.slot += 1;
        self.offset = match self.plan.schedule {
            Schedule::Fixed => {
                Duration::from_nanos(crate::units::nanos(self.plan.interval).saturating_mul(self.slot))
            }
            Schedule::Poisson => self.offset + self.plan.interval.mul_f64(self.rng.exponential()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn plan() -> Plan {
        Plan {
            count: 4,
            interval: 10 * MS,
            burst: 1,
            schedule: Schedule::Fixed,
            seed: 1,
            timeout: MS,
            deadline: None,
            catch_up: false,
            size: 80,
        }
    }

    fn start() -> Instant {
        crate::sys::clock::now().mono
    }

    #[test]
    fn a_late_wake_never_moves_the_plan() {
        let (mut cadence, start) = (Cadence::new(plan()), start());
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
            let mut cadence = Cadence::new(Plan { catch_up, ..plan() });
            assert_eq!(cadence.take(start), Due::Now(Duration::ZERO));
            let now =
                std::iter::from_fn(|| Some(cadence.take(late))).take_while(|due| matches!(due, Due::Now(_)));
            assert_eq!((now.count(), cadence.skipped), (sent, skipped));
        }
    }

    #[test]
    fn a_burst_is_due_at_one_moment() {
        let (mut cadence, start) = (Cadence::new(Plan { burst: 3, ..plan() }), start());
        let sent =
            std::iter::from_fn(|| Some(cadence.take(start))).take_while(|due| matches!(due, Due::Now(_)));
        assert_eq!(sent.count(), 3);
        assert_eq!(cadence.take(start), Due::At(start + 10 * MS));
    }

    #[test]
    fn poisson_intervals_are_exponential_around_the_mean_asked_for() {
        let count = 20_000;
        let start = start();
        let mut cadence = Cadence::new(Plan { count, schedule: Schedule::Poisson, ..plan() });
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
    fn nothing_is_sent_after_the_deadline() {
        let (mut cadence, start) = (Cadence::new(Plan { deadline: Some(15 * MS), ..plan() }), start());
        assert_eq!(cadence.take(start), Due::Now(Duration::ZERO));
        assert_eq!(cadence.take(start + 10 * MS), Due::Now(Duration::ZERO));
        assert_eq!(cadence.take(start + 10 * MS), Due::Never);
    }
}
