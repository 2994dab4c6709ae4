//! The properties of autoperf.md §12, in virtual time, 10,000 cases each unless `PROPTEST_CASES` says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::autoperf::judge::Test;
use crate::autoperf::settings::{Raise, Settings, Size, TargetSettings, Tier};
use crate::autoperf::threshold::Threshold;
use crate::failure::Class;
use crate::probe::udpping::UdpPing;
use crate::probe::{Loss, Probe, Scalar};
use crate::stats::Rng;
use crate::store::run::OwnLine;
use crate::units::Span;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

fn cases() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(10_000),
    }
}

fn settings() -> Settings {
    let threshold = |text| Threshold::parse(text).expect("a threshold");
    let probe = Tier { probe: vec![Probe::UdpPing(UdpPing::default())], timeout: None };
    Settings {
        thresholds: ["rtt_p95 > 100ms", "jitter > 50ms", "loss_ratio > 5%"].map(threshold).into(),
        critical: vec![threshold("rtt_p95 > 500ms")],
        tier2: probe.clone(),
        tier3: probe,
        ..Settings::default()
    }
}

fn config() -> TargetConfig {
    settings().ad_hoc("192.0.2.1").expect("valid settings")
}

/// A round with these values in milliseconds; `None` for a round without a reply.
fn round(rtt: Option<f64>, jitter: f64) -> RoundSeen {
    RoundSeen {
        tests: vec![test(rtt, jitter)],
        own_line: OwnLine::Ok,
        under_load: false,
        took: Duration::from_secs(2),
    }
}

fn test(rtt: Option<f64>, jitter: f64) -> Test {
    let seconds = |name: &'static str, ms: Option<f64>| Scalar {
        name: name.into(),
        unit: crate::units::Unit::Seconds,
        value: ms.map(|ms| ms / 1e3),
    };
    Test {
        kind: "udpping".into(),
        scalars: vec![seconds("rtt_p95", rtt), seconds("jitter", rtt.map(|_| jitter))],
        losses: Vec::new(),
        failure: None,
        replied: rtt.is_some(),
        clock_stepped: false,
    }
}

fn lossy(lost: u64, sent: u64) -> RoundSeen {
    let mut seen = round(Some(10.0), 1.0);
    seen.tests[0].losses = vec![Loss { name: "loss_ratio".into(), lost, sent }];
    seen
}

/// A target in virtual time: rounds when they are due, tiers answered at once.
struct World {
    config: TargetConfig,
    state: State,
    now: Moment,
    opens: usize,
    resolves: usize,
    tiers: Vec<u8>,
    skipped: Vec<(u8, Why)>,
}

impl World {
    fn new(config: TargetConfig, seed: u64) -> Self {
        Self {
            config,
            state: State::new(seed, Duration::from_secs(1)),
            now: Moment { up: 1_000 * SECOND, boot: 1, wall: 20_000 * DAY + 3 * SECOND },
            opens: 0,
            resolves: 0,
            tiers: Vec::new(),
            skipped: Vec::new(),
        }
    }

    fn see(&mut self, seen: &Observation) -> Vec<Action> {
        let state = std::mem::replace(&mut self.state, State::new(0, Duration::ZERO));
        let (state, actions) = step(state, seen, self.now, &self.config);
        self.state = state;
        for action in &actions {
            match action {
                Action::Open(_) => self.opens += 1,
                Action::Resolve(_) => self.resolves += 1,
                Action::RunTier { tier, .. } => self.tiers.push(*tier),
                Action::Skipped { tier, why } => self.skipped.push((*tier, *why)),
                _ => {}
            }
        }
        actions
    }

    fn wait(&mut self, nanos: u64) {
        self.now = self.now.after(Duration::from_nanos(nanos));
    }

    /// Waits until the round is due, sees it, and answers each tier that it leads to with the same values.
    fn round(&mut self, seen: &Observation) {
        self.wait(nanos(self.state.until_due(self.now)));
        let mut actions = self.see(seen);
        while let Some(tier) = asked_tier(&actions) {
            let Observation::Round(same) = seen else { unreachable!("rounds only") };
            self.wait(5 * SECOND);
            actions = self.see(&Observation::TierDone { tier, seen: same.clone() });
        }
    }

