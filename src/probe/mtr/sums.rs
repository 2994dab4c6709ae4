//! One's complement arithmetic (RFC 1071): what makes a checksum say what we want.

use std::net::{IpAddr, SocketAddr};

/// Checksums that say a number.
pub(super) const SUMS: u32 = 65_534;

/// The checksum that says `number` (RFC 768: 0 means that there is none).
pub(super) const fn checksum_of(number: u32) -> u16 {
    1 + (number % SUMS) as u16
}

pub(super) fn word(octets: &[u8]) -> u32 {
    octets.iter().take(4).fold(0, |word, octet| word << 8 | u32::from(*octet))
}

/// The sum of a UDP header and what comes before it, without the checksum (RFC 768, RFC 8200 §8.1).
pub(super) fn pseudo(from: SocketAddr, to: SocketAddr, payload: usize) -> u32 {
    let length = payload as u32 + 8;
    let of = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u32::from(sum(0, &ip.octets())),
        IpAddr::V6(ip) => u32::from(sum(0, &ip.octets())),
    };
    of(from.ip()) + of(to.ip()) + 17 + 2 * length + u32::from(from.port()) + u32::from(to.port())
}

/// The one's complement sum (RFC 1071) of `start` and `bytes`.
pub(super) fn sum(start: u32, bytes: &[u8]) -> u16 {
    let pairs =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low)));
    let mut sum = pairs.fold(u64::from(start), |sum, pair| sum + u64::from(pair));
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// What must be added to `part` to give `whole`, in one's complement.
pub(super) const fn complement_sub(whole: u16, part: u16) -> u16 {
    let sum = whole as u32 + !part as u32;
    ((sum & 0xffff) + (sum >> 16)) as u16
}
