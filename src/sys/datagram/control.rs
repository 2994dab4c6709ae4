//! Control messages, cmsg(3): what comes with a datagram, and what goes with one.

#![expect(unsafe_code, reason = "control messages have no safe wrapper that is complete")]

use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};

use nix::libc;

use super::Socket;
use super::batch::Outgoing;

/// Room for all control messages of one datagram.
pub(super) const CONTROL: usize = 256;
const SCM_TS_OPT_ID: libc::c_int = 81;
/// Linux 4.12; also the option that asks for it.
pub(super) const IP_RECVFRAGSIZE: libc::c_int = 25;
/// The same for IPv6.
pub(super) const IPV6_RECVFRAGSIZE: libc::c_int = 77;

/// Linux 5.9; for extensions (RFC 4884) behind what an error quotes.
pub(in crate::sys) const IP_RECVERR_RFC4884: libc::c_int = 26;
/// The same for IPv6.
pub(in crate::sys) const IPV6_RECVERR_RFC4884: libc::c_int = 31;

/// Control messages want the alignment of `cmsghdr`.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Control(pub(super) [u8; CONTROL]);

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
    /// It came in fragments, the largest of this many octets, IP header included.
    pub fragment: Option<u16>,
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
        /// MTU of the next hop, octets, where it says that the datagram was too large (RFC 1191, RFC 4443 §3.2).
        mtu: u32,
        /// Where the extensions (RFC 4884) begin in what is quoted.
        extensions: Option<usize>,
    },
    /// An error of this host itself.
    Local {
        /// The system's error number.
        errno: i32,
        /// The MTU that the datagram was too large for, octets, if that is the error.
        mtu: u32,
    },
}

/// Appends control messages to a buffer.
pub(super) struct Writer<'a> {
    pub(super) out: &'a mut [u8; CONTROL],
    pub(super) length: usize,
}

impl Writer<'_> {
    pub(super) fn describe(&mut self, socket: &Socket, datagram: &Outgoing<'_>, id: Option<u32>) {
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
        if let Some(ttl) = datagram.ttl {
            let (level, name) = match socket.v6 {
                true => (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT),
                false => (libc::IPPROTO_IP, libc::IP_TTL),
            };
            self.push(level, name, libc::c_int::from(ttl));
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

/// Takes the oldest entry of a socket's error queue, of any kind of socket. What it quotes goes into `quote`; how much that
/// was, and what came with it.
pub(in crate::sys) fn take_error(socket: &impl AsFd, quote: &mut [u8]) -> Option<(usize, Meta)> {
    let mut control = Control([0; CONTROL]);
    let mut vector = libc::iovec { iov_base: quote.as_mut_ptr().cast(), iov_len: quote.len() };
    // SAFETY: a msghdr is plain data, for which all zeros is valid.
    let mut header: libc::msghdr = unsafe { zeroed() };
    (header.msg_iov, header.msg_iovlen) = (&raw mut vector, 1);
    (header.msg_control, header.msg_controllen) = ((&raw mut control).cast(), CONTROL);
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: the descriptor is open as long as its borrow; the header points to one vector and a control buffer of the
    // stated sizes, which live longer than the call.
    let got = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut header, flags) };
    let length = usize::try_from(got).ok()?;
    // SAFETY: the kernel has just filled the header, and its control buffer is alive.
    Some((length.min(quote.len()), unsafe { meta(&header) }))
}

/// Reads the control messages of a received message.
///
/// # Safety
/// `header` must be as the kernel left it, its control buffer alive.
pub(super) unsafe fn meta(header: &libc::msghdr) -> Meta {
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
        (libc::IPPROTO_IP, IP_RECVFRAGSIZE) | (libc::IPPROTO_IPV6, IPV6_RECVFRAGSIZE) => {
            meta.fragment =
                value::<libc::c_int>(data).and_then(|size| u16::try_from(size).ok()).filter(|&size| size > 0);
        }
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
            mtu: error.ee_info,
            extensions: extensions(error.ee_data),
        },
        _ => Queued::Local { errno, mtu: error.ee_info },
    })
}

/// `struct sock_ee_data_rfc4884`: where the extensions begin, u16, and a flag for those whose checksum is wrong.
fn extensions(data: u32) -> Option<usize> {
    const INVALID: u8 = 1;
    let [low, high, flags, _] = data.to_ne_bytes();
    let at = u16::from_ne_bytes([low, high]);
    (at > 0 && flags & INVALID == 0).then_some(at.into())
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
