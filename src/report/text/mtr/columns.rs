//! The columns of the table of hops, for a report and for a run that goes on: one way to count, to name and to write them.

use std::time::Duration;

use super::super::{ABSENT, millis, percent};
use crate::probe::mtr::{Field, Hop};
use crate::stats::{Jitter, Moments};

/// What the columns tell of round trips, one after the other.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Running {
    last: Option<Duration>,
    best: Option<Duration>,
    worst: Option<Duration>,
    moments: Moments,
    /// Round trips, and the sum of the logarithms of their milliseconds.
    logs: (u32, f64),
    /// The latest difference of two, their number and sum, and the largest.
    difference: Option<Duration>,
    differences: (u32, Duration),
    most: Option<Duration>,
    interarrival: Jitter,
}

impl Running {
    /// Takes the next round trip in.
    pub(in crate::report) fn push(&mut self, rtt: Duration) {
        if let Some(last) = self.last.replace(rtt) {
            let apart = last.abs_diff(rtt);
            self.difference = Some(apart);
            self.differences = (self.differences.0 + 1, self.differences.1.saturating_add(apart));
            self.most = self.most.max(Some(apart));
        }
        self.best = Some(self.best.map_or(rtt, |best| best.min(rtt)));
        self.worst = self.worst.max(Some(rtt));
        self.moments.push(rtt);
        self.logs = (self.logs.0 + 1, self.logs.1 + (rtt.as_secs_f64() * 1e3).max(1e-6).ln());
        self.interarrival.push(rtt.as_nanos() as i128);
    }

    /// The time that a column shows.
    pub(in crate::report) fn time(&self, field: Field) -> Option<Duration> {
        match field {
            Field::Last => self.last,
            Field::Best => self.best,
            Field::Average => self.moments.mean(),
            Field::Worst => self.worst,
            Field::Deviation => self.moments.stddev(),
            Field::Geometric => {
                let (count, logs) = self.logs;
                (count > 0)
                    .then(|| Duration::try_from_secs_f64((logs / f64::from(count)).exp() / 1e3).ok())?
            }
            Field::Jitter => self.difference,
            Field::JitterMean => self.differences.1.checked_div(self.differences.0),
            Field::JitterWorst => self.most,
            Field::Interarrival => self.interarrival.value(),
            Field::Loss | Field::Dropped | Field::Received | Field::Sent | Field::Space => None,
        }
    }
}

/// The time that a column shows of a hop of a report.
pub(super) fn time_of(hop: &Hop, field: Field) -> Option<Duration> {
    let rtt = hop.rtt.as_ref();
    match field {
        Field::Last => hop.last,
        Field::Best => rtt.map(|rtt| rtt.min),
        Field::Average => rtt.map(|rtt| rtt.mean),
        Field::Worst => rtt.map(|rtt| rtt.max),
        Field::Deviation => rtt.map(|rtt| rtt.stddev),
        Field::Interarrival => rtt.and_then(|rtt| rtt.jitter),
        _ => {
            let mut running = Running::default();
            let samples = hop.samples_ms.iter().flatten().flatten();
            let times = samples.filter_map(|ms| Duration::try_from_secs_f64(ms / 1e3).ok());
            times.for_each(|rtt| running.push(rtt));
            running.time(field)
        }
    }
}

/// What a column shows: `counts` are probes sent and answered, `loss` what that proves, `time` the column's own.
pub(in crate::report) fn cell(
    field: Field,
    (sent, received): (u64, u64),
    loss: Option<f64>,
    time: Option<Duration>,
) -> String {
    let or_absent = |text: Option<String>| text.unwrap_or_else(|| ABSENT.to_owned());
    match field {
        Field::Loss => or_absent(loss.map(percent)),
        // What proves no loss has dropped nothing.
        Field::Dropped => or_absent(loss.map(|_| sent.saturating_sub(received).to_string())),
        Field::Received => received.to_string(),
        Field::Sent => sent.to_string(),
        Field::Space => String::new(),
        _ => or_absent(time.map(millis)),
    }
}

/// What stands above a column.
pub(in crate::report) const fn head(field: Field) -> &'static str {
    match field {
        Field::Loss => "loss",
        Field::Dropped => "drop",
        Field::Received => "rcv",
        Field::Sent => "sent",
        Field::Last => "last",
        Field::Best => "best",
        Field::Average => "avg",
        Field::Worst => "worst",
        Field::Deviation => "stddev",
        Field::Geometric => "gmean",
        Field::Jitter => "jttr",
        Field::JitterMean => "javg",
        Field::JitterWorst => "jmax",
        Field::Interarrival => "jint",
        Field::Space => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_counted_one_round_trip_after_the_other() {
        let mut running = Running::default();
        [4, 1, 16].map(Duration::from_millis).into_iter().for_each(|rtt| running.push(rtt));
        let time = |field| cell(field, (4, 3), None, running.time(field));
        for (field, expected) in [
            (Field::Last, "16.00"),
            (Field::Best, "1.000"),
            (Field::Average, "7.000"),
            (Field::Worst, "16.00"),
            (Field::Deviation, "6.481"),
            (Field::Geometric, "4.000"),
            (Field::Jitter, "15.00"),
            (Field::JitterMean, "9.000"),
            (Field::JitterWorst, "15.00"),
            (Field::Interarrival, "1.113"),
            (Field::Dropped, ABSENT),
            (Field::Received, "3"),
        ] {
            assert_eq!(time(field), expected, "{field:?}");
        }
        assert_eq!(cell(Field::Dropped, (4, 3), Some(0.25), None), "1");
    }
}
