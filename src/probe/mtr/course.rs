//! How far a flow is probed: the length of its path, learned while it is.

use std::time::{Duration, Instant};

/// Hops probed beyond the last that is settled, while nobody knows where the target is.
const WINDOW: usize = 8;
/// Rounds after which a hop that says that the probes go no further is taken at its word.
const CONVINCING: u32 = 3;

/// What is known of one flow's path.
#[derive(Clone, Debug)]
pub(super) struct Course {
    first: u8,
    most: u8,
    /// Silent hops in a row after which nothing more is expected.
    unknown: u8,
    hops: Vec<Hop>,
    /// Where the target has answered, and the number of the next probe when that was learned.
    target: Option<(u8, u64)>,
    /// Where probes are turned away, and in how many rounds they were.
    barrier: Option<(u8, u32)>,
    /// The farthest hop that is no barrier and has answered.
    farthest: u8,
}

#[derive(Clone, Copy, Debug, Default)]
struct Hop {
    asked: Option<Instant>,
    answered: bool,
}

impl Course {
    pub(super) fn new(first: u8, most: u8, unknown: u8) -> Self {
        let hops = vec![Hop::default(); usize::from(most) + 1];
        Self { first, most, unknown, hops, target: None, barrier: None, farthest: 0 }
    }

    /// A probe of this TTL was sent.
    pub(super) fn asked(&mut self, ttl: u8, now: Instant) {
        self.hops[usize::from(ttl)].asked.get_or_insert(now);
    }

    /// A router answered probe `number` of this TTL.
    pub(super) fn passed(&mut self, ttl: u8, number: u64) {
        self.hops[usize::from(ttl)].answered = true;
        self.farthest = self.farthest.max(ttl);
        // The path has become longer, if the probe was not one from before.
        if self.target.is_some_and(|(at, learned)| ttl >= at && number >= learned) {
            self.target = None;
        }
        if self.barrier.is_some_and(|(at, _)| ttl >= at) {
            self.barrier = None;
        }
    }

    /// The target answered a probe of this TTL; the next one's number is `next`.
    pub(super) fn reached(&mut self, ttl: u8, next: u64) {
        self.hops[usize::from(ttl)].answered = true;
        if self.target.is_none_or(|(at, _)| ttl < at) {
            self.target = Some((ttl, next));
        }
    }

    /// A router said that a probe of this TTL goes no further.
    pub(super) fn barred(&mut self, ttl: u8) {
        self.hops[usize::from(ttl)].answered = true;
        match &mut self.barrier {
            Some((at, times)) if *at == ttl => *times += 1,
            Some((at, _)) if *at < ttl => {}
            _ => self.barrier = (ttl > self.farthest).then_some((ttl, 1)),
        }
    }

    /// Where the target is.
    pub(super) fn target(&self) -> Option<u8> {
        self.target.map(|(ttl, _)| ttl)
    }

    /// Where probes are turned away, if the target is not nearer.
    pub(super) fn barrier(&self) -> Option<u8> {
        self.barrier.map(|(ttl, _)| ttl).filter(|&ttl| self.target().is_none_or(|target| ttl < target))
    }

    /// The last TTL worth a probe, as far as is known now.
    pub(super) fn last(&self) -> u8 {
        let barred = self.barrier.filter(|&(_, times)| times >= CONVINCING).map(|(ttl, _)| ttl);
        let end = [self.target(), barred].into_iter().flatten().min();
        let silent = self.farthest.max(self.first - 1).saturating_add(self.unknown);
        end.unwrap_or(self.most.min(silent))
    }

    /// The farthest hop that has answered, the target included; 0 when none has.
    pub(super) fn known(&self) -> u8 {
        let answered = self.hops.iter().rposition(|hop| hop.answered).unwrap_or(0);
        let end = [self.target(), self.barrier()].into_iter().flatten().min();
        end.unwrap_or(answered as u8)
    }

    /// The last TTL that may be probed now: while the end is not known, no more than so many may be unsettled.
    pub(super) fn open(&self, now: Instant, patience: Duration) -> u8 {
        let last = self.last();
        if self.target.is_some() {
            return last;
        }
        let unsettled = (self.first..=last).filter(|&ttl| !self.is_settled(ttl, now, patience));
        unsettled.take(WINDOW).last().unwrap_or(last)
    }

    /// Whether the end is known: no further probe can change it.
    pub(super) fn is_known(&self, now: Instant, patience: Duration) -> bool {
        self.target.is_some() || (self.first..=self.last()).all(|ttl| self.is_settled(ttl, now, patience))
    }

    /// When the next hop is settled by silence.
    pub(super) fn settles(&self, now: Instant, patience: Duration) -> Option<Instant> {
        let open = |hop: &&Hop| !hop.answered;
        let due = self.hops.iter().filter(open).filter_map(|hop| Some(hop.asked? + patience));
        due.filter(|&due| self.target.is_none() && due > now).min()
    }

    /// It has answered, or has had the time to.
    fn is_settled(&self, ttl: u8, now: Instant, patience: Duration) -> bool {
        let hop = self.hops[usize::from(ttl)];
        hop.answered || hop.asked.is_some_and(|asked| now >= asked + patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(100);

    #[test]
    fn a_silent_path_is_given_up_after_so_many_hops() {
        let (mut course, mut now) = (Course::new(1, 30, 12), crate::sys::clock::now().mono);
        assert_eq!(course.open(now, WAIT), 8);
        (1..=8).for_each(|ttl| course.asked(ttl, now));
        assert_eq!(course.open(now, WAIT), 8);
        now += WAIT;
        assert_eq!((course.open(now, WAIT), course.is_known(now, WAIT)), (12, false));
        (9..=12).for_each(|ttl| course.asked(ttl, now));
        now += WAIT;
        assert!(course.is_known(now, WAIT));
        course.passed(12, 40);
        assert_eq!((course.last(), course.is_known(now, WAIT)), (24, false));
    }

    #[test]
    fn a_path_that_grows_is_followed() {
        let mut course = Course::new(1, 30, 12);
        course.reached(5, 5);
        course.reached(4, 5);
        course.passed(4, 3);
        assert_eq!(course.last(), 4, "that probe was from before");
        course.passed(4, 9);
        assert_eq!((course.target(), course.last()), (None, 16));
        course.reached(5, 14);
        assert_eq!(course.last(), 5);
    }

    #[test]
    fn a_barrier_is_believed_when_it_stays() {
        let mut course = Course::new(1, 30, 12);
        course.passed(2, 0);
        for times in 1..=3 {
            course.barred(4);
            course.barred(3);
            assert_eq!(course.last(), if times < 3 { 14 } else { 3 });
        }
        assert_eq!(course.known(), 3);
        course.passed(4, 9);
        assert_eq!(course.barrier(), None, "something passes");
    }
}
