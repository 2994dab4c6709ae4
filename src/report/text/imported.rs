//! What another tool measured: its headline numbers, one a line.

use std::io;

use super::{Style, Summary, escape, scalar};
use crate::probe::Measurement;
use crate::probe::imported::Report;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, _of: &Measurement, _style: Style) -> io::Result<()> {
        for number in &self.scalars {
            writeln!(out, "{:<16} {}", escape(&number.name), scalar(number))?;
        }
        Ok(())
    }
}
