//! The engine in virtual time, on paths that are plain values.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::CarriedBy;
use super::carrier::{Carrier, Closed, Echo};
use super::engine::{Engine, Lane, Plan};
use super::report::{Bound, Report, Way};
use super::run::Leg;
use super::summary::{Local, summarise};
use crate::net::engine::Draft;
use crate::net::sim::{Answer, Sim};
use crate::probe::Events;
use crate::stats::Rng;
use crate::sys::clock;
use crate::units::Now;
use crate::wire::icmp::{self, Version};

/// A router, and the link behind it.
#[derive(Clone, Copy, Debug)]
struct Router {
    /// What the link behind it takes.
    mtu: u16,
    /// What it says of packets that are larger; `None`: nothing.
    says: Option<u32>,
    /// Whether it lets large packets pass all the same.
    lies: bool,
    /// Whether it answers packets whose TTL runs out.
    is_silent: bool,
}

impl Router {
    const fn new(mtu: u16) -> Self {
        Self { mtu, says: Some(mtu as u32), lies: false, is_silent: false }
    }

    const fn mute(mtu: u16) -> Self {
        Self { says: None, ..Self::new(mtu) }
    }

    const fn saying(self, mtu: u32) -> Self {
        Self { says: Some(mtu), ..self }
    }
}

/// A way to a host, and what is wrong with it.
#[derive(Clone, Debug)]
struct World {
    v6: bool,
    /// This host's own link.
    local: u16,
    routers: Vec<Router>,
    /// Echo replies that are larger vanish.
    back: u16,
    /// The target answers echo requests.
    echoes: bool,
    /// It says that nobody listens.
    closes: bool,
    loss: f64,
    delay: Duration,
    /// "Too big" messages for every packet that nobody has sent: from, MTU.
    forged: Option<u32>,
    /// Every answer comes twice.
    twice: bool,
    /// Routers say "too big" this often in all.
    words: Cell<u32>,
    /// Each hop is looked at in any case.
    trace: bool,
}

impl World {
    fn line(mtus: &[u16]) -> Self {
        Self {
            v6: false,
            local: 1500,
            routers: mtus.iter().map(|&mtu| Router::new(mtu)).collect(),
            back: u16::MAX,
            echoes: true,
            closes: true,
            loss: 0.0,
            delay: Duration::from_micros(500),
            forged: None,
            twice: false,
            words: Cell::new(u32::MAX),
            trace: false,
        }
    }

    fn with(mut self, at: usize, router: Router) -> Self {
        self.routers[at] = router;
        self
    }

