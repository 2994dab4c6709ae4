//! Keeping count while a run goes on; [`sum`] makes the report at its end. Knows no packet format.

mod sum;

pub(super) use sum::Circumstances;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::report::Direction;
use crate::net::engine::Icmp;
use crate::probe::icmp::IcmpErrors;
use crate::probe::timing::round_trip;
use crate::probe::{Counts, Event, Events};
use crate::units::{Now, nanos};

/// How long an answered packet waits for its transmit timestamp.
const STAMP_GRACE: Duration = Duration::from_millis(10);

/// A reply to a probe packet, whatever its format.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reply {
    /// The low 32 bits of the packet's number.
    pub(super) seq: u32,
    /// Octets of payload.
    pub(super) bytes: usize,
    /// The reflector's own times.
    pub(super) times: Option<FarTimes>,
    /// What the reflector has counted so far.
    pub(super) far: Option<FarCounts>,
    /// TTL of our packet when it arrived there.
    pub(super) ttl: Option<u8>,
    /// Type of service of our packet when it arrived there.
    pub(super) tos: Option<u8>,
}

/// The reflector's times for one packet, ns since the epoch by its clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct FarTimes {
    pub(super) t2: u64,
    pub(super) t3: u64,
    /// Its clock's error bound, if it claims to be synchronised.
    pub(super) bound_ns: Option<u64>,
}

/// What the reflector has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FarCounts {
    /// Different packets received.
    pub(super) received: u32,
}

/// The reflector's final totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FarTotals {
    pub(super) received: u64,
    pub(super) duplicates: u64,
    pub(super) reordered: u64,
}

/// When and how a reply arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived {
    pub(super) now: Now,
    pub(super) stamp: Option<u64>,
    pub(super) ttl: Option<u8>,
    pub(super) tos: Option<u8>,
}

/// A packet in flight, or answered and waiting for its transmit timestamp.
#[derive(Clone, Copy, Debug)]
struct Flight {
    send: u64,
    sent: Now,
    deadline: Instant,
    /// The kernel's time of sending.
    stamp: Option<u64>,
    answer: Option<(Reply, Arrived)>,
    settled: bool,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sample {
    Pending,
    /// RTT; transits up and down in ns, each with the clocks' constant offset in it.
    Answered(u64, i64, i64),
    Lost,
    Late,
    NotSent,
}

/// What one session with the reflector has counted: a restarted one begins anew.
#[derive(Clone, Copy, Debug, Default)]
struct Leg {
    /// First packet of this leg.
    first: u64,
    /// One beyond the highest number that was answered, and what had been received there by then.
    seen: u64,
    counts: Option<FarCounts>,
    totals: Option<FarTotals>,
}

/// t2 − t1 and t4 − t3 in ns, by the kernel's times or by ours.
fn one_way_of(flight: &Flight, far: &FarTimes, arrived: &Arrived, kernel: bool) -> (i64, i64) {
    let (t1, t4) = if kernel {
        (flight.stamp.unwrap_or(flight.sent.wall), arrived.stamp.unwrap_or(arrived.now.wall))
    } else {
        (flight.sent.wall, arrived.now.wall)
    };
    let between = |late: u64, early: u64| late.wrapping_sub(early) as i64;
    (between(far.t2, t1), between(t4, far.t3))
}

/// The counts of a run.
pub(super) struct Tally {
    timeout: Duration,
    events: Events,
    /// The two clocks are one, or taken for equal: one-way delays can be told at once.
    agree: bool,
    /// Our clock is synchronised: they can if the reflector's is, too.
    bounded: bool,
    samples: Vec<Sample>,
    flights: VecDeque<Flight>,
    first: u64,
    counts: Counts,
    lateness: Vec<u64>,
    processing: Vec<u64>,
    has_processing: bool,
    all_kernel: bool,
    highest: Option<u64>,
    legs: Vec<Leg>,
    /// RTT, t2 − t1 and t4 − t3 of the fastest round trip.
    fastest: Option<(u64, i64, i64)>,
    far_bound_ns: Option<u64>,
    up: Direction,
    down: Direction,
    ce: (Option<u64>, u64),
    errors: Vec<IcmpErrors>,
    restarts: u64,
    /// When something last arrived.
    pub(super) last_arrival: Option<Instant>,
}

impl Tally {
    pub(super) fn new(timeout: Duration, events: Events) -> Self {
        Self {
            timeout,
            events,
            agree: false,
            bounded: false,
            samples: Vec::new(),
            flights: VecDeque::new(),
            first: 0,
            counts: Counts::default(),
            lateness: Vec::new(),
            processing: Vec::new(),
            has_processing: false,
            all_kernel: true,
            highest: None,
            legs: vec![Leg::default()],
            fastest: None,
            far_bound_ns: None,
            up: Direction::default(),
            down: Direction::default(),
            ce: (None, 0),
            errors: Vec::new(),
            restarts: 0,
            last_arrival: None,
        }
    }

