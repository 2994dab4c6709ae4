//! A cable between two nodes: pull it, plug it in, make it narrower.

use super::Lab;
use super::builder::{CLIENT_PORT, SERVER_PORT};
use super::node::Node;

/// The link of a lab with this number; 0 is the client's.
pub(crate) struct Link<'lab> {
    lab: &'lab Lab,
    number: u8,
}

impl<'lab> Link<'lab> {
    pub(super) fn new(lab: &'lab Lab, number: u8) -> Self {
        assert!(number <= lab.line.last_link(), "there is no link {number}");
        Self { lab, number }
    }

    /// Unplugs the cable. The client's side loses its carrier and keeps its addresses and routes,
    /// as it would in reality; the server's side is switched off, or, behind the relay, loses its
    /// carrier too.
    pub(crate) fn pull(&self) {
        if self.relayed() {
            self.lab.hub.tool("ip", &["-batch", "-"], &ports("down"));
        } else {
            self.far().ip("link set dn0 down");
        }
    }

    /// Plugs the cable in again.
    pub(crate) fn plug(&self) {
        if self.relayed() {
            self.lab.hub.tool("ip", &["-batch", "-"], &ports("up"));
        } else {
            self.far().address();
        }
        self.near().settle();
        self.far().settle();
    }

    /// Sets the MTU of both ends, in octets of IP.
    pub(crate) fn mtu(&self, octets: u16) {
        self.near().ip(&format!("link set up0 mtu {octets}"));
        self.far().ip(&format!("link set dn0 mtu {octets}"));
    }

    fn relayed(&self) -> bool {
        self.lab.relay.is_some() && self.lab.relayed_link == self.number
    }

    fn near(&self) -> &'lab Node {
        self.lab.node(self.number)
    }

    fn far(&self) -> &'lab Node {
        self.lab.node(self.number + 1)
    }
}

fn ports(state: &str) -> String {
    format!("link set {CLIENT_PORT} {state}\nlink set {SERVER_PORT} {state}\n")
}
