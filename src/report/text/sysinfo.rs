//! `sysinfo` for people: what is odd first, then what there is, a line for each part.

use std::io;

use super::findings::findings;
use super::packets::label;
use super::{ABSENT, Style, Summary, bytes, counted, escape, percent, rate};
use crate::probe::Measurement;
use crate::probe::sysinfo::{
    Change, ClockState, Connection, Cpu, Device, Disk, Host, Interface, Kernel, Memory, Neighbours, Process,
    Radio, Report, Resolvers, Route, Sockets,
};

/// Routes, listeners and addresses that are shown.
const SHOWN: usize = 8;
/// Connections that are shown.
const CONNECTIONS: usize = 20;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, _: &Measurement, style: Style) -> io::Result<()> {
        if let Some(changes) = &self.changes {
            differences(out, changes)?;
            // Two records were compared: nothing was looked at.
            if self.host.is_none() && self.unavailable.is_empty() && self.findings.is_empty() {
                return Ok(());
            }
        }
        let found = self.findings.iter().map(|one| (one.severity, one.text.as_str()));
        findings(out, style, found)?;
        for (name, text) in parts(self) {
            label(out, style, name, &text)?;
        }
        for interface in self.interfaces.iter().flatten() {
            label(out, style, "interface", &link(interface))?;
            if let Some(found) = &interface.radio {
                label(out, style, "radio", &radio(found))?;
            }
            let told = interface.device.as_ref().map(device).unwrap_or_default();
            if !told.is_empty() && interface.name != "lo" {
                label(out, style, "driver", &told.join(", "))?;
            }
        }
        let routes = self.routes.iter().flatten();
        for route in routes.filter(|route| route.table == 254 || route.is_default()).take(SHOWN) {
            label(out, style, "route", &way(route))?;
        }
        let lossy = self.sockets.iter().flat_map(|sockets| sockets.connections.iter().flatten());
        for connection in lossy.take(CONNECTIONS) {
            label(out, style, "connection", &flow(connection))?;
        }
        for process in self.processes.iter().flatten() {
            label(out, style, "process", &program(process))?;
        }
        if !self.unavailable.is_empty() {
            let what: Vec<&str> = self.unavailable.iter().map(|one| one.what.as_str()).collect();
            label(out, style, "not read", &escape(&what.join(", ")))?;
        }
        Ok(())
    }
}

/// What has changed, a line each: `interfaces.eth0.mtu_bytes  1500 -> 1400`.
fn differences(out: &mut impl io::Write, changes: &[Change]) -> io::Result<()> {
    if changes.is_empty() {
        return writeln!(out, "nothing has changed\n");
    }
    let shown = |value: &serde_json::Value| match value {
        serde_json::Value::Null => ABSENT.to_owned(),
        serde_json::Value::String(text) => escape(text).into_owned(),
        serde_json::Value::Object(_) => "there".to_owned(),
        value => escape(&value.to_string()).into_owned(),
    };
    for change in changes {
        writeln!(out, "{}  {} -> {}", escape(&change.path), shown(&change.before), shown(&change.after))?;
    }
    writeln!(out)
}

/// The parts that are a line each.
fn parts(report: &Report) -> Vec<(&'static str, String)> {
    let mut parts = Vec::new();
    let mut add = |name, text: Option<String>| parts.extend(text.map(|text| (name, text)));
    add("host", report.host.as_ref().map(host));
    add("cpu", report.cpu.as_ref().map(cpu));
    add("memory", report.memory.as_ref().map(memory));
    add("disks", report.disks.as_deref().map(disks));
    add("clock", report.clock.as_ref().map(clock));
    add("resolvers", report.resolvers.as_ref().map(resolvers));
    add("tcp", report.kernel.as_ref().map(tcp));
    add("queues", report.kernel.as_ref().map(queues));
    add("sockets", report.sockets.as_ref().map(sockets));
    add("neighbours", report.neighbours.as_ref().map(neighbours));
    parts
}

fn known(text: Option<&str>) -> String {
    text.map_or_else(|| ABSENT.to_owned(), |text| escape(text).into_owned())
}

fn host(host: &Host) -> String {
    let up = host.uptime_s.map_or_else(|| ABSENT.to_owned(), lasted);
    let guest =
        host.hypervisor.as_deref().map(|name| format!(", guest of {}", escape(name))).unwrap_or_default();
    let inside = host.container.as_deref().map(|name| format!(", in {}", escape(name))).unwrap_or_default();
    let (name, os, kernel) =
        (known(host.name.as_deref()), known(host.os.as_deref()), known(host.kernel.as_deref()));
    format!("{name}, {os}, Linux {kernel} {}, up {up}{guest}{inside}", host.architecture)
}

