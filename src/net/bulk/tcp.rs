//! A connection that is filled or emptied as fast as it goes, or as fast as it may.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::pace::Clock;
use super::payload::Payload;
use super::{Budget, Gauge, LOOK, Pace, Test};
use crate::sys::wait::{exact_timers, sleep};
use crate::sys::{bulk, clock};

/// How often a thread notes its processor time.
const TICK: Duration = Duration::from_millis(20);
/// A read shall bring so much time's worth of octets: as few system calls as can be, and no number older than this.
const READ: Duration = Duration::from_millis(1);
/// What is thrown away is read by so many octets at once at least, however little a client writes at once.
const LEAST_READ: usize = 64 << 10;
/// The most that a read waits for.
const MOST_LOW_WATER: usize = 512 << 10;
/// The same where many receive: what all of them wait for shall stay in the processor's cache.
const LEAST_SHARE: usize = 128 << 10;
/// Who receives in this process.
static RECEIVERS: AtomicUsize = AtomicUsize::new(0);

/// Writes `octets` again and again; lends them, or has the kernel copy them.
pub(super) fn send(
    stream: &TcpStream,
    octets: Vec<u8>,
    pace: Pace,
    lends: bool,
    test: &Test,
    gauge: &Gauge,
) -> io::Result<()> {
    exact_timers();
    stream.set_write_timeout(Some(LOOK))?;
    let (slice, lends) = (pace.slice(octets.len()), lends && pace.may_lend(octets.len()));
    let mut payload = Payload::new(octets, slice, lends);
    let mut clock = Clock::new(pace, test.began.max(clock::now().mono));
    let mut ticks = Ticks::new();
    while !test.is_over() {
        if pace.rate > 0 {
            let now = clock::now().mono;
            ticks.tick(now, gauge);
            if clock.due(now, slice, 1) == 0 {
                clock.wait(LOOK);
                continue;
            }
        } else {
            ticks.count(gauge);
        }
        let budget = test.budget();
        let wanted = match budget {
            None => slice,
            Some(budget) => match budget.take(slice) {
                0 => break,
                some => some,
            },
        };
        let written = match payload.write(stream, wanted) {
            Ok(written) => written,
            Err(error) if is_nothing(&error) => 0,
            Err(_) if test.is_over() => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(budget) = budget {
            budget.settle(wanted, written);
        }
        clock.left(written);
        gauge.moved(written as u64, u64::from(written > 0));
        test.hold_back(written as u64);
    }
    Ok(())
}

/// Reads until the end, or until the test is over.
pub(super) fn receive(
    stream: &TcpStream,
    length: usize,
    copies: bool,
    free_window: bool,
    test: &Test,
    gauge: &Gauge,
) -> io::Result<()> {
    stream.set_read_timeout(Some(LOOK))?;
    let mut buffer = if copies { vec![0; length] } else { Vec::new() };
    // What is thrown away needs no buffer, so a read may take all there is.
    let most = match (copies, test.has_ceiling()) {
        (true, _) => length,
        (false, true) => length.max(LEAST_READ),
        (false, false) => length.max(1 << 20),
    };
    let mut low_water =
        LowWater::new(clock::now().mono, if free_window { MOST_LOW_WATER.min(most) } else { 1 });
    let mut ticks = Ticks::new();
    let mut stream_ref = stream;
    while !test.is_over() {
        let budget = test.budget();
        let wanted = budget.map_or(most, |budget| budget.take(most));
        if wanted == 0 {
            // Others hold what is left, and may give it back: what they wait for may have come here.
            if budget.is_some_and(Budget::is_spent) {
                return Ok(());
            }
            sleep(READ);
            continue;
        }
        let read = match copies {
            true => stream_ref.read(&mut buffer[..wanted]),
            false => bulk::discard(stream, wanted),
        };
        if let Some(budget) = budget {
            budget.settle(wanted, read.as_ref().map_or(0, |&octets| octets));
        }
        match read {
            Ok(0) => return Ok(()),
            Ok(octets) => {
                gauge.moved(octets as u64, 1);
                ticks.count(gauge);
                low_water.read(stream, octets);
                test.hold_back(octets as u64);
            }
            Err(error) if is_nothing(&error) => {
                gauge.tick();
                low_water.read(stream, 0);
            }
            Err(_) if test.is_over() => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    // What had come before the end and was not read yet, because a read waits for more.
    if !test.has_ceiling() && !test.has_budget() {
        stream.set_nonblocking(true)?;
        // Kernels before 5.17 do not say how much it is where there are several paths.
        let octets = bulk::queued(stream).unwrap_or(MOST_LOW_WATER);
        gauge.moved(bulk::discard(stream, octets).unwrap_or(0) as u64, 0);
    }
    Ok(())
}

/// Nothing could be written or read in time.
fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// How much a read waits for: little on a slow path, where each number shall be fresh, and much on a fast one.
struct LowWater {
    most: usize,
    set: usize,
    reads: u32,
    octets: usize,
    since: Instant,
}

impl LowWater {
    fn new(now: Instant, most: usize) -> Self {
        RECEIVERS.fetch_add(1, Relaxed);
        Self { most, set: 1, reads: 0, octets: 0, since: now }
    }

    fn read(&mut self, stream: &TcpStream, octets: usize) {
        (self.reads, self.octets) = (self.reads + 1, self.octets + octets);
        // The clock costs as much as a small read.
        if self.most <= 1 || self.reads < 16 {
            return;
        }
        let now = clock::now().mono;
        let time = now - self.since;
        if time < 10 * READ {
            return;
        }
        let per_read = self.octets as f64 * READ.as_secs_f64() / time.as_secs_f64();
        let share = (MOST_LOW_WATER / RECEIVERS.load(Relaxed).max(1)).max(LEAST_SHARE).min(self.most);
        let wanted = (per_read as usize).clamp(1, share);
        // A nudge is not worth a system call.
        if wanted > self.set * 5 / 4 || wanted < self.set * 3 / 4 {
            let _ = bulk::set_low_water(stream, wanted as i32);
            self.set = wanted;
        }
        (self.reads, self.octets, self.since) = (0, 0, now);
    }
}

impl Drop for LowWater {
    fn drop(&mut self) {
        RECEIVERS.fetch_sub(1, Relaxed);
    }
}

/// Notes the thread's processor time now and then.
pub(super) struct Ticks {
    last: Instant,
    skipped: u32,
}

impl Ticks {
    pub(super) fn new() -> Self {
        Self { last: clock::now().mono, skipped: 0 }
    }

    /// After one of many units that are too quick to look at the clock for.
    pub(super) fn count(&mut self, gauge: &Gauge) {
        self.skipped += 1;
        if self.skipped >= 32 {
            self.tick(clock::now().mono, gauge);
        }
    }

    pub(super) fn tick(&mut self, now: Instant, gauge: &Gauge) {
        self.skipped = 0;
        if now.saturating_duration_since(self.last) >= TICK {
            self.last = now;
            gauge.tick();
        }
    }
}
