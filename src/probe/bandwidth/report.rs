//! What a test has found: each direction, as both ends saw it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Latency, Limit, Search, Trace};
use crate::probe::{Findings, Loss, Packets, Scalar, Scalars};
use crate::units::{Unit, ms};

/// What `bandwidth` found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthReport")]
pub struct Report {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Streams of each direction.
    pub streams: u16,
    /// Octets of each write or datagram.
    pub length_bytes: u32,
    /// What this host received it copied, as an application does; else the kernel threw it away.
    pub copied: bool,
    /// What this host sent left as the payload's own pages (splice(2)), where the system has pipes for that; else the kernel copied
    /// it, as it always does what leaves in pieces below 16 KiB.
    #[serde(default)]
    pub lent: bool,
    /// The connections could take several paths at once (MPTCP); then nothing is known of retransmits, RTT and cwnd, of which the
    /// kernel tells those of the first path alone.
    #[serde(default)]
    pub multipath: bool,
    /// What did not count, first.
    #[serde(rename = "omitted_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub omitted: Duration,
    /// From this host to the server.
    pub up: Option<Flow>,
    /// From the server to this host.
    pub down: Option<Flow>,
    /// Round trips beside the bulk; null where they were not asked for.
    #[serde(default)]
    pub latency: Option<Latency>,
    /// The search that the rate comes from, which was the last or the best of many; null where none was asked for.
    #[serde(default)]
    pub search: Option<Search>,
    /// Processor time.
    pub cpu: Cpu,
    /// The server's own words, where they were asked for: text, or iperf3's JSON.
    pub server_output: Option<serde_json::Value>,
    /// Why the test ended before its end; null where it did not.
    pub ended: Option<String>,
    /// Every interval of every stream, for iperf3's own form of a report; no part of the record.
    #[serde(skip)]
    pub trace: Option<Box<Trace>>,
}

/// One direction of a test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthFlow")]
pub struct Flow {
    /// Goodput in bit/s: what the receiver counted. Null where the server did not say.
    pub throughput_bps: Option<f64>,
    /// What the sender's kernel took. Null where the server did not say.
    pub sent: Option<Moved>,
    /// What the receiver read. Null where the server did not say.
    pub received: Option<Moved>,
    /// Throughput of this host's end over bins of 100 ms; null of a test that was shorter.
    pub bins: Option<Bins>,
    /// When nothing was moved; null where that was not watched.
    pub stalls: Option<Stalls>,
    /// Segments that the sender sent again (TCP). Null where it does not know.
    pub retransmits: Option<u64>,
    /// The congestion control of the sender (TCP).
    pub congestion: Option<String>,
    /// Round trips as this host's kernel saw them while it sent (TCP_INFO); null where it did not send.
    pub tcp: Option<RoundTrips>,
    /// Datagrams (UDP).
    pub udp: Option<Datagrams>,
    /// What kept it from being more.
    pub limit: Option<Limit>,
    /// Each stream.
    pub parts: Vec<Part>,
    /// Each interval, all streams together, as this host saw it.
    pub intervals: Vec<Interval>,
}

/// Octets of payload, and how long they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthMoved")]
pub struct Moved {
    /// Octets.
    pub bytes: u64,
    /// How long they took.
    #[serde(rename = "elapsed_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub elapsed: Duration,
}

impl Moved {
    /// Bits per second; `None` where no time has passed.
    pub fn rate(&self) -> Option<f64> {
        rate(self.bytes, self.elapsed)
    }
}

/// Throughput over short times, in bit/s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthBins")]
pub struct Bins {
    /// How many there are.
    pub count: u64,
    /// The slowest.
    pub min_bps: f64,
    /// One in twenty is slower.
    pub p5_bps: f64,
    /// Half of them are slower.
    pub p50_bps: f64,
    /// One in twenty is faster.
    pub p95_bps: f64,
    /// The fastest.
    pub max_bps: f64,
}

/// Bins of 100 ms in which nothing was moved, between others in which something was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthStalls")]
pub struct Stalls {
    /// How often it stood still.
    pub count: u64,
    /// All together, to 100 ms.
    #[serde(rename = "total_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub total: Duration,
    /// The longest.
    #[serde(rename = "longest_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub longest: Duration,
}

/// TCP's own measurements, sampled each 100 ms, all streams together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthRoundTrips")]
pub struct RoundTrips {
    /// The least smoothed RTT (RFC 6298).
    #[serde(rename = "rtt_min_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub min: Duration,
    /// Their mean.
    #[serde(rename = "rtt_mean_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub mean: Duration,
    /// The largest.
    #[serde(rename = "rtt_max_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub max: Duration,
    /// The largest congestion window of a stream, in octets.
    pub cwnd_max_bytes: u64,
    /// The path MTU that the kernel believed in at the end.
    pub pmtu_bytes: u32,
}

