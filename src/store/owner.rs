//! The store as its one writing process has it.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTableMetadata, StorageBackend, WriteTransaction,
};

use super::fault::{Redb, corrupt, failure, guarded, let_go};
use super::file::{self, Db, Refusal};
use super::insert::{self, Row};
use super::schema::{FORMAT, RECORD, STATE};
use super::{Data, Record};
use crate::failure::{Class, Failure};

/// How the file is opened, again after each error on it.
type Opener = dyn Fn() -> Result<Db, Refusal> + Send + Sync;

/// The open store. Blocking; any number of threads may use it, writers take turns.
pub struct Store {
    path: PathBuf,
    open: Box<Opener>,
    /// `None` after an I/O error until the next use opens the file again.
    db: RwLock<Option<Db>>,
}

impl Store {
    /// Takes the store of `data`, making it where there is none. `None` when another process has it.
    ///
    /// # Errors
    /// When the file is damaged, of a newer format, or cannot be opened.
    pub fn take(data: &Data) -> Result<Option<Self>, Failure> {
        let owned = data.clone();
        Self::with(data.store(), Box::new(move || file::open(&owned)))
    }

    /// A store on storage of the caller's making, for tests that break it. `storage` is called for every opening.
    ///
    /// # Errors
    /// As [`Store::take`].
    pub fn on<B: StorageBackend>(storage: impl Fn() -> B + Send + Sync + 'static) -> Result<Self, Failure> {
        let path = PathBuf::from("(memory)");
        let shown = path.clone();
        let open = move || {
            let opened = guarded(|| {
                let db = file::builder().create_with_backend(storage())?;
                if file::format_of(&db.begin_read()?)? != Some(FORMAT) {
                    file::lay_out(&db)?;
                }
                Ok(Db::Write(db))
            });
            opened.map_err(|error| Refusal::Broken(failure(&shown, &error)))
        };
        Self::with(path, Box::new(open))?
            .ok_or_else(|| Class::Internal.because("storage in memory has no lock"))
    }

    fn with(path: PathBuf, open: Box<Opener>) -> Result<Option<Self>, Failure> {
        let db = match open() {
            Ok(db) => Some(db),
            Err(Refusal::Held) => return Ok(None),
            Err(Refusal::Broken(failure)) => return Err(failure),
        };
        Ok(Some(Self { path, open, db: RwLock::new(db) }))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps `records` and `states` in one transaction, durable when this returns. A record whose id is kept already
    /// is left as it is. Answers how many records were new.
    ///
    /// # Errors
    /// `usage` for a record that the store refuses: then nothing was kept. `internal` when the disk refuses: then
    /// nothing was kept either, or (redb cannot say after a failed sync) it was looked for and not found.
    pub fn commit(&self, records: &[Record], states: &[(String, Vec<u8>)]) -> Result<u64, Failure> {
        let rows = records.iter().map(Row::of).collect::<Result<Vec<_>, _>>()?;
        self.commit_rows(&rows, states)
    }

    pub(super) fn commit_rows(&self, rows: &[Row], states: &[(String, Vec<u8>)]) -> Result<u64, Failure> {
        let written = self.write(|transaction| {
            let new = insert::rows(transaction, rows)?;
            insert::states(transaction, states)?;
            Ok(new)
        });
        let Err(first) = written else {
            return written;
        };
        // A failed commit may be durable all the same: open the file again and look (never sync again).
        match self.read(|transaction| holds(transaction, rows, states)) {
            Ok(true) => Ok(rows.len() as u64),
            _ => Err(first),
        }
    }

    /// The state kept under `key`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.read(|transaction| {
            let table = transaction.open_table(STATE)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        })
    }

    /// How many records there are.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count(&self) -> Result<u64, Failure> {
        self.read(|transaction| Ok(transaction.open_table(RECORD)?.len()?))
    }

    /// Reads at one moment of the store.
    pub(super) fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Redb<T>) -> Result<T, Failure> {
        let result = self.with_db(|db| work(&db.begin_read()?))?;
        result.map_err(|error| self.told(&error))
    }

    /// Runs `work` in one transaction and commits it.
    pub(super) fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Redb<T>) -> Result<T, Failure> {
        // The disk may have become writable since the file was opened to read.
        if matches!(*self.ensure_open()?, Some(Db::Read(_))) {
            self.close();
        }
        let result = self.with_db(|db| {
            let transaction = db.begin_write()?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        })?;
        result.map_err(|error| {
            self.close();
            self.told(&error)
        })
    }

    /// Gives free space inside the file back to the disk. Answers whether there was any.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn compact(&self) -> Result<bool, Failure> {
        self.alone(|db| Ok(db.compact()?))
    }

    /// redb's own check of every page; true when all was well.
    pub(super) fn check_pages(&self) -> Result<bool, Failure> {
        self.alone(|db| Ok(db.check_integrity()?))
    }

    /// Work that needs the file without any transaction beside it.
    fn alone<T>(&self, work: impl FnOnce(&mut Database) -> Redb<T>) -> Result<T, Failure> {
        drop(self.ensure_open()?);
        let mut held = self.db.write().unwrap_or_else(PoisonError::into_inner);
        let result = match held.as_mut() {
            Some(Db::Write(db)) => guarded(|| work(db)),
            Some(Db::Read(_)) => Err(std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem).into()),
            None => Err(redb::Error::DatabaseClosed),
        };
        if result.is_err() {
            let_go(held.take());
        }
        drop(held);
        result.map_err(|error| self.told(&error))
    }

    fn with_db<T>(&self, work: impl FnOnce(&Db) -> Redb<T>) -> Result<Redb<T>, Failure> {
        let held = self.ensure_open()?;
        let db = held.as_ref().ok_or_else(|| self.told(&redb::Error::DatabaseClosed))?;
        Ok(guarded(|| work(db)))
    }

    fn ensure_open(&self) -> Result<RwLockReadGuard<'_, Option<Db>>, Failure> {
        let held = self.db.read().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Ok(held);
        }
        drop(held);
        let mut empty = self.db.write().unwrap_or_else(PoisonError::into_inner);
        if empty.is_none() {
            *empty = Some((self.open)().map_err(|refusal| match refusal {
                Refusal::Held => self.told(&redb::Error::DatabaseAlreadyOpen),
                Refusal::Broken(failure) => failure,
            })?);
        }
        drop(empty);
        Ok(self.db.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets go of the file after an error; the next use opens it again.
    fn close(&self) {
        let_go(self.db.write().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn told(&self, error: &redb::Error) -> Failure {
        failure(&self.path, error)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether all of a commit is there.
fn holds(transaction: &ReadTransaction, rows: &[Row], states: &[(String, Vec<u8>)]) -> Redb<bool> {
    let record = transaction.open_table(RECORD)?;
    for row in rows {
        if record.get(row.id())?.is_none() {
            return Ok(false);
        }
    }
    let state = transaction.open_table(STATE)?;
    for (key, value) in states {
        if state.get(key.as_str())?.is_none_or(|kept| kept.value() != value) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads a stored record's JSON.
pub(super) fn record_of(octets: &[u8]) -> Redb<Record> {
    serde_json::from_slice(octets).map_err(|_| corrupt("record"))
}