    fn value(&mut self, rtt: Option<f64>) {
        self.round(&Observation::Round(round(rtt, 1.0)));
    }
}

fn asked_tier(actions: &[Action]) -> Option<u8> {
    actions.iter().find_map(|action| match action {
        Action::RunTier { tier, .. } => Some(*tier),
        _ => None,
    })
}

fn pick<'a, T>(dice: &mut Rng, list: &'a [T]) -> &'a T {
    &list[(dice.bits() % list.len() as u64) as usize]
}

/// Any round that a network can bring about.
fn any_round(dice: &mut Rng) -> RoundSeen {
    let rtt = *pick(dice, &[Some(10.0), Some(10.0), Some(90.0), Some(150.0), Some(150.0), Some(900.0), None]);
    let mut seen = round(rtt, *pick(dice, &[1.0, 1.0, 1.0, 45.0, 80.0]));
    let sent = 10 + dice.bits() % 60;
    seen.tests[0].losses = vec![Loss {
        name: "loss_ratio".into(),
        lost: if rtt.is_none() { sent } else { dice.bits() % 3 },
        sent,
    }];
    match dice.bits() % 12 {
        0 => seen.own_line = OwnLine::Down,
        1 => seen.under_load = true,
        2 => seen.tests[0] = failed_test(*pick(dice, &[Class::Refused, Class::Timeout, Class::Resolve])),
        3 => seen.tests[0] = failed_test(*pick(dice, &[Class::Permission, Class::Internal])),
        _ => {}
    }
    seen
}

fn failed_test(class: Class) -> Test {
    Test { scalars: Vec::new(), failure: Some(class), replied: false, ..test(None, 0.0) }
}

/// Anything at all that can be observed, in any order.
fn any_observation(dice: &mut Rng) -> Observation {
    let tier = 2 + (dice.bits() % 2) as u8;
    match dice.bits() % 20 {
        0 => Observation::Tick,
        1 => Observation::Restarted { aborted: dice.bits().is_multiple_of(2) },
        2 => Observation::TierRefused { tier, why: Why::Lease },
        3 => Observation::Asked { tier, ignore_budget: false },
        4..=8 => Observation::TierDone { tier, seen: any_round(dice) },
        _ => Observation::Round(any_round(dice)),
    }
}

/// Time that passes between two observations: mostly the schedule's, sometimes hours.
fn any_span(dice: &mut Rng) -> u64 {
    *pick(dice, &[1, 10, 60, 60, 300, 300, 1_200, 20_000]) * SECOND
}

