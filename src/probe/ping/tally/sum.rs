//! The report of a run, worked out from the fate of each packet.

use std::collections::BTreeMap;
use std::ops::RangeBounds;
use std::time::Duration;

use super::{Circumstances, LATE, LONGEST, LOST, MOST_SAMPLES, PENDING, REFUSED, Tally, UNSENT};
use crate::failure::Failure;
use crate::probe::ping::errors::Errors;
use crate::probe::ping::report::{Report, Responder, Status, TargetCounts, TargetReport};
use crate::probe::ping::{Mode, Phases};
use crate::probe::{Clock, Counts, LossBursts, Rtt, ScheduleError};
use crate::stats::Sketch;
use crate::units::ms;

impl Tally {
    /// The report of the run.
    pub(in super::super) fn report(mut self, circumstances: Circumstances) -> Report {
        let many = self.hosts.len() > 1 || !circumstances.unmeasured.is_empty();
        let mut counts = self.counts;
        self.fates.iter().for_each(|fate| count(&mut counts, *fate));
        counts.skipped = circumstances.skipped;
        let rtts = self.round_trips();
        let mut sketch = Sketch::default();
        rtts.iter().for_each(|(_, rtt)| sketch.push(rtt.as_secs_f64()));
        let mut rtt = Rtt::of(&rtts);
        drop(rtts);
        if let Some(rtt) = rtt.as_mut().filter(|_| many) {
            // From one target to the next the time does not vary, it differs.
            (rtt.jitter, rtt.ipdv) = (None, None);
        }
        let mut lateness: Vec<u64> = std::mem::take(&mut self.lateness).into_iter().map(u64::from).collect();
        let schedule_error = ScheduleError::of(&mut lateness);
        drop(lateness);
        let (errors, errors_unlisted) = self.errors.take_all();
        let bursts = self.bursts();
        let phases = Phases::of(&mut self.connects);
        let listed = (!many && self.fates.len() <= MOST_SAMPLES).then(|| listed(self.fates.iter().copied()));
        let mut report = Report {
            counts,
            loss_ratio: counts.loss_ratio(),
            rtt,
            clock: if self.all_kernel && self.heard { Clock::Kernel } else { Clock::User },
            schedule_error,
            loss_bursts: bursts,
            mode: circumstances.mode,
            payload_bytes: circumstances.payload,
            interval: circumstances.interval,
            ttl: self.ttl,
            corrupt: self.corrupt,
            ignored: self.ignored,
            truncated: self.truncated,
            closed: (circumstances.mode == Mode::Tcp).then_some(self.closed),
            statuses: self.statuses(..),
            syn_retransmits: circumstances.mode.connects().then_some(self.resent),
            phases,
            versions: circumstances.versions,
            initial: None,
            errors,
            errors_unlisted,
            alive: many.then(|| self.alive() as u64),
            responders: self.responders(),
            targets: Vec::new(),
            rtt_sketch: sketch,
            samples_ms: listed,
        };
        if many {
            report.targets = self.targets(circumstances.unmeasured, &report.errors);
        }
        report
    }

    fn round_trips(&self) -> Vec<(u64, Duration)> {
        let fates = self.fates.iter().enumerate().filter(|(_, fate)| **fate <= LONGEST);
        fates.map(|(probe, fate)| (probe as u64, Duration::from_nanos(*fate))).collect()
    }

    /// Runs of losses, each target's own.
    fn bursts(&self) -> LossBursts {
        let size = self.hosts.len();
        let each = (0..size).map(|index| {
            let fates = self.fates.iter().skip(index).step_by(size);
            LossBursts::of(fates.filter(|fate| **fate != UNSENT).map(|fate| matches!(*fate, LOST | LATE)))
        });
        each.fold(LossBursts::default(), |sum, own| LossBursts {
            count: sum.count + own.count,
            longest: sum.longest.max(own.longest),
        })
    }

