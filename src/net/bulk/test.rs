//! What the workers of one test share: whether it is over, and how much may still be moved.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::LOOK;
use crate::sys::clock;
use crate::sys::wait::{Stop, sleep};
use crate::units::nanos;

/// A test that runs.
#[derive(Debug)]
pub struct Test {
    /// It is over: every worker ends.
    pub stop: Stop,
    /// When it began: what clocks in datagrams count from.
    pub began: Instant,
    /// What may be moved, where that is limited.
    budget: Option<Budget>,
    /// What is moved now does not count yet.
    omits: AtomicBool,
    /// Raised at the end of what does not count: UDP's jitter begins anew then.
    epoch: AtomicU64,
    /// How fast its connections go at most, all together.
    ceiling: Option<Ceiling>,
}

/// A rate that connections keep together: who has moved more than that waits, so that the far side must.
#[derive(Debug)]
struct Ceiling {
    /// Bits per second.
    rate: u64,
    began: Instant,
    /// Until when what was moved has used the rate up, in nanoseconds since the beginning.
    until: AtomicU64,
}

/// What is not used up of a ceiling is lost after this time.
const BURST: Duration = Duration::from_millis(10);

impl Ceiling {
    /// How long to wait once `octets` were moved.
    fn spend(&self, now: Instant, octets: u64) -> Duration {
        let at = nanos(now.saturating_duration_since(self.began));
        let cost = (octets as f64 * 8e9 / self.rate.max(1) as f64) as u64;
        let least = at.saturating_sub(nanos(BURST));
        let next = |until: u64| until.max(least).saturating_add(cost);
        let before = self
            .until
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |until| Some(next(until)))
            .unwrap_or_default();
        Duration::from_nanos(next(before).saturating_sub(at))
    }
}

/// Octets that a test may move, all its streams together.
#[derive(Debug)]
pub struct Budget {
    left: AtomicI64,
    /// Octets that somebody has taken out and has not moved yet.
    taken: AtomicI64,
}

impl Budget {
    /// So many octets.
    pub fn new(octets: u64) -> Self {
        Self { left: AtomicI64::new(i64::try_from(octets).unwrap_or(i64::MAX)), taken: AtomicI64::new(0) }
    }

    /// Takes `wanted` octets out, or what is left; 0 while there are none. What became of them, [`settle`](Self::settle) is told.
    pub fn take(&self, wanted: usize) -> usize {
        let wanted = wanted as i64;
        self.taken.fetch_add(wanted, Ordering::SeqCst);
        let left = self.left.fetch_sub(wanted, Ordering::SeqCst);
        let some = left.clamp(0, wanted);
        self.left.fetch_add(wanted - some, Ordering::SeqCst);
        self.taken.fetch_sub(wanted - some, Ordering::SeqCst);
        some as usize
    }

    /// Of `taken` octets `moved` were moved; the rest may be taken by others.
    pub fn settle(&self, taken: usize, moved: usize) {
        self.left.fetch_add(taken as i64 - moved as i64, Ordering::SeqCst);
        self.taken.fetch_sub(taken as i64, Ordering::SeqCst);
    }

    /// Counts octets that have come, which nobody could refuse.
    pub fn spend(&self, octets: usize) {
        self.left.fetch_sub(octets as i64, Ordering::SeqCst);
    }

    /// Whether all were moved: nothing is left, and nobody holds any.
    pub fn is_spent(&self) -> bool {
        self.taken.load(Ordering::SeqCst) <= 0 && self.left.load(Ordering::SeqCst) <= 0
    }
}

impl Test {
    /// A test that begins now.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new(began: Instant, budget: Option<Budget>) -> io::Result<Self> {
        Ok(Self {
            stop: Stop::new()?,
            began,
            budget,
            omits: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            ceiling: None,
        })
    }

    /// The same, of which nothing counts until it [begins anew](Self::begin_anew).
    pub fn omitting(mut self) -> Self {
        self.omits = AtomicBool::new(true);
        self
    }

    /// Whether what may be moved is limited.
    pub const fn has_budget(&self) -> bool {
        self.budget.is_some()
    }

    /// What may still be moved, where that is limited and what is moved now counts. Who takes out of it settles with the same.
    pub fn budget(&self) -> Option<&Budget> {
        self.budget.as_ref().filter(|_| !self.omits.load(Ordering::Relaxed))
    }

    /// The same, whose connections move at most `rate` bits per second, all together and both ways; flows of UDP have each
    /// their pace, and nobody can slow down what comes.
    pub fn below(mut self, rate: u64) -> Self {
        self.ceiling = Some(Ceiling { rate, began: self.began, until: AtomicU64::new(0) });
        self
    }

    /// Whether its connections have a ceiling.
    pub(super) const fn has_ceiling(&self) -> bool {
        self.ceiling.is_some()
    }

    /// Waits as long as the ceiling asks for once `octets` were moved.
    pub(super) fn hold_back(&self, octets: u64) {
        let Some(ceiling) = self.ceiling.as_ref().filter(|_| octets > 0) else { return };
        let now = clock::now().mono;
        let until = now + ceiling.spend(now, octets);
        while !self.is_over() {
            let left = until.saturating_duration_since(clock::now().mono);
            if left.is_zero() {
                return;
            }
            sleep(left.min(LOOK));
        }
    }

    /// What came so far was for warming up.
    pub fn begin_anew(&self) {
        self.omits.store(false, Ordering::Relaxed);
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has begun anew.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Whether its workers are to end.
    pub fn is_over(&self) -> bool {
        self.stop.is_set()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_is_shared_and_not_saved_up() {
        let began = clock::now().mono;
        // 1,000 octets take 1 ms.
        let ceiling = Ceiling { rate: 8_000_000, began, until: AtomicU64::new(0) };
        let spend = |ms, octets| ceiling.spend(began + Duration::from_millis(ms), octets);
        assert_eq!([spend(0, 1000), spend(0, 2000)], [1, 3].map(Duration::from_millis));
        assert_eq!(spend(1, 1000), Duration::from_millis(3));
        assert_eq!(spend(1000, 15_000), Duration::from_millis(5), "10 ms of a second");
    }

    #[test]
    fn what_is_omitted_spends_nothing() {
        let test = Test::new(clock::now().mono, Some(Budget::new(10))).expect("a test").omitting();
        assert!(test.has_budget() && test.budget().is_none());
        test.begin_anew();
        assert_eq!(test.budget().map(|budget| budget.take(100)), Some(10));
    }

    #[test]
    fn a_budget_is_spent_to_the_last_octet_and_never_more() {
        let budget = Budget::new(250);
        assert_eq!(
            [budget.take(100), budget.take(100), budget.take(100), budget.take(100)],
            [100, 100, 50, 0]
        );
        assert!(!budget.is_spent(), "somebody holds them");
        budget.settle(100, 100);
        budget.settle(100, 70);
        budget.settle(50, 50);
        assert_eq!([budget.take(100), budget.take(1)], [30, 0]);
        budget.settle(30, 30);
        assert!(budget.is_spent());
        let budget = Budget::new(u64::MAX);
        assert_eq!(budget.take(7), 7);
        budget.spend(usize::MAX >> 2);
        assert!(!budget.is_spent());
    }
}
