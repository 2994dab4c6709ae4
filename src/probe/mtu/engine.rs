//! The engine: sends by the searches' plans, matches answers, asks who is to blame. No socket, no clock, no randomness.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::carrier::{Answer, Carrier, MOST_PROBES};
use super::flight::{Flight, State, Wish};
use super::ladder;
use super::search::{Search, Verdict};
use super::trace::{Mark, Trace};
use crate::failure::{Class, Failure};
use crate::net::engine::{Arrival, Draft, Icmp, Next};
use crate::probe::session::{self, Session, Want};
use crate::probe::{Counts, Event, Events, IcmpErrors};
use crate::units::Now;
use crate::wire::icmp::{Meaning, Version};

/// Between two packets of a burst.
const PACE: Duration = Duration::from_millis(1);
/// A packet is given up after three round trips, but not before this: then it may be tried again.
const PATIENCE: Duration = Duration::from_millis(60);
/// And not before this (or three round trips), where its loss decides.
const LAST_PATIENCE: Duration = Duration::from_millis(200);
/// How long an answer may come after a router's "too big", beyond two round trips.
const DOUBT: Duration = Duration::from_millis(10);
/// How often a router says "too big" to one host at least, where it rations its words (Linux: `icmp_ratelimit`).
const RATION: Duration = Duration::from_millis(1100);
/// "Too big" messages that are kept.
const MOST_REFUSALS: usize = 16;
/// Sends in a row that this host refuses, after which it is asked no more.
const MOST_REFUSED: u32 = 5;
/// How long a reflector may take to answer, beyond some round trips.
const SCOUT: Duration = Duration::from_millis(50);
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

/// The circumstances of an answer.
#[derive(Clone, Copy, Debug)]
struct Heard {
    now: Now,
    stamp: Option<u64>,
    ttl: Option<u8>,
    fragment: Option<u16>,
}

