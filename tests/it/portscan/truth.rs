//! Verdicts port by port: what the server was built to be, what nmap says, what we say.

use std::net::IpAddr;

use serde_json::Value;

use super::scanning::{Verdicts, answer, listen, nmap, report, same_reason, verdicts};
use crate::lab::{Hook, Lab, Node, Rule};

/// The mix: 100 ports each that are open, closed, and filtered in one of five ways.
const OPEN: std::ops::Range<u16> = 2000..2100;
const CLOSED: std::ops::Range<u16> = 2100..2200;
const PORTS: &str = "2000-2299";
/// Rules of the filtered ones: matching, verdict, state, reason.
const FILTERS: [(&str, &str, &str, &str); 5] = [
    ("2200-2219", "drop", "filtered", "no-response"),
    ("2220-2239", "reject with icmpx admin-prohibited", "filtered", "admin-prohibited"),
    ("2240-2259", "reject with icmpx port-unreachable", "filtered", "port-unreach"),
    ("2260-2279", "reject with icmpx host-unreachable", "filtered", "host-unreach"),
    ("2280-2299", "reject with tcp reset", "closed", "reset"),
];

fn filters(server: &Node) -> Vec<Rule<'_>> {
    FILTERS
        .iter()
        .map(|(ports, verdict, ..)| server.rule(Hook::Input, &format!("tcp dport {ports}"), verdict))
        .collect()
}

/// What the mix is.
fn truth() -> Verdicts {
    let mut truth = Verdicts::new();
    let mut put = |ports: std::ops::Range<u16>, state: &str, reason: &str| {
        truth.extend(ports.map(|port| (port, (state.to_owned(), reason.to_owned()))));
    };
    put(OPEN, "open", "syn-ack");
    put(CLOSED, "closed", "reset");
    for (ports, _, state, reason) in FILTERS {
        let (first, last) = ports.split_once('-').expect("a range");
        put(first.parse().expect("a port")..last.parse::<u16>().expect("a port") + 1, state, reason);
    }
    truth
}

#[track_caller]
fn assert_same(ours: &Verdicts, theirs: &Verdicts, what: &str) {
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{what}: the same ports");
    for (port, (state, reason)) in ours {
        let (their_state, their_reason) = &theirs[port];
        assert!(
            state == their_state && same_reason(reason, their_reason),
            "{what}: port {port} is {state} ({reason}) for us, {their_state} ({their_reason}) for nmap"
        );
    }
}

fn count(report: &Value, name: &str) -> u64 {
    report["counts"][name].as_u64().expect(name)
}

#[test]
fn verdicts_of_tcp_are_the_truth_and_nmaps_by_connections_and_syns_over_both_families() {
    let lab = Lab::line(1).build();
    let _listeners = listen(lab.server(), OPEN);
    let _filters = filters(lab.server());
    let targets: [IpAddr; 2] = [lab.server().address4().into(), lab.server().address6().into()];
    for target in targets {
        for how in ["-sT", "-sS"] {
            let ours = verdicts(&report(lab.client(), target, &format!("{how} -p {PORTS} --all")));
            let what = format!("{how} {target}");
            for (port, expected) in truth() {
                assert_eq!(ours[&port], expected, "{what}: port {port}");
            }
            let mut theirs = nmap(lab.client(), target, &format!("{how} -p {PORTS}"));
            if how == "-sT" {
                // nmap's connections do not look into the error queue: who refuses, and why, is not told apart there.
                for (port, (_, reason)) in &mut theirs {
                    ours[port].1.clone_into(reason);
                }
                (2240..2260).for_each(|port| theirs.insert(port, ours[&port].clone()).map_or((), drop));
            }
            assert_same(&ours, &theirs, &what);
        }
    }
}

