//! The probes under way, and whom a reply belongs to: shared by the rounds of a trace and by the search for all paths.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::carrier::{Carrier, Kind, Mark, Told};
use super::engine::{LEAST_GRACE, MOST_GRACE};
use super::terse::{Terse, Waiting};
use crate::net::engine::{Arrival, Draft, Icmp};
use crate::probe::timing::round_trip;
use crate::units::Now;
use crate::wire::icmp::extension::{Object, objects, old_style};
use crate::wire::icmp::{Meaning, Version};

/// Probes that may be under way at once; the oldest are forgotten, and their replies ignored.
const MOST: usize = 65_536;

/// All probes that a reply may still come for.
pub(super) struct Flights {
    pub(super) carrier: Carrier,
    target: IpAddr,
    open: VecDeque<Flight>,
    /// Number of the first of `open`.
    first: u64,
    /// What came that was not for a probe of ours.
    ignored: u64,
    /// Every RTT so far was taken by the kernel.
    pub(super) all_kernel: bool,
    /// The longest RTT so far.
    pub(super) longest: Option<Duration>,
    /// How long after its probe a reply counts.
    timeout: Duration,
    terse: Terse,
    /// Replies whose probes were found afterwards.
    more: Vec<Heard>,
}

/// A probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) number: u64,
    pub(super) flow: usize,
    pub(super) ttl: u8,
    pub(super) round: u64,
    sent: Now,
    stamp: Option<u64>,
    pub(super) state: State,
}

/// What became of a probe so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Answered,
    /// It was given up.
    Lost,
    /// This host did not send it.
    Refused,
}

/// A reply to a probe of ours.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) number: u64,
    pub(super) flow: usize,
    pub(super) ttl: u8,
    pub(super) round: u64,
    /// What had become of the probe before.
    pub(super) was: State,
    pub(super) from: IpAddr,
    pub(super) says: Says,
    pub(super) rtt: Duration,
    /// When it came, nanoseconds since the epoch.
    pub(super) at: u64,
    /// TTL or hop limit of the reply on arrival.
    pub(super) back: Option<u8>,
    pub(super) objects: Vec<Object>,
    /// The probe had been translated before it got there (NAT); `None` where that cannot be seen.
    pub(super) translated: Option<bool>,
}

/// What a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// The probe has passed here, and its TTL was over.
    Transit,
    /// The probe has reached the target.
    Target,
    /// The probe goes no further, for this reason.
    Barred(Meaning),
}

/// What becomes of an error that does not tell which probe it is about.
enum Unnamed {
    Is(Heard),
    /// Its probe will be known later.
    Waits,
    Nobody,
}

const fn is_udp(kind: Kind) -> bool {
    matches!(kind, Kind::Udp | Kind::Quic)
}

impl Flights {
    /// Nothing under way yet; replies count up to `timeout` after their probe.
    pub(super) fn new(carrier: Carrier, target: IpAddr, timeout: Duration) -> Self {
        Self {
            carrier,
            target,
            open: VecDeque::new(),
            first: 0,
            ignored: 0,
            all_kernel: true,
            longest: None,
            timeout,
            terse: Terse::default(),
            more: Vec::new(),
        }
    }

    /// Writes the next probe.
    pub(super) fn launch(&mut self, now: Now, flow: usize, ttl: u8, round: u64, out: &mut Draft) {
        let number = self.first + self.open.len() as u64;
        self.carrier.write(flow, number as u32, ttl, out);
        self.terse.asked((flow, ttl));
        self.open.push_back(Flight { number, flow, ttl, round, sent: now, stamp: None, state: State::Open });
        if self.open.len() > MOST {
            self.open.pop_front();
            self.first += 1;
        }
    }

