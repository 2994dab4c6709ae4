//! Searches over simulated links, in no time.

use std::time::Duration;

use proptest::prelude::*;

use super::judge::Rule;
use super::seek::{Goal, MOST_BETWEEN, MOST_LONG, Outcome, Seek, Step, VOTES};
use super::{Bound, SearchEnd, Trial, Verdict};
use crate::probe::bandwidth::{Datagrams, Flow, Moved, Report};

const SHORT: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(10);
const LENGTH: f64 = 1448.0;
const GOAL: Goal = Goal { floor: 1.2e5, start: 1e6, ceiling: 1e10 };

/// A link, and the hosts at its ends. Rates are in bits per second.
#[derive(Clone, Copy, Debug)]
struct Link {
    rate: f64,
    /// How long the queue in front of it is when it is full.
    queue: Duration,
    rtt: Duration,
    /// The share that is lost of every rate.
    lost: f64,
    /// What the sender can send, and what the receiver's socket takes.
    sender: f64,
    socket: f64,
    /// This host sends.
    up: bool,
    /// The trial in which other traffic takes a third of it.
    unlucky: Option<usize>,
}

const LINK: Link = Link {
    rate: 1e8,
    queue: Duration::from_millis(30),
    rtt: Duration::from_millis(10),
    lost: 0.0,
    sender: f64::INFINITY,
    socket: f64::INFINITY,
    up: true,
    unlucky: None,
};

impl Link {
    /// What both ends tell of the `n`th trial.
    fn report(&self, n: usize, asked: f64, time: Duration) -> Report {
        let rate = if self.unlucky == Some(n) { self.rate * 2.0 / 3.0 } else { self.rate };
        let (seconds, sent) = (time.as_secs_f64(), asked.min(self.sender));
        let excess = (sent - rate).max(0.0) * seconds;
        let held = excess.min(self.queue.as_secs_f64() * rate);
        let through = (sent * seconds - excess + held) * (1.0 - self.lost);
        let datagrams = |bits: f64| (bits / 8.0 / LENGTH).round() as u64;
        let (all, came) = (datagrams(sent * seconds), datagrams(through));
        let taken = came.min(datagrams(self.socket * seconds));
        let queue = Duration::from_secs_f64(held / rate);
        // A server counts until the word comes that it is over, which is behind what waits; this host does not wait.
        let (seen, spans) = match self.up {
            true => (all, [time, time + self.rtt + queue]),
            false => (all - datagrams(held).min(all), [time + self.rtt, time]),
        };
        let more = if self.up { 0 } else { datagrams(sent * self.rtt.as_secs_f64()) };
        let lost = (all - came) + (came - taken);
        let udp = Datagrams::of(Some(all + more), Some(seen), Some(lost), None);
        let dropped_here = (!self.up).then_some(came - taken);
        let moved = |count: u64, elapsed| Some(Moved { bytes: count * LENGTH as u64, elapsed });
        let flow = Flow {
            sent: moved(all + more, spans[0]),
            received: moved(seen.saturating_sub(lost), spans[1]),
            udp: Some(Datagrams { dropped_here, ..udp }),
            ..Flow::default()
        };
        let (up, down) = if self.up { (Some(flow), None) } else { (None, Some(flow)) };
        Report { length_bytes: LENGTH as u32, up, down, ..Report::default() }
    }
}

/// A search over `link`: what is left of it, and its trials.
fn search(link: Link, goal: Goal, loss: f64) -> (Seek, Vec<Trial>) {
    let rule = Rule { up: link.up, loss };
    let mut seek = Seek::new(goal);
    let mut trials = Vec::new();
    while let Step::Try { rate, is_long } = seek.step() {
        let time = if is_long { LONG } else { SHORT };
        let trial = rule.trial(rate, time, &link.report(trials.len(), rate, time), Some(link.rtt));
        let outcome = rule.outcome(&trial).unwrap_or_else(|| panic!("it is held: {trial:?}"));
        seek.heard(&outcome);
        trials.push(trial);
        assert!(trials.len() < 200, "{trials:?}");
    }
    let long = trials.iter().filter(|trial| trial.time == LONG).count();
    let (most_short, most_long) = goal.trials();
    assert!(
        trials.len() - long <= most_short as usize && long <= most_long as usize,
        "{link:?}: {trials:#?}"
    );
    (seek, trials)
}

