//! Ways of every shape: the answer is exact, and a black hole is named where there is one and nowhere else.

use serde_json::{Value, json};

use super::{addresses, mute, output, report};
use crate::lab::{Direction, Hook, Lab, Percent, alone};
use crate::udpping::serving::Serving;

/// Checks one answer: the path MTU, and after which hop there is a black hole, if there is one.
#[track_caller]
fn check(report: &Value, pmtu: u16, hole: Option<u8>) {
    assert_eq!(report["pmtu_bytes"], pmtu, "{report}");
    // What fills the interface is all that could be tried.
    let fills = report["local_mtu_bytes"] == pmtu;
    let is_asked = report["bounded_by"] == "asked";
    let bounded_by = if fills { json!("interface") } else { Value::Null };
    assert!(is_asked || report["bounded_by"] == bounded_by, "{report}");
    assert_eq!(report["exact"], !fills && !is_asked, "{report}");
    match hole {
        Some(hop) => assert_eq!(report["black_hole"]["after_hop"], hop, "{report}"),
        None => assert_eq!(report["black_hole"], Value::Null, "{report}"),
    }
}

#[test]
fn a_clean_way_takes_what_the_interface_takes() {
    let lab = Lab::line(3).build();
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "");
        check(&found, 1500, None);
        assert_eq!((&found["local_mtu_bytes"], &found["interface"]), (&json!(1500), &json!("up0")));
        assert_eq!((&found["advice"], &found["icmp_pmtu_bytes"]), (&Value::Null, &Value::Null), "{found}");
        assert!(found["counts"]["sent"].as_u64() <= Some(60), "{found}");
    }
}

#[test]
fn what_was_not_tried_is_not_claimed() {
    let lab = Lab::line(1).build();
    let [target, _] = addresses(lab.server());
    let own = std::net::IpAddr::from([127, 0, 0, 1]);
    for (target, asked, pmtu, bounded_by) in [
        (target, "--max 1000", 1000, "asked"),
        (target, "--max 1500", 1500, "interface"),
        (own, "", 9216, "limit"),
    ] {
        let found = report(lab.client(), target, asked);
        assert_eq!((&found["pmtu_bytes"], &found["exact"]), (&json!(pmtu), &json!(false)), "{asked} {found}");
        assert_eq!(found["bounded_by"], bounded_by, "{asked} {found}");
    }
    lab.link(1).mtu(1000);
    let found = report(lab.client(), target, "--max 1000");
    assert_eq!((&found["pmtu_bytes"], &found["bounded_by"]), (&json!(1000), &json!("asked")), "{found}");
    let found = report(lab.client(), target, "--max 1001");
    assert_eq!((&found["exact"], &found["bounded_by"]), (&json!(true), &Value::Null), "{found}");
}

#[test]
fn what_passed_is_counted_once() {
    let lab = Lab::line(1).build();
    let serving = Serving::start(lab.server());
    for target in addresses(lab.server()) {
        for method in ["-M icmp", "-M reflector"] {
            let found = report(lab.client(), target, method);
            let sizes = found["sizes"].as_array().expect("sizes");
            let passed: u64 = sizes.iter().filter_map(|size| size["passed"].as_u64()).sum();
            assert_eq!(json!(passed), found["counts"]["received"], "{found}");
        }
    }
    drop(serving);
}

#[test]
fn links_of_every_usual_size_are_found_and_the_router_before_them_named() {
    for mtu in [1280, 1400, 1420, 1492, 1499] {
        let lab = Lab::line(3).build();
        lab.link(2).mtu(mtu);
        for target in addresses(lab.server()) {
            let found = report(lab.client(), target, "--no-tcp");
            check(&found, mtu, None);
            assert_eq!(found["icmp_pmtu_bytes"], mtu, "{found}");
            let router = lab.router(2);
            let told = &found["too_big"][0];
            assert_eq!((&told["hop"], &told["mtu_bytes"]), (&json!(2), &json!(mtu)), "{found}");
            assert!(addresses(router).iter().any(|address| told["from"] == address.to_string()), "{found}");
            let headers = if target.is_ipv4() { 40 } else { 60 };
            assert_eq!(found["advice"]["mss_clamp_bytes"], mtu - headers, "{found}");
        }
    }
}

