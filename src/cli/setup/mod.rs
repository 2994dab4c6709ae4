//! `waddleperf setup`: what an installation needs beside the executable, all made from the one declaration.

mod completions;
mod cron;
mod files;
mod links;
mod pages;
mod reference;
mod schema;
mod timer;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::Env;
use crate::failure::Failure;
use crate::probe::Manual;
use files::File;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Setup {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the names by which a command is called alone, such as `udpping`
    Links(links::Links),
    /// Print a shell's completions, or write all shells' into a directory
    Completions {
        /// The shell
        #[arg(value_name = "SHELL", required_unless_present = "dir", conflicts_with = "dir")]
        shell: Option<Shell>,
        /// Write the files of all shells here
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Write the manual pages
    Man(Dir),
    /// Write the reference of records and configuration (Markdown)
    Docs(Dir),
    /// Print a commented configuration to begin with
    Config,
    /// Print the crontab line for `autoperf run`, or install it
    Cron(cron::Cron),
    /// Print the systemd units for `autoperf run`, or write them
    Timer(timer::Timer),
}

#[derive(Debug, Args)]
struct Dir {
    /// Where to; made if it does not exist
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

pub(super) const MANUAL: Manual = Manual {
    name: "setup",
    about: "Links, manual pages, completions, a sample configuration",
    text: "Writes what an installation needs beside the one executable. Everything is made from the declaration of \
           the commands, so it is always true for this build.",
    examples: &[
        ("waddleperf setup links", "call `udpping` without `waddleperf`, from ~/.local/bin"),
        ("waddleperf setup links --prefix wp-", "as `wp-udpping`, where names would clash"),
        ("source <(waddleperf setup completions bash)", "completions for this shell"),
        ("waddleperf setup man --dir ~/.local/share/man/man1", "the manual pages"),
        ("waddleperf setup config > waddleperf.toml", "a configuration to begin with"),
        ("waddleperf setup cron --install", "measure every five minutes from this account's crontab"),
    ],
    files: &[("~/.local/bin", "where links are made unless `--dir` says otherwise")],
    see_also: &["waddleperf.toml(5)"],
};

/// The commented configuration that `make run` uses.
const SAMPLE: &str = include_str!("../../../examples/waddleperf.toml");

pub(super) fn run(args: Setup, env: &Env) -> Result<u8, Failure> {
    match args.action {
        Action::Links(args) => links::run(&args),
        Action::Completions { shell: Some(shell), .. } => super::say(&completions::of(shell)),
        Action::Completions { dir: Some(dir), .. } => File::write_all(&dir, &completions::files()),
        Action::Completions { .. } => Ok(0),
        Action::Man(Dir { dir }) => File::write_all(&dir, &pages::files()),
        Action::Docs(Dir { dir }) => File::write_all(&dir, &reference::files()),
        Action::Config => super::say(SAMPLE),
        Action::Cron(args) => cron::run(&args, env),
        Action::Timer(args) => timer::run(&args, env),
    }
}

/// Where this program is.
fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::from_io("find this program", &error))
}

/// A path as the shell reads it back: in single quotes unless it is plain.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The whole command line as declared, without what a configuration or the environment makes of it.
fn declared() -> clap::Command {
    use clap::CommandFactory;
    let mut command = super::Cli::command().version(env!("CARGO_PKG_VERSION"));
    command = command.mut_subcommands(super::probing::declare);
    command.build();
    command
}

/// The command called `name` as an applet: on its own, with the global options.
fn applet(name: &'static str) -> Option<clap::Command> {
    let mut command = declared().find_subcommand(name)?.clone();
    command = command.name(name).bin_name(name).display_name(name);
    command = command.mut_subcommands(|sub| {
        let bin_name = format!("{name} {}", sub.get_name());
        let display_name = format!("{name}-{}", sub.get_name());
        sub.bin_name(bin_name).display_name(display_name)
    });
    Some(command.version(env!("CARGO_PKG_VERSION")))
}
