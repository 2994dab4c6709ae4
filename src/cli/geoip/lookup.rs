//! `geoip ADDRESS…`: where addresses belong.

use std::io::{self, BufRead, Read, Write};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::Env;
use crate::cli::complaint;
use crate::cli::results::out::{self, Stop};
use crate::failure::{Class, Failure};
use crate::geo::{Atlas, Databases, Place};
use crate::net::Resolver;
use crate::report::csv;
use crate::report::text::escape;
use crate::store::apart;

/// Octets of a line that may name an address.
const MOST_LINE: u64 = 1024;

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Lookup {
    /// Addresses, or names, whose addresses are all looked up; `-` reads them from stdin, one a line
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,
    /// Ask this database instead; may be given several times
    #[arg(long, value_name = "FILE")]
    geo: Vec<PathBuf>,
    /// Print one line of JSON for each address
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV: a header, then a row for each address; what is not known is empty
    #[arg(long)]
    csv: bool,
}

/// The columns of `--csv`, by JSON's names.
const COLUMNS: [&str; 7] = ["address", "asn", "as_name", "country", "region", "city", "prefix"];

/// What is printed of an address.
#[derive(Serialize)]
struct Found {
    address: IpAddr,
    #[serde(flatten)]
    place: Place,
    /// The databases that were asked.
    sources: Vec<Source>,
}

#[derive(Serialize)]
struct Source {
    #[serde(rename = "type")]
    kind: String,
    built: Option<Timestamp>,
}

/// Who is asked.
#[derive(Clone)]
enum Books {
    /// Those that were named.
    Named(Arc<Databases>),
    /// Those of this installation, which follow their files.
    Own(Atlas),
}

impl Books {
    /// As they are now. Reads files: not for an async thread.
    fn current(&self) -> Arc<Databases> {
        match self {
            Self::Named(databases) => Arc::clone(databases),
            Self::Own(atlas) => atlas.current(),
        }
    }
}

pub(super) async fn run(args: Lookup, env: &Env) -> Result<u8, Failure> {
    let (files, atlas) = (args.geo, env.atlas());
    let (books, is_empty) = apart(move || {
        let books = match files.as_slice() {
            [] => Books::Own(atlas),
            files => Books::Named(Arc::new(Databases::open(files)?)),
        };
        let is_empty = books.current().about().next().is_none();
        Ok((books, is_empty))
    })
    .await?;
    if is_empty {
        complaint::tell("geoip", "there is no database, so nothing is known: see waddleperf-geoip(1)");
    }
    let format = match (args.json, args.csv) {
        (true, _) => Format::Json,
        (_, true) => Format::Csv,
        _ => Format::Text,
    };
    if format == Format::Csv {
        let header = COLUMNS.iter().map(|&name| name.to_owned());
        out::with_stdout(|out| Ok(csv::line(out, header).map(|()| 0)?))?;
    }
    let mut asking = Asking { books, resolver: Resolver::default(), format, code: 0 };
    for word in args.addresses {
        if word != "-" {
            asking.answer(&word).await?;
            continue;
        }
        loop {
            let line = tokio::select! {
                line = apart(next_line) => line?,
                () = env.cancel.cancelled() => None,
            };
            match line {
                Some(line) if line.is_empty() || line.starts_with('#') => {}
                Some(line) => asking.answer(&line).await?,
                None => break,
            }
        }
    }
    Ok(env.interrupted().unwrap_or(asking.code))
}

/// The next line of stdin; `None` at its end.
fn next_line() -> Result<Option<String>, Failure> {
    let mut line = Vec::new();
    let read = io::stdin().lock().take(MOST_LINE).read_until(b'\n', &mut line);
    match read.map_err(|error| Failure::from_io("read stdin", &error))? {
        0 => Ok(None),
        _ => Ok(Some(String::from_utf8_lossy(&line).trim().to_owned())),
    }
}

/// How an answer is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Csv,
}

/// Answers one question after another.
struct Asking {
    books: Books,
    resolver: Resolver,
    format: Format,
    code: u8,
}

