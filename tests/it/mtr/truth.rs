//! What the hops lose, ration and hide, by the kernel's own counters.

use serde_json::json;

use super::trace::{cycles, hops, path, report, report_once, server};
use crate::lab::{Hook, Lab, Loss};

#[test]
fn loss_at_each_hop_is_what_nft_counts() {
    for method in ["", "--icmp"] {
        let lab = Lab::line(4).build();
        // What the second router forwards to the third and beyond, by the TTL that the probes have left there.
        let ttl = |left: u8| {
            format!("ip ttl {left} meta l4proto {{ icmp, udp }} iifname dn0 numgen inc mod 5 == 2")
        };
        let rules: Vec<_> =
            (1..=3).map(|left| lab.router(2).rule(Hook::Forward, &ttl(left), "drop")).collect();
        let report = report_once(lab.client(), server(&lab, false), &format!("-c 30 -i 0.05 {method}"));
        for (hop, rule) in hops(&report)[2..].iter().zip(&rules) {
            let lost = hop["counts"]["sent"].as_u64().zip(hop["counts"]["received"].as_u64());
            assert_eq!(lost.map(|(sent, received)| sent - received), Some(rule.dropped()), "{method} {hop}");
            assert_eq!(hop["rate_limited"], false, "{hop}");
        }
        assert!(hops(&report)[..2].iter().all(|hop| hop["loss_ratio"] == json!(0.0)), "{report}");
        let lossy = &hops(&report)[2];
        let part = rules[0].dropped() as f64 / lossy["counts"]["sent"].as_f64().expect("a count");
        assert_eq!((&lossy["loss_ratio"], rules[0].dropped() > 4), (&json!(part), true), "{report}");
    }
}

#[test]
fn a_router_that_rations_its_errors_is_named_so() {
    for (v6, setting, method) in [
        (false, ("net.ipv4.icmp_ratelimit", "1000"), ""),
        (false, ("net.ipv4.icmp_ratelimit", "1000"), "-u"),
        (true, ("net.ipv6.icmp.ratelimit", "1000"), ""),
    ] {
        let lab = Lab::line(3).build();
        lab.router(1).sysctl(setting.0, setting.1);
        let report = report(lab.client(), server(&lab, v6), &format!("-c 20 -i 0.05 {method}"));
        let hop = &hops(&report)[0];
        assert_eq!((&hop["rate_limited"], &hop["loss_ratio"]), (&json!(true), &json!(null)), "{hop}");
        assert!(hop["answered_ratio"].as_f64().is_some_and(|ratio| ratio > 0.0 && ratio < 0.7), "{hop}");
        assert!(hops(&report)[1..].iter().all(|hop| hop["loss_ratio"] == json!(0.0)), "{report}");
    }
}

/// Where mtr -u shows loss at a healthy target.
#[test]
fn a_target_that_rations_port_unreachables_loses_nothing() {
    let lab = Lab::line(2).build();
    lab.server().sysctl("net.ipv4.icmp_ratelimit", "1000");
    let report = report(lab.client(), server(&lab, false), "-c 30 -i 0.05 -u");
    let hop = &hops(&report)[2];
    assert_eq!((&hop["rate_limited"], &hop["loss_ratio"]), (&json!(true), &json!(null)), "{report}");
    // A busy host may be too late for a cycle.
    let cycles = &report["cycles"];
    assert_eq!(report["check"], json!({"sent": cycles, "received": cycles}), "{report}");
}

#[test]
fn a_silent_hop_has_no_address_and_no_loss() {
    for v6 in [false, true] {
        let lab = Lab::line(3).build();
        let errors = if v6 { "icmpv6 type time-exceeded" } else { "icmp type time-exceeded" };
        let silent = lab.router(2).rule(Hook::Output, errors, "drop");
        let report = report_once(lab.client(), server(&lab, v6), "-c 5 -i 0.1");
        assert_eq!(path(&report)[1], None, "{report}");
        assert_eq!(
            (&hops(&report)[1]["loss_ratio"], &hops(&report)[3]["loss_ratio"]),
            (&json!(null), &json!(0.0))
        );
        assert_eq!(silent.dropped(), cycles(&report));
    }
}

#[test]
fn who_turns_probes_away_is_marked() {
    for (verdict, mark) in [
        ("reject with icmp admin-prohibited", "!X"),
        ("reject with icmp host-unreachable", "!H"),
        ("reject with icmp net-unreachable", "!N"),
    ] {
        let lab = Lab::line(3).build();
        let _rule = lab.router(2).rule(Hook::Forward, "iifname dn0 ip protocol icmp", verdict);
        let report = report(lab.client(), server(&lab, false), "-c 5 -i 0.1");
        let last = hops(&report).last().expect("a hop");
        assert_eq!((&last["mark"], &report["reached"]), (&json!(mark), &json!(false)), "{report}");
        assert_eq!(last["addresses"][0]["ip"], json!(lab.router(2).address4().to_string()), "{report}");
    }
}

#[test]
fn loss_on_the_way_back_is_loss_too() {
    let lab = Lab::line(2).build();
    let rule = lab.router(1).drop_down(Loss::Exact { every: 4 });
    let report = report_once(lab.client(), server(&lab, false), "-c 20 -i 0.05 -m 3");
    let lost: u64 = hops(&report)
        .iter()
        .map(|hop| {
            hop["counts"]["sent"].as_u64().unwrap_or(0) - hop["counts"]["received"].as_u64().unwrap_or(0)
        })
        .sum();
    assert_eq!(lost, rule.dropped(), "{report}");
}
