//! What a probe tells while it runs: bounded, lossy, never waited for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;

use super::bandwidth::{Snapshot, Tally, Trace, Trial};
use super::mtr::{Label, Mark, PathChange};
use crate::failure::Failure;
use crate::geo::Place;
use crate::units::ms;

/// One thing that just happened in a running probe.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// The run knows whom it measures, and how.
    Started {
        /// The address spoken to.
        address: IpAddr,
        /// The way it measures, in the probe's own words (`wp1, 64 octets every 200ms`).
        how: String,
    },
    /// There are several targets.
    Several {
        /// How many.
        count: usize,
        /// Letters of the longest of their names.
        longest: usize,
    },
    /// A probe packet was answered in time.
    Reply {
        /// Whose it is, as written, where there are several targets.
        target: Option<String>,
        /// Its sequence number, from 0.
        seq: u64,
        /// When the reply came, nanoseconds since the epoch.
        at: u64,
        /// Round-trip time.
        #[serde(rename = "rtt_ms", with = "ms")]
        rtt: Duration,
        /// One-way delay to the reflector and back in milliseconds; `None` unless the clocks allow it.
        delay_ms: Option<(f64, f64)>,
        /// Octets of payload; `None` where the probe has none.
        bytes: Option<usize>,
        /// TTL or hop limit of the reply as it arrived.
        ttl: Option<u8>,
        /// What it said, where replies differ: `closed` of a port (RST), `status=404` of HTTP.
        said: Option<String>,
    },
    /// A probe packet was not answered before its deadline.
    Lost {
        /// Whose it is, as written, where there are several targets.
        target: Option<String>,
        /// Its sequence number, from 0.
        seq: u64,
        /// When it was given up, nanoseconds since the epoch.
        at: u64,
    },
    /// A phase of a request took so long.
    Phase {
        /// The request's sequence number, from 0.
        seq: u64,
        /// Its name: `dns`, `connect`, `tls`, `request`, `first byte`, `transfer`.
        phase: &'static str,
        /// How long it took.
        #[serde(rename = "lasted_ms", with = "ms")]
        lasted: Duration,
    },
    /// What has passed since the last one: for probes that watch a stream.
    Interval {
        /// When it ended, nanoseconds since the epoch.
        at: u64,
        /// How long it took.
        #[serde(rename = "lasted_ms", with = "ms")]
        lasted: Duration,
        /// Packets.
        packets: u64,
        /// Their octets.
        bytes: u64,
        /// Packets that this host was too slow for.
        dropped: u64,
    },
    /// What a stream, or all of one direction, has moved since the last one: for `bandwidth`.
    Throughput {
        /// When it ended, nanoseconds since the epoch.
        at: u64,
        /// The stream's number; `None` of all together.
        stream: Option<u32>,
        /// It is all that its direction has.
        is_whole: bool,
        /// This host sends.
        up: bool,
        /// There are streams of both directions.
        both: bool,
        /// Its beginning, from that of the test, or of what counts.
        #[serde(rename = "start_ms", with = "ms")]
        start: Duration,
        /// Its end.
        #[serde(rename = "end_ms", with = "ms")]
        end: Duration,
        /// What was moved.
        tally: Tally,
        /// It does not count.
        omitted: bool,
    },
    /// The streams of `bandwidth` are there, and it begins.
    Streams {
        /// What is known then.
        #[serde(skip)]
        trace: Box<Trace>,
    },
    /// What each of these streams has moved since the last one, where another program's form tells that.
    Snapshots {
        /// In the order of the streams.
        #[serde(skip)]
        of: Vec<Snapshot>,
    },
    /// A trial of a search is over: for `bandwidth --find-max`.
    Trial {
        /// When it ended, nanoseconds since the epoch.
        at: u64,
        /// What it has shown.
        #[serde(flatten)]
        trial: Trial,
    },
    /// A router or host said that a probe packet went no further: its wait is over, and it is lost.
    Unreached {
        /// Whose it is, as written, where there are several targets.
        target: Option<String>,
        /// Its sequence number, from 0.
        seq: u64,
        /// When that came, nanoseconds since the epoch.
        at: u64,
        /// Who said so; `None` where the kernel does not tell.
        from: Option<IpAddr>,
        /// ICMP type and code, where it was an ICMP error.
        icmp: Option<(u8, u8)>,
        /// What was said, in a few words.
        what: String,
    },
    /// How far a long run has come.
    Progress {
        /// The share that is done, about.
        done_ratio: f64,
        /// How long the rest takes, about.
        #[serde(rename = "left_ms", with = "ms")]
        left: Duration,
    },
    /// This host did not let a probe packet out: it counts as not sent, not as lost.
    Refused {
        /// Whose it is, as written, where there are several targets.
        target: Option<String>,
        /// Its sequence number, from 0.
        seq: u64,
        /// When it was tried, nanoseconds since the epoch.
        at: u64,
        /// Why, in a few words.
        what: String,
    },
    /// An open port was found.
    Port {
        /// Of which host.
        host: IpAddr,
        /// Its number.
        port: u16,
        /// `tcp` or `udp`.
        proto: &'static str,
        /// When, nanoseconds since the epoch.
        at: u64,
        /// From the question to the answer.
        #[serde(rename = "rtt_ms", with = "ms::option")]
        rtt: Option<Duration>,
    },
    /// A hop answered a probe, or did not in time.
    Hop {
        /// Its distance.
        ttl: u8,
        /// When the reply came or the probe was given up, nanoseconds since the epoch.
        at: u64,
        /// Who answered; `None` when nobody did.
        from: Option<IpAddr>,
        /// Round-trip time; `None` when nobody answered.
        #[serde(rename = "rtt_ms", with = "ms::option")]
        rtt: Option<Duration>,
        /// It is the target itself.
        is_target: bool,
        /// Why probes go no further than this hop.
        mark: Option<Mark>,
        /// The MPLS label stack with which the probe arrived there (RFC 4950).
        mpls: Vec<Label>,
    },
    /// The path has changed, or what looked like a change has proved to be none.
    Path {
        /// Changes during the run so far.
        changes: u64,
        /// The latest of them.
        latest: Option<PathChange>,
    },
    /// An echo request that went beside the probes, to confirm loss at the target, was answered or given up.
    Check {
        /// Whether it was answered.
        answered: bool,
    },
    /// Where an address belongs, by a local database.
    Place {
        /// The address.
        address: IpAddr,
        /// What is known.
        place: Place,
    },
    /// The name of an address was found.
    Name {
        /// The address.
        address: IpAddr,
        /// Its name, as the resolver gave it.
        name: String,
    },
    /// One of several targets cannot be measured.
    Unmeasured {
        /// As it was given.
        target: String,
        /// Why, in a few words.
        why: String,
    },
    /// Something that a person should know about the run: a clamp, a restart of the far side.
    Note {
        /// One line.
        text: String,
    },
}

