//! What mtr 0.95 itself would write: its JSON, its CSV and its raw lines, for programs that read those.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Value, json};

use super::super::escape;
use super::columns::time_of;
use super::words;
use crate::geo::Place;
use crate::probe::Measurement;
use crate::probe::mtr::{Address, Field, Hop, Mtr, Report};
use crate::units::ms;

/// `mtr --json`: its members in its order, times in milliseconds, loss in percent.
pub(super) fn json(
    out: &mut impl io::Write,
    report: &Report,
    of: &Measurement,
    asked: &Mtr,
) -> io::Result<()> {
    let mtr = Members(vec![
        ("src", json!(of.agent.host)),
        ("dst", json!(of.probe.target())),
        ("tos", json!(asked.tos().unwrap_or(0))),
        ("tests", json!(asked.count)),
        ("psize", json!(report.packet_bytes.unwrap_or(asked.size).to_string())),
        ("bitpattern", json!(pattern(asked))),
    ]);
    let hubs: Vec<Members<Value>> = report.hops.iter().map(|hop| hub(hop, asked)).collect();
    let written = Body { mtr, hubs };
    let pretty = PrettyFormatter::with_indent(b"    ");
    Members(vec![("report", written)]).serialize(&mut Serializer::with_formatter(&mut *out, pretty))?;
    writeln!(out)
}

/// What stands below `report`.
#[derive(Serialize)]
struct Body {
    mtr: Members<Value>,
    hubs: Vec<Members<Value>>,
}

