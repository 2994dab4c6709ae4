//! `waddleperf config`: is the file right, and what is in force?

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Env, say};
use crate::failure::{Class, Failure};
use crate::probe::Manual;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say whether the configuration is right; the first fault is named with its line
    Check {
        /// The file to check [default: the one in force].
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print the configuration in force, defaults filled in, secrets hidden
    Print,
}

pub(super) const MANUAL: Manual = Manual {
    name: "config",
    about: "Check the configuration, or print what is in force",
    text: "The file is TOML: see waddleperf.toml(5). What it sets for a probe becomes the default of that flag.",
    examples: &[
        ("waddleperf config check new.toml", "is this file right?"),
        ("waddleperf config print", "what is in force, and from which file"),
    ],
    files: &[],
    see_also: &["waddleperf.toml(5)"],
};

pub(super) fn run(args: &Config, env: &Env) -> Result<u8, Failure> {
    match &args.action {
        Action::Check { file: Some(file) } => {
            crate::config::load(Some(file))?;
            say(&format!("{}: ok\n", file.display()))
        }
        Action::Check { file: None } => match &env.file {
            Some(file) => say(&format!("{}: ok\n", file.display())),
            None => say("no configuration file: all is default\n"),
        },
        Action::Print => say(&printed(env)?),
    }
}

fn printed(env: &Env) -> Result<String, Failure> {
    let internal = |error: toml::ser::Error| Class::Internal.because(error);
    let body = toml::to_string(&env.config).map_err(internal)?;
    let from = env.file.as_ref().map_or_else(
        || "# no configuration file: all is default\n".to_owned(),
        |file| format!("# from {}\n", file.display()),
    );
    Ok(format!("{from}# DATA is {}\n\n{body}", env.data.path().display()))
}
