//! Routes, the rules that choose among their tables, and neighbours.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState as Nud,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteMetric, RouteNextHop, RouteType,
};
use netlink_packet_route::rule::{RuleAttribute, RuleMessage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interface;
use super::source::Source;
use crate::failure::reason;
use crate::sys::link;
use crate::sys::netlink::dump;

/// Routes that are kept: a router has a million, which explain no more than the first.
const MOST: usize = 1_000;
/// The table of this host's own addresses.
const LOCAL: u32 = 255;

/// A route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Where to: `0.0.0.0/0`, `::/0`.
    pub destination: String,
    /// By whom; null where the destination is on the link.
    pub gateway: Option<IpAddr>,
    /// Through which interface; null where it leads nowhere.
    pub interface: Option<String>,
    /// The address that packets come from.
    pub source: Option<IpAddr>,
    /// Of several routes the one with the lowest is taken.
    pub metric: Option<u32>,
    /// Its table; 254 is the main one.
    pub table: u32,
    /// Who made it: `kernel`, `boot`, `static`, `dhcp`, `ra`.
    pub protocol: String,
    /// What is done: `unicast`, `blackhole`, `unreachable`, `prohibit`.
    pub kind: String,
    /// The MTU that it sets; null where it sets none.
    pub mtu_bytes: Option<u32>,
    /// Ways among which flows are shared out; 1 of an ordinary route.
    pub ways: usize,
}

/// A rule that chooses a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteRule {
    /// They are asked from the lowest on.
    pub priority: u32,
    /// 4 or 6.
    pub family: u8,
    /// From where; null from anywhere.
    pub from: Option<String>,
    /// Where to; null where to any place.
    pub to: Option<String>,
    /// With this mark; null with any.
    pub mark: Option<u32>,
    /// The table that is asked.
    pub table: Option<u32>,
}

/// The neighbours on this host's links.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Neighbours {
    /// How many there are in each state.
    pub states: BTreeMap<String, u32>,
    /// The gateways of routes, and those that did not answer.
    pub named: Vec<Neighbour>,
}

/// A neighbour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Neighbour {
    /// Its address.
    pub address: IpAddr,
    /// Through which interface.
    pub interface: String,
    /// Its hardware address; null while it is not known.
    pub hardware: Option<String>,
    /// How well it is known.
    pub state: NeighbourState,
}

/// The states of a neighbour (RFC 4861 §7.3.2, and the kernel's own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "HostNeighbourState")]
pub enum NeighbourState {
    /// It was asked for and has not answered yet.
    Incomplete,
    /// It answered lately.
    Reachable,
    /// It answered once.
    Stale,
    /// It is about to be asked.
    Delay,
    /// It is being asked.
    Probe,
    /// It does not answer.
    Failed,
    /// It needs no asking.
    Noarp,
    /// It was set by hand.
    Permanent,
    /// None of these.
    None,
}

impl Route {
    /// The routes of all tables but that of this host's own addresses, the default ones first.
    pub(super) fn read(source: &mut Source) -> Vec<Self> {
        let found = dump(RouteNetlinkMessage::GetRoute(RouteMessage::default()));
        let found = found.map_err(|error| source.lacks("routes", &reason(&error))).unwrap_or_default();
        let mut routes: Vec<Self> =
            found.iter().filter_map(Self::of).filter(|route| route.table != LOCAL).collect();
        routes.sort_by_key(|route| (!route.is_default(), route.table, route.metric));
        if routes.len() > MOST {
            source.lacks("routes", &format!("{} there are, the first {MOST} are kept", routes.len()));
            routes.truncate(MOST);
        }
        routes
    }

    /// Whether it leads everywhere.
    pub fn is_default(&self) -> bool {
        matches!(self.destination.as_str(), "0.0.0.0/0" | "::/0") && self.kind == "unicast"
    }

    fn of(message: &RouteNetlinkMessage) -> Option<Self> {
        let RouteNetlinkMessage::NewRoute(message) = message else { return None };
        let header = &message.header;
        let any: IpAddr = match u8::from(header.address_family) {
            2 => [0u8; 4].into(),
            10 => [0u8; 16].into(),
            _ => return None,
        };
        // What a connection has learnt is no route of anybody.
        if matches!(header.kind, RouteType::Multicast | RouteType::Broadcast | RouteType::Anycast) {
            return None;
        }
        let mut route = Self {
            destination: format!("{any}/{}", header.destination_prefix_length),
            gateway: None,
            interface: None,
            source: None,
            metric: None,
            table: header.table.into(),
            protocol: header.protocol.to_string(),
            kind: format!("{:?}", header.kind).to_ascii_lowercase(),
            mtu_bytes: None,
            ways: 1,
        };
        route.take(&message.attributes, header.destination_prefix_length);
        Some(route)
    }

