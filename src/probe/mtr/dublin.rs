//! The "dublin" strategy over UDP: ports stay the same, and the number of a probe is where load balancers do not look and
//! every router quotes it: in the identification of IPv4 (RFC 791 §3.1), in the length of the datagram over IPv6 (RFC 768).
//! The checksum says it, too, so that what was changed on the way is seen. It takes raw sockets, whose errors quote all.

use std::net::{IpAddr, SocketAddr};

use pnet::packet::Packet;
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::{Ipv4Packet, MutableIpv4Packet};
use pnet::packet::udp::UdpPacket;

use super::carrier::{Flow, LEAST, Mark, Told};
use super::sums::{SUMS, checksum_of};

/// Octets of an IPv4 header without options.
const IPV4: usize = 20;
/// Octets of a UDP header.
pub(super) const UDP: usize = 8;
/// Identifications that say a number: 0 would be filled in by the system.
const IDS: u32 = 65_535;
/// How often they start anew in the longest run: 20 million probes.
const LAPS: u32 = 306;
/// Lengths that say a number, over IPv6: with them no packet is longer than the least MTU, 1280 octets (RFC 8200 §5).
const LENGTHS: u32 = 1_000;

/// The payload that `number` wants to have, octets, if it is `usual` otherwise.
pub(super) const fn payload(v6: bool, number: u32, usual: usize) -> usize {
    if v6 { LEAST + (number % LENGTHS) as usize } else { usual }
}

/// What a raw socket sends for `payload`: over IPv4 with the header of IP.
pub(super) fn write(of: &Flow, number: u32, ttl: u8, tos: u8, payload: &[u8], out: &mut Vec<u8>) {
    let length = (UDP + payload.len()) as u16;
    let source = of.from.map_or(0, |from| from.port());
    let (checksum, header) = match (of.from.map(|from| from.ip()), of.to.ip()) {
        (Some(IpAddr::V4(from)), IpAddr::V4(to)) => {
            let mut header = [0; IPV4];
            if let Some(mut packet) = MutableIpv4Packet::new(&mut header) {
                packet.set_version(4);
                packet.set_header_length((IPV4 / 4) as u8);
                packet.set_dscp(tos >> 2);
                packet.set_ecn(tos & 3);
                packet.set_total_length(IPV4 as u16 + length);
                packet.set_identification(id(number));
                packet.set_ttl(ttl);
                packet.set_next_level_protocol(IpNextHeaderProtocols::Udp);
                packet.set_source(from);
                packet.set_destination(to);
            }
            (checksum_of(number), header.to_vec())
        }
        // That of IPv6 is left to the system.
        _ => (0, Vec::new()),
    };
    out.extend(header);
    for word in [source, of.to.port(), length, checksum] {
        out.extend(word.to_be_bytes());
    }
    out.extend(payload);
}

/// What a quote begins with: of IPv4 the identification and the sender, then the UDP header and the payload.
struct Quoted<'a> {
    id: Option<(u16, IpAddr)>,
    source: u16,
    destination: u16,
    length: u16,
    checksum: u16,
    payload: &'a [u8],
}

fn parse(v6: bool, bytes: &[u8]) -> Option<Quoted<'_>> {
    let (id, udp) = match v6 {
        true => (None, bytes),
        false => {
            let packet = Ipv4Packet::new(bytes)?;
            let length = usize::from(packet.get_header_length()) * 4;
            let is_udp = packet.get_next_level_protocol() == IpNextHeaderProtocols::Udp;
            let whole = packet.get_version() == 4 && length >= IPV4 && is_udp;
            let id = (packet.get_identification(), packet.get_source().into());
            (Some(id), bytes.get(length..).filter(|_| whole)?)
        }
    };
    let header = UdpPacket::new(udp)?;
    Some(Quoted {
        id,
        source: header.get_source(),
        destination: header.get_destination(),
        length: header.get_length(),
        checksum: header.get_checksum(),
        payload: udp.get(UDP..)?,
    })
}

/// Whom a quote is about; `number` reads the payload's, where it came back.
pub(super) fn quoted(of: &Flow, bytes: &[u8], number: impl Fn(&[u8]) -> Option<Mark>) -> Told {
    let Some(quote) = parse(of.to.is_ipv6(), bytes) else {
        return Told::Nothing;
    };
    if quote.destination != of.to.port() {
        return Told::Others;
    }
    let from_us = of.from.is_none_or(|from| from.port() == quote.source);
    if quote.payload.len() >= LEAST {
        return match number(quote.payload) {
            Some(mark) => Told::Ours(mark),
            None if from_us => Told::Nothing,
            None => Told::Others,
        };
    }
    // A translator may have changed our port, but then only what bears our cookie is ours.
    match quote.id {
        _ if !from_us => Told::Others,
        None => match u32::from(quote.length).checked_sub((UDP + LEAST) as u32) {
            Some(residue) if residue < LENGTHS => Told::Ours(Mark::Residue { residue, modulo: LENGTHS }),
            _ => Told::Nothing,
        },
        Some((id, _)) => match in_our_order(id, quote.checksum) {
            0 => Told::Nothing,
            id => Told::Ours(Mark::Residue { residue: u32::from(id) - 1, modulo: IDS }),
        },
    }
}

/// An identification as we have sent it: some systems turn its octets round in what they quote. The checksum, where it is
/// ours, says the same number.
fn in_our_order(id: u16, checksum: u16) -> u16 {
    // Both begin at 1 and start anew after almost as many: the checksum gains one each time that both have.
    let behind = |id: u16| (u32::from(checksum) + SUMS - u32::from(id)) % SUMS;
    let turned = id.swap_bytes();
    let is_turned = checksum != 0 && behind(turned) <= LAPS && behind(turned) < behind(id);
    if is_turned { turned } else { id }
}

/// Whether what is quoted of probe `number` shows a translator: sender, port or checksum are others, or the identification,
/// more than by the order of its octets, which some systems turn round. `None` where it shows none.
pub(super) fn is_translated(of: &Flow, number: u32, bytes: &[u8]) -> Option<bool> {
    let quote = parse(of.to.is_ipv6(), bytes)?;
    let changed = match quote.id {
        None => false,
        Some((was, source)) => {
            let id = id(number);
            let other_id = was != id && was.swap_bytes() != id;
            let other_checksum = quote.checksum != 0 && quote.checksum != checksum_of(number);
            other_id || other_checksum || of.from.is_some_and(|from| from.ip() != source)
        }
    };
    let other_port = of.from.is_some_and(|from| from.port() != quote.source);
    (changed || other_port).then_some(true)
}

/// The payload of a datagram of the target's from `of`'s port to ours; whom else it is from.
pub(super) fn reply<'a>(of: &Flow, bytes: &'a [u8]) -> Result<&'a [u8], Told> {
    let header = UdpPacket::new(bytes).ok_or(Told::Nothing)?;
    let ours = of.from.is_none_or(|from| from.port() == header.get_destination());
    match ours && header.get_source() == of.to.port() {
        true => Ok(&bytes[bytes.len() - header.payload().len().min(bytes.len() - UDP)..]),
        false => Err(Told::Others),
    }
}

const fn id(number: u32) -> u16 {
    1 + (number % IDS) as u16
}

/// Both ends of a flow, where its checksum can be made to say something.
pub(super) fn ends(of: &Flow) -> Option<(SocketAddr, SocketAddr)> {
    Some((of.from?, of.to)).filter(|_| of.to.is_ipv4())
}
