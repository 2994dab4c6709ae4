//! A captured frame down to its ports: link, VLAN tags, IPv4 or IPv6 with its extensions, TCP, UDP, SCTP and ICMP.
//!
//! The headers are read by pnet's views. A frame may be cut anywhere (snaplen) and is hostile; what is not there is not
//! told. Nothing is decrypted, reassembled or looked at beyond the transport's header.

use std::net::IpAddr;

use pnet::packet::arp::ArpPacket;
use pnet::packet::icmp::IcmpPacket;
use pnet::packet::ip::IpNextHeaderProtocols as Protocols;
use pnet::packet::ipv4::Ipv4Packet;
use pnet::packet::ipv6::{FragmentPacket, Ipv6Packet};
use pnet::packet::tcp::TcpPacket;
use pnet::packet::udp::UdpPacket;

use super::bytes::{u8_at, u16_at, u32_at};
use super::pcap::Link;

/// The longest chain of IPv6 extension headers that is followed.
const MOST_EXTENSIONS: usize = 8;
/// The most VLAN tags.
const MOST_TAGS: usize = 4;
/// The IPv6 header without extensions.
const IPV6: usize = 40;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The network protocol.
    pub network: Network,
    /// Source and destination, or ARP's sender and target.
    pub ends: Option<(IpAddr, IpAddr)>,
    /// The number of the protocol over IP.
    pub protocol: Option<u8>,
    /// What that protocol's header says.
    pub transport: Transport,
    /// Where the network header begins.
    pub network_at: usize,
    /// Where the transport's header begins; the end of what was understood where there is none.
    pub transport_at: usize,
    /// Where the payload behind the last header that was understood begins.
    pub payload_at: usize,
}

/// The network protocol of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// ARP, or its reverse.
    Arp,
    /// Another ethertype; below 1,536 the length of an 802.3 frame.
    Other(u16),
}

/// The header behind the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp(Segment),
    /// UDP or SCTP: source and destination port.
    Ports(u16, u16),
    /// ICMP or ICMPv6: type and code.
    Icmp(u8, u8),
    /// A fragment that is not the first.
    Fragment,
    /// Another protocol, or a header that was cut.
    Opaque,
}

/// A TCP segment (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// Flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
    pub flags: u8,
    /// The window as it stands there, without its scale.
    pub window: u16,
    /// Octets of payload on the wire, whether or not they were kept.
    pub payload: u32,
}

impl Segment {
    /// FIN.
    pub const FIN: u8 = 1;
    /// SYN.
    pub const SYN: u8 = 2;
    /// RST.
    pub const RST: u8 = 4;
    /// ACK.
    pub const ACK: u8 = 16;

    /// Whether one of `flags` is set.
    pub const fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }
}

/// What `bytes`, a frame of `link` that had `wire_length` octets, carries.
pub fn dissect(link: Link, bytes: &[u8], wire_length: u32) -> Frame {
    let (ethertype, at) = network(link, bytes);
    let rest = bytes.get(at..).unwrap_or_default();
    let wire = (wire_length as usize).saturating_sub(at);
    let mut frame = Frame {
        network: Network::Other(ethertype),
        ends: None,
        protocol: None,
        transport: Transport::Opaque,
        network_at: at.min(bytes.len()),
        transport_at: at.min(bytes.len()),
        payload_at: at.min(bytes.len()),
    };
    match ethertype {
        0x0800 => frame.ipv4(rest, at, wire),
        0x86dd => frame.ipv6(rest, at, wire),
        0x0806 | 0x8035 => frame.arp(rest, at),
        _ => {}
    }
    frame
}

/// The ethertype of what `bytes` carries, and where that begins.
fn network(link: Link, bytes: &[u8]) -> (u16, usize) {
    let by_family = |family: u32| match family {
        2 => 0x0800,
        10 | 24 | 28 | 30 => 0x86dd,
        _ => 0,
    };
    match link {
        Link::Ethernet => untag(bytes, u16_at(bytes, 12), 14),
        Link::Sll => untag(bytes, u16_at(bytes, 14), 16),
        Link::Sll2 => untag(bytes, u16_at(bytes, 0), 20),
        Link::Raw => match u8_at(bytes, 0) >> 4 {
            4 => (0x0800, 0),
            6 => (0x86dd, 0),
            _ => (0, 0),
        },
        Link::Null | Link::Loop => {
            let family = u32_at(bytes, 0);
            // Small in one byte order, large in the other: whoever wrote it had either.
            (by_family(if family > 0xffff { family.swap_bytes() } else { family }), 4)
        }
    }
}

fn untag(bytes: &[u8], mut ethertype: u16, mut at: usize) -> (u16, usize) {
    for _ in 0..MOST_TAGS {
        if !matches!(ethertype, 0x8100 | 0x88a8 | 0x9100) || bytes.len() < at + 4 {
            break;
        }
        ethertype = u16_at(bytes, at + 2);
        at += 4;
    }
    (ethertype, at)
}

