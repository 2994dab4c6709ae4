//! `[probe.<kind>]`: defaults of each kind of probe. What is set here becomes the default of the flag.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use super::explain::{Source, instead};
use crate::failure::Failure;
use crate::probe::{File, KINDS, Kind};

/// Stands for the target, which defaults leave open.
const ANY: &str = "h.example";

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
    pub(super) fn read(probe: File<'_>, source: Source<'_>) -> Result<Self, Failure> {
        let bad = |error: toml::de::Error| source.unreadable(&error);
        let kinds = toml::de::ValueDeserializer::from(probe.clone());
        let raw = BTreeMap::<Name, toml::Table>::deserialize(kinds).map_err(bad)?;
        if let DeValue::Table(tables) = probe.into_inner() {
            for (name, table) in tables {
                let name = name.get_ref();
                if let Some(kind) = Kind::named(name) {
                    let checked = kind.table(table).map_err(bad)?.aimed_at(ANY).check();
                    checked.map_err(|fault| source.impossible(&fault.within(&format!("probe.{name}"))))?;
                }
            }
        }
        Ok(Self(raw.into_iter().map(|(Name(name), table)| (name, table)).collect()))
    }
}

/// Reads each probe of autoperf's tiers as its kind does: serde itself keeps no place for what lies inside of it.
pub(super) fn check_tiers(document: &DeTable<'_>, source: Source<'_>) -> Result<(), Failure> {
    let Some(autoperf) = document.get("autoperf").and_then(|section| section.get_ref().as_table()) else {
        return Ok(());
    };
    let targets = autoperf.get("target").and_then(|targets| targets.get_ref().as_array());
    let targets = targets.into_iter().flatten().filter_map(|target| target.get_ref().as_table());
    for table in [autoperf].into_iter().chain(targets) {
        for tier in ["tier1", "tier2", "tier3"] {
            let probes = table.get(tier).and_then(|tier| tier.get_ref().get("probe"));
            for probe in probes.and_then(|probes| probes.get_ref().as_array()).into_iter().flatten() {
                check_probe(probe.clone(), source)?;
            }
        }
    }
    Ok(())
}

/// Refuses a probe of a tier that its kind does not take, or whose kind cannot run.
fn check_probe(mut probe: File<'_>, source: Source<'_>) -> Result<(), Failure> {
    let start = probe.span().start;
    // What is no table, or has a kind that is no word, serde refuses.
    let DeValue::Table(table) = probe.get_mut() else { return Ok(()) };
    let kinds = KINDS.iter().map(Kind::name);
    let Some(kind) = table.remove("kind") else {
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        return Err(source.wrong(start, format!("kind is missing; it may be {kinds}")));
    };
    let Some(name) = kind.get_ref().as_str() else { return Ok(()) };
    let Some(known) = Kind::named(name) else {
        let instead = instead(name, kinds);
        return Err(source.wrong(kind.span().start, format!("kind: no probe is called `{name}`{instead}")));
    };
    known.table(probe).map(drop).map_err(|error| source.unreadable(&error))
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
