//! UDP sockets that tell everything about a datagram: kernel timestamps of sending and receiving, TTL, TOS,
//! the address it was sent to, ICMP errors, and drops in the socket's own queue. Batches in and out.
//!
//! Linux; see socket(7), ip(7), and Documentation/networking/timestamping.rst.

#![expect(
    unsafe_code,
    reason = "recvmmsg, sendmmsg and control messages have no safe wrapper that is complete"
)]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::libc;
use socket2::{Domain, Protocol, Socket, Type};

/// Room for all control messages of one datagram.
const CONTROL: usize = 256;
const SCM_TS_OPT_ID: libc::c_int = 81;

/// A UDP socket of one address family.
#[derive(Debug)]
pub struct Udp {
    socket: Socket,
    v6: bool,
    /// The kernel takes our own number for each transmit timestamp (Linux 6.13).
    own_ids: bool,
}

/// How a socket is made.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Share the port with other sockets of this process (`SO_REUSEPORT`).
    pub share_port: bool,
    /// Network interface to use (`SO_BINDTODEVICE`).
    pub interface: Option<String>,
    /// TTL or hop limit of what is sent.
    pub ttl: Option<u8>,
    /// Type of service of what is sent.
    pub tos: Option<u8>,
    /// Ask for transmit timestamps and ICMP errors: what a client wants.
    pub client: bool,
}

impl Udp {
    /// A socket bound to `address`. IPv6 sockets take no IPv4 traffic.
    ///
    /// # Errors
    /// What the system says: address in use, permission denied, no such device.
    pub fn bind(address: SocketAddr, setup: &Setup) -> io::Result<Self> {
        let v6 = address.is_ipv6();
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if v6 {
            socket.set_only_v6(true)?;
        }
        if setup.share_port {
            socket.set_reuse_port(true)?;
        }
        if let Some(interface) = &setup.interface {
            socket.bind_device(Some(interface.as_bytes()))?;
        }
        socket.bind(&address.into())?;
        let mut udp = Self { socket, v6, own_ids: false };
        udp.prepare(setup)?;
        Ok(udp)
    }

    /// Takes over a bound socket that the service manager opened.
    ///
    /// # Errors
    /// When it is not a UDP socket.
    pub fn adopt(fd: OwnedFd) -> io::Result<Self> {
        let socket = Socket::from(fd);
        let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        if socket.r#type()? != Type::DGRAM {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut udp = Self { socket, v6: local.is_ipv6(), own_ids: false };
        udp.prepare(&Setup::default())?;
        Ok(udp)
    }

