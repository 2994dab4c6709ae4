//! What packets add up to: protocols, conversations, what TCP says of the path. No I/O and no clock.
//!
//! Everything is bounded: conversations beyond [`MOST_CONVERSATIONS`] are only counted.

mod tcp;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use self::tcp::{Connection, Room};
use super::report::{Conversation, Conversations, Handshakes, Talker, Tcp, Volume};
use crate::probe::counts::ratio;
use crate::stats::percentile;
use crate::wire::frame::{Frame, Network, Segment, Transport, dissect};
use crate::wire::pcap::{Link, Packet};

/// Conversations that are told apart: some 30 MB when each is a TCP connection.
const MOST_CONVERSATIONS: usize = 65_536;
/// Segments in flight of all connections together.
const MOST_SEGMENTS: usize = 1 << 19;
/// Kinds of frames that are neither IP nor ARP.
const MOST_ETHERTYPES: usize = 256;
/// Lines in the tables of a report.
const TOP: usize = 10;

/// What was seen so far.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) total: Volume,
    /// Octets that were kept.
    pub(super) captured: u64,
    /// When the first and the last packet were seen.
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    ethertypes: HashMap<u16, Volume>,
    networks: [Volume; 3],
    protocols: Box<[Volume; 256]>,
    places: HashMap<Key, usize>,
    flows: Vec<Flow>,
    /// The latest one: packets come in trains.
    latest: Option<(Key, usize)>,
    crowd: Volume,
    room: Room,
    tcp: Tcp,
    handshakes: Vec<Duration>,
}

/// Who talks with whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    protocol: u8,
    lower: (IpAddr, u16),
    upper: (IpAddr, u16),
}

#[derive(Debug)]
struct Flow {
    key: Key,
    /// The side that spoke first: its packets are `sent`.
    first_side: usize,
    volumes: [Volume; 2],
    began: u64,
    ended: u64,
    connection: Option<Box<Connection>>,
    rtt: Option<Duration>,
    retransmits: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            total: Volume::default(),
            captured: 0,
            first: None,
            last: None,
            ethertypes: HashMap::new(),
            networks: [Volume::default(); 3],
            protocols: Box::new([Volume::default(); 256]),
            places: HashMap::new(),
            flows: Vec::new(),
            latest: None,
            crowd: Volume::default(),
            room: Room(MOST_SEGMENTS),
            tcp: Tcp::default(),
            handshakes: Vec::new(),
        }
    }
}

impl Tally {
    /// Takes in a packet.
    pub(super) fn push(&mut self, packet: &Packet<'_>) {
        let frame = dissect(packet.link, packet.data, packet.wire_length);
        self.push_frame(packet, &frame);
    }

    /// Takes in a packet that has been dissected.
    pub(super) fn push_frame(&mut self, packet: &Packet<'_>, frame: &Frame) {
        let octets = u64::from(packet.wire_length);
        self.total.add(octets);
        self.captured += packet.data.len() as u64;
        let at = packet.stamp.or(self.last).unwrap_or(0);
        if packet.stamp.is_some() {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = Some(self.last.map_or(at, |last| last.max(at)));
        }
        match frame.network {
            Network::Ipv4 => self.networks[0].add(octets),
            Network::Ipv6 => self.networks[1].add(octets),
            Network::Arp => self.networks[2].add(octets),
            Network::Other(kind) => {
                if self.ethertypes.len() < MOST_ETHERTYPES || self.ethertypes.contains_key(&kind) {
                    self.ethertypes.entry(kind).or_default().add(octets);
                }
            }
        }
        if let Some((protocol, ends)) = frame.protocol.zip(frame.ends) {
            self.protocols[usize::from(protocol)].add(octets);
            self.converse(protocol, ends, frame, octets, at);
        }
    }

