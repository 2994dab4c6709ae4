//! Rate limits, in tables whose size no attacker can change, shared by all threads of a reflector.
//!
//! A bucket is one number: the moment until which what was let through has used the rate up (the generic cell rate
//! algorithm, ITU-T I.371). So it fits an atomic, and stays exact for 584 years of running.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::UdpPingSettings;
use super::census::Census;
use crate::units::nanos;

/// Slots of a table. Sources that share one share its allowance: never more than the limit gets through.
pub(in crate::serve) const SLOTS: usize = 16_384;
const SECOND: u64 = 1_000_000_000;
/// A bucket lets this much time's worth through at once, so that ten seconds see at most 5 % over the rate.
const BURST: u64 = 400_000_000;
/// Handshakes per second and source network.
const HANDSHAKES: u32 = 100;
/// A text may be echoed this often to one source, and once a second after that: two plain echoes that answer each other
/// pass one text to and fro for as long as nobody drops it.
const REPEATS: u64 = 100;
/// Keys derived per second to look at the proof of a hello or open, whoever sent it: some µs each, so a few percent of
/// a processor at most.
const PROOFS: u32 = 20_000;
/// STAMP sessions with counters; beyond it packets are reflected without (stateless, RFC 8762 §4).
pub(super) const STAMP_SESSIONS: u32 = 10_000;

/// What the threads of one reflector may do together.
#[derive(Debug)]
pub struct Limits {
    start: Instant,
    /// Packets without a key by source, and of all sources together.
    sources: Table,
    all: Bucket,
    rate_all: Rate,
    /// Proofs looked at.
    proofs: Bucket,
    /// Handshakes by source; then hellos of all sources, which may be spoofed, apart from opens, which are not.
    handshakes: Table,
    hellos: Bucket,
    opens: Bucket,
    /// Plain echoes by source, port and text.
    repeats: Table,
    /// WP1 sessions, without a key also by source.
    pub(super) sessions: Census,
    /// STAMP sessions by source.
    pub(super) stamp: Census,
}

impl Limits {
    /// The limits that `settings` ask for, all of them untouched.
    pub fn new(settings: &UdpPingSettings, start: Instant) -> Self {
        Self {
            start,
            sources: Table::new(Rate::per_second(settings.rate_per_source)),
            all: Bucket::default(),
            rate_all: Rate::per_second(settings.rate_total),
            handshakes: Table::new(Rate::per_second(HANDSHAKES)),
            proofs: Bucket::default(),
            hellos: Bucket::default(),
            opens: Bucket::default(),
            repeats: Table::new(Rate { step: Some(SECOND), burst: REPEATS * SECOND }),
            sessions: Census::new(settings.sessions, settings.sessions_per_source),
            stamp: Census::new(STAMP_SESSIONS, settings.sessions_per_source),
        }
    }

    /// Nanoseconds from the start to `now`.
    pub(super) fn at(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.start))
    }

    /// Whether one more packet without a key may be answered.
    pub(super) fn packet(&self, source: IpAddr, at: u64) -> bool {
        self.sources.take(network(source), at) && self.all.take(self.rate_all, at)
    }

    /// Whether `text` may be echoed to `source` once more.
    pub(super) fn repeat(&self, source: SocketAddr, text: &[u8], at: u64) -> bool {
        self.repeats.take((source, text), at)
    }

    /// Whether one more hello of `source` may be looked at; [`hello`](Self::hello) says if it may be answered.
    pub(super) fn handshake(&self, source: IpAddr, at: u64) -> bool {
        self.handshakes.take(network(source), at)
    }

    /// Whether one more proof that takes a key derivation may be looked at.
    pub(super) fn proof(&self, at: u64) -> bool {
        self.proofs.take(Rate::per_second(PROOFS), at)
    }

    /// Whether one more hello may be answered, whoever says he sent it.
    pub(super) fn hello(&self, at: u64) -> bool {
        self.hellos.take(self.rate_all, at)
    }

    /// Whether one more open may be answered. Spoofed hellos cannot use this up.
    pub(super) fn open(&self, source: IpAddr, at: u64) -> bool {
        self.handshakes.take(network(source), at) && self.opens.take(self.rate_all, at)
    }
}

