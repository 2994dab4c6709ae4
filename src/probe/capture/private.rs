//! What must not be kept, taken out of a frame: payload, and addresses by others that share as much with each other.
//!
//! Addresses are replaced by Crypto-PAn's construction (Xu, Fan, Ammar and Moon, 2002): bit by bit, flipped or not by
//! AES of the bits before it, so that two addresses have as long a prefix in common as before. The key is drawn for each
//! run and forgotten; who has the file and a list of addresses can still recognise some by their traffic.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::cipher::{AES_128, EncryptingKey, UnboundCipherKey};

use crate::failure::{Class, Failure};
use crate::wire::frame::{Frame, Network, Transport, dissect};
use crate::wire::pcap::Link;

/// Addresses whose replacement is remembered.
const MOST_KNOWN: usize = 65_536;

/// What is taken out.
pub(super) struct Private {
    addresses: Option<Addresses>,
}

impl Private {
    /// Payload only.
    pub(super) const fn payload() -> Self {
        Self { addresses: None }
    }

    /// Payload, and addresses by a key made of `secret`.
    pub(super) fn addresses(secret: [u8; 32]) -> Result<Self, Failure> {
        Ok(Self { addresses: Some(Addresses::new(secret)?) })
    }

    /// Takes it out of `bytes`, a frame of `link` that had `wire_length` octets.
    pub(super) fn clean(&mut self, link: Link, bytes: &mut [u8], wire_length: u32) {
        let frame = dissect(link, bytes, wire_length);
        if let Some(addresses) = &mut self.addresses {
            addresses.replace_link(link, bytes);
            addresses.replace_network(&frame, bytes);
        }
        redact(&frame, bytes, self.addresses.as_mut());
    }
}

/// Zeros behind the last header that was understood. A checksum over what is gone would tell of it: it goes too.
fn redact(frame: &Frame, bytes: &mut [u8], addresses: Option<&mut Addresses>) {
    let from = frame.payload_at.min(bytes.len());
    match (frame.transport, frame.protocol) {
        (Transport::Tcp(_), _) => {
            zero(bytes, frame.transport_at + 16, 2);
            if addresses.is_some() {
                let options = (frame.transport_at + 20).min(from);
                plain_options(&mut bytes[options..from]);
            }
        }
        (Transport::Ports(..), Some(17)) => zero(bytes, frame.transport_at + 6, 2),
        (Transport::Ports(..), _) => zero(bytes, frame.transport_at + 8, 4),
        (Transport::Icmp(kind, _), Some(protocol)) => {
            zero(bytes, frame.transport_at + 2, 2);
            // A redirect has an address where others have an identifier.
            if (kind, protocol) == (5, 1) {
                zero(bytes, frame.transport_at + 4, 4);
            }
        }
        _ => {}
    }
    bytes[from..].fill(0);
}

/// Leaves of TCP's options those that tell of no address: padding, MSS, window scale, SACK and time stamps.
fn plain_options(options: &mut [u8]) {
    let mut at = 0;
    while let Some(&kind) = options.get(at) {
        let length = match kind {
            0 => return options[at..].fill(0),
            1 => 1,
            _ => options.get(at + 1).map_or(0, |length| usize::from(*length)),
        };
        let Some(option) = options.get_mut(at..at + length).filter(|_| length > 0) else {
            return options[at..].fill(0);
        };
        if !matches!(kind, 1..=5 | 8) {
            option.fill(1);
        }
        at += length;
    }
}

fn zero(bytes: &mut [u8], at: usize, count: usize) {
    if let Some(part) = bytes.get_mut(at..at + count) {
        part.fill(0);
    }
}

/// Addresses and their replacements.
struct Addresses {
    key: EncryptingKey,
    pad: [u8; 16],
    known: HashMap<IpAddr, IpAddr>,
    hardware: HashMap<[u8; 6], [u8; 6]>,
}

impl Addresses {
    fn new(secret: [u8; 32]) -> Result<Self, Failure> {
        let (key, pad) = secret.split_at(16);
        let failed = |_| Class::Internal.because("no AES key can be made of random octets");
        let key = UnboundCipherKey::new(&AES_128, key).and_then(EncryptingKey::ecb).map_err(failed)?;
        let mut made = Self { key, pad: [0; 16], known: HashMap::new(), hardware: HashMap::new() };
        made.pad.copy_from_slice(pad);
        made.pad = made.encrypt(made.pad).to_be_bytes();
        Ok(made)
    }

    fn encrypt(&self, mut block: [u8; 16]) -> u128 {
        // ECB of one whole block cannot fail; were it to, nothing of the block would be told.
        if self.key.encrypt(&mut block).is_err() {
            block = [0; 16];
        }
        u128::from_be_bytes(block)
    }

    /// The first `bits` bits of `value` replaced; those below stay out of it.
    fn replace(&self, value: u128, bits: u32) -> u128 {
        let pad = u128::from_be_bytes(self.pad);
        (0..bits).fold(value, |replaced, bit| {
            let mask = u128::MAX.checked_shl(128 - bit).unwrap_or(0);
            let flip = self.encrypt((value & mask | pad & !mask).to_be_bytes()) >> 127;
            replaced ^ flip << (127 - bit)
        })
    }