    /// Tells one-way delays as well, where the clocks `agree`, or both are synchronised and ours is (`bounded`).
    pub(super) const fn tell_delays(&mut self, agree: bool, bounded: bool) {
        (self.agree, self.bounded) = (agree, bounded);
    }

    /// Number of the next packet.
    pub(super) fn next_seq(&self) -> u64 {
        self.samples.len() as u64
    }

    /// A packet goes out at `now` as the engine's `send`-th datagram, `late` behind the plan.
    pub(super) fn sent(&mut self, send: u64, now: Now, late: Duration) {
        self.samples.push(Sample::Pending);
        self.lateness.push(nanos(late));
        let deadline = now.mono + self.timeout;
        self.flights.push_back(Flight {
            send,
            sent: now,
            deadline,
            stamp: None,
            answer: None,
            settled: false,
        });
    }

    /// The kernel says when it sent the engine's `send`-th datagram.
    pub(super) fn stamped(&mut self, send: u64, stamp: u64) {
        let Ok(at) = self.flights.binary_search_by_key(&send, |flight| flight.send) else {
            return;
        };
        self.flights[at].stamp = Some(stamp);
        self.settle(at);
    }

    /// This host refused to send the engine's `send`-th datagram.
    pub(super) fn refused(&mut self, send: u64) {
        let Ok(at) = self.flights.binary_search_by_key(&send, |flight| flight.send) else {
            return;
        };
        self.counts.send_errors += 1;
        self.flights[at].settled = true;
        self.samples[(self.first + at as u64) as usize] = Sample::NotSent;
    }

    /// A reply has arrived.
    pub(super) fn replied(&mut self, reply: Reply, arrived: Arrived) {
        let Some(seq) = self.expand(reply.seq) else { return };
        self.last_arrival = Some(arrived.now.mono);
        self.note_path(seq, &reply, &arrived);
        if self.is_repeated(seq) {
            self.counts.duplicates += 1;
            return;
        }
        if self.highest.is_some_and(|highest| seq < highest) {
            self.counts.reordered += 1;
        }
        self.highest = self.highest.max(Some(seq));
        if self.samples[seq as usize] == Sample::Lost {
            self.samples[seq as usize] = Sample::Late;
            self.counts.late += 1;
            return;
        }
        let at = (seq - self.first) as usize;
        let flight = &mut self.flights[at];
        flight.answer = Some((reply, arrived));
        // The timestamp of sending is there by now, or it never comes.
        flight.deadline = flight.deadline.min(arrived.now.mono + STAMP_GRACE);
        self.tell_reply(seq, at);
        self.settle(at);
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&mut self, now: Now) {
        while let Some(&flight) = self.flights.front() {
            if !flight.settled && now.mono < flight.deadline {
                return;
            }
            if !flight.settled && flight.answer.is_some() {
                // Its transmit timestamp never came.
                self.conclude(0);
            } else if !flight.settled {
                self.samples[self.first as usize] = Sample::Lost;
                self.events.tell(Event::Lost { target: None, seq: self.first, at: now.wall });
            }
            self.flights.pop_front();
            self.first += 1;
        }
    }

    /// When the next packet has waited too long; `None` when none is in flight.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.flights.front().map(|flight| flight.deadline)
    }

    /// The run was interrupted: what is in flight is neither received nor lost.
    pub(super) fn interrupt(&mut self) {
        for at in 0..self.flights.len() {
            if !self.flights[at].settled && self.flights[at].answer.is_some() {
                self.conclude(at);
            }
        }
        let pending = self.flights.iter().filter(|flight| !flight.settled).count();
        self.counts.pending = pending as u64;
        self.flights.clear();
        self.first = self.next_seq();
    }

    /// An ICMP error named one of our packets.
    pub(super) fn icmp(&mut self, icmp: &Icmp<'_>) {
        IcmpErrors::count_in(&mut self.errors, icmp);
    }

    /// Datagrams dropped in our own queue so far.
    pub(super) fn overflowed(&mut self, total: u32) {
        self.counts.receive_overflow = u64::from(total);
    }

