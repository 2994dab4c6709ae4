//! Extensions of ICMP errors (RFC 4884): MPLS label stacks (RFC 4950) and interface information (RFC 5837).
//!
//! Header: 0 version (4 bits: 2) · 2 checksum (0 = none). Objects: 0 length · 2 class · 3 C-type · 4 payload.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet::packet::util::checksum;

use crate::wire::bytes::{array, u8_at, u16_at, u32_at};

/// Octets of the header, and of that of each object.
const HEADER: usize = 4;
/// Where old-style extensions begin, whose message does not say how long its quote is (RFC 4884 §5.5).
const OLD_STYLE: usize = 128;
/// Objects that are read at most: a message of 1500 octets cannot mean more.
const MOST_OBJECTS: usize = 32;
/// Octets that the name of an interface may have, its length octet included (RFC 5837 §4.3).
const MOST_NAME: usize = 64;

/// One object of the extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// The MPLS label stack with which the packet arrived, outermost first (RFC 4950 §3).
    Mpls(Vec<Label>),
    /// An interface of the router (RFC 5837 §4).
    Interface(Interface),
    /// Something else, which is skipped: its class and C-type.
    Other(u8, u8),
}

/// An entry of an MPLS label stack (RFC 3032 §2.1): label 20 bits, traffic class 3, bottom of stack 1, TTL 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The label, 20 bits.
    pub label: u32,
    /// Traffic class (RFC 5462), 3 bits.
    pub class: u8,
    /// It is the last of its stack.
    pub is_last: bool,
    /// Its time to live.
    pub ttl: u8,
}

/// What a router says of one of its interfaces (RFC 5837 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// What the interface has to do with the packet.
    pub role: Role,
    /// Its `ifIndex`.
    pub index: Option<u32>,
    /// Its address.
    pub address: Option<IpAddr>,
    /// Its name, as it came: nothing for a terminal.
    pub name: Option<String>,
    /// Its MTU, octets.
    pub mtu: Option<u32>,
}

/// What an interface has to do with the packet that is quoted (RFC 5837 §4.1, bits 0–1 of the C-type).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It arrived there.
    Incoming,
    /// It arrived at that part of a group of links.
    SubIp,
    /// It would have left there.
    Outgoing,
    /// That is its next hop's.
    NextHop,
}

/// The objects in `bytes`, which begin with the extension header; empty for anything that is not one. What is broken ends
/// the list: every length is hostile.
pub fn objects(bytes: &[u8]) -> Vec<Object> {
    if !is_whole(bytes) {
        return Vec::new();
    }
    let mut rest = &bytes[HEADER..];
    let mut found = Vec::new();
    while rest.len() >= HEADER && found.len() < MOST_OBJECTS {
        let length = usize::from(u16_at(rest, 0));
        let Some(payload) = rest.get(HEADER..length) else {
            break;
        };
        found.push(object(u8_at(rest, 2), u8_at(rest, 3), payload));
        rest = &rest[length..];
    }
    found
}

/// The extensions behind a quote whose length its message does not give: at octet 128 of it, if they have the version and
/// a checksum that is right (RFC 4884 §5.5). `quoted` is the quote without its first `cut` octets.
pub fn old_style(quoted: &[u8], cut: usize) -> Option<&[u8]> {
    let behind = quoted.get(OLD_STYLE.checked_sub(cut)?..)?;
    (is_whole(behind) && behind.len() >= 2 * HEADER && u16_at(behind, 2) != 0).then_some(behind)
}

/// Whether an extension header of version 2 is there, and its checksum, if it has one, is right.
fn is_whole(bytes: &[u8]) -> bool {
    let is_right = || u16_at(bytes, 2) == 0 || checksum(bytes, usize::MAX) == 0;
    bytes.len() >= HEADER && bytes[0] >> 4 == 2 && is_right()
}

fn object(class: u8, kind: u8, payload: &[u8]) -> Object {
    match (class, kind) {
        (1, 1) => Object::Mpls(payload.as_chunks::<4>().0.iter().map(|entry| label(*entry)).collect()),
        (2, _) => Object::Interface(interface(kind, payload)),
        _ => Object::Other(class, kind),
    }
}

fn label(entry: [u8; 4]) -> Label {
    let word = u32::from_be_bytes(entry);
    Label {
        label: word >> 12,
        class: (word >> 9 & 7) as u8,
        is_last: word >> 8 & 1 == 1,
        ttl: (word & 255) as u8,
    }
}

