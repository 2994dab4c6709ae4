//! What a run of `udpping` found.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UdpPing;
use crate::probe::{
    Clock, Counts, Findings, IcmpErrors, Loss, LossBursts, Packets, Rtt, Scalar, Scalars, Schedule,
    ScheduleError,
};
use crate::stats::Sketch;
use crate::units::ms;

/// RTT, loss and delay by direction, and how sure each number is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "UdpPingReport")]
pub struct Report {
    /// What became of the packets.
    pub counts: Counts,
    /// Round-trip loss (RFC 6673), 0–1; null when nothing was sent.
    pub loss_ratio: Option<f64>,
    /// Round-trip times (RFC 2681) without the reflector's processing: (t4 − t1) − (t3 − t2). Null without a reply.
    pub rtt: Option<Rtt>,
    /// Which clock took the times of sending and receiving.
    pub clock: Clock,
    /// How far the sends lay behind the plan; null when nothing was sent.
    pub schedule_error: Option<ScheduleError>,
    /// Runs of consecutive lost packets (RFC 3357).
    pub loss_bursts: LossBursts,
    /// From here to the reflector.
    pub up: Direction,
    /// From the reflector back.
    pub down: Direction,
    /// Lost packets (RFC 6673) whose direction nothing tells.
    pub lost_unknown: u64,
    /// How long the reflector held the packets; null when it does not say.
    pub server_processing: Option<ServerProcessing>,
    /// The reflector's clock minus ours, estimated from the fastest round trip (RFC 5905 §8); null when unknown.
    pub clock_offset_ms: Option<f64>,
    /// The most by which one-way delays may be wrong: both clocks' own error bounds. Null when nothing bounds it.
    pub clock_error_ms: Option<f64>,
    /// Octets of UDP payload in each packet, both ways.
    pub payload_bytes: u16,
    /// The interval kept, after what the reflector granted.
    #[serde(rename = "interval_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub interval: Duration,
    /// How often the reflector lost its session during the run (it was restarted).
    pub restarts: u64,
    /// ICMP errors that named our packets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<IcmpErrors>,
    /// All round-trip times (RFC 2681), mergeable with other runs'.
    pub rtt_sketch: Sketch,
    /// Each RTT (RFC 2681) in order of sending, null for a lost one; absent beyond 1,000 packets or when thinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples_ms: Option<Vec<Option<f64>>>,
}

/// One direction of the path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Direction {
    /// Packets lost in this direction (RFC 7680); null when nothing tells the directions apart.
    pub lost: Option<u64>,
    /// One-way loss (RFC 7680), 0–1.
    pub loss_ratio: Option<f64>,
    /// 95th percentile of |IPDV| in this direction (RFC 3393). Needs no synchronised clocks.
    #[serde(rename = "ipdv_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub ipdv: Option<Duration>,
    /// One-way delay (RFC 7679); null unless the clocks allow it (see `clock_error_ms`).
    pub delay: Option<OneWay>,
    /// Duplicates made in this direction (RFC 5560).
    pub duplicates: Option<u64>,
    /// Packets that arrived below a number already seen (RFC 4737).
    pub reordered: Option<u64>,
    /// TTL (RFC 791) or hop limit (RFC 8200) on arrival, of the last packet.
    pub ttl: Option<u8>,
    /// DSCP (RFC 2474) on arrival, of the last packet: another than was sent means bleaching or remarking.
    pub dscp: Option<u8>,
    /// Packets that arrived marked "congestion experienced" (RFC 3168); null when nothing tells.
    pub ecn_ce: Option<u64>,
}

/// One-way delays (RFC 7679); a wrong clock can make them negative, so they are not durations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OneWay {
    /// The shortest (RFC 7679).
    pub min_ms: f64,
    /// Median (of RFC 7679).
    pub p50_ms: f64,
    /// 95th percentile (of RFC 7679).
    pub p95_ms: f64,
    /// The longest (RFC 7679).
    pub max_ms: f64,
}

/// How long the reflector held packets, t3 − t2 (RFC 8762).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerProcessing {
    /// Median.
    #[serde(rename = "p50_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p50: Duration,
    /// The longest.
    #[serde(rename = "max_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub max: Duration,
}

impl Report {
    /// Whether all was sent that `asked` wants, or that its deadline leaves time for, and nothing was left in flight.
    pub(super) fn is_whole(&self, asked: &UdpPing) -> bool {
        let counts = &self.counts;
        let planned = counts.sent + counts.skipped + counts.send_errors;
        // When a packet of a random schedule would have been due nobody knows any more.
        let is_over = asked.deadline.is_some_and(|deadline| {
            let bursts = u32::try_from(planned / u64::from(asked.burst.max(1))).unwrap_or(u32::MAX);
            asked.schedule == Schedule::Fixed && self.interval.saturating_mul(bursts) >= deadline.0
        });
        counts.pending == 0 && (planned >= asked.count || is_over)
    }

    /// The headline numbers of a report that may not exist.
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let mut scalars = Rtt::scalars(report.and_then(|report| report.rtt.as_ref()));
        scalars.extend([
            Scalar::ratio("loss_ratio", report.and_then(|report| report.loss_ratio)),
            Scalar::ratio("up_loss_ratio", report.and_then(|report| report.up.loss_ratio)),
            Scalar::ratio("down_loss_ratio", report.and_then(|report| report.down.loss_ratio)),
        ]);
        scalars
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }

    fn losses(&self) -> Vec<Loss> {
        let sent = self.counts.sent;
        let of = |name: &'static str, lost, sent| Loss { name: name.into(), lost, sent };
        let mut losses = vec![of("loss_ratio", sent.saturating_sub(self.counts.received), sent)];
        if let (Some(up), Some(down)) = (self.up.lost, self.down.lost) {
            losses.push(of("up_loss_ratio", up, sent));
            losses.push(of("down_loss_ratio", down, sent.saturating_sub(up)));
        }
        losses
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        self.counts.received > 0
    }

    fn packets(&self) -> Option<Packets> {
        let Counts { sent, received, .. } = self.counts;
        Some(Packets { sent, lost: sent.saturating_sub(received), rtt: self.rtt_sketch.clone() })
    }
}
