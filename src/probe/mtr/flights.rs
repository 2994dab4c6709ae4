//! The probes under way, and whom a reply belongs to: shared by the rounds of a trace and by the search for all paths.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::carrier::{Carrier, Kind, Mark};
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
    pub(super) ignored: u64,
    /// Every RTT so far was taken by the kernel.
    pub(super) all_kernel: bool,
    /// The longest RTT so far.
    pub(super) longest: Option<Duration>,
    /// A router quotes too little to tell probes of one flow apart.
    pub(super) terse: bool,
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

impl Flights {
    pub(super) fn new(carrier: Carrier, target: IpAddr) -> Self {
        Self {
            carrier,
            target,
            open: VecDeque::new(),
            first: 0,
            ignored: 0,
            all_kernel: true,
            longest: None,
            terse: false,
        }
    }

    /// Writes the next probe.
    pub(super) fn launch(&mut self, now: Now, flow: usize, ttl: u8, round: u64, out: &mut Draft) {
        let number = self.first + self.open.len() as u64;
        self.carrier.write(flow, number as u32, ttl, out);
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
                let from = from.map(|from| from.ip());
                self.carrier
                    .replied(socket, bytes)
                    .filter(|_| from.is_none_or(|from| from == self.target))
                    .and_then(|mark| self.find(socket, mark))
                    .and_then(|at| self.answer(at, (now, stamp), self.target, Says::Target, ttl))
            }
            Arrival::Icmp(icmp) => self.icmp(now, &icmp),
            Arrival::Stop | Arrival::Overflow(_) => return None,
        };
        self.ignored += u64::from(heard.is_none());
        heard
    }

    fn icmp(&mut self, now: Now, icmp: &Icmp<'_>) -> Option<Heard> {
        let from = icmp.from?;
        let mark = self.carrier.quoted(icmp.socket, icmp.quoted)?;
        self.terse |= mark == Mark::Nothing;
        let at = self.find(icmp.socket, mark)?;
        let kind = self.carrier.flows[self.open[at].flow].kind;
        let meaning = Meaning::of(Version::of(from.is_ipv6()), icmp.kind, icmp.code);
        let says = match meaning {
            Meaning::TimeExceeded => Says::Transit,
            Meaning::PortUnreachable if kind != Kind::Tcp => Says::Target,
            Meaning::ProtocolUnreachable if from == self.target => Says::Target,
            _ if meaning.is_final() && meaning != Meaning::Reassembly => Says::Barred(meaning),
            _ => return None,
        };
        let mut heard = self.answer(at, (now, icmp.stamp), from, says, icmp.ttl)?;
        // What the error queue has cut off: the IP header, and over UDP that one's.
        let cut =
            if from.is_ipv6() { 40 } else { 20 } + if matches!(kind, Kind::Udp | Kind::Quic) { 8 } else { 0 };
        heard.objects = match icmp.extensions {
            [] => old_style(icmp.quoted, cut).map(objects).unwrap_or_default(),
            extensions => objects(extensions),
        };
        Some(heard)
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
            Mark::Low(low) => match (next as u16).wrapping_sub(low) {
                0 => 65_536,
                back => back.into(),
            },
            Mark::Nothing => return self.only(socket),
        };
        let at = usize::try_from(next.checked_sub(back)?.checked_sub(self.first)?).ok()?;
        let flight = self.open.get(at).filter(|flight| flight.state != State::Refused)?;
        (self.carrier.flows[flight.flow].socket == socket).then_some(at)
    }

    /// The one open probe that this socket has, if there is exactly one.
    fn only(&self, socket: usize) -> Option<usize> {
        let ours =
            |flight: &Flight| flight.state == State::Open && self.carrier.flows[flight.flow].socket == socket;
        let mut open = self.open.iter().enumerate().filter(|(_, flight)| ours(flight)).map(|(at, _)| at);
        open.next().filter(|_| open.next().is_none())
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
        Some(Heard { number, flow, ttl, round, was, from, says, rtt, at, back, objects: Vec::new() })
    }
}
