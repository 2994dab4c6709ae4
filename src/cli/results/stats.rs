//! `results stats`: what is in the store, and what each series was like.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::list::aligned;
use super::out::{self, Out, Stop};
use super::spark;
use super::which::{Which, stray};
use crate::cli::Env;
use crate::failure::Failure;
use crate::probe::{Scalar, unit_of};
use crate::report::text::{self, local};
use crate::store::{Access, Answer, Filter, Key, Line, Query, Stats as Numbers, Summary};
use crate::units::{Timestamp, Unit};

/// Columns of a sparkline.
const WIDTH: usize = 32;
/// Values that a sparkline is drawn from.
const POINTS: usize = 16 * WIDTH;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Stats {
    #[command(flatten)]
    which: Which,
    /// The number that is told of each series
    #[arg(long, value_name = "NAME", default_value = "rtt_p50")]
    scalar: String,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// What is told.
struct Told {
    numbers: Numbers,
    series: Vec<(Key, Summary)>,
    lines: Vec<Line>,
}

pub(super) fn run(args: &Stats, env: &Env) -> Result<u8, Failure> {
    let told = Told::ask(&*env.store()?, &args.which.filter(), &args.scalar)?;
    out::with_stdout(|out| {
        if args.json {
            told.json(out, &args.scalar)?
        } else {
            told.text(out, &args.scalar)?
        }
        Ok(0)
    })
}

impl Told {
    fn ask(store: &Access, filter: &Filter, scalar: &str) -> Result<Self, Failure> {
        let Answer::Stats(numbers) = store.ask(&Query::Stats)? else {
            return Err(stray());
        };
        let (filter, scalar) = (filter.clone(), scalar.to_owned());
        let summaries = Query::Summaries { filter: filter.clone(), scalar: scalar.clone() };
        let Answer::Summaries(mut series) = store.ask(&summaries)? else {
            return Err(stray());
        };
        let Answer::Series(lines) = store.ask(&Query::Series { filter, scalar, points: POINTS })? else {
            return Err(stray());
        };
        // Autoperf's runs and gaps, and probes that know no such number, have nothing to tell.
        series.retain(|(_, summary)| summary.count > 0 || summary.min.is_some());
        Ok(Self { numbers: *numbers, series, lines })
    }

    fn line(&self, key: &Key) -> &[(u64, f64)] {
        self.lines.iter().find(|line| line.series == *key).map_or(&[], |line| &line.points)
    }

    fn json(&self, out: &mut Out, scalar: &str) -> Result<(), Stop> {
        let series: Vec<_> = self
            .series
            .iter()
            .map(|(key, summary)| json!({ "series": key, "summary": summary, "points": self.line(key) }))
            .collect();
        out::json(out, &json!({ "store": self.numbers, "scalar": scalar, "series": series }))
    }

    fn text(&self, out: &mut Out, scalar: &str) -> Result<(), Stop> {
        counts(out, &self.numbers)?;
        if self.series.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        let head = ["kind", "target", "labels", "count", "min", "p50", "p95", "max"].map(str::to_owned);
        let mut rows = vec![with_line(head, text::escape(scalar).into_owned())];
        for (key, summary) in &self.series {
            rows.push(with_line(row(key, summary, scalar), spark::line(self.line(key), WIDTH)));
        }
        aligned(out, &rows)?;
        Ok(())
    }
}

fn counts(out: &mut Out, numbers: &Numbers) -> std::io::Result<()> {
    let size = |octets: u64| text::bytes(octets as f64);
    let kinds: Vec<String> = numbers.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let when = |at: Option<Timestamp>| at.map_or_else(|| text::ABSENT.to_owned(), local);
    writeln!(out, "records    {}{}", numbers.records, text::escape(&kinds))?;
    writeln!(out, "span       {} to {}", when(numbers.oldest), when(numbers.newest))?;
    writeln!(out, "series     {}", numbers.series)?;
    writeln!(out, "roll-ups   {} ({} hours wait)", numbers.rollups, numbers.stale_hours)?;
    writeln!(out, "file       {} (format {})", size(numbers.file_bytes), numbers.format)?;
    let spool = size(numbers.spool_bytes);
    writeln!(
        out,
        "spool      {} records, {spool}, {} rejected",
        numbers.spool_records, numbers.spool_rejected
    )
}

fn row(key: &Key, summary: &Summary, name: &str) -> [String; 8] {
    let unit = summary.unit.or_else(|| unit_of(name)).unwrap_or(Unit::None);
    let number = |value| text::scalar(&Scalar { name: name.to_owned().into(), unit, value });
    let labels: Vec<String> = key.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [
        key.kind.clone(),
        text::escape(&key.target).into_owned(),
        text::escape(&labels.join(" ")).into_owned(),
        summary.count.to_string(),
        number(summary.min),
        number(summary.p50),
        number(summary.p95),
        number(summary.max),
    ]
}

fn with_line(row: [String; 8], line: String) -> [String; 9] {
    let mut cells = row.into_iter().chain([line]);
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}
