//! The judgement of one host's scan: what to send when, what an answer means, and what a silence means.
//!
//! No socket and no clock: it is told the time and what arrived. The ports are asked in rounds. A silence ends a
//! port's round, not its case: the next round asks all silent ports again. Whether one of them *answers then* is the
//! only evidence that tells loss from a filter, and how many do tells how many may still be missing: rounds go on until
//! fewer than one in a thousand scans would miss a port. Where many answer only when asked again, the host (or a box
//! before it) rations its answers: then they are asked for no faster than it gives them.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::report::{Reason, State};
use crate::stats::Rng;

/// One question: which port, and for which time it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shot {
    /// Place of the port in the list.
    pub index: u32,
    /// 1 for the first time.
    pub tries: u8,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask.
    Send(Shot),
    /// Nobody waits for this one's answer any more: its socket can go.
    Forget(Shot),
    /// Nothing before this moment, unless something arrives.
    Wait(Instant),
    /// All is known.
    Done,
}

/// What is known of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Open, closed, filtered.
    pub state: State,
    /// What says so.
    pub reason: Reason,
    /// Who said so, where it was not the host itself.
    pub from: Option<IpAddr>,
    /// From the question to the answer.
    pub rtt: Option<Duration>,
}

/// How fast, how patient, how stubborn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tuning {
    /// Questions without answer in flight at the start, and at most.
    pub window: u32,
    /// See `window`.
    pub most: u32,
    /// Questions per second that are sent although the window is full.
    pub floor: f64,
    /// How long to wait for an answer before any came, then at least and at most.
    pub patience: [Duration; 3],
    /// How often a silent port is asked again at most.
    pub retries: u8,
    /// Whether to go beyond `retries` where answers are rationed, as long as they come.
    pub insists: bool,
    /// After this time what has not answered counts as silent.
    pub deadline: Duration,
    /// How long a host that rations its answers needs to have one again (ICMP: a second); zero where none does so by
    /// default.
    pub breath: Duration,
    /// What silence means.
    pub silence: State,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Engine {
    tuning: Tuning,
    ports: Vec<Case>,
    /// Who is to be asked in this round, the next last.
    queue: Vec<u32>,
    /// In the order of sending; what was answered leaves with those before it.
    flight: VecDeque<(Instant, Shot)>,
    in_flight: u32,
    forgotten: VecDeque<Shot>,
    round: Round,
    /// When the first round ended: what answers since then is late.
    asked_once: Instant,
    /// Ports that answered in each round.
    found: Vec<u64>,
    window: f64,
    srtt: Option<(Duration, Duration)>,
    /// When a full window allows the next question, and before which moment none goes.
    next_floor: Instant,
    not_before: Instant,
    /// Questions per second, where the host rations its answers.
    ration: Option<f64>,
    ends: Instant,
    is_over: bool,
    sent: u64,
    rng: Rng,
}

#[derive(Clone, Copy, Debug, Default)]
struct Case {
    verdict: Option<Verdict>,
    tries: u8,
    waits: bool,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    number: u8,
    last_answer: Option<Instant>,
}

/// Ports that a scan may miss, on average, when it calls the silent ones silent.
const MISSES: f64 = 0.001;
/// From this share of the round before on, the answers of a round are no chance: they are rationed.
const RATIONED: f64 = 0.3;
/// Ports that answered late, below which a ration cannot be told from chance.
const LEAST_LATE: u64 = 5;
/// Answers of a round that a host known to ration them gives before it does (Linux: 6 ICMP errors at once).
const FEW: u64 = 30;
/// Rounds where answers are rationed: as long as each finds something, more than anybody waits for.
const MOST_ROUNDS: u8 = 250;
/// A ration sends at most this much at once when it is behind.
const BURST: Duration = Duration::from_millis(2);

