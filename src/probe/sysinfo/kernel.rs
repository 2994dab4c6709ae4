//! What the kernel's network is set to, and what it has counted.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;

/// Settings that explain a bad network, as sysctl(8) calls them.
const SETTINGS: [&str; 27] = [
    "net.core.default_qdisc",
    "net.core.netdev_budget",
    "net.core.netdev_max_backlog",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_max",
    "net.ipv4.icmp_ratelimit",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_available_congestion_control",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_ecn",
    "net.ipv4.tcp_fastopen",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_mem",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_window_scaling",
    "net.ipv4.tcp_wmem",
    "net.ipv4.udp_mem",
    "net.ipv6.conf.all.disable_ipv6",
];

/// The kernel's network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// Its settings, by sysctl(8)'s names. What this kernel does not have is absent.
    pub settings: BTreeMap<String, String>,
    /// What it has counted since the start, by nstat(8)'s names, zeros left out.
    pub counters: BTreeMap<String, u64>,
    /// The same a second, over `--rate`, of what has changed; null without.
    pub counters_per_second: Option<BTreeMap<String, f64>>,
    /// Its sockets and their memory, by the words of /proc/net/sockstat: `TCP alloc`, `TCP mem` in pages, `FRAG memory` in octets.
    #[serde(default)]
    pub sockets: BTreeMap<String, u64>,
    /// Its queues of packets that came, all processors together.
    pub softnet: Option<Softnet>,
    /// What those did over `--rate`; null without.
    #[serde(default)]
    pub softnet_since: Option<Softnet>,
    /// Connection tracking; null where it is not used.
    pub conntrack: Option<Conntrack>,
}

/// What a processor does with packets that came, since the start, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Softnet {
    /// Packets that were handled.
    pub processed: u64,
    /// Packets that found the queue full (net.core.netdev_max_backlog).
    pub dropped: u64,
    /// Times that work was left when its time was over (net.core.netdev_budget).
    pub squeezed: u64,
}

/// The table of connections that the firewall knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conntrack {
    /// Entries.
    pub entries: u64,
    /// Entries that it can have.
    pub max: u64,
}

impl Kernel {
    pub(super) fn read(source: &mut Source) -> Self {
        let mut settings = BTreeMap::new();
        for name in SETTINGS {
            if let Some(value) = source.text_if_any(&format!("/proc/sys/{}", name.replace('.', "/"))) {
                let value: Vec<&str> = value.split_whitespace().collect();
                settings.insert(name.to_owned(), value.join(" "));
            }
        }
        let counters = counters(source).into_iter().filter(|(_, value)| *value > 0).collect();
        let files = ["/proc/net/sockstat", "/proc/net/sockstat6"].map(|path| source.text_if_any(path));
        let sockets = files.iter().flatten().flat_map(|text| counted(text)).collect();
        let softnet = Softnet::read(source);
        let entries = source.word("/proc/sys/net/netfilter/nf_conntrack_count");
        let max = source.word("/proc/sys/net/netfilter/nf_conntrack_max");
        let conntrack = entries.zip(max).map(|(entries, max)| Conntrack { entries, max });
        Self {
            settings,
            counters,
            counters_per_second: None,
            sockets,
            softnet,
            softnet_since: None,
            conntrack,
        }
    }

    /// A counter; 0 where it never counted.
    pub(super) fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or(0)
    }

    /// The first word of a setting, as a number.
    pub(super) fn setting<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.settings.get(name)?.split(' ').next()?.parse().ok()
    }
}

/// Every counter, by nstat(8)'s names.
pub(super) fn counters(source: &mut Source) -> BTreeMap<String, u64> {
    let mut counters = BTreeMap::new();
    for path in ["/proc/net/snmp", "/proc/net/netstat"] {
        counters.extend(source.text(path).iter().flat_map(|text| paired(text)));
    }
    counters.extend(source.text_if_any("/proc/net/snmp6").iter().flat_map(|text| listed(text)));
    counters
}

/// What has changed between two readings, a second.
pub(super) fn per_second(
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
    seconds: f64,
) -> BTreeMap<String, f64> {
    let changed = after.iter().filter_map(|(name, value)| {
        let by = value.checked_sub(before.get(name).copied().unwrap_or(0)).filter(|by| *by > 0)?;
        Some((name.clone(), by as f64 / seconds))
    });
    changed.collect()
}

