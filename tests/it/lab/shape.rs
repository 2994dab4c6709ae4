//! Shaping by the kernel, for rates and queues the relay is too slow for.

use std::time::Duration;

use serde_json::Value;

use super::node::Node;
use super::topology::Direction;

/// How an interface is slowed down.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shaper {
    /// Token bucket with a queue measured in time: the way to bufferbloat.
    TokenBucket {
        /// Bits of Ethernet frame per second.
        rate: u64,
        /// Octets that may pass at once.
        burst: u64,
        /// What a full queue adds to the delay.
        latency: Duration,
    },
    /// Hierarchical token bucket over a queue measured in octets.
    Fifo {
        /// Bits of Ethernet frame per second.
        rate: u64,
        /// Octets the queue holds.
        queue: u64,
    },
}

/// The queue of a shaped interface.
pub(crate) struct Queue<'lab> {
    node: &'lab Node,
    interface: &'static str,
}

impl Shaper {
    /// Lines for `tc -batch`.
    fn batch(self, interface: &str) -> String {
        match self {
            Self::TokenBucket { rate, burst, latency } => format!(
                "qdisc replace dev {interface} root tbf rate {rate}bit burst {burst} latency {}us\n",
                latency.as_micros()
            ),
            Self::Fifo { rate, queue } => format!(
                "qdisc replace dev {interface} root handle 1: htb default 1\n\
                 class replace dev {interface} parent 1: classid 1:1 \
                 htb rate {rate}bit ceil {rate}bit burst 16k\n\
                 qdisc replace dev {interface} parent 1:1 bfifo limit {queue}\n"
            ),
        }
    }
}

impl Node {
    /// Slows down what leaves the node in this direction.
    pub(crate) fn shape(&self, direction: Direction, shaper: Shaper) -> Queue<'_> {
        assert!(self.has_exit(direction), "the line ends here");
        let interface = direction.exit();
        self.namespace.tool("tc", &["-batch", "-"], &shaper.batch(interface));
        Queue { node: self, interface }
    }
}

impl Node {
    /// Lets what leaves the node in this direction go as it comes again.
    pub(crate) fn unshape(&self, direction: Direction) {
        self.namespace.tool("tc", &["qdisc", "delete", "dev", direction.exit(), "root"], "");
    }
}

impl Queue<'_> {
    /// How many packets the queue had no room for.
    pub(crate) fn dropped(&self) -> u64 {
        self.count(["drops"])[0]
    }

    /// Octets of Ethernet frames that it has let through, and how many frames they were.
    pub(crate) fn sent(&self) -> [u64; 2] {
        self.count(["bytes", "packets"])
    }

    /// Octets of Ethernet frames that wait in it now.
    pub(crate) fn backlog(&self) -> u64 {
        self.count(["backlog"])[0]
    }

    /// What the root qdisc counts, its children's too.
    fn count<const N: usize>(&self, names: [&str; N]) -> [u64; N] {
        let arguments = ["-s", "-j", "qdisc", "show", "dev", self.interface];
        let printed = self.node.namespace.tool("tc", &arguments, "");
        let queues: Value = serde_json::from_str(&printed).unwrap_or(Value::Null);
        let root = queues.as_array().and_then(|queues| queues.iter().find(|queue| queue["root"] == true));
        let root = root.unwrap_or_else(|| panic!("no root qdisc in {printed}"));
        names.map(|name| root[name].as_u64().unwrap_or_else(|| panic!("no {name} in {printed}")))
    }
}
