//! What iperf3's own form of a report tells beyond ours: addresses, sizes, each interval of each stream.

use std::net::SocketAddr;
use std::ops::Add;
use std::time::Duration;

use super::report::Tally;
use crate::sys::tcp;
use crate::units::Timestamp;

/// The course of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// When it began.
    pub at: Timestamp,
    /// The cookie.
    pub cookie: String,
    /// The server's address.
    pub peer: SocketAddr,
    /// Octets of each write or datagram.
    pub length: u32,
    /// Octets that a segment carries.
    pub mss: u32,
    /// The socket buffers of the data connections: asked for, send, receive.
    pub buffers: (u64, u64, u64),
    /// Each stream: its number, both ends, and whether this host sends.
    pub streams: Vec<Ends>,
    /// Each interval, each stream in the order above.
    pub intervals: Vec<Vec<Snapshot>>,
    /// What each stream came to.
    pub totals: Vec<Total>,
    /// The processor time of both ends in percent: total, user, system.
    pub cpu: [[f64; 3]; 2],
    /// The congestion control of sender and receiver.
    pub congestion: [Option<String>; 2],
}

/// The ends of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Its number in iperf3's count.
    pub id: u32,
    /// This host's end.
    pub local: SocketAddr,
    /// The server's end.
    pub peer: SocketAddr,
    /// This host sends.
    pub sends: bool,
}

/// One stream in one interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// Its beginning and its end.
    pub span: (Duration, Duration),
    /// What was moved.
    pub tally: Tally,
    /// What the kernel knew at its end, of a sender over TCP.
    pub tcp: Option<Kernel>,
    /// It does not count.
    pub omitted: bool,
}

/// What the kernel knows of a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// The window that the receiver grants, octets.
    pub snd_wnd: u64,
    /// Smoothed RTT and its deviation, microseconds.
    pub rtt_us: (u64, u64),
    /// The path MTU, octets.
    pub pmtu: u64,
    /// How far segments came out of order.
    pub reorder: u64,
}

impl From<&tcp::Info> for Kernel {
    fn from(info: &tcp::Info) -> Self {
        Self {
            snd_wnd: info.snd_wnd.unwrap_or(0).into(),
            rtt_us: (info.rtt.unwrap_or_default().as_micros() as u64, info.rtt_var.as_micros() as u64),
            pmtu: info.pmtu.into(),
            reorder: info.reordering.unwrap_or(0).into(),
        }
    }
}

/// What is told of datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatagramCounts {
    /// Sent, or numbered by who does not say how many.
    pub sent: u64,
    /// Up to the highest number that came.
    pub seen: u64,
    /// Of those, lost; below 0 where they came late that an interval before has counted.
    pub lost: i64,
    /// Out of order, where this host receives.
    pub disordered: u64,
}

impl Add for DatagramCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            seen: self.seen + other.seen,
            lost: self.lost + other.lost,
            disordered: self.disordered + other.disordered,
        }
    }
}

/// What a stream came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// Octets that were sent and received, and how long that took; null where the server did not say.
    pub sent: Option<(u64, Duration)>,
    /// The same of the receiver.
    pub received: Option<(u64, Duration)>,
    /// Segments sent again.
    pub retransmits: Option<u64>,
    /// How far segments came out of order.
    pub reorder: u64,
    /// The largest congestion window and the largest window granted, octets.
    pub windows: (u64, u64),
    /// RTT in microseconds: largest, least, mean.
    pub rtt_us: (u64, u64, u64),
    /// Its datagrams.
    pub datagrams: DatagramCounts,
    /// Jitter.
    pub jitter: Duration,
}
