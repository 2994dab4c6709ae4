//! `results prune`: removes what is old. Roll-ups stay as long as the configuration keeps them.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use serde_json::json;

use super::out;
use super::which::{self, Part, stray};
use crate::cli::Env;
use crate::failure::Failure;
use crate::store::{Access, Answer, Filter, Order, Query, Retention};
use crate::sys::clock;
use crate::units::{Span, Timestamp};

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Remove raw records that are older than this, by whole hours before the newest record
    #[arg(long, value_name = "SPAN")]
    older: Span,
    /// Only say how many
    #[arg(long)]
    dry_run: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Prune, env: &Env) -> Result<u8, Failure> {
    let store = env.store()?;
    let now = clock::now().timestamp();
    if args.dry_run {
        let count = count(&store, args.older, now)?;
        return out::with_stdout(|out| {
            if args.json {
                out::json(out, &json!({ "records": count, "dry_run": true }))?;
            } else {
                writeln!(out, "{count} records would go")?;
            }
            Ok(0)
        });
    }
    let retention = Box::new(retention(args.older, &env.config.store.retention));
    let Answer::Prune(pruned) = store.ask(&Query::Prune { retention, now })? else {
        return Err(stray());
    };
    out::with_stdout(|out| {
        if args.json {
            out::json(out, &pruned)?;
        } else {
            writeln!(out, "{} records and {} roll-ups removed", pruned.records, pruned.rollups)?;
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

/// How many records lie before the hour that pruning would cut at.
fn count(store: &Access, older: Span, now: Timestamp) -> Result<u64, Failure> {
    let Answer::Stats(stats) = store.ask(&Query::Stats)? else {
        return Err(stray());
    };
    let Some(newest) = stats.newest else {
        return Ok(0);
    };
    let filter = Filter { until: Some(cut(older, newest.min(now))), ..Filter::default() };
    let mut count = 0;
    let walked = which::ids(store, &filter, &Part { limit: None, after: None }, Order::Oldest, |ids| {
        count += ids.len() as u64;
        Ok(())
    });
    match walked {
        Err(out::Stop::Failed(failure)) => Err(failure),
        _ => Ok(count),
    }
}

/// The hour's start that pruning at `now` cuts at.
fn cut(older: Span, now: Timestamp) -> Timestamp {
    let span = i64::try_from(older.0.as_secs()).unwrap_or(i64::MAX);
    let second = now.as_second().saturating_sub(span).max(0);
    Timestamp::from_second(second - second % 3600).unwrap_or(Timestamp::UNIX_EPOCH)
}
