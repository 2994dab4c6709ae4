//! What a run of `ping` found.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::errors::Errors;
use super::plan::Host;
use super::{Mode, Ping};
use crate::failure::{Class, Failure};
use crate::probe::{
    Clock, Counts, Findings, Loss, LossBursts, Packets, Part, Rtt, Scalar, Scalars, ScheduleError,
};
use crate::stats::{Sketch, percentile};
use crate::units::{Unit, ms};

/// RTT and loss, of all targets together and of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PingReport")]
pub struct Report {
    /// What became of the packets, of all targets together.
    pub counts: Counts,
    /// Round-trip loss (RFC 6673), 0–1; null when nothing was sent.
    pub loss_ratio: Option<f64>,
    /// Round-trip times (RFC 2681) of all targets together; jitter and IPDV are null of several. Null without a reply.
    pub rtt: Option<Rtt>,
    /// Which clock took the times of sending and receiving.
    pub clock: Clock,
    /// How far the sends lay behind the plan; null when nothing was sent.
    pub schedule_error: Option<ScheduleError>,
    /// Runs of consecutive packets lost to one target (RFC 3357).
    pub loss_bursts: LossBursts,
    /// What was sent.
    pub mode: Mode,
    /// Octets of payload of each echo message; null in other modes.
    pub payload_bytes: Option<u16>,
    /// Time planned between two packets to one target.
    #[serde(rename = "interval_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub interval: Duration,
    /// TTL (RFC 791) or hop limit (RFC 8200) on arrival, of the last reply; null where there is none to see.
    pub ttl: Option<u8>,
    /// Replies with a wrong checksum or another payload than was sent; they count as no replies.
    pub corrupt: u64,
    /// Packets that came to our socket and were no replies to ours.
    pub ignored: u64,
    /// Replies that lacked the end of their payload; they count as replies.
    pub truncated: u64,
    /// TCP connections that were refused (RST, RFC 9293), which counts as a reply; null in other modes, where it is none.
    pub closed: Option<u64>,
    /// What HTTP servers said, by status; absent in other modes. Whatever the status, it is a reply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Status>,
    /// Connections whose SYN was lost and sent again: their time is no latency. Null where none are made.
    pub syn_retransmits: Option<u64>,
    /// Medians of the parts of a connection; null where none was made.
    pub phases: Option<Phases>,
    /// The QUIC versions (RFC 9000 §15) that the last reply named; null in other modes.
    pub versions: Option<Vec<u32>>,
    /// Time to the answer to a real Initial (RFC 9000 §17.2.2), of which one is sent where version negotiation got no
    /// answer; null where there was none to it, or none was sent.
    #[serde(rename = "initial_ms", with = "ms::option", default)]
    #[schemars(with = "Option<f64>")]
    pub initial: Option<Duration>,
    /// What came instead of answers: ICMP errors that named our packets, refusals, connections that were broken off; and why
    /// this host did not send what it did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Errors>,
    /// Errors beyond those in `errors`, from too many senders or of too many kinds to be listed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub errors_unlisted: u64,
    /// How many of several targets answered at least once; null of one.
    pub alive: Option<u64>,
    /// Who answered to broadcasts and multicasts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<Responder>,
    /// Each of several targets, in the order given; absent of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetReport>,
    /// All round-trip times (RFC 2681), mergeable with other runs'.
    pub rtt_sketch: Sketch,
    /// Each RTT (RFC 2681) in order of sending, null for a lost one; absent of several targets, beyond 1,000 packets or
    /// when thinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_ms: Option<Vec<Option<f64>>>,
}

/// One of several targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PingTarget")]
// There may be a hundred thousand: what is mostly empty takes little room.
pub struct TargetReport {
    /// As it was given.
    pub target: Box<str>,
    /// What it resolved to.
    pub address: Option<IpAddr>,
    /// What became of its packets.
    pub counts: TargetCounts,
    /// Round-trip loss (RFC 6673), 0–1; null when nothing was sent.
    pub loss_ratio: Option<f64>,
    /// Round-trip times (RFC 2681); null without a reply.
    pub rtt: Option<Box<Rtt>>,
    /// As `initial_ms` of all.
    #[serde(rename = "initial_ms", with = "ms::option", default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub initial: Option<Duration>,
    /// As `statuses` of all.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub statuses: Box<[Status]>,
    /// What came instead of its answers.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub errors: Box<[Errors]>,
    /// Why it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Box<Failure>>,
    /// Each RTT (RFC 2681) in order of sending, null for a lost one; absent of one packet and beyond 1,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_ms: Option<Box<[Option<f64>]>>,
}

