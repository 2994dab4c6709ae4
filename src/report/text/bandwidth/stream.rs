//! What `iperf3 --json-stream` prints: a line of JSON for each thing that happens, with the parts of `-J`'s document.

use std::io;

use super::document::End;
use super::iperf3::{Form, line, server_output};
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
                let start = Form::of_client(&self.asked, trace).start_line();
                self.trace = Some(trace.clone());
                Some(start)
            }
            Event::Snapshots { of } => {
                Some(Form::of_client(&self.asked, self.trace.as_ref()?).interval_line(of))
            }
            _ => None,
        }
    }
}

/// Writes the last lines.
pub(super) fn end(
    out: &mut impl io::Write,
    report: &Report,
    asked: &Bandwidth,
    trace: &Trace,
) -> io::Result<()> {
    let output = server_output(report).map(|(key, output)| line(key, output));
    let mut last = Form::of_client(asked, trace).end_lines(report.ended.as_deref());
    last.splice(last.len() - 1..last.len() - 1, output);
    last.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Writes the lines of a test that was none.
pub(super) fn failed(out: &mut impl io::Write, why: &str) -> io::Result<()> {
    writeln!(out, "{}\n{}", line("error", &why), line("end", &End::default()))
}
