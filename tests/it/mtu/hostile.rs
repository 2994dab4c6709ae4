//! Far sides and routers that lie, are silent, ration, repeat or go away; and what this host may not do.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use socket2::{Domain, Protocol, Socket, Type};
use waddleperf::sys::wait::sleep;

use super::{addresses, mute, output, report};
use crate::lab::{Hook, Lab, Units};
use crate::tool::WADDLEPERF;
use crate::udpping::serving::{Serving, record};

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
    // A raw socket hears of them all; one for echo only of those with its identifier.
    lab.client().sysctl("net.ipv4.ping_group_range", "1 0");
    let target = lab.server().address4();
    let over = AtomicBool::new(false);
    // What an attacker off the path can do: claim for every identifier, and so for ours, that 576 is the most.
    let flood = || {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).expect("a raw socket");
        let to = std::net::SocketAddr::from((client, 0)).into();
        let mut ids = (0..=u16::MAX).cycle();
        while !over.load(Ordering::Relaxed) {
            for id in ids.by_ref().take(64) {
                let _ = socket.send_to(&forged(client, target, id, 576), &to);
            }
            // Faster, it would take the processors from the relay on a small machine, and measure that.
            sleep(Duration::from_millis(1));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| router.run(flood));
        let found: Vec<Value> = (0..5).map(|_| report(lab.client(), target, "-M icmp --no-tcp")).collect();
        over.store(true, Ordering::Relaxed);
        for found in found {
            assert_eq!((&found["pmtu_bytes"], &found["black_hole"]), (&json!(1500), &Value::Null), "{found}");
            assert_eq!(found["icmp_pmtu_bytes"], Value::Null, "{found}");
            assert!(found["ignored"].as_u64() > Some(0), "{found}");
        }
    });
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
    let output = std::thread::scope(|scope| {
        let running = scope.spawn(|| command.output().expect("run mtu"));
        // Once it knows that something passes.
        while client.counter("IcmpInEchoReps") < 2 {}
        client.ip("link set up0 down");
        running.join().expect("it ends")
    });
    let record = record(&output);
    assert!(record["elapsed_ms"].as_f64() < Some(11_000.0), "{record}");
    let report = &record["outcome"]["report"];
    assert_eq!(report["exact"], false, "nothing more could be learnt: {record}");
    assert!(report["notes"].to_string().contains("send"), "{record}");
    assert_eq!(report["black_hole"], Value::Null, "no hole is claimed: {record}");
}

#[test]
fn a_signal_ends_it_with_what_is_known_by_then() {
    let lab = Lab::line(1).delay(50.ms()).build();
    let _hole = lab.router(1).rule(Hook::Forward, "iifname dn0 meta length > 1300", "drop");
    let client = lab.client();
    let data = std::env::temp_dir().join("waddleperf-mtu");
    let mut command = client.command(WADDLEPERF);
    let target = lab.server().address4().to_string();
    command.arg("--data").arg(data).args(["mtu", &target, "--no-tcp", "-M", "icmp", "--json"]);
    let child = command.stdout(Stdio::piped()).spawn().expect("start mtu");
    while client.counter("IcmpInEchoReps") < 2 {}
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    let record = record(&output);
    let found = &record["outcome"]["report"];
    assert_eq!((&record["partial"], output.status.code()), (&json!(true), Some(143)), "{record}");
    assert_eq!((&found["exact"], &found["black_hole"]), (&json!(false), &Value::Null), "{record}");
    assert!((68..=1300).contains(&found["pmtu_bytes"].as_u64().expect("a size")), "{record}");
}

#[test]
fn no_reflector_is_a_failure_only_where_one_was_asked_for() {
    let lab = Lab::line(1).build();
    for target in addresses(lab.server()) {
        let record = record(&output(lab.client(), target, "-M reflector"));
        let failure = &record["outcome"]["failure"];
        assert_eq!(failure["class"], "refused", "{record}");
        assert!(failure["detail"].to_string().contains("run `waddleperf serve` there"), "{record}");
        assert_eq!(report(lab.client(), target, "")["pmtu_bytes"], 1500);
    }
}

#[test]
fn a_reflector_that_stays_silent_is_waited_for_no_longer_than_was_asked() {
    let lab = Lab::line(1).build();
    let _silent = lab.server().rule(Hook::Input, "udp dport 2000", "drop");
    let record = record(&output(lab.client(), lab.server().address4().into(), "-M reflector -w 1s"));
    let failure = &record["outcome"]["failure"];
    assert_eq!(failure["class"], "timeout", "{record}");
    assert!(failure["detail"].to_string().contains("no waddleperf reflector on udp port 2000"), "{record}");
    assert!(record["elapsed_ms"].as_f64() < Some(2000.0), "{record}");
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
            let said = (&found["pmtu_bytes"], &found["black_hole"]);
            assert_eq!(said, (&json!(1400), &Value::Null), "{found}");
        }
    }
}

#[test]
fn a_hole_is_named_also_where_the_kernel_has_learnt_the_size_before_it_was_one() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    for target in addresses(lab.server()) {
        assert_eq!(report(lab.client(), target, "")["black_hole"], Value::Null);
    }
    let _mute = mute(lab.router(1));
    for target in addresses(lab.server()) {
        let found = report(lab.client(), target, "");
        assert_eq!((&found["route_mtu_bytes"], &found["black_hole"]["after_hop"]), (&json!(1400), &json!(1)));
    }
}

/// Runs `mtu` in the client without any capability.
fn unprivileged(lab: &Lab, arguments: &str) -> Value {
    let data = std::env::temp_dir().join("waddleperf-mtu");
    let mut command = lab.client().command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", WADDLEPERF, "--data"]).arg(data);
    command.args(["mtu", &lab.server().address4().to_string(), "--json"]).args(arguments.split_whitespace());
    record(&command.output().expect("run setpriv"))
}

#[test]
fn no_privilege_is_needed() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let _mute = mute(lab.router(1));
    let record = unprivileged(&lab, "");
    let found = &record["outcome"]["report"];
    assert_eq!((&found["pmtu_bytes"], &found["carrier"]), (&json!(1400), &json!("icmp")), "{record}");
    assert_eq!(found["black_hole"]["after_hop"], 1, "{record}");
}

#[test]
fn without_ping_sockets_another_way_is_found_and_the_remedies_told() {
    let lab = Lab::line(1).build();
    lab.client().sysctl("net.ipv4.ping_group_range", "1 0");
    let target = lab.server().address4();
    let found = report(lab.client(), target, "");
    let by = (&found["pmtu_bytes"], &found["carrier"]);
    assert_eq!(by, (&json!(1500), &json!("icmp")), "a raw socket serves: {found}");
    let record = unprivileged(&lab, "");
    let found = &record["outcome"]["report"];
    assert_eq!((&found["pmtu_bytes"], &found["carrier"]), (&json!(1500), &json!("udp")), "{record}");
    let told = found["notes"].to_string();
    assert!(told.contains("net.ipv4.ping_group_range") && told.contains("CAP_NET_RAW"), "{record}");
    for method in ["icmp", "tcp"] {
        let record = unprivileged(&lab, &format!("-M {method}"));
        assert_eq!(record["outcome"]["failure"]["class"], "permission", "{record}");
        assert!(record["outcome"]["failure"]["detail"].to_string().contains("CAP_NET_RAW"), "{record}");
    }
    let _serving = Serving::start(lab.server());
    let record = unprivileged(&lab, "");
    assert_eq!(record["outcome"]["report"]["reverse_pmtu_bytes"], 1500, "a reflector is found: {record}");
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
