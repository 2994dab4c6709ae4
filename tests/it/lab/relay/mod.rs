//! A link's impairments in user space: seeded delay, jitter, loss, duplication, reordering and
//! rate, with a log of what really happened to every packet. It stands in for netem, which many
//! kernels lack and which cannot say what it did.
//!
//! Measured on 2 shared cores: a frame leaves 0.03 to 0.1 ms after it is due (median), 0.25 ms at
//! the 99th percentile. Judge a probe by [`Relay::log`], not by the configured value.

mod dice;
mod frame;
mod lane;
mod log;
mod profile;
mod pump;
mod socket;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle, panicking};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

pub(crate) use self::log::{Fate, Record, Totals};
pub(crate) use self::profile::{Bottleneck, GilbertElliott, Profile};

use self::lane::{Lane, nanos};
use self::pump::{Pump, now};
use super::namespace::Namespace;
use super::topology::Direction;

/// A running relay; it stops when dropped.
pub(crate) struct Relay {
    shared: Arc<Shared>,
    /// The end of the pipe whose closing tells the pump to stop, and the pump's thread.
    running: Option<(OwnedFd, JoinHandle<io::Result<()>>)>,
}

/// What the pump and the tests both see.
struct Shared {
    lanes: [Mutex<Lane>; 2],
    log: Mutex<Vec<Record>>,
}

impl Shared {
    fn lane(&self, direction: Direction) -> MutexGuard<'_, Lane> {
        lock(&self.lanes[direction as usize])
    }

    fn log(&self) -> MutexGuard<'_, Vec<Record>> {
        lock(&self.log)
    }
}

impl Relay {
    /// Starts a relay between two interfaces of a namespace.
    pub(super) fn start(
        namespace: &Namespace,
        [client, server]: [&'static str; 2],
        [up, down]: [Profile; 2],
        seed: u64,
    ) -> Self {
        // Two seeds far apart in SplitMix64's sequence, so that the directions are independent.
        let lanes = [Lane::new(up, seed), Lane::new(down, !seed)].map(Mutex::new);
        let shared = Arc::new(Shared { lanes, log: Mutex::default() });
        let (stopped, stop) = pipe2(OFlag::O_CLOEXEC).expect("make a pipe");
        let thread = namespace.run(|| {
            let pump = Pump::open(client, server, Arc::clone(&shared), stopped)
                .expect("open the relay's packet sockets");
            let relay = Builder::new().name("relay".into());
            relay.spawn(|| pump.run()).expect("start the relay's thread")
        });
        Self { shared, running: Some((stop, thread)) }
    }

    /// Everything that arrived, in the order of arrival.
    pub(crate) fn log(&self) -> Vec<Record> {
        self.shared.log().clone()
    }

    /// The sums of one direction.
    pub(crate) fn totals(&self, direction: Direction) -> Totals {
        Totals::of(&self.shared.log(), direction)
    }

    /// Changes the profile of one direction, for packets that arrive from now on.
    pub(crate) fn set(&self, direction: Direction, profile: Profile) {
        self.shared.lane(direction).profile = profile;
    }

    /// Loses everything in both directions, starting `from` now, for `lasting`.
    pub(crate) fn blackout(&self, from: Duration, lasting: Duration) {
        let start = now() + nanos(from);
        for direction in Direction::BOTH {
            self.shared.lane(direction).blackout = start..start + nanos(lasting);
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let Some((stop, thread)) = self.running.take() else {
            return;
        };
        drop(stop);
        let ended = thread.join();
        if !panicking() {
            ended.expect("the relay does not panic").expect("the relay's sockets work");
        }
    }
}

/// A lock whatever happened to the thread that held it: the log of a panicking test is still true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
