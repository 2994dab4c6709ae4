//! What the benches share: the program, and what a piece of work costs.

#![allow(dead_code, reason = "no bench uses all of it")]

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// The program.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_waddleperf");

/// Does `work`: what came of it, how long it took, and the processor time of the children that were waited for meanwhile.
#[expect(clippy::disallowed_methods, reason = "a bench measures from outside")]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration, Duration) {
    let (before, begin) = (children_time(), Instant::now());
    let done = work();
    let wall = begin.elapsed();
    (done, wall, children_time() - before)
}

fn children_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of children");
    let span = |time: TimeVal| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000);
    span(usage.user_time()) + span(usage.system_time())
}

/// Processor time so far of all threads that a process has (first field of schedstat, ns).
pub(crate) fn threads_time(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("its threads");
    let spent = |thread: std::io::Result<fs::DirEntry>| -> u64 {
        let stat = fs::read_to_string(thread.expect("a thread").path().join("schedstat"));
        let stat = stat.expect("its schedstat");
        stat.split(' ').next().and_then(|ns| ns.parse().ok()).expect("a number")
    };
    Duration::from_nanos(threads.map(spent).sum())
}

/// The figure in the middle.
pub(crate) fn median<F: PartialOrd + Copy>(figures: impl IntoIterator<Item = F>) -> F {
    median_by(figures.into_iter().collect(), |figure| *figure)
}

/// The run whose figure is in the middle.
pub(crate) fn median_by<T, F: PartialOrd>(mut runs: Vec<T>, figure: impl Fn(&T) -> F) -> T {
    runs.sort_by(|one, other| figure(one).partial_cmp(&figure(other)).expect("a number"));
    runs.swap_remove(runs.len() / 2)
}