/// Datagrams of a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthDatagrams")]
pub struct Datagrams {
    /// Those that the sender sent; null where the server did not say.
    pub sent: Option<u64>,
    /// The highest number that the receiver saw, which is what its loss is a share of; null where the server did not say.
    pub seen: Option<u64>,
    /// Numbers that were left out and did not come later. A datagram that came twice hides one.
    pub lost: Option<u64>,
    /// Their share.
    pub loss_ratio: Option<f64>,
    /// What was to be omitted is counted, too: a server before iperf 3.14 does not tell it apart.
    pub with_omitted: bool,
    /// Sent after the last that was seen: lost, or on the way when the test ended. Null where either end is not known.
    pub behind: Option<u64>,
    /// Those that came after a later one; duplicates are not among them. Null where the server received.
    pub reordered: Option<u64>,
    /// Those that came again, as far as the last 1,024 numbers tell. Null where the server received.
    pub duplicates: Option<u64>,
    /// Those that this host's own socket had no room for: of `lost`, or after the last that was seen. Null where the other end
    /// received.
    pub dropped_here: Option<u64>,
    /// The same of the other end's socket; null where this host received, or where the other end does not tell.
    #[serde(default)]
    pub dropped_there: Option<u64>,
    /// Jitter (RFC 3550 §6.4.1), the mean of the streams'. Of datagrams that the kernel has joined only the first has a time.
    #[serde(rename = "jitter_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub jitter: Option<Duration>,
}

impl Datagrams {
    /// What follows from how many were sent, were seen and are lost; what only a receiver here knows is left open.
    pub(crate) fn of(
        sent: Option<u64>,
        seen: Option<u64>,
        lost: Option<u64>,
        jitter: Option<Duration>,
    ) -> Self {
        let share = |(seen, lost): (u64, u64)| (seen > 0).then(|| lost as f64 / seen as f64);
        Self {
            sent,
            seen,
            lost,
            loss_ratio: seen.zip(lost).and_then(share),
            behind: sent.zip(seen).map(|(sent, seen)| sent.saturating_sub(seen)),
            jitter,
            ..Self::default()
        }
    }
}

/// One stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthPart")]
pub struct Part {
    /// Its number in iperf3's count: 1, 3, 4, ….
    pub id: u32,
    /// Octets that the sender's kernel took.
    pub sent_bytes: Option<u64>,
    /// Octets that the receiver read.
    pub received_bytes: Option<u64>,
    /// Goodput in bit/s.
    pub throughput_bps: Option<f64>,
    /// Segments sent again (TCP).
    pub retransmits: Option<u64>,
    /// The highest number of a datagram that the receiver saw (UDP).
    pub seen: Option<u64>,
    /// Numbers of datagrams that were left out and did not come later (UDP).
    pub lost: Option<u64>,
    /// Their share.
    pub loss_ratio: Option<f64>,
    /// Jitter (UDP).
    #[serde(rename = "jitter_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub jitter: Option<Duration>,
}

/// What was moved in one interval, all streams of a direction together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthInterval")]
pub struct Interval {
    /// Its beginning, from that of the test, or of what counts.
    #[serde(rename = "start_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub start: Duration,
    /// Its end.
    #[serde(rename = "end_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub end: Duration,
    /// What was moved in it.
    #[serde(flatten)]
    pub tally: Tally,
    /// It does not count.
    pub omitted: bool,
}

/// What was moved, as this host saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthTally")]
pub struct Tally {
    /// Octets.
    pub bytes: u64,
    /// Bits per second; null where no time has passed.
    pub throughput_bps: Option<f64>,
    /// Segments sent again, where this host sends (TCP).
    pub retransmits: Option<u64>,
    /// The congestion window at its end, in octets, where this host sends; of several streams their sum.
    pub cwnd_bytes: Option<u64>,
    /// Datagrams that were sent, or that the numbers of those that came tell of (UDP).
    pub datagrams: Option<u64>,
    /// Of those, lost, where this host receives. Below 0 where datagrams came late that an interval before has counted.
    pub lost: Option<i64>,
    /// Jitter at its end, where this host receives (UDP).
    #[serde(rename = "jitter_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub jitter: Option<Duration>,
}

impl Tally {
    /// Several streams as one.
    pub fn sum(tallies: &[Tally], span: Duration) -> Self {
        let add = |of: fn(&Tally) -> Option<u64>| tallies.iter().map(of).sum::<Option<u64>>();
        let bytes = tallies.iter().map(|tally| tally.bytes).sum();
        let jitters: Option<Duration> = tallies.iter().map(|tally| tally.jitter).sum();
        Self {
            bytes,
            throughput_bps: rate(bytes, span),
            retransmits: add(|tally| tally.retransmits),
            cwnd_bytes: add(|tally| tally.cwnd_bytes),
            datagrams: add(|tally| tally.datagrams),
            lost: tallies.iter().map(|tally| tally.lost).sum(),
            jitter: jitters.map(|all| all / tallies.len().max(1) as u32),
        }
    }
}