#[test]
fn small_links_of_ipv4_are_found_too() {
    for mtu in [68, 296, 576, 1006] {
        for says in [true, false] {
            let lab = Lab::line(2).build();
            lab.router(1).ip(&format!("link set up0 mtu {mtu}"));
            let _mute = (!says).then(|| mute(lab.router(1)));
            let found = report(lab.client(), lab.server().address4(), "");
            check(&found, mtu, (!says).then_some(1));
        }
    }
}

#[test]
fn a_black_hole_is_named_20_times_of_20_within_2_s() {
    let _alone = alone();
    let lab = Lab::line(3).build();
    lab.link(1).mtu(1400);
    let _mute = mute(lab.router(1));
    for run in 0..20 {
        let target = addresses(lab.server())[run % 2];
        let found = report(lab.client(), target, "");
        check(&found, 1400, Some(1));
        let hole = &found["black_hole"];
        assert_eq!((&hole["direction"], &hole["from_bytes"]), (&json!("forward"), &json!(1401)), "{found}");
        let router = addresses(lab.router(1))[run % 2].to_string();
        assert_eq!((&hole["after"], &hole["before_hop"]), (&json!(router), &json!(2)), "{found}");
        assert!(found["elapsed_ms"].as_f64() < Some(2000.0), "{found}");
        assert!(found["counts"]["sent"].as_u64() <= Some(60), "{found}");
    }
}

#[test]
fn a_length_filter_is_a_black_hole_where_it_stands() {
    for router in 1..=3 {
        let lab = Lab::line(3).build();
        let filter = lab.router(router).rule(Hook::Forward, "iifname dn0 meta length > 1400", "drop");
        for target in addresses(lab.server()) {
            let found = report(lab.client(), target, "");
            check(&found, 1400, Some(router));
        }
        assert!(filter.dropped() > 0);
    }
}

#[test]
fn a_narrow_last_link_is_told_from_a_narrow_way_back() {
    let lab = Lab::line(2).build();
    lab.link(2).mtu(1300);
    let _mute = mute(lab.router(2));
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "");
        check(&found, 1300, Some(2));
        assert_eq!(found["black_hole"]["direction"], "forward", "{found}");
    }
}

#[test]
fn jumbo_frames_are_found_end_to_end_and_where_they_end() {
    let lab = Lab::line(2).build();
    (0..=2).for_each(|link| lab.link(link).mtu(9000));
    for target in addresses(lab.server()) {
        check(&report(lab.client(), target, ""), 9000, None);
    }
    lab.link(1).mtu(1500);
    for target in addresses(lab.server()) {
        check(&report(lab.client(), target, ""), 1500, None);
    }
    let _mute = mute(lab.router(1));
    for target in addresses(lab.server()) {
        check(&report(lab.client(), target, ""), 1500, Some(1));
    }
}

#[test]
fn several_narrow_links_are_named_in_a_row() {
    let lab = Lab::line(3).build();
    for (link, mtu) in [(1, 1480), (2, 1400), (3, 1300)] {
        lab.link(link).mtu(mtu);
    }
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "");
        check(&found, 1300, None);
        let told: Vec<_> =
            found["too_big"].as_array().unwrap().iter().map(|one| one["mtu_bytes"].clone()).collect();
        assert_eq!(told, [1480, 1400, 1300], "{found}");
    }
}

#[test]
fn a_hole_on_the_way_back_is_told_by_a_reflector_and_by_a_closed_port() {
    let lab = Lab::line(2).build();
    let _back = lab.router(2).rule(Hook::Forward, "iifname up0 meta length > 1300", "drop");
    for target in addresses(lab.server()) {
        reverse(&report(lab.client(), target, "-M icmp"));
        for threshold in ["black_hole>0", "reverse_pmtu<1500B"] {
            let ended = output(lab.client(), target, &format!("-M icmp --fail-on {threshold}"));
            assert_eq!(ended.status.code(), Some(1), "{threshold}");
        }
    }
    let _serving = Serving::start(lab.server());
    for target in addresses(lab.server()) {
        reverse(&report(lab.client(), target, "-M reflector"));
        reverse(&report(lab.client(), target, ""));
    }
}

