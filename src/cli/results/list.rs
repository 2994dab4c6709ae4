//! `results list`: one line a record.

use std::io::{IsTerminal, Write};

use clap::Args;
use serde_json::json;

use super::out::{self, Out, Stop};
use super::which::{Part, Which, pages, tell, tell_cursor};
use crate::autoperf::text::severity;
use crate::cli::Env;
use crate::failure::Failure;
use crate::probe::{Probe, Scalar};
use crate::report::text;
use crate::report::text::{counted, local};
use crate::store::{Filter, Order, Page, Record};

/// How many records are listed when nobody says.
const USUAL: u64 = 50;
/// The headline numbers in the order of their worth, and how many of them stand on a line.
const HEADLINES: [&str; 12] = [
    "rtt_p50",
    "rtt_mean",
    "throughput",
    "throughput_down",
    "throughput_up",
    "total",
    "connect",
    "loss_ratio",
    "rtt_p95",
    "hops",
    "rpm",
    "pmtu",
];
const SHOWN: usize = 3;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    part: Part,
    /// Oldest first
    #[arg(long)]
    oldest: bool,
    /// Print one JSON object: records, and the cursor for more
    #[arg(long)]
    json: bool,
}

pub(super) fn run(mut args: List, env: &Env) -> Result<u8, Failure> {
    args.part.limit.get_or_insert(USUAL);
    let filter = args.which.filter();
    out::with_stdout(|out| {
        if args.json { as_json(out, env, &args, &filter) } else { as_text(out, env, &args, &filter) }
            .map(|()| 0)
    })
}

impl List {
    fn order(&self) -> Order {
        if self.oldest { Order::Oldest } else { Order::Newest }
    }
}

fn as_json(out: &mut Out, env: &Env, args: &List, filter: &Filter) -> Result<(), Stop> {
    let store = env.store()?;
    let (mut first, mut unreadable) = (true, 0);
    write!(out, "{{\"records\":[")?;
    let next = pages(&store, filter, &args.part, args.order(), |page| {
        unreadable += page.unreadable;
        for record in &page.records {
            write!(out, "{}", if first { "" } else { "," })?;
            serde_json::to_writer(&mut *out, record)?;
            first = false;
        }
        Ok(())
    })?;
    writeln!(out, "],\"unreadable\":{unreadable},\"next\":{}}}", json!(next))?;
    Ok(())
}

fn as_text(out: &mut Out, env: &Env, args: &List, filter: &Filter) -> Result<(), Stop> {
    let store = env.store()?;
    let mut unreadable = 0;
    let mut rows = Vec::new();
    if std::io::stdout().is_terminal() {
        rows.push(["time", "id", "kind", "target", "address", "headline", "outcome"].map(str::to_owned));
    }
    let next = pages(&store, filter, &args.part, args.order(), |page: Page| {
        unreadable += page.unreadable;
        rows.extend(page.records.iter().map(row));
        aligned(out, &rows)?;
        rows.clear();
        Ok(())
    })?;
    out.flush()?;
    if unreadable > 0 {
        tell(&format!("{} unreadable (see `waddleperf results verify`)", counted(unreadable, "record")));
    }
    tell_cursor(next);
    Ok(())
}

/// One record's cells.
fn row(record: &Record) -> [String; 7] {
    let absent = || "-".to_owned();
    let address = match record {
        Record::Measurement(record) => record.address.map(|address| address.to_string()),
        _ => None,
    };
    let named = |text: &str| if text.is_empty() { absent() } else { text::escape(text).into_owned() };
    [
        local(record.at()),
        record.id().to_string(),
        kind(record),
        named(record.target()),
        address.unwrap_or_else(absent),
        named(&headline(record)),
        outcome(record),
    ]
}

/// The kind; of an imported record also the tool.
fn kind(record: &Record) -> String {
    match record {
        Record::Measurement(measured) => match &measured.probe {
            Probe::Imported(import) => format!("imported/{}", text::escape(&import.tool)),
            probe => probe.kind().to_owned(),
        },
        record => record.kind().to_owned(),
    }
}

/// Up to three numbers that tell most.
fn headline(record: &Record) -> String {
    let Record::Measurement(record) = record else {
        return String::new();
    };
    let scalars = record.scalars();
    let known = |name: &&str| scalars.iter().find(|scalar| scalar.name == **name && scalar.value.is_some());
    let mut best: Vec<&Scalar> = HEADLINES.iter().filter_map(known).collect();
    if best.iter().any(|scalar| scalar.name == "rtt_p50") {
        best.retain(|scalar| scalar.name != "rtt_mean");
    }
    if best.is_empty() {
        best = scalars.iter().filter(|scalar| scalar.value.is_some()).collect();
    }
    let shown: Vec<String> = best
        .into_iter()
        .take(SHOWN)
        .map(|scalar| format!("{} {}", scalar.name.trim_end_matches("_ratio"), text::scalar(scalar)))
        .collect();
    shown.join(", ")
}

/// One word, or a few, for what came of it.
fn outcome(record: &Record) -> String {
    match record {
        Record::Measurement(measured) => match record.failure() {
            Some(failure) => failure.class.to_string(),
            None if !measured.replied() => "no reply".to_owned(),
            None if measured.partial => "partial".to_owned(),
            None => "ok".to_owned(),
        },
        Record::Run(run) => format!("tier {}: {}", run.tier, severity(run.severity)),
        Record::Gap(gap) => format!("{} lost", counted(gap.lost, "record")),
    }
}

/// Writes `rows` with every column as wide as its widest cell.
pub(super) fn aligned<const N: usize>(out: &mut impl Write, rows: &[[String; N]]) -> std::io::Result<()> {
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(wide);
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
