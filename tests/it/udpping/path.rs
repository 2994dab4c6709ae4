//! What the path does to packets beside losing them: it refuses, remarks, counts hops and cuts to size.

use serde_json::{Value, json};

use super::serving::{STAMP, Serving, number, ping, record, report, run, start};
use crate::lab::{Hook, Lab, Rule};
use crate::tool::{WADDLEPERF, stdout};

/// Matches the probe packets, whose UDP length is 128 and the header's 8; control packets are shorter.
const PROBES_UP: &str = "udp dport { 2000, 8620 } udp length 136";
const PROBES_DOWN: &str = "udp sport { 2000, 8620 } udp length 136";

fn formats() -> [String; 2] {
    ["--protocol wp1".to_owned(), format!("--protocol stamp -p {STAMP}")]
}

#[test]
fn a_closed_port_is_refused_at_once_over_both_families() {
    let lab = Lab::line(1).build();
    let server = lab.server();
    for target in [server.address4().into(), server.address6().into()] {
        for format in ["wp1", "stamp", "twamp", "echo"] {
            let output = run(lab.client(), target, &format!("-c 5 --protocol {format}"));
            let record = record(&output);
            assert_eq!(record["outcome"]["failure"]["class"], "refused", "{format} {target}: {record}");
            // A reflector that is silent is asked for 7.75 s.
            assert!(record["elapsed_ms"].as_f64().unwrap() < 2000.0, "{format} {target}: {record}");
            assert!(!output.status.success());
        }
    }
}

/// Waits until a rule has hit this many packets.
fn reaches(rule: &Rule<'_>, count: u64) {
    while rule.dropped() < count {}
}

#[test]
fn a_reflector_killed_and_restarted_is_flagged_and_the_counts_are_right() {
    let lab = Lab::line(1).build();
    let (client, server) = (lab.client(), lab.server());
    let up = server.rule(Hook::Input, PROBES_UP, "accept");
    let down = client.rule(Hook::Input, PROBES_DOWN, "accept");
    let mut serving = Serving::start(server);
    let run = start(client, server.address4().into(), "-c 400 -i 10ms -W 0.3 -s 128 --catch-up");
    reaches(&up, 60);
    serving.kill();
    reaches(&up, 100);
    let _again = Serving::start(server);
    let report = report(&run.wait_with_output().unwrap());
    assert_eq!(number(&report, "/restarts"), 1, "{report}");
    assert_eq!((number(&report, "/counts/sent"), up.dropped()), (400, 400));
    assert_eq!(number(&report, "/counts/received"), down.dropped(), "{report}");
    assert!(down.dropped() > 200, "{report}");
    let lost = 400 - down.dropped();
    assert_eq!(number(&report, "/up/lost") + number(&report, "/lost_unknown"), lost, "{report}");
    assert_eq!(number(&report, "/down/lost"), 0, "every reply arrived: {report}");
    let refused = &report["errors"][0];
    assert_eq!((&refused["type"], &refused["code"]), (&json!(3), &json!(3)), "{report}");
}

#[test]
fn remarked_dscp_and_ecn_marks_are_seen_in_the_direction_they_happen() {
    for (ip, format) in ["ip", "ip6"].into_iter().flat_map(|ip| formats().map(|format| (ip, format))) {
        let lab = Lab::line(2).build();
        let _serving = Serving::start(lab.server());
        // The first router remarks, the second marks congestion: a rule takes one of the two.
        let rule = |router, matching: &str, verdict: &str| {
            lab.router(router).rule(Hook::Forward, matching, &format!("{ip} {verdict}"))
        };
        let _remarked_up = rule(1, PROBES_UP, "dscp set 8");
        let _remarked_down = rule(1, PROBES_DOWN, "dscp set 10");
        let marked_up = rule(2, &format!("{PROBES_UP} numgen inc mod 4 == 1"), "ecn set ce");
        let marked_down = rule(2, &format!("{PROBES_DOWN} numgen inc mod 7 == 1"), "ecn set ce");
        let server = lab.server();
        let target = if ip == "ip" { server.address4().into() } else { server.address6().into() };
        let options = format!("-c 100 -i 2ms -W 0.3 -s 128 --dscp 46 --ecn --catch-up {format}");
        let report = report(&run(lab.client(), target, &options));
        let told = |name: &str| (number(&report[name], "/dscp"), number(&report[name], "/ecn_ce"));
        assert_eq!(told("up"), (8, marked_up.dropped()), "{ip} {format}: {report}");
        assert_eq!(told("down"), (10, marked_down.dropped()), "{ip} {format}: {report}");
        assert!(marked_up.dropped() > 0 && marked_down.dropped() > 0);
    }
}

#[test]
fn hops_are_seen_in_the_ttl_of_both_directions() {
    let lab = Lab::line(3).build();
    let _serving = Serving::start(lab.server());
    let server = lab.server();
    for target in [server.address4().into(), server.address6().into()] {
        for format in formats() {
            let options = format!("-c 3 -i 2ms -W 0.3 -s 128 --ttl 33 --catch-up {format}");
            let report = report(&run(lab.client(), target, &options));
            let ttls = ["/up/ttl", "/down/ttl"].map(|pointer| number(&report, pointer));
            assert_eq!(ttls, [30, 61], "{format} {target}: {report}");
        }
    }
}

