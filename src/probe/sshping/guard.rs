//! Ends a session from outside. libssh2 reads for as long as there is something to read, and keeps what nobody has asked for:
//! a server that never stops would hold a step for ever, and its words in memory.

use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::failure::{Class, Failure};
use crate::sys::clock;
use crate::sys::tcp;
use crate::sys::wait::{Stop, wait};

/// How often it looks at a server that nobody has logged in to, and at another one, whose echoes it must not disturb.
const TICK: Duration = Duration::from_millis(5);
const SELDOM: Duration = Duration::from_millis(50);
/// Octets that a server may send before anybody logs in: its lists, its keys and a banner are a few thousand.
const MOST: u64 = 1 << 20;
/// Octets that a server may send afterwards beyond those that were asked for: what channels let it send ahead, and what
/// surrounds it. libssh2 keeps messages that it does not know, each in five times its room.
const AHEAD: u64 = 8 << 20;
/// How much longer than its deadline a session may go on that somebody has logged in to: there may be a file to remove.
const GRACE: Duration = Duration::from_secs(4);

/// Watches over a connection until it is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// The guard is no longer needed.
    done: Stop,
    /// Somebody has logged in: from now on the server may send what is asked for.
    trusted: AtomicBool,
    /// Octets of it that were taken.
    taken: AtomicU64,
    /// Why the connection was ended.
    ended: OnceLock<Failure>,
    /// What else is ended with it.
    others: Mutex<Vec<UnixStream>>,
}