impl Event {
    /// The target `name` cannot be measured because of `failure`.
    pub fn unmeasured(name: &str, failure: &Failure) -> Self {
        let named = [format!("resolve {name}: "), format!("{name}: "), format!("{name} ")];
        let why = named.iter().find_map(|begin| failure.detail.strip_prefix(begin.as_str()));
        Self::Unmeasured { target: name.to_owned(), why: why.unwrap_or(&failure.detail).to_owned() }
    }
}

/// The sending end of a run's events. A full or absent receiver loses events and delays nobody.
#[derive(Clone, Default)]
pub struct Events {
    to: Option<mpsc::Sender<Event>>,
    packets: bool,
    /// Whose the packets are that are nobody's by name.
    whose: Option<Arc<str>>,
}

impl Events {
    /// Events that nobody hears.
    pub const fn none() -> Self {
        Self { to: None, packets: false, whose: None }
    }

    /// A channel that holds `depth` events; those beyond are lost.
    pub fn channel(depth: usize) -> (Self, mpsc::Receiver<Event>) {
        let (to, from) = mpsc::channel(depth);
        (Self { to: Some(to), packets: true, whose: None }, from)
    }

    /// The same with notes and progress only, without the fate of each packet: waking a reader costs more than a packet.
    pub fn without_packets(self) -> Self {
        Self { packets: false, ..self }
    }

    /// The same of packets to `target`, who alone of several can be measured.
    pub fn of_target(self, target: &str) -> Self {
        Self { whose: Some(target.into()), ..self }
    }

    /// Whether anybody wants to know the fate of each packet: then it is worth working out.
    pub const fn want_packets(&self) -> bool {
        self.packets
    }

    /// Tells `event` to whoever listens and has room.
    pub fn tell(&self, mut event: Event) {
        if let (
            Some(whose),
            Event::Reply { target, .. }
            | Event::Lost { target, .. }
            | Event::Unreached { target, .. }
            | Event::Refused { target, .. },
        ) = (&self.whose, &mut event)
        {
            target.get_or_insert_with(|| whose.to_string());
        }
        let is_rare = matches!(
            event,
            Event::Started { .. } | Event::Note { .. } | Event::Unmeasured { .. } | Event::Progress { .. }
        );
        let wanted = self.packets || is_rare;
        if let Some(to) = self.to.as_ref().filter(|_| wanted) {
            let _ = to.try_send(event);
        }
    }
}
