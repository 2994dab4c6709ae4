//! Processors: how busy, how much is taken away by others, and what this process's control group may have.

use procfs_core::{CpuPressure, IoPressure, LoadAverage, MemoryPressure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;

/// Where the unified hierarchy of control groups lies.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Processors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cpu {
    /// The maker's name of the first.
    pub model: Option<String>,
    /// How many are online.
    pub count: Option<u32>,
    /// Load averages of 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// The share of time in which they worked, since the start or over `--rate`.
    pub busy_ratio: Option<f64>,
    /// The share that the hypervisor gave to others, likewise.
    pub steal_ratio: Option<f64>,
    /// The share that went into handling interrupts, packets' among them, likewise.
    pub interrupt_ratio: Option<f64>,
    /// How long work waited for something; null where the kernel does not count that.
    pub pressure: Option<Pressure>,
    /// What this process's control group may have; null where there is none.
    pub cgroup: Option<Cgroup>,
    /// The ticks of all processors together, as /proc/stat counts them.
    #[serde(skip)]
    pub(super) ticks: Option<Ticks>,
}

/// Pressure stall information of the last 10 seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pressure {
    /// For processors.
    pub cpu: Option<Stalled>,
    /// For input and output.
    pub io: Option<Stalled>,
    /// For memory.
    pub memory: Option<Stalled>,
}

/// Shares of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stalled {
    /// In which some work waited.
    pub some_ratio: f64,
    /// In which all of it did.
    pub full_ratio: f64,
}

/// The limits of a control group, version 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cgroup {
    /// Its path.
    pub path: String,
    /// Processors that it may use at once; null without a limit.
    pub cpus: Option<f64>,
    /// The share of its periods in which it had to wait for the next.
    pub throttled_ratio: Option<f64>,
    /// Memory that it may have; null without a limit.
    pub memory_max_bytes: Option<u64>,
    /// Memory that it has.
    pub memory_bytes: Option<u64>,
}

/// Counters of /proc/stat's first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticks {
    all: u64,
    idle: u64,
    interrupts: u64,
    steal: u64,
}

impl Cpu {
    /// `about` is what /proc/cpuinfo says.
    pub(super) fn read(source: &mut Source, about: &str) -> Self {
        let load: Option<LoadAverage> = source.parsed("/proc/loadavg");
        let ticks = Ticks::read(source);
        let mut cpu = Self {
            model: model(about),
            count: count(about),
            load: load.map(|load| [load.one, load.five, load.fifteen].map(hundredths)),
            pressure: pressure(source),
            cgroup: Cgroup::read(source),
            ticks,
            ..Self::default()
        };
        cpu.share(ticks, None);
        cpu
    }

    /// Shares of the time between two readings, or since the start.
    pub(super) fn share(&mut self, now: Option<Ticks>, before: Option<Ticks>) {
        let Some(now) = now else { return };
        let before = before.unwrap_or(Ticks { all: 0, idle: 0, interrupts: 0, steal: 0 });
        let all = now.all.saturating_sub(before.all);
        let ratio = |now: u64, before: u64| (all > 0).then(|| now.saturating_sub(before) as f64 / all as f64);
        self.busy_ratio = ratio(now.idle, before.idle).map(|idle| 1.0 - idle);
        self.steal_ratio = ratio(now.steal, before.steal);
        self.interrupt_ratio = ratio(now.interrupts, before.interrupts);
    }
}

impl Ticks {
    pub(super) fn read(source: &mut Source) -> Option<Self> {
        Self::parse(&source.text("/proc/stat")?)
    }

    /// `cpu user nice system idle iowait irq softirq steal …`, proc_stat(5); guests' time is within user and nice.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let at = |place: usize| ticks.get(place).copied().unwrap_or(0);
        (ticks.len() >= 4).then(|| Self {
            all: ticks.iter().take(8).sum(),
            idle: at(3) + at(4),
            interrupts: at(5) + at(6),
            steal: at(7),
        })
    }
}

fn model(about: &str) -> Option<String> {
    let field = |name: &str| {
        about.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name)
    };
    let (_, value) = ["model name", "Model", "cpu model", "Hardware"].into_iter().find_map(field)?;
    Some(value.trim().to_owned())
}

