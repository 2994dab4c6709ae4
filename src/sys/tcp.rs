//! What the kernel knows of a TCP connection.

#![expect(unsafe_code, reason = "getsockopt of TCP_INFO has no safe wrapper")]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::libc;

/// A part of `struct tcp_info`, tcp(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Smoothed round-trip time (RFC 6298): right after the handshake that of the SYN alone; `None` before there is one.
    pub rtt: Option<Duration>,
    /// Segments sent again so far, the SYN included.
    pub retransmits: u32,
    /// Maximum segment size (RFC 6691) that we send: what the far side, or somebody on the way, has announced, or what
    /// this host knows of the path, if that is less. Options are not taken off.
    pub mss: u32,
    /// The path MTU that this host believes in.
    pub pmtu: u32,
    /// The congestion window, in segments.
    pub cwnd: u32,
}

/// The timestamps option (RFC 7323) is in use: `TCPI_OPT_TIMESTAMPS`.
const TIMESTAMPS: u8 = 1;
/// What it takes of each segment, its padding included.
const TIMESTAMPS_LENGTH: u32 = 12;

/// The kernel's view of a connection.
///
/// # Errors
/// When it is no TCP socket.
pub fn info(socket: BorrowedFd<'_>) -> io::Result<Info> {
    // SAFETY: tcp_info is plain data, for which all zeros is valid.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the descriptor is open, and the kernel writes at most `length` octets into `info`.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    let rtt = (info.tcpi_rtt > 0).then(|| Duration::from_micros(info.tcpi_rtt.into()));
    let options = if info.tcpi_options & TIMESTAMPS != 0 { TIMESTAMPS_LENGTH } else { 0 };
    let mss = info.tcpi_snd_mss + options;
    let (retransmits, pmtu, cwnd) = (info.tcpi_total_retrans, info.tcpi_pmtu, info.tcpi_snd_cwnd);
    Ok(Info { rtt, retransmits, mss, pmtu, cwnd })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::AsFd;

    #[test]
    fn a_fresh_connection_has_the_time_of_its_syn() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let info = info(stream.as_fd()).expect("TCP");
        assert!(info.rtt.is_some_and(|rtt| rtt < Duration::from_secs(1)), "{info:?}");
        assert_eq!(info.retransmits, 0);
        assert!(info.cwnd > 0);
        assert!(info.mss >= 536 && info.mss + 40 <= info.pmtu, "{info:?}");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        assert!(super::info(udp.as_fd()).is_err());
    }
}
