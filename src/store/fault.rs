//! What redb's errors mean to a person.

use std::cell::Cell;
use std::fmt::Display;
use std::io::ErrorKind;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use crate::failure::{Class, Failure, reason};

/// A result inside the store, before it has words.
pub(super) type Redb<T> = Result<T, redb::Error>;

thread_local! {
    /// Whether this thread works on a store's file.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on the store's file. A damaged file can make redb panic; that is a fault of the file, not of the process,
/// and is told as one: the panic itself is not reported.
pub(super) fn guarded<T>(work: impl FnOnce() -> Redb<T>) -> Redb<T> {
    hush();
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.unwrap_or_else(|_| Err(redb::Error::Corrupted("it contradicts itself".to_owned())))
}

/// Drops what redb gave. On a damaged file even that can panic.
pub(super) fn let_go<T>(held: T) {
    let _ = guarded(|| {
        drop(held);
        Ok(())
    });
}

/// From here on panics of guarded threads are reported by their result alone.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                report(info);
            }
        }));
    });
}

/// An entry that cannot be read back.
pub(super) fn corrupt(what: &str) -> redb::Error {
    redb::Error::Corrupted(format!("unreadable {what}"))
}

/// One line for `error` on the store at `path`.
pub(super) fn failure(path: &Path, error: &redb::Error) -> Failure {
    let shown = path.display();
    match error {
        // Of another kind, or cut off.
        redb::Error::Io(error)
            if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            damaged(&shown, &reason(error))
        }
        redb::Error::Io(error) => Failure::from_io(format_args!("store {shown}"), error),
        redb::Error::Corrupted(what) => damaged(&shown, what.lines().next().unwrap_or_default()),
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

fn damaged(store: &impl Display, what: &str) -> Failure {
    Class::Internal.because(format_args!(
        "store {store}: damaged ({what}); move it away to start a new one, or restore a copy"
    ))
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
