//! CSV (RFC 4180): a header, then one row for each measurement, or for each of its targets where it has several, in base
//! units. What was not measured is empty. Among records of any kind, a gap in the store is a row too.

use std::io;

use uuid::Uuid;

use crate::probe::{Findings, Measurement, NAMES, Outcome, Part, Scalar, Scalars};
use crate::units::Timestamp;

/// The columns before the scalars.
const COLUMNS: [&str; 9] =
    ["id", "at", "elapsed_seconds", "host", "kind", "target", "address", "labels", "failure"];

/// Writes the header for records like `measurement`.
///
/// # Errors
/// Those of `out`.
pub fn header(out: &mut impl io::Write, measurement: &Measurement) -> io::Result<()> {
    let scalars = scalars(measurement);
    let names = COLUMNS.iter().map(|&name| name.to_owned());
    line(out, names.chain(scalars.iter().map(name)))
}

/// Writes the header for records of any kind: a column for every scalar that probes share.
///
/// # Errors
/// Those of `out`.
pub fn wide_header(out: &mut impl io::Write) -> io::Result<()> {
    let names = COLUMNS.iter().map(|&name| name.to_owned());
    let scalars = NAMES.iter().map(|&(name, unit)| Scalar { name: name.into(), unit, value: None });
    line(out, names.chain(scalars.map(|scalar| self::name(&scalar))))
}

/// Writes the rows of `measurement` below [`wide_header`].
///
/// # Errors
/// Those of `out`.
pub fn wide_rows(out: &mut impl io::Write, measurement: &Measurement) -> io::Result<()> {
    parts(measurement).iter().try_for_each(|part| {
        let scalar = |wanted: &str| part.scalars.iter().find(|scalar| scalar.name == wanted);
        let value = |name| number(scalar(name).and_then(|scalar| scalar.value));
        line(out, common(measurement, part).into_iter().chain(NAMES.iter().map(|&(name, _)| value(name))))
    })
}

/// Writes a row below [`wide_header`] for `lost` records between `at` and `to` that the store no longer has: of the kind
/// `gap`, about no host, with their number as a label and without any scalar.
///
/// # Errors
/// Those of `out`.
pub fn wide_gap(
    out: &mut impl io::Write,
    id: Uuid,
    (at, to): (Timestamp, Timestamp),
    lost: u64,
) -> io::Result<()> {
    let seconds = to.duration_since(at).as_secs_f64();
    let mut cells = [(); COLUMNS.len()].map(|()| String::new());
    for (column, text) in [
        ("id", id.to_string()),
        ("at", at.to_string()),
        ("elapsed_seconds", seconds.to_string()),
        ("kind", "gap".to_owned()),
        ("labels", format!("lost={lost}")),
    ] {
        if let Some(place) = COLUMNS.iter().position(|known| *known == column) {
            cells[place] = text;
        }
    }
    line(out, cells.into_iter().chain(NAMES.iter().map(|_| String::new())))
}

/// Writes the rows of `measurement`.
///
/// # Errors
/// Those of `out`.
pub fn rows(out: &mut impl io::Write, measurement: &Measurement) -> io::Result<()> {
    parts(measurement).iter().try_for_each(|part| {
        let numbers = part.scalars.iter().map(|scalar| number(scalar.value));
        line(out, common(measurement, part).into_iter().chain(numbers))
    })
}

/// What has a row of its own: each of several targets, else the whole.
fn parts(measurement: &Measurement) -> Vec<Part> {
    let parts = match &measurement.outcome {
        Outcome::Report(report) => report.parts(),
        Outcome::Failure(_) => Vec::new(),
    };
    if !parts.is_empty() {
        return parts;
    }
    let failure = match &measurement.outcome {
        Outcome::Report(_) => None,
        Outcome::Failure(failure) => Some(failure.class),
    };
    let (target, address) = (measurement.probe.target().to_owned(), measurement.address);
    vec![Part { target, address, failure, scalars: scalars(measurement) }]
}

/// The cells under [`COLUMNS`].
fn common(measurement: &Measurement, part: &Part) -> [String; COLUMNS.len()] {
    let labels: Vec<String> =
        measurement.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let address = part.address.map(|address| address.to_string());
    [
        measurement.id.to_string(),
        measurement.at.to_string(),
        measurement.elapsed.as_secs_f64().to_string(),
        cell(&measurement.agent.host),
        measurement.probe.kind().to_owned(),
        cell(&part.target),
        address.unwrap_or_default(),
        cell(&labels.join(" ")),
        part.failure.map_or_else(String::new, |class| class.to_string()),
    ]
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The numbers; where nothing was measured, as many empty ones.
fn scalars(measurement: &Measurement) -> Vec<Scalar> {
    match &measurement.outcome {
        Outcome::Report(report) => report.scalars(),
        Outcome::Failure(_) => measurement.probe.unmeasured(),
    }
}

/// The column of a scalar: its name with its unit, which is never said twice.
fn name(scalar: &Scalar) -> String {
    let suffix = scalar.unit.suffix();
    cell(&format!("{}{suffix}", scalar.name.strip_suffix(suffix).unwrap_or(&scalar.name)))
}

/// `text` as a cell: never a formula to a spreadsheet, quoted where it has to be.
pub fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

/// Writes a row of `cells`, each of which has been through [`cell`] or cannot need it.
///
/// # Errors
/// Those of `out`.
pub fn line(out: &mut impl io::Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    writeln!(out, "{}", cells.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_a_row_as_wide_as_the_others_and_without_numbers() {
        let [at, to] = ["2026-11-25T10:00:00Z", "2026-11-25T10:01:00Z"].map(|at| at.parse().expect("a time"));
        let mut out = Vec::new();
        wide_header(&mut out).expect("a header");
        wide_gap(&mut out, Uuid::nil(), (at, to), 3).expect("a row");
        let text = String::from_utf8(out).expect("text");
        let [header, row] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
        assert_eq!(row.split(',').count(), header.split(',').count());
        let told = "00000000-0000-0000-0000-000000000000,2026-11-25T10:00:00Z,60,,gap,,,lost=3,";
        assert_eq!(row.trim_end_matches(','), told.trim_end_matches(','));
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("-1", "'-1"),
            ("a,b", "\"a,b\""),
            ("a\nb", "\"a\nb\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