#[test]
fn an_icmp_error_names_its_sender() {
    let lab = Lab::line(2).build();
    let router = lab.router(1);
    let _rule = router.rule(Hook::Forward, "tcp dport 2300", "reject with icmpx admin-prohibited");
    for how in ["-sT", "-sS"] {
        let report = report(lab.client(), lab.server().address4(), &format!("{how} -p 2300"));
        assert_eq!(report["ports"][0]["from"], router.address4().to_string(), "{how}: {report}");
        assert_eq!(report["ports"][0]["state"], "filtered", "{how}: {report}");
    }
}

#[test]
fn loss_hides_no_open_port() {
    for (how, seed) in [("-sT", 3), ("-sS", 4)] {
        let lab = Lab::line(1).loss(0.05).seed(seed).build();
        let _listeners = listen(lab.server(), OPEN);
        let _filters = filters(lab.server());
        let report = report(lab.client(), lab.server().address4(), &format!("{how} -p {PORTS} --all"));
        let found = verdicts(&report);
        for port in OPEN {
            assert_eq!(found[&port].0, "open", "{how}: port {port}: {}", report["counts"]);
        }
        for port in CLOSED {
            assert_eq!(found[&port].0, "closed", "{how}: port {port}: {}", report["counts"]);
        }
    }
}

/// The mix of 300 with its resets rationed, beside nmap: whoever calls a closed port filtered is wrong, and that is not us.
#[test]
fn where_resets_are_rationed_the_verdicts_are_those_that_nmap_finds_with_patience() {
    for how in ["-sT", "-sS"] {
        let lab = Lab::line(1).build();
        let server = lab.server();
        let _listeners = listen(server, OPEN);
        let _filters = filters(server);
        let ration =
            server.rule(Hook::Output, "tcp flags rst limit rate over 200/second burst 20 packets", "drop");
        let ours = verdicts(&report(lab.client(), server.address4(), &format!("{how} -p {PORTS} --all")));
        assert!(ration.dropped() > 0, "{how}");
        for (port, expected) in truth() {
            assert_eq!(ours[&port], expected, "{how}: port {port}");
        }
        // Told not to outrun the ration, and to ask again, nmap sees the same states.
        let theirs = nmap(
            lab.client(),
            server.address4(),
            &format!("{how} -p {PORTS} --max-rate 150 --max-retries 6"),
        );
        for (port, (state, _)) in &ours {
            // A connection that ICMP refuses is "closed" to nmap: it does not look into the error queue.
            let blind = how == "-sT" && (2240..2260).contains(port);
            assert!(
                blind || *state == theirs[port].0,
                "{how}: port {port}: {state}, for nmap {}",
                theirs[port].0
            );
        }
    }
}

/// Somebody else's ports are asked at 1,000 a second after the first 1,000, unless more is asked for; one's own at once.
#[test]
fn ports_of_others_are_asked_with_measure() {
    let lab = Lab::line(0).build();
    let (client, server) = (lab.client(), lab.server());
    client.ip("link set lo up");
    let rate = |target: IpAddr, arguments: &str| {
        let found = report(client, target, &format!("-sS -p 1-4000 {arguments}"));
        assert_eq!(count(&found, "closed"), 4000, "{found}");
        (found["sent"].as_f64().expect("a number"), found["rate_pps"].as_f64().expect("a rate"))
    };
    let (sent, polite) = rate(server.address4().into(), "");
    let least = (sent - 1000.0) / 1000.0;
    assert!(sent / polite >= least, "{sent} at {polite} each second");
    for (target, arguments) in [
        (IpAddr::from(server.address4()), "--rate 100000"),
        (server.address6().into(), "--min-rate 5000"),
        (server.address4().into(), "-T4"),
        (client.address4().into(), ""),
        ([127, 0, 0, 1].into(), ""),
    ] {
        let (_, rate) = rate(target, arguments);
        assert!(rate > polite, "{target} {arguments}: {rate} each second, politely {polite}");
    }
}

