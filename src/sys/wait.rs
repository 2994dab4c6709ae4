//! Waiting for sockets with nanosecond deadlines, and the switch that ends a wait from another thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};

/// A switch that one thread sets once and others see, also while they wait.
#[derive(Debug)]
pub struct Stop {
    event: EventFd,
    set: AtomicBool,
}

impl Stop {
    /// A switch that is not set.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new() -> io::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self { event, set: AtomicBool::new(false) })
    }

    /// Sets the switch, for good.
    pub fn set(&self) {
        self.set.store(true, Ordering::Relaxed);
        let _ = self.event.write(1);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// The switch is set.
    pub stop: bool,
    /// Bit n: the n-th socket has something to read.
    pub readable: u64,
    /// Bit n: the n-th socket's error queue has something.
    pub errors: u64,
}

/// Waits until one of `sockets` (at most 63) has something, `stop` is set, or `timeout` is over.
///
/// # Errors
/// What ppoll(2) says, interruptions apart.
pub fn wait(sockets: &[BorrowedFd<'_>], stop: Option<&Stop>, timeout: Option<Duration>) -> io::Result<Woken> {
    let mut polled: Vec<PollFd<'_>> =
        sockets.iter().map(|&socket| PollFd::new(socket, PollFlags::POLLIN)).collect();
    polled.extend(stop.map(|stop| PollFd::new(stop.as_fd(), PollFlags::POLLIN)));
    match ppoll(&mut polled, timeout.map(TimeSpec::from_duration), None) {
        Ok(_) | Err(nix::Error::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let bits = |wanted: PollFlags| {
        let has = |poll: &PollFd<'_>| poll.revents().is_some_and(|events| events.intersects(wanted));
        polled.iter().enumerate().filter(|(_, poll)| has(poll)).fold(0u64, |bits, (n, _)| bits | 1 << n)
    };
    let (readable, errors) = (bits(PollFlags::POLLIN), bits(PollFlags::POLLERR | PollFlags::POLLHUP));
    Ok(Woken { stop: readable >> sockets.len() & 1 == 1, readable, errors })
}

/// Waits until `to` takes a few octets at once (`PIPE_BUF` of a pipe, pipe(7)) or has nobody who reads, `stop` is set, or
/// `timeout` is over. Whether it takes them.
///
/// # Errors
/// What ppoll(2) says, interruptions apart.
pub fn wait_writable(
    to: BorrowedFd<'_>,
    stop: Option<BorrowedFd<'_>>,
    timeout: Duration,
) -> io::Result<bool> {
    wait_for(to, PollFlags::POLLOUT, stop, timeout)
}

/// Waits until `socket` takes octets or has some, `stop` is set, or `timeout` is over. Whether it does.
///
/// # Errors
/// As [`wait_writable`].
pub fn wait_either(socket: BorrowedFd<'_>, stop: &Stop, timeout: Duration) -> io::Result<bool> {
    wait_for(socket, PollFlags::POLLIN | PollFlags::POLLOUT, Some(stop.as_fd()), timeout)
}

fn wait_for(
    socket: BorrowedFd<'_>,
    wanted: PollFlags,
    stop: Option<BorrowedFd<'_>>,
    timeout: Duration,
) -> io::Result<bool> {
    let mut polled = vec![PollFd::new(socket, wanted)];
    polled.extend(stop.map(|stop| PollFd::new(stop, PollFlags::POLLIN)));
    match ppoll(&mut polled, Some(TimeSpec::from_duration(timeout)), None) {
        Ok(_) | Err(nix::Error::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(polled[0].revents().is_some_and(|events| !events.is_empty()))
}

/// Sleeps for `time`, or less when a signal comes: half the cost of a [`wait`].
pub fn sleep(time: Duration) {
    let _ = clock_nanosleep(
        ClockId::CLOCK_MONOTONIC,
        ClockNanosleepFlags::empty(),
        &TimeSpec::from_duration(time),
    );
}

/// Lets this thread's timers end as exactly as the hardware can (timer slack 1 ns instead of 50 µs).
pub fn exact_timers() {
    let _ = nix::sys::prctl::set_timerslack(1);
}
