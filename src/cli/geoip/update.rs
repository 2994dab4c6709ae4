//! `geoip update`: newer databases, from where `[geo]` says.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use url::Url;

use super::list;
use crate::cli::Env;
use crate::cli::complaint;
use crate::cli::results::out;
use crate::failure::{Class, Failure};
use crate::geo::{About, Checksum, Newer, Source, newer};
use crate::net::fetch::{Fetch, Fetched};
use crate::net::{Resolver, Trust};
use crate::store::{Data, apart};
use crate::sys::clock;
use crate::sys::secret::Revealed;
use crate::units::Timestamp;

/// Octets that are fetched at most: a database, compressed or not.
const MOST: u64 = 256 << 20;
/// Octets of a file that holds a checksum.
const MOST_SUM: u64 = 4096;
/// How long one of them may take.
const DEADLINE: Duration = Duration::from_secs(600);

/// See the module.
#[derive(Debug, Args)]
pub(super) struct Update {
    /// Fetch only these of what the configuration names; with --url the name of the new database
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Fetch this URL or file instead of what the configuration names
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Its SHA-256, or the URL of a file that begins with it (its path, where --url is one)
    #[arg(long, value_name = "SUM", requires = "url")]
    sha256: Option<String>,
    /// Take it also if it is unchanged or older than what is there
    #[arg(long)]
    force: bool,
    /// Print one line of JSON for each
    #[arg(long)]
    json: bool,
}

/// What became of one.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    #[serde(flatten)]
    end: End,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum End {
    /// It took its place.
    Updated { database: About, replaces: Option<Timestamp> },
    /// The server has nothing newer.
    Unchanged { database: PathBuf },
    /// It stays as it was.
    Failed(Failure),
}

pub(super) async fn run(args: Update, env: &Env) -> Result<u8, Failure> {
    let sources = args.sources(env)?;
    let data = env.data.clone();
    apart(move || data.make_geo()).await?;
    let mut code = 0;
    for source in &sources {
        let end = tokio::select! {
            end = update(source, &env.data, args.force) => end,
            () = env.cancel.cancelled() => Err(Class::Cancelled.because("interrupted")),
        };
        let end = end.unwrap_or_else(End::Failed);
        if let End::Failed(failure) = &end {
            code = env.interrupted().unwrap_or(failure.class.exit_code());
            complaint::tell("geoip", &format!("{}: {failure}", source.name));
        }
        tell(&Told { name: &source.name, end }, args.json)?;
        if env.cancel.is_cancelled() {
            break;
        }
    }
    Ok(code)
}

impl Update {
    /// What is to be fetched.
    fn sources(&self, env: &Env) -> Result<Vec<Source>, Failure> {
        let usage = |why: String| Class::Usage.because(why);
        if let Some(url) = &self.url {
            let [name] = self.names.as_slice() else {
                return Err(usage("--url: name the database that it becomes, and one only".to_owned()));
            };
            let (url, sha256) = (url.clone(), self.sha256.clone());
            let source = Source { name: name.clone(), url, sha256, user: None, password: None };
            source.check().map_err(|fault| usage(fault.to_string()))?;
            return Ok(vec![source]);
        }
        let known = &env.config.geo.update;
        if known.is_empty() {
            return Err(usage(
                "nothing to fetch: name a source in [[geo.update]] (waddleperf.toml(5)) or with --url"
                    .to_owned(),
            ));
        }
        let unknown = self.names.iter().find(|name| known.iter().all(|source| source.name != **name));
        if let Some(name) = unknown {
            let names: Vec<&str> = known.iter().map(|source| source.name.as_str()).collect();
            return Err(usage(format!("{name} is not in [[geo.update]]: there are {}", names.join(", "))));
        }
        let wanted = |source: &&Source| self.names.is_empty() || self.names.contains(&source.name);
        Ok(known.iter().filter(wanted).cloned().collect())
    }
}

async fn update(source: &Source, data: &Data, force: bool) -> Result<End, Failure> {
    let to = data.geo().join(format!("{}.mmdb", source.name));
    let Some(url) = url_of(&source.url)? else {
        let (data, source) = (data.clone(), source.clone());
        return apart(move || take(&data, Path::new(&source.url), local_sum(&source)?, force, &to)).await;
    };
    let tag = to.with_extension("etag");
    let secret = source.password.clone();
    let held = (!force && to.exists()).then(|| fs::read_to_string(&tag).ok()).flatten();
    let password = apart(move || secret.map(|secret| secret.read()).transpose()).await?;
    let from = Origin { source, password, deadline: clock::now().mono + DEADLINE, trust: trust(&url).await? };
    let part = Part(data.geo().join(format!(".{}.part.{}", source.name, std::process::id())));
    let mut file = File::create(&part.0)
        .map_err(|error| Failure::from_io(format_args!("write {}", part.0.display()), &error))?;
    // One database at a time and nothing else: that this thread waits for the disk delays nobody.
    let keep = |octets: &[u8]| {
        file.write_all(octets)
            .map_err(|error| Failure::from_io(format_args!("write {}", part.0.display()), &error))
    };
    let etag = match from.fetch(url, held.as_deref(), MOST, keep).await? {
        Fetched::Unchanged => return Ok(End::Unchanged { database: to }),
        Fetched::Whole { etag } => etag,
    };
    let sum = from.sum().await?;
    let data = data.clone();
    apart(move || {
        let end = take(&data, &part.0, sum, force, &to)?;
        match etag {
            Some(etag) => data.put(&tag, etag.as_bytes())?,
            None => match fs::remove_file(&tag) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Failure::from_io(format_args!("remove {}", tag.display()), &error));
                }
                _ => {}
            },
        }
        Ok(end)
    })
    .await
}