    fn take(&mut self, attributes: &[RouteAttribute], length: u8) {
        for attribute in attributes {
            match attribute {
                RouteAttribute::Destination(to) => {
                    if let Some(to) = address(to) {
                        self.destination = format!("{to}/{length}");
                    }
                }
                RouteAttribute::Gateway(by) => self.gateway = address(by),
                RouteAttribute::PrefSource(from) => self.source = address(from),
                RouteAttribute::Oif(index) => self.interface = link::name(*index),
                RouteAttribute::Priority(metric) => self.metric = Some(*metric),
                RouteAttribute::Table(table) => self.table = *table,
                RouteAttribute::Metrics(metrics) => {
                    self.mtu_bytes = metrics.iter().find_map(|metric| match metric {
                        RouteMetric::Mtu(mtu) => Some(*mtu),
                        _ => None,
                    });
                }
                RouteAttribute::MultiPath(ways) => {
                    self.ways = ways.len();
                    if let Some(RouteNextHop { interface_index, attributes, .. }) = ways.first() {
                        self.interface = link::name(*interface_index);
                        self.gateway = attributes.iter().find_map(|attribute| match attribute {
                            RouteAttribute::Gateway(by) => address(by),
                            _ => None,
                        });
                    }
                }
                _ => {}
            }
        }
    }
}

fn address(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

impl RouteRule {
    /// All rules but the three that every host has.
    pub(super) fn read(source: &mut Source) -> Vec<Self> {
        let found = dump(RouteNetlinkMessage::GetRule(RuleMessage::default()));
        let found = found.map_err(|error| source.lacks("rules", &reason(&error))).unwrap_or_default();
        found.iter().filter_map(Self::of).filter(|rule| !rule.is_usual()).collect()
    }

    fn is_usual(&self) -> bool {
        matches!((self.priority, self.table), (0, Some(255)) | (32_766, Some(254)) | (32_767, Some(253)))
    }

    fn of(message: &RouteNetlinkMessage) -> Option<Self> {
        let RouteNetlinkMessage::NewRule(message) = message else { return None };
        let header = &message.header;
        let family = match u8::from(header.family) {
            2 => 4,
            10 => 6,
            _ => return None,
        };
        let table = Some(u32::from(header.table)).filter(|table| *table > 0);
        let mut rule = Self { priority: 0, family, from: None, to: None, mark: None, table };
        for attribute in &message.attributes {
            match attribute {
                RuleAttribute::Priority(priority) => rule.priority = *priority,
                RuleAttribute::Source(from) => rule.from = Some(format!("{from}/{}", header.src_len)),
                RuleAttribute::Destination(to) => rule.to = Some(format!("{to}/{}", header.dst_len)),
                RuleAttribute::FwMark(mark) => rule.mark = Some(*mark),
                RuleAttribute::Table(table) => rule.table = Some(*table),
                _ => {}
            }
        }
        Some(rule)
    }
}

impl Neighbours {
    /// All of them, counted; by name the gateways among `routes` and those that failed.
    pub(super) fn read(source: &mut Source, routes: &[Route]) -> Self {
        let found = dump(RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default()));
        let found = found.map_err(|error| source.lacks("neighbours", &reason(&error))).unwrap_or_default();
        let mut neighbours = Self::default();
        for neighbour in found.iter().filter_map(Neighbour::of) {
            let word = format!("{:?}", neighbour.state).to_ascii_lowercase();
            *neighbours.states.entry(word).or_default() += 1;
            let is_gateway = routes.iter().any(|route| route.gateway == Some(neighbour.address));
            if (is_gateway || neighbour.is_silent()) && neighbours.named.len() < MOST {
                neighbours.named.push(neighbour);
            }
        }
        neighbours
    }
}

impl Neighbour {
    /// Whether it was asked for in vain.
    pub(super) const fn is_silent(&self) -> bool {
        matches!(self.state, NeighbourState::Failed | NeighbourState::Incomplete)
    }

    fn of(message: &RouteNetlinkMessage) -> Option<Self> {
        let RouteNetlinkMessage::NewNeighbour(message) = message else { return None };
        let state = match message.header.state {
            Nud::Incomplete => NeighbourState::Incomplete,
            Nud::Reachable => NeighbourState::Reachable,
            Nud::Stale => NeighbourState::Stale,
            Nud::Delay => NeighbourState::Delay,
            Nud::Probe => NeighbourState::Probe,
            Nud::Failed => NeighbourState::Failed,
            Nud::Noarp => NeighbourState::Noarp,
            Nud::Permanent => NeighbourState::Permanent,
            _ => NeighbourState::None,
        };
        let (mut address, mut hardware) = (None, None);
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Destination(NeighbourAddress::Inet(of)) => {
                    address = Some(IpAddr::from(*of))
                }
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(of)) => {
                    address = Some(IpAddr::from(*of))
                }
                NeighbourAttribute::LinkLayerAddress(octets) => hardware = interface::hardware(octets),
                _ => {}
            }
        }
        let interface = link::name(message.header.ifindex)?;
        Some(Self { address: address?, interface, hardware, state })
    }
}
