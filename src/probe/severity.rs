//! How bad something is that a probe has found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FindingSeverity")]
pub enum Severity {
    /// It breaks things.
    Critical,
    /// It makes things slow, weak or unreliable.
    Warning,
    /// Good to know.
    Info,
}
