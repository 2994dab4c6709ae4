//! The subcommands that measure, one for each kind of probe.

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::Env;
use crate::failure::Failure;
use crate::probe::{KINDS, Kind, Probe};

/// A probe as the command line asks for it.
#[derive(Debug)]
pub(super) struct Probing {
    probe: Probe,
    common: Common,
}

/// What every probe takes besides its own options.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct Common {
    /// Print the record as one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Measures.
pub(super) async fn run(args: Probing, env: &Env) -> Result<u8, Failure> {
    let measurement = args.probe.run(&env.ctx()).await;
    if args.common.json {
        crate::report::json(&mut std::io::stdout().lock(), &measurement)
            .map_err(|error| Failure::from_io("write to stdout", &error))?;
    }
    Ok(measurement.exit_code())
}

impl Subcommand for Probing {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(KINDS.iter().map(subcommand))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Kind::named(name).is_some()
    }
}

impl FromArgMatches for Probing {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        Ok(Self {
            probe: Kind::named(name).ok_or_else(missing)?.read(matches)?,
            common: Common::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn subcommand(kind: &'static Kind) -> Command {
    let command = kind.augment(Command::new(kind.name()));
    Common::augment_args(command)
        .about(kind.manual.about)
        .long_about(format!("{}.\n\n{}", kind.manual.about, kind.manual.text))
}
