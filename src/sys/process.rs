//! What the kernel says of this process.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::kill;
use nix::unistd::{Pid, daemon, dup2_stderr, dup2_stdin, dup2_stdout, getegid, geteuid, getgid, getuid};

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

/// Lets all threads of this process allocate from one heap (`M_ARENA_MAX`, mallopt(3)). glibc gives each that allocates one of its own,
/// most of which is never used and never given back; who allocates little has nothing to gain from that.
///
/// Call it before the first thread.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "mallopt has no safe wrapper")]
pub fn share_heap() {
    // SAFETY: it takes two numbers; nothing allocates meanwhile, for this is the only thread.
    if unsafe { nix::libc::mallopt(nix::libc::M_ARENA_MAX, 1) } == 0 {
        tracing::debug!("the system's allocator has no M_ARENA_MAX");
    }
}

/// Other C libraries have one heap.
#[cfg(not(target_env = "gnu"))]
pub fn share_heap() {}

/// Lets this thread, and those that it starts from now on, run on `processor` alone (sched_setaffinity(2)).
///
/// # Errors
/// That there is none of this number, or not for this process.
pub fn run_on(processor: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(processor)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// What is written to standard output from now on goes to the end of the file at `path`.
///
/// # Errors
/// That it cannot be opened.
pub fn print_into(path: &Path) -> io::Result<()> {
    Ok(dup2_stdout(log(path)?)?)
}

/// The file at `path`, to write to its end. It is made where there is none, for its owner and who may read his files.
///
/// # Errors
/// That it cannot be opened.
pub fn log(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

/// Goes to the background: the caller goes on in a process of its own session, and the one that was started ends with 0
/// (daemon(3)). What is open stays so, the directory too.
///
/// Call it before the first thread: no other goes along.
///
/// # Errors
/// What the system says.
pub fn detach() -> io::Result<()> {
    Ok(daemon(true, true)?)
}

/// What is written to standard output and error from now on goes to `file`; what `nothing` holds comes from standard input.
///
/// # Errors
/// What the system says.
pub fn leave_terminal(file: &File, nothing: &File) -> io::Result<()> {
    dup2_stdin(nothing)?;
    dup2_stdout(file)?;
    Ok(dup2_stderr(file)?)
}

/// Whether a process with this number lives, whoever's it is.
pub fn lives(pid: i32) -> bool {
    pid > 0 && kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH)
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