/// The kernel's resets, rationed on their way out.
#[test]
fn rationed_resets_make_no_port_filtered() {
    for how in ["-sT", "-sS"] {
        let lab = Lab::line(1).build();
        let server = lab.server();
        let _listeners = listen(server, OPEN);
        let _filter = server.rule(Hook::Input, "tcp dport 2200-2299", "drop");
        let ration =
            server.rule(Hook::Output, "tcp flags rst limit rate over 50/second burst 5 packets", "drop");
        let report = report(lab.client(), server.address4(), &format!("{how} -p {PORTS} --all"));
        let told = ["open", "closed", "filtered"].map(|name| count(&report, name));
        assert_eq!(told, [100, 100, 100], "{how}: {report}");
        assert!(ration.dropped() > 0, "{how}");
        assert!(
            report["hosts"][0]["answers_per_second"].is_number(),
            "{how}: it is said: {}",
            report["hosts"]
        );
    }
}

#[test]
fn verdicts_of_udp_are_the_truth_and_nmaps() {
    let lab = Lab::line(1).build();
    let server = lab.server();
    answer(server, [2000, 2001, 2002]);
    let _rules = [
        server.rule(Hook::Input, "udp dport 2020-2024", "drop"),
        server.rule(Hook::Input, "udp dport 2025-2029", "reject with icmpx admin-prohibited"),
    ];
    for target in [IpAddr::from(server.address4()), server.address6().into()] {
        let ours = verdicts(&report(lab.client(), target, "-sU -p 2000-2029 --all"));
        for (port, (state, reason)) in &ours {
            let expected = match port {
                2000..2003 => ("open", "udp-response"),
                2003..2020 => ("closed", "port-unreach"),
                2020..2025 => ("open|filtered", "no-response"),
                _ => ("filtered", "admin-prohibited"),
            };
            assert_eq!((state.as_str(), reason.as_str()), expected, "{target}: port {port}");
        }
        assert_same(&ours, &nmap(lab.client(), target, "-sU -p 2000-2029"), &target.to_string());
    }
}

/// Linux lets six ICMP errors go at once, then one a second.
#[test]
fn the_ration_of_icmp_errors_is_waited_for() {
    let lab = Lab::line(1).build();
    let server = lab.server();
    server.sysctl("net.ipv4.icmp_ratelimit", "1000");
    let report = report(lab.client(), server.address4(), "-sU -p 3000-3010 --all");
    assert_eq!(count(&report, "closed"), 11, "{report}");
    assert!(report["hosts"][0]["answers_per_second"].as_f64().is_some_and(|rate| rate < 5.0), "{report}");
}

#[test]
fn all_ports_are_asked_and_every_open_one_is_found() {
    let lab = Lab::line(1).build();
    let open: Vec<u16> = (0..20).map(|n| 700 + n * 3001).collect();
    let _listeners = listen(lab.server(), open.clone());
    for how in ["-sT", "-sS"] {
        let report = report(lab.client(), lab.server().address4(), &format!("{how} -p- --rate 200000"));
        let found: Vec<u16> = verdicts(&report).into_keys().collect();
        assert_eq!(found, open, "{how}: {}", report["counts"]);
        assert_eq!(count(&report, "closed"), 65_535 - 20, "{how}: {}", report["counts"]);
    }
}

/// A listener whose queue is full answers by cookies and looks the same.
#[test]
fn a_listener_with_syn_cookies_is_open() {
    let lab = Lab::line(0).build();
    lab.server().sysctl("net.ipv4.tcp_syncookies", "2");
    let _listeners = listen(lab.server(), [2000]);
    for how in ["-sT", "-sS"] {
        let report = report(lab.client(), lab.server().address4(), &format!("{how} -p 2000,2001"));
        let found = verdicts(&report);
        assert_eq!((found[&2000].0.as_str(), found[&2001].0.as_str()), ("open", "closed"), "{how}: {report}");
    }
}