    fn target(&self) -> SocketAddr {
        let v4 = IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9));
        let v6 = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 9));
        SocketAddr::new(if self.v6 { v6 } else { v4 }, 0)
    }

    fn address(&self, hop: usize) -> IpAddr {
        match self.v6 {
            true => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, hop as u16).into(),
            false => Ipv4Addr::new(10, 0, 0, hop as u8).into(),
        }
    }

    fn icmp(&self, (v4, v6): ((u8, u8), (u8, u8)), from: IpAddr, mtu: u32) -> Answer {
        let (kind, code) = if self.v6 { v6 } else { v4 };
        Answer::Icmp { kind, code, from, mtu, ttl: 60, extensions: Vec::new() }
    }

    fn answers(&self, draft: &Draft) -> Vec<Answer> {
        let headers = if self.v6 { 40 } else { 20 } + if draft.socket == 1 { 8 } else { 0 };
        let size = draft.bytes.len() as u16 + headers;
        let mut answers = Vec::new();
        if let Some(mtu) = self.forged {
            answers.push(self.icmp(((3, 4), (2, 0)), self.address(66), mtu));
        }
        for (hop, router) in (1..).zip(&self.routers) {
            if draft.ttl == Some(hop as u8) {
                let expired = self.icmp(((11, 0), (3, 0)), self.address(hop), 0);
                answers.extend((!router.is_silent).then_some(expired));
                return answers;
            }
            if size > router.mtu {
                let has_words = self.words.get() > 0;
                let says = router
                    .says
                    .filter(|_| has_words)
                    .map(|mtu| self.icmp(((3, 4), (2, 0)), self.address(hop), mtu));
                self.words.set(self.words.get() - u32::from(says.is_some()));
                answers.extend(says);
                if !router.lies {
                    return answers;
                }
            }
        }
        let ttl = 64 - self.routers.len() as u8;
        if draft.socket == 1 {
            let closed = self.icmp(((3, 3), (1, 4)), self.target().ip(), 0);
            answers.extend(self.closes.then_some(closed));
        } else if self.echoes && size <= self.back {
            let version = Version::of(self.v6);
            let asked = icmp::Echo::parse(version, &draft.bytes).expect("an echo request");
            let mut reply = Vec::new();
            icmp::Echo { is_reply: true, ..asked }.write(version, &mut reply);
            answers.push(Answer::Datagram(reply, Some(self.target()), ttl));
        }
        if self.twice {
            answers.extend(answers.clone());
        }
        answers
    }

    /// Runs the engine by ICMP echo, with a closed port to ask, and returns the report and how long it took.
    fn run(&self, seed: u64) -> (Report, Duration) {
        let start = clock::now();
        let carrier = Carrier::Echo(Echo::new(self.v6, 7, 0x1122_3344_5566_7788, 65_500));
        let plan = Plan {
            v6: self.v6,
            least: 68,
            most: self.local.min(9216),
            bound: Bound::Interface,
            local: Some(self.local),
            known: None,
            learnt: None,
            timeout: Duration::from_secs(1),
            deadline: Duration::from_secs(10),
            trace: self.trace,
        };
        let closed = Carrier::Closed(Closed::new(self.target(), 5));
        let lanes = vec![Lane { carrier, socket: 0 }, Lane { carrier: closed, socket: 1 }];
        let mut engine = Engine::new(plan, lanes, None, Events::none());
        let mut sim = Sim::new(start, seed);
        (sim.up.loss, sim.down.loss) = (self.loss, self.loss);
        (sim.up.delay, sim.down.delay) = (self.delay, self.delay);
        let mut last = start;
        let mut far = |now: Now, draft: &Draft| {
            last = now;
            self.answers(draft)
        };
        assert!(sim.run(&mut engine, &mut far, Duration::from_secs(20)), "it ends: {self:?}");
        let local = Local { mtu: Some(self.local), ..Local::default() };
        let legs = vec![Leg::new(CarriedBy::Icmp, engine)];
        let report = summarise(self.target(), &local, legs, None, Vec::new()).expect("a report");
        (report, last.mono - start.mono)
    }
}

/// The forward MTU, and whether there is a black hole, with the hop before it.
fn answer(report: &Report) -> (Option<u16>, Option<Option<u8>>) {
    (report.pmtu_bytes, report.black_hole.as_ref().map(|hole| hole.after_hop))
}

#[test]
fn every_size_is_found_exactly_with_and_without_a_word() {
    for mtu in (68..=1500).step_by(13).chain([576, 1006, 1280, 1400, 1420, 1492, 1499, 1500]) {
        for (router, hole) in [(Router::new(mtu), None), (Router::mute(mtu), Some(Some(2)))] {
            let (report, took) = World::line(&[1500, 1500, 1500]).with(1, router).run(mtu.into());
            let hole = hole.filter(|_| mtu < 1500);
            assert_eq!(answer(&report), (Some(mtu), hole), "{router:?}: {report:?}");
            assert_eq!((report.exact, report.bounded_by.is_some()), (mtu < 1500, mtu == 1500), "{router:?}");
            assert!(took < Duration::from_secs(2), "{router:?} {took:?}");
        }
    }
}

