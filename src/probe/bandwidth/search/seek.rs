//! Which rate to try next, and when the search is over: without I/O and without a clock.
//!
//! The rate doubles from a start that harms nobody until a trial does not pass; between the highest rate that passed and the
//! lowest that did not ever smaller steps follow, until they are 2 % apart. Trials are short, and so the rate that is found is
//! tried once more for a longer time (RFC 2544 §24: a search may use short trials, the result is determined by long ones). A
//! trial that does not pass is held again, and of three two decide: one unlucky trial ends nothing.
//!
//! A link that is full shows by what it lets through how much that is. The next rate is then a little below, and steps double
//! from there; where what came was no such sign, halves are taken.

use super::{Bound, SearchEnd};

/// Of two rates that are no further apart one is found.
pub(super) const RESOLUTION: f64 = 0.02;
/// A trial of which so much less came than was sent says how much goes through.
const TELLING: f64 = 2.0 * RESOLUTION;
/// A sender that sends this share of a rate may have been kept from more by chance.
const NEARLY: f64 = 0.75;
/// Rates between one that passed and one that did not, at most.
pub(super) const MOST_BETWEEN: u32 = 16;
/// Longer trials that do not pass at most: each is followed by one of a lower rate.
pub(super) const MOST_LONG: u32 = 5;
/// Trials of one rate at most.
pub(super) const VOTES: u32 = 3;
/// Rates that do not pass at once, of a search on a path that keeps its rate.
const ENOUGH: u32 = 10;

/// Between which rates is searched, bits per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Goal {
    /// The lowest that is tried.
    pub(super) floor: f64,
    /// Where it begins.
    pub(super) start: f64,
    /// The highest that is tried.
    pub(super) ceiling: f64,
}

impl Goal {
    /// Trials that are enough on a path that keeps its rate, also with bad luck: short ones, long ones.
    pub(super) fn trials(&self) -> (u32, u32) {
        (self.rises() + VOTES * ENOUGH, MOST_LONG - 1)
    }

    /// Rates from the start to the ceiling.
    pub(super) fn rises(&self) -> u32 {
        (self.ceiling / self.start).log2().ceil().max(0.0) as u32 + 1
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Hold a trial of this rate in bits per second.
    Try {
        /// The rate.
        rate: f64,
        /// For the longer time.
        is_long: bool,
    },
    /// It is over.
    End(SearchEnd),
}

/// What a trial has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    /// Why no more goes through; `None` where it passed.
    pub(super) failed: Option<Bound>,
    /// The rate at which was really sent, where the sender could not keep the one that was asked for, and whose fault that is.
    pub(super) short: Option<(f64, Bound)>,
    /// The rate at which it came.
    pub(super) came: Option<f64>,
}

impl Outcome {
    /// The rate that was really tried, where `rate` was asked for.
    fn sent(&self, rate: f64) -> f64 {
        self.short.map_or(rate, |(sent, _)| sent)
    }
}

/// A search.
#[derive(Clone, Debug)]
pub(super) struct Seek {
    goal: Goal,
    /// The highest rate that passed, and the lowest that did not with what it met.
    low: Option<f64>,
    high: Option<(f64, Bound)>,
    step: Step,
    /// Trials of this rate that passed, and that did not.
    votes: (u32, u32),
    /// The next step away from a rate that is known, as a share of it.
    stride: f64,
    /// This rate was chosen by what came of another.
    is_hinted: bool,
    between: u32,
    /// Longer trials that did not pass, and the highest rate at which one of them came.
    unsteady: u32,
    came: f64,
    /// In one of them the sender did not keep the rate.
    was_short: bool,
    confirmed: Option<f64>,
}

impl Seek {
    pub(super) fn new(goal: Goal) -> Self {
        let rate = goal.start.min(goal.ceiling);
        Self {
            goal,
            low: None,
            high: None,
            step: Step::Try { rate, is_long: false },
            votes: (0, 0),
            stride: RESOLUTION,
            is_hinted: false,
            between: 0,
            unsteady: 0,
            came: 0.0,
            was_short: false,
            confirmed: None,
        }
    }

    /// What to do next.
    pub(super) const fn step(&self) -> Step {
        self.step
    }

    /// The rate that is found, and whether a longer trial has confirmed it.
    pub(super) fn found(&self) -> Option<(f64, bool)> {
        let is_refuted = self.unsteady > 0;
        self.confirmed.map(|rate| (rate, true)).or(self.low.filter(|_| !is_refuted).map(|rate| (rate, false)))
    }

    /// The lowest rate that did not pass, and what it met; of one that was found at the ceiling the ceiling.
    pub(super) fn above(&self) -> (Option<f64>, Option<Bound>) {
        let is_ceiling = |rate: f64| rate >= self.goal.ceiling * (1.0 - RESOLUTION / 4.0);
        match (self.high, self.found()) {
            (Some((rate, bound)), _) => (Some(rate), Some(bound)),
            (None, Some((rate, _))) if is_ceiling(rate) => (None, Some(Bound::Ceiling)),
            _ => (None, None),
        }
    }

    /// Takes in what came of the trial that [`step`](Self::step) asked for.
    pub(super) fn heard(&mut self, outcome: &Outcome) {
        let Step::Try { rate, is_long } = self.step else { return };
        if is_long {
            return self.heard_long(rate, outcome);
        }
        match outcome.failed.is_none() && outcome.short.is_none() {
            true => self.votes.0 += 1,
            false => self.votes.1 += 1,
        }
        match self.votes {
            (2.., _) | (1, 0) => self.passed(rate),
            (_, 2..) => self.failed(rate, outcome),
            _ => {}
        }
    }

