//! What was sent, and what became of it.

use std::time::{Duration, Instant};

use crate::probe::timing::round_trip;
use crate::probe::{Clock, Counts, Rtt};
use crate::units::Now;

/// A packet that shall be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Which of the engine's lanes carries it.
    pub(super) lane: usize,
    /// Octets of its IP packet.
    pub(super) size: u16,
    /// Its TTL, where it shall end on the way.
    pub(super) ttl: Option<u8>,
    /// How often this host has refused to send it.
    pub(super) refused: u8,
}

impl Wish {
    pub(super) const fn new(lane: usize, size: u16, ttl: Option<u8>) -> Self {
        Self { lane, size, ttl, refused: 0 }
    }
}

/// A packet that was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) wish: Wish,
    pub(super) sent: Now,
    /// When the kernel handed it to the device.
    pub(super) stamp: Option<u64>,
    /// By which number the driver knows it.
    pub(super) send: u64,
    pub(super) state: State,
    /// The far side has counted it.
    pub(super) arrived: bool,
    pub(super) rtt: Option<(Duration, bool)>,
    /// The largest fragment that its answer came in; `None` where it came whole.
    pub(super) fragment: Option<u16>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing yet.
    Waiting,
    /// A router says that it is too big; it is believed at this moment, unless an answer comes before.
    Doubted(Instant),
    /// Answered by the target.
    Answered,
    /// Its TTL ran out, as it should.
    Expired,
    /// Ended without an answer: lost, refused, not sent.
    Ended,
}

impl Flight {
    /// Whether nothing more is expected.
    pub(super) const fn is_over(&self) -> bool {
        !matches!(self.state, State::Waiting | State::Doubted(_))
    }

    /// It was answered at `now`, which the kernel stamped.
    pub(super) fn answer(&mut self, now: Now, stamp: Option<u64>) -> Duration {
        let (whole, by_kernel) = round_trip((self.sent, self.stamp), (now, stamp));
        let rtt = Duration::from_nanos(whole);
        self.rtt = Some((rtt, by_kernel));
        self.state = State::Answered;
        rtt
    }
}

/// The times of those that were answered, and whose clock took them.
pub(super) fn times(flights: &[Flight]) -> (Option<Rtt>, Clock) {
    let answered = (0..).zip(flights).filter(|(_, flight)| flight.wish.ttl.is_none());
    let samples: Vec<(u64, (Duration, bool))> =
        answered.filter_map(|(number, flight)| Some((number, flight.rtt?))).collect();
    let by_kernel = !samples.is_empty() && samples.iter().all(|(_, (_, by_kernel))| *by_kernel);
    let rtts: Vec<(u64, Duration)> = samples.iter().map(|&(number, (rtt, _))| (number, rtt)).collect();
    (Rtt::of(&rtts), if by_kernel { Clock::Kernel } else { Clock::User })
}

/// Adds up what became of the packets; those in flight are pending.
pub(super) fn count(flights: &[Flight], counts: &mut Counts) {
    for flight in flights {
        match flight.state {
            State::Waiting | State::Doubted(_) => counts.pending += 1,
            State::Answered | State::Expired => {
                (counts.sent, counts.received) = (counts.sent + 1, counts.received + 1)
            }
            State::Ended => counts.sent += 1,
        }
    }
}
