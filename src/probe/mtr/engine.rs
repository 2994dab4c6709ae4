//! The engine of a trace: cycle after cycle, all hops at once; it learns the path's length on the way and ends with its
//! last reply. No socket, no clock, no randomness of its own.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::carrier::Carrier;
use super::course::Course;
use super::flights::{Flights, Heard, Says};
use super::tally::Tally;
use crate::net::engine::{Arrival, Draft, Engine, Next};
use crate::probe::pace::{Cadence, Due, Pace};
use crate::probe::{Event, Events};
use crate::units::Now;

/// A silent hop is waited for this long, while nothing has answered yet and afterwards at most.
pub(super) const MOST_GRACE: Duration = Duration::from_secs(1);
/// And at least so long.
pub(super) const LEAST_GRACE: Duration = Duration::from_millis(100);
/// Probes whose fate is known are remembered for this long, so that what comes twice is seen.
const MEMORY: Duration = Duration::from_secs(2);
/// Probes that shall see at a hop whether addresses are translated before it.
const WITNESSES: u8 = 2;
/// TTL of the echo requests that confirm loss at the target.
const FAR: u8 = 64;

/// What a trace shall do.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) pace: Pace,
    pub(super) first: u8,
    pub(super) most: u8,
    pub(super) unknown: u8,
    pub(super) timeout: Duration,
    /// How long to wait at the end, if it shall not be learned.
    pub(super) grace: Option<Duration>,
}

/// One trace.
pub(super) struct Trace {
    plan: Plan,
    cadence: Cadence,
    flights: Flights,
    courses: Vec<Course>,
    cycles: Vec<Cycle>,
    tally: Tally,
    /// The place of the flow that confirms loss, behind the courses; its probes and their replies.
    check: Option<usize>,
    checks: (u64, u64),
    /// The place of the flow that sees translators, behind both.
    witness: Option<usize>,
    /// Hops that it shall ask, and how often it asked each.
    witnesses: VecDeque<u8>,
    witnessed: BTreeMap<u8, u8>,
    events: Events,
    begun: u64,
    /// The cadence has no more.
    over: bool,
    last_sent: Option<Instant>,
    stopped: bool,
    /// The first thing that this host has refused to send.
    refused: Option<i32>,
}

/// A cycle that is not yet all sent.
#[derive(Clone, Debug)]
struct Cycle {
    number: u64,
    /// The next TTL for each flow.
    next: Vec<u8>,
    /// Probes that wait for their turn: flow and TTL.
    held: Vec<(usize, u8)>,
    checked: bool,
}

/// The flows beside those that are traced, which come behind them in this order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beside {
    /// One only confirms loss at the target.
    pub(super) check: bool,
    /// One only sees who translates addresses.
    pub(super) witness: bool,
}

/// What a trace has brought.
pub(super) struct Findings {
    pub(super) tally: Tally,
    pub(super) courses: Vec<Course>,
    pub(super) carrier: Carrier,
    pub(super) cycles: u64,
    pub(super) skipped: u64,
    pub(super) ignored: u64,
    pub(super) all_kernel: bool,
    pub(super) check: Option<(u64, u64)>,
    pub(super) refused: Option<i32>,
}

/// Cycles that are not yet sent whole: while hops are asked alone, more come due.
const MOST_CYCLES: usize = 256;

impl Trace {
    /// A trace over `carrier`'s flows to `target`.
    pub(super) fn new(plan: Plan, carrier: Carrier, beside: Beside, target: IpAddr, events: Events) -> Self {
        let Beside { check, witness } = beside;
        let flows = carrier.flows.len() - usize::from(check) - usize::from(witness);
        let courses = vec![Course::new(plan.first, plan.most, plan.unknown); flows];
        Self {
            cadence: Cadence::new(plan.pace.clone()),
            flights: Flights::new(carrier, target, plan.timeout),
            courses,
            cycles: Vec::new(),
            tally: Tally::default(),
            check: check.then_some(flows),
            checks: (0, 0),
            witness: witness.then_some(flows + usize::from(check)),
            witnesses: VecDeque::new(),
            witnessed: BTreeMap::new(),
            events,
            begun: 0,
            over: false,
            last_sent: None,
            stopped: false,
            refused: None,
            plan,
        }
    }

    /// Tells each new address to `news`.
    pub(super) fn tell_addresses(&mut self, news: mpsc::Sender<IpAddr>) {
        self.tally.news = Some(news);
    }