/// The decisions among `actions`, without the times of rounds.
fn decisions(actions: Vec<Action>) -> Vec<Action> {
    let decides = |action: &Action| !matches!(action, Action::RunTier1 { .. } | Action::Record(_));
    actions.into_iter().filter(decides).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn p01_a_value_between_clear_and_raise_does_not_flap(seed: u64, point in 80.0f64..100.0) {
        let mut world = World::new(config(), seed);
        let mut dice = Rng::new(seed);
        let mut seen = Observation::Round(round(Some(point), 1.0));
        for _ in 0..1_000 {
            if let Observation::Round(round) = &mut seen {
                round.tests[0].scalars[0].value = Some(point / 1e3 * (0.9 + 0.2 * dice.unit()));
            }
            world.round(&seen);
        }
        prop_assert!(world.opens <= 1 && world.resolves <= 1, "{} opens, {} resolves", world.opens, world.resolves);
    }

    #[test]
    fn p02_a_lasting_fault_is_open_at_its_second_bad_round(seed: u64, good in 0usize..20, hard: bool) {
        let mut world = World::new(config(), seed);
        (0..good).for_each(|_| world.value(Some(10.0)));
        let since = world.now;
        world.value(if hard { None } else { Some(150.0) });
        prop_assert_eq!(world.opens, 0);
        world.value(if hard { None } else { Some(150.0) });
        prop_assert_eq!(world.opens, 1);
        let most = world.config.interval.mul_f64(1.1) + world.config.confirm_after + Duration::from_secs(10);
        prop_assert!(world.now.up - since.up <= nanos(most));
    }

    #[test]
    fn p02_one_bad_round_among_good_ones_opens_nothing(seed: u64, before in 0usize..20, hard: bool) {
        let mut world = World::new(config(), seed);
        (0..before).for_each(|_| world.value(Some(10.0)));
        world.value(if hard { None } else { Some(150.0) });
        (0..20).for_each(|_| world.value(Some(10.0)));
        prop_assert_eq!((world.opens, world.tiers.len(), world.state.phase), (0, 0, Phase::Ok));
    }

    #[test]
    fn p03_after_any_history_a_good_network_resolves_each_incident_once(seed: u64, events in 0usize..60) {
        let mut world = World::new(config(), seed);
        let mut dice = Rng::new(seed);
        for _ in 0..events {
            let span = any_span(&mut dice);
            world.wait(span);
            let seen = any_observation(&mut dice);
            world.see(&seen);
        }
        if world.state.outstanding.is_some() {
            world.see(&Observation::Restarted { aborted: true });
        }
        let (since, config) = (world.now, world.config.clone());
        let mut good = 0;
        while world.state.incident.is_some() {
            world.value(Some(10.0));
            good += 1;
            prop_assert!(good < 40, "{:?}", world.state);
        }
        prop_assert_eq!(world.opens, world.resolves);
        // The round that was due already, then those that clear, then the hold; packets of the past leave the window.
        let rounds = config.clear_rounds + super::super::judge::WINDOW as u32;
        let most = config.interval.mul_f64(1.1) + config.fast.mul_f64(1.1) * rounds + config.keep_firing_for;
        prop_assert!(world.now.up - since.up <= nanos(most));
        (0..20).for_each(|_| world.value(Some(10.0)));
        prop_assert_eq!((world.opens, world.state.phase), (world.resolves, Phase::Ok));
    }

    #[test]
    fn p03_recovery_takes_the_clearing_rounds_and_the_hold(seed: u64, bad in 2usize..10) {
        let mut world = World::new(config(), seed);
        (0..bad).for_each(|_| world.value(Some(150.0)));
        prop_assert_eq!(world.opens, 1);
        let since = world.now;
        while world.resolves == 0 {
            world.value(Some(10.0));
        }
        let config = &world.config;
        let most = config.fast.mul_f64(1.1) * config.clear_rounds + config.keep_firing_for;
        prop_assert!(world.now.up - since.up <= nanos(most));
        prop_assert!(world.now.up - since.up >= nanos(config.keep_firing_for));
    }

    #[test]
    fn p04_a_cool_down_holds_back_the_same_finding_and_no_other(seed: u64, events in 1usize..80) {
        let mut world = World::new(config(), seed);
        let mut dice = Rng::new(seed);
        // What tier 2 was wanted for, how bad it was, and when that finding last came to rest.
        let mut wanted: Vec<(BTreeSet<String>, Severity)> = Vec::new();
        let mut rested: BTreeMap<String, u64> = BTreeMap::new();
        for _ in 0..events {
            let span = *pick(&mut dice, &[10, 60, 300, 700]) * SECOND;
            world.wait(span);
            let outstanding = world.state.outstanding.clone();
            let seen = match &outstanding {
                Some(running) => Observation::TierDone { tier: running.tier, seen: any_round(&mut dice) },
                None => Observation::Round(any_round(&mut dice)),
            };
            let before = world.state.clone();
            let actions = world.see(&seen);
            let record = actions.iter().find_map(|action| match action {
                Action::Record(found) => Some(found.clone()),
                _ => None,
            });
            let found = record.expect("each round is judged");
            let signature: BTreeSet<String> = found.signature(&world.config).map(Into::into).collect();
            let two = actions.iter().any(|action| {
                matches!(action, Action::RunTier { tier: 2, .. } | Action::Skipped { tier: 2, .. })
            });
            if before.phase == Phase::Cooldown && is_bad(found.round) && outstanding.is_none() {
                let known = |(old, severity): &(BTreeSet<String>, Severity)| {
                    signature.is_subset(old) && *severity >= found.severity
                };
                prop_assert!(two || wanted.iter().any(known), "a new finding was held back: {:?}", signature);
            }
            if two {
                wanted.push((signature, found.severity));
            }
            let of = |running: &Outstanding| running.finding.as_ref().map(Finding::fingerprint);
            if let Some(worse) = outstanding.as_ref().and_then(of) {
                let last = wanted.last_mut().expect("a tier was wanted");
                last.1 = last.1.max(found.severity);
                let rests = rested.get(&worse).is_some_and(|&since| {
                    world.now.up - since < nanos(world.config.cooldown)
                });
                let three = asked_tier(&actions) == Some(3);
                prop_assert!(!(three && rests), "tier 3 ran for what rests");
                let rested_three = Action::Skipped { tier: 3, why: Why::Cooldown };
                let refused = actions.contains(&rested_three);
                prop_assert!(!refused || rested.contains_key(&worse), "tier 3 was refused to another finding");
                if !three {
                    rested.insert(worse, world.now.up);
                }
            } else if two && asked_tier(&actions).is_none() {
                rested.insert(wanted.last().map(|(old, _)| Vec::from_iter(old.clone()).join(", ")).unwrap_or_default(), world.now.up);
            }
        }
    }

    #[test]
    fn p05_budgets_hold_over_restarts_and_steps_of_the_clock(seed: u64, events in 1usize..120, jumps: bool) {
        let mut plan = settings();
        plan.budget.tier2 = 3;
        plan.budget.tier3 = 2;
        plan.budget.bytes = Size(12_000);
        let mut world = World::new(plan.ad_hoc("192.0.2.1").expect("valid settings"), seed);
        let mut dice = Rng::new(seed);
        let mut by_day: BTreeMap<u64, (u32, u32, u64)> = BTreeMap::new();
        let (mut epoch, mut in_epoch) = ((0, 0), (0, 0, 0));
        for _ in 0..events {
            let span = any_span(&mut dice);
            world.wait(span);
            if jumps && dice.bits().is_multiple_of(5) {
                world.now.wall = world.now.wall.saturating_add_signed(*pick(&mut dice, &[-30i64, -1, 1, 30]) * DAY as i64 / 10);
            }
            let seen = any_observation(&mut dice);
            let actions = world.see(&seen);
            let used = world.state.used;
            prop_assert!(used.tier2 <= 3 && used.tier3 <= 2 && used.bytes <= 12_000);
            if epoch != (used.day, used.since) {
                prop_assert!(used.day >= epoch.0, "the budget day moved backwards");
                epoch = (used.day, used.since);
                in_epoch = (0, 0, 0);
            }
            let day = by_day.entry(world.now.wall / DAY).or_default();
            for count in [day, &mut in_epoch] {
                match asked_tier(&actions) {
                    Some(2) => *count = (count.0 + 1, count.1, count.2 + world.config.tiers[1].bytes),
                    Some(_) => *count = (count.0, count.1 + 1, count.2 + world.config.tiers[2].bytes),
                    None => {}
                }
            }
            prop_assert_eq!(in_epoch, (used.tier2, used.tier3, used.bytes));
        }
        if !jumps {
            prop_assert!(by_day.values().all(|&(two, three, bytes)| two <= 3 && three <= 2 && bytes <= 12_000));
        }
    }

    #[test]
    fn p06_the_same_events_give_the_same_bytes_also_through_the_store(seed: u64, events in 1usize..50) {
        let walk = |stored: bool| {
            let mut world = World::new(config(), seed);
            let mut dice = Rng::new(seed);
            let mut told = Vec::new();
            for event in 0..events {
                let span = any_span(&mut dice);
                world.wait(span);
                let seen = any_observation(&mut dice);
                told.push(world.see(&seen));
                // Every fourth step, another one in each case: the cases together store them all.
                if stored && event as u64 % 4 == seed % 4 {
                    let row = world.state.encode().expect("a row");
                    world.state = State::decode(&row).expect("its state");
                }
            }
            (world.state.encode().expect("a row"), told)
        };
        let first = walk(false);
        prop_assert_eq!(&first, &walk(false));
        prop_assert_eq!(&first, &walk(true));
        prop_assert!(first.0.len() <= 256 * 1024);
    }

    #[test]
    fn p07_void_rounds_change_no_decision(seed: u64, events in 1usize..50) {
        let (mut plain, mut disturbed) = (World::new(config(), seed), World::new(config(), seed));
        let mut dice = Rng::new(seed);
        for _ in 0..events {
            let span = any_span(&mut dice);
            plain.wait(span);
            disturbed.wait(span);
            for _ in 0..dice.bits() % 3 {
                let mut void = any_round(&mut dice);
                void.own_line = OwnLine::Down;
                let actions = disturbed.see(&Observation::Round(void));
                let answer = decisions(actions);
                let told: Vec<_> = answer.iter().filter(|action| **action != Action::Stepped).collect();
                // Time passed before the void round as well: a tier may have run out of it.
                let timed_out = told.iter().all(|action| matches!(action, Action::Skipped { why: Why::Aborted, .. }));
                prop_assert!(timed_out, "a void round decided {told:?}");
            }
            let seen = any_observation(&mut dice);
            let timed = |action: &Action| *action == Action::Stepped || matches!(action, Action::Skipped { why: Why::Aborted, .. });
            let of = |world: &mut World| -> Vec<String> {
                let told = decisions(world.see(&seen)).into_iter().filter(|action| !timed(action));
                told.map(|action| match action {
                    Action::Open(_) => "open".to_owned(),
                    Action::Update(_) => "update".to_owned(),
                    Action::Resolve(_) => "resolve".to_owned(),
                    other => format!("{other:?}"),
                }).collect()
            };
            prop_assert_eq!(of(&mut plain), of(&mut disturbed));
        }
    }

    #[test]
    fn p07_p08_own_line_down_and_load_raise_nothing(seed: u64, events in 1usize..50) {
        let mut world = World::new(config(), seed);
        let mut dice = Rng::new(seed);
        for _ in 0..events {
            let mut seen = any_round(&mut dice);
            match dice.bits() % 2 {
                0 => seen.own_line = OwnLine::Down,
                _ => seen.under_load = true,
            }
            world.round(&Observation::Round(seen));
        }
        prop_assert_eq!((world.opens, world.tiers.len(), world.state.phase), (0, 0, Phase::Unknown));
        prop_assert!(world.state.rounds.is_empty());
    }

    #[test]
    fn p09_no_step_of_the_wall_clock_does_harm(seed: u64, walls in prop::collection::vec(any::<u64>(), 1..60)) {
        let mut world = World::new(config(), seed);
        let mut dice = Rng::new(seed);
        for wall in walls {
            let span = any_span(&mut dice);
            world.wait(span);
            world.now.wall = wall;
            if dice.bits().is_multiple_of(7) {
                (world.now.boot, world.now.up) = (dice.bits(), dice.bits() % (100 * SECOND));
            }
            let before = world.state.clock.t;
            let seen = any_observation(&mut dice);
            world.see(&seen);
            prop_assert!(world.state.clock.t >= before);
            let _ = (world.state.wall_of(world.state.due.at, world.now), world.state.until_due(world.now));
        }
    }

    #[test]
    fn p09_a_step_of_the_wall_clock_alone_moves_no_deadline(seed: u64, jump in any::<i64>()) {
        let mut world = World::new(config(), seed);
        (0..3).for_each(|_| world.value(Some(150.0)));
        let until = world.state.cooling.first().map(|entry| entry.until - world.state.clock.t);
        world.now.wall = world.now.wall.saturating_add_signed(jump);
        world.wait(10 * SECOND);
        world.see(&Observation::Tick);
        let left = world.state.cooling.first().map(|entry| entry.until - world.state.clock.t);
        prop_assert_eq!(left, until.map(|until| until - 10 * SECOND));
        prop_assert_eq!(world.state.phase, Phase::Cooldown);
    }

    #[test]
    fn p10_p11_there_is_always_a_next_round_and_at_most_one_tier(seed: u64, events in 1usize..80) {
        let mut world = World::new(config(), seed);
        let mut dice = Rng::new(seed);
        let mut outstanding: Option<(u8, u64)> = None;
        let longest = world.config.interval.mul_f64(1.1);
        for _ in 0..events {
            let span = any_span(&mut dice);
            world.wait(span);
            let seen = any_observation(&mut dice);
            let actions = world.see(&seen);
            if !matches!(seen, Observation::Asked { .. }) {
                let next = actions.iter().rev().find_map(|action| match action {
                    Action::RunTier1 { after, .. } => Some(*after),
                    _ => None,
                });
                prop_assert!(next.is_some_and(|after| after <= longest));
            }
            prop_assert!(world.state.until_due(world.now) <= longest);
            let ended = match &seen {
                Observation::TierDone { tier, .. } | Observation::TierRefused { tier, .. } => {
                    outstanding.is_some_and(|(running, _)| running == *tier)
                }
                Observation::Restarted { .. } => true,
                _ => false,
            };
            if ended || outstanding.is_some_and(|(_, deadline)| deadline < world.now.up) {
                outstanding = None;
            }
            if let Some(tier) = asked_tier(&actions) {
                prop_assert_eq!(outstanding, None, "two tiers at once");
                let most = world.config.tier(tier).timeout + TURN + SLACK;
                outstanding = Some((tier, world.now.up + nanos(most)));
            }
            prop_assert_eq!(outstanding.map(|(tier, _)| tier), world.state.outstanding.as_ref().map(|running| running.tier));
        }
    }

    #[test]
    fn p12_a_worse_value_is_never_judged_better(seed: u64, more in 0.0f64..2.0, more_lost in 0u64..20) {
        let (mut dice, config) = (Rng::new(seed), config());
        let past: Vec<Past> = (0..dice.bits() % 8).map(|at| Past {
            at,
            round: Round::Good,
            packets: vec![(0, Loss { name: "loss_ratio".into(), lost: dice.bits() % 5, sent: 10 })],
        }).collect();
        let mut seen = lossy(dice.bits() % 10, 40);
        seen.tests[0].scalars[0].value = Some(dice.unit() * 0.2);
        let mut worse = seen.clone();
        worse.tests[0].scalars[0].value = seen.tests[0].scalars[0].value.map(|value| value * (1.0 + more));
        worse.tests[0].losses[0].lost += more_lost;
        let rank = |seen: &RoundSeen| match judge(past.iter(), seen, 10, &config).round {
            Round::Good => 0,
            Round::Grey => 1,
            Round::Bad => 2,
            Round::Hard | Round::Void => 3,
        };
        prop_assert!(rank(&worse) >= rank(&seen));
    }
}

