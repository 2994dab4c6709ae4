//! `waddleperf geoip`: where addresses belong, by databases on this host, and how those are kept new.

mod list;
mod lookup;
mod update;

pub(super) use lookup::words;

use clap::{Args, Subcommand};

use super::Env;
use crate::failure::Failure;
use crate::probe::Manual;

/// See the module.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Geoip {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    lookup: lookup::Lookup,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Fetch newer databases, check them and put them into their place
    Update(update::Update),
    /// List the databases that are asked
    List(list::List),
}

pub(super) const MANUAL: Manual = Manual {
    name: "geoip",
    about: "Where addresses belong, by databases on this host",
    text: "Looks up autonomous system, country, region and city in databases of MaxMind's format (MMDB): those that [geo] or \
           --geo name, else those in DATA/geo, /usr/share/GeoIP and /var/lib/GeoIP. Each field is told by the first that has \
           it; what none knows is null, and nobody is asked over the network. `mtr -z`, `results show` and the server use \
           the same databases, and notice within seconds that a file was replaced.\n\n\
           None is part of waddleperf. `geoip update` fetches what [geo] names: the checksum must be right, the database \
           whole and no older than what is there, and then it takes the old one's place in one step. A server that \
           answers \"not modified\" sends nothing. MaxMind wants an account (GeoLite2 is free; say \"includes GeoLite2 data \
           created by MaxMind\" where its data are shown); DB-IP Lite needs none (CC BY 4.0).",
    examples: &[
        ("waddleperf geoip 192.0.2.1 2001:db8::1", "where these belong"),
        ("waddleperf geoip --json - < addresses", "one line of JSON for each line of a file"),
        ("waddleperf geoip --csv - < addresses > places.csv", "the same as a table"),
        ("waddleperf geoip list", "which databases are asked, and how old they are"),
        ("waddleperf geoip update", "for a timer: fetch what [geo] names"),
        (
            "waddleperf geoip update city --url https://download.example/city.mmdb.gz",
            "fetch one that no file names",
        ),
    ],
    files: &[("DATA/geo/*.mmdb", "what `geoip update` fetched")],
    see_also: &["waddleperf-mtr(1)", "waddleperf.toml(5)"],
};

pub(super) fn run(args: Geoip, env: &Env) -> Result<u8, Failure> {
    match args.action {
        None => env.block_on(lookup::run(args.lookup, env)),
        Some(Action::Update(args)) => env.block_on(update::run(args, env)),
        Some(Action::List(args)) => list::run(&args, env),
    }
}