    /// The HTTP statuses of the targets with these indices.
    fn statuses(&self, targets: impl RangeBounds<u32>) -> Vec<Status> {
        let mut counts = BTreeMap::<u16, u64>::new();
        let of = self.statuses.iter().filter(|((target, _), _)| targets.contains(target));
        of.for_each(|((_, status), count)| *counts.entry(*status).or_default() += count);
        counts.into_iter().map(|(status, count)| Status { status, count }).collect()
    }

    fn responders(&mut self) -> Vec<Responder> {
        let all = std::mem::take(&mut self.responders).into_iter();
        all.map(|(address, answers)| Responder {
            address,
            received: answers.received,
            rtt: Rtt::of(&answers.times),
        })
        .collect()
    }

    /// Each target's own results, in the order in which they were given.
    /// Those of a single one that could be measured are those of `all`.
    fn targets(mut self, unmeasured: Vec<(usize, Box<str>, Failure)>, all: &[Errors]) -> Vec<TargetReport> {
        let size = self.hosts.len();
        let mut targets = Vec::with_capacity(size + unmeasured.len());
        let mut unmeasured = unmeasured.into_iter().peekable();
        for (index, host) in std::mem::take(&mut self.hosts).into_iter().enumerate() {
            while let Some((_, name, failure)) = unmeasured.next_if(|(at, ..)| *at <= targets.len()) {
                targets.push(TargetReport::unmeasured(name, failure));
            }
            let fates = || self.fates.iter().skip(index).step_by(size).copied();
            let mut counts = Counts::default();
            fates().for_each(|fate| count(&mut counts, fate));
            let answered = fates().enumerate().filter(|(_, fate)| *fate <= LONGEST);
            let rtts: Vec<(u64, Duration)> =
                answered.map(|(round, fate)| (round as u64, Duration::from_nanos(fate))).collect();
            let own = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            let refusal = self.refusals.get(&(index as u32)).filter(|_| counts.sent == 0);
            let mark = self.marks[index];
            targets.push(TargetReport {
                target: host.name,
                address: Some(host.address.ip()),
                counts: TargetCounts {
                    sent: own(counts.sent),
                    received: own(counts.received),
                    duplicates: mark.duplicates,
                    reordered: mark.reordered,
                    late: own(counts.late),
                    send_errors: own(counts.send_errors),
                    pending: own(counts.pending),
                },
                loss_ratio: counts.loss_ratio(),
                rtt: Rtt::of(&rtts).map(Box::new),
                initial: None,
                statuses: self.statuses(index as u32..=index as u32).into(),
                errors: match size {
                    1 => all.into(),
                    _ => self.errors.take_own(index as u32).into(),
                },
                failure: refusal.map(|errno| {
                    Box::new(Failure::from_io("send", &std::io::Error::from_raw_os_error(*errno)))
                }),
                // One packet's time is the mean.
                samples_ms: (fates().len() > 1 && fates().len() <= MOST_SAMPLES)
                    .then(|| listed(fates()).into()),
            });
        }
        targets.extend(unmeasured.map(|(_, name, failure)| TargetReport::unmeasured(name, failure)));
        targets
    }
}

/// Counts a packet with this fate.
const fn count(counts: &mut Counts, fate: u64) {
    match fate {
        UNSENT => {}
        PENDING => counts.pending += 1,
        REFUSED => counts.send_errors += 1,
        LOST => counts.sent += 1,
        LATE => (counts.sent, counts.late) = (counts.sent + 1, counts.late + 1),
        _ => (counts.sent, counts.received) = (counts.sent + 1, counts.received + 1),
    }
}

/// Round trips in the order of sending, null for what was lost.
fn listed(fates: impl Iterator<Item = u64>) -> Vec<Option<f64>> {
    let sent = fates.filter(|fate| !matches!(*fate, UNSENT | PENDING | REFUSED));
    sent.map(|fate| (fate <= LONGEST).then(|| ms::of(Duration::from_nanos(fate)))).collect()
}
