//! `waddleperf results`: what was measured and kept.
//!
//! Every answer comes through [`Access::ask`](crate::store::Access::ask), and so is the same beside a process that
//! holds the store.

mod export;
mod ids;
mod import;
mod list;
pub(super) mod out;
mod prune;
mod show;
mod spark;
mod stats;
mod verify;
mod which;

use clap::{Args, Subcommand};

use super::Env;
use crate::failure::Failure;
use crate::probe::Manual;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Results {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List records, newest first, one a line
    List(list::List),
    /// Show one record
    Show(show::Show),
    /// Write records for another program, oldest first
    Export(export::Export),
    /// Count what there is, and sum up each series
    Stats(stats::Stats),
    /// Remove what is old
    Prune(prune::Prune),
    /// Check the whole store
    Verify(verify::Verify),
    /// List ids alone
    Ids(ids::Ids),
    /// Keep what ping, pping, mtr, iperf3, irtt or an earlier WaddlePerf measured
    Import(import::Import),
}

pub(super) const MANUAL: Manual = Manual {
    name: "results",
    about: "List, show, export, import, sum up and remove what was kept",
    text: "What is kept comes from `--save`, from autoperf and from imports. Answers are the same while a \
           server holds the store. A limited list names on stderr the cursor for `--after`.",
    examples: &[
        ("waddleperf results list --since 6h --target '*.example.com'", "what was measured lately"),
        ("waddleperf results show 019ab3f2", "one record, by the beginning of its id"),
        (
            "waddleperf results export --format csv --since 7d > week.csv",
            "headline numbers for a spreadsheet",
        ),
        ("waddleperf results stats --scalar rtt_p95", "counts, sizes, and each series as a line"),
        ("ping -D -c 10 example.com | waddleperf results import -", "keep what another tool measured"),
        ("waddleperf results prune --older 30d --dry-run", "how many records would go?"),
    ],
    files: &[],
    see_also: &["waddleperf-serve(1)", "waddleperf-autoperf(1)"],
};

pub(super) fn run(args: Results, env: &Env) -> Result<u8, Failure> {
    match args.action {
        Action::List(args) => list::run(args, env),
        Action::Show(args) => show::run(&args, env),
        Action::Export(args) => export::run(&args, env),
        Action::Stats(args) => stats::run(&args, env),
        Action::Prune(args) => prune::run(&args, env),
        Action::Verify(args) => verify::run(&args, env),
        Action::Ids(args) => ids::run(&args, env),
        Action::Import(args) => import::run(args, env),
    }
}
