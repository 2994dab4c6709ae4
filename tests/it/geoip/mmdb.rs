//! A writer of databases in MaxMind's format (MaxMind DB 2.0), for networks of IPv4.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What is known of a network.
pub(super) struct Entry {
    pub(super) network: (Ipv4Addr, u8),
    pub(super) asn: u32,
    pub(super) name: &'static str,
    pub(super) country: &'static str,
    pub(super) city: &'static str,
}

/// A node has two sides, each another node or an entry.
#[derive(Clone, Copy)]
enum Side {
    Nothing,
    Node(usize),
    Entry(usize),
}

/// The database of `entries`, which do not overlap, made at `built`.
pub(super) fn database(entries: &[Entry], built: u32) -> Vec<u8> {
    let mut nodes = vec![[Side::Nothing; 2]];
    let mut data = Vec::new();
    for entry in entries {
        let place = data.len();
        data.extend(encoded(entry));
        let (address, length) = entry.network;
        let mut at = 0;
        for bit in 0..length {
            let side = usize::from(address.to_bits() >> (31 - bit) & 1 == 1);
            at = match nodes[at][side] {
                _ if bit + 1 == length => {
                    nodes[at][side] = Side::Entry(place);
                    break;
                }
                Side::Node(next) => next,
                Side::Nothing => {
                    nodes.push([Side::Nothing; 2]);
                    nodes[at][side] = Side::Node(nodes.len() - 1);
                    nodes.len() - 1
                }
                Side::Entry(_) => panic!("networks overlap"),
            };
        }
    }
    let count = nodes.len();
    let value = |side: &Side| match side {
        Side::Nothing => count,
        Side::Node(node) => *node,
        Side::Entry(place) => count + 16 + place,
    };
    let tree = nodes.iter().flatten().flat_map(|side| (value(side) as u32).to_be_bytes());
    let about = map(&[
        ("binary_format_major_version", short(2)),
        ("binary_format_minor_version", short(0)),
        ("build_epoch", [&[4, 2][..], &built.to_be_bytes()].concat()),
        ("database_type", text("Test-City")),
        ("description", map(&[("en", text("Test"))])),
        ("ip_version", short(4)),
        ("languages", [vec![1, 4], text("en")].concat()),
        ("node_count", number(count as u32)),
        ("record_size", short(32)),
    ]);
    tree.chain([0; 16]).chain(data).chain(*b"\xab\xcd\xefMaxMind.com").chain(about).collect()
}

fn encoded(entry: &Entry) -> Vec<u8> {
    let named = |name: &str| map(&[("names", map(&[("en", text(name))]))]);
    map(&[
        ("autonomous_system_number", number(entry.asn)),
        ("autonomous_system_organization", text(entry.name)),
        ("city", named(entry.city)),
        ("country", map(&[("iso_code", text(entry.country))])),
    ])
}

fn text(value: &str) -> Vec<u8> {
    let control = match value.len() {
        length @ 0..29 => vec![2 << 5 | length as u8],
        length => vec![2 << 5 | 29, (length - 29) as u8],
    };
    [control, value.as_bytes().to_vec()].concat()
}

fn short(value: u16) -> Vec<u8> {
    [&[5 << 5 | 2][..], &value.to_be_bytes()].concat()
}

fn number(value: u32) -> Vec<u8> {
    [&[6 << 5 | 4][..], &value.to_be_bytes()].concat()
}

fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let members: BTreeMap<_, _> = members.iter().map(|(name, value)| (*name, value)).collect();
    let all = members.iter().flat_map(|(name, value)| [text(name), (*value).clone()].concat());
    std::iter::once(7 << 5 | members.len() as u8).chain(all).collect()
}