/// One run with one method.
pub(super) struct Engine {
    plan: Plan,
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
            Carrier::Echo(_) | Carrier::Syn(_) => PACE,
        }
    }

    fn wish(&mut self, lane: usize, sizes: impl IntoIterator<Item = u16>) {
        self.queue.extend(sizes.into_iter().map(|size| Wish::new(lane, size, None)));
    }

    /// Whether a wish is still worth a packet.
    fn is_wanted(&self, wish: &Wish) -> bool {
        let search = match self.stage {
            Stage::Search => Some(&self.search),
            Stage::Reverse => self.reverse.as_ref(),
            Stage::Forward => self.forward.as_ref(),
            _ => None,
        };
        let tells = |search: &Search| !search.is_settled(wish.size) || wish.size == search.control();
        wish.ttl.is_some() || search.is_none_or(tells)
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

    /// What to do when nothing is queued and nothing in flight. `None`: ask again.
    fn advance(&mut self, now: Now) -> Option<Next> {
        match self.stage {
            Stage::Opening | Stage::Done => {}
            Stage::Search => return self.searching(now),
            Stage::Reverse => {
                let Some(search) = &mut self.reverse else { return self.turn(Stage::Trace) };
                if let Some(verdict) = search.verdict() {
                    let vanishes = matches!(verdict, Verdict::Found(_, Some(wall)) if !wall.is_refused);
                    if vanishes && let Some(wait) = self.hold(now) {
                        return Some(wait);
                    }
                    return self.traced();
                }
                let (sizes, control) = (search.plan(), search.control());
                if sizes.is_empty() {
                    return self.traced();
                }
                self.wish(MAIN, sizes.into_iter().chain([control]));
            }
            Stage::Cross => return self.crossing(),
            Stage::Forward => {
                let Some(search) = &mut self.forward else { return self.turn(Stage::Trace) };
                let (sizes, control) = (search.plan(), search.control());
                if sizes.is_empty() {
                    return self.traced();
                }
                self.wish(CLOSED, sizes.into_iter().chain([control]));
            }
            Stage::Trace => {
                let wishes = self.trace.as_mut().map(Trace::plan).unwrap_or_default();
                if wishes.is_empty() {
                    return self.turn(Stage::Scout);
                }
                self.queue.extend(wishes);
            }
            Stage::Scout => {
                let until = self.started.unwrap_or(now.mono) + SCOUT + self.rtt.unwrap_or_default() * 4;
                let waits =
                    self.scout.as_ref().is_some_and(|scout| scout.is_hopeful && scout.session.open.is_none());
                if waits && now.mono < until {
                    return Some(Next::Wait(until));
                }
                return self.turn(Stage::Done);
            }
        }
        None
    }

    fn searching(&mut self, now: Now) -> Option<Next> {
        match self.search.verdict() {
            Some(Verdict::Silent) => self.turn(Stage::Scout),
            Some(Verdict::Found(low, wall)) => {
                let vanishes = wall.is_some_and(|wall| !wall.is_refused);
                if vanishes && let Some(wait) = self.hold(now) {
                    return Some(wait);
                }
                if let Some(wall) =
                    wall.filter(|_| vanishes && !self.asked_again && self.plan.learnt == Some(low))
                {
                    // Linux says it once a second, and has said it before.
                    let until = self.latest.unwrap_or(now.mono) + RATION;
                    if now.mono < until {
                        return Some(Next::Wait(until));
                    }
                    self.asked_again = true;
                    self.wish(MAIN, [wall.size, self.search.control()]);
                    return None;
                }
                if let Some(wall) = wall {
                    let fate = if vanishes { "vanish" } else { "are too big" };
                    let text = format!("{low} bytes pass, {} bytes {fate}", wall.size);
                    self.events.tell(Event::Note { text });
                }
                let asks =
                    !matches!(self.lanes[MAIN].carrier, Carrier::Session(_)) && self.lanes.len() > CLOSED;
                match wall.filter(|_| vanishes && asks) {
                    Some(wall) => {
                        let sizes = [wall.size, low, wall.size, wall.size, low];
                        self.wish(CLOSED, sizes);
                        self.turn(Stage::Cross)
                    }
                    None => self.turn_back(low),
                }
            }
            None => {
                let sizes = self.search.plan();
                if sizes.is_empty() {
                    return self.turn(Stage::Scout);
                }
                let control = self.search.low().map(|_| self.search.control());
                self.wish(MAIN, sizes.into_iter().chain(control));
                None
            }
        }
    }

    /// Searches the way back, up to what passes on the way there.
    fn turn_back(&mut self, low: u16) -> Option<Next> {
        if matches!(self.lanes[MAIN].carrier, Carrier::Closed(_) | Carrier::Syn(_)) {
            // Their answers are short.
            return self.traced();
        }
        let mut search = Search::new(self.plan.v6, self.plan.least.min(low), low);
        let probes =
            self.flights.iter().filter(|flight| flight.wish.ttl.is_none() && flight.wish.lane == MAIN);
        for flight in probes {
            match flight.state {
                State::Answered => {
                    came_back(&mut search, flight.wish.size, flight.sent.mono, flight.fragment)
                }
                State::Ended if flight.arrived => search.failed(flight.wish.size, flight.sent.mono, false),
                _ => {}
            }
        }
        search.go_on();
        self.reverse = Some(search);
        self.turn(Stage::Reverse)
    }

    /// Waits a little more before a loss is the last word.
    fn hold(&self, now: Now) -> Option<Next> {
        let patience = (self.rtt.unwrap_or_default() * 3).max(LAST_PATIENCE);
        let until = self.latest? + patience;
        (now.mono < until).then_some(Next::Wait(until))
    }

    /// Judges what came back from a port where nobody listens.
    fn crossing(&mut self) -> Option<Next> {
        let Some(Verdict::Found(low, Some(wall))) = self.search.verdict() else {
            return self.turn(Stage::Trace);
        };
        let answered = |size| {
            let mut sent =
                self.flights.iter().filter(|flight| flight.wish.lane == CLOSED && flight.wish.size == size);
            sent.any(|flight| flight.state == State::Answered)
        };
        self.crossed = match (answered(wall.size), answered(low)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        };
        if self.crossed != Some(true) {
            return self.turn_back(low);
        }
        let mut search =
            Search::new(self.plan.v6, wall.size, self.plan.most.min(self.search.local().unwrap_or(u16::MAX)));
        if let Some(flight) = self
            .flights
            .iter()
            .find(|flight| flight.wish.size == wall.size && flight.state == State::Answered)
        {
            search.passed(wall.size, flight.sent.mono);
        }
        self.forward = Some(search);
        self.turn(Stage::Forward)
    }

    /// Goes on to look at each hop, if there is a reason.
    fn traced(&mut self) -> Option<Next> {
        let wall = match self.search.verdict() {
            Some(Verdict::Found(low, wall)) => wall.map(|wall| (low, wall)),
            _ => None,
        };
        let small = self.search.control();
        let large = match (wall, self.plan.known) {
            (Some((_, wall)), _) => Some(wall.size),
            (None, None) if self.plan.trace => self.search.low(),
            _ => None,
        };
        let Some(large) = large.filter(|&large| large > small && self.plan.known.is_none()) else {
            return self.turn(Stage::Scout);
        };
        self.trace = Some(Trace::new(MAIN, small, large, self.ttl));
        self.turn(Stage::Trace)
    }

    fn turn(&mut self, stage: Stage) -> Option<Next> {
        self.stage = stage;
        None
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
                self.search = Search::new(self.plan.v6, self.plan.least.min(most), most);
                self.turn(Stage::Search)
            }
            Want::GaveUp => {
                let hellos = session.hellos();
                let silence =
                    || Class::Timeout.because(format_args!("no reflector answers {hellos} hellos in 7.75 s"));
                self.failure = self.failure.take().or_else(|| Some(silence()));
                self.turn(Stage::Done)
            }
        }
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
        self.slot = Some(now.mono + self.pace(wish.lane));
        Next::Send
    }

    fn answered(&mut self, answer: Answer, at: Heard) {
        let Heard { now, stamp, ttl, fragment } = at;
        for (behind, number) in (0..64).filter_map(|bit| Some((bit, answer.number.checked_sub(bit)?))) {
            if answer.window >> behind & 1 == 1 {
                self.arrived(number as usize);
            }
        }
        let Some(flight) = self.flights.get_mut(answer.number as usize) else {
            self.ignored += 1;
            return;
        };
        if flight.state == State::Answered {
            self.counts.duplicates += 1;
            return;
        }
        self.counts.late += u64::from(flight.state == State::Ended);
        let rtt = flight.answer(now, stamp);
        flight.fragment = fragment;
        let (Wish { lane, size, ttl: limit, .. }, sent) = (flight.wish, flight.sent.mono);
        if let (Some(limit), Some(trace)) = (limit, &mut self.trace) {
            trace.heard(limit, size, None, Mark::Target);
            return;
        }
        let mono = now.mono.saturating_duration_since(sent);
        self.rtt = Some(self.rtt.map_or(mono, |known| known.max(mono)));
        self.ttl = ttl.or(self.ttl);
        if lane == CLOSED {
            if let Some(search) = &mut self.forward {
                search.passed(size, sent);
            }
        } else {
            self.search.passed(size, sent);
            if let Some(search) = &mut self.reverse {
                came_back(search, size, sent, fragment);
            }
        }
        let (seq, bytes) = (answer.number.into(), Some(size.into()));
        self.events.tell(Event::Reply { target: None, seq, at: now.wall, rtt, delay_ms: None, bytes, ttl });
    }

    /// The far side has counted this packet.
    fn arrived(&mut self, number: usize) {
        let Some(flight) = self.flights.get_mut(number).filter(|flight| !flight.arrived) else {
            return;
        };
        flight.arrived = true;
        let (Wish { size, ttl, lane, .. }, sent) = (flight.wish, flight.sent.mono);
        if ttl.is_some() || lane != MAIN {
            return;
        }
        self.search.passed(size, sent);
        if let Some(search) = self.reverse.as_mut().filter(|_| flight.state == State::Ended) {
            search.failed(size, sent, false);
        }
    }

    fn datagram(&mut self, bytes: &[u8], from: Option<std::net::SocketAddr>, socket: usize, at: Heard) {
        if let Some(scout) = self.scout.as_mut().filter(|scout| scout.socket == socket) {
            if matches!(scout.session.receive(bytes), session::Heard::Opened(_)) {
                scout.is_hopeful = true;
            }
            return;
        }
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.socket == socket) else {
            return;
        };
        if let Some(answer) = lane.carrier.read(bytes, from) {
            self.answered(answer, at);
        }
    }

    fn icmp(&mut self, icmp: &Icmp<'_>, now: Now) {
        let meaning = Meaning::of(Version::of(self.plan.v6), icmp.kind, icmp.code);
        if self.scout.as_ref().is_some_and(|scout| scout.socket == icmp.socket) {
            if let Some(scout) = self.scout.as_mut().filter(|_| meaning.is_final()) {
                scout.is_hopeful = false;
            }
            return;
        }
        let lane = self.lanes.iter().position(|lane| lane.socket == icmp.socket);
        let quoted = lane.and_then(|lane| self.lanes[lane].carrier.quoted(icmp));
        let known = quoted.filter(|number| {
            self.flights.get(*number as usize).is_some_and(|flight| Some(flight.wish.lane) == lane)
        });
        let (Some(lane), Some(number)) = (lane, known) else {
            // What comes while a session is being opened quotes no probe.
            self.unquoted(icmp, meaning);
            return;
        };
        if self.lanes[lane].carrier.is_answer(meaning, icmp.from) {
            let at = Heard { now, stamp: icmp.stamp, ttl: icmp.ttl, fragment: None };
            self.answered(Answer { number, window: 1 }, at);
            return;
        }
        match meaning {
            Meaning::TooBig => self.refused(number as usize, icmp, now),
            Meaning::TimeExceeded => self.expired(number as usize, icmp),
            _ => {
                IcmpErrors::count_in(&mut self.errors, icmp);
                let flight = &mut self.flights[number as usize];
                if meaning.is_final() && !flight.is_over() {
                    // A host that is not reachable proves nothing about sizes.
                    flight.state = State::Ended;
                }
            }
        }
    }

    fn unquoted(&mut self, icmp: &Icmp<'_>, meaning: Meaning) {
        if self.stage == Stage::Opening && meaning.is_final() {
            let error = std::io::Error::from_raw_os_error(icmp.errno);
            let from = icmp.from.map_or_else(String::new, |from| format!(" from {from}"));
            self.failure = Some(Failure::from_io(
                format_args!("icmp type {} code {}{from}", icmp.kind, icmp.code),
                &error,
            ));
            if self.failure.as_ref().is_some_and(|failure| failure.class == Class::Refused) {
                self.stage = Stage::Done;
            }
            return;
        }
        self.ignored += 1;
    }

    fn expired(&mut self, number: usize, icmp: &Icmp<'_>) {
        let flight = &mut self.flights[number];
        let Some(ttl) = flight.wish.ttl else {
            // A loop, or a TTL that the user has asked for.
            IcmpErrors::count_in(&mut self.errors, icmp);
            if !flight.is_over() {
                flight.state = State::Ended;
            }
            return;
        };
        flight.state = State::Expired;
        if let Some(trace) = &mut self.trace {
            trace.heard(ttl, flight.wish.size, icmp.from, Mark::Expired);
        }
    }

    /// A router says that a packet was too big (RFC 1191 §4, RFC 8201 §4). It is a hint: a probe confirms it.
    fn refused(&mut self, number: usize, icmp: &Icmp<'_>, now: Now) {
        let v6 = self.plan.v6;
        let flight = self.flights[number];
        let size = flight.wish.size;
        let said = u16::try_from(icmp.mtu).ok();
        // Old routers say nothing, or the least that there is.
        let mtu = said.filter(|&mtu| v6 || mtu > 68);
        let is_silent = !v6 && icmp.mtu <= 68;
        let is_possible = mtu.is_some_and(|mtu| mtu < size && (!v6 || mtu >= ladder::ordinary(v6)));
        if flight.state == State::Answered && flight.wish.ttl.is_none() || !(is_possible || is_silent) {
            // An answered packet was not too big; a router that says so all the same is noted, not believed.
            self.note_refusal(icmp.from, mtu, size, is_possible || is_silent);
            return;
        }
        self.note_refusal(icmp.from, mtu, size, true);
        let until = now.mono + self.rtt.unwrap_or_default() * 2 + DOUBT;
        if let State::Waiting = flight.state {
            self.flights[number].state = State::Doubted(until);
        }
        if let (Some(ttl), Some(trace)) = (flight.wish.ttl, &mut self.trace) {
            trace.heard(ttl, size, icmp.from, Mark::Refused);
            return;
        }
        let hint = mtu.unwrap_or_else(|| ladder::plateau(size));
        let search = if flight.wish.lane == CLOSED { self.forward.as_mut() } else { Some(&mut self.search) };
        let Some(search) = search else { return };
        if mtu.is_none() {
            search.refused_without_name();
        }
        if search.hint(hint) {
            let lane = flight.wish.lane;
            self.queue.retain(|wish| wish.lane != lane || wish.size <= hint);
            let sizes = search.plan();
            let rest: Vec<Wish> = self.queue.drain(..).collect();
            self.wish(lane, sizes);
            self.queue.extend(rest);
            let from = icmp.from.map_or_else(|| "a router".to_owned(), |from| from.to_string());
            self.events.tell(Event::Note {
                text: format!("{from} says that {size} bytes are too big, and {hint} are not"),
            });
        }
    }

    fn note_refusal(&mut self, from: Option<IpAddr>, mtu: Option<u16>, probe: u16, is_possible: bool) {
        if !is_possible {
            self.ignored += 1;
            return;
        }
        let same = |known: &Refusal| (known.from, known.mtu) == (from, mtu);
        match self.refusals.iter().position(same) {
            Some(at) => {
                let known = &mut self.refusals[at];
                known.count += 1;
                known.probe = known.probe.min(probe);
            }
            None if self.refusals.len() < MOST_REFUSALS => {
                self.refusals.push(Refusal { from, mtu, probe, count: 1 })
            }
            None => {}
        }
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

/// An answer of `size` came back, whole or in fragments: who cut it takes no more than the largest of them.
fn came_back(search: &mut Search, size: u16, sent: Instant, fragment: Option<u16>) {
    match fragment {
        None => search.passed(size, sent),
        Some(fragment) => {
            search.cut(size, sent);
            search.hint(fragment);
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
            Arrival::NotSent { send, errno } => self.not_sent(send, errno),
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
