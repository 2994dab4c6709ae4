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

/// A kind of probe, with its type forgotten.
pub struct Kind {
    /// Its name and manual.
    pub manual: Manual,
    augment: fn(Command) -> Command,
    read: fn(&ArgMatches) -> Result<Probe, clap::Error>,
    check: for<'a> fn(File<'a>) -> Result<(), toml::de::Error>,
    schema: fn(&mut SchemaGenerator) -> Schema,
    defaults: fn() -> Result<toml::Table, toml::ser::Error>,
}

/// A table of a configuration file that still knows where it stands.
pub type File<'a> = toml::Spanned<toml::de::DeValue<'a>>;

impl Kind {
    pub(super) const fn of<T: Options>() -> Self {
        Self {
            manual: T::MANUAL,
            augment: T::augment_args,
            read: |matches| T::from_arg_matches(matches).map(Into::into),
            check: |table| T::deserialize(toml::de::ValueDeserializer::from(table)).map(drop),
            schema: T::json_schema,
            defaults: || toml::Table::try_from(T::default()),
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

    /// Refuses a table of defaults that this kind's options do not allow.
    ///
    /// # Errors
    /// Which key or value is wrong, and where.
    pub fn check(&self, table: File<'_>) -> Result<(), toml::de::Error> {
        (self.check)(table)
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
}
