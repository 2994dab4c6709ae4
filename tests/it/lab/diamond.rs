//! Routers side by side between a lab's first two: what goes to the server is balanced over them by the flow's ports.
//!
//! Way `w` joins router 1 with its own router by 10.210.w.0/30 and fd00:210:w::/64, and that one with router 2 by
//! 10.211.w.0/30 and fd00:211:w::/64, the client's side being 1. The way back is the line's own link.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Lab;
use super::namespace::Namespace;
use super::node::{Node, SETTINGS, write_sysctl};

/// The routers side by side, until dropped.
pub(crate) struct Diamond<'lab> {
    near: &'lab Node,
    ways: Vec<Namespace>,
}

/// A way back that is not the way there is no spoofing here; and what balances looks at ports.
const BESIDE: [(&str, &str); 6] = [
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    ("net.ipv4.ip_forward", "1"),
    ("net.ipv6.conf.all.forwarding", "1"),
    ("net.ipv4.fib_multipath_hash_policy", "1"),
    ("net.ipv6.fib_multipath_hash_policy", "1"),
];

impl<'lab> Diamond<'lab> {
    /// Puts so many ways into a line of two routers.
    pub(crate) fn new(lab: &'lab Lab, ways: u8) -> Self {
        let (near, far) = (lab.router(1), lab.router(2));
        for node in [near, far] {
            node.run(|| set(&BESIDE));
        }
        let all: Vec<Namespace> = (0..ways)
            .map(|_| {
                let way = Namespace::new();
                way.run(|| set(&[&SETTINGS[..], &BESIDE[..]].concat()));
                way
            })
            .collect();
        let (mut wiring, mut near_side, mut far_side) = (String::new(), String::new(), String::new());
        for (w, way) in all.iter().enumerate() {
            let (near, far, way) = (near.namespace.path(), far.namespace.path(), way.path());
            line(
                &mut wiring,
                &format!("link add name w{w} netns {near} type veth peer name dn0 netns {way}"),
            );
            line(&mut wiring, &format!("link add name e{w} netns {far} type veth peer name up0 netns {way}"));
        }
        lab.hub.tool("ip", &["-batch", "-"], &wiring);
        for (w, way) in all.iter().enumerate() {
            let mut own = String::from("link set lo up\nlink set dn0 up\nlink set up0 up\n");
            for command in [
                format!("addr add 10.210.{w}.2/30 dev dn0"),
                format!("addr add fd00:210:{w}::2/64 dev dn0 nodad"),
                format!("addr add 10.211.{w}.1/30 dev up0"),
                format!("addr add fd00:211:{w}::1/64 dev up0 nodad"),
                format!("route add default via 10.211.{w}.2"),
                format!("route add default via fd00:211:{w}::2"),
                format!("route add 10.200.0.0/30 via 10.210.{w}.1"),
                format!("route add fd00:200:0::/64 via fd00:210:{w}::1"),
            ] {
                line(&mut own, &command);
            }
            line(&mut near_side, &format!("addr add 10.210.{w}.1/30 dev w{w}"));
            line(&mut near_side, &format!("addr add fd00:210:{w}::1/64 dev w{w} nodad\nlink set w{w} up"));
            line(&mut far_side, &format!("addr add 10.211.{w}.2/30 dev e{w}"));
            line(&mut far_side, &format!("addr add fd00:211:{w}::2/64 dev e{w} nodad\nlink set e{w} up"));
            // Both of its ends are up before its routes want them.
            near.ip(&std::mem::take(&mut near_side));
            far.ip(&std::mem::take(&mut far_side));
            way.tool("ip", &["-batch", "-"], &own);
        }
        let hops = |family: &str, tail: &str| -> String {
            (0..ways).map(|w| format!(" nexthop via {family}{w}{tail}")).collect()
        };
        near.ip(&format!(
            "route replace 10.200.2.0/30{}\nroute replace fd00:200:2::/64{}\n",
            hops("10.210.", ".2"),
            hops("fd00:210:", "::2")
        ));
        Self { near, ways: all }
    }

    /// The addresses of the routers side by side.
    pub(crate) fn addresses(&self, v6: bool) -> BTreeSet<IpAddr> {
        let v6_of =
            |w: usize| -> Ipv6Addr { format!("fd00:210:{w}::2").parse().expect("digits between colons") };
        let address = |w: usize| match v6 {
            true => v6_of(w).into(),
            false => Ipv4Addr::new(10, 210, w as u8, 2).into(),
        };
        (0..self.ways.len()).map(address).collect()
    }

    /// Sends all that goes to the server by one way from now on.
    pub(crate) fn route_by(&self, way: u8) {
        self.near.ip(&format!("route replace 10.200.2.0/30 via 10.210.{way}.2"));
    }
}

fn set(settings: &[(&str, &str)]) {
    for (name, value) in settings {
        write_sysctl(name, value).expect(name);
    }
}

fn line(batch: &mut String, command: &str) {
    writeln!(batch, "{command}").expect("a String takes any text");
}
