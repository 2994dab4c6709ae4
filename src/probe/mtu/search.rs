//! The search for the largest size that passes: what is known of each size, and what to try next. It knows neither
//! packets nor sockets; all that it is told are sizes and when a packet of that size was sent.
//!
//! It assumes what RFC 8899 §1.1 does: what passes, passes at every smaller size too. A single loss proves nothing, so a
//! size has failed only after several, spread over time, between which other packets came through.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ladder;

/// Losses of a size must be spread over this much time, so that one burst of losses is not taken for a wall.
const SPREAD: Duration = Duration::from_millis(100);
/// Losses in a row that show that a size does not pass, on a path that loses nothing else (RFC 8899 §5.1.2 takes 3).
const NEED: usize = 4;
/// On a path that loses other packets too: the chance that chance alone makes a size fail.
const CHANCE: f64 = 1e-6;
/// More are never asked for.
const MOST_NEED: usize = 10;
/// Routers that say "too big" this often, of packets that did not come through, are believed.
const REFUSALS: usize = 2;
/// Sizes that routers may name, in one search.
const MOST_NAMED: usize = 64;
/// Sizes tried at once between the largest that passes and the smallest that has not.
const SECTIONS: u16 = 8;
/// Rounds without any answer after which nothing is expected any more.
const SILENT_ROUNDS: u32 = 2;

/// One search, for one direction of the path.
#[derive(Clone, Debug)]
pub(super) struct Search {
    least: u16,
    most: u16,
    v6: bool,
    sizes: BTreeMap<u16, Evidence>,
    low: Option<u16>,
    /// Sizes that routers have named, and of those the ones not yet tried.
    named: Vec<u16>,
    /// A router has said "too big" and named no size.
    unnamed: bool,
    hints: Vec<u16>,
    /// When the latest packet that came through was sent: what was sent before it and is missing, is lost.
    good: Option<Instant>,
    rounds: u32,
    silent: u32,
    /// Nothing above this was ever tried where sending was refused by this host.
    local: Option<u16>,
}

/// What is known of one size.
#[derive(Clone, Debug, Default)]
struct Evidence {
    passed: u32,
    /// When those that were lost, or refused, were sent.
    lost: Vec<Instant>,
    refused: usize,
}

/// How a search has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The largest size that passes; and the next one, unless it is the largest that was to be tried.
    Found(u16, Option<Wall>),
    /// Nothing passes, whatever its size.
    Silent,
}

/// The smallest size that does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wall {
    /// The size.
    pub(super) size: u16,
    /// A router said so; else it vanishes.
    pub(super) is_refused: bool,
}

impl Search {
    /// A search between two sizes, both included.
    pub(super) fn new(v6: bool, least: u16, most: u16) -> Self {
        Self {
            least,
            most,
            v6,
            sizes: BTreeMap::new(),
            low: None,
            named: Vec::new(),
            unnamed: false,
            hints: Vec::new(),
            good: None,
            rounds: 0,
            silent: 0,
            local: None,
        }
    }

    /// Something is known already: no first burst is needed.
    pub(super) fn go_on(&mut self) {
        self.rounds += u32::from(self.low.is_some());
    }

    /// The largest size that is known to pass.
    pub(super) fn low(&self) -> Option<u16> {
        self.low
    }

    /// The size to send when only an answer is wanted: it passes if anything does.
    pub(super) fn control(&self) -> u16 {
        let base = ladder::base(self.v6);
        self.low.map_or(self.least, |low| low.min(base).max(self.least))
    }

    /// A packet of `size` that was sent at `sent` came through.
    pub(super) fn passed(&mut self, size: u16, sent: Instant) {
        self.sizes.entry(size).or_default().passed += 1;
        if size >= self.least {
            self.low = Some(self.low.map_or(size, |low| low.max(size)).min(self.most));
        }
        self.good = Some(self.good.map_or(sent, |good| good.max(sent)));
    }

    /// A packet of `size` that was sent at `sent` did not; a router may have `refused` it.
    pub(super) fn failed(&mut self, size: u16, sent: Instant, refused: bool) {
        let evidence = self.sizes.entry(size).or_default();
        evidence.lost.push(sent);
        evidence.refused += usize::from(refused);
    }

    /// A packet of `size` that was sent at `sent` came through, but in pieces: that is beyond doubt.
    pub(super) fn cut(&mut self, size: u16, sent: Instant) {
        (0..REFUSALS).for_each(|_| self.failed(size, sent, true));
        self.good = Some(self.good.map_or(sent, |good| good.max(sent)));
    }

    /// This host itself takes nothing that is larger than `size`.
    pub(super) fn bounded(&mut self, size: u16) {
        let size = size.max(self.least);
        if size < self.most {
            self.most = size;
            self.local = Some(size);
            self.low = self.low.map(|low| low.min(size));
        }
    }

    /// The largest size that this host itself sends, where it has refused to.
    pub(super) fn local(&self) -> Option<u16> {
        self.local
    }

    /// A router names `size` as the largest that it passes on. Returns whether that is news.
    pub(super) fn hint(&mut self, size: u16) -> bool {
        let fits = size >= self.least && size < self.high();
        let is_new = fits && !self.named.contains(&size) && self.low.is_none_or(|low| size >= low);
        if is_new && self.named.len() < MOST_NAMED {
            self.named.push(size);
            self.hints.push(size);
        }
        is_new && self.named.last() == Some(&size)
    }

    /// A router says "too big" and names no size.
    pub(super) fn refused_without_name(&mut self) {
        self.unnamed = true;
    }

