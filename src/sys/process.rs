//! What the kernel says of this process.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{getegid, geteuid, getgid, getuid};

/// Whether the kernel started this process with more rights than its caller has (`AT_SECURE`, getauxval(3)), be it by
/// a file's owner or by its capabilities: then its own name, which the caller chose, says nothing.
#[expect(unsafe_code, reason = "getauxval has no safe wrapper")]
pub fn is_secure() -> bool {
    // SAFETY: getauxval takes a number, reads what the kernel left at start, and touches nothing else.
    unsafe { nix::libc::getauxval(nix::libc::AT_SECURE) != 0 }
}

/// Forgets the environment where this process acts for another user or group than its caller (setuid, setgid): what it
/// says would then be believed with that one's rights. A capability of the file, as in the image, lends nobody's files,
/// and leaves the environment as good as the flags.
///
/// Call it before the first thread.
#[expect(unsafe_code, reason = "the environment belongs to all threads; there is one yet")]
pub fn forget_a_callers_environment() {
    if getuid() == geteuid() && getgid() == getegid() {
        return;
    }
    for (name, _) in std::env::vars_os() {
        // SAFETY: nothing else reads or writes the environment meanwhile: this is the only thread.
        unsafe { std::env::remove_var(name) };
    }
}

/// How many file descriptors this process may have (RLIMIT_NOFILE).
pub fn descriptors() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft)
}

/// Lets this process have as many file descriptors as it may, and says how many that are.
pub fn raise_descriptors() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft }
}