/// Whether there is nothing to be counted.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What became of one target's packets; each count means what it means for all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PingTargetCounts")]
pub struct TargetCounts {
    /// Packets sent whose fate is known (RFC 6673).
    pub sent: u32,
    /// Answered before their deadline.
    pub received: u32,
    /// Replies beyond the first to one packet (RFC 5560).
    pub duplicates: u32,
    /// Replies whose number was below one already seen (RFC 4737).
    pub reordered: u32,
    /// Answered after their deadline: lost.
    pub late: u32,
    /// Refused by this host's own stack.
    pub send_errors: u32,
    /// In flight when the run was interrupted; not in `sent`.
    pub pending: u32,
}

/// One that answered to a broadcast or multicast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PingResponder")]
pub struct Responder {
    /// Its address.
    pub address: IpAddr,
    /// Packets that it answered.
    pub received: u64,
    /// Its round-trip times (RFC 2681), of its first 1,000 replies.
    pub rtt: Option<Rtt>,
}

/// How often an HTTP status came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PingStatus")]
pub struct Status {
    /// The status code (RFC 9110 §15).
    pub status: u16,
    /// How often.
    pub count: u64,
}

/// Medians of the parts of a connection; null what did not take place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PingPhases")]
pub struct Phases {
    /// From SYN to SYN-ACK (RFC 9293 §3.5).
    #[serde(rename = "connect_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub connect: Option<Duration>,
    /// The TLS handshake (RFC 8446 §2).
    #[serde(rename = "tls_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub tls: Option<Duration>,
    /// The first request of a connection, to the first octet of its response (RFC 9112); it is in no RTT.
    #[serde(rename = "first_byte_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub first_byte: Option<Duration>,
}

impl Phases {
    /// The medians of connections; `None` of none.
    pub(super) fn of(all: &mut [(Duration, Option<Duration>, Option<Duration>)]) -> Option<Self> {
        let median = |mut part: Vec<Duration>| {
            part.sort_unstable();
            percentile(&part, 0.5)
        };
        (!all.is_empty()).then(|| Self {
            connect: median(all.iter().map(|one| one.0).collect()),
            tls: median(all.iter().filter_map(|one| one.1).collect()),
            first_byte: median(all.iter().filter_map(|one| one.2).collect()),
        })
    }
}

impl TargetReport {
    /// A target that could not be measured.
    pub(super) fn unmeasured(target: Box<str>, failure: Failure) -> Self {
        Self {
            target,
            address: None,
            counts: TargetCounts::default(),
            loss_ratio: None,
            rtt: None,
            initial: None,
            statuses: Box::default(),
            errors: Box::default(),
            failure: Some(Box::new(failure)),
            samples_ms: None,
        }
    }
}

impl TargetReport {
    /// Whether it answered at all, by whatever.
    pub fn is_alive(&self) -> bool {
        self.counts.received > 0 || self.initial.is_some()
    }
}

impl Report {
    /// Those of `hosts`, which are the targets that could be measured, that answered nothing.
    pub(super) fn silent(&self, hosts: Vec<Host>) -> impl Iterator<Item = Host> {
        let one = self.targets.is_empty().then_some(self.counts.received);
        let each = self.targets.iter().filter(|target| target.address.is_some());
        let received = one.into_iter().chain(each.map(|target| target.counts.received.into()));
        hosts.into_iter().zip(received).filter(|(_, received)| *received == 0).map(|(host, _)| host)
    }

    /// Notes who answered to a real Initial.
    pub(super) fn take_initials(&mut self, answered: &HashMap<IpAddr, Duration>) {
        if self.targets.is_empty() {
            self.initial = answered.values().next().copied();
        }
        for target in self.targets.iter_mut().filter(|target| target.counts.received == 0) {
            target.initial = target.address.and_then(|address| answered.get(&address).copied());
        }
        self.alive = self.alive.map(|alive| alive + answered.len() as u64);
    }