#[test]
fn loss_by_direction_is_what_nft_counts_over_ipv6() {
    let lab = Lab::line(1).build();
    let _serving = Serving::start(lab.server());
    let lose = |matching: &str, every| {
        let matching = format!("meta nfproto ipv6 {matching} numgen inc mod {every} == 3");
        lab.router(1).rule(Hook::Forward, &matching, "drop")
    };
    let (up, down) = (lose(PROBES_UP, 10), lose(PROBES_DOWN, 20));
    let report = ping(lab.client(), lab.server().address6(), "-c 200 -i 2ms -W 0.3 -s 128 --catch-up");
    let told = ["/up/lost", "/down/lost", "/lost_unknown"].map(|pointer| number(&report, pointer));
    assert_eq!(told, [up.dropped(), down.dropped(), 0], "{report}");
    assert_eq!(up.dropped(), 20);
}

#[test]
fn payloads_above_and_below_the_mtu_arrive_whole() {
    let lab = Lab::line(1).build();
    let _serving = Serving::start(lab.server());
    let server = lab.server();
    for target in [server.address4().into(), server.address6().into()] {
        for (format, size) in formats().iter().flat_map(|format| [(format, 1400), (format, 8000)]) {
            let options = format!("-c 20 -i 5ms -W 0.3 -s {size} --catch-up {format}");
            let report: Value = report(&run(lab.client(), target, &options));
            let told = ["/payload_bytes", "/counts/received", "/counts/duplicates"];
            let told = told.map(|pointer| number(&report, pointer));
            assert_eq!(told, [size, 20, 0], "{format} {target}: {report}");
        }
    }
}

/// Each kernel learns the path's MTU from the first ICMP error and sends the rest in fragments: what it had sent before is
/// lost, in either direction, and the error that came to this side is in the report.
#[test]
fn a_narrow_link_costs_the_packets_before_its_icmp_error_and_no_more() {
    for (ipv6, error) in [(false, (3, 4)), (true, (2, 0))] {
        for format in formats() {
            // Nothing is known of a new lab's paths.
            let lab = Lab::line(2).build();
            let _serving = Serving::start(lab.server());
            lab.link(1).mtu(1280);
            let server = lab.server();
            let target = if ipv6 { server.address6().into() } else { server.address4().into() };
            let options = format!("-c 40 -i 10ms -W 2 -s 1400 --catch-up {format}");
            let report = report(&run(lab.client(), target, &options));
            let told = ["/counts/sent", "/counts/send_errors"].map(|pointer| number(&report, pointer));
            assert_eq!(told, [40, 0], "{format} {target}: {report}");
            let told = ["/up/lost", "/down/lost", "/lost_unknown"].map(|pointer| number(&report, pointer));
            let [up, down, unknown] = told;
            assert!((1..=2).contains(&up) && (1..=2).contains(&down), "{format} {target}: {report}");
            assert_eq!(40 - number(&report, "/counts/received"), up + down + unknown, "{format}: {report}");
            let told = &report["errors"][0];
            assert_eq!((&told["type"], &told["code"]), (&json!(error.0), &json!(error.1)), "{report}");
        }
    }
}

#[test]
fn what_this_host_refuses_to_send_is_a_send_error_and_no_loss() {
    let lab = Lab::line(0).build();
    let _serving = Serving::start(lab.server());
    // A packet filter's drop on the way out is EPERM. WP1's number stands behind 12 octets, STAMP's at the start.
    for (format, number_is) in formats().iter().zip(["@th,160,32 10-14", "@th,64,32 10-14"]) {
        let rule = lab.client().rule(Hook::Output, &format!("{PROBES_UP} {number_is}"), "drop");
        let report = ping(
            lab.client(),
            lab.server().address4(),
            &format!("-c 50 -i 2ms -W 2 -s 128 --catch-up {format}"),
        );
        let told = [
            "/counts/send_errors",
            "/counts/sent",
            "/counts/received",
            "/up/lost",
            "/down/lost",
            "/lost_unknown",
        ];
        let told = told.map(|pointer| number(&report, pointer));
        assert_eq!(told, [5, 45, 45, 0, 0, 0], "{format}: {report}");
        assert!(rule.dropped() >= 10, "each is tried twice: an ICMP error may have been waiting");
    }
}

#[test]
fn a_link_local_target_is_reached_through_its_interface() {
    let lab = Lab::line(0).build();
    let _serving = Serving::start(lab.server());
    let printed = stdout(
        lab.server().command("ip").args(["-6", "-o", "address", "show", "dev", "dn0", "scope", "link"]),
    );
    let mut words = printed.split([' ', '/']).skip_while(|word| *word != "inet6");
    let address = words.nth(1).expect("a link-local address");
    let ping = |target: &str, format: &str| {
        let mut command = lab.client().command(WADDLEPERF);
        command.args([
            "udpping",
            target,
            "--json",
            "-c",
            "5",
            "-i",
            "2ms",
            "-W",
            "2",
            "-s",
            "128",
            "--catch-up",
        ]);
        command
            .args(format.split_whitespace())
            .env("WADDLEPERF_DATA", std::env::temp_dir().join("waddleperf-truth"));
        command.output().expect("it runs")
    };
    for format in formats() {
        let record = record(&ping(&format!("{address}%up0"), &format));
        assert_eq!(record["outcome"]["report"]["counts"]["received"], 5, "{format}: {record}");
        assert_eq!(record["outcome"]["report"]["up"]["ttl"], 64, "{format}: {record}");
    }
    let record = record(&ping(&format!("{address}%nowhere"), ""));
    assert_eq!(record["outcome"]["failure"]["class"], "usage", "{record}");
    assert!(
        record["outcome"]["failure"]["detail"].as_str().is_some_and(|text| text.contains("`nowhere`")),
        "{record}"
    );
}
