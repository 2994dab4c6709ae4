//! The way in: the same calls whether this process holds the store or another one does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::held::Held;
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
    /// What can be kept nowhere else now. Locked while that is tried, so that an older state never follows a newer one.
    held: Mutex<Held>,
    /// What is told of it.
    waiting: Mutex<Option<Waiting>>,
}

/// What is held in memory because it cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many records; 0 where only autoperf's states wait.
    pub records: u64,
    /// Why.
    pub why: Failure,
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
        settings.check().map_err(|fault| fault.of_section("store"))?;
        // A directory that cannot be written can still be read; what needs writing fails by itself. One that others
        // may write to cannot be believed.
        if let Err(failure) = data.make()
            && (!data.store().exists() || data.is_exposed())
        {
            return Err(failure);
        }
        let access = Self {
            data: data.clone(),
            settings: settings.clone(),
            store: Mutex::new(None),
            held: Mutex::default(),
            waiting: Mutex::default(),
        };
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

    /// As [`Access::commit`]; what cannot be kept now goes into the spool or, where that fails too, is held in memory
    /// and tried again with every call and by the owner's upkeep. [`Access::finish`] says what came of it.
    ///
    /// # Errors
    /// `usage` for a record that the store refuses.
    pub fn commit_or_hold(&self, records: &[Record], states: &[(String, Vec<u8>)]) -> Result<(), Failure> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&mut held);
        if held.is_empty() {
            match self.commit(records, states) {
                Err(failure) if failure.class != Class::Usage => held.failed(failure, clock::now().mono),
                done => return done,
            }
        }
        let is_spooled = held.count() == 0 && self.leave(records);
        held.add(if is_spooled { &[] } else { records }, states)?;
        self.tell(&held);
        Ok(())
    }

    /// Tries again to keep what is held in memory.
    pub fn retry(&self) {
        self.settle(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What is held in memory, if anything is.
    pub fn waiting(&self) -> Option<Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries for the last time to keep what is held in memory.
    ///
    /// # Errors
    /// When something is lost: how much, and why.
    pub fn finish(&self) -> Result<(), Failure> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.hurry();
        self.settle(&mut held);
        drop(held);
        self.waiting().map_or(Ok(()), |Waiting { records, why }| {
            let lost = match records {
                0 => "what is remembered of the targets".to_owned(),
                records => format!("{records} of autoperf's records"),
            };
            Err(why.class.because(format_args!("{lost} could not be kept: {why}")))
        })
    }

    /// The newest state under `key`: the one that is held in memory, else the one that is kept, through the owner if need
    /// be.
    ///
    /// # Errors
    /// As [`Access::commit`].
    pub fn load(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).state(key);
        if held.is_some() {
            return Ok(held);
        }
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

    /// Moves what is `held` into the store or the spool, unless that was tried just now.
    fn settle(&self, held: &mut Held) {
        if held.is_empty() || !held.is_due(clock::now().mono) {
            return;
        }
        let records = held.records();
        match self.commit(&records, &held.states()) {
            Ok(()) => *held = Held::default(),
            Err(failure) => {
                held.failed(failure, clock::now().mono);
                if self.leave(&records) {
                    held.forget_records();
                }
            }
        }
        self.tell(held);
    }

    /// Leaves `records` in the spool; whether it takes them.
    fn leave(&self, records: &[Record]) -> bool {
        let kept = self.spool().keep(records, &self.settings, clock::now().timestamp());
        control::client::nudge(&self.data);
        kept.is_ok()
    }

    /// Notes how it stands with what is `held`; logs when that changes.
    fn tell(&self, held: &Held) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let known = waiting.take();
        *waiting = held.why().map(|why| Waiting { records: held.count(), why: why.clone() });
        match (known, &*waiting) {
            (Some(known), Some(waiting)) if known.why == waiting.why => {}
            (_, Some(Waiting { why, .. })) => tracing::error!(%why, "held in memory until it can be kept"),
            (Some(_), None) => tracing::warn!("what was held in memory is kept"),
            (None, None) => {}
        }
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
