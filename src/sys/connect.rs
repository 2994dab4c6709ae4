//! TCP connections that are only attempted: begun without waiting, their fate told exactly, the socket used again.
//!
//! connect(2) alone says "connection refused" of a RST and of an ICMP port unreachable alike; the error queue
//! (`IP_RECVERR`, ip(7)) tells them apart and says who sent the latter.

#![expect(unsafe_code, reason = "dissolving a connection (AF_UNSPEC) has no safe wrapper")]

use std::io;
use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::cmsg_space;
use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use socket2::{Domain, Protocol, Type};

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

    /// The oldest ICMP error about the attempt; it is taken.
    pub fn unreachable(&self) -> Option<Unreachable> {
        let mut quote = [0u8; 128];
        let mut vectors = [IoSliceMut::new(&mut quote)];
        let mut space = cmsg_space!(libc::sock_extended_err, libc::sockaddr_in6);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message =
            recvmsg::<SockaddrStorage>(self.inner.as_raw_fd(), &mut vectors, Some(&mut space), flags).ok()?;
        message.cmsgs().ok()?.find_map(|control| match control {
            ControlMessageOwned::Ipv4RecvErr(error, from) => {
                let from = from.map(|from| Ipv4Addr::from(u32::from_be(from.sin_addr.s_addr)).into());
                icmp(error, libc::SO_EE_ORIGIN_ICMP, from)
            }
            ControlMessageOwned::Ipv6RecvErr(error, from) => {
                let from = from.map(|from| Ipv6Addr::from(from.sin6_addr.s6_addr).into());
                icmp(error, libc::SO_EE_ORIGIN_ICMP6, from)
            }
            _ => None,
        })
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
    Ok(if ipv6 {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)
    } else {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)
    }?)
}

/// The address that this host uses to speak to `to`.
///
/// # Errors
/// When there is no way there.
pub fn source_to(to: Ipv4Addr, way: &Way) -> io::Result<Ipv4Addr> {
    if let Some(IpAddr::V4(source)) = way.source {
        return Ok(source);
    }
    let socket = socket2::Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    if let Some(interface) = &way.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    // Nothing is sent; only the route is chosen.
    socket.connect(&SocketAddr::from((to, 9)).into())?;
    let local = socket.local_addr()?.as_socket_ipv4();
    local.map(|local| *local.ip()).ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// The first and the last of the ports that this host's connections use by themselves
/// (`net.ipv4.ip_local_port_range`, ip(7)).
pub fn ephemeral_ports() -> (u16, u16) {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_whitespace().filter_map(|end| end.parse::<u16>().ok());
    (ends.next().unwrap_or(32_768), ends.next().unwrap_or(60_999))
}

fn icmp(error: libc::sock_extended_err, origin: u8, from: Option<IpAddr>) -> Option<Unreachable> {
    (error.ee_origin == origin).then_some(Unreachable { kind: error.ee_type, code: error.ee_code, from })
}
