//! TCP connections that are only attempted: begun without waiting, their fate told exactly, the socket used again.
//!
//! connect(2) alone says "connection refused" of a RST and of an ICMP port unreachable alike; the error queue
//! (`IP_RECVERR`, ip(7)) tells them apart and says who sent the latter.

#![expect(unsafe_code, reason = "dissolving a connection (AF_UNSPEC) has no safe wrapper")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::libc;
use socket2::{Domain, Protocol, Type};

use super::datagram::control::{IP_RECVERR_RFC4884, IPV6_RECVERR_RFC4884, take_error};
use super::datagram::{Meta, Queued};
use super::option;

/// A socket for one attempt after another.
#[derive(Debug)]
pub struct Attempt {
    inner: socket2::Socket,
}

/// How its packets leave.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// From this address.
    pub source: Option<IpAddr>,
    /// Through this network interface.
    pub interface: Option<String>,
    /// With this TTL or hop limit.
    pub ttl: Option<u8>,
    /// With this type of service.
    pub tos: Option<u8>,
}

impl Way {
    /// Where a socket of a family is bound: to the source where that is of it, else to what the system chooses, as is the port. Who may
    /// only leave by the source asks the addresses before whether they are of its family.
    pub fn local(&self, ipv6: bool) -> SocketAddr {
        let any = if ipv6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        SocketAddr::new(self.source.filter(|source| source.is_ipv6() == ipv6).unwrap_or(any), 0)
    }
}

/// An ICMP error about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Who sent it.
    pub from: Option<IpAddr>,
}

impl Attempt {
    /// A socket of the family of `to`.
    ///
    /// # Errors
    /// When descriptors are scarce, or this host cannot send that way.
    pub fn new(ipv6: bool, way: &Way) -> io::Result<Self> {
        let domain = if ipv6 { Domain::IPV6 } else { Domain::IPV4 };
        let inner = socket2::Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        tell_errors(&inner, ipv6)?;
        if let Some(interface) = &way.interface {
            inner.bind_device(Some(interface.as_bytes()))?;
        }
        if let Some(ttl) = way.ttl {
            if ipv6 { inner.set_unicast_hops_v6(ttl.into()) } else { inner.set_ttl_v4(ttl.into()) }?;
        }
        if let Some(tos) = way.tos {
            if ipv6 { inner.set_tclass_v6(tos.into()) } else { inner.set_tos_v4(tos.into()) }?;
        }
        if let Some(source) = way.source {
            inner.bind(&SocketAddr::new(source, 0).into())?;
        }
        Ok(Self { inner })
    }

    /// Begins. `Ok(true)`: the connection stands at once; `Ok(false)`: it takes time.
    ///
    /// # Errors
    /// What the system says at once.
    pub fn begin(&self, to: SocketAddr) -> io::Result<bool> {
        match self.inner.connect(&to.into()) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks what became of the attempt at `to`: `Ok(true)` it stands, `Ok(false)` not yet. An error ends it, and the
    /// socket can begin anew.
    ///
    /// # Errors
    /// How it ended.
    pub fn outcome(&self, to: SocketAddr) -> io::Result<bool> {
        match self.inner.connect(&to.into()) {
            Ok(()) => Ok(true),
            Err(error) => match error.raw_os_error() {
                Some(libc::EISCONN) => Ok(true),
                Some(libc::EALREADY | libc::EINPROGRESS) => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// Lets errors tell more: what follows their quote (RFC 4884, Linux 5.9), and with which TTL or hop limit they arrive.
    ///
    /// # Errors
    /// What the system says.
    pub fn tell_more(&self, ipv6: bool) -> io::Result<()> {
        let (level, extensions, ttl) = match ipv6 {
            true => (libc::IPPROTO_IPV6, IPV6_RECVERR_RFC4884, libc::IPV6_RECVHOPLIMIT),
            false => (libc::IPPROTO_IP, IP_RECVERR_RFC4884, libc::IP_RECVTTL),
        };
        // An older system has errors all the same.
        let _ = option::set(self, level, extensions, &1i32);
        option::set(self, level, ttl, &1i32)
    }

    /// The oldest entry of the error queue, as [`take_error`] gives it; it is taken.
    pub fn error(&self, quote: &mut [u8]) -> Option<(usize, Meta)> {
        take_error(self, quote)
    }

    /// The oldest ICMP error about the attempt; it is taken.
    pub fn unreachable(&self) -> Option<Unreachable> {
        match self.error(&mut [0])?.1.error? {
            Queued::Icmp { kind, code, from, .. } => Some(Unreachable { kind, code, from }),
            _ => None,
        }
    }

    /// The same socket for who waits for it and talks over it: data is not held back, and it ends with a RST, so that
    /// nothing lingers.
    ///
    /// # Errors
    /// What the system says.
    pub fn stream(&self) -> io::Result<std::net::TcpStream> {
        self.inner.set_tcp_nodelay(true)?;
        self.inner.set_linger(Some(Duration::ZERO))?;
        Ok(self.inner.try_clone()?.into())
    }

    /// Dissolves what stands or is under way; the socket can begin anew.
    ///
    /// # Errors
    /// What the system says.
    pub fn dissolve(&self) -> io::Result<()> {
        // A connection that stands ends with a RST, and leaves no TIME_WAIT behind.
        self.inner.set_linger(Some(Duration::ZERO))?;
        // SAFETY: all zeros is a valid sockaddr.
        let mut nobody: libc::sockaddr = unsafe { std::mem::zeroed() };
        nobody.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
        let length = size_of::<libc::sockaddr>() as libc::socklen_t;
        // SAFETY: the descriptor is ours and open; the address is a live sockaddr of the given length.
        match unsafe { libc::connect(self.inner.as_raw_fd(), &raw const nobody, length) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The two ends, ours first.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        Some((self.inner.local_addr().ok()?.as_socket()?, self.inner.peer_addr().ok()?.as_socket()?))
    }

    /// Our end.
    pub fn local(&self) -> Option<SocketAddr> {
        self.inner.local_addr().ok()?.as_socket()
    }
}

impl AsFd for Attempt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Lets a socket's error queue tell of ICMP errors.
///
/// # Errors
/// What the system says.
pub fn tell_errors(socket: &impl AsFd, ipv6: bool) -> io::Result<()> {
    let (level, name) = match ipv6 {
        true => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
        false => (libc::IPPROTO_IP, libc::IP_RECVERR),
    };
    option::set(socket, level, name, &1i32)
}

/// The first and the last of the ports that this host's connections use by themselves
/// (`net.ipv4.ip_local_port_range`, ip(7)).
pub fn ephemeral_ports() -> (u16, u16) {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_whitespace().filter_map(|end| end.parse::<u16>().ok());
    (ends.next().unwrap_or(32_768), ends.next().unwrap_or(60_999))
}
