//! The judgement in virtual time, against hosts that answer, keep silent, lose, and ration.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;
use crate::stats::Rng;

const RTT: Duration = Duration::from_micros(200);

/// What a port of the simulated host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Open,
    Closed,
    Silent,
}

/// A host, and the way to it.
struct World {
    ports: Vec<Does>,
    rtt: Duration,
    /// Share of packets lost, each way.
    loss: f64,
    /// Tokens a second and at most, for the answers of closed ports.
    limit: Option<(f64, f64)>,
    /// Questions a second that the way carries; beyond, they are lost.
    capacity: Option<f64>,
    seed: u64,
}

/// What came of a scan.
struct Outcome {
    engine: Engine,
    lasted: Duration,
    most_in_flight: usize,
}

impl Default for World {
    fn default() -> Self {
        Self { ports: Vec::new(), rtt: RTT, loss: 0.0, limit: None, capacity: None, seed: 1 }
    }
}

fn tuning() -> Tuning {
    let ms = Duration::from_millis;
    Tuning {
        window: 64,
        most: 4096,
        floor: 1000.0,
        patience: [ms(1000), ms(100), ms(1500)],
        retries: 10,
        insists: true,
        deadline: Duration::from_secs(3600),
        breath: Duration::ZERO,
        silence: State::Filtered,
    }
}

fn udp() -> Tuning {
    let ms = Duration::from_millis;
    Tuning {
        breath: ms(1100),
        silence: State::OpenFiltered,
        most: 512,
        patience: [ms(1000), ms(300), ms(1500)],
        ..tuning()
    }
}

/// A bucket of tokens.
struct Bucket {
    rate: f64,
    most: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn new((rate, most): (f64, f64), at: Instant) -> Self {
        Self { rate, most, tokens: most, at }
    }

    fn take(&mut self, now: Instant) -> bool {
        self.tokens = (self.tokens + self.rate * (now - self.at).as_secs_f64()).min(self.most);
        self.at = now;
        let has = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(has));
        has
    }
}

impl World {
    fn scan(&self, tuning: Tuning) -> Outcome {
        let begin = crate::sys::clock::now().mono;
        let mut now = begin;
        let mut engine = Engine::new(self.ports.len() as u32, &[], tuning, self.seed, now);
        let mut rng = Rng::new(self.seed ^ 77);
        let mut limit = self.limit.map(|limit| Bucket::new(limit, now));
        let mut capacity = self.capacity.map(|rate| Bucket::new((rate, 32.0), now));
        let mut arriving: BinaryHeap<Reverse<(Instant, u32, u8)>> = BinaryHeap::new();
        let mut most_in_flight = 0;
        loop {
            while let Some(&Reverse((at, index, tries))) = arriving.peek()
                && at <= now
            {
                arriving.pop();
                let (state, reason) = match self.ports[index as usize] {
                    Does::Open => (State::Open, Reason::SynAck),
                    _ => (State::Closed, Reason::Reset),
                };
                engine.answer(
                    at,
                    Shot { index, tries },
                    Verdict { state, reason, from: None, rtt: Some(self.rtt) },
                );
            }
            match engine.poll(now) {
                Next::Send(shot) => {
                    most_in_flight = most_in_flight.max(engine.in_flight as usize);
                    let arrives =
                        rng.unit() >= self.loss && capacity.as_mut().is_none_or(|bucket| bucket.take(now));
                    let does = self.ports[shot.index as usize];
                    let answers = arrives
                        && match does {
                            Does::Open => true,
                            Does::Closed => limit.as_mut().is_none_or(|bucket| bucket.take(now)),
                            Does::Silent => false,
                        };
                    if answers && rng.unit() >= self.loss {
                        arriving.push(Reverse((now + self.rtt, shot.index, shot.tries)));
                    }
                    // A question costs this host some time.
                    now += Duration::from_micros(5);
                }
                Next::Forget(_) => {}
                Next::Wait(until) => {
                    let next = arriving.peek().map_or(until, |&Reverse((at, ..))| at.min(until));
                    now = next.max(now + Duration::from_nanos(1));
                }
                Next::Done => break,
            }
        }
        Outcome { engine, lasted: now - begin, most_in_flight }
    }
}

