//! What a scan found.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::probe::{Findings, Packets, Rtt, Scalar, Scalars};
use crate::stats::Sketch;
use crate::units::{Unit, ms};

/// The ports of one host or several: which are open, and what is known of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PortScanReport")]
pub struct Report {
    /// All open ports, and as many of the others as are worth a line: of each host and state up to 25.
    pub ports: Vec<Port>,
    /// How many there are of each.
    pub counts: Tally,
    /// The hosts that were scanned, in the order asked.
    pub hosts: Vec<Host>,
    /// Targets that could not be scanned, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmeasured: Vec<Unmeasured>,
    /// Which TCP ports of each host were to be asked, as `-p` takes them; null where none.
    #[serde(default)]
    pub tcp_ports: Option<String>,
    /// Which UDP ports of each host were to be asked, as `-p` takes them; null where none.
    #[serde(default)]
    pub udp_ports: Option<String>,
    /// Why the scan broke off before all was known, such as a link of this host that went down; null where it did not.
    #[serde(default)]
    pub broken_off: Option<Failure>,
    /// Questions sent, those asked again included.
    pub sent: u64,
    /// Questions per second while ports were asked, waits for answers included and banners not; null when nothing was sent.
    /// The first 1,000 questions go at once, so it may lie above the most that were allowed.
    pub rate_pps: Option<f64>,
    /// From a question to its answer (TCP: SYN to SYN-ACK or RST; RFC 9293 §3.5); null without an answer.
    pub rtt: Option<Rtt>,
    /// All round-trip times (RFC 2681), mergeable with other runs'.
    pub rtt_sketch: Sketch,
}

/// A target that could not be scanned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PortScanUnmeasured")]
pub struct Unmeasured {
    /// As it was given.
    pub target: String,
    /// Why.
    pub failure: Failure,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its address.
    pub address: IpAddr,
    /// How many of its ports are open, closed, filtered.
    pub counts: Tally,
    /// Ports that are not listed one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Hidden>,
    /// The host, or a box before it, rations its answers to about so many per second: its silent ports were asked no
    /// faster, and what is still silent is less certain. Null where nothing looks like it.
    pub answers_per_second: Option<f64>,
}

/// Ports of one host, protocol, state and reason that are only counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hidden {
    /// TCP or UDP.
    pub proto: Proto,
    /// What they are.
    pub state: State,
    /// What says so.
    pub reason: Reason,
    /// How many.
    pub count: u64,
}

/// One port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Port {
    /// The host's address.
    pub host: IpAddr,
    /// Its number.
    pub port: u16,
    /// TCP or UDP.
    pub proto: Proto,
    /// Open, closed, filtered.
    pub state: State,
    /// What says so.
    pub reason: Reason,
    /// Who said so, where it was not the host itself: a router, a firewall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    /// From the question to the answer; null without one.
    #[serde(rename = "rtt_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub rtt: Option<Duration>,
    /// The service that usually has this port; nothing proves that it is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What it says first, or when asked (`--banner`): at most 512 octets, what is not printable written out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
    /// What its TLS handshake tells (`--banner`): version and application protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
}

/// The transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Proto {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
}

/// What a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum State {
    /// Somebody answers there.
    #[serde(rename = "open")]
    Open,
    /// The host says that nobody does.
    #[serde(rename = "closed")]
    Closed,
    /// Something between keeps questions or answers away.
    #[serde(rename = "filtered")]
    Filtered,
    /// Nothing came back: UDP services keep silent about what they do not understand.
    #[serde(rename = "open|filtered")]
    OpenFiltered,
}

/// What says that a port is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The connection stands, or a SYN-ACK came (RFC 9293 §3.5).
    SynAck,
    /// A RST (RFC 9293 §3.5.2).
    Reset,
    /// A datagram came back.
    UdpResponse,
    /// Nothing, however often it was asked.
    NoResponse,
    /// ICMP: no such network (3/0, 3/6; v6 1/0).
    NetUnreach,
    /// ICMP: no such host (3/1, 3/7; v6 1/3).
    HostUnreach,
    /// ICMP: no such protocol (3/2).
    ProtoUnreach,
    /// ICMP: nobody at this port (3/3; v6 1/4).
    PortUnreach,
    /// ICMP: prohibited (3/9, 3/10, 3/13; v6 1/1, 1/5, 1/6).
    AdminProhibited,
    /// Another ICMP destination unreachable.
    Unreachable,
    /// This host may not send there: its own packet filter.
    NotPermitted,
}

