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

use super::sums::{checksum_of, complement_sub, pseudo, sum, word};
use super::{Strategy, dublin};

/// Octets of payload that a probe needs: the balance, the flow, the number, the cookie.
pub(super) const LEAST: usize = 12;
/// Octets of a probe that looks like the first packet of a QUIC connection (RFC 9000 §14.1).
pub(super) const QUIC: usize = 1200;
/// Where the source connection ID begins in a long header whose destination's has eight octets (RFC 9000 §17.2).
const SOURCE_ID: usize = 15;
/// The first destination port of the classic strategy, as traceroute's.
pub(super) const FIRST_PORT: u16 = 33_434;
/// How many ports follow, the first included.
pub(super) const PORTS: u32 = (u16::MAX - FIRST_PORT) as u32;

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

impl Kind {
    /// Its word.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "icmp",
            Self::Udp => "udp",
            Self::Quic => "quic",
            Self::Tcp => "tcp",
        }
    }
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
    /// An echo whose checksum is written the other way that means nothing ([`NOTHING`]): it tells of translators.
    pub(super) is_witness: bool,
}

/// The second way to write the checksum of what adds up to nothing, beside 0 (RFC 1071 §1): no sender computes it, and
/// whoever changes a header and updates or renews the checksum (RFC 1624 §3) leaves 0 there, also where he takes his change
/// back in what is quoted to us (RFC 5508 §4.2).
const NOTHING: u16 = 0xffff;
/// The type and the code of an echo request, as a word of its sum.
const ECHO: u32 = 0x0800;

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
    /// Type of service, where we write the header of IP ourselves.
    pub(super) tos: u8,
}

/// Whom a quote or a reply is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A probe of ours.
    Ours(Mark),
    /// What others have sent, and a raw socket sees too.
    Others,
    /// Nothing that we have sent: it is made up, or broken.
    Nothing,
}

impl Told {
    const fn of(mark: Option<Mark>) -> Self {
        match mark {
            Some(mark) => Self::Ours(mark),
            None => Self::Nothing,
        }
    }
}

/// What a quote or a reply says of the probe it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Its number.
    Number(u32),
    /// What is left of its number when it is divided by `modulo`.
    Residue { residue: u32, modulo: u32 },
    /// Nothing: the router quotes too little.
    Nothing,
}

impl Flow {
    /// The identifier of echo `number`. Each of a witness's has its own: a translator that has let one through knows the
    /// flow, and takes its change back in all that is quoted of it, also of what ended at the translator itself.
    fn id(&self, number: u16) -> u16 {
        let id = self.from.map_or(0, |from| from.port());
        if self.is_witness { id.wrapping_add(number) } else { id }
    }

