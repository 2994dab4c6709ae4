//! The redb file: made whole or not at all, opened with a look at its format, copied before a repair.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::FileBackend;
use redb::{
    Builder, Database, DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, WriteTransaction,
};

use super::data::{Data, sync_dir};
use super::fault::{Redb, failure, guarded, let_go, newer};
use super::schema::{FORMAT, HORIZON, META, POINT, RECORD, ROLLUP, SERIES, STATE, TODO};
use crate::failure::{Class, Failure};
use crate::sys::lock::Lock;

/// What redb may keep in memory, by which a server grows. The working set is the head of each series and the upper levels of the trees;
/// what more would bring is in docs/performance.md (`cargo bench --bench store`).
const CACHE: usize = 2 << 20;

/// An open store file.
pub(super) enum Db {
    /// Ours to write.
    Write(Database),
    /// On a disk that cannot be written: reads go on (promise R3).
    Read(ReadOnlyDatabase),
}

impl Db {
    pub(super) fn begin_read(&self) -> Redb<ReadTransaction> {
        Ok(match self {
            Self::Write(db) => db.begin_read()?,
            Self::Read(db) => db.begin_read()?,
        })
    }

    /// A transaction that is durable, in two phases, when its commit returns.
    ///
    /// Quick repair keeps the allocator's state in every commit, so that a killed process's store opens at once
    /// instead of after a walk through the whole file.
    pub(super) fn begin_write(&self) -> Redb<WriteTransaction> {
        let Self::Write(db) = self else {
            return Err(std::io::Error::from(ErrorKind::ReadOnlyFilesystem).into());
        };
        let mut transaction = db.begin_write()?;
        transaction.set_two_phase_commit(true);
        transaction.set_quick_repair(true);
        Ok(transaction)
    }
}

/// redb's settings for our files.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

/// Gives a new file its tables and its format, in one commit.
pub(super) fn lay_out(db: &Database) -> Redb<()> {
    let mut transaction = db.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    transaction.open_table(META)?.insert("format", FORMAT)?;
    transaction.open_table(RECORD)?;
    transaction.open_table(SERIES)?;
    transaction.open_table(POINT)?;
    transaction.open_table(ROLLUP)?;
    transaction.open_table(TODO)?;
    transaction.open_table(HORIZON)?;
    transaction.open_table(STATE)?;
    transaction.commit()?;
    Ok(())
}

/// Why the store could not be opened.
pub(super) enum Refusal {
    /// Another process has it.
    Held,
    /// Anything else.
    Broken(Failure),
}

/// Opens the store of `data`, making it first where there is none.
pub(super) fn open(data: &Data) -> Result<Db, Refusal> {
    let path = data.store();
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => {
            let text = format!("store {}: not a regular file", path.display());
            return Err(Refusal::Broken(Class::Permission.because(text)));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => create(data)?,
        Err(error) => {
            let what = format!("store {}", path.display());
            return Err(Refusal::Broken(Failure::from_io(what, &error)));
        }
    }
    let db = open_file(&path)?;
    let refusal = match guarded(|| format_of(&db.begin_read()?)) {
        Ok(Some(FORMAT)) => return Ok(db),
        Ok(Some(other)) if other > FORMAT => newer(&path),
        Ok(_) => Class::Internal.because(format_args!(
            "store {}: a redb file, but not one of waddleperf's; move it away",
            path.display()
        )),
        Err(error) => failure(&path, &error),
    };
    let_go(db);
    Err(Refusal::Broken(refusal))
}

/// The format that an open file says it has; `None` where it says none.
pub(super) fn format_of(transaction: &ReadTransaction) -> Redb<Option<u64>> {
    match transaction.open_table(META) {
        Ok(table) => Ok(table.get("format")?.map(|value| value.value())),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn open_file(path: &Path) -> Result<Db, Refusal> {
    let broken = |error: redb::Error| match error {
        redb::Error::DatabaseAlreadyOpen => Refusal::Held,
        error => Refusal::Broken(failure(path, &error)),
    };
    // The first try only asks whether the file needs the long repair, which rewrites it: then a copy comes first.
    let asked = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&asked);
    let mut careful = builder();
    careful.set_repair_callback(move |session| {
        heard.store(true, Ordering::Relaxed);
        session.abort();
    });
    match guarded(|| Ok(careful.open(path)?)) {
        Ok(db) => return Ok(Db::Write(db)),
        Err(redb::Error::RepairAborted) => {}
        Err(redb::Error::Io(error)) if is_read_only(&error) => return open_to_read(path).map_err(broken),
        Err(_) if asked.load(Ordering::Relaxed) => {}
        Err(error) => return Err(broken(error)),
    }
    let copy = copy_of(path);
    fs::copy(path, &copy).and_then(|_| fs::File::open(&copy)?.sync_all()).map_err(|error| {
        Refusal::Broken(Failure::from_io(format_args!("copy {} before its repair", path.display()), &error))
    })?;
    tracing::warn!(store = %path.display(), copy = %copy.display(), "the store needs a repair");
    guarded(|| Ok(builder().open(path)?)).map(Db::Write).map_err(broken)
}

/// Where the copy goes that is taken before a repair.
fn copy_of(path: &Path) -> PathBuf {
    path.with_extension("redb.before-repair")
}

fn is_read_only(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
}

fn open_to_read(path: &Path) -> Redb<Db> {
    guarded(|| Ok(Db::Read(builder().open_read_only(path)?)))
}

/// Makes the store: a private file beside its place, laid out and synced, then renamed. One process at a time.
fn create(data: &Data) -> Result<(), Refusal> {
    data.make().map_err(Refusal::Broken)?;
    let (path, lock) = (data.store(), data.create_lock());
    let what = || format!("create {}", path.display());
    let held = Lock::take(&lock).map_err(|error| Refusal::Broken(Failure::from_io(what(), &error)))?;
    // Whoever holds the lock makes the file; who does not finds it in a moment, or spools.
    let Some(_held) = held else {
        return Err(Refusal::Held);
    };
    if path.exists() {
        return Ok(());
    }
    let temporary = path.with_extension("redb.new");
    let made = data
        .create(&temporary)
        .map_err(redb::Error::from)
        .and_then(|file| guarded(|| make(file)))
        .and_then(|()| Ok(fs::File::open(&temporary)?.sync_all()?))
        .and_then(|()| Ok(fs::rename(&temporary, &path)?))
        .and_then(|()| Ok(sync_dir(data.path())?));
    if made.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    made.map_err(|error| Refusal::Broken(failure(&path, &error)))
}

fn make(file: fs::File) -> Redb<()> {
    let db = builder().create_with_backend(FileBackend::new(file)?)?;
    lay_out(&db)?;
    db.close().map_err(close_error)
}

fn close_error(error: DatabaseError) -> redb::Error {
    error.into()
}
