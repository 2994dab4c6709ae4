//! `results verify`: is everything in the store as it should be?

use std::io::Write;

use clap::Args;

use super::out;
use super::which::stray;
use crate::cli::Env;
use crate::failure::Failure;
use crate::report::text;
use crate::report::text::counted;
use crate::store::{Answer, Query, Verified};

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Verify, env: &Env) -> Result<u8, Failure> {
    let Answer::Verify(verified) = env.store()?.ask(&Query::Verify)? else {
        return Err(stray());
    };
    let code = u8::from(verified.wrong > 0);
    out::with_stdout(|out| {
        if args.json {
            out::json(out, &verified)?
        } else {
            as_text(out, &verified)?
        }
        Ok(code)
    })?;
    // Damage stays damage although nobody reads of it.
    Ok(code)
}

fn as_text(to: &mut impl Write, verified: &Verified) -> std::io::Result<()> {
    for problem in &verified.problems {
        writeln!(to, "{}", text::escape(problem))?;
    }
    let (records, rollups) = (counted(verified.records, "record"), counted(verified.rollups, "roll-up"));
    match verified.wrong {
        0 => writeln!(to, "{records} and {rollups}: all well"),
        wrong => writeln!(to, "{records} and {rollups}: {}", counted(wrong, "problem")),
    }
}
