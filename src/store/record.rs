//! One record of the store: a measurement, an autoperf run, or a gap. Three shapes, told apart by `mode`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Key;
use super::run::Run;
use crate::failure::{Class, Failure};
use crate::probe::{Measurement, Outcome, Probe};
use crate::units::Timestamp;

/// The most octets that one record may have as JSON.
pub(super) const MOST_OCTETS: usize = 8 << 20;

/// What the store keeps. In JSON: a run has `"mode": "autoperf"`, a gap `"mode": "gap"`, a measurement none.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Record {
    /// What a probe found.
    Measurement(Box<Measurement>),
    /// What autoperf made of one round.
    Run(Box<Run>),
    /// Records that are known to be lost.
    Gap(Gap),
}

/// Records that had to be given up because the spool was full or too old (promise R4): counted, never silent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Version of this schema: 1.
    pub v: u8,
    /// UUID v7, of the time of the first lost record.
    pub id: Uuid,
    /// When the first lost record began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Always `gap`.
    pub mode: Mode,
    /// When the last lost record began.
    #[schemars(with = "String")]
    pub to: Timestamp,
    /// How many records are lost.
    pub lost: u64,
    /// Why, in one line.
    pub why: String,
}

impl Gap {
    /// The gap that stands for `victims`, oldest first, each with its id and, where it can be read, itself; earlier gaps
    /// among them are summed. `None` of nothing.
    pub(super) fn over(victims: &[(Uuid, Option<Record>)], why: &str) -> Option<Self> {
        let ((first, _), (last, _)) = (victims.first()?, victims.last()?);
        let (mut to, mut lost) = (moment(millis(*last)), 0);
        for (_, record) in victims {
            match record {
                Some(Record::Gap(gap)) => {
                    lost += gap.lost;
                    to = to.max(gap.to);
                }
                _ => lost += 1,
            }
        }
        Some(Self {
            v: Measurement::VERSION,
            // Of the same millisecond, and the same for the same gap.
            id: Uuid::from_u128(first.as_u128() | 0xffff),
            at: moment(millis(*first)),
            mode: Mode::Gap,
            to,
            lost,
            why: why.to_owned(),
        })
    }
}

/// The one word that marks a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A gap.
    #[default]
    Gap,
}

impl Record {
    /// Its id: a UUID whose first 48 bits are milliseconds since the epoch.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Measurement(record) => record.id,
            Self::Run(record) => record.id,
            Self::Gap(record) => record.id,
        }
    }

    /// When what it tells of began.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Measurement(record) => record.at,
            Self::Run(record) => record.at,
            Self::Gap(record) => record.at,
        }
    }

    /// The probe's kind, `autoperf` or `gap`.
    pub fn kind(&self) -> &str {
        match self {
            Self::Measurement(record) => record.probe.kind(),
            Self::Run(_) => "autoperf",
            Self::Gap(_) => "gap",
        }
    }

    /// Whom it is about; empty where nobody in particular.
    pub fn target(&self) -> &str {
        match self {
            Self::Measurement(record) => record.probe.target(),
            Self::Run(record) => &record.target,
            Self::Gap(_) => "",
        }
    }

    /// Its labels. A run's tier counts as one.
    pub fn labels(&self) -> BTreeMap<String, String> {
        match self {
            Self::Measurement(record) => record.labels.clone(),
            Self::Run(record) => [("tier".to_owned(), record.tier.to_string())].into(),
            Self::Gap(_) => BTreeMap::new(),
        }
    }

    /// The series that it belongs to.
    pub fn series(&self) -> Key {
        let mut labels = self.labels();
        labels.retain(|name, _| !super::series::PASSING.contains(&name.as_str()));
        let agent = match self {
            Self::Measurement(record) => record.agent.id,
            Self::Run(record) => record.agent.id,
            Self::Gap(_) => Uuid::nil(),
        };
        if let Self::Measurement(record) = self
            && let Probe::Imported(import) = &record.probe
        {
            labels.insert("tool".to_owned(), import.tool.clone());
            labels.insert("mode".to_owned(), import.mode.clone());
        }
        Key { agent, kind: self.kind().to_owned(), target: self.target().to_owned(), labels }
    }

    /// Whether it says that nothing could be measured.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Measurement(record) => match &record.outcome {
                Outcome::Failure(failure) => Some(failure),
                Outcome::Report(_) => None,
            },
            _ => None,
        }
    }

    /// Refuses what the store could not find again: another schema, an id that belies the record's time.
    ///
    /// # Errors
    /// Class `usage`, naming the record.
    pub fn check(&self) -> Result<(), Failure> {
        let id = self.id();
        let version = match self {
            Self::Measurement(record) => record.v,
            Self::Run(record) => record.v,
            Self::Gap(record) => record.v,
        };
        let wrong = |why: &str| Err(Class::Usage.because(format_args!("record {id}: {why}")));
        if version != Measurement::VERSION {
            return wrong(&format!("schema version {version}, this build knows {}", Measurement::VERSION));
        }
        if self.failure().is_some_and(|failure| matches!(failure.class, Class::Usage | Class::Config)) {
            return wrong("what was asked wrongly is not kept");
        }
        // One id can then not stand for two moments, and pages, which follow ids, follow time.
        if millis(id).abs_diff(since_epoch(self.at())) > 10_000 {
            return wrong("its id is of another time than the record (more than 10 s apart)");
        }
        Ok(())
    }

    /// The record as JSON.
    ///
    /// # Errors
    /// Class `usage` when it is larger than the store takes.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Failure> {
        let octets = serde_json::to_vec(self).map_err(|error| Class::Internal.because(error))?;
        if octets.len() > MOST_OCTETS {
            return Err(Class::Usage.because(format_args!(
                "record {}: {} bytes, the store takes {MOST_OCTETS}",
                self.id(),
                octets.len()
            )));
        }
        Ok(octets)
    }

    /// Reads a record from JSON that somebody else may have written, and checks it.
    ///
    /// # Errors
    /// Class `usage`, with what is wrong.
    pub fn decode(octets: &[u8]) -> Result<Self, Failure> {
        if octets.len() > MOST_OCTETS {
            return Err(Class::Usage.because(format_args!("a record of {} bytes", octets.len())));
        }
        let record: Self = serde_json::from_slice(octets)
            .map_err(|error| Class::Usage.because(format_args!("not a record: {error}")))?;
        record.check()?;
        Ok(record)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        let mode = value.get("mode").and_then(serde_json::Value::as_str);
        match mode {
            None => serde_json::from_value(value).map(Self::Measurement),
            Some("gap") => serde_json::from_value(value).map(Self::Gap),
            Some(_) => serde_json::from_value(value).map(Self::Run),
        }
        .map_err(serde::de::Error::custom)
    }
}

