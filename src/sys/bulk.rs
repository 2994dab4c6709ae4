//! What moves much over TCP and UDP: reading without copying, kernel pacing, segmentation offload.

#![expect(unsafe_code, reason = "recv with MSG_TRUNC and these options have no safe wrapper")]

use std::fs::File;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice, tee};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::pipe2;

use super::{flow_label, option};

/// How a connection that carries much is made; what is `None` is left to the system.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Send and receive buffer in octets (`SO_SNDBUF`, `SO_RCVBUF`), which bound the window.
    pub window: Option<u32>,
    /// Largest segment (`TCP_MAXSEG`).
    pub mss: Option<u32>,
    /// Small writes are not held back (`TCP_NODELAY`).
    pub no_delay: bool,
    /// Type of service.
    pub tos: Option<u8>,
    /// Congestion control (`TCP_CONGESTION`).
    pub congestion: Option<String>,
    /// Octets per second that the kernel sends at most.
    pub pacing: Option<u64>,
    /// How long what was sent may stay without an answer (`TCP_USER_TIMEOUT`).
    pub patience: Option<Duration>,
    /// IPv6's flow label.
    pub flow_label: Option<u32>,
    /// Over several paths (MPTCP, RFC 8684) where this system and the other end have that.
    pub multipath: bool,
}

/// An option that a socket has not taken.
#[derive(Debug, thiserror::Error)]
#[error("{option}: {error}")]
pub struct Untaken {
    /// Its flag.
    pub option: &'static str,
    /// What the system says.
    pub error: io::Error,
}

impl Options {
    /// Sets them on a connection, or, for those that count from the first segment on, before there is one; returns those that
    /// the system does not take.
    pub fn apply(&self, socket: &socket2::Socket) -> Vec<Untaken> {
        let window = |window: u32| {
            let window = window as usize;
            socket.set_send_buffer_size(window).and_then(|()| socket.set_recv_buffer_size(window))
        };
        let tos = |tos: u8| match socket.domain() {
            Ok(socket2::Domain::IPV6) => socket.set_tclass_v6(tos.into()),
            _ => socket.set_tos_v4(tos.into()),
        };
        let congestion = |name: &String| socket.set_tcp_congestion(name.as_bytes());
        [
            ("-w", self.window.map(window)),
            ("-M", self.mss.map(|mss| socket.set_tcp_mss(mss))),
            ("-N", Some(socket.set_tcp_nodelay(self.no_delay))),
            ("-S", self.tos.map(tos)),
            ("-C", self.congestion.as_ref().map(congestion)),
            ("-b, --fq-rate", self.pacing.map(|pacing| set_pacing(socket, pacing))),
            ("--snd-timeout", self.patience.map(|patience| socket.set_tcp_user_timeout(Some(patience)))),
        ]
        .into_iter()
        .filter_map(|(option, set)| Some(Untaken { option, error: set?.err()? }))
        .collect()
    }

    /// Connects to `to`, from `from` and through `device` where they are given, within `patience`.
    ///
    /// # Errors
    /// An option that is not taken, or why there is no connection.
    pub fn connect(
        &self,
        to: SocketAddr,
        from: Option<SocketAddr>,
        device: Option<&str>,
        patience: Duration,
    ) -> Result<TcpStream, Untaken> {
        let named = |option| move |error| Untaken { option, error };
        let socket = |protocol| {
            socket2::Socket::new(socket2::Domain::for_address(to), socket2::Type::STREAM, protocol)
        };
        let multipath = self.multipath.then(|| socket(Some(socket2::Protocol::MPTCP))).and_then(Result::ok);
        let socket = multipath.map_or_else(|| socket(None), Ok).map_err(named("socket"))?;
        if let Some(device) = device {
            socket.bind_device(Some(device.as_bytes())).map_err(named("-I"))?;
        }
        if let Some(from) = from {
            // A port that was used a moment ago.
            socket
                .set_reuse_address(true)
                .and_then(|()| socket.bind(&from.into()))
                .map_err(named("-B, --cport"))?;
        }
        if let Some(untaken) = self.apply(&socket).into_iter().next() {
            return Err(untaken);
        }
        let to = match self.flow_label {
            Some(label) => flow_label::towards(&socket, to, label).map_err(named("-L"))?,
            None => to,
        };
        socket.connect_timeout(&to.into(), patience).map_err(named("connect"))?;
        Ok(socket.into())
    }
}

