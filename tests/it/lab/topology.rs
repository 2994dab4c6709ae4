//! The line of nodes and its addresses, as text for `ip -batch`. No I/O.
//!
//! Node 0 is the client, nodes 1 to n the routers, node n + 1 the server. Link `i` joins `up0` of
//! node `i` with `dn0` of node `i + 1` and carries 10.200.i.0/30 and fd00:200:i::/64 (`i` in
//! decimal digits), the client's side being 1 and the server's 2.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

impl Direction {
    /// Both, in the order of their index.
    pub(crate) const BOTH: [Self; 2] = [Self::Up, Self::Down];

    /// The interface by which a packet going this way leaves a node.
    pub(crate) fn exit(self) -> &'static str {
        match self {
            Self::Up => "up0",
            Self::Down => "dn0",
        }
    }

    /// The interface by which a packet going this way comes into a node.
    pub(crate) fn entry(self) -> &'static str {
        self.opposite().exit()
    }

    /// The way back.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

/// An end of a link; its number is the last of its addresses.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// The client's side.
    Near = 1,
    /// The server's side.
    Far = 2,
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::Near => Self::Far,
            Self::Far => Self::Near,
        }
    }
}

/// The Ethernet address at an end of a link.
pub(super) fn mac(link: u8, end: End) -> String {
    format!("02:00:0a:c8:{link:02x}:{:02x}", end as u8)
}

/// A line of this many routers between a client and a server.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) routers: u8,
}

impl Line {
    /// The server's number.
    pub(super) fn server(self) -> u8 {
        self.routers + 1
    }

    /// The number of the last link; the first is 0.
    pub(super) fn last_link(self) -> u8 {
        self.routers
    }

    /// The directions in which a node has a link.
    pub(super) fn sides(self, node: u8) -> impl Iterator<Item = Direction> {
        let up = (node <= self.last_link()).then_some(Direction::Up);
        let down = (node > 0).then_some(Direction::Down);
        up.into_iter().chain(down)
    }

    /// The address a node answers the client with: the one nearest to the client.
    pub(super) fn address4(self, node: u8) -> Ipv4Addr {
        let (link, end) = nearest(node);
        Ipv4Addr::new(10, 200, link, end)
    }

    /// The IPv6 address a node answers the client with.
    pub(super) fn address6(self, node: u8) -> Ipv6Addr {
        let (link, end) = nearest(node);
        format!("fd00:200:{link}::{end}").parse().expect("digits between colons")
    }

    /// Addresses, neighbours and routes of a node whose interfaces exist; may be repeated.
    ///
    /// The neighbours are known from the start, as after some traffic, because what waits for ARP
    /// may be overtaken by what comes just after: a burst through a cold line is reordered.
    pub(super) fn addressing(self, node: u8) -> String {
        let mut batch = String::from("link set lo up\n");
        for side in self.sides(node) {
            let (link, end, dev) = match side {
                Direction::Up => (node, End::Near, side.exit()),
                Direction::Down => (node - 1, End::Far, side.exit()),
            };
            let (ours, theirs) = (end as u8, end.other() as u8);
            let neighbour = mac(link, end.other());
            for line in [
                format!("link set {dev} up"),
                format!("addr replace 10.200.{link}.{ours}/30 dev {dev}"),
                format!("addr replace fd00:200:{link}::{ours}/64 dev {dev} nodad"),
                format!("neigh replace 10.200.{link}.{theirs} lladdr {neighbour} dev {dev} nud reachable"),
                format!("neigh replace fd00:200:{link}::{theirs} lladdr {neighbour} dev {dev} nud reachable"),
            ] {
                add(&mut batch, &line);
            }
        }
        if node <= self.last_link() {
            add(&mut batch, &format!("route replace default via 10.200.{node}.2"));
            add(&mut batch, &format!("route replace default via fd00:200:{node}::2"));
        }
        for link in 0..node.saturating_sub(1) {
            let back = node - 1;
            add(&mut batch, &format!("route replace 10.200.{link}.0/30 via 10.200.{back}.1"));
            add(&mut batch, &format!("route replace fd00:200:{link}::/64 via fd00:200:{back}::1"));
        }
        batch
    }
}

/// The link that leads from a node towards the client, and the node's end of it.
fn nearest(node: u8) -> (u8, u8) {
    match node {
        0 => (0, 1),
        _ => (node - 1, 2),
    }
}

fn add(batch: &mut String, line: &str) {
    writeln!(batch, "{line}").expect("a String takes any text");
}
