//! What a run does one after the other: search, the way back, what another carrier says, who is in the way.

use std::time::Duration;

use super::heard::came_back;
use super::{CLOSED, Engine, MAIN, Stage};
use crate::net::engine::Next;
use crate::probe::Event;
use crate::probe::mtu::carrier::Carrier;
use crate::probe::mtu::flight::State;
use crate::probe::mtu::search::{Search, Verdict};
use crate::probe::mtu::trace::Trace;
use crate::units::Now;

/// No loss is the last word before this, or three round trips.
const LAST_PATIENCE: Duration = Duration::from_millis(200);
/// How often a router says "too big" to one host at least, where it rations its words (Linux: `icmp_ratelimit`).
const RATION: Duration = Duration::from_millis(1100);
/// How long a reflector may take to answer, beyond some round trips.
const SCOUT: Duration = Duration::from_millis(50);

impl Engine {
    /// What to do when nothing is queued and nothing in flight. `None`: ask again.
    pub(super) fn advance(&mut self, now: Now) -> Option<Next> {
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
                    let fate = if vanishes { "get no answer, and nobody says why" } else { "are too big" };
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
        let large = match (wall, self.plan.known) {
            (Some((_, wall)), _) => Some(wall.size),
            (None, None) if self.plan.trace => self.search.low(),
            _ => None,
        };
        let Some(large) = large.filter(|_| self.plan.known.is_none()) else {
            return self.turn(Stage::Scout);
        };
        let control = self.search.control();
        let small = if control < large { control } else { self.plan.least.min(large) };
        self.trace = Some(Trace::new(MAIN, small, large, self.ttl));
        self.turn(Stage::Trace)
    }

    pub(super) fn turn(&mut self, stage: Stage) -> Option<Next> {
        self.stage = stage;
        None
    }
}
