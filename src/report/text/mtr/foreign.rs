//! What mtr 0.95 itself would write: its JSON, its CSV and its raw lines, for programs that read those.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::escape;
use super::columns::time_of;
use crate::probe::Measurement;
use crate::probe::mtr::{Field, Hop, Mtr, Report};
use crate::units::ms;

/// `mtr --json`: names and order of its members, times in milliseconds, loss in percent.
pub(super) fn json(
    out: &mut impl io::Write,
    report: &Report,
    of: &Measurement,
    asked: &Mtr,
) -> io::Result<()> {
    let hubs: Vec<Value> = report
        .hops
        .iter()
        .map(|hop| {
            json!({
                "count": hop.ttl,
                "host": host(hop),
                "Loss%": rounded(loss(hop)),
                "Snt": hop.counts.sent,
                "Last": number(hop, Field::Last),
                "Avg": number(hop, Field::Average),
                "Best": number(hop, Field::Best),
                "Wrst": number(hop, Field::Worst),
                "StDev": number(hop, Field::Deviation),
            })
        })
        .collect();
    let written = json!({
        "report": {
            "mtr": {
                "src": of.agent.host,
                "dst": of.probe.target(),
                "tos": asked.egress.tos().unwrap_or(0),
                "tests": asked.count,
                "psize": report.packet_bytes.to_string(),
                "bitpattern": "0x00",
            },
            "hubs": hubs,
        }
    });
    serde_json::to_writer_pretty(&mut *out, &written)?;
    writeln!(out)
}

/// `mtr --csv`: the header, then a line for each hop.
pub(super) fn csv(out: &mut impl io::Write, report: &Report, of: &Measurement) -> io::Result<()> {
    let at = of.at.as_second();
    writeln!(out, "Mtr_Version,Start_Time,Status,Host,Hop,Ip,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,")?;
    for hop in &report.hops {
        let target = cell(of.probe.target());
        let (ttl, host) = (hop.ttl, cell(&host(hop)));
        write!(out, "MTR.0.95,{at},OK,{target},{ttl},{host},{:.2},{},0", loss(hop), hop.counts.sent)?;
        for field in [Field::Last, Field::Average, Field::Best, Field::Worst, Field::Deviation] {
            write!(out, ",{:.2}", number(hop, field))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// `mtr --raw`: `x hop seq`, `h hop ip`, `d hop name`, `p hop usec seq`.
pub(super) fn raw(out: &mut impl io::Write, report: &Report) -> io::Result<()> {
    for (n, hop) in report.hops.iter().enumerate() {
        for address in &hop.addresses {
            writeln!(out, "h {n} {}", address.ip)?;
            if let Some(name) = &address.name {
                writeln!(out, "d {n} {}", escape(name))?;
            }
        }
    }
    let most = report.hops.iter().filter_map(|hop| Some(hop.samples_ms.as_ref()?.len())).max().unwrap_or(0);
    let mut seq = FIRST_SEQ;
    for cycle in 0..most {
        for (n, hop) in report.hops.iter().enumerate() {
            let Some(sample) = hop.samples_ms.as_ref().and_then(|samples| samples.get(cycle)) else {
                continue;
            };
            writeln!(out, "x {n} {seq}")?;
            if let Some(ms) = sample {
                writeln!(out, "p {n} {:.0} {seq}", ms * 1e3)?;
            }
            seq += 1;
        }
    }
    Ok(())
}

/// mtr's first sequence number.
const FIRST_SEQ: u64 = 33_000;

fn host(hop: &Hop) -> String {
    let Some(address) = hop.addresses.first() else {
        return "???".to_owned();
    };
    address.name.as_deref().map_or_else(|| address.ip.to_string(), |name| escape(name).into_owned())
}

/// A name in a line of comma-separated values.
fn cell(text: &str) -> String {
    escape(text).replace([',', '"'], "_")
}

/// What mtr calls loss, in percent: what was not answered, whyever. Of what proves no loss, none.
fn loss(hop: &Hop) -> f64 {
    let silent = hop.counts.received == 0;
    100.0 * hop.loss_ratio.unwrap_or(if silent { 1.0 } else { 0.0 })
}

fn number(hop: &Hop, field: Field) -> f64 {
    rounded(ms::of(time_of(hop, field).unwrap_or(Duration::ZERO)))
}

/// To three digits behind the point, as mtr writes.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
