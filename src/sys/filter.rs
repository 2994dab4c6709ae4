//! Classic BPF programs on sockets: what is not wanted wakes nobody. See Documentation/networking/filter.rst.

#![expect(unsafe_code, reason = "SO_ATTACH_FILTER has no safe wrapper")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

/// An operation of a filter: code, two jumps, operand (`struct sock_filter`).
pub type Operation = (u16, u8, u8, u32);

/// Lets `socket` take only what `program` accepts, instead of what one before it accepted.
///
/// # Errors
/// What the system says: a program that is none, or too long.
pub fn attach(socket: impl AsFd, program: &[Operation]) -> io::Result<()> {
    let mut operations: Vec<libc::sock_filter> =
        program.iter().map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k }).collect();
    let length = u16::try_from(operations.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let whole = libc::sock_fprog { len: length, filter: operations.as_mut_ptr() };
    // SAFETY: the descriptor is open while it is borrowed, `whole` names a live program of its length, which the
    // call copies.
    let done = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const whole).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The program of a raw socket that accepts what has `value` in the bits `mask` of the two octets at `offset` behind
/// the IP header.
pub fn half_word(ipv6: bool, offset: u16, mask: u16, value: u16) -> Vec<Operation> {
    let half = libc::BPF_LD | libc::BPF_H;
    let step = |code: u32, jt, jf, k| (code as u16, jt, jf, k);
    // IPv4 delivers its own header before (raw(7)), IPv6 does not.
    let load = if ipv6 {
        vec![step(half | libc::BPF_ABS, 0, 0, offset.into())]
    } else {
        let header = libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH;
        vec![step(header, 0, 0, 0), step(half | libc::BPF_IND, 0, 0, offset.into())]
    };
    let verdict = [
        step(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0, 0, mask.into()),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, value.into()),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
    ];
    load.into_iter().chain(verdict).collect()
}