#[test]
fn ipv6_is_found_from_1280_on() {
    for mtu in (1280..=1500).step_by(11) {
        for router in [Router::new(mtu), Router::mute(mtu)] {
            let world = World { v6: true, ..World::line(&[1500, 1500]).with(0, router) };
            let (report, _) = world.run(1);
            assert_eq!(report.pmtu_bytes, Some(mtu), "{router:?}");
            assert_eq!(report.black_hole.is_some(), router.says.is_none() && mtu < 1500, "{router:?}");
        }
    }
}

#[test]
fn jumbo_frames_are_found_as_far_as_they_go() {
    for (local, mtus, expected) in [
        (9000, [9000, 9000], 9000),
        (9000, [9000, 1500], 1500),
        (9216, [9000, 9216], 9000),
        (65_535, [9216, 9216], 9216),
        (9000, [4470, 9000], 4470),
    ] {
        for mute in [false, true] {
            let mut world = World { local, ..World::line(&mtus) };
            world.routers.iter_mut().for_each(|router| router.says = router.says.filter(|_| !mute));
            assert_eq!(world.run(3).0.pmtu_bytes, Some(expected), "{local} {mtus:?} {mute}");
        }
    }
}

#[test]
fn a_clean_path_takes_few_packets_and_no_time() {
    for delay in [0, 500, 10_000, 100_000] {
        let world = World { delay: Duration::from_micros(delay), ..World::line(&[1500; 5]) };
        let (report, took) = world.run(1);
        assert_eq!(answer(&report), (Some(1500), None));
        assert!(report.counts.sent <= 60, "{}", report.counts.sent);
        assert_eq!((report.exact, report.bounded_by), (false, Some(Bound::Interface)));
        // One round trip: what is larger than all else goes out with the first packet.
        assert!(took <= Duration::from_micros(100) + 2 * world.delay, "{took:?}");
    }
}

#[test]
fn a_router_that_speaks_costs_round_trips_and_no_fixed_waits() {
    for rtt in [1, 20, 200] {
        let rtt = Duration::from_millis(rtt);
        let world = World { delay: rtt / 2, ..World::line(&[1500, 1400, 1500]) };
        let (report, took) = world.run(1);
        assert_eq!((answer(&report), report.icmp_pmtu_bytes), ((Some(1400), None), Some(1400)));
        // The first packets, what the router named, each hop; some of each a millisecond apart.
        assert!(took < 4 * rtt + Duration::from_millis(12), "{rtt:?} {took:?}");
    }
}

#[test]
fn hops_are_listed_whatever_the_largest_size_is() {
    for local in [68, 100, 1000, 1200, 1280, 1500] {
        let world = World { local, trace: true, ..World::line(&[1500, 1500]) };
        let report = world.run(1).0;
        let come = |hop: &super::report::Hop| (hop.ttl, hop.small, hop.large, hop.target);
        let hops: Vec<_> = report.hops.iter().map(come).collect();
        let expected = [(1, true, true, false), (2, true, true, false), (3, true, true, true)];
        assert_eq!(hops, expected, "{local}: {report:?}");
    }
}

#[test]
fn thresholds_see_holes_of_either_way_and_what_comes_back() {
    let value = |report: &Report, name: &str| {
        let scalars = crate::probe::Scalars::scalars(report);
        scalars.into_iter().find(|scalar| scalar.name == name).expect(name).value
    };
    let narrow = World::line(&[1500, 1400]);
    let back = World { back: 1300, ..World::line(&[1500, 1500]) };
    let hole = World::line(&[1500, 1400]).with(1, Router::mute(1400));
    let dead = World { echoes: false, closes: false, ..World::line(&[1500]) };
    for (world, holes, reverse, exact) in [
        (World::line(&[1500, 1500]), Some(0.0), Some(1500.0), false),
        (narrow, Some(0.0), Some(1400.0), false),
        (back, Some(1.0), Some(1300.0), true),
        (hole, Some(1.0), Some(1400.0), false),
        (dead, None, None, false),
    ] {
        let report = world.run(1).0;
        let found = (value(&report, "black_hole"), value(&report, "reverse_pmtu"), report.reverse_exact);
        assert_eq!(found, (holes, reverse, exact), "{report:?}");
    }
}

