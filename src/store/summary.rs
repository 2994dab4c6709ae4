//! One scalar over a long stretch, from roll-ups where they are true and raw points elsewhere.

use std::collections::BTreeSet;

use redb::ReadTransaction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::{Redb, corrupt};
use super::record::first_id;
use super::schema::{DAY, FIVE_MINUTES, HORIZON, HOUR, POINT, ROLLUP, TODO, start_of};
use super::{Filter, Key, Point, Roll};
use crate::units::Unit;

/// What a scalar was over a stretch of time. Percentiles of round-trip times are those of all samples, within 1 %.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The scalar's base unit; null when no record had it.
    pub unit: Option<Unit>,
    /// How many records there were.
    pub records: u64,
    /// Of those, without a report.
    pub failed: u64,
    /// How many values the percentiles are of: samples for round-trip times, records for others.
    pub count: u64,
    /// The least; null when there is none.
    pub min: Option<f64>,
    /// The arithmetic mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
    /// Packets sent, where the probe counts them.
    pub sent: u64,
    /// Packets lost.
    pub lost: u64,
    /// Their ratio; null where nothing was counted.
    pub loss_ratio: Option<f64>,
}

impl Summary {
    /// What `roll` says of `scalar`.
    pub fn of(roll: &Roll, scalar: &str) -> Self {
        let spread = roll.scalars.get(scalar);
        let rtt = super::roll::is_rtt(scalar);
        let samples = roll.rtt.count();
        let extreme = |name: &str| roll.scalars.get(if rtt { name } else { scalar });
        Self {
            unit: spread.map(|spread| spread.unit),
            records: roll.records,
            failed: roll.failed,
            count: if rtt { samples } else { spread.map_or(0, |spread| spread.count) },
            min: extreme("rtt_min").map(|spread| spread.min),
            mean: match (rtt, samples) {
                (true, 1..) => Some(roll.rtt_sum / samples as f64),
                (true, 0) => roll.scalars.get("rtt_mean").and_then(super::Spread::mean),
                (false, _) => spread.and_then(super::Spread::mean),
            },
            p50: roll.quantile(scalar, 0.50),
            p95: roll.quantile(scalar, 0.95),
            p99: roll.quantile(scalar, 0.99),
            max: extreme("rtt_max").map(|spread| spread.max),
            sent: roll.sent,
            lost: roll.lost,
            loss_ratio: roll.loss_ratio(),
        }
    }
}

/// Everything of `filter`, merged.
pub(super) fn whole(transaction: &ReadTransaction, filter: &Filter) -> Redb<Roll> {
    let mut roll = Roll::default();
    for (series, key) in filter.series(transaction)? {
        if key.kind != "autoperf" && key.kind != "gap" {
            Stretch::new(transaction, series)?.merge(filter.span(), &mut roll)?;
        }
    }
    Ok(roll)
}

/// Each series of `filter` that has records in its span.
pub(super) fn each(
    transaction: &ReadTransaction,
    filter: &Filter,
    scalar: &str,
) -> Redb<Vec<(Key, Summary)>> {
    let mut found = Vec::new();
    for (series, key) in filter.series(transaction)? {
        let mut roll = Roll::default();
        Stretch::new(transaction, series)?.merge(filter.span(), &mut roll)?;
        if roll.records > 0 {
            found.push((key, Summary::of(&roll, scalar)));
        }
    }
    Ok(found)
}

/// One series, read at the coarsest step that is true.
struct Stretch {
    series: u64,
    point: redb::ReadOnlyTable<(u64, u128), &'static [u8]>,
    rollup: redb::ReadOnlyTable<(u64, u32, u64), &'static [u8]>,
    /// Hours whose roll-ups are stale, and the days that hold one.
    stale: BTreeSet<u64>,
    stale_days: BTreeSet<u64>,
    horizon: u64,
}

