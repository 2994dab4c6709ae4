//! When each server's queries are due: a round every interval, in which each server has its turn, and the order is another one
//! in each round. A fixed order would be part of what is compared: who comes after a rest of the line, or of this host, is slower.

use std::time::{Duration, Instant};

use crate::units::nanos;

/// One server's turns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turns {
    /// When the first round begins.
    pub(super) start: Instant,
    pub(super) interval: Duration,
    /// Its place in the first round, and how many places there are.
    pub(super) place: u32,
    pub(super) count: u32,
}

impl Turns {
    /// When it is to be asked in this round. Who was first is last the next time; all others move up by one, so that two turns of
    /// one server are never much closer than an interval.
    pub(super) fn due(&self, round: u64) -> Instant {
        let count = u64::from(self.count.max(1));
        let place = (u64::from(self.place) + count - round % count) % count;
        let rounds = self.interval.saturating_mul(u32::try_from(round).unwrap_or(u32::MAX));
        self.start + rounds + self.interval * place as u32 / self.count.max(1)
    }

    /// The first round in which its turn is still to come at `now`.
    pub(super) fn next(&self, now: Instant) -> u64 {
        if self.interval.is_zero() {
            return 0;
        }
        let passed = nanos(now.saturating_duration_since(self.start)) / nanos(self.interval).max(1);
        (passed.saturating_sub(1)..).find(|round| self.due(*round) >= now).unwrap_or(passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    fn turns(start: Instant, count: u32) -> Vec<Turns> {
        let interval = Duration::from_millis(60);
        (0..count).map(|place| Turns { start, interval, place, count }).collect()
    }

    /// The order in which servers are asked in a round, and the times since its begin, in milliseconds.
    fn order(all: &[Turns], round: u64) -> Vec<(u32, u128)> {
        let begin = all[0].start + all[0].interval * round as u32;
        let mut order: Vec<_> = all
            .iter()
            .map(|turns| (turns.place, turns.due(round).duration_since(begin).as_millis()))
            .collect();
        order.sort_by_key(|(_, after)| *after);
        order
    }

    #[test]
    fn the_order_is_another_one_in_each_round() {
        let all = turns(clock::now().mono, 3);
        assert_eq!(order(&all, 0), [(0, 0), (1, 20), (2, 40)]);
        assert_eq!(order(&all, 1), [(1, 0), (2, 20), (0, 40)]);
        assert_eq!(order(&all, 2), [(2, 0), (0, 20), (1, 40)]);
        assert_eq!(order(&all, 3), order(&all, 0));
        assert_eq!(order(&turns(clock::now().mono, 1), 7), [(0, 0)]);
    }

    #[test]
    fn each_server_keeps_its_pace() {
        for count in 2..9 {
            for turns in turns(clock::now().mono, count) {
                let gap = |round| turns.due(round + 1).duration_since(turns.due(round));
                let least = turns.interval * (count - 1) / count - Duration::from_nanos(1);
                assert!((0..20).all(|round| gap(round) >= least && gap(round) < turns.interval * 2));
            }
        }
    }

    #[test]
    fn what_was_due_meanwhile_is_left_out_by_all_alike() {
        let start = clock::now().mono;
        let all = turns(start, 3);
        assert_eq!(all.iter().map(|turns| turns.next(start)).collect::<Vec<_>>(), [0, 0, 0]);
        for after in [1, 19, 20, 21, 59, 60, 61, 130, 1_000] {
            let now = start + Duration::from_millis(after);
            for turns in &all {
                let round = turns.next(now);
                assert!(turns.due(round) >= now, "{after} {turns:?}");
                assert!(round == 0 || turns.due(round - 1) < now, "{after} {turns:?}");
            }
        }
        let at_once = Turns { interval: Duration::ZERO, ..all[1] };
        assert_eq!((at_once.next(start + Duration::from_secs(1)), at_once.due(9)), (0, start));
    }
}
