//! A network in a box: a line of routers between a client and a server, with impairments, and
//! with the truth about what they did.
//!
//! ```ignore
//! let lab = Lab::line(3).delay(20.ms()).loss(2.pct()).build();
//! let status = lab.client().command("ping").arg(lab.server().address4().to_string()).status();
//! assert!(lab.relay().totals(Direction::Up).lost > 0);
//! ```
//!
//! Each node is a network namespace held by an open file, without a name and without a process of
//! its own; a thread enters it with setns(2). The namespaces end with the test process, however
//! it ends, and what a test starts in them ends with the thread that started it. Labs share
//! nothing, so tests run in parallel; those that measure time take [`alone`] first.
//!
//! Root is not needed, where ordinary users may make user namespaces (`privilege`).

mod builder;
mod busy;
mod capture;
mod counters;
mod diamond;
mod link;
mod namespace;
mod node;
mod privilege;
mod relay;
mod rule;
mod shape;
mod starved;
mod sys;
mod topology;
mod tries;
mod turn;
mod units;

#[cfg(test)]
mod tests;

use std::fs::{metadata, read_dir};
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) use self::builder::Builder;
pub(crate) use self::busy::Busy;
pub(crate) use self::capture::{Packet, Segment};
pub(crate) use self::counters::counter;
pub(crate) use self::diamond::Diamond;
pub(crate) use self::link::Link;
pub(crate) use self::node::Node;
pub(crate) use self::relay::{Bottleneck, Fate, GilbertElliott, Profile, Record, Relay};
pub(crate) use self::rule::{Hook, Loss, Rule};
pub(crate) use self::shape::{Queue, Shaper};
pub(crate) use self::starved::{Starved, Threads, pin, processors};
pub(crate) use self::topology::Direction;
pub(crate) use self::tries::{holds, one_of_three, overflowed};
pub(crate) use self::turn::{alone, shared};
pub(crate) use self::units::{Percent, Units};

use self::namespace::Namespace;
use self::topology::Line;
use self::turn::Turn;

/// A lab that is up; it comes down when dropped, and all processes in it with it.
pub(crate) struct Lab {
    relay: Option<Relay>,
    hub: Namespace,
    nodes: Vec<Node>,
    line: Line,
    relayed_link: u8,
    _turn: Turn,
}

impl Lab {
    /// Describes client — r1 — … — rn — server; n may be 0.
    pub(crate) fn line(routers: u8) -> Builder {
        Builder::new(routers)
    }

    /// Where the line begins.
    pub(crate) fn client(&self) -> &Node {
        self.node(0)
    }

    /// Where the line ends.
    pub(crate) fn server(&self) -> &Node {
        self.node(self.line.server())
    }

    /// A router; 1 is the client's neighbour.
    pub(crate) fn router(&self, number: u8) -> &Node {
        assert!((1..self.line.server()).contains(&number), "there is no router {number}");
        self.node(number)
    }

    /// The link between node `number` (0 is the client) and the next.
    pub(crate) fn link(&self, number: u8) -> Link<'_> {
        Link::new(self, number)
    }

    /// The relay an impairment has asked for.
    pub(crate) fn relay(&self) -> &Relay {
        self.relay.as_ref().expect("this lab was built without a relay")
    }

    fn node(&self, number: u8) -> &Node {
        &self.nodes[usize::from(number)]
    }
}

impl Drop for Lab {
    /// Kills the processes that are still inside, such as the children of those it started.
    fn drop(&mut self) {
        let inside: Vec<u64> = self.nodes.iter().map(|node| node.namespace.inode()).collect();
        // In the hub, because an ordinary user's other threads may not look into the lab's processes.
        self.hub.run(|| kill_all_in(&inside));
    }
}

/// Kills the processes whose network namespace is one of these.
fn kill_all_in(namespaces: &[u64]) {
    for process in read_dir("/proc").into_iter().flatten().flatten() {
        let namespace = metadata(process.path().join("ns/net"));
        let number = process.file_name().to_str().and_then(|name| name.parse().ok());
        if let (Ok(namespace), Some(number)) = (namespace, number)
            && namespaces.contains(&namespace.ino())
        {
            let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
        }
    }
}
