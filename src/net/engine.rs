//! The contract of datagram engines: protocol logic without I/O, clock or randomness of its own.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use crate::units::Now;

/// A datagram protocol as a state machine.
pub trait Engine {
    /// What to do at `now`. On [`Next::Send`] the datagram to send is `out`, which comes in empty.
    ///
    /// A driver calls this again after each send, after each arrival, and when a wait is over.
    fn poll(&mut self, now: Now, out: &mut Draft) -> Next;

    /// Takes in what happened at `now`.
    fn receive(&mut self, now: Now, arrival: Arrival<'_>);
}

/// A datagram to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// What the socket carries: the payload over UDP, the whole ICMP message over an echo socket.
    pub bytes: Vec<u8>,
    /// Which of the driver's sockets sends it, from 0.
    pub socket: usize,
    /// To whom; `None` on a connected socket.
    pub to: Option<SocketAddr>,
    /// TTL or hop limit, if not the socket's.
    pub ttl: Option<u8>,
}

impl Draft {
    /// Makes it an empty datagram again, and keeps its room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        (self.socket, self.to, self.ttl) = (0, None, None);
    }
}

/// An engine's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send what lies in `out`, now. Sends are numbered from 0 in this order.
    Send,
    /// Nothing to do before this moment, unless something arrives.
    Wait(Instant),
    /// The engine has finished.
    Done,
}

/// Something that reached the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival<'a> {
    /// A datagram from the far side.
    Datagram {
        /// Its payload; over an echo or raw socket what follows the IP header.
        bytes: &'a [u8],
        /// Who sent it, where the driver knows.
        from: Option<SocketAddr>,
        /// The socket it arrived at.
        socket: usize,
        /// When the kernel received it, nanoseconds since the epoch; `None` where it does not stamp.
        stamp: Option<u64>,
        /// TTL or hop limit on arrival.
        ttl: Option<u8>,
        /// Type of service on arrival: DSCP (upper six bits) and ECN.
        tos: Option<u8>,
        /// The largest fragment that it came in, octets of IP packet; `None` where it came whole.
        fragment: Option<u16>,
    },
    /// When the kernel handed the `send`-th datagram to the device, nanoseconds since the epoch.
    Sent {
        /// Number of the send, from 0.
        send: u64,
        /// `CLOCK_REALTIME` of the kernel.
        stamp: u64,
    },
    /// This host refused to send the `send`-th datagram.
    NotSent {
        /// Number of the send, from 0.
        send: u64,
        /// The system's error number.
        errno: i32,
        /// The MTU that the datagram was too large for, octets, where the system tells (`EMSGSIZE`): the interface's, or the
        /// path's that it knows.
        mtu: Option<u32>,
    },
    /// An ICMP error came back for one of our datagrams.
    Icmp(Icmp<'a>),
    /// The user wants no more: send nothing new, finish soon.
    Stop,
    /// The kernel dropped this many datagrams in our own receive queue since the socket was opened.
    Overflow(u32),
}

/// An ICMP error from the error queue of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Icmp<'a> {
    /// ICMP type (v4 or v6, as the address tells).
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Who sent it.
    pub from: Option<IpAddr>,
    /// To whom our datagram went.
    pub to: Option<SocketAddr>,
    /// The socket that sent it.
    pub socket: usize,
    /// What the kernel makes of it.
    pub errno: i32,
    /// MTU of the next hop, octets, where our datagram was too large (RFC 1191, RFC 4443 §3.2); 0 where it is not said.
    pub mtu: u32,
    /// When the kernel received it, nanoseconds since the epoch; `None` where it does not stamp.
    pub stamp: Option<u64>,
    /// TTL or hop limit of the error itself, on arrival.
    pub ttl: Option<u8>,
    /// Our datagram's payload, from what the socket carries on, as far as it came back.
    pub quoted: &'a [u8],
    /// The extensions (RFC 4884) behind the quote, their header included; empty where there are none.
    pub extensions: &'a [u8],
}