    /// Takes in what arrived; the reply, if it is one to a probe of ours.
    pub(super) fn receive(&mut self, now: Now, arrival: Arrival<'_>) -> Option<Heard> {
        let heard = match arrival {
            Arrival::Sent { send, stamp } => {
                if let Some(flight) = self.flight(send) {
                    flight.stamp = Some(stamp);
                }
                return None;
            }
            Arrival::NotSent { send, .. } => {
                if let Some(flight) = self.flight(send) {
                    flight.state = State::Refused;
                }
                return None;
            }
            Arrival::Datagram { bytes, from, socket, stamp, ttl, .. } => {
                let mark = match self.carrier.replied(socket, bytes) {
                    Told::Others => return None,
                    Told::Nothing => None,
                    Told::Ours(mark) => Some(mark),
                };
                let from = from.map(|from| from.ip());
                mark.filter(|_| from.is_none_or(|from| from == self.target))
                    .and_then(|mark| self.find(socket, mark))
                    .and_then(|at| self.answer(at, (now, stamp), self.target, Says::Target, ttl))
            }
            Arrival::Icmp(icmp) => match self.carrier.quoted(icmp.socket, icmp.quoted, icmp.to) {
                Told::Others => return None,
                Told::Nothing => None,
                Told::Ours(Mark::Nothing) => match self.unnamed(now, &icmp) {
                    Unnamed::Is(heard) => Some(heard),
                    Unnamed::Waits => return None,
                    Unnamed::Nobody => None,
                },
                Told::Ours(mark) => self.named(now, &icmp, mark),
            },
            Arrival::Stop | Arrival::Overflow(_) => return None,
        };
        self.ignored += u64::from(heard.is_none());
        heard
    }

    /// A reply that was taken in before, and whose probe is known by now.
    pub(super) fn take_more(&mut self) -> Option<Heard> {
        self.more.pop()
    }

    /// An error that tells which probe it is about.
    fn named(&mut self, now: Now, icmp: &Icmp<'_>, mark: Mark) -> Option<Heard> {
        let (from, at) = (icmp.from?, self.find(icmp.socket, mark)?);
        let flight = self.open[at];
        let kind = self.carrier.flows[flight.flow].kind;
        let says = self.says(icmp, from, kind)?;
        let mut heard = self.answer(at, (now, icmp.stamp), from, says, icmp.ttl)?;
        self.terse.read((flight.flow, flight.ttl));
        heard.translated =
            self.carrier.is_translated(flight.flow, flight.number as u32, icmp.quoted, icmp.to);
        // What the error queue has cut off: the IP header, and over UDP that one's.
        let header = if from.is_ipv6() { 40 } else { 20 };
        let cut = header + if is_udp(kind) { 8 } else { 0 };
        heard.objects = match icmp.extensions {
            [] => old_style(icmp.quoted, cut).map(objects).unwrap_or_default(),
            extensions => objects(extensions),
        };
        Some(heard)
    }