    fn converse(&mut self, protocol: u8, ends: (IpAddr, IpAddr), frame: &Frame, octets: u64, at: u64) {
        let (source, destination) = match frame.transport {
            Transport::Tcp(segment) => (segment.source, segment.destination),
            Transport::Ports(source, destination) => (source, destination),
            Transport::Icmp(..) | Transport::Fragment | Transport::Opaque => (0, 0),
        };
        let (from, to) = ((ends.0, source), (ends.1, destination));
        let side = usize::from(from > to);
        let (lower, upper) = if side == 0 { (from, to) } else { (to, from) };
        let place = self.place(Key { protocol, lower, upper }, side, at);
        let Some(flow) = place.and_then(|place| self.flows.get_mut(place)) else {
            self.crowd.add(octets);
            if let Transport::Tcp(segment) = frame.transport {
                self.tcp.count(&segment);
            }
            return;
        };
        flow.volumes[side].add(octets);
        flow.ended = flow.ended.max(at);
        if let Transport::Tcp(segment) = frame.transport {
            self.tcp.count(&segment);
            let connection = flow.connection.get_or_insert_default();
            let signs = connection.push(side, &segment, at, &mut self.room);
            let tcp = &mut self.tcp;
            tcp.connections += u64::from(signs.anew);
            tcp.retransmits += u64::from(signs.retransmit);
            tcp.out_of_order += u64::from(signs.out_of_order);
            tcp.duplicate_acks += u64::from(signs.duplicate_ack);
            tcp.zero_windows += u64::from(signs.zero_window);
            tcp.gaps += u64::from(signs.gap);
            flow.retransmits += u64::from(signs.retransmit);
            if let Some(rtt) = signs.handshake {
                flow.rtt = Some(rtt);
                if self.handshakes.len() < MOST_CONVERSATIONS {
                    self.handshakes.push(rtt);
                }
            }
        }
    }

    /// Where the conversation is kept; `None` where there is no room for it.
    fn place(&mut self, key: Key, first_side: usize, at: u64) -> Option<usize> {
        if let Some((latest, place)) = self.latest
            && latest == key
        {
            return Some(place);
        }
        let place = match self.places.get(&key) {
            Some(&place) => place,
            None if self.flows.len() == MOST_CONVERSATIONS => return None,
            None => {
                let is_tcp = key.protocol == 6;
                self.tcp.connections += u64::from(is_tcp && key.lower.1 != 0);
                self.flows.push(Flow {
                    key,
                    first_side,
                    volumes: [Volume::default(); 2],
                    began: at,
                    ended: at,
                    connection: None,
                    rtt: None,
                    retransmits: 0,
                });
                self.places.insert(key, self.flows.len() - 1);
                self.flows.len() - 1
            }
        };
        self.latest = Some((key, place));
        Some(place)
    }

    /// The share of each protocol, by name.
    pub(super) fn protocols(&self) -> BTreeMap<String, Volume> {
        let networks = ["ipv4", "ipv6", "arp"].map(str::to_owned).into_iter().zip(self.networks);
        let transports =
            (0..=u8::MAX).zip(self.protocols.iter()).map(|(number, volume)| (protocol(number), *volume));
        let others = self.ethertypes.iter().map(|(&kind, volume)| (ethertype(kind), *volume));
        let mut named = BTreeMap::new();
        for (name, volume) in
            networks.chain(transports).chain(others).filter(|(_, volume)| volume.packets > 0)
        {
            let sum: &mut Volume = named.entry(name).or_default();
            (sum.packets, sum.bytes) = (sum.packets + volume.packets, sum.bytes + volume.bytes);
        }
        named
    }

    /// What TCP says.
    pub(super) fn tcp(&self) -> Tcp {
        let mut sorted = self.handshakes.clone();
        sorted.sort_unstable();
        let at = |q| percentile(&sorted, q);
        let handshakes = at(0.0)
            .zip(at(0.5))
            .zip(at(0.95))
            .zip(at(1.0))
            .map(|(((min, p50), p95), max)| Handshakes { count: sorted.len() as u64, min, p50, p95, max });
        let retransmit_ratio = ratio(self.tcp.retransmits, self.tcp.data_segments);
        Tcp { handshakes, retransmit_ratio, ..self.tcp }
    }

    /// The largest conversations.
    pub(super) fn conversations(&self) -> Conversations {
        let mut largest: Vec<&Flow> = self.flows.iter().collect();
        let octets = |flow: &&Flow| flow.volumes.iter().map(|volume| volume.bytes).sum::<u64>();
        largest.sort_by_key(|flow| std::cmp::Reverse((octets(flow), flow.key.lower, flow.key.upper)));
        Conversations {
            count: self.flows.len() as u64,
            top: largest.into_iter().take(TOP).map(Flow::told).collect(),
            uncounted: self.crowd,
        }
    }

    /// The addresses that sent and received most.
    pub(super) fn talkers(&self) -> Vec<Talker> {
        let mut talkers: HashMap<IpAddr, Talker> = HashMap::new();
        for flow in &self.flows {
            for (side, (address, _)) in [flow.key.lower, flow.key.upper].into_iter().enumerate() {
                let new = || Talker { address, sent: Volume::default(), received: Volume::default() };
                let talker = talkers.entry(address).or_insert_with(new);
                talker.sent.join(flow.volumes[side]);
                talker.received.join(flow.volumes[1 - side]);
            }
        }
        let mut talkers: Vec<Talker> = talkers.into_values().collect();
        let octets = |talker: &Talker| talker.sent.bytes + talker.received.bytes;
        talkers.sort_by_key(|talker| std::cmp::Reverse((octets(talker), talker.address)));
        talkers.truncate(TOP);
        talkers
    }
}