#[test]
fn loss_is_judged_over_the_window() {
    let mut world = World::new(config(), 1);
    // 3 of 30 is not proof of more than 5 %; 4 of 30 is, and twice makes an incident.
    (0..3).for_each(|_| world.round(&Observation::Round(lossy(1, 10))));
    assert_eq!((world.state.phase, world.opens), (Phase::Ok, 0));
    world.round(&Observation::Round(lossy(3, 10)));
    world.round(&Observation::Round(lossy(1, 10)));
    assert_eq!(world.opens, 1);
}

#[test]
fn a_round_that_lost_two_packets_is_confirmed_at_once_but_starts_no_streak() {
    let mut world = World::new(config(), 1);
    world.round(&Observation::Round(lossy(0, 10)));
    world.round(&Observation::Round(lossy(2, 10)));
    assert_eq!((world.state.phase, world.state.due.why), (Phase::Ok, Cause::Confirm));
    world.round(&Observation::Round(lossy(2, 50)));
    assert_eq!(world.state.due.why, Cause::Schedule);
    world.round(&Observation::Round(lossy(2, 10)));
    world.round(&Observation::Round(lossy(10, 50)));
    assert_eq!(world.state.phase, Phase::Suspect);
}

#[test]
fn the_whole_way_up_and_down_again() {
    let mut world = World::new(config(), 1);
    world.value(Some(10.0));
    assert_eq!((world.state.phase, world.state.severity), (Phase::Ok, Severity::Ok));
    world.value(Some(150.0));
    assert_eq!((world.state.phase, world.state.severity), (Phase::Suspect, Severity::Warning));
    assert_eq!(world.state.due.why, Cause::Confirm);
    world.value(Some(150.0));
    assert_eq!((world.state.phase, world.tiers.as_slice()), (Phase::Cooldown, &[2, 3][..]));
    // The same finding rests, a worse one does not; its tier 3 is another finding's.
    world.value(Some(150.0));
    assert_eq!(world.tiers, [2, 3]);
    world.value(Some(600.0));
    assert_eq!((world.tiers.as_slice(), world.state.severity), (&[2, 3, 2, 3][..], Severity::Critical));
    (0..3).for_each(|_| world.value(Some(10.0)));
    assert_eq!((world.state.phase, world.resolves), (Phase::Recovering, 0));
    (0..15).for_each(|_| world.value(Some(10.0)));
    assert_eq!((world.state.phase, world.opens, world.resolves), (Phase::Ok, 1, 1));
    assert_eq!(world.state.severity, Severity::Ok);
}

