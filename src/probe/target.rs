//! Who is measured: a host name, an address or a URL, as the user wrote it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A host name, an address (`%iface` allowed) or, for some probes, a URL. Empty where a file leaves it open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Target(String);

impl Target {
    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it was left open, to be filled in by who runs the probe.
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Target {
    fn from(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