impl Flow {
    fn told(&self) -> Conversation {
        let ends = [self.key.lower, self.key.upper];
        let (source, destination) = (ends[self.first_side], ends[1 - self.first_side]);
        let has_ports = matches!(self.key.protocol, 6 | 17 | 132);
        let port = |(_, port): (IpAddr, u16)| has_ports.then_some(port);
        Conversation {
            protocol: protocol(self.key.protocol),
            source: source.0,
            source_port: port(source),
            destination: destination.0,
            destination_port: port(destination),
            sent: self.volumes[self.first_side],
            received: self.volumes[1 - self.first_side],
            lasted: Duration::from_nanos(self.ended.saturating_sub(self.began)),
            handshake: self.rtt,
            retransmits: self.connection.is_some().then_some(self.retransmits),
        }
    }
}

impl Tcp {
    fn count(&mut self, segment: &Segment) {
        self.segments += 1;
        self.data_segments += u64::from(segment.payload > 0 || segment.has(Segment::SYN | Segment::FIN));
        self.resets += u64::from(segment.has(Segment::RST));
    }
}

/// The body of the fuzz target: no segments between two hosts, however their numbers and times jump, make a panic, or
/// sums that do not add up. 12 octets are one segment.
pub fn fuzz_tally(octets: &[u8]) {
    let mut tally = Tally::default();
    let ends = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
    for chunk in octets.as_chunks::<12>().0 {
        let [kind, flags, s0, s1, a0, a1, w0, w1, p0, p1, t0, t1] = *chunk;
        let side = usize::from(kind & 1);
        let near = |high: u8, low: u8| u32::from(u16::from_be_bytes([high, low])).wrapping_sub(1 << 15);
        let segment = Segment {
            source: [40_000, 80][side],
            destination: [80, 40_000][side],
            sequence: near(s0, s1),
            acknowledgement: near(a0, a1),
            flags,
            window: u16::from_be_bytes([w0, w1]),
            payload: u32::from(u16::from_be_bytes([p0, p1])) << (kind >> 3),
        };
        let stamp = (kind & 2 == 0).then(|| u64::from(u16::from_be_bytes([t0, t1])) << (kind >> 2));
        let packet = Packet { stamp, link: Link::Raw, wire_length: segment.payload, data: chunk };
        let frame = Frame {
            network: Network::Ipv4,
            ends: Some((ends[side], ends[1 - side])),
            protocol: Some(6),
            transport: Transport::Tcp(segment),
            network_at: 0,
            transport_at: 20,
            payload_at: 40,
        };
        tally.push_frame(&packet, &frame);
    }
    let (tcp, talks, count) = (tally.tcp(), tally.conversations(), tally.total.packets);
    assert!(tcp.retransmits <= tcp.data_segments && tcp.data_segments <= count, "{tcp:?}");
    assert!(tcp.retransmit_ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio)), "{tcp:?}");
    assert!(tcp.duplicate_acks + tcp.gaps <= 2 * count && tcp.connections <= count, "{tcp:?}");
    let most = tally.last.unwrap_or(0);
    for talk in &talks.top {
        assert_eq!(talk.sent.packets + talk.received.packets, count, "{talk:?}");
        let times = [Some(talk.lasted), talk.handshake].into_iter().flatten();
        assert!(times.max() <= Some(Duration::from_nanos(most)), "{talk:?} in {most} ns");
    }
    let sent: u64 = tally.talkers().iter().map(|talker| talker.sent.packets).sum();
    assert_eq!(sent, count);
}

/// The name of a protocol over IP (IANA's list of numbers).
fn protocol(number: u8) -> String {
    let name = match number {
        1 => "icmp",
        2 => "igmp",
        4 => "ipip",
        6 => "tcp",
        17 => "udp",
        41 => "ipv6-in-ip",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmp6",
        89 => "ospf",
        112 => "vrrp",
        132 => "sctp",
        _ => return format!("ip-proto-{number}"),
    };
    name.to_owned()
}

/// The name of an ethertype.
fn ethertype(kind: u16) -> String {
    let name = match kind {
        0 => "unknown",
        1..=0x5ff => "802.3",
        0x8847 | 0x8848 => "mpls",
        0x8863 | 0x8864 => "pppoe",
        0x888e => "eapol",
        0x88cc => "lldp",
        0x88f7 => "ptp",
        _ => return format!("ethertype-{kind:04x}"),
    };
    name.to_owned()
}