    /// Whether these are its ports, source and destination.
    fn is_between(&self, source: u16, destination: u16) -> bool {
        self.from.is_none_or(|from| from.port() == source) && destination == self.to.port()
    }
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
            Kind::Udp => self.write_udp(flow, number, ttl, out),
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
        let id = of.id(number as u16);
        let key =
            if of.is_witness { complement_sub(NOTHING, sum(ECHO + u32::from(id), &[])) } else { of.key };
        if of.is_witness || self.strategy != Strategy::Classic {
            let rest = sum(number & 0xffff, &payload);
            let balance = complement_sub(key, rest);
            payload[..2].copy_from_slice(&balance.to_be_bytes());
        }
        let version = Version::of(of.to.is_ipv6());
        Echo { is_reply: false, id, seq: number as u16, payload: &payload }.write(version, out);
        if of.is_witness {
            out[2..4].copy_from_slice(&NOTHING.to_be_bytes());
        }
    }

    fn write_udp(&self, flow: usize, number: u32, ttl: u8, out: &mut Draft) {
        let of = &self.flows[flow];
        let mut payload = self.numbered(flow, number);
        let ends = match self.strategy {
            Strategy::Classic => {
                out.to = Some(SocketAddr::new(of.to.ip(), FIRST_PORT + (number % PORTS) as u16));
                None
            }
            Strategy::Paris => of.from.map(|from| (from, of.to)),
            Strategy::Dublin => {
                payload.resize(dublin::payload(of.to.is_ipv6(), number, payload.len()), 0);
                dublin::ends(of)
            }
        };
        if let Some((from, to)) = ends {
            let rest = sum(pseudo(from, to, payload.len()), &payload);
            // The checksum is the complement of the sum over all.
            let balance = complement_sub(!checksum_of(number), rest);
            payload[..2].copy_from_slice(&balance.to_be_bytes());
        }
        match self.strategy {
            Strategy::Dublin => dublin::write(of, number, ttl, self.tos, &payload, &mut out.bytes),
            _ => out.bytes = payload,
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

    /// Whom a quote is about, as the error queue gives it; `to` is where it says that our probe went.
    pub(super) fn quoted(&self, socket: usize, bytes: &[u8], to: Option<SocketAddr>) -> Told {
        let Some(of) = self.flows.iter().find(|flow| flow.socket == socket) else {
            return Told::Nothing;
        };
        match of.kind {
            Kind::Echo => match Echo::parse(Version::of(of.to.is_ipv6()), bytes) {
                Some(echo) if !echo.is_reply && echo.id != of.id(echo.seq) => Told::Others,
                Some(echo) if !echo.is_reply => Told::of(self.echoed(&echo)),
                _ => Told::Nothing,
            },
            Kind::Udp if self.strategy == Strategy::Dublin => {
                dublin::quoted(of, bytes, |payload| self.number_in(payload))
            }
            Kind::Udp if bytes.len() >= LEAST => Told::of(self.number_in(bytes)),
            Kind::Udp => Told::Ours(match (self.strategy, to) {
                // The port says it.
                (Strategy::Classic, Some(to)) if to.port() >= FIRST_PORT => {
                    Mark::Residue { residue: u32::from(to.port() - FIRST_PORT), modulo: PORTS }
                }
                _ => Mark::Nothing,
            }),
            Kind::Quic => match bytes.get(SOURCE_ID..SOURCE_ID + 8) {
                None => Told::Ours(Mark::Nothing),
                Some(id) => Told::of(self.connection(id)),
            },
            Kind::Tcp => match tcp::quoted(bytes) {
                None => Told::Nothing,
                Some((source, destination, seq)) if of.is_between(source, destination) => {
                    Told::Ours(Mark::Number(seq.wrapping_sub(self.cookie)))
                }
                Some(_) => Told::Others,
            },
        }
    }

    /// Whom a reply of the target is about.
    pub(super) fn replied(&self, socket: usize, bytes: &[u8]) -> Told {
        let Some(of) = self.flows.iter().find(|flow| flow.socket == socket) else {
            return Told::Nothing;
        };
        match of.kind {
            Kind::Echo => {
                let echo = Echo::parse(Version::of(of.to.is_ipv6()), bytes).filter(|echo| echo.is_reply);
                let whole = echo.filter(|echo| echo.payload.len() >= LEAST);
                Told::of(whole.and_then(|echo| self.echoed(&echo)))
            }
            Kind::Udp if self.strategy == Strategy::Dublin => match dublin::reply(of, bytes) {
                Ok(payload) => Told::of(self.number_in(payload)),
                Err(other) => other,
            },
            Kind::Udp => Told::of(self.number_in(bytes)),
            // Version negotiation (RFC 9000 §17.2.1) returns our connection ID as its destination's.
            Kind::Quic => {
                let negotiates = bytes.first().is_some_and(|first| first >> 7 == 1)
                    && bytes.get(1..6) == Some(&[0, 0, 0, 0, 8]);
                Told::of(bytes.get(6..14).filter(|_| negotiates).and_then(|id| self.connection(id)))
            }
            // A raw socket hears all that the target's TCP says, and on this host what ours does.
            Kind::Tcp => match tcp::Segment::parse(bytes) {
                None => Told::Nothing,
                Some(header) if !of.is_between(header.destination, header.source) => Told::Others,
                Some(header) => {
                    let answers = header.is_ack && (header.is_rst || header.is_syn);
                    let number = header.ack.wrapping_sub(1).wrapping_sub(self.cookie);
                    Told::of(answers.then_some(Mark::Number(number)))
                }
            },
        }
    }

    /// Whether what is quoted of a probe was translated before (NAT, RFC 3022): it is not what was sent. `None` where that
    /// cannot be seen, because translators take back their change in what they let through to us. Only a witness says no.
    pub(super) fn is_translated(
        &self,
        flow: usize,
        number: u32,
        quoted: &[u8],
        to: Option<SocketAddr>,
    ) -> Option<bool> {
        let of = &self.flows[flow];
        match of.kind {
            Kind::Echo if of.to.is_ipv4() => {
                let mut sent = Vec::new();
                self.write_echo(of, flow, number, &mut sent);
                let differs = quoted.get(2..4)? != &sent[2..4];
                (differs || of.is_witness).then_some(differs)
            }
            Kind::Udp if self.strategy == Strategy::Dublin => dublin::is_translated(of, number, quoted),
            Kind::Udp | Kind::Quic => {
                let (is, was) = (to?, of.to);
                let same_port = self.strategy == Strategy::Classic || is.port() == was.port();
                (is.ip() != was.ip() || !same_port).then_some(true)
            }
            // What IPv6's checksum is only the system knows; of TCP too little is quoted.
            Kind::Echo | Kind::Tcp => None,
        }
    }

    /// An echo whose payload is too short to tell is known by its sequence number.
    fn echoed(&self, echo: &Echo<'_>) -> Option<Mark> {
        if echo.payload.len() < LEAST {
            return Some(Mark::Residue { residue: echo.seq.into(), modulo: 1 << 16 });
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

#[cfg(test)]
mod tests {
    use super::*;
    use pnet::packet::icmp::{IcmpPacket, checksum as icmp_checksum};
    use pnet::packet::udp::{MutableUdpPacket, UdpPacket, ipv4_checksum, ipv6_checksum};
    use proptest::prelude::{any, prop, prop_assert_eq, prop_assert_ne, proptest};

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
            is_witness: false,
        };
        let flows = vec![flow(0x1234), flow(0x1235)];
        Carrier { flows, cookie: 0xdead_beef, payload: 36, strategy: Strategy::Paris, fill: 0, tos: 0 }
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
        fn a_witness_is_valid_and_its_checksum_is_written_the_other_way(number: u32, port: u16) {
            let mut carrier = carrier(Kind::Echo, false);
            let flow = &mut carrier.flows[1];
            (flow.is_witness, flow.socket) = (true, 1);
            flow.from = flow.from.map(|from| SocketAddr::new(from.ip(), port));
            let mut bytes = written(&carrier, 1, number);
            prop_assert_eq!(&bytes[2..4], &[0xff, 0xff]);
            prop_assert_eq!(sum(0, &bytes), 0xffff, "all that a receiver looks at");
            prop_assert_eq!(carrier.quoted(1, &bytes, None), Told::Ours(Mark::Number(number)));
            prop_assert_ne!(&bytes[4..6], &written(&carrier, 1, number ^ 1)[4..6], "each is a flow of its own");
            prop_assert_eq!(carrier.is_translated(1, number, &bytes, None), Some(false));
            bytes[2..4].fill(0);
            prop_assert_eq!(sum(0, &bytes), 0xffff, "what a translator leaves is as right");
            prop_assert_eq!(carrier.is_translated(1, number, &bytes, None), Some(true));
        }

        #[test]
        fn dublin_is_known_again_by_little(number in 0u32..1_000_000, v6: bool) {
            let carrier = Carrier { strategy: Strategy::Dublin, ..carrier(Kind::Udp, v6) };
            let mut bytes = written(&carrier, 1, number);
            prop_assert_eq!(carrier.quoted(0, &bytes, None), Told::Ours(Mark::Number(number)));
            let ports = if v6 { 0 } else { 20 };
            let short = bytes[..ports + 8].to_vec();
            let Told::Ours(Mark::Residue { residue, modulo }) = carrier.quoted(0, &short, None) else {
                return Err(proptest::test_runner::TestCaseError::fail("the header says it"));
            };
            prop_assert_eq!(number % modulo, residue);
            prop_assert_eq!(carrier.is_translated(1, number, &short, None), None);
            if !v6 {
                let mut turned = short.clone();
                turned.swap(4, 5);
                prop_assert_eq!(carrier.quoted(0, &turned, None), carrier.quoted(0, &short, None));
                bytes.swap(4, 5);
                prop_assert_eq!(carrier.is_translated(1, number, &bytes, None), None, "turned round by the router");
                bytes[26] ^= 1;
                prop_assert_eq!(carrier.is_translated(1, number, &bytes, None), Some(true), "its checksum");
            }
            let mut foreign = short;
            foreign[ports + 1] ^= 1;
            prop_assert_eq!(carrier.quoted(0, &foreign, None), Told::Others);
        }

        #[test]
        fn what_is_quoted_is_known_again(number: u32, v6: bool) {
            for kind in [Kind::Echo, Kind::Udp, Kind::Quic, Kind::Tcp] {
                let carrier = carrier(kind, v6);
                let bytes = written(&carrier, 1, number);
                prop_assert_eq!(carrier.quoted(0, &bytes, None), Told::Ours(Mark::Number(number)));
                let other = Carrier { cookie: 1, ..carrier };
                prop_assert_ne!(other.quoted(0, &bytes, None), Told::Ours(Mark::Number(number)));
            }
            let carrier = carrier(Kind::Echo, v6);
            let short = &written(&carrier, 0, number)[..8];
            prop_assert_eq!(carrier.quoted(0, short, None), Told::Ours(Mark::Residue { residue: number & 0xffff, modulo: 1 << 16 }));
        }
    }
}