    /// What was found.
    pub(super) fn finish(self) -> Findings {
        Findings {
            tally: self.tally,
            courses: self.courses,
            cycles: self.begun,
            skipped: self.cadence.skipped,
            ignored: self.flights.ignored(),
            all_kernel: self.flights.all_kernel,
            carrier: self.flights.carrier,
            check: self.check.map(|_| self.checks),
            refused: self.refused,
        }
    }

    /// How long a reply is waited for before its hop counts as silent, and at the end.
    fn grace(&self) -> Duration {
        self.plan.grace.unwrap_or(self.flights.grace()).min(self.plan.timeout)
    }

    /// Opens the cycles that are due; when the next one is.
    fn begin(&mut self, now: Now) -> Option<Instant> {
        loop {
            match self.cadence.take(now.mono) {
                Due::Now(_) if self.cycles.len() >= MOST_CYCLES => self.cadence.skipped += 1,
                Due::Now(_) => {
                    let next = vec![self.plan.first; self.courses.len()];
                    let (number, checked) = (self.begun, self.check.is_none());
                    self.cycles.push(Cycle { number, next, held: Vec::new(), checked });
                    self.begun += 1;
                }
                Due::At(due) => return Some(due),
                Due::Never => {
                    self.over = true;
                    return None;
                }
            }
        }
    }

    /// The next probe that may go now: its flow, TTL and cycle.
    fn next_probe(&mut self, now: Instant) -> Option<(usize, u8, u64)> {
        if let Some((witness, ttl)) = self.witness.and_then(|flow| Some((flow, self.witnesses.pop_front()?)))
        {
            return Some((witness, ttl, self.begun));
        }
        let grace = self.grace();
        for cycle in &mut self.cycles {
            cycle.held.retain(|&(flow, ttl)| ttl <= self.courses[flow].last());
            let mut held = cycle.held.iter();
            if let Some(at) =
                held.position(|&(flow, ttl)| self.flights.may_go(flow, ttl, self.courses[flow].last(), now))
            {
                let (flow, ttl) = cycle.held.remove(at);
                return Some((flow, ttl, cycle.number));
            }
            for (flow, course) in self.courses.iter().enumerate() {
                while cycle.next[flow] <= course.open(now, grace) {
                    let ttl = cycle.next[flow];
                    cycle.next[flow] += 1;
                    if self.flights.may_go(flow, ttl, course.last(), now) {
                        return Some((flow, ttl, cycle.number));
                    }
                    cycle.held.push((flow, ttl));
                }
            }
            if let Some(check) = self.check.filter(|_| !cycle.checked) {
                cycle.checked = true;
                return Some((check, FAR, cycle.number));
            }
        }
        None
    }

    /// Forgets the cycles that have nothing left to send.
    fn close_cycles(&mut self, now: Instant) {
        let grace = self.grace();
        let courses = &self.courses;
        self.cycles.retain(|cycle| {
            let mut flows = courses.iter().zip(&cycle.next);
            !cycle.checked
                || !cycle.held.is_empty()
                || flows.any(|(course, &next)| next <= course.last() || !course.is_known(now, grace))
        });
    }

    fn send(&mut self, now: Now, (flow, ttl, cycle): (usize, u8, u64), out: &mut Draft) -> Next {
        let number = self.flights.launched();
        self.flights.launch(now, flow, ttl, cycle, out);
        if let Some(course) = self.courses.get_mut(flow) {
            course.asked(ttl, now.mono);
            self.tally.sent(ttl, number);
        } else if Some(flow) == self.check {
            self.checks.0 += 1;
        }
        self.last_sent = Some(now.mono);
        Next::Send
    }

    /// Gives up what has waited too long.
    fn expire(&mut self, now: Now) {
        let (timeout, events, flows, check) =
            (self.plan.timeout, &self.events, self.courses.len(), self.check);
        let lost = |flight: super::flights::Flight| match Some(flight.flow) == check {
            true => events.tell(Event::Check { answered: false }),
            false if flight.flow < flows => tell_lost(events, &flight, now),
            false => {}
        };
        self.flights.expire(now.mono.checked_sub(timeout), now.mono.checked_sub(timeout + MEMORY), lost);
    }

    /// The end: what is still open is lost, or was under way if the user wanted no more.
    fn settle(&mut self, now: Now) {
        let open: Vec<_> = self.flights.pending().copied().collect();
        for flight in &open {
            match (flight.flow < self.courses.len(), self.stopped) {
                (true, true) => self.tally.interrupted(flight),
                (true, false) => tell_lost(&self.events, flight, now),
                (false, _) if Some(flight.flow) != self.check => {}
                (false, true) => self.checks.0 -= 1,
                (false, false) => self.events.tell(Event::Check { answered: false }),
            }
        }
        self.flights.expire(Some(now.mono), None, |_| ());
    }

