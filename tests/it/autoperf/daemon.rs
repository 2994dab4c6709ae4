//! `autoperf daemon` as a process: what it prints, and what it is told.

use std::io::{BufRead, BufReader, Lines, Read};
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Place;

/// A process that measures on the schedule; killed when dropped.
pub(super) struct Daemon {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: BufReader<ChildStderr>,
}

impl Daemon {
    /// Starts `arguments` (`autoperf daemon`, `serve …`) at `place`.
    pub(super) fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.waddleperf(arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start the daemon");
        let out = BufReader::new(child.stdout.take().expect("its stdout")).lines();
        let err = BufReader::new(child.stderr.take().expect("its stderr"));
        Self { child, out, err }
    }

    /// The next line on stdout.
    #[track_caller]
    pub(super) fn line(&mut self) -> String {
        self.out.next().expect("a line").expect("text")
    }

    /// The next line on stdout that contains `part`.
    #[track_caller]
    pub(super) fn line_with(&mut self, part: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(part) {
                return line;
            }
        }
    }

    /// The next line on stderr, with its end.
    #[track_caller]
    pub(super) fn said(&mut self) -> String {
        let mut line = String::new();
        self.err.read_line(&mut line).expect("text");
        line
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("send a signal");
    }

    /// Sends SIGTERM; how it ended, the lines of stdout that nobody has read, and stderr.
    pub(super) fn end(mut self) -> (ExitStatus, Vec<String>, String) {
        self.signal(Signal::SIGTERM);
        let left = self.out.by_ref().map(|line| line.expect("text")).collect();
        let mut said = String::new();
        self.err.read_to_string(&mut said).expect("its stderr");
        (self.child.wait().expect("its end"), left, said)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
