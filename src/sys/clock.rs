//! The clocks. Everything else is handed its time.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discipline {
    /// Whether the kernel believes that the clock is synchronised (`STA_UNSYNC` clear).
    pub synchronised: bool,
    /// The kernel's bound on the error, in microseconds.
    pub max_error_us: u64,
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
    })
}
