//! Reads one part after the other, the counters twice where rates are wanted, and has the whole judged.

use std::time::Duration;

use super::finding::findings;
use super::source::Source;
use super::{
    ClockState, Cpu, Disk, Host, Interface, Kernel, Memory, Neighbours, Part, Process, Proxy, Report,
    Resolvers, Route, RouteRule, Sockets, SysInfo, cpu, kernel,
};
use crate::failure::{Class, Failure};
use crate::probe::own_thread::on_own_thread;
use crate::probe::{Ctx, Found};
use crate::sys::clock;
use crate::sys::wait::{Stop, wait};

/// The longest time between two readings.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

impl SysInfo {
    pub(super) async fn look(&self, ctx: &Ctx) -> Found<Report> {
        if self.processes
            && let Err(failure) = ctx.policy.check_flag("--processes")
        {
            return Found::nothing(failure);
        }
        let asked = self.clone();
        let looked = on_own_thread("sysinfo", ctx, move |stop| asked.read(Source::host(), stop)).await;
        Found { address: None, result: looked.and_then(|report| report) }
    }

    /// Everything that was asked for, out of `source`.
    fn read(&self, mut source: Source, stop: &Stop) -> Result<Report, Failure> {
        let from = &mut source;
        let began = clock::now().mono;
        let want = |part| self.wants(part);
        let mut report = Report {
            host: want(Part::Host).then(|| Host::read(from)),
            cpu: want(Part::Cpu).then(|| Cpu::read(from)),
            memory: want(Part::Memory).then(|| Memory::read(from)).flatten(),
            disks: want(Part::Disks).then(|| Disk::read(from)),
            clock: want(Part::Clock).then(|| ClockState::read(from)).flatten(),
            interfaces: want(Part::Interfaces).then(|| Interface::read(from)),
            routes: want(Part::Routes).then(|| Route::read(from)),
            rules: want(Part::Routes).then(|| RouteRule::read(from)),
            resolvers: want(Part::Resolvers).then(|| Resolvers::read(from)),
            proxies: want(Part::Resolvers).then(Proxy::read),
            kernel: want(Part::Kernel).then(|| Kernel::read(from)),
            processes: self.processes.then(|| Process::read(from)),
            ..Report::default()
        };
        report.neighbours = report.routes.as_ref().map(|routes| Neighbours::read(from, routes));
        let ports = ephemeral(from);
        report.sockets = want(Part::Sockets).then(|| Sockets::read(from, ports));
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
        }
    }
}

/// The ports that the kernel may choose for a connection.
fn ephemeral(source: &mut Source) -> Option<(u16, u16)> {
    let text = source.text_if_any("/proc/sys/net/ipv4/ip_local_port_range")?;
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}
