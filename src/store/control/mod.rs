//! `DATA/control.sock`: how a process without the store's lock reads, and keeps autoperf's state, through its owner.
//!
//! A frame is a length (4 octets, big endian) and that much JSON, both ways, any number of times on a connection.
//! The socket is 0600 in a directory of 0700, and the owner answers only its own user and root.

pub mod client;
mod repeated;
pub mod server;
pub(crate) mod socket;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Answer, Query, Record};
use crate::failure::Failure;

pub use client::health;
pub use server::serve;

/// The most octets of one frame.
const MOST_OCTETS: u32 = 64 << 20;
/// How long either side waits for the other within a frame.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a client may ask.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
enum Request {
    /// Is the owner well?
    Health,
    /// A question to the store.
    Query { query: Query },
    /// The state under a key.
    Load { key: String },
    /// Records and states in one transaction.
    Commit {
        records: Vec<Record>,
        #[serde(with = "hex::map")]
        states: BTreeMap<String, Vec<u8>>,
    },
    /// There is something in the spool.
    Nudge,
}

/// What the owner says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "lowercase")]
enum Reply {
    Health {
        health: Health,
    },
    Answer {
        answer: Box<Answer>,
    },
    Value {
        #[serde(with = "hex::option")]
        value: Option<Vec<u8>>,
    },
    Done,
    Failure {
        failure: Failure,
    },
}

/// How the owner is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Whether the store can be read.
    pub well: bool,
    /// Why not; null when it can.
    pub why: Option<String>,
    /// The owner's process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// How long it has served, in seconds.
    pub uptime_s: u64,
    /// Records in the store.
    pub records: u64,
    /// Records that are held in memory, because neither the store nor the spool can be written.
    #[serde(default)]
    pub held: u64,
    /// Why; null when nothing is held.
    #[serde(default)]
    pub held_why: Option<String>,
}

/// Octets as hexadecimal text in JSON.
mod hex {
    use serde::de::Error;

    fn write(octets: &[u8]) -> String {
        use std::fmt::Write;
        octets.iter().fold(String::with_capacity(2 * octets.len()), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        })
    }

    fn read<E: Error>(text: &str) -> Result<Vec<u8>, E> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
        let digits = digits.ok_or_else(|| E::custom("not octets in hexadecimal"))?;
        Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
    }

    pub(super) mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub(in super::super) fn serialize<S: Serializer>(
            value: &Option<Vec<u8>>,
            out: S,
        ) -> Result<S::Ok, S::Error> {
            value.as_deref().map(super::write).serialize(out)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Vec<u8>>, D::Error> {
            Option::<String>::deserialize(from)?.map(|text| super::read(&text)).transpose()
        }
    }

    pub(super) mod map {
        use std::collections::BTreeMap;

        use serde::{Deserialize, Deserializer, Serializer};

        type Map = BTreeMap<String, Vec<u8>>;

        pub(in super::super) fn serialize<S: Serializer>(map: &Map, out: S) -> Result<S::Ok, S::Error> {
            out.collect_map(map.iter().map(|(key, value)| (key, super::write(value))))
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Map, D::Error> {
            let map = BTreeMap::<String, String>::deserialize(from)?;
            map.into_iter().map(|(key, text)| Ok((key, super::read(&text)?))).collect()
        }
    }
}
