//! The scans of several hosts at once, as one.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use nix::libc;

use super::engine::{Engine, Next, Shot, Tuning, Verdict};
use super::report::{Proto, Reason, State};
use crate::probe::{Event, Events};
use crate::stats::Rng;
use crate::units::Now;

/// Hosts that are scanned at the same time.
const ABREAST: usize = 64;

/// What to scan, and how.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Whom; the port is 0.
    pub hosts: Vec<SocketAddr>,
    /// TCP or UDP.
    pub proto: Proto,
    /// Which ports of each, each once.
    pub ports: Vec<u16>,
    /// Those of them that are asked first.
    pub first: Vec<u16>,
    /// How.
    pub tuning: Tuning,
    /// Chance.
    pub seed: u64,
}

/// A question to one of the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// Place of the host.
    pub host: usize,
    /// Which of its ports, for which time.
    pub shot: Shot,
}

/// What is to be done: [`Next`], for one of the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Ask.
    Send(Question),
    /// Nobody waits for this one's answer any more.
    Forget(Question),
    /// Nothing before this moment, unless something arrives.
    Wait(Instant),
    /// All is known.
    Done,
}

/// See the module.
pub(super) struct Fleet {
    plan: Plan,
    first: Vec<u32>,
    /// Place of each host.
    places: HashMap<IpAddr, usize>,
    /// One for each host that was begun.
    engines: Vec<Engine>,
    /// Those that are not over; the next to be asked is at the cursor.
    active: Vec<usize>,
    cursor: usize,
    /// Questions per second of all hosts together, what goes at once when that was not used before, and when the next may go.
    ceiling: f64,
    burst: Duration,
    next: Instant,
    ends: Instant,
    rng: Rng,
    events: Events,
}

impl Fleet {
    /// The scans of `plan`, from `now` on.
    pub(super) fn new(mut plan: Plan, events: Events, now: Instant) -> Self {
        let place = |port: &u16| plan.ports.binary_search(port).ok().and_then(|at| u32::try_from(at).ok());
        let first = plan.first.iter().filter_map(place).collect();
        let abreast = plan.hosts.len().clamp(1, ABREAST);
        plan.tuning.most = (plan.tuning.most / abreast as u32).max(1);
        plan.tuning.window = plan.tuning.window.min(plan.tuning.most);
        let places = plan.hosts.iter().enumerate().map(|(place, host)| (host.ip(), place)).collect();
        let (ends, rng) = (now + plan.tuning.deadline, Rng::new(plan.seed));
        let Tuning { ceiling, burst, .. } = plan.tuning;
        let next = now.checked_sub(burst).unwrap_or(now);
        Self {
            ceiling,
            burst,
            next,
            plan,
            first,
            places,
            engines: Vec::new(),
            active: Vec::new(),
            cursor: 0,
            ends,
            rng,
            events,
        }
    }

    /// What is to be done at `now`.
    pub(super) fn poll(&mut self, now: Instant) -> Move {
        self.muster(now);
        let mut until: Option<Instant> = None;
        let mut left = self.active.len();
        while left > 0 {
            left -= 1;
            self.cursor = if self.cursor + 1 < self.active.len() { self.cursor + 1 } else { 0 };
            let host = self.active[self.cursor];
            self.engines[host].hold(self.next);
            match self.engines[host].poll(now) {
                Next::Send(shot) => {
                    self.count(now);
                    return Move::Send(Question { host, shot });
                }
                Next::Forget(shot) => return Move::Forget(Question { host, shot }),
                Next::Wait(at) => until = Some(until.map_or(at, |until| until.min(at))),
                Next::Done => {
                    self.active.swap_remove(self.cursor);
                    self.cursor = 0;
                    self.muster(now);
                    left = self.active.len();
                }
            }
        }
        until.map_or(Move::Done, Move::Wait)
    }

    /// A question goes.
    fn count(&mut self, now: Instant) {
        if self.ceiling.is_finite() {
            let behind = now.checked_sub(self.burst).unwrap_or(now);
            self.next = self.next.max(behind) + Duration::from_secs_f64(1.0 / self.ceiling);
        }
    }

    /// Begins hosts, as long as there are any and not too many at work.
    fn muster(&mut self, now: Instant) {
        while self.active.len() < ABREAST && self.engines.len() < self.plan.hosts.len() {
            let deadline = self.ends.saturating_duration_since(now);
            let tuning = Tuning { deadline, ..self.plan.tuning };
            let count = self.plan.ports.len() as u32;
            self.active.push(self.engines.len());
            self.engines.push(Engine::new(count, &self.first, tuning, self.rng.bits(), now));
        }
    }

