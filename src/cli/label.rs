//! `--label NAME=VALUE`, as every command takes it.

use std::str::FromStr;

/// A label of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label(pub(super) String, pub(super) String);

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self(name.to_owned(), value.to_owned())),
            _ => Err("write a label as NAME=VALUE, as `site=berlin`".to_owned()),
        }
    }
}