impl Frame {
    fn arp(&mut self, bytes: &[u8], at: usize) {
        self.network = Network::Arp;
        let Some(arp) = ArpPacket::new(bytes) else {
            return;
        };
        if arp.get_protocol_type().0 == 0x0800 && arp.get_hw_addr_len() == 6 && arp.get_proto_addr_len() == 4
        {
            self.ends = Some((arp.get_sender_proto_addr().into(), arp.get_target_proto_addr().into()));
            self.payload_at = at + 28;
            self.transport_at = self.payload_at;
        }
    }

    fn ipv4(&mut self, bytes: &[u8], at: usize, wire: usize) {
        self.network = Network::Ipv4;
        let Some(packet) = Ipv4Packet::new(bytes) else {
            return;
        };
        let header = usize::from(packet.get_header_length()) * 4;
        if packet.get_version() != 4 || header < 20 {
            return;
        }
        let protocol = packet.get_next_level_protocol();
        self.ends = Some((packet.get_source().into(), packet.get_destination().into()));
        // A segment that the card shall cut up has no length yet.
        let total = match usize::from(packet.get_total_length()) {
            0 => wire,
            total => total,
        };
        let rest = bytes.get(header..).unwrap_or_default();
        if packet.get_fragment_offset() != 0 {
            self.opaque(protocol.0, at + header, Transport::Fragment);
        } else {
            self.transport(protocol.0, rest, at + header, total.saturating_sub(header));
        }
    }

    fn ipv6(&mut self, bytes: &[u8], at: usize, wire: usize) {
        self.network = Network::Ipv6;
        let Some(packet) = Ipv6Packet::new(bytes).filter(|packet| packet.get_version() == 6) else {
            return;
        };
        self.ends = Some((packet.get_source().into(), packet.get_destination().into()));
        let total = match usize::from(packet.get_payload_length()) {
            0 => wire,
            length => IPV6 + length,
        };
        let (mut next, mut header) = (packet.get_next_header(), IPV6);
        for _ in 0..MOST_EXTENSIONS {
            let rest = bytes.get(header..).unwrap_or_default();
            let length = match next {
                Protocols::Hopopt | Protocols::Ipv6Route | Protocols::Ipv6Opts => {
                    8 * (1 + usize::from(u8_at(rest, 1)))
                }
                Protocols::Ah => 4 * (2 + usize::from(u8_at(rest, 1))),
                Protocols::Ipv6Frag => 8,
                _ => {
                    let left = total.saturating_sub(header);
                    return self.transport(next.0, rest, at + header, left);
                }
            };
            if rest.len() < 8 {
                return self.opaque(next.0, at + header, Transport::Opaque);
            }
            if next == Protocols::Ipv6Frag
                && FragmentPacket::new(rest).is_some_and(|fragment| fragment.get_fragment_offset() != 0)
            {
                return self.opaque(u8_at(rest, 0), at + header + length, Transport::Fragment);
            }
            next = pnet::packet::ip::IpNextHeaderProtocol(u8_at(rest, 0));
            header += length;
        }
        self.opaque(next.0, at + header, Transport::Opaque);
    }

    fn opaque(&mut self, protocol: u8, at: usize, transport: Transport) {
        (self.protocol, self.transport) = (Some(protocol), transport);
        (self.transport_at, self.payload_at) = (at, at);
    }

    /// The header of `protocol`, which begins at `at`; `length` octets of it and its payload were on the wire.
    fn transport(&mut self, protocol: u8, bytes: &[u8], at: usize, length: usize) {
        self.opaque(protocol, at, Transport::Opaque);
        match pnet::packet::ip::IpNextHeaderProtocol(protocol) {
            Protocols::Tcp => {
                let Some(tcp) = TcpPacket::new(bytes) else { return };
                let header = usize::from(tcp.get_data_offset()) * 4;
                self.payload_at = at + header.max(20);
                self.transport = Transport::Tcp(Segment {
                    source: tcp.get_source(),
                    destination: tcp.get_destination(),
                    sequence: tcp.get_sequence(),
                    acknowledgement: tcp.get_acknowledgement(),
                    flags: tcp.get_flags(),
                    window: tcp.get_window(),
                    payload: length.saturating_sub(header.max(20)) as u32,
                });
            }
            Protocols::Udp => {
                let Some(udp) = UdpPacket::new(bytes) else { return };
                self.payload_at = at + 8;
                self.transport = Transport::Ports(udp.get_source(), udp.get_destination());
            }
            Protocols::Sctp if bytes.len() >= 12 => {
                self.payload_at = at + 12;
                self.transport = Transport::Ports(u16_at(bytes, 0), u16_at(bytes, 2));
            }
            Protocols::Icmp | Protocols::Icmpv6 => {
                let Some(icmp) = IcmpPacket::new(bytes) else { return };
                // The second half of the header depends on the type, and has identifiers only, or an MTU.
                self.payload_at = at + 8;
                self.transport = Transport::Icmp(icmp.get_icmp_type().0, icmp.get_icmp_code().0);
            }
            _ => {}
        }
    }
}

