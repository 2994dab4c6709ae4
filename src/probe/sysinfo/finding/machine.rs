//! What is odd about the machine itself: clock, processors, memory, disks.

use super::List;
use crate::probe::Severity;
use crate::probe::sysinfo::Report;

/// The share of time that others may have of a virtual processor (probes.md §11).
const STOLEN: f64 = 0.05;

impl List {
    pub(super) fn machine(&mut self, report: &Report) {
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
                let text = format!(
                    "work waited for a processor in {:.0} % of the last 10 s: packets are answered late, and their times here are too long",
                    ratio * 100.0
                );
                self.add(Severity::Warning, "cpu_pressure", "", Some(ratio), text);
            }
        }
        let stalled =
            report.cpu.as_ref().and_then(|cpu| cpu.pressure.as_ref()?.memory).map(|memory| memory.some_ratio);
        if let Some(ratio) = stalled.filter(|ratio| *ratio > 0.1) {
            let text = format!(
                "work waited for memory in {:.0} % of the last 10 s: whatever this host serves or measures stalls with it",
                ratio * 100.0
            );
            self.add(Severity::Warning, "memory_pressure", "", Some(ratio), text);
        }
        for disk in report.disks.iter().flatten() {
            if let Some(used) = disk.used_ratio.filter(|used| *used > 0.95) {
                let text = format!(
                    "{} is {:.0} % full: once it is, logs and records are lost and servers fail",
                    disk.mount,
                    used * 100.0
                );
                self.add(Severity::Warning, "disk_full", &disk.mount, Some(used), text);
            }
            if let Some(used) = disk.inodes_used_ratio.filter(|used| *used > 0.95) {
                let text = format!(
                    "{} has used {:.0} % of its inodes: once all are, no file can be made however much room there is",
                    disk.mount,
                    used * 100.0
                );
                self.add(Severity::Warning, "inodes_full", &disk.mount, Some(used), text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ids;
    use super::*;
    use crate::probe::sysinfo::{Cgroup, ClockState, Cpu, Disk, Pressure, Stalled};

    #[test]
    fn a_machine_that_holds_its_network_up_is_told() {
        let stalled = |some_ratio| Some(Stalled { some_ratio, full_ratio: 0.0 });
        let cpu = |pressure, cgroup| Report {
            cpu: Some(Cpu { pressure, cgroup, ..Cpu::default() }),
            ..Report::default()
        };
        let pressure = |cpu, memory| Some(Pressure { cpu: stalled(cpu), io: None, memory: stalled(memory) });
        let group = |throttled| Cgroup {
            path: "/pod".to_owned(),
            cpus: Some(0.5),
            throttled_ratio: Some(throttled),
            memory_max_bytes: None,
            memory_bytes: None,
        };
        let disk = |used, inodes| Report {
            disks: Some(vec![Disk {
                mount: "/var".to_owned(),
                device: "/dev/sda1".to_owned(),
                filesystem: "ext4".to_owned(),
                size_bytes: Some(1 << 30),
                available_bytes: None,
                used_ratio: used,
                inodes_used_ratio: inodes,
            }]),
            ..Report::default()
        };
        let clock = |synchronised| Report {
            clock: Some(ClockState {
                synchronised,
                max_error_ms: 16_000.0,
                offset_ms: 0.0,
                frequency_ppm: 0.0,
                source: None,
                available_sources: Vec::new(),
            }),
            ..Report::default()
        };
        for (report, expected) in [
            (clock(false), &["clock_unsynchronised"][..]),
            (clock(true), &[]),
            (cpu(pressure(0.5, 0.0), None), &["cpu_pressure"]),
            (cpu(pressure(0.1, 0.5), None), &["memory_pressure"]),
            (cpu(None, Some(group(0.5))), &["cpu_throttled"]),
            (cpu(None, Some(group(0.01))), &[]),
            (disk(Some(0.99), Some(0.1)), &["disk_full"]),
            (disk(Some(0.5), Some(0.99)), &["inodes_full"]),
            (disk(None, None), &[]),
        ] {
            assert_eq!(ids(&report), expected);
        }
    }
}
