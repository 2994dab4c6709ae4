//! The TCP headers (RFC 9293 §3.1) that a half-open probe needs: a SYN, and the start of what comes back.

use std::net::{IpAddr, SocketAddr};

use pnet::packet::tcp::{MutableTcpPacket, TcpFlags, ipv4_checksum, ipv6_checksum};

use super::bytes::{u8_at, u16_at, u32_at};

/// Octets of a SYN with its one option, the MSS.
pub const LENGTH: usize = 24;
/// The protocol's number in IP headers.
pub const PROTOCOL: u8 = 6;
/// An MSS that every path takes (RFC 9293 §3.7.1, for IPv6's least MTU).
const MSS: u16 = 1220;

/// Appends a SYN with this sequence number. Its checksum needs to know where it leaves.
pub fn syn(from: Option<SocketAddr>, to: SocketAddr, seq: u32, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + LENGTH, 0);
    let Some(mut packet) = MutableTcpPacket::new(&mut out[start..]) else {
        return;
    };
    packet.set_source(from.map_or(0, |from| from.port()));
    packet.set_destination(to.port());
    packet.set_sequence(seq);
    packet.set_data_offset((LENGTH / 4) as u8);
    packet.set_flags(TcpFlags::SYN);
    packet.set_window(64_240);
    packet.get_options_raw_mut().copy_from_slice(&[2, 4, (MSS >> 8) as u8, MSS as u8]);
    let sum = match (from.map(|from| from.ip()), to.ip()) {
        (Some(IpAddr::V4(from)), IpAddr::V4(to)) => ipv4_checksum(&packet.to_immutable(), &from, &to),
        (Some(IpAddr::V6(from)), IpAddr::V6(to)) => ipv6_checksum(&packet.to_immutable(), &from, &to),
        _ => 0,
    };
    packet.set_checksum(sum);
}

/// The start of a TCP header, which is all that an ICMP error must quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Source port.
    pub from: u16,
    /// Destination port.
    pub to: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number; 0 where it was cut off.
    pub ack: u32,
    /// It opens a connection.
    pub is_syn: bool,
    /// It acknowledges.
    pub is_ack: bool,
    /// It resets.
    pub is_reset: bool,
}

/// Reads the first eight octets of a TCP header, and what follows if it is there.
pub fn start(bytes: &[u8]) -> Option<Start> {
    let flags = u8_at(bytes, 13);
    let has = |flag: u8| flags & flag != 0;
    (bytes.len() >= 8).then(|| Start {
        from: u16_at(bytes, 0),
        to: u16_at(bytes, 2),
        seq: u32_at(bytes, 4),
        ack: u32_at(bytes, 8),
        is_syn: has(TcpFlags::SYN),
        is_ack: has(TcpFlags::ACK),
        is_reset: has(TcpFlags::RST),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_syn_is_whole() {
        let mut out = Vec::new();
        let from = "192.0.2.1:4000".parse().ok();
        syn(from, "192.0.2.2:80".parse().expect("an address"), 7, &mut out);
        let read = start(&out).expect("a header");
        assert_eq!((read.from, read.to, read.seq, read.is_syn, read.is_ack), (4000, 80, 7, true, false));
        let (from, to) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let packet = pnet::packet::tcp::TcpPacket::new(&out).expect("a header");
        assert_eq!(packet.get_checksum(), ipv4_checksum(&packet, &from, &to));
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes: Vec<u8>) {
            prop_assert_eq!(start(&bytes).is_some(), bytes.len() >= 8);
        }
    }
}