/// The members of an object, in this order.
struct Members<T>(Vec<(&'static str, T)>);

impl<T: Serialize> Serialize for Members<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn hub(hop: &Hop, asked: &Mtr) -> Members<Value> {
    let mut members = vec![("count", json!(hop.ttl)), ("host", json!(host(hop.addresses.first(), asked)))];
    members.extend(system(hop.addresses.first(), asked).map(|asn| ("ASN", json!(asn))));
    for field in asked.shape.fields() {
        let name = title(field);
        // A space is no member, and a letter that is given twice is one.
        if field != Field::Space && members.iter().all(|member| member.0 != name) {
            members.push((
                name,
                match number(hop, field) {
                    Number::Count(count) => json!(count),
                    Number::Real(value) => json!(value),
                },
            ));
        }
    }
    Members(members)
}

/// The pattern of the payload: the octet, or that it was drawn.
fn pattern(asked: &Mtr) -> String {
    match u8::try_from(asked.bit_pattern.unwrap_or(0)) {
        Ok(octet) => format!("0x{octet:02X}"),
        Err(_) => "rand(0x00-FF)".to_owned(),
    }
}

/// `mtr --csv`: the header, then a line for each hop, and with `-w` for each of its addresses.
pub(super) fn csv(
    out: &mut impl io::Write,
    report: &Report,
    of: &Measurement,
    asked: &Mtr,
) -> io::Result<()> {
    let (at, target) = (of.at.as_second(), cell(of.probe.target()));
    let fields = Field::all(asked.shape.order.as_deref().unwrap_or(USUAL));
    let asn = if asked.shape.info() == Some(0) { "Asn," } else { "" };
    let heads: String = fields.iter().map(|field| format!("{},", title(*field))).collect();
    writeln!(out, "Mtr_Version,Start_Time,Status,Host,Hop,Ip,{asn}{heads}")?;
    for hop in &report.hops {
        let shown = if asked.shape.wide { hop.addresses.len().max(1) } else { 1 };
        for n in 0..shown {
            let address = hop.addresses.get(n);
            let (ttl, host) = (hop.ttl, cell(&host(address, asked)));
            write!(out, "MTR.0.95,{at},OK,{target},{ttl},{host}")?;
            system(address, asked).map_or(Ok(()), |asn| write!(out, ",{asn}"))?;
            for field in &fields {
                match number(hop, *field) {
                    Number::Count(count) => write!(out, ",{count}")?,
                    Number::Real(value) => write!(out, ",{value:.2}")?,
                }
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// `mtr --raw`: `x hop seq`, `h hop ip`, `m hop label class last ttl`, `d hop name`, `p hop usec seq`; who answers at a hop
/// stands before its first answer.
pub(super) fn raw(out: &mut impl io::Write, report: &Report, asked: &Mtr) -> io::Result<()> {
    let most = report.hops.iter().filter_map(|hop| Some(hop.samples_ms.as_ref()?.len())).max().unwrap_or(0);
    let (mut seq, mut told) = (FIRST_SEQ, vec![false; report.hops.len()]);
    for cycle in 0..most {
        for (n, hop) in report.hops.iter().enumerate() {
            let Some(sample) = hop.samples_ms.as_ref().and_then(|samples| samples.get(cycle)) else {
                continue;
            };
            let number = hop.ttl.saturating_sub(1);
            writeln!(out, "x {number} {seq}")?;
            if let Some(ms) = sample {
                if !std::mem::replace(&mut told[n], true) {
                    introduce(out, hop, number, asked)?;
                }
                writeln!(out, "p {number} {:.0} {seq}", ms * 1e3)?;
            }
            seq += 1;
        }
    }
    Ok(())
}

/// Who answers at a hop.
fn introduce(out: &mut impl io::Write, hop: &Hop, number: u8, asked: &Mtr) -> io::Result<()> {
    for address in &hop.addresses {
        writeln!(out, "h {number} {}", address.ip)?;
    }
    for entry in hop.mpls.iter().filter(|_| asked.shape.mpls) {
        let last = u8::from(entry.is_last);
        writeln!(out, "m {number} {} {} {last} {}", entry.label, entry.class, entry.ttl)?;
    }
    for name in hop.addresses.iter().filter_map(|address| address.name.as_deref()) {
        writeln!(out, "d {number} {}", escape(name))?;
    }
    Ok(())
}

/// mtr's own columns: its CSV keeps the empty one.
const USUAL: &str = "LS NABWV";
/// mtr's first sequence number.
const FIRST_SEQ: u64 = 33_000;

/// Who answers, as `-b` wants it.
fn host(address: Option<&Address>, asked: &Mtr) -> String {
    let shown = |address: &Address| words::name(address.ip, address.name.as_deref(), asked.shape.show_ips);
    address.map_or_else(|| "???".to_owned(), shown)
}

/// The number of its autonomous system, where that is asked for: mtr has no member for what else `-y` shows.
fn system(address: Option<&Address>, asked: &Mtr) -> Option<String> {
    let place = address.map_or_else(Place::default, |address| Place { asn: address.asn, ..Place::default() });
    (asked.shape.info() == Some(0)).then(|| words::place(&place, 0))
}

/// A name in a line of comma-separated values.
fn cell(text: &str) -> String {
    escape(text).replace([',', '"'], "_")
}

/// mtr's name for a column.
const fn title(field: Field) -> &'static str {
    match field {
        Field::Loss => "Loss%",
        Field::Dropped => "Drop",
        Field::Received => "Rcv",
        Field::Sent => "Snt",
        Field::Last => "Last",
        Field::Best => "Best",
        Field::Average => "Avg",
        Field::Worst => "Wrst",
        Field::Deviation => "StDev",
        Field::Geometric => "Gmean",
        Field::Jitter => "Jttr",
        Field::JitterMean => "Javg",
        Field::JitterWorst => "Jmax",
        Field::Interarrival => "Jint",
        Field::Space => " ",
    }
}

/// What a column holds: mtr writes counts and fractions apart.
enum Number {
    Count(u64),
    Real(f64),
}

fn number(hop: &Hop, field: Field) -> Number {
    match field {
        Field::Loss => Number::Real(rounded(loss(hop))),
        // mtr's empty column holds what was dropped.
        Field::Dropped | Field::Space => Number::Count(dropped(hop)),
        Field::Received => Number::Count(hop.counts.received),
        Field::Sent => Number::Count(hop.counts.sent),
        _ => {
            let time = ms::of(time_of(hop, field).unwrap_or(Duration::ZERO));
            let of_sample = if field == Field::Deviation { sample(hop.counts.received) } else { 1.0 };
            Number::Real(rounded(time * of_sample))
        }
    }
}

/// By how much the standard deviation of a sample of `count`, which is mtr's, is above that of all (Bessel's correction).
fn sample(count: u64) -> f64 {
    if count > 1 { (count as f64 / (count - 1) as f64).sqrt() } else { 1.0 }
}

/// What mtr calls loss, in percent: what was not answered, whyever. Of what proves no loss, none.
fn loss(hop: &Hop) -> f64 {
    let silent = hop.counts.received == 0;
    100.0 * hop.loss_ratio.unwrap_or(if silent { 1.0 } else { 0.0 })
}

/// The same in probes.
fn dropped(hop: &Hop) -> u64 {
    let proves = hop.loss_ratio.is_some() || hop.counts.received == 0;
    if proves { hop.counts.sent.saturating_sub(hop.counts.received) } else { 0 }
}

/// To microseconds and five digits, as mtr writes.
fn rounded(value: f64) -> f64 {
    let digits = 4 - value.abs().max(1e-3).log10().floor() as i32;
    let scale = 10f64.powi(digits.clamp(0, 3));
    (value * scale).round() / scale
}
