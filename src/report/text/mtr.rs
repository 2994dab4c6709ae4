//! `mtr` for people: the table that mtr's users know, with what its numbers mean beside it.

mod foreign;
mod paths;

use std::io;
use std::time::Duration;

use super::{ABSENT, Style, Summary, counted, escape, millis, percent, span};
use crate::probe::mtr::{Address, Field, Format, Hop, InterfaceRole, Mtr, Report};
use crate::probe::{Clock, Measurement, Probe};

/// Columns that names may take in a report that is not wide.
const NARROW: usize = 32;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        let Probe::Mtr(asked) = &of.probe else {
            return Ok(());
        };
        match &self.multipath {
            Some(found) => paths::draw(out, found, asked, style)?,
            None => table(out, self, asked, style)?,
        }
        writeln!(out)?;
        let label = |name: &str| style.dim(&format!("{name:<10}"));
        writeln!(out, "{} {}", label("path"), path(self, of))?;
        writeln!(out, "{} {}", label("clock"), clock(self))?;
        if self.flows.len() > 1 {
            for (n, flow) in self.flows.iter().enumerate() {
                writeln!(out, "{} {}", label(&format!("flow {}", n + 1)), flow_line(flow))?;
            }
        }
        for note in notes(self) {
            writeln!(out, "{} {note}", label("note"))?;
        }
        Ok(())
    }

    fn write_foreign(&self, out: &mut impl io::Write, of: &Measurement) -> io::Result<bool> {
        let Probe::Mtr(asked) = &of.probe else {
            return Ok(false);
        };
        match asked.shape.format() {
            Format::Text => return Ok(false),
            Format::MtrJson => foreign::json(out, self, of, asked)?,
            Format::MtrCsv => foreign::csv(out, self, of)?,
            Format::MtrRaw => foreign::raw(out, self)?,
        }
        Ok(true)
    }
}

fn table(out: &mut impl io::Write, report: &Report, asked: &Mtr, style: Style) -> io::Result<()> {
    let fields: Vec<Field> = match &asked.shape.order {
        None => Field::USUAL.to_vec(),
        Some(letters) => letters.chars().filter_map(Field::of).collect(),
    };
    let names: Vec<Vec<String>> = report.hops.iter().map(|hop| names(hop, asked)).collect();
    let longest = names.iter().flatten().map(|name| name.chars().count()).max().unwrap_or(0);
    let width = if asked.shape.wide { longest.max(NARROW) } else { NARROW };
    let heads: String = fields.iter().map(|field| format!("{:>9}", head(*field))).collect();
    writeln!(out, "{}", style.dim(&format!("{:<6}{:<width$}{heads}", "hop", "")))?;
    for (hop, names) in report.hops.iter().zip(&names) {
        let cells: String = fields.iter().map(|field| cell(hop, *field, style)).collect();
        let mut lines = names.iter().map(|name| fitting(name, width));
        let first = lines.next().unwrap_or_default();
        let remarks = remarks(hop);
        let remarks = if remarks.is_empty() { remarks } else { format!("  {remarks}") };
        writeln!(out, "{:>3}.  {first:<width$}{cells}{remarks}", hop.ttl)?;
        for line in lines {
            writeln!(out, "{:<6}{line}", "")?;
        }
        for told in told(hop) {
            writeln!(out, "{:<6}{}", "", style.dim(&told))?;
        }
    }
    Ok(())
}

/// Who answers at a hop: a line for each address, the most frequent first.
fn names(hop: &Hop, asked: &Mtr) -> Vec<String> {
    if hop.addresses.is_empty() {
        return vec!["???".to_owned()];
    }
    let several = hop.addresses.len() > 1;
    let line = |address: &Address| {
        let share = if several { format!(" {}", percent(address.share_ratio)) } else { String::new() };
        format!("{}{}{share}", place(address, asked), name(address, asked))
    };
    hop.addresses.iter().map(line).collect()
}

fn name(address: &Address, asked: &Mtr) -> String {
    match &address.name {
        Some(name) if asked.shape.show_ips => format!("{} ({})", escape(name), address.ip),
        Some(name) => escape(name).into_owned(),
        None => address.ip.to_string(),
    }
}

