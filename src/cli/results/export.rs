//! `results export`: every record, streamed to another program.

use clap::{Args, ValueEnum};

use super::out::{self, Out, Stop};
use super::which::{Part, Which, pages, tell, tell_cursor};
use crate::cli::Env;
use crate::failure::Failure;
use crate::report::csv;
use crate::report::text::counted;
use crate::store::{Order, Page, Record};

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    part: Part,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Each record whole, one a line
    #[default]
    Json,
    /// Each measurement's headline numbers in base units, one a row; a gap is a row of the kind `gap`
    Csv,
}

pub(super) fn run(args: &Export, env: &Env) -> Result<u8, Failure> {
    let store = env.store()?;
    let mut left_out = 0;
    out::with_stdout(|out| {
        if args.format == Format::Csv {
            csv::wide_header(out)?;
        }
        let next = pages(&store, &args.which.filter(), &args.part, Order::Oldest, |page| {
            left_out += page.unreadable;
            left_out += write(out, args.format, &page)?;
            Ok(())
        })?;
        std::io::Write::flush(out)?;
        tell_cursor(next);
        if left_out > 0 {
            tell(&format!("{} left out: no measurements, or unreadable", counted(left_out, "record")));
        }
        Ok(0)
    })
}

/// Writes a page; how many records of it have no place in the format.
fn write(out: &mut Out, format: Format, page: &Page) -> Result<u64, Stop> {
    let mut left_out = 0;
    for record in &page.records {
        match (format, record) {
            (Format::Json, record) => out::json(out, record)?,
            (Format::Csv, Record::Measurement(record)) => csv::wide_rows(out, record)?,
            (Format::Csv, Record::Gap(gap)) => csv::wide_gap(out, gap.id, (gap.at, gap.to), gap.lost)?,
            // What autoperf's run measured has its own rows.
            (Format::Csv, Record::Run(_)) => left_out += 1,
        }
    }
    Ok(left_out)
}
