//! The members of what `iperf3 -J` prints, in its order: names and units are iperf 3.21's (iperf3-protocol.md §4).

use serde::{Serialize, Serializer};
use serde_json::Value;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    pub(super) start: Start<'a>,
    pub(super) intervals: Vec<Interval>,
    pub(super) end: End<'a>,
    /// Before the title: it is known when nothing else is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_output_text: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_output_json: Option<&'a Value>,
}

/// A real number, as cJSON writes it: without a fraction where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Real(pub(super) f64);

/// Above it cJSON writes an exponent.
const LARGEST_WHOLE: f64 = 1e15;

impl Serialize for Real {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            whole if whole.fract() == 0.0 && whole.abs() < LARGEST_WHOLE => to.serialize_i64(whole as i64),
            real => to.serialize_f64(real),
        }
    }
}

/// What is known when it begins.
#[derive(Debug, Serialize)]
pub(super) struct Start<'a> {
    pub(super) connected: Vec<Connected>,
    pub(super) version: &'static str,
    pub(super) system_info: String,
    /// Of a test that was one.
    #[serde(flatten)]
    pub(super) test: Option<Begun<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Connected {
    pub(super) socket: u32,
    pub(super) local_host: String,
    pub(super) local_port: u16,
    pub(super) remote_host: String,
    pub(super) remote_port: u16,
}

#[derive(Debug, Serialize)]
pub(super) struct Begun<'a> {
    pub(super) timestamp: Moment,
    #[serde(flatten)]
    pub(super) peer: Peer,
    pub(super) cookie: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tcp_mss: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tcp_mss_default: Option<u32>,
    pub(super) target_bitrate: u64,
    pub(super) fq_rate: u64,
    pub(super) sock_bufsize: u64,
    pub(super) sndbuf_actual: u64,
    pub(super) rcvbuf_actual: u64,
    pub(super) test_start: Asked,
}

#[derive(Debug, Serialize)]
pub(super) struct Moment {
    pub(super) time: String,
    pub(super) timesecs: i64,
    pub(super) timemillisecs: i64,
}

/// The other end of the control connection, as a client and as a server tells it.
#[derive(Clone, Debug, Serialize)]
pub(super) enum Peer {
    /// The server's.
    #[serde(rename = "connecting_to")]
    Server {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
    },
    /// The client's.
    #[serde(rename = "accepted_connection")]
    Client {
        /// Its address.
        host: String,
        /// Its port.
        port: u16,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct Asked {
    pub(super) protocol: &'static str,
    pub(super) num_streams: u16,
    pub(super) blksize: u32,
    pub(super) omit: u64,
    pub(super) duration: u64,
    pub(super) bytes: u64,
    pub(super) blocks: u64,
    pub(super) reverse: u8,
    pub(super) tos: u8,
    pub(super) target_bitrate: u64,
    pub(super) bidir: u8,
    pub(super) fqrate: u64,
    pub(super) interval: Real,
    pub(super) gso: u8,
    pub(super) gro: u8,
}

/// What was moved in an interval.
#[derive(Debug, Default, Serialize)]
pub(super) struct Interval {
    pub(super) streams: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum_bidir_reverse: Option<Row>,
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) socket: Option<u32>,
    #[serde(flatten)]
    pub(super) moved: Moved,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retransmits: Option<u64>,
    #[serde(flatten)]
    pub(super) tcp: Option<Tcp>,
    #[serde(flatten)]
    pub(super) udp: Option<Udp>,
    /// Of datagrams that are sent, nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packets: Option<u64>,
    pub(super) omitted: bool,
    pub(super) sender: bool,
}

/// What every row begins with.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Moved {
    pub(super) start: Real,
    pub(super) end: Real,
    pub(super) seconds: Real,
    pub(super) bytes: u64,
    pub(super) bits_per_second: Real,
}

#[derive(Debug, Serialize)]
pub(super) struct Tcp {
    pub(super) snd_cwnd: u64,
    pub(super) snd_wnd: u64,
    pub(super) rtt: u64,
    pub(super) rttvar: u64,
    pub(super) pmtu: u64,
    pub(super) reorder: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Udp {
    pub(super) jitter_ms: Real,
    pub(super) lost_packets: i64,
    pub(super) packets: u64,
    pub(super) lost_percent: Real,
}

/// What came of it; of a test that was none, nothing.
#[derive(Debug, Default, Serialize)]
pub(super) struct End<'a> {
    #[serde(flatten)]
    pub(super) all: Option<Ended<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Ended<'a> {
    pub(super) streams: Vec<Stream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<Sum>,
    pub(super) sum_sent: Sum,
    pub(super) sum_received: Sum,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum_bidir_reverse: Option<Sum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum_sent_bidir_reverse: Option<Sum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum_received_bidir_reverse: Option<Sum>,
    pub(super) cpu_utilization_percent: Cpu,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sender_tcp_congestion: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) receiver_tcp_congestion: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Stream {
    Tcp { sender: Sender, receiver: Receiver },
    Udp { udp: Flow },
}

#[derive(Debug, Serialize)]
pub(super) struct Sender {
    pub(super) socket: u32,
    #[serde(flatten)]
    pub(super) moved: Moved,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retransmits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reorder: Option<u64>,
    pub(super) max_snd_cwnd: u64,
    pub(super) max_snd_wnd: u64,
    pub(super) max_rtt: u64,
    pub(super) min_rtt: u64,
    pub(super) mean_rtt: u64,
    pub(super) sender: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Receiver {
    pub(super) socket: u32,
    #[serde(flatten)]
    pub(super) moved: Moved,
    pub(super) sender: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Flow {
    pub(super) socket: u32,
    #[serde(flatten)]
    pub(super) moved: Moved,
    #[serde(flatten)]
    pub(super) udp: Udp,
    pub(super) out_of_order: u64,
    pub(super) sender: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Sum {
    #[serde(flatten)]
    pub(super) moved: Moved,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retransmits: Option<u64>,
    #[serde(flatten)]
    pub(super) udp: Option<Udp>,
    pub(super) sender: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Cpu {
    pub(super) host_total: Real,
    pub(super) host_user: Real,
    pub(super) host_system: Real,
    pub(super) remote_total: Real,
    pub(super) remote_user: Real,
    pub(super) remote_system: Real,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_fraction_have_none() {
        let written = |number| serde_json::to_string(&Real(number)).expect("JSON");
        for (number, expected) in [
            (0.0, "0"),
            (1.000183, "1.000183"),
            (5e6, "5000000"),
            (-2.0, "-2"),
            (1e16, "1e+16"),
            (0.5, "0.5"),
        ] {
            assert_eq!(written(number), expected);
        }
        assert_eq!(written(f64::NAN), "null");
    }
}
