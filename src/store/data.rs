//! DATA, the one directory that waddleperf writes to: store, spool, locks, sockets, identity.

use std::env;
use std::path::{Path, PathBuf};

/// The data directory. It need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data(PathBuf);

impl Data {
    /// `chosen` (`--data`), else systemd's `STATE_DIRECTORY`, else `$XDG_STATE_HOME/waddleperf`, else
    /// `/var/lib/waddleperf` for root and `~/.local/state/waddleperf` for others (design §6).
    pub fn locate(chosen: Option<&Path>) -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        if let Some(chosen) = chosen {
            return Self(chosen.to_owned());
        }
        if let Some(list) = set("STATE_DIRECTORY") {
            // A unit may name several, separated by colons; the first is ours.
            let list = list.to_string_lossy();
            return Self(list.split(':').next().unwrap_or_default().into());
        }
        if let Some(state) = set("XDG_STATE_HOME") {
            return Self(PathBuf::from(state).join("waddleperf"));
        }
        match set("HOME") {
            Some(home) if !crate::sys::host::is_root() => {
                Self(PathBuf::from(home).join(".local/state/waddleperf"))
            }
            _ => Self("/var/lib/waddleperf".into()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}