/// 1500 octets arrive, and 1300 come back.
#[track_caller]
fn reverse(found: &Value) {
    let sizes = (&found["pmtu_bytes"], &found["reverse_pmtu_bytes"]);
    assert_eq!((sizes, &found["reverse_exact"]), ((&json!(1500), &json!(1300)), &json!(true)), "{found}");
    let hole = &found["black_hole"];
    assert_eq!((&hole["direction"], &hole["from_bytes"]), (&json!("reverse"), &json!(1301)), "{found}");
}

#[test]
fn a_narrow_way_back_that_works_is_seen_in_what_comes_in_pieces() {
    let lab = Lab::line(2).build();
    let router = lab.router(2);
    router.ip("route replace 10.200.0.0/30 via 10.200.1.1 mtu lock 1400\n");
    router.ip("route replace fd00:200:0::/64 via fd00:200:1::1 mtu 1400\n");
    let check = |found: &Value| {
        check(found, 1500, None);
        assert_eq!(found["reverse_pmtu_bytes"], 1400, "{found}");
        assert_eq!(found["advice"]["mtu_bytes"], 1400, "{found}");
    };
    for target in addresses(lab.server()) {
        check(&report(lab.client(), target, "-M icmp"));
    }
    let _serving = Serving::start(lab.server());
    for target in addresses(lab.server()) {
        check(&report(lab.client(), target, "-M reflector"));
    }
}

#[test]
fn less_than_ipv6_allows_is_found_all_the_same() {
    let lab = Lab::line(2).build();
    let _filter = lab.router(1).rule(Hook::Forward, "iifname dn0 meta length > 1000", "drop");
    check(&report(lab.client(), lab.server().address6(), ""), 1000, Some(1));
}

#[test]
fn what_was_asked_bounds_what_is_tried() {
    let lab = Lab::line(1).build();
    let found = report(lab.client(), lab.server().address4(), "--min 1000 --max 1300 --hops");
    check(&found, 1300, None);
    assert_eq!(found["bounded_by"], "asked", "{found}");
    let sizes = found["sizes"].as_array().expect("sizes");
    assert!(sizes.iter().all(|size| (1000..=1300).contains(&size["bytes"].as_u64().unwrap())), "{found}");
    let hops = found["hops"].as_array().expect("hops");
    assert_eq!(hops.len(), 2, "{found}");
    assert_eq!(hops[0]["address"], lab.router(1).address4().to_string(), "{found}");
    assert_eq!((&hops[1]["target"], &hops[1]["large"]), (&json!(true), &json!(true)), "{found}");
}

#[test]
fn both_ways_may_differ() {
    let lab = Lab::line(2).build();
    let _serving = Serving::start(lab.server());
    lab.link(1).mtu(1450);
    let _back = lab.router(2).rule(Hook::Forward, "iifname up0 meta length > 1350", "drop");
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "-M reflector");
        let sizes = (&found["pmtu_bytes"], &found["reverse_pmtu_bytes"], &found["icmp_pmtu_bytes"]);
        assert_eq!(sizes, (&json!(1450), &json!(1350), &json!(1450)), "{found}");
    }
}

#[test]
fn a_reflector_says_what_comes_back_on_a_clean_way() {
    let lab = Lab::line(2).build();
    let _serving = Serving::start(lab.server());
    for target in addresses(lab.server()) {
        for method in ["auto", "reflector"] {
            let found = report(lab.client(), target, &format!("-M {method}"));
            check(&found, 1500, None);
            assert_eq!(found["reverse_pmtu_bytes"], 1500, "{method}: {found}");
        }
    }
}

#[test]
fn a_reflector_tells_the_way_where_no_closed_port_does() {
    let lab = Lab::line(2).build();
    let _serving = Serving::start(lab.server());
    let _silent = lab.server().rule(Hook::Input, "udp dport != 2000", "drop");
    let direction = |found: &Value| found["black_hole"]["direction"].clone();
    let back = lab.router(2).rule(Hook::Forward, "iifname up0 meta length > 1300", "drop");
    for target in addresses(lab.server()) {
        reverse(&report(lab.client(), target, ""));
    }
    drop(back);
    let _there = lab.router(2).rule(Hook::Forward, "iifname dn0 meta length > 1300", "drop");
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "");
        check(&found, 1300, Some(2));
        assert_eq!(direction(&found), "forward", "{found}");
    }
}

