//! What a run that goes on has shown so far.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use super::Hops;
use super::hops::Answer;
use crate::probe::{Event, Loss, Measurement, Outcome, Scalars};
use crate::report::text::{self, escape};
use crate::stats::{Moments, Sketch};

/// Points that the picture can show: more than the columns of any terminal, and 160 kB.
const MOST_POINTS: usize = 4096;

/// What is known about one target since the watch began, or since it was reset.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// What is watched, in a few words.
    pub title: String,
    /// The address spoken to.
    pub address: Option<IpAddr>,
    /// How it measures.
    pub how: String,
    /// The latest points: nanoseconds since the epoch, and the round trip, or `None` for a lost packet.
    pub points: VecDeque<(u64, Option<Duration>)>,
    /// What a capture has seen.
    pub passed: Passed,
    /// Answered packets.
    pub received: u64,
    /// Packets that were not answered: lost, where that proves loss.
    pub lost: u64,
    /// Lost on the way there, of how many; of the runs that ended and could tell.
    pub up: Share,
    /// Lost on the way back, of how many.
    pub down: Share,
    /// All round trips, in seconds.
    pub rtt: Sketch,
    /// The longest round trip.
    pub max: Option<Duration>,
    /// The shortest.
    pub min: Option<Duration>,
    /// The latest thing that a person should know.
    pub note: Option<String>,
    /// The hops of a path, where one is traced.
    pub hops: Hops,
    /// Runs that ended.
    pub runs: u64,
    /// The latest run that ended.
    pub last: Option<Measurement>,
    moments: Moments,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    /// 0–1; `None` of nothing.
    pub fn ratio(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }

    fn add(&mut self, loss: &Loss) {
        (self.part, self.whole) = (self.part + loss.lost, self.whole + loss.sent);
    }
}

/// Packets that a capture has seen pass, and how fast.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// The latest intervals: nanoseconds since the epoch, and Mbit/s.
    pub rates: VecDeque<(u64, f64)>,
    /// Packets.
    pub packets: u64,
    /// Packets that the kernel had to drop.
    pub dropped: u64,
    bytes: u64,
    time: Duration,
    /// Packets/s and Mbit/s of the latest interval.
    pub now: [f64; 2],
    /// The most of each.
    pub max: [f64; 2],
}

impl Passed {
    /// Packets/s and Mbit/s of all the time; `None` of none.
    pub fn mean(&self) -> Option<[f64; 2]> {
        (!self.time.is_zero()).then(|| speeds(self.packets, self.bytes, self.time))
    }

    fn add(&mut self, at: u64, packets: u64, bytes: u64, dropped: u64, lasted: Duration) {
        (self.packets, self.bytes) = (self.packets + packets, self.bytes + bytes);
        (self.dropped, self.time) = (self.dropped + dropped, self.time + lasted);
        self.now = speeds(packets, bytes, lasted);
        self.max = [0, 1].map(|of| self.max[of].max(self.now[of]));
        if self.rates.len() == MOST_POINTS {
            self.rates.pop_front();
        }
        self.rates.push_back((at, self.now[1]));
    }
}

fn speeds(packets: u64, bytes: u64, time: Duration) -> [f64; 2] {
    [packets as f64, bytes as f64 * 8e-6].map(|amount| amount / time.as_secs_f64().max(1e-9))
}

impl State {
    /// Nothing known yet about `title`.
    pub fn new(title: &str) -> Self {
        Self { title: escape(title).into_owned(), ..Self::default() }
    }

    /// Forgets what was counted; what is watched stays.
    pub fn reset(&mut self) {
        self.hops.reset();
        *self = Self {
            title: std::mem::take(&mut self.title),
            hops: std::mem::take(&mut self.hops),
            address: self.address,
            how: std::mem::take(&mut self.how),
            ..Self::default()
        };
    }

