//! What a probe will send, told before it is sent.

/// What one run sends and receives at most.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Packets sent by this host.
    pub packets: u64,
    /// Octets on the wire, both ways, without the link's own headers.
    pub bytes: u64,
    /// The highest rate at which this host sends, in packets per second, averaged over one second.
    pub packets_per_second: f64,
}

impl Traffic {
    /// Headers of IPv6 and UDP, which every datagram carries.
    pub(super) const HEADERS: u64 = 48;
}
