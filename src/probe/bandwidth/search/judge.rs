//! What a trial has shown: a judgement over what both ends counted, without I/O.

use std::time::Duration;

use super::seek::Outcome;
use super::{Bound, Trial, Verdict};
use crate::probe::bandwidth::{Flow, Report};

/// What is sent later than it should be by more than this has met a queue that grows: the delay from which RFC 9097 §8.1 slows
/// down. Queues of a shorter time are full within a trial that is longer than that, and lose.
const LATE: Duration = Duration::from_millis(90);
/// A sender that sends less than this of the rate has not kept it: clocks and last batches are worth some hundredths.
const KEPT: f64 = 0.97;

/// What a trial is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// This host sends.
    pub(super) up: bool,
    /// The share of datagrams that may be lost.
    pub(super) loss: f64,
}

impl Rule {
    /// A trial of `rate` bits per second for `time`, whose report is `report`, over a path whose round trip was `rtt` before.
    pub(super) fn trial(&self, rate: f64, time: Duration, report: &Report, rtt: Option<Duration>) -> Trial {
        let flow = if self.up { report.up.as_ref() } else { report.down.as_ref() };
        let mut trial = Trial {
            rate_bps: rate,
            time,
            sent_bps: None,
            received_bps: None,
            seen: None,
            lost: None,
            loss_ratio: None,
            dropped_here: None,
            late: None,
            verdict: Verdict::Void,
            failure: report.ended.clone(),
        };
        let (None, Some(flow)) = (&report.ended, flow) else { return trial };
        let Some(udp) = flow.udp else { return trial };
        let nothing = udp.seen == Some(0);
        (trial.seen, trial.lost, trial.dropped_here) = (udp.seen, udp.lost, udp.dropped_here);
        trial.loss_ratio = if nothing { Some(1.0) } else { udp.loss_ratio };
        trial.sent_bps = flow.sent.and_then(|moved| moved.rate());
        trial.received_bps = self.came(flow, rtt);
        trial.late = self.late(flow, report.length_bytes, rtt);
        trial.verdict = self.verdict(&trial);
        trial
    }

    /// The rate at which it came. A server counts for a round trip longer than anything comes.
    fn came(&self, flow: &Flow, rtt: Option<Duration>) -> Option<f64> {
        let received = flow.received?;
        let wait = rtt.filter(|_| self.up).unwrap_or_default();
        let elapsed =
            received.elapsed.checked_sub(wait).filter(|time| !time.is_zero()).unwrap_or(received.elapsed);
        super::super::report::rate(received.bytes, elapsed)
    }

    /// How much longer the last of it took than the first.
    fn late(&self, flow: &Flow, length: u32, rtt: Option<Duration>) -> Option<Duration> {
        let (sent, received, udp) = (flow.sent?, flow.received?, flow.udp?);
        if self.up {
            // The word that it is over is behind the last datagram, or has overtaken it.
            let more = received.elapsed.saturating_sub(sent.elapsed).saturating_sub(rtt?);
            let behind = udp.behind? as f64 / udp.sent?.max(1) as f64;
            return Some(more + sent.elapsed.mul_f64(behind.min(1.0)));
        }
        // What was sent in the time that this host received, and had not come.
        let rate = sent.rate().filter(|&rate| rate > 0.0)? / 8.0;
        let missing = rate * received.elapsed.as_secs_f64() - udp.seen? as f64 * f64::from(length);
        Some(Duration::from_secs_f64((missing / rate).clamp(0.0, received.elapsed.as_secs_f64())))
    }

    fn verdict(&self, trial: &Trial) -> Verdict {
        let (Some(seen), Some(lost), Some(sent)) = (trial.seen, trial.lost, trial.sent_bps) else {
            return Verdict::Void;
        };
        // Of few datagrams one is more than a small share, and says nothing.
        let allowed = if self.loss > 0.0 { (self.loss * seen as f64).max(1.0) } else { 0.0 };
        let is_too_much = |lost: u64| lost as f64 > allowed;
        if seen == 0 || is_too_much(lost.saturating_sub(trial.dropped_here.unwrap_or(0))) {
            Verdict::Lost
        } else if trial.late.is_some_and(|late| late > LATE) {
            Verdict::Late
        } else if is_too_much(lost) {
            Verdict::Dropped
        } else if sent < trial.rate_bps * KEPT {
            Verdict::Short
        } else {
            Verdict::Passed
        }
    }