impl Stretch {
    fn new(transaction: &ReadTransaction, series: u64) -> Redb<Self> {
        let mut stale = BTreeSet::new();
        for entry in transaction.open_table(TODO)?.range((series, 0)..=(series, u64::MAX))? {
            stale.insert(entry?.0.value().1);
        }
        Ok(Self {
            series,
            point: transaction.open_table(POINT)?,
            rollup: transaction.open_table(ROLLUP)?,
            stale_days: stale.iter().map(|&hour| start_of(hour, DAY)).collect(),
            stale,
            horizon: transaction.open_table(HORIZON)?.get(series)?.map_or(0, |hour| hour.value()),
        })
    }

    /// Merges [from, to) in milliseconds: whole clean days, then whole clean hours, then raw points at the edges and
    /// in stale hours.
    fn merge(&self, (from, to): (u64, u64), roll: &mut Roll) -> Redb<()> {
        let Some((first, last)) = self.bounds(from)? else {
            return Ok(());
        };
        let mut at = from.max(first);
        // Where nothing lies at or beyond `to`, a step may reach over it.
        let open = last < to;
        let to = to.min(last + 1);
        while at < to {
            let second = at / 1000;
            let whole = |step: u32| {
                let end = (second + u64::from(step)) * 1000;
                (at.is_multiple_of(u64::from(step) * 1000) && (end <= to || open)).then_some(end)
            };
            let day = start_of(second, DAY);
            let hour = start_of(second, HOUR);
            at = if let Some(end) = whole(DAY).filter(|_| !self.stale_days.contains(&day)) {
                self.take(DAY, day, roll)?;
                end
            } else if let Some(end) = whole(HOUR).filter(|_| !self.stale.contains(&hour)) {
                self.take(HOUR, hour, roll)?;
                end
            } else {
                let end = ((hour + u64::from(HOUR)) * 1000).min(to);
                self.fine((at, end), roll)?;
                end
            };
        }
        Ok(())
    }

    /// The first and the last millisecond from `from` on that anything is known of, the first at a day's start.
    fn bounds(&self, from: u64) -> Redb<Option<(u64, u64)>> {
        let points = || self.point.range((self.series, first_id(from))..=(self.series, u128::MAX));
        let ms = |key: (u64, u128)| (key.1 >> 80) as u64;
        let mut known = Vec::new();
        known.extend(points()?.next().transpose()?.map(|(key, _)| ms(key.value())));
        known.extend(points()?.next_back().transpose()?.map(|(key, _)| ms(key.value())));
        let low = start_of(from / 1000, DAY);
        for step in [HOUR, DAY] {
            let rolls = || self.rollup.range((self.series, step, low)..=(self.series, step, u64::MAX));
            known.extend(rolls()?.next().transpose()?.map(|(key, _)| key.value().2 * 1000));
            let end = |start: u64| (start + u64::from(step)) * 1000 - 1;
            known.extend(rolls()?.next_back().transpose()?.map(|(key, _)| end(key.value().2)));
        }
        let first = known.iter().min().map(|&ms| start_of(ms / 1000, DAY) * 1000);
        Ok(first.zip(known.into_iter().max()))
    }

    fn take(&self, step: u32, start: u64, roll: &mut Roll) -> Redb<()> {
        if let Some(octets) = self.rollup.get((self.series, step, start))? {
            roll.merge(&Roll::decode(octets.value()).ok_or_else(|| corrupt("roll-up"))?);
        }
        Ok(())
    }

    /// Part of an hour, or a stale one: raw points, or the roll-ups of five minutes that begin in it where those are gone.
    fn fine(&self, (from, to): (u64, u64), roll: &mut Roll) -> Redb<()> {
        if from / 1000 < self.horizon {
            let range = (from.div_ceil(1000), to.div_ceil(1000));
            for entry in self
                .rollup
                .range((self.series, FIVE_MINUTES, range.0)..(self.series, FIVE_MINUTES, range.1))?
            {
                roll.merge(&Roll::decode(entry?.1.value()).ok_or_else(|| corrupt("roll-up"))?);
            }
            return Ok(());
        }
        for entry in self.point.range((self.series, first_id(from))..(self.series, first_id(to)))? {
            roll.push(&Point::decode(entry?.1.value()).ok_or_else(|| corrupt("point"))?);
        }
        Ok(())
    }
}
