//! setsockopt(2) and getsockopt(2), for options that have no safe wrapper.

#![expect(unsafe_code, reason = "a value of any size is passed by its address")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

/// Sets an option to `value`, which must be what the option wants: plain data.
///
/// # Errors
/// What the system says.
pub(super) fn set<T: Copy>(
    socket: &impl AsFd,
    level: libc::c_int,
    name: libc::c_int,
    value: &T,
) -> io::Result<()> {
    let size = size_of::<T>() as libc::socklen_t;
    let value = std::ptr::from_ref(value).cast();
    // SAFETY: the descriptor is open as long as its borrow; `value` is plain data of the given size, which the call only
    // reads.
    let done = unsafe { libc::setsockopt(socket.as_fd().as_raw_fd(), level, name, value, size) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The value of an option that is a number.
///
/// # Errors
/// What the system says.
pub(super) fn number(socket: &impl AsFd, level: libc::c_int, name: libc::c_int) -> io::Result<libc::c_int> {
    let (mut value, mut length) = (0 as libc::c_int, size_of::<libc::c_int>() as libc::socklen_t);
    let place = (&raw mut value).cast();
    // SAFETY: the descriptor is open as long as its borrow; the call writes at most `length` octets to `value`.
    let done = unsafe { libc::getsockopt(socket.as_fd().as_raw_fd(), level, name, place, &raw mut length) };
    if done == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

/// The value of an option that is several numbers, as many as the system has of them; the others are 0.
///
/// # Errors
/// What the system says.
pub(super) fn numbers<const N: usize>(
    socket: &impl AsFd,
    level: libc::c_int,
    name: libc::c_int,
) -> io::Result<[u32; N]> {
    let (mut values, mut length) = ([0; N], size_of::<[u32; N]>() as libc::socklen_t);
    let place = values.as_mut_ptr().cast();
    // SAFETY: the descriptor is open as long as its borrow; the call writes at most `length` octets to `values`.
    let done = unsafe { libc::getsockopt(socket.as_fd().as_raw_fd(), level, name, place, &raw mut length) };
    if done == 0 { Ok(values) } else { Err(io::Error::last_os_error()) }
}
