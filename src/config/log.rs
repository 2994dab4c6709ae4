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
        // The library takes a misspelt level for the name of a module, and none for `error`.
        let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
        let is_plain = |part: &&str| !part.is_empty() && !part.contains(['[', '{', '}', ']']);
        for part in self.level.split(',').map(str::trim).filter(is_plain) {
            let is_known = match part.rsplit_once('=') {
                Some((_, level)) => is_level(level),
                None => is_level(part) || part.contains("::"),
            };
            if !is_known {
                return Err(wrong(part));
            }
        }
        EnvFilter::try_new(&self.level).map_err(|_| wrong(&self.level))
    }
}
