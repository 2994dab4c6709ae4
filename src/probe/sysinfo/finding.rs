//! What is odd about a host, and why that matters to its network. Nothing is read here: the report is judged.
//!
//! Counters since the start are judged only where they are a share of something; what merely happened once upon a time is
//! no finding. Over `--rate` what happens now is.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, Connection, Device, Interface, Kernel, Report, Sockets};
use crate::probe::Severity;

/// Something odd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SysInfoFinding")]
pub struct Finding {
    /// Its name, which stays the same: `half_duplex`.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: an interface, a file system, a setting; empty of the whole host.
    pub subject: String,
    /// What was seen, and why it matters: one line.
    pub text: String,
    /// The number behind it; null where it is none.
    pub value: Option<f64>,
}

/// The share of retransmitted segments that is bad: a loss ratio of 1 % makes TCP slow on any long way.
const RETRANSMITTED: f64 = 0.01;
/// Segments below which a share says nothing.
const ENOUGH: u64 = 10_000;
/// A table, a range or a disk is nearly full.
const FULL: f64 = 0.8;
/// The share of time that others may have of a virtual processor (probes.md §11).
const STOLEN: f64 = 0.05;
/// 100 Mbit/s: a link that could be faster has most often fallen back to it.
const SLOW_BPS: u64 = 100_000_000;
/// A connection that repeats more than this share of its segments is in trouble.
const LOSSY: f64 = 0.05;
/// A signal below this is slow and unsteady.
const WEAK_DBM: i8 = -75;
/// The share of packets that a radio may repeat.
const REPEATED: f64 = 0.3;
/// The receive buffer below which a way of 50 ms keeps to less than 160 Mbit/s.
const SMALL_BUFFER: u64 = 1 << 20;

/// What is odd about the host of `report`, the worst first. `ephemeral` are the ports that it may choose.
pub(super) fn findings(report: &Report, ephemeral: Option<(u16, u16)>) -> Vec<Finding> {
    let mut list = List(Vec::new());
    list.interfaces(report);
    list.queues(report);
    list.routes(report);
    list.names(report);
    if let Some(kernel) = &report.kernel {
        list.kernel(kernel, report.rate_s.is_some());
    }
    if let Some(sockets) = &report.sockets {
        list.sockets(sockets, ephemeral);
    }
    list.machine(report);
    list.0.sort_by_key(|finding| finding.severity);
    list.0
}

struct List(Vec<Finding>);

impl List {
    fn add(&mut self, severity: Severity, id: &str, subject: &str, value: Option<f64>, text: String) {
        self.0.push(Finding { id: id.to_owned(), severity, subject: subject.to_owned(), text, value });
    }

    fn interfaces(&mut self, report: &Report) {
        for interface in report.interfaces.iter().flatten().filter(|interface| interface.is_in_use()) {
            self.link(interface);
            self.errors(interface);
            for address in interface.addresses.iter().filter(|address| address.duplicate) {
                let text = format!(
                    "{} has {} but another host has it, too: it is not used",
                    interface.name, address.address
                );
                self.add(Severity::Critical, "duplicate_address", &interface.name, None, text);
            }
        }
    }