#[test]
fn a_finding_that_stays_is_diagnosed_again_after_ever_longer_rests() {
    let mut world = World::new(config(), 1);
    let mut at = Vec::new();
    for _ in 0..400 {
        let before = world.tiers.len();
        world.value(Some(150.0));
        if world.tiers.len() > before {
            at.push(world.now.up / SECOND);
        }
    }
    let gaps: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.windows(2).all(|pair| pair[1] > pair[0] * 3 / 2), "{gaps:?}");
    assert!(gaps.len() >= 3 && gaps[0] >= 900, "{gaps:?}");
}

#[test]
fn tiers_that_cannot_run_are_listed_with_their_reason() {
    let mut plan = settings();
    plan.tier3 = Tier::default();
    let mut world = World::new(plan.ad_hoc("192.0.2.1").expect("valid"), 1);
    (0..2).for_each(|_| world.value(Some(150.0)));
    assert_eq!((world.tiers.as_slice(), world.skipped.as_slice()), (&[2][..], &[(3, Why::Disabled)][..]));
    plan.budget.tier2 = 0;
    let mut world = World::new(plan.ad_hoc("192.0.2.1").expect("valid"), 1);
    (0..10).for_each(|_| world.value(Some(150.0)));
    assert_eq!((world.opens, world.skipped.as_slice()), (1, &[(2, Why::Budget)][..]));
}

