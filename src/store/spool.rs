//! The spool: one file per record, left by processes that do not hold the store, taken in by the one that does.
//!
//! A record is in when its file is: written beside, synced, renamed, directory synced (promise R2). The spool is
//! bounded (promise R4): when it is full raw samples are thinned first, then the oldest records are counted into a
//! [`Gap`] and let go, never silently. What cannot be read goes to `spool/rejected/`, with a line in the log.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::data::{Data, sync_dir};
use super::fault::words;
use super::insert::Row;
use super::record::{Gap, MOST_OCTETS, Record, first_id, millis, since_epoch, thinned};
use super::{Settings, Store};
use crate::failure::Failure;
use crate::sys::lock::Lock;
use crate::units::Timestamp;

/// Records and octets that go into one transaction.
const BATCH: usize = 1_000;
const BATCH_OCTETS: usize = 16 << 20;
/// A file takes at least this much of a disk.
const BLOCK: u64 = 4_096;

/// The spool of a data directory.
pub struct Spool<'a> {
    data: &'a Data,
    dir: PathBuf,
}

/// A file in the spool, by its name: the record's id.
struct Entry {
    id: Uuid,
    path: PathBuf,
    size: u64,
}

impl<'a> Spool<'a> {
    /// The spool of `data`.
    pub fn of(data: &'a Data) -> Self {
        Self { dir: data.spool(), data }
    }

    /// Leaves `records`, durable when this returns, making room first where the spool is full.
    ///
    /// # Errors
    /// `usage` for a record that the store would refuse; the system's when it cannot be written.
    pub fn keep(&self, records: &[Record], settings: &Settings, now: Timestamp) -> Result<(), Failure> {
        self.data.make()?;
        let mut incoming = 0;
        let mut files = Vec::with_capacity(records.len());
        for record in records {
            record.check()?;
            let octets = record.encode()?;
            incoming += on_disk(octets.len() as u64);
            files.push((record.id(), octets));
        }
        self.make_room(incoming, settings, now)?;
        for (id, octets) in files {
            self.data.put(&self.file_of(id), &octets)?;
        }
        Ok(())
    }

    /// Moves everything into `store`. Answers how many records were taken in.
    ///
    /// # Errors
    /// When the spool cannot be read or the store cannot be written; what is not taken in stays.
    pub fn drain(&self, store: &Store) -> Result<u64, Failure> {
        let mut taken = 0;
        let (mut rows, mut done, mut octets) = (Vec::new(), Vec::new(), 0);
        for entry in self.entries()? {
            match self.read(&entry) {
                Ok(Some(row)) => {
                    octets += row.size();
                    rows.push(row);
                    done.push(entry.path);
                }
                Ok(None) => {}
                Err(why) => self.reject(&entry.path, &why),
            }
            if rows.len() == BATCH || octets > BATCH_OCTETS {
                taken += self.take_in(store, &rows, &done)?;
                rows.clear();
                done.clear();
                octets = 0;
            }
        }
        if !rows.is_empty() {
            taken += self.take_in(store, &rows, &done)?;
        }
        Ok(taken)
    }

