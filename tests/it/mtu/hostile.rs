//! Far sides and routers that lie, are silent, ration, repeat or go away; and what this host may not do.

use serde_json::{Value, json};

use super::{addresses, mute, output, report};
use crate::lab::{Hook, Lab};
use crate::udpping::serving::record;

#[test]
fn a_host_that_answers_no_echo_is_asked_at_a_closed_port() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let _quiet = ["icmp type echo-request", "icmpv6 type echo-request"]
        .map(|matching| lab.server().rule(Hook::Input, matching, "drop"));
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "--timeout 0.3");
        assert_eq!((&found["pmtu_bytes"], &found["carrier"]), (&json!(1400), &json!("udp")), "{found}");
    }
    let _mute = mute(lab.router(1));
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "-M udp");
        assert_eq!(
            (&found["pmtu_bytes"], &found["black_hole"]["after_hop"]),
            (&json!(1400), &json!(1)),
            "{found}"
        );
    }
}

#[test]
fn tcp_is_the_last_resort() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let _quiet = ["meta l4proto icmp", "meta l4proto udp", "icmpv6 type echo-request"]
        .map(|matching| lab.server().rule(Hook::Input, matching, "drop"));
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "--timeout 0.2 -p 9");
        assert_eq!((&found["pmtu_bytes"], &found["carrier"]), (&json!(1400), &json!("tcp")), "{found}");
    }
    let listener = lab.server().run(|| std::net::TcpListener::bind("[::]:8080").expect("a port"));
    let _mute = mute(lab.router(1));
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "-M tcp -p 8080");
        assert_eq!(
            (&found["pmtu_bytes"], &found["black_hole"]["after_hop"]),
            (&json!(1400), &json!(1)),
            "{found}"
        );
    }
    drop(listener);
}

#[test]
fn a_dead_host_is_a_result_and_a_bad_one() {
    let lab = Lab::line(1).build();
    let _dead = lab.router(1).rule(Hook::Forward, "iifname dn0", "drop");
    for target in addresses(lab.server()) {
        let output = output(lab.client(), target, "--timeout 0.2");
        let record = record(&output);
        assert_eq!(record["outcome"]["report"]["pmtu_bytes"], Value::Null, "{record}");
        assert_eq!(output.status.code(), Some(1), "{record}");
    }
}

#[test]
fn icmp_that_is_rationed_is_enough() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let router = lab.router(1);
    router.sysctl("net.ipv4.icmp_ratelimit", "1000");
    router.sysctl("net.ipv6.icmp.ratelimit", "1000");
    for target in addresses(lab.server()) {
        for _ in 0..3 {
            let found = report(lab.client(), target, "");
            assert_eq!(found["pmtu_bytes"], 1400, "{found}");
        }
    }
}

#[test]
fn without_ping_sockets_and_privilege_another_way_is_found_and_the_remedy_told() {
    let lab = Lab::line(1).build();
    lab.client().sysctl("net.ipv4.ping_group_range", "1 0");
    let target = lab.server().address4();
    let found = report(lab.client(), target, "");
    assert_eq!(found["pmtu_bytes"], 1500, "a raw socket serves: {found}");
}

#[test]
fn a_family_that_is_not_there_and_an_interface_that_is_not_are_clear() {
    let lab = Lab::line(1).build();
    let client = lab.client();
    client.ip("route del ::/0");
    let failure = |target, arguments: &str| {
        let record = record(&output(client, target, arguments));
        record["outcome"]["failure"].clone()
    };
    let unreachable = failure("2001:db8::1".parse().expect("an address"), "");
    assert_eq!(unreachable["class"], "unreachable", "{unreachable}");
    let unknown = failure(lab.server().address4().into(), "-I nowhere0");
    assert_eq!(unknown["class"], "usage", "{unknown}");
    let wrong = failure(lab.server().address4().into(), "-6");
    assert_eq!(wrong["class"], "usage", "{wrong}");
}
