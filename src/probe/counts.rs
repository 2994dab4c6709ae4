//! The block that datagram probes share, so that each says the same thing in the same way.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scalar;
use crate::stats::{Jitter, Moments, ipdv, percentile};
use crate::units::ms;

/// What became of the packets of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Probe packets sent whose fate is known: what loss (RFC 6673) is a part of.
    pub sent: u64,
    /// Answered before their deadline.
    pub received: u64,
    /// Replies beyond the first to one packet (RFC 5560).
    pub duplicates: u64,
    /// Replies whose number was below one already seen (RFC 4737 type-P-reordered).
    pub reordered: u64,
    /// Answered after their deadline: lost to `loss_ratio` (RFC 6673), part of no other statistic.
    pub late: u64,
    /// Planned, but not sent because this host was too late to keep the schedule.
    pub skipped: u64,
    /// Refused by this host's own stack.
    pub send_errors: u64,
    /// In flight when the run was interrupted; not in `sent`.
    pub pending: u64,
    /// Replies dropped in this process's own socket queue (`SO_RXQ_OVFL`): not the network's loss.
    pub receive_overflow: u64,
}

impl Counts {
    /// Round-trip loss (RFC 6673): `(sent - received) / sent`; `None` when nothing was sent.
    pub fn loss_ratio(&self) -> Option<f64> {
        ratio(self.sent.saturating_sub(self.received), self.sent)
    }
}

/// `part` of `whole`; `None` of nothing.
pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Round-trip times of one run, exact (no sketch): percentiles are nearest ranks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rtt {
    /// The shortest round-trip time (RFC 2681).
    #[serde(rename = "min_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub min: Duration,
    /// Arithmetic mean (of RFC 2681).
    #[serde(rename = "mean_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub mean: Duration,
    /// The longest (RFC 2681).
    #[serde(rename = "max_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub max: Duration,
    /// Population standard deviation (of RFC 2681).
    #[serde(rename = "stddev_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub stddev: Duration,
    /// Median (of RFC 2681).
    #[serde(rename = "p50_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p50: Duration,
    /// 95th percentile (of RFC 2681).
    #[serde(rename = "p95_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p95: Duration,
    /// 99th percentile (of RFC 2681).
    #[serde(rename = "p99_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p99: Duration,
    /// Interarrival jitter of the round trip (RFC 3550 §6.4.1); null with fewer than two replies.
    #[serde(rename = "jitter_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub jitter: Option<Duration>,
    /// 95th percentile of |IPDV| over adjacent packets (RFC 3393); null without an adjacent pair.
    #[serde(rename = "ipdv_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub ipdv: Option<Duration>,
}

impl Rtt {
    /// The summary of `samples`: (sequence number, RTT), sorted by number. `None` of none.
    pub fn of(samples: &[(u64, Duration)]) -> Option<Self> {
        let mut sorted: Vec<Duration> = samples.iter().map(|&(_, rtt)| rtt).collect();
        sorted.sort_unstable();
        let (mut moments, mut jitter) = (Moments::default(), Jitter::default());
        let transits: Vec<(u64, i128)> =
            samples.iter().map(|&(seq, rtt)| (seq, rtt.as_nanos() as i128)).collect();
        samples.iter().for_each(|&(_, rtt)| moments.push(rtt));
        transits.iter().for_each(|&(_, transit)| jitter.push(transit));
        Some(Self {
            min: *sorted.first()?,
            mean: moments.mean()?,
            max: *sorted.last()?,
            stddev: moments.stddev()?,
            p50: percentile(&sorted, 0.50)?,
            p95: percentile(&sorted, 0.95)?,
            p99: percentile(&sorted, 0.99)?,
            jitter: jitter.value(),
            ipdv: ipdv(&transits),
        })
    }

    /// The scalars of a summary that may not exist.
    pub fn scalars(rtt: Option<&Self>) -> Vec<Scalar> {
        let of = |name, part: fn(&Self) -> Duration| Scalar::time(name, rtt.map(part));
        vec![
            of("rtt_min", |rtt| rtt.min),
            of("rtt_mean", |rtt| rtt.mean),
            of("rtt_p50", |rtt| rtt.p50),
            of("rtt_p95", |rtt| rtt.p95),
            of("rtt_p99", |rtt| rtt.p99),
            of("rtt_max", |rtt| rtt.max),
            Scalar::time("jitter", rtt.and_then(|rtt| rtt.jitter)),
        ]
    }
}

/// How far the actual sends lay behind the plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleError {
    /// Median of (actual − planned) send time.
    #[serde(rename = "p50_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p50: Duration,
    /// Its 99th percentile.
    #[serde(rename = "p99_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub p99: Duration,
}

impl ScheduleError {
    /// The summary of how late each send was, in ns, which is sorted. `None` of none.
    pub(crate) fn of(lateness: &mut [u64]) -> Option<Self> {
        lateness.sort_unstable();
        let span = |q| percentile(lateness, q).map(Duration::from_nanos);
        Some(Self { p50: span(0.5)?, p99: span(0.99)? })
    }
}

/// Runs of consecutive lost packets (RFC 3357 loss periods).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LossBursts {
    /// How many runs there were, single losses included (RFC 3357).
    pub count: u64,
    /// The longest (RFC 3357).
    pub longest: u64,
}

impl LossBursts {
    /// The runs among packets in their order, of each whether it was lost.
    pub(crate) fn of(lost: impl Iterator<Item = bool>) -> Self {
        let (mut bursts, mut run) = (Self::default(), 0);
        for is_lost in lost {
            run = if is_lost { run + 1 } else { 0 };
            bursts.count += u64::from(run == 1);
            bursts.longest = bursts.longest.max(run);
        }
        bursts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_link_has_no_rtt() {
        assert_eq!(Rtt::of(&[]), None);
        assert!(Rtt::scalars(None).iter().all(|scalar| scalar.value.is_none()));
    }

    #[test]
    fn nothing_sent_is_not_zero_loss() {
        assert_eq!(Counts::default().loss_ratio(), None);
        assert_eq!(Counts { sent: 4, received: 3, ..Counts::default() }.loss_ratio(), Some(0.25));
    }

    #[test]
    fn bursts_are_runs_of_losses() {
        let of = |text: &str| LossBursts::of(text.chars().map(|c| c == 'x'));
        assert_eq!(of(""), LossBursts::default());
        assert_eq!(of(".x..xxx.x"), LossBursts { count: 3, longest: 3 });
    }

    #[test]
    fn a_summary_is_exact() {
        let samples: Vec<(u64, Duration)> = (1..=100).map(|n| (n, Duration::from_millis(n))).collect();
        let rtt = Rtt::of(&samples).expect("samples");
        let ms = Duration::from_millis;
        assert_eq!((rtt.min, rtt.p50, rtt.p95, rtt.p99, rtt.max), (ms(1), ms(50), ms(95), ms(99), ms(100)));
        assert_eq!((rtt.mean, rtt.ipdv), (Duration::from_micros(50_500), Some(ms(1))));
    }
}
