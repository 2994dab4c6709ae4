//! A roll-up: what remains of many points, mergeable in any order.
//!
//! Round-trip times merge by their samples' sketch, loss by packets: percentiles of percentiles are never formed.

use std::collections::BTreeMap;

use super::Point;
use super::point::{put_name, take_f64, take_name};
use crate::stats::{Sketch, put_varint, take_varint};
use crate::units::Unit;

const VERSION: u8 = 1;

/// Sums, extremes and sketches over the points of one stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roll {
    /// How many records.
    pub records: u64,
    /// Of those, without a report.
    pub failed: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets lost.
    pub lost: u64,
    /// Every round-trip time, in seconds.
    pub rtt: Sketch,
    /// The sum of those, from each record's mean.
    pub rtt_sum: f64,
    /// Each scalar over the records.
    pub scalars: BTreeMap<String, Spread>,
}

/// One scalar over many records.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Its base unit.
    pub unit: Unit,
    /// How many records had it.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// Each record's value; empty for RTT scalars, which are percentiles already.
    pub sketch: Sketch,
}

impl Spread {
    fn new(unit: Unit) -> Self {
        Self {
            unit,
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sketch: Sketch::default(),
        }
    }

    /// The arithmetic mean; `None` of nothing.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// Whether a scalar is a summary of round-trip times: those merge by samples.
pub(super) fn is_rtt(name: &str) -> bool {
    name.starts_with("rtt_")
}

impl Roll {
    /// Takes one point in.
    pub fn push(&mut self, point: &Point) {
        self.records += 1;
        self.failed += u64::from(point.failed.is_some());
        self.sent = self.sent.saturating_add(point.sent);
        self.lost = self.lost.saturating_add(point.lost);
        if let Some(sketch) = &point.rtt {
            self.rtt.merge(sketch);
            self.rtt_sum += point.value("rtt_mean").unwrap_or(0.0) * sketch.count() as f64;
        }
        for (name, unit, value) in &point.scalars {
            let spread = self.scalars.entry(name.to_string()).or_insert_with(|| Spread::new(*unit));
            spread.count += 1;
            spread.sum += value;
            spread.min = spread.min.min(*value);
            spread.max = spread.max.max(*value);
            if !is_rtt(name) {
                spread.sketch.push(*value);
            }
        }
    }

    /// Takes all of another roll-up in.
    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.failed += other.failed;
        self.sent = self.sent.saturating_add(other.sent);
        self.lost = self.lost.saturating_add(other.lost);
        self.rtt.merge(&other.rtt);
        self.rtt_sum += other.rtt_sum;
        for (name, theirs) in &other.scalars {
            let ours = self.scalars.entry(name.clone()).or_insert_with(|| Spread::new(theirs.unit));
            ours.count += theirs.count;
            ours.sum += theirs.sum;
            ours.min = ours.min.min(theirs.min);
            ours.max = ours.max.max(theirs.max);
            ours.sketch.merge(&theirs.sketch);
        }
    }

    /// Round-trip loss over the whole stretch: sum of lost by sum of sent. `None` where nothing was counted.
    pub fn loss_ratio(&self) -> Option<f64> {
        (self.sent > 0).then(|| self.lost as f64 / self.sent as f64)
    }

    /// The quantile `q` (0–1) of the scalar `name`, within 1 %: of all samples for round-trip times, of the records'
    /// values for others. `None` where there is none.
    pub fn quantile(&self, name: &str, q: f64) -> Option<f64> {
        if is_rtt(name) {
            return self.rtt.quantile(q);
        }
        let spread = self.scalars.get(name)?;
        let value = spread.sketch.quantile(q)?;
        Some(value.clamp(spread.min, spread.max))
    }