#[test]
fn a_way_back_that_is_wider_is_known_as_far_as_something_arrives_there() {
    let lab = Lab::line(2).build();
    let router = lab.router(1);
    // The first router takes less on the way there; it cuts what may be cut.
    router.ip("route replace 10.200.2.0/30 via 10.200.1.2 mtu lock 1400");
    let back = |found: &Value| (found["reverse_pmtu_bytes"].clone(), found["reverse_exact"].clone());
    let target = lab.server().address4();
    let found = report(lab.client(), target, "-M icmp");
    check(&found, 1400, None);
    assert_eq!(
        back(&found),
        (json!(1400), json!(false)),
        "an answer is no longer than what arrived: {found}"
    );
    let _serving = Serving::start(lab.server());
    for method in ["auto", "reflector"] {
        let found = report(lab.client(), target, &format!("-M {method}"));
        check(&found, 1400, None);
        assert_eq!(back(&found), (json!(1500), json!(false)), "{method}: {found}");
    }
    let _back = lab.router(2).rule(Hook::Forward, "iifname up0 meta length > 1450", "drop");
    let found = report(lab.client(), target, "-M reflector");
    assert_eq!(
        (found["pmtu_bytes"].clone(), back(&found)),
        (json!(1400), (json!(1450), json!(true))),
        "{found}"
    );
    assert_eq!(found["black_hole"]["direction"], "reverse", "{found}");
    // Nothing cuts what a filter drops.
    let _there = router.rule(Hook::Forward, "iifname dn0 ip length > 1300", "drop");
    let found = report(lab.client(), target, "-M reflector");
    assert_eq!(
        (found["pmtu_bytes"].clone(), back(&found)),
        (json!(1300), (json!(1300), json!(false))),
        "{found}"
    );
}

#[test]
fn random_loss_moves_no_answer_and_makes_no_black_hole() {
    for seed in 0..3 {
        let lab = Lab::line(2).loss(5.pct()).relay_at(2).seed(seed).build();
        for target in addresses(lab.server()) {
            check(&report(lab.client(), target, ""), 1500, None);
        }
        lab.link(1).mtu(1400);
        for target in addresses(lab.server()) {
            check(&report(lab.client(), target, ""), 1400, None);
        }
        let _mute = mute(lab.router(1));
        for target in addresses(lab.server()) {
            check(&report(lab.client(), target, ""), 1400, Some(1));
        }
    }
}

#[test]
fn no_black_hole_is_seen_on_20_clean_ways() {
    for routers in 0..10 {
        let lab = Lab::line(routers).build();
        for target in addresses(lab.server()) {
            check(&report(lab.client(), target, ""), 1500, None);
        }
    }
}

#[test]
fn what_arrives_is_what_is_said() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1444);
    let _mute = mute(lab.router(1));
    let capture = lab.server().capture(Direction::Down);
    let found = report(lab.client(), lab.server().address4(), "--no-tcp");
    let frames = capture.stop();
    let server = lab.server().address4().octets();
    let came =
        frames.iter().filter(|packet| packet.frame[12..14] == [8, 0] && packet.frame[30..34] == server);
    let largest = came.clone().map(|packet| packet.frame.len() - 14).max();
    assert_eq!(largest, Some(1444), "the largest that arrived");
    assert_eq!(found["pmtu_bytes"], 1444, "{found}");
    // No fragments: DF, and neither "more" nor an offset.
    assert!(came.clone().all(|packet| packet.frame[20] & 0x7f == 0x40 && packet.frame[21] == 0), "{found}");
}

#[test]
fn tcp_tells_its_segment_size_also_where_somebody_clamps_it() {
    let lab = Lab::line(1).build();
    let listener = lab.server().run(|| std::net::TcpListener::bind("[::]:8080").expect("a port"));
    for (target, mss) in addresses(lab.server()).into_iter().zip([1460, 1440]) {
        let found = report(lab.client(), target, "-p 8080");
        assert_eq!((&found["tcp_mss_bytes"], &found["tcp_port"]), (&json!(mss), &json!(8080)), "{found}");
    }
    let _clamp = lab.router(1).rule(Hook::Forward, "tcp flags syn", "tcp option maxseg size set 1300");
    for target in addresses(lab.server()) {
        assert_eq!(report(lab.client(), target, "-p 8080")["tcp_mss_bytes"], 1300);
    }
    drop(listener);
}
