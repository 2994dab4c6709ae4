//! What neither the store nor the spool takes now: held in memory until one of them does.
//!
//! Bounded as the spool is, and in the same order (promise R4): raw samples go first, then the oldest records are
//! counted into a [`Gap`].

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::record::{Gap, Record, thinned};
use crate::failure::Failure;

/// Octets of records that are held at most. An agent has 64 MB for everything (promise R5).
const MOST_OCTETS: usize = 8 << 20;
/// How often the store and the spool are tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Records and states in memory.
#[derive(Default)]
pub(super) struct Held {
    /// As JSON, oldest first.
    records: VecDeque<(Uuid, Vec<u8>)>,
    octets: usize,
    /// The newest under each key.
    states: BTreeMap<String, Vec<u8>>,
    /// Why they cannot be kept.
    why: Option<Failure>,
    /// When that was last tried.
    tried: Option<Instant>,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.states.is_empty()
    }

    /// How many records are held.
    pub(super) fn count(&self) -> u64 {
        self.records.len() as u64
    }

    /// Why it is held; `None` when nothing is.
    pub(super) fn why(&self) -> Option<&Failure> {
        self.why.as_ref().filter(|_| !self.is_empty())
    }

    /// Whether it is time to try again.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.tried.is_none_or(|tried| now.saturating_duration_since(tried) >= AGAIN)
    }

    /// Lets the next try come at once.
    pub(super) const fn hurry(&mut self) {
        self.tried = None;
    }

    /// It could not be kept, for `why`.
    pub(super) fn failed(&mut self, why: Failure, now: Instant) {
        (self.why, self.tried) = (Some(why), Some(now));
    }

    /// Takes `records` and `states` in, making room first.
    ///
    /// # Errors
    /// `usage` for a record that the store would refuse; then nothing is taken in.
    pub(super) fn add(&mut self, records: &[Record], states: &[(String, Vec<u8>)]) -> Result<(), Failure> {
        let mut fresh = Vec::with_capacity(records.len());
        for record in records {
            record.check()?;
            fresh.push((record.id(), record.encode()?));
        }
        self.octets += fresh.iter().map(|(_, octets)| octets.len()).sum::<usize>();
        self.records.extend(fresh);
        self.states.extend(states.iter().cloned());
        self.thin();
        self.let_go()
    }

    /// The records, oldest first.
    pub(super) fn records(&self) -> Vec<Record> {
        self.records.iter().filter_map(|(_, octets)| Record::decode(octets).ok()).collect()
    }

    /// The states with their keys.
    pub(super) fn states(&self) -> Vec<(String, Vec<u8>)> {
        self.states.clone().into_iter().collect()
    }

    /// The state under `key`.
    pub(super) fn state(&self, key: &str) -> Option<Vec<u8>> {
        self.states.get(key).cloned()
    }

    /// The records have found another place.
    pub(super) fn forget_records(&mut self) {
        self.records.clear();
        self.octets = 0;
    }

    /// Drops raw samples of the oldest records until there is room.
    fn thin(&mut self) {
        for (_, octets) in &mut self.records {
            if self.octets <= MOST_OCTETS {
                return;
            }
            if let Some(less) = thinned(octets) {
                self.octets -= octets.len() - less.len();
                *octets = less;
            }
        }
    }

    /// Counts the oldest records into a gap and lets them go: a tenth of the room at once, so that gaps are few.
    fn let_go(&mut self) -> Result<(), Failure> {
        if self.octets <= MOST_OCTETS {
            return Ok(());
        }
        let mut victims = Vec::new();
        while self.octets > MOST_OCTETS - MOST_OCTETS / 10
            && let Some((id, octets)) = self.records.pop_front()
        {
            self.octets -= octets.len();
            victims.push((id, Record::decode(&octets).ok()));
        }
        let Some(gap) = Gap::over(&victims, "neither the store nor the spool could be written for too long")
        else {
            return Ok(());
        };
        tracing::warn!(lost = gap.lost, "memory: full; the oldest records were given up and counted");
        let (id, octets) = (gap.id, Record::Gap(gap).encode()?);
        self.octets += octets.len();
        self.records.push_front((id, octets));
        Ok(())
    }
}
