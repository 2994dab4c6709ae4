//! DATA, the one directory that waddleperf writes to: store, spool, locks, sockets, identity.

use std::path::{Path, PathBuf};

/// The data directory. It need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data(PathBuf);

impl Data {
    /// The directory at `path`, whether or not it exists yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }
}
