//! Options that may hold secrets: they are recorded without them.

use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use super::request::{MASK, is_secret, without_accounts};
use crate::probe::Target;

/// A line of the request's head, or `@FILE`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct HeaderLine(String);

/// Octets of the request's body, or `@FILE`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Payload(String);

/// The file that `text` names by `@`.
fn file(text: &str) -> Option<&Path> {
    text.strip_prefix('@').map(Path::new)
}

impl HeaderLine {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn file(&self) -> Option<&Path> {
        file(&self.0)
    }
}

impl Payload {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn file(&self) -> Option<&Path> {
        file(&self.0)
    }
}

impl FromStr for HeaderLine {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for Payload {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl Serialize for HeaderLine {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.split_once(':') {
            Some((name, _)) if self.file().is_none() && is_secret(name.trim()) => {
                to.collect_str(&format_args!("{name}: {MASK}"))
            }
            _ => to.serialize_str(&self.0),
        }
    }
}

impl Serialize for Payload {
    /// How long it is: what people send is as often as not a password.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.file() {
            Some(_) => to.serialize_str(&self.0),
            None => to.collect_str(&format_args!("{MASK} ({} octets)", self.0.len())),
        }
    }
}

/// The URL without user name and password.
pub(super) fn target<S: Serializer>(target: &Target, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&without_accounts(target.as_str()))
}
