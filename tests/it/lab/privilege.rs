//! The right to make namespaces, for root and for an ordinary user alike.
//!
//! A user namespace can only be entered by a process with one thread, and libtest starts threads
//! before any test runs. So an ordinary user's test binary enters its own user namespace before
//! `main`. It maps only the user's own ids and puts every capability out of effect, so tests
//! without a lab notice nothing; the lab's threads and children put them into effect again.

use std::fs;
use std::io;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use super::sys::{Capabilities, capabilities, make_ambient, set_capabilities};

/// Enters a user namespace, unless the user is root or the kernel refuses. A refusal is reported
/// by the first lab that is built, which is the first to need it.
pub(super) extern "C" fn own_user_namespace() {
    let (user, group) = (geteuid(), getegid());
    if user.is_root() || unshare(CloneFlags::CLONE_NEWUSER).is_err() {
        return;
    }
    let _ = fs::write("/proc/self/setgroups", "deny")
        .and_then(|()| fs::write("/proc/self/uid_map", format!("{user} {user} 1")))
        .and_then(|()| fs::write("/proc/self/gid_map", format!("{group} {group} 1")))
        .and_then(|()| put_out_of_effect());
}

/// Puts the capabilities this process has in its user namespace into effect, for this thread and
/// what it executes. Root has them in effect already. Async-signal-safe.
pub(super) fn raise() -> io::Result<()> {
    if geteuid().is_root() {
        return Ok(());
    }
    let permitted = capabilities()?.permitted;
    set_capabilities(Capabilities { effective: permitted, permitted, inheritable: permitted })?;
    (0..u64::BITS).filter(|capability| permitted >> capability & 1 == 1).try_for_each(make_ambient)
}

fn put_out_of_effect() -> io::Result<()> {
    set_capabilities(Capabilities { effective: 0, ..capabilities()? })
}
