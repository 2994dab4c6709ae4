//! How fast a sender sends: so many bits per second on average, and no bursts to make up for what is past.

use std::time::{Duration, Instant};

use crate::sys::clock;
use crate::sys::wait::sleep;

/// What a stall may be made up for, at most: more would be a burst.
const CATCH_UP: Duration = Duration::from_millis(10);

/// What a paced sender writes at once: so much time's worth, that the pace is even.
const SLICE: Duration = Duration::from_millis(1);
/// The least that it writes at once, in octets: less costs more than it says.
const LEAST: usize = 512;
/// Less than so many octets at once are copied: a packet has room for few pages, whatever they hold.
pub(super) const LEAST_LENT: usize = 16 << 10;

/// The pace of one stream.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bits per second; 0 is as fast as can be.
    pub rate: u64,
    /// Packets that leave back to back, at least 1.
    pub burst: u32,
}

impl Pace {
    /// As fast as can be.
    pub const UNLIMITED: Self = Self { rate: 0, burst: 1 };

    /// Octets that leave at once, where a write has `length`.
    pub(super) fn slice(self, length: usize) -> usize {
        match self.rate {
            0 => length,
            // Bursts are writes of the length that was asked for.
            _ if self.burst > 1 => length,
            rate => ((rate as f64 / 8.0 * SLICE.as_secs_f64()) as usize).max(LEAST).min(length),
        }
    }

    /// Whether a connection that sends so may be lent its payload, where a write has `length` octets.
    pub fn may_lend(self, length: usize) -> bool {
        self.slice(length) >= LEAST_LENT
    }

    /// How long `octets` take.
    pub fn time(self, octets: usize) -> Duration {
        if self.rate == 0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(octets as f64 * 8.0 / self.rate as f64)
    }
}

/// A sender's own clock: when the next octets may leave.
#[derive(Debug)]
pub(super) struct Clock {
    pace: Pace,
    next: Instant,
}

impl Clock {
    pub(super) fn new(pace: Pace, now: Instant) -> Self {
        Self { pace, next: now }
    }

    /// How many units of `octets` may leave now, at most `most`; 0 before their time.
    pub(super) fn due(&mut self, now: Instant, octets: usize, most: usize) -> usize {
        if self.pace.rate == 0 {
            return most;
        }
        self.next = self.next.max(now.checked_sub(CATCH_UP).unwrap_or(self.next));
        if now < self.next {
            return 0;
        }
        let unit = self.pace.time(octets) * self.pace.burst.max(1);
        let late = now - self.next;
        let bursts = if unit.is_zero() { most as u128 } else { late.as_nanos() / unit.as_nanos().max(1) + 1 };
        usize::try_from(bursts)
            .unwrap_or(most)
            .saturating_mul(self.pace.burst.max(1) as usize)
            .min(most.max(1))
    }

    /// So many octets have left.
    pub(super) fn left(&mut self, octets: usize) {
        self.next += self.pace.time(octets);
    }

    /// Waits until the next may leave, or a while; at most `longest`.
    pub(super) fn wait(&self, longest: Duration) {
        let now = clock::now().mono;
        let time = self.next.saturating_duration_since(now).min(longest);
        if !time.is_zero() {
            sleep(time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_the_rate_and_a_stall_is_no_burst() {
        let began = clock::now().mono;
        // 1,000 octets take 1 ms.
        let mut clock = Clock::new(Pace { rate: 8_000_000, burst: 1 }, began);
        let at = |ms: f64| began + Duration::from_secs_f64(ms / 1e3);
        let leave = |clock: &mut Clock, now| {
            let units = clock.due(now, 1000, 64);
            clock.left(units * 1000);
            units
        };
        assert_eq!(leave(&mut clock, at(0.0)), 1);
        assert_eq!(leave(&mut clock, at(0.5)), 0);
        assert_eq!(leave(&mut clock, at(1.0)), 1);
        assert_eq!(leave(&mut clock, at(4.5)), 3, "what a late wake-up owes");
        assert_eq!(leave(&mut clock, at(1000.0)), 11, "10 ms of a second");
        assert_eq!(leave(&mut clock, at(1000.1)), 0);
    }

    #[test]
    fn bursts_leave_together_and_no_pace_is_all_at_once() {
        let began = clock::now().mono;
        let mut clock = Clock::new(Pace { rate: 8_000_000, burst: 10 }, began);
        assert_eq!(clock.due(began, 1000, 64), 10);
        clock.left(10_000);
        assert_eq!(clock.due(began + Duration::from_millis(9), 1000, 64), 0);
        assert_eq!(clock.due(began + Duration::from_millis(10), 1000, 64), 10);
        assert_eq!(Clock::new(Pace::UNLIMITED, began).due(began, 1000, 64), 64);
        // However fast: no division by nothing.
        assert_eq!(Clock::new(Pace { rate: u64::MAX, burst: 1 }, began).due(began, 1, 64), 64);
    }
}
