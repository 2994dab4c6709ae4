//! Section `[geo]` of the configuration.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::Fault;
use crate::sys::secret::Secret;

/// Where addresses belong: databases in MaxMind's format (MMDB), and where newer ones come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Geo")]
pub struct Settings {
    /// The databases that are asked, each field by the first that has it. Without any: those in DATA/geo, /usr/share/GeoIP
    /// and /var/lib/GeoIP.
    pub files: Vec<PathBuf>,
    /// What `waddleperf geoip update` fetches.
    pub update: Vec<Source>,
}

/// Where a newer database comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GeoSource")]
pub struct Source {
    /// What it is called: it becomes DATA/geo/NAME.mmdb.
    pub name: String,
    /// `https://`, `http://`, or a file's path: the database itself, compressed (gzip), or in an archive (tar.gz).
    pub url: String,
    /// The SHA-256 of what is fetched, as 64 digits, or the URL of a file that begins with them (its path, where `url` is one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The user name that the server wants (at MaxMind: the account number).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password that it wants (at MaxMind: a licence key).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

impl Settings {
    /// Refuses what each key allows and all of them together do not.
    ///
    /// # Errors
    /// The key and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        for (at, source) in self.update.iter().enumerate() {
            source.check().map_err(|fault| fault.within(&format!("update[{at}]")))?;
            if self.update[..at].iter().any(|other| other.name == source.name) {
                return Err(Fault::of(
                    format!("update[{at}].name"),
                    format_args!("{} is there twice", source.name),
                ));
            }
        }
        Ok(())
    }
}

impl Source {
    /// Refuses what cannot be fetched.
    ///
    /// # Errors
    /// The key and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(fits) {
            return Err(Fault::of("name", "is a file's name without .mmdb: letters, digits, - and _"));
        }
        if self.url.is_empty() {
            return Err(Fault::of("url", "is empty: name a URL or a file"));
        }
        if self.user.is_some() != self.password.is_some() {
            return Err(Fault::of("password", "and user belong together: name both or neither"));
        }
        Ok(())
    }
}
