//! `waddleperf autoperf`: rounds now, on a schedule, or planned; and how the targets are.

mod check;
mod daemon;
mod nagios;
mod run;
mod status;

use std::path::Path;

use clap::{Args, Subcommand};

pub(super) use nagios::unknown;

use super::Env;
use crate::autoperf::lock;
use crate::autoperf::settings::{Settings, TargetConfig};
use crate::failure::{Class, Failure};
use crate::probe::Manual;
use crate::store::Data;

/// See the module.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Autoperf {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    run: run::Run,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// One round of every target now, and what it leads to (also without this word)
    Run(run::Run),
    /// Measure on the schedule, in the foreground until told to stop
    Daemon,
    /// Print what would be measured, how often, and the most that it sends; nothing is sent
    Check,
    /// Print how the targets are
    Status(status::Status),
}

/// The exit code of a run that did not run because another one does: `EX_TEMPFAIL` of sysexits.h.
const LOCKED: u8 = 75;

pub(super) const MANUAL: Manual = Manual {
    name: "autoperf",
    about: "Measure the configured targets, and look closer where something is wrong",
    text: "Measures each [[autoperf.target]] with the probes of tier 1 and compares the result with thresholds. \
           What stays bad leads to tier 2, and what tier 2 still finds to tier 3, within the day's budgets. \
           `waddleperf serve` does so on its schedule; where no server runs, `autoperf daemon` does, or cron or a \
           systemd timer call `autoperf run` (`waddleperf setup cron`, `waddleperf setup timer`). SIGHUP lets server and daemon read the \
           configuration anew. Only one of them \
           works on a data directory at a time: `autoperf run` asks a server or daemon that measures already for its round, and \
           ends with 75 beside another run. A run ends with 0 \
           whatever the network did, unless --strict (1 when a target is bad) or --nagios (its plugin codes).",
    examples: &[
        ("waddleperf autoperf", "one round of every target now"),
        ("waddleperf autoperf run 192.0.2.1", "one round of a host that no file names"),
        ("waddleperf autoperf --target shop --tier 2", "look closer at one target now"),
        ("waddleperf autoperf run --nagios --target shop", "as a plugin of Nagios, Icinga or Naemon"),
        ("waddleperf autoperf check", "what would be measured, and the most that it sends"),
        ("waddleperf autoperf status", "how the targets are"),
    ],
    files: &[
        ("DATA/autoperf.lock", "held by the one that measures"),
        ("DATA/autoperf.sock", "where a server or daemon is asked for rounds"),
    ],
    see_also: &["waddleperf-serve(1)", "waddleperf-setup(1)", "waddleperf.toml(5)"],
};

pub(super) fn run(args: &Autoperf, env: &Env) -> Result<u8, Failure> {
    match &args.action {
        None => run::run(&args.run, env),
        Some(Action::Run(args)) => run::run(args, env),
        Some(Action::Daemon) => daemon::run(env),
        Some(Action::Check) => check::run(env),
        Some(Action::Status(args)) => status::run(args, env),
    }
}

/// The configured targets; a failure where there are none.
fn targets(env: &Env) -> Result<Vec<TargetConfig>, Failure> {
    some_targets(&env.config.autoperf, env.file.as_deref())
}

/// The targets of `settings`, which come from `file`; a failure where there are none.
pub(super) fn some_targets(settings: &Settings, file: Option<&Path>) -> Result<Vec<TargetConfig>, Failure> {
    let targets = settings.targets()?;
    if !targets.is_empty() {
        return Ok(targets);
    }
    let file = file
        .map_or_else(|| "no configuration file".to_owned(), |file| format!("{} names none", file.display()));
    Err(Class::Config
        .because(format_args!("no target: {file}; write an [[autoperf.target]] with name and host")))
}

/// Who measures already.
fn locked(data: &Data) -> String {
    format!("another autoperf runs on {}: {}", data.path().display(), lock::holder(data))
}
