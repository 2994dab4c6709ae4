//! Which records are meant.

use std::collections::BTreeMap;

use redb::{ReadTransaction, ReadableTable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fault::{Redb, corrupt};
use super::record::{first_id, since_epoch};
use super::schema::SERIES;
use super::series::PASSING;
use super::{Key, Record};
use crate::units::Timestamp;

/// Records by kind, target, label and time. Empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Any of these kinds; also `autoperf` and `gap`.
    pub kinds: Vec<String>,
    /// Any of these targets; `*` stands for any text.
    pub targets: Vec<String>,
    /// All of these labels.
    pub labels: BTreeMap<String, String>,
    /// From this moment.
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// Before this moment.
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Milliseconds since the epoch: from, and before.
    pub(super) fn span(&self) -> (u64, u64) {
        let since = self.since.map_or(0, since_epoch);
        let until = self.until.map_or((1 << 48) - 1, since_epoch);
        (since, until.max(since))
    }

    /// Ids: from, and before.
    pub(super) fn ids(&self) -> (u128, u128) {
        let (since, until) = self.span();
        let end = if self.until.is_some() { first_id(until) } else { u128::MAX };
        (first_id(since), end)
    }

    /// Whether every series is meant.
    pub(super) fn is_whole(&self) -> bool {
        self.kinds.is_empty() && self.targets.is_empty() && self.lasting().next().is_none()
    }

    /// Labels that name series.
    fn lasting(&self) -> impl Iterator<Item = (&String, &String)> {
        self.labels.iter().filter(|(name, _)| !PASSING.contains(&name.as_str()))
    }

    fn admits_series(&self, key: &Key) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&key.kind))
            && (self.targets.is_empty() || self.targets.iter().any(|target| matches(target, &key.target)))
            && self.lasting().all(|(name, value)| key.labels.get(name) == Some(value))
    }

    /// Whether a record of an admitted series is meant: what a series does not tell.
    pub(super) fn admits(&self, record: &Record) -> bool {
        let mut passing = self.labels.iter().filter(|(name, _)| PASSING.contains(&name.as_str())).peekable();
        passing.peek().is_none() || {
            let labels = record.labels();
            passing.all(|(name, value)| labels.get(name) == Some(value))
        }
    }

    /// The series that are meant, by number.
    pub(super) fn series(&self, transaction: &ReadTransaction) -> Redb<Vec<(u64, Key)>> {
        let mut found = Vec::new();
        for entry in transaction.open_table(SERIES)?.iter()? {
            let (key, number) = entry?;
            let key = Key::of(key.value()).ok_or_else(|| corrupt("series"))?;
            if self.admits_series(&key) {
                found.push((number.value(), key));
            }
        }
        Ok(found)
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    loop {
        if matches(rest, text) {
            return true;
        }
        let mut chars = text.chars();
        if chars.next().is_none() {
            return false;
        }
        text = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("*.example.com", "www.example.com", true),
            ("*.example.com", "example.com", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false),
            ("é*", "éß", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