impl Asking {
    /// Prints what is known of `word`, an address or a name; what is neither is told, and the next can follow.
    async fn answer(&mut self, word: &str) -> Result<(), Failure> {
        match addresses(word, &self.resolver).await {
            Ok(addresses) => {
                // Who asks through a pipe may go on for days: each question is for the databases of its time.
                let books = self.books.clone();
                let databases = apart(move || Ok(books.current())).await?;
                self.show(&addresses, &databases)
            }
            Err(failure) => {
                complaint::tell("geoip", &failure.detail);
                self.code = failure.class.exit_code();
                Ok(())
            }
        }
    }

    fn show(&self, addresses: &[IpAddr], databases: &Databases) -> Result<(), Failure> {
        out::with_stdout(|out| {
            for &address in addresses {
                let place = databases.place(address);
                match self.format {
                    Format::Json => out::json(out, &Found { address, place, sources: sources(databases) })?,
                    Format::Csv => csv::line(out, cells(address, place).into_iter())?,
                    Format::Text => writeln!(out, "{address}  {}", words(&place)).map_err(Stop::from)?,
                }
            }
            Ok(0)
        })
        .map(|_| ())
    }
}

fn sources(databases: &Databases) -> Vec<Source> {
    databases.about().map(|about| Source { kind: about.kind.clone(), built: about.built }).collect()
}

/// The cells under [`COLUMNS`].
fn cells(address: IpAddr, place: Place) -> [String; COLUMNS.len()] {
    let Place { asn, as_name, country, region, city, prefix } = place;
    let text = |text: Option<String>| text.map_or_else(String::new, |text| csv::cell(&escape(&text)));
    let number = asn.map_or_else(String::new, |asn| asn.to_string());
    [address.to_string(), number, text(as_name), text(country), text(region), text(city), text(prefix)]
}

async fn addresses(word: &str, resolver: &Resolver) -> Result<Vec<IpAddr>, Failure> {
    if let Ok(address) = word.trim_matches(['[', ']']).parse() {
        return Ok(vec![address]);
    }
    if word.contains('/') {
        return Err(Class::Usage.because(format_args!("{word}: name an address or a host, not a network")));
    }
    resolver.all(word).await
}

/// What is known of a place, on one line; `–` when nothing is.
pub(in crate::cli) fn words(place: &Place) -> String {
    let system = place.asn.map(|asn| match &place.as_name {
        Some(name) => format!("AS{asn} {}", escape(name)),
        None => format!("AS{asn}"),
    });
    let parts = [&place.city, &place.region, &place.country];
    let mut parts: Vec<String> = parts.into_iter().flatten().map(|part| escape(part).into_owned()).collect();
    // Of a city that is a region too.
    parts.dedup();
    let where_it_is = Some(parts.join(", ")).filter(|text| !text.is_empty());
    let prefix = place.prefix.as_deref().map(|prefix| escape(prefix).into_owned());
    let known: Vec<String> = [system, prefix, where_it_is].into_iter().flatten().collect();
    if known.is_empty() { "–".to_owned() } else { known.join("  ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_line_without_control_octets() {
        let text = |text: &str| Some(text.to_owned());
        let place = Place {
            asn: Some(64_500),
            as_name: text("Exa\x1b[31mmple"),
            country: text("DE"),
            region: text("Berlin"),
            city: text("Berlin"),
            prefix: text("192.0.2.0/24"),
        };
        assert_eq!(words(&place), "AS64500 Exa\\u{1b}[31mmple  192.0.2.0/24  Berlin, DE");
        assert_eq!(words(&Place::default()), "–");
        let address = IpAddr::from([192, 0, 2, 7]);
        assert_eq!(
            cells(address, place).join(","),
            "192.0.2.7,64500,Exa\\u{1b}[31mmple,DE,Berlin,Berlin,192.0.2.0/24"
        );
        assert_eq!(cells(address, Place::default()).join(","), "192.0.2.7,,,,,,");
        let sheet = Place { as_name: text("=1+1, Inc."), ..Place::default() };
        assert_eq!(cells(address, sheet)[2], "\"'=1+1, Inc.\"");
    }
}
