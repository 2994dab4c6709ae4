//! Questions to the store, and their answers: one function, used by the owner itself and by its control socket.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fault::Redb;
use super::page::{self, Order, Page};
use super::record::{millis, moment};
use super::retention::Pruned;
use super::schema::{META, POINT, RECORD, ROLLUP, SERIES, TODO};
use super::{Filter, Key, Line, Record, Retention, Store, Summary, Verified, chart, summary};
use crate::failure::{Class, Failure};
use crate::units::Timestamp;

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "query", rename_all = "lowercase")]
pub enum Query {
    /// A page of records.
    List {
        /// Which.
        filter: Filter,
        /// The cursor of the page before.
        after: Option<Uuid>,
        /// How many at most (1–1,000).
        limit: usize,
        /// Which end first.
        order: Order,
    },
    /// One record, by its id or an unambiguous beginning of it.
    Show {
        /// Hexadecimal digits, hyphens allowed.
        id: String,
    },
    /// A page of ids.
    Ids {
        /// Which; labels that name no series (`run`) are not looked at.
        filter: Filter,
        /// The cursor of the page before.
        after: Option<Uuid>,
        /// How many at most (1–1,000).
        limit: usize,
        /// Which end first.
        order: Order,
    },
    /// What is in the store.
    Stats,
    /// One scalar over time, a line for each series.
    Series {
        /// Which.
        filter: Filter,
        /// The scalar's name.
        scalar: String,
        /// How many values a line has at most.
        points: usize,
    },
    /// One scalar over the whole span: percentiles of all samples, loss of all packets.
    Summary {
        /// Which.
        filter: Filter,
        /// The scalar's name.
        scalar: String,
    },
    /// The same for each series by itself.
    Summaries {
        /// Which.
        filter: Filter,
        /// The scalar's name.
        scalar: String,
    },
    /// Roll up, remove what is past its time, give space back.
    Prune {
        /// For how long what is kept.
        retention: Box<Retention>,
        /// Now.
        now: Timestamp,
    },
    /// Check everything.
    Verify,
}

/// The answer to a [`Query`] of the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", content = "of", rename_all = "lowercase")]
pub enum Answer {
    /// Records and the cursor for more.
    List(Page),
    /// The record.
    Show(Box<Record>),
    /// Ids and the cursor for more.
    Ids(Vec<Uuid>, Option<Uuid>),
    /// Counts and sizes.
    Stats(Box<Stats>),
    /// Lines.
    Series(Vec<Line>),
    /// The numbers.
    Summary(Summary),
    /// The numbers of each series.
    Summaries(Vec<(Key, Summary)>),
    /// What went.
    Prune(Pruned),
    /// What is wrong.
    Verify(Verified),
}

/// What is in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// Records of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// All records.
    pub records: u64,
    /// Series.
    pub series: u64,
    /// Roll-ups.
    pub rollups: u64,
    /// Hours whose roll-ups wait.
    pub stale_hours: u64,
    /// When the oldest record began.
    #[schemars(with = "Option<String>")]
    pub oldest: Option<Timestamp>,
    /// When the newest record began.
    #[schemars(with = "Option<String>")]
    pub newest: Option<Timestamp>,
    /// Size of the file.
    pub file_bytes: u64,
    /// Records in the spool, and their size.
    pub spool_records: u64,
    /// Octets in the spool.
    pub spool_bytes: u64,
    /// Files that were refused and put aside in `spool/rejected`.
    pub spool_rejected: u64,
    /// The store's format.
    pub format: u64,
}

impl Store {
    /// Answers `query`.
    ///
    /// # Errors
    /// `usage` for an id that is unknown or ambiguous; else when the store cannot be read.
    pub fn ask(&self, query: &Query) -> Result<Answer, Failure> {
        match query {
            Query::List { filter, after, limit, order } => self
                .read(|transaction| page::page(transaction, filter, *after, *limit, *order))
                .map(Answer::List),
            Query::Show { id } => self.show(id),
            Query::Ids { filter, after, limit, order } => {
                self.read(|transaction| ids(transaction, filter, *after, *limit, *order))
            }
            Query::Stats => self.stats(),
            Query::Series { filter, scalar, points } => self
                .read(|transaction| chart::lines(transaction, filter, scalar, (*points).clamp(2, 10_000)))
                .map(Answer::Series),
            Query::Summary { filter, scalar } => self
                .read(|transaction| summary::whole(transaction, filter))
                .map(|roll| Answer::Summary(Summary::of(&roll, scalar))),
            Query::Summaries { filter, scalar } => {
                self.read(|transaction| summary::each(transaction, filter, scalar)).map(Answer::Summaries)
            }
            Query::Prune { retention, now } => {
                let pruned = self.prune(retention, *now)?;
                self.compact()?;
                Ok(Answer::Prune(pruned))
            }
            Query::Verify => self.verify().map(Answer::Verify),
        }
    }

    fn show(&self, id: &str) -> Result<Answer, Failure> {
        let found = self.read(|transaction| page::starting_with(transaction, id))?;
        match found[..] {
            [] => Err(Class::Usage.because(format_args!("no record {id}"))),
            [only] => self
                .read(|transaction| {
                    let table = transaction.open_table(RECORD)?;
                    let body = table.get(only)?.ok_or_else(|| super::fault::corrupt("record"))?;
                    super::owner::record_of(body.value())
                })
                .map(|record| Answer::Show(Box::new(record))),
            _ => Err(Class::Usage.because(format_args!("more than one record begins with {id}"))),
        }
    }

    fn stats(&self) -> Result<Answer, Failure> {
        let mut stats = self.read(counts)?;
        stats.file_bytes = std::fs::metadata(self.path()).map_or(0, |file| file.len());
        Ok(Answer::Stats(Box::new(stats)))
    }
}

fn ids(
    transaction: &ReadTransaction,
    filter: &Filter,
    after: Option<Uuid>,
    limit: usize,
    order: Order,
) -> Redb<Answer> {
    let limit = limit.clamp(1, page::MOST);
    let mut found = Vec::new();
    for id in page::ids(transaction, filter, after, order)?.take(limit + 1) {
        found.push(Uuid::from_u128(id?));
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().copied().filter(|_| more);
    Ok(Answer::Ids(found, next))
}

fn counts(transaction: &ReadTransaction) -> Redb<Stats> {
    let record = transaction.open_table(RECORD)?;
    let when = |id: u128| moment(millis(Uuid::from_u128(id)));
    let mut stats = Stats {
        records: record.len()?,
        series: transaction.open_table(SERIES)?.len()?,
        rollups: transaction.open_table(ROLLUP)?.len()?,
        stale_hours: transaction.open_table(TODO)?.len()?,
        oldest: record.first()?.map(|(id, _)| when(id.value())),
        newest: record.last()?.map(|(id, _)| when(id.value())),
        format: transaction.open_table(META)?.get("format")?.map_or(0, |format| format.value()),
        ..Stats::default()
    };
    let kinds: BTreeMap<u64, String> =
        Filter::default().series(transaction)?.into_iter().map(|(number, key)| (number, key.kind)).collect();
    for entry in transaction.open_table(POINT)?.iter()? {
        let number = entry?.0.value().0;
        let kind = kinds.get(&number).map_or("?", String::as_str);
        match stats.kinds.get_mut(kind) {
            Some(count) => *count += 1,
            None => {
                stats.kinds.insert(kind.to_owned(), 1);
            }
        }
    }
    Ok(stats)
}
