//! Precedence by clap's own means: what the file sets becomes a flag's default, and every long flag has a
//! variable, so that defaults < file < `WADDLEPERF_*` < flags, and help and errors are clap's.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{FalseyValueParser, TypedValueParser};
use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::probing;
use crate::config::Config;
use crate::probe::Kind;

/// The file that `argv` or the environment names. Clap cannot say: its defaults depend on it.
pub(super) fn chosen_file(argv: &[OsString]) -> Option<PathBuf> {
    let mut words = argv.iter().take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        if word == "--config" {
            return words.next().map(PathBuf::from);
        }
        if let Some(file) = word.to_str().and_then(|word| word.strip_prefix("--config=")) {
            return Some(file.into());
        }
    }
    let variable = env::var_os("WADDLEPERF_CONFIG").filter(|file| !file.is_empty());
    variable.map(PathBuf::from)
}

/// Whether `argv` or the environment sets the switch `--long`, as far as can be told where clap refuses them.
pub(super) fn is_set(argv: &[OsString], long: &str) -> bool {
    let words = argv.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    let variable = env::var_os(variable_name(long));
    let believed = |value: OsString| {
        FalseyValueParser::new().parse_ref(&Command::new(""), None, &value).unwrap_or(false)
    };
    words.filter_map(|word| word.strip_prefix("--")).any(|word| word == long)
        || variable.is_some_and(believed)
}

/// `command` with the defaults of `config` and its variables, as far as `argv` may call for them: of a hundred options of
/// commands that it does not name nothing is asked.
pub(super) fn apply(command: Command, argv: &[OsString], config: Option<&Config>) -> Command {
    let named = |subcommand: &Command| argv.iter().any(|word| word == subcommand.get_name());
    command.mut_args(variable).mut_subcommands(|subcommand| {
        if !named(&subcommand) {
            return subcommand;
        }
        let Some(kind) = Kind::named(subcommand.get_name()) else { return variables(subcommand) };
        let probe = probing::declare(subcommand);
        variables(match config.and_then(|config| config.probe.of(kind.name())) {
            Some(table) => defaults(probe, table),
            None => probe,
        })
    })
}

/// `command` with the keys of `table` as its defaults. Nested tables only group; a word that is itself a flag's
/// name (`family = "ipv6"`) sets that flag.
fn defaults(mut command: Command, table: &Table) -> Command {
    for (key, value) in table {
        command = match value {
            Value::Table(nested) => defaults(command, nested),
            Value::Array(values) => default(command, key, values.iter().map(text).collect()),
            value if has(&command, key) => default(command, key, vec![text(value)]),
            value if has(&command, &text(value)) => default(command, &text(value), vec!["true".to_owned()]),
            _ => command,
        };
    }
    command
}

fn has(command: &Command, id: &str) -> bool {
    command.get_arguments().any(|arg| arg.get_id() == id)
}

fn default(command: Command, id: &str, values: Vec<String>) -> Command {
    command.mut_arg(id, |arg| falsey(arg).required(false).default_values(values))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Gives every long flag of `command` and below the variable `WADDLEPERF_<FLAG>`.
fn variables(command: Command) -> Command {
    command.mut_args(variable).mut_subcommands(variables)
}

fn variable(arg: Arg) -> Arg {
    let Some(name) = arg.get_long().map(variable_name) else {
        return arg;
    };
    falsey(arg).env(name).hide_env(true)
}

/// The variable of the flag `--long`.
pub(super) fn variable_name(long: &str) -> String {
    format!("WADDLEPERF_{}", long.to_ascii_uppercase().replace('-', "_"))
}

/// A flag that may also come with a word: `0`, `no`, `off` and `false` leave it unset.
fn falsey(arg: Arg) -> Arg {
    match arg.get_action() {
        ArgAction::SetTrue => arg.value_parser(FalseyValueParser::new()),
        _ => arg,
    }
}