impl Outcome {
    /// Fails unless each port is what it does, closed ones being allowed to look silent if `missed` of them are.
    #[track_caller]
    fn check(&self, world: &World, missed: usize) {
        let mut silent = 0;
        for (n, (does, verdict)) in world.ports.iter().zip(self.engine.verdicts()).enumerate() {
            let state = verdict.expect("all were asked").state;
            match does {
                Does::Open => assert_eq!(state, State::Open, "port {n}"),
                Does::Silent => assert_eq!(state, self.engine.tuning.silence, "port {n}"),
                Does::Closed if state == State::Closed => {}
                Does::Closed => silent += 1,
            }
        }
        assert!(silent <= missed, "{silent} closed ports look silent");
    }
}

/// `open`, `closed` and `silent` ports.
fn mix(open: usize, closed: usize, silent: usize) -> Vec<Does> {
    let of = std::iter::repeat_n;
    of(Does::Open, open).chain(of(Does::Closed, closed)).chain(of(Does::Silent, silent)).collect()
}

#[test]
fn a_clean_host_is_asked_once_and_fast() {
    let world = World { ports: mix(5, 65_530, 0), ..World::default() };
    let outcome = world.scan(tuning());
    outcome.check(&world, 0);
    assert_eq!(outcome.engine.sent(), 65_535);
    assert!(outcome.lasted < Duration::from_millis(1200), "{:?}", outcome.lasted);
}

#[test]
fn a_filtered_host_is_asked_twice_and_costs_no_second_for_each_port() {
    let world = World { ports: mix(2, 1, 997), ..World::default() };
    let outcome = world.scan(tuning());
    outcome.check(&world, 0);
    assert_eq!(outcome.engine.sent(), 1000 + 997);
    assert!(outcome.lasted < Duration::from_millis(1600), "{:?}", outcome.lasted);
}

#[test]
fn a_host_that_never_answers_ends_soon() {
    let world = World { ports: mix(0, 0, 1000), ..World::default() };
    let outcome = world.scan(tuning());
    outcome.check(&world, 0);
    assert!(outcome.lasted < Duration::from_secs(4), "{:?}", outcome.lasted);
}

#[test]
fn loss_hides_no_open_port() {
    for seed in 0..40 {
        for loss in [0.02, 0.05, 0.10] {
            let world = World { ports: mix(100, 100, 100), loss, seed, ..World::default() };
            let outcome = world.scan(tuning());
            outcome.check(&world, 0);
            assert!(outcome.lasted < Duration::from_secs(8), "seed {seed}, {loss}: {:?}", outcome.lasted);
        }
    }
}

#[test]
fn rationed_resets_are_waited_for() {
    for (rate, burst) in [(10.0, 5.0), (100.0, 5.0), (200.0, 200.0), (1000.0, 10.0)] {
        for seed in 0..5 {
            let world =
                World { ports: mix(10, 190, 100), limit: Some((rate, burst)), seed, ..World::default() };
            let outcome = world.scan(tuning());
            outcome.check(&world, 1);
            let least = Duration::from_secs_f64(190.0 / rate);
            assert!(outcome.lasted < 4 * least + Duration::from_secs(6), "{rate}: {:?}", outcome.lasted);
        }
    }
}

#[test]
fn icmp_errors_of_linux_are_waited_for() {
    for (closed, silent) in [(11, 0), (30, 0), (20, 10)] {
        let world = World { ports: mix(0, closed, silent), limit: Some((1.0, 6.0)), ..World::default() };
        let outcome = world.scan(udp());
        outcome.check(&world, 1);
        assert!(outcome.engine.ration().is_some());
        let least = Duration::from_secs(closed as u64 - 6);
        assert!(
            outcome.lasted < 3 * least + Duration::from_secs(15),
            "{closed}+{silent}: {:?}",
            outcome.lasted
        );
    }
}

#[test]
fn a_narrow_way_is_not_a_filter() {
    for seed in 0..5 {
        let ports = mix(50, 950, 0);
        let world =
            World { ports, capacity: Some(500.0), rtt: Duration::from_millis(20), seed, ..World::default() };
        let outcome = world.scan(tuning());
        outcome.check(&world, 2);
        assert!(outcome.lasted < Duration::from_secs(30), "{:?}", outcome.lasted);
    }
}

#[test]
fn a_slow_host_is_not_a_silent_one() {
    let world = World { ports: mix(3, 297, 0), rtt: Duration::from_millis(700), ..World::default() };
    let outcome = world.scan(tuning());
    outcome.check(&world, 0);
    assert_eq!(outcome.engine.sent(), 300, "none is asked before its answer can be there");
}

