//! `results import`: keeps what other tools measured.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::out;
use crate::cli::Env;
use crate::cli::label::Label;
use crate::failure::{Class, Failure};
use crate::probe::Measurement;
use crate::probe::imported::{self, Origin, Tool};
use crate::report::text::counted;
use crate::store::Record;
use crate::sys::clock;
use crate::units::Timestamp;

/// The most octets that are read.
const MOST_OCTETS: u64 = 64 << 20;
/// How many records are kept at once.
const AT_ONCE: usize = 1_000;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file, or - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which tool wrote it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// When it was measured, where the content does not say [default: when the file was written]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// A label for every record; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<Label>,
    /// Print one JSON object: the ids
    #[arg(long)]
    json: bool,
}

/// Whose output it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Whichever the content shows
    #[default]
    Auto,
    /// ping's text
    Ping,
    /// pping's text
    Pping,
    /// mtr --json
    Mtr,
    /// iperf3 -J
    Iperf3,
    /// irtt client -o
    Irtt,
    /// JSON of WaddlePerf before this program
    Upstream,
}

pub(super) fn run(args: Import, env: &Env) -> Result<u8, Failure> {
    let name = if args.is_stdin() { "stdin".to_owned() } else { args.file.display().to_string() };
    let named = |failure: Failure| failure.class.because(format_args!("import {name}: {}", failure.detail));
    let (octets, written) =
        args.read().map_err(|error| Failure::from_io(format_args!("import {name}"), &error))?;
    if octets.len() as u64 > MOST_OCTETS {
        return Err(named(Class::Usage.because("more than 64 MiB")));
    }
    let mut labels = env.config.agent.labels.clone();
    labels.extend(args.label.into_iter().map(|Label(name, value)| (name, value)));
    let at = args.at.or(written).unwrap_or_else(|| clock::now().timestamp());
    let origin = Origin { agent: (*env.agent).clone(), at, labels };
    let records = imported::parse(&octets, args.format.tool(), &origin).map_err(named)?;
    let ids: Vec<_> = records.iter().map(|record| record.id).collect();
    keep(records, env)?;
    out::with_stdout(|out| {
        if args.json {
            out::json(out, &json!({ "ids": ids }))?;
        } else {
            writeln!(out, "{} kept", counted(ids.len() as u64, "record"))?;
        }
        Ok(0)
    })
}

fn keep(records: Vec<Measurement>, env: &Env) -> Result<(), Failure> {
    let store = env.store()?;
    let records: Vec<Record> =
        records.into_iter().map(|record| Record::Measurement(Box::new(record))).collect();
    records.chunks(AT_ONCE).try_for_each(|some| store.keep(some))
}

impl Import {
    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// The content, and when it was written, where that is known.
    fn read(&self) -> io::Result<(Vec<u8>, Option<Timestamp>)> {
        let file = if self.is_stdin() {
            File::from(io::stdin().as_fd().try_clone_to_owned()?)
        } else {
            File::open(&self.file)?
        };
        let about = file.metadata()?;
        let written = about.modified().ok().filter(|_| about.is_file());
        let mut octets = Vec::new();
        file.take(MOST_OCTETS + 1).read_to_end(&mut octets)?;
        Ok((octets, written.and_then(|written| Timestamp::try_from(written).ok())))
    }
}

impl Format {
    const fn tool(self) -> Option<Tool> {
        match self {
            Self::Auto => None,
            Self::Ping => Some(Tool::Ping),
            Self::Pping => Some(Tool::Pping),
            Self::Mtr => Some(Tool::Mtr),
            Self::Iperf3 => Some(Tool::Iperf3),
            Self::Irtt => Some(Tool::Irtt),
            Self::Upstream => Some(Tool::Upstream),
        }
    }
}
