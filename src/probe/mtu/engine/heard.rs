//! What arrives: answers, what a reflector has counted, and the words of routers.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{CLOSED, Engine, MAIN, Refusal, Stage};
use crate::failure::{Class, Failure};
use crate::net::engine::Icmp;
use crate::probe::mtu::carrier::Answer;
use crate::probe::mtu::flight::{State, Wish};
use crate::probe::mtu::ladder;
use crate::probe::mtu::search::Search;
use crate::probe::mtu::trace::Mark;
use crate::probe::session;
use crate::probe::{Event, IcmpErrors};
use crate::units::Now;
use crate::wire::icmp::{Meaning, Version};

/// How long an answer may come after a router's "too big", beyond two round trips.
const DOUBT: Duration = Duration::from_millis(10);
/// By how much an answer may overtake another one, beyond an eighth of a round trip.
const OVERTAKING: Duration = Duration::from_millis(1);
/// "Too big" messages that are kept.
const MOST_REFUSALS: usize = 16;

/// The circumstances of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) now: Now,
    pub(super) stamp: Option<u64>,
    pub(super) ttl: Option<u8>,
    pub(super) fragment: Option<u16>,
}

impl Engine {
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
        self.end_doubts(now, lane, answer.number);
        self.ttl = ttl.or(self.ttl);
        if lane == CLOSED {
            if let Some(search) = &mut self.forward {
                search.passed(size, sent);
            }
        } else if let Some(search) = &mut self.reverse {
            came_back(search, size, sent, fragment);
        }
        let (seq, bytes) = (answer.number.into(), Some(size.into()));
        self.events.tell(Event::Reply {
            target: None,
            seq,
            at: now.wall,
            rtt,
            delay_ms: None,
            bytes,
            ttl,
            said: None,
        });
    }

    /// An answer has come to packet `number`: those to packets before it would have come by now, or will very soon.
    fn end_doubts(&mut self, now: Now, lane: usize, number: u32) {
        let soon = now.mono + OVERTAKING + self.rtt.unwrap_or_default() / 8;
        for flight in self.flights.iter_mut().take(number as usize) {
            if let State::Doubted(until) = &mut flight.state
                && flight.wish.lane == lane
            {
                *until = soon.min(*until);
            }
        }
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

    pub(super) fn datagram(&mut self, bytes: &[u8], from: Option<SocketAddr>, socket: usize, at: Heard) {
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

    pub(super) fn icmp(&mut self, icmp: &Icmp<'_>, now: Now) {
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

    pub(super) fn unquoted(&mut self, icmp: &Icmp<'_>, meaning: Meaning) {
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
        let is_open = flight.state == State::Waiting;
        if let (Some(ttl), Some(trace)) = (flight.wish.ttl, &mut self.trace) {
            // It would have ended on the way all the same: there is no answer to wait for.
            if is_open {
                self.flights[number].state = State::Ended;
            }
            trace.heard(ttl, size, icmp.from, Mark::Refused);
            return;
        }
        if is_open {
            let until = now.mono + self.rtt.unwrap_or_default() * 2 + DOUBT;
            self.flights[number].state = State::Doubted(until);
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
            let takes = match mtu {
                Some(mtu) => format!("which takes {mtu}: trying that and the next size"),
                None => format!("and not what it takes: trying {hint} and less"),
            };
            self.events.tell(Event::Note {
                text: format!("{from} says that {size} bytes are too big for its next link, {takes}"),
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
}

/// An answer of `size` came back, whole or in fragments: who cut it takes no more than the largest of them.
pub(super) fn came_back(search: &mut Search, size: u16, sent: Instant, fragment: Option<u16>) {
    match fragment {
        None => search.passed(size, sent),
        Some(fragment) => {
            search.cut(size, sent);
            search.hint(fragment);
        }
    }
}
