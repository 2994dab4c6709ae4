//! The engine of the datagram modes: sends by the plan, matches replies, waits for them, gives up. No socket, no clock,
//! no randomness of its own.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use nix::libc::{EAGAIN, EMSGSIZE, ENOBUFS};

use super::flights::{Flights, Place, Slot, State};
use super::flood::{Flood, Pacing};
use super::format::{Format, Heard, Proof, Tag};
use super::plan::{Plan, wait};
use super::report::Report;
use super::tally::{Answered, Circumstances, Tally};
use crate::failure::{Class, Failure};
use crate::net::engine::{Arrival, Draft, Icmp, Next};
use crate::probe::Events;
use crate::probe::pace::{Cadence, Due};
use crate::probe::timing::round_trip;
use crate::units::Now;
use crate::wire::icmp::{Meaning, Version};

/// How long a reply waits for the kernel to tell when its request was sent.
const STAMP_GRACE: Duration = Duration::from_millis(5);
/// How long a packet that found no room in the socket waits for it.
const ROOM: Duration = Duration::from_millis(1);
/// How often in a row there may be no room: then it is an error.
const MOST_FULL: u16 = 1000;
/// How often a packet is tried that was refused: the reason may have been the error of another (probes.md §0.1).
const MOST_REFUSED: u16 = 3;

/// One run of `ping` that sends datagrams.
pub struct Engine {
    plan: Plan,
    pacing: Pacing,
    format: Format,
    flights: Flights,
    tally: Tally,
    /// Packets in flight.
    flying: u64,
    /// Replies that wait for their requests' transmit timestamps.
    held: VecDeque<Reply>,
    /// A packet that is due, while there is no number free.
    blocked: Option<(u64, Duration)>,
    /// Packets that this host refused and that are to be tried again, and how often each was refused.
    again: VecDeque<u64>,
    refused: HashMap<u64, u16>,
    /// When there may be room in the sockets again.
    room_at: Option<Instant>,
    start: Option<Instant>,
    stopped: bool,
    failure: Option<Failure>,
}

/// A reply that has come in time.
#[derive(Clone, Copy)]
struct Reply {
    place: Place,
    now: Now,
    stamp: Option<u64>,
    bytes: usize,
    ttl: Option<u8>,
}

/// What is to be sent next.
enum Step {
    Send(u64, Duration),
    Wait(Option<Instant>),
    Never,
}

impl Engine {
    pub(super) fn new(mut plan: Plan, format: Format, events: Events) -> Self {
        let hosts = std::mem::take(&mut plan.hosts);
        let pacing = if plan.flood {
            Pacing::Flood(Flood::new(plan.pace.count))
        } else {
            let cadence = Cadence::new(plan.pace.clone());
            Pacing::Plan(cadence.in_rounds(hosts.len() as u64, plan.period, plan.growth))
        };
        Self {
            pacing,
            format,
            flights: Flights::new(plan.sockets.clone()),
            plan,
            tally: Tally::new(hosts, events),
            flying: 0,
            held: VecDeque::new(),
            blocked: None,
            again: VecDeque::new(),
            refused: HashMap::new(),
            room_at: None,
            start: None,
            stopped: false,
            failure: None,
        }
    }

