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

/// Where `tcpi_bytes_received` stands in `struct tcp_info` (linux/tcp.h), which libc's ends before.
const RECEIVED: usize = 128;

/// The kernel's view of a connection.
///
/// # Errors
/// When it is no TCP socket.
pub fn info(socket: BorrowedFd<'_>) -> io::Result<Info> {
    // SAFETY: tcp_info is plain data, for which all zeros is valid.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    ask(socket, &mut info)?;
    let rtt = (info.tcpi_rtt > 0).then(|| Duration::from_micros(info.tcpi_rtt.into()));
    let options = if info.tcpi_options & TIMESTAMPS != 0 { TIMESTAMPS_LENGTH } else { 0 };
    let mss = info.tcpi_snd_mss + options;
    let (retransmits, pmtu, cwnd) = (info.tcpi_total_retrans, info.tcpi_pmtu, info.tcpi_snd_cwnd);
    Ok(Info { rtt, retransmits, mss, pmtu, cwnd })
}

/// Octets that have come over a connection, whoever has read them; `None` of a kernel that does not count them (before
/// 4.1).
///
/// # Errors
/// When it is no TCP socket.
pub fn received(socket: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    let mut octets = [0; RECEIVED + size_of::<u64>()];
    let length = ask(socket, &mut octets)?;
    let count = octets[..length].get(RECEIVED..).and_then(|count| count.first_chunk());
    Ok(count.map(|count| u64::from_ne_bytes(*count)))
}

/// Has the kernel fill in `info`, which any octets may be; how many there are.
fn ask<T: Copy>(socket: BorrowedFd<'_>, info: &mut T) -> io::Result<usize> {
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the descriptor is open, and the kernel writes at most `length` octets into `info`, which is plain data.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            std::ptr::from_mut(info).cast(),
            &raw mut length,
        )
    };
    if done == 0 { Ok(length as usize) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
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
        assert!(super::info(udp.as_fd()).is_err() && received(udp.as_fd()).is_err());
    }

    #[test]
    fn what_has_come_is_counted_before_it_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        assert_eq!(received(stream.as_fd()).expect("TCP"), Some(0));
        let (mut other, _) = listener.accept().expect("the other end");
        other.write_all(&[7; 1000]).expect("write");
        // Until the last of them is here.
        let mut all = [0; 1000];
        let mut here = stream.try_clone().expect("a descriptor");
        while here.peek(&mut all).expect("peek") < 1000 {}
        assert_eq!(received(stream.as_fd()).expect("TCP"), Some(1000));
        here.read_exact(&mut all).expect("read");
        assert_eq!(received(stream.as_fd()).expect("TCP"), Some(1000));
    }
}
