//! What a run of `mtr` found.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::multipath::Multipath;
use crate::geo::Databases;
use crate::probe::{Clock, Findings, Loss, Packets, Rtt, Scalar, Scalars};
use crate::stats::Sketch;
use crate::units::{Timestamp, Unit, ms};
use crate::wire::icmp::extension::{self, Role};

/// The hops to a target, what each answers, and what that proves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MtrReport")]
pub struct Report {
    /// The hops in the order of the path, up to the target or to the last that answered and one more.
    pub hops: Vec<Hop>,
    /// The target itself has answered.
    pub reached: bool,
    /// Who translates addresses (NAT, RFC 3022): the last hop before those that probes reach translated. Null where no
    /// translation is seen, or that hop is silent.
    #[serde(default)]
    pub translator: Option<IpAddr>,
    /// TTL of the first hop of a loop: further out the path comes by the same router again, and never to the target. Null
    /// where none is seen.
    #[serde(default)]
    pub loop_ttl: Option<u8>,
    /// Why this host refused to send probes, in the system's words; null where it sent them all.
    #[serde(default)]
    pub send_error: Option<String>,
    /// How often the path changed during the run: the fewest changes that explain what the hops have shown.
    pub path_changes: u64,
    /// These changes, in their order: the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<PathChange>,
    /// A number for the path that was seen most, by each hop's most frequent address; of `--mda`, for all of its nodes.
    /// Equal for two runs that saw the same addresses at the same TTLs.
    pub fingerprint: String,
    /// The same number for the path after the latest of `changes`, by what has answered since; null where the path has not
    /// changed.
    #[serde(default)]
    pub latest_fingerprint: Option<String>,
    /// The flows that were traced: every load balancer sends the packets of one flow the same way.
    pub flows: Vec<Flow>,
    /// Cycles, each with one probe for each hop and flow.
    pub cycles: u64,
    /// Cycles that this host was too late for.
    pub skipped: u64,
    /// Time from one cycle to the next.
    #[serde(rename = "interval_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub interval: Duration,
    /// Octets of each probe's IP packet; null where each has another length, which says its number (dublin over IPv6).
    pub packet_bytes: Option<u16>,
    /// Which clock took the times of sending and receiving.
    pub clock: Clock,
    /// Replies and errors that were not for a probe of ours, or not what a router may say.
    pub ignored: u64,
    /// What the probes are instead of what was asked for, because this host does not allow that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// Another method beside the probes, to confirm loss at the target (UDP and TCP only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// All round-trip times of the target (RFC 2681), mergeable with other runs'.
    pub rtt_sketch: Sketch,
    /// Every path that load balancing offers, as far as the confidence asked for reaches (`--mda`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multipath: Option<Multipath>,
}

/// One hop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// TTL (RFC 791) or hop limit (RFC 8200) of its probes: its distance.
    pub ttl: u8,
    /// Who has answered, the most frequent first; empty of a silent hop.
    pub addresses: Vec<Address>,
    /// What became of the probes.
    pub counts: HopCounts,
    /// Loss on the way there and back (RFC 6673), 0–1; null where the hop's silence proves none, because later hops answer.
    pub loss_ratio: Option<f64>,
    /// Answered of sent, 0–1, whatever that means; null when nothing was sent.
    pub answered_ratio: Option<f64>,
    /// Round-trip times (RFC 2681); null without a reply.
    pub rtt: Option<Rtt>,
    /// The latest round-trip time (RFC 2681).
    #[serde(rename = "last_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub last: Option<Duration>,
    /// It answers fewer probes than pass it: it rations its answers, and loses nothing.
    pub rate_limited: bool,
    /// Packets of one flow come by more than one address in turn: they are balanced one by one.
    pub per_packet: bool,
    /// Probes arrive there translated (NAT, RFC 3022): what it quotes of them is not what was sent. Null where that cannot
    /// be seen: it takes CAP_NET_RAW and IPv4 (the checksum of ICMPv6 is the system's), or a translator that does not take
    /// its change back in errors.
    #[serde(default)]
    pub nat: Option<bool>,
    /// Why probes go no further, as traceroute marks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// TTL or hop limit with which its replies arrive, the latest; null of a target that a connection has reached.
    pub return_ttl: Option<u8>,
    /// Hops of the way back, guessed: its replies began with 64, 128 or 255.
    pub return_hops: Option<u8>,
    /// The MPLS label stack with which probes arrived there (RFC 4950).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mpls: Vec<Label>,
    /// Interfaces that it tells of (RFC 5837).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<NetInterface>,
    /// Each RTT (RFC 2681) in order of sending, null for a lost one; absent beyond 1,000 probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_ms: Option<Vec<Option<f64>>>,
}

