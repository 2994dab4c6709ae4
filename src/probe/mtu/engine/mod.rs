//! The engine: sends by the searches' plans, matches answers ([`heard`]), asks who is to blame ([`stages`]). No socket, no
//! clock, no randomness.

mod heard;
mod stages;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::carrier::{Carrier, MOST_PROBES};
use super::flight::{Flight, State, Wish};
use super::report::Bound;
use super::search::{Search, Verdict};
use super::trace::Trace;
use crate::failure::{Class, Failure};
use crate::net::engine::{Arrival, Draft, Next};
use crate::probe::session::{Session, Want};
use crate::probe::{Counts, Events, IcmpErrors};
use crate::units::Now;
use crate::wire::icmp::{Meaning, Version};
use heard::Heard;

/// Between two packets of a burst; the first two, which settle a clean path, go together.
const PACE: Duration = Duration::from_millis(1);
/// A packet is given up after three round trips, but not before this: then it may be tried again.
const PATIENCE: Duration = Duration::from_millis(60);
/// Sends in a row that this host refuses, after which it is asked no more.
const MOST_REFUSED: u32 = 5;
/// Hellos to a far side of which nothing says that it is a reflector.
const HELLOS: u32 = 2;
/// Packets that a reflector takes faster than it has granted: less than the 0.4 s worth of `serve::reflector`.
const AT_ONCE: usize = 24;
/// The lane that measures.
const MAIN: usize = 0;
/// The lane of a port where nobody listens.
const CLOSED: usize = 1;

/// What a run shall do.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) v6: bool,
    /// The smallest and the largest size to try.
    pub(super) least: u16,
    pub(super) most: u16,
    /// Why nothing larger is tried.
    pub(super) bound: Bound,
    /// The largest packet that the interface takes.
    pub(super) local: Option<u16>,
    /// The largest size that is known to pass on the way there: only the way back is to be searched.
    pub(super) known: Option<u16>,
    /// What the kernel has learnt of the path before: some router has said so, and may ration its words.
    pub(super) learnt: Option<u16>,
    /// How long to wait for an answer before there was one.
    pub(super) timeout: Duration,
    /// How long the whole run may take.
    pub(super) deadline: Duration,
    /// Look at each hop even if nothing is wrong.
    pub(super) trace: bool,
}

/// One way of carrying probes, and its socket.
pub(super) struct Lane {
    pub(super) carrier: Carrier,
    pub(super) socket: usize,
}

/// A far side that may be a reflector of ours.
pub(super) struct Scout {
    pub(super) session: Session,
    pub(super) socket: usize,
    /// It may still answer.
    pub(super) is_hopeful: bool,
}

/// A router's word that a packet was too big.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) from: Option<IpAddr>,
    /// What it says that it passes on; `None` where it does not say.
    pub(super) mtu: Option<u16>,
    /// The size of the packet.
    pub(super) probe: u16,
    pub(super) count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The session is being opened.
    Opening,
    /// The largest size that passes.
    Search,
    /// The largest size that comes back.
    Reverse,
    /// Does what vanishes arrive? A port where nobody listens tells.
    Cross,
    /// It does: the largest size that arrives there.
    Forward,
    /// Where it vanishes.
    Trace,
    /// Whether the far side is a reflector.
    Scout,
    Done,
}

/// One run with one method.
pub(super) struct Engine {
    pub(super) plan: Plan,
    pub(super) lanes: Vec<Lane>,
    pub(super) scout: Option<Scout>,
    stage: Stage,
    /// What passes on the way there, as far as the main lane can tell.
    pub(super) search: Search,
    /// What comes back, where a reflector tells the directions apart.
    pub(super) reverse: Option<Search>,
    /// What arrives at a port where nobody listens, where that had to be asked.
    pub(super) forward: Option<Search>,
    /// What vanishes on one of the two ways arrives there (or does not): `None` where nothing tells.
    pub(super) crossed: Option<bool>,
    pub(super) trace: Option<Trace>,
    pub(super) flights: Vec<Flight>,
    queue: VecDeque<Wish>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) counts: Counts,
    pub(super) errors: Vec<IcmpErrors>,
    /// ICMP errors that quote nothing of ours, or say what cannot be.
    pub(super) ignored: u64,
    pub(super) failure: Option<Failure>,
    pub(super) is_cut: bool,
    events: Events,
    sends: u64,
    refused_sends: u32,
    rtt: Option<Duration>,
    ttl: Option<u8>,
    started: Option<Instant>,
    slot: Option<Instant>,
    latest: Option<Instant>,
    asked_again: bool,
    stopped: bool,
}

