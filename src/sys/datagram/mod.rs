//! Datagram sockets (UDP, ICMP echo, raw) that tell everything about a datagram: kernel timestamps of sending and
//! receiving, TTL, TOS, the address it was sent to, ICMP errors, and drops in the socket's own queue.
//!
//! Linux; see socket(7), ip(7), icmp(7), raw(7), and Documentation/networking/timestamping.rst.

mod batch;
pub(super) mod control;
mod watched;

pub use batch::{Batch, Outgoing};
pub use control::{Meta, Queued};
pub use watched::Watched;

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::libc;
use socket2::{Domain, Protocol, Type};

use super::capability::with_net_raw;
use super::{filter, option};

/// A datagram socket of one address family.
#[derive(Debug)]
pub struct Socket {
    inner: socket2::Socket,
    kind: Kind,
    v6: bool,
    /// The kernel takes our own number for each transmit timestamp (Linux 6.13).
    own_ids: bool,
}

/// What a socket carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// UDP.
    #[default]
    Udp,
    /// ICMP echo through a datagram socket, without privilege: the kernel sets the identifier, which is the local port,
    /// and the checksum. `net.ipv4.ping_group_range` says who may.
    Echo,
    /// ICMP echo with this identifier through a raw socket: CAP_NET_RAW.
    RawEcho(u16),
    /// Any protocol over IP, its header written by who sends: CAP_NET_RAW.
    Raw(u8),
    /// The same over IPv4, with the header of IP written by who sends, and quoted with that in errors (`IP_HDRINCL`).
    Whole(u8),
}

impl Kind {
    const fn is_raw(self) -> bool {
        matches!(self, Self::RawEcho(_) | Self::Raw(_) | Self::Whole(_))
    }
}

/// What a packet that is too large for a link may expect: `IP_MTU_DISCOVER` of ip(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragments {
    /// Never sets DF: routers may cut it.
    Allowed = 0,
    /// Sets DF, and cuts to the path MTU that the kernel knows.
    Cut = 1,
    /// Sets DF, and refuses what is larger than the path MTU that the kernel knows.
    Refused = 2,
    /// Sets DF, and lets everything out that the interface takes.
    Probe = 3,
}

/// How a socket is made.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What it carries.
    pub kind: Kind,
    /// Share the port with other sockets of this process (`SO_REUSEPORT`).
    pub share_port: bool,
    /// Share address and port with sockets that do so as well, whoever has opened them (`SO_REUSEADDR`).
    pub share_address: bool,
    /// Network interface to use (`SO_BINDTODEVICE`).
    pub interface: Option<String>,
    /// TTL or hop limit of what is sent.
    pub ttl: Option<u8>,
    /// Type of service of what is sent.
    pub tos: Option<u8>,
    /// Mark of what is sent, for this host's routing and filters (`SO_MARK`): CAP_NET_ADMIN, or CAP_NET_RAW since Linux
    /// 5.17.
    pub mark: Option<u32>,
    /// What becomes of packets that are too large; `None` leaves it to the system.
    pub fragments: Option<Fragments>,
    /// May send to broadcast addresses.
    pub broadcast: bool,
    /// Ask for transmit timestamps and ICMP errors: what a client wants.
    pub client: bool,
    /// Do without transmit timestamps, which cost as much as sending: where the rate counts, not each time.
    pub unstamped: bool,
}

impl Socket {
    /// A socket bound to `address`. IPv6 sockets take no IPv4 traffic.
    ///
    /// # Errors
    /// What the system says: address in use, permission denied, no such device.
    pub fn bind(address: SocketAddr, setup: &Setup) -> io::Result<Self> {
        let v6 = address.is_ipv6();
        let inner = open(Domain::for_address(address), setup.kind)?;
        if v6 && !setup.kind.is_raw() {
            inner.set_only_v6(true)?;
        }
        if setup.share_port {
            inner.set_reuse_port(true)?;
        }
        if setup.share_address {
            inner.set_reuse_address(true)?;
        }
        if let Some(interface) = &setup.interface {
            inner.bind_device(Some(interface.as_bytes()))?;
        }
        inner.bind(&address.into())?;
        let mut socket = Self { inner, kind: setup.kind, v6, own_ids: false };
        socket.prepare(setup)?;
        Ok(socket)
    }