    /// Fixes the peer: only its datagrams and ICMP errors about ours arrive from now on.
    ///
    /// # Errors
    /// When there is no route.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.socket.connect(&peer.into())
    }

    /// The local address.
    ///
    /// # Errors
    /// What the system says.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput.into())
    }

    /// The error that is waiting, if any; it is taken.
    pub fn take_error(&self) -> Option<io::Error> {
        self.socket.take_error().ok().flatten()
    }

    fn prepare(&mut self, setup: &Setup) -> io::Result<()> {
        self.socket.set_nonblocking(true)?;
        // As much as the system allows; what is then dropped is counted by SO_RXQ_OVFL.
        let _ = self.socket.set_recv_buffer_size(4 << 20);
        let _ = self.socket.set_send_buffer_size(1 << 20);
        self.option(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
        let mut stamps = libc::SOF_TIMESTAMPING_SOFTWARE | libc::SOF_TIMESTAMPING_RX_SOFTWARE;
        if setup.client {
            stamps |= libc::SOF_TIMESTAMPING_TX_SOFTWARE;
            stamps |= libc::SOF_TIMESTAMPING_OPT_ID | libc::SOF_TIMESTAMPING_OPT_TSONLY;
            self.own_ids = kernel_at_least(6, 13);
        }
        self.option(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, stamps as i32)?;
        if self.v6 {
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 1)?;
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 1)?;
            self.option(libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
        }
        // A service manager's socket may serve both families (`BindIPv6Only=both`).
        if !self.v6 || !self.socket.only_v6()? {
            self.option(libc::IPPROTO_IP, libc::IP_RECVTTL, 1)?;
            self.option(libc::IPPROTO_IP, libc::IP_RECVTOS, 1)?;
            self.option(libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        }
        if setup.client {
            let (level, name) = self
                .by_family((libc::IPPROTO_IP, libc::IP_RECVERR), (libc::IPPROTO_IPV6, libc::IPV6_RECVERR));
            self.option(level, name, 1)?;
        }
        if let Some(ttl) = setup.ttl {
            let (level, name) = self
                .by_family((libc::IPPROTO_IP, libc::IP_TTL), (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS));
            self.option(level, name, i32::from(ttl))?;
        }
        if let Some(tos) = setup.tos {
            let (level, name) =
                self.by_family((libc::IPPROTO_IP, libc::IP_TOS), (libc::IPPROTO_IPV6, libc::IPV6_TCLASS));
            self.option(level, name, i32::from(tos))?;
        }
        Ok(())
    }

    const fn by_family<T: Copy>(&self, v4: T, v6: T) -> T {
        if self.v6 { v6 } else { v4 }
    }

    fn option(&self, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
        let size = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: the descriptor is ours and open; `value` is an int of the given size.
        let done = unsafe {
            libc::setsockopt(self.socket.as_raw_fd(), level, name, (&raw const value).cast(), size)
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl AsFd for Udp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
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

/// One datagram to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Its payload.
    pub bytes: &'a [u8],
    /// To whom; `None` on a connected socket.
    pub to: Option<SocketAddr>,
    /// From which of our addresses.
    pub from: Option<IpAddr>,
    /// With which type of service, if not the socket's.
    pub tos: Option<u8>,
    /// Number by which its transmit timestamp will be known (client sockets).
    pub id: Option<u32>,
}

/// What came with a datagram or from the error queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Kernel timestamp, ns since the epoch.
    pub stamp: Option<u64>,
    /// TTL or hop limit on arrival.
    pub ttl: Option<u8>,
    /// Type of service on arrival.
    pub tos: Option<u8>,
    /// Our address that it was sent to.
    pub to: Option<IpAddr>,
    /// It was sent to a broadcast or multicast address.
    pub to_many: bool,
    /// Datagrams dropped in this socket's queue so far.
    pub overflow: Option<u32>,
    /// What the error queue says.
    pub error: Option<Queued>,
}

/// An entry of the error queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    /// Transmit timestamp of the datagram with this number; the time is in [`Meta::stamp`].
    Sent(u32),
    /// An ICMP error about one of our datagrams.
    Icmp {
        /// ICMP type.
        kind: u8,
        /// ICMP code.
        code: u8,
        /// Who sent it.
        from: Option<IpAddr>,
        /// What the kernel makes of it.
        errno: i32,
    },
    /// An error of this host itself.
    Local(i32),
}

/// Buffers for receiving and sending many datagrams in one system call. One per thread, reused.
pub struct Batch {
    slot: usize,
    buffers: Vec<u8>,
    names: Vec<libc::sockaddr_storage>,
    controls: Vec<Control>,
    vectors: Vec<libc::iovec>,
    messages: Vec<libc::mmsghdr>,
    filled: usize,
    /// Headers that are not as a receive wants them: the last call has changed those before this one.
    used: usize,
}

/// Control messages want the alignment of `cmsghdr`.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

// SAFETY: the raw pointers inside `vectors` and `messages` are read by system calls only; before a receive they all point
// into buffers on the heap that the same value owns and never moves or grows, before a send they are set anew.
unsafe impl Send for Batch {}

