//! Far sides and routers that lie, are silent, ration, repeat or go away; and what this host may not do.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use socket2::{Domain, Protocol, Socket, Type};

use super::{addresses, mute, output, report};
use crate::lab::{Direction, Hook, Lab, Units};
use crate::tool::WADDLEPERF;
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
fn a_host_that_rations_its_refusals_is_asked_patiently() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let _mute = mute(lab.router(1));
    // What Linux does by itself: six at once, then one a second.
    for (name, value) in [("net.ipv4.icmp_ratelimit", "1000"), ("net.ipv6.icmp.ratelimit", "1000")] {
        lab.server().sysctl(name, value);
    }
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "-M udp");
        assert_eq!((&found["pmtu_bytes"], &found["exact"]), (&json!(1400), &json!(true)), "{found}");
        assert_eq!(found["black_hole"]["after_hop"], 1, "{found}");
    }
}

#[test]
fn answers_that_come_twice_count_once() {
    let lab = Lab::line(2).duplicate(1.0).relay_at(2).build();
    lab.link(1).mtu(1400);
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "");
        assert_eq!((&found["pmtu_bytes"], &found["black_hole"]), (&json!(1400), &Value::Null), "{found}");
        assert!(found["counts"]["duplicates"].as_u64() > Some(0), "{found}");
        assert!(found["counts"]["received"].as_u64() <= found["counts"]["sent"].as_u64(), "{found}");
    }
}

#[test]
fn forged_words_move_nothing() {
    let lab = Lab::line(2).delay(20.ms()).build();
    let (client, router) = (lab.client().address4(), lab.router(1));
    // What an attacker off the path can do: claim for every identifier, and so for ours, that 576 is the most.
    let flood = || {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).expect("a raw socket");
        let to = std::net::SocketAddr::from((client, 0)).into();
        let target = lab.server().address4();
        for id in 0..=u16::MAX {
            let forged = forged(client, target, id, 576);
            let _ = socket.send_to(&forged, &to);
        }
    };
    let found = std::thread::scope(|scope| {
        let flooding = scope.spawn(|| router.run(flood));
        let mut last = Value::Null;
        let mut ignored = 0;
        while !flooding.is_finished() {
            last = report(lab.client(), lab.server().address4(), "-M icmp --no-tcp");
            assert_eq!((&last["pmtu_bytes"], &last["black_hole"]), (&json!(1500), &Value::Null), "{last}");
            assert_eq!(last["icmp_pmtu_bytes"], Value::Null, "{last}");
            ignored += last["ignored"].as_u64().expect("a number");
        }
        (last, ignored)
    });
    assert!(found.0.is_object(), "it ran during the flood");
}

/// "Too big for `mtu`" that quotes an echo request with this identifier.
fn forged(from: Ipv4Addr, to: Ipv4Addr, id: u16, mtu: u16) -> Vec<u8> {
    let mut message = vec![3, 4, 0, 0, 0, 0];
    message.extend(mtu.to_be_bytes());
    message.extend([0x45, 0, 5, 0xdc, 0, 1, 0x40, 0, 63, 1, 0, 0]);
    message.extend(from.octets());
    message.extend(to.octets());
    message.extend([8, 0, 0, 0]);
    message.extend(id.to_be_bytes());
    message.extend([0, 1]);
    let sum =
        message.chunks(2).fold(0u32, |sum, pair| sum + u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

#[test]
fn an_interface_that_goes_down_ends_the_run_clearly() {
    let lab = Lab::line(1).delay(100.ms()).build();
    let _hole = lab.router(1).rule(Hook::Forward, "iifname dn0 meta length > 1300", "drop");
    let client = lab.client();
    let data = std::env::temp_dir().join("waddleperf-mtu");
    let mut command = client.command(WADDLEPERF);
    let target = lab.server().address4().to_string();
    command.arg("--data").arg(data).args(["mtu", &target, "--no-tcp", "-M", "icmp", "--json"]);
    let capture = client.capture(Direction::Up);
    let (output, elapsed) = std::thread::scope(|scope| {
        let running = scope.spawn(|| command.output().expect("run mtu"));
        let sent = || client.counter("IcmpOutEchos");
        while sent() < 20 {}
        client.ip("link set up0 down");
        let output = running.join().expect("it ends");
        let record = record(&output);
        let elapsed = record["elapsed_ms"].as_f64().expect("a number");
        (output, elapsed)
    });
    drop(capture);
    let record = record(&output);
    assert!(elapsed < 11_000.0, "{record}");
    let report = &record["outcome"]["report"];
    assert_eq!(report["exact"], false, "nothing more could be learnt: {record}");
    assert!(report["notes"].to_string().contains("send"), "{record}");
    assert_eq!(report["black_hole"], Value::Null, "no hole is claimed: {record}");
}

#[test]
fn no_reflector_is_a_failure_only_where_one_was_asked_for() {
    let lab = Lab::line(1).build();
    for target in addresses(lab.server()) {
        let record = record(&output(lab.client(), target, "-M reflector"));
        assert_eq!(record["outcome"]["failure"]["class"], "refused", "{record}");
        assert_eq!(report(lab.client(), target, "")["pmtu_bytes"], 1500);
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
