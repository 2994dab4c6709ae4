//! What the kernel knows of a TCP connection, for every probe that has one.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sys::tcp;
use crate::units::ms;

/// What the kernel knows of a TCP connection (`TCP_INFO`, tcp(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpState {
    /// Its smoothed round-trip time (RFC 6298): the network's alone.
    #[serde(rename = "rtt_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub rtt: Option<Duration>,
    /// Segments that this host sent again.
    pub retransmits: u32,
    /// The largest segment that this host sends.
    pub mss_bytes: u32,
    /// The congestion window, in segments.
    pub cwnd: u32,
}

impl TcpState {
    /// That of `socket` now; `None` where the kernel does not say.
    pub(super) fn of(socket: BorrowedFd<'_>) -> Option<Self> {
        let tcp::Info { rtt, retransmits, mss, cwnd, .. } = tcp::info(socket).ok()?;
        Some(Self { rtt, retransmits, mss_bytes: mss, cwnd })
    }
}
