//! `results show`: one record, whole.

use std::io::{IsTerminal, Write};

use clap::Args;

use super::out::{self, Out, Stop};
use super::which::stray;
use crate::cli::Env;
use crate::cli::geoip;
use crate::failure::Failure;
use crate::geo::{Atlas, Place};
use crate::probe::Probe;
use crate::report::text::local;
use crate::report::text::{self, Style};
use crate::store::{Answer, Query, Record};

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The record's id, or a beginning of it that no other has
    #[arg(value_name = "ID")]
    id: String,
    /// Print the record as one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Show, env: &Env) -> Result<u8, Failure> {
    let Answer::Show(record) = env.store()?.ask(&Query::Show { id: args.id.clone() })? else {
        return Err(stray());
    };
    out::with_stdout(|out| {
        if args.json {
            out::json(out, &record)?
        } else {
            as_text(out, &record, &env.atlas())?
        }
        Ok(0)
    })
}

fn as_text(out: &mut Out, record: &Record, atlas: &Atlas) -> Result<(), Stop> {
    writeln!(out, "id         {}", record.id())?;
    writeln!(out, "time       {}", local(record.at()))?;
    let labels: Vec<String> = record.labels().iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !labels.is_empty() {
        writeln!(out, "labels     {}", text::escape(&labels.join(" ")))?;
    }
    if let Record::Measurement(record) = record
        && let Probe::Imported(import) = &record.probe
    {
        writeln!(out, "tool       {} ({})", text::escape(&import.tool), text::escape(&import.mode))?;
    }
    if let Record::Measurement(record) = record
        && let Some(address) = record.address
        && let place = atlas.current().place(address)
        && place != Place::default()
    {
        writeln!(out, "place      {address} {}", geoip::words(&place))?;
    }
    match record {
        Record::Measurement(record) => text::summary(out, record, style())?,
        other => fields(out, &serde_json::to_value(other)?)?,
    }
    Ok(())
}

/// The fields of a record that has no renderer of its own, one a line.
fn fields(out: &mut Out, record: &serde_json::Value) -> Result<(), Stop> {
    let shown = record.as_object().into_iter().flatten();
    for (name, value) in
        shown.filter(|(name, value)| !matches!(name.as_str(), "v" | "id" | "at") && !value.is_null())
    {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        writeln!(out, "{name:10} {}", text::escape(&value))?;
    }
    Ok(())
}

fn style() -> Style {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Style { colour: std::io::stdout().is_terminal() && !unwanted }
}