fn count(about: &str) -> Option<u32> {
    let lines = about.lines().filter_map(|line| line.split_once(':'));
    let count = lines.filter(|(key, _)| key.trim() == "processor").count();
    u32::try_from(count).ok().filter(|count| *count > 0)
}

/// The number that the kernel wrote with two decimals.
fn hundredths(value: f32) -> f64 {
    (f64::from(value) * 100.0).round() / 100.0
}

fn pressure(source: &mut Source) -> Option<Pressure> {
    if !source.path("/proc/pressure").exists() {
        source.lacks("/proc/pressure", "this kernel does not count it, or psi=1 is not among its parameters");
        return None;
    }
    let ratio = |percent: f32| (hundredths(percent) / 100.0 * 1e4).round() / 1e4;
    let stalled = |some: f32, full: f32| Stalled { some_ratio: ratio(some), full_ratio: ratio(full) };
    let cpu: Option<CpuPressure> = source.parsed("/proc/pressure/cpu");
    let io: Option<IoPressure> = source.parsed("/proc/pressure/io");
    let memory: Option<MemoryPressure> = source.parsed("/proc/pressure/memory");
    Some(Pressure {
        cpu: cpu.map(|cpu| stalled(cpu.some.avg10, cpu.full.avg10)),
        io: io.map(|io| stalled(io.some.avg10, io.full.avg10)),
        memory: memory.map(|memory| stalled(memory.some.avg10, memory.full.avg10)),
    })
}

impl Cgroup {
    fn read(source: &mut Source) -> Option<Self> {
        // `0::/path` is the unified hierarchy, cgroups(7).
        let text = source.text_if_any("/proc/self/cgroup")?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::"))?.to_owned();
        let place = format!("{CGROUPS}{}", path.trim_end_matches('/'));
        if !source.path(&format!("{place}/cgroup.controllers")).exists() {
            return None;
        }
        let limit = source.text_if_any(&format!("{place}/cpu.max"));
        let stat = source.text_if_any(&format!("{place}/cpu.stat"));
        Some(Self {
            cpus: limit.as_deref().and_then(cpus),
            throttled_ratio: stat.as_deref().and_then(throttled),
            // `max` is no number: no limit.
            memory_max_bytes: source.word(&format!("{place}/memory.max")),
            memory_bytes: source.word(&format!("{place}/memory.current")),
            path,
        })
    }
}

/// `QUOTA PERIOD` in microseconds; a quota of `max` is none.
fn cpus(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let (quota, period): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (period > 0.0).then(|| quota / period)
}

fn throttled(text: &str) -> Option<f64> {
    let value = |name: &str| -> Option<f64> {
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    let periods = value("nr_periods ")?;
    (periods > 0.0).then(|| value("nr_throttled ").map(|throttled| throttled / periods)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_between_two_readings() {
        let first = Ticks::parse("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3 4\n").expect("ticks");
        let then = Ticks::parse("cpu  150 0 100 700 100 10 15 25 99 0\n").expect("ticks");
        assert_eq!(first.all, 1_000, "guests' time is not counted twice");
        let mut cpu = Cpu::default();
        cpu.share(Some(then), Some(first));
        assert_eq!(
            (cpu.busy_ratio, cpu.steal_ratio, cpu.interrupt_ratio),
            (Some(1.0), Some(0.25), Some(0.25))
        );
        cpu.share(Some(first), None);
        assert_eq!(cpu.busy_ratio.map(|busy| (busy * 100.0).round()), Some(20.0));
        let mut same = Cpu::default();
        same.share(Some(first), Some(first));
        assert_eq!(same.busy_ratio, None, "no time, no share");
    }

    #[test]
    fn limits_are_read_as_the_kernel_writes_them() {
        for (text, expected) in
            [("max 100000\n", None), ("150000 100000\n", Some(1.5)), ("", None), ("1 0", None)]
        {
            assert_eq!(cpus(text), expected, "{text}");
        }
        assert_eq!(throttled("usage_usec 5\nnr_periods 200\nnr_throttled 50\n"), Some(0.25));
        assert_eq!(throttled("nr_periods 0\nnr_throttled 0\n"), None);
        assert_eq!(model("processor\t: 0\nmodel name\t: A CPU\n").as_deref(), Some("A CPU"));
        assert_eq!(count("processor : 0\n\nprocessor : 1\n"), Some(2));
    }
}
