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
use crate::geo::{Databases, Place};
use crate::net::Resolver;
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
    #[arg(long)]
    json: bool,
}

/// What is printed of an address.
#[derive(Serialize)]
struct Found<'a> {
    address: IpAddr,
    #[serde(flatten)]
    place: Place,
    /// The databases that were asked.
    sources: &'a [Source],
}

#[derive(Serialize)]
struct Source {
    #[serde(rename = "type")]
    kind: String,
    built: Option<Timestamp>,
}

pub(super) async fn run(args: Lookup, env: &Env) -> Result<u8, Failure> {
    let (files, atlas) = (args.geo.clone(), env.atlas());
    let databases = apart(move || match files.as_slice() {
        [] => Ok(atlas.current()),
        files => Databases::open(files).map(Arc::new),
    })
    .await?;
    let sources: Vec<Source> =
        databases.about().map(|about| Source { kind: about.kind.clone(), built: about.built }).collect();
    if sources.is_empty() {
        complaint::tell("geoip", "there is no database, so nothing is known: see waddleperf-geoip(1)");
    }
    let mut asking = Asking { databases, sources, resolver: Resolver::default(), json: args.json, code: 0 };
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

/// Answers one question after another.
struct Asking {
    databases: Arc<Databases>,
    sources: Vec<Source>,
    resolver: Resolver,
    json: bool,
    code: u8,
}

impl Asking {
    /// Prints what is known of `word`, an address or a name; what is neither is told, and the next can follow.
    async fn answer(&mut self, word: &str) -> Result<(), Failure> {
        match addresses(word, &self.resolver).await {
            Ok(addresses) => self.show(&addresses),
            Err(failure) => {
                complaint::tell("geoip", &failure.detail);
                self.code = failure.class.exit_code();
                Ok(())
            }
        }
    }

    fn show(&self, addresses: &[IpAddr]) -> Result<(), Failure> {
        out::with_stdout(|out| {
            for address in addresses {
                let place = self.databases.place(*address);
                match self.json {
                    true => out::json(out, &Found { address: *address, place, sources: &self.sources })?,
                    false => writeln!(out, "{address}  {}", words(&place)).map_err(Stop::from)?,
                }
            }
            Ok(0)
        })
        .map(|_| ())
    }
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
    }
}
