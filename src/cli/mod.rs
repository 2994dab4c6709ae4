//! The command line: parses, builds the one runtime, runs, ends with the right exit code.
//!
//! A command is a variant of [`Command`], its line in [`Command::run`] and its manual in [`MANUALS`]; a probe
//! needs none of the three, for it is in `probe::KINDS`. [`Env`] is what a command gets to work with.

mod applet;
mod autoperf;
mod background;
mod complaint;
mod config;
mod env;
mod geoip;
mod health;
mod identity;
mod label;
mod layers;
mod logging;
mod probing;
mod reload;
mod results;
mod serve;
mod setup;
mod version;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::Loaded;
use crate::failure::{Class, Failure};
use crate::probe::{KINDS, Kind, Manual};
use crate::sys;
use complaint::Caller;
pub use env::Env;

/// Is it the network, where, and since when? One executable for network performance tests.
#[derive(Debug, Parser)]
#[command(name = "waddleperf", bin_name = "waddleperf", version = version::TEXT)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Read this configuration instead of the system's or the user's.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep store, spool, locks and identity here.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Tell more on stderr; twice for traces.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// What can be done. One variant each, in the order of `--help`.
#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Probe(Box<probing::Probing>),
    /// Run the test server
    Serve(serve::Serve),
    /// Measure the configured targets, and look closer where something is wrong
    Autoperf(autoperf::Autoperf),
    /// List, show, export, import, sum up and remove what was kept
    Results(results::Results),
    /// Where addresses belong, by databases on this host
    Geoip(geoip::Geoip),
    /// Say whether the server is well
    Health(health::Health),
    /// Check the configuration, or print what is in force
    Config(config::Config),
    /// Links, manual pages, completions, a sample configuration
    Setup(setup::Setup),
}

/// The manuals of the commands that are no probes, in the order of [`Command`].
const MANUALS: &[&Manual] = &[
    &serve::MANUAL,
    &autoperf::MANUAL,
    &results::MANUAL,
    &geoip::MANUAL,
    &health::MANUAL,
    &config::MANUAL,
    &setup::MANUAL,
];

impl Command {
    /// Does it. A command that waits or measures goes through [`Env::block_on`]; the others need no runtime.
    fn run(self, env: &Env) -> Result<u8, Failure> {
        match self {
            Self::Probe(args) if args.is_alone(env) => env.block_on_alone(probing::run(*args, env)),
            Self::Probe(args) if args.is_sequential() => env.block_on_one_thread(probing::run(*args, env)),
            Self::Probe(args) => env.block_on(probing::run(*args, env)),
            Self::Serve(args) => serve::run(args, env),
            Self::Autoperf(args) => autoperf::run(&args, env),
            Self::Results(args) => results::run(args, env),
            Self::Geoip(args) => geoip::run(args, env),
            Self::Health(args) => health::run(&args, env),
            Self::Config(args) => config::run(&args, env),
            Self::Setup(args) => setup::run(args, env),
        }
    }

    /// Whether it must work although the configuration is broken: what helps to mend it.
    const fn needs_no_configuration(&self) -> bool {
        match self {
            Self::Setup(_) => true,
            Self::Probe(_)
            | Self::Serve(_)
            | Self::Autoperf(_)
            | Self::Results(_)
            | Self::Geoip(_)
            | Self::Health(_)
            | Self::Config(_) => false,
        }
    }
}

/// The names of all commands.
fn names() -> impl Iterator<Item = &'static str> {
    let probes = KINDS.iter().map(Kind::name);
    probes.chain(MANUALS.iter().map(|manual| manual.name))
}

/// The whole process.
pub fn main() -> ExitCode {
    sys::process::forget_a_callers_environment();
    ExitCode::from(run(std::env::args_os().collect()))
}

/// Runs `argv`; the exit code.
fn run(argv: Vec<OsString>) -> u8 {
    let mut command = Cli::command();
    let is_named = !sys::process::is_secure();
    let named = if is_named { applet::of(&argv, &command) } else { Ok(None) };
    let (argv, applet) = match named {
        Ok(Some(named)) => {
            named.notes.iter().for_each(|note| complaint::tell("iperf3", note));
            (named.argv, Some(named.command))
        }
        Ok(None) => (argv, None),
        Err(why) => {
            complaint::tell("iperf3", &why);
            return Class::Usage.exit_code();
        }
    };
    let loaded = crate::config::load(layers::chosen_file(&argv).as_deref());
    let config = loaded.as_ref().ok().map(|loaded| &loaded.config);
    command = layers::apply(command, &argv, config);
    if let Some(applet) = applet {
        command = applet::rename(command, applet);
    }
    let caller = Caller::of(&argv, &command);
    let parsed = command.try_get_matches_from_mut(&argv).and_then(|matches| Cli::from_arg_matches(&matches));
    match (parsed, loaded) {
        (Ok(cli), loaded) => caller.finish(cli.run(loaded)),
        (Err(error), Err(failure)) if error.use_stderr() => caller.finish(Err(failure)),
        (Err(error), _) => match applet::explained(&argv, &error) {
            Some(failure) => caller.finish(Err(failure)),
            None => caller.show(&error),
        },
    }
}

impl Cli {
    fn run(self, loaded: Result<Loaded, Failure>) -> Result<u8, Failure> {
        let loaded = match loaded {
            Err(_) if self.command.needs_no_configuration() => Loaded::default(),
            loaded => loaded?,
        };
        logging::start(&loaded.config.log, self.global.verbose)?;
        let env = Env::new(loaded, self.global.data.as_deref())?;
        self.command.run(&env)
    }
}

/// Writes `text` to stdout. Nobody reading is no failure.
fn say(text: &str) -> Result<u8, Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::from_io("write to stdout", &error))
        }
        _ => Ok(0),
    }
}
