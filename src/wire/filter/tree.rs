//! What an expression says, before it is a program: tests, put together.

use std::net::IpAddr;
use std::ops::Range;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Test(Test),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// An ethertype.
    Network(Network),
    /// An IP protocol, over either version or one.
    Protocol(Option<Network>, u8),
    /// Addresses of a block.
    Block { over: Option<Network>, side: Side, block: Block },
    /// The addresses of a name; where it stands in the text.
    Name { over: Option<Network>, side: Side, name: String, at: Range<usize> },
    /// Ports of TCP, UDP or SCTP, or of one of them, over either version of IP.
    Ports { of: Option<u8>, side: Side, low: u16, high: u16 },
    /// A VLAN tag, of any network or one.
    Vlan(Option<u16>),
    /// A length of at least, or at most.
    Length { least: bool, octets: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    Ipv4,
    Ipv6,
    Arp,
    Rarp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
    Either,
    Both,
}

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    V4 { address: u32, mask: u32 },
    V6 { address: u128, mask: u128 },
}

impl Block {
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4 { address: address.into(), mask: u32::MAX },
            IpAddr::V6(address) => Self::V6 { address: address.into(), mask: u128::MAX },
        }
    }
}

impl Tree {
    pub(super) fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Test)) {
        match self {
            Self::Test(test) => visit(test),
            Self::Not(inner) => inner.each(visit),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each(visit)),
        }
    }
}