impl Engine {
    pub(super) fn new(plan: Plan, lanes: Vec<Lane>, scout: Option<Scout>, events: Events) -> Self {
        let is_session = matches!(lanes[MAIN].carrier, Carrier::Session(_));
        let search = Search::new(plan.v6, plan.least, plan.most);
        Self {
            plan,
            lanes,
            scout,
            stage: if is_session { Stage::Opening } else { Stage::Search },
            search,
            reverse: None,
            forward: None,
            crossed: None,
            trace: None,
            flights: Vec::new(),
            queue: VecDeque::new(),
            refusals: Vec::new(),
            counts: Counts::default(),
            errors: Vec::new(),
            ignored: 0,
            failure: None,
            is_cut: false,
            events,
            sends: 0,
            refused_sends: 0,
            rtt: None,
            ttl: None,
            started: None,
            slot: None,
            latest: None,
            asked_again: false,
            stopped: false,
        }
    }

    /// How far it is to the target and back, as long as nothing tells.
    fn patience(&self) -> Duration {
        self.rtt.map_or(self.plan.timeout, |rtt| (rtt * 3).max(PATIENCE))
    }

    fn pace(&self, lane: usize) -> Duration {
        match &self.lanes[lane].carrier {
            Carrier::Session(session) => {
                let granted = session.open.as_ref().map_or(0, |open| open.granted.interval_us);
                let is_first = self.flights.len() < AT_ONCE;
                if is_first { PACE } else { PACE.max(Duration::from_micros(granted.into())) }
            }
            // A host says only a few times a second that nobody listens, so what need not be sent must not be.
            Carrier::Closed(_) => self.rtt.map_or(PACE, |rtt| (rtt * 3 / 2).max(PACE * 5)),
            // Each hop gets two of them.
            Carrier::Echo(_) | Carrier::Syn(_) if self.stage == Stage::Trace => PACE / 4,
            Carrier::Echo(_) | Carrier::Syn(_) => PACE,
        }
    }

    fn wish(&mut self, lane: usize, sizes: impl IntoIterator<Item = u16>) {
        self.queue.extend(sizes.into_iter().map(|size| Wish::new(lane, size, None)));
    }

    /// Whether a wish is still worth a packet.
    fn is_wanted(&self, wish: &Wish) -> bool {
        if let (Some(ttl), Some(trace)) = (wish.ttl, &self.trace) {
            return trace.is_open(ttl, wish.size);
        }
        let search = match self.stage {
            Stage::Search => Some(&self.search),
            Stage::Reverse => self.reverse.as_ref(),
            Stage::Forward => self.forward.as_ref(),
            _ => None,
        };
        let tells = |search: &Search| !search.is_settled(wish.size) || wish.size == search.control();
        search.is_none_or(tells)
    }

    /// Ends the waits that are over.
    fn expire(&mut self, now: Now) {
        let patience = self.patience();
        for number in 0..self.flights.len() {
            let flight = self.flights[number];
            match flight.state {
                State::Waiting if now.mono >= flight.sent.mono + patience => self.give_up(number, false),
                State::Doubted(until) if now.mono >= until => self.give_up(number, true),
                _ => {}
            }
        }
    }

    fn give_up(&mut self, number: usize, refused: bool) {
        let flight = &mut self.flights[number];
        flight.state = State::Ended;
        let (Wish { lane, size, ttl, .. }, sent, arrived) = (flight.wish, flight.sent.mono, flight.arrived);
        if ttl.is_some() {
            return;
        }
        if lane == CLOSED {
            if let Some(search) = &mut self.forward {
                search.failed(size, sent, refused);
            }
        } else if arrived {
            // It came there: the way back has lost it.
            if let Some(search) = &mut self.reverse {
                search.failed(size, sent, false);
            }
        } else {
            self.search.failed(size, sent, refused);
        }
    }