#[test]
fn what_passed_is_counted_once() {
    for mtus in [[1500, 1500], [1500, 1400]] {
        let report = World::line(&mtus).run(1).0;
        let passed: u64 = report.sizes.iter().map(|size| size.passed).sum();
        let hops = report.hops.iter().filter(|hop| hop.large).count()
            + report.hops.iter().filter(|hop| hop.small).count();
        assert_eq!(passed + hops as u64, report.counts.received, "{report:?}");
    }
}

#[test]
fn random_loss_moves_no_answer() {
    for seed in 0..400 {
        for (mtus, hole) in [([1500, 1500, 1500], None), ([1500, 1400, 1500], Some(Some(2)))] {
            let mut world = World { loss: 0.05, ..World::line(&mtus) };
            world.routers.iter_mut().for_each(|router| router.says = None);
            let (report, _) = world.run(seed);
            let expected = mtus.into_iter().min();
            assert_eq!(answer(&report), (expected, hole), "seed {seed}: {report:?}");
        }
    }
}

#[test]
fn a_hole_on_the_way_back_is_told_from_one_on_the_way_there() {
    for seed in 0..50 {
        let world = World { back: 1300, loss: 0.02, ..World::line(&[1500, 1500]) };
        let report = world.run(seed).0;
        let hole = report.black_hole.as_ref().expect("a hole");
        assert_eq!((hole.direction, hole.from_bytes), (Way::Reverse, 1301), "seed {seed}");
        assert_eq!((report.pmtu_bytes, report.reverse_pmtu_bytes), (Some(1500), Some(1300)), "seed {seed}");
    }
    let world = World { back: 1300, closes: false, ..World::line(&[1500, 1500]) };
    let hole = world.run(1).0.black_hole.expect("a hole");
    assert_eq!(hole.direction, Way::Unknown, "nothing tells which way");
}

#[test]
fn several_narrow_links_are_found_in_a_row() {
    let (report, _) = World::line(&[1492, 1450, 1400, 1300]).run(1);
    assert_eq!((report.pmtu_bytes, report.icmp_pmtu_bytes), (Some(1300), Some(1300)));
    let said: Vec<_> = report.too_big.iter().filter_map(|one| one.mtu_bytes).collect();
    assert_eq!(said, [1492, 1450, 1400, 1300]);
    // The first says so, the second does not.
    let (report, _) = World::line(&[1450, 1400]).with(1, Router::mute(1400)).run(1);
    assert_eq!((answer(&report), report.icmp_pmtu_bytes), ((Some(1400), Some(Some(2))), Some(1450)));
}

#[test]
fn routers_that_lie_are_noted_and_not_believed() {
    let liar = Router { lies: true, ..Router::new(1400) };
    let (report, _) = World::line(&[1500, 1500]).with(0, liar).run(1);
    assert_eq!(answer(&report), (Some(1500), None), "{report:?}");
    let (report, _) = World::line(&[1500, 1400]).with(1, Router::new(1400).saying(1300)).run(1);
    assert_eq!(report.pmtu_bytes, Some(1400), "it says less than it passes");
    assert!(report.too_big.iter().all(|one| one.wrong), "{report:?}");
    let (report, _) = World::line(&[1500, 1400]).with(1, Router::new(1400).saying(1450)).run(1);
    assert_eq!(report.pmtu_bytes, Some(1400), "it says more than it passes");
}

#[test]
fn old_routers_that_name_no_size_are_no_black_hole() {
    for says in [0, 68] {
        let (report, _) = World::line(&[1500, 1006]).with(1, Router::new(1006).saying(says)).run(1);
        assert_eq!(answer(&report), (Some(1006), None), "{says}: {report:?}");
        assert_eq!(report.icmp_pmtu_bytes, None);
    }
}

