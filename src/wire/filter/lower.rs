//! Tests to comparisons of octets, for one kind of link.

use std::net::IpAddr;

use super::View;
use super::assemble::{Compare, Condition, Load, Relation, Size};
use super::bpf::{AD_PROTOCOL, AD_VLAN_PRESENT, AD_VLAN_TAG};
use super::parse::{BadExpression, Expression};
use super::tree::{Block, Network, Side, Test, Tree};
use crate::wire::pcap::Link;

/// Ethertypes that announce a VLAN tag: 802.1Q, 802.1ad, and the one before that.
const TAGS: [u32; 3] = [0x8100, 0x88a8, 0x9100];
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
/// IPv6's fragment header.
const FRAGMENT: u8 = 44;

/// What must hold of a packet in `view`.
pub(super) fn lower(
    expression: &Expression,
    view: View,
    addresses: &dyn Fn(&str) -> Vec<IpAddr>,
) -> Result<Condition, BadExpression> {
    let build =
        |view, tagged| Lowering { expression, view, addresses, tags: 0, tagged }.tree(&expression.tree);
    let mut has_tags = false;
    expression.tree.each(&mut |test| has_tags |= matches!(test, Test::Vlan(_)));
    match view {
        // A tag may have been taken out of the packet, or still be in it.
        View::Kernel(_) if has_tags => {
            let present = compare(Load::At(Size::One, AD_VLAN_PRESENT), 1);
            let apart = Condition::All(vec![present.clone(), build(view, true)?]);
            let inside = Condition::All(vec![not(present), build(view, false)?]);
            Ok(Condition::Any(vec![apart, inside]))
        }
        _ => build(view, false),
    }
}

struct Lowering<'a> {
    expression: &'a Expression,
    view: View,
    addresses: &'a dyn Fn(&str) -> Vec<IpAddr>,
    /// Tags that the tests so far have passed in the packet: `vlan` moves what stands behind it.
    tags: u32,
    /// The next tag is not in the packet: the kernel has it.
    tagged: bool,
}