#[test]
fn a_certificate_that_ages_is_told_and_not_diagnosed() {
    let mut plan = settings();
    plan.thresholds = vec![Threshold::parse("tls_expires_in < 14d").expect("a threshold")];
    let mut world = World::new(plan.ad_hoc("192.0.2.1").expect("valid"), 1);
    let mut seen = round(Some(10.0), 1.0);
    seen.tests[0].scalars.push(Scalar::time("tls_expires_in", Some(Duration::from_secs(86_400))));
    (0..4).for_each(|_| world.round(&Observation::Round(seen.clone())));
    assert_eq!((world.opens, world.tiers.len(), world.state.phase), (1, 0, Phase::Cooldown));
}

#[test]
fn one_failed_probe_is_bad_and_all_of_them_are_hard() {
    let config = config();
    let of = |tests: Vec<Test>| {
        let seen = RoundSeen { tests, ..round(None, 0.0) };
        judge([].iter(), &seen, 0, &config)
    };
    let (well, dumb) = (test(Some(10.0), 1.0), test(None, 0.0));
    let (refused, denied) = (failed_test(Class::Refused), failed_test(Class::Permission));
    for (tests, expected, severity) in [
        (vec![well.clone()], Round::Good, Severity::Ok),
        (vec![well.clone(), refused.clone()], Round::Bad, Severity::Warning),
        (vec![well.clone(), dumb.clone()], Round::Good, Severity::Ok),
        (vec![refused.clone(), dumb.clone()], Round::Hard, Severity::Critical),
        (vec![dumb], Round::Hard, Severity::Critical),
        (vec![refused, denied.clone()], Round::Hard, Severity::Critical),
        (vec![well, denied.clone()], Round::Good, Severity::Ok),
        (vec![denied], Round::Void, Severity::Unknown),
    ] {
        let found = of(tests.clone());
        assert_eq!((found.round, found.severity), (expected, severity), "{tests:?}");
    }
}

