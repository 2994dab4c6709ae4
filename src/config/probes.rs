//! `[probe.<kind>]`: defaults of each kind of probe. What is set here becomes the default of the flag.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::probe::{File, KINDS, Kind};

/// The defaults that a file sets, by kind: only the keys that it names, checked against the kind's options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probes(BTreeMap<String, toml::Table>);

impl Probes {
    /// The defaults for the kind called `name`, as written.
    pub fn of(&self, name: &str) -> Option<&toml::Table> {
        self.0.get(name)
    }

    /// Reads the table `probe` of a file.
    pub(super) fn read(probe: File<'_>) -> Result<Self, toml::de::Error> {
        let kinds = toml::de::ValueDeserializer::from(probe.clone());
        let raw = BTreeMap::<Name, toml::Table>::deserialize(kinds)?;
        if let toml::de::DeValue::Table(tables) = probe.into_inner() {
            for (name, table) in tables {
                if let Some(kind) = Kind::named(name.get_ref()) {
                    kind.check(table)?;
                }
            }
        }
        Ok(Self(raw.into_iter().map(|(Name(name), table)| (name, table)).collect()))
    }
}

/// The name of a kind: another key is refused like an unknown field.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        match Kind::named(&name) {
            Some(_) => Ok(Self(name)),
            None => {
                Err(serde::de::Error::custom(super::explain::unknown(&name, KINDS.iter().map(Kind::name))))
            }
        }
    }
}

impl JsonSchema for Probes {
    fn schema_name() -> Cow<'static, str> {
        "Probes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let properties: serde_json::Map<_, _> =
            KINDS.iter().map(|kind| (kind.name().to_owned(), kind.schema(generator).to_value())).collect();
        json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
    }
}
