//! Traces through simulated networks, in virtual time.

use std::net::IpAddr;
use std::time::Duration;

use super::carrier::Kind;
use super::report::Report;
use super::world::{Fate, Seen, TARGET, exceeded, flows, icmp, play, router, with_witness};
use super::{Hop, Mark, Mtr, Protocol};
use crate::net::sim::Answer;
use crate::probe::{Event, Events, Findings};
use crate::units::Span;

const MS: Duration = Duration::from_millis(1);

fn asked(count: u64) -> Mtr {
    Mtr {
        target: "t.example".into(),
        count,
        interval: Span::millis(100),
        protocol: Protocol::Udp,
        ..Mtr::default()
    }
}

/// The report of a trace through the network, and how long it took.
fn traced(asked: &Mtr, kind: Kind, fate: &mut dyn FnMut(Seen) -> Fate) -> (Report, Duration) {
    let check = kind != Kind::Echo;
    let sockets = flows(kind, asked.flows, check);
    let mut trace = asked.trace(&sockets, (TARGET, 0).into(), 7, Events::none());
    let took = play(&mut trace, 1, Duration::from_secs(600), fate).expect("it ends");
    (trace.finish().report(asked, false), took)
}

/// A line of so many routers, then the target.
fn line(routers: u8) -> impl Fn(Seen) -> Fate {
    move |seen| if seen.ttl <= routers { Fate::Exceeded(router(seen.ttl)) } else { Fate::Reached }
}

fn addresses(report: &Report) -> Vec<Option<IpAddr>> {
    report.hops.iter().map(|hop| hop.addresses.first().map(|address| address.ip)).collect()
}

fn counts(hop: &Hop) -> (u64, u64) {
    (hop.counts.sent, hop.counts.received)
}

#[test]
fn a_line_is_traced_with_one_probe_for_each_hop_and_cycle() {
    for (kind, routers) in
        [Kind::Echo, Kind::Udp].into_iter().flat_map(|kind| (0..=29).map(move |n| (kind, n)))
    {
        let (report, took) = traced(&asked(10), kind, &mut |seen| line(routers)(seen));
        let expected: Vec<Option<IpAddr>> =
            (1..=routers).map(router).chain([TARGET.into()]).map(Some).collect();
        assert_eq!(addresses(&report), expected);
        assert!(
            report.reached && report.hops.iter().all(|hop| counts(hop) == (10, 10)),
            "{routers} {kind:?}"
        );
        assert!(report.hops.iter().all(|hop| hop.loss_ratio == Some(0.0) && !hop.rate_limited));
        assert_eq!((report.path_changes, report.ignored), (0, 0));
        // Nine intervals, then the last reply.
        assert!((900 * MS..=911 * MS).contains(&took), "{took:?}");
    }
}

#[test]
fn a_silent_hop_is_no_loss_and_costs_no_time_at_the_end() {
    let mut fate = |seen: Seen| if seen.ttl == 2 { Fate::Silence } else { line(4)(seen) };
    let (report, took) = traced(&asked(10), Kind::Echo, &mut fate);
    assert_eq!(addresses(&report)[1], None);
    assert_eq!((report.hops[1].loss_ratio, report.hops[1].answered_ratio), (None, Some(0.0)));
    assert_eq!(report.hops[4].loss_ratio, Some(0.0));
    assert!(took <= 1_001 * MS, "the least grace for the silent hop: {took:?}");
}

