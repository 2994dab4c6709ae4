//! What became of each packet, and the report of it. A packet costs 12 octets, a target 12 more; the rest is worked out
//! at the end ([`sum`]).

mod sum;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use nix::libc::EMSGSIZE;

use super::Mode;
use super::errors::{Account, Errors};
use super::plan::Host;
use crate::failure::Failure;
use crate::net::engine::Icmp;
use crate::probe::{Counts, Event, Events};

/// Records list every sample up to this many packets.
const MOST_SAMPLES: usize = 1000;
/// Those who answer to a broadcast that are told apart, and replies of each that are kept.
const MOST_RESPONDERS: usize = 1024;
const MOST_REPLIES: usize = 1000;
/// Different reasons for a failed send that are kept.
const MOST_REFUSED: usize = 65_536;

/// Fates of a packet, above every round trip in ns.
const UNSENT: u64 = u64::MAX;
const PENDING: u64 = u64::MAX - 1;
const LOST: u64 = u64::MAX - 2;
const LATE: u64 = u64::MAX - 3;
const REFUSED: u64 = u64::MAX - 4;
/// The longest round trip that is told apart: 292 years.
const LONGEST: u64 = u64::MAX >> 1;

/// Accounts for every packet.
pub(super) struct Tally {
    hosts: Vec<Host>,
    /// The fate of each packet by its number: packet k went to host k mod n, in its round k / n.
    fates: Vec<u64>,
    lateness: Vec<u32>,
    /// What only the whole run counts: late, duplicates, reordered, pending, overflow.
    counts: Counts,
    corrupt: u64,
    ignored: u64,
    truncated: u64,
    marks: Vec<Mark>,
    /// How many of the hosts have answered.
    alive: usize,
    all_kernel: bool,
    heard: bool,
    errors: Account,
    /// The latest reason why a packet to a host was not sent, other than its size.
    refusals: HashMap<u32, i32>,
    responders: BTreeMap<IpAddr, Answers>,
    ttl: Option<u8>,
    closed: u64,
    /// How often which target gave which HTTP status.
    statuses: BTreeMap<(u32, u16), u64>,
    resent: u64,
    connects: Vec<(Duration, Option<Duration>, Option<Duration>)>,
    events: Events,
}

/// What only a target's own course tells.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    /// The highest round that was answered, plus one.
    highest: u32,
    duplicates: u32,
    reordered: u32,
}

/// One that answered to a broadcast.
#[derive(Clone, Debug, Default)]
struct Answers {
    received: u64,
    last: Option<u64>,
    times: Vec<(u64, Duration)>,
}

/// A reply in time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answered {
    pub(super) rtt: u64,
    /// The kernel took both of its times.
    pub(super) kernel: bool,
    /// When it came, nanoseconds since the epoch.
    pub(super) at: u64,
    pub(super) bytes: Option<usize>,
    pub(super) ttl: Option<u8>,
    pub(super) said: Option<Said>,
}

/// What a reply said, beyond that it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The port is closed (RST).
    Closed,
    /// An HTTP status (RFC 9110 §15).
    Status(u16),
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed"),
            Self::Status(status) => write!(f, "status={status}"),
        }
    }
}

/// What a connection tells beyond its round trip.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connected {
    /// Its SYN was lost and sent again.
    pub(super) resent: bool,
    /// `None` where the connection was there already.
    pub(super) connect: Option<Duration>,
    pub(super) tls: Option<Duration>,
    /// To the first octet of the response.
    pub(super) first_byte: Option<Duration>,
}

/// What the report needs beside the counts.
pub(super) struct Circumstances {
    pub(super) mode: Mode,
    pub(super) payload: Option<u16>,
    pub(super) interval: Duration,
    pub(super) skipped: u64,
    pub(super) versions: Option<Vec<u32>>,
    /// Targets that could not be measured: where they stand among all, what they are called, and why.
    pub(super) unmeasured: Vec<(usize, Box<str>, Failure)>,
}

impl Tally {
    pub(super) fn new(hosts: Vec<Host>, events: Events) -> Self {
        Self {
            marks: vec![Mark::default(); hosts.len()],
            hosts,
            fates: Vec::new(),
            lateness: Vec::new(),
            counts: Counts::default(),
            alive: 0,
            corrupt: 0,
            ignored: 0,
            truncated: 0,
            all_kernel: true,
            heard: false,
            errors: Account::default(),
            refusals: HashMap::new(),
            responders: BTreeMap::new(),
            ttl: None,
            closed: 0,
            statuses: BTreeMap::new(),
            resent: 0,
            connects: Vec::new(),
            events,
        }
    }

