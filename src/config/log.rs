//! `[log]`: what is told on stderr.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::failure::Fault;

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

impl Log {
    /// What is told.
    ///
    /// # Errors
    /// A level that is none.
    pub fn filter(&self) -> Result<EnvFilter, Fault> {
        let form =
            "levels are error, warn, info, debug and trace, also by module: warn,waddleperf::net=debug";
        let wrong = |text: &str| Fault::of("level", format_args!("`{text}` is no level: {form}"));
        // The library would take a misspelt level for the name of a module.
        let bare = self.level.split(',').map(str::trim).filter(|part| !part.contains([':', '=', '[']));
        for part in bare.filter(|part| !part.is_empty()) {
            part.parse::<LevelFilter>().map_err(|_| wrong(part))?;
        }
        EnvFilter::try_new(&self.level).map_err(|_| wrong(&self.level))
    }
}
