//! `geoip list`: the databases that are asked.

use std::io::Write;

use clap::Args;

use crate::cli::Env;
use crate::cli::results::out::{self, Stop};
use crate::failure::Failure;
use crate::geo::About;
use crate::report::text::{counted, escape};
use crate::sys::clock;

/// After as many days a database is called old: MaxMind's licence has it deleted within 30.
const OLD: i64 = 30;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print one line of JSON for each
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &List, env: &Env) -> Result<u8, Failure> {
    let databases = env.atlas().current();
    out::with_stdout(|out| {
        for about in databases.about() {
            if args.json {
                out::json(out, about)?
            } else {
                writeln!(out, "{}", line(about)).map_err(Stop::from)?
            }
        }
        if databases.about().next().is_none() && !args.json {
            let place = match env.config.geo.files.as_slice() {
                [] => "there is no database in DATA/geo, /usr/share/GeoIP or /var/lib/GeoIP",
                _ => "none of the files that [geo] names is a database that can be read",
            };
            writeln!(out, "{place}")?;
        }
        Ok(0)
    })
}

/// What it is, when it was made, where it lies.
pub(super) fn line(about: &About) -> String {
    let built =
        about.built.map_or_else(|| "date unknown".to_owned(), |built| built.strftime("%F").to_string());
    let age = age_in_days(about).filter(|days| *days > OLD);
    let age =
        age.map(|days| format!(" (old: {} ago)", counted(days.unsigned_abs(), "day"))).unwrap_or_default();
    let mib = about.size as f64 / f64::from(1 << 20);
    format!("{}  built {built}{age}  {mib:.1} MiB  {}", escape(&about.kind), about.file.display())
}

fn age_in_days(about: &About) -> Option<i64> {
    let now = i64::try_from(clock::now().wall / 1_000_000_000).ok()?;
    Some((now - about.built?.as_second()) / 86_400)
}
