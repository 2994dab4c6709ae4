//! Reads one part after the other, the counters twice where rates are wanted, and has the whole judged.

use std::path::PathBuf;
use std::time::Duration;

use super::ask::Questions;
use super::finding::findings;
use super::source::Source;
use super::{
    ClockState, Cpu, Disk, Host, Interface, Kernel, Memory, Neighbours, Part, Process, Proxy, Queue, Report,
    Resolvers, Route, RouteRule, Sockets, SysInfo, Vpn, cpu, diff, kernel,
};
use crate::failure::{Class, Failure};
use crate::probe::input::{self, Input};
use crate::probe::own_thread::on_own_thread;
use crate::probe::{Ctx, Found};
use crate::sys::clock;
use crate::sys::wait::{Stop, wait};

/// The longest time between two readings.
pub(super) const LONGEST: Duration = Duration::from_secs(60);
/// Octets of a record that is compared with.
const LARGEST: u64 = 16 << 20;
/// Where resolvers are asked (RFC 1035 §4.2).
const DOMAIN: u16 = 53;

impl SysInfo {
    pub(super) async fn look(&self, ctx: &Ctx) -> Found<Report> {
        let asked = self.clone();
        let result = match self.admit(ctx) {
            Ok(()) => on_own_thread("sysinfo", ctx, move |stop| asked.compare(stop)).await.flatten(),
            Err(failure) => Err(failure),
        };
        Found { address: None, result }
    }

    /// Refuses to others what tells of this host's users.
    fn admit(&self, ctx: &Ctx) -> Result<(), Failure> {
        let flags =
            [(self.processes, "--processes"), (self.sockets, "--sockets"), (!self.diff.is_empty(), "--diff")];
        flags.into_iter().filter(|(is_set, _)| *is_set).try_for_each(|(_, flag)| ctx.policy.check_flag(flag))
    }

    /// This host, and what has changed since the first record; or that from the first to the second.
    fn compare(&self, stop: &Stop) -> Result<Report, Failure> {
        let record = |path: &PathBuf| {
            let octets = Input::open("--diff", path)?.whole(LARGEST, stop)?;
            diff::report(&octets, &input::name(path))
        };
        let earlier = self.diff.first().map(record).transpose()?;
        let later = self.diff.get(1).map(record).transpose()?;
        match (earlier, later) {
            (Some(earlier), Some(later)) => {
                Ok(Report { changes: Some(diff::changes(&earlier, &later)), ..Report::default() })
            }
            (earlier, _) => {
                let mut report = self.read(Source::host(), stop)?;
                if let Some(earlier) = earlier {
                    let now = serde_json::to_value(&report).map_err(|error| {
                        Class::Internal.because(format_args!("write the report for --diff: {error}"))
                    })?;
                    report.changes = Some(diff::changes(&earlier, &now));
                }
                Ok(report)
            }
        }
    }

    /// Everything that was asked for, out of `source`.
    fn read(&self, mut source: Source, stop: &Stop) -> Result<Report, Failure> {
        let from = &mut source;
        let began = clock::now().mono;
        let want = |part| self.wants(part);
        let about = if want(Part::Host) || want(Part::Cpu) { from.text("/proc/cpuinfo") } else { None };
        let about = about.unwrap_or_default();
        let mut resolvers = want(Part::Resolvers).then(|| Resolvers::read(from));
        // Their answers come while the rest is read.
        let asked = resolvers.as_ref().map(|resolvers| Questions::ask(resolvers.answering(), DOMAIN));
        let mut report = Report {
            host: want(Part::Host).then(|| Host::read(from, &about)),
            cpu: want(Part::Cpu).then(|| Cpu::read(from, &about)),
            memory: want(Part::Memory).then(|| Memory::read(from)).flatten(),
            disks: want(Part::Disks).then(|| Disk::read(from)),
            clock: want(Part::Clock).then(|| ClockState::read(from)).flatten(),
            interfaces: want(Part::Interfaces).then(|| Interface::read(from)),
            queues: want(Part::Interfaces).then(|| Queue::read(from)),
            routes: want(Part::Routes).then(|| Route::read(from)),
            rules: want(Part::Routes).then(|| RouteRule::read(from)),
            proxies: want(Part::Resolvers).then(Proxy::read),
            kernel: want(Part::Kernel).then(|| Kernel::read(from)),
            processes: self.processes.then(|| Process::read(from)),
            ..Report::default()
        };
        report.neighbours = report.routes.as_ref().map(|routes| Neighbours::read(from, routes));
        let ways = report.interfaces.as_ref().zip(report.routes.as_ref());
        report.vpn = ways.map(|(interfaces, routes)| Vpn::read(from, interfaces, routes));
        let ports = ephemeral(from);
        report.sockets = (want(Part::Sockets) || self.sockets).then(|| Sockets::read(from, ports));
        if let Some(sockets) = report.sockets.as_mut().filter(|_| self.sockets) {
            sockets.list(from);
        }
        if let Some((resolvers, asked)) = resolvers.as_mut().zip(asked) {
            resolvers.asked = asked.answers(stop);
        }
        report.resolvers = resolvers;
        if let Some(rate) = self.rate {
            wait(&[], Some(stop), Some(rate.0)).map_err(|error| Failure::from_io("wait", &error))?;
            if stop.is_set() {
                return Err(Class::Cancelled.because("interrupted between the two readings"));
            }
            // Time has gone by since each part's own first reading: the whole span is the least wrong, by milliseconds.
            let seconds = clock::now().mono.saturating_duration_since(began).as_secs_f64();
            self.again(&mut report, from, seconds);
        }
        report.findings = findings(&report, ports);
        report.unavailable = source.unavailable;
        Ok(report)
    }

