//! `sysinfo` for people: what is odd first, then what there is, a line for each part.

use std::io;

use super::findings::findings;
use super::packets::label;
use super::{ABSENT, Style, Summary, bytes, counted, escape, percent, rate};
use crate::probe::Measurement;
use crate::probe::sysinfo::{
    ClockState, Cpu, Disk, Host, Interface, Kernel, Memory, Neighbours, Process, Report, Resolvers, Route,
    Sockets,
};

/// Routes, listeners and addresses that are shown.
const SHOWN: usize = 8;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, _: &Measurement, style: Style) -> io::Result<()> {
        let found = self.findings.iter().map(|one| (one.severity, one.text.as_str()));
        findings(out, style, found)?;
        for (name, text) in parts(self) {
            label(out, style, name, &text)?;
        }
        for interface in self.interfaces.iter().flatten() {
            label(out, style, "interface", &link(interface))?;
        }
        let routes = self.routes.iter().flatten();
        for route in routes.filter(|route| route.table == 254 || route.is_default()).take(SHOWN) {
            label(out, style, "route", &way(route))?;
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
    match (resolvers.servers.as_slice(), resolvers.upstream.as_slice()) {
        ([], _) => "none".to_owned(),
        (first, []) => servers(first),
        (first, behind) => format!("{}, which asks {}", servers(first), servers(behind)),
    }
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
