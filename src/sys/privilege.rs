//! Giving up what a process may do. Irreversible, and before any thread is started.

use std::io;

use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, User, setgroups, setresgid, setresuid};

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

    /// Gives `path` to this account.
    ///
    /// # Errors
    /// What chown(2) says.
    pub fn own(&self, path: &std::path::Path) -> io::Result<()> {
        Ok(nix::unistd::chown(path, Some(self.uid), Some(self.gid))?)
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

/// What every server gives up, root or not: new privileges, core dumps, being looked into, files for others.
///
/// # Errors
/// What the system says.
pub fn harden() -> io::Result<()> {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    prctl::set_dumpable(false)?;
    prctl::set_no_new_privs()?;
    Ok(())
}