/// An address that has answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Its name (reverse DNS); null where it has none or nobody asked.
    pub name: Option<String>,
    /// Number of its autonomous system, from a local database; null where it is not there.
    pub asn: Option<u32>,
    /// Its country, ISO 3166-1, from a local database.
    pub country: Option<String>,
    /// The network that its autonomous system announces, from a local database.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Part of the hop's replies that it sent, 0–1.
    pub share_ratio: f64,
}

/// What became of a hop's probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HopCounts {
    /// Sent, and their fate is known.
    pub sent: u64,
    /// Answered in time.
    pub received: u64,
    /// Answered too late: lost to `loss_ratio`, part of no other statistic.
    pub late: u64,
    /// Replies beyond the first to one probe (RFC 5560).
    pub duplicates: u64,
    /// Refused by this host's own stack.
    pub send_errors: u64,
    /// Under way when the run was interrupted; not in `sent`.
    pub pending: u64,
}

/// Why probes go no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mark {
    /// No route to the network (`!N`).
    #[serde(rename = "!N")]
    Network,
    /// The host cannot be reached (`!H`).
    #[serde(rename = "!H")]
    Host,
    /// The protocol is not spoken (`!P`).
    #[serde(rename = "!P")]
    Protocol,
    /// The port is closed (`!p`).
    #[serde(rename = "!p")]
    Port,
    /// It is prohibited (`!X`).
    #[serde(rename = "!X")]
    Prohibited,
    /// The probe is larger than the next link (`!F`).
    #[serde(rename = "!F")]
    TooBig,
    /// The header is refused (`!?`).
    #[serde(rename = "!?")]
    Other,
}

impl Mark {
    /// As traceroute writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Network => "!N",
            Self::Host => "!H",
            Self::Protocol => "!P",
            Self::Port => "!p",
            Self::Prohibited => "!X",
            Self::TooBig => "!F",
            Self::Other => "!?",
        }
    }
}

/// An entry of an MPLS label stack (RFC 3032, RFC 4950).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MplsLabel")]
pub struct Label {
    /// The label, 20 bits (RFC 3032).
    pub label: u32,
    /// Traffic class (RFC 5462).
    pub class: u8,
    /// It is the last of its stack.
    pub is_last: bool,
    /// Its time to live (RFC 3032).
    pub ttl: u8,
}

/// What a router tells of an interface (RFC 5837).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetInterface {
    /// What it has to do with the probe.
    pub role: InterfaceRole,
    /// Its number, `ifIndex`.
    pub index: Option<u32>,
    /// Its address.
    pub address: Option<IpAddr>,
    /// Its name.
    pub name: Option<String>,
    /// Its MTU, octets.
    pub mtu_bytes: Option<u32>,
}

/// What an interface has to do with a probe (RFC 5837 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InterfaceRole {
    /// It arrived there.
    Incoming,
    /// It arrived at that part of a group of links.
    Component,
    /// It would have left there.
    Outgoing,
    /// That is its next hop's.
    NextHop,
}

impl From<&extension::Interface> for NetInterface {
    fn from(told: &extension::Interface) -> Self {
        let role = match told.role {
            Role::Incoming => InterfaceRole::Incoming,
            Role::SubIp => InterfaceRole::Component,
            Role::Outgoing => InterfaceRole::Outgoing,
            Role::NextHop => InterfaceRole::NextHop,
        };
        let (index, address, name) = (told.index, told.address, told.name.clone());
        Self { role, index, address, name, mtu_bytes: told.mtu }
    }
}

/// A change of the path during a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MtrChange")]
pub struct PathChange {
    /// The cycle, from 1, in which the new path was first seen.
    pub cycle: u64,
    /// When the reply came that shows it.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// TTL of the nearest hop that it has changed.
    pub ttl: u8,
    /// Who answered there before.
    pub from: IpAddr,
    /// Who answered there then.
    pub to: IpAddr,
    /// Hops that it has changed, this one included.
    pub hops: u64,
    /// Which of `flows` has seen it there, from 0.
    pub flow: u64,
}

