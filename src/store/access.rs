//! The way in: the same calls whether this process holds the store or another one does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::spool::Spool;
use super::{Answer, Data, Pruned, Query, Record, Settings, Store, control};
use crate::failure::{Class, Failure};
use crate::sys::clock;

/// How long a question waits for a process that holds the store without serving questions (a short command).
const PATIENCE: Duration = Duration::from_secs(5);
/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// Access to the store of a data directory. Blocking; share it by `Arc`, and use [`blocking`] from async code.
pub struct Access {
    data: Data,
    settings: Settings,
    /// The store, while this process holds it. Once held it stays held.
    store: Mutex<Option<Arc<Store>>>,
}

/// Who holds the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This process.
    Us,
    /// Another one.
    Other,
}

impl Access {
    /// Opens the way: takes the store where it is free (and what waits in the spool into it), and does not wait where
    /// it is not.
    ///
    /// # Errors
    /// When the directory is not ours, or the store is damaged, newer, or cannot be opened.
    pub fn open(data: &Data, settings: &Settings) -> Result<Self, Failure> {
        super::spool::check(settings)?;
        // A directory that cannot be written can still be read; what needs writing fails by itself. One that others
        // may write to cannot be believed.
        if let Err(failure) = data.make()
            && (!data.store().exists() || data.is_exposed())
        {
            return Err(failure);
        }
        let access = Self { data: data.clone(), settings: settings.clone(), store: Mutex::new(None) };
        access.try_own()?;
        Ok(access)
    }

    /// The data directory.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The settings it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes the store if nobody has it; what waits in the spool goes into it.
    ///
    /// # Errors
    /// When the store is damaged, newer, or cannot be opened.
    pub fn try_own(&self) -> Result<Holder, Failure> {
        let mut held = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Ok(Holder::Us);
        }
        let Some(store) = Store::take(&self.data)? else {
            return Ok(Holder::Other);
        };
        *held = Some(Arc::new(store));
        drop(held);
        if let Err(failure) = self.drain() {
            tracing::warn!(%failure, "spool: cannot be taken in now");
        }
        Ok(Holder::Us)
    }

    /// The store, where this process holds it.
    pub fn store(&self) -> Option<Arc<Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps `records`, durable when this returns: in the store, or in the spool where another process has that.
    ///
    /// # Errors
    /// `usage` for a record that the store refuses; the system's when the disk does.
    pub fn keep(&self, records: &[Record]) -> Result<(), Failure> {
        if let Some(store) = self.store() {
            return store.commit(records, &[]).map(drop);
        }
        self.spool().keep(records, &self.settings, clock::now().timestamp())?;
        control::client::nudge(&self.data);
        Ok(())
    }

    /// Keeps `records` and `states` in one transaction, through the owner if need be. On an error nothing is kept.
    ///
    /// # Errors
    /// `internal` when another process holds the store and serves nobody for 5 s; else as [`Access::keep`].
    pub fn commit(&self, records: &[Record], states: &[(String, Vec<u8>)]) -> Result<(), Failure> {
        self.with_owner(
            |store| store.commit(records, states).map(drop),
            || control::client::commit(&self.data, records, states),
        )
    }

    /// The state kept under `key`, through the owner if need be.
    ///
    /// # Errors
    /// As [`Access::commit`].
    pub fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.with_owner(|store| store.load(key), || control::client::load(&self.data, key))
    }

    /// Answers `query`, through the owner if need be. What waits in the spool is part of the answer.
    ///
    /// # Errors
    /// As [`Access::commit`]; `usage` where the question is wrong.
    pub fn ask(&self, query: &Query) -> Result<Answer, Failure> {
        self.with_owner(|store| self.answer(store, query), || control::client::ask(&self.data, query))
    }

    /// Rolls up what has passed and, once a day, removes what is past its time; nothing where another process
    /// holds the store, which does it itself.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn tidy(&self) -> Result<Pruned, Failure> {
        match self.store() {
            Some(store) => store.tidy(&self.settings.retention, clock::now().timestamp()),
            None => Ok(Pruned::default()),
        }
    }

    /// Takes in what waits in the spool; nothing where another process holds the store. Answers how many records.
    ///
    /// # Errors
    /// When the spool cannot be read or the store cannot be written.
    pub fn drain(&self) -> Result<u64, Failure> {
        match self.store() {
            Some(store) => self.spool().drain(&store),
            None => Ok(0),
        }
    }

    fn answer(&self, store: &Store, query: &Query) -> Result<Answer, Failure> {
        if let Err(failure) = self.spool().drain(store) {
            tracing::warn!(%failure, "spool: cannot be taken in now");
        }
        let mut answer = store.ask(query)?;
        if let Answer::Stats(stats) = &mut answer {
            (stats.spool_records, stats.spool_bytes, stats.spool_rejected) = self.spool().size()?;
        }
        Ok(answer)
    }

    fn spool(&self) -> Spool<'_> {
        Spool::of(&self.data)
    }

    /// Does it here where we hold the store or can take it, else through its owner; waits a little for a holder that
    /// serves nobody.
    fn with_owner<T>(
        &self,
        here: impl Fn(&Store) -> Result<T, Failure>,
        there: impl Fn() -> Result<T, control::client::Trouble>,
    ) -> Result<T, Failure> {
        let end = clock::now().mono + PATIENCE;
        let mut pause = PAUSES.0;
        loop {
            if self.try_own()? == Holder::Us
                && let Some(store) = self.store()
            {
                return here(&store);
            }
            match there() {
                Ok(answer) => return Ok(answer),
                Err(control::client::Trouble::Refused(failure)) => return Err(failure),
                Err(control::client::Trouble::Away(why)) if clock::now().mono >= end => {
                    return Err(Class::Internal.because(format_args!(
                        "store {}: in use by another process that answers nobody ({why})",
                        self.data.store().display()
                    )));
                }
                Err(control::client::Trouble::Away(_)) => {}
            }
            wait(pause, end);
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

/// Blocks this thread for `pause`, but not beyond `end`. Nothing announces that another process has let go of a lock.
fn wait(pause: Duration, end: Instant) {
    let left = end.saturating_duration_since(clock::now().mono);
    std::thread::park_timeout(pause.min(left).max(Duration::from_millis(1)));
}

/// Runs `work` on a thread where it may block.
///
/// # Errors
/// Those of `work`; `internal` when it panicked.
pub async fn blocking<T: Send + 'static>(
    access: &Arc<Access>,
    work: impl FnOnce(&Access) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let access = Arc::clone(access);
    apart(move || work(&access)).await
}

/// Runs `work`, which opens its own way in, on a thread where it may block.
///
/// # Errors
/// Those of `work`; `internal` when it panicked.
pub async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Class::Internal.because("the store's thread broke off")))
}
