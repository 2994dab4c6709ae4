//! Classic BPF programs on sockets: what is not wanted wakes nobody. See bpf(4) of the BSDs, and
//! Documentation/networking/filter.rst.

#![expect(unsafe_code, reason = "SO_ATTACH_FILTER has no safe wrapper")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

/// Lets a raw TCP socket take only segments to our 16 ports from `port` on, a multiple of 16.
///
/// # Errors
/// What the system says.
pub fn only_to_tcp_ports(socket: impl AsFd, ipv6: bool, port: u16) -> io::Result<()> {
    let (header, half, equal, give) = (
        libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH,
        libc::BPF_LD | libc::BPF_H,
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        libc::BPF_RET | libc::BPF_K,
    );
    let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
    // The destination port is at 2; IPv4 delivers its own header before (raw(7)), IPv6 does not.
    let load = if ipv6 {
        vec![step(half | libc::BPF_ABS, 0, 0, 2)]
    } else {
        vec![step(header, 0, 0, 0), step(half | libc::BPF_IND, 0, 0, 2)]
    };
    let verdict = [
        step(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0, 0, 0xfff0),
        step(equal, 0, 1, port.into()),
        step(give, 0, 0, u32::MAX),
        step(give, 0, 0, 0),
    ];
    let mut program: Vec<libc::sock_filter> = load.into_iter().chain(verdict).collect();
    let whole = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
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
