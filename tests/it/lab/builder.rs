//! How a lab is described, and built from the description.

use std::thread;
use std::time::Duration;

use super::Lab;
use super::namespace::Namespace;
use super::node::{Node, offloads_off, write_sysctl};
use super::relay::{Bottleneck, GilbertElliott, Profile, Relay};
use super::topology::{Direction, End, Line, mac};
use super::turn;

/// The relay's interface towards the client.
pub(super) const CLIENT_PORT: &str = "m0";
/// The relay's interface towards the server.
pub(super) const SERVER_PORT: &str = "m1";

/// A lab to be built. An impairment holds for both directions unless its name says otherwise,
/// and asks for a relay.
#[must_use = "a lab exists after build()"]
pub(crate) struct Builder {
    line: Line,
    seed: u64,
    /// One profile per direction, in the order of `Direction::BOTH`; none without a relay.
    profiles: Option<[Profile; 2]>,
    relayed_link: u8,
}

impl Builder {
    pub(super) fn new(routers: u8) -> Self {
        Self { line: Line { routers }, seed: 1, profiles: None, relayed_link: 0 }
    }

    /// Puts the relay in, even if it has nothing to do but to log.
    pub(crate) fn relay(self) -> Self {
        self.both(|_| ())
    }

    /// The link the relay is spliced into; 0, the client's, if not said.
    pub(crate) fn relay_at(self, link: u8) -> Self {
        assert!(link <= self.line.last_link(), "there is no link {link}");
        Self { relayed_link: link, ..self.relay() }
    }

    /// What the relay's chances are drawn from; 1 if not said.
    pub(crate) fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Holds every packet this long: a round trip takes twice as much.
    pub(crate) fn delay(self, delay: Duration) -> Self {
        self.both(|profile| profile.delay = delay)
    }

    /// Holds each packet longer, by anything up to this, drawn evenly; order is kept.
    pub(crate) fn jitter(self, jitter: Duration) -> Self {
        self.both(|profile| profile.jitter = jitter)
    }

    /// Loses this share of packets, 0 to 1, in each direction.
    pub(crate) fn loss(self, ratio: f64) -> Self {
        self.both(|profile| profile.loss = ratio)
    }

    /// Loses this share of the packets to the server, 0 to 1.
    pub(crate) fn loss_up(self, ratio: f64) -> Self {
        self.one(Direction::Up, |profile| profile.loss = ratio)
    }

    /// Loses this share of the packets to the client, 0 to 1.
    pub(crate) fn loss_down(self, ratio: f64) -> Self {
        self.one(Direction::Down, |profile| profile.loss = ratio)
    }

    /// Loses packets in bursts.
    pub(crate) fn bursts(self, model: GilbertElliott) -> Self {
        self.both(|profile| profile.bursts = Some(model))
    }

    /// Delivers this share of packets twice, 0 to 1.
    pub(crate) fn duplicate(self, ratio: f64) -> Self {
        self.both(|profile| profile.duplicate = ratio)
    }

    /// Holds this share of packets, 0 to 1, so much longer that later ones overtake them.
    pub(crate) fn reorder(self, ratio: f64, by: Duration) -> Self {
        self.both(|profile| (profile.reorder, profile.reorder_by) = (ratio, by))
    }

    /// Transmits no faster than this, in bit/s, with a queue worth 100 ms.
    pub(crate) fn rate(self, rate: u64) -> Self {
        self.both(|profile| profile.bottleneck = Some(Bottleneck::of(rate)))
    }

    /// Everything else a relay can do, for one direction.
    pub(crate) fn profile(self, direction: Direction, profile: Profile) -> Self {
        self.one(direction, |current| *current = profile)
    }

    /// Builds the lab, after waiting for any test that has to run alone.
    ///
    /// # Panics
    /// When namespaces are refused or a tool is missing.
    pub(crate) fn build(self) -> Lab {
        let turn = turn::shared();
        let hub = hub();
        let nodes = in_parallel(0..=self.line.server(), |number| Node::new(self.line, number));
        hub.tool("ip", &["-batch", "-"], &self.wiring(&nodes));
        in_parallel(&nodes, Node::configure);
        in_parallel(&nodes, Node::settle);
        let relay = self.profiles.map(|profiles| {
            let ports = [CLIENT_PORT, SERVER_PORT];
            in_parallel(ports, |port| offloads_off(&hub, port));
            Relay::start(&hub, ports, profiles, self.seed)
        });
        Lab { relay, hub, nodes, line: self.line, relayed_link: self.relayed_link, _turn: turn }
    }

    /// The links between the nodes, as lines for `ip -batch`.
    fn wiring(&self, nodes: &[Node]) -> String {
        let relayed = self.profiles.map(|_| self.relayed_link);
        let link = |(number, pair): (u8, &[Node])| {
            let [near, far] = [&pair[0], &pair[1]].map(|node| node.namespace.path());
            let (near_mac, far_mac) = (mac(number, End::Near), mac(number, End::Far));
            let near = format!("name up0 address {near_mac} netns {near}");
            let far = format!("name dn0 address {far_mac} netns {far}");
            if relayed == Some(number) {
                format!(
                    "link add {CLIENT_PORT} type veth peer {near}\n\
                     link add {SERVER_PORT} type veth peer {far}\n\
                     link set {CLIENT_PORT} up\n\
                     link set {SERVER_PORT} up\n"
                )
            } else {
                format!("link add {near} type veth peer {far}\n")
            }
        };
        (0..).zip(nodes.windows(2)).map(link).collect()
    }

    fn both(self, change: impl Fn(&mut Profile)) -> Self {
        self.one(Direction::Up, &change).one(Direction::Down, &change)
    }

    fn one(mut self, direction: Direction, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profiles.get_or_insert_default()[direction as usize]);
        self
    }
}

/// The namespace the relay lives in; it has no addresses and says nothing of its own.
fn hub() -> Namespace {
    let hub = Namespace::new();
    hub.run(|| {
        for scope in ["all", "default"] {
            let setting = format!("net.ipv6.conf.{scope}.disable_ipv6");
            write_sysctl(&setting, "1").expect("switch IPv6 off");
        }
    });
    hub
}

/// Maps items on a thread each; what takes time in a lab is waiting for the kernel.
fn in_parallel<I: Send, T: Send>(items: impl IntoIterator<Item = I>, body: impl Fn(I) -> T + Sync) -> Vec<T> {
    let body = &body;
    thread::scope(|scope| {
        let threads: Vec<_> = items.into_iter().map(|item| scope.spawn(move || body(item))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, T>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}