#[track_caller]
fn found(link: Link) -> (f64, Option<Bound>) {
    let (seek, trials) = search(link, GOAL, 0.001);
    assert_eq!(seek.step(), Step::End(SearchEnd::Found), "{link:?}: {trials:#?}");
    let (rate, confirmed) = seek.found().expect("a rate");
    assert!(confirmed, "{link:?}");
    (rate, seek.above().1)
}

#[test]
fn the_rate_of_a_link_is_found() {
    for rate in [3e5, 1e6, 2e7, 1e8, 9.4e8, 9e9] {
        for up in [true, false] {
            let link = Link { rate, up, ..LINK };
            let (found, bound) = found(link);
            assert!((found / rate - 1.0).abs() < 0.03, "{link:?}: {found}");
            assert_eq!(bound, Some(Bound::Network));
        }
    }
}

#[test]
fn a_search_is_short() {
    let trials = |rate| search(Link { rate, ..LINK }, GOAL, 0.001).1.len();
    let lengths = [2e7, 1e8, 9.4e8].map(trials);
    assert!(lengths.iter().all(|&trials| trials <= 22), "{lengths:?}");
}

#[test]
fn what_limits_is_named() {
    let (rate, bound) = found(Link { sender: 3e8, rate: 1e9, ..LINK });
    assert!((rate / 3e8 - 1.0).abs() < 0.04 && bound == Some(Bound::Host), "{rate} {bound:?}");
    // One that it nearly keeps at the rate before.
    let (rate, bound) = found(Link { sender: 4.5e8, rate: 1e9, ..LINK });
    assert!((rate / 4.5e8 - 1.0).abs() < 0.04 && bound == Some(Bound::Host), "{rate} {bound:?}");
    let (rate, bound) = found(Link { sender: 3e8, rate: 1e9, up: false, ..LINK });
    assert!((rate / 3e8 - 1.0).abs() < 0.04 && bound == Some(Bound::Server), "{rate} {bound:?}");
    let (rate, bound) = found(Link { socket: 3e8, rate: 1e9, up: false, ..LINK });
    assert!((rate / 3e8 - 1.0).abs() < 0.03 && bound == Some(Bound::Host), "{rate} {bound:?}");
    let (seek, _) = search(Link { rate: 1e9, ..LINK }, Goal { ceiling: 5e7, ..GOAL }, 0.001);
    assert_eq!((seek.found(), seek.above()), (Some((5e7, true)), (None, Some(Bound::Ceiling))));
}

#[test]
fn a_sender_that_is_kept_from_sending_for_a_while_is_no_limit() {
    // A tenth of the time of every trial below 50 Mbit/s, and of the first of the longer ones.
    let rule = Rule { up: true, loss: 0.001 };
    let mut seek = Seek::new(GOAL);
    let (mut count, mut longer) = (0, 0);
    while let Step::Try { rate, is_long } = seek.step() {
        let time = if is_long { LONG } else { SHORT };
        longer += u32::from(is_long);
        let is_kept = rate < 5e7 || is_long && longer == 1;
        let link = Link { sender: if is_kept { 0.9 * rate } else { f64::INFINITY }, ..LINK };
        let trial = rule.trial(rate, time, &link.report(0, rate, time), Some(link.rtt));
        seek.heard(&rule.outcome(&trial).expect("it is held"));
        count += 1;
        assert!(count < 60, "{seek:?}");
    }
    let (rate, confirmed) = seek.found().expect("a rate");
    assert!(confirmed && (rate / 1e8 - 1.0).abs() < 0.03, "{rate}");
}

