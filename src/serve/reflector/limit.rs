//! Rate limits by source, in a table whose size no attacker can change.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::Instant;

/// Slots of the table. Sources that share one share its allowance: never more than the limit gets through.
const SLOTS: usize = 16_384;

/// Token buckets, one for each source network (IPv4 /32, IPv6 /64), hashed with a secret.
pub(super) struct Buckets {
    start: Instant,
    hasher: RandomState,
    slots: Vec<Bucket>,
    rate: f64,
}

/// One token bucket: it holds at most one second's worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    tokens: f32,
    /// Seconds since the table's start.
    at: f32,
}

impl Bucket {
    pub(super) const fn full(rate: f64, at: f32) -> Self {
        Self { tokens: rate as f32, at }
    }

    /// Takes one token, if there is one.
    pub(super) fn take(&mut self, rate: f64, at: f32) -> bool {
        let rate = rate as f32;
        self.tokens = (self.tokens + (at - self.at).max(0.0) * rate).min(rate.max(1.0));
        self.at = at;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

impl Buckets {
    /// Buckets of `rate` packets per second each.
    pub(super) fn new(rate: f64, start: Instant) -> Self {
        Self { start, hasher: RandomState::new(), slots: vec![Bucket::full(rate, 0.0); SLOTS], rate }
    }

    /// Whether one more packet from `source` is within its limit.
    pub(super) fn take(&mut self, source: IpAddr, now: Instant) -> bool {
        let slot = self.hasher.hash_one(network(source)) as usize % self.slots.len();
        self.slots[slot].take(self.rate, seconds(self.start, now))
    }
}

/// Seconds from `start` to `now`.
pub(super) fn seconds(start: Instant, now: Instant) -> f32 {
    now.saturating_duration_since(start).as_secs_f32()
}

/// The network that limits count as one source.
fn network(source: IpAddr) -> u128 {
    match source {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64 | 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn passed(buckets: &mut Buckets, source: &str, now: Instant, tries: usize) -> usize {
        let source: IpAddr = source.parse().expect("an address");
        (0..tries).filter(|_| buckets.take(source, now)).count()
    }

    #[test]
    fn a_source_gets_its_rate_and_no_more() {
        let start = crate::sys::clock::now().mono;
        let mut buckets = Buckets::new(100.0, start);
        assert_eq!(passed(&mut buckets, "192.0.2.1", start, 1000), 100);
        assert_eq!(passed(&mut buckets, "192.0.2.1", start + Duration::from_millis(100), 1000), 10);
        assert_eq!(passed(&mut buckets, "192.0.2.1", start + Duration::from_secs(3600), 1000), 100);
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let start = crate::sys::clock::now().mono;
        let mut buckets = Buckets::new(10.0, start);
        let through: usize =
            (0..100).map(|n| passed(&mut buckets, &format!("2001:db8::{n:x}"), start, 1)).sum();
        assert_eq!(through, 10);
    }
}
