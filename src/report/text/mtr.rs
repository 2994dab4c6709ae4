//! `mtr` for people: the table that mtr's users know, with what its numbers mean beside it.

pub(in crate::report) mod columns;
mod dot;
mod foreign;
mod paths;
pub(in crate::report) mod words;

use std::io;

use columns::head;
use words::fitting;

use super::packets::times;
use super::{ABSENT, Style, Summary, counted, escape, percent, span};
use crate::geo::Place;
use crate::probe::mtr::{Address, Field, Format, Hop, Mtr, Report, Verdict};
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
        for line in changes(self) {
            writeln!(out, "{} {line}", label("changed"))?;
        }
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
            Format::MtrCsv => foreign::csv(out, self, of, asked)?,
            Format::Dot => dot::graph(out, self, of, asked)?,
            Format::MtrRaw => foreign::raw(out, self, asked)?,
        }
        Ok(true)
    }
}

fn table(out: &mut impl io::Write, report: &Report, asked: &Mtr, style: Style) -> io::Result<()> {
    let fields = asked.shape.fields();
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
        let name = words::name(address.ip, address.name.as_deref(), asked.shape.show_ips);
        format!("{}{name}{share}", place(address, asked))
    };
    hop.addresses.iter().map(line).collect()
}

/// The AS number, prefix or country before a name, where that is asked for.
fn place(address: &Address, asked: &Mtr) -> String {
    let Some(info) = asked.shape.info() else {
        return String::new();
    };
    let (asn, country, prefix) = (address.asn, address.country.clone(), address.prefix.clone());
    let width = words::place_width(info);
    format!("{:<width$}", words::place(&Place { asn, country, prefix, ..Place::default() }, info))
}

fn cell(hop: &Hop, field: Field, style: Style) -> String {
    let counts = (hop.counts.sent, hop.counts.received);
    let text = columns::cell(field, counts, hop.loss_ratio, columns::time_of(hop, field));
    style.red_if(field == Field::Loss && hop.loss_ratio > Some(0.0), &format!("{text:>9}"))
}

/// What stands behind the numbers of a hop.
fn remarks(hop: &Hop) -> String {
    let verdict = Verdict { rate_limited: hop.rate_limited, loss_ratio: hop.loss_ratio };
    let mut remarks = words::remarks(hop.mark, (hop.counts.sent, hop.counts.received), verdict);
    if hop.nat == Some(true) {
        remarks.push("behind NAT".to_owned());
    }
    if hop.per_packet {
        remarks.push("balanced per packet".to_owned());
    }
    if hop.counts.duplicates > 0 {
        remarks.push(counted(hop.counts.duplicates, "duplicate"));
    }
    remarks.join(", ")
}

/// What a hop tells of itself, a line for each.
fn told(hop: &Hop) -> Vec<String> {
    hop.mpls.iter().map(words::label).chain(hop.interfaces.iter().map(words::interface)).collect()
}

/// `reached in 11 hops (about 10 back), 1 change, fingerprint 5f… (now 8a…), 10 cycles in 9.01 s`
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
    let now = report.latest_fingerprint.as_deref().map(|now| format!(" (now {})", escape(now)));
    let fingerprint = format!("{}{}", escape(&report.fingerprint), now.unwrap_or_default());
    format!("{end}, {changes}, fingerprint {fingerprint}, {cycles} in {}", span(of.elapsed))
}

/// Changes of the path that the text names.
const MOST_CHANGES: usize = 8;

/// When the path changed, and where: a line for each change, and one for those beyond.
fn changes(report: &Report) -> Vec<String> {
    let mut lines: Vec<String> = report.changes.iter().take(MOST_CHANGES).map(words::change).collect();
    let more = report.path_changes.saturating_sub(lines.len() as u64);
    lines.extend((more > 0).then(|| format!("and {} more", times(more))));
    lines
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
    let mut notes: Vec<String> =
        report.fallback.map(|instead| instead.text().to_owned()).into_iter().collect();
    notes.extend(report.translator.map(|who| format!("{who} translates addresses (NAT)")));
    notes
        .extend(report.loop_ttl.map(|ttl| format!("a loop: the path comes by hop {ttl} again, further out")));
    if let Some(error) = &report.send_error {
        let refused: u64 = report.hops.iter().map(|hop| hop.counts.send_errors).sum();
        notes.push(format!("this host did not send {}: {}", counted(refused, "probe"), escape(error)));
    }
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
