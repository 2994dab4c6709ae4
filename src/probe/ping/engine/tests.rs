//! The engine in virtual time: every count is that of the path, whatever the far side does.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::prelude::*;

use crate::net::engine::{Arrival, Draft, Engine as _, Next};
use crate::net::sim::{Answer, Sim};
use crate::probe::Events;
use crate::probe::ping::{Mode, Ping, Report};
use crate::sys::clock;
use crate::units::Span;
use crate::wire::icmp::{Echo, Version};

fn addresses(count: u8) -> Vec<SocketAddr> {
    (1..=count).map(|last| SocketAddr::from(([192, 0, 2, last], 0))).collect()
}

fn ping(count: u64) -> Ping {
    Ping {
        target: "192.0.2.1".into(),
        count,
        interval: Some(Span::millis(10)),
        timeout: Some(Span::millis(100)),
        ..Ping::default()
    }
}

/// The reply to a request.
fn echoed(draft: &Draft) -> Vec<u8> {
    let version = Version::of(draft.to.is_some_and(|to| to.is_ipv6()));
    let request = Echo::parse(version, &draft.bytes).expect("an echo request");
    let mut reply = Vec::new();
    Echo { is_reply: true, ..request }.write(version, &mut reply);
    reply
}

/// Runs `ping` of `hosts` hosts against `far` over a path of 2 × 5 ms.
fn run(ping: &Ping, hosts: u8, sim: &mut Sim, far: &mut dyn FnMut(u64, &Draft) -> Vec<Answer>) -> Report {
    let mut engine = ping.engine(&addresses(hosts), 7, Events::none()).expect("an engine");
    let mut sent = 0;
    let mut numbered = |_, draft: &Draft| {
        sent += 1;
        far(sent - 1, draft)
    };
    assert!(sim.run(&mut engine, &mut numbered, Duration::from_secs(3600)), "it ends by itself");
    ping.finish(engine).expect("a report")
}

fn sim() -> Sim {
    let mut sim = Sim::new(clock::now(), 1);
    (sim.up.delay, sim.down.delay) = (Duration::from_millis(5), Duration::from_millis(5));
    sim
}

#[test]
fn each_fate_is_told_from_the_others() {
    let far = &mut |n, draft: &Draft| match n % 10 {
        1 => vec![],
        2 => vec![echoed(draft).into(), echoed(draft).into(), echoed(draft).into()],
        3 => {
            let mut wrong = echoed(draft);
            wrong[40] ^= 1;
            vec![wrong.into()]
        }
        4 => {
            let other = Echo { is_reply: true, id: 1, seq: 60_000, payload: &[0; 56] };
            let mut reply = Vec::new();
            other.write(Version::V4, &mut reply);
            vec![echoed(draft).into(), reply.into(), vec![0, 0].into()]
        }
        _ => vec![echoed(draft).into()],
    };
    let report = run(&ping(50), 1, &mut sim(), far);
    let counts = report.counts;
    assert_eq!((counts.sent, counts.received, counts.duplicates), (50, 40, 10));
    assert_eq!((report.corrupt, report.ignored, counts.late, counts.pending), (5, 10, 0, 0));
    let rtt = report.rtt.expect("replies");
    assert_eq!([rtt.min, rtt.p50, rtt.max], [Duration::from_millis(10); 3]);
    assert_eq!(report.samples_ms.expect("samples").iter().filter(|sample| sample.is_none()).count(), 10);
}

#[test]
fn a_reply_after_its_deadline_is_late_and_no_duplicate() {
    let mut sim = sim();
    (sim.down.reorder, sim.down.hold) = (0.3, Duration::from_millis(300));
    let report = run(&ping(200), 1, &mut sim, &mut |_, draft| vec![echoed(draft).into()]);
    let counts = report.counts;
    assert_eq!((counts.sent, counts.duplicates), (200, 0));
    // The last packets' late replies come when the run is over.
    assert!(counts.late > 30 && counts.received + counts.late <= 200, "{counts:?}");
    assert_eq!(report.rtt.expect("replies").max, Duration::from_millis(10));
}

#[test]
fn what_is_overtaken_is_reordered() {
    let mut sim = sim();
    (sim.down.reorder, sim.down.hold) = (0.2, Duration::from_millis(15));
    let report = run(&ping(200), 1, &mut sim, &mut |_, draft| vec![echoed(draft).into()]);
    assert_eq!((report.counts.received, report.counts.late), (200, 0));
    assert!((10..80).contains(&report.counts.reordered), "{:?}", report.counts);
}

