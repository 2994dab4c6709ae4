//! How a measurement is shown: text for people, JSON and CSV for programs, live lines while it runs.
//!
//! Percent, `Mbit/s` and colour exist only here. `report` knows every report type; no probe knows a renderer.

pub mod csv;
pub mod live;
#[cfg(test)]
pub(crate) mod sample;
pub mod text;

use std::io;

use crate::probe::Measurement;

/// Writes the record itself, on one line.
///
/// # Errors
/// Those of `out`.
pub fn json(out: &mut impl io::Write, measurement: &Measurement) -> io::Result<()> {
    serde_json::to_writer(&mut *out, measurement)?;
    writeln!(out)
}
