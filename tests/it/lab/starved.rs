//! Threads of a process: what they are called and use, and how one is left next to no time of a processor.

use std::fs::{read_dir, read_to_string};
use std::process::Child;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use waddleperf::sys::wait::sleep;

use super::busy::spin;
use super::sys;

/// What takes a processor away from whom is starved.
const OTHERS: usize = 3;

/// The threads of a process.
pub(crate) struct Threads(pub(crate) u32);

impl Threads {
    /// Those with this name.
    pub(crate) fn named(&self, name: &str) -> Vec<Pid> {
        let tasks = read_dir(format!("/proc/{}/task", self.0)).into_iter().flatten().flatten();
        let numbers = tasks.filter_map(|task| task.file_name().to_str()?.parse().ok());
        let is_called = |thread: &i32| self.read(*thread, "comm").is_some_and(|comm| comm.trim() == name);
        numbers.filter(is_called).map(Pid::from_raw).collect()
    }

    /// Waits until there are so many of this name.
    #[track_caller]
    pub(crate) fn awaited(&self, name: &str, count: usize) -> Vec<Pid> {
        for _ in 0..2000 {
            let found = self.named(name);
            if found.len() >= count {
                return found;
            }
            sleep(Duration::from_millis(5));
        }
        panic!("{} threads are called {name}, not {count}", self.named(name).len());
    }

    /// Processor time of the threads with this name, and of all others.
    pub(crate) fn used(&self, name: &str) -> [Duration; 2] {
        let mut used = [Duration::ZERO; 2];
        for task in read_dir(format!("/proc/{}/task", self.0)).into_iter().flatten().flatten() {
            let Some(thread) = task.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let time = self.read(thread, "schedstat");
            let nanos = time.and_then(|time| time.split(' ').next()?.parse().ok()).unwrap_or(0);
            let is_called = self.read(thread, "comm").is_some_and(|comm| comm.trim() == name);
            used[usize::from(!is_called)] += Duration::from_nanos(nanos);
        }
        used
    }

    fn read(&self, thread: i32, file: &str) -> Option<String> {
        read_to_string(format!("/proc/{}/task/{thread}/{file}", self.0)).ok()
    }
}

/// Others that have a processor for themselves, until this is dropped: who comes to it has it for a hundredth of the time.
pub(crate) struct Starved {
    processor: usize,
    others: Vec<Child>,
}

impl Starved {
    /// The others are there, and nobody is starved yet.
    pub(crate) fn ready() -> Self {
        let [_, processor] = processors();
        let other = || {
            let child = spin();
            pin(Pid::from_raw(child.id().cast_signed()), processor).expect("pin a process");
            child
        };
        Self { processor, others: (0..OTHERS).map(|_| other()).collect() }
    }

    /// Leaves these threads next to nothing of that processor, and nothing of any other.
    pub(crate) fn starve(&self, threads: &[Pid]) {
        for &thread in threads {
            // One that has ended meanwhile needs nothing.
            let _ = sys::be_nice(thread.as_raw());
            let _ = pin(thread, self.processor);
        }
    }
}

impl Drop for Starved {
    fn drop(&mut self) {
        for child in &mut self.others {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The first and the last of the processors that this process may use.
pub(crate) fn processors() -> [usize; 2] {
    let all = sched_getaffinity(Pid::from_raw(0)).expect("the processors");
    let mut numbers = (0..CpuSet::count()).filter(|&number| all.is_set(number) == Ok(true));
    let first = numbers.next().expect("a processor");
    [first, numbers.next_back().unwrap_or(first)]
}

/// Lets a thread run on one processor alone.
pub(crate) fn pin(thread: Pid, processor: usize) -> nix::Result<()> {
    let mut only = CpuSet::new();
    only.set(processor)?;
    sched_setaffinity(thread, &only)
}
