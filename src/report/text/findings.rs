//! What probes find wrong or worth knowing: a line each, the worst first.

use std::io;

use super::{Style, escape};
use crate::probe::Severity;

/// Writes each finding and an empty line, or that there is none.
pub(super) fn findings<'a>(
    out: &mut impl io::Write,
    style: Style,
    found: impl Iterator<Item = (Severity, &'a str)>,
) -> io::Result<()> {
    let mut found = found.peekable();
    if found.peek().is_none() {
        return writeln!(out, "{}", style.bold("nothing odd"));
    }
    for (severity, text) in found {
        let text = format!("{:<8} {}", word(severity), escape(text));
        writeln!(out, "{}", style.red_if(severity != Severity::Info, &text))?;
    }
    writeln!(out)
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}