    fn link(&mut self, interface: &Interface) {
        let name = &interface.name;
        if interface.duplex.as_deref() == Some("half") {
            let text = format!(
                "{name} runs half duplex: one side is most likely set by hand, and packets collide under load"
            );
            self.add(Severity::Critical, "half_duplex", name, None, text);
        }
        let speed = interface.speed_bps.filter(|_| !interface.wireless);
        let fastest = interface.device.as_ref().and_then(Device::fastest_bps);
        let is_slow = |speed: &u64| *speed <= SLOW_BPS || fastest.is_some_and(|fastest| *speed < fastest);
        if let Some(speed) = speed.filter(is_slow) {
            let could = fastest
                .filter(|fastest| speed < *fastest)
                .map(|fastest| format!(" and could do {:.0}", fastest as f64 / 1e6))
                .unwrap_or_default();
            let text = format!(
                "{name} runs at {:.0} Mbit/s{could}: a bad cable or port makes faster ones fall back",
                speed as f64 / 1e6
            );
            self.add(Severity::Warning, "slow_link", name, Some(speed as f64), text);
        }
        self.device(interface);
        if let Some((router, own)) =
            interface.ipv6_mtu_bytes.zip(interface.mtu_bytes).filter(|(router, own)| router < own)
        {
            let text = format!(
                "IPv6 on {name} keeps to {router} octets, as a router says, and IPv4 sends {own}: what is larger may be lost"
            );
            self.add(Severity::Warning, "gateway_mtu", name, Some(f64::from(router)), text);
        }
        if matches!(interface.state.as_str(), "down" | "lowerlayerdown") {
            let text =
                format!("{name} is switched on and has no carrier: no cable, or nobody at its other end");
            self.add(Severity::Info, "no_carrier", name, None, text);
        }
        if let Some(changes) = interface.carrier_changes.filter(|changes| *changes > 20) {
            let text = format!(
                "{name} has lost or found its carrier {changes} times: a loose cable, power saving, or a flapping port"
            );
            self.add(Severity::Warning, "carrier_flaps", name, Some(f64::from(changes)), text);
        }
        if interface.promiscuous && interface.controller.is_none() {
            let text = format!("{name} listens to what is not for this host: somebody captures packets");
            self.add(Severity::Info, "promiscuous", name, None, text);
        }
    }

    fn device(&mut self, interface: &Interface) {
        let name = &interface.name;
        if let Some(device) = &interface.device {
            let can_negotiate = device.supported.iter().any(|mode| mode == "Autoneg");
            if device.negotiates == Some(false) && can_negotiate {
                let text = format!(
                    "{name} is set by hand and does not negotiate: an other end that does falls back to half duplex"
                );
                self.add(Severity::Warning, "no_negotiation", name, None, text);
            }
        }
        let Some(radio) = &interface.radio else { return };
        if let Some(signal) = radio.signal_dbm.filter(|signal| *signal < WEAK_DBM) {
            let text = format!(
                "{name} hears its access point at {signal} dBm: so weak a signal is slow, and repeats what it sends"
            );
            self.add(Severity::Warning, "weak_signal", name, Some(signal.into()), text);
        }
        if let Some(ratio) = radio.retried_ratio().filter(|ratio| *ratio > REPEATED) {
            let text = format!(
                "{name} repeats {:.0} % of its packets on the air: a crowded channel, or a weak signal",
                ratio * 100.0
            );
            self.add(Severity::Warning, "radio_retries", name, Some(ratio), text);
        }
    }

    fn queues(&mut self, report: &Report) {
        for queue in report.queues.iter().flatten().filter(|queue| queue.root && queue.dropped > 100) {
            let ratio = queue.dropped as f64 / (queue.dropped + queue.packets) as f64;
            if ratio > 1e-4 {
                let text = format!(
                    "the queue {} of {} has thrown away {} of {} packets: more is sent than the link takes",
                    queue.kind,
                    queue.interface,
                    queue.dropped,
                    queue.dropped + queue.packets
                );
                self.add(Severity::Warning, "queue_dropped", &queue.interface, Some(ratio), text);
            }
        }
    }

    fn errors(&mut self, interface: &Interface) {
        let (name, rising) = (&interface.name, interface.errors_since.is_some());
        let errors = interface.errors_since.unwrap_or(interface.errors);
        let when = if rising { "now" } else { "since it was made" };
        let packets = (interface.rx_packets + interface.tx_packets).max(1) as f64;
        for (cause, count) in errors.causes() {
            // Of all that came, one in ten thousand: Ethernet promises one damaged frame in 10^8.
            let is_odd = if rising { count > 0 } else { count as f64 / packets > 1e-4 && count > 100 };
            let (id, why) = match cause {
                "rx_crc" | "rx_frame" | "rx_length" => {
                    ("damaged_frames", "a cable, a connector or a transceiver is bad")
                }
                "rx_fifo" | "rx_missed" => {
                    ("host_too_slow", "the host takes packets out too slowly: more queues or a larger ring")
                }
                "tx_carrier" => ("carrier_lost", "the carrier was away while packets were sent"),
                "collisions" => ("collisions", "one side of the link believes in half duplex"),
                "rx_dropped" => ("rx_dropped", "the host had no room or no use for them"),
                "tx_dropped" => ("tx_dropped", "its queue was full: the link is slower than what is sent"),
                "tx_errors" if errors.tx_carrier == 0 => ("tx_errors", "the driver could not send them"),
                "rx_errors"
                    if errors.rx_crc
                        + errors.rx_frame
                        + errors.rx_length
                        + errors.rx_fifo
                        + errors.rx_missed
                        == 0 =>
                {
                    ("rx_errors", "they came damaged")
                }
                _ => continue,
            };
            if is_odd {
                let text = format!("{name}: {count} packets {cause} {when}: {why}");
                self.add(Severity::Warning, id, name, Some(count as f64), text);
            }
        }
    }

