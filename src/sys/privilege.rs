//! Giving up what a process may do. Irreversible, and before any thread is started.

use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, User, setgroups, setresgid, setresuid};

use super::capability;

/// An account of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// The account called `name`, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        let user = User::from_name(name).ok().flatten()?;
        Some(Self { name: user.name, uid: user.uid, gid: user.gid })
    }

    /// The account that the directory at `dir` belongs to; none where that is root, or there is no directory.
    pub fn owning(dir: &Path) -> Option<Self> {
        let found = std::fs::metadata(dir).ok().filter(|found| found.is_dir() && found.uid() != 0)?;
        let (uid, gid) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
        let known = User::from_uid(uid).ok().flatten();
        let (name, gid) = known.map_or_else(|| (format!("uid {uid}"), gid), |user| (user.name, user.gid));
        Some(Self { name, uid, gid })
    }

    /// Gives the directory at `dir`, and all in it, to this account, where they are root's and nobody else may
    /// write there. Links are not followed.
    ///
    /// # Errors
    /// What the system says.
    pub fn take_over(&self, dir: &Path) -> io::Result<()> {
        let found = std::fs::symlink_metadata(dir)?;
        if found.uid() != 0 || !found.is_dir() || found.mode() & 0o022 != 0 {
            return Ok(());
        }
        for entry in std::fs::read_dir(dir)? {
            let (path, found) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            if found.is_dir() {
                self.take_over(&path)?;
            } else if found.uid() == 0 {
                lchown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))?;
            }
        }
        lchown(dir, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
    }

    /// Becomes this account for good: groups, real, effective and saved ids. With them go all capabilities.
    ///
    /// # Errors
    /// What the system says; the process must not go on then.
    pub fn become_it(&self) -> io::Result<()> {
        setgroups(&[self.gid])?;
        setresgid(self.gid, self.gid, self.gid)?;
        setresuid(self.uid, self.uid, self.uid)?;
        Ok(())
    }
}

/// What every server gives up, root or not: capabilities, new privileges, core dumps, being looked into, files for
/// others. Also who stays root can do no more with it than open the files that are root's.
///
/// # Errors
/// What the system says.
pub fn harden() -> io::Result<()> {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    prctl::set_dumpable(false)?;
    forbid_new()?;
    capability::clear()
}

/// No program that the calling thread, or one that it starts, executes may do more than it does itself.
///
/// # Errors
/// What the system says.
pub fn forbid_new() -> io::Result<()> {
    Ok(prctl::set_no_new_privs()?)
}
