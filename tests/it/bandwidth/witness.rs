//! What a record says of the course of a test, by other witnesses: a capture, the kernel's accounts, the route's own settings.

use std::fs::read_to_string;
use std::io::Read;
use std::process::Stdio;

use serde_json::Value;
use waddleperf::sys::wait::sleep;

use super::factor::{report, waddleperf};
use super::number;
use super::server::Iperf3;
use crate::iperf3::OPEN;
use crate::lab::{Direction, Hook, Lab, Node, Packet, Units, alone, holds, one_of_three};
use crate::tool::WADDLEPERF;

/// A client of our server at `port`, which prints its record.
fn client(lab: &Lab, port: u16, args: &str) -> std::process::Child {
    let mut client = lab.client().command(WADDLEPERF);
    client.args(["bandwidth", "--json", "-p", &port.to_string()]).args(args.split_whitespace());
    client.arg(lab.server().address4().to_string()).stdout(Stdio::piped()).spawn().expect("it runs")
}

/// The length of a datagram's payload, of one that goes to or comes from `port`.
fn payload(packet: &Packet, port: u16) -> Option<usize> {
    let word = |at: usize| Some(u16::from_be_bytes([*packet.frame.get(at)?, *packet.frame.get(at + 1)?]));
    let is_of_port = packet.frame.get(23) == Some(&17) && (word(34)? == port || word(36)? == port);
    // What the kernel has not cut yet is longer than the header says.
    is_of_port.then(|| packet.frame.len() - 42)
}

/// Bits in each 100 ms from `first` on, in bit/s.
fn bins(times: &[u64]) -> Vec<f64> {
    const BIN: u64 = 100_000_000;
    let (first, last) = (times[0], times[times.len() - 1]);
    let mut bins = vec![0.0; ((last - first) / BIN) as usize];
    for time in times {
        if let Some(bin) = bins.get_mut(((time - first) / BIN) as usize) {
            *bin += 1000.0 * 8.0 * 10.0;
        }
    }
    bins.sort_by(f64::total_cmp);
    bins
}

#[test]
fn bins_and_stalls_are_those_of_a_capture() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let server = waddleperf(&lab, OPEN);
    let capture = lab.client().capture(Direction::Up);
    let passed = lab.router(1).rule(Hook::Forward, "udp length 1008", "accept");
    let client = client(&lab, server.port, "-u -R -b 8M -l 1000 -t 3");
    while passed.dropped() < 1000 {
        sleep(5.ms());
    }
    let cut = lab.router(1).rule(Hook::Forward, "udp length 1008", "drop");
    sleep(650.ms());
    cut.lift();
    let output = client.wait_with_output().expect("it ends");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    let down = &record["outcome"]["report"]["down"];
    let packets = capture.stop();
    let times: Vec<u64> = packets
        .iter()
        .filter(|packet| payload(packet, server.port) == Some(1000))
        .map(|packet| packet.time)
        .collect();
    let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().expect("datagrams") as f64 / 1e6;
    assert!(gap > 600.0, "{gap} ms");
    // What stands still for so long does so for that many whole bins, and two of which a part belongs to it.
    let longest = number(&down["stalls"]["longest_ms"]);
    assert!((gap - 250.0..=gap).contains(&longest), "{longest} of {gap} ms: {down}");
    assert!(number(&down["stalls"]["total_ms"]) >= longest && number(&down["stalls"]["count"]) >= 1.0);
    let seen = bins(&times);
    let found = &down["bins"];
    assert!((27.0..=30.0).contains(&number(&found["count"])), "{found}");
    assert_eq!((number(&found["min_bps"]), seen[0]), (0.0, 0.0), "{found}");
    let median = seen[seen.len() / 2];
    assert!((number(&found["p50_bps"]) / median - 1.0).abs() < 0.03, "{found}, {median}");
    let order = ["min_bps", "p5_bps", "p50_bps", "p95_bps", "max_bps"].map(|name| number(&found[name]));
    assert!(order.is_sorted(), "{found}");
}