impl Engine {
    /// The scan of `count` ports, from `now` on; `first` of them are asked before the others, which are shuffled by `seed`.
    pub(super) fn new(count: u32, first: &[u32], tuning: Tuning, seed: u64, now: Instant) -> Self {
        let mut rng = Rng::new(seed);
        let mut queue: Vec<u32> = (0..count).collect();
        shuffle(&mut queue, &mut rng);
        if !first.is_empty() {
            queue.retain(|index| !first.contains(index));
            queue.extend(first.iter().rev());
        }
        Self {
            tuning,
            ports: vec![Case::default(); count as usize],
            queue,
            flight: VecDeque::new(),
            in_flight: 0,
            forgotten: VecDeque::new(),
            round: Round { number: 1, last_answer: None },
            asked_once: now,
            found: vec![0, 0],
            window: f64::from(tuning.window),
            srtt: None,
            next_floor: now,
            not_before: now,
            ration: None,
            ends: now + tuning.deadline,
            is_over: false,
            sent: 0,
            rng,
        }
    }

    /// What is to be done at `now`.
    pub(super) fn poll(&mut self, now: Instant) -> Next {
        self.expire(now);
        if let Some(shot) = self.forgotten.pop_front() {
            return Next::Forget(shot);
        }
        if self.is_over {
            return Next::Done;
        }
        if now >= self.ends {
            self.stop();
            return self.poll(now);
        }
        if self.queue.is_empty() && self.in_flight == 0 {
            self.turn(now);
            if self.is_over {
                return Next::Done;
            }
        }
        let allowed = self.allowed();
        if allowed > now || self.queue.is_empty() {
            let send = if self.queue.is_empty() { self.ends } else { allowed };
            return Next::Wait(send.min(self.next_expiry()).min(self.ends));
        }
        self.send(now)
    }

    /// The answer to `shot`. Whether it was news.
    pub(super) fn answer(&mut self, now: Instant, shot: Shot, verdict: Verdict) -> bool {
        let Some(case) = self.ports.get_mut(shot.index as usize) else { return false };
        if case.verdict.is_some() || shot.tries == 0 || shot.tries > case.tries {
            return false;
        }
        case.verdict = Some(verdict);
        if std::mem::take(&mut case.waits) {
            self.in_flight -= 1;
        }
        // Others than the host have round trips of their own, and this host's neighbour cache has seconds.
        if let Some(rtt) = verdict.rtt.filter(|_| verdict.state != State::Filtered) {
            self.learn(rtt);
        }
        self.found[usize::from(shot.tries)] += 1;
        self.round.last_answer = Some(now);
        self.grow(1.0);
        true
    }

    /// `shot` was not sent after all: this host lacks sockets, ports or buffers for it now.
    pub(super) fn unsent(&mut self, now: Instant, shot: Shot) {
        let Some(case) = self.ports.get_mut(shot.index as usize) else { return };
        // Its question may have been given up by now, and asked again.
        if case.verdict.is_some() || case.tries != shot.tries || !std::mem::take(&mut case.waits) {
            return;
        }
        case.tries -= 1;
        self.in_flight -= 1;
        self.sent -= 1;
        self.queue.push(shot.index);
        self.window = (self.window / 2.0).max(8.0).min(f64::from(self.in_flight.max(8)));
        self.next_floor = now + Duration::from_millis(5);
        self.not_before = self.not_before.max(self.next_floor);
    }

    /// Ends the scan now, before its time: of the questions that still wait for an answer nothing is known.
    pub(super) fn break_off(&mut self) {
        for &(_, shot) in &self.flight {
            let case = &mut self.ports[shot.index as usize];
            if case.waits && case.tries == shot.tries {
                case.tries -= 1;
            }
        }
        self.stop();
    }

    /// Ends the scan now: who has not answered is silent.
    pub(super) fn stop(&mut self) {
        self.is_over = true;
        for &(_, shot) in &self.flight {
            if std::mem::take(&mut self.ports[shot.index as usize].waits) {
                self.forgotten.push_back(shot);
            }
        }
        self.flight.clear();
        self.in_flight = 0;
    }

