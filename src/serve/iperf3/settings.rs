//! Section `[serve.iperf3]` of the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;
use crate::wire::iperf3::Params;

/// Limits of the iperf3 server: section `[serve.iperf3]`. 0 is no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Iperf3Settings {
    /// Tests at the same time. Who comes over it is told that the server is busy.
    pub sessions: u32,
    /// Tests of each source at the same time (IPv4 /32, IPv6 /64).
    pub sessions_per_source: u32,
    /// Streams of a test in each direction.
    pub streams: u32,
    /// How long a test may take, with what it omits; of one that is to end with a number of octets, how long it may need.
    pub time: Span,
    /// Bits per second of a test over TCP, all its streams and both directions together. Who asks for more is refused; who
    /// asks for no rate gets this one.
    pub rate: u64,
    /// Bits per second of a test over UDP, the same. A client that sends more than that ends its test.
    pub udp_rate: u64,
    /// Octets of a test.
    pub bytes: u64,
    /// Octets of all tests of a source in a day.
    pub bytes_per_source: u64,
    /// Octets of all tests in a day.
    pub bytes_total: u64,
    /// Octets of a socket buffer that a client may ask for; larger ones become this.
    pub window: u32,
    /// Copy what comes, as an application would, instead of having the kernel throw it away: what is measured then is the path
    /// and this host's memory. Our own clients ask for it with `--rx-copy`.
    pub rx_copy: bool,
}

impl Default for Iperf3Settings {
    fn default() -> Self {
        Self {
            sessions: 8,
            sessions_per_source: 2,
            streams: 16,
            time: Span::secs(30),
            rate: 1_000_000_000,
            udp_rate: 100_000_000,
            bytes: 5_000_000_000,
            bytes_per_source: 50_000_000_000,
            bytes_total: 500_000_000_000,
            window: 16 << 20,
            rx_copy: false,
        }
    }
}

impl Iperf3Settings {
    /// Whether a test's receiver copies. Stock clients say only when they want it not to (from 3.19 on), and cannot see which it
    /// was; ours say what they want.
    pub(super) fn copies(&self, params: &Params) -> bool {
        self.rx_copy || params.is_of_waddleperf() && !params.skip_copy
    }
}
