//! The report of what a run has counted.

use std::time::Duration;

use super::{FarTotals, Sample, Tally};
use crate::probe::udpping::report::{OneWay, Report, ServerProcessing};
use crate::probe::{Clock, LossBursts, Rtt, ScheduleError};
use crate::stats::{Sketch, ipdv, percentile};
use crate::units::ms;

/// Records list every sample up to this many packets.
const MOST_SAMPLES: usize = 1000;
/// A reflector reads t3 before it hands the packet to its system: that much later it may leave, in ns.
const T3_LAG: u64 = 20_000;

/// What the report needs beside the counts.
pub(in super::super) struct Circumstances {
    pub(in super::super) payload: u16,
    pub(in super::super) interval: Duration,
    pub(in super::super) skipped: u64,
    /// Our clock's error bound, if it is synchronised; zero when both ends share one clock.
    pub(in super::super) clock_error: Option<u64>,
    /// Both ends run on one kernel's clock.
    pub(in super::super) one_clock: bool,
    pub(in super::super) assume_synced: bool,
}

impl Tally {
    /// The report of the run so far.
    pub(in super::super) fn report(mut self, circumstances: &Circumstances) -> Report {
        let lost_or = |sample: &Sample| !matches!(sample, Sample::NotSent | Sample::Pending);
        self.counts.sent = self.samples.iter().filter(|sample| lost_or(sample)).count() as u64;
        self.counts.skipped = circumstances.skipped;
        let answered: Vec<(u64, u64, i64, i64)> = self.answered().collect();
        let rtts: Vec<(u64, Duration)> =
            answered.iter().map(|&(seq, rtt, ..)| (seq, Duration::from_nanos(rtt))).collect();
        let mut rtt_sketch = Sketch::default();
        rtts.iter().for_each(|(_, rtt)| rtt_sketch.push(rtt.as_secs_f64()));
        let lost_unknown = self.directions(&answered, circumstances);
        let (offset, error) = self.clocks(circumstances);
        Report {
            loss_ratio: self.counts.loss_ratio(),
            rtt: Rtt::of(&rtts),
            clock: if self.all_kernel { Clock::Kernel } else { Clock::User },
            schedule_error: ScheduleError::of(&mut self.lateness),
            loss_bursts: self.bursts(),
            lost_unknown,
            server_processing: self.processing(),
            clock_offset_ms: offset,
            clock_error_ms: error,
            payload_bytes: circumstances.payload,
            interval: circumstances.interval,
            restarts: self.restarts,
            rtt_sketch,
            samples_ms: self.listed(),
            counts: self.counts,
            up: self.up,
            down: self.down,
            errors: self.errors,
        }
    }

