//! Packet filter rules with counters: loss by direction, filtered and rejected ports, policers.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::node::Node;
use super::topology::Direction;

/// Which packets of many a rule takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loss {
    /// The fourth, and then every n-th: the number lost is known before (all if `every` is 1).
    Exact { every: u32 },
    /// This share, 0 to 1, by chance. The kernel's chance has no seed: see the relay for one.
    Random(f64),
}

/// Where in a node's stack a rule looks at packets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hook {
    /// All that come in, the router's own included.
    Prerouting,
    /// Those that pass through.
    Forward,
    /// Those for the node itself.
    Input,
    /// Those the node sends.
    Output,
}

/// A rule in force on a node, until it is lifted.
pub(crate) struct Rule<'lab> {
    node: &'lab Node,
    table: String,
}

/// Tells the rules of a process apart: each has a table of its own, so that it can be lifted.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Loss {
    fn matching(self) -> String {
        match self {
            Self::Exact { every } => format!("numgen inc mod {every} == {}", 3 % every),
            Self::Random(ratio) => {
                format!("numgen random mod 1000000 < {}", (ratio * 1e6).round())
            }
        }
    }
}

impl Hook {
    fn chain(self) -> &'static str {
        match self {
            Self::Prerouting => "hook prerouting priority -300",
            Self::Forward => "hook forward priority 0",
            Self::Input => "hook input priority 0",
            Self::Output => "hook output priority 0",
        }
    }
}

impl Node {
    /// Loses packets that pass this node on their way from the client to the server.
    pub(crate) fn drop_up(&self, loss: Loss) -> Rule<'_> {
        self.drop_towards(Direction::Up, loss)
    }

    /// Loses packets that pass this node on their way from the server to the client.
    pub(crate) fn drop_down(&self, loss: Loss) -> Rule<'_> {
        self.drop_towards(Direction::Down, loss)
    }

    fn drop_towards(&self, direction: Direction, loss: Loss) -> Rule<'_> {
        let matching = format!("iifname {} {}", direction.entry(), loss.matching());
        self.rule(Hook::Forward, &matching, "drop")
    }

    /// Does to packets that match (`tcp dport 1001`) what the verdict says: `drop`,
    /// `reject with tcp reset`, … (nft(8)).
    pub(crate) fn rule(&self, hook: Hook, matching: &str, verdict: &str) -> Rule<'_> {
        let table = format!("lab{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let chain = hook.chain();
        self.nft(&format!(
            "table inet {table} {{\n\
             counter hits {{ }}\n\
             chain only {{\n\
             type filter {chain}\n\
             {matching} counter name hits {verdict}\n\
             }}\n\
             }}\n"
        ));
        Rule { node: self, table }
    }

    /// Hides what comes from the client's side behind the node's own address, by a table `nat`.
    pub(crate) fn masquerade(&self) {
        self.nft(
            "table inet nat {\n\
             chain post {\n\
             type nat hook postrouting priority 100\n\
             oifname up0 masquerade\n\
             }\n\
             }\n",
        );
    }

    fn nft(&self, script: &str) {
        self.namespace.tool("nft", &["-f", "-"], script);
    }
}

impl Rule<'_> {
    /// How many packets the rule has hit.
    pub(crate) fn dropped(&self) -> u64 {
        let arguments = ["-j", "list", "counter", "inet", &self.table, "hits"];
        let printed = self.node.namespace.tool("nft", &arguments, "");
        packets(&printed).unwrap_or_else(|| panic!("no counter in {printed}"))
    }

    /// Ends the rule.
    pub(crate) fn lift(self) {
        self.node.nft(&format!("delete table inet {}", self.table));
    }
}

/// The packets of the counter in nft's JSON (libnftables-json(5)).
fn packets(printed: &str) -> Option<u64> {
    let listing: Value = serde_json::from_str(printed).ok()?;
    let mut objects = listing["nftables"].as_array()?.iter();
    objects.find_map(|object| object["counter"]["packets"].as_u64())
}