    /// Whether all was sent that `asked` wants, and nothing was left in flight.
    pub(super) fn is_whole(&self, asked: &Ping) -> bool {
        let packets = asked.packets();
        let whole = |sent: u64, received: u64| sent >= packets || asked.until_answered() && received > 0;
        let counts = &self.counts;
        let sent = counts.sent + counts.skipped + counts.send_errors;
        let all = match self.targets.as_slice() {
            [] => whole(sent, counts.received),
            targets => targets.iter().filter(|target| target.address.is_some()).all(|target| {
                let own = &target.counts;
                whole(u64::from(own.sent) + u64::from(own.send_errors), own.received.into())
            }),
        };
        counts.pending == 0 && all
    }

    /// How fping ends: 2 where a target has no address, 1 where one did not answer.
    pub(super) fn fpings_code(&self) -> u8 {
        if self.targets.is_empty() {
            return u8::from(!self.replied());
        }
        let code = |target: &TargetReport| match (&target.failure, target.address) {
            (Some(failure), None) if failure.class == Class::Resolve => 2,
            // It was asked for twice, or wrongly, which was told.
            (Some(failure), None) if failure.class == Class::Usage => 0,
            _ => u8::from(!target.is_alive()),
        };
        self.targets.iter().map(code).max().unwrap_or(0)
    }

    /// The headline numbers of a report that may not exist.
    pub(super) fn scalars_of(mode: Mode, report: Option<&Self>) -> Vec<Scalar> {
        let none = Headline::default();
        report
            .map_or(none, |report| Headline {
                rtt: report.rtt.as_ref(),
                loss_ratio: report.loss_ratio,
                phases: report.phases.as_ref(),
                statuses: &report.statuses,
            })
            .scalars(mode)
    }
}

/// What the headline numbers of a report, or of one of its targets, are made of.
#[derive(Default)]
struct Headline<'a> {
    rtt: Option<&'a Rtt>,
    loss_ratio: Option<f64>,
    phases: Option<&'a Phases>,
    statuses: &'a [Status],
}

impl Headline<'_> {
    fn scalars(&self, mode: Mode) -> Vec<Scalar> {
        let mut scalars = Rtt::scalars(self.rtt);
        scalars.push(Scalar::ratio("loss_ratio", self.loss_ratio));
        let phase =
            |name, part: fn(&Phases) -> Option<Duration>| Scalar::time(name, self.phases.and_then(part));
        if mode.connects() {
            scalars.push(phase("connect", |phases| phases.connect));
        }
        if matches!(mode, Mode::Tls | Mode::Http) {
            scalars.push(phase("tls", |phases| phases.tls));
        }
        if mode == Mode::Http {
            scalars.push(phase("first_byte", |phases| phases.first_byte));
            // The worst, so that one threshold finds any error.
            let value = self.statuses.last().map(|worst| f64::from(worst.status));
            scalars.push(Scalar { name: "http_status".into(), unit: Unit::None, value });
        }
        scalars
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(self.mode, Some(self))
    }

    fn losses(&self) -> Vec<Loss> {
        let Counts { sent, received, .. } = self.counts;
        vec![Loss { name: "loss_ratio".into(), lost: sent.saturating_sub(received), sent }]
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        self.counts.received > 0
            || self.initial.is_some()
            || self.targets.iter().any(|target| target.initial.is_some())
    }

    fn packets(&self) -> Option<Packets> {
        let Counts { sent, received, .. } = self.counts;
        Some(Packets { sent, lost: sent.saturating_sub(received), rtt: self.rtt_sketch.clone() })
    }

    fn parts(&self) -> Vec<Part> {
        let part = |target: &TargetReport| Part {
            target: target.target.to_string(),
            address: target.address,
            failure: target.failure.as_ref().map(|failure| failure.class),
            scalars: Headline {
                rtt: target.rtt.as_deref(),
                loss_ratio: target.loss_ratio,
                phases: None,
                statuses: &target.statuses,
            }
            .scalars(self.mode),
        };
        self.targets.iter().map(part).collect()
    }
}
