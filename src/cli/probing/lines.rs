//! Live lines: a thread turns a run's events into text, so that a slow reader delays no packet.

use std::io::{self, IsTerminal, Write};
use std::thread;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::options::{self, Common, Format};
use crate::failure::{Class, Failure};
use crate::probe::{Event, Events, Probe};
use crate::report::live::State;
use crate::report::text::{Lines, escape, progress};
use crate::sys::capability;

/// Events that may wait for a slow reader; those beyond are not shown.
pub(super) const DEPTH: usize = 4096;

/// What one run after the other is shown by.
pub(super) struct Shown {
    lines: Option<Lines>,
    /// Whether each packet is of interest: it has a line, or counts in `state`.
    packets: bool,
    /// Stdout is somebody else's.
    to_stderr: bool,
    /// What was heard so far.
    pub(super) state: State,
}

impl Shown {
    /// Nothing shown yet of what `probe` measures; `counts` when the state is wanted at the end.
    pub(super) fn new(common: &Common, probe: &Probe, counts: bool, to_stderr: bool) -> Self {
        let is_streamed = common.format() == Format::Text && probe.is_streamed();
        let lines =
            (common.lines() || is_streamed).then(|| Lines::of(probe, common.timestamps, options::style()));
        let packets = counts || lines.is_some() && Lines::tell_packets(probe);
        Self { lines, packets, to_stderr, state: State::new(&probe.subject()) }
    }

    /// The same target is measured once more.
    pub(super) fn go_on(&mut self) {
        self.lines.iter_mut().for_each(Lines::go_on);
    }

    fn print(&mut self, event: &Event) -> io::Result<()> {
        self.state.hear(event);
        if let Some(line) = self.lines.as_mut().and_then(|lines| lines.aside(event)) {
            tell(&line)?;
        }
        match event {
            Event::Note { text } => return tell(&format!("note: {}", escape(text))),
            // For who sits and waits, and for nobody's log.
            &Event::Progress { done_ratio, left } if io::stderr().is_terminal() => {
                return tell(&progress(done_ratio, left));
            }
            Event::Unmeasured { target, why } if !self.lines.as_ref().is_some_and(Lines::is_fpings) => {
                return tell(&format!("{}: {}", escape(target), escape(why)));
            }
            _ => {}
        }
        match self.lines.as_mut().and_then(|lines| lines.line(event)) {
            Some(line) if self.to_stderr => writeln!(io::stderr(), "{line}"),
            Some(line) => writeln!(io::stdout(), "{line}"),
            None => Ok(()),
        }
    }
}

/// What is printed below the lines.
pub(super) type Last = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// The thread that prints one run, and nobody else: who writes to a reader that sleeps hears no signal.
pub(super) struct Printer {
    last: oneshot::Sender<Last>,
    done: oneshot::Receiver<(Shown, io::Result<()>)>,
}

impl Printer {
    /// Prints by `shown` what is told to the events. Cancels `run` when nobody reads any more.
    pub(super) fn start(mut shown: Shown, run: &CancellationToken) -> Result<(Events, Self), Failure> {
        let (mut events, heard) = Events::channel(DEPTH);
        if !shown.packets {
            events = events.without_packets();
        }
        let (told, done) = oneshot::channel();
        let (last, below) = oneshot::channel::<Last>();
        let run = run.clone();
        let thread = thread::Builder::new().name("lines".to_owned()).spawn(move || {
            // It only writes to what is open.
            let shed = capability::shed(false);
            let printed = shed.and_then(|()| print(&mut shown, heard));
            if printed.is_err() {
                run.cancel();
            }
            // Whoever measured may have broken off, or have nothing more to say.
            let printed = match below.blocking_recv() {
                Ok(last) => printed.and_then(|()| last()),
                Err(_) => printed,
            };
            let _ = told.send((shown, printed));
        });
        thread.map_err(|error| Failure::from_io("start a thread", &error))?;
        Ok((events, Self { last, done }))
    }

    /// Waits for the last line, and for what `last` prints below it, where nothing went wrong before; the run must have ended.
    pub(super) async fn end(self, last: Option<Last>) -> Result<(Shown, io::Result<()>), Failure> {
        match last {
            // A thread that is gone says so itself.
            Some(last) => drop(self.last.send(last)),
            None => drop(self.last),
        }
        self.done.await.map_err(|_| Class::Internal.because("the printing thread panicked"))
    }
}

fn print(shown: &mut Shown, mut heard: mpsc::Receiver<Event>) -> io::Result<()> {
    while let Some(event) = heard.blocking_recv() {
        shown.print(&event)?;
    }
    Ok(())
}

/// What is no result goes to stderr, so that it is read also where stdout goes into a program.
fn tell(text: &str) -> io::Result<()> {
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(io::stderr(), "{text}");
    Ok(())
}