/// The AS number or the country before a name, where that is asked for.
fn place(address: &Address, asked: &Mtr) -> String {
    let system = || address.asn.map_or_else(|| "AS???".to_owned(), |asn| format!("AS{asn}"));
    let shown = match (asked.shape.as_numbers, asked.shape.ip_info) {
        (_, Some(2)) => address.country.as_deref().map_or("??".into(), escape).into_owned(),
        (true, _) | (_, Some(_)) => system(),
        _ => return String::new(),
    };
    format!("{shown:<10}")
}

/// As much of `name` as `width` holds.
fn fitting(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    name.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

const fn head(field: Field) -> &'static str {
    match field {
        Field::Loss => "loss",
        Field::Dropped => "drop",
        Field::Received => "rcv",
        Field::Sent => "sent",
        Field::Last => "last",
        Field::Best => "best",
        Field::Average => "avg",
        Field::Worst => "worst",
        Field::Deviation => "stddev",
        Field::Geometric => "gmean",
        Field::Jitter => "jttr",
        Field::JitterMean => "javg",
        Field::JitterWorst => "jmax",
        Field::Interarrival => "jint",
        Field::Space => "",
    }
}

fn cell(hop: &Hop, field: Field, style: Style) -> String {
    let time = |value: Option<Duration>| value.map_or(ABSENT.to_owned(), millis);
    let counts = &hop.counts;
    let text = match field {
        Field::Loss => hop.loss_ratio.map_or(ABSENT.to_owned(), percent),
        Field::Dropped => counts.sent.saturating_sub(counts.received).to_string(),
        Field::Received => counts.received.to_string(),
        Field::Sent => counts.sent.to_string(),
        Field::Space => String::new(),
        field => time(time_of(hop, field)),
    };
    let text = format!("{text:>9}");
    let bad = field == Field::Loss && hop.loss_ratio > Some(0.0);
    style.red_if(bad, &text)
}

/// The time that a column shows.
pub(crate) fn time_of(hop: &Hop, field: Field) -> Option<Duration> {
    let rtt = hop.rtt.as_ref();
    match field {
        Field::Last => hop.last,
        Field::Best => rtt.map(|rtt| rtt.min),
        Field::Average => rtt.map(|rtt| rtt.mean),
        Field::Worst => rtt.map(|rtt| rtt.max),
        Field::Deviation => rtt.map(|rtt| rtt.stddev),
        Field::Geometric => geometric(hop),
        Field::Jitter => differences(hop).last().copied(),
        Field::JitterMean => {
            let all = differences(hop);
            (!all.is_empty()).then(|| all.iter().sum::<Duration>() / all.len() as u32)
        }
        Field::JitterWorst => differences(hop).into_iter().max(),
        Field::Interarrival => rtt.and_then(|rtt| rtt.jitter),
        Field::Loss | Field::Dropped | Field::Received | Field::Sent | Field::Space => None,
    }
}

/// The answered samples, where the report lists them.
fn samples(hop: &Hop) -> impl Iterator<Item = f64> + '_ {
    hop.samples_ms.iter().flatten().flatten().copied().filter(|ms| ms.is_finite() && *ms >= 0.0)
}

fn geometric(hop: &Hop) -> Option<Duration> {
    let (count, logs) = samples(hop).fold((0u32, 0.0), |(n, sum), ms| (n + 1, sum + ms.max(1e-6).ln()));
    (count > 0).then(|| Duration::try_from_secs_f64((logs / f64::from(count)).exp() / 1e3).ok())?
}

/// How far successive round trips are apart.
fn differences(hop: &Hop) -> Vec<Duration> {
    let all: Vec<f64> = samples(hop).collect();
    let apart =
        |pair: &[f64]| Duration::try_from_secs_f64((pair[1] - pair[0]).abs() / 1e3).unwrap_or_default();
    all.windows(2).map(apart).collect()
}

