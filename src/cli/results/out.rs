//! Standard output of a command that prints much: buffered, and a reader who went away is no failure.

use std::io::{self, BufWriter, ErrorKind, StdoutLock};

use crate::failure::Failure;

/// What a command writes to.
pub(in crate::cli) type Out = BufWriter<StdoutLock<'static>>;

/// Why a command stops before its end.
pub(in crate::cli) enum Stop {
    /// Nobody reads any more.
    Unread,
    /// Something failed.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Failed(Failure::from_io("write to stdout", &error)),
        }
    }
}

impl From<serde_json::Error> for Stop {
    fn from(error: serde_json::Error) -> Self {
        io::Error::from(error).into()
    }
}

/// Runs `work` with stdout; its answer is the exit code.
pub(in crate::cli) fn with_stdout(work: impl FnOnce(&mut Out) -> Result<u8, Stop>) -> Result<u8, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = work(&mut out).and_then(|code| {
        io::Write::flush(&mut out)?;
        Ok(code)
    });
    match done {
        Ok(code) => Ok(code),
        Err(Stop::Unread) => Ok(0),
        Err(Stop::Failed(failure)) => Err(failure),
    }
}

/// Writes `value` as one line of JSON.
pub(in crate::cli) fn json(out: &mut impl io::Write, value: &impl serde::Serialize) -> Result<(), Stop> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)?;
    Ok(())
}
