//! `waddleperf health`: is the server that holds this store well? For container health checks and service managers.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::Env;
use super::results::out;
use crate::failure::{Class, Failure};
use crate::probe::Manual;
use crate::report::text::counted;
use crate::store::control;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Health {
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) const MANUAL: Manual = Manual {
    name: "health",
    about: "Say whether the server is well",
    text: "Asks the process that holds the store, through DATA/control.sock, and waits for at most 2 s. The exit \
           code is 0 when it is well and 1 when it is not, or when there is none.",
    examples: &[("waddleperf health", "for a container's health check")],
    files: &[],
    see_also: &["waddleperf-serve(1)"],
};

pub(super) fn run(args: &Health, env: &Env) -> Result<u8, Failure> {
    let health = control::health(&env.data);
    if args.json {
        return as_json(health);
    }
    let health = health?;
    let why = health.why.as_deref().unwrap_or("no reason given");
    if !health.well {
        return Err(Class::Unreachable.because(format_args!("process {}: {why}", health.pid)));
    }
    out::with_stdout(|out| {
        let control::Health { pid, version, uptime_s, records, held, held_why, .. } = &health;
        writeln!(
            out,
            "well: process {pid}, version {version}, up {uptime_s} s, {}",
            counted(*records, "record")
        )?;
        if let Some(why) = held_why {
            writeln!(
                out,
                "held in memory: {}, for now they cannot be kept: {why}",
                counted(*held, "record")
            )?;
        }
        Ok(0)
    })
}

/// What was learnt as JSON, also when nobody answered.
fn as_json(health: Result<control::Health, Failure>) -> Result<u8, Failure> {
    let code = u8::from(!health.as_ref().is_ok_and(|health| health.well));
    out::with_stdout(|out| {
        match &health {
            Ok(health) => out::json(out, health)?,
            Err(failure) => out::json(out, &json!({ "well": false, "why": failure.detail }))?,
        }
        Ok(code)
    })?;
    Ok(code)
}
