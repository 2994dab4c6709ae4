//! Keeping roll-ups: five minutes, an hour, a day, recomputed by the hour from raw points, idempotently.

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadableTable, ReadableTableMetadata, WriteTransaction};

use super::fault::{Redb, corrupt};
use super::record::first_id;
use super::schema::{DAY, FIVE_MINUTES, HOUR, POINT, ROLLUP, TODO, start_of};
use super::{Point, Roll};

/// Hours that one transaction recomputes at most, so that writers wait for a moment only.
pub(super) const AT_ONCE: usize = 200;

/// Recomputes up to [`AT_ONCE`] stale hours that ended before `before` (seconds since the epoch). Answers how many.
pub(super) fn bring_up(transaction: &WriteTransaction, before: u64) -> Redb<usize> {
    let hours = due(transaction, before)?;
    let mut days = BTreeSet::new();
    for &(series, hour) in &hours {
        recompute(transaction, series, hour)?;
        days.insert((series, start_of(hour, DAY)));
    }
    for (series, day) in days {
        sum_day(transaction, series, day)?;
    }
    Ok(hours.len())
}

fn due(transaction: &WriteTransaction, before: u64) -> Redb<Vec<(u64, u64)>> {
    let todo = transaction.open_table(TODO)?;
    if todo.is_empty()? {
        return Ok(Vec::new());
    }
    let mut hours = Vec::new();
    for entry in todo.iter()? {
        let (series, hour) = entry?.0.value();
        if hour.saturating_add(u64::from(HOUR)) <= before {
            hours.push((series, hour));
        }
        if hours.len() == AT_ONCE {
            break;
        }
    }
    Ok(hours)
}

/// Computes the hour's roll-ups from its points and clears its mark.
fn recompute(transaction: &WriteTransaction, series: u64, hour: u64) -> Redb<()> {
    let point = transaction.open_table(POINT)?;
    let steps = steps(&point, series, hour)?;
    let mut whole = Roll::default();
    let mut table = transaction.open_table(ROLLUP)?;
    for (&start, roll) in &steps {
        table.insert((series, FIVE_MINUTES, start), roll.encode().as_slice())?;
        whole.merge(roll);
    }
    if whole.records > 0 {
        table.insert((series, HOUR, hour), whole.encode().as_slice())?;
    }
    transaction.open_table(TODO)?.remove((series, hour))?;
    Ok(())
}

/// The roll-ups of five minutes of one hour, from raw points.
pub(super) fn steps(
    point: &impl ReadableTable<(u64, u128), &'static [u8]>,
    series: u64,
    hour: u64,
) -> Redb<BTreeMap<u64, Roll>> {
    let mut steps: BTreeMap<u64, Roll> = BTreeMap::new();
    let end = hour.saturating_add(u64::from(HOUR));
    for entry in point.range((series, first_id(hour * 1000))..(series, first_id(end.saturating_mul(1000))))? {
        let (key, value) = entry?;
        let start = start_of((key.value().1 >> 80) as u64 / 1000, FIVE_MINUTES);
        let point = Point::decode(value.value()).ok_or_else(|| corrupt("point"))?;
        steps.entry(start).or_default().push(&point);
    }
    Ok(steps)
}

fn sum_day(transaction: &WriteTransaction, series: u64, day: u64) -> Redb<()> {
    let mut table = transaction.open_table(ROLLUP)?;
    let mut whole = Roll::default();
    for entry in table.range((series, HOUR, day)..(series, HOUR, day.saturating_add(u64::from(DAY))))? {
        whole.merge(&Roll::decode(entry?.1.value()).ok_or_else(|| corrupt("roll-up"))?);
    }
    if whole.records > 0 {
        table.insert((series, DAY, day), whole.encode().as_slice())?;
    }
    Ok(())
}

/// Adds a late record to roll-ups whose raw points are gone.
pub(super) fn add(transaction: &WriteTransaction, series: u64, second: u64, late: &Roll) -> Redb<()> {
    let mut table = transaction.open_table(ROLLUP)?;
    for step in [FIVE_MINUTES, HOUR, DAY] {
        let key = (series, step, start_of(second, step));
        let mut roll = match table.get(key)? {
            Some(octets) => Roll::decode(octets.value()).ok_or_else(|| corrupt("roll-up"))?,
            None => Roll::default(),
        };
        roll.merge(late);
        table.insert(key, roll.encode().as_slice())?;
    }
    Ok(())
}