/// The congestion control of a connection.
pub fn congestion(socket: &TcpStream) -> Option<String> {
    let name = socket2::SockRef::from(socket).tcp_congestion().ok()?;
    let end = name.iter().position(|&octet| octet == 0).unwrap_or(name.len());
    String::from_utf8(name[..end].to_vec()).ok()
}

/// Whether a connection is known to be able to take several paths: both ends have MPTCP (`MPTCP_INFO`, since Linux 5.16).
pub fn is_multipath(socket: &TcpStream) -> bool {
    const SOL_MPTCP: libc::c_int = 284;
    const MPTCP_INFO: libc::c_int = 1;
    const FALLBACK: u32 = 1;
    // Its flags stand behind eight octets.
    option::numbers::<4>(socket, SOL_MPTCP, MPTCP_INFO).is_ok_and(|info| info[2] & FALLBACK == 0)
}

/// The sizes of a socket's buffers in octets: send, receive.
pub fn buffers(socket: &impl AsFd) -> Option<(usize, usize)> {
    let socket = socket2::SockRef::from(socket);
    Some((socket.send_buffer_size().ok()?, socket.recv_buffer_size().ok()?))
}

/// What of such a size is payload's: the kernel has doubled what was asked for, for its own needs (socket(7)).
pub const fn usable(buffer: usize) -> usize {
    buffer / 2
}

/// Reads at most `most` octets of a TCP connection and throws them away in the kernel (`MSG_TRUNC`, tcp(7)): returns how many;
/// 0 is the end.
///
/// # Errors
/// What recv(2) says; `WouldBlock` when nothing came within the socket's timeout.
pub fn discard(socket: &impl AsFd, most: usize) -> io::Result<usize> {
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: with MSG_TRUNC the kernel writes nothing to the buffer of a stream socket, so that there need not be one; the
    // descriptor is open as long as its borrow.
    let read = unsafe { libc::recv(fd, std::ptr::null_mut(), most, libc::MSG_TRUNC) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// Octets that have come through a TCP connection and were not read yet (`SIOCINQ`, tcp(7)).
///
/// # Errors
/// What ioctl(2) says.
pub fn queued(socket: &impl AsFd) -> io::Result<usize> {
    let mut octets: libc::c_int = 0;
    // SAFETY: the call writes one int, which is ours; the descriptor is open as long as its borrow.
    let done = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::FIONREAD, &raw mut octets) };
    Errno::result(done)?;
    Ok(usize::try_from(octets).unwrap_or(0))
}

/// Octets that the kernel sends without copying them: their pages stay in one pipe, from which references to them go through
/// another into a connection (tee(2), splice(2)). sendfile(2) does the same and looks each page up each time.
#[derive(Debug)]
pub struct Lent {
    kept: OwnedFd,
    octets: usize,
    /// Both ends of the pipe to the connection, and what is in it.
    passing: (OwnedFd, OwnedFd),
    left: usize,
}

impl Lent {
    /// `octets`, or as many of the first ones as a pipe may hold.
    ///
    /// # Errors
    /// When the system gives no file in memory (memfd_create(2)) or no pipes.
    pub fn new(octets: &[u8]) -> io::Result<Self> {
        let mut file = File::from(memfd_create(c"payload", MFdFlags::MFD_CLOEXEC)?);
        file.write_all(octets)?;
        let pipe = || {
            let ends = pipe2(OFlag::O_CLOEXEC)?;
            // What it may hold where this is refused is enough to work.
            let _ = fcntl(&ends.1, FcntlArg::F_SETPIPE_SZ(octets.len().next_power_of_two() as i32));
            io::Result::Ok(ends)
        };
        let ((kept, filling), passing) = (pipe()?, pipe()?);
        let (mut at, mut filled) = (0, 0);
        while filled < octets.len() {
            let left = octets.len() - filled;
            match splice(&file, Some(&mut at), &filling, None, left, SpliceFFlags::SPLICE_F_NONBLOCK) {
                Ok(0) | Err(Errno::EAGAIN) => break,
                moved => filled += moved?,
            }
        }
        // More would take two calls for each pipeful.
        let held = usize::try_from(fcntl(&passing.1, FcntlArg::F_GETPIPE_SZ)?).unwrap_or(0);
        Ok(Self { kept, octets: filled.min(held), passing, left: 0 })
    }