    /// A socket for ICMP echo bound to `address`, and the identifier of its messages: a datagram socket where this user may
    /// have one, else a raw one with `id`. The kind of `setup` is of no account.
    ///
    /// # Errors
    /// As [`bind`](Self::bind); permission is denied where neither may be had.
    pub fn echo(address: SocketAddr, setup: Setup, id: u16) -> io::Result<(Self, u16)> {
        let bind = |kind| Self::bind(address, &Setup { kind, ..setup.clone() });
        let socket = match bind(Kind::Echo) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => bind(Kind::RawEcho(id)),
            opened => opened,
        }?;
        let id = socket.local().map_or(id, |local| local.port());
        Ok((socket, id))
    }

    /// Takes over a bound UDP socket that the service manager opened.
    ///
    /// # Errors
    /// When it is not a UDP socket.
    pub fn adopt(fd: OwnedFd) -> io::Result<Self> {
        let inner = socket2::Socket::from(fd);
        let local = inner.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        if inner.r#type()? != Type::DGRAM {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut socket = Self { inner, kind: Kind::Udp, v6: local.is_ipv6(), own_ids: false };
        socket.prepare(&Setup::default())?;
        Ok(socket)
    }

    /// Lets other sockets have its address and port from now on, where they let it, too (`SO_REUSEADDR`).
    ///
    /// # Errors
    /// What the system says.
    pub fn share_address(&self) -> io::Result<()> {
        self.inner.set_reuse_address(true)
    }

    /// Fixes the peer: only its datagrams and ICMP errors about ours arrive from now on.
    ///
    /// # Errors
    /// When there is no route.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.inner.connect(&peer.into())
    }

    /// The local address. Of an echo socket the port is its ICMP identifier.
    ///
    /// # Errors
    /// What the system says.
    pub fn local(&self) -> io::Result<SocketAddr> {
        let mut local = self.inner.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        if let Kind::RawEcho(id) = self.kind {
            local.set_port(id);
        }
        Ok(local)
    }

    /// Whether transmit timestamps name a datagram by the number that it was given ([`Outgoing::id`]); else by how many
    /// this socket has sent before it.
    pub const fn takes_ids(&self) -> bool {
        self.own_ids
    }

    /// Whether it is of IPv6.
    pub const fn is_ipv6(&self) -> bool {
        self.v6
    }

    const fn has_header(&self) -> bool {
        !self.v6 && self.kind.is_raw()
    }

    /// The path MTU that the system believes in, of a connected socket: that of the route, or what a router has said of
    /// late (kept for 10 minutes); `None` where it does not tell.
    pub fn known_mtu(&self) -> Option<u32> {
        let (level, name) = match self.v6 {
            true => (libc::IPPROTO_IPV6, libc::IPV6_MTU),
            false => (libc::IPPROTO_IP, libc::IP_MTU),
        };
        let mtu = option::number(self, level, name).ok()?;
        u32::try_from(mtu).ok().filter(|&mtu| mtu > 0)
    }

    /// How many datagrams it had no room for so far (`SO_MEMINFO`), those after the last that was received included, of which
    /// [`Meta::overflow`] does not tell; `None` where the system is older than Linux 4.12.
    pub fn drops(&self) -> Option<u32> {
        // SK_MEMINFO_DROPS of linux/sock_diag.h is the last of nine.
        let [.., drops] = option::numbers::<9>(self, libc::SOL_SOCKET, libc::SO_MEMINFO).ok()?;
        Some(drops)
    }

    /// The error that is waiting, if any; it is taken.
    pub fn take_error(&self) -> Option<io::Error> {
        self.inner.take_error().ok().flatten()
    }

    fn prepare(&mut self, setup: &Setup) -> io::Result<()> {
        self.inner.set_nonblocking(true)?;
        // As much as the system allows; what is then dropped is counted by SO_RXQ_OVFL.
        let _ = self.inner.set_recv_buffer_size(QUEUE);
        let _ = self.inner.set_send_buffer_size(1 << 20);
        self.option(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
        let mut stamps = libc::SOF_TIMESTAMPING_SOFTWARE | libc::SOF_TIMESTAMPING_RX_SOFTWARE;
        if setup.client && !setup.unstamped {
            stamps |= libc::SOF_TIMESTAMPING_TX_SOFTWARE;
            stamps |= libc::SOF_TIMESTAMPING_OPT_ID | libc::SOF_TIMESTAMPING_OPT_TSONLY;
            self.own_ids = kernel_at_least(6, 13);
        }
        self.option(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, stamps as i32)?;
        self.tell_circumstances()?;
        if setup.client {
            self.by_family((libc::IP_RECVERR, 1), (libc::IPV6_RECVERR, 1))?;
            // Since Linux 5.9; without it there are errors, only not what follows their quote.
            let _ = self.by_family((control::IP_RECVERR_RFC4884, 1), (control::IPV6_RECVERR_RFC4884, 1));
            // Since Linux 4.12; without it nobody knows what came in pieces.
            let _ = self.by_family((control::IP_RECVFRAGSIZE, 1), (control::IPV6_RECVFRAGSIZE, 1));
        }
        if let Some(ttl) = setup.ttl {
            self.by_family((libc::IP_TTL, ttl.into()), (libc::IPV6_UNICAST_HOPS, ttl.into()))?;
        }
        if let Some(tos) = setup.tos {
            self.by_family((libc::IP_TOS, tos.into()), (libc::IPV6_TCLASS, tos.into()))?;
        }
        if let Some(mark) = setup.mark {
            with_net_raw(|| self.inner.set_mark(mark))?;
        }
        if let Some(fragments) = setup.fragments {
            let how = fragments as i32;
            self.by_family((libc::IP_MTU_DISCOVER, how), (libc::IPV6_MTU_DISCOVER, how))?;
            if self.v6 {
                let whole = matches!(fragments, Fragments::Refused | Fragments::Probe);
                self.option(libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, whole.into())?;
            }
        }
        if setup.broadcast {
            self.inner.set_broadcast(true)?;
        }
        match setup.kind {
            Kind::RawEcho(id) => self.only_replies(id),
            Kind::Whole(_) => self.option(libc::IPPROTO_IP, libc::IP_HDRINCL, 1),
            // The system knows both ends, where we would have to ask.
            Kind::Raw(protocol) if self.v6 => {
                let at = if i32::from(protocol) == libc::IPPROTO_TCP { TCP_CHECKSUM } else { UDP_CHECKSUM };
                self.option(libc::IPPROTO_IPV6, libc::IPV6_CHECKSUM, at)
            }
            _ => Ok(()),
        }
    }

    /// TTL, TOS and destination shall come with each datagram.
    fn tell_circumstances(&self) -> io::Result<()> {
        if self.v6 {
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 1)?;
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 1)?;
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
        }
        // A service manager's socket may serve both families (`BindIPv6Only=both`).
        if !self.v6 || self.kind == Kind::Udp && !self.inner.only_v6()? {
            self.option(libc::IPPROTO_IP, libc::IP_RECVTTL, 1)?;
            self.option(libc::IPPROTO_IP, libc::IP_RECVTOS, 1)?;
            self.option(libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        }
        Ok(())
    }

    /// Octets that may wait to be sent (`SO_SNDBUF`); the system bounds them (`net.core.wmem_max`).
    ///
    /// # Errors
    /// What setsockopt(2) says.
    pub fn set_send_queue(&self, octets: usize) -> io::Result<()> {
        self.inner.set_send_buffer_size(octets)
    }

    /// From now on much comes, all of one flow: TTL, TOS and destination are told no more, for each of them costs a part of
    /// what receiving does, and the queue has `queue` octets even where the system allows less, if this process may
    /// (`SO_RCVBUFFORCE`: CAP_NET_ADMIN).
    ///
    /// # Errors
    /// What setsockopt(2) says.
    pub fn expect_bulk(&self, queue: usize) -> io::Result<()> {
        if self.v6 {
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 0)?;
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 0)?;
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 0)?;
        } else {
            self.option(libc::IPPROTO_IP, libc::IP_RECVTTL, 0)?;
            self.option(libc::IPPROTO_IP, libc::IP_RECVTOS, 0)?;
            self.option(libc::IPPROTO_IP, libc::IP_PKTINFO, 0)?;
        }
        // The kernel doubles what it is asked for (socket(7)).
        let forced = self.option(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, queue as i32);
        forced.or_else(|_| self.inner.set_recv_buffer_size(queue))?;
        Ok(())
    }

    /// Only echo replies with this identifier wake who waits; errors come by the error queue.
    fn only_replies(&self, id: u16) -> io::Result<()> {
        if self.v6 {
            // A set bit is a type that is not wanted (RFC 3542 §3.2).
            let mut blocked = [u32::MAX; 8];
            blocked[ECHO_REPLY6 / 32] &= !(1 << (ECHO_REPLY6 % 32));
            option::set(self, libc::IPPROTO_ICMPV6, ICMPV6_FILTER, &blocked)?;
        } else {
            option::set(self, libc::SOL_RAW, ICMP_FILTER, &!1u32)?;
        }
        // The identifier lies behind type, code and checksum.
        filter::attach(self, &filter::half_word(self.v6, 4, u16::MAX, id))
    }

    fn by_family(&self, v4: (libc::c_int, i32), v6: (libc::c_int, i32)) -> io::Result<()> {
        match self.v6 {
            true => self.option(libc::IPPROTO_IPV6, v6.0, v6.1),
            false => self.option(libc::IPPROTO_IP, v4.0, v4.1),
        }
    }

    fn option(&self, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
        option::set(self, level, name, &value)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Octets of a socket's queue that are asked for.
const QUEUE: usize = 4 << 20;
const ICMP_FILTER: libc::c_int = 1;
const ICMPV6_FILTER: libc::c_int = 1;
const ECHO_REPLY6: usize = 129;
/// Where the checksum lies in a TCP header (RFC 9293), and in one of UDP (RFC 768).
const TCP_CHECKSUM: i32 = 16;
const UDP_CHECKSUM: i32 = 6;

fn open(domain: Domain, kind: Kind) -> io::Result<socket2::Socket> {
    let icmp = if domain == Domain::IPV6 { Protocol::ICMPV6 } else { Protocol::ICMPV4 };
    let (kind, protocol) = match kind {
        Kind::Udp => (Type::DGRAM, Protocol::UDP),
        Kind::Echo => (Type::DGRAM, icmp),
        Kind::RawEcho(_) => (Type::RAW, icmp),
        Kind::Raw(protocol) | Kind::Whole(protocol) => (Type::RAW, Protocol::from(i32::from(protocol))),
    };
    if kind == Type::RAW {
        return with_net_raw(|| socket2::Socket::new(domain, kind, Some(protocol)));
    }
    socket2::Socket::new(domain, kind, Some(protocol))
}

/// Whether the running kernel is at least `major.minor`.
fn kernel_at_least(major: u32, minor: u32) -> bool {
    let Ok(name) = nix::sys::utsname::uname() else {
        return false;
    };
    let release = name.release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (major, minor)
}
