//! From another tool's output to records: which tool it is, and what is the same for all of them.
//!
//! Pure: no clock, no files. What has no time of its own gets the one that the caller names, and an id follows from
//! time and content alone, so that importing twice keeps once.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use uuid::Uuid;

use super::{Imported, Report, iperf3, irtt, mtr, ping, pping, upstream};
use crate::failure::{Class, Failure};
use crate::probe::{Agent, Measurement, Outcome, Probe, Rtt, Scalar, Target, unit_of};
use crate::units::{Timestamp, Unit, ms};

/// A tool whose output can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `ping` of iputils, `BusyBox` and BSD: its text.
    Ping,
    /// `pping`: its text.
    Pping,
    /// `mtr --json`.
    Mtr,
    /// `iperf3 -J`.
    Iperf3,
    /// `irtt client -o`.
    Irtt,
    /// JSON of `WaddlePerf` before this program.
    Upstream,
}

/// What the tool's output does not tell.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who imports.
    pub agent: Agent,
    /// When a run began whose output does not tell.
    pub at: Timestamp,
    /// Labels of every record.
    pub labels: BTreeMap<String, String>,
}

/// One run as a parser found it.
pub(super) struct Entry {
    pub(super) tool: &'static str,
    pub(super) mode: String,
    pub(super) target: String,
    pub(super) address: Option<IpAddr>,
    pub(super) at: Option<Timestamp>,
    pub(super) elapsed: Duration,
    pub(super) partial: bool,
    pub(super) outcome: Outcome,
}

/// Reads every run in `octets`, which `tool` wrote, or whichever tool the content shows.
///
/// # Errors
/// Class `usage` for content that no parser knows.
pub fn parse(octets: &[u8], tool: Option<Tool>, origin: &Origin) -> Result<Vec<Measurement>, Failure> {
    let text = String::from_utf8_lossy(octets);
    let text = text.trim_start_matches('\u{feff}');
    let entries = match tool {
        Some(Tool::Ping) => ping::read(text),
        Some(Tool::Pping) => pping::read(text),
        Some(tool) => documents(text, Some(tool))?,
        None if text.trim_start().starts_with(['{', '[']) => documents(text, None)?,
        None => Some(ping::read(text)).filter(|found| !found.is_empty()).unwrap_or_else(|| pping::read(text)),
    };
    if entries.is_empty() {
        if let Some(why) = ping::refusal(text).filter(|_| matches!(tool, None | Some(Tool::Ping))) {
            return Err(Class::Usage.because(format_args!("a run of ping without a result: {why}")));
        }
        let who = tool.map_or("a tool that is known (ping, pping, mtr, iperf3, irtt, upstream)", Tool::name);
        return Err(Class::Usage.because(format_args!("no result of {who} in it")));
    }
    let mut seen = HashMap::new();
    Ok(entries.into_iter().map(|entry| record(entry, origin, &mut seen)).collect())
}

impl Tool {
    /// Its word in messages and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Pping => "pping",
            Self::Mtr => "mtr",
            Self::Iperf3 => "iperf3",
            Self::Irtt => "irtt",
            Self::Upstream => "waddleperf-upstream",
        }
    }

    /// The tool that wrote `document`.
    fn of(document: &Value) -> Self {
        let has = |pointer| document.pointer(pointer).is_some();
        match () {
            () if has("/report/mtr") => Self::Mtr,
            () if has("/version/irtt") => Self::Irtt,
            () if has("/start") && has("/end") => Self::Iperf3,
            () => Self::Upstream,
        }
    }
}

/// The runs in JSON: one document or several, one behind the other or in an array.
fn documents(text: &str, tool: Option<Tool>) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let document = document.map_err(|error| Class::Usage.because(format_args!("not JSON: {error}")))?;
        let several = match document {
            Value::Array(several) => several,
            one => vec![one],
        };
        for one in &several {
            entries.extend(entry(one, tool.unwrap_or_else(|| Tool::of(one)))?);
        }
    }
    Ok(entries)
}

fn entry(document: &Value, tool: Tool) -> Result<Option<Entry>, Failure> {
    match tool {
        Tool::Mtr => Ok(mtr::read(document)),
        Tool::Iperf3 => iperf3::read(document),
        Tool::Irtt => Ok(irtt::read(document)),
        Tool::Upstream => Ok(upstream::read(document)),
        Tool::Ping | Tool::Pping => Ok(None),
    }
}

fn record(entry: Entry, origin: &Origin, seen: &mut HashMap<[u8; 32], u64>) -> Measurement {
    let at = entry.at.unwrap_or(origin.at);
    Measurement {
        v: Measurement::VERSION,
        id: id(at, &entry, seen),
        at,
        elapsed: entry.elapsed,
        clock_step_ms: None,
        agent: origin.agent.clone(),
        probe: Probe::Imported(Imported {
            tool: entry.tool.to_owned(),
            mode: entry.mode,
            target: Target::from(entry.target.as_str()),
        }),
        address: entry.address,
        labels: origin.labels.clone(),
        partial: entry.partial,
        outcome: entry.outcome,
    }
}

/// A UUID v7 (RFC 9562 §5.7) whose random bits are a hash of the content. Runs that are alike are numbered.
fn id(at: Timestamp, entry: &Entry, seen: &mut HashMap<[u8; 32], u64>) -> Uuid {
    let told = (entry.tool, &entry.mode, &entry.target, entry.address, entry.elapsed, &entry.outcome);
    let mut content = serde_json::to_vec(&told).unwrap_or_default();
    content.extend(at.to_string().bytes());
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, &content).as_ref());
    let number = seen.entry(key).and_modify(|count| *count += 1).or_insert(0);
    content.extend(number.to_be_bytes());
    let mut random = [0; 16];
    random.copy_from_slice(&digest(&SHA256, &content).as_ref()[..16]);
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random[..10].try_into().unwrap_or_default())
        .into_uuid()
}

