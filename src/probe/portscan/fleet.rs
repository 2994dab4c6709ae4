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

/// The place of a port that is not asked.
const NOWHERE: u32 = u32::MAX;
/// How long nothing is said of how far a scan has come.
const SILENCE: Duration = Duration::from_secs(5);
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
    /// How fast at most.
    pub ceiling: Ceiling,
    /// Chance.
    pub seed: u64,
}

/// How fast all hosts together are asked at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ceiling {
    /// Questions per second.
    pub rate: f64,
    /// What goes at once when that was not used before, as time.
    pub burst: Duration,
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
    /// Place of each host, and of each port in the list: [`NOWHERE`] of those that are not asked.
    places: HashMap<IpAddr, usize>,
    indices: Vec<u32>,
    /// One for each host that was begun.
    engines: Vec<Engine>,
    /// Those that are not over; the next to be asked is at the cursor.
    active: Vec<usize>,
    cursor: usize,
    /// When the ceiling lets the next question go.
    next: Instant,
    began: Instant,
    ends: Instant,
    /// When it is told next how far it has come.
    tells: Instant,
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
        let mut indices = vec![NOWHERE; 1 << 16];
        (0..).zip(&plan.ports).for_each(|(index, &port)| indices[usize::from(port)] = index);
        let (ends, rng) = (now + plan.tuning.deadline, Rng::new(plan.seed));
        Self {
            next: now.checked_sub(plan.ceiling.burst).unwrap_or(now),
            plan,
            first,
            places,
            indices,
            engines: Vec::new(),
            active: Vec::new(),
            cursor: 0,
            began: now,
            ends,
            tells: now + SILENCE,
            rng,
            events,
        }
    }

    /// What is to be done at `now`.
    pub(super) fn poll(&mut self, now: Instant) -> Move {
        self.muster(now);
        if now >= self.tells {
            self.tell_progress(now);
        }
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
        let Ceiling { rate, burst } = self.plan.ceiling;
        if rate.is_finite() {
            let behind = now.checked_sub(burst).unwrap_or(now);
            self.next = self.next.max(behind) + Duration::from_secs_f64(1.0 / rate);
        }
    }

    fn tell_progress(&mut self, now: Instant) {
        self.tells = now + SILENCE;
        let done: f64 = self.engines.iter().map(Engine::done).sum();
        let done_ratio = (done / self.plan.hosts.len() as f64).min(1.0);
        if done_ratio > 0.0 {
            let gone = now.saturating_duration_since(self.began).as_secs_f64();
            let left = gone / done_ratio - gone;
            let most = self.ends.saturating_duration_since(now);
            let left = Duration::try_from_secs_f64(left).map_or(most, |left| left.min(most));
            self.events.tell(Event::Progress { done_ratio, left });
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

    /// Ends all scans now, before their time.
    pub(super) fn break_off(&mut self) {
        self.plan.hosts.truncate(self.engines.len());
        self.engines.iter_mut().filter(|engine| !engine.is_over()).for_each(Engine::break_off);
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

    /// The last question to port `port` of `address`; `None` where none is asked there.
    pub(super) fn question_last(&self, address: IpAddr, port: u16) -> Option<Question> {
        // Most scans are of one host.
        let host = match &self.plan.hosts[..] {
            [only] if only.ip() == address => 0,
            _ => *self.places.get(&address)?,
        };
        let index = self.indices[usize::from(port)];
        let tries = self.engines.get(host).filter(|_| index != NOWHERE)?.tries(index);
        Some(Question { host, shot: Shot { index, tries } })
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
        let ceiling = timing::ceiling(&asked, true);
        planned(hosts, vec![9], ceiling, Events::none(), now)
    }

    fn planned(hosts: &[&str], ports: Vec<u16>, ceiling: Ceiling, events: Events, now: Instant) -> Fleet {
        let tuning = timing::tuning(&PortScan::default(), Scan::Connect, 1024, ceiling);
        let hosts = hosts.iter().map(|host| host.parse().expect("an address")).collect();
        let plan = Plan { hosts, proto: Proto::Tcp, ports, first: Vec::new(), tuning, ceiling, seed: 7 };
        Fleet::new(plan, events, now)
    }

    const CLOSED: Verdict = Verdict { state: State::Closed, reason: Reason::Reset, from: None, rtt: None };

    /// How long it takes where each question is answered at once, and what is told meanwhile.
    fn lasted(ceiling: Ceiling, ports: u16) -> (f64, Vec<Event>) {
        let begin = crate::sys::clock::now();
        let (events, mut heard) = Events::channel(100);
        let mut fleet = planned(&["192.0.2.1:0"], (1..=ports).collect(), ceiling, events, begin.mono);
        let mut now = begin;
        loop {
            match fleet.poll(now.mono) {
                Move::Send(question) => fleet.answer(now, question, CLOSED),
                Move::Forget(_) => {}
                Move::Wait(until) => now = now.after(until - now.mono),
                Move::Done => break,
            }
        }
        let told = std::iter::from_fn(|| heard.try_recv().ok()).collect();
        ((now.mono - begin.mono).as_secs_f64(), told)
    }

    #[test]
    fn no_more_questions_go_than_are_allowed() {
        let (kept, _) = lasted(Ceiling { rate: 100.0, burst: Duration::from_millis(2) }, 500);
        assert!((4.8..5.2).contains(&kept), "{kept}");
        // What was saved up goes first.
        let (saved, _) = lasted(Ceiling { rate: 100.0, burst: Duration::from_secs(1) }, 500);
        assert!((3.8..4.2).contains(&saved), "{saved}");
    }

    #[test]
    fn a_long_scan_tells_how_far_it_has_come_and_a_short_one_does_not() {
        let slow = Ceiling { rate: 100.0, burst: Duration::ZERO };
        let (took, told) = lasted(slow, 1200);
        let told: Vec<(f64, f64)> = (told.iter())
            .map(|event| match event {
                Event::Progress { done_ratio, left } => (*done_ratio, left.as_secs_f64()),
                other => panic!("{other:?}"),
            })
            .collect();
        let [(five, seven), (ten, two)] = told[..] else { panic!("{told:?}") };
        assert!((5.0 / took - five).abs() < 0.02 && (took - 5.0 - seven).abs() < 0.3, "{told:?}");
        assert!((10.0 / took - ten).abs() < 0.02 && (took - 10.0 - two).abs() < 0.3, "{told:?}");
        assert_eq!(lasted(slow, 400).1, []);
    }

    #[test]
    fn the_rate_holds_questions_of_all_hosts_and_nothing_else() {
        let now = crate::sys::clock::now();
        let mut two = fleet(&["192.0.2.1:0", "192.0.2.2:0"], now.mono);
        let Move::Send(_) = two.poll(now.mono) else { panic!("the first may go") };
        assert!(matches!(two.poll(now.mono), Move::Wait(_)), "the second host's waits");
        let mut one = fleet(&["192.0.2.1:0"], now.mono);
        let Move::Send(question) = one.poll(now.mono) else { panic!("the first may go") };
        one.answer(now, question, CLOSED);
        assert!(matches!(one.poll(now.mono), Move::Done), "the last answer is the end, whatever the rate");
    }
}
