//! Many datagrams in one system call: recvmmsg(2) and sendmmsg(2).

#![expect(unsafe_code, reason = "recvmmsg and sendmmsg have no safe wrapper that is complete")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;

use nix::libc;

use super::Socket;
use super::control::{CONTROL, Control, Meta, Writer, meta};

/// One datagram to send.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outgoing<'a> {
    /// Its payload.
    pub bytes: &'a [u8],
    /// To whom; `None` on a connected socket.
    pub to: Option<SocketAddr>,
    /// From which of our addresses.
    pub from: Option<IpAddr>,
    /// With which type of service, if not the socket's.
    pub tos: Option<u8>,
    /// With which TTL or hop limit, if not the socket's.
    pub ttl: Option<u8>,
    /// Number by which its transmit timestamp will be known (client sockets).
    pub id: Option<u32>,
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
    /// What was received begins with the header of IPv4, because the socket is raw.
    has_header: bool,
    /// Headers that are not as a receive wants them: the last call has changed those before this one.
    used: usize,
}

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
            has_header: false,
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
    pub fn receive(&mut self, socket: &Socket) -> io::Result<usize> {
        self.fill(socket, libc::MSG_DONTWAIT)
    }

    /// Receives as much of each datagram as a slot holds, and of the rest its length alone ([`length`](Self::length)):
    /// `MSG_TRUNC`, recv(2).
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_heads(&mut self, socket: &Socket) -> io::Result<usize> {
        self.fill(socket, libc::MSG_DONTWAIT | libc::MSG_TRUNC)
    }

    /// Octets of the `n`-th datagram of [`receive_heads`](Self::receive_heads), with those that a slot had no room for.
    pub fn length(&self, n: usize) -> usize {
        self.messages.get(n).map_or(0, |message| message.msg_len as usize)
    }

    /// Receives what is in the error queue, without waiting.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub fn receive_errors(&mut self, socket: &Socket) -> io::Result<usize> {
        self.fill(socket, libc::MSG_DONTWAIT | libc::MSG_ERRQUEUE)
    }

    fn fill(&mut self, socket: &Socket, flags: libc::c_int) -> io::Result<usize> {
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
                socket.inner.as_raw_fd(),
                self.messages.as_mut_ptr(),
                count,
                flags,
                std::ptr::null_mut(),
            )
        };
        self.filled = usize::try_from(got).unwrap_or(0);
        self.has_header = socket.has_header() && flags & libc::MSG_ERRQUEUE == 0;
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
        let bytes = if self.has_header { behind_header(bytes) } else { bytes };
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
    pub fn send(&mut self, socket: &Socket, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
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
        let mut done = 0;
        while done < count {
            // SAFETY: `count` headers point to names, vectors and control buffers that live until the call returns; the
            // kernel only reads what the vectors point to.
            let sent = unsafe {
                libc::sendmmsg(
                    socket.inner.as_raw_fd(),
                    self.messages[done..].as_mut_ptr(),
                    (count - done) as libc::c_uint,
                    libc::MSG_DONTWAIT,
                )
            };
            match usize::try_from(sent) {
                Ok(sent) if sent > 0 => done += sent,
                _ if done > 0 => break,
                _ => return Err(io::Error::last_os_error()),
            }
            // An ICMP error that came meanwhile has kept the next one back, and is forgotten by that.
        }
        Ok(done)
    }
}

/// What follows an IPv4 header (RFC 791 §3.1); nothing where there is none.
fn behind_header(packet: &[u8]) -> &[u8] {
    let length = packet.first().map_or(0, |first| usize::from(first & 15) * 4);
    packet.get(length..).unwrap_or_default()
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