/// Bits per second.
pub(super) fn rate(octets: u64, span: Duration) -> Option<f64> {
    (!span.is_zero()).then(|| octets as f64 * 8.0 / span.as_secs_f64())
}

/// Processor time of both ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthCpu")]
pub struct Cpu {
    /// This process's.
    pub local: Option<Processor>,
    /// The server's, as it says.
    pub remote: Option<Processor>,
}

/// Processor time as a share of the test's time: 1 is one processor, and there may be more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthProcessor")]
pub struct Processor {
    /// All of it.
    pub total_ratio: f64,
    /// The process's own.
    pub user_ratio: f64,
    /// The kernel's for it.
    pub system_ratio: f64,
}

impl Report {
    /// Both directions that there are, with their names.
    pub fn flows(&self) -> impl Iterator<Item = (&'static str, &Flow)> {
        [("up", &self.up), ("down", &self.down)]
            .into_iter()
            .filter_map(|(name, flow)| Some((name, flow.as_ref()?)))
    }

    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let rate = |name: &'static str, value| Scalar { name: name.into(), unit: Unit::BitsPerSecond, value };
        // Of a search that found none, no trial's throughput is what was asked for.
        let is_found = report
            .is_none_or(|report| report.search.as_ref().is_none_or(|search| search.found_bps.is_some()));
        let of = |flow: Option<&Flow>| flow.and_then(|flow| flow.throughput_bps).filter(|_| is_found);
        let up = of(report.and_then(|report| report.up.as_ref()));
        let down = of(report.and_then(|report| report.down.as_ref()));
        let both: Vec<f64> =
            report.into_iter().flat_map(Self::flows).filter_map(|(_, flow)| flow.throughput_bps).collect();
        // Of two directions the lower (design §3); of which one is not known, neither is the lower.
        let is_known = is_found && report.is_some_and(|report| report.flows().count() == both.len());
        let lower = both.into_iter().reduce(f64::min).filter(|_| is_known);
        let datagrams = |report: &Self| report.flows().filter_map(|(_, flow)| flow.udp).collect::<Vec<_>>();
        let udp = report.map(datagrams).unwrap_or_default();
        let jitter = udp.iter().filter_map(|udp| udp.jitter).max();
        let loss = udp.iter().filter_map(|udp| udp.loss_ratio).reduce(f64::max);
        let segment = |flow: &Flow| Some((flow.retransmits?, flow.sent?.bytes));
        let again = report.and_then(|report| {
            let all: Vec<(u64, u64)> = report.flows().filter_map(|(_, flow)| segment(flow)).collect();
            let (again, bytes) = all.iter().fold((0, 0), |(a, b), (again, bytes)| (a + again, b + bytes));
            let segments =
                bytes as f64 / f64::from(report.trace.as_ref().map_or(1448, |trace| trace.mss.max(1)));
            (segments >= 1.0).then(|| again as f64 / segments)
        });
        let increase = report.and_then(|report| report.latency.as_ref()?.increase_ms).map(|ms| ms / 1e3);
        vec![
            rate("throughput", lower),
            rate("throughput_up", up),
            rate("throughput_down", down),
            Scalar::time("jitter", jitter),
            Scalar { name: "latency_increase".into(), unit: Unit::Seconds, value: increase },
            Scalar::ratio("loss_ratio", loss),
            Scalar::ratio("retransmit_ratio", again.map(|ratio| ratio.min(1.0))),
        ]
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }

    fn losses(&self) -> Vec<Loss> {
        let worst =
            self.flows().filter_map(|(_, flow)| flow.udp).filter_map(|udp| Some((udp.lost?, udp.seen?)));
        let worst = worst.max_by(|(a, of), (b, others)| (a * others.max(&1)).cmp(&(b * of.max(&1))));
        worst.map(|(lost, sent)| Loss { name: "loss_ratio".into(), lost, sent }).into_iter().collect()
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        self.flows().any(|(_, flow)| flow.received.or(flow.sent).is_some_and(|moved| moved.bytes > 0))
    }

    fn packets(&self) -> Option<Packets> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_knows_only_what_all_know() {
        let one = Tally {
            bytes: 1000,
            retransmits: Some(2),
            jitter: Some(Duration::from_millis(2)),
            ..Tally::default()
        };
        let both = Tally::sum(
            &[one, Tally { retransmits: Some(1), jitter: Some(Duration::from_millis(4)), ..one }],
            Duration::from_secs(1),
        );
        assert_eq!((both.bytes, both.retransmits, both.throughput_bps), (2000, Some(3), Some(16_000.0)));
        assert_eq!((both.jitter, both.lost), (Some(Duration::from_millis(3)), None));
        assert_eq!(Tally::sum(&[one, Tally::default()], Duration::ZERO).retransmits, None);
    }
}
