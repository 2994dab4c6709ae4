//! When rounds are due: spread over the interval by a hash, and jittered by a seeded generator.

use std::time::Duration;

use crate::stats::Rng;
use crate::units::nanos;

/// `span`, give or take 10 %.
pub fn jitter(span: Duration, rng: &mut Rng) -> Duration {
    let fifth = nanos(span) / 5;
    let least = nanos(span) - fifth / 2;
    Duration::from_nanos(least + if fifth == 0 { 0 } else { rng.bits() % fifth })
}

/// FNV-1a over the parts, each ended by a zero, then mixed: stable over versions and machines.
pub fn hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Rng::new(hash).bits()
}

/// This agent's place for this target within `span`: always the same, and evenly spread over agents and targets.
pub fn stagger(agent: &str, target: &str, span: Duration) -> Duration {
    let span = nanos(span);
    Duration::from_nanos(if span == 0 { 0 } else { hash(&[agent, target]) % span })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_for_ever() {
        assert_eq!(hash(&["ams1", "shop"]), 10_557_990_558_249_190_933);
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }

    #[test]
    fn targets_are_spread_over_the_interval() {
        let span = Duration::from_secs(300);
        let mut tenths = [0u32; 10];
        for n in 0..1_000 {
            let at = stagger("agent", &format!("target{n}"), span);
            tenths[(at.as_secs() / 30) as usize] += 1;
        }
        assert!(tenths.iter().all(|&count| (60..150).contains(&count)), "{tenths:?}");
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        let (span, mut rng) = (Duration::from_secs(10), Rng::new(7));
        let throws: Vec<_> = (0..1_000).map(|_| jitter(span, &mut rng)).collect();
        assert!(throws.iter().all(|at| (9_000..=11_000).contains(&(at.as_millis() as u64))));
        assert!(
            throws.iter().any(|at| at.as_millis() < 9_200) && throws.iter().any(|at| at.as_millis() > 10_800)
        );
        assert_eq!(jitter(Duration::ZERO, &mut rng), Duration::ZERO);
    }
}