    /// The one number that stands for this stretch in a chart of `name`.
    pub(super) fn headline(&self, name: &str) -> Option<f64> {
        let spread = self.scalars.get(name);
        match name {
            "rtt_min" => spread.map(|spread| spread.min),
            "rtt_max" => spread.map(|spread| spread.max),
            "rtt_mean" if self.rtt.count() > 0 => Some(self.rtt_sum / self.rtt.count() as f64),
            "rtt_p50" => self.rtt.quantile(0.50),
            "rtt_p95" => self.rtt.quantile(0.95),
            "rtt_p99" => self.rtt.quantile(0.99),
            "loss_ratio" => self.loss_ratio().or(spread.and_then(Spread::mean)),
            _ => spread.and_then(Spread::mean),
        }
    }

    /// This roll-up as octets.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        for count in [self.records, self.failed, self.sent, self.lost] {
            put_varint(&mut out, count);
        }
        self.rtt.encode(&mut out);
        out.extend(self.rtt_sum.to_le_bytes());
        put_varint(&mut out, self.scalars.len() as u64);
        for (name, spread) in &self.scalars {
            put_name(&mut out, name, spread.unit);
            put_varint(&mut out, spread.count);
            for value in [spread.sum, spread.min, spread.max] {
                out.extend(value.to_le_bytes());
            }
            spread.sketch.encode(&mut out);
        }
        out
    }

    /// Reads [`encode`](Self::encode)'s octets; `None` if they are anything else.
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let (&VERSION, mut from) = octets.split_first()? else {
            return None;
        };
        let from = &mut from;
        let mut roll = Self {
            records: take_varint(from)?,
            failed: take_varint(from)?,
            sent: take_varint(from)?,
            lost: take_varint(from)?,
            rtt: Sketch::decode(from)?,
            rtt_sum: take_f64(from)?,
            scalars: BTreeMap::new(),
        };
        for _ in 0..take_varint(from)? {
            let (name, unit) = take_name(from)?;
            let spread = Spread {
                unit,
                count: take_varint(from)?,
                sum: take_f64(from)?,
                min: take_f64(from)?,
                max: take_f64(from)?,
                sketch: Sketch::decode(from)?,
            };
            roll.scalars.insert(name.into_owned(), spread);
        }
        from.is_empty().then_some(roll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(rtts: &[f64], connect: f64) -> Point {
        let mut sketch = Sketch::default();
        rtts.iter().for_each(|&rtt| sketch.push(rtt));
        let mean = rtts.iter().sum::<f64>() / rtts.len().max(1) as f64;
        Point {
            sent: rtts.len() as u64,
            scalars: vec![
                ("rtt_mean".into(), Unit::Seconds, mean),
                ("connect".into(), Unit::Seconds, connect),
                ("own".into(), Unit::None, -connect),
            ],
            rtt: Some(sketch),
            ..Point::default()
        }
    }

    proptest! {
        #[test]
        fn a_roll_up_survives_its_octets_and_merges_exactly(
            a in prop::collection::vec((prop::collection::vec(1e-5..1.0f64, 1..9), 1e-4..5.0f64), 0..6),
            b in prop::collection::vec((prop::collection::vec(1e-5..1.0f64, 1..9), 1e-4..5.0f64), 0..6),
        ) {
            let of = |points: &[(Vec<f64>, f64)]| {
                let mut roll = Roll::default();
                points.iter().for_each(|(rtts, connect)| roll.push(&point(rtts, *connect)));
                roll
            };
            let (mut merged, whole) = (of(&a), of(&[a.clone(), b.clone()].concat()));
            merged.merge(&of(&b));
            prop_assert_eq!((&merged.rtt, merged.sent, merged.records), (&whole.rtt, whole.sent, whole.records));
            prop_assert_eq!(merged.quantile("connect", 0.95), whole.quantile("connect", 0.95));
            prop_assert_eq!(Roll::decode(&merged.encode()), Some(merged));
        }

        #[test]
        fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Roll::decode(&[&[VERSION], octets.as_slice()].concat());
        }
    }
}
