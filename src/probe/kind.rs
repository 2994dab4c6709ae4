//! What others must know of a kind of probe to offer it: its manual, its options, its schema, its defaults.
//!
//! The command line, the configuration file, the manual and the documents read [`KINDS`] and nothing else,
//! so that a kind is registered once.

use clap::{ArgMatches, Args, Command};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{KINDS, Measure, Probe};

/// The options of a probe: a structure that is at once a set of flags, a table in the file and an object in JSON.
pub trait Options:
    Measure + Args + Default + Serialize + DeserializeOwned + JsonSchema + Into<Probe>
{
    /// The kind's name and what a person should read about it.
    const MANUAL: Manual;

    /// The same, what the command line says in a notation of its own put where it belongs.
    ///
    /// # Errors
    /// Clap's own: which word is none.
    fn settled(self) -> Result<Self, clap::Error> {
        Ok(self)
    }
}

/// What the manual page of a command says beyond its options.
#[derive(Debug)]
pub struct Manual {
    /// The one word: subcommand, applet, `kind`, metric label and page.
    pub name: &'static str,
    /// One line, without a full stop.
    pub about: &'static str,
    /// Paragraphs about what it does, separated by empty lines.
    pub text: &'static str,
    /// Commands, each with what it is good for.
    pub examples: &'static [(&'static str, &'static str)],
    /// Files it reads or writes, each with what is in it.
    pub files: &'static [(&'static str, &'static str)],
    /// Pages to read next: `waddleperf-serve(8)`.
    pub see_also: &'static [&'static str],
}

impl Manual {
    /// The examples below the options of `--help`.
    pub fn help(&self) -> String {
        let each = self.examples.iter().map(|(command, why)| format!("  {command}\n      {why}\n"));
        format!("Examples:\n{}", each.collect::<String>().trim_end())
    }
}

/// A kind of probe, with its type forgotten.
pub struct Kind {
    /// Its name and manual.
    pub manual: Manual,
    augment: fn(Command) -> Command,
    read: fn(&ArgMatches) -> Result<Probe, clap::Error>,
    table: for<'a> fn(File<'a>) -> Result<Probe, toml::de::Error>,
    schema: fn(&mut SchemaGenerator) -> Schema,
    defaults: fn() -> Result<toml::Table, toml::ser::Error>,
    example: fn() -> Probe,
}

/// A table of a configuration file that still knows where it stands.
pub type File<'a> = toml::Spanned<toml::de::DeValue<'a>>;

impl Kind {
    pub(super) const fn of<T: Options>() -> Self {
        Self {
            manual: T::MANUAL,
            augment: T::augment_args,
            read: |matches| T::from_arg_matches(matches).and_then(T::settled).map(Into::into),
            table: |table| T::deserialize(toml::de::ValueDeserializer::from(table)).map(Into::into),
            schema: T::json_schema,
            defaults: || toml::Table::try_from(T::default()),
            example: || T::default().into(),
        }
    }

    /// The kind called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name() == name)
    }

    /// Its one word.
    pub const fn name(&self) -> &'static str {
        self.manual.name
    }

    /// `command` with this kind's options.
    pub fn augment(&self, command: Command) -> Command {
        (self.augment)(command)
    }

    /// The probe that the options in `matches` ask for.
    ///
    /// # Errors
    /// Clap's own.
    pub fn read(&self, matches: &ArgMatches) -> Result<Probe, clap::Error> {
        (self.read)(matches)
    }

    /// The probe that `table` asks for; its target may be open.
    ///
    /// # Errors
    /// Which key or value this kind's options do not allow, and where.
    pub fn table(&self, table: File<'_>) -> Result<Probe, toml::de::Error> {
        (self.table)(table)
    }

    /// The schema of its options.
    pub fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.schema)(generator)
    }

    /// Its options with their defaults, as a file would hold them; what has no default is absent.
    ///
    /// # Errors
    /// When a default cannot be written as TOML.
    pub fn defaults(&self) -> Result<toml::Table, toml::ser::Error> {
        (self.defaults)()
    }

    /// A probe of this kind with its defaults, its target left open.
    pub fn example(&self) -> Probe {
        (self.example)()
    }
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use crate::probe::{Measurement, NAMES};

    #[test]
    fn a_kind_has_one_name_everywhere() {
        for kind in KINDS {
            let probe = kind.example();
            assert_eq!(kind.name(), probe.kind(), "its manual, and its folder");
            let json = serde_json::to_value(&probe).expect("a probe is JSON");
            assert_eq!(json["kind"], kind.name(), "the record's `kind`, and its manual");
        }
    }

    #[test]
    fn thresholds_know_every_headline_number() {
        for scalar in KINDS.iter().flat_map(|kind| kind.example().unmeasured()) {
            let known = (scalar.name.as_ref(), scalar.unit);
            assert!(NAMES.contains(&known), "{known:?} is not in probe::NAMES");
        }
    }

    #[test]
    fn the_types_of_the_record_have_different_names() {
        let schema = schemars::schema_for!(Measurement);
        let types = schema.get("$defs").and_then(|types| types.as_object()).expect("types");
        for name in types.keys() {
            let numbered = name.ends_with(|last: char| last.is_ascii_digit());
            assert!(!numbered, "two types are called {name}: give one a #[schemars(rename = …)]");
        }
    }
}