impl Guard {
    /// Over `socket`, which is to be ended soon after `deadline` is over or `stop` is set.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn over(socket: &TcpStream, stop: &Stop, deadline: Instant) -> Result<Self, Failure> {
        let unmade = |error: &std::io::Error| Failure::from_io("watch over the connection", error);
        let shared = Arc::new(Shared {
            done: Stop::new().map_err(|error| unmade(&error))?,
            trusted: AtomicBool::new(false),
            taken: AtomicU64::new(0),
            ended: OnceLock::new(),
            others: Mutex::default(),
        });
        let socket = socket.try_clone().map_err(|error| unmade(&error))?;
        let stop = stop.as_fd().try_clone_to_owned().map_err(|error| unmade(&error))?;
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("sshping-guard".to_owned());
        let thread = thread.spawn(move || theirs.watch(&socket, &stop, deadline));
        Ok(Self { shared, thread: Some(thread.map_err(|error| unmade(&error))?) })
    }

    /// Somebody has logged in.
    pub(super) fn trust(&self) {
        self.shared.trusted.store(true, Ordering::Relaxed);
    }

    /// So many octets were asked for and taken.
    pub(super) fn took(&self, octets: u64) {
        self.shared.taken.fetch_add(octets, Ordering::Relaxed);
    }

    /// Has `other` end with the connection.
    pub(super) fn also(&self, other: UnixStream) {
        self.shared.others().push(other);
        if self.shared.ended.get().is_some() {
            self.shared.end_others();
        }
    }

    /// Why the connection was ended, if it was this who did it.
    pub(super) fn ended(&self) -> Option<Failure> {
        self.shared.ended.get().cloned()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shared.done.set();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn others(&self) -> MutexGuard<'_, Vec<UnixStream>> {
        // A list is whole, whoever has panicked beside it.
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_others(&self) {
        self.others().drain(..).for_each(|other| drop(other.shutdown(Shutdown::Both)));
    }

    /// What is wrong where the server has sent more than it may.
    fn excess(&self, socket: &TcpStream, trusted: bool) -> Option<Failure> {
        // Packets, their padding and their sums make a little more of what is taken.
        let taken = self.taken.load(Ordering::Relaxed);
        let most = if trusted { AHEAD + taken + taken / 8 } else { MOST };
        let received = tcp::info(socket.as_fd()).ok()?.received?;
        (received > most).then(|| match trusted {
            true => Class::Protocol.because(format_args!(
                "the ssh server sends {} MiB more than was asked for",
                received.saturating_sub(taken) >> 20
            )),
            false => Class::Protocol.because(format_args!(
                "the ssh server sends more than {} KiB before anybody logs in",
                MOST >> 10
            )),
        })
    }

    fn watch(&self, socket: &TcpStream, stop: &OwnedFd, deadline: Instant) {
        let mut interrupted: Option<Instant> = None;
        while !self.done.is_set() {
            let now = clock::now().mono;
            let trusted = self.trusted.load(Ordering::Relaxed);
            let grace = if trusted { GRACE } else { Duration::ZERO };
            let end = interrupted.map_or(deadline, |at| at.min(deadline)) + grace;
            let failure = if now >= end {
                Some(match interrupted {
                    Some(_) => Class::Cancelled.because("interrupted before there was anything to report"),
                    None => Class::Timeout.because("the ssh server takes too long"),
                })
            } else {
                self.excess(socket, trusted)
            };
            if let Some(failure) = failure {
                let _ = self.ended.set(failure);
                let _ = socket.shutdown(Shutdown::Both);
                self.end_others();
                return;
            }
            let left = end.saturating_duration_since(now);
            let pause = left.min(if trusted { SELDOM } else { TICK });
            // A switch that is set stays set: it is waited for once.
            let switch = [stop.as_fd()];
            let watched = if interrupted.is_none() { &switch[..] } else { &[] };
            let woken = wait(watched, Some(&self.done), Some(pause));
            if woken.is_ok_and(|woken| woken.readable & 1 == 1 && interrupted.is_none()) {
                interrupted = Some(clock::now().mono);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let ours = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        (ours, listener.accept().expect("the other end").0)
    }

    fn later(span: Duration) -> Instant {
        clock::now().mono + span
    }

    #[test]
    fn a_session_ends_at_its_deadline_and_when_it_is_told_to() {
        let stop = Stop::new().expect("a switch");
        let (mut ours, _theirs) = pair();
        let guard = Guard::over(&ours, &stop, later(Duration::from_millis(50))).expect("a guard");
        let (mut before, _one) = UnixStream::pair().expect("a pair");
        guard.also(before.try_clone().expect("a descriptor"));
        assert_eq!(ours.read(&mut [0]).expect("it is shut down"), 0);
        assert_eq!(before.read(&mut [0]).expect("it is shut down, too"), 0);
        assert_eq!(guard.ended().map(|failure| failure.class), Some(Class::Timeout));
        let (mut late, _other) = UnixStream::pair().expect("a pair");
        guard.also(late.try_clone().expect("a descriptor"));
        assert_eq!(late.read(&mut [0]).expect("it is shut down at once"), 0);
        let (mut ours, _theirs) = pair();
        let guard = Guard::over(&ours, &stop, later(Duration::from_secs(60))).expect("a guard");
        stop.set();
        assert_eq!(ours.read(&mut [0]).expect("it is shut down"), 0);
        assert_eq!(guard.ended().map(|failure| failure.class), Some(Class::Cancelled));
    }

    #[test]
    fn who_says_too_much_is_cut_off_and_who_is_asked_is_not() {
        let stop = Stop::new().expect("a switch");
        for (trusted, taken, cut) in [(false, 0, true), (true, 32 << 20, false), (true, 0, true)] {
            let (mut ours, mut theirs) = pair();
            let guard = Guard::over(&ours, &stop, later(Duration::from_secs(60))).expect("a guard");
            if trusted {
                guard.trust();
            }
            guard.took(taken);
            let speaker = std::thread::spawn(move || {
                let piece = vec![0; 4 << 20];
                while theirs.write_all(&piece).is_ok() && cut {}
            });
            // Who is cut off while he speaks may leave a reset.
            let read = std::io::copy(&mut ours, &mut std::io::sink());
            speaker.join().expect("it ends");
            match cut {
                true => assert_eq!(guard.ended().map(|failure| failure.class), Some(Class::Protocol)),
                false => assert_eq!((read.expect("all of it"), guard.ended()), (4 << 20, None)),
            }
        }
        // Nobody reads what is said: the socket's own room is larger than what is allowed.
        let (ours, mut theirs) = pair();
        let guard = Guard::over(&ours, &stop, later(Duration::from_secs(60))).expect("a guard");
        let mut reader = ours.try_clone().expect("a descriptor");
        while theirs.write_all(&[0; 65_536]).is_ok() {
            let _ = reader.read(&mut [0; 65_536]);
        }
        assert_eq!(guard.ended().map(|failure| failure.class), Some(Class::Protocol));
    }
}