    fn heard_long(&mut self, rate: f64, outcome: &Outcome) {
        let Some(bound) = outcome.failed else {
            if let Some((_, bound)) = outcome.short {
                // Once may be chance: the same rate was kept for a shorter time.
                if !std::mem::replace(&mut self.was_short, true) {
                    return;
                }
                self.high = Some((rate, bound));
            }
            self.confirmed = Some(outcome.sent(rate));
            self.step = Step::End(SearchEnd::Found);
            return;
        };
        let rate = outcome.sent(rate);
        self.high = Some((rate, bound));
        let lower = rate * (1.0 - RESOLUTION * f64::from(1u32 << self.unsteady.saturating_sub(1)));
        self.unsteady += 1;
        self.came = self.came.max(outcome.came.unwrap_or(0.0));
        // What one of them let through may be bad luck, what several did is not.
        let hint = self.hint(rate, &Outcome { came: Some(self.came), ..*outcome });
        let hint = hint.filter(|_| self.unsteady > 1).map_or(lower, |hint| hint.clamp(rate / 2.0, lower));
        if self.unsteady >= MOST_LONG || hint < self.goal.floor {
            self.step = Step::End(SearchEnd::Unsteady);
        } else {
            self.confirm(hint);
        }
    }

    fn passed(&mut self, rate: f64) {
        self.low = Some(rate);
        match self.high {
            None if rate >= self.goal.ceiling => self.confirm(rate),
            None => self.try_next((2.0 * rate).min(self.goal.ceiling), false),
            Some((high, _)) if is_close(rate, high) => self.confirm(rate),
            Some((high, _)) => {
                let next = rate * (1.0 + self.stride);
                self.stride *= 2.0;
                self.go_between(next.min(middle(rate, high)), false);
            }
        }
    }

    fn failed(&mut self, rate: f64, outcome: &Outcome) {
        let sent = outcome.sent(rate);
        let is_news = self.low.is_none_or(|low| sent > low);
        match (outcome.failed, outcome.short) {
            (Some(bound), None) => self.high = Some((rate, bound)),
            (Some(bound), Some(_)) if is_news => self.high = Some((sent, bound)),
            // It was kept from sending for a while, which is no limit: that would show at the next rate.
            (None, Some(_)) if self.high.is_none() && sent >= rate * NEARLY && rate < self.goal.ceiling => {
                self.low = Some(self.low.map_or(sent, |low| low.max(sent)));
                return self.try_next((2.0 * rate).min(self.goal.ceiling), false);
            }
            // A sender that sends less than what has passed says nothing of the path.
            (failed, Some((_, bound))) => {
                self.high = Some((rate, bound));
                let low = self.low.unwrap_or(self.goal.floor);
                // As much as it managed passed, and nothing faster can be tried.
                if failed.is_none() && sent > low * (1.0 - RESOLUTION) {
                    self.low = Some(sent.max(low));
                    return self.confirm(sent.max(low));
                }
            }
            (None, None) => {}
        }
        let hint = self.hint(sent, outcome);
        match (self.low, self.high) {
            (Some(low), Some((high, _))) if is_close(low, high) => self.confirm(low),
            (Some(low), Some((high, _))) => {
                if let Some(hint) = hint.filter(|&hint| hint > low * (1.0 + RESOLUTION / 2.0)) {
                    self.stride = RESOLUTION;
                    return self.go_between(hint, true);
                }
                // Where less was lost than a full link loses, the rate is near; of one that was not sent nothing is known.
                let is_near = outcome.came.is_some() && outcome.short.is_none();
                let next = if is_near { high * (1.0 - self.stride) } else { low };
                self.stride *= 2.0;
                self.go_between(next.max(middle(low, high)), false);
            }
            _ => self.fall(sent, hint),
        }
    }

    /// Not even the lowest so far has passed.
    fn fall(&mut self, rate: f64, hint: Option<f64>) {
        let floor = self.goal.floor;
        if rate <= floor * (1.0 + RESOLUTION) {
            self.step = Step::End(SearchEnd::Nothing);
            return;
        }
        let is_hint = hint.is_some_and(|hint| hint >= floor);
        self.try_next(hint.filter(|_| is_hint).unwrap_or((rate / 4.0).max(floor)), is_hint);
    }

    /// A little below what came, where that says how much goes through: not twice one after the other.
    fn hint(&self, rate: f64, outcome: &Outcome) -> Option<f64> {
        let came = outcome.came.filter(|&came| came < rate * (1.0 - TELLING) && !self.is_hinted)?;
        outcome.failed.map(|_| came * (1.0 - RESOLUTION / 2.0))
    }

    fn go_between(&mut self, rate: f64, is_hinted: bool) {
        self.between += 1;
        match (self.low, self.between > MOST_BETWEEN) {
            (Some(low), true) => self.confirm(low),
            _ => self.try_next(rate, is_hinted),
        }
    }

    fn try_next(&mut self, rate: f64, is_hinted: bool) {
        (self.votes, self.is_hinted) = ((0, 0), is_hinted);
        self.step = Step::Try { rate, is_long: false };
    }

    fn confirm(&mut self, rate: f64) {
        self.is_hinted = false;
        self.step = Step::Try { rate, is_long: true };
    }
}

/// Whether two rates are as close as is searched for.
fn is_close(low: f64, high: f64) -> bool {
    high <= low * (1.0 + RESOLUTION) * (1.0 + 1e-9)
}

fn middle(low: f64, high: f64) -> f64 {
    (low * high).sqrt()
}
