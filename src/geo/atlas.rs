//! Databases that follow their files: replaced ones are read anew, broken ones leave what was there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Databases;
use crate::sys::clock;

/// Where distributions and MaxMind's updater put databases.
const PLACES: [&str; 2] = ["/usr/share/GeoIP", "/var/lib/GeoIP"];
/// How long a look at the files is believed.
const FRESH: Duration = Duration::from_secs(5);

/// The databases of this installation, cheap to clone. They are read when they are first asked for.
#[derive(Clone)]
pub struct Atlas(Arc<Inner>);

struct Inner {
    /// These and no others, if there are any.
    files: Vec<PathBuf>,
    /// The directories whose databases are used where `files` names none.
    places: Vec<PathBuf>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    databases: Arc<Databases>,
    /// What they were read from.
    files: Vec<Mark>,
    looked: Option<Instant>,
}

/// A file, and by what it is told from the one that takes its place.
#[derive(Clone, PartialEq, Eq)]
struct Mark {
    file: PathBuf,
    inode: u64,
    modified: (i64, i64),
    size: u64,
}

impl Default for Atlas {
    fn default() -> Self {
        Self::of(Vec::new(), None)
    }
}

impl Atlas {
    /// Of `files`; without any, of what lies in `own` and in the usual places.
    pub fn of(files: Vec<PathBuf>, own: Option<PathBuf>) -> Self {
        let places = own.into_iter().chain(PLACES.map(PathBuf::from)).collect();
        Self(Arc::new(Inner { files, places, held: Mutex::default() }))
    }

    /// The databases as they lie there now, a few seconds ago at most. Reads files: not for an async thread.
    pub fn current(&self) -> Arc<Databases> {
        let now = clock::now().mono;
        // A thread that panicked here has left what was there before.
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.looked.is_some_and(|looked| now.saturating_duration_since(looked) < FRESH) {
            return Arc::clone(&held.databases);
        }
        held.looked = Some(now);
        let marks: Vec<Mark> = self.files().into_iter().filter_map(Mark::of).collect();
        if marks != held.files {
            let files: Vec<PathBuf> = marks.iter().map(|mark| mark.file.clone()).collect();
            let mut broken = false;
            let complain = |file: &Path, why: &str| {
                broken = true;
                tracing::warn!(file = %file.display(), why, "no database of places; what it would tell is null");
            };
            let read = Databases::open_what_can(&files, complain);
            // A replacement that cannot be read does not take away what was there.
            if !broken || held.files.is_empty() {
                held.databases = Arc::new(read);
            }
            held.files = marks;
        }
        Arc::clone(&held.databases)
    }

    /// What it reads: the files that were named, else any in the places where they usually lie, for each of which one stands.
    pub fn reads(&self) -> Vec<PathBuf> {
        match &self.0.files[..] {
            [] => self.0.places.iter().map(|place| place.join("any.mmdb")).collect(),
            named => named.to_vec(),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        if !self.0.files.is_empty() {
            return self.0.files.clone();
        }
        let listed = |place: &PathBuf| {
            let entries = fs::read_dir(place).into_iter().flatten().flatten();
            let mut files: Vec<PathBuf> =
                entries.map(|entry| entry.path()).filter(|file| is_database(file)).collect();
            files.sort();
            files
        };
        self.0.places.iter().flat_map(listed).collect()
    }
}

fn is_database(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".mmdb") && !name.starts_with('.')
}

impl Mark {
    fn of(file: PathBuf) -> Option<Self> {
        // One that is named and not there is told when it is read.
        let about = fs::metadata(&file).ok();
        let about = about.as_ref();
        Some(Self {
            inode: about.map_or(0, MetadataExt::ino),
            modified: about.map_or((0, 0), |about| (about.mtime(), about.mtime_nsec())),
            size: about.map_or(0, MetadataExt::size),
            file,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::databases::tests::database;
    use super::*;

    /// An atlas that looks again.
    fn again(atlas: &Atlas) -> Arc<Databases> {
        atlas.0.held.lock().expect("no panic").looked = None;
        atlas.current()
    }

    #[test]
    fn a_replaced_file_is_read_and_a_broken_one_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("a.mmdb");
        let atlas = Atlas::of(vec![file.clone()], None);
        assert_eq!(atlas.current().about().count(), 0);
        let built = |databases: &Databases| {
            databases.about().next().and_then(|about| about.built).map(|built| built.as_second())
        };
        let put = |octets: &[u8]| {
            let new = directory.path().join("new");
            fs::write(&new, octets).expect("write");
            fs::rename(&new, &file).expect("rename");
        };
        put(&database(1_000_000));
        assert_eq!(built(&atlas.current()), None, "a look is believed for a while");
        assert_eq!(built(&again(&atlas)), Some(1_000_000));
        put(&database(2_000_000));
        assert_eq!(built(&again(&atlas)), Some(2_000_000));
        put(b"no database");
        assert_eq!(built(&again(&atlas)), Some(2_000_000));
        put(&database(3_000_000));
        assert_eq!(built(&again(&atlas)), Some(3_000_000));
    }

    #[test]
    fn a_directory_of_ones_own_comes_first() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["b.mmdb", "a.mmdb", ".half.mmdb", "readme.txt"] {
            fs::write(directory.path().join(name), database(1)).expect("write");
        }
        let files = Atlas::of(Vec::new(), Some(directory.path().to_owned())).files();
        let names: Vec<_> = files.iter().filter(|file| file.starts_with(directory.path())).collect();
        assert_eq!(names, [&directory.path().join("a.mmdb"), &directory.path().join("b.mmdb")]);
    }
}
