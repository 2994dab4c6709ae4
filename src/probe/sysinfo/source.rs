//! The files that everything is read from. Below a root of its own a test has a host of its own.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use procfs_core::FromRead;

use super::Unavailable;
use crate::failure::reason;

/// Octets of a file that are read: /proc's files have no length of their own.
const MOST: u64 = 8 << 20;

/// Octets that most of them have at most.
const USUAL: usize = 16 << 10;

/// Where files are, and what could not be read.
#[derive(Debug)]
pub(super) struct Source {
    root: PathBuf,
    pub(super) unavailable: Vec<Unavailable>,
}

impl Source {
    /// The host's own files.
    pub(super) fn host() -> Self {
        Self::below("/")
    }

    /// The files below `root`.
    pub(super) fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), unavailable: Vec::new() }
    }

    /// The file at the absolute `path`, below the root.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The text of `path`; where that cannot be had, the reason is noted.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        match self.read(path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.lacks(path, &reason(&error));
                None
            }
        }
    }

    /// The text of `path`, which many hosts do not have: that it is not there needs no word.
    pub(super) fn text_if_any(&mut self, path: &str) -> Option<String> {
        match self.read(path) {
            Ok(text) => Some(text),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
            Err(error) => {
                self.lacks(path, &reason(&error));
                None
            }
        }
    }

    /// One word, a number or a name, out of `path`.
    pub(super) fn word<T: std::str::FromStr>(&mut self, path: &str) -> Option<T> {
        self.text_if_any(path)?.split_whitespace().next()?.parse().ok()
    }

    /// What procfs-core makes of `path`.
    pub(super) fn parsed<T: FromRead>(&mut self, path: &str) -> Option<T> {
        let text = self.text(path)?;
        let parsed = T::from_read(text.as_bytes());
        parsed.map_err(|error| self.lacks(path, &error.to_string())).ok()
    }

    /// The names in the directory `path`, sorted.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Notes that `what` cannot be had.
    pub(super) fn lacks(&mut self, what: &str, why: &str) {
        let why = why.lines().next().unwrap_or_default().to_owned();
        self.unavailable.push(Unavailable { what: what.to_owned(), why });
    }

    fn read(&self, path: &str) -> std::io::Result<String> {
        read_text(&self.path(path))
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    // /proc's files have no length: without room they are asked for 32 octets at first, and the kernel makes them anew each time.
    let mut octets = Vec::with_capacity(USUAL);
    fs::File::open(path)?.take(MOST).read_to_end(&mut octets)?;
    // A host's name or a mount point may be of any octets.
    Ok(String::from_utf8_lossy(&octets).into_owned())
}
