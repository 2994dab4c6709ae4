//! A datagram socket that an async task waits for: its datagrams and its error queue.

#![expect(unsafe_code, reason = "registering a descriptor with the runtime is unsafe")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Socket;

/// A socket that the runtime watches.
#[derive(Debug)]
pub struct Watched(AsyncFd<Inner>);

#[derive(Debug)]
struct Inner(Socket);

impl AsRawFd for Inner {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Watched {
    /// Hands `socket` to the runtime of this task.
    ///
    /// # Errors
    /// What epoll_ctl(2) says.
    pub fn new(socket: Socket) -> io::Result<Self> {
        let interest = Interest::READABLE | Interest::ERROR;
        // SAFETY: the descriptor is owned by what is handed over, which gives it away to nobody, so it stays open and the same
        // until it is taken from the runtime, when this value is dropped.
        let watched = unsafe { AsyncFd::register_with_interest(Inner(socket), interest) };
        watched.map(Self).map_err(io::Error::from)
    }

    /// The socket itself.
    pub fn socket(&self) -> &Socket {
        &self.0.get_ref().0
    }

    /// Waits until `take` finds something; it is called whenever there may be news, and is to find nothing only when there is
    /// nothing left to receive.
    ///
    /// # Errors
    /// When the runtime ends.
    pub async fn take<T>(&self, mut take: impl FnMut(&Socket) -> Option<T>) -> io::Result<T> {
        loop {
            let mut ready = self.0.ready(Interest::READABLE | Interest::ERROR).await?;
            match take(self.socket()) {
                Some(found) => return Ok(found),
                None => ready.clear_ready(),
            }
        }
    }
}