    /// Whether all is known.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }

    /// What is known of each port, in the order of the list; `None` for those never asked.
    pub(super) fn verdicts(&self) -> impl Iterator<Item = Option<Verdict>> + '_ {
        let silent =
            Verdict { state: self.tuning.silence, reason: Reason::NoResponse, from: None, rtt: None };
        self.ports.iter().map(move |case| case.verdict.or((case.tries > 0).then_some(silent)))
    }

    /// How often a port has been asked.
    pub(super) fn tries(&self, index: u32) -> u8 {
        self.ports.get(index as usize).map_or(0, |case| case.tries)
    }

    /// How much of the work is done, about, 0 to 1: a port that was silent once is asked again.
    pub(super) fn done(&self) -> f64 {
        let left = if self.round.number == 1 { self.queue.len() } else { 0 };
        let (all, answered) = (self.ports.len() as f64, self.answered() as f64);
        let silent = all - left as f64 - answered;
        if self.is_over { 1.0 } else { (answered + silent / 2.0) / all.max(1.0) }
    }

    /// Questions sent.
    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Answers per second that the host gives, where it rations them.
    pub(super) fn ration(&self) -> Option<f64> {
        self.ration.map(|rate| rate / ASK)
    }

    /// How long an answer is waited for.
    pub(super) fn patience(&self) -> Duration {
        let [first, least, most] = self.tuning.patience;
        let Some((srtt, rttvar)) = self.srtt else { return first };
        (srtt + 4 * rttvar).max(4 * srtt).clamp(least, most)
    }

    fn answered(&self) -> u64 {
        self.found.iter().sum()
    }

    /// How many ports had to be asked again before they answered.
    fn late(&self) -> u64 {
        self.found.iter().skip(2).sum()
    }

    /// The share of [`late`](Self::late) in all that answered.
    fn late_share(&self) -> f64 {
        self.late() as f64 / self.answered().max(1) as f64
    }

    fn send(&mut self, now: Instant) -> Next {
        let Some(index) = self.queue.pop() else { return Next::Wait(self.ends) };
        let case = &mut self.ports[index as usize];
        (case.tries, case.waits) = (self.round.number, true);
        let shot = Shot { index, tries: case.tries };
        self.flight.push_back((now, shot));
        self.in_flight += 1;
        self.sent += 1;
        if let Some(ration) = self.ration {
            let behind = now.checked_sub(BURST).unwrap_or(now);
            self.not_before = self.not_before.max(behind) + Duration::from_secs_f64(1.0 / ration);
        }
        self.next_floor = self.next_floor.max(now) + Duration::from_secs_f64(1.0 / self.tuning.floor);
        Next::Send(shot)
    }

    /// No question goes before `until`; answers and timeouts are taken in as before.
    pub(super) fn hold(&mut self, until: Instant) {
        self.not_before = self.not_before.max(until);
    }

    /// When the next question may go out, as far as is known now.
    fn allowed(&self) -> Instant {
        if self.in_flight >= self.tuning.most {
            return self.ends;
        }
        if f64::from(self.in_flight) < self.window || self.ration.is_some() {
            return self.not_before;
        }
        self.not_before.max(self.next_floor)
    }

    fn next_expiry(&self) -> Instant {
        self.flight.front().map_or(self.ends, |&(sent, _)| sent + self.patience())
    }

    /// Gives up waiting for the oldest questions.
    fn expire(&mut self, now: Instant) {
        let patience = self.patience();
        while let Some(&(sent, shot)) = self.flight.front() {
            let case = &mut self.ports[shot.index as usize];
            let waits = case.waits && case.tries == shot.tries;
            if waits && sent + patience > now {
                break;
            }
            self.flight.pop_front();
            if waits {
                case.waits = false;
                self.in_flight -= 1;
                self.forgotten.push_back(shot);
                // As long as nothing speaks for loss, a silence is a filter, and no reason to be slow.
                if self.late_share() < RATIONED {
                    self.grow(1.0);
                }
            }
        }
    }

    fn grow(&mut self, by: f64) {
        self.window = (self.window + by).min(f64::from(self.tuning.most));
    }

    /// A round has ended: another one, or the end.
    fn turn(&mut self, now: Instant) {
        let mut silent: Vec<u32> = Vec::new();
        silent.extend(
            (0..).zip(&self.ports).filter(|(_, case)| case.verdict.is_none()).map(|(index, _)| index),
        );
        if silent.is_empty() || !self.goes_on() {
            self.is_over = true;
            return;
        }
        if self.round.number == 1 {
            self.asked_once = now;
        }
        self.ration_if_due(now);
        shuffle(&mut silent, &mut self.rng);
        self.queue = silent;
        let waits = self.breath(now);
        self.not_before = self.not_before.max(waits);
        self.next_floor = self.next_floor.max(waits);
        self.round = Round { number: self.round.number + 1, last_answer: None };
        self.found.push(0);
    }

    /// Whether the silent ports are worth another question.
    fn goes_on(&self) -> bool {
        let round = self.round.number;
        let insists = self.ration.is_some() && self.tuning.insists;
        let cap = if insists { MOST_ROUNDS } else { self.tuning.retries.saturating_add(1) };
        if round >= cap.min(MOST_ROUNDS) {
            return false;
        }
        if round == 1 {
            return true;
        }
        if self.found[usize::from(round)] > 0 {
            return true;
        }
        if self.late() == 0 {
            return false;
        }
        let all = self.answered() as f64;
        // The one that may still be missing counts as late, too.
        let late = ((self.late() + 1) as f64 / (all + 1.0)).min(0.95);
        let missed = late.powi(i32::from(round));
        self.ration.is_none() && all * missed / (1.0 - missed) > MISSES
    }

    /// Whether the answers of this round look rationed; then no more is asked than is answered.
    fn ration_if_due(&mut self, now: Instant) {
        let round = usize::from(self.round.number);
        if round < 2 || self.found[round] == 0 {
            return;
        }
        let (this, before) = (self.found[round], self.found[round - 1]);
        let many = this as f64 > RATIONED * before as f64 || self.late_share() > RATIONED;
        let is_known_to = !self.tuning.breath.is_zero() && before < FEW;
        if self.ration.is_none() && !is_known_to && (self.late() < LEAST_LATE || !many) {
            return;
        }
        let lasted = now.saturating_duration_since(self.asked_once).as_secs_f64().max(0.05);
        self.ration = Some((ASK * self.late() as f64 / lasted).max(1.0));
    }

    /// When the next round may begin.
    fn breath(&self, now: Instant) -> Instant {
        // Where answers are rationed, one has to be there for the first question: only then a round of silence means it.
        let ration = self.ration.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(1.2 * ASK / rate));
        let breath = self.tuning.breath.max(ration);
        if breath.is_zero() || self.answered() == 0 {
            return now;
        }
        self.round.last_answer.map_or(now, |last| (last + breath).max(now))
    }

    fn learn(&mut self, rtt: Duration) {
        // RFC 6298 §2.
        self.srtt = Some(match self.srtt {
            None => (rtt, rtt / 2),
            Some((srtt, rttvar)) => ((7 * srtt + rtt) / 8, (3 * rttvar + srtt.abs_diff(rtt)) / 4),
        });
    }
}

/// How many questions are asked for each answer that a host rations: not all who are asked would answer.
const ASK: f64 = 2.0;

/// Fisher and Yates.
fn shuffle(items: &mut [u32], rng: &mut Rng) {
    for n in (1..items.len()).rev() {
        let other = (rng.bits() % (n as u64 + 1)) as usize;
        items.swap(n, other);
    }
}

#[cfg(test)]
mod tests;
