//! One file's schema: loads it, names what is wrong in it, hands out its sections.
//!
//! Each section is a structure of the module that uses it; this is the only module that sees them all, and no
//! other module sees this one but `cli`. Environment and flags are clap's (`cli::layers`).

mod agent;
mod explain;
mod log;
mod probes;

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, Deserializer};

use crate::failure::{Class, Failure, Fault, reason};
use crate::{autoperf, geo, serve, store};
pub use agent::Agent;
use explain::Source;
pub use log::Log;
pub use probes::Probes;

/// Everything that a file can say. Every key is optional; unknown ones are refused by name and line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who this installation is.
    pub agent: Agent,
    /// What is told on stderr.
    pub log: Log,
    /// Defaults of each kind of probe, as its subcommand's flags are called (`[probe.udpping]`).
    pub probe: Probes,
    /// Where addresses belong.
    pub geo: geo::Settings,
    /// What is kept, and for how long.
    pub store: store::Settings,
    /// What is measured on a schedule, and what is bad.
    pub autoperf: autoperf::Settings,
    /// The test server.
    pub serve: serve::Settings,
}

impl Config {
    /// Reads `text`, the contents of `file`.
    ///
    /// # Errors
    /// Class `config`: `FILE:LINE: what is wrong`, one line.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Failure> {
        let source = Source { text, file };
        let bad = |error: toml::de::Error| source.unreadable(&error);
        let mut document = DeTable::parse(text).map_err(bad)?;
        probes::check_tiers(document.get_ref(), source)?;
        let probe = document.get_mut().remove("probe");
        let mut config = Self::deserialize(Deserializer::from(document)).map_err(bad)?;
        if let Some(probe) = probe {
            config.probe = Probes::read(probe, source)?;
        }
        config.check().map_err(|fault| source.impossible(&fault))?;
        Ok(config)
    }

    /// Refuses what each key allows and all of them together do not. (The probes' defaults are checked as they are read.)
    fn check(&self) -> Result<(), Fault> {
        self.log.filter().map_err(|fault| fault.within("log"))?;
        self.geo.check().map_err(|fault| fault.within("geo"))?;
        self.store.check().map_err(|fault| fault.within("store"))?;
        self.serve.iperf3.check().map_err(|fault| fault.within("iperf3").within("serve"))?;
        self.autoperf.check().map_err(|fault| fault.within("autoperf"))
    }
}

/// A configuration and the file that it was read from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Where it stood; `None` when there is no file, and all is default.
    pub file: Option<PathBuf>,
}

/// Reads `chosen` (`--config`), else the first of the [usual places](places) that exists, else nothing.
///
/// # Errors
/// Class `config`: a file that cannot be read or understood, and why.
pub fn load(chosen: Option<&Path>) -> Result<Loaded, Failure> {
    let candidates = chosen.map_or_else(places, |chosen| vec![chosen.to_owned()]);
    for file in candidates {
        match fs::read_to_string(&file) {
            Ok(text) => {
                let config = Config::parse(&text, &file)?;
                return Ok(Loaded { config, file: Some(file) });
            }
            Err(error) if chosen.is_none() && error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Class::Config.because(format_args!(
                    "read {}: {}",
                    file.display(),
                    reason(&error)
                )));
            }
        }
    }
    Ok(Loaded::default())
}

/// Where a configuration is looked for: the system's, then the user's.
pub fn places() -> Vec<PathBuf> {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
    let user = env::var_os("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let mut places = vec![PathBuf::from("/etc/waddleperf/waddleperf.toml")];
    places.extend(user.or_else(home).map(|dir| dir.join("waddleperf/waddleperf.toml")));
    places
}

/// The body of the fuzz target for files: whatever is in one, it is taken or refused on one line that names a place, and
/// what is taken is written and read back the same.
///
/// # Panics
/// When that does not hold.
pub fn fuzz_config(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    match Config::parse(text, Path::new("x.toml")) {
        Err(failure) => assert!(!failure.detail.contains('\n') && failure.detail.starts_with("x.toml")),
        Ok(config) => {
            let again = toml::to_string(&config).map(|text| Config::parse(&text, Path::new("x.toml")));
            assert_eq!(again.ok().and_then(Result::ok), Some(config));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_file_is_taken_or_refused_on_one_line(
            keys in prop::collection::vec((
                prop::sample::select(vec![
                    "[serve]", "[autoperf]", "[store]", "[probe.udpping]", "[[autoperf.target]]", "interval", "thresholds",
                    "listen", "count", "name", "host", "retention", "udpping", "nonsense",
                ]),
                prop::sample::select(vec![
                    "", " = 1", " = \"5s\"", " = \"x\"", " = [\"rtt_p95 > 1ms\"]", " = { tier1 = \"1h\" }", " = {}", " = true", " = -1",
                ]),
            ), 0..8),
            noise in "\\PC{0,20}",
        ) {
            let text: String = keys.iter().map(|(key, value)| format!("{key}{value}\n")).collect();
            super::fuzz_config(text.as_bytes());
            super::fuzz_config((text + &noise).as_bytes());
        }
    }
}