#[test]
fn a_congestion_window_is_the_one_that_the_route_begins_with() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    for (window, streams) in [(17, 1), (40, 1), (17, 3)] {
        lab.client().ip(&format!("route replace 10.200.0.0/30 dev up0 initcwnd {window}"));
        // So little is kept back by it only where a host was late, and what is not used does not grow (RFC 7661).
        one_of_three(|| {
            let found = report(&lab, &format!("-C reno -t 1.2 -i 0.4 -b 200K -l 100 -P {streams}"));
            let octets = window * 1448;
            let up = &found["up"];
            let intervals = up["intervals"].as_array().expect("intervals");
            assert!(intervals.len() > 1, "{up}");
            let is_it = up["tcp"]["cwnd_max_bytes"] == octets
                && intervals.iter().all(|interval| interval["cwnd_bytes"] == octets * streams);
            holds(is_it, || up.to_string())
        });
    }
}

/// Seconds of processor time that a process had which has ended and was not waited for: its own, the kernel's for it.
fn used(pid: u32) -> [f64; 2] {
    loop {
        let stat = read_to_string(format!("/proc/{pid}/stat")).expect("it is there until it is waited for");
        let fields: Vec<&str> = stat.rsplit_once(") ").expect("fields").1.split(' ').collect();
        if fields[0] == "Z" {
            let tick = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten().expect("a unit");
            return [11, 12].map(|at| fields[at].parse::<f64>().expect("ticks") / tick as f64);
        }
        sleep(2.ms());
    }
}

#[test]
fn processor_time_is_what_the_kernel_has_accounted() {
    let lab = Lab::line(0).build();
    let server = waddleperf(&lab, OPEN);
    for args in ["-t 2", "-t 2 -R --rx-copy", "-t 2 --bidir -P 2", "-t 1 -b 1M"] {
        let mut client = client(&lab, server.port, args);
        let mut text = String::new();
        client.stdout.take().expect("its stdout").read_to_string(&mut text).expect("text");
        let all = used(client.id());
        client.wait().expect("waited for");
        let record: Value = serde_json::from_str(&text).expect("a record");
        let report = &record["outcome"]["report"];
        let seconds = if args.contains("-t 2") { 2.0 } else { 1.0 };
        let told = ["user_ratio", "system_ratio"].map(|name| number(&report["cpu"]["local"][name]) * seconds);
        let [all, during] = [all, told].map(|of| of.iter().sum::<f64>());
        // What is used before and after the test is in the one and not in the other.
        let rest = all - during;
        assert!(
            (-0.05 - 0.05 * during..0.3 + 0.05 * during).contains(&rest),
            "{args}: {during} of {all} s: {report}"
        );
        let total = number(&report["cpu"]["local"]["total_ratio"]) * seconds;
        assert!((total - during).abs() < 0.01, "{args}: {report}");
    }
}

/// Lets a node hand datagrams to the wire that its kernel has not cut yet, so that a capture shows what it was given at once.
fn cuts_late(node: &Node, interface: &str) {
    let mut ethtool = node.command("ethtool");
    ethtool.args(["-K", interface, "tx", "on", "gso", "on", "tx-udp-segmentation", "on"]);
    assert!(ethtool.stdout(Stdio::null()).status().expect("it runs").success());
}

#[test]
fn bursts_that_the_kernel_cuts_are_no_longer_than_a_millisecond_or_what_was_asked_for() {
    let lab = Lab::line(0).build();
    let server = waddleperf(&lab, OPEN);
    cuts_late(lab.client(), "up0");
    cuts_late(lab.server(), "dn0");
    // A millisecond of 100 Mbit/s; ten datagrams, which are more.
    for (args, most) in [("-b 100M", 12_500), ("-b 10M/10", 14_000)] {
        for way in ["", "-R"] {
            let capture = lab.client().capture(Direction::Up);
            let found = report(&lab, &format!("-p {} -u --gso -l 1400 -t 1 {args} {way}", server.port));
            let lengths: Vec<usize> =
                capture.stop().iter().filter_map(|packet| payload(packet, server.port)).collect();
            let longest = lengths.iter().max().expect("datagrams");
            assert!((2800..=most).contains(longest), "{args} {way}: {longest} octets at once: {found}");
        }
    }
}
