//! What makes a series: who measured what of whom, under which labels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Labels that differ from record to record, and so name no series. They are kept in the record.
pub(super) const PASSING: [&str; 3] = ["run", "round", "incident"];

/// The identity of a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Who measured.
    pub agent: Uuid,
    /// The probe's kind.
    pub kind: String,
    /// Whom.
    pub target: String,
    /// Labels, without those that differ from record to record.
    pub labels: BTreeMap<String, String>,
}

impl Key {
    /// The one octet string of this key.
    pub(super) fn octets(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings in ordered maps always become JSON")
    }

    /// Reads [`octets`](Self::octets) back.
    pub(super) fn of(octets: &[u8]) -> Option<Self> {
        serde_json::from_slice(octets).ok()
    }
}