    /// Reads what counts a second time, `seconds` after the first.
    fn again(&self, report: &mut Report, source: &mut Source, seconds: f64) {
        report.rate_s = Some(seconds);
        if let Some(found) = &mut report.cpu {
            let before = found.ticks;
            found.share(cpu::Ticks::read(source), before);
        }
        if let Some(before) = report.interfaces.take() {
            let mut after = Interface::read(source);
            for interface in &mut after {
                let same =
                    before.iter().find(|old| (old.index, &old.name) == (interface.index, &interface.name));
                if let Some(old) = same {
                    interface.compare(old, seconds);
                }
            }
            report.interfaces = Some(after);
        }
        if let Some(found) = &mut report.kernel {
            let after = kernel::counters(source);
            found.counters_per_second = Some(kernel::per_second(&found.counters, &after, seconds));
            let softnet = kernel::Softnet::read(source);
            found.softnet_since = softnet.zip(found.softnet).map(|(after, before)| after.since(before));
        }
    }
}

/// The ports that the kernel may choose for a connection.
fn ephemeral(source: &mut Source) -> Option<(u16, u16)> {
    let text = source.text_if_any("/proc/sys/net/ipv4/ip_local_port_range")?;
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A host made of files: what is odd about it is found, and all that is not there is null and listed.
    #[test]
    fn a_host_of_files_is_read_as_this_one_is() {
        let root = tempfile::tempdir().expect("a directory");
        let files = [
            ("proc/sys/kernel/hostname", "node-7\n"),
            ("proc/sys/kernel/osrelease", "6.1.0-test\n"),
            ("proc/uptime", "86400.5 100.0\n"),
            ("etc/os-release", "PRETTY_NAME=\"Test OS 1\"\n"),
            ("proc/cpuinfo", "processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fpu hypervisor\n"),
            ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
            ("proc/loadavg", "1.50 1.00 0.50 1/100 42\n"),
            ("proc/stat", "cpu  100 0 100 600 0 0 0 200 0 0\n"),
            ("proc/self/cgroup", "0::/pod\n"),
            ("sys/fs/cgroup/pod/cgroup.controllers", "cpu memory\n"),
            ("sys/fs/cgroup/pod/cpu.max", "50000 100000\n"),
            ("sys/fs/cgroup/pod/cpu.stat", "nr_periods 100\nnr_throttled 40\n"),
            ("proc/net/softnet_stat", "00000064 00000005 00000000\n"),
            ("proc/net/snmp", "Tcp: OutSegs RetransSegs\nTcp: 100000 3000\n"),
            ("proc/net/netstat", "TcpExt: ListenDrops\nTcpExt: 0\n"),
            ("proc/sys/net/netfilter/nf_conntrack_count", "970\n"),
            ("proc/sys/net/netfilter/nf_conntrack_max", "1000\n"),
            ("proc/sys/net/ipv4/tcp_window_scaling", "0\n"),
            ("proc/sys/net/ipv4/tcp_mem", "100\t200\t300\n"),
            ("proc/net/sockstat", "sockets: used 9\nTCP: inuse 5 orphan 0 tw 1 alloc 8 mem 280\n"),
        ];
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("it is below the root")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        let only = vec![Part::Host, Part::Cpu, Part::Memory, Part::Kernel];
        let asked = SysInfo { only, ..SysInfo::default() };
        let stop = Stop::new().expect("a switch");
        let report = asked.read(Source::below(root.path()), &stop).expect("a report");
        let host = report.host.expect("a host");
        assert_eq!((host.name.as_deref(), host.os.as_deref()), (Some("node-7"), Some("Test OS 1")));
        assert_eq!((host.hypervisor.as_deref(), host.uptime_s), (Some("QEMU"), Some(86_400.5)));
        let cpu = report.cpu.expect("processors");
        assert_eq!((cpu.count, cpu.steal_ratio, cpu.load), (Some(1), Some(0.2), Some([1.5, 1.0, 0.5])));
        let mut ids: Vec<&str> = report.findings.iter().map(|finding| finding.id.as_str()).collect();
        ids.sort_unstable();
        let expected = [
            "conntrack_full",
            "cpu_steal",
            "cpu_throttled",
            "no_window_scaling",
            "softnet_dropped",
            "tcp_memory_full",
            "tcp_retransmits",
        ];
        assert_eq!(ids, expected);
        assert!(report.memory.is_none() && report.interfaces.is_none());
        let kernel = report.kernel.expect("a kernel");
        assert_eq!((kernel.sockets["TCP tw"], kernel.sockets["sockets used"]), (1, 9));
        let lacking: Vec<&str> = report.unavailable.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(lacking, ["/proc/pressure", "/proc/meminfo"]);
    }
}