    /// How many octets it has.
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// Octets that the last call had no room for.
    pub const fn rests(&self) -> usize {
        self.left
    }

    /// Sends the first `most` octets over `socket`, or what was left of them by the last call, as far as there is room; returns
    /// how many.
    ///
    /// # Errors
    /// What splice(2) says; `WouldBlock` when there was no room within the socket's timeout.
    pub fn send(&mut self, socket: &TcpStream, most: usize) -> io::Result<usize> {
        if self.left == 0 {
            let flags = SpliceFFlags::SPLICE_F_NONBLOCK;
            self.left = tee(&self.kept, &self.passing.1, most.min(self.octets), flags)?;
        }
        let most = self.left.min(most);
        let sent = splice(&self.passing.0, None, socket, None, most, SpliceFFlags::empty())?;
        self.left -= sent;
        Ok(sent)
    }
}

/// A read shall wait until so many octets have come (`SO_RCVLOWAT`), or its timeout is over.
///
/// # Errors
/// What setsockopt(2) says.
pub fn set_low_water(socket: &impl AsFd, octets: i32) -> io::Result<()> {
    option::set(socket, libc::SOL_SOCKET, libc::SO_RCVLOWAT, &octets)
}

/// The kernel shall send no faster than `octets` per second (`SO_MAX_PACING_RATE`, socket(7)).
///
/// # Errors
/// What setsockopt(2) says.
pub fn set_pacing(socket: &impl AsFd, octets: u64) -> io::Result<()> {
    option::set(socket, libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE, &octets)
}

/// What is sent at once shall leave in datagrams of `length` octets (`UDP_SEGMENT`, udp(7)).
///
/// # Errors
/// What setsockopt(2) says: an older kernel knows none.
pub fn set_segments(socket: &impl AsFd, length: u16) -> io::Result<()> {
    option::set(socket, libc::SOL_UDP, libc::UDP_SEGMENT, &i32::from(length))
}

/// Datagrams of one flow and one length may come as one, or no longer (`UDP_GRO`, udp(7)).
///
/// # Errors
/// What setsockopt(2) says: an older kernel knows none.
pub fn set_coalescing(socket: &impl AsFd, may: bool) -> io::Result<()> {
    option::set(socket, libc::SOL_UDP, libc::UDP_GRO, &i32::from(may))
}

/// Processor time of this thread so far.
pub fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

/// How long this thread could have run so far, and waited for a processor (`schedstat`, proc(5)); `None` where the kernel
/// does not count it.
pub fn thread_wait() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// Processor time of this process so far: its own, and the kernel's for it.
pub fn process_time() -> (Duration, Duration) {
    let of = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec().unsigned_abs(), time.tv_usec().unsigned_abs() as u32 * 1000)
    };
    getrusage(UsageWho::RUSAGE_SELF)
        .map(|usage| (of(usage.user_time()), of(usage.system_time())))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    #[test]
    fn what_is_discarded_is_gone_and_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let mut near = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let (mut far, _) = listener.accept().expect("a connection");
        near.write_all(b"0123456789").expect("sent");
        far.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        assert_eq!(discard(&far, 4).expect("four"), 4);
        let mut rest = [0; 6];
        far.read_exact(&mut rest).expect("the rest");
        assert_eq!(&rest, b"456789");
        assert_eq!(discard(&far, 4).map_err(|error| error.kind()), Err(io::ErrorKind::WouldBlock));
        // Less than the low water comes when the time is over.
        set_low_water(&far, 1000).expect("a low water");
        near.write_all(b"abc").expect("sent");
        assert_eq!(discard(&far, 1000).expect("three"), 3);
        drop(near);
        assert_eq!(discard(&far, 4).expect("the end"), 0);
        assert!(set_pacing(&far, 1_000_000).is_ok());
    }

    #[test]
    fn time_of_the_thread_is_time_of_the_process() {
        let (thread, (user, system)) = (thread_time(), process_time());
        let mut sum = 0u64;
        while thread_time() - thread < Duration::from_millis(30) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let (later, later_system) = process_time();
        assert!(thread_wait().is_some(), "Linux counts it");
        assert!(later + later_system - user - system >= Duration::from_millis(20));
    }
}
