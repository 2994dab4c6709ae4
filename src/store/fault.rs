//! What redb's errors mean to a person.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::failure::{Class, Failure, reason};

/// A result inside the store, before it has words.
pub(super) type Redb<T> = Result<T, redb::Error>;

/// Runs `work` on the store's file. A damaged file can make redb panic; that is a fault of the file, not of the process.
pub(super) fn guarded<T>(work: impl FnOnce() -> Redb<T>) -> Redb<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(redb::Error::Corrupted("it contradicts itself".to_owned())))
}

/// An entry that cannot be read back.
pub(super) fn corrupt(what: &str) -> redb::Error {
    redb::Error::Corrupted(format!("unreadable {what}"))
}

/// One line for `error` on the store at `path`.
pub(super) fn failure(path: &Path, error: &redb::Error) -> Failure {
    let shown = path.display();
    match error {
        redb::Error::Io(error) => Failure::from_io(format_args!("store {shown}"), error),
        redb::Error::Corrupted(what) => Class::Internal.because(format_args!(
            "store {shown}: damaged ({}); move it away to start a new one, or restore a copy",
            what.lines().next().unwrap_or_default()
        )),
        redb::Error::UpgradeRequired(_) => newer(path),
        redb::Error::DatabaseAlreadyOpen => {
            Class::Internal.because(format_args!("store {shown}: in use by another process"))
        }
        redb::Error::PreviousIo | redb::Error::DatabaseClosed => Class::Internal
            .because(format_args!("store {shown}: closed after an earlier I/O error; try again")),
        other => Class::Internal
            .because(format_args!("store {shown}: {}", other.to_string().lines().next().unwrap_or_default())),
    }
}

/// The store was written by a newer waddleperf (promise R9).
pub(super) fn newer(path: &Path) -> Failure {
    Class::Internal.because(format_args!(
        "store {}: written by a newer waddleperf; use that version, or another directory with --data",
        path.display()
    ))
}

/// The system's words for an error, for a line of log.
pub(super) fn words(error: &std::io::Error) -> String {
    reason(error)
}