#[test]
fn an_icmp_error_ends_the_wait_and_names_its_sender() {
    let router = "198.51.100.1".parse().expect("an address");
    let unreachable =
        || Answer::Icmp { kind: 3, code: 13, from: router, mtu: 0, ttl: 60, extensions: Vec::new() };
    let redirect =
        || Answer::Icmp { kind: 5, code: 1, from: router, mtu: 0, ttl: 60, extensions: Vec::new() };
    let far = &mut |n, draft: &Draft| match n {
        0..5 => vec![unreachable()],
        _ => vec![redirect(), echoed(draft).into()],
    };
    let report = run(&ping(10), 1, &mut sim(), far);
    assert_eq!((report.counts.sent, report.counts.received), (10, 5));
    let told: Vec<_> =
        report.errors.iter().map(|error| (error.kind, error.code, error.from, error.count)).collect();
    assert_eq!(told, [(Some(3), Some(13), Some(router), 5), (Some(5), Some(1), Some(router), 5)]);
}

#[test]
fn a_thousand_replies_to_each_packet_change_nothing_but_their_count() {
    let far = &mut |_, draft: &Draft| vec![Answer::from(echoed(draft)); 1000];
    let report = run(&ping(5), 1, &mut sim(), far);
    assert_eq!((report.counts.sent, report.counts.received), (5, 5));
    // With the last first reply the run is over.
    assert!((3 * 999..=5 * 999).contains(&report.counts.duplicates), "{:?}", report.counts);
}

#[test]
fn each_of_many_has_its_own_account() {
    let ping = Ping {
        count: 3,
        interval: Some(Span::millis(1)),
        per_target_interval: Some(Span::millis(50)),
        ..ping(3)
    };
    let dead = addresses(20)[4];
    let far = &mut |_, draft: &Draft| match draft.to {
        Some(to) if to == dead => vec![],
        _ => vec![echoed(draft).into()],
    };
    let report = run(&ping, 20, &mut sim(), far);
    assert_eq!((report.counts.sent, report.counts.received, report.alive), (60, 57, Some(19)));
    let lost: Vec<_> = report.targets.iter().filter(|target| target.rtt.is_none()).collect();
    assert_eq!((lost.len(), lost[0].address, lost[0].loss_ratio), (1, Some(dead.ip()), Some(1.0)));
    assert!(report.targets.iter().all(|target| target.counts.sent == 3));
    assert_eq!((report.loss_bursts.count, report.loss_bursts.longest), (1, 3));
}

#[test]
fn whoever_answered_is_asked_no_more_and_the_dead_as_often_as_wished() {
    let ping = Ping { alive: true, retries: Some(2), ..ping(1) };
    let dead = addresses(5)[2];
    let far = &mut |_, draft: &Draft| match draft.to {
        Some(to) if to == dead => vec![],
        _ => vec![echoed(draft).into()],
    };
    let report = run(&ping, 5, &mut sim(), far);
    let sent: Vec<u32> = report.targets.iter().map(|target| target.counts.sent).collect();
    assert_eq!(sent, [1, 1, 3, 1, 1]);
}

/// fping's waits: 0.5 s, and each of three more half as long again.
#[test]
fn whoever_is_asked_until_he_answers_is_waited_for_as_fping_waits() {
    let ping = Ping { target: "192.0.2.1".into(), unreach: true, ..Ping::default() };
    for hosts in [1, 3] {
        for (limit, ends) in [(4050, false), (4100, true)] {
            let mut engine = ping.engine(&addresses(hosts), 7, Events::none()).expect("an engine");
            let mut sim = Sim::new(clock::now(), 1);
            assert_eq!(
                sim.run(&mut engine, &mut |_, _| vec![], Duration::from_millis(limit)),
                ends,
                "{hosts}"
            );
        }
        let slow = &mut sim();
        slow.up.delay = Duration::from_millis(600);
        let report = run(&ping, hosts, slow, &mut |_, draft| vec![echoed(draft).into()]);
        assert_eq!((report.counts.received, report.counts.late), (hosts.into(), hosts.into()), "{report:?}");
        assert_eq!(report.counts.sent, 2 * u64::from(hosts), "the second wait is long enough");
    }
}