/// What stands behind the numbers of a hop.
fn remarks(hop: &Hop) -> String {
    let mut remarks = Vec::new();
    if let Some(mark) = hop.mark {
        remarks.push(mark.text().to_owned());
    }
    if hop.rate_limited {
        let answered = hop.answered_ratio.map_or(ABSENT.to_owned(), percent);
        remarks.push(format!("rate-limited, answers {answered}"));
    } else if hop.loss_ratio.is_none() && hop.counts.sent > hop.counts.received {
        let answered = hop.answered_ratio.map_or(ABSENT.to_owned(), percent);
        remarks.push(match hop.counts.received {
            0 => "silent".to_owned(),
            _ => format!("loss not confirmed, answers {answered}"),
        });
    }
    if hop.per_packet {
        remarks.push("balanced per packet".to_owned());
    }
    if hop.counts.duplicates > 0 {
        remarks.push(format!("{} duplicates", hop.counts.duplicates));
    }
    remarks.join(", ")
}

/// What a hop tells of itself, a line for each.
fn told(hop: &Hop) -> Vec<String> {
    let labels = hop.mpls.iter().map(|entry| {
        let (label, class, last, ttl) = (entry.label, entry.class, u8::from(entry.is_last), entry.ttl);
        format!("[MPLS: Lbl {label} TC {class} S {last} TTL {ttl}]")
    });
    let interfaces = hop.interfaces.iter().map(|told| {
        let role = match told.role {
            InterfaceRole::Incoming => "incoming",
            InterfaceRole::Component => "component",
            InterfaceRole::Outgoing => "outgoing",
            InterfaceRole::NextHop => "next hop",
        };
        let name = told.name.as_deref().map(|name| format!(" {}", escape(name))).unwrap_or_default();
        let address = told.address.map(|address| format!(" {address}")).unwrap_or_default();
        let mtu = told.mtu_bytes.map(|mtu| format!(" mtu {mtu}")).unwrap_or_default();
        format!("[{role} interface{name}{address}{mtu}]")
    });
    labels.chain(interfaces).collect()
}

/// `reached in 11 hops (10 back), 0 changes, fingerprint 5f…, 10 cycles in 9.01 s`
fn path(report: &Report, of: &Measurement) -> String {
    let end = match report.end() {
        Some(end) => {
            let back = end.return_hops.map(|hops| format!(" (about {hops} back)")).unwrap_or_default();
            format!("reached in {}{back}", counted(end.ttl.into(), "hop"))
        }
        None => "not reached".to_owned(),
    };
    let changes = match report.path_changes {
        0 => "no change".to_owned(),
        changes => counted(changes, "change"),
    };
    let cycles = counted(report.cycles, "cycle");
    format!("{end}, {changes}, fingerprint {}, {cycles} in {}", escape(&report.fingerprint), span(of.elapsed))
}

fn clock(report: &Report) -> &'static str {
    match report.clock {
        Clock::Kernel => "kernel timestamps",
        Clock::User => "process timestamps",
    }
}

fn flow_line(flow: &crate::probe::mtr::Flow) -> String {
    let port = |port: Option<u16>| port.map_or(ABSENT.to_owned(), |port| port.to_string());
    let hop = |hop: &Option<std::net::IpAddr>| hop.map_or("*".to_owned(), |ip| ip.to_string());
    let path: Vec<String> = flow.path.iter().map(hop).collect();
    let (protocol, from, to) = (escape(&flow.protocol), port(flow.source_port), port(flow.destination_port));
    format!("{protocol} {from} → {to}: {}", path.join(" "))
}

fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(check) = report.check
        && report.end().is_some_and(|end| end.counts.received < end.counts.sent)
    {
        let (received, sent) = (check.received, check.sent);
        notes.push(format!("the target answered {received} of {sent} echo requests beside the probes"));
    }
    if report.ignored > 0 {
        notes.push(format!("{} ignored: not for a probe of ours", counted(report.ignored, "packet")));
    }
    if report.skipped > 0 {
        notes.push(format!("this host was too late for {}", counted(report.skipped, "cycle")));
    }
    notes
}