    /// An error that does not: by what is known of who quotes too little.
    fn unnamed(&mut self, now: Now, icmp: &Icmp<'_>) -> Unnamed {
        let Some(from) = icmp.from else {
            return Unnamed::Nobody;
        };
        let of = |flight: &Flight| {
            let flow = &self.carrier.flows[flight.flow];
            flow.socket == icmp.socket && icmp.to.is_none_or(|to| to == flow.to)
        };
        let recent = now.mono.checked_sub(self.grace());
        let open = |flight: &Flight| flight.state == State::Open && of(flight);
        let all: Vec<usize> = (0..self.open.len()).filter(|&at| open(&self.open[at])).collect();
        let is_suspect = |at: &usize| self.terse.is_suspect((self.open[*at].flow, self.open[*at].ttl));
        let is_recent = |at: &usize| recent.is_none_or(|recent| self.open[*at].sent.mono >= recent);
        let mut suspects: Vec<usize> = all.iter().copied().filter(is_suspect).filter(is_recent).collect();
        if suspects.is_empty() {
            // Another router has taken the place of one that quotes enough.
            suspects = all;
        }
        let Some(first) = self.open.iter().find(|flight| of(flight)).copied() else {
            return Unnamed::Nobody;
        };
        let Some(says) = self.says(icmp, from, self.carrier.flows[first.flow].kind) else {
            return Unnamed::Nobody;
        };
        let waiting = |flow| Waiting::of(flow, from, says, now, icmp);
        if let Some(ttl) = self.terse.place(first.flow, from) {
            let there = |at: &usize| self.open[*at].flow == first.flow && self.open[*at].ttl == ttl;
            let before = || (0..self.open.len()).rev().find(|at| there(at) && of(&self.open[*at]));
            return match suspects.into_iter().find(there).or_else(before) {
                Some(at) => self.credit(at, &waiting(first.flow)).map_or(Unnamed::Nobody, Unnamed::Is),
                None => Unnamed::Nobody,
            };
        }
        match suspects[..] {
            [] => Unnamed::Nobody,
            [at] => {
                let flight = self.open[at];
                let earlier = self.terse.find((flight.flow, flight.ttl), from);
                let heard = self.credit(at, &waiting(flight.flow));
                for waiting in earlier {
                    let its = |at: &usize| {
                        let old = self.open[*at];
                        (old.flow, old.ttl) == (flight.flow, flight.ttl)
                            && matches!(old.state, State::Open | State::Lost)
                            && old.sent.mono <= waiting.now.mono
                    };
                    match (0..self.open.len()).find(its).and_then(|at| self.credit(at, &waiting)) {
                        Some(heard) => self.more.push(heard),
                        None => self.ignored += 1,
                    }
                }
                heard.map_or(Unnamed::Nobody, Unnamed::Is)
            }
            [..] => {
                let flights: Vec<Flight> = suspects.iter().map(|&at| self.open[at]).collect();
                let places = flights.iter().map(|flight| (flight.flow, flight.ttl));
                match self.terse.doubt(places, waiting(first.flow)) {
                    true => Unnamed::Waits,
                    false => Unnamed::Nobody,
                }
            }
        }
    }

    /// Counts an answer, that may have waited, for the probe at `at`.
    fn credit(&mut self, at: usize, answer: &Waiting) -> Option<Heard> {
        let flight = &mut self.open[at];
        if flight.state == State::Lost
            && answer.now.mono.saturating_duration_since(flight.sent.mono) <= self.timeout
        {
            flight.state = State::Open;
        }
        self.answer(at, (answer.now, answer.stamp), answer.from, answer.says, answer.back)
    }

    /// What an error means for a probe of this kind; `None` where it says nothing of a path.
    fn says(&self, icmp: &Icmp<'_>, from: IpAddr, kind: Kind) -> Option<Says> {
        let meaning = Meaning::of(Version::of(from.is_ipv6()), icmp.kind, icmp.code);
        Some(match meaning {
            Meaning::TimeExceeded => Says::Transit,
            Meaning::PortUnreachable if kind != Kind::Tcp => Says::Target,
            Meaning::ProtocolUnreachable if from == self.target => Says::Target,
            _ if meaning.is_final() && meaning != Meaning::Reassembly => Says::Barred(meaning),
            _ => return None,
        })
    }

    /// How long a reply is waited for before its hop counts as silent: half more than the longest round trip so far,
    /// within limits.
    pub(super) fn grace(&self) -> Duration {
        let learned = self.longest.map_or(MOST_GRACE, |longest| longest.mul_f64(1.5));
        learned.clamp(LEAST_GRACE, MOST_GRACE)
    }

    /// Whether a probe may go there now: where it is not known who answers, and someone quotes too little to say whom, hops
    /// are asked one by one.
    pub(super) fn may_go(&self, flow: usize, ttl: u8, last: u8, now: Instant) -> bool {
        !self.terse.is_careful(flow, last)
            || !self.terse.is_unknown((flow, ttl))
            || self.frees(flow, now).is_none()
    }

