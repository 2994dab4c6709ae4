//! The clocks. Everything else is handed its time.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::units::{Now, nanos};

/// This moment on both clocks.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clocks")]
pub fn now() -> Now {
    let mono = std::time::Instant::now();
    let epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A clock before 1970 reads as 1970: a label, never the end of a subtraction.
    Now { mono, wall: epoch.map(nanos).unwrap_or(0) }
}

/// How well the system clock is disciplined, from `adjtimex(2)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discipline {
    /// Whether the kernel believes that the clock is synchronised (`STA_UNSYNC` clear).
    pub synchronised: bool,
    /// The kernel's bound on the error, in microseconds.
    pub max_error_us: u64,
    /// What is still to be corrected, in nanoseconds.
    pub offset_ns: i64,
    /// By how much the clock's rate is corrected, parts per million.
    pub frequency_ppm: f64,
}

/// Asks the kernel how good its clock is; `None` where it does not say.
#[expect(unsafe_code, reason = "adjtimex has no safe wrapper")]
pub fn discipline() -> Option<Discipline> {
    // SAFETY: timex is plain data, for which all zeros is a valid value.
    let mut state: nix::libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: `state` is a valid timex, and modes = 0 only reads.
    let answer = unsafe { nix::libc::adjtimex(&raw mut state) };
    (answer >= 0).then(|| Discipline {
        synchronised: state.status & nix::libc::STA_UNSYNC == 0,
        max_error_us: u64::try_from(state.maxerror).unwrap_or(0),
        offset_ns: if state.status & nix::libc::STA_NANO == 0 { state.offset * 1_000 } else { state.offset },
        // The kernel's unit is 2^-16 ppm.
        frequency_ppm: state.freq as f64 / f64::from(1 << 16),
    })
}

/// How long the machine has been up, time asleep included, and a number that tells this start of it from others.
/// Unlike an `Instant` it means the same to every process.
pub fn up() -> (Duration, u64) {
    static BOOT: OnceLock<u64> = OnceLock::new();
    let up = clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default();
    (up, *BOOT.get_or_init(boot))
}

/// Half of the kernel's id of this start, which is random throughout; 0 where it tells none.
fn boot() -> u64 {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    uuid::Uuid::parse_str(text.trim()).map_or(0, |id| id.as_u64_pair().1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_stays_up_and_is_the_same() {
        let (first, then) = (up(), up());
        assert!(first.0 > Duration::ZERO && then.0 >= first.0);
        assert!(first.1 > 0 && first.1 == then.1);
    }
}
