//! What is told on stderr while a command works: `tracing`, by the section `log` and `-v`. While a picture is on the
//! same terminal, the lines wait.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::stat::fstat;
use tracing_subscriber::EnvFilter;

use crate::config::Log;
use crate::failure::Failure;

/// Lines that wait at most: a few screens. Of more, the latest count.
const MOST: usize = 100;

/// The lines that wait; `None` while none has to.
static HELD: Mutex<Option<Held>> = Mutex::new(None);

/// Starts telling. Each `-v` adds one step to the configured level.
pub(super) fn start(log: &Log, verbose: u8) -> Result<(), Failure> {
    let filter = match verbose {
        0 => log.filter().map_err(|fault| fault.of_section("log"))?,
        1 => EnvFilter::new("info,waddleperf=debug"),
        _ => EnvFilter::new("debug,waddleperf=trace"),
    };
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Stderr)
        .with_ansi(colour)
        .with_target(verbose > 0);
    // Only the first of a process counts; there is a second only in tests.
    let _ = subscriber.try_init();
    Ok(())
}

/// From here on lines wait, where they would be written into the picture on stdout.
pub(super) fn hold() {
    if io::stderr().is_terminal() && device(io::stderr()) == device(io::stdout()) {
        *held() = Some(Held::default());
    }
}

/// Writes what has waited; lines wait no more.
pub(super) fn release() {
    let mut held = held();
    if let Some(lines) = held.take() {
        // Nobody is left to tell when stderr is closed.
        let _ = lines.write(&mut io::stderr().lock());
    }
}

fn held() -> MutexGuard<'static, Option<Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The device behind a descriptor.
fn device(at: impl AsFd) -> Option<u64> {
    fstat(at).ok().map(|stat| stat.st_rdev)
}

/// Where `tracing` writes: each line at once, by one call.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match held().as_mut() {
            Some(held) => {
                held.push(line);
                Ok(line.len())
            }
            None => io::stderr().write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines in the order they came, and how many earlier ones had to go.
#[derive(Default)]
struct Held {
    lines: VecDeque<Vec<u8>>,
    dropped: u64,
}

impl Held {
    fn push(&mut self, line: &[u8]) {
        if self.lines.len() == MOST {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line.to_vec());
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        if self.dropped > 0 {
            writeln!(out, "({} earlier lines are not shown)", self.dropped)?;
        }
        self.lines.iter().try_for_each(|line| out.write_all(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written after lines 1 to `count`.
    fn written(count: usize) -> Vec<String> {
        let mut held = Held::default();
        (1..=count).for_each(|n| held.push(format!("line {n}\n").as_bytes()));
        let mut out = Vec::new();
        held.write(&mut out).expect("memory takes it");
        String::from_utf8(out).expect("UTF-8").lines().map(str::to_owned).collect()
    }

    #[test]
    fn of_too_many_lines_the_latest_are_kept_and_the_others_counted() {
        assert_eq!(written(2), ["line 1", "line 2"]);
        assert_eq!(written(MOST)[0], "line 1");
        let lines = written(MOST + 7);
        assert_eq!(lines[..2], ["(7 earlier lines are not shown)", "line 8"]);
        assert_eq!((lines.len(), lines[MOST].as_str()), (MOST + 1, "line 107"));
    }
}
