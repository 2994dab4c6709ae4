//! What is odd about what the kernel counts and is set to.

use super::{FULL, List};
use crate::probe::Severity;
use crate::probe::sysinfo::{Kernel, Softnet};

/// The share of retransmitted segments that is bad: a loss ratio of 1 % makes TCP slow on any long way.
const RETRANSMITTED: f64 = 0.01;
/// Segments below which a share says nothing.
const ENOUGH: u64 = 10_000;
/// For one of so many packets that were handled others may have been left for later, and so often in any case.
const SQUEEZED: u64 = 1000;
const SQUEEZED_LEAST: u64 = 10;
/// The receive buffer below which a way of 50 ms keeps to less than 160 Mbit/s.
const SMALL_BUFFER: u64 = 1 << 20;

impl List {
    pub(super) fn kernel(&mut self, kernel: &Kernel, rising: bool) {
        if let Some(table) = kernel.conntrack.filter(|table| table.max > 0) {
            let used = table.entries as f64 / table.max as f64;
            if used > FULL {
                let text = format!(
                    "connection tracking has {} of {} entries: a full table drops new connections (net.netfilter.nf_conntrack_max)",
                    table.entries, table.max
                );
                let severity = if used > 0.95 { Severity::Critical } else { Severity::Warning };
                self.add(severity, "conntrack_full", "nf_conntrack", Some(used), text);
            }
        }
        if let Some(softnet) = kernel.softnet.filter(|softnet| softnet.dropped > 0) {
            let text = format!(
                "{} packets found the host's input queue full since the start: they are lost (net.core.netdev_max_backlog)",
                softnet.dropped
            );
            self.add(Severity::Warning, "softnet_dropped", "softnet", Some(softnet.dropped as f64), text);
        }
        let squeezed =
            |softnet: &Softnet| softnet.squeezed > SQUEEZED_LEAST.max(softnet.processed / SQUEEZED);
        if let Some(softnet) = kernel.softnet_since.filter(squeezed) {
            let text = format!(
                "the host leaves packets for later, its time for them being over ({} times now): they come late (net.core.netdev_budget)",
                softnet.squeezed
            );
            self.add(Severity::Info, "softnet_squeezed", "softnet", Some(softnet.squeezed as f64), text);
        }
        // Of three numbers of pages the last is the most that TCP takes.
        let most = kernel
            .settings
            .get("net.ipv4.tcp_mem")
            .and_then(|text| text.rsplit(' ').next()?.parse::<u64>().ok());
        let used = kernel.sockets.get("TCP mem").copied();
        if let Some((used, most)) = used.zip(most).filter(|(used, most)| *used as f64 > FULL * *most as f64) {
            let text = format!(
                "TCP has {used} of {most} pages of memory: beyond them it shrinks windows and drops connections (net.ipv4.tcp_mem)"
            );
            self.add(Severity::Warning, "tcp_memory_full", "TCP", Some(used as f64 / most as f64), text);
        }
        let (sent, again) = (kernel.counter("TcpOutSegs"), kernel.counter("TcpRetransSegs"));
        let now = |name: &str| {
            kernel.counters_per_second.as_ref().map(|rates| rates.get(name).copied().unwrap_or(0.0))
        };
        let (ratio, when) = match now("TcpRetransSegs").zip(now("TcpOutSegs")) {
            // Below a hundred segments a second a single one would be a finding.
            Some((again, sent)) => ((sent > 100.0).then(|| again / sent), "now"),
            None => ((sent > ENOUGH).then(|| again as f64 / sent as f64), "since the start"),
        };
        if let Some(ratio) = ratio.filter(|ratio| *ratio > RETRANSMITTED) {
            let text = format!(
                "TCP sends {:.1} % of its segments again {when}: packets are lost on the way",
                ratio * 100.0
            );
            self.add(Severity::Warning, "tcp_retransmits", "TcpRetransSegs", Some(ratio), text);
        }
        for (name, id, why) in [
            (
                "TcpExtListenOverflows",
                "listen_overflow",
                "a server accepts too slowly (its backlog, net.core.somaxconn)",
            ),
            ("UdpRcvbufErrors", "udp_receive_buffer", "a program reads too slowly (net.core.rmem_max)"),
            ("UdpSndbufErrors", "udp_send_buffer", "a program sends faster than the link"),
            (
                "TcpExtTCPMemoryPressures",
                "tcp_memory",
                "TCP ran out of memory and shrank its windows (net.ipv4.tcp_mem)",
            ),
        ] {
            let count = if rising { now(name).unwrap_or(0.0) } else { 0.0 };
            if count > 0.0 {
                self.add(
                    Severity::Warning,
                    id,
                    name,
                    Some(count),
                    format!("{name} grows by {count:.1} a second: {why}"),
                );
            }
        }
        self.settings(kernel);
    }

    fn settings(&mut self, kernel: &Kernel) {
        for (name, id, why) in [
            (
                "net.ipv4.tcp_window_scaling",
                "no_window_scaling",
                "no connection gets beyond 64 KiB a round trip (RFC 7323)",
            ),
            ("net.ipv4.tcp_sack", "no_sack", "one lost packet makes TCP send many again (RFC 2018)"),
            ("net.ipv4.tcp_timestamps", "no_timestamps", "TCP measures round trips badly (RFC 7323)"),
        ] {
            if kernel.setting::<u32>(name) == Some(0) {
                self.add(Severity::Warning, id, name, Some(0.0), format!("{name} is off: {why}"));
            }
        }
        // The last of three numbers is the largest buffer that a connection grows to.
        let largest = kernel
            .settings
            .get("net.ipv4.tcp_rmem")
            .and_then(|text| text.rsplit(' ').next()?.parse::<u64>().ok());
        if let Some(largest) = largest.filter(|largest| *largest < SMALL_BUFFER) {
            let text = format!(
                "a TCP receive buffer grows to {largest} octets at most: on a way of 50 ms that is {:.0} Mbit/s (net.ipv4.tcp_rmem)",
                largest as f64 * 8.0 / 0.05 / 1e6
            );
            self.add(
                Severity::Warning,
                "small_receive_buffer",
                "net.ipv4.tcp_rmem",
                Some(largest as f64),
                text,
            );
        }
        if kernel.setting::<u32>("net.ipv4.tcp_mtu_probing") == Some(0) {
            let text = "TCP does not probe the path's MTU: behind a black hole connections hang (net.ipv4.tcp_mtu_probing=1)".to_owned();
            self.add(Severity::Info, "no_mtu_probing", "net.ipv4.tcp_mtu_probing", Some(0.0), text);
        }
    }
}