    /// The reflector counts from zero again from here on.
    pub(super) fn new_leg(&mut self, restarted: bool) {
        self.restarts += u64::from(restarted);
        let first = self.next_seq();
        self.legs.push(Leg { first, seen: first, ..Leg::default() });
    }

    /// The reflector's final word about the current leg.
    pub(super) fn closed(&mut self, totals: FarTotals) {
        if let Some(leg) = self.legs.last_mut() {
            leg.totals = Some(totals);
        }
    }

    /// The full number whose low 32 bits are `low`: the highest not beyond what was sent.
    fn expand(&self, low: u32) -> Option<u64> {
        let last = self.next_seq().checked_sub(1)?;
        last.checked_sub(u64::from((last as u32).wrapping_sub(low)))
    }

    fn is_repeated(&self, seq: u64) -> bool {
        match self.samples[seq as usize] {
            Sample::Lost => false,
            Sample::Pending => match seq.checked_sub(self.first).and_then(|at| self.flights.get(at as usize))
            {
                Some(flight) => flight.answer.is_some(),
                None => true,
            },
            _ => true,
        }
    }

    fn note_path(&mut self, seq: u64, reply: &Reply, arrived: &Arrived) {
        self.up.ttl = reply.ttl.or(self.up.ttl);
        self.down.ttl = arrived.ttl.or(self.down.ttl);
        self.up.dscp = reply.tos.map(|tos| tos >> 2).or(self.up.dscp);
        self.down.dscp = arrived.tos.map(|tos| tos >> 2).or(self.down.dscp);
        let ce = |tos: u8| u64::from(tos & 3 == 3);
        self.ce.0 = reply.tos.map(|tos| self.ce.0.unwrap_or(0) + ce(tos)).or(self.ce.0);
        self.ce.1 += arrived.tos.map_or(0, ce);
        let Some(leg) = self.legs.last_mut() else { return };
        if let Some(far) = reply.far.filter(|_| seq >= leg.first && seq >= leg.seen) {
            (leg.seen, leg.counts) = (seq + 1, Some(far));
        }
    }

    fn tell_reply(&self, seq: u64, at: usize) {
        if self.events.want_packets()
            && let Some((reply, arrived)) = self.flights[at].answer
        {
            let flight = &self.flights[at];
            let (rtt, kernel) = self.round_trip_of(flight, &reply, &arrived);
            let delay = reply.times.filter(|far| self.agree || self.bounded && far.bound_ns.is_some());
            self.events.tell(Event::Reply {
                target: None,
                seq,
                at: arrived.stamp.unwrap_or(arrived.now.wall),
                rtt: Duration::from_nanos(rtt),
                delay_ms: delay.map(|far| {
                    let (up, down) = one_way_of(flight, &far, &arrived, kernel);
                    (up as f64 / 1e6, down as f64 / 1e6)
                }),
                bytes: Some(reply.bytes),
                ttl: arrived.ttl,
                said: None,
            });
        }
    }

    /// Turns an answered flight into a sample once both timestamps are there.
    fn settle(&mut self, at: usize) {
        let flight = &self.flights[at];
        if !flight.settled && flight.answer.is_some() && flight.stamp.is_some() {
            self.conclude(at);
        }
    }

    fn conclude(&mut self, at: usize) {
        let flight = self.flights[at];
        let Some((reply, arrived)) = flight.answer else {
            return;
        };
        self.flights[at].settled = true;
        let (rtt, kernel) = self.round_trip_of(&flight, &reply, &arrived);
        self.all_kernel &= kernel;
        self.counts.received += 1;
        let (up, down) = reply.times.map_or((0, 0), |far| one_way_of(&flight, &far, &arrived, kernel));
        if let Some(far) = reply.times {
            self.has_processing = true;
            self.processing.push(far.t3.saturating_sub(far.t2));
            self.far_bound_ns = far.bound_ns;
        }
        if self.fastest.is_none_or(|(fastest, ..)| rtt < fastest) {
            self.fastest = Some((rtt, up, down));
        }
        self.samples[(self.first + at as u64) as usize] = Sample::Answered(rtt, up, down);
    }

    /// (t4 − t1) − (t3 − t2) in ns, and whether the kernel took both of our times.
    fn round_trip_of(&self, flight: &Flight, reply: &Reply, arrived: &Arrived) -> (u64, bool) {
        let (whole, kernel) = round_trip((flight.sent, flight.stamp), (arrived.now, arrived.stamp));
        let processing = reply.times.map_or(0, |far| far.t3.saturating_sub(far.t2));
        // A reflector that claims to have held it longer than it was away is not believed.
        (whole.checked_sub(processing).unwrap_or(whole), kernel)
    }
}
