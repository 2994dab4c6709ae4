//! A series for a chart: one scalar over time, thinned so that no peak is lost.

use redb::ReadTransaction;
use serde::{Deserialize, Serialize};

use super::fault::{Redb, corrupt};
use super::record::first_id;
use super::schema::{FIVE_MINUTES, HORIZON, HOUR, POINT, ROLLUP, start_of};
use super::{Filter, Key, Point, Roll};
use crate::units::Unit;

/// The most lines that one answer draws; the newest series win no preference, the first by number do.
const MOST_LINES: usize = 64;

/// One series' line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Whose it is.
    pub series: Key,
    /// Base unit of the values; `None` when the scalar's name is not a shared one.
    pub unit: Option<Unit>,
    /// How many values there were before thinning.
    pub total: u64,
    /// Milliseconds since the epoch and value, by time. Where raw points are gone, roll-ups stand in.
    pub points: Vec<(u64, f64)>,
}

/// Every line of `scalar` in `filter`, each thinned to at most `points` values.
pub(super) fn lines(
    transaction: &ReadTransaction,
    filter: &Filter,
    scalar: &str,
    points: usize,
) -> Redb<Vec<Line>> {
    let mut lines = Vec::new();
    for (number, series) in filter.series(transaction)? {
        let values = Values::read(transaction, number, filter, scalar, points)?;
        if values.total > 0 && lines.len() < MOST_LINES {
            lines.push(Line {
                series,
                unit: crate::probe::unit_of(scalar),
                total: values.total,
                points: values.thinned,
            });
        }
    }
    Ok(lines)
}

struct Values {
    total: u64,
    thinned: Vec<(u64, f64)>,
}

impl Values {
    fn read(
        transaction: &ReadTransaction,
        series: u64,
        filter: &Filter,
        scalar: &str,
        points: usize,
    ) -> Redb<Self> {
        let (since, until) = filter.span();
        let horizon = transaction.open_table(HORIZON)?.get(series)?.map_or(0, |hour| hour.value());
        let raw_from = since.max(horizon.saturating_mul(1000));
        let mut all = Vec::new();
        if since < raw_from {
            rolled(transaction, series, scalar, (since, raw_from.min(until)), &mut all)?;
        }
        if raw_from < until {
            raw(transaction, series, scalar, (raw_from, until), &mut all)?;
        }
        Ok(Self { total: all.len() as u64, thinned: Thinned::of(&all, points) })
    }
}

fn raw(
    transaction: &ReadTransaction,
    series: u64,
    scalar: &str,
    (from, to): (u64, u64),
    out: &mut Vec<(u64, f64)>,
) -> Redb<()> {
    let table = transaction.open_table(POINT)?;
    for entry in table.range((series, first_id(from))..(series, first_id(to)))? {
        let (key, value) = entry?;
        let one = Point::one(value.value(), scalar).ok_or_else(|| corrupt("point"))?;
        out.extend(one.map(|value| ((key.value().1 >> 80) as u64, value)));
    }
    Ok(())
}

/// The headline of each roll-up in the span: of five minutes where there is one, else of an hour.
fn rolled(
    transaction: &ReadTransaction,
    series: u64,
    scalar: &str,
    (from, to): (u64, u64),
    out: &mut Vec<(u64, f64)>,
) -> Redb<()> {
    let table = transaction.open_table(ROLLUP)?;
    let (from, to) = (from / 1000, to.div_ceil(1000));
    let mut take = |step: u32, from: u64, to: u64| -> Redb<Option<u64>> {
        let mut first = None;
        for entry in
            table.range((series, step, start_of(from, step))..(series, step, to.max(start_of(from, step))))?
        {
            let (key, value) = entry?;
            let roll = Roll::decode(value.value()).ok_or_else(|| corrupt("roll-up"))?;
            first.get_or_insert(key.value().2);
            out.extend(roll.headline(scalar).map(|value| (key.value().2 * 1000, value)));
        }
        Ok(first)
    };
    let fine = table
        .range((series, FIVE_MINUTES, start_of(from, FIVE_MINUTES))..(series, FIVE_MINUTES, u64::MAX))?;
    let first_fine = fine.take(1).next().transpose()?.map_or(to, |(key, _)| key.value().2.min(to));
    let coarse_to = start_of(first_fine, HOUR);
    if from < coarse_to {
        take(HOUR, from, coarse_to)?;
    }
    take(FIVE_MINUTES, from.max(coarse_to), to)?;
    Ok(())
}

/// Thinning that keeps the least and the greatest value of every stretch.
pub struct Thinned;

impl Thinned {
    /// At most `most` of `points` (at least 2), in order: of each of `most / 2` equal stretches the extremes.
    pub fn of(points: &[(u64, f64)], most: usize) -> Vec<(u64, f64)> {
        let most = most.max(2);
        if points.len() <= most {
            return points.to_vec();
        }
        let stretch = points.len().div_ceil(most / 2);
        let mut kept = Vec::with_capacity(most);
        for part in points.chunks(stretch) {
            let mut ends = [0, 0];
            for (at, &(_, value)) in part.iter().enumerate() {
                if value < part[ends[0]].1 {
                    ends[0] = at;
                }
                if value > part[ends[1]].1 {
                    ends[1] = at;
                }
            }
            ends.sort_unstable();
            kept.push(part[ends[0]]);
            if ends[0] != ends[1] {
                kept.push(part[ends[1]]);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::Thinned;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn thinning_keeps_the_extremes_and_the_order(values in prop::collection::vec(-1e3..1e3f64, 1..500), most in 2usize..100) {
            let points: Vec<(u64, f64)> = values.iter().enumerate().map(|(at, &value)| (at as u64, value)).collect();
            let thin = Thinned::of(&points, most);
            prop_assert!(thin.len() <= most);
            prop_assert!(thin.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let greatest = |points: &[(u64, f64)]| points.iter().map(|point| point.1).fold(f64::MIN, f64::max);
            let least = |points: &[(u64, f64)]| points.iter().map(|point| point.1).fold(f64::MAX, f64::min);
            prop_assert_eq!((greatest(&points), least(&points)), (greatest(&thin), least(&thin)));
        }
    }
}