impl Batch {
    /// Room for `count` datagrams of up to `slot` octets. Untouched pages cost no memory.
    pub fn new(count: usize, slot: usize) -> Self {
        // SAFETY: sockaddr_storage, iovec and mmsghdr are plain data, for which all zeros is valid.
        let (name, vector, message) = unsafe { (zeroed(), zeroed(), zeroed()) };
        Self {
            slot,
            buffers: vec![0; count * slot],
            names: vec![name; count],
            controls: vec![Control([0; CONTROL]); count],
            vectors: vec![vector; count],
            messages: vec![message; count],
            filled: 0,
            used: count,
        }
    }

    /// How many datagrams one call moves.
    pub fn capacity(&self) -> usize {
        self.messages.len()
    }

    /// Receives what is there, without waiting; returns how many datagrams.
    ///
    /// # Errors
    /// What the system says, except that there is nothing.
    pub fn receive(&mut self, socket: &Udp) -> io::Result<usize> {
        self.fill(socket, libc::MSG_DONTWAIT)
    }

    /// Receives what is in the error queue, without waiting.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_errors(&mut self, socket: &Udp) -> io::Result<usize> {
        self.fill(socket, libc::MSG_DONTWAIT | libc::MSG_ERRQUEUE)
    }

    fn fill(&mut self, socket: &Udp, flags: libc::c_int) -> io::Result<usize> {
        for n in 0..std::mem::take(&mut self.used) {
            self.vectors[n] = libc::iovec {
                iov_base: self.buffers[n * self.slot..].as_mut_ptr().cast(),
                iov_len: self.slot,
            };
            let header = &mut self.messages[n].msg_hdr;
            header.msg_name = (&raw mut self.names[n]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut self.vectors[n];
            header.msg_iovlen = 1;
            header.msg_control = (&raw mut self.controls[n]).cast();
            header.msg_controllen = CONTROL;
            header.msg_flags = 0;
        }
        let count = self.messages.len() as libc::c_uint;
        // SAFETY: every header points to a name, one vector and a control buffer of the stated sizes, all owned by
        // `self` and alive; no timeout is given.
        let got = unsafe {
            libc::recvmmsg(
                socket.socket.as_raw_fd(),
                self.messages.as_mut_ptr(),
                count,
                flags,
                std::ptr::null_mut(),
            )
        };
        self.filled = usize::try_from(got).unwrap_or(0);
        // The kernel writes to one header more before it finds that there is nothing.
        self.used = (self.filled + 1).min(self.messages.len());
        if got < 0 {
            let error = io::Error::last_os_error();
            if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
                return Err(error);
            }
        }
        Ok(self.filled)
    }

    /// Payload, sender and circumstances of the `n`-th datagram of the last receive.
    pub fn get(&self, n: usize) -> Option<(&[u8], Option<SocketAddr>, Meta)> {
        let message = self.messages.get(n).filter(|_| n < self.filled)?;
        let length = (message.msg_len as usize).min(self.slot);
        let bytes = &self.buffers[n * self.slot..n * self.slot + length];
        // SAFETY: the kernel filled this header's control buffer, which `self` owns and nobody has moved since.
        let meta = unsafe { meta(&message.msg_hdr) };
        // Without a name the place holds the one of an earlier datagram.
        let named = message.msg_hdr.msg_namelen > 0;
        Some((bytes, address(&self.names[n]).filter(|_| named), meta))
    }

    /// Sends `datagrams` (at most [`capacity`](Self::capacity)), as far as the socket takes them; returns how many.
    ///
    /// # Errors
    /// What the system says about the first that was not taken, if none was.
    pub fn send(&mut self, socket: &Udp, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
        let count = datagrams.len().min(self.messages.len());
        (self.filled, self.used) = (0, self.used.max(count));
        for (n, datagram) in datagrams.iter().take(count).enumerate() {
            self.vectors[n] = libc::iovec {
                iov_base: datagram.bytes.as_ptr().cast_mut().cast(),
                iov_len: datagram.bytes.len(),
            };
            let name_length = datagram.to.map_or(0, |to| store(to, &mut self.names[n]));
            let header = &mut self.messages[n].msg_hdr;
            header.msg_name =
                if name_length > 0 { (&raw mut self.names[n]).cast() } else { std::ptr::null_mut() };
            header.msg_namelen = name_length;
            header.msg_iov = &raw mut self.vectors[n];
            header.msg_iovlen = 1;
            header.msg_flags = 0;
            let id = datagram.id.filter(|_| socket.own_ids);
            let mut writer = Writer { out: &mut self.controls[n].0, length: 0 };
            writer.describe(socket, datagram, id);
            let length = writer.length;
            header.msg_controllen = length;
            header.msg_control =
                if length > 0 { (&raw mut self.controls[n]).cast() } else { std::ptr::null_mut() };
        }
        // SAFETY: `count` headers point to names, vectors and control buffers that live until the call returns; the
        // kernel only reads what the vectors point to.
        let sent = unsafe {
            libc::sendmmsg(
                socket.socket.as_raw_fd(),
                self.messages.as_mut_ptr(),
                count as libc::c_uint,
                libc::MSG_DONTWAIT,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

/// Appends control messages to a buffer.
struct Writer<'a> {
    out: &'a mut [u8; CONTROL],
    length: usize,
}

impl Writer<'_> {
    fn describe(&mut self, socket: &Udp, datagram: &Outgoing<'_>, id: Option<u32>) {
        match datagram.from {
            Some(IpAddr::V4(from)) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr { s_addr: u32::from(from).to_be() },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                self.push(libc::IPPROTO_IP, libc::IP_PKTINFO, info);
            }
            Some(IpAddr::V6(from)) => {
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr { s6_addr: from.octets() },
                    ipi6_ifindex: 0,
                };
                self.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
            }
            None => {}
        }
        if let Some(tos) = datagram.tos {
            let mapped = datagram.to.is_some_and(|to| to.ip().to_canonical().is_ipv4());
            let (level, name) = match socket.v6 && !mapped {
                true => (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
                false => (libc::IPPROTO_IP, libc::IP_TOS),
            };
            self.push(level, name, libc::c_int::from(tos));
        }
        if let Some(id) = id {
            self.push(libc::SOL_SOCKET, SCM_TS_OPT_ID, id);
        }
    }

    fn push<T: Copy>(&mut self, level: libc::c_int, name: libc::c_int, value: T) {
        // SAFETY: CMSG_SPACE and CMSG_LEN only compute.
        let (space, length) = unsafe {
            (libc::CMSG_SPACE(size_of::<T>() as u32) as usize, libc::CMSG_LEN(size_of::<T>() as u32) as usize)
        };
        if self.length + space > CONTROL {
            return;
        }
        let at = self.out[self.length..].as_mut_ptr();
        let header = libc::cmsghdr { cmsg_len: length, cmsg_level: level, cmsg_type: name };
        // SAFETY: `space` octets are free at `at` (checked above): a header, then the value behind it.
        unsafe {
            at.cast::<libc::cmsghdr>().write_unaligned(header);
            at.add(size_of::<libc::cmsghdr>()).cast::<T>().write_unaligned(value);
        }
        self.length += space;
    }
}