/// One flow that was traced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MtrFlow")]
pub struct Flow {
    /// What its probes are: `icmp`, `udp`, `quic` or `tcp`.
    pub protocol: String,
    /// Source port; of ICMP, the identifier; null where each probe has its own.
    pub source_port: Option<u16>,
    /// Destination port; null of ICMP.
    pub destination_port: Option<u16>,
    /// Who answered at each of the hops, the latest; null of a silent one.
    pub path: Vec<Option<IpAddr>>,
}

/// What the probes are instead of what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "MtrFallback")]
pub enum Fallback {
    /// UDP for ICMP, which takes a group in net.ipv4.ping_group_range or CAP_NET_RAW.
    UdpForIcmp,
    /// Connections, each from a port of its own, for SYNs of one flow, which take CAP_NET_RAW.
    ConnectionsForSyns,
    /// The paris strategy for dublin, which takes CAP_NET_RAW.
    ParisForDublin,
}

impl Fallback {
    /// What it means, for people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::UdpForIcmp => {
                "over UDP: ICMP needs net.ipv4.ping_group_range to hold a group of yours, or CAP_NET_RAW"
            }
            Self::ConnectionsForSyns => {
                "by connections, each from a port of its own, so that several paths may be mixed: SYNs of one flow need \
                 CAP_NET_RAW"
            }
            Self::ParisForDublin => "by the paris strategy: dublin needs CAP_NET_RAW",
        }
    }
}

/// The echo requests that went with each cycle, to tell whether unanswered probes were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MtrCheck")]
pub struct Check {
    /// Sent.
    pub sent: u64,
    /// Answered.
    pub received: u64,
}

impl Report {
    /// Fills in where addresses belong.
    pub(super) fn take_places(&mut self, databases: &Databases) {
        for address in self.hops.iter_mut().flat_map(|hop| &mut hop.addresses) {
            let place = databases.place(address.ip);
            (address.asn, address.country, address.prefix) = (place.asn, place.country, place.prefix);
        }
    }

    /// Fills in the names of addresses.
    pub(super) fn take_names(&mut self, names: &HashMap<IpAddr, String>) {
        for address in self.hops.iter_mut().flat_map(|hop| &mut hop.addresses) {
            address.name = names.get(&address.ip).cloned();
        }
        for node in self.multipath.iter_mut().flat_map(|paths| &mut paths.nodes) {
            node.name = node.ip.and_then(|ip| names.get(&ip).cloned());
        }
    }

    /// The last hop, if it is the target.
    pub fn end(&self) -> Option<&Hop> {
        self.hops.last().filter(|_| self.reached)
    }

    /// Probes to the end of the path: sent, and lost. Nothing of an end that rations its answers.
    fn end_to_end(&self) -> Option<(u64, u64)> {
        let hop = self.hops.last()?;
        if !self.reached {
            return Some((hop.counts.sent, hop.counts.sent));
        }
        hop.loss_ratio.map(|_| (hop.counts.sent, hop.counts.sent.saturating_sub(hop.counts.received)))
    }

    /// The headline numbers of a report that may not exist.
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let end = report.and_then(Self::end);
        let mut scalars = Rtt::scalars(end.and_then(|hop| hop.rtt.as_ref()));
        let loss = report.and_then(Self::end_to_end).filter(|(sent, _)| *sent > 0);
        scalars.push(Scalar::ratio("loss_ratio", loss.map(|(sent, lost)| lost as f64 / sent as f64)));
        scalars.push(Scalar { name: "hops".into(), unit: Unit::None, value: end.map(|hop| hop.ttl.into()) });
        scalars
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }

    fn losses(&self) -> Vec<Loss> {
        let of = |(sent, lost)| Loss { name: "loss_ratio".into(), lost, sent };
        self.end_to_end().map(of).into_iter().collect()
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        self.reached
    }

    fn packets(&self) -> Option<Packets> {
        self.end_to_end().map(|(sent, lost)| Packets { sent, lost, rtt: self.rtt_sketch.clone() })
    }
}
