//! Section `[serve.iperf3]` of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::Fault;
use crate::units::Span;

/// A client may wait for its place so long at most.
const LONGEST_QUEUE: Span = Span::secs(30);

/// Limits of the iperf3 server: section `[serve.iperf3]`. 0 is no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Iperf3Settings {
    /// Tests at the same time. Who comes over it is told that the server is busy.
    pub sessions: u32,
    /// Tests of each source at the same time (IPv4 /32, IPv6 /64).
    pub sessions_per_source: u32,
    /// How long a client for whom there is no place waits for one before it hears that the server is busy; 0 is not at all,
    /// 30 s the most.
    pub queue: Span,
    /// Clients that wait so at the same time.
    pub queue_length: u32,
    /// Streams of a test in each direction.
    pub streams: u32,
    /// How long a test may take, with what it omits; of one that is to end with a number of octets, how long it may need.
    pub time: Span,
    /// Bits per second of a test over TCP, all its streams and both directions together. Who asks for more is refused; who
    /// asks for no rate gets this one.
    pub rate: u64,
    /// Bits per second of a test over UDP, the same. A client that sends more than that ends its test.
    pub udp_rate: u64,
    /// A client that sends may send from another address over UDP than it has over TCP, as behind some translators (NAT). Only one such
    /// test at a time can open its flows, and whoever sends a greeting meanwhile is taken for its client.
    pub udp_allow_nat: bool,
    /// Octets of a test.
    pub bytes: u64,
    /// Octets of all tests of a source in a day.
    pub bytes_per_source: u64,
    /// Octets of all tests in a day.
    pub bytes_total: u64,
    /// Octets of a socket buffer that a client may ask for; larger ones become this.
    pub window: u32,
}

impl Iperf3Settings {
    /// Refuses what no server can keep.
    ///
    /// # Errors
    /// The key, and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        if self.queue > LONGEST_QUEUE {
            return Err(Fault::of("queue", format_args!("takes {LONGEST_QUEUE} at most")));
        }
        Ok(())
    }
}

impl Default for Iperf3Settings {
    fn default() -> Self {
        Self {
            sessions: 8,
            sessions_per_source: 2,
            queue: Span::secs(0),
            queue_length: 16,
            streams: 16,
            time: Span::secs(30),
            rate: 1_000_000_000,
            udp_rate: 100_000_000,
            udp_allow_nat: false,
            bytes: 5_000_000_000,
            bytes_per_source: 50_000_000_000,
            bytes_total: 500_000_000_000,
            window: 16 << 20,
        }
    }
}