    /// The number of hosts.
    pub(super) const fn size(&self) -> usize {
        self.hosts.len()
    }

    /// The host that packet `probe` goes to.
    pub(super) fn host(&self, probe: u64) -> &Host {
        &self.hosts[self.index(probe)]
    }

    fn index(&self, probe: u64) -> usize {
        (probe % self.hosts.len() as u64) as usize
    }

    /// The how manieth packet to its target `probe` is, from 0.
    pub(super) const fn round(&self, probe: u64) -> u64 {
        probe / self.hosts.len() as u64
    }

    /// Whether packet `probe`'s target has answered to any.
    pub(super) fn is_alive(&self, probe: u64) -> bool {
        self.marks[self.index(probe)].highest > 0
    }

    /// How many targets have answered.
    pub(super) const fn alive(&self) -> usize {
        self.alive
    }

    /// Whether packet `probe` was given up without a reply.
    pub(super) fn is_lost(&self, probe: u64) -> bool {
        self.fate(probe) == LOST
    }

    /// Whether packet `probe` is in flight.
    pub(super) fn is_pending(&self, probe: u64) -> bool {
        self.fate(probe) == PENDING
    }

    fn fate(&self, probe: u64) -> u64 {
        usize::try_from(probe).ok().and_then(|at| self.fates.get(at)).copied().unwrap_or(UNSENT)
    }

    fn set(&mut self, probe: u64, fate: u64) {
        let at = probe as usize;
        if at >= self.fates.len() {
            self.fates.resize(at + 1, UNSENT);
        }
        self.fates[at] = fate;
    }

    /// Packet `probe` leaves, this much later than planned.
    pub(super) fn sent(&mut self, probe: u64, late: Duration) {
        self.set(probe, PENDING);
        self.lateness.push(u32::try_from(late.as_nanos()).unwrap_or(u32::MAX));
    }

    /// This host did not let packet `probe` out, at `wall`; it was too large for `mtu`, if that is why and is known.
    pub(super) fn refused(&mut self, probe: u64, errno: i32, mtu: Option<u32>, wall: u64) {
        self.set(probe, REFUSED);
        // What is too large has been looked into: no host stands in the way of measuring.
        if errno != EMSGSIZE && self.refusals.len() < MOST_REFUSED {
            self.refusals.insert(self.index(probe) as u32, errno);
        }
        let error = Errors::own(errno, mtu);
        if self.events.want_packets() {
            let (target, seq, what) = (self.named(probe), self.round(probe), error.told());
            self.events.tell(Event::Refused { target, seq, at: wall, what });
        }
        // The target's failure names any other reason.
        let target = (errno == EMSGSIZE).then(|| self.own(probe)).flatten();
        self.errors.count(target, error, true);
    }

    /// A first reply to packet `probe` arrives, in time; its round trip may yet be unknown.
    pub(super) fn arrived(&mut self, probe: u64) {
        self.heard = true;
        let (index, round) = (self.index(probe), self.round(probe) as u32);
        let mark = &mut self.marks[index];
        self.alive += usize::from(mark.highest == 0);
        if round < mark.highest {
            mark.reordered += 1;
            self.counts.reordered += 1;
        }
        mark.highest = mark.highest.max(round.saturating_add(1));
    }

    /// Packet `probe` was answered in time.
    pub(super) fn answered(&mut self, probe: u64, answer: Answered) {
        self.set(probe, answer.rtt.min(LONGEST));
        match answer.said {
            Some(Said::Closed) => self.closed += 1,
            Some(Said::Status(status)) => {
                *self.statuses.entry((self.index(probe) as u32, status)).or_default() += 1;
            }
            None => {}
        }
        self.all_kernel &= answer.kernel;
        self.ttl = answer.ttl.or(self.ttl);
        if self.events.want_packets() {
            self.events.tell(Event::Reply {
                target: self.named(probe),
                seq: self.round(probe),
                at: answer.at,
                rtt: Duration::from_nanos(answer.rtt),
                delay_ms: None,
                bytes: answer.bytes,
                ttl: answer.ttl,
                said: answer.said.map(|said| said.to_string()),
            });
        }
    }

    /// What a connection told beyond its round trip.
    pub(super) fn connected(&mut self, told: Connected) {
        self.resent += u64::from(told.resent);
        if let Some(connect) = told.connect {
            self.connects.push((connect, told.tls, told.first_byte));
        }
    }