    fn of(&mut self, address: IpAddr) -> IpAddr {
        if is_nobodys(address) {
            return address;
        }
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        let replaced = match address {
            IpAddr::V4(v4) => {
                let bits = self.replace(u128::from(v4.to_bits()) << 96, 32) >> 96;
                IpAddr::V4(Ipv4Addr::from_bits(bits as u32))
            }
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(self.replace(v6.to_bits(), 128))),
        };
        if self.known.len() == MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(address, replaced);
        replaced
    }

    /// A hardware address by another one; whether it is one host's or a group's stays.
    fn hardware(&mut self, address: [u8; 6]) -> [u8; 6] {
        if address[0] & 1 != 0 || address == [0; 6] {
            return address;
        }
        if let Some(known) = self.hardware.get(&address) {
            return *known;
        }
        let mut block = [0xff; 16];
        block[..6].copy_from_slice(&address);
        let mut replaced = [0; 6];
        replaced.copy_from_slice(&self.encrypt(block).to_be_bytes()[..6]);
        // One host's, and by nobody's list of makers.
        replaced[0] = replaced[0] & 0xfc | 2;
        if self.hardware.len() == MOST_KNOWN {
            self.hardware.clear();
        }
        self.hardware.insert(address, replaced);
        replaced
    }

    fn hardware_at(&mut self, bytes: &mut [u8], at: usize) {
        if let Some(place) = bytes.get_mut(at..at + 6) {
            let mut address = [0; 6];
            address.copy_from_slice(place);
            place.copy_from_slice(&self.hardware(address));
        }
    }

    fn v4_at(&mut self, bytes: &mut [u8], at: usize) {
        if let Some(octets) = bytes.get(at..at + 4).and_then(|part| <[u8; 4]>::try_from(part).ok())
            && let IpAddr::V4(replaced) = self.of(octets.into())
        {
            bytes[at..at + 4].copy_from_slice(&replaced.octets());
        }
    }

    fn v6_at(&mut self, bytes: &mut [u8], at: usize) {
        if let Some(octets) = bytes.get(at..at + 16).and_then(|part| <[u8; 16]>::try_from(part).ok())
            && let IpAddr::V6(replaced) = self.of(octets.into())
        {
            bytes[at..at + 16].copy_from_slice(&replaced.octets());
        }
    }

    fn replace_link(&mut self, link: Link, bytes: &mut [u8]) {
        match link {
            Link::Ethernet => [0, 6].into_iter().for_each(|at| self.hardware_at(bytes, at)),
            Link::Sll => self.hardware_at(bytes, 6),
            Link::Sll2 => self.hardware_at(bytes, 12),
            Link::Raw | Link::Null | Link::Loop => {}
        }
    }

    fn replace_network(&mut self, frame: &Frame, bytes: &mut [u8]) {
        let at = frame.network_at;
        match frame.network {
            Network::Ipv4 => {
                // A header that was cut goes with its addresses.
                if frame.ends.is_none() {
                    return bytes[at..].fill(0);
                }
                self.v4_at(bytes, at + 12);
                self.v4_at(bytes, at + 16);
                let header = (usize::from(bytes[at] & 0xf) * 4).max(20);
                let end = (at + header).min(bytes.len());
                // Options may hold the way's addresses.
                bytes[(at + 20).min(end)..end].fill(1);
                checksum(&mut bytes[at..end]);
            }
            Network::Ipv6 => {
                if frame.ends.is_none() {
                    return bytes[at..].fill(0);
                }
                self.v6_at(bytes, at + 8);
                self.v6_at(bytes, at + 24);
                self.plain_extensions(frame, bytes);
            }
            Network::Arp if frame.ends.is_some() => {
                self.hardware_at(bytes, at + 8);
                self.v4_at(bytes, at + 14);
                self.hardware_at(bytes, at + 18);
                self.v4_at(bytes, at + 24);
            }
            Network::Arp | Network::Other(_) => bytes[at..].fill(0),
        }
    }

    /// Leaves of IPv6's extensions their kinds and lengths: routing and options may hold addresses.
    fn plain_extensions(&self, frame: &Frame, bytes: &mut [u8]) {
        let end = frame.transport_at.min(bytes.len());
        let (mut next, mut at) = (bytes.get(frame.network_at + 6).copied(), frame.network_at + 40);
        while let Some(kind) = next
            && at + 8 <= end
        {
            let length = match kind {
                44 => 8,
                51 => 4 * (2 + usize::from(bytes[at + 1])),
                _ => 8 * (1 + usize::from(bytes[at + 1])),
            };
            next = Some(bytes[at]);
            let last = (at + length).min(end);
            if kind != 44 {
                bytes[(at + 2).min(last)..last].fill(0);
            }
            at += length;
        }
    }
}

