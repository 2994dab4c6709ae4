//! Processes, those that have used the most; with their command lines, and therefore only when asked for.

use procfs_core::FromRead;
use procfs_core::process::Stat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;

/// Processes that are kept of each order.
const MOST: usize = 10;
/// Octets of a command line that are kept.
const MOST_COMMAND: usize = 256;
/// Of the kernel's clock in /proc (USER_HZ), which is the same everywhere but on alpha.
const TICKS: f64 = 100.0;
/// Octets of a page.
const PAGE: u64 = 4096;

/// A process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its command line, cut at 256 octets; its name where it has none.
    pub command: String,
    /// Processor time that it has used.
    pub cpu_s: f64,
    /// Memory that it has.
    pub resident_bytes: u64,
}

impl Process {
    /// Those that have used the most processor time, and those that have the most memory.
    pub(super) fn read(source: &mut Source) -> Vec<Self> {
        let pids: Vec<i32> = source.names("/proc").iter().filter_map(|name| name.parse().ok()).collect();
        let mut all: Vec<Self> = pids.into_iter().filter_map(|pid| Self::of(source, pid)).collect();
        all.sort_by_key(|process| std::cmp::Reverse(process.resident_bytes));
        let mut kept: Vec<Self> = all.iter().take(MOST).cloned().collect();
        all.sort_by(|one, other| other.cpu_s.total_cmp(&one.cpu_s));
        for process in all.into_iter().take(MOST) {
            if kept.iter().all(|known| known.pid != process.pid) {
                kept.push(process);
            }
        }
        kept.sort_by(|one, other| other.cpu_s.total_cmp(&one.cpu_s));
        kept
    }

    /// A process may end while it is looked at.
    fn of(source: &Source, pid: i32) -> Option<Self> {
        let read = |file: &str| std::fs::read(source.path(&format!("/proc/{pid}/{file}"))).ok();
        let stat = Stat::from_read(&read("stat")?[..]).ok()?;
        let mut line = read("cmdline").unwrap_or_default();
        line.truncate(MOST_COMMAND);
        let line = String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned();
        let command = if line.is_empty() { format!("[{}]", stat.comm) } else { line };
        let cpu_s = (stat.utime + stat.stime) as f64 / TICKS;
        Some(Self { pid, command, cpu_s, resident_bytes: stat.rss.saturating_mul(PAGE) })
    }
}
