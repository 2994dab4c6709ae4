//! Who may use the machine: labs share it, but a test that measures time has it for itself,
//! among all test processes of the machine.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::marker::PhantomData;

use nix::fcntl::{Flock, FlockArg};

thread_local! {
    /// Whether this thread has the machine for itself, and its labs need not wait for it.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// A share in the machine; given back when dropped.
pub(crate) struct Turn {
    _lock: Option<Flock<File>>,
}

/// The machine for oneself, for as long as this lives; belongs to the thread that took it.
pub(crate) struct Alone {
    _lock: Flock<File>,
    _of_this_thread: PhantomData<*const ()>,
}

/// Waits until no lab is running, and keeps new ones of other threads waiting. Take it before
/// building the lab.
pub(crate) fn alone() -> Alone {
    let lock = lock(FlockArg::LockExclusive);
    ALONE.set(true);
    Alone { _lock: lock, _of_this_thread: PhantomData }
}

/// Waits until nobody has the machine for himself. Labs take such a share; so does what is busy without one.
pub(crate) fn shared() -> Turn {
    let lock = (!ALONE.get()).then(|| lock(FlockArg::LockShared));
    Turn { _lock: lock }
}

impl Drop for Alone {
    fn drop(&mut self) {
        ALONE.set(false);
    }
}

fn lock(kind: FlockArg) -> Flock<File> {
    let file = open().expect("open the lab's lock file");
    Flock::lock(file, kind).unwrap_or_else(|(_, error)| panic!("lock the lab: {error}"))
}

/// Opens the lock file of all users. It is opened to create only if it is not there: the kernel
/// refuses that for somebody else's file in /tmp (fs.protected_regular).
fn open() -> io::Result<File> {
    let path = std::env::temp_dir().join("waddleperf-lab.lock");
    File::open(&path).or_else(|_| {
        File::options().create(true).append(true).open(&path)?;
        File::open(&path)
    })
}