#[test]
fn rates_are_kept() {
    let world = World { ports: mix(0, 0, 5000), ..World::default() };
    let outcome = world.scan(Tuning { floor: 5000.0, retries: 0, ..tuning() });
    assert!(outcome.lasted < Duration::from_millis(2200), "{:?}", outcome.lasted);
    let outcome = world.scan(Tuning { most: 100, ..tuning() });
    assert!(outcome.most_in_flight <= 100);
}

#[test]
fn a_deadline_ends_everything() {
    let world = World { ports: mix(0, 0, 5000), ..World::default() };
    let limited = Tuning { most: 30, deadline: Duration::from_millis(2500), ..tuning() };
    let outcome = world.scan(limited);
    assert!(outcome.lasted <= Duration::from_millis(2501), "{:?}", outcome.lasted);
    let asked = outcome.engine.verdicts().flatten().count();
    assert_eq!(asked, 90, "30 a second, and what was not asked is not judged");
}

#[test]
fn of_a_scan_that_breaks_off_only_what_was_waited_for_is_known() {
    let begin = crate::sys::clock::now().mono;
    let mut engine = Engine::new(4, &[], tuning(), 1, begin);
    let mut ask = |now| match engine.poll(now) {
        Next::Send(shot) => shot,
        other => panic!("a port is to be asked: {other:?}"),
    };
    let (answered, _) = (ask(begin), ask(begin));
    // The second is given up; the third is under way, and the fourth was never asked.
    let later = begin + Duration::from_millis(700);
    ask(later);
    let closed = Verdict { state: State::Closed, reason: Reason::Reset, from: None, rtt: None };
    engine.answer(later, answered, closed);
    assert!(matches!(engine.poll(begin + Duration::from_millis(1100)), Next::Forget(_)));
    engine.break_off();
    let mut states: Vec<_> = engine.verdicts().map(|verdict| verdict.map(|known| known.state)).collect();
    states.sort_unstable();
    assert_eq!(states, [None, None, Some(State::Closed), Some(State::Filtered)]);
}

#[test]
fn what_was_not_sent_is_asked_again() {
    let now = crate::sys::clock::now().mono;
    let mut engine = Engine::new(1, &[], tuning(), 1, now);
    let Next::Send(shot) = engine.poll(now) else { panic!("one port is to be asked") };
    engine.unsent(now, shot);
    assert!(matches!(engine.poll(now), Next::Wait(_)), "not at once");
    assert_eq!(engine.poll(now + Duration::from_millis(6)), Next::Send(shot));
    assert_eq!(engine.sent(), 1);
}

#[test]
fn answers_to_nothing_are_ignored() {
    let now = crate::sys::clock::now().mono;
    let mut engine = Engine::new(2, &[], tuning(), 1, now);
    let verdict = Verdict { state: State::Open, reason: Reason::SynAck, from: None, rtt: None };
    let Next::Send(shot) = engine.poll(now) else { panic!("two ports are to be asked") };
    for wrong in [
        Shot { index: 7, tries: 1 },
        Shot { tries: 0, ..shot },
        Shot { tries: 2, ..shot },
        Shot { index: 1 - shot.index, tries: 1 },
    ] {
        assert!(!engine.answer(now, wrong, verdict), "{wrong:?}");
    }
    assert!(engine.answer(now, shot, verdict));
    for _ in 0..1000 {
        assert!(
            !engine.answer(now, shot, Verdict { state: State::Closed, ..verdict }),
            "the first word counts"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_scan_ends_and_calls_no_silent_port_anything_else(
        open in 0usize..20, closed in 0usize..60, silent in 0usize..60,
        loss in 0.0..0.5f64, rate in 1.0..500.0f64, seed: u64,
    ) {
        let world = World { ports: mix(open, closed, silent), loss, limit: Some((rate, 5.0)), seed, ..World::default() };
        let outcome = world.scan(Tuning { deadline: Duration::from_secs(60), ..tuning() });
        prop_assert!(outcome.lasted <= Duration::from_secs(61));
        for (does, verdict) in world.ports.iter().zip(outcome.engine.verdicts()) {
            let state = verdict.map(|verdict| verdict.state);
            let right = match does {
                Does::Open => [State::Open, State::Filtered],
                Does::Closed => [State::Closed, State::Filtered],
                Does::Silent => [State::Filtered; 2],
            };
            prop_assert!(state.is_none_or(|state| right.contains(&state)));
        }
    }
}
