//! When packets are due: by a plan, or, in a flood, as fast as replies come back and 100 each second at least.

use std::time::{Duration, Instant};

use crate::probe::pace::{Cadence, Due};

/// The longest that a flood waits for a reply before it sends the next packet.
const PATIENCE: Duration = Duration::from_millis(10);

/// The pace of a flood whose replies come at once: what the driver may expect.
pub(super) const FLOOD_RATE: Duration = Duration::from_millis(1);

/// What decides when the next packet is due.
pub(super) enum Pacing {
    Plan(Cadence),
    Flood(Flood),
}

/// The course of a flood.
pub(super) struct Flood {
    left: u64,
    taken: u64,
    last: Option<Instant>,
    answered: bool,
}

impl Pacing {
    /// The next packet of the run, if it is due at `now`.
    pub(super) fn take(&mut self, now: Instant) -> Due {
        match self {
            Self::Plan(cadence) => cadence.take(now),
            Self::Flood(flood) => flood.take(now),
        }
    }

    /// The number of the latest packet taken, from 0.
    pub(super) const fn latest(&self) -> u64 {
        match self {
            Self::Plan(cadence) => cadence.latest(),
            Self::Flood(flood) => flood.taken.saturating_sub(1),
        }
    }

    /// Packets that were due and not sent.
    pub(super) const fn skipped(&self) -> u64 {
        match self {
            Self::Plan(cadence) => cadence.skipped,
            Self::Flood(_) => 0,
        }
    }

    /// A reply has come.
    pub(super) const fn answered(&mut self) {
        match self {
            Self::Plan(cadence) => cadence.answered(),
            Self::Flood(flood) => flood.answered = true,
        }
    }
}

impl Flood {
    /// A flood of `count` packets.
    pub(super) const fn new(count: u64) -> Self {
        Self { left: count, taken: 0, last: None, answered: false }
    }

    fn take(&mut self, now: Instant) -> Due {
        if self.left == 0 {
            return Due::Never;
        }
        let due = self.last.map_or(now, |last| last + PATIENCE);
        if !self.answered && due > now {
            return Due::At(due);
        }
        (self.left, self.taken) = (self.left - 1, self.taken + 1);
        (self.last, self.answered) = (Some(now), false);
        Due::Now(Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_follows_the_replies_and_never_stops_without_them() {
        let start = crate::sys::clock::now().mono;
        let mut flood = Pacing::Flood(Flood::new(3));
        assert_eq!(flood.take(start), Due::Now(Duration::ZERO));
        assert_eq!(flood.take(start), Due::At(start + PATIENCE));
        flood.answered();
        assert_eq!(flood.take(start), Due::Now(Duration::ZERO));
        assert_eq!(flood.take(start + PATIENCE), Due::Now(Duration::ZERO));
        assert_eq!((flood.take(start + PATIENCE), flood.latest()), (Due::Never, 2));
    }
}