/// `3 d 4 h`, `4 h 12 min`, `12 min`.
fn lasted(seconds: f64) -> String {
    let minutes = (seconds / 60.0) as u64;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

fn cpu(cpu: &Cpu) -> String {
    let share = |ratio: Option<f64>| ratio.map_or_else(|| ABSENT.to_owned(), percent);
    let count = cpu.count.map_or_else(|| ABSENT.to_owned(), |count| count.to_string());
    let load =
        cpu.load.map_or_else(|| ABSENT.to_owned(), |load| load.map(|load| format!("{load:.2}")).join(" "));
    let limit = cpu
        .cgroup
        .as_ref()
        .and_then(|group| group.cpus)
        .map(|cpus| format!(", limited to {cpus}"))
        .unwrap_or_default();
    format!(
        "{count} × {}, load {load}, busy {}, interrupts {}, steal {}{limit}",
        known(cpu.model.as_deref()),
        share(cpu.busy_ratio),
        share(cpu.interrupt_ratio),
        share(cpu.steal_ratio)
    )
}

fn memory(memory: &Memory) -> String {
    let free = memory.available_bytes.map_or_else(|| ABSENT.to_owned(), |free| bytes(free as f64));
    let swap = memory.swap_total_bytes - memory.swap_free_bytes.min(memory.swap_total_bytes);
    format!("{} of {} available, {} swapped", free, bytes(memory.total_bytes as f64), bytes(swap as f64))
}

fn disks(disks: &[Disk]) -> String {
    let one = |disk: &Disk| {
        let used = disk.used_ratio.map_or_else(|| ABSENT.to_owned(), percent);
        format!("{} {used} full", escape(&disk.mount))
    };
    match disks {
        [] => ABSENT.to_owned(),
        disks => disks.iter().take(SHOWN).map(one).collect::<Vec<_>>().join(", "),
    }
}

fn clock(clock: &ClockState) -> String {
    let kept = if clock.synchronised { "kept" } else { "kept by nobody" };
    format!(
        "{kept}, wrong by at most {:.1} ms, ticks of {}",
        clock.max_error_ms,
        known(clock.source.as_deref())
    )
}

fn resolvers(resolvers: &Resolvers) -> String {
    let servers = |servers: &[String]| escape(&servers.join(", ")).into_owned();
    let who = match (resolvers.servers.as_slice(), resolvers.upstream.as_slice()) {
        ([], _) => return "none".to_owned(),
        (first, []) => servers(first),
        (first, behind) => format!("{}, which asks {}", servers(first), servers(behind)),
    };
    let times = resolvers.asked.iter().map(|asked| {
        asked
            .rtt_ms
            .map_or_else(|| "no answer".to_owned(), |rtt| format!("{:.1} ms", crate::units::ms::of(rtt)))
    });
    let times: Vec<String> = times.collect();
    if times.is_empty() { who } else { format!("{who} ({})", times.join(", ")) }
}

fn tcp(kernel: &Kernel) -> String {
    let setting = |name: &str| known(kernel.settings.get(name).map(String::as_str));
    let count = |name: &str| kernel.counters.get(name).copied().unwrap_or(0);
    let (sent, again) = (count("TcpOutSegs"), count("TcpRetransSegs"));
    let share = (sent > 0).then(|| again as f64 / sent as f64).map_or_else(|| ABSENT.to_owned(), percent);
    let now = kernel
        .counters_per_second
        .as_ref()
        .map(|rates| format!(", {:.1} a second now", rates.get("TcpRetransSegs").copied().unwrap_or(0.0)));
    format!(
        "{}, {} sent since the start, {share} of them again{}, rmem {}",
        setting("net.ipv4.tcp_congestion_control"),
        counted(sent, "segment"),
        now.unwrap_or_default(),
        setting("net.ipv4.tcp_rmem")
    )
}

fn queues(kernel: &Kernel) -> String {
    let softnet =
        kernel.softnet.map(|net| format!("softnet {} dropped, {} squeezed", net.dropped, net.squeezed));
    let tracked = kernel.conntrack.map(|table| format!("conntrack {} of {}", table.entries, table.max));
    let known: Vec<String> = softnet.into_iter().chain(tracked).collect();
    if known.is_empty() { ABSENT.to_owned() } else { known.join(", ") }
}

fn sockets(sockets: &Sockets) -> String {
    let states = sockets.tcp.iter().filter(|(state, _)| state.as_str() != "listen");
    let states: Vec<String> = states.map(|(state, count)| format!("{count} {state}")).collect();
    let listeners = sockets.listeners.iter().filter(|listener| listener.proto == "tcp");
    let listeners: Vec<String> = listeners.map(|listener| listener.address.to_string()).collect();
    let more = listeners.len().saturating_sub(SHOWN);
    let shown = listeners[..listeners.len().min(SHOWN)].join(" ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let states = if states.is_empty() { "no connections".to_owned() } else { states.join(", ") };
    format!(
        "tcp {states}; udp {}; listening at {}{more}",
        sockets.udp,
        if shown.is_empty() { ABSENT } else { &shown }
    )
}

fn neighbours(neighbours: &Neighbours) -> String {
    let states: Vec<String> =
        neighbours.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    if states.is_empty() { "none".to_owned() } else { states.join(", ") }
}

fn link(interface: &Interface) -> String {
    let kind =
        interface.kind.as_deref().or(interface.driver.as_deref()).map(|kind| format!(" ({})", escape(kind)));
    let speed = interface.speed_bps.map(|speed| format!(" {}", rate(speed as f64))).unwrap_or_default();
    let duplex = interface.duplex.as_deref().map(|duplex| format!(" {duplex}")).unwrap_or_default();
    let mtu = interface.mtu_bytes.map_or_else(|| ABSENT.to_owned(), |mtu| mtu.to_string());
    let addresses: Vec<String> =
        interface.addresses.iter().take(SHOWN).map(|one| format!("{}/{}", one.address, one.prefix)).collect();
    let now = interface
        .rate_bps
        .map(|[rx, tx]| format!(", now {} in, {} out", rate(rx), rate(tx)))
        .unwrap_or_default();
    let errors = interface.errors_since.unwrap_or(interface.errors);
    let errors: Vec<String> = errors
        .causes()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(cause, count)| format!("{cause} {count}"))
        .collect();
    let errors = if errors.is_empty() { String::new() } else { format!("; {}", errors.join(", ")) };
    format!(
        "{}{} {}{speed}{duplex}, mtu {mtu}, {}{now}{errors}",
        escape(&interface.name),
        kind.unwrap_or_default(),
        interface.state,
        if addresses.is_empty() { "no address".to_owned() } else { addresses.join(" ") }
    )
}

/// What the driver tells that explains a slow link.
fn device(device: &Device) -> Vec<String> {
    let offers = ["tx-tcp-segmentation", "tx-generic-segmentation", "rx-gro", "rx-lro", "rx-checksum"];
    let on: Vec<&str> =
        offers.into_iter().filter(|offer| device.features.iter().any(|feature| feature == offer)).collect();
    let mut parts = Vec::new();
    let mut add = |part: Option<String>| parts.extend(part);
    add(device
        .rings
        .map(|rings| format!("rings {}/{} of {}/{}", rings.rx, rings.tx, rings.rx_max, rings.tx_max)));
    add(device.channels.map(|queues| match queues.combined {
        0 => format!("queues {} in, {} out", queues.rx, queues.tx),
        both => format!("queues {both} of {}", queues.combined_max),
    }));
    add(device.coalescing.filter(|wait| wait.rx_us > 0 || wait.rx_adapts).map(|wait| {
        if wait.rx_adapts {
            "adaptive interrupts".to_owned()
        } else {
            format!("interrupts after {} µs", wait.rx_us)
        }
    }));
    add((!on.is_empty()).then(|| on.join(" ")));
    parts
}

/// How well a radio hears.
fn radio(radio: &Radio) -> String {
    let mut parts = vec![known(radio.ssid.as_deref())];
    parts.extend(radio.signal_dbm.map(|signal| format!("{signal} dBm")));
    parts.extend(radio.frequency_mhz.map(|mhz| format!("{mhz} MHz")));
    parts.extend(radio.tx_bitrate_bps.map(|bps| format!("sends at {}", rate(bps as f64))));
    parts.extend(radio.tx_retries.map(|count| format!("{count} repeated")));
    parts.join(", ")
}

fn flow(connection: &Connection) -> String {
    let rtt = connection.rtt_ms.map_or_else(|| ABSENT.to_owned(), |rtt| format!("{rtt:.3} ms"));
    format!(
        "{} -> {} rtt {rtt}, {} of {} again, cwnd {}, {} and {} waiting{}",
        connection.local,
        connection.peer,
        connection.retransmits,
        counted(connection.segments.into(), "segment"),
        connection.cwnd,
        bytes(connection.rx_waiting_bytes.into()),
        bytes(connection.tx_waiting_bytes.into()),
        connection.congestion.as_deref().map(|name| format!(", {}", escape(name))).unwrap_or_default()
    )
}

fn way(route: &Route) -> String {
    let gateway = route.gateway.map(|gateway| format!(" via {gateway}")).unwrap_or_default();
    let interface =
        route.interface.as_deref().map(|name| format!(" dev {}", escape(name))).unwrap_or_default();
    let metric = route.metric.map(|metric| format!(" metric {metric}")).unwrap_or_default();
    let ways = if route.ways > 1 { format!(", the first of {} ways", route.ways) } else { String::new() };
    let kind = if route.kind == "unicast" { String::new() } else { format!("{} ", route.kind) };
    format!("{kind}{}{gateway}{interface} proto {}{metric}{ways}", route.destination, escape(&route.protocol))
}

fn program(process: &Process) -> String {
    let memory = bytes(process.resident_bytes as f64);
    format!("{} {:.1} s of CPU, {memory}: {}", process.pid, process.cpu_s, escape(&process.command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_days_is_told_in_two_units() {
        for (seconds, expected) in
            [(59.0, "0 min"), (720.0, "12 min"), (15_120.0, "4 h 12 min"), (273_600.0, "3 d 4 h")]
        {
            assert_eq!(lasted(seconds), expected);
        }
    }
}