/// Checks what was fetched and puts it into its place.
fn take(data: &Data, fetched: &Path, sum: Option<Checksum>, force: bool, to: &Path) -> Result<End, Failure> {
    let Newer { about, octets, replaces } = newer(fetched, sum, force, to)?;
    data.put(to, &octets)?;
    Ok(End::Updated { database: about, replaces })
}

/// `text` as a URL; `None` where it is a file.
fn url_of(text: &str) -> Result<Option<Url>, Failure> {
    if !text.contains("://") {
        return Ok(None);
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url =
        url.ok_or_else(|| Class::Usage.because(format_args!("{text}: that is no http or https URL")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Class::Usage.because(
            "a URL with a password would be seen by others: use user and password in [[geo.update]]",
        ));
    }
    Ok(Some(url))
}

/// The checksum that is named itself.
fn literal_sum(source: &Source) -> Result<Option<Checksum>, Failure> {
    let Some(text) = &source.sha256 else { return Ok(None) };
    let sum = Checksum::parse(text);
    sum.map(Some).ok_or_else(|| Class::Usage.because(format_args!("sha256 {text}: that is no SHA-256")))
}

/// The checksum of a file on this host: named itself, or at the beginning of another file.
fn local_sum(source: &Source) -> Result<Option<Checksum>, Failure> {
    let Some(text) = source.sha256.as_deref().filter(|text| Path::new(text).is_file()) else {
        return literal_sum(source);
    };
    let read = File::open(text).and_then(|file| {
        let mut octets = Vec::new();
        file.take(MOST_SUM).read_to_end(&mut octets)?;
        Ok(octets)
    });
    let octets = read.map_err(|error| Failure::from_io(format_args!("read {text}"), &error))?;
    sum_in(text, &octets).map(Some)
}

/// The checksum at the beginning of `octets`, which are those of `place`.
fn sum_in(place: &str, octets: &[u8]) -> Result<Checksum, Failure> {
    let sum = Checksum::parse(&String::from_utf8_lossy(octets));
    sum.ok_or_else(|| Class::Protocol.because(format_args!("{place} does not begin with a SHA-256")))
}

/// Whom to believe; nobody where it is not asked for.
async fn trust(url: &Url) -> Result<Option<Trust>, Failure> {
    match url.scheme() {
        "https" => apart(Trust::system).await.map(Some),
        _ => Ok(None),
    }
}

/// A server, and how it is spoken to.
struct Origin<'a> {
    source: &'a Source,
    password: Option<Revealed>,
    trust: Option<Trust>,
    deadline: Instant,
}

impl Origin<'_> {
    async fn fetch(
        &self,
        url: Url,
        held: Option<&str>,
        most: u64,
        take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Fetched, Failure> {
        let account = self.source.user.as_deref().zip(self.password.as_ref().map(Revealed::as_str));
        let fetch = Fetch { url, account, held, most, deadline: self.deadline };
        fetch.run(&Resolver::default(), self.trust.as_ref(), take).await
    }

    /// The checksum that the source names, or that lies where it says.
    async fn sum(&self) -> Result<Option<Checksum>, Failure> {
        let Some(text) = self.source.sha256.as_deref().filter(|text| text.contains("://")) else {
            return literal_sum(self.source);
        };
        let Some(url) = url_of(text)? else { return Ok(None) };
        let mut octets = Vec::new();
        let keep = |part: &[u8]| {
            octets.extend(part);
            Ok(())
        };
        self.fetch(url, None, MOST_SUM, keep).await?;
        sum_in(text, &octets).map(Some)
    }
}

/// A file that is gone when this is.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn tell(told: &Told<'_>, json: bool) -> Result<(), Failure> {
    let done = out::with_stdout(|out| {
        match &told.end {
            _ if json => out::json(out, told)?,
            End::Updated { database, replaces } => {
                let day = |old: &Timestamp| format!(", replaces that of {}", old.strftime("%F"));
                let old = replaces.as_ref().map(day).unwrap_or_default();
                writeln!(out, "{}: {}{old}", told.name, list::line(database))?;
            }
            End::Unchanged { .. } => writeln!(out, "{}: nothing newer", told.name)?,
            End::Failed(_) => {}
        }
        Ok(0)
    });
    done.map(|_| ())
}
