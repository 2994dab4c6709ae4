//! The tables of format 1.

use redb::TableDefinition;

/// The format that this build reads and writes (promise R9).
pub(super) const FORMAT: u64 = 1;

/// `format`, `series` (last number given), `pruned` (seconds since the epoch).
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// Id to the record as JSON.
pub(super) const RECORD: TableDefinition<u128, &[u8]> = TableDefinition::new("record");
/// A series' key to its number.
pub(super) const SERIES: TableDefinition<&[u8], u64> = TableDefinition::new("series");
/// (Series, id) to the compact form of the record: the index of every record, and what charts read.
pub(super) const POINT: TableDefinition<(u64, u128), &[u8]> = TableDefinition::new("point");
/// (Series, step in seconds, start in seconds since the epoch) to a roll-up.
pub(super) const ROLLUP: TableDefinition<(u64, u32, u64), &[u8]> = TableDefinition::new("rollup");
/// (Series, start of the hour in seconds) whose roll-ups are not up to date.
pub(super) const TODO: TableDefinition<(u64, u64), ()> = TableDefinition::new("rollup_todo");
/// Series to the hour before which its raw points are gone, and roll-ups can only be added to.
pub(super) const HORIZON: TableDefinition<u64, u64> = TableDefinition::new("horizon");
/// What others keep here: autoperf's state, one row per target.
pub(super) const STATE: TableDefinition<&str, &[u8]> = TableDefinition::new("autoperf");

/// Seconds of the finest roll-up.
pub(super) const FIVE_MINUTES: u32 = 300;
/// Seconds of the middle roll-up, and of what is recomputed at once.
pub(super) const HOUR: u32 = 3_600;
/// Seconds of the coarsest roll-up.
pub(super) const DAY: u32 = 86_400;

/// The start of the step that holds the second `at`.
pub(super) const fn start_of(at: u64, step: u32) -> u64 {
    at - at % step as u64
}