    fn heard(&mut self, heard: &Heard) {
        if Some(heard.flow) == self.check {
            if heard.says == Says::Target && heard.was == super::flights::State::Open {
                self.checks.1 += 1;
                self.events.tell(Event::Check { answered: true });
            }
            return;
        }
        self.tally.saw(heard);
        if Some(heard.flow) == self.witness {
            return;
        }
        let has_moved = self.tally.heard(heard);
        if heard.flow == 0 && heard.says == Says::Transit && self.tally.is_translated(heard.ttl).is_none() {
            self.ask_witness(heard.ttl);
        }
        let course = &mut self.courses[heard.flow];
        match heard.says {
            Says::Transit => course.passed(heard.ttl, heard.number),
            Says::Target => course.reached(heard.ttl, self.flights.launched()),
            Says::Barred(_) => course.barred(heard.ttl),
        }
        if !self.events.want_packets() {
            return;
        }
        if heard.was == super::flights::State::Open {
            self.events.tell(heard.event());
        }
        if has_moved {
            self.tell_changes();
        }
    }

    /// How the path has changed so far, judged anew: what looked like a change may prove to be balancing.
    fn tell_changes(&self) {
        let targets = self.courses.iter().filter_map(Course::target);
        let mut changes = self.tally.routes.changes(targets.max().unwrap_or(self.plan.most));
        self.events.tell(Event::Path { changes: changes.len() as u64, latest: changes.pop() });
    }

    /// What has answered there is asked what it sees of a probe: twice at most.
    fn ask_witness(&mut self, ttl: u8) {
        let asked = self.witnessed.entry(ttl).or_default();
        if self.witness.is_some() && *asked < WITNESSES && !self.stopped {
            *asked += 1;
            self.witnesses.push_back(ttl);
        }
    }

    fn not_sent(&mut self, send: u64, errno: i32) {
        let Some(flight) = self.flights.flight(send).copied() else {
            return;
        };
        if flight.flow < self.courses.len() {
            self.refused.get_or_insert(errno);
            self.tally.refused(&flight);
        } else if Some(flight.flow) == self.check {
            self.checks.0 -= 1;
        }
    }
}

fn tell_lost(events: &Events, flight: &super::flights::Flight, now: Now) {
    let (ttl, at) = (flight.ttl, now.wall);
    events.tell(Event::Hop {
        ttl,
        at,
        from: None,
        rtt: None,
        is_target: false,
        mark: None,
        mpls: Vec::new(),
    });
}

impl Engine for Trace {
    fn poll(&mut self, now: Now, out: &mut Draft) -> Next {
        self.expire(now);
        let mut wake = None;
        if !self.stopped {
            wake = self.begin(now);
            if let Some(probe) = self.next_probe(now.mono) {
                return self.send(now, probe, out);
            }
            self.close_cycles(now.mono);
        }
        let grace = self.grace();
        if self.stopped || self.over && self.cycles.is_empty() && self.witnesses.is_empty() {
            let end = self.flights.newest().map(|newest| newest + grace);
            match end.filter(|&end| end > now.mono && !self.stopped) {
                Some(end) => return Next::Wait(end),
                None => {
                    self.settle(now);
                    return Next::Done;
                }
            }
        }
        let settles = self.courses.iter().filter_map(|course| course.settles(now.mono, grace));
        let expires = self.flights.oldest().map(|oldest| oldest + self.plan.timeout);
        let held = self.cycles.iter().flat_map(|cycle| &cycle.held);
        let frees = held.filter_map(|&(flow, _)| self.flights.frees(flow, now.mono));
        let wake = settles.chain(wake).chain(expires).chain(frees).min();
        Next::Wait(wake.unwrap_or(now.mono + LEAST_GRACE))
    }

    fn receive(&mut self, now: Now, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Stop => self.stopped = true,
            Arrival::NotSent { send, errno, .. } => {
                self.not_sent(send, errno);
                let _ = self.flights.receive(now, arrival);
            }
            _ => {
                let mut next = self.flights.receive(now, arrival);
                while let Some(heard) = next {
                    self.heard(&heard);
                    next = self.flights.take_more();
                }
            }
        }
    }
}
