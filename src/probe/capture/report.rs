//! What a capture, or the reading of one, found.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::counts::ratio;
use crate::probe::{Findings, Loss, Scalar, Scalars};
use crate::units::{Timestamp, Unit, ms};

/// What passed, who spoke with whom, and what TCP says of the path. Nothing is decrypted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CaptureReport")]
pub struct Report {
    /// The interface, `any` for all; null for a file.
    pub interface: Option<String>,
    /// What packets begin with: `ethernet`, `raw`, `sll2`, …; null without a packet.
    pub link: Option<String>,
    /// The filter in force, as pcap-filter(7) writes it; null where all is taken.
    pub filter: Option<String>,
    /// Why it ended.
    pub ended: Ended,
    /// When the first packet was seen; null without one, or where the file does not say.
    #[schemars(with = "Option<String>")]
    pub first: Option<Timestamp>,
    /// How long it captured: until it ended or, where a limit of packets or octets ended it, until the last packet.
    /// `throughput` is `bytes` over this; of a file, where this is null, over `span_ms`.
    #[serde(rename = "duration_ms", default, with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub duration: Option<Duration>,
    /// From the first packet to the last.
    #[serde(rename = "span_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub span: Option<Duration>,
    /// Packets that are summed up here, and kept where there is a file.
    pub packets: u64,
    /// Their octets on the wire, link headers included.
    pub bytes: u64,
    /// Those of them that were captured: a packet is cut at `snaplen_bytes`.
    pub captured_bytes: u64,
    /// Octets of a packet that are kept at most; null for a file.
    pub snaplen_bytes: Option<u32>,
    /// Packets that the kernel accepted by the filter: packets, dropped_kernel and dropped_limit. For a file, what it
    /// says of itself; null where it says nothing.
    pub received: Option<u64>,
    /// Packets that the kernel dropped because this process was too slow (PACKET_STATISTICS). For a file, what it says
    /// of itself; null where it says nothing.
    pub dropped_kernel: Option<u64>,
    /// Packets that came before the capture was closed, and were beyond a limit of packets or octets.
    pub dropped_limit: u64,
    /// Packets of a file that the filter did not accept.
    pub filtered: u64,
    /// The file ends in the middle of a packet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Packets and octets of each protocol, by name. An IP packet counts as `ipv4` or `ipv6`, and as what is in it.
    pub protocols: BTreeMap<String, Volume>,
    /// The ten addresses that sent and received most.
    pub talkers: Vec<Talker>,
    /// Who spoke with whom.
    pub conversations: Conversations,
    /// What TCP says of the path (Wireshark's `tcp.analysis`).
    pub tcp: Tcp,
    /// The files that were written and still exist, oldest first; the latest 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Kept>,
}

/// Why a capture ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// So many packets as were asked for.
    Count,
    /// The time was over.
    Duration,
    /// The file had its size.
    Size,
    /// The interface went down or away.
    Interface,
    /// Nobody reads what is written to stdout any more.
    Reader,
    /// It was told to.
    Interrupted,
    /// The file that was read ended.
    End,
}

/// Packets and their octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Packets.
    pub packets: u64,
    /// Octets on the wire, link headers included.
    pub bytes: u64,
}

impl Volume {
    pub(super) fn add(&mut self, octets: u64) {
        self.packets += 1;
        self.bytes += octets;
    }

    pub(super) fn join(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

/// An address, and what it said and heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Talker {
    /// The address.
    pub address: IpAddr,
    /// From it.
    pub sent: Volume,
    /// To it.
    pub received: Volume,
}

/// The conversations of a capture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conversations {
    /// How many were told apart, 65,536 at most.
    pub count: u64,
    /// The ten largest.
    pub top: Vec<Conversation>,
    /// Packets of conversations beyond those, which are in no other table of conversations, talkers or TCP's signs.
    pub uncounted: Volume,
}

/// Packets between two ends over one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conversation {
    /// The protocol over IP.
    pub protocol: String,
    /// Who was seen to speak first.
    pub source: IpAddr,
    /// Its port; null where the protocol has none.
    pub source_port: Option<u16>,
    /// The other end.
    pub destination: IpAddr,
    /// Its port.
    pub destination_port: Option<u16>,
    /// From `source`.
    pub sent: Volume,
    /// From `destination`.
    pub received: Volume,
    /// From the first packet to the last.
    #[serde(rename = "lasted_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub lasted: Duration,
    /// Round-trip time of the TCP handshake: SYN to the acknowledgement of its answer. Null where it was not seen.
    #[serde(rename = "handshake_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub handshake: Option<Duration>,
    /// Retransmitted TCP segments of both sides; null for other protocols.
    pub retransmits: Option<u64>,
}