    /// What was found.
    ///
    /// # Errors
    /// Why nothing could be measured.
    pub(super) fn finish(self, mut circumstances: Circumstances) -> Result<Report, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.tally.is_empty() {
            return Err(Class::Cancelled.because("interrupted before anything was sent"));
        }
        circumstances.skipped = self.pacing.skipped();
        circumstances.versions = self.format.versions();
        // A list of a hundred thousand has its results made in the room of its flights.
        drop(self.flights);
        Ok(self.tally.report(circumstances))
    }

    /// Octets of the longest packet.
    pub(super) fn length(&self) -> usize {
        self.format.length()
    }

    fn is_over(&self, now: Instant) -> bool {
        self.stopped || self.failure.is_some() || self.end().is_some_and(|end| now >= end)
    }

    fn end(&self) -> Option<Instant> {
        Some(self.start? + self.plan.deadline?)
    }

    /// The packet to send at `now`, or how long there is none.
    fn step(&mut self, now: Instant) -> Step {
        if let Some((probe, late)) = self.blocked.take() {
            return Step::Send(probe, late);
        }
        let has_room = self.room_at.is_none_or(|at| now >= at);
        match self.again.front() {
            Some(_) if !has_room => return Step::Wait(self.room_at),
            Some(&probe) => {
                self.again.pop_front();
                return Step::Send(probe, Duration::ZERO);
            }
            None => self.room_at = None,
        }
        loop {
            if self.plan.until_answered && self.tally.alive() == self.tally.size() {
                return Step::Never;
            }
            match self.pacing.take(now) {
                Due::Now(late) => {
                    let probe = self.pacing.latest();
                    if !(self.plan.until_answered && self.tally.is_alive(probe)) {
                        return Step::Send(probe, late);
                    }
                }
                Due::At(due) => return Step::Wait(Some(due)),
                Due::Never => return Step::Never,
            }
        }
    }

    /// Writes packet `probe`; `false` while there is no number for it.
    fn write(&mut self, now: Now, probe: u64, late: Duration, out: &mut Draft) -> bool {
        let address = self.tally.host(probe).address;
        let Some(given) = self.flights.give(address.is_ipv6(), probe, now) else {
            self.blocked = Some((probe, late));
            return false;
        };
        if self.plan.outstanding
            && let Some(last) = probe.checked_sub(self.tally.size() as u64)
            && self.tally.is_pending(last)
        {
            self.tally.tell_outstanding(last);
        }
        let id = self.plan.ids.get(given.socket).copied().unwrap_or(0);
        let tag = Tag { seq: given.seq, probe };
        self.format.write(Version::of(address.is_ipv6()), id, tag, &mut out.bytes);
        (out.socket, out.to) = (given.socket, Some(address));
        self.tally.sent(probe, late);
        self.flying += 1;
        true
    }

    /// When the oldest packet has waited long enough, or a reply for its timestamp.
    fn next_deadline(&mut self) -> Option<Instant> {
        let held = self.held.front().map(|reply| reply.now.mono + STAMP_GRACE);
        let oldest = self.flights.oldest();
        let oldest = oldest.map(|place| *self.flights.at(place));
        let oldest = oldest.map(|slot| slot.sent.mono + self.wait(slot.probe));
        oldest.into_iter().chain(held).min()
    }

    /// How long the reply to packet `probe` is waited for.
    fn wait(&self, probe: u64) -> Duration {
        wait(self.plan.timeout, self.plan.growth, self.tally.round(probe))
    }

    /// Gives up what has waited too long.
    fn expire(&mut self, now: Now) {
        while self.held.front().is_some_and(|reply| now.mono >= reply.now.mono + STAMP_GRACE) {
            if let Some(reply) = self.held.pop_front() {
                self.conclude(&reply);
            }
        }
        while let Some(place) = self.flights.oldest() {
            let Slot { probe, sent, state, .. } = *self.flights.at(place);
            let is_past = now.mono >= sent.mono + self.wait(probe);
            match state {
                State::Flying if is_past => {
                    self.land(place, State::Expired);
                    self.tally.lost(probe, now.wall);
                }
                State::Flying | State::Held => return,
                // To a broadcast more may come.
                _ if self.plan.broadcast && !is_past => return,
                _ => {}
            }
            self.flights.forget_oldest();
        }
    }

    fn land(&mut self, place: Place, state: State) {
        self.flights.at(place).state = state;
        self.flying -= 1;
    }

    fn datagram(
        &mut self,
        socket: usize,
        bytes: &[u8],
        from: Option<std::net::SocketAddr>,
        mut reply: Reply,
    ) {
        let version = Version::of(self.flights.is_ipv6(socket));
        let Some(heard) = self.format.read(version, bytes) else {
            return self.tally.ignored();
        };
        let Some(place) = self.flights.find(socket, heard.seq) else {
            return self.tally.ignored();
        };
        reply.place = place;
        let slot = *self.flights.at(place);
        let expected = self.tally.host(slot.probe).address;
        let is_theirs = from.is_none_or(|from| from.ip() == expected.ip() && from.port() == expected.port());
        match heard {
            Heard { proof: Proof::Secret, probe: Some(probe), .. } if probe != slot.probe => self.old(probe),
            _ if !is_theirs && !self.plan.broadcast && heard.proof != Proof::Secret => self.tally.ignored(),
            Heard { proof: Proof::Damaged, .. } => self.tally.corrupt(),
            _ => self.heard(&slot, &reply, from),
        }
    }

    /// A reply to a packet whose number has been used again since.
    fn old(&mut self, probe: u64) {
        if self.tally.is_lost(probe) {
            self.tally.late(probe);
        } else {
            self.tally.ignored();
        }
    }

    /// A reply to the packet in `slot`.
    fn heard(&mut self, slot: &Slot, reply: &Reply, from: Option<std::net::SocketAddr>) {
        let rtt = Duration::from_nanos(times(slot, reply).0);
        if self.plan.broadcast
            && let Some(from) = from
            && !self.tally.responded(slot.probe, from.ip(), rtt)
        {
            return self.tally.duplicate(slot.probe);
        }
        match slot.state {
            State::Flying if rtt > self.wait(slot.probe) => {
                self.land(reply.place, State::Expired);
                self.tally.lost(slot.probe, reply.now.wall);
                self.tally.late(slot.probe);
            }
            State::Flying => self.answered(slot, reply),
            State::Held | State::Answered if self.plan.broadcast => {}
            State::Held | State::Answered => self.tally.duplicate(slot.probe),
            State::Expired if self.tally.is_lost(slot.probe) => self.tally.late(slot.probe),
            State::Expired => self.tally.duplicate(slot.probe),
            State::Refused => self.tally.ignored(),
        }
    }

    fn answered(&mut self, slot: &Slot, reply: &Reply) {
        self.tally.arrived(slot.probe);
        self.pacing.answered();
        if matches!(self.format, Format::Echo(_)) && reply.bytes < self.format.length() {
            self.tally.truncated();
        }
        if self.plan.stamped && slot.stamp == 0 && reply.stamp.is_some() {
            self.flights.at(reply.place).state = State::Held;
            self.held.push_back(*reply);
        } else {
            self.conclude(reply);
        }
    }

    /// Works the round trip of a reply out.
    fn conclude(&mut self, reply: &Reply) {
        let slot = *self.flights.at(reply.place);
        let (rtt, kernel) = times(&slot, reply);
        self.land(reply.place, State::Answered);
        let at = reply.stamp.unwrap_or(reply.now.wall);
        self.tally.answered(
            slot.probe,
            Answered { rtt, kernel, at, bytes: Some(reply.bytes), ttl: reply.ttl, said: None },
        );
    }

    fn stamped(&mut self, send: u64, stamp: u64) {
        let Some(place) = self.flights.sent(send) else { return };
        let slot = self.flights.at(place);
        slot.stamp = stamp;
        if slot.state == State::Held
            && let Some(at) = self.held.iter().position(|reply| reply.place == place)
            && let Some(reply) = self.held.remove(at)
        {
            self.conclude(&reply);
        }
    }

    fn not_sent(&mut self, now: Now, send: u64, errno: i32, mtu: Option<u32>) {
        let Some(place) = self.flights.sent(send) else { return };
        let Slot { probe, state, .. } = *self.flights.at(place);
        if state != State::Flying {
            return;
        }
        self.land(place, State::Refused);
        let is_full = matches!(errno, EAGAIN | ENOBUFS);
        let most = match mtu {
            // That is this packet's own error.
            Some(_) => 1,
            None if is_full => MOST_FULL,
            None => MOST_REFUSED,
        };
        let times = self.refused.entry(probe).or_default();
        *times += 1;
        if *times < most && (is_full || self.tally.size() > 1) {
            self.again.push_back(probe);
            self.room_at = is_full.then(|| now.mono + ROOM);
            return;
        }
        self.refused.remove(&probe);
        self.tally.refused(probe, errno, mtu, now.wall);
        // That a packet is too large is what was to be found out.
        if self.tally.size() == 1 && probe == 0 && errno != EMSGSIZE {
            self.failure = Some(refusal(self.tally.host(probe).address.ip(), errno));
        }
    }

    fn icmp(&mut self, now: Now, icmp: &Icmp<'_>) {
        let is_ipv6 = self.flights.is_ipv6(icmp.socket);
        let version = Version::of(is_ipv6);
        let place = self.format.quoted(version, icmp.quoted);
        let place = place.and_then(|seq| self.flights.find(icmp.socket, seq));
        let known = place.map(|place| (place, *self.flights.at(place)));
        let known = known.filter(|(_, slot)| {
            let address = self.tally.host(slot.probe).address.ip();
            self.plan.broadcast || icmp.to.is_none_or(|to| to.ip() == address)
        });
        let Some((place, slot)) = known else {
            return self.tally.ignored();
        };
        self.flights.at(place).told = true;
        self.tally.icmp(slot.probe, icmp, !slot.told);
        if slot.state == State::Flying
            && !self.plan.broadcast
            && Meaning::of(version, icmp.kind, icmp.code).is_final()
        {
            self.land(place, State::Expired);
            self.tally.unreached(slot.probe, icmp, now.wall);
        }
    }
}