/// A rate: the nanoseconds that one packet uses up, and how many may be used up at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    step: Option<u64>,
    burst: u64,
}

impl Rate {
    /// `rate` per second, and a thousandth more: the clocks of client and server may differ by as much.
    pub(super) fn per_second(rate: u32) -> Self {
        let step = 999_000_000_u64.checked_div(rate.into()).map(|step| step.max(1));
        Self { step, burst: BURST.max(step.unwrap_or(0)) }
    }
}

/// One token bucket.
#[derive(Debug, Default)]
pub(super) struct Bucket(AtomicU64);

impl Bucket {
    /// Takes one token, if there is one.
    pub(super) fn take(&self, rate: Rate, at: u64) -> bool {
        let Some(step) = rate.step else { return false };
        let longest = at.saturating_add(rate.burst);
        let next = |until: u64| Some(until.max(at).saturating_add(step)).filter(|&next| next <= longest);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

/// Token buckets, one for each source, hashed with a secret.
#[derive(Debug)]
struct Table {
    hasher: RandomState,
    slots: Vec<Bucket>,
    rate: Rate,
}

impl Table {
    fn new(rate: Rate) -> Self {
        let slots = (0..SLOTS).map(|_| Bucket::default()).collect();
        Self { hasher: RandomState::new(), slots, rate }
    }

    fn take(&self, source: impl Hash, at: u64) -> bool {
        self.slots[slot(&self.hasher, source)].take(self.rate, at)
    }
}

/// The slot of `source` in a table with its own secret.
pub(in crate::serve) fn slot(hasher: &RandomState, source: impl Hash) -> usize {
    hasher.hash_one(source) as usize % SLOTS
}

/// The network that limits count as one source.
pub(in crate::serve) fn network(source: IpAddr) -> u128 {
    match source {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64 | 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(table: &Table, source: &str, at: u64, tries: usize) -> usize {
        let source: IpAddr = source.parse().expect("an address");
        (0..tries).filter(|_| table.take(network(source), at)).count()
    }

    #[test]
    fn a_source_gets_its_rate_and_no_more() {
        let table = Table::new(Rate::per_second(100));
        assert_eq!(passed(&table, "192.0.2.1", 0, 1000), 40);
        assert_eq!(passed(&table, "192.0.2.1", SECOND / 10, 1000), 10);
        assert_eq!(passed(&table, "192.0.2.1", 3600 * SECOND, 1000), 40);
    }

    #[test]
    fn a_rate_holds_within_5_percent_from_the_first_day_to_the_tenth_year() {
        for rate in [1, 100, 3_000, 20_000] {
            for start in [0, 86_400 * SECOND, 10 * 365 * 86_400 * SECOND] {
                let bucket = Bucket::default();
                let step = SECOND / u64::from(rate) / 4;
                let through =
                    (0..10 * SECOND / step).filter(|n| bucket.take(Rate::per_second(rate), start + n * step));
                let through = through.count() as f64 / f64::from(rate);
                assert!((9.99..=10.5).contains(&through), "{rate}/s: {through} s worth in 10 s");
            }
        }
    }

    #[test]
    fn a_client_whose_clock_is_a_little_fast_loses_nothing() {
        let bucket = Bucket::default();
        let rate = Rate::per_second(100);
        assert!((0..1_000_000u64).all(|n| bucket.take(rate, n * 9_995_000)));
    }

    #[test]
    fn a_rate_of_zero_lets_nothing_through() {
        assert!(!Bucket::default().take(Rate::per_second(0), SECOND));
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        let table = Table::new(Rate::per_second(10));
        let through: usize = (0..100).map(|n| passed(&table, &format!("2001:db8::{n:x}"), 0, 1)).sum();
        assert_eq!(through, 4);
    }
}
