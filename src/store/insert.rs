//! Putting records in: record, point, series and the mark of stale roll-ups, in the caller's transaction.

use std::collections::{HashMap, HashSet};

use redb::{ReadableTable, Table, WriteTransaction};

use super::fault::{Redb, corrupt};
use super::record::{Record, millis};
use super::schema::{HORIZON, HOUR, META, POINT, RECORD, SERIES, STATE, TODO, start_of};
use super::{Point, Roll, rollup};
use crate::failure::Failure;

/// A record made ready for its row.
pub(super) struct Row {
    id: u128,
    body: Vec<u8>,
    series: Vec<u8>,
    point: Point,
    measured: bool,
    second: u64,
}

impl Row {
    /// # Errors
    /// See [`Record::check`]; and records beyond 8 MiB.
    pub(super) fn of(record: &Record) -> Result<Self, Failure> {
        record.check()?;
        Ok(Self {
            id: record.id().as_u128(),
            body: record.encode()?,
            series: record.series().octets(),
            point: Point::of(record),
            measured: matches!(record, Record::Measurement(_)),
            second: millis(record.id()) / 1000,
        })
    }

    pub(super) const fn id(&self) -> u128 {
        self.id
    }

    pub(super) fn size(&self) -> usize {
        self.body.len()
    }
}

/// Puts `rows` in. Those whose id is there already are left as they are. Answers how many were new.
pub(super) fn rows(transaction: &WriteTransaction, rows: &[Row]) -> Redb<u64> {
    let mut record = transaction.open_table(RECORD)?;
    let mut point = transaction.open_table(POINT)?;
    let mut series = Numbers::new(transaction)?;
    let mut marks = Marks::new(transaction)?;
    let mut late = Vec::new();
    let mut new = 0;
    for row in rows {
        if record.get(row.id)?.is_some() {
            continue;
        }
        new += 1;
        record.insert(row.id, row.body.as_slice())?;
        let number = series.of(&row.series)?;
        point.insert((number, row.id), row.point.encode().as_slice())?;
        if row.measured && !marks.mark(number, row.second)? {
            late.push((number, row));
        }
    }
    drop((record, point, series, marks));
    for (number, row) in late {
        let mut roll = Roll::default();
        roll.push(&row.point);
        rollup::add(transaction, number, row.second, &roll)?;
    }
    Ok(new)
}

/// Keeps `states`, each under its key, in place of what was there.
pub(super) fn states(transaction: &WriteTransaction, states: &[(String, Vec<u8>)]) -> Redb<()> {
    let mut table = transaction.open_table(STATE)?;
    for (key, value) in states {
        table.insert(key.as_str(), value.as_slice())?;
    }
    Ok(())
}

/// The numbers of series, given out as they appear.
struct Numbers<'txn> {
    known: HashMap<Vec<u8>, u64>,
    series: Table<'txn, &'static [u8], u64>,
    meta: Table<'txn, &'static str, u64>,
}

impl<'txn> Numbers<'txn> {
    fn new(transaction: &'txn WriteTransaction) -> Redb<Self> {
        Ok(Self {
            known: HashMap::new(),
            series: transaction.open_table(SERIES)?,
            meta: transaction.open_table(META)?,
        })
    }

    fn of(&mut self, key: &[u8]) -> Redb<u64> {
        if let Some(&number) = self.known.get(key) {
            return Ok(number);
        }
        let found = self.series.get(key)?.map(|number| number.value());
        let number = match found {
            Some(number) => number,
            None => self.next(key)?,
        };
        self.known.insert(key.to_owned(), number);
        Ok(number)
    }

    fn next(&mut self, key: &[u8]) -> Redb<u64> {
        let last = self.meta.get("series")?.map_or(0, |last| last.value());
        let number = last.checked_add(1).ok_or_else(|| corrupt("series number"))?;
        self.meta.insert("series", number)?;
        self.series.insert(key, number)?;
        Ok(number)
    }
}

/// The marks of hours whose roll-ups are stale.
struct Marks<'txn> {
    made: HashSet<(u64, u64)>,
    horizons: HashMap<u64, u64>,
    todo: Table<'txn, (u64, u64), ()>,
    horizon: Table<'txn, u64, u64>,
}

impl<'txn> Marks<'txn> {
    fn new(transaction: &'txn WriteTransaction) -> Redb<Self> {
        Ok(Self {
            made: HashSet::new(),
            horizons: HashMap::new(),
            todo: transaction.open_table(TODO)?,
            horizon: transaction.open_table(HORIZON)?,
        })
    }

    /// Marks the hour of `second`; false where its raw points are gone, so that it cannot be computed again.
    fn mark(&mut self, series: u64, second: u64) -> Redb<bool> {
        let hour = start_of(second, HOUR);
        if hour < self.horizon_of(series)? {
            return Ok(false);
        }
        if self.made.insert((series, hour)) {
            self.todo.insert((series, hour), ())?;
        }
        Ok(true)
    }

    fn horizon_of(&mut self, series: u64) -> Redb<u64> {
        if let Some(&known) = self.horizons.get(&series) {
            return Ok(known);
        }
        let found = self.horizon.get(series)?.map_or(0, |hour| hour.value());
        self.horizons.insert(series, found);
        Ok(found)
    }
}
