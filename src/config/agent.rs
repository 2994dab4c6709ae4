//! `[agent]`: who this installation is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who this installation is, and what every record of it is labelled with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Agent {
    /// A fixed id. Otherwise DATA/agent-id, else a keyed hash of the machine's id (never that id itself).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The name in the records. Otherwise the host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Labels of every record: site, rack, provider.
    pub labels: BTreeMap<String, String>,
}
