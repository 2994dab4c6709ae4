//! Paths that lose datagrams, and clients that vanish behind them.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::{OPEN, Server, number};
use crate::lab::{Direction, Hook, Lab, alone};
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
        let matching = format!("udp {which} {port} udp length 1008 numgen inc mod 20 == 7");
        let rule = lab.router(1).rule(Hook::Forward, &matching, "drop");
        let mut client = lab.client().command("iperf3");
        client.args(["-c", &host, "-p", &port.to_string(), "-u", "-l", "1000", "-b", "4M", "-t", "2", "-J"]);
        let output = client.args(args.split_whitespace()).output().expect("it runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert!(output.status.success() && report.get("error").is_none(), "{args}: {report:#}");
        let (dropped, lost) = (rule.dropped() as f64, number(&report, "/end/sum/lost_packets"));
        assert!(dropped > 20.0, "{args}: {dropped}");
        // Nobody knows of the very last one.
        assert!((dropped - 1.0..=dropped).contains(&lost), "{args}: {lost} of {dropped}");
        rule.lift();
    }
}

#[test]
fn a_segment_size_and_a_type_of_service_are_kept_both_ways() {
    let lab = Lab::line(1).build();
    let server = server(&lab);
    let host = lab.server().address4().to_string();
    for args in ["-M 1000 -S 0x48 -t 1 -b 10M", "-M 1000 -S 0x48 -t 1 -b 10M -R"] {
        let capture = lab.client().capture(Direction::Up);
        let mut client = lab.client().command("iperf3");
        client.args(["-c", &host, "-p", &server.port.to_string()]).args(args.split_whitespace());
        assert!(client.stdout(Stdio::null()).status().expect("it runs").success(), "{args}");
        let packets = capture.stop();
        // Longer than anything that the control connection says.
        let of_data = |packet: &&crate::lab::Packet| {
            packet.segment(server.port).is_some_and(|segment| segment.data > 900)
        };
        let data: Vec<_> = packets.iter().filter(of_data).collect();
        assert!(data.len() > 500, "{args}: {} segments", data.len());
        for packet in data {
            let segment = packet.segment(server.port).expect("a segment");
            assert!(segment.data <= 1000 && segment.is_client != args.contains("-R"), "{args}: {segment:?}");
            assert_eq!(packet.frame[15], 0x48, "{args}: type of service");
        }
    }
}

#[test]
fn a_client_that_vanishes_leaves_nothing_after_twenty_seconds() {
    let lab = Lab::line(1).build();
    let server = server(&lab);
    let host = lab.server().address4().to_string();
    let start = |args: &str| {
        let mut client = lab.client().command("iperf3");
        client.args(["-c", &host, "-p", &server.port.to_string()]).args(args.split_whitespace());
        client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
    };
    assert!(start("-n 1K").wait().expect("it ends").success());
    let before = server.settled();
    let modes =
        ["-t 60 -b 5M", "-t 60 -R -b 5M", "-t 60 -R", "-t 60 -u -b 5M -l 1000", "-t 60 -u -R -b 5M -l 1000"];
    let mut clients: Vec<_> = modes.into_iter().map(start).collect();
    let runs = |_: &u32| {
        waddleperf::sys::wait::sleep(Duration::from_millis(100));
        // A control connection and a stream of each; of TCP the stream twice.
        server.descriptors() >= before + modes.len() * 2 + 3
    };
    assert!((0..100).any(|n| runs(&n)), "{} descriptors, {before} before", server.descriptors());
    lab.link(0).pull();
    let is_free = |_: &u32| {
        waddleperf::sys::wait::sleep(Duration::from_millis(250));
        server.descriptors() <= before
    };
    assert!((0..100).any(|n| is_free(&n)), "{} descriptors, {before} before", server.descriptors());
    for client in &mut clients {
        let _ = client.kill();
        let _ = client.wait();
    }
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