/// How many ports there are of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// Open.
    pub open: u64,
    /// Closed.
    pub closed: u64,
    /// Filtered.
    pub filtered: u64,
    /// Open or filtered: silent UDP ports.
    #[serde(default)]
    pub open_filtered: u64,
    /// Not asked any more when the scan ended.
    #[serde(default)]
    pub unasked: u64,
}

impl Tally {
    pub(super) fn add(&mut self, state: Option<State>, count: u64) {
        *match state {
            Some(State::Open) => &mut self.open,
            Some(State::Closed) => &mut self.closed,
            Some(State::Filtered) => &mut self.filtered,
            Some(State::OpenFiltered) => &mut self.open_filtered,
            None => &mut self.unasked,
        } += count;
    }
}

impl State {
    /// The state's word, as in JSON and in nmap's reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Filtered => "filtered",
            Self::OpenFiltered => "open|filtered",
        }
    }
}

impl Proto {
    /// The protocol's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl Reason {
    /// The reason's words, as in JSON and in nmap's reports.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SynAck => "syn-ack",
            Self::Reset => "reset",
            Self::UdpResponse => "udp-response",
            Self::NoResponse => "no-response",
            Self::NetUnreach => "net-unreach",
            Self::HostUnreach => "host-unreach",
            Self::ProtoUnreach => "proto-unreach",
            Self::PortUnreach => "port-unreach",
            Self::AdminProhibited => "admin-prohibited",
            Self::Unreachable => "unreachable",
            Self::NotPermitted => "not-permitted",
        }
    }

    /// What an ICMP error of this type and code means (RFC 792, RFC 1812 §5.2.7.1; RFC 4443 §3.1); `None` where it
    /// says nothing about a port.
    pub const fn of_icmp(ipv6: bool, kind: u8, code: u8) -> Option<Self> {
        Some(match (ipv6, kind, code) {
            (false, 3, 0 | 6) | (true, 1, 0) => Self::NetUnreach,
            (false, 3, 1 | 7) | (true, 1, 3) => Self::HostUnreach,
            (false, 3, 2) => Self::ProtoUnreach,
            (false, 3, 3) | (true, 1, 4) => Self::PortUnreach,
            (false, 3, 9 | 10 | 13) | (true, 1, 1 | 5 | 6) => Self::AdminProhibited,
            // Too large is the business of path MTU discovery, not of a port.
            (false, 3, 4) => return None,
            (false, 3, _) | (true, 1, _) => Self::Unreachable,
            _ => return None,
        })
    }
}

impl Report {
    /// The headline numbers of a report, or their names.
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let rtt = report.and_then(|report| report.rtt.as_ref());
        let open = report.map(|report| report.counts.open as f64);
        vec![
            Scalar { name: "open_ports".into(), unit: Unit::None, value: open },
            Scalar::time("rtt_min", rtt.map(|rtt| rtt.min)),
            Scalar::time("rtt_mean", rtt.map(|rtt| rtt.mean)),
            Scalar::time("rtt_p50", rtt.map(|rtt| rtt.p50)),
            Scalar::time("rtt_p95", rtt.map(|rtt| rtt.p95)),
            Scalar::time("rtt_p99", rtt.map(|rtt| rtt.p99)),
            Scalar::time("rtt_max", rtt.map(|rtt| rtt.max)),
        ]
    }

    /// The ports listed for one host.
    pub fn ports_of(&self, host: IpAddr) -> impl Iterator<Item = &Port> {
        self.ports.iter().filter(move |port| port.host == host)
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        let answered = |reason| {
            !matches!(
                reason,
                Reason::NoResponse | Reason::NotPermitted | Reason::HostUnreach | Reason::NetUnreach
            )
        };
        let mut listed = self.ports.iter().map(|port| port.reason);
        let mut hidden = self.hosts.iter().flat_map(|host| &host.hidden).map(|hidden| hidden.reason);
        listed.any(answered) || hidden.any(answered)
    }

    fn packets(&self) -> Option<Packets> {
        None
    }
}