#[test]
fn a_dead_target_is_given_up_after_so_many_silent_hops() {
    let mut fate = |seen: Seen| if seen.ttl <= 3 { Fate::Exceeded(router(seen.ttl)) } else { Fate::Silence };
    let (report, took) = traced(&asked(3), Kind::Echo, &mut fate);
    assert_eq!((report.hops.len(), report.reached, report.replied()), (4, false, false));
    assert_eq!(counts(&report.hops[3]), (3, 0));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_hop_that_rations_is_rate_limited_and_never_lossy() {
    for kind in [Kind::Echo, Kind::Udp] {
        // One answer in each second, as icmp_ratelimit does.
        let mut last = None;
        let mut fate = |seen: Seen| match seen.ttl {
            1 if last.is_none_or(|last: Duration| seen.at >= last + 1000 * MS) => {
                last = Some(seen.at);
                Fate::Exceeded(router(1))
            }
            1 => Fate::Silence,
            _ => line(3)(seen),
        };
        let (report, _) = traced(&asked(20), kind, &mut fate);
        let hop = &report.hops[0];
        assert!(hop.rate_limited && hop.loss_ratio.is_none(), "{hop:?}");
        assert_eq!(hop.answered_ratio, Some(2.0 / 20.0));
        assert!(report.hops[1..].iter().all(|hop| hop.loss_ratio == Some(0.0) && !hop.rate_limited));
    }
}

#[test]
fn a_healthy_target_that_rations_port_unreachables_loses_nothing() {
    let mut last = None;
    let mut fate = |seen: Seen| {
        if seen.is_echo || seen.ttl <= 3 {
            return line(3)(seen);
        }
        match last.is_none_or(|last: Duration| seen.at >= last + 1000 * MS) {
            true => {
                last = Some(seen.at);
                Fate::Reached
            }
            false => Fate::Silence,
        }
    };
    let (report, _) = traced(&asked(20), Kind::Udp, &mut fate);
    let end = report.end().expect("it is reached");
    assert!(end.rate_limited && end.loss_ratio.is_none(), "{end:?}");
    assert_eq!(report.check.map(|check| (check.sent, check.received)), Some((20, 20)));
}

#[test]
fn loss_that_begins_at_a_hop_goes_on_to_the_target() {
    // Every fifth cycle, nothing passes the second router. Probes of a cycle come together.
    let mut fate = |seen: Seen| match seen.at.as_millis() / 100 % 5 {
        3 if seen.ttl >= 3 => Fate::Silence,
        _ => line(4)(seen),
    };
    let (report, _) = traced(&asked(100), Kind::Udp, &mut fate);
    let loss: Vec<Option<f64>> = report.hops.iter().map(|hop| hop.loss_ratio).collect();
    assert_eq!(loss, [Some(0.0), Some(0.0), Some(0.2), Some(0.2), Some(0.2)]);
}

#[test]
fn a_path_change_is_counted_once_however_many_hops_it_changes() {
    for (shorter, before) in [(0, 3), (1, 3), (0, 4)] {
        let mut fate = |seen: Seen| {
            let moved = seen.at >= 450 * MS;
            match (seen.ttl, moved) {
                (1, _) => Fate::Exceeded(router(1)),
                (ttl, true) if ttl <= before - shorter => Fate::Exceeded(router(100 + ttl)),
                (_, true) => Fate::Reached,
                (_, false) => line(before)(seen),
            }
        };
        let (report, _) = traced(&asked(10), Kind::Echo, &mut fate);
        assert_eq!(report.path_changes, 1, "{shorter} {before}");
        let [change] = &report.changes[..] else { panic!("{:?}", report.changes) };
        assert_eq!((change.cycle, change.ttl, change.from, change.to), (6, 2, router(2), router(102)));
        assert_eq!((change.hops, change.flow), (u64::from(before) - 1, 0), "{shorter} {before}");
        assert!(!report.hops[1].per_packet);
        assert_eq!(report.hops.len(), usize::from(before - shorter) + 1);
    }
    // Longer by one: the target is found again.
    let mut fate = |seen: Seen| line(if seen.at >= 450 * MS { 4 } else { 3 })(seen);
    let (report, _) = traced(&asked(10), Kind::Echo, &mut fate);
    assert_eq!((report.hops.len(), report.reached, report.path_changes), (5, true, 1));
}

#[test]
fn a_run_whose_path_changes_tells_the_fingerprint_before_and_after() {
    let moving = |at: u32| {
        move |seen: Seen| match seen.ttl {
            2 if seen.at >= at * MS => Fate::Exceeded(router(102)),
            _ => line(4)(seen),
        }
    };
    let of = |at: u32| traced(&asked(10), Kind::Echo, &mut moving(at)).0;
    let (old, new) = (of(10_000), of(0));
    assert_eq!((&old.latest_fingerprint, &new.latest_fingerprint), (&None, &None));
    assert_ne!(old.fingerprint, new.fingerprint);
    for (at, most) in [(750, &old), (250, &new)] {
        let report = of(at);
        assert_eq!(report.fingerprint, most.fingerprint, "the path that was seen most");
        assert_eq!(report.latest_fingerprint.as_ref(), Some(&new.fingerprint));
    }
}

#[test]
fn whoever_watches_is_told_of_a_change_and_of_what_proves_to_be_none() {
    let told = |fate: &mut dyn FnMut(Seen) -> Fate| {
        let (events, mut heard) = Events::channel(4096);
        let mut trace = asked(20).trace(&flows(Kind::Echo, 1, false), (TARGET, 0).into(), 7, events);
        play(&mut trace, 1, Duration::from_secs(600), fate).expect("it ends");
        drop(trace);
        let mut all = Vec::new();
        while let Ok(event) = heard.try_recv() {
            if let Event::Path { changes, latest } = event {
                all.push((changes, latest.map(|change| (change.cycle, change.ttl))));
            }
        }
        all
    };
    let mut moving = |seen: Seen| match seen.ttl {
        2 if seen.at >= 450 * MS => Fate::Exceeded(router(102)),
        _ => line(4)(seen),
    };
    assert_eq!(told(&mut moving), [(1, Some((6, 2)))]);
    let mut balanced = |seen: Seen| match seen.ttl {
        2 if seen.at.as_millis() / 100 % 2 == 1 => Fate::Exceeded(router(102)),
        _ => line(4)(seen),
    };
    assert_eq!(told(&mut balanced).last(), Some(&(0, None)));
}

#[test]
fn packets_that_are_balanced_one_by_one_change_no_path() {
    let mut fate = |seen: Seen| match seen.ttl {
        2 if seen.number.is_multiple_of(2) => Fate::Exceeded(router(102)),
        _ => line(4)(seen),
    };
    let (report, _) = traced(&asked(20), Kind::Echo, &mut fate);
    assert!(report.hops[1].per_packet && report.hops[1].addresses.len() == 2);
    assert_eq!(report.path_changes, 0);
}

#[test]
fn a_barrier_ends_the_path_with_its_mark() {
    for (code, mark) in [(0, Mark::Network), (1, Mark::Host), (13, Mark::Prohibited)] {
        let mut fate = |seen: Seen| match seen.ttl {
            1..=3 => Fate::Exceeded(router(seen.ttl)),
            _ => Fate::Answers(vec![icmp(3, code, router(4))]),
        };
        let (report, _) = traced(&asked(10), Kind::Echo, &mut fate);
        assert_eq!((report.hops.len(), report.reached), (4, false));
        assert_eq!((report.hops[3].mark, counts(&report.hops[3])), (Some(mark), (10, 10)));
    }
}

#[test]
fn hostile_replies_are_ignored_and_counted() {
    let odd = Answer::Datagram(vec![0; 64], None, 1);
    let mut fate = |seen: Seen| match seen.ttl {
        // A thousand answers to each probe.
        1 => Fate::Answers(vec![exceeded(router(1)); 1000]),
        // Kinds of error that say nothing of a path.
        2 => Fate::Answers(vec![
            icmp(200, 7, router(9)),
            icmp(4, 0, router(9)),
            odd.clone(),
            exceeded(router(2)),
        ]),
        _ => line(3)(seen),
    };
    let (report, took) = traced(&asked(10), Kind::Echo, &mut fate);
    assert_eq!(counts(&report.hops[0]), (10, 10));
    assert_eq!(report.hops[0].counts.duplicates, 9_990);
    assert_eq!((counts(&report.hops[1]), report.hops[1].addresses.len()), ((10, 10), 1));
    assert_eq!(report.ignored, 30);
    assert!(report.hops.iter().all(|hop| hop.loss_ratio == Some(0.0)));
    assert!(took < 1_000 * MS);
}

#[test]
fn routers_that_quote_too_little_hold_up_nobody() {
    for terse in [&[3][..], &[2, 4], &[1, 2, 3, 4, 5]] {
        // Silent hops are among those that may have said it.
        for silent in [0, 6] {
            let mut fate = |seen: Seen| match seen.ttl {
                ttl if ttl == silent => Fate::Silence,
                ttl if terse.contains(&ttl) => Fate::Terse(router(ttl)),
                _ => line(7)(seen),
            };
            let (report, took) = traced(&asked(30), Kind::Udp, &mut fate);
            let expected: Vec<Option<IpAddr>> = (1..=7)
                .map(|ttl| Some(router(ttl)).filter(|_| ttl != silent))
                .chain([Some(TARGET.into())])
                .collect();
            assert_eq!(addresses(&report), expected, "{terse:?} {silent}");
            for hop in report.hops.iter().filter(|hop| hop.ttl != silent) {
                assert_eq!((counts(hop), hop.counts.late), ((30, 30), 0), "{terse:?} {silent}: {hop:?}");
            }
            assert_eq!(report.ignored, 0, "{terse:?} {silent}");
            // 29 intervals, and nobody waits to the end for those.
            assert!(took <= 3_001 * MS, "{terse:?} {silent}: {took:?}");
        }
    }
}

#[test]
fn a_translator_is_seen_by_what_it_cannot_take_back() {
    for kind in [Kind::Echo, Kind::Udp] {
        for first in [2, 4, 9] {
            let sockets = with_witness(flows(kind, 1, kind != Kind::Echo));
            let asked = asked(3);
            let mut trace = asked.trace(&sockets, (TARGET, 0).into(), 7, Events::none());
            let mut fate = |seen: Seen| match line(5)(seen) {
                Fate::Exceeded(from) if seen.ttl >= first => Fate::Translated(from),
                fate => fate,
            };
            let took = play(&mut trace, 1, Duration::from_secs(600), &mut fate).expect("it ends");
            let report = trace.finish().report(&asked, false);
            let nat: Vec<Option<bool>> = report.hops.iter().map(|hop| hop.nat).collect();
            let expected = |ttl| match (ttl, first) {
                (6, 9) => None,
                (ttl, first) => Some(ttl >= first),
            };
            assert_eq!(nat, (1..=6).map(expected).collect::<Vec<_>>(), "{kind:?} {first}");
            assert_eq!(report.translator, Some(router(first - 1)).filter(|_| first < 9));
            assert!(report.hops.iter().all(|hop| counts(hop) == (3, 3)), "what asks beside does not count");
            assert!(took <= 221 * MS && report.ignored == 0, "{took:?}");
        }
    }
}

#[test]
fn a_loop_ends_at_the_last_ttl() {
    let mut fate = |seen: Seen| Fate::Exceeded(router(1 + seen.ttl % 2));
    let (report, took) = traced(&asked(3), Kind::Echo, &mut fate);
    assert_eq!((report.hops.len(), report.reached, report.loop_ttl), (30, false, Some(1)));
    assert!(took < Duration::from_secs(2));
    // A router that lets probes pass whose TTL is over shows up twice, and is no loop.
    let mut fate = |seen: Seen| match seen.ttl {
        2 | 3 => Fate::Exceeded(router(2)),
        ttl if ttl > 4 => Fate::Silence,
        _ => line(4)(seen),
    };
    assert_eq!(traced(&asked(2), Kind::Echo, &mut fate).0.loop_ttl, None);
}

#[test]
fn each_flow_keeps_its_own_path() {
    let mut fate = |seen: Seen| match (seen.ttl, seen.flow) {
        (2, flow) if !seen.is_echo => Fate::Exceeded(router(100 + flow as u8)),
        _ => line(3)(seen),
    };
    let (report, _) = traced(&Mtr { flows: 4, ..asked(5) }, Kind::Udp, &mut fate);
    let second: Vec<Option<IpAddr>> = report.flows.iter().map(|flow| flow.path[1]).collect();
    assert_eq!(second, [100, 101, 102, 103].map(|number| Some(router(number))));
    assert_eq!(
        report.hops[1].addresses.iter().map(|address| address.share_ratio).collect::<Vec<_>>(),
        [0.25; 4]
    );
    assert_eq!((report.path_changes, counts(&report.hops[1])), (0, (20, 20)));
}

#[test]
fn labels_and_interfaces_are_told_and_oversized_extensions_are_not() {
    let told = |extensions: Vec<u8>| match exceeded(router(1)) {
        Answer::Icmp { kind, code, from, mtu, ttl, .. } => {
            Answer::Icmp { kind, code, from, mtu, ttl, extensions }
        }
        other => other,
    };
    let labels = vec![0x20, 0, 0, 0, 0, 12, 1, 1, 0x05, 0xdc, 0xf0, 1, 0, 1, 0x31, 7];
    let mut endless = vec![0x20, 0, 0, 0];
    (0..5000).for_each(|_| endless.extend([0, 4, 1, 1]));
    let mut fate = |seen: Seen| match seen.ttl {
        1 => Fate::Answers(vec![told(labels.clone())]),
        2 => Fate::Answers(vec![told(endless.clone())]),
        _ => line(3)(seen),
    };
    let (report, _) = traced(&asked(2), Kind::Echo, &mut fate);
    let seen: Vec<(u32, u8, bool, u8)> = report.hops[0]
        .mpls
        .iter()
        .map(|label| (label.label, label.class, label.is_last, label.ttl))
        .collect();
    assert_eq!(seen, [(24_015, 0, false, 1), (19, 0, true, 7)]);
    assert!(report.hops[1].mpls.is_empty() && counts(&report.hops[1]) == (2, 2));
}

mod mda {
    use std::collections::BTreeSet;

    use super::super::mda::MOST_FLOWS;
    use super::super::multipath::Multipath;
    use super::super::options::Mda;
    use super::*;
    use crate::stats::Rng;

    /// What a search finds, and how long it took.
    fn searched(seed: u64, mode: Mda, fate: &mut dyn FnMut(Seen) -> Fate) -> (Multipath, Duration) {
        let asked = Mtr { mda: Some(mode), ..asked(1) };
        let sockets = flows(Kind::Udp, MOST_FLOWS, false);
        let mut search = asked.search(&sockets, mode, (TARGET, 0).into(), seed, Events::none());
        let took = play(&mut search, seed, Duration::from_secs(600), fate).expect("it ends");
        (search.finish().1, took)
    }

    #[test]
    fn a_search_asks_who_translates_where_it_may() {
        for (witness, first) in [(false, 2), (true, 2), (true, 3), (true, 9)] {
            let asked = Mtr { mda: Some(Mda::Lite), ..asked(1) };
            let plain = flows(Kind::Udp, MOST_FLOWS, false);
            let sockets = if witness { with_witness(plain) } else { plain };
            let mut search = asked.search(&sockets, Mda::Lite, (TARGET, 0).into(), 3, Events::none());
            let mut fate = |seen: Seen| match diamond(3, 4)(seen) {
                Fate::Exceeded(from) if seen.ttl >= first => Fate::Translated(from),
                fate => fate,
            };
            play(&mut search, 3, Duration::from_secs(600), &mut fate).expect("it ends");
            let (findings, paths) = search.finish();
            let report = findings.report(&asked, false);
            let nat: Vec<Option<bool>> = report.hops.iter().map(|hop| hop.nat).collect();
            let expected = |ttl| match (ttl, first) {
                (4, 9) => None,
                (ttl, first) => Some(ttl >= first).filter(|_| witness),
            };
            assert_eq!(nat, (1..=4).map(expected).collect::<Vec<_>>(), "{witness} {first}");
            assert!(paths.complete && paths.width == 4, "{paths:?}");
        }
    }

    /// Which of so many ways a flow takes at a hop, in the world of `seed`.
    fn way(seed: u64, hop: u8, flow: usize, ways: u8) -> u8 {
        let mut draw = Rng::new(seed ^ u64::from(hop) << 32 ^ (flow as u64) << 8);
        draw.bits();
        (draw.bits() % u64::from(ways)) as u8
    }

    /// Router 1, so many ways at hop 2, router 3 again, then the target.
    fn diamond(seed: u64, ways: u8) -> impl Fn(Seen) -> Fate {
        move |seen| match seen.ttl {
            2 => Fate::Exceeded(router(100 + way(seed, 2, seen.flow, ways))),
            _ => line(3)(seen),
        }
    }

    fn at(paths: &Multipath, ttl: u8) -> BTreeSet<Option<IpAddr>> {
        paths.nodes.iter().filter(|node| node.ttl == ttl).map(|node| node.ip).collect()
    }

    #[test]
    fn a_single_path_costs_nine_flows_and_no_time() {
        let (paths, took) = searched(1, Mda::Lite, &mut |seen| line(10)(seen));
        assert_eq!((paths.width, paths.nodes.len(), paths.links.len()), (1, 11, 10));
        assert!(paths.complete && paths.probes <= 9 * 11 + 16, "{} probes", paths.probes);
        assert!(took < 100 * MS, "{took:?}");
    }

    #[test]
    fn all_ways_of_a_diamond_are_found_as_often_as_promised() {
        let (mut all, mut found) = (0, 0);
        for ways in [2, 3, 5, 8, 12, 16] {
            let seeds = 800 / u64::from(ways);
            let whole = (0..seeds)
                .filter(|&seed| {
                    let (paths, _) = searched(seed, Mda::Lite, &mut |seen| diamond(seed, ways)(seen));
                    let links = paths.links.len() == 2 * usize::from(ways) + 1;
                    at(&paths, 2).len() == usize::from(ways) && links && paths.complete
                })
                .count();
            (all, found) = (all + seeds, found + whole as u64);
            // Each kind of diamond by chance a little less often, never by more than chance explains.
            let chance = super::super::judge::at_most(whole as u64, seeds, 0.95);
            assert!(chance > 0.01, "{ways} ways: {whole} of {seeds}");
        }
        assert!(found * 100 >= all * 95, "{found} of {all}");
    }

    #[test]
    fn meshed_paths_are_searched_node_by_node() {
        for mode in [Mda::Lite, Mda::Full] {
            let whole = (0..60u64)
                .filter(|&seed| {
                    // Each of three routers leads to each of four.
                    let (paths, _) = searched(seed, mode, &mut |seen| match seen.ttl {
                        2 => Fate::Exceeded(router(100 + way(seed, 2, seen.flow, 3))),
                        3 => Fate::Exceeded(router(150 + way(seed, 3, seen.flow, 4))),
                        _ => line(5)(seen),
                    });
                    (at(&paths, 2).len(), at(&paths, 3).len(), paths.links.len()) == (3, 4, 3 + 12 + 4 + 2)
                })
                .count();
            assert!(whole >= 54, "{mode:?}: {whole} of 60");
        }
    }

    #[test]
    fn branches_of_unequal_length_end_at_the_target() {
        // Half of the flows have one router more.
        let (paths, _) = searched(3, Mda::Lite, &mut |seen| match (seen.ttl, way(3, 2, seen.flow, 2)) {
            (1, _) => Fate::Exceeded(router(1)),
            (2, branch) => Fate::Exceeded(router(100 + branch)),
            (3, 1) => Fate::Exceeded(router(200)),
            _ => Fate::Reached,
        });
        let target = || Some(IpAddr::from(TARGET));
        assert_eq!(at(&paths, 3), [target(), Some(router(200))].into());
        assert_eq!(at(&paths, 4), [target()].into());
        assert!(paths.complete, "{paths:?}");
    }

    #[test]
    fn packets_that_are_balanced_one_by_one_are_told() {
        let (paths, _) = searched(1, Mda::Lite, &mut |seen| match seen.ttl {
            2 => Fate::Exceeded(router(100 + (seen.number % 2) as u8)),
            _ => line(3)(seen),
        });
        assert!(paths.nodes.iter().all(|node| node.per_packet == (node.ttl == 2)), "{paths:?}");
        let (paths, _) = searched(1, Mda::Lite, &mut |seen| diamond(1, 4)(seen));
        assert!(paths.nodes.iter().all(|node| !node.per_packet));
    }

    #[test]
    fn silence_ends_a_search_and_stands_in_it() {
        let (paths, took) = searched(1, Mda::Lite, &mut |seen| match seen.ttl {
            2 => Fate::Silence,
            _ => line(4)(seen),
        });
        assert_eq!(at(&paths, 2), [None].into());
        assert!(paths.complete && took < Duration::from_secs(2), "{took:?}");
        let (paths, took) = searched(1, Mda::Lite, &mut |_| Fate::Silence);
        assert!(took < Duration::from_secs(20), "{took:?} {}", paths.probes);
    }
}
