//! The fate of packets in one direction. No I/O and no clock: times come in and go out, in
//! nanoseconds of any one clock.

use std::ops::Range;
use std::time::Duration;

use super::dice::Dice;
use super::frame::Change;
use super::log::Fate;
use super::profile::{Bottleneck, Profile};

/// One direction of a relay.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) profile: Profile,
    /// When nothing passes.
    pub(super) blackout: Range<u64>,
    dice: Dice,
    /// The Gilbert–Elliott state.
    bad: bool,
    /// When the bottleneck will have transmitted all it has accepted.
    busy_until: u64,
    /// Release of the latest packet that was not reordered.
    last_release: u64,
}

/// What is to be done with one packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Do not send it.
    Drop(Fate),
    /// Send it.
    Send {
        /// When.
        release: u64,
        /// Once more, at the same time.
        twice: bool,
        /// Altered like this.
        change: Change,
    },
}

/// The chances of one packet. All are drawn for every packet, needed or not, so that turning one
/// knob leaves the fates the others decide as they were.
struct Chances {
    loss: f64,
    state: f64,
    burst: f64,
    duplicate: f64,
    reorder: f64,
    jitter: f64,
    corrupt: f64,
    ecn_mark: f64,
}

impl Chances {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            loss: dice.roll(),
            state: dice.roll(),
            burst: dice.roll(),
            duplicate: dice.roll(),
            reorder: dice.roll(),
            jitter: dice.roll(),
            corrupt: dice.roll(),
            ecn_mark: dice.roll(),
        }
    }
}

impl Lane {
    /// A lane whose fates depend on the profile, the seed and what is offered, only.
    pub(super) fn new(profile: Profile, seed: u64) -> Self {
        Self { profile, blackout: 0..0, dice: Dice::new(seed), bad: false, busy_until: 0, last_release: 0 }
    }

    /// Decides about a frame of `length` octets that arrived at `arrival`.
    pub(super) fn offer(&mut self, arrival: u64, length: usize) -> Verdict {
        let chances = Chances::draw(&mut self.dice);
        if self.blackout.contains(&arrival) {
            return Verdict::Drop(Fate::BlackedOut);
        }
        if self.lost_in_burst(&chances) || chances.loss < self.profile.loss {
            return Verdict::Drop(Fate::Lost);
        }
        let Some(transmitted) = self.transmit(arrival, length) else {
            return Verdict::Drop(Fate::Overflowed);
        };
        Verdict::Send {
            release: self.release(transmitted, &chances),
            twice: chances.duplicate < self.profile.duplicate,
            change: Change {
                corrupt: chances.corrupt < self.profile.corrupt,
                ecn_mark: chances.ecn_mark < self.profile.ecn_mark,
                dscp_bleach: self.profile.dscp_bleach,
                truncate: self.profile.truncate,
            },
        }
    }

    fn lost_in_burst(&mut self, chances: &Chances) -> bool {
        let Some(model) = self.profile.bursts else {
            return false;
        };
        self.bad = match self.bad {
            false => chances.state < model.worsen,
            true => chances.state >= model.recover,
        };
        self.bad && chances.burst < model.loss
    }

    /// When the bottleneck has transmitted the frame, or nothing if its queue is full.
    fn transmit(&mut self, arrival: u64, length: usize) -> Option<u64> {
        let Some(Bottleneck { rate, queue }) = self.profile.bottleneck else {
            return Some(arrival);
        };
        let start = self.busy_until.max(arrival);
        let backlog = octets(start - arrival, rate);
        if backlog + length as u64 > queue {
            return None;
        }
        self.busy_until = start + transmission(length, rate);
        Some(self.busy_until)
    }

    fn release(&mut self, transmitted: u64, chances: &Chances) -> u64 {
        let Profile { delay, jitter, reorder, reorder_by, .. } = self.profile;
        let due = transmitted + nanos(delay) + (nanos(jitter) as f64 * chances.jitter) as u64;
        if chances.reorder < reorder {
            return due + nanos(reorder_by);
        }
        self.last_release = self.last_release.max(due);
        self.last_release
    }
}

/// A duration in nanoseconds.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).expect("a lab does not last 584 years")
}

/// Octets sent in a time, in nanoseconds, at a rate in bit/s.
fn octets(time: u64, rate: u64) -> u64 {
    (u128::from(time) * u128::from(rate) / 8_000_000_000) as u64
}

/// Nanoseconds it takes to send octets at a rate in bit/s.
fn transmission(octets: usize, rate: u64) -> u64 {
    (octets as u128 * 8_000_000_000 / u128::from(rate)) as u64
}

