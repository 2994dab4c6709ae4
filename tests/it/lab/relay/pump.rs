//! The relay's thread: moves frames between two packet sockets as the lanes decide.
//!
//! It lives in `CLOCK_REALTIME`, the clock of the kernel's receive stamps, so that "held for" is
//! one subtraction; the lab's tests are too short for that clock's corrections to matter.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl::set_timerslack;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

use super::Shared;
use super::frame::{self, Flow};
use super::lane::Verdict;
use super::log::{Fate, Record};
use super::socket::{PacketSocket, since_epoch};
use crate::lab::topology::Direction;

/// Frames taken from one side before looking at the other and at what is due.
const BATCH: usize = 64;

/// Two sockets and what is held between them.
pub(super) struct Pump {
    /// The socket that hears each direction, in the order of `Direction::BOTH`.
    sockets: [PacketSocket; 2],
    held: BinaryHeap<Reverse<Held>>,
    shared: Arc<Shared>,
    stop: OwnedFd,
}

/// A frame waiting for its release. Ordered by release, then by arrival.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    release: u64,
    /// Its place in the log.
    record: usize,
    direction: Direction,
    frame: Vec<u8>,
}

impl Pump {
    /// A pump between two interfaces of the calling thread's namespace: `client`, which hears
    /// what goes up, and `server`. It ends when the other end of `stop` is closed.
    pub(super) fn open(client: &str, server: &str, shared: Arc<Shared>, stop: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            sockets: [PacketSocket::open(client)?, PacketSocket::open(server)?],
            held: BinaryHeap::new(),
            shared,
            stop,
        })
    }

    /// Moves frames until told to stop; what is held then is not sent.
    pub(super) fn run(mut self) -> io::Result<()> {
        // The default slack of 50 µs would show in every delay.
        set_timerslack(1)?;
        while self.wait()? {
            for direction in Direction::BOTH {
                self.take_in(direction)?;
                self.let_out();
            }
        }
        Ok(())
    }

    /// Waits for a frame, a release or the end; false at the end.
    fn wait(&self) -> io::Result<bool> {
        let next = self.held.peek().map(|Reverse(held)| held.release);
        let timeout = next.map(|release| until(release, now()));
        let [up, down] = &self.sockets;
        let mut files =
            [up.as_fd(), down.as_fd(), self.stop.as_fd()].map(|file| PollFd::new(file, PollFlags::POLLIN));
        ppoll(&mut files, timeout, None)?;
        Ok(!files[2].any().unwrap_or(false))
    }

    fn take_in(&mut self, direction: Direction) -> io::Result<()> {
        for _ in 0..BATCH {
            let Some((arrival, frame)) = self.sockets[direction as usize].receive()? else {
                break;
            };
            self.judge(direction, arrival, frame);
        }
        Ok(())
    }

    fn judge(&mut self, direction: Direction, arrival: u64, mut frame: Vec<u8>) {
        let record = Record {
            direction,
            arrival,
            release: Some(arrival),
            begun: None,
            written: None,
            fate: Fate::Exempt,
            length: frame.len(),
            flow: Flow::of(&frame),
            payload: frame::payload(&frame),
        };
        if frame::exempt(&frame) {
            return self.hold(record, frame);
        }
        let verdict = self.shared.lane(direction).offer(arrival, frame.len());
        match verdict {
            Verdict::Drop(fate) => self.shared.log().push(Record { release: None, fate, ..record }),
            Verdict::Send { release, twice, change } => {
                change.apply(&mut frame);
                let sent = |fate| Record { release: Some(release), fate, ..record.clone() };
                if twice {
                    self.hold(sent(Fate::Forwarded), frame.clone());
                    self.hold(sent(Fate::Duplicate), frame);
                } else {
                    self.hold(sent(Fate::Forwarded), frame);
                }
            }
        }
    }

    fn hold(&mut self, record: Record, frame: Vec<u8>) {
        let (direction, release) = (record.direction, record.release.unwrap_or(record.arrival));
        let mut log = self.shared.log();
        self.held.push(Reverse(Held { release, record: log.len(), direction, frame }));
        log.push(record);
    }

    /// Sends what is due.
    fn let_out(&mut self) {
        while let Some(held) = self.due() {
            // Locked before, so that whoever has received the frame finds it written in the log.
            let mut log = self.shared.log();
            let begun = now();
            let sent = self.sockets[held.direction.opposite() as usize].send(&held.frame);
            let record = &mut log[held.record];
            match sent {
                Ok(()) => (record.begun, record.written) = (Some(begun), Some(now())),
                Err(_) => record.fate = Fate::Refused,
            }
        }
    }

    fn due(&mut self) -> Option<Held> {
        let Reverse(next) = self.held.peek()?;
        if next.release > now() {
            return None;
        }
        self.held.pop().map(|Reverse(held)| held)
    }
}

/// `CLOCK_REALTIME` in nanoseconds.
pub(super) fn now() -> u64 {
    since_epoch(clock_gettime(ClockId::CLOCK_REALTIME).expect("the clock is there"))
}

fn until(release: u64, now: u64) -> TimeSpec {
    let wait = release.saturating_sub(now);
    TimeSpec::new((wait / 1_000_000_000) as i64, (wait % 1_000_000_000) as i64)
}