    fn routes(&mut self, report: &Report) {
        let Some(routes) = &report.routes else { return };
        let is_v4 = |destination: &str| destination.starts_with("0.0.0.0");
        let defaults: Vec<_> = routes.iter().filter(|route| route.is_default()).collect();
        if defaults.is_empty() {
            let text = "there is no default route: nothing beyond the networks of this host can be reached"
                .to_owned();
            self.add(Severity::Critical, "no_default_route", "", None, text);
        }
        for neighbour in report.neighbours.iter().flat_map(|all| &all.named).filter(|one| one.is_silent()) {
            if defaults.iter().any(|route| route.gateway == Some(neighbour.address)) {
                let text = format!(
                    "the gateway {} on {} does not answer on its link: no packet leaves through it",
                    neighbour.address, neighbour.interface
                );
                self.add(Severity::Critical, "gateway_silent", &neighbour.interface, None, text);
            }
        }
        let global_v6 =
            |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.segments()[0] & 0xe000 == 0x2000);
        let has_v6 = report
            .interfaces
            .iter()
            .flatten()
            .flat_map(|one| &one.addresses)
            .any(|one| global_v6(&one.address));
        if has_v6 && !defaults.is_empty() && defaults.iter().all(|route| is_v4(&route.destination)) {
            let text =
                "there are global IPv6 addresses and no IPv6 default route: programs try IPv6 first and wait"
                    .to_owned();
            self.add(Severity::Warning, "ipv6_without_route", "", None, text);
        }
        for route in &defaults {
            let own =
                report.interfaces.iter().flatten().find(|one| Some(&one.name) == route.interface.as_ref());
            if let Some((own, set)) =
                own.and_then(|own| own.mtu_bytes).zip(route.mtu_bytes).filter(|(own, set)| set > own)
            {
                let text =
                    format!("the default route's MTU, {set}, is larger than that of its interface, {own}");
                self.add(Severity::Warning, "route_mtu", &route.destination, Some(f64::from(set)), text);
            }
        }
    }

    fn names(&mut self, report: &Report) {
        let Some(resolvers) = &report.resolvers else { return };
        if resolvers.servers.is_empty() {
            let text =
                "resolv.conf names no server: names are asked of this host itself, or of nobody".to_owned();
            self.add(Severity::Warning, "no_resolver", "/etc/resolv.conf", None, text);
        }
        if resolvers.servers.len() > 3 {
            let text = format!(
                "resolv.conf names {} servers: the C library asks the first three",
                resolvers.servers.len()
            );
            self.add(
                Severity::Info,
                "resolvers_ignored",
                "/etc/resolv.conf",
                Some(resolvers.servers.len() as f64),
                text,
            );
        }
        let is_silent = |asked: &&Asked| asked.rtt_ms.is_none();
        let silent: Vec<&Asked> = resolvers.asked.iter().filter(is_silent).collect();
        let severity =
            if silent.len() == resolvers.asked.len() { Severity::Critical } else { Severity::Warning };
        for asked in silent {
            let why = asked.why.as_deref().unwrap_or("no answer within a second");
            let text = format!(
                "the resolver {} does not answer ({why}): each name that asks it waits",
                asked.server
            );
            self.add(severity, "resolver_silent", &asked.server.to_string(), None, text);
        }
        for proxy in
            report.proxies.iter().flatten().filter(|proxy| !proxy.variable.eq_ignore_ascii_case("no_proxy"))
        {
            let text = format!(
                "programs are told to go through {} ({}): what they measure is the proxy",
                proxy.value, proxy.variable
            );
            self.add(Severity::Info, "proxy", &proxy.variable, None, text);
        }
    }

    fn kernel(&mut self, kernel: &Kernel, rising: bool) {
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
                "{} packets found the host's input queue full since the start (net.core.netdev_max_backlog)",
                softnet.dropped
            );
            self.add(Severity::Warning, "softnet_dropped", "softnet", Some(softnet.dropped as f64), text);
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

    fn sockets(&mut self, sockets: &Sockets, ephemeral: Option<(u16, u16)>) {
        if let Some((first, last)) = ephemeral.filter(|(first, last)| last > first) {
            let used = f64::from(sockets.ephemeral_used) / f64::from(last - first + 1);
            if used > FULL {
                let text = format!(
                    "{} of {} local ports are in use: new connections to the same servers will fail (net.ipv4.ip_local_port_range)",
                    sockets.ephemeral_used,
                    last - first + 1
                );
                self.add(
                    Severity::Warning,
                    "ports_exhausted",
                    "net.ipv4.ip_local_port_range",
                    Some(used),
                    text,
                );
            }
        }
        let lossy = |one: &&Connection| {
            one.segments >= 100 && f64::from(one.retransmits) > f64::from(one.segments) * LOSSY
        };
        if let Some(worst) = sockets.connections.iter().flatten().find(lossy) {
            let all = sockets.connections.iter().flatten().filter(lossy).count();
            let others =
                if all > 1 { format!(", as do {} more connections", all - 1) } else { String::new() };
            let ratio = f64::from(worst.retransmits) / f64::from(worst.segments);
            let text = format!(
                "the connection to {} sends {:.0} % of its segments again{others}: packets are lost on that way",
                worst.peer,
                ratio * 100.0
            );
            self.add(Severity::Warning, "connection_lossy", &worst.peer.to_string(), Some(ratio), text);
        }
        for listener in
            sockets.listeners.iter().filter(|listener| listener.waiting.is_some_and(|waiting| waiting > 50))
        {
            let waiting = listener.waiting.unwrap_or(0);
            let text = format!(
                "{waiting} connections wait at {} to be accepted: its server is too slow",
                listener.address
            );
            self.add(
                Severity::Warning,
                "accept_queue",
                &listener.address.to_string(),
                Some(f64::from(waiting)),
                text,
            );
        }
    }

    fn machine(&mut self, report: &Report) {
        if let Some(clock) = report.clock.as_ref().filter(|clock| !clock.synchronised) {
            let text = "nobody keeps the clock: one-way delays and certificates' dates cannot be believed"
                .to_owned();
            self.add(Severity::Warning, "clock_unsynchronised", "", Some(clock.max_error_ms), text);
        }
        if let Some(cpu) = &report.cpu {
            if let Some(steal) = cpu.steal_ratio.filter(|steal| *steal > STOLEN) {
                let text = format!(
                    "the hypervisor gives {:.0} % of this host's time to others: what looks like jitter may be that",
                    steal * 100.0
                );
                self.add(Severity::Warning, "cpu_steal", "", Some(steal), text);
            }
            let throttled = cpu.cgroup.as_ref().and_then(|group| Some((group, group.throttled_ratio?)));
            if let Some((group, ratio)) = throttled.filter(|(_, ratio)| *ratio > STOLEN) {
                let text = format!(
                    "the control group {} had to wait in {:.0} % of its periods (cpu.max): delays of up to 100 ms",
                    group.path,
                    ratio * 100.0
                );
                self.add(Severity::Warning, "cpu_throttled", &group.path, Some(ratio), text);
            }
            let stalled = cpu.pressure.as_ref().and_then(|pressure| pressure.cpu).map(|cpu| cpu.some_ratio);
            if let Some(ratio) = stalled.filter(|ratio| *ratio > 0.25) {
                let text = format!("work waited for a processor in {:.0} % of the last 10 s", ratio * 100.0);
                self.add(Severity::Warning, "cpu_pressure", "", Some(ratio), text);
            }
        }
        let stalled =
            report.cpu.as_ref().and_then(|cpu| cpu.pressure.as_ref()?.memory).map(|memory| memory.some_ratio);
        if let Some(ratio) = stalled.filter(|ratio| *ratio > 0.1) {
            let text = format!("work waited for memory in {:.0} % of the last 10 s", ratio * 100.0);
            self.add(Severity::Warning, "memory_pressure", "", Some(ratio), text);
        }
        for disk in report.disks.iter().flatten() {
            if let Some(used) = disk.used_ratio.filter(|used| *used > 0.95) {
                let text = format!("{} is {:.0} % full", disk.mount, used * 100.0);
                self.add(Severity::Warning, "disk_full", &disk.mount, Some(used), text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::sysinfo::{
        Conntrack, Cpu, InterfaceErrors, Neighbour, NeighbourState, Neighbours, Queue, Radio, Resolvers,
        Route, Softnet,
    };
    use std::collections::BTreeMap;

    fn ids(report: &Report) -> Vec<String> {
        findings(report, Some((32_768, 60_999))).into_iter().map(|finding| finding.id).collect()
    }

    fn route(gateway: [u8; 4]) -> Route {
        Route {
            destination: "0.0.0.0/0".to_owned(),
            gateway: Some(gateway.into()),
            interface: Some("eth0".to_owned()),
            source: None,
            metric: None,
            table: 254,
            protocol: "static".to_owned(),
            kind: "unicast".to_owned(),
            mtu_bytes: None,
            ways: 1,
        }
    }

    fn link() -> Interface {
        Interface {
            name: "eth0".to_owned(),
            enabled: true,
            state: "up".to_owned(),
            rx_packets: 1_000_000,
            ..Interface::default()
        }
    }

    #[test]
    fn a_quiet_host_has_no_findings() {
        let report = Report {
            interfaces: Some(vec![link()]),
            routes: Some(vec![route([192, 0, 2, 1])]),
            resolvers: Some(Resolvers { servers: vec!["192.0.2.1".to_owned()], ..Resolvers::default() }),
            kernel: Some(Kernel::default()),
            cpu: Some(Cpu { steal_ratio: Some(0.01), ..Cpu::default() }),
            ..Report::default()
        };
        assert_eq!(ids(&report), Vec::<String>::new());
        assert_eq!(ids(&Report::default()), Vec::<String>::new(), "what was not looked at is not judged");
    }

    #[test]
    fn each_oddity_is_named_by_its_id() {
        let errors = |set: fn(&mut InterfaceErrors)| {
            let mut errors = InterfaceErrors::default();
            set(&mut errors);
            errors
        };
        let of = |interface: Interface| Report { interfaces: Some(vec![interface]), ..Report::default() };
        for (report, id) in [
            (of(Interface { duplex: Some("half".to_owned()), ..link() }), "half_duplex"),
            (of(Interface { speed_bps: Some(10_000_000), ..link() }), "slow_link"),
            (
                of(Interface {
                    speed_bps: Some(1_000_000_000),
                    device: Some(Device {
                        supported: vec!["10000baseT/Full".to_owned()],
                        ..Device::default()
                    }),
                    ..link()
                }),
                "slow_link",
            ),
            (
                of(Interface {
                    device: Some(Device {
                        supported: vec!["Autoneg".to_owned()],
                        negotiates: Some(false),
                        ..Device::default()
                    }),
                    ..link()
                }),
                "no_negotiation",
            ),
            (of(Interface { mtu_bytes: Some(1500), ipv6_mtu_bytes: Some(1480), ..link() }), "gateway_mtu"),
            (
                of(Interface { radio: Some(Radio { signal_dbm: Some(-82), ..Radio::default() }), ..link() }),
                "weak_signal",
            ),
            (
                Report {
                    queues: Some(vec![Queue {
                        root: true,
                        dropped: 500,
                        packets: 9_500,
                        ..Queue::default()
                    }]),
                    ..Report::default()
                },
                "queue_dropped",
            ),
            (of(Interface { state: "down".to_owned(), ..link() }), "no_carrier"),
            (of(Interface { carrier_changes: Some(50), ..link() }), "carrier_flaps"),
            (of(Interface { errors: errors(|errors| errors.rx_crc = 5_000), ..link() }), "damaged_frames"),
            (
                of(Interface { errors_since: Some(errors(|errors| errors.rx_missed = 1)), ..link() }),
                "host_too_slow",
            ),
            (Report { routes: Some(Vec::new()), ..Report::default() }, "no_default_route"),
            (Report { resolvers: Some(Resolvers::default()), ..Report::default() }, "no_resolver"),
        ] {
            assert_eq!(ids(&report), [id]);
        }
        let old = errors(|errors| errors.rx_crc = 50);
        assert!(ids(&of(Interface { errors: old, ..link() })).is_empty(), "50 of a million, since the start");
        let quiet = of(Interface {
            errors: errors(|e| e.rx_crc = 5_000),
            errors_since: Some(InterfaceErrors::default()),
            ..link()
        });
        assert!(ids(&quiet).is_empty(), "none of them is new");
    }

    #[test]
    fn a_gateway_that_does_not_answer_is_critical() {
        let silent = Neighbour {
            address: [192, 0, 2, 1].into(),
            interface: "eth0".to_owned(),
            hardware: None,
            state: NeighbourState::Failed,
        };
        let report = Report {
            routes: Some(vec![route([192, 0, 2, 1])]),
            neighbours: Some(Neighbours { named: vec![silent], ..Neighbours::default() }),
            ..Report::default()
        };
        let found = findings(&report, None);
        assert_eq!((found[0].id.as_str(), found[0].severity), ("gateway_silent", Severity::Critical));
    }

    #[test]
    fn one_silent_resolver_is_bad_and_all_of_them_are_worse() {
        let asked = |last, rtt_ms| Asked { server: [192, 0, 2, last].into(), rtt_ms, why: None };
        let with = |asked: Vec<Asked>| Report {
            resolvers: Some(Resolvers {
                servers: asked.iter().map(|asked| asked.server.to_string()).collect(),
                asked,
                ..Resolvers::default()
            }),
            ..Report::default()
        };
        let there = Some(std::time::Duration::from_millis(3));
        assert!(ids(&with(vec![asked(1, there), asked(2, there)])).is_empty());
        let one = findings(&with(vec![asked(1, there), asked(2, None)]), None);
        assert_eq!((one[0].severity, one[0].subject.as_str()), (Severity::Warning, "192.0.2.2"));
        let all = findings(&with(vec![asked(1, None)]), None);
        assert_eq!((all[0].id.as_str(), all[0].severity), ("resolver_silent", Severity::Critical));
    }

    #[test]
    fn the_kernels_numbers_are_judged_as_shares() {
        let counters = |again| {
            BTreeMap::from([("TcpOutSegs".to_owned(), 100_000), ("TcpRetransSegs".to_owned(), again)])
        };
        let with = |kernel: Kernel| Report { kernel: Some(kernel), ..Report::default() };
        assert_eq!(
            ids(&with(Kernel { counters: counters(2_000), ..Kernel::default() })),
            ["tcp_retransmits"]
        );
        assert!(ids(&with(Kernel { counters: counters(500), ..Kernel::default() })).is_empty());
        let full = Kernel { conntrack: Some(Conntrack { entries: 90, max: 100 }), ..Kernel::default() };
        assert_eq!(ids(&with(full)), ["conntrack_full"]);
        let slow =
            Kernel { softnet: Some(Softnet { processed: 9, dropped: 1, squeezed: 0 }), ..Kernel::default() };
        assert_eq!(ids(&with(slow)), ["softnet_dropped"]);
        let settings = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        for (name, value, id) in [
            ("net.ipv4.tcp_sack", "0", "no_sack"),
            ("net.ipv4.tcp_rmem", "4096 131072 262144", "small_receive_buffer"),
            ("net.ipv4.tcp_mtu_probing", "0", "no_mtu_probing"),
        ] {
            assert_eq!(ids(&with(Kernel { settings: settings(name, value), ..Kernel::default() })), [id]);
        }
    }
}
