//! Who measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The installation that measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// Stays the same over restarts and renames.
    pub id: Uuid,
    /// The host's name at the time.
    pub host: String,
    /// waddleperf's version.
    pub version: String,
}
