//! Linux capabilities of the calling thread; see capabilities(7).

#![expect(unsafe_code, reason = "capget, capset and the bounding set have no safe wrapper")]

use std::io;

use nix::libc;

/// `__user_cap_header_struct` of the kernel.
#[repr(C)]
struct Header {
    version: u32,
    thread: i32,
}

/// `__user_cap_data_struct` of the kernel: 32 capabilities' bits in each set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
struct Word {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// The layout with two words (`_LINUX_CAPABILITY_VERSION_3`).
const HEADER: Header = Header { version: 0x2008_0522, thread: 0 };
/// Its bit in the first word.
const NET_RAW: u32 = 1 << 13;
/// That of opening files whatever their mode says.
const DAC_OVERRIDE: u32 = 1 << 1;

/// Does `open` with CAP_NET_RAW in effect where this thread may have it, and without it afterwards where it was not
/// before. What needs it and has it not says so itself.
///
/// # Errors
/// Those of `open`, and what the system says about the sets.
pub fn with_net_raw<T>(open: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = read()?;
    let mut raised = before;
    raised[0].effective |= NET_RAW & before[0].permitted;
    if raised == before {
        return open();
    }
    write(&raised)?;
    let opened = open();
    write(&before)?;
    opened
}

/// Nothing more can be had by executing a file. Without CAP_SETPCAP this does nothing: `harden` sees to the same.
///
/// # Errors
/// What the system says, else.
pub fn clear_bounds() -> io::Result<()> {
    for capability in 0..64_u64 {
        // SAFETY: takes numbers, and touches no memory of this process.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0_u64, 0_u64, 0_u64) } < 0 {
            let error = io::Error::last_os_error();
            return match error.raw_os_error() {
                // Past the last one, or not this process's to drop.
                Some(libc::EINVAL | libc::EPERM) => Ok(()),
                _ => Err(error),
            };
        }
    }
    Ok(())
}

/// Leaves the calling thread no capability, or only that of opening others' files where it had it.
///
/// # Errors
/// What the system says.
pub fn shed(opens_files: bool) -> io::Result<()> {
    let before = read()?;
    let kept = if opens_files { DAC_OVERRIDE } else { 0 };
    let word =
        Word { effective: before[0].effective & kept, permitted: before[0].permitted & kept, inheritable: 0 };
    let after = [word, Word::default()];
    if after == before { Ok(()) } else { write(&after) }
}

/// Empties the effective, permitted and inheritable sets, and with them the ambient one.
///
/// # Errors
/// What the system says.
pub(super) fn clear() -> io::Result<()> {
    let none = [Word::default(); 2];
    // A service manager that has left none may also forbid the call.
    if read()? == none { Ok(()) } else { write(&none) }
}

fn read() -> io::Result<[Word; 2]> {
    let mut words = [Word::default(); 2];
    // SAFETY: a valid header, and room for the two words that this version writes.
    match unsafe { libc::syscall(libc::SYS_capget, &HEADER as *const Header, words.as_mut_ptr()) } {
        0 => Ok(words),
        _ => Err(io::Error::last_os_error()),
    }
}

fn write(words: &[Word; 2]) -> io::Result<()> {
    // SAFETY: a valid header, and the two words that this version reads.
    match unsafe { libc::syscall(libc::SYS_capset, &HEADER as *const Header, words.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
