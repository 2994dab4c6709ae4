//! How a probe is written so that its flow stays one flow, and how it is known again from a reply or from a quote.
//!
//! What load balancers hash must not vary between the probes of a flow: addresses, protocol, ports, and over ICMP the type,
//! code, identifier and checksum (Augustin et al., IMC 2006: "Paris"). The number of a probe is therefore in the sequence
//! number and the payload, two octets of which keep the checksum of an echo constant; that of UDP says the number, for who
//! captures: what the error queue quotes begins behind it.

use std::net::{IpAddr, SocketAddr};

use crate::net::engine::Draft;
use crate::wire::icmp::{Echo, Version};
use crate::wire::quic::Greeting;
use crate::wire::tcp;

use super::Strategy;

/// Octets of payload that a probe needs: the balance, the flow, the number, the cookie.
pub(super) const LEAST: usize = 12;
/// Octets of a probe that looks like the first packet of a QUIC connection (RFC 9000 §14.1).
pub(super) const QUIC: usize = 1200;
/// Where the source connection ID begins in a long header whose destination's has eight octets (RFC 9000 §17.2).
const SOURCE_ID: usize = 15;
/// The first destination port of the classic strategy, as traceroute's.
pub(super) const FIRST_PORT: u16 = 33_434;

/// What a flow's probes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// ICMP echo requests.
    Echo,
    /// UDP to a port where nobody listens.
    Udp,
    /// UDP that a QUIC server answers.
    Quic,
    /// TCP SYN.
    Tcp,
}

/// One flow: probes that every load balancer sends the same way.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) kind: Kind,
    /// The driver's socket that carries it.
    pub(super) socket: usize,
    /// Where it leaves this host; of UDP and TCP, with its port.
    pub(super) from: Option<SocketAddr>,
    /// Where it goes.
    pub(super) to: SocketAddr,
    /// The socket is connected.
    pub(super) connected: bool,
    /// The one's complement sum that the sequence number and the payload of an echo add up to.
    pub(super) key: u16,
}

/// The flows of a run.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    pub(super) flows: Vec<Flow>,
    /// A number that only we know: what does not bear it is not ours.
    pub(super) cookie: u32,
    /// Octets of payload.
    pub(super) payload: usize,
    pub(super) strategy: Strategy,
    /// What the rest of the payload is filled with.
    pub(super) fill: u8,
}

/// What a quote or a reply says of the probe it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Its number.
    Number(u32),
    /// The low bits of its number.
    Low(u16),
    /// Nothing: the router quotes too little.
    Nothing,
}

impl Carrier {
    /// Writes probe `number` of `flow`.
    pub(super) fn write(&self, flow: usize, number: u32, ttl: u8, out: &mut Draft) {
        let of = &self.flows[flow];
        out.socket = of.socket;
        out.ttl = Some(ttl);
        out.to = (!of.connected).then_some(of.to);
        match of.kind {
            Kind::Echo => self.write_echo(of, flow, number, &mut out.bytes),
            Kind::Udp => self.write_udp(of, flow, number, out),
            Kind::Quic => self.write_quic(flow, number, &mut out.bytes),
            Kind::Tcp => self.write_syn(of, number, &mut out.bytes),
        }
    }

    fn write_syn(&self, of: &Flow, number: u32, out: &mut Vec<u8>) {
        let ends = match (of.from.map(|from| from.ip()), of.to.ip()) {
            (Some(IpAddr::V4(from)), IpAddr::V4(to)) => Some((from, to)),
            _ => None,
        };
        let port = of.from.map_or(0, |from| from.port());
        out.extend(tcp::syn(port, of.to.port(), self.cookie.wrapping_add(number), ends));
    }

    fn write_echo(&self, of: &Flow, flow: usize, number: u32, out: &mut Vec<u8>) {
        let mut payload = self.numbered(flow, number);
        if self.strategy == Strategy::Paris {
            let rest = sum(number & 0xffff, &payload);
            let balance = complement_sub(of.key, rest);
            payload[..2].copy_from_slice(&balance.to_be_bytes());
        }
        let version = Version::of(of.to.is_ipv6());
        let id = of.from.map_or(0, |from| from.port());
        Echo { is_reply: false, id, seq: number as u16, payload: &payload }.write(version, out);
    }

    fn write_udp(&self, of: &Flow, flow: usize, number: u32, out: &mut Draft) {
        out.bytes = self.numbered(flow, number);
        match self.strategy {
            Strategy::Classic => {
                let port = FIRST_PORT + (number % u32::from(u16::MAX - FIRST_PORT)) as u16;
                out.to = Some(SocketAddr::new(of.to.ip(), port));
            }
            Strategy::Paris => {
                if let Some(from) = of.from {
                    let rest = sum(pseudo(from, of.to, out.bytes.len()), &out.bytes);
                    // The checksum is the complement of the sum over all.
                    let balance = complement_sub(!checksum_of(number), rest);
                    out.bytes[..2].copy_from_slice(&balance.to_be_bytes());
                }
            }
        }
    }