/// The runs that `lines` tell of: `begin` knows the first line of one, `take` gets the others.
pub(super) fn runs<'a, R>(
    lines: impl Iterator<Item = &'a str>,
    begin: impl Fn(&'a str) -> Option<R>,
    take: impl Fn(&mut R, &'a str),
) -> Vec<R> {
    let mut runs: Vec<R> = Vec::new();
    for line in lines {
        if let Some(run) = begin(line) {
            runs.push(run);
        } else if let Some(run) = runs.last_mut() {
            take(run, line);
        }
    }
    runs
}

/// Headline numbers as a tool gives them; what it does not give is absent.
#[derive(Default)]
pub(super) struct Numbers(pub(super) Vec<Scalar>);

impl Numbers {
    /// The shared scalar `name`, in its base unit.
    pub(super) fn put(&mut self, name: &'static str, value: Option<f64>) {
        let value = value.filter(|value| value.is_finite() && *value >= 0.0);
        if value.is_some() && !self.0.iter().any(|known| known.name == name) {
            self.0.push(scalar(name, value));
        }
    }

    /// The same for a time in milliseconds.
    pub(super) fn put_ms(&mut self, name: &'static str, value: Option<f64>) {
        self.put(name, value.and_then(ms::to).map(|span| span.as_secs_f64()));
    }

    /// Says that there was no round trip to measure.
    pub(super) fn no_reply(&mut self) {
        for name in ["rtt_min", "rtt_mean", "rtt_max"] {
            if !self.0.iter().any(|known| known.name == name) {
                self.0.push(scalar(name, None));
            }
        }
    }

    /// What follows from the samples, where the tool does not say it itself.
    pub(super) fn put_samples(&mut self, samples_ms: &[Option<f64>]) {
        let answered = (0..).zip(samples_ms).filter_map(|(seq, sample)| Some((seq, ms::to((*sample)?)?)));
        let Some(rtt) = Rtt::of(&answered.collect::<Vec<_>>()) else {
            return;
        };
        let seconds = |span: Duration| Some(span.as_secs_f64());
        self.put("rtt_min", seconds(rtt.min));
        self.put("rtt_mean", seconds(rtt.mean));
        self.put("rtt_p50", seconds(rtt.p50));
        self.put("rtt_p95", seconds(rtt.p95));
        self.put("rtt_p99", seconds(rtt.p99));
        self.put("rtt_max", seconds(rtt.max));
        self.put("jitter", rtt.jitter.and_then(seconds));
    }

    /// Loss of `sent` packets of which `received` came back.
    pub(super) fn put_loss(&mut self, sent: Option<f64>, received: Option<f64>) {
        if let (Some(sent @ 1.0..), Some(received)) = (sent, received) {
            self.put("loss_ratio", Some(((sent - received) / sent).clamp(0.0, 1.0)));
        }
    }

    pub(super) fn report(self, samples_ms: Vec<Option<f64>>, details: BTreeMap<String, Value>) -> Outcome {
        let report = Report { scalars: self.0, samples_ms, details };
        Outcome::Report(report.into())
    }
}

fn scalar(name: &'static str, value: Option<f64>) -> Scalar {
    Scalar { name: Cow::Borrowed(name), unit: unit_of(name).unwrap_or(Unit::None), value }
}

/// The number at `pointer`, also where it is written as text.
pub(super) fn number(document: &Value, pointer: &str) -> Option<f64> {
    let value = document.pointer(pointer)?;
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|number| number.is_finite())
}

/// The text at `pointer`.
pub(super) fn text<'a>(document: &'a Value, pointer: &str) -> Option<&'a str> {
    document.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// The members of `document` called `names` that are there.
pub(super) fn details(document: &Value, names: &[&str]) -> BTreeMap<String, Value> {
    let known = |name: &&str| Some(((*name).to_owned(), document.get(*name)?.clone()));
    names.iter().filter_map(known).collect()
}

/// `text` as an address, with or without an interface.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.split('%').next()?.parse().ok()
}

/// The class of what a tool says went wrong.
pub(super) fn class(error: &str) -> Class {
    let says = |words: &str| error.to_ascii_lowercase().contains(words);
    match () {
        () if says("refused") => Class::Refused,
        () if says("timed out") || says("timeout") => Class::Timeout,
        () if says("unreachable") || says("no route") => Class::Unreachable,
        () if says("name or service") || says("resolution") || says("no such host") => Class::Resolve,
        () if says("authori") => Class::Auth,
        () => Class::Protocol,
    }
}

/// The body of the fuzz target for imports: no octets may panic, and what is read is a record of the same id each time.
pub fn fuzz_import(octets: &[u8]) {
    let agent = Agent { id: Uuid::nil(), host: String::new(), version: String::new() };
    let origin = Origin { agent, at: Timestamp::UNIX_EPOCH, labels: BTreeMap::new() };
    let tools = [Tool::Ping, Tool::Pping, Tool::Mtr, Tool::Iperf3, Tool::Irtt, Tool::Upstream];
    for tool in std::iter::once(None).chain(tools.map(Some)) {
        let (first, second) = (parse(octets, tool, &origin), parse(octets, tool, &origin));
        assert_eq!(first, second, "a second reading differs");
        for record in first.into_iter().flatten() {
            assert_eq!(record.id.get_version_num(), 7, "an id of another kind");
        }
    }
}