#[test]
fn impossible_sizes_are_counted_and_ignored() {
    for (v6, says) in [(false, 1500), (false, 65_535), (true, 0), (true, 1279), (true, 1 << 20)] {
        let world = World { v6, forged: Some(says), ..World::line(&[1500, 1500]) };
        let (report, _) = world.run(1);
        assert_eq!(answer(&report), (Some(1500), None), "{v6} {says}: {report:?}");
        assert!(report.ignored > 0, "{v6} {says}");
    }
}

#[test]
fn a_router_that_says_it_once_is_no_black_hole() {
    for words in 1..4 {
        let world = World { words: Cell::new(words), ..World::line(&[1500, 1400]) };
        let (report, _) = world.run(1);
        assert_eq!((answer(&report), report.icmp_pmtu_bytes), ((Some(1400), None), Some(1400)), "{words}");
    }
}

#[test]
fn answers_that_come_twice_count_once() {
    let (report, _) = World { twice: true, ..World::line(&[1500, 1400]) }.run(1);
    assert_eq!(answer(&report), (Some(1400), None));
    assert!(report.counts.duplicates > 0 && report.counts.received <= report.counts.sent);
}

#[test]
fn a_hole_behind_silent_routers_is_between_those_that_answer() {
    let silent = Router { is_silent: true, ..Router::new(1500) };
    let world = World::line(&[1500, 1500, 1500, 1500])
        .with(1, silent)
        .with(2, Router { is_silent: true, ..Router::mute(1400) });
    let (report, _) = world.run(1);
    let hole = report.black_hole.as_ref().expect("a hole");
    assert_eq!((hole.after_hop, hole.before_hop), (Some(1), Some(4)), "{report:?}");
}

#[test]
fn a_host_that_answers_nothing_has_no_path_mtu() {
    let world = World { echoes: false, closes: false, ..World::line(&[1500]) };
    let (report, took) = world.run(1);
    assert_eq!(answer(&report), (None, None));
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn ways_of_every_kind_are_measured_exactly() {
    let mut draw = Rng::new(20_261_125);
    for seed in 0..600 {
        let mut pick = |most: u64| draw.bits() % most;
        let local = [1500, 1500, 9000][pick(3) as usize];
        let mut routers: Vec<Router> = Vec::new();
        for _ in 0..1 + pick(8) {
            let mtu = match pick(3) {
                0 => 600 + pick(900) as u16,
                _ => local,
            };
            let says = [Some(u32::from(mtu)), None, Some(0)][pick(3) as usize];
            routers.push(Router { mtu, says, lies: false, is_silent: pick(5) == 0 });
        }
        let world = World {
            local,
            loss: [0.0, 0.01, 0.05][pick(3) as usize],
            delay: Duration::from_micros(100 + pick(40_000)),
            twice: pick(8) == 0,
            routers,
            ..World::line(&[])
        };
        let least = world.routers.iter().map(|router| router.mtu).chain([local]).min();
        let narrow = world.routers.iter().find(|router| Some(router.mtu) == least && router.mtu < local);
        let (report, took) = world.run(seed);
        assert_eq!(report.pmtu_bytes, least, "seed {seed}: {world:?} {report:?}");
        let is_narrow = least.is_some_and(|least| least < local);
        assert_eq!((report.exact, report.bounded_by.is_some()), (is_narrow, !is_narrow), "seed {seed}");
        assert!(took < Duration::from_secs(6), "seed {seed}: {took:?} {world:?}");
        // Whether the one who drops the packets says so; a router before him that names no size may be taken for him.
        let unnamed = world.routers.iter().any(|router| router.says == Some(0));
        if let Some(narrow) = narrow.filter(|_| !unnamed) {
            assert_eq!(
                report.black_hole.is_some(),
                narrow.says.is_none(),
                "seed {seed}: {world:?} {report:?}"
            );
        }
        if narrow.is_none() {
            assert_eq!(report.black_hole, None, "seed {seed}: {world:?}");
        }
    }
}
