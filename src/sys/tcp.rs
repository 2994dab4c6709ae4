//! What the kernel knows of a TCP connection.

#![expect(unsafe_code, reason = "getsockopt of TCP_INFO has no safe wrapper")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::libc;

/// A part of `struct tcp_info`, tcp(7) and linux/tcp.h. What an older kernel does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Smoothed round-trip time (RFC 6298): right after the handshake that of the SYN alone; `None` before there is one.
    pub rtt: Option<Duration>,
    /// Its mean deviation (RFC 6298).
    pub rtt_var: Duration,
    /// Segments sent again so far, the SYN included.
    pub retransmits: u32,
    /// Maximum segment size (RFC 6691) that we send: what the far side, or somebody on the way, has announced, or what
    /// this host knows of the path, if that is less. Options are not taken off.
    pub mss: u32,
    /// Octets that a segment carries: [`mss`](Self::mss) without its options.
    pub payload: u32,
    /// How long nothing has come; right after the handshake since then.
    pub quiet: Duration,
    /// The path MTU that this host believes in.
    pub pmtu: u32,
    /// The congestion window, in segments.
    pub cwnd: u32,
    /// How far segments came out of order, as far as was seen.
    pub reordering: Option<u32>,
    /// Octets that have come, whoever has read them.
    pub received: Option<u64>,
    /// How long there was something to send.
    pub busy: Option<Duration>,
    /// Of that, how long the receiver's window was what kept it back.
    pub rwnd_limited: Option<Duration>,
    /// Of that, how long our send buffer was.
    pub sndbuf_limited: Option<Duration>,
    /// The window that the far side grants, in octets.
    pub snd_wnd: Option<u32>,
    /// The window that this host grants, in octets.
    pub rcv_wnd: Option<u32>,
    /// The least round-trip time of late (`net.ipv4.tcp_min_rtt_wlen`, five minutes), that of the handshake included.
    pub min_rtt: Option<Duration>,
    /// Octets that wait to be sent for the first time.
    pub unsent: Option<u32>,
}

impl Info {
    /// The congestion window in octets.
    pub fn window(&self) -> u64 {
        u64::from(self.cwnd) * u64::from(self.payload)
    }
}

/// The timestamps option (RFC 7323) is in use: `TCPI_OPT_TIMESTAMPS`.
const TIMESTAMPS: u8 = 1;
/// What it takes of each segment, its padding included.
const TIMESTAMPS_LENGTH: u32 = 12;
/// Octets of `struct tcp_info` that are read; newer kernels have more, older ones fewer.
const LENGTH: usize = 240;

/// Octets to which the system lets a receive buffer grow by itself (`net.ipv4.tcp_rmem`, tcp(7)).
pub fn largest_receive_buffer() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_rmem").ok()?;
    text.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// The kernel's view of a connection.
///
/// # Errors
/// When it is no TCP socket.
pub fn info(socket: BorrowedFd<'_>) -> io::Result<Info> {
    let mut bytes = [0u8; LENGTH];
    let mut length = LENGTH as libc::socklen_t;
    // SAFETY: the descriptor is open, and the kernel writes at most `length` octets into `bytes`.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            bytes.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(read(&bytes[..(length as usize).min(LENGTH)]))
}

/// Reads what the kernel has written: only ever appended to, so that the length says what is there.
fn read(bytes: &[u8]) -> Info {
    let optional = |at: usize| Some(u32::from_ne_bytes(*bytes.get(at..at + 4)?.first_chunk()?));
    let number = |at| optional(at).unwrap_or(0);
    let long = |at: usize| Some(u64::from_ne_bytes(*bytes.get(at..at + 8)?.first_chunk()?));
    let time = |at| long(at).map(Duration::from_micros);
    let has_timestamps = bytes.get(5).is_some_and(|options| options & TIMESTAMPS != 0);
    let payload = number(16);
    Info {
        rtt: Some(number(68)).filter(|&us| us > 0).map(|us| Duration::from_micros(us.into())),
        rtt_var: Duration::from_micros(number(72).into()),
        retransmits: number(100),
        mss: payload + if has_timestamps { TIMESTAMPS_LENGTH } else { 0 },
        payload,
        quiet: Duration::from_millis(number(52).into()),
        pmtu: number(60),
        cwnd: number(80),
        reordering: optional(220),
        received: long(128),
        busy: time(168),
        rwnd_limited: time(176),
        sndbuf_limited: time(184),
        snd_wnd: optional(228),
        rcv_wnd: optional(232),
        min_rtt: optional(148).filter(|&us| us != u32::MAX).map(|us| Duration::from_micros(us.into())),
        unsent: optional(144),
    }
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
        assert_eq!(info.payload + 12, info.mss, "timestamps are Linux's default");
        assert!(info.snd_wnd.is_none_or(|window| window > 0), "{info:?}");
        assert!(info.rcv_wnd.is_none_or(|window| window > 0), "{info:?}");
        assert!(info.unsent.is_none_or(|octets| octets == 0), "{info:?}");
        assert!(info.min_rtt.is_none_or(|rtt| rtt < Duration::from_secs(1)), "{info:?}");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        assert!(super::info(udp.as_fd()).is_err());
    }

    #[test]
    fn what_has_come_is_counted_before_it_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        assert_eq!(super::info(stream.as_fd()).expect("TCP").received, Some(0));
        let (mut other, _) = listener.accept().expect("the other end");
        other.write_all(&[7; 1000]).expect("write");
        // Until the last of them is here.
        let mut all = [0; 1000];
        let mut here = stream.try_clone().expect("a descriptor");
        while here.peek(&mut all).expect("peek") < 1000 {}
        assert_eq!(super::info(stream.as_fd()).expect("TCP").received, Some(1000));
        here.read_exact(&mut all).expect("read");
        assert_eq!(super::info(stream.as_fd()).expect("TCP").received, Some(1000));
    }

    #[test]
    fn a_buffer_that_grows_has_a_bound() {
        assert!(largest_receive_buffer().is_none_or(|octets| octets > 4096));
    }

    #[test]
    fn what_an_older_kernel_does_not_tell_is_none() {
        let mut bytes = [0; LENGTH];
        bytes[100..104].copy_from_slice(&7u32.to_ne_bytes());
        bytes[168..176].copy_from_slice(&9u64.to_ne_bytes());
        let old = read(&bytes[..104]);
        assert_eq!((old.retransmits, old.busy, old.snd_wnd), (7, None, None));
        assert_eq!((old.min_rtt, old.unsent, old.rcv_wnd), (None, None, None));
        bytes[52..56].copy_from_slice(&5u32.to_ne_bytes());
        bytes[148..152].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(read(&bytes).min_rtt, None, "none was measured");
        assert_eq!(read(&bytes).busy, Some(Duration::from_micros(9)));
        assert_eq!(read(&bytes).quiet, Duration::from_millis(5));
    }
}
