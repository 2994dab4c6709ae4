//! A packet socket on one end of a veth pair: whole frames in and out, stamped by the kernel.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{PACKET_IGNORE_OUTGOING, PACKET_QDISC_BYPASS};
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg, send, setsockopt, socket,
    sockopt,
};
use nix::sys::time::TimeSpec;

use crate::lab::sys;

/// Receive buffer, in octets; an ordinary user gets what net.core.rmem_max allows.
const RECEIVE_BUFFER: usize = 8 << 20;

/// The largest frame a veth without offloads carries, and more.
const LARGEST_FRAME: usize = 1 << 16;

/// A packet socket bound to one interface.
pub(super) struct PacketSocket {
    fd: OwnedFd,
    buffer: Vec<u8>,
    control: Vec<u8>,
}

impl PacketSocket {
    /// Opens a socket that hears what comes in on `interface` of the calling thread's namespace.
    pub(super) fn open(interface: &str) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        // No protocol until bound, or it would hear the other interfaces too.
        let fd = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
        let index = if_nametoindex(interface)?;
        sys::enable(fd.as_fd(), PACKET_IGNORE_OUTGOING)?;
        sys::enable(fd.as_fd(), PACKET_QDISC_BYPASS)?;
        sys::promiscuous(fd.as_fd(), index)?;
        setsockopt(&fd, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&fd, sockopt::RcvBufForce, &RECEIVE_BUFFER)
            .or_else(|_| setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER))?;
        sys::bind_packet(fd.as_fd(), index)?;
        Ok(Self { fd, buffer: vec![0; LARGEST_FRAME], control: cmsg_space!(TimeSpec) })
    }

    /// The next waiting frame and when the kernel got it, in nanoseconds of `CLOCK_REALTIME`.
    pub(super) fn receive(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        let mut parts = [IoSliceMut::new(&mut self.buffer)];
        let control = Some(&mut self.control[..]);
        let (length, stamp) = match recvmsg::<()>(self.fd.as_raw_fd(), &mut parts, control, MsgFlags::empty())
        {
            Ok(message) => (message.bytes, message.cmsgs()?.find_map(stamp)),
            // A cable pulled is no reason for the relay to end.
            Err(Errno::EAGAIN | Errno::ENETDOWN) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let stamp = stamp.ok_or_else(|| io::Error::other("frame without a kernel time stamp"))?;
        Ok(Some((stamp, self.buffer[..length].to_vec())))
    }

    /// Sends a frame at once, past any queue.
    pub(super) fn send(&self, frame: &[u8]) -> io::Result<()> {
        send(self.fd.as_raw_fd(), frame, MsgFlags::empty())?;
        Ok(())
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn stamp(message: ControlMessageOwned) -> Option<u64> {
    match message {
        ControlMessageOwned::ScmTimestampns(time) => Some(since_epoch(time)),
        _ => None,
    }
}

/// A time of `CLOCK_REALTIME` in nanoseconds.
pub(super) fn since_epoch(time: TimeSpec) -> u64 {
    time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
}
