//! Pages of records: by id, which is by time, newest or oldest first, with a cursor.

use std::collections::BinaryHeap;

use redb::{Range, ReadTransaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fault::Redb;
use super::owner::record_of;
use super::schema::{POINT, RECORD};
use super::{Filter, Record};

/// The most records on a page.
pub(super) const MOST: usize = 1_000;
/// A page ends after this many octets of JSON, so that it fits a frame of the control socket.
const MOST_OCTETS: usize = 8 << 20;

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

/// Some records, and where the next ones start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Records that this build cannot read; `verify` names them.
    pub unreadable: u64,
    /// The cursor for the next page; `None` at the end.
    pub next: Option<Uuid>,
}

/// The page of `filter` behind `after`.
pub(super) fn page(
    transaction: &ReadTransaction,
    filter: &Filter,
    after: Option<Uuid>,
    limit: usize,
    order: Order,
) -> Redb<Page> {
    let table = transaction.open_table(RECORD)?;
    let (mut page, mut octets, mut last) = (Page::default(), 0, None);
    let limit = limit.clamp(1, MOST);
    for id in ids(transaction, filter, after, order)? {
        if page.records.len() == limit || octets > MOST_OCTETS {
            page.next = last;
            break;
        }
        let id = id?;
        last = Some(Uuid::from_u128(id));
        let Some(body) = table.get(id)? else { continue };
        octets += body.value().len();
        match record_of(body.value()) {
            Ok(record) if filter.admits(&record) => page.records.push(record),
            Ok(_) => {}
            Err(_) => page.unreadable += 1,
        }
    }
    Ok(page)
}

/// The ids that `filter`'s series and span admit, behind `after`.
pub(super) fn ids(
    transaction: &ReadTransaction,
    filter: &Filter,
    after: Option<Uuid>,
    order: Order,
) -> Redb<Box<dyn Iterator<Item = Redb<u128>>>> {
    let (from, to) = window(filter, after, order);
    if from >= to {
        return Ok(Box::new(std::iter::empty()));
    }
    if filter.is_whole() {
        let range = transaction.open_table(RECORD)?.range(from..to)?;
        let ids = Step { range, order }.map(|entry| Ok(entry?.0.value()));
        return Ok(Box::new(ids));
    }
    let point = transaction.open_table(POINT)?;
    let mut merged = Merge { heads: BinaryHeap::new(), ranges: Vec::new(), order };
    for (series, _) in filter.series(transaction)? {
        let range = point.range((series, from)..(series, to))?;
        merged.ranges.push(Step { range, order });
        merged.pull(merged.ranges.len() - 1)?;
    }
    Ok(Box::new(merged))
}

fn window(filter: &Filter, after: Option<Uuid>, order: Order) -> (u128, u128) {
    let (from, to) = filter.ids();
    match (after.map(|id| id.as_u128()), order) {
        (None, _) => (from, to),
        (Some(after), Order::Newest) => (from, to.min(after)),
        (Some(after), Order::Oldest) => (from.max(after.saturating_add(1)), to),
    }
}

/// A range walked in one of the two directions.
struct Step<K: redb::Key + 'static, V: redb::Value + 'static> {
    range: Range<'static, K, V>,
    order: Order,
}

impl<K: redb::Key + 'static, V: redb::Value + 'static> Iterator for Step<K, V> {
    type Item = Result<(redb::AccessGuard<'static, K>, redb::AccessGuard<'static, V>), redb::StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.order {
            Order::Newest => self.range.next_back(),
            Order::Oldest => self.range.next(),
        }
    }
}

/// The ids of several series in one order.
struct Merge {
    /// (id, or its complement when the oldest comes first; the range it is from).
    heads: BinaryHeap<(u128, usize)>,
    ranges: Vec<Step<(u64, u128), &'static [u8]>>,
    order: Order,
}

impl Merge {
    fn pull(&mut self, from: usize) -> Redb<()> {
        if let Some(entry) = self.ranges[from].next() {
            let id = entry?.0.value().1;
            self.heads.push((self.rank(id), from));
        }
        Ok(())
    }

    fn rank(&self, id: u128) -> u128 {
        match self.order {
            Order::Newest => id,
            Order::Oldest => !id,
        }
    }
}

impl Iterator for Merge {
    type Item = Redb<u128>;

    fn next(&mut self) -> Option<Redb<u128>> {
        let (rank, from) = self.heads.pop()?;
        match self.pull(from) {
            Ok(()) => Some(Ok(self.rank(rank))),
            Err(error) => Some(Err(error)),
        }
    }
}

/// The ids that begin with `prefix` (hexadecimal, hyphens allowed); at most two, which is enough to be ambiguous.
pub(super) fn starting_with(transaction: &ReadTransaction, prefix: &str) -> Redb<Vec<u128>> {
    let digits: String = prefix.chars().filter(|&c| c != '-').collect();
    let Some(first) = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() <= 32) else {
        return Ok(Vec::new());
    };
    let open = 4 * (32 - digits.len() as u32);
    let low = first.checked_shl(open).unwrap_or(0);
    let high = low | 1u128.checked_shl(open).map_or(u128::MAX, |one| one - 1);
    let mut found = Vec::new();
    for entry in transaction.open_table(RECORD)?.range(low..=high)?.take(2) {
        found.push(entry?.0.value());
    }
    Ok(found)
}
