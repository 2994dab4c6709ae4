//! What `iperf3 --json-stream` prints: a line of JSON for each thing that happens, with the parts of `-J`'s document.

use std::io;

use serde_json::{Value, json};

use super::iperf3::{Form, server_output};
use crate::probe::Event;
use crate::probe::bandwidth::{Bandwidth, Report, Trace};

/// Turns the events of a test into these lines.
#[derive(Debug)]
pub(in crate::report::text) struct Stream {
    asked: Bandwidth,
    /// Once it has begun.
    trace: Option<Box<Trace>>,
}

impl Stream {
    /// Lines about what `asked` measures, where it wants such.
    pub(in crate::report::text) fn of(asked: &Bandwidth) -> Option<Self> {
        asked.json_stream.then(|| Self { asked: asked.clone(), trace: None })
    }

    /// The line for `event`, if it has one.
    pub(in crate::report::text) fn line(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Streams { trace } => {
                let start = Form { asked: &self.asked, trace }.start();
                self.trace = Some(trace.clone());
                Some(line("start", &start))
            }
            Event::Snapshots { of } => {
                let form = Form { asked: &self.asked, trace: self.trace.as_ref()? };
                Some(line("interval", &form.interval(of)))
            }
            _ => None,
        }
    }
}

/// Writes the last lines.
pub(super) fn end(out: &mut impl io::Write, report: &Report, asked: &Bandwidth) -> io::Result<()> {
    if let Some(ended) = &report.ended {
        writeln!(out, "{}", line("error", &json!(ended)))?;
    }
    if let Some((key, output)) = server_output(report) {
        writeln!(out, "{}", line(key, output))?;
    }
    let end = report.trace.as_ref().map_or_else(|| json!({}), |trace| Form { asked, trace }.end());
    writeln!(out, "{}", line("end", &end))
}

/// Writes the lines of a test that was none.
pub(super) fn failed(out: &mut impl io::Write, why: &str) -> io::Result<()> {
    writeln!(out, "{}\n{}", line("error", &json!(why)), line("end", &json!({})))
}

fn line(event: &str, data: &Value) -> String {
    format!("{{\"event\":\"{event}\",\"data\":{data}}}")
}