/// The body of the fuzz target: no octets make the dissection panic, and what it tells lies in order.
pub fn fuzz_frame(octets: &[u8]) {
    for link in Link::ALL {
        let frame = dissect(link, octets, octets.len() as u32);
        assert!(
            frame.network_at <= frame.transport_at && frame.transport_at <= frame.payload_at,
            "{frame:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    /// SYN from 10.0.0.1:40000 to 10.0.0.2:80 with MSS, as Linux sends it over Ethernet.
    const SYN: &str = "020000000002 020000000001 0800 4500002c000140004006 26c9 0a000001 0a000002 \
                       9c40 0050 00000001 00000000 6002 fa00 1234 0000 020405b4";

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let value = |digit: u8| (digit as char).to_digit(16).expect("a digit") as u8;
        digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
    }

    fn segment(frame: &Frame) -> Segment {
        match frame.transport {
            Transport::Tcp(segment) => segment,
            other => panic!("no TCP but {other:?}"),
        }
    }

    #[test]
    fn a_segment_is_read_to_its_flags_on_every_link() {
        let ethernet = octets(SYN);
        let ip = &ethernet[14..];
        let tagged = [&ethernet[..12], &[0x81, 0, 0, 5, 0x88, 0xa8, 0, 6], &ethernet[12..]].concat();
        let sll = [&[0u8; 14][..], &[8, 0], ip].concat();
        let sll2 = [&[8, 0][..], &[0; 18], ip].concat();
        for (link, frame, at) in [
            (Link::Ethernet, ethernet.clone(), 14),
            (Link::Ethernet, tagged, 22),
            (Link::Raw, ip.to_vec(), 0),
            (Link::Null, [&[2, 0, 0, 0], ip].concat(), 4),
            (Link::Loop, [&[0, 0, 0, 2], ip].concat(), 4),
            (Link::Sll, sll, 16),
            (Link::Sll2, sll2, 20),
        ] {
            let found = dissect(link, &frame, frame.len() as u32);
            assert_eq!(found.network_at, at, "{link:?}");
            assert_eq!(found.ends, Some(([10, 0, 0, 1].into(), [10, 0, 0, 2].into())));
            let segment = segment(&found);
            assert_eq!((segment.source, segment.destination, segment.payload), (40000, 80, 0));
            assert!(segment.has(Segment::SYN) && !segment.has(Segment::ACK));
            assert_eq!(found.payload_at, at + 44);
        }
    }

    #[test]
    fn what_was_cut_is_not_told_and_lengths_are_those_of_the_wire() {
        let mut whole = octets(SYN);
        whole[16..18].copy_from_slice(&1500u16.to_be_bytes());
        let found = dissect(Link::Ethernet, &whole, 1514);
        assert_eq!(segment(&found).payload, 1500 - 44);
        // A segment that the card shall cut up.
        whole[16..18].copy_from_slice(&[0, 0]);
        assert_eq!(segment(&dissect(Link::Ethernet, &whole, 20_014)).payload, 20_000 - 44);
        for length in 0..whole.len() {
            let cut = dissect(Link::Ethernet, &whole[..length], 1514);
            assert_eq!(cut.ends.is_some(), length >= 34, "{length}");
            assert_eq!(matches!(cut.transport, Transport::Tcp(_)), length >= 54, "{length}");
        }
    }

    #[test]
    fn fragments_and_extensions_are_passed() {
        let mut part = octets(SYN);
        part[20..22].copy_from_slice(&[0, 100]);
        assert_eq!(dissect(Link::Ethernet, &part, 60).transport, Transport::Fragment);
        let header =
            octets("60000000 0020 00 40 fe800000000000000000000000000001 fe800000000000000000000000000002");
        let hop = octets("3c00 050200000100");
        let destination = octets("1100 010400000000");
        let udp = octets("0035 1f90 0010 0000 0000000000000000");
        let packet = [header, hop, destination, udp].concat();
        let found = dissect(Link::Raw, &packet, packet.len() as u32);
        assert_eq!((found.protocol, found.transport), (Some(17), Transport::Ports(53, 8080)));
        assert_eq!((found.transport_at, found.payload_at), (56, 64));
    }

    #[test]
    fn arp_has_ends() {
        let arp = octets(
            "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002",
        );
        let found = dissect(Link::Ethernet, &arp, 42);
        let ends: (IpAddr, IpAddr) = (Ipv4Addr::new(10, 0, 0, 1).into(), Ipv4Addr::new(10, 0, 0, 2).into());
        assert_eq!((found.network, found.ends, found.payload_at), (Network::Arp, Some(ends), 42));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz_frame(&octets);
        }

        #[test]
        fn no_mangled_segment_panics(at in 0usize..58, value in any::<u8>(), length in 0usize..58) {
            let mut frame = octets(SYN);
            frame[at] = value;
            fuzz_frame(&frame[..length]);
            fuzz_frame(frame[14..].get(..length).unwrap_or_default());
        }
    }
}