#[test]
fn a_newer_state_is_refused_and_a_crash_shows_as_aborted() {
    let mut newer = serde_json::to_value(State::new(1, Duration::ZERO)).expect("json");
    newer["v"] = 2.into();
    let octets = serde_json::to_vec(&newer).expect("json");
    let failure = State::decode(&octets).expect_err("newer");
    assert_eq!(failure.class, Class::Unsupported);

    let mut world = World::new(config(), 1);
    world.value(Some(150.0));
    world.wait(10 * SECOND);
    world.see(&Observation::Round(round(Some(150.0), 1.0)));
    assert_eq!(world.state.phase, Phase::Tier2);
    world.see(&Observation::Restarted { aborted: true });
    assert_eq!((world.state.phase, world.skipped.as_slice()), (Phase::Cooldown, &[(2, Why::Aborted)][..]));
    assert!(world.state.incident.is_some());
}

#[test]
fn the_raise_rule_is_the_configured_one() {
    for (raise, bad_rounds) in [(Raise { of: 1, last: 1 }, 1), (Raise { of: 3, last: 5 }, 3)] {
        let mut plan = settings();
        plan.raise = raise;
        let mut world = World::new(plan.ad_hoc("192.0.2.1").expect("valid"), 1);
        for n in 1..=bad_rounds {
            assert_eq!(world.opens, 0, "{n} of {raise}");
            world.value(Some(150.0));
        }
        assert_eq!(world.opens, 1);
    }
}