    fn write_quic(&self, flow: usize, number: u32, out: &mut Vec<u8>) {
        let of = |head: u32, tail: u32| {
            let [h, t] = [head, tail].map(u32::to_be_bytes);
            [h[0], h[1], h[2], h[3], t[0], t[1], t[2], t[3]]
        };
        let destination = of(self.cookie.rotate_left(16), flow as u32);
        Greeting { destination, source: of(self.cookie, number) }.write(QUIC, out);
    }

    /// The payload of a probe: 0 balance · 2 flow · 4 number · 8 cookie.
    fn numbered(&self, flow: usize, number: u32) -> Vec<u8> {
        let mut payload = vec![self.fill; self.payload.max(LEAST)];
        payload[2..4].copy_from_slice(&(flow as u16).to_be_bytes());
        payload[4..8].copy_from_slice(&number.to_be_bytes());
        payload[8..12].copy_from_slice(&self.cookie.to_be_bytes());
        payload
    }

    /// What a quote, as the error queue gives it, says; `None` if it is not of a probe of ours.
    pub(super) fn quoted(&self, socket: usize, bytes: &[u8]) -> Option<Mark> {
        let of = self.flows.iter().find(|flow| flow.socket == socket)?;
        match of.kind {
            Kind::Echo => {
                let echo = Echo::parse(Version::of(of.to.is_ipv6()), bytes).filter(|echo| !echo.is_reply)?;
                self.echoed(&echo)
            }
            Kind::Udp => match bytes {
                [] => Some(Mark::Nothing),
                _ if bytes.len() < LEAST => Some(Mark::Nothing),
                _ => self.number_in(bytes),
            },
            Kind::Quic => match bytes.get(SOURCE_ID..SOURCE_ID + 8) {
                None => Some(Mark::Nothing),
                Some(id) => self.connection(id),
            },
            Kind::Tcp => {
                let (source, destination, seq) = tcp::quoted(bytes)?;
                let ours = of.from.is_none_or(|from| from.port() == source) && destination == of.to.port();
                ours.then(|| Mark::Number(seq.wrapping_sub(self.cookie)))
            }
        }
    }

    /// What a reply of the target says; `None` if it is none to a probe of ours.
    pub(super) fn replied(&self, socket: usize, bytes: &[u8]) -> Option<Mark> {
        let of = self.flows.iter().find(|flow| flow.socket == socket)?;
        match of.kind {
            Kind::Echo => {
                let echo = Echo::parse(Version::of(of.to.is_ipv6()), bytes).filter(|echo| echo.is_reply)?;
                if echo.payload.len() < LEAST { None } else { self.echoed(&echo) }
            }
            Kind::Udp => self.number_in(bytes),
            // Version negotiation (RFC 9000 §17.2.1) returns our connection ID as its destination's.
            Kind::Quic => (bytes.first()? >> 7 == 1 && bytes.get(1..6)? == [0, 0, 0, 0, 8])
                .then(|| self.connection(bytes.get(6..14)?))?,
            Kind::Tcp => {
                let header = tcp::Segment::parse(bytes)?;
                let to_us = of.from.is_none_or(|from| from.port() == header.destination);
                let ours = to_us && header.source == of.to.port();
                let answers = header.is_rst || header.is_syn;
                (ours && answers && header.is_ack)
                    .then(|| Mark::Number(header.ack.wrapping_sub(1).wrapping_sub(self.cookie)))
            }
        }
    }

    /// An echo whose payload is too short to tell is known by its sequence number.
    fn echoed(&self, echo: &Echo<'_>) -> Option<Mark> {
        if echo.payload.len() < LEAST {
            return Some(Mark::Low(echo.seq));
        }
        self.number_in(echo.payload).filter(|mark| matches!(mark, Mark::Number(n) if *n as u16 == echo.seq))
    }

    fn number_in(&self, payload: &[u8]) -> Option<Mark> {
        let (number, cookie) = (payload.get(4..8)?, payload.get(8..12)?);
        (cookie == self.cookie.to_be_bytes()).then(|| Mark::Number(word(number)))
    }

    fn connection(&self, id: &[u8]) -> Option<Mark> {
        (id.get(..4)? == self.cookie.to_be_bytes()).then(|| Mark::Number(word(&id[4..])))
    }
}

/// The checksum that says `number` (RFC 768: 0 means that there is none).
const fn checksum_of(number: u32) -> u16 {
    1 + (number % 65_534) as u16
}

fn word(octets: &[u8]) -> u32 {
    octets.iter().take(4).fold(0, |word, octet| word << 8 | u32::from(*octet))
}

