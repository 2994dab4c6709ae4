//! What a run of `mtu` found.

use std::collections::HashMap;
use std::net::IpAddr;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ladder;
use crate::probe::{Clock, Counts, Findings, IcmpErrors, Rtt, Scalar, Scalars};
use crate::units::Unit;

/// How large a packet may be, in both directions, and what is in its way. All sizes are octets of IP packet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MtuReport")]
pub struct Report {
    /// The largest packet that passes on the way there (PLPMTU, RFC 8899), octets; null when nothing was answered.
    pub pmtu_bytes: Option<u16>,
    /// Whether the next larger size was shown not to pass; false when none was tried or the run ended before: at least
    /// `pmtu_bytes` pass.
    pub exact: bool,
    /// Why no larger size was tried, where all that was tried passes.
    pub bounded_by: Option<Bound>,
    /// The least MTU that a router named for packets that were too big (RFC 1191, RFC 8201); null when none said so.
    pub icmp_pmtu_bytes: Option<u16>,
    /// The largest packet that comes back, octets; null when nothing tells. An answer is never longer than what arrived there:
    /// above `pmtu_bytes` only where a reflector was sent packets that routers might cut.
    pub reverse_pmtu_bytes: Option<u16>,
    /// Whether the next larger size was shown not to come back; false when none arrived there that could: at least
    /// `reverse_pmtu_bytes` come back.
    #[serde(default)]
    pub reverse_exact: bool,
    /// Where packets vanish without a word (RFC 2923 §2.1); null when they do not.
    pub black_hole: Option<BlackHole>,
    /// Routers that said "too big" (ICMP type 3 code 4, RFC 1191; ICMPv6 type 2, RFC 4443 §3.2).
    pub too_big: Vec<TooBig>,
    /// The MTU of the interface that the packets leave by.
    pub local_mtu_bytes: Option<u16>,
    /// Its name.
    pub interface: Option<String>,
    /// The path MTU that this host's kernel believed in before the run: what TCP uses.
    pub route_mtu_bytes: Option<u16>,
    /// The maximum segment size (RFC 6691) of a TCP connection to the target, options not taken off; null without one.
    pub tcp_mss_bytes: Option<u16>,
    /// The TCP port of that connection.
    pub tcp_port: Option<u16>,
    /// What carried the packets whose answers count.
    pub carrier: Option<CarriedBy>,
    /// All that was tried, in this order.
    pub tried: Vec<CarriedBy>,
    /// What probably takes the octets that are missing from 1500 (or the interface's MTU): a guess from the number.
    pub overhead_guess: Option<String>,
    /// What to set where `pmtu_bytes` is less than this host sends; null when nothing needs to be set.
    pub advice: Option<Advice>,
    /// The way, where it was looked at: who let a small and a large packet expire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// What became of the packets of all sizes; those that are too large are lost here.
    pub counts: Counts,
    /// Round-trip times (RFC 2681) of those that were answered. Null without a reply.
    pub rtt: Option<Rtt>,
    /// Which clock took the times.
    pub clock: Clock,
    /// What was tried: each size and its fate.
    pub sizes: Vec<Size>,
    /// ICMP errors that were not believed: they quote nothing of ours, or name an impossible MTU.
    pub ignored: u64,
    /// Other ICMP errors that named our packets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<IcmpErrors>,
    /// Why a method could not be used, or ended early.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What keeps larger sizes from being tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "MtuBound")]
pub enum Bound {
    /// The interface sends no larger packets.
    Interface,
    /// Nothing larger was asked for (`--max`).
    Asked,
    /// `mtu` tries nothing larger than 9,216 octets.
    Limit,
    /// The reflector takes no larger packets.
    Reflector,
}

/// What carries the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CarriedBy {
    /// ICMP echo.
    Icmp,
    /// WP1, to a waddleperf reflector.
    Reflector,
    /// UDP to ports where nobody listens.
    Udp,
    /// TCP SYN with data.
    Tcp,
}

/// Packets that vanish without a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlackHole {
    /// On which of the two ways.
    pub direction: Way,
    /// The smallest size that vanishes, octets.
    pub from_bytes: u16,
    /// The last hop that packets of that size come to, 0 for this host itself; null when that is not known.
    pub after_hop: Option<u8>,
    /// Its address.
    pub after: Option<IpAddr>,
    /// The first hop beyond that smaller packets come to: the hole lies before it. Null when that is not known.
    pub before_hop: Option<u8>,
    /// Its address.
    pub before: Option<IpAddr>,
}

