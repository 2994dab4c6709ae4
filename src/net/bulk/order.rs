//! In which order datagrams come: iperf3's counts, and what they leave out.

use std::time::Duration;

use super::Reading;
use crate::units::nanos;
use crate::wire::iperf3::datagram::{Header, unwrapped};

/// Datagrams that are remembered, to tell duplicates from those that come late.
const WINDOW: u64 = 1024;

/// What a receiver knows of its flow.
pub(super) struct Order {
    is_wide: bool,
    pub(super) reading: Reading,
    seen: [u64; (WINDOW / 64) as usize],
    transit: Option<i128>,
    jitter: f64,
}

/// The highest number that is believed.
const MOST_NUMBER: u64 = 1 << 53;

impl Order {
    pub(super) fn new(is_wide: bool) -> Self {
        Self { is_wide, reading: Reading::default(), seen: [0; 16], transit: None, jitter: 0.0 }
    }

    /// Jitter begins anew.
    pub(super) fn begin_anew(&mut self) {
        (self.transit, self.jitter, self.reading.jitter) = (None, 0.0, Duration::ZERO);
    }

    /// A datagram has come; `at` when, in nanoseconds of any clock, where that was taken of this one alone.
    pub(super) fn came(&mut self, header: &Header, at: Option<u64>) {
        let highest = self.reading.highest;
        let number = if self.is_wide { header.number } else { unwrapped(header.number as u32, highest) };
        // No test comes to that; sums of all streams stay numbers.
        if number > MOST_NUMBER {
            return;
        }
        if number > highest {
            let gap = i64::try_from(number - highest - 1).unwrap_or(i64::MAX);
            self.reading.lost = self.reading.lost.saturating_add(gap);
            self.forget(highest, number);
            self.reading.highest = number;
        } else {
            self.reading.disordered += 1;
            self.reading.duplicates += u64::from(self.has_seen(number));
            if self.reading.lost > 0 {
                self.reading.lost -= 1;
            }
        }
        self.remember(number);
        if let Some(at) = at {
            self.jitter(i128::from(at) - i128::from(header.sent_us) * 1000);
        }
    }

    /// RFC 3550 §6.4.1, appendix A.8.
    fn jitter(&mut self, transit: i128) {
        if let Some(before) = self.transit {
            self.jitter += ((transit - before).unsigned_abs() as f64 - self.jitter) / 16.0;
            self.reading.jitter = Duration::from_nanos(self.jitter as u64);
        }
        self.transit = Some(transit);
    }

    /// The numbers after `highest` up to `number` take the places of those a window before.
    fn forget(&mut self, highest: u64, number: u64) {
        if number - highest >= WINDOW {
            self.seen = [0; 16];
            return;
        }
        for number in highest + 1..=number {
            let at = number % WINDOW;
            self.seen[(at / 64) as usize] &= !(1 << (at % 64));
        }
    }

    fn remember(&mut self, number: u64) {
        if self.reading.highest - number < WINDOW {
            let at = number % WINDOW;
            self.seen[(at / 64) as usize] |= 1 << (at % 64);
        }
    }

    fn has_seen(&self, number: u64) -> bool {
        let at = number % WINDOW;
        self.reading.highest - number < WINDOW && self.seen[(at / 64) as usize] >> (at % 64) & 1 == 1
    }
}

/// Nanoseconds of the wall clock when a datagram came, by the kernel's stamp, moved to the monotonic clock: a step of the
/// wall clock between two datagrams is no jitter.
pub(super) fn monotonic(stamp: u64, wall: u64, mono: Duration) -> u64 {
    nanos(mono).saturating_sub(wall.saturating_sub(stamp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    fn order(is_wide: bool, numbers: &[u64]) -> Reading {
        let mut order = Order::new(is_wide);
        for &number in numbers {
            order.came(&Header { sent_us: 0, number }, None);
        }
        order.reading
    }

    #[test]
    fn iperf3s_counts_and_ours() {
        let Reading { highest, lost, disordered, duplicates, .. } = order(true, &[1, 2, 5, 4, 5, 9]);
        // 3 is lost, 4 was late, 5 came twice and hides the loss of 3; 6, 7, 8 are lost.
        assert_eq!((highest, lost, disordered, duplicates), (9, 3, 2, 1));
        assert_eq!(order(true, &[]), Reading::default());
        // Numbers of 32 bits go on after they have wrapped.
        let top = u64::from(u32::MAX);
        let wrapped = order(false, &[top - 1, top, 0, 1, 2]);
        assert_eq!((wrapped.highest, wrapped.disordered), (top + 3, 0));
    }

    #[test]
    fn jitter_is_that_of_the_standards_formula() {
        let mut order = Order::new(true);
        for (number, (sent_us, at)) in
            [(0, 1000), (1000, 1_017_000), (2000, 2_001_000)].into_iter().enumerate()
        {
            order.came(&Header { sent_us, number: number as u64 + 1 }, Some(at));
        }
        // D is 16 us, then -16 us: J is 1 us, then 1 + (16 - 1) / 16.
        assert_eq!(order.reading.jitter, Duration::from_nanos(1937));
        order.begin_anew();
        assert_eq!(order.reading.jitter, Duration::ZERO);
        order.came(&Header { sent_us: 3000, number: 4 }, Some(9_000_000));
        assert_eq!(order.reading.jitter, Duration::ZERO, "the first only says where transit begins");
        assert_eq!(monotonic(1_000, 5_000, Duration::from_nanos(7_000)), 3_000);
    }

    proptest! {
        #[test]
        fn what_is_neither_lost_nor_twice_came(numbers in prop::collection::vec(1u64..400, 0..300)) {
            let reading = order(true, &numbers);
            let distinct: std::collections::BTreeSet<u64> = numbers.iter().copied().collect();
            prop_assert_eq!(reading.highest, distinct.last().copied().unwrap_or(0));
            prop_assert_eq!(reading.duplicates, (numbers.len() - distinct.len()) as u64);
            // Lost as iperf3 counts it is never more than what is missing, and less where duplicates hide it.
            let missing = reading.highest - distinct.len() as u64;
            prop_assert!(reading.lost >= 0 && reading.lost as u64 <= missing);
            if reading.duplicates == 0 {
                prop_assert_eq!(reading.lost as u64, missing);
            }
        }

        #[test]
        fn no_number_is_too_large(numbers in prop::collection::vec(any::<u64>(), 0..20), is_wide: bool) {
            let _ = order(is_wide, &numbers);
        }
    }
}
