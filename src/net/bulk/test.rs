//! What the workers of one test share: whether it is over, and how much may still be moved.

use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use crate::sys::wait::Stop;

/// A test that runs.
#[derive(Debug)]
pub struct Test {
    /// It is over: every worker ends.
    pub stop: Stop,
    /// When it began: what clocks in datagrams count from.
    pub began: Instant,
    /// What may be moved, where that is limited.
    pub budget: Option<Budget>,
    /// Raised at the end of what does not count: UDP's jitter begins anew then.
    epoch: AtomicU64,
}

/// Octets that a test may move, all its streams together.
#[derive(Debug)]
pub struct Budget(AtomicI64);

impl Budget {
    /// So many octets.
    pub fn new(octets: u64) -> Self {
        Self(AtomicI64::new(i64::try_from(octets).unwrap_or(i64::MAX)))
    }

    /// Takes `wanted` octets out, or what is left; 0 once there are none.
    pub fn take(&self, wanted: usize) -> usize {
        let wanted = wanted as i64;
        let left = self.0.fetch_sub(wanted, Ordering::Relaxed);
        if left >= wanted {
            return wanted as usize;
        }
        self.0.fetch_add(wanted - left.max(0), Ordering::Relaxed);
        left.max(0) as usize
    }

    /// Puts back what was not moved after all.
    pub fn give_back(&self, octets: usize) {
        self.0.fetch_add(octets as i64, Ordering::Relaxed);
    }

    /// Counts octets that have come, which nobody could refuse.
    pub fn spend(&self, octets: usize) {
        self.0.fetch_sub(octets as i64, Ordering::Relaxed);
    }

    /// Whether nothing is left.
    pub fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) <= 0
    }
}

impl Test {
    /// A test that begins now.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new(began: Instant, budget: Option<Budget>) -> io::Result<Self> {
        Ok(Self { stop: Stop::new()?, began, budget, epoch: AtomicU64::new(0) })
    }

    /// What came so far was for warming up.
    pub fn begin_anew(&self) {
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
    fn a_budget_is_spent_to_the_last_octet_and_never_more() {
        let budget = Budget::new(250);
        assert_eq!(
            [budget.take(100), budget.take(100), budget.take(100), budget.take(100)],
            [100, 100, 50, 0]
        );
        assert!(budget.is_spent());
        budget.give_back(30);
        assert_eq!([budget.take(100), budget.take(1)], [30, 0]);
        let budget = Budget::new(u64::MAX);
        assert_eq!(budget.take(7), 7);
        budget.spend(usize::MAX >> 2);
        assert!(!budget.is_spent());
    }
}