/// Index, address, name and MTU stand in this order, each if its bit of the C-type is set.
fn interface(kind: u8, mut rest: &[u8]) -> Interface {
    let role = match kind >> 6 {
        0 => Role::Incoming,
        1 => Role::SubIp,
        2 => Role::Outgoing,
        _ => Role::NextHop,
    };
    let has = |bit: u8| kind >> bit & 1 == 1;
    let mut interface = Interface { role, index: None, address: None, name: None, mtu: None };
    if has(3) {
        let Some(index) = take(&mut rest, 4) else { return interface };
        interface.index = Some(u32_at(index, 0));
    }
    if has(2) {
        let family = u16_at(rest, 0);
        let Some(address) =
            take(&mut rest, 4).and_then(|_| take(&mut rest, if family == 1 { 4 } else { 16 }))
        else {
            return interface;
        };
        interface.address = match family {
            1 => Some(Ipv4Addr::from(array::<4>(address, 0)).into()),
            2 => Some(Ipv6Addr::from(array::<16>(address, 0)).into()),
            _ => return interface,
        };
    }
    if has(1) {
        let length = usize::from(u8_at(rest, 0));
        if !(1..=MOST_NAME).contains(&length) {
            return interface;
        }
        let Some(name) = take(&mut rest, length) else { return interface };
        let text = String::from_utf8_lossy(&name[1..]);
        interface.name = Some(text.trim_end_matches('\0').to_owned());
    }
    if has(0) {
        interface.mtu = take(&mut rest, 4).map(|mtu| u32_at(mtu, 0));
    }
    interface
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (part, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(part)
}

/// What the fuzzer and the properties hold for any octets.
pub fn fuzz_extension(bytes: &[u8]) {
    let found = objects(bytes);
    assert!(found.len() <= MOST_OBJECTS && (found.is_empty() || bytes[0] >> 4 == 2));
    if let Some(behind) = old_style(bytes, 0) {
        assert_eq!(behind.len() + OLD_STYLE, bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As RFC 4884 §7 and RFC 4950 §3 lay them out: one label, 24015, TC 0, bottom of the stack, TTL 1.
    const MPLS: [u8; 12] = [0x20, 0, 0, 0, 0, 8, 1, 1, 0x05, 0xdc, 0xf1, 0x01];

    fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
        let sum = checksum(&bytes, 1);
        bytes[2..4].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    #[test]
    fn a_label_stack_is_read_with_and_without_a_checksum() {
        let expected = Label { label: 24015, class: 0, is_last: true, ttl: 1 };
        for bytes in [MPLS.to_vec(), with_checksum(MPLS.to_vec())] {
            assert_eq!(objects(&bytes), [Object::Mpls(vec![expected])]);
        }
        let mut wrong = with_checksum(MPLS.to_vec());
        wrong[11] ^= 1;
        assert_eq!(objects(&wrong), []);
    }

    #[test]
    fn an_interface_is_read_as_far_as_its_bits_say() {
        // Outgoing; index, IPv4 address, name and MTU.
        let mut bytes = vec![0x20, 0, 0, 0, 0, 28, 2, 0b1000_1111, 0, 0, 0, 7, 0, 1, 0, 0, 192, 0, 2, 1];
        bytes.extend([8, b'x', b'e', b'-', b'0', 0, 0, 0]);
        bytes.extend(1500u32.to_be_bytes());
        bytes[5] = 28;
        let expected = Interface {
            role: Role::Outgoing,
            index: Some(7),
            address: "192.0.2.1".parse().ok(),
            name: Some("xe-0".to_owned()),
            mtu: Some(1500),
        };
        assert_eq!(objects(&bytes), [Object::Interface(expected)]);
    }

    #[test]
    fn lengths_that_lie_end_the_list() {
        for length in [0u8, 3, 200] {
            let mut bytes = MPLS.to_vec();
            bytes[5] = length;
            assert_eq!(objects(&bytes), [], "length {length}");
        }
        let mut two = MPLS.to_vec();
        two.extend([0, 4, 9, 9, 0, 99, 1, 1]);
        assert_eq!(objects(&two)[1..], [Object::Other(9, 9)]);
        for name in [0, 65, 255] {
            let bytes = [0x20, 0, 0, 0, 0, 8, 2, 2, name, 0, 0, 0];
            assert!(matches!(&objects(&bytes)[..], [Object::Interface(found)] if found.name.is_none()));
        }
    }

    #[test]
    fn old_style_extensions_need_a_checksum_that_is_right() {
        let message = |extensions: Vec<u8>| [vec![0x45; OLD_STYLE], extensions].concat();
        let whole = message(with_checksum(MPLS.to_vec()));
        assert!(old_style(&whole, 0).is_some() && old_style(&whole[28..], 28).is_some());
        assert_eq!(old_style(&whole, 200), None);
        assert_eq!(old_style(&message(MPLS.to_vec()), 0), None, "zeros are no checksum here");
        assert_eq!(old_style(&[0x20; OLD_STYLE], 0), None);
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes: Vec<u8>) {
            fuzz_extension(&bytes);
            let mut versioned = [vec![0x20, 0, 0, 0], bytes].concat();
            fuzz_extension(&versioned);
            versioned.splice(0..0, [0; OLD_STYLE]);
            fuzz_extension(&versioned);
        }

        #[test]
        fn labels_are_read_as_written(label in 0u32..1 << 20, class in 0u8..8, ttl: u8) {
            let word = label << 12 | u32::from(class) << 9 | 1 << 8 | u32::from(ttl);
            let bytes = [&[0x20, 0, 0, 0, 0, 8, 1, 1][..], &word.to_be_bytes()].concat();
            let expected = Label { label, class, is_last: true, ttl };
            prop_assert_eq!(objects(&bytes), vec![Object::Mpls(vec![expected])]);
        }
    }
}