impl crate::net::engine::Engine for Engine {
    fn poll(&mut self, now: Now, out: &mut Draft) -> Next {
        self.start.get_or_insert(now.mono);
        self.expire(now);
        if self.is_over(now.mono) {
            return Next::Done;
        }
        let due = match self.step(now.mono) {
            Step::Send(probe, late) if self.write(now, probe, late, out) => return Next::Send,
            Step::Send(..) => None,
            Step::Wait(due) => due,
            Step::Never if self.flying == 0 && !(self.plan.broadcast && self.flights.oldest().is_some()) => {
                return Next::Done;
            }
            Step::Never => None,
        };
        let until = due.into_iter().chain(self.next_deadline()).chain(self.end()).min();
        Next::Wait(until.unwrap_or(now.mono + ROOM))
    }

    fn receive(&mut self, now: Now, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Datagram { bytes, from, socket, stamp, ttl, .. } => {
                let place = Place::default();
                self.datagram(socket, bytes, from, Reply { place, now, stamp, bytes: bytes.len(), ttl });
            }
            Arrival::Sent { send, stamp } => self.stamped(send, stamp),
            Arrival::NotSent { send, errno, mtu } => self.not_sent(now, send, errno, mtu),
            Arrival::Icmp(icmp) => self.icmp(now, &icmp),
            Arrival::Overflow(total) => self.tally.overflowed(total),
            Arrival::Stop => self.stopped = true,
        }
    }
}

/// The round trip of a reply in ns, and whether the kernel took both times.
fn times(slot: &Slot, reply: &Reply) -> (u64, bool) {
    round_trip((slot.sent, Some(slot.stamp).filter(|stamp| *stamp > 0)), (reply.now, reply.stamp))
}

/// Why this host does not send to `target`.
fn refusal(target: std::net::IpAddr, errno: i32) -> Failure {
    let error = io::Error::from_raw_os_error(errno);
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Class::Permission.because(format_args!(
            "send to {target}: {}: a broadcast address needs -b, else a packet filter of this host forbids it",
            crate::failure::reason(&error)
        ));
    }
    Failure::from_io(format_args!("send to {target}"), &error)
}
