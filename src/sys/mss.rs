//! The segment size of a TCP connection, from `TCP_INFO` of tcp(7).

#![expect(unsafe_code, reason = "TCP_INFO has no safe wrapper")]

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

/// The timestamps option (RFC 7323) is in use: `TCPI_OPT_TIMESTAMPS`.
const TIMESTAMPS: u8 = 1;
/// What it takes of each segment, its padding included.
const TIMESTAMPS_LENGTH: u32 = 12;

/// What a connection's segments may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Maximum segment size (RFC 6691) that we send: what the far side, or somebody on the way, has announced, or what
    /// this host knows of the path, if that is less. Options are not taken off.
    pub mss: u32,
    /// The path MTU that this host believes in.
    pub pmtu: u32,
}

/// The segment size of a connected TCP socket.
///
/// # Errors
/// What the system says.
pub fn of(socket: &impl AsFd) -> io::Result<Segments> {
    // SAFETY: tcp_info is plain data, for which all zeros is valid.
    let mut info: libc::tcp_info = unsafe { zeroed() };
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    let place = (&raw mut info).cast();
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the descriptor is open; the call writes at most `length` octets to `info`.
    let done = unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, place, &raw mut length) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    let options = if info.tcpi_options & TIMESTAMPS != 0 { TIMESTAMPS_LENGTH } else { 0 };
    Ok(Segments { mss: info.tcpi_snd_mss + options, pmtu: info.tcpi_pmtu })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_over_loopback_has_large_segments() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream =
            std::net::TcpStream::connect(listener.local_addr().expect("its address")).expect("connect");
        let segments = of(&stream).expect("its state");
        assert!(segments.mss >= 536 && segments.mss + 40 <= segments.pmtu, "{segments:?}");
    }
}