    /// The next moment at which a wait is over.
    fn deadline(&self) -> Option<Instant> {
        let patience = self.patience();
        let open = self.flights.iter().filter_map(|flight| match flight.state {
            State::Waiting => Some(flight.sent.mono + patience),
            State::Doubted(until) => Some(until),
            _ => None,
        });
        open.min()
    }

    /// Opens the session of the main lane. `None`: ask again.
    fn open(&mut self, now: Now, out: &mut Draft) -> Option<Next> {
        let Lane { carrier: Carrier::Session(session), socket } = &mut self.lanes[MAIN] else {
            return self.turn(Stage::Search);
        };
        out.socket = *socket;
        match session.poll(now.mono, &mut out.bytes) {
            Want::Send => {
                self.sends += 1;
                Some(Next::Send)
            }
            Want::Wait(until) => Some(Next::Wait(until)),
            Want::Nothing => {
                let most = self.lanes[MAIN].carrier.most(self.plan.v6).min(self.plan.most);
                if most < self.plan.most {
                    (self.plan.most, self.plan.bound) = (most, Bound::Reflector);
                }
                self.search = Search::new(self.plan.v6, self.plan.least.min(most), most);
                self.turn(Stage::Search)
            }
            Want::GaveUp => {
                let hellos = session.hellos();
                self.unanswered(hellos);
                self.turn(Stage::Done)
            }
        }
    }

    /// No session came about, in spite of so many `hellos`.
    fn unanswered(&mut self, hellos: u32) {
        let silence = || Class::Timeout.because(format_args!("no answer to {hellos} hellos"));
        self.failure = self.failure.take().or_else(|| Some(silence()));
    }

    /// Asks whether the far side is a reflector, beside everything else. Returns whether there is a packet; else when
    /// there will be one.
    fn scouting(&mut self, now: Now, out: &mut Draft) -> Option<Next> {
        let scout = self.scout.as_mut().filter(|scout| scout.is_hopeful && scout.session.open.is_none())?;
        if self.stage == Stage::Done {
            return None;
        }
        out.socket = scout.socket;
        match scout.session.poll(now.mono, &mut out.bytes) {
            Want::Send => {
                self.sends += 1;
                Some(Next::Send)
            }
            Want::Wait(until) => {
                scout.is_hopeful = scout.session.hellos() <= HELLOS;
                Some(Next::Wait(until))
            }
            Want::Nothing | Want::GaveUp => {
                scout.is_hopeful = false;
                None
            }
        }
    }

    fn send(&mut self, wish: Wish, now: Now, out: &mut Draft) -> Next {
        let number = self.flights.len() as u32;
        let lane = &self.lanes[wish.lane];
        (out.socket, out.ttl) = (lane.socket, wish.ttl);
        lane.carrier.write(number, wish.size, now, self.plan.v6, out);
        self.flights.push(Flight {
            wish,
            sent: now,
            stamp: None,
            send: self.sends,
            state: State::Waiting,
            arrived: false,
            rtt: None,
            fragment: None,
        });
        self.sends += 1;
        self.latest = Some(now.mono);
        self.slot = (number > 0).then(|| now.mono + self.pace(wish.lane));
        Next::Send
    }
    /// This host refuses to send.
    fn not_sent(&mut self, send: u64, errno: i32) {
        let Some(number) = self.flights.iter().rposition(|flight| flight.send == send) else {
            return;
        };
        let wish = self.flights[number].wish;
        self.flights[number].state = State::Ended;
        const TOO_LONG: i32 = nix::libc::EMSGSIZE;
        if errno == TOO_LONG && self.plan.local.is_none_or(|local| wish.size > local) {
            // Above what the interface takes.
            let most = self.plan.local.unwrap_or(wish.size - 1);
            self.search.bounded(most);
            self.plan.bound = Bound::Interface;
            self.queue.retain(|wish| wish.size <= most);
            return;
        }
        self.counts.send_errors += 1;
        self.refused_sends += 1;
        if wish.refused < 2 {
            self.queue.push_front(Wish { refused: wish.refused + 1, ..wish });
        }
        if self.refused_sends >= MOST_REFUSED {
            let error = std::io::Error::from_raw_os_error(errno);
            self.failure = Some(Failure::from_io("send", &error));
            (self.stage, self.is_cut) = (Stage::Done, true);
        }
    }

