//! TCP segments that probes send and look at themselves (RFC 9293 §3.1): a SYN, and what comes back.

use std::net::Ipv4Addr;

use pnet::packet::tcp::{MutableTcpPacket, TcpFlags, TcpOption, TcpPacket, ipv4_checksum};

/// What a segment's header says, as far as it matters for who only asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Source port.
    pub source: u16,
    /// Destination port.
    pub destination: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number; means something only with `ACK`.
    pub ack: u32,
    /// SYN is set.
    pub is_syn: bool,
    /// RST is set.
    pub is_rst: bool,
    /// ACK is set.
    pub is_ack: bool,
}

/// The protocol's number in IP headers.
pub const PROTOCOL: u8 = 6;
/// Octets of a header with the one option that a SYN carries.
pub const SYN: usize = 24;
/// Octets of a header without options.
const HEADER: usize = 20;
/// The segment size that a SYN offers: that of Ethernet over IPv4.
const MSS: u16 = 1460;
/// The window that a SYN offers: that of Linux.
const WINDOW: u16 = 64_240;

impl Segment {
    /// Reads the header at the beginning of `bytes`. `None` where there is none, or it claims to be longer than that.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let packet = TcpPacket::new(bytes)?;
        let length = usize::from(packet.get_data_offset()) * 4;
        if length < HEADER || length > bytes.len() {
            return None;
        }
        let has = |flag: u8| packet.get_flags() & flag != 0;
        Some(Self {
            source: packet.get_source(),
            destination: packet.get_destination(),
            seq: packet.get_sequence(),
            ack: packet.get_acknowledgement(),
            is_syn: has(TcpFlags::SYN),
            is_rst: has(TcpFlags::RST),
            is_ack: has(TcpFlags::ACK),
        })
    }
}

/// The ports and the sequence number of the segment that an ICMP error quotes: 8 octets are all that it must quote
/// (RFC 792): source, destination, sequence number.
pub fn quoted(bytes: &[u8]) -> Option<(u16, u16, u32)> {
    let (&[a, b, c, d, e, f, g, h], _) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), u32::from_be_bytes([e, f, g, h])))
}

/// A SYN. `ends` are the addresses for the checksum; without them (IPv6) it is left to the kernel.
pub fn syn(source: u16, destination: u16, seq: u32, ends: Option<(Ipv4Addr, Ipv4Addr)>) -> [u8; SYN] {
    let mut bytes = [0; SYN];
    write_syn(&mut bytes, source, destination, seq, ends);
    bytes
}

/// Writes a SYN into `bytes`, which are zeros; those beyond [`SYN`] are its data (RFC 9293 §3.4 allows it).
///
/// # Panics
/// When `bytes` are fewer than that.
pub fn write_syn(
    bytes: &mut [u8],
    source: u16,
    destination: u16,
    seq: u32,
    ends: Option<(Ipv4Addr, Ipv4Addr)>,
) {
    let mut packet = MutableTcpPacket::new(bytes).expect("24 octets hold a header");
    packet.set_source(source);
    packet.set_destination(destination);
    packet.set_sequence(seq);
    packet.set_data_offset((SYN / 4) as u8);
    packet.set_flags(TcpFlags::SYN);
    packet.set_window(WINDOW);
    packet.set_options(&[TcpOption::mss(MSS)]);
    if let Some((from, to)) = ends {
        let sum = ipv4_checksum(&packet.to_immutable(), &from, &to);
        packet.set_checksum(sum);
    }
}

/// What answers a SYN: a SYN of the far side's, or a RST, that acknowledges `ack`. Its checksum is left out.
pub fn answer(source: u16, destination: u16, ack: u32, is_rst: bool) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    let mut packet = MutableTcpPacket::new(&mut bytes).expect("20 octets are a header");
    packet.set_source(source);
    packet.set_destination(destination);
    packet.set_acknowledgement(ack);
    packet.set_data_offset((HEADER / 4) as u8);
    packet.set_flags(TcpFlags::ACK | if is_rst { TcpFlags::RST } else { TcpFlags::SYN });
    bytes
}

/// What the fuzz target and a property test share: no octets panic, and what is read lies within them.
pub fn fuzz_tcp(bytes: &[u8]) {
    if let Some(segment) = Segment::parse(bytes) {
        let head = quoted(bytes).expect("a header has 8 octets");
        assert_eq!(head, (segment.source, segment.destination, segment.seq));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_syn_is_octet_for_octet_what_rfc_9293_says() {
        let [from, to] = [Ipv4Addr::new(10, 77, 0, 1), Ipv4Addr::new(10, 77, 0, 2)];
        let bytes = syn(61_000, 22, 0x0102_0304, Some((from, to)));
        assert_eq!(bytes[..16], [0xee, 0x48, 0, 22, 1, 2, 3, 4, 0, 0, 0, 0, 0x60, 2, 0xfa, 0xf0]);
        assert_eq!(bytes[18..], [0, 0, 2, 4, 0x05, 0xb4]);
        // With its pseudo header the segment sums up to nothing (RFC 1071).
        let pseudo = [from.octets(), to.octets(), [0, 6, 0, SYN as u8]].concat();
        let words = pseudo.iter().chain(&bytes).copied().collect::<Vec<u8>>();
        let sum: u32 = words.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
        assert_eq!(syn(61_000, 22, 0x0102_0304, None)[16..18], [0, 0]);
    }

    #[test]
    fn what_is_too_short_or_claims_too_much_is_no_segment() {
        let mut bytes = syn(1, 2, 3, None);
        assert!(Segment::parse(&bytes).is_some_and(|segment| segment.is_syn && !segment.is_ack));
        assert_eq!(Segment::parse(&bytes[..19]), None);
        for offset in [0, 0x40, 0x70, 0xf0] {
            bytes[12] = offset;
            assert_eq!(Segment::parse(&bytes), None, "{offset:#x}");
        }
        assert_eq!(quoted(&bytes[..7]), None);
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            fuzz_tcp(&bytes);
        }

        #[test]
        fn an_answer_reads_back(source: u16, destination: u16, ack: u32, is_rst: bool) {
            let read = Segment::parse(&answer(source, destination, ack, is_rst)).expect("a segment");
            prop_assert_eq!((read.source, read.destination, read.ack), (source, destination, ack));
            prop_assert_eq!((read.is_rst, read.is_syn, read.is_ack), (is_rst, !is_rst, true));
        }

        #[test]
        fn a_syn_reads_back(source: u16, destination: u16, seq: u32) {
            let read = Segment::parse(&syn(source, destination, seq, None)).expect("a segment");
            prop_assert_eq!((read.source, read.destination, read.seq), (source, destination, seq));
        }
    }
}
