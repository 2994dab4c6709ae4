//! Section `[store]` of the configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Key;
use crate::failure::Fault;
use crate::units::Span;

/// What is kept, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Store")]
pub struct Settings {
    /// Probes on the command line are kept too, as if each had `--save`.
    pub save: bool,
    /// For how long results are kept.
    pub retention: Retention,
    /// The most that may wait in the spool, in bytes; beyond it raw samples are thinned, then the oldest counted.
    pub spool_bytes: u64,
    /// The longest that a record may wait in the spool.
    pub spool_age: Span,
}

/// For how long results are kept, by tier and kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Records with the label `tier = 1`.
    pub tier1: Span,
    /// Records with the label `tier = 2`.
    pub tier2: Span,
    /// Records with the label `tier = 3`.
    pub tier3: Span,
    /// Records without a tier.
    pub other: Span,
    /// Records of a kind, before all others: `kind.bandwidth = "30d"`.
    pub kind: BTreeMap<String, Span>,
    /// Roll-ups of five minutes.
    pub rollup_5m: Span,
    /// Roll-ups of an hour.
    pub rollup_hour: Span,
    /// Roll-ups of a day.
    pub rollup_day: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self { save: false, retention: Retention::default(), spool_bytes: 256 << 20, spool_age: days(30) }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            tier1: days(7),
            tier2: days(30),
            tier3: days(90),
            other: days(90),
            kind: BTreeMap::new(),
            rollup_5m: days(90),
            rollup_hour: days(730),
            rollup_day: days(730),
        }
    }
}

impl Settings {
    /// Refuses what no spool may do.
    ///
    /// # Errors
    /// The key and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        if self.spool_bytes < 1 << 20 {
            return Err(Fault::of("spool_bytes", "is too small: at least 1048576 (1 MiB)"));
        }
        Ok(())
    }
}

impl Retention {
    /// For how long raw records of a series are kept.
    pub fn raw(&self, key: &Key) -> Span {
        if let Some(&span) = self.kind.get(&key.kind) {
            return span;
        }
        match key.labels.get("tier").map(String::as_str) {
            Some("1") => self.tier1,
            Some("2") => self.tier2,
            Some("3") => self.tier3,
            _ => self.other,
        }
    }

    /// For how long roll-ups of `step` seconds are kept.
    pub(super) fn rolled(&self, step: u32) -> Span {
        match step {
            super::schema::FIVE_MINUTES => self.rollup_5m,
            super::schema::HOUR => self.rollup_hour,
            _ => self.rollup_day,
        }
    }
}

const fn days(count: u64) -> Span {
    Span::secs(count * 86_400)
}