#[test]
fn a_reply_from_elsewhere_is_ours_only_with_the_secret() {
    let elsewhere: SocketAddr = "203.0.113.9:0".parse().expect("an address");
    let far = &mut |_, draft: &Draft| vec![Answer::Datagram(echoed(draft), Some(elsewhere), 60)];
    let known = run(&ping(4), 1, &mut sim(), far);
    assert_eq!((known.counts.received, known.ignored), (4, 0));
    let short = run(&Ping { size: 4, ..ping(4) }, 1, &mut sim(), far);
    assert_eq!((short.counts.received, short.ignored), (0, 4), "too short for a secret");
}

#[test]
fn everybody_who_answers_to_a_broadcast_is_listed() {
    let ping = Ping { broadcast: true, ..ping(3) };
    let from = |last: u8| Some(SocketAddr::from(([192, 0, 2, last], 0)));
    let far = &mut |_, draft: &Draft| {
        let answer = |last| Answer::Datagram(echoed(draft), from(last), 64);
        vec![answer(20), answer(21), answer(22), answer(21)]
    };
    let report = run(&ping, 1, &mut sim(), far);
    assert_eq!((report.counts.received, report.counts.duplicates), (3, 3));
    let heard: Vec<_> = report.responders.iter().map(|one| (one.address.to_string(), one.received)).collect();
    assert_eq!(
        heard,
        [("192.0.2.20".to_owned(), 3), ("192.0.2.21".to_owned(), 3), ("192.0.2.22".to_owned(), 3)]
    );
}

#[test]
fn more_packets_than_a_socket_has_numbers_are_all_accounted_for() {
    let ping = Ping { interval: Some(Span::millis(1)), ..ping(150_000) };
    let report = run(&ping, 1, &mut sim(), &mut |_, draft| vec![echoed(draft).into()]);
    assert_eq!((report.counts.sent, report.counts.received, report.counts.duplicates), (150_000, 150_000, 0));
}

#[test]
fn the_end_comes_at_the_deadline_and_leaves_no_loss_behind() {
    let ping = Ping { deadline: Some(Span::millis(95)), ..ping(1000) };
    let report = run(&ping, 1, &mut sim(), &mut |_, _| vec![]);
    assert_eq!((report.counts.sent, report.counts.pending), (0, 10));
}

#[test]
fn a_flood_goes_as_fast_as_the_path() {
    let ping = Ping { flood: true, interval: None, ..ping(100) };
    let mut sim = sim();
    sim.up.loss = 0.2;
    let report = run(&ping, 1, &mut sim, &mut |_, draft| vec![echoed(draft).into()]);
    assert_eq!((report.counts.sent, report.counts.sent - report.counts.received), (100, sim.truth_up.lost));
}

#[test]
fn dns_and_quic_replies_are_those_to_our_own_questions() {
    let dns = Ping { mode: Some(Mode::Dns), ..ping(5) };
    let answer = |draft: &Draft, damage: usize| {
        let mut reply = draft.bytes.clone();
        (reply[2], reply[3]) = (0x81, 0x83);
        reply[damage] ^= 1;
        vec![reply.into()]
    };
    let report = run(&dns, 1, &mut sim(), &mut |n, draft| answer(draft, if n == 2 { 14 } else { 3 }));
    assert_eq!((report.counts.received, report.corrupt), (4, 1), "NXDOMAIN is a reply");
    let quic = Ping { mode: Some(Mode::Quic), ..ping(3) };
    let negotiate = &mut |_, draft: &Draft| {
        let (to, from) = (&draft.bytes[15..23], &draft.bytes[6..14]);
        vec![[&[0x80, 0, 0, 0, 0, 8], to, &[8], from, &[0, 0, 0, 1]].concat().into()]
    };
    let report = run(&quic, 1, &mut sim(), negotiate);
    assert_eq!((report.counts.received, report.versions), (3, Some(vec![1])));
}

#[test]
fn what_finds_no_room_is_sent_again_and_the_rest_is_an_error() {
    let ping = ping(2);
    let mut engine = ping.engine(&addresses(1), 7, Events::none()).expect("an engine");
    let (mut now, mut out) = (clock::now(), Draft::default());
    assert_eq!(engine.poll(now, &mut out), Next::Send);
    engine.receive(now, Arrival::NotSent { send: 0, errno: nix::libc::EAGAIN, mtu: None });
    assert!(matches!(engine.poll(now, &mut out), Next::Wait(_)));
    now = now.after(Duration::from_millis(1));
    assert_eq!(engine.poll(now, &mut out), Next::Send);
    engine.receive(now, Arrival::NotSent { send: 1, errno: nix::libc::ENETUNREACH, mtu: None });
    assert_eq!(engine.poll(now, &mut out), Next::Done);
    let failure = ping.finish(engine).expect_err("nothing was sent");
    assert_eq!(failure.detail, "send to 192.0.2.1: network is unreachable");
}

