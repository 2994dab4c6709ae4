//! Which files this thread, and those that it starts, may touch from now on (landlock(7)). Irreversible.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::libc::{self, c_long};

/// The first version of the interface that lets a file move between directories, as the spool's do (Linux 5.19).
const MOVES: c_long = 2;
/// The first that knows truncation (Linux 6.2).
const TRUNCATES: c_long = 3;
/// Asks for the interface's version.
const VERSION: u32 = 1;
/// A rule for what lies beneath a directory.
const BENEATH: u32 = 1;

/// All that the first version knows: executing, reading, writing, removing, and making anything.
const ANYTHING: u64 = (1 << 13) - 1;
const WRITE_FILE: u64 = 1 << 1;
const READ: u64 = 1 << 2 | 1 << 3;
const REMOVE: u64 = 1 << 4 | 1 << 5;
/// Directories, files, sockets.
const MAKE: u64 = 1 << 7 | 1 << 8 | 1 << 9;
const MOVE: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;

/// `landlock_path_beneath_attr` of the kernel.
#[repr(C, packed)]
struct Rule {
    rights: u64,
    directory: RawFd,
}

/// Leaves the calling thread the directories `writable`, and what lies beneath them, to read and write, those of
/// `readable` to read, and no other file to open. What is open stays open. Directories of `readable` that do not exist are passed
/// over. No new privileges must be given up before.
///
/// # Errors
/// What the system says; then nothing has changed. `Unsupported` where the kernel has no landlock, or one older
/// than Linux 5.19's.
pub fn confine(writable: &[&Path], readable: &[PathBuf]) -> io::Result<()> {
    let version = create(None).map_err(|error| match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EOPNOTSUPP) => io::ErrorKind::Unsupported.into(),
        _ => error,
    })?;
    if version < MOVES {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let truncate = if version < TRUNCATES { 0 } else { TRUNCATE };
    let rules = ruleset(ANYTHING | MOVE | truncate)?;
    for directory in writable {
        allow(rules.as_fd(), directory, READ | WRITE_FILE | REMOVE | MAKE | MOVE | truncate)?;
    }
    for directory in readable {
        match allow(rules.as_fd(), directory, READ) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    restrict(rules.as_fd())
}

/// `landlock_create_ruleset(2)`: a new ruleset that handles these rights, or without any the interface's version.
#[expect(unsafe_code, reason = "landlock_create_ruleset has no safe wrapper")]
fn create(handled: Option<u64>) -> io::Result<c_long> {
    let (attributes, size, flags) = handled
        .as_ref()
        .map_or((std::ptr::null(), 0, VERSION), |rights| (&raw const *rights, size_of::<u64>(), 0));
    // SAFETY: the kernel reads `size` octets at `attributes`, which is a valid u64, or null for none.
    let answer = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, attributes, size, flags) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

#[expect(unsafe_code, reason = "a descriptor arrives as a number")]
fn ruleset(handled: u64) -> io::Result<OwnedFd> {
    let number = create(Some(handled))?;
    let number = RawFd::try_from(number).map_err(|_| io::ErrorKind::InvalidData)?;
    // SAFETY: the kernel has just opened it for this caller; nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[expect(unsafe_code, reason = "landlock_add_rule has no safe wrapper")]
fn allow(rules: BorrowedFd, directory: &Path, rights: u64) -> io::Result<()> {
    let opened =
        OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(directory)?;
    let rule = Rule { rights, directory: opened.as_raw_fd() };
    // SAFETY: `rule` is a valid landlock_path_beneath_attr, which the kernel only reads; both descriptors are open.
    let answer = unsafe {
        libc::syscall(libc::SYS_landlock_add_rule, rules.as_raw_fd(), BENEATH, &raw const rule, 0_u32)
    };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[expect(unsafe_code, reason = "landlock_restrict_self has no safe wrapper")]
fn restrict(rules: BorrowedFd) -> io::Result<()> {
    // SAFETY: takes an open descriptor and a number, and touches no memory of this process.
    let answer = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0_u32) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_confined_thread_writes_in_one_place_and_reads_in_another() {
        let [data, config, other] = [(); 3].map(|()| tempfile::tempdir().expect("make a directory"));
        for place in [&data, &config, &other] {
            fs::write(place.path().join("file"), "text").expect("write a file");
        }
        let confined = std::thread::spawn(move || {
            nix::sys::prctl::set_no_new_privs().expect("no new privileges");
            let readable = [config.path().to_owned(), "/nowhere/at/all".into()];
            match confine(&[data.path()], &readable) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => return,
                done => done.expect("confined"),
            }
            let data = data.path();
            for name in ["spool", "rejected"] {
                fs::create_dir(data.join(name)).expect("make a directory");
            }
            fs::rename(data.join("file"), data.join("spool/file")).expect("move a file in");
            fs::rename(data.join("spool/file"), data.join("rejected/file")).expect("move it on");
            fs::write(data.join("rejected/file"), "").expect("write anew");
            UnixListener::bind(data.join("control.sock")).expect("a socket");
            fs::remove_dir_all(data.join("rejected")).expect("remove");
            assert_eq!(fs::read_to_string(config.path().join("file")).expect("readable"), "text");
            let kind = |done: io::Result<()>| done.map_err(|error| error.kind());
            let denied = Err(io::ErrorKind::PermissionDenied);
            assert_eq!(kind(fs::write(config.path().join("file"), "")), denied);
            assert_eq!(kind(fs::write(other.path().join("new"), "")), denied);
            assert_eq!(kind(fs::read(other.path().join("file")).map(drop)), denied);
            assert_eq!(kind(fs::remove_file(other.path().join("file"))), denied);
        });
        confined.join().expect("all as it should be");
    }
}