    /// How many records wait, their octets on disk, and how many files were rejected.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn size(&self) -> Result<(u64, u64, u64), Failure> {
        let entries = self.entries()?;
        let octets = entries.iter().map(|entry| entry.size).sum();
        let rejected = fs::read_dir(self.dir.join("rejected")).map_or(0, |files| files.count() as u64);
        Ok((entries.len() as u64, octets, rejected))
    }

    /// Keeps `rows` in the store, then removes their files. Where that fails in one piece it is tried in halves: on a disk
    /// that the spool itself has filled there is room for a few at a time.
    fn take_in(&self, store: &Store, rows: &[Row], files: &[PathBuf]) -> Result<u64, Failure> {
        match store.commit_rows(rows, &[]) {
            Ok(_) => {}
            Err(failure) if rows.len() < 2 => return Err(failure),
            Err(_) => {
                let half = rows.len() / 2;
                let first = self.take_in(store, &rows[..half], &files[..half])?;
                return Ok(first + self.take_in(store, &rows[half..], &files[half..])?);
            }
        }
        for path in files {
            // A file that stays is taken in again later, and found to be there: harmless.
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(path = %path.display(), error = words(&error), "spool: cannot remove what was taken in");
            }
        }
        Ok(rows.len() as u64)
    }

    /// The record in a file; `None` when it is gone or cannot be read just now; an error when it never will be.
    fn read(&self, entry: &Entry) -> Result<Option<Row>, String> {
        let octets = match read_file(&entry.path) {
            Ok(octets) => octets,
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(words(&error)),
            Err(error) if error.raw_os_error() == Some(nix::libc::ELOOP) => {
                return Err("a symbolic link".to_owned());
            }
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                tracing::warn!(path = %entry.path.display(), error = words(&error), "spool: cannot read a record; it stays");
                return Ok(None);
            }
        };
        let record = Record::decode(&octets).map_err(|failure| failure.detail)?;
        if record.id() != entry.id {
            return Err(format!("named {}, but it is {}", entry.id, record.id()));
        }
        Row::of(&record).map(Some).map_err(|failure| failure.detail)
    }

    fn reject(&self, path: &Path, why: &str) {
        let rejected = self.dir.join("rejected");
        let name = path.file_name().unwrap_or_default();
        let moved = fs::create_dir_all(&rejected).and_then(|()| fs::rename(path, rejected.join(name)));
        let why: String = why.chars().filter(|c| !c.is_control()).take(200).collect();
        match moved {
            Ok(()) => tracing::warn!(file = ?name, why, "spool: put aside in spool/rejected"),
            Err(error) => {
                tracing::warn!(file = ?name, why, error = words(&error), "spool: cannot put it aside")
            }
        }
    }

    fn file_of(&self, id: Uuid) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }

    /// Every record's file, oldest first. A spool that is not there is empty.
    fn entries(&self) -> Result<Vec<Entry>, Failure> {
        let failed =
            |error: &std::io::Error| Failure::from_io(format_args!("read {}", self.dir.display()), error);
        let files = match fs::read_dir(&self.dir) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&error)),
        };
        let mut entries = Vec::new();
        for file in files {
            let file = file.map_err(|error| failed(&error))?;
            let name = file.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            // Unfinished files begin with a dot.
            if stem.starts_with('.') {
                continue;
            }
            let Ok(id) = Uuid::parse_str(stem) else {
                self.reject(&file.path(), "its name is not an id");
                continue;
            };
            let size = file.metadata().map_or(0, |found| on_disk(found.len()));
            entries.push(Entry { id, path: file.path(), size });
        }
        entries.sort_unstable_by_key(|entry| entry.id);
        Ok(entries)
    }

    /// Makes room for `incoming` octets: thins raw samples, then counts the oldest into a gap.
    fn make_room(&self, incoming: u64, settings: &Settings, now: Timestamp) -> Result<(), Failure> {
        if !self.is_over(incoming, settings, now)? {
            return Ok(());
        }
        let lock = self.dir.join(".room");
        let held = Lock::take(&lock)
            .map_err(|error| Failure::from_io(format_args!("lock {}", lock.display()), &error))?;
        // Somebody else is making room; his and ours overlap by a few records at most.
        let Some(_held) = held else {
            return Ok(());
        };
        self.thin(incoming, settings)?;
        self.let_go(incoming, settings, now)
    }

    fn is_over(&self, incoming: u64, settings: &Settings, now: Timestamp) -> Result<bool, Failure> {
        let entries = self.entries()?;
        let total: u64 = entries.iter().map(|entry| entry.size).sum();
        let cut = oldest_kept(&entries, settings, now);
        Ok(total + incoming > settings.spool_bytes
            || entries.first().is_some_and(|first| first.id.as_u128() < cut))
    }

    /// Drops raw samples of the oldest records until there is room, where a sketch of them stays.
    fn thin(&self, incoming: u64, settings: &Settings) -> Result<(), Failure> {
        let entries = self.entries()?;
        let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
        for entry in entries {
            if total + incoming <= settings.spool_bytes {
                break;
            }
            let Some(thinned) = read_file(&entry.path).ok().and_then(|octets| thinned(&octets)) else {
                continue;
            };
            self.data.put(&entry.path, &thinned)?;
            total = total.saturating_sub(entry.size) + on_disk(thinned.len() as u64);
        }
        Ok(())
    }

    /// Counts the oldest records into a gap, then removes them: a tenth of the spool at once, so that gaps are few.
    fn let_go(&self, incoming: u64, settings: &Settings, now: Timestamp) -> Result<(), Failure> {
        let entries = self.entries()?;
        let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
        let cut = oldest_kept(&entries, settings, now);
        let full = total + incoming > settings.spool_bytes;
        let aim = settings.spool_bytes - settings.spool_bytes / 10;
        let victims: Vec<&Entry> = entries
            .iter()
            .take_while(|entry| {
                let goes = entry.id.as_u128() < cut || (full && total + incoming > aim);
                total -= entry.size;
                goes
            })
            .collect();
        let read = |entry: &&Entry| {
            (entry.id, read_file(&entry.path).ok().and_then(|octets| Record::decode(&octets).ok()))
        };
        let read: Vec<_> = victims.iter().map(read).collect();
        let why = if full { "the spool was full" } else { "the spool kept them too long" };
        let Some(gap) = Gap::over(&read, why) else {
            return Ok(());
        };
        // The gap is durable before what it counts goes: a crash between the two counts too many, never too few.
        let gap_path = self.file_of(gap.id);
        let lost = gap.lost;
        self.data.put(&gap_path, &Record::Gap(gap).encode()?)?;
        for victim in victims.iter().filter(|victim| victim.path != gap_path) {
            if let Err(error) = fs::remove_file(&victim.path) {
                return Err(Failure::from_io(format_args!("remove {}", victim.path.display()), &error));
            }
        }
        tracing::warn!(lost, "spool: full; the oldest records were given up and counted");
        sync_dir(&self.dir)
            .map_err(|error| Failure::from_io(format_args!("sync {}", self.dir.display()), &error))
    }
}

