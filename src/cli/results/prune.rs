//! `results prune`: removes what is old, by the configuration or by one age for all. Roll-ups stay as long as the
//! configuration keeps them.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use serde_json::json;

use super::out;
use super::which::stray;
use crate::cli::Env;
use crate::failure::Failure;
use crate::report::text::counted;
use crate::store::{Answer, Query, Retention};
use crate::sys::clock;
use crate::units::Span;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Remove raw records that are older than this, by whole hours before the newest record [default: as
    /// store.retention says]
    #[arg(long, value_name = "SPAN")]
    older: Option<Span>,
    /// Only say how many
    #[arg(long)]
    dry_run: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Prune, env: &Env) -> Result<u8, Failure> {
    let usual = &env.config.store.retention;
    let retention = Box::new(args.older.map_or_else(|| usual.clone(), |older| retention(older, usual)));
    let now = clock::now().timestamp();
    let query = Query::Prune { retention, now, dry_run: args.dry_run };
    let Answer::Prune(pruned) = env.store()?.ask(&query)? else {
        return Err(stray());
    };
    out::with_stdout(|out| {
        let records = counted(pruned.records, "record");
        match (args.json, args.dry_run) {
            (true, true) => out::json(out, &json!({ "records": pruned.records, "dry_run": true }))?,
            (true, false) => out::json(out, &pruned)?,
            (false, true) => writeln!(out, "{records} would go")?,
            (false, false) => {
                writeln!(out, "{records} and {} removed", counted(pruned.rollups, "roll-up"))?;
            }
        }
        Ok(0)
    })
}

/// Raw records of every kind and tier for `older`, roll-ups as they are.
fn retention(older: Span, usual: &Retention) -> Retention {
    Retention {
        tier1: older,
        tier2: older,
        tier3: older,
        other: older,
        kind: BTreeMap::new(),
        ..usual.clone()
    }
}
