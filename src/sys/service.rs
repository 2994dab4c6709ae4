//! The service manager's two interfaces: sockets that it opened (sd_listen_fds(3)) and the state that it wants to be
//! told (sd_notify(3)). Without a manager both do nothing.

use std::ffi::OsString;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::time::{ClockId, clock_gettime};

/// The first descriptor that a manager passes.
const FIRST: RawFd = 3;
/// More sockets than any unit of ours names.
const MOST: usize = 64;

/// The sockets that the manager opened for this process, with their names (`FileDescriptorName=`).
///
/// They can be taken once; the caller must be the first and only one to ask.
#[expect(unsafe_code, reason = "descriptors arrive as numbers")]
pub fn sockets() -> Vec<(String, OwnedFd)> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<usize>().ok());
    if number("LISTEN_PID") != Some(std::process::id() as usize) {
        return Vec::new();
    }
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let count = number("LISTEN_FDS").unwrap_or(0).min(MOST);
    let named = |n: usize| {
        let (name, fd) = (names.next().unwrap_or_default(), FIRST + n as RawFd);
        // SAFETY: only looked at, and the call says if it is not open.
        let seen = unsafe { BorrowedFd::borrow_raw(fd) };
        fcntl(seen, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).ok()?;
        // SAFETY: it is open, and by the protocol it belongs to this process; nobody else takes it.
        Some((name, unsafe { OwnedFd::from_raw_fd(fd) }))
    };
    (0..count).filter_map(named).collect()
}

/// Tells the manager `state` (`READY=1`, `STATUS=…`); silently nothing where there is none.
pub fn notify(state: &str) {
    let Some(address) = std::env::var_os("NOTIFY_SOCKET").and_then(address) else { return };
    if let Ok(socket) = UnixDatagram::unbound() {
        let _ = socket.send_to_addr(state.as_bytes(), &address);
    }
}

/// Tells the manager that the configuration is read anew; `READY=1` ends that (systemd.service(5), `Type=notify-reload`).
pub fn notify_reloading() {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    notify(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_micros()));
}

fn address(name: OsString) -> Option<SocketAddr> {
    match name.as_bytes() {
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest).ok(),
        [b'/', ..] => SocketAddr::from_pathname(name).ok(),
        _ => None,
    }
}

/// How often the manager wants to hear that this process is alive: half of `WatchdogSec=`.
pub fn watchdog() -> Option<Duration> {
    let micros = std::env::var("WATCHDOG_USEC").ok()?.parse::<u64>().ok()?;
    let pid = std::env::var("WATCHDOG_PID").ok().and_then(|text| text.parse::<u32>().ok());
    let ours = pid.is_none_or(|pid| pid == std::process::id());
    (ours && micros > 0).then(|| Duration::from_micros(micros / 2))
}
