//! Verification: every page, every record, every index entry, every roll-up that can be computed again.

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fault::Redb;
use super::owner::record_of;
use super::schema::{HORIZON, HOUR, POINT, RECORD, ROLLUP, TODO};
use super::{Filter, Key, Point, Roll, Store, rollup};
use crate::failure::Failure;

/// Problems that are told one by one; more are only counted.
const MOST_TOLD: usize = 100;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// Records read.
    pub records: u64,
    /// Roll-ups computed again.
    pub rollups: u64,
    /// What is wrong, one line each, the first hundred.
    pub problems: Vec<String>,
    /// How many things are wrong.
    pub wrong: u64,
}

impl Verified {
    fn problem(&mut self, text: String) {
        self.wrong += 1;
        if self.problems.len() < MOST_TOLD {
            self.problems.push(text);
        }
    }
}

impl Store {
    /// Checks everything.
    ///
    /// # Errors
    /// When the store cannot be read at all.
    pub fn verify(&self) -> Result<Verified, Failure> {
        let mut verified = Verified::default();
        match self.check_pages() {
            Ok(true) => {}
            Ok(false) => verified.problem("pages: damaged, and repaired just now".to_owned()),
            Err(failure) => verified.problem(format!("pages: {failure}")),
        }
        self.read(|transaction| contents(transaction, &mut verified))?;
        Ok(verified)
    }
}

fn contents(transaction: &ReadTransaction, verified: &mut Verified) -> Redb<()> {
    let series: BTreeMap<u64, Key> = Filter::default().series(transaction)?.into_iter().collect();
    let numbers: BTreeMap<&Key, u64> = series.iter().map(|(&number, key)| (key, number)).collect();
    let point = transaction.open_table(POINT)?;
    for entry in transaction.open_table(RECORD)?.iter()? {
        let (id, body) = entry?;
        verified.records += 1;
        let id = Uuid::from_u128(id.value());
        let Ok(record) = record_of(body.value()) else {
            verified.problem(format!("record {id}: unreadable"));
            continue;
        };
        if record.id() != id {
            verified.problem(format!("record {id}: says that it is {}", record.id()));
        }
        let number = numbers.get(&record.series()).copied().unwrap_or(0);
        match point.get((number, id.as_u128()))? {
            None => verified.problem(format!("record {id}: not in the index")),
            Some(octets) if Point::decode(octets.value()).is_none() => {
                verified.problem(format!("record {id}: its point is unreadable"));
            }
            Some(_) => {}
        }
    }
    if point.len()? != verified.records {
        verified.problem(format!("index: {} entries for {} records", point.len()?, verified.records));
    }
    for number in series.keys() {
        rolled(transaction, *number, verified)?;
    }
    Ok(())
}

/// Every hour that is clean and still has its points must equal what they give.
fn rolled(transaction: &ReadTransaction, series: u64, verified: &mut Verified) -> Redb<()> {
    let horizon = transaction.open_table(HORIZON)?.get(series)?.map_or(0, |hour| hour.value());
    let mut stale = BTreeSet::new();
    for entry in transaction.open_table(TODO)?.range((series, 0)..=(series, u64::MAX))? {
        stale.insert(entry?.0.value().1);
    }
    let point = transaction.open_table(POINT)?;
    let rollup = transaction.open_table(ROLLUP)?;
    for entry in rollup.range((series, HOUR, horizon)..=(series, HOUR, u64::MAX))? {
        let (key, octets) = entry?;
        let hour = key.value().2;
        if stale.contains(&hour) {
            continue;
        }
        verified.rollups += 1;
        let mut whole = Roll::default();
        rollup::steps(&point, series, hour)?.values().for_each(|roll| whole.merge(roll));
        if Roll::decode(octets.value()).as_ref() != Some(&whole) {
            verified.problem(format!("roll-up of series {series}, hour {hour}: not what its records give"));
        }
    }
    Ok(())
}