    /// Whether `size` is settled by what is known, so that sending it would tell nothing.
    pub(super) fn is_settled(&self, size: u16) -> bool {
        self.low.is_some_and(|low| size <= low) || size >= self.high()
    }

    /// The smallest size that has failed, or the first that is not to be tried.
    fn high(&self) -> u16 {
        let failed = self
            .sizes
            .iter()
            .find(|(size, _)| self.low.is_none_or(|low| **size > low) && self.has_failed(**size));
        failed.map_or(self.most + 1, |(size, _)| *size)
    }

    fn has_failed(&self, size: u16) -> bool {
        let Some(evidence) = self.sizes.get(&size).filter(|evidence| evidence.passed == 0) else {
            return false;
        };
        if evidence.refused >= REFUSALS {
            return true;
        }
        let sure = evidence.lost.iter().filter(|&&sent| self.good.is_some_and(|good| sent <= good));
        let (first, last) = (sure.clone().min(), sure.clone().max());
        let spread = first.zip(last).map_or(Duration::ZERO, |(first, last)| *last - *first);
        sure.count() >= self.need() && spread >= SPREAD
    }

    /// How many losses it takes, after what else got lost.
    fn need(&self) -> usize {
        let low = self.low.unwrap_or(0);
        let (mut lost, mut passed) = (0usize, 0usize);
        for (_, evidence) in self.sizes.range(..=low) {
            lost += evidence.lost.len();
            passed += evidence.passed as usize;
        }
        if lost == 0 {
            return NEED;
        }
        let share = lost as f64 / (lost + passed) as f64;
        ((CHANCE.ln() / share.ln()).ceil() as usize).clamp(NEED, MOST_NEED)
    }

    /// How it has ended, if it has.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let Some(low) = self.low else {
            let is_over = self.silent >= SILENT_ROUNDS;
            return is_over.then_some(Verdict::Silent);
        };
        if low >= self.most {
            return Some(Verdict::Found(low, None));
        }
        let size = low + 1;
        self.has_failed(size).then(|| {
            // A router that rations its words has still said what it takes.
            let is_named = self.unnamed || self.named.contains(&low);
            let is_refused = is_named || self.sizes.get(&size).is_some_and(|evidence| evidence.refused > 0);
            Verdict::Found(low, Some(Wall { size, is_refused }))
        })
    }

    /// The sizes to send next, a packet of each, in this order; empty once there is a verdict. To be asked when nothing is
    /// in flight, or when a hint was news.
    pub(super) fn plan(&mut self) -> Vec<u16> {
        if self.verdict().is_some() {
            return Vec::new();
        }
        self.rounds += 1;
        if self.rounds == 1 {
            return self.opening();
        }
        let Some(low) = self.low else {
            self.silent += 1;
            let again = vec![self.least, ladder::base(self.v6).clamp(self.least, self.most)];
            return if self.silent >= SILENT_ROUNDS { Vec::new() } else { again };
        };
        let hints = self.hinted();
        if !hints.is_empty() {
            return hints;
        }
        self.sections(low)
    }

    /// The first burst: one that passes if anything does, then from the largest down.
    fn opening(&self) -> Vec<u16> {
        let mut sizes = vec![self.least, self.most];
        let between = |size: &u16| (self.least..=self.most).contains(size);
        sizes.extend(ladder::LADDER.into_iter().rev().filter(between));
        let mut seen = Vec::new();
        sizes.retain(|size| {
            !seen.contains(size) && {
                seen.push(*size);
                true
            }
        });
        sizes
    }

    /// The size after each that routers have named, twice, as it has to be refused, then the named one, whose answer ends
    /// the doubt about the others.
    fn hinted(&mut self) -> Vec<u16> {
        let (low, high) = (self.low.unwrap_or(0), self.high());
        let mut sizes = Vec::new();
        for hint in std::mem::take(&mut self.hints) {
            if hint >= low && hint + 1 < high {
                sizes.extend([hint + 1; REFUSALS]);
            }
            if hint > low && hint < high {
                sizes.push(hint);
            }
        }
        sizes
    }

    /// Between the largest that passes and the smallest that has not: the next one, and some in between.
    fn sections(&self, low: u16) -> Vec<u16> {
        let high = self.high();
        let is_doubtful = |(size, evidence): &(&u16, &Evidence)| {
            **size > low && evidence.passed == 0 && !evidence.lost.is_empty()
        };
        let doubtful = self.sizes.iter().find(is_doubtful).map_or(high, |(size, _)| *size);
        let mut sizes = vec![low + 1];
        let steps = ladder::LADDER.into_iter().filter(|size| (low + 2..doubtful).contains(size));
        let steps: Vec<u16> = steps.collect();
        if steps.is_empty() {
            let width = u32::from(doubtful - low);
            let point = |n: u16| low + (width * u32::from(n) / u32::from(SECTIONS + 1)) as u16;
            sizes.extend((1..=SECTIONS).map(point).filter(|size| (low + 2..doubtful).contains(size)));
        } else {
            sizes.extend(steps.into_iter().rev().take(usize::from(SECTIONS)));
        }
        let tried = |size: u16| self.sizes.get(&size).map_or(0, |evidence| evidence.lost.len());
        sizes.extend(
            (low + 1..high)
                .contains(&doubtful)
                .then_some(doubtful)
                .filter(|&size| size > low + 1 && tried(size) < 3),
        );
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.dedup();
        sizes
    }

    /// What is known of each size: how many passed, were lost and were refused.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (u16, u64, u64, u64)> {
        self.sizes.iter().map(|(size, evidence)| {
            let (lost, refused) = (evidence.lost.len() as u64, evidence.refused as u64);
            (*size, u64::from(evidence.passed), lost - refused, refused)
        })
    }
}