    /// Packet `probe` has waited too long.
    pub(super) fn lost(&mut self, probe: u64, at: u64) {
        self.set(probe, LOST);
        if self.events.want_packets() {
            self.events.tell(Event::Lost { target: self.named(probe), seq: self.round(probe), at });
        }
    }

    /// An ICMP error about packet `probe`: the first one or, after that, others.
    pub(super) fn icmp(&mut self, probe: u64, icmp: &Icmp<'_>, is_first: bool) {
        let error = Errors::icmp(icmp, Some(self.host(probe).address.ip()));
        self.count_error(probe, error, is_first);
    }

    fn count_error(&mut self, probe: u64, error: Errors, opens: bool) {
        self.errors.count(self.own(probe), error, opens);
    }

    /// Whose list of errors packet `probe` belongs to, where there are several.
    fn own(&self, probe: u64) -> Option<u32> {
        (self.hosts.len() > 1).then(|| self.index(probe) as u32)
    }

    /// That error ended the wait of packet `probe`.
    pub(super) fn unreached(&mut self, probe: u64, icmp: &Icmp<'_>, wall: u64) {
        let error = Errors::icmp(icmp, Some(self.host(probe).address.ip()));
        self.end(probe, icmp.stamp.unwrap_or(wall), &error);
    }

    /// The target itself answered packet `probe` with something else than an answer: `what`, in a few words.
    pub(super) fn failed(&mut self, probe: u64, what: String, wall: u64) {
        let error = Errors::ended(what, self.host(probe).address.ip());
        self.end(probe, wall, &error);
        self.count_error(probe, error, true);
    }

    /// The wait of packet `probe` is over without an answer, as `error` says.
    fn end(&mut self, probe: u64, at: u64, error: &Errors) {
        self.set(probe, LOST);
        if self.events.want_packets() {
            let (target, seq) = (self.named(probe), self.round(probe));
            let icmp = error.kind.zip(error.code);
            self.events.tell(Event::Unreached {
                target,
                seq,
                at,
                from: error.from,
                icmp,
                what: error.told(),
            });
        }
    }

    /// A reply came after packet `probe` was given up.
    pub(super) fn late(&mut self, probe: u64) {
        self.heard = true;
        self.set(probe, LATE);
    }

    /// One more reply came to packet `probe`.
    pub(super) fn duplicate(&mut self, probe: u64) {
        let index = self.index(probe);
        self.marks[index].duplicates = self.marks[index].duplicates.saturating_add(1);
        self.counts.duplicates += 1;
    }

    /// `from` answered to packet `probe`, which asked everybody. Whether it had not yet.
    pub(super) fn responded(&mut self, probe: u64, from: IpAddr, rtt: Duration) -> bool {
        let room = self.responders.len() < MOST_RESPONDERS;
        if !room && !self.responders.contains_key(&from) {
            return true;
        }
        let answers = self.responders.entry(from).or_default();
        if answers.last == Some(probe) {
            return false;
        }
        (answers.last, answers.received) = (Some(probe), answers.received + 1);
        if answers.times.len() < MOST_REPLIES {
            answers.times.push((probe, rtt));
        }
        true
    }

    /// Something that looked like a reply of ours, but is not what was sent.
    pub(super) const fn corrupt(&mut self) {
        self.corrupt += 1;
    }

    /// A packet that is none of ours.
    pub(super) const fn ignored(&mut self) {
        self.ignored += 1;
    }

    /// A reply that lacks its end.
    pub(super) const fn truncated(&mut self) {
        self.truncated += 1;
    }

    /// Datagrams dropped in our own queue so far.
    pub(super) fn overflowed(&mut self, total: u32) {
        self.counts.receive_overflow = u64::from(total);
    }

    /// Says on the way that a packet is still unanswered.
    pub(super) fn tell_outstanding(&self, probe: u64) {
        let whose = self.named(probe).map_or_else(String::new, |name| format!(" from {name}"));
        self.events.tell(Event::Note { text: format!("no answer yet{whose}: seq={}", self.round(probe)) });
    }

    fn named(&self, probe: u64) -> Option<String> {
        (self.hosts.len() > 1).then(|| self.host(probe).name.to_string())
    }

    /// Why nothing could be sent, where nothing was: the error number.
    pub(super) fn obstacle(&self) -> Option<i32> {
        let none = self.fates.iter().all(|fate| matches!(*fate, REFUSED | UNSENT));
        (none && !self.heard).then(|| self.refusals.values().next().copied()).flatten()
    }

    /// Whether anything left.
    pub(super) const fn is_empty(&self) -> bool {
        self.fates.is_empty()
    }
}
