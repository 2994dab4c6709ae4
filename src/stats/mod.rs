//! Statistics of samples: exact percentiles, moments, jitter, IPDV, bounds, and mergeable sketches.
//!
//! Pure functions over numbers that somebody else measured. Formulas cite their source.

mod ranks;
mod rng;
mod sketch;

pub use ranks::{holm, mann_whitney};
pub use rng::Rng;
pub use sketch::{Sketch, put as put_varint, take as take_varint};

use std::time::Duration;

/// The nearest-rank percentile: the smallest sample that at least `q` (0–1) of all samples do not exceed.
///
/// `sorted` must be sorted; `None` when it is empty. The answer is always a value that occurred.
pub fn percentile<T: Copy>(sorted: &[T], q: f64) -> Option<T> {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// Mean and population standard deviation of durations, by Welford's method.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes one sample in.
    pub fn push(&mut self, sample: Duration) {
        let value = sample.as_nanos() as f64;
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
    }

    /// The arithmetic mean; `None` without samples.
    pub fn mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| Duration::from_nanos(self.mean.round() as u64))
    }

    /// The population standard deviation; `None` without samples.
    pub fn stddev(&self) -> Option<Duration> {
        (self.count > 0)
            .then(|| Duration::from_nanos((self.squares / self.count as f64).sqrt().round() as u64))
    }
}

/// The interarrival jitter estimator of RFC 3550 §6.4.1: `J += (|D| - J) / 16`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jitter {
    last: Option<i128>,
    nanos: f64,
    differences: u64,
}

impl Jitter {
    /// Takes the transit time of the next packet in, in order of reception. Its zero is arbitrary, but constant.
    pub fn push(&mut self, transit: i128) {
        if let Some(last) = self.last.replace(transit) {
            let difference = (transit - last).unsigned_abs() as f64;
            self.nanos += (difference - self.nanos) / 16.0;
            self.differences += 1;
        }
    }

    /// The estimate so far; `None` before there are two packets.
    pub fn value(&self) -> Option<Duration> {
        (self.differences > 0).then(|| Duration::from_nanos(self.nanos.round() as u64))
    }
}

/// The 95th percentile of |D| over packets with adjacent sequence numbers (RFC 3393, selection: consecutive).
///
/// `transits` holds (sequence number, transit time in nanoseconds from any constant zero), sorted by number.
pub fn ipdv(transits: &[(u64, i128)]) -> Option<Duration> {
    let adjacent = transits.windows(2).filter(|pair| pair[1].0 == pair[0].0 + 1);
    let mut differences: Vec<u128> = adjacent.map(|pair| (pair[1].1 - pair[0].1).unsigned_abs()).collect();
    differences.sort_unstable();
    percentile(&differences, 0.95).map(|ns| Duration::from_nanos(ns as u64))
}

/// The lower Wilson score bound of a proportion at 95 % (z = 1.96): what `lost` of `sent` proves at least.
///
/// Wilson, JASA 22 (1927). Zero when nothing was sent.
pub fn wilson_lower(lost: u64, sent: u64) -> f64 {
    const Z: f64 = 1.96;
    if sent == 0 {
        return 0.0;
    }
    let (n, p) = (sent as f64, lost as f64 / sent as f64);
    let centre = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + Z * Z / n)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let sorted: Vec<u32> = (1..=100).collect();
        for (q, expected) in [(0.0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)] {
            assert_eq!(percentile(&sorted, q), Some(expected));
        }
        assert_eq!(percentile(&[7], 0.99), Some(7));
        assert_eq!(percentile::<u32>(&[], 0.5), None);
    }

    #[test]
    fn moments_are_those_of_the_population() {
        let mut moments = Moments::default();
        [2, 4, 4, 4, 5, 5, 7, 9].into_iter().for_each(|value| moments.push(ms(value)));
        assert_eq!((moments.mean(), moments.stddev()), (Some(ms(5)), Some(ms(2))));
        assert_eq!(Moments::default().mean(), None);
    }

    #[test]
    fn jitter_follows_rfc_3550() {
        let mut jitter = Jitter::default();
        assert_eq!(jitter.value(), None);
        [0, 16, 16, 0].into_iter().for_each(|transit| jitter.push(transit));
        // 16/16 = 1; then 1 - 1/16; then 0.9375 + (16 - 0.9375)/16 = 1.8789
        assert_eq!(jitter.value(), Some(Duration::from_nanos(2)));
    }

    #[test]
    fn ipdv_skips_pairs_with_a_lost_packet_between() {
        assert_eq!(ipdv(&[(0, 100), (1, 130), (3, 900)]), Some(Duration::from_nanos(30)));
        assert_eq!(ipdv(&[(0, 100), (2, 130)]), None);
    }

    #[test]
    fn the_wilson_bound_decides_as_the_specification_says() {
        for (sent, raises, does_not) in [(30, 4, 3), (60, 7, 6), (100, 10, 9)] {
            assert!(wilson_lower(raises, sent) > 0.05, "{raises} of {sent}");
            assert!(wilson_lower(does_not, sent) <= 0.05, "{does_not} of {sent}");
        }
        assert_eq!(wilson_lower(0, 0), 0.0);
    }

    proptest! {
        #[test]
        fn more_packets_at_one_ratio_never_lower_the_bound(lost in 0u64..50, more in 1u64..50, k in 2u64..40) {
            let sent = lost + more;
            prop_assert!(wilson_lower(lost * k, sent * k) >= wilson_lower(lost, sent) - 1e-12);
        }
    }
}