/// `Tcp: RtoMin RtoMax …` above `Tcp: 200 120000 …`: `TcpRtoMin`. `TcpExt: X` is `TcpExtX`; numbers below 0 are no counts.
fn paired(text: &str) -> Vec<(String, u64)> {
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.chunks_exact(2).filter_map(|pair| {
        let (group, names) = pair[0].split_once(':')?;
        let (same, values) = pair[1].split_once(':')?;
        (group == same).then(|| {
            let both = names.split_whitespace().zip(values.split_whitespace());
            both.filter_map(move |(name, value)| Some((format!("{group}{name}"), value.parse().ok()?)))
        })
    });
    pairs.flatten().collect()
}

/// `Ip6InReceives   12` on each line.
fn listed(text: &str) -> Vec<(String, u64)> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(char::is_whitespace)?;
        Some((name.to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter_map(pair).collect()
}

/// `TCP: inuse 5 mem 3` on each line: `TCP inuse`.
fn counted(text: &str) -> Vec<(String, u64)> {
    let groups = text.lines().filter_map(|line| line.split_once(':'));
    let pairs = groups.flat_map(|(group, counts)| {
        let words: Vec<&str> = counts.split_whitespace().collect();
        let pair = |pair: &[&str]| Some((format!("{group} {}", pair[0]), pair[1].parse().ok()?));
        words.chunks_exact(2).filter_map(pair).collect::<Vec<_>>()
    });
    pairs.collect()
}

impl Softnet {
    /// Those of this host; `None` where they cannot be read.
    pub(super) fn read(source: &mut Source) -> Option<Self> {
        source.text("/proc/net/softnet_stat").as_deref().map(Self::parse)
    }

    /// What has come since `before`; each processor counts to 2^32 and begins anew.
    pub(super) const fn since(self, before: Self) -> Self {
        Self {
            processed: self.processed.saturating_sub(before.processed),
            dropped: self.dropped.saturating_sub(before.dropped),
            squeezed: self.squeezed.saturating_sub(before.squeezed),
        }
    }

    /// Hexadecimal columns, a line for each processor.
    fn parse(text: &str) -> Self {
        let column = |line: &str, place: usize| {
            line.split_whitespace()
                .nth(place)
                .and_then(|word| u64::from_str_radix(word, 16).ok())
                .unwrap_or(0)
        };
        text.lines().fold(Self::default(), |all, line| Self {
            processed: all.processed + column(line, 0),
            dropped: all.dropped + column(line, 1),
            squeezed: all.squeezed + column(line, 2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_have_nstats_names() {
        let text = "Ip: Forwarding InReceives\nIp: 1 500\nTcp: MaxConn RetransSegs\nTcp: -1 7\n";
        let found = paired(text);
        assert!(
            found.contains(&("IpInReceives".to_owned(), 500))
                && found.contains(&("TcpRetransSegs".to_owned(), 7))
        );
        assert!(!found.iter().any(|(name, _)| name == "TcpMaxConn"), "-1 is no count");
        assert_eq!(listed("Ip6InReceives  \t12\nnonsense\n"), [("Ip6InReceives".to_owned(), 12)]);
        assert_eq!(paired("Ip: A\nTcp: 1\nodd\n"), []);
    }

    #[test]
    fn softnet_is_added_up_over_processors() {
        let text = "0000000a 00000001 00000002 0\n00000010 00000000 00000001 0\n";
        assert_eq!(Softnet::parse(text), Softnet { processed: 26, dropped: 1, squeezed: 3 });
        assert_eq!(Softnet::parse("x y z\n"), Softnet::default());
    }

    #[test]
    fn a_rate_is_what_has_changed_a_second() {
        let map =
            |pairs: &[(&str, u64)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (map(&[("a", 10), ("b", 5), ("c", 9)]), map(&[("a", 30), ("b", 5), ("c", 1), ("d", 4)]));
        let rates = per_second(&before, &after, 2.0);
        assert_eq!(rates, BTreeMap::from([("a".to_owned(), 10.0), ("d".to_owned(), 2.0)]));
    }
}