/// This host's own ports: the system may choose the port that is asked as the one to ask from.
#[test]
fn a_scan_does_not_find_itself() {
    let lab = Lab::line(0).build();
    lab.client().ip("link set lo up");
    lab.client().sysctl("net.ipv4.ip_local_port_range", "40000 40400");
    let address = lab.client().address4();
    for _ in 0..3 {
        let report = report(lab.client(), address, "-p 40000-40400");
        assert_eq!(count(&report, "open"), 0, "{report}");
        assert_eq!(count(&report, "closed"), 401, "{report}");
    }
}

#[test]
fn both_protocols_are_asked_in_one_run_and_what_no_scan_asks_is_told() {
    let lab = Lab::line(0).build();
    let _listeners = listen(lab.server(), [2000]);
    answer(lab.server(), [2001]);
    let target = lab.server().address4().to_string();
    let found = report(lab.client(), lab.server().address4(), "-sSU -p T:2000,U:2001 --all");
    let open: Vec<(&str, u64)> = (found["ports"].as_array().expect("ports").iter())
        .map(|port| (port["proto"].as_str().expect("a word"), port["port"].as_u64().expect("a port")))
        .collect();
    assert_eq!((open.as_slice(), count(&found, "open")), (&[("tcp", 2000), ("udp", 2001)][..], 2), "{found}");
    for (arguments, prefix, scan) in
        [("-sT -p T:2000,U:2001", "U:", "-sU"), ("-sU -p T:2000,U:2001", "T:", "-sS")]
    {
        let output = super::scanning::run(lab.client(), &target, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(prefix) && said.contains(scan) && said.lines().count() == 1, "{said}");
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
}

#[test]
fn hosts_come_from_a_list_and_some_are_left_out() {
    let lab = Lab::line(0).build();
    lab.client().ip("link set lo up");
    let list = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(list.path(), "127.0.0.1 127.0.0.2-4 # others\nno.such.invalid\n").expect("written");
    let file = list.path().display().to_string();
    let arguments = format!("-iL {file} --exclude 127.0.0.3,127.0.0.8/30 -p 9 --yes --json");
    let output = super::scanning::run(lab.client(), "127.0.0.9", &arguments);
    let record: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let report = &record["outcome"]["report"];
    let hosts: Vec<&str> = (report["hosts"].as_array().expect("hosts").iter())
        .map(|host| host["address"].as_str().expect("an address"))
        .collect();
    assert_eq!(hosts, ["127.0.0.1", "127.0.0.2", "127.0.0.4"], "{record}");
    assert_eq!(report["unmeasured"][0]["target"], "no.such.invalid", "{record}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no.such.invalid: no such name"));
    let refused = super::scanning::run(lab.client(), "127.0.0.9", &format!("-iL {file} -p 9"));
    assert_eq!(refused.status.code(), Some(2), "more than one host needs --yes");
    // Also where one is written as an IPv6 address.
    for (target, excluded) in [
        ("127.0.0.9", "127.0.0.9"),
        ("::ffff:127.0.0.9", "127.0.0.9"),
        ("127.0.0.9", "::ffff:127.0.0.9"),
        ("127.0.0.9", "::ffff:127.0.0.8/125"),
    ] {
        let none = super::scanning::run(lab.client(), target, &format!("--exclude {excluded} -p 9"));
        let said = String::from_utf8_lossy(&none.stderr).into_owned();
        assert_eq!(none.status.code(), Some(2), "{target} {excluded}: {said}");
        assert!(said.contains("--exclude"), "{said}");
    }
    let same = super::scanning::report(
        lab.client(),
        "::ffff:127.0.0.9".parse::<std::net::IpAddr>().expect("mapped"),
        "-p 9",
    );
    assert_eq!(same["hosts"][0]["address"], "127.0.0.9", "{same}");
}

#[test]
fn a_host_that_is_not_there_is_a_report_and_ends_with_1() {
    let lab = Lab::line(1).build();
    let _rule = lab.server().rule(Hook::Input, "meta l4proto tcp", "drop");
    let output = super::scanning::run(lab.client(), &lab.server().address4().to_string(), "-p 1-100");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Not shown: 100 filtered tcp ports (no-response)"), "{said}");
}