#[test]
fn settings_are_refused_with_their_remedy() {
    let target = |name: &str| TargetSettings {
        name: name.to_owned(),
        host: "192.0.2.1".to_owned(),
        ..TargetSettings::default()
    };
    let check = |change: fn(&mut Settings), expected: &str| {
        let mut plan = Settings { target: vec![target("a")], ..settings() };
        change(&mut plan);
        let failure = plan.targets().expect_err(expected);
        assert_eq!((failure.class, failure.detail.as_str()), (Class::Config, expected));
    };
    check(
        |plan| plan.interval = Span::secs(5),
        "autoperf.interval 5s is too short, 10s at least, or `allow_fast = true` for a demonstration",
    );
    check(
        |plan| plan.target.push(plan.target[0].clone()),
        "autoperf.target[1].name `a` is taken: two targets are called so",
    );
    check(
        |plan| plan.target[0].host.clear(),
        "autoperf.target[0].host is missing: each [[autoperf.target]] needs a name and a host",
    );
    check(
        |plan| plan.tier1.probe.clear(),
        "autoperf.tier1 has no probe for target `a`: write a [[autoperf.tier1.probe]]",
    );
    check(
        |plan| plan.tier2.probe = vec![Probe::UdpPing(UdpPing { count: 0, ..UdpPing::default() })],
        "autoperf.tier2.probe[0].count 0: send at least 1 packet",
    );
}