#[cfg(test)]
mod tests {
    use super::super::profile::GilbertElliott;
    use super::*;
    use crate::lab::units::{Percent, Units};

    const MS: u64 = 1_000_000;

    fn offer(profile: Profile, seed: u64, count: u64) -> Vec<Verdict> {
        let mut lane = Lane::new(profile, seed);
        (0..count).map(|index| lane.offer(index * MS, 1_000)).collect()
    }

    fn releases(verdicts: &[Verdict]) -> Vec<u64> {
        let release = |verdict: &Verdict| match *verdict {
            Verdict::Send { release, .. } => Some(release),
            Verdict::Drop(_) => None,
        };
        verdicts.iter().filter_map(release).collect()
    }

    fn lost(verdicts: &[Verdict]) -> Vec<bool> {
        verdicts.iter().map(|verdict| *verdict == Verdict::Drop(Fate::Lost)).collect()
    }

    #[test]
    fn no_impairment_is_no_change() {
        assert_eq!(releases(&offer(Profile::default(), 1, 3)), [0, MS, 2 * MS]);
    }

    #[test]
    fn delay_is_exact_and_jitter_bounded_and_in_order() {
        let profile = Profile { delay: 20.ms(), jitter: 5.ms(), ..Profile::default() };
        let releases = releases(&offer(profile, 1, 1_000));
        assert!(releases.is_sorted());
        for (index, release) in (0_u64..).zip(releases) {
            let held = release - index * MS;
            assert!((20 * MS..25 * MS).contains(&held), "held {held} ns");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_fates_and_another_others() {
        let profile = Profile { loss: 10.pct(), duplicate: 5.pct(), ..Profile::default() };
        assert_eq!(offer(profile, 3, 500), offer(profile, 3, 500));
        assert_ne!(offer(profile, 3, 500), offer(profile, 4, 500));
    }

    #[test]
    fn turning_one_knob_leaves_the_other_fates() {
        let plain = Profile { loss: 10.pct(), ..Profile::default() };
        let more = Profile { duplicate: 50.pct(), jitter: 3.ms(), reorder: 20.pct(), ..plain };
        assert_eq!(lost(&offer(plain, 9, 500)), lost(&offer(more, 9, 500)));
    }

    #[test]
    fn a_reordered_packet_is_overtaken_and_holds_nobody_up() {
        let profile = Profile { reorder: 10.pct(), reorder_by: 5.ms(), ..Profile::default() };
        for (index, release) in (0_u64..).zip(releases(&offer(profile, 1, 500))) {
            let held = release - index * MS;
            assert!(held == 0 || held == 5 * MS, "held {held} ns");
        }
    }

    #[test]
    fn a_bottleneck_spaces_frames_and_drops_what_does_not_fit() {
        let bottleneck = Some(Bottleneck { rate: 8.mbit(), queue: 3_000 });
        let mut lane = Lane::new(Profile { bottleneck, ..Profile::default() }, 1);
        let verdicts: Vec<_> = (0..4).map(|_| lane.offer(0, 1_000)).collect();
        assert_eq!(releases(&verdicts), [MS, 2 * MS, 3 * MS]);
        assert_eq!(verdicts[3], Verdict::Drop(Fate::Overflowed));
        assert_eq!(releases(&[lane.offer(MS, 1_000)]), [4 * MS]);
    }

    #[test]
    fn bursts_lose_in_runs() {
        let model = GilbertElliott { worsen: 1.pct(), recover: 20.pct(), loss: 100.pct() };
        let lost = lost(&offer(Profile { bursts: Some(model), ..Profile::default() }, 1, 100_000));
        let total = lost.iter().filter(|&&lost| lost).count();
        let runs = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        let mean_run = total as f64 / runs as f64;
        // In the bad state for p / (p + r) of the time, and for 1 / r packets each time.
        assert!((4_200..5_300).contains(&total), "{total} of 100,000 lost, not about 4,762");
        assert!((4.0..6.0).contains(&mean_run), "{mean_run} packets per burst, not about 5");
    }

    #[test]
    fn nothing_passes_a_blackout() {
        let mut lane = Lane::new(Profile::default(), 1);
        lane.blackout = MS..2 * MS;
        assert_eq!(releases(&[lane.offer(0, 60)]), [0]);
        assert_eq!(lane.offer(MS, 60), Verdict::Drop(Fate::BlackedOut));
        assert_eq!(releases(&[lane.offer(2 * MS, 60)]), [2 * MS]);
    }
}