    /// When the hop of this flow that is asked alone has had its time.
    pub(super) fn frees(&self, flow: usize, now: Instant) -> Option<Instant> {
        let unknown = |flight: &&Flight| flight.flow == flow && self.terse.is_unknown((flow, flight.ttl));
        let ends = self.pending().filter(unknown).map(|flight| flight.sent.mono + self.grace());
        ends.filter(|&end| end > now).max()
    }

    /// What came that was not for a probe of ours, as far as anybody can tell.
    pub(super) fn ignored(&self) -> u64 {
        self.ignored + self.terse.unclear()
    }

    /// Gives up what was sent before `sent`, and forgets what was sent before `gone`; tells what was lost.
    pub(super) fn expire(
        &mut self,
        sent: Option<Instant>,
        gone: Option<Instant>,
        mut lost: impl FnMut(Flight),
    ) {
        while let (Some(flight), Some(gone)) = (self.open.front(), gone)
            && flight.sent.mono < gone
            && flight.state != State::Open
        {
            self.open.pop_front();
            self.first += 1;
        }
        let before = |flight: &Flight| sent.is_some_and(|sent| flight.sent.mono <= sent);
        for flight in self.open.iter_mut().take_while(|flight| before(flight)) {
            if flight.state == State::Open {
                flight.state = State::Lost;
                lost(*flight);
            }
        }
    }

    /// When the oldest open probe was sent.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.open.iter().find(|flight| flight.state == State::Open).map(|flight| flight.sent.mono)
    }

    /// When the newest open probe was sent.
    pub(super) fn newest(&self) -> Option<Instant> {
        self.open.iter().rev().find(|flight| flight.state == State::Open).map(|flight| flight.sent.mono)
    }

    /// Those that are still open.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Flight> {
        self.open.iter().filter(|flight| flight.state == State::Open)
    }

    /// Probes launched so far.
    pub(super) fn launched(&self) -> u64 {
        self.first + self.open.len() as u64
    }

    pub(super) const fn target(&self) -> IpAddr {
        self.target
    }

    /// The probe with this number, if it is not forgotten.
    pub(super) fn flight(&mut self, number: u64) -> Option<&mut Flight> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.open.get_mut(at)
    }

    /// The place in `open` of the probe with this mark.
    fn find(&self, socket: usize, mark: Mark) -> Option<usize> {
        let next = self.launched();
        let back = match mark {
            Mark::Number(number) => u64::from((next as u32).wrapping_sub(number)),
            Mark::Residue { residue, modulo } => {
                let since = next.checked_sub(residue.into())? % u64::from(modulo);
                if since == 0 { modulo.into() } else { since }
            }
            Mark::Nothing => return None,
        };
        let at = usize::try_from(next.checked_sub(back)?.checked_sub(self.first)?).ok()?;
        let flight = self.open.get(at).filter(|flight| flight.state != State::Refused)?;
        (self.carrier.flows[flight.flow].socket == socket).then_some(at)
    }

    fn answer(
        &mut self,
        at: usize,
        (now, stamp): (Now, Option<u64>),
        from: IpAddr,
        says: Says,
        back: Option<u8>,
    ) -> Option<Heard> {
        let flight = &mut self.open[at];
        let was = flight.state;
        if was == State::Open {
            flight.state = State::Answered;
        }
        let (rtt, kernel) = round_trip((flight.sent, flight.stamp), (now, stamp));
        let rtt = Duration::from_nanos(rtt);
        if was == State::Open {
            self.all_kernel &= kernel;
            self.longest = self.longest.max(Some(rtt));
        }
        let (number, flow, ttl, round) = (flight.number, flight.flow, flight.ttl, flight.round);
        let at = stamp.unwrap_or(now.wall);
        let objects = Vec::new();
        Some(Heard { number, flow, ttl, round, was, from, says, rtt, at, back, objects, translated: None })
    }
}