#[test]
fn what_is_too_large_is_a_report_and_each_of_many_names_its_own_mtu() {
    for hosts in [1, 2] {
        let ping = Ping { interval: Some(Span::millis(1)), ..ping(1) };
        let mut engine = ping.engine(&addresses(hosts), 7, Events::none()).expect("an engine");
        let (mut now, mut out) = (clock::now(), Draft::default());
        for send in 0..hosts.into() {
            assert_eq!(engine.poll(now, &mut out), Next::Send);
            let mtu = Some(1400 + send as u32);
            engine.receive(now, Arrival::NotSent { send, errno: nix::libc::EMSGSIZE, mtu });
            now = now.after(Duration::from_millis(1));
        }
        assert_eq!(engine.poll(now, &mut out), Next::Done, "it is not tried again");
        let report = ping.finish(engine).expect("a report");
        assert_eq!((report.counts.sent, report.counts.send_errors), (0, hosts.into()));
        assert_eq!((report.loss_ratio, report.errors[0].count), (None, hosts.into()));
        let mtus: Vec<_> = report.targets.iter().map(|target| target.errors[0].mtu_bytes).collect();
        assert_eq!(mtus, if hosts == 1 { vec![] } else { vec![Some(1400), Some(1401)] });
        assert!(report.targets.iter().all(|target| target.failure.is_none()));
    }
}

#[test]
fn a_packet_brings_one_new_line_of_errors_however_many_are_sent_about_it() {
    let from = |n: u64| std::net::Ipv4Addr::from_bits(0x0a00_0000 + n as u32).into();
    let error = |n| Answer::Icmp { kind: 3, code: 1, from: from(n), mtu: 0, ttl: 60, extensions: Vec::new() };
    let far = &mut |n: u64, _: &Draft| (0..100).map(|forged| error(n * 100 + forged)).collect();
    let report = run(&ping(10), 1, &mut sim(), far);
    assert_eq!((report.errors.len(), report.counts.sent, report.counts.received), (10, 10, 0));
    assert!(report.errors_unlisted >= 9 * 99, "{}", report.errors_unlisted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever arrives, whenever: it ends, nothing panics, and the counts hold together.
    #[test]
    fn a_hostile_far_side_cannot_break_the_account(
        seed: u64,
        size in 0u16..60,
        junk in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 1..6),
        icmp in prop::collection::vec(any::<(u8, u8, u32)>(), 1..4),
    ) {
        let ping = Ping { size, ..ping(40) };
        let mut sim = sim();
        (sim.down.jitter, sim.down.loss) = (Duration::from_millis(150), 0.2);
        let mut rng = crate::stats::Rng::new(seed);
        let far = &mut |_, draft: &Draft| match rng.bits() % 6 {
            0 => vec![],
            1 => vec![junk[rng.bits() as usize % junk.len()].clone().into()],
            2 => {
                let mut reply = echoed(draft);
                let at = rng.bits() as usize % reply.len();
                reply[at] ^= rng.bits() as u8;
                vec![reply.into()]
            }
            3 => {
                let (kind, code, mtu) = icmp[rng.bits() as usize % icmp.len()];
                let from = "198.51.100.1".parse().expect("an address");
                vec![Answer::Icmp { kind, code, from, mtu, ttl: 1, extensions: junk[0].clone() }; 2]
            }
            4 => vec![echoed(draft)[..(rng.bits() % 20) as usize % echoed(draft).len()].to_vec().into()],
            _ => vec![echoed(draft).into(), echoed(draft).into()],
        };
        let report = run(&ping, 3, &mut sim, far);
        let counts = report.counts;
        prop_assert_eq!(counts.sent, 120);
        prop_assert!(counts.received + counts.late <= counts.sent);
        prop_assert!(report.rtt.is_none_or(|rtt| rtt.max <= Duration::from_millis(100)));
        prop_assert_eq!(report.targets.iter().map(|target| u64::from(target.counts.received)).sum::<u64>(), counts.received);
    }
}
