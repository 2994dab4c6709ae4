//! A seeded source of chances: SplitMix64 (Steele, Lea, Flood 2014), the same on every machine.

/// A pseudo-random sequence; the seed is all of its state.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// A sequence that depends on the seed only.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, evenly distributed from 0 up to but not including 1.
    pub(super) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rolls_are_even() {
        let mut dice = Dice::new(7);
        let low = (0..10_000).filter(|_| dice.roll() < 0.1).count();
        assert!((900..1_100).contains(&low), "{low} of 10,000 below 0.1");
    }
}