/// Which way packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// From here to the target.
    Forward,
    /// From the target back.
    Reverse,
    /// One of the two: nothing that the target answers tells which.
    Unknown,
}

/// A router that said that packets were too big.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TooBig {
    /// Who said so.
    pub from: Option<IpAddr>,
    /// Its name (reverse DNS); null where it has none or nobody asked.
    pub name: Option<String>,
    /// Which hop that is; null when the way was not looked at or does not show it.
    pub hop: Option<u8>,
    /// The MTU that it named; null when it named none (RFC 1191 §5, routers from before 1990).
    pub mtu_bytes: Option<u16>,
    /// The smallest packet that it said this of, octets.
    pub probe_bytes: u16,
    /// How often.
    pub count: u64,
    /// Larger packets than it named passed all the same.
    pub wrong: bool,
}

/// What to set, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// MTU for the interface or tunnel before the narrow place, octets.
    pub mtu_bytes: u16,
    /// The TCP maximum segment size to clamp to (RFC 6691): the MTU without the headers of IP and TCP.
    pub mss_clamp_bytes: u16,
    /// TCP to the target already keeps to it.
    pub tcp_fits: Option<bool>,
}

/// One hop of the way there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MtuHop")]
pub struct Hop {
    /// The TTL (RFC 791) or hop limit (RFC 8200) of the packets that ended here.
    pub ttl: u8,
    /// Who answered; null when nobody did.
    pub address: Option<IpAddr>,
    /// Its name (reverse DNS); null where it has none or nobody asked.
    pub name: Option<String>,
    /// A small packet came here.
    pub small: bool,
    /// A packet of `size_bytes` came here.
    pub large: bool,
    /// The size of the large ones, octets.
    pub size_bytes: u16,
    /// It is the target.
    pub target: bool,
}

/// What became of the packets of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MtuSize")]
pub struct Size {
    /// Octets of the IP packet.
    pub bytes: u16,
    /// Came through.
    pub passed: u64,
    /// Vanished.
    pub lost: u64,
    /// A router said "too big".
    pub refused: u64,
}

impl Report {
    /// The headline numbers of a report that may not exist.
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let pmtu = report.and_then(|report| report.pmtu_bytes).map(f64::from);
        let back = report.and_then(|report| report.reverse_pmtu_bytes).map(f64::from);
        // A run that ended early has not seen that there is none.
        let hole = report.filter(|report| report.is_settled() || report.black_hole.is_some());
        let hole = hole.map(|report| f64::from(u8::from(report.black_hole.is_some())));
        let mut scalars = vec![
            Scalar { name: "pmtu".into(), unit: Unit::Bytes, value: pmtu },
            Scalar { name: "reverse_pmtu".into(), unit: Unit::Bytes, value: back },
            Scalar { name: "black_hole".into(), unit: Unit::None, value: hole },
        ];
        scalars.extend(Rtt::scalars(report.and_then(|report| report.rtt.as_ref())));
        scalars
    }

    /// Whether the run went on until the way there was known.
    pub(super) const fn is_settled(&self) -> bool {
        self.exact || self.bounded_by.is_some()
    }

    /// Everybody on the way who was heard of.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let hops = self.hops.iter().filter_map(|hop| hop.address);
        hops.chain(self.too_big.iter().filter_map(|one| one.from))
    }

    /// Gives them their names.
    pub(super) fn take_names(&mut self, names: &HashMap<IpAddr, String>) {
        let name = |address: Option<IpAddr>| names.get(&address?).cloned();
        self.hops.iter_mut().for_each(|hop| hop.name = name(hop.address));
        self.too_big.iter_mut().for_each(|one| one.name = name(one.from));
    }

    /// What to set, if something on the way (it `is_narrow`) takes less than this host sends.
    pub(super) fn advise(&mut self, v6: bool, is_narrow: bool) {
        let usable = self.pmtu_bytes.into_iter().chain(self.reverse_pmtu_bytes).min();
        let Some(mtu_bytes) = usable.filter(|_| is_narrow || self.black_hole.is_some()) else {
            return;
        };
        let mss_clamp_bytes = ladder::mss(mtu_bytes, v6);
        let tcp_fits = self.tcp_mss_bytes.map(|mss| mss <= mss_clamp_bytes);
        self.advice = Some(Advice { mtu_bytes, mss_clamp_bytes, tcp_fits });
        let of = self.local_mtu_bytes.map_or(1500, |local| local.clamp(1500, u16::MAX));
        self.overhead_guess = ladder::overhead(mtu_bytes, of).map(str::to_owned);
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        self.pmtu_bytes.is_some()
    }
}
