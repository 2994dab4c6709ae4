//! Waiting for thousands of sockets at once, epoll(7), edge-triggered.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::sys::epoll::{Epoll as Inner, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// A set of sockets, each known by a number.
#[derive(Debug)]
pub struct Epoll {
    inner: Inner,
    events: Vec<EpollEvent>,
}

/// How many sockets one call tells of.
const BATCH: usize = 256;

impl Epoll {
    /// An empty set.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new() -> io::Result<Self> {
        let inner = Inner::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self { inner, events: vec![EpollEvent::empty(); BATCH] })
    }

    /// Tells of `socket`, by `number`, whenever it has become readable, writable or broken. A socket leaves the set when it
    /// is closed.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(&self, socket: impl AsFd, number: u64) -> io::Result<()> {
        let edges = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLERR | EpollFlags::EPOLLET;
        Ok(self.inner.add(socket, EpollEvent::new(edges, number))?)
    }

    /// Waits until there is something to tell, or `timeout` is over: the numbers of the sockets, at most 256.
    ///
    /// # Errors
    /// What the system says, interruptions apart.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<impl Iterator<Item = u64> + '_> {
        // Whole milliseconds, rounded up: a deadline that has passed is better than one that is asked for again.
        let millis = timeout.as_nanos().div_ceil(1_000_000).min(60_000) as u16;
        let count = match self.inner.wait(&mut self.events, EpollTimeout::from(millis)) {
            Ok(count) => count,
            Err(nix::Error::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(self.events[..count].iter().map(EpollEvent::data))
    }
}