    /// Takes one event in.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Started { address, how } => {
                self.address = Some(*address);
                self.how = escape(how).into_owned();
            }
            Event::Several { .. } | Event::Phase { .. } | Event::Streams { .. } | Event::Snapshots { .. } => {
            }
            &Event::Reply { at, rtt, .. } => self.answered(at, rtt),
            &Event::Port { host, port, proto, at, rtt } => {
                self.note = Some(format!("open port {port}/{proto} on {host}"));
                rtt.into_iter().for_each(|rtt| self.answered(at, rtt));
            }
            &Event::Lost { at, .. } | &Event::Unreached { at, .. } => self.missed(at),
            Event::Refused { what, .. } => self.note = Some(format!("not sent: {}", escape(what))),
            // Of two directions the picture shows one.
            &Event::Throughput { at, is_whole, up, both, start, end, ref tally, .. } => {
                if is_whole && (up || !both) {
                    let span = end.saturating_sub(start);
                    self.passed.add(at, tally.datagrams.unwrap_or(0), tally.bytes, 0, span);
                }
            }
            Event::Trial { at, trial } => {
                self.note = Some(text::trial(trial));
                let bytes = trial.received_bps.unwrap_or(0.0) * trial.time.as_secs_f64() / 8.0;
                let (seen, dropped) = (trial.seen.unwrap_or(0), trial.dropped_here.unwrap_or(0));
                self.passed.add(*at, seen, bytes as u64, dropped, trial.time);
            }
            &Event::Interval { at, lasted, packets, bytes, dropped } => {
                self.passed.add(at, packets, bytes, dropped, lasted);
            }
            &Event::Hop { ttl, at, from, rtt, is_target, mark, ref mpls } => {
                let answer = from.zip(rtt).map(|(from, rtt)| Answer { from, rtt, mark, mpls: mpls.clone() });
                // Packets of the whole path are those to the target.
                match (self.hops.hear(ttl, answer, is_target), rtt) {
                    (true, Some(rtt)) => self.answered(at, rtt),
                    (true, None) => self.missed(at),
                    (false, _) => {}
                }
            }
            Event::Path { latest, .. } => self.hops.changed(latest.as_ref()),
            Event::Check { answered } => self.hops.checked(*answered),
            Event::Name { address, name } => self.hops.name(*address, name),
            Event::Place { address, place } => self.hops.place(*address, place),
            Event::Unmeasured { target, why } => {
                self.note = Some(format!("{}: {}", escape(target), escape(why)));
            }
            &Event::Progress { done_ratio, left } => self.note = Some(text::progress(done_ratio, left)),
            Event::Note { text } => self.note = Some(escape(text).into_owned()),
        }
    }

    /// Takes a run in that has ended.
    pub fn end_run(&mut self, measurement: Measurement) {
        self.runs += 1;
        match &measurement.outcome {
            Outcome::Failure(failure) => {
                self.note = Some(format!("{}: {}", failure.class, escape(&failure.detail)));
            }
            Outcome::Report(report) => report.losses().iter().for_each(|loss| self.add(loss)),
        }
        self.last = Some(measurement);
    }

    /// Lost of all whose fate is known; `None` before there is one, and where silence proves no loss.
    pub fn loss_ratio(&self) -> Option<f64> {
        if !self.hops.is_empty() {
            return self.hops.loss_ratio();
        }
        let known = self.received + self.lost;
        (known > 0).then(|| self.lost as f64 / known as f64)
    }

    /// The arithmetic mean of the round trips.
    pub fn mean(&self) -> Option<Duration> {
        self.moments.mean()
    }

    /// The round trip that this part (0–1) of all does not exceed, to 1 %.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let rtt = self.rtt.quantile(q).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())?;
        // The sketch rounds, what was seen does not.
        Some(rtt.clamp(self.min?, self.max?))
    }

    fn answered(&mut self, at: u64, rtt: Duration) {
        self.received += 1;
        self.rtt.push(rtt.as_secs_f64());
        self.moments.push(rtt);
        self.max = self.max.max(Some(rtt));
        self.min = Some(self.min.map_or(rtt, |min| min.min(rtt)));
        self.point(at, Some(rtt));
    }

    fn missed(&mut self, at: u64) {
        self.lost += 1;
        self.point(at, None);
    }

    fn add(&mut self, loss: &Loss) {
        match &*loss.name {
            "up_loss_ratio" => self.up.add(loss),
            "down_loss_ratio" => self.down.add(loss),
            _ => {}
        }
    }

    fn point(&mut self, at: u64, rtt: Option<Duration>) {
        if self.points.len() == MOST_POINTS {
            self.points.pop_front();
        }
        self.points.push_back((at, rtt));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_keeps_what_is_watched() {
        let mut state = State::new("r.example");
        state.hear(&Event::Lost { target: None, seq: 0, at: 1 });
        assert_eq!((state.loss_ratio(), state.points.len()), (Some(1.0), 1));
        state.reset();
        assert_eq!((state.loss_ratio(), state.title.as_str()), (None, "r.example"));
    }
}