/// Reads the control messages of a received message.
///
/// # Safety
/// `header` must be as the kernel left it, its control buffer alive.
unsafe fn meta(header: &libc::msghdr) -> Meta {
    let mut meta = Meta::default();
    // SAFETY: by the caller's promise the macros walk headers that the kernel wrote within msg_controllen.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: `next` points to a whole header within the control buffer.
        let (level, name, length) = unsafe { ((*next).cmsg_level, (*next).cmsg_type, (*next).cmsg_len) };
        // SAFETY: CMSG_DATA and CMSG_LEN(0) only compute; the data lies behind the header.
        let (data, head) = unsafe { (libc::CMSG_DATA(next), libc::CMSG_LEN(0) as usize) };
        // SAFETY: the kernel wrote `length - head` octets of data there.
        let data = unsafe { std::slice::from_raw_parts(data, length.saturating_sub(head)) };
        read(&mut meta, level, name, data);
        // SAFETY: as for CMSG_FIRSTHDR.
        next = unsafe { libc::CMSG_NXTHDR(header, next) };
    }
    meta
}

/// The value of type `T` at the start of a control message's data.
fn value<T: Copy>(data: &[u8]) -> Option<T> {
    // SAFETY: the length is checked, and every T used here is plain data for which all bit patterns are valid.
    (data.len() >= size_of::<T>()).then(|| unsafe { data.as_ptr().cast::<T>().read_unaligned() })
}