/// Whether `address` names no host: unspecified, loopback, broadcast, multicast.
fn is_nobodys(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    address.is_unspecified() || address.is_loopback() || address.is_multicast() || is_broadcast
}

/// Writes the checksum of an IPv4 header (RFC 791 §3.1), which may be cut.
fn checksum(header: &mut [u8]) {
    zero(header, 10, 2);
    let sum: u32 =
        header.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    if let Some(place) = header.get_mut(10..12) {
        place.copy_from_slice(&(!(folded as u16)).to_be_bytes());
    }
}

/// The body of the fuzz target: no frame makes it panic, and none keeps its length or what it is.
pub fn fuzz_private(octets: &[u8]) {
    let secrets = [Private::payload(), Private::addresses([7; 32]).unwrap_or(Private::payload())];
    for mut private in secrets {
        for link in Link::ALL {
            let mut bytes = octets.to_vec();
            private.clean(link, &mut bytes, octets.len() as u32);
            let frame = dissect(link, &bytes, octets.len() as u32);
            let payload = frame.payload_at.min(bytes.len());
            assert!(bytes[payload..].iter().all(|octet| *octet == 0), "payload is left: {frame:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn common(a: u32, b: u32) -> u32 {
        (a ^ b).leading_zeros()
    }

    /// UDP with `payload`, over Ethernet, from 10.1.2.3 to 10.1.9.9.
    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        frame.extend([
            0x45,
            0,
            0,
            (28 + payload.len()) as u8,
            0,
            0,
            0,
            0,
            64,
            17,
            0,
            0,
            10,
            1,
            2,
            3,
            10,
            1,
            9,
            9,
        ]);
        frame.extend([0, 53, 3, 232, 0, (8 + payload.len()) as u8, 0xab, 0xcd]);
        frame.extend(payload);
        frame
    }

    #[test]
    fn a_redacted_frame_keeps_its_headers_and_nothing_behind_them() {
        let before = frame(b"secret");
        let mut after = before.clone();
        Private::payload().clean(Link::Ethernet, &mut after, before.len() as u32);
        assert_eq!(after[..40], before[..40], "all up to the checksum");
        assert_eq!(after[40..], [0; 8], "which tells of the payload, as that is gone");
    }

    #[test]
    fn an_anonymous_frame_tells_no_address_and_is_still_one() {
        let before = frame(b"secret");
        let mut after = before.clone();
        let mut private = Private::addresses([5; 32]).expect("a key");
        private.clean(Link::Ethernet, &mut after, before.len() as u32);
        let found = dissect(Link::Ethernet, &after, after.len() as u32);
        assert_eq!(found.transport, Transport::Ports(53, 1000));
        for octets in [&before[26..30], &before[30..34], &before[..6], &before[6..12]] {
            assert!(!after.windows(octets.len()).any(|window| window == octets), "{octets:?} is left");
        }
        let sum: u32 = after[14..34].chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff, "the header's checksum is true");
        let Some((IpAddr::V4(source), IpAddr::V4(destination))) = found.ends else { panic!("{found:?}") };
        assert_eq!(common(source.to_bits(), destination.to_bits()), common(0x0a01_0203, 0x0a01_0909));
    }

    #[test]
    fn an_icmp_error_and_a_neighbour_tell_no_address() {
        let mut error = frame(&[]);
        let quoted = error[14..].to_vec();
        error[23] = 1;
        error.truncate(34);
        error.extend([3, 1, 0, 0, 0, 0, 0, 0]);
        error.extend(quoted);
        let mut private = Private::addresses([5; 32]).expect("a key");
        private.clean(Link::Ethernet, &mut error, 70);
        assert!(!error.windows(4).any(|window| window == [10, 1, 2, 3]), "{error:?}");
    }

    #[test]
    fn options_that_may_name_an_address_are_blank() {
        // MSS, MPTCP's, padding, the end of a list that goes on.
        let mut options = [2, 4, 5, 180, 30, 8, 10, 1, 2, 3, 0, 0, 1, 0, 2, 9];
        plain_options(&mut options);
        assert_eq!(options, [2, 4, 5, 180, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn prefixes_stay_common_and_no_two_addresses_become_one(a in any::<u32>(), b in any::<u32>(), key in any::<[u8; 32]>()) {
            let addresses = Addresses::new(key).expect("a key");
            let replaced = |value: u32| (addresses.replace(u128::from(value) << 96, 32) >> 96) as u32;
            prop_assert_eq!(common(replaced(a), replaced(b)), common(a, b));
        }

        #[test]
        fn no_frame_panics(octets in proptest::collection::vec(any::<u8>(), 0..150)) {
            fuzz_private(&octets);
        }

        #[test]
        fn no_mangled_frame_panics(at in 0usize..60, value in any::<u8>(), cut in 0usize..60) {
            let mut frame = frame(b"some payload here!");
            frame[at] = value;
            fuzz_private(&frame[..cut]);
            fuzz_private(&frame[14..]);
        }
    }
}
