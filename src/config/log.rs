//! `[log]`: what is told on stderr.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is told on stderr, results apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`, also by module: `warn,waddleperf::net=debug`. `-v` is one more.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "warn".to_owned() }
    }
}
