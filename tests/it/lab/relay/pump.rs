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
    serial: u64,
    shared: Arc<Shared>,
    stop: OwnedFd,
}

/// A frame waiting for its release. Ordered by release, then by arrival.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    release: u64,
    serial: u64,
    direction: Direction,
    /// Its place in the log.
    record: usize,
    frame: Vec<u8>,
}

impl Pump {
    /// A pump between two interfaces of the calling thread's namespace: `client`, which hears
    /// what goes up, and `server`. It ends when the other end of `stop` is closed.
    pub(super) fn open(client: &str, server: &str, shared: Arc<Shared>, stop: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            sockets: [PacketSocket::open(client)?, PacketSocket::open(server)?],
            held: BinaryHeap::new(),
            serial: 0,
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
            release: None,
            written: None,
            fate: Fate::Forwarded,
            length: frame.len(),
            flow: Flow::of(&frame),
            payload: frame::payload(&frame),
        };
        if frame::exempt(&frame) {
            return self.hold(
                Record {
                    release: Some(arrival),
                    fate: Fate::Exempt,
                    ..record
                },
                frame,
            );
        }
        let (verdict, profile) = {
            let mut lane = self.shared.lane(direction);
            (lane.offer(arrival, frame.len()), lane.profile)
        };
        let (release, twice) = match verdict {
            Verdict::Drop(fate) => {
                self.shared.log().push(Record { fate, ..record });
                return;
            }
            Verdict::Send {
                release,
                twice,
                corrupt,
                ecn_mark,
            } => {
                if corrupt {
                    frame::corrupt(&mut frame);
                }
                if ecn_mark {
                    frame::ecn_mark(&mut frame);
                }
                (Some(release), twice)
            }
        };
        if profile.dscp_bleach {
            frame::dscp_bleach(&mut frame);
        }
        if let Some(length) = profile.truncate {
            frame::truncate(&mut frame, length);
        }
        if twice {
            let copy = Record {
                release,
                fate: Fate::Duplicate,
                ..record.clone()
            };
            self.hold(Record { release, ..record }, frame.clone());
            self.hold(copy, frame);
        } else {
            self.hold(Record { release, ..record }, frame);
        }
    }

    fn hold(&mut self, record: Record, frame: Vec<u8>) {
        let (direction, release) = (record.direction, record.release.unwrap_or(record.arrival));
        let mut log = self.shared.log();
        log.push(record);
        self.serial += 1;
        self.held.push(Reverse(Held {
            release,
            serial: self.serial,
            direction,
            record: log.len() - 1,
            frame,
        }));
    }

    /// Sends what is due.
    fn let_out(&mut self) {
        while self
            .held
            .peek()
            .is_some_and(|Reverse(held)| held.release <= now())
        {
            let Some(Reverse(held)) = self.held.pop() else {
                return;
            };
            // Locked before, so that whoever has received the frame finds it written in the log.
            let mut log = self.shared.log();
            let sent = self.sockets[held.direction.opposite() as usize].send(&held.frame);
            let record = &mut log[held.record];
            match sent {
                Ok(()) => record.written = Some(now()),
                Err(_) => record.fate = Fate::Refused,
            }
        }
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
