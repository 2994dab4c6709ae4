//! A small seeded generator for schedules and simulations (SplitMix64, Steele et al., OOPSLA 2014). Not for secrets.

use serde::{Deserialize, Serialize};

/// Equal seeds give equal sequences, on every machine and in every version. As JSON it is the number where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number, uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The next number of an exponential distribution with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(
            [(); 3].map(|()| rng.bits()),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn means_are_those_of_the_distributions() {
        let mut rng = Rng::new(1);
        let n = 100_000;
        let (uniform, exponential) =
            (0..n).fold((0.0, 0.0), |(u, e), _| (u + rng.unit(), e + rng.exponential()));
        assert!((uniform / f64::from(n) - 0.5).abs() < 0.01);
        assert!((exponential / f64::from(n) - 1.0).abs() < 0.02);
    }
}
