//! `results ids`: the ids alone, one a line.

use std::io::Write;

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::out;
use super::which::{self, Part, Which};
use crate::cli::Env;
use crate::failure::Failure;
use crate::store::Order;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Ids {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    part: Part,
    /// Print one JSON object: ids, and the cursor for more
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Ids, env: &Env) -> Result<u8, Failure> {
    let store = env.store()?;
    out::with_stdout(|out| {
        let mut all: Vec<Uuid> = Vec::new();
        let next = which::ids(&store, &args.which.filter(), &args.part, Order::Newest, |ids| {
            if args.json {
                all.extend(ids);
                return Ok(());
            }
            ids.iter().try_for_each(|id| writeln!(out, "{id}")).map_err(Into::into)
        })?;
        if args.json {
            out::json(out, &json!({ "ids": all, "next": next }))?;
        } else {
            out.flush()?;
            which::tell_cursor(next);
        }
        Ok(0)
    })
}
