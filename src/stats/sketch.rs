//! A mergeable quantile sketch: logarithmic bins of 1 % relative error (DDSketch, Masson et al., VLDB 2019).
//!
//! A single run's percentiles are exact; sketches are for what must be merged later: an hour, a month, a fleet.
//! Percentiles of percentiles are never formed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Relative accuracy of every quantile that a sketch answers.
const ALPHA: f64 = 0.01;
const GAMMA: f64 = (1.0 + ALPHA) / (1.0 - ALPHA);
/// Values at or below this (1 ns when they are seconds) share one bin.
const SMALLEST: f64 = 1e-9;
/// At most this many bins; beyond it the two lowest collapse, which leaves the upper quantiles exact to 1 %.
const MOST_BINS: usize = 1024;

/// Counts of non-negative values in bins whose bounds grow by 2.02 %. Merging adds counts, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sketch {
    /// How many values were zero, or too small to tell from it.
    zero: u64,
    /// (index, count), sorted by index; bin `i` holds values in (γ^(i-1), γ^i], γ = 1.01/0.99.
    bins: Vec<(i32, u64)>,
}

impl Sketch {
    /// Takes one value in. Values that are not numbers, and negative ones, count as zero.
    pub fn push(&mut self, value: f64) {
        if value > SMALLEST {
            self.add((value.ln() / GAMMA.ln()).ceil() as i32, 1);
        } else {
            self.zero += 1;
        }
    }

    /// Takes all of another sketch's values in.
    pub fn merge(&mut self, other: &Self) {
        self.zero += other.zero;
        other.bins.iter().for_each(|&(index, count)| self.add(index, count));
    }

    /// How many values it holds.
    pub fn count(&self) -> u64 {
        self.zero + self.bins.iter().map(|&(_, count)| count).sum::<u64>()
    }

    /// The value at quantile `q` (0–1), within 1 % of the nearest-rank one; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = ((q * self.count() as f64).ceil() as u64).max(1);
        let mut seen = self.zero;
        if self.count() == 0 {
            return None;
        }
        if rank <= seen {
            return Some(0.0);
        }
        let bin = self.bins.iter().find(|&&(_, count)| {
            seen += count;
            rank <= seen
        });
        bin.or(self.bins.last()).map(|&(index, _)| 2.0 * GAMMA.powi(index) / (GAMMA + 1.0))
    }

    /// The sketch as octets: varints of `zero`, then (index step, count) for each bin.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put(out, self.zero);
        put(out, self.bins.len() as u64);
        let mut last = 0;
        for &(index, count) in &self.bins {
            put(out, zigzag(i64::from(index) - i64::from(last)));
            put(out, count);
            last = index;
        }
    }

    /// Reads what [`encode`](Self::encode) wrote and moves `from` behind it; `None` if it is anything else.
    pub fn decode(from: &mut &[u8]) -> Option<Self> {
        let zero = take(from)?;
        let bins = take(from)?;
        let mut sketch = Self { zero, bins: Vec::new() };
        let mut last = 0i32;
        for nth in 0..bins.min(MOST_BINS as u64 + 1) {
            let step = unzigzag(take(from)?);
            let index = i32::try_from(i64::from(last).checked_add(step)?).ok()?;
            let in_order = nth == 0 || step > 0;
            sketch.bins.push((index, take(from).filter(|_| in_order)?));
            last = index;
        }
        (bins <= MOST_BINS as u64).then_some(sketch)
    }

    fn add(&mut self, index: i32, count: u64) {
        match self.bins.binary_search_by_key(&index, |bin| bin.0) {
            Ok(at) => self.bins[at].1 += count,
            Err(at) => self.bins.insert(at, (index, count)),
        }
        if self.bins.len() > MOST_BINS {
            let (_, lowest) = self.bins.remove(0);
            self.bins[0].1 += lowest;
        }
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends `value` as a varint (LEB128).
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a varint and moves `from` behind it; `None` where there is none.
pub fn take(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&octet, rest) = from.split_first()?;
        *from = rest;
        value |= u64::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        values.iter().for_each(|&value| sketch.push(value));
        sketch
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Sketch::default().quantile(0.5), None);
        assert_eq!(of(&[0.0, 0.0]).quantile(0.99), Some(0.0));
    }

    proptest! {
        #[test]
        fn quantiles_are_within_one_percent(mut values in prop::collection::vec(1e-6f64..1e3, 1..400), q in 0.0f64..=1.0) {
            let sketch = of(&values);
            values.sort_by(f64::total_cmp);
            let exact = crate::stats::percentile(&values, q).expect("not empty");
            let told = sketch.quantile(q).expect("not empty");
            prop_assert!((told - exact).abs() <= ALPHA * exact * 1.000_001, "{told} for {exact}");
        }

        #[test]
        fn merging_equals_having_seen_everything(a in prop::collection::vec(0f64..10.0, 0..50), b in prop::collection::vec(0f64..10.0, 0..50)) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            prop_assert_eq!(merged, of(&[a, b].concat()));
        }

        #[test]
        fn the_octets_give_the_sketch_back(values in prop::collection::vec(0f64..1e9, 0..200)) {
            let sketch = of(&values);
            let mut octets = Vec::new();
            sketch.encode(&mut octets);
            let mut rest = octets.as_slice();
            prop_assert_eq!(Sketch::decode(&mut rest), Some(sketch));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(sketch) = Sketch::decode(&mut octets.as_slice()) {
                let _ = sketch.zero.checked_add(1).map(|_| sketch.bins.len());
            }
        }

        #[test]
        fn bins_are_bounded_and_the_top_stays_true(exponents in prop::collection::vec(-8.0f64..300.0, 3000)) {
            let values: Vec<f64> = exponents.iter().map(|e| 10f64.powf(*e)).collect();
            let sketch = of(&values);
            prop_assert!(sketch.bins.len() <= MOST_BINS);
            prop_assert_eq!(sketch.count(), 3000);
        }
    }
}