    /// The answer to `question`; the first one of an open port is told.
    pub(super) fn answer(&mut self, now: Now, question: Question, verdict: Verdict) {
        let Some(engine) = self.engines.get_mut(question.host) else { return };
        if engine.answer(now.mono, question.shot, verdict) && verdict.state == State::Open {
            self.events.tell(Event::Port {
                host: self.plan.hosts[question.host].ip(),
                port: self.port(question),
                proto: self.plan.proto.word(),
                at: now.wall,
                rtt: verdict.rtt,
            });
        }
    }

    /// `question` was not sent after all.
    pub(super) fn unsent(&mut self, now: Instant, question: Question) {
        self.engines[question.host].unsent(now, question.shot);
    }

    /// Ends all scans now.
    pub(super) fn stop(&mut self) {
        self.plan.hosts.truncate(self.engines.len());
        self.engines.iter_mut().filter(|engine| !engine.is_over()).for_each(Engine::stop);
    }

    /// Whom a question goes to.
    pub(super) fn to(&self, question: Question) -> SocketAddr {
        let mut to = self.plan.hosts[question.host];
        to.set_port(self.port(question));
        to
    }

    fn port(&self, question: Question) -> u16 {
        self.plan.ports[question.shot.index as usize]
    }

    /// The question for the `tries`-th time to port `port` of `address`; `None` where none is asked there.
    pub(super) fn question(&self, address: IpAddr, port: u16, tries: u8) -> Option<Question> {
        let host = *self.places.get(&address).filter(|host| **host < self.engines.len())?;
        let index = self.plan.ports.binary_search(&port).ok()? as u32;
        Some(Question { host, shot: Shot { index, tries } })
    }

    /// The last question to port `port` of `address`.
    pub(super) fn question_last(&self, address: IpAddr, port: u16) -> Option<Question> {
        let mut question = self.question(address, port, 0)?;
        question.shot.tries = self.engines[question.host].tries(question.shot.index);
        Some(question)
    }

    /// Whether its port was not asked again after `question`.
    pub(super) fn is_last(&self, question: Question) -> bool {
        self.engines[question.host].tries(question.shot.index) == question.shot.tries
    }

    /// What it says of a port that this host does not send there at all; `None` where it cannot scan.
    pub(super) fn at_once(&self, errno: Option<i32>) -> Option<Reason> {
        match errno? {
            libc::EPERM | libc::EACCES => Some(Reason::NotPermitted),
            libc::EHOSTUNREACH | libc::EHOSTDOWN => Some(Reason::HostUnreach),
            // No way to the only host is no scan; of many hosts it is one.
            libc::ENETUNREACH if self.plan.hosts.len() > 1 => Some(Reason::NetUnreach),
            _ => None,
        }
    }

    /// The ports of each host.
    pub(super) fn ports(&self) -> usize {
        self.plan.ports.len()
    }

    /// What was found.
    pub(super) fn finish(&self) -> impl Iterator<Item = (SocketAddr, &Engine)> {
        self.plan.hosts.iter().copied().zip(&self.engines)
    }

    /// The plan.
    pub(super) const fn plan(&self) -> &Plan {
        &self.plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::portscan::{PortScan, Scan, timing};

    fn fleet(hosts: &[&str], now: Instant) -> Fleet {
        let asked = PortScan { timing: 1, ..PortScan::default() };
        let tuning = timing::tuning(&asked, Scan::Connect, 1024, true);
        let hosts = hosts.iter().map(|host| host.parse().expect("an address")).collect();
        let plan = Plan { hosts, proto: Proto::Tcp, ports: vec![9], first: Vec::new(), tuning, seed: 7 };
        Fleet::new(plan, Events::none(), now)
    }

    #[test]
    fn the_rate_holds_questions_of_all_hosts_and_nothing_else() {
        let now = crate::sys::clock::now();
        let mut two = fleet(&["192.0.2.1:0", "192.0.2.2:0"], now.mono);
        let Move::Send(_) = two.poll(now.mono) else { panic!("the first may go") };
        assert!(matches!(two.poll(now.mono), Move::Wait(_)), "the second host's waits");
        let mut one = fleet(&["192.0.2.1:0"], now.mono);
        let Move::Send(question) = one.poll(now.mono) else { panic!("the first may go") };
        let closed = Verdict { state: State::Closed, reason: Reason::Reset, from: None, rtt: None };
        one.answer(now, question, closed);
        assert!(matches!(one.poll(now.mono), Move::Done), "the last answer is the end, whatever the rate");
    }
}