/// Puts together what is known of the hosts.
#[derive(Debug, Default)]
pub(super) struct Summing {
    ports: Vec<Port>,
    hosts: Vec<Host>,
    samples: Vec<(u64, Duration)>,
    sketch: Sketch,
}

/// Of each host, protocol, state and reason so many are listed; open ones always.
const LISTED: usize = 25;
/// Round trips that are summed up exactly; beyond, every further one is left to the sketch.
const MOST_SAMPLES: usize = 1 << 20;

impl Summing {
    /// Adds the ports of one host.
    pub(super) fn add(
        &mut self,
        host: IpAddr,
        ration: Option<f64>,
        ports: Vec<Port>,
        unasked: u64,
        all: bool,
    ) {
        let mut counts = Tally::default();
        counts.add(None, unasked);
        let mut groups: BTreeMap<(Proto, State, Reason), u64> = BTreeMap::new();
        for port in &ports {
            counts.add(Some(port.state), 1);
            *groups.entry((port.proto, port.state, port.reason)).or_default() += 1;
            if let Some(rtt) = port.rtt.filter(|_| matches!(port.state, State::Open | State::Closed)) {
                self.sketch.push(rtt.as_secs_f64());
                if self.samples.len() < MOST_SAMPLES {
                    self.samples.push((self.samples.len() as u64, rtt));
                }
            }
        }
        let hides = |proto, state, reason| {
            let many = groups.get(&(proto, state, reason)).is_some_and(|&count| count > LISTED as u64);
            state != State::Open && many && !all
        };
        let hidden = groups
            .iter()
            .filter(|((proto, state, reason), _)| hides(*proto, *state, *reason))
            .map(|(&(proto, state, reason), &count)| Hidden { proto, state, reason, count })
            .collect();
        self.ports.extend(ports.into_iter().filter(|port| !hides(port.proto, port.state, port.reason)));
        match self.hosts.iter_mut().find(|known| known.address == host) {
            Some(known) => known.merge(counts, hidden, ration),
            None => self.hosts.push(Host { address: host, counts, hidden, answers_per_second: ration }),
        }
    }

    /// Whether anything is known of any port.
    pub(super) fn knows_something(&self) -> bool {
        self.hosts
            .iter()
            .any(|host| host.counts != Tally { unasked: host.counts.unasked, ..Tally::default() })
    }

    /// The report, of `sent` questions in `elapsed`.
    pub(super) fn finish(self, sent: u64, elapsed: Duration) -> Report {
        let mut counts = Tally::default();
        for host in &self.hosts {
            counts.open += host.counts.open;
            counts.closed += host.counts.closed;
            counts.filtered += host.counts.filtered;
            counts.open_filtered += host.counts.open_filtered;
            counts.unasked += host.counts.unasked;
        }
        let seconds = elapsed.as_secs_f64();
        Report {
            ports: self.ports,
            counts,
            hosts: self.hosts,
            unmeasured: Vec::new(),
            tcp_ports: None,
            udp_ports: None,
            broken_off: None,
            sent,
            rate_pps: (sent > 0 && seconds > 0.0).then(|| sent as f64 / seconds),
            rtt: Rtt::of(&self.samples),
            rtt_sketch: self.sketch,
        }
    }
}

impl Host {
    fn merge(&mut self, counts: Tally, hidden: Vec<Hidden>, ration: Option<f64>) {
        self.counts.open += counts.open;
        self.counts.closed += counts.closed;
        self.counts.filtered += counts.filtered;
        self.counts.open_filtered += counts.open_filtered;
        self.counts.unasked += counts.unasked;
        self.hidden.extend(hidden);
        self.answers_per_second = self.answers_per_second.or(ration);
    }
}
