//! What another tool measured: its headline numbers, one a line.

use std::io;

use super::scalar;
use crate::probe::imported::Report;

pub(super) fn write(out: &mut impl io::Write, report: &Report) -> io::Result<()> {
    for number in &report.scalars {
        writeln!(out, "{:<16} {}", super::escape(&number.name), scalar(number))?;
    }
    Ok(())
}