/// Ids below this are too old. Time is the wall clock, but never beyond the newest record in the spool.
fn oldest_kept(entries: &[Entry], settings: &Settings, now: Timestamp) -> u128 {
    let newest = entries.last().map_or(0, |entry| millis(entry.id));
    let age = u64::try_from(settings.spool_age.0.as_millis()).unwrap_or(u64::MAX);
    first_id(newest.min(since_epoch(now)).saturating_sub(age))
}

fn on_disk(octets: u64) -> u64 {
    octets.next_multiple_of(BLOCK).max(BLOCK)
}

/// Reads a private regular file, not through a link. `InvalidData` when it is anything else, or too large.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let invalid = |why: &str| std::io::Error::new(ErrorKind::InvalidData, why);
    let mut options = OpenOptions::new();
    // Not blocking: a FIFO in the spool must not hold the owner up.
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    let file = options.read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?;
    let dir = path.parent().map(fs::metadata).transpose()?;
    let mine = found.uid() == nix::unistd::geteuid().as_raw()
        || found.uid() == 0
        || dir.is_some_and(|dir| dir.uid() == found.uid());
    if !found.is_file() || !mine {
        return Err(invalid("not a file of this service's user"));
    }
    let mut octets = Vec::new();
    file.take(MOST_OCTETS as u64 + 1).read_to_end(&mut octets)?;
    if octets.len() > MOST_OCTETS {
        return Err(invalid("too large for a record"));
    }
    Ok(octets)
}
