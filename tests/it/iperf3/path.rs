//! Paths that lose datagrams, and clients that vanish behind them.

use std::process::Stdio;

use serde_json::{Value, json};
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;

use super::pairs::{Both, Peer, WITH_OURS};
use super::raw::{Raw, udp};
use super::{OPEN, Server, number};
use crate::lab::{Direction, Hook, Lab, Rule, Threads, Units, alone, overflowed};
use crate::tool::WADDLEPERF;

/// A server in the lab, without limits.
fn server(lab: &Lab) -> Server {
    Server::launch(lab.server().command(WADDLEPERF), &format!("[serve.iperf3]\n{OPEN}"), "0.0.0.0")
}

#[test]
fn loss_is_what_the_filter_has_dropped() {
    let lab = Lab::line(1).build();
    let server = server(&lab);
    let host = lab.server().address4().to_string();
    let port = server.port;
    for (args, which) in [
        ("", "dport"),
        ("--udp-counters-64bit", "dport"),
        ("-R", "sport"),
        ("-R --udp-counters-64bit", "sport"),
    ] {
        // Greetings and answers are shorter.
        let matching = format!(
            "udp {which} {port} udp length 1008 numgen inc mod 5 == 3 limit rate 1/day burst 100 packets"
        );
        let before = overflowed([lab.client(), lab.server()]);
        let rule = lab.router(1).rule(Hook::Forward, &matching, "drop");
        let mut client = lab.client().command("iperf3");
        client.args(["-c", &host, "-p", &port.to_string(), "-u", "-l", "1000", "-b", "4M", "-t", "2", "-J"]);
        let output = client.args(args.split_whitespace()).output().expect("it runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert!(output.status.success() && report.get("error").is_none(), "{args}: {report:#}");
        let unread = overflowed([lab.client(), lab.server()]) - before;
        assert_eq!(rule.dropped(), 100, "{args}");
        assert_eq!(number(&report, "/end/sum/lost_packets"), (100 + unread) as f64, "{args}: {report:#}");
        rule.lift();
    }
}

#[test]
fn a_segment_size_and_a_type_of_service_are_kept_both_ways() {
    let lab = Lab::line(1).build();
    let both = Both::start(&lab);
    for pair in WITH_OURS {
        for way in ["", "-R"] {
            let about = format!("{pair:?} {way}");
            let port = both.port(pair.1);
            let capture = lab.client().capture(Direction::Up);
            both.told(&lab, pair, &format!("-M 1000 -S 0x48 -t 1 -b 10M {way}"));
            let packets = capture.stop();
            // Longer than anything that the control connection says.
            let data = packets.iter().filter_map(|packet| Some((packet, packet.segment(port)?)));
            let data: Vec<_> = data.filter(|(_, segment)| segment.data > 900).collect();
            assert!(data.len() > 100, "{about}: {} segments", data.len());
            for (packet, segment) in data {
                assert!(segment.data <= 1000 && segment.is_client == way.is_empty(), "{about}: {segment:?}");
                // A stock server of version 3.12 gives what it sends none.
                let tos = if (pair.1, way) == (Peer::Stock, "-R") { 0 } else { 0x48 };
                assert_eq!(packet.frame[15], tos, "{about}: type of service");
            }
        }
    }
}

#[test]
fn a_client_behind_a_filter_leaves_nothing_after_twenty_seconds() {
    let lab = Lab::line(1).build();
    let modes = [
        "-t 60 -b 5M",
        "-t 60 -R -b 5M",
        "-t 60 -R",
        "-t 60 --bidir -b 5M",
        "-t 60 -u -b 5M -l 1000",
        "-t 60 -u -R -b 5M -l 1000",
    ];
    let server = server(&lab);
    let host = lab.server().address4().to_string();
    let start = |args: &str| {
        let mut client = lab.client().command("iperf3");
        client.args(["-c", &host, "-p", &server.port.to_string()]).args(args.split_whitespace());
        client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    assert!(start("-n 1K").wait().expect("it ends").success());
    let before = server.settled();
    let mut clients: Vec<_> = modes.into_iter().map(start).collect();
    Threads(server.child.id()).awaited("bulk", modes.len() + 1);
    let _filter = lab.router(1).rule(Hook::Forward, "ip version 4", "drop");
    let began = clock::now().mono;
    let is_free = || server.descriptors() <= before && server.threads_named("bulk") == 0;
    while !is_free() {
        let took = clock::now().mono - began;
        assert!(took < 20.secs(), "{} descriptors, {before} before", server.descriptors());
        sleep(100.ms());
    }
    for client in &mut clients {
        let _ = client.kill();
        let _ = client.wait();
    }
    // Of each there is what came of it.
    let records = server.records(1 + modes.len());
    assert!(records[1..].iter().all(|record| record["partial"] == true), "{records:?}");
}

/// Nothing more passes `sent` from a second after now on.
#[track_caller]
fn is_silent(sent: &Rule<'_>, about: &str) {
    sleep(1.secs());
    let before = sent.dropped();
    sleep(500.ms());
    assert_eq!(sent.dropped(), before, "{about}: still sending");
}

#[test]
fn nothing_is_sent_to_who_is_gone() {
    let lab = Lab::line(0).build();
    let server = server(&lab);
    let sent = lab.server().rule(Hook::Output, &format!("udp sport {}", server.port), "accept");
    let flows = |count: u64| {
        let least = sent.dropped() + count;
        assert!((0..1000).any(|_| {
            sleep(10.ms());
            sent.dropped() >= least
        }));
    };
    // The end of the control connection is enough: nobody says that the port is closed.
    {
        let _mute = lab.client().rule(Hook::Output, "icmp type destination-unreachable", "drop");
        let mut client = lab.client().command("iperf3");
        client.args(["-c", &lab.server().address4().to_string(), "-p", &server.port.to_string()]);
        client.args(["-u", "-R", "-b", "5M", "-l", "1000", "-t", "60"]);
        let client = client.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut client = client.expect("it starts");
        flows(100);
        client.kill().expect("killed");
        client.wait().expect("waited for");
        is_silent(&sent, "the connection has ended");
    }
    // So is a port that is closed, while the connection stands.
    let (mut raw, socket) = lab.server().run(|| {
        let params = json!({"udp": true, "reverse": true, "omit": 0, "time": 60, "parallel": 1, "len": 1000,
            "bandwidth": 5_000_000});
        let mut raw = Raw::ask(&server, &params);
        raw.hear(&[10]);
        let socket = udp(&server, [127, 0, 0, 1]);
        socket.send(b"9876").expect("sent");
        raw.hear(&[1, 2]);
        (raw, socket)
    });
    flows(100);
    drop(socket);
    is_silent(&sent, "the port is closed");
    raw.say(&[4]);
    raw.hear(&[13]);
}

#[test]
fn a_translator_that_forgets_the_silent_is_kept_awake() {
    let lab = Lab::line(1).build();
    let server = server(&lab);
    let router = lab.router(1);
    router.masquerade();
    // It forgets a connection of which nothing was heard for longer than our server is silent, and knows nothing of those that it
    // has not seen begin.
    router.sysctl("net.netfilter.nf_conntrack_tcp_loose", "0");
    router.sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", "8");
    let _unknown = router.rule(Hook::Forward, "ip protocol tcp ct state invalid", "drop");
    let mut client = lab.client().command("timeout");
    client.args(["60", "iperf3", "-c", &lab.server().address4().to_string(), "-p", &server.port.to_string()]);
    let output = client.args(["-u", "-b", "100K", "-l", "500", "-t", "20", "-J"]).output().expect("it runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert!(output.status.success() && report.get("error").is_none(), "{report:#}");
    assert_eq!(number(&report, "/end/sum/lost_packets"), 0.0, "{report:#}");
    // The server has seen nobody but the translator: its side of the second link.
    assert_eq!(server.records(1)[0]["address"], "10.200.1.1", "{report:#}");
}

#[test]
fn a_flow_label_comes_back() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    // Else labels of TCP are only who connects may choose.
    lab.server().sysctl("net.ipv6.flowlabel_consistency", "0");
    let server = Server::launch(lab.server().command(WADDLEPERF), &format!("[serve.iperf3]\n{OPEN}"), "[::]");
    let host = lab.server().address6().to_string();
    for args in ["-R", "-R -u -l 1000"] {
        let capture = lab.client().capture(Direction::Up);
        let mut client = lab.client().command("iperf3");
        client.args(["-c", &host, "-p", &server.port.to_string(), "-L", "0x12345", "-b", "20M", "-t", "1"]);
        let output = client.args(args.split_whitespace()).output().expect("it runs");
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
        let label = |frame: &[u8]| u32::from_be_bytes([0, frame[15] & 0xf, frame[16], frame[17]]);
        let packets = capture.stop();
        // Of UDP or TCP: an error that quotes a datagram is none.
        let data = packets.iter().filter(|of| of.frame.len() > 900 && [6, 17].contains(&of.frame[20]));
        let labels: Vec<u32> = data.map(|packet| label(&packet.frame)).collect();
        let other = labels.iter().find(|&&label| label != 0x12345);
        assert!(labels.len() > 10 && other.is_none(), "{args}: {} {other:x?}", labels.len());
    }
}