/// Milliseconds since the epoch in the first 48 bits of a UUID v7.
pub(super) fn millis(id: Uuid) -> u64 {
    (id.as_u128() >> 80) as u64
}

/// Milliseconds from the epoch to `at`; 0 before it.
pub(super) fn since_epoch(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

/// The moment `ms` milliseconds after the epoch.
pub(super) fn moment(ms: u64) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
}

/// The smallest id of the millisecond `ms`.
pub(super) fn first_id(ms: u64) -> u128 {
    u128::from(ms.min((1 << 48) - 1)) << 80
}

/// The body of the fuzz target for records: no octets may panic, and what is read is written back the same.
pub fn fuzz_spool_record(octets: &[u8]) {
    if let Ok(record) = Record::decode(octets) {
        let again = record.encode().and_then(|octets| Record::decode(&octets));
        assert!(again.is_ok(), "a record did not survive its own JSON");
        let point = super::Point::of(&record).encode();
        assert!(super::Point::decode(&point).is_some(), "a point did not survive its octets");
    }
}

/// The same record without its raw samples; `None` where there are none, or no sketch of them.
pub(super) fn thinned(octets: &[u8]) -> Option<Vec<u8>> {
    let mut value: serde_json::Value = serde_json::from_slice(octets).ok()?;
    let report = value.get_mut("outcome")?.get_mut("report")?.as_object_mut()?;
    report.get("rtt_sketch")?;
    report.remove("samples_ms").filter(|samples| !samples.is_null())?;
    serde_json::to_vec(&value).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    const GAP: &str = r#"{"v":1,"id":"01a211ba-f3e4-73cf-a76a-05aab7be02d9","at":"2026-11-25T08:03:14.5Z","mode":"gap","to":"2026-11-25T08:03:15Z","lost":3,"why":"spool full"}"#;

    proptest! {
        #[test]
        fn no_octets_break_the_reader_of_records(
            noise in prop::collection::vec(any::<u8>(), 0..200),
            at in 0..GAP.len(),
            octet in any::<u8>(),
        ) {
            super::fuzz_spool_record(&noise);
            super::fuzz_spool_record(GAP.as_bytes());
            let mut changed = GAP.as_bytes().to_vec();
            changed[at] = octet;
            super::fuzz_spool_record(&changed);
        }
    }
}