    /// What a search makes of a trial; `None` of one that was not held.
    pub(super) fn outcome(&self, trial: &Trial) -> Option<Outcome> {
        let sender = if self.up { Bound::Host } else { Bound::Server };
        let failed = match trial.verdict {
            Verdict::Void => return None,
            Verdict::Passed | Verdict::Short => None,
            Verdict::Lost | Verdict::Late => Some(Bound::Network),
            Verdict::Dropped => Some(Bound::Host),
            Verdict::Refused => Some(Bound::Server),
        };
        let short = trial.sent_bps.filter(|&sent| sent < trial.rate_bps * KEPT).map(|sent| (sent, sender));
        Some(Outcome { failed, short, came: trial.received_bps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::bandwidth::{Datagrams, Moved};

    const TIME: Duration = Duration::from_secs(2);
    const RTT: Duration = Duration::from_millis(100);
    const UP: Rule = Rule { up: true, loss: 0.001 };
    const DOWN: Rule = Rule { up: false, loss: 0.001 };

    /// A trial of 8 Mbit/s in datagrams of 1,000 octets: 2,000 of them, of which `seen` were seen and `lost` are lost.
    fn flow(sent: u64, seen: u64, lost: u64, spans: [Duration; 2]) -> Flow {
        let moved = |count: u64, elapsed| Some(Moved { bytes: count * 1000, elapsed });
        let udp = Datagrams::of(Some(sent), Some(seen), Some(lost), None);
        Flow {
            sent: moved(sent, spans[0]),
            received: moved(seen - lost, spans[1]),
            udp: Some(udp),
            ..Flow::default()
        }
    }

    fn judged(rule: Rule, flow: Flow) -> Trial {
        let (up, down) = if rule.up { (Some(flow), None) } else { (None, Some(flow)) };
        let report = Report { length_bytes: 1000, up, down, ..Report::default() };
        rule.trial(8e6, TIME, &report, Some(RTT))
    }

    #[test]
    fn loss_is_too_much_above_what_is_allowed() {
        let up = |sent, seen, lost| judged(UP, flow(sent, seen, lost, [TIME, TIME + RTT])).verdict;
        assert_eq!(up(2000, 2000, 0), Verdict::Passed);
        assert_eq!([up(2000, 2000, 2), up(2000, 2000, 3)], [Verdict::Passed, Verdict::Lost]);
        assert_eq!(up(2000, 0, 0), Verdict::Lost, "nothing came");
        assert_eq!(up(1900, 1900, 0), Verdict::Short);
        let strict = Rule { loss: 0.0, ..UP };
        assert_eq!(judged(strict, flow(2000, 2000, 1, [TIME, TIME + RTT])).verdict, Verdict::Lost);
        // One of few is allowed.
        let few = flow(100, 100, 1, [TIME, TIME + RTT]);
        let report = Report { length_bytes: 1000, up: Some(few), ..Report::default() };
        assert_eq!(UP.trial(4e5, TIME, &report, Some(RTT)).verdict, Verdict::Passed);
    }

    #[test]
    fn a_queue_shows_by_what_comes_late() {
        let ms = Duration::from_millis;
        let up = judged(UP, flow(2000, 2000, 0, [TIME, TIME + RTT + ms(200)]));
        assert_eq!((up.verdict, up.late), (Verdict::Late, Some(ms(200))));
        // The rate at which it came is that of the time in which it came.
        let came = up.received_bps.expect("a rate");
        assert!((came - 16e6 / 2.2).abs() < 1.0, "{came}");
        // The word that it is over has overtaken a tenth.
        let up = judged(UP, flow(2000, 1800, 0, [TIME, TIME + RTT]));
        assert_eq!((up.verdict, up.late), (Verdict::Late, Some(ms(200))));
        // A server sends until it hears of the end.
        let down = judged(DOWN, flow(2100, 2000, 0, [TIME + RTT, TIME]));
        assert_eq!((down.verdict, down.late), (Verdict::Passed, Some(Duration::ZERO)));
        let down = judged(DOWN, flow(2100, 1800, 0, [TIME + RTT, TIME]));
        assert_eq!(down.verdict, Verdict::Late, "{down:?}");
        assert!(down.late.is_some_and(|late| late.abs_diff(ms(200)) < ms(1)), "{down:?}");
    }

    #[test]
    fn what_this_host_dropped_is_not_the_networks_loss() {
        let mut dropped = flow(2100, 2000, 50, [TIME + RTT, TIME]);
        let set = |flow: &mut Flow, count| {
            flow.udp = flow.udp.map(|udp| Datagrams { dropped_here: Some(count), ..udp });
        };
        set(&mut dropped, 50);
        let trial = judged(DOWN, dropped.clone());
        assert_eq!(trial.verdict, Verdict::Dropped);
        assert_eq!(DOWN.outcome(&trial).and_then(|outcome| outcome.failed), Some(Bound::Host));
        set(&mut dropped, 40);
        let trial = judged(DOWN, dropped);
        assert_eq!(DOWN.outcome(&trial).and_then(|outcome| outcome.failed), Some(Bound::Network));
    }

    #[test]
    fn who_could_not_send_is_named() {
        for (rule, bound) in [(UP, Bound::Host), (DOWN, Bound::Server)] {
            let spans = if rule.up { [TIME, TIME + RTT] } else { [TIME, TIME] };
            let trial = judged(rule, flow(1000, 1000, 0, spans));
            let outcome = rule.outcome(&trial).expect("it was held");
            assert_eq!((outcome.failed, outcome.short), (None, Some((4e6, bound))));
        }
        let report = Report { ended: Some("nothing came".to_owned()), ..Report::default() };
        let trial = UP.trial(8e6, TIME, &report, None);
        assert_eq!((trial.verdict, UP.outcome(&trial)), (Verdict::Void, None));
    }
}