/// What TCP segments tell, as Wireshark's `tcp.analysis` tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tcp {
    /// Connections, also those that began before the capture.
    pub connections: u64,
    /// Segments.
    pub segments: u64,
    /// Of those, with payload, SYN or FIN: what may have to be sent again.
    pub data_segments: u64,
    /// Segments sent again, fast and spurious retransmissions among them (`tcp.analysis.retransmission`).
    pub retransmits: u64,
    /// `retransmits` of `data_segments`; null without one.
    pub retransmit_ratio: Option<f64>,
    /// Segments that others had overtaken (`tcp.analysis.out_of_order`).
    pub out_of_order: u64,
    /// Acknowledgements that say nothing new (`tcp.analysis.duplicate_ack`).
    pub duplicate_acks: u64,
    /// Segments before which others are missing in the capture (`tcp.analysis.lost_segment`).
    pub gaps: u64,
    /// Segments whose sender has no room (`tcp.analysis.zero_window`).
    pub zero_windows: u64,
    /// Segments with RST (RFC 9293 §3.5.2).
    pub resets: u64,
    /// Round-trip times of the handshakes that were seen whole (`tcp.analysis.initial_rtt`); null without one.
    pub handshakes: Option<Handshakes>,
}

/// Round-trip times from SYN to the acknowledgement of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Handshakes {
    /// How many.
    pub count: u64,
    /// The shortest.
    #[serde(rename = "min_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub min: Duration,
    /// Median.
    #[serde(rename = "p50_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p50: Duration,
    /// 95th percentile.
    #[serde(rename = "p95_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p95: Duration,
    /// The longest.
    #[serde(rename = "max_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub max: Duration,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// Its name; `-` is stdout.
    pub file: PathBuf,
    /// Packets in it.
    pub packets: u64,
    /// Its octets.
    pub bytes: u64,
    /// SHA-256 of it, in hexadecimal digits.
    pub sha256: String,
}

/// What is kept of packets that are cut to `octets`, in a person's words.
pub fn kept(octets: u32) -> String {
    if octets == super::WHOLE {
        "whole packets".to_owned()
    } else {
        format!("{octets} octets of each packet")
    }
}

impl Report {
    /// The headline numbers of a report that may not exist.
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let handshakes = report.and_then(|report| report.tcp.handshakes);
        let count = |name: &'static str, of: fn(&Tcp) -> u64| Scalar {
            name: name.into(),
            unit: Unit::None,
            value: report.filter(|report| report.tcp.segments > 0).map(|report| of(&report.tcp) as f64),
        };
        vec![
            Scalar {
                name: "throughput".into(),
                unit: Unit::BitsPerSecond,
                value: report.and_then(Self::throughput),
            },
            Scalar::ratio("retransmit_ratio", report.and_then(|report| report.tcp.retransmit_ratio)),
            Scalar::ratio("kernel_drop_ratio", report.and_then(Self::kernel_drop_ratio)),
            count("zero_windows", |tcp| tcp.zero_windows),
            count("resets", |tcp| tcp.resets),
            Scalar::time("rtt_min", handshakes.map(|times| times.min)),
            Scalar::time("rtt_p50", handshakes.map(|times| times.p50)),
            Scalar::time("rtt_p95", handshakes.map(|times| times.p95)),
            Scalar::time("rtt_max", handshakes.map(|times| times.max)),
        ]
    }

    /// The time that packets were looked for, or, in a file, that they span.
    pub fn time(&self) -> Option<Duration> {
        self.duration.or(self.span)
    }

    /// Octets over [`Report::time`], in bit/s; none of a file with a single packet.
    pub fn throughput(&self) -> Option<f64> {
        let time = self.time().filter(|time| !time.is_zero())?;
        Some(self.bytes as f64 * 8.0 / time.as_secs_f64())
    }

    fn kernel_drop_ratio(&self) -> Option<f64> {
        ratio(self.dropped_kernel?, self.received?)
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }

    fn losses(&self) -> Vec<Loss> {
        let of = |name: &'static str, lost, sent| Loss { name: name.into(), lost, sent };
        let mut losses = vec![of("retransmit_ratio", self.tcp.retransmits, self.tcp.data_segments)];
        if let (Some(dropped), Some(received)) = (self.dropped_kernel, self.received) {
            losses.push(of("kernel_drop_ratio", dropped, received));
        }
        losses
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        self.packets > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::capture::tally::Tally;

    /// Of a report on 1 MB, in Mbit/s.
    fn throughput(duration: Option<u64>, span: Option<u64>) -> Option<f64> {
        let [duration, span] = [duration, span].map(|time| time.map(Duration::from_millis));
        let found = crate::probe::capture::run::summed_up(&Tally::default(), Ended::Duration, Vec::new());
        Report { bytes: 1_000_000, duration, span, ..found }.throughput().map(|rate| rate / 1e6)
    }

    #[test]
    fn throughput_is_over_the_time_that_was_looked_at() {
        assert_eq!(throughput(Some(8000), Some(1000)), Some(1.0));
        assert_eq!(throughput(Some(8000), None), Some(1.0), "one packet in 8 s");
        assert_eq!(throughput(None, Some(4000)), Some(2.0), "a file's packets");
        assert_eq!(throughput(None, None), None);
        assert_eq!(throughput(None, Some(0)), None, "one packet tells of no time");
    }
}