impl Lowering<'_> {
    fn tree(&mut self, tree: &Tree) -> Result<Condition, BadExpression> {
        Ok(match tree {
            Tree::Test(test) => self.test(test)?,
            Tree::Not(inner) => not(self.tree(inner)?),
            Tree::And(parts) => Condition::All(self.trees(parts)?),
            Tree::Or(parts) => Condition::Any(self.trees(parts)?),
        })
    }

    fn trees(&mut self, trees: &[Tree]) -> Result<Vec<Condition>, BadExpression> {
        trees.iter().map(|tree| self.tree(tree)).collect()
    }

    fn test(&mut self, test: &Test) -> Result<Condition, BadExpression> {
        Ok(match test {
            Test::Network(network) => self.network(*network),
            Test::Protocol(over, number) => self.protocol(*over, *number),
            Test::Block { over, side, block } => self.block(*over, *side, *block),
            Test::Name { over, side, name, at } => {
                let fits = |address: &IpAddr| match over {
                    None => true,
                    Some(Network::Ipv6) => address.is_ipv6(),
                    Some(_) => address.is_ipv4(),
                };
                let blocks = (self.addresses)(name).into_iter().filter(fits).map(Block::of);
                let any: Vec<_> = blocks.map(|block| self.block(*over, *side, block)).collect();
                if any.is_empty() {
                    return Err(self.expression.bad_name(at));
                }
                Condition::Any(any)
            }
            &Test::Ports { of, side, low, high } => self.ports(of, side, low, high),
            &Test::Vlan(id) => self.vlan(id),
            &Test::Length { least, octets } => {
                let relation = if least { Relation::AtLeast } else { Relation::Above };
                let beyond = Condition::Compare(Compare {
                    load: Load::Length,
                    mask: u32::MAX,
                    relation,
                    value: octets,
                });
                if least { beyond } else { not(beyond) }
            }
        })
    }

    /// Where the network header begins.
    const fn base(&self) -> u32 {
        let header = match self.view {
            View::File(Link::Sll2) => 20,
            View::File(Link::Sll) | View::Kernel(Link::Sll) => 16,
            View::File(Link::Ethernet) | View::Kernel(Link::Ethernet) => 14,
            View::File(Link::Null | Link::Loop) | View::Kernel(Link::Null | Link::Loop) => 4,
            View::File(Link::Raw) | View::Kernel(Link::Raw | Link::Sll2) => 0,
        };
        header + 4 * self.tags
    }

    /// Where the ethertype of what comes next stands; `None` where the link has none.
    const fn ethertype(&self) -> Option<Load> {
        match self.view {
            View::File(Link::Sll2) if self.tags == 0 => Some(Load::At(Size::Two, 0)),
            View::Kernel(Link::Sll2) if self.tags == 0 => Some(Load::At(Size::Two, AD_PROTOCOL)),
            View::File(Link::Raw | Link::Null | Link::Loop)
            | View::Kernel(Link::Raw | Link::Null | Link::Loop) => None,
            _ => Some(Load::At(Size::Two, self.base() - 2)),
        }
    }

    fn network(&self, network: Network) -> Condition {
        if let Some(load) = self.ethertype() {
            return compare(
                load,
                match network {
                    Network::Ipv4 => 0x0800,
                    Network::Ipv6 => 0x86dd,
                    Network::Arp => 0x0806,
                    Network::Rarp => 0x8035,
                },
            );
        }
        let is_null = self.base() == 4;
        match network {
            // The host's own number of the family, in its own order.
            Network::Ipv4 if is_null => families(&[2]),
            Network::Ipv6 if is_null => families(&[10, 24, 28, 30]),
            Network::Ipv4 => masked(Load::At(Size::One, 0), 0xf0, 0x40),
            Network::Ipv6 => masked(Load::At(Size::One, 0), 0xf0, 0x60),
            Network::Arp | Network::Rarp => Condition::Always(false),
        }
    }

    fn protocol(&self, over: Option<Network>, number: u8) -> Condition {
        let base = self.base();
        let v4 = || {
            let is = compare(Load::At(Size::One, base + 9), number.into());
            Condition::All(vec![self.network(Network::Ipv4), is])
        };
        let v6 = || {
            let next = |number: u8| compare(Load::At(Size::One, base + 6), number.into());
            let behind = compare(Load::At(Size::One, base + 40), number.into());
            let is = Condition::Any(vec![next(number), Condition::All(vec![next(FRAGMENT), behind])]);
            Condition::All(vec![self.network(Network::Ipv6), is])
        };
        match over {
            None => Condition::Any(vec![v4(), v6()]),
            Some(Network::Ipv6) => v6(),
            Some(_) => v4(),
        }
    }

    fn block(&self, over: Option<Network>, side: Side, block: Block) -> Condition {
        let base = self.base();
        let networks = match block {
            Block::V6 { .. } => &[Network::Ipv6][..],
            Block::V4 { .. } => &[Network::Ipv4, Network::Arp, Network::Rarp],
        };
        let ends = |network| match network {
            Network::Ipv4 => [12, 16],
            Network::Ipv6 => [8, 24],
            Network::Arp | Network::Rarp => [14, 24],
        };
        let here = networks.iter().filter(|network| over.is_none_or(|over| over == **network));
        let one = |&network: &Network| {
            let [source, destination] = ends(network).map(|at| within(base + at, block));
            Condition::All(vec![self.network(network), sided(side, source, destination)])
        };
        Condition::Any(here.map(one).collect())
    }

    fn ports(&self, of: Option<u8>, side: Side, low: u16, high: u16) -> Condition {
        let base = self.base();
        let protocol = |at: u32| {
            let is = |number: u8| compare(Load::At(Size::One, base + at), number.into());
            of.map_or_else(|| Condition::Any([SCTP, TCP, UDP].map(is).to_vec()), is)
        };
        let port = |load: Load| {
            let at = |relation, value: u16| {
                Condition::Compare(Compare { load, mask: u32::MAX, relation, value: value.into() })
            };
            if low == high {
                at(Relation::Equal, low)
            } else {
                Condition::All(vec![at(Relation::AtLeast, low), not(at(Relation::Above, high))])
            }
        };
        let v6 = [40, 42].map(|at| port(Load::At(Size::Two, base + at)));
        let v4 = [0, 2].map(|offset| port(Load::Behind { header: base, size: Size::Two, offset }));
        let sides = |[source, destination]: [Condition; 2]| sided(side, source, destination);
        let is_part = Condition::Compare(Compare {
            load: Load::At(Size::Two, base + 6),
            mask: u32::MAX,
            relation: Relation::Shares,
            value: 0x1fff,
        });
        Condition::Any(vec![
            Condition::All(vec![self.network(Network::Ipv6), protocol(6), sides(v6)]),
            // The ports are in the first fragment only.
            Condition::All(vec![self.network(Network::Ipv4), protocol(9), not(is_part), sides(v4)]),
        ])
    }

    fn vlan(&mut self, id: Option<u16>) -> Condition {
        if std::mem::take(&mut self.tagged) {
            let is = |id: u16| masked(Load::At(Size::Two, AD_VLAN_TAG), 0xfff, id.into());
            return id.map_or(Condition::Always(true), is);
        }
        let Some(ethertype) = self.ethertype() else {
            return Condition::Always(false);
        };
        let mut all = vec![Condition::Any(TAGS.map(|tag| compare(ethertype, tag)).to_vec())];
        all.extend(id.map(|id| masked(Load::At(Size::Two, self.base()), 0xfff, id.into())));
        self.tags += 1;
        Condition::All(all)
    }
}

fn sided(side: Side, source: Condition, destination: Condition) -> Condition {
    match side {
        Side::Source => source,
        Side::Destination => destination,
        Side::Either => Condition::Any(vec![source, destination]),
        Side::Both => Condition::All(vec![source, destination]),
    }
}

/// The address at `at` lies in `block`. What no bit asks for is not looked at, as in tcpdump: a packet that was cut before
/// it may still be accepted.
fn within(at: u32, block: Block) -> Condition {
    let word = |at: u32, mask: u32, value: u32| match mask {
        0 => Condition::Always(true),
        _ => masked(Load::At(Size::Four, at), mask, value),
    };
    match block {
        Block::V4 { address, mask } => word(at, mask, address),
        Block::V6 { address, mask } => {
            let part = |number: u32, of: u128| (of >> (96 - 32 * number)) as u32;
            let one = |number: u32| word(at + 4 * number, part(number, mask), part(number, address));
            Condition::All((0..4).map(one).collect())
        }
    }
}

fn families(numbers: &[u32]) -> Condition {
    let load = Load::At(Size::Four, 0);
    let orders = numbers.iter().flat_map(|number| [*number, number.swap_bytes()]);
    Condition::Any(orders.map(|value| compare(load, value)).collect())
}

fn compare(load: Load, value: u32) -> Condition {
    masked(load, u32::MAX, value)
}

fn masked(load: Load, mask: u32, value: u32) -> Condition {
    Condition::Compare(Compare { load, mask, relation: Relation::Equal, value })
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}
