//! Retention: raw records by kind and tier, roll-ups by step. A raw record goes only after its hour is rolled up.

use redb::{ReadableTable, WriteTransaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::Redb;
use super::record::{first_id, since_epoch};
use super::schema::{DAY, FIVE_MINUTES, HORIZON, HOUR, META, POINT, RECORD, ROLLUP, TODO, start_of};
use super::{Key, Retention, Store, rollup};
use crate::failure::Failure;
use crate::units::Timestamp;

/// Records that one transaction removes at most, so that writers wait for a moment only.
const AT_ONCE: usize = 10_000;
/// Roll-ups wait this long after their hour, for records that are on their way (seconds).
const SETTLE: u64 = 300;

/// What a tidying removed and made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pruned {
    /// Hours whose roll-ups were made or made again.
    pub rolled: u64,
    /// Records past their time.
    pub records: u64,
    /// Roll-ups past their time.
    pub rollups: u64,
}

impl Store {
    /// Brings roll-ups of hours that have passed up to date. Answers how many hours.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn roll_up(&self, now: Timestamp) -> Result<u64, Failure> {
        let before = (since_epoch(now) / 1000).saturating_sub(SETTLE);
        let mut rolled = 0;
        // A look first: a transaction that changes nothing still costs two syncs.
        while self.read(|transaction| is_due(transaction, before))? {
            rolled += self.write(|transaction| rollup::bring_up(transaction, before))? as u64;
        }
        Ok(rolled)
    }

    /// Rolls up, then removes what is past its time.
    ///
    /// Time is the wall clock, but never beyond the newest record: a clock that jumps ahead removes nothing early.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn prune(&self, retention: &Retention, now: Timestamp) -> Result<Pruned, Failure> {
        let mut pruned = Pruned { rolled: self.roll_up(now)?, ..Pruned::default() };
        let Some(newest) = self.read(newest_second)? else {
            return Ok(pruned);
        };
        let now = newest.min(since_epoch(now) / 1000);
        let series = self.read(|transaction| super::Filter::default().series(transaction))?;
        for (number, key) in series {
            let cut = raw_cut(retention, &key, now);
            loop {
                let gone = self.write_if_due(number, cut)?;
                pruned.records += gone;
                if gone < AT_ONCE as u64 {
                    break;
                }
            }
            pruned.rollups += self.prune_rollups(number, &key, retention, now)?;
        }
        self.write(|transaction| {
            transaction.open_table(META)?.insert("pruned", now)?;
            Ok(())
        })?;
        Ok(pruned)
    }

    /// How many records [`prune`](Self::prune) would remove, without doing it. (Roll-ups it makes first, so they are not
    /// counted.)
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn due(&self, retention: &Retention, now: Timestamp) -> Result<Pruned, Failure> {
        self.read(|transaction| {
            let mut due = Pruned::default();
            let Some(newest) = newest_second(transaction)? else {
                return Ok(due);
            };
            let now = newest.min(since_epoch(now) / 1000);
            let point = transaction.open_table(POINT)?;
            for (number, key) in super::Filter::default().series(transaction)? {
                let cut = raw_cut(retention, &key, now);
                for entry in point.range((number, 0)..(number, first_id(cut * 1000)))? {
                    entry?;
                    due.records += 1;
                }
            }
            Ok(due)
        })
    }

    /// Rolls up what has passed, and prunes once a day.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn tidy(&self, retention: &Retention, now: Timestamp) -> Result<Pruned, Failure> {
        let last =
            self.read(|transaction| Ok(transaction.open_table(META)?.get("pruned")?.map(|at| at.value())))?;
        let today = since_epoch(now) / 1000;
        if last.is_none_or(|last| today.saturating_sub(last) >= u64::from(DAY)) {
            return self.prune(retention, now);
        }
        let rolled = self.roll_up(now)?;
        Ok(Pruned { rolled, ..Pruned::default() })
    }

    fn write_if_due(&self, series: u64, cut: u64) -> Result<u64, Failure> {
        let due = self.read(|transaction| {
            let point = transaction.open_table(POINT)?;
            Ok(point.range((series, 0)..(series, first_id(cut * 1000)))?.next().is_some())
        })?;
        if !due {
            return Ok(0);
        }
        self.write(|transaction| remove_raw(transaction, series, cut))
    }

    fn prune_rollups(&self, series: u64, key: &Key, retention: &Retention, now: u64) -> Result<u64, Failure> {
        let steps = [FIVE_MINUTES, HOUR, DAY].map(|step| {
            // A roll-up outlives the records that it can be computed from.
            let age = retention.rolled(step).max(retention.raw(key)).0.as_secs();
            (step, start_of(now.saturating_sub(age), DAY))
        });
        let due = self.read(|transaction| {
            let table = transaction.open_table(ROLLUP)?;
            for (step, cut) in steps {
                if table.range((series, step, 0)..(series, step, cut))?.next().is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
        })?;
        if !due {
            return Ok(0);
        }
        self.write(|transaction| {
            let mut table = transaction.open_table(ROLLUP)?;
            let mut gone = 0;
            for (step, cut) in steps {
                for entry in table.extract_from_if((series, step, 0)..(series, step, cut), |_, _| true)? {
                    entry?;
                    gone += 1;
                }
            }
            Ok(gone)
        })
    }
}

/// The second before which raw records of the series `key` go.
fn raw_cut(retention: &Retention, key: &Key, now: u64) -> u64 {
    start_of(now.saturating_sub(retention.raw(key).0.as_secs()), HOUR)
}

fn is_due(transaction: &redb::ReadTransaction, before: u64) -> Redb<bool> {
    for entry in transaction.open_table(TODO)?.iter()? {
        if entry?.0.value().1.saturating_add(u64::from(HOUR)) <= before {
            return Ok(true);
        }
    }
    Ok(false)
}

fn newest_second(transaction: &redb::ReadTransaction) -> Redb<Option<u64>> {
    let newest = transaction.open_table(RECORD)?.last()?.map(|(id, _)| id.value());
    Ok(newest.map(|id| (id >> 80) as u64 / 1000))
}

/// Removes up to [`AT_ONCE`] records of `series` before `cut`, and says from where on raw points are whole.
fn remove_raw(transaction: &WriteTransaction, series: u64, cut: u64) -> Redb<u64> {
    // An hour that is still to be rolled up keeps its points.
    let stale = {
        let todo = transaction.open_table(TODO)?;
        let first = todo.range((series, 0)..(series, cut))?.next().transpose()?;
        first.map_or(cut, |(key, _)| key.value().1)
    };
    let mut record = transaction.open_table(RECORD)?;
    let mut point = transaction.open_table(POINT)?;
    let mut gone = 0;
    for entry in
        point.extract_from_if((series, 0)..(series, first_id(stale * 1000)), |_, _| true)?.take(AT_ONCE)
    {
        record.remove(entry?.0.value().1)?;
        gone += 1;
    }
    let mut horizon = transaction.open_table(HORIZON)?;
    let before = horizon.get(series)?.map_or(0, |hour| hour.value());
    horizon.insert(series, stale.max(before))?;
    Ok(gone)
}