#[test]
fn a_path_that_loses_more_than_is_allowed_has_no_rate() {
    for lost in [0.3, 0.5, 1.0] {
        let (seek, trials) = search(Link { lost, ..LINK }, GOAL, 0.001);
        assert_eq!(seek.step(), Step::End(SearchEnd::Nothing), "{lost}: {trials:#?}");
        assert_eq!((seek.found(), seek.above().1), (None, Some(Bound::Network)));
        assert!(trials.iter().all(|trial| trial.verdict == Verdict::Lost));
    }
    // What is allowed is no obstacle.
    let (seek, _) = search(Link { lost: 0.02, ..LINK }, GOAL, 0.05);
    let (rate, confirmed) = seek.found().expect("a rate");
    assert!(confirmed && (0.97..1.06).contains(&(rate / LINK.rate)), "{rate}");
}

#[test]
fn a_queue_that_hides_the_loss_for_a_while_does_not_hide_the_rate() {
    for up in [true, false] {
        // 3 MB in front of 20 Mbit/s: 24 Mbit/s would go through for six seconds.
        let link = Link { rate: 2e7, queue: Duration::from_millis(1200), up, ..LINK };
        let (rate, bound) = found(link);
        assert!((rate / 2e7 - 1.0).abs() < 0.03 && bound == Some(Bound::Network), "{rate} {bound:?}");
    }
}

proptest! {
    #[test]
    fn any_link_is_found_within_the_resolution(
        rate in 3e5f64..9e9,
        queue in 0u64..1500,
        rtt in 0u64..600,
        up: bool,
    ) {
        let (queue, rtt) = (Duration::from_millis(queue), Duration::from_millis(rtt));
        let link = Link { rate, queue, rtt, up, ..LINK };
        let (found, _) = found(link);
        prop_assert!((0.96..1.03).contains(&(found / rate)), "{:?}: {}", link, found / rate);
    }

    #[test]
    fn one_unlucky_trial_changes_little(rate in 3e5f64..9e9, unlucky in 0usize..40, up: bool) {
        let link = Link { rate, up, unlucky: Some(unlucky), ..LINK };
        let (found, _) = found(link);
        // The last one steps down: it has no other witness than itself.
        prop_assert!((0.9..1.03).contains(&(found / rate)), "{:?}: {}", link, found / rate);
    }

    #[test]
    fn whatever_is_heard_it_ends_between_its_bounds(
        heard in prop::collection::vec((0u8..6, 0.0f64..1.2, 0.0f64..1.2), 300),
        falls in 1.0f64..1e3,
        start in 1e4f64..1e8,
        rises in 1.0f64..1e5,
    ) {
        let (floor, ceiling) = (start / falls, start * rises);
        let goal = Goal { floor, start, ceiling };
        let mut seek = Seek::new(goal);
        let (mut short, mut long) = (0, 0);
        for (what, sent, came) in heard {
            let Step::Try { rate, is_long } = seek.step() else { break };
            prop_assert!(rate <= ceiling * (1.0 + 1e-9) && rate >= floor * (1.0 - 1e-9), "{rate}");
            if is_long { long += 1 } else { short += 1 }
            let bounds = [None, None, Some(Bound::Network), Some(Bound::Host), Some(Bound::Server), None];
            let is_short = what == 5 || sent < 0.3;
            let outcome = Outcome {
                failed: bounds[usize::from(what)],
                short: is_short.then_some((rate * sent.min(0.97), Bound::Host)),
                came: (what != 4).then_some(rate * came),
            };
            seek.heard(&outcome);
        }
        prop_assert!(matches!(seek.step(), Step::End(_)), "{seek:?}");
        // A hint and a quarter in turn.
        let falls = 2 * (falls.log2() / 2.0).ceil() as u32 + 2;
        let most = VOTES * (goal.rises() + MOST_BETWEEN + falls);
        prop_assert!(short <= most && long <= MOST_LONG + 1, "{short} {long}");
        if let Some((found, _)) = seek.found() {
            prop_assert!(found <= ceiling * (1.0 + 1e-9));
        }
    }
}
