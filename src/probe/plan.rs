//! What a probe will send, told before it is sent: for plans, budgets and confirming rounds.

use std::time::Duration;

use super::Probe;

/// Headers of IPv6 and UDP, which every datagram carries.
const HEADERS: u64 = 48;

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

impl Probe {
    /// What one run sends and receives at most.
    pub fn traffic(&self) -> Traffic {
        match self {
            Self::UdpPing(probe) => {
                let every = probe.interval.0.as_secs_f64();
                let rate = f64::from(probe.burst) / every.max(1e-9);
                Traffic {
                    packets: probe.count,
                    bytes: probe.count.saturating_mul(2 * (u64::from(probe.size) + HEADERS)),
                    packets_per_second: rate.max(f64::from(probe.burst)).min(probe.count as f64),
                }
            }
            Self::Imported(_) => Traffic::default(),
        }
    }

    /// This probe with at least `packets` packets, where it counts packets and they fit into `time`.
    pub fn with_packets(mut self, packets: u64, time: Duration) -> Self {
        if let Self::UdpPing(probe) = &mut self
            && probe.count < packets
        {
            let rounds = packets.div_ceil(u64::from(probe.burst.max(1)));
            let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
            if probe.interval.0.saturating_mul(rounds) + probe.timeout.0 <= time {
                probe.count = packets;
            }
        }
        self
    }
}