    fn answered(&self) -> impl Iterator<Item = (u64, u64, i64, i64)> + '_ {
        self.samples.iter().enumerate().filter_map(|(seq, sample)| match sample {
            Sample::Answered(rtt, up, down) => Some((seq as u64, *rtt, *up, *down)),
            _ => None,
        })
    }

    fn listed(&self) -> Option<Vec<Option<f64>>> {
        let value = |sample: &Sample| match sample {
            Sample::Answered(rtt, ..) => Some(ms::of(Duration::from_nanos(*rtt))),
            _ => None,
        };
        let sent = self.samples.iter().filter(|sample| !matches!(sample, Sample::NotSent | Sample::Pending));
        (self.samples.len() <= MOST_SAMPLES).then(|| sent.map(value).collect())
    }

    fn bursts(&self) -> LossBursts {
        LossBursts::of(self.samples.iter().map(|sample| matches!(sample, Sample::Lost | Sample::Late)))
    }

    fn processing(&mut self) -> Option<ServerProcessing> {
        self.processing.sort_unstable();
        let span = |q| percentile(&self.processing, q).map(Duration::from_nanos);
        Some(ServerProcessing { p50: span(0.5)?, max: span(1.0)? })
    }

    /// Fills both directions in; returns how many losses nothing attributes.
    fn directions(&mut self, answered: &[(u64, u64, i64, i64)], circumstances: &Circumstances) -> u64 {
        let lost = self.counts.sent - self.counts.received - self.counts.late;
        let (up, unknown) = self.lost_up();
        if let Some(up) = up {
            let up = up.min(lost);
            let down = lost.saturating_sub(up + unknown);
            let reached = self.counts.sent.saturating_sub(up);
            self.up.lost = Some(up);
            self.down.lost = Some(down);
            // What nothing attributes may belong to either: no ratio is given then.
            if unknown == 0 {
                self.up.loss_ratio = crate::probe::counts::ratio(up, self.counts.sent);
                self.down.loss_ratio = crate::probe::counts::ratio(down, reached);
            }
        }
        self.far_sums();
        if self.has_processing {
            let transits = |pick: fn(&(u64, u64, i64, i64)) -> i64| -> Vec<(u64, i128)> {
                answered.iter().map(|sample| (sample.0, i128::from(pick(sample)))).collect()
            };
            let (up, down) = (transits(|sample| sample.2), transits(|sample| sample.3));
            (self.up.ipdv, self.down.ipdv) = (ipdv(&up), ipdv(&down));
            if circumstances.one_clock || circumstances.assume_synced || self.bound(circumstances).is_some() {
                (self.up.delay, self.down.delay) = (one_way(&up), one_way(&down));
            }
        }
        self.up.ecn_ce = self.ce.0;
        self.down.ecn_ce = self.down.dscp.map(|_| self.ce.1);
        if up.is_some() { unknown } else { lost }
    }

    /// How many packets did not reach the reflector, and how many lost ones nothing attributes.
    fn lost_up(&self) -> (Option<u64>, u64) {
        let (mut up, mut unknown, mut told) = (0, 0, false);
        for (n, leg) in self.legs.iter().enumerate() {
            let end = self.legs.get(n + 1).map_or(self.next_seq(), |next| next.first);
            let sent = |from: u64, to: u64| {
                let sent = |sample: &&Sample| !matches!(sample, Sample::NotSent | Sample::Pending);
                self.samples[from as usize..to as usize].iter().filter(sent).count() as u64
            };
            if let Some(totals) = leg.totals {
                up += sent(leg.first, end).saturating_sub(totals.received);
                told = true;
                continue;
            }
            let known = leg.counts.map_or(leg.first, |_| leg.seen);
            if let Some(counts) = leg.counts {
                up += sent(leg.first, known).saturating_sub(u64::from(counts.received));
                told = true;
            }
            let is_lost = |sample: &&Sample| matches!(sample, Sample::Lost);
            unknown += self.samples[known as usize..end as usize].iter().filter(is_lost).count() as u64;
        }
        (told.then_some(up), unknown)
    }

    /// Duplicates and reordering by direction, where the reflector counted them.
    fn far_sums(&mut self) {
        let totals: Option<Vec<FarTotals>> = self.legs.iter().map(|leg| leg.totals).collect();
        if let Some(totals) = totals {
            let duplicates = totals.iter().map(|totals| totals.duplicates).sum();
            let reordered = totals.iter().map(|totals| totals.reordered).sum();
            (self.up.duplicates, self.up.reordered) = (Some(duplicates), Some(reordered));
            // Every copy that arrived there was answered: what is left was copied on the way back.
            self.down.duplicates = Some(self.counts.duplicates.saturating_sub(duplicates));
            self.down.reordered = Some(self.counts.reordered.saturating_sub(reordered));
        }
    }

    /// The most by which the two clocks can disagree, if anything bounds it.
    fn bound(&self, circumstances: &Circumstances) -> Option<u64> {
        let apart = match circumstances.one_clock {
            true => 0,
            false => circumstances.clock_error?.saturating_add(self.far_bound_ns?),
        };
        Some(apart.saturating_add(T3_LAG))
    }

    fn clocks(&self, circumstances: &Circumstances) -> (Option<f64>, Option<f64>) {
        let fastest = self.fastest.filter(|_| self.has_processing);
        // RFC 5905 §8: θ = ((t2 − t1) + (t3 − t4)) / 2
        let apart = |(_, up, down)| (up as f64 - down as f64) / 2.0 / 1e6;
        let offset = fastest.map(if circumstances.one_clock { |_| 0.0 } else { apart });
        let error = self.bound(circumstances).filter(|_| self.has_processing).map(|ns| ns as f64 / 1e6);
        (offset, error)
    }
}

fn one_way(transits: &[(u64, i128)]) -> Option<OneWay> {
    let mut sorted: Vec<i128> = transits.iter().map(|&(_, transit)| transit).collect();
    sorted.sort_unstable();
    let at = |q| percentile(&sorted, q).map(|ns| ns as f64 / 1e6);
    Some(OneWay { min_ms: at(0.0)?, p50_ms: at(0.5)?, p95_ms: at(0.95)?, max_ms: at(1.0)? })
}
