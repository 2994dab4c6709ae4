//! The kernel's own counters of a node, by the names nstat(8) gives them.

use std::collections::BTreeMap;
use std::fs::read_to_string;

use super::node::Node;

impl Node {
    /// The counter `IcmpOutTimeExcds`, `TcpExtListenDrops`, `Ip6InReceives`, … right now.
    ///
    /// # Panics
    /// When the kernel has no such counter.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        self.run(|| counter(name))
    }
}

/// A counter of this host's own namespace, or of the one that the thread is in.
///
/// # Panics
/// When the kernel has no such counter.
pub(crate) fn counter(name: &str) -> u64 {
    *read().get(name).unwrap_or_else(|| panic!("the kernel does not count {name}"))
}

/// All counters of the calling thread's namespace.
fn read() -> BTreeMap<String, u64> {
    let file = |name| read_to_string(format!("/proc/thread-self/net/{name}")).expect("read the counters");
    let mut counters = paired(&file("snmp"));
    counters.extend(paired(&file("netstat")));
    counters.extend(listed(&file("snmp6")));
    counters
}

/// `snmp` and `netstat`: a line of names, a line of values, both after a prefix and a colon.
/// A few values (`Tcp: MaxConn -1`) are not counters.
fn paired(text: &str) -> BTreeMap<String, u64> {
    let lines: Vec<&str> = text.lines().collect();
    let pair = |pair: &[&str]| -> Option<Vec<(String, u64)>> {
        let (prefix, names) = pair.first()?.split_once(": ")?;
        let (_, values) = pair.get(1)?.split_once(": ")?;
        let counters = names.split(' ').zip(values.split(' '));
        let named = |(name, value): (&str, &str)| Some((format!("{prefix}{name}"), value.parse().ok()?));
        Some(counters.filter_map(named).collect())
    };
    lines.chunks(2).filter_map(pair).flatten().collect()
}

/// `snmp6`: a name and a value per line.
fn listed(text: &str) -> BTreeMap<String, u64> {
    let counter = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
    };
    text.lines().filter_map(counter).collect()
}
