//! Text for people: live lines and summaries, aligned, in the units of design §4.

mod bandwidth;
mod capture;
mod findings;
mod httptrace;
mod imported;
mod lines;
pub(super) mod mtr;
mod mtu;
mod number;
mod packets;
mod ping;
mod portscan;
mod resolvertime;
mod sshping;
mod style;
mod sysinfo;
mod tls;
mod udpping;

use std::io;

use crate::probe::{Measurement, Outcome, Probe, each_report};
pub use crate::wire::text::escape;
pub use bandwidth::iperf3::Form as Iperf3Form;
pub use bandwidth::{stamp, table, trial};
pub use lines::{Lines, progress};
pub use number::{ABSENT, amount, bytes, counted, local, millis, percent, rate, scalar, span};
pub use style::Style;

/// A report in a person's words, below its title. Each kind's is in the file of its name.
trait Summary {
    /// Writes this report, which is that of `of`.
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()>;

    /// Whether a line that names the target stands above it. Not where another tool's form has none.
    fn is_titled(&self, of: &Measurement) -> bool {
        let _ = of;
        true
    }

    /// Writes it as another program would, where that was asked for: then nothing else is written. Returns whether it was.
    fn write_foreign(&self, out: &mut impl io::Write, of: &Measurement) -> io::Result<bool> {
        let _ = (out, of);
        Ok(false)
    }
}

/// Writes what `measurement` found, or why it found nothing.
///
/// # Errors
/// Those of `out`.
pub fn summary(out: &mut impl io::Write, measurement: &Measurement, style: Style) -> io::Result<()> {
    if let Outcome::Report(report) = &measurement.outcome
        && each_report!(report, report => Summary::write_foreign(&**report, out, measurement)?)
    {
        return Ok(());
    }
    let head = || style.bold(&title(measurement));
    match &measurement.outcome {
        Outcome::Failure(failure) => {
            writeln!(out, "{}\n{}: {}", head(), failure.class, escape(&failure.detail))?;
        }
        Outcome::Report(report) => each_report!(report, report => {
            if Summary::is_titled(&**report, measurement) {
                writeln!(out, "{}", head())?;
            }
            Summary::write(&**report, out, measurement, style)?;
        }),
    }
    if let Some(step) = measurement.clock_step_ms {
        writeln!(out, "note       this host's wall clock was set by {step:+.0} ms during the run")?;
    }
    Ok(())
}

/// Writes why nothing was found as another program would, where its form was asked for: else nothing.
///
/// # Errors
/// Those of `out`.
pub fn failed(out: &mut impl io::Write, measurement: &Measurement) -> io::Result<()> {
    match (&measurement.probe, &measurement.outcome) {
        (Probe::Bandwidth(asked), Outcome::Failure(failure)) => {
            bandwidth::failed(out, asked, &failure.detail)
        }
        (Probe::HttpTrace(asked), Outcome::Failure(failure)) => httptrace::failed(out, asked, failure),
        _ => Ok(()),
    }
}

/// `--- reflector.example (192.0.2.1) udpping ---`
fn title(measurement: &Measurement) -> String {
    let subject = measurement.probe.subject();
    let target = escape(&subject);
    let address = measurement
        .address
        .map(|address| address.to_string())
        .filter(|address| *address != target)
        .map(|address| format!(" ({address})"));
    let partial = if measurement.partial { ", interrupted" } else { "" };
    let space = if target.is_empty() { "" } else { " " };
    format!("--- {target}{}{space}{}{partial} ---", address.unwrap_or_default(), measurement.probe.kind())
}
