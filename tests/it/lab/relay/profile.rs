//! What a relay does to the packets of one direction.

use std::time::Duration;

/// The impairments of one direction; the default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Profile {
    /// Time every packet is held.
    pub(crate) delay: Duration,
    /// Most that is added to the delay: each packet draws evenly from nothing to this.
    pub(crate) jitter: Duration,
    /// Share of packets lost, independently of each other, 0 to 1.
    pub(crate) loss: f64,
    /// Loss in bursts, on top of `loss`.
    pub(crate) bursts: Option<GilbertElliott>,
    /// Share of packets delivered twice, 0 to 1.
    pub(crate) duplicate: f64,
    /// Share of packets held for `reorder_by` longer, so that later ones overtake, 0 to 1.
    pub(crate) reorder: f64,
    /// How much longer a reordered packet is held.
    pub(crate) reorder_by: Duration,
    /// A bottleneck before the delay.
    pub(crate) bottleneck: Option<Bottleneck>,
    /// Share of packets with one payload bit flipped, 0 to 1.
    pub(crate) corrupt: f64,
    /// Share of ECN-capable packets marked "congestion experienced", 0 to 1.
    pub(crate) ecn_mark: f64,
    /// Clear the DSCP of every packet.
    pub(crate) dscp_bleach: bool,
    /// Cut frames to this many octets, Ethernet header included.
    pub(crate) truncate: Option<usize>,
}

/// A link that transmits no faster than its rate and drops what its queue cannot hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bottleneck {
    /// Bits of Ethernet frame per second.
    pub(crate) rate: u64,
    /// Octets that may wait, the frame in transmission included.
    pub(crate) queue: u64,
}

impl Bottleneck {
    /// A bottleneck whose full queue is worth 100 ms.
    pub(crate) fn of(rate: u64) -> Self {
        Self { rate, queue: rate / 8 / 10 }
    }
}

/// The two-state loss model of Gilbert and Elliott: a good state, in which nothing is lost, and
/// a bad one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct GilbertElliott {
    /// Chance per packet to go from good to bad, 0 to 1.
    pub(crate) worsen: f64,
    /// Chance per packet to go from bad to good, 0 to 1.
    pub(crate) recover: f64,
    /// Share of packets lost in the bad state, 0 to 1.
    pub(crate) loss: f64,
}