fn read(meta: &mut Meta, level: libc::c_int, name: libc::c_int, data: &[u8]) {
    let octet = || value::<libc::c_int>(data).map(|number| number as u8).or(data.first().copied());
    match (level, name) {
        (libc::SOL_SOCKET, libc::SCM_TIMESTAMPING) => {
            meta.stamp =
                value::<[libc::timespec; 3]>(data).map(|stamps| nanos(&stamps[0])).filter(|&ns| ns > 0);
        }
        (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => meta.overflow = value(data),
        (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => meta.ttl = octet(),
        (libc::IPPROTO_IP, libc::IP_TOS) => meta.tos = data.first().copied(),
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => meta.tos = octet(),
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            let Some(info) = value::<libc::in_pktinfo>(data) else { return };
            meta.to = Some(Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr)).into());
            // The header's destination is not ours alone where it is not the address that we would answer from.
            meta.to_many = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            let Some(info) = value::<libc::in6_pktinfo>(data) else { return };
            let to = Ipv6Addr::from(info.ipi6_addr.s6_addr);
            meta.to = Some(to.into());
            meta.to_many |= to.is_multicast();
        }
        (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
            meta.error = queued(data)
        }
        _ => {}
    }
}

fn queued(data: &[u8]) -> Option<Queued> {
    let error: libc::sock_extended_err = value(data)?;
    let errno = error.ee_errno as i32;
    Some(match error.ee_origin {
        libc::SO_EE_ORIGIN_TIMESTAMPING => Queued::Sent(error.ee_data),
        libc::SO_EE_ORIGIN_ICMP | libc::SO_EE_ORIGIN_ICMP6 => Queued::Icmp {
            kind: error.ee_type,
            code: error.ee_code,
            from: offender(&data[size_of::<libc::sock_extended_err>()..]),
            errno,
        },
        _ => Queued::Local(errno),
    })
}

/// The address behind a `sock_extended_err`; it is only as long as its family needs.
fn offender(name: &[u8]) -> Option<IpAddr> {
    match libc::c_int::from(value::<libc::sa_family_t>(name)?) {
        libc::AF_INET => {
            let name: libc::sockaddr_in = value(name)?;
            Some(Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            value::<libc::sockaddr_in6>(name).map(|name| Ipv6Addr::from(name.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

fn nanos(time: &libc::timespec) -> u64 {
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

fn store(address: SocketAddr, place: &mut libc::sockaddr_storage) -> libc::socklen_t {
    let address = socket2::SockAddr::from(address);
    // SAFETY: both are sockaddr_storage; socket2 guarantees that its pointer is to a whole one.
    *place = unsafe { *address.as_ptr().cast::<libc::sockaddr_storage>() };
    address.len()
}

fn address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match libc::c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that it is a sockaddr_in, which is smaller than the storage.
            let name = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that it is a sockaddr_in6, which is smaller than the storage.
            let name = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(name.sin6_port), 0, name.sin6_scope_id).into())
        }
        _ => None,
    }
}