    fn step(&mut self, now: Now, out: &mut Draft) -> Option<Next> {
        if self.stage == Stage::Done {
            return Some(Next::Done);
        }
        let started = *self.started.get_or_insert(now.mono);
        if self.stopped || now.mono >= started + self.plan.deadline || self.flights.len() >= MOST_PROBES {
            if let (Stage::Opening, false, Carrier::Session(session)) =
                (self.stage, self.stopped, &self.lanes[MAIN].carrier)
            {
                self.unanswered(session.hellos());
            }
            (self.stage, self.is_cut) = (Stage::Done, true);
            return Some(Next::Done);
        }
        if self.stage == Stage::Opening {
            return self.open(now, out);
        }
        self.expire(now);
        let scout = self.scouting(now, out);
        if scout == Some(Next::Send) {
            return scout;
        }
        while let Some(wish) = self.queue.front().copied() {
            if !self.is_wanted(&wish) {
                self.queue.pop_front();
                continue;
            }
            if let Some(slot) = self.slot.filter(|slot| *slot > now.mono) {
                return Some(self.wait(slot, scout));
            }
            self.queue.pop_front();
            return Some(self.send(wish, now, out));
        }
        match self.deadline().filter(|_| !self.is_decided()) {
            Some(until) => Some(self.wait(until, scout)),
            None => match self.advance(now) {
                Some(Next::Wait(until)) => Some(self.wait(until, scout)),
                other => other,
            },
        }
    }

    /// Whether what is still in flight does not matter any more.
    fn is_decided(&self) -> bool {
        match self.stage {
            Stage::Search => matches!(self.search.verdict(), Some(Verdict::Found(_, None))),
            Stage::Reverse => self
                .reverse
                .as_ref()
                .is_some_and(|search| matches!(search.verdict(), Some(Verdict::Found(_, None)))),
            Stage::Forward => self
                .forward
                .as_ref()
                .is_some_and(|search| matches!(search.verdict(), Some(Verdict::Found(_, None)))),
            Stage::Scout => true,
            _ => false,
        }
    }

    fn wait(&self, until: Instant, scout: Option<Next>) -> Next {
        let end = self.started.map_or(until, |started| started + self.plan.deadline);
        let until = until.min(end);
        match scout {
            Some(Next::Wait(scout)) => Next::Wait(until.min(scout)),
            _ => Next::Wait(until),
        }
    }
}

impl crate::net::engine::Engine for Engine {
    fn poll(&mut self, now: Now, out: &mut Draft) -> Next {
        loop {
            if let Some(next) = self.step(now, out) {
                return next;
            }
        }
    }

    fn receive(&mut self, now: Now, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Datagram { bytes, from, socket, stamp, ttl, fragment, .. } => {
                self.datagram(bytes, from, socket, Heard { now, stamp, ttl, fragment });
            }
            Arrival::Sent { send, stamp } => {
                self.refused_sends = 0;
                if let Some(flight) = self.flights.iter_mut().rev().find(|flight| flight.send == send) {
                    flight.stamp = Some(stamp);
                }
            }
            Arrival::NotSent { send, errno, .. } => self.not_sent(send, errno),
            Arrival::Icmp(icmp) => {
                if self.stage == Stage::Opening && self.flights.is_empty() && self.scout.is_none() {
                    let meaning = Meaning::of(Version::of(self.plan.v6), icmp.kind, icmp.code);
                    self.unquoted(&icmp, meaning);
                } else {
                    self.icmp(&icmp, now);
                }
            }
            Arrival::Overflow(total) => self.counts.receive_overflow = total.into(),
            Arrival::Stop => self.stopped = true,
        }
    }
}