/// The sum of a UDP header and what comes before it, without the checksum (RFC 768, RFC 8200 §8.1).
fn pseudo(from: SocketAddr, to: SocketAddr, payload: usize) -> u32 {
    let length = payload as u32 + 8;
    let of = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u32::from(sum(0, &ip.octets())),
        IpAddr::V6(ip) => u32::from(sum(0, &ip.octets())),
    };
    of(from.ip()) + of(to.ip()) + 17 + 2 * length + u32::from(from.port()) + u32::from(to.port())
}

/// The one's complement sum (RFC 1071) of `start` and `bytes`.
fn sum(start: u32, bytes: &[u8]) -> u16 {
    let pairs =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low)));
    let mut sum = pairs.fold(u64::from(start), |sum, pair| sum + u64::from(pair));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// What must be added to `part` to give `whole`, in one's complement.
const fn complement_sub(whole: u16, part: u16) -> u16 {
    let sum = whole as u32 + !part as u32;
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use pnet::packet::icmp::{IcmpPacket, checksum as icmp_checksum};
    use pnet::packet::udp::{MutableUdpPacket, UdpPacket, ipv4_checksum, ipv6_checksum};
    use proptest::prelude::*;

    fn carrier(kind: Kind, v6: bool) -> Carrier {
        let (from, to) = match v6 {
            false => ("192.0.2.7:4711", "198.51.100.9:33434"),
            true => ("[2001:db8::7]:4711", "[2001:db8:1::9]:33434"),
        };
        let flow = |key| Flow {
            kind,
            socket: 0,
            from: from.parse().ok(),
            to: to.parse().expect("an address"),
            connected: true,
            key,
        };
        let flows = vec![flow(0x1234), flow(0x1235)];
        Carrier { flows, cookie: 0xdead_beef, payload: 36, strategy: super::super::Strategy::Paris, fill: 0 }
    }

    fn written(carrier: &Carrier, flow: usize, number: u32) -> Vec<u8> {
        let mut out = Draft::default();
        carrier.write(flow, number, 3, &mut out);
        out.bytes
    }

    proptest! {
        #[test]
        fn the_checksum_of_an_echo_flow_is_constant(numbers in prop::collection::vec(any::<u32>(), 2..20)) {
            let carrier = carrier(Kind::Echo, false);
            let of = |flow, number| {
                let bytes = written(&carrier, flow, number);
                icmp_checksum(&IcmpPacket::new(&bytes).expect("a message"))
            };
            let first = of(0, 0);
            for &number in &numbers {
                prop_assert_eq!(of(0, number), first);
                prop_assert_ne!(of(1, number), first, "another flow");
            }
        }

        #[test]
        fn the_checksum_of_udp_says_the_number(number: u32, v6: bool) {
            let carrier = carrier(Kind::Udp, v6);
            let payload = written(&carrier, 0, number);
            let mut packet = vec![0; 8 + payload.len()];
            let length = packet.len() as u16;
            let flow = &carrier.flows[0];
            {
                let mut udp = MutableUdpPacket::new(&mut packet).expect("a header");
                udp.set_source(flow.from.expect("a port").port());
                udp.set_destination(flow.to.port());
                udp.set_length(length);
                udp.set_payload(&payload);
            }
            let udp = UdpPacket::new(&packet).expect("a header");
            let sum = match (flow.from.expect("an address").ip(), flow.to.ip()) {
                (IpAddr::V4(from), IpAddr::V4(to)) => ipv4_checksum(&udp, &from, &to),
                (IpAddr::V6(from), IpAddr::V6(to)) => ipv6_checksum(&udp, &from, &to),
                _ => unreachable!("one family"),
            };
            prop_assert_eq!(sum, checksum_of(number));
        }

        #[test]
        fn what_is_quoted_is_known_again(number: u32, v6: bool) {
            for kind in [Kind::Echo, Kind::Udp, Kind::Quic, Kind::Tcp] {
                let carrier = carrier(kind, v6);
                let bytes = written(&carrier, 1, number);
                prop_assert_eq!(carrier.quoted(0, &bytes), Some(Mark::Number(number)));
                let other = Carrier { cookie: 1, ..carrier };
                prop_assert_ne!(other.quoted(0, &bytes), Some(Mark::Number(number)));
            }
            let carrier = carrier(Kind::Echo, v6);
            prop_assert_eq!(carrier.quoted(0, &written(&carrier, 0, number)[..8]), Some(Mark::Low(number as u16)));
        }

        #[test]
        fn no_octets_panic(bytes: Vec<u8>, v6: bool) {
            for kind in [Kind::Echo, Kind::Udp, Kind::Quic, Kind::Tcp] {
                let carrier = carrier(kind, v6);
                let _ = (carrier.quoted(0, &bytes), carrier.replied(0, &bytes), carrier.quoted(9, &bytes));
            }
        }
    }
}
