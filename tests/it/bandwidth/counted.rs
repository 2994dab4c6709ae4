//! What the kernel has counted meanwhile: shapers, filters, its own retransmits and drops. A test must say the same.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use waddleperf::sys::wait::sleep;

use super::factor::{report, waddleperf};
use super::number;
use super::server::Iperf3;
use crate::iperf3::OPEN;
use crate::lab::{
    Direction, Hook, Lab, Node, Queue, Shaper, Threads, Units, alone, holds, one_of_three, overflowed,
};
use crate::tool::WADDLEPERF;

/// Octets of Ethernet, IPv4 and TCP with timestamps before the payload of a segment; of a SYN eight more.
const HEADERS: u64 = 14 + 20 + 32;

/// Octets of payload that the shaper has let through since it showed `before`, and `connections` with that.
fn payload(queue: &Queue<'_>, before: [u64; 2], connections: u64) -> f64 {
    let [bytes, packets] = queue.sent();
    (bytes - before[0] - (packets - before[1]) * HEADERS - connections * 8) as f64
}

#[test]
fn goodput_is_what_a_shaper_has_counted_and_its_rate() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let server = waddleperf(&lab, OPEN);
    // A window that is more than a busy host's delays need, and little beside what is sent.
    for (mbit, burst, octets, window) in
        [(20, 62_500, "6M", "32K"), (100, 125_000, "30M", "128K"), (500, 250_000, "120M", "400K")]
    {
        let rate = mbit * 1_000_000;
        let shaper = Shaper::TokenBucket { rate, burst, latency: 20.ms() };
        for (way, args) in [("up", format!("-n {octets}")), ("down", format!("-t 2.5 -R -w {window}"))] {
            let direction = if way == "up" { Direction::Up } else { Direction::Down };
            one_of_three(|| {
                let queue = lab.router(1).shape(direction, shaper);
                let before = queue.sent();
                let found = report(&lab, &format!("-p {} {args}", server.port));
                let counted = payload(&queue, before, 2);
                lab.router(1).unshape(direction);
                let flow = &found[way];
                let received = number(&flow["received"]["bytes"]);
                let is_counted = (received / counted - 1.0).abs() < 0.01;
                assert!(is_counted, "{mbit} {way}: {received} of {counted}: {flow}");
                // A frame of 1,514 octets carries 1,448 of payload. Where the host is busy it has no time for the fastest.
                let of_rate = |bps: &Value| number(bps) / (rate as f64 * 1448.0 / 1514.0);
                let share = of_rate(&flow["throughput_bps"]);
                assert!(share < 1.03, "{mbit} {way}: {share}: {flow}");
                // What the bucket has lost while the host had no processor is of few tenths of a second.
                let is_steady = share > 0.9 && (of_rate(&flow["bins"]["p50_bps"]) - 1.0).abs() < 0.01;
                let is_near = share > if mbit < 500 { 0.97 } else { 0.5 };
                holds(is_near || is_steady, || format!("{mbit} {way}: {share}: {flow}"))
            });
        }
    }
}

/// Drops twenty of the large segments, or a hundred datagrams, early in a test, and never another.
const SOME_SEGMENTS: &str = "meta length > 1400 numgen inc mod 50 == 7 limit rate 1/day burst 20 packets";
const SOME_DATAGRAMS: &str = "udp length 1408 numgen inc mod 5 == 3 limit rate 1/day burst 100 packets";

#[test]
fn retransmits_are_those_of_the_senders_kernel() {
    let lab = Lab::line(1).build();
    for node in [lab.client(), lab.server()] {
        // What is sent again though nothing was lost, when a host was late, is counted by the kernel alike; but not after the end.
        node.sysctl("net.ipv4.tcp_early_retrans", "0");
    }
    let ours = waddleperf(&lab, OPEN);
    let _stock = Iperf3::start(lab.server(), "");
    for port in [5201, ours.port] {
        for args in ["", "-P 3", "-C reno", "-R", "-R -P 3"] {
            let (way, sender): (_, &Node) =
                if args.contains("-R") { ("down", lab.server()) } else { ("up", lab.client()) };
            one_of_three(|| {
                let rule = lab.router(1).rule(Hook::Forward, SOME_SEGMENTS, "drop");
                let before = sender.counter("TcpRetransSegs");
                // Nothing is left to be sent at the end, which would be sent again after it.
                let found = report(&lab, &format!("-t 1.2 -b 40M -p {port} {args}"));
                let again = sender.counter("TcpRetransSegs") - before;
                assert_eq!(rule.dropped(), 20, "{port} {args}");
                rule.lift();
                let told = number(&found[way]["retransmits"]);
                // The kernel also counts what the control connection sends again, which it does only where a host was late.
                assert!((20.0..=again as f64).contains(&told), "{port} {args}: {again}: {}", found[way]);
                holds(told == again as f64, || format!("{port} {args}: {told} of {again}"))
            });
        }
    }
}

#[test]
fn lost_datagrams_are_those_that_a_filter_has_counted() {
    let lab = Lab::line(1).build();
    let ours = waddleperf(&lab, OPEN);
    let _stock = Iperf3::start(lab.server(), "");
    for port in [5201, ours.port] {
        for (args, way) in [("", "up"), ("-R", "down"), ("--bidir", "up"), ("-P 2", "up")] {
            let rule = lab.router(1).rule(Hook::Forward, SOME_DATAGRAMS, "drop");
            let before = overflowed([lab.client(), lab.server()]);
            let found = report(&lab, &format!("-u -l 1400 -b 20M -t 1.2 -p {port} {args}"));
            assert_eq!(rule.dropped(), 100, "{port} {args}");
            rule.lift();
            let flows = [&found["up"]["udp"], &found["down"]["udp"]];
            let lost: f64 = flows.iter().filter_map(|udp| udp["lost"].as_f64()).sum();
            let unread = overflowed([lab.client(), lab.server()]) - before;
            assert_eq!(lost, (100 + unread) as f64, "{port} {args}: {}", found[way]["udp"]);
            let udp = &found[way]["udp"];
            let ratio = number(&udp["lost"]) / number(&udp["seen"]);
            assert!((number(&udp["loss_ratio"]) - ratio).abs() < 1e-9, "{udp}");
        }
    }
}

#[test]
fn what_a_hosts_own_socket_drops_is_told_apart_from_what_the_network_does() {
    let lab = Lab::line(1).build();
    let server = waddleperf(&lab, OPEN);
    for counted in ["", "--omit 1"] {
        let rule = lab.router(1).rule(Hook::Forward, SOME_DATAGRAMS, "drop");
        let before = lab.client().counter("UdpRcvbufErrors");
        let mut client = lab.client().command(WADDLEPERF);
        client.args(["bandwidth", "--json", "-u", "-R", "-l", "1400", "-b", "80M", "-t", "2.7", "-w", "4M"]);
        client.args(counted.split_whitespace()).args(["-p", &server.port.to_string()]);
        let client = client.arg(lab.server().address4().to_string()).stdout(Stdio::piped()).spawn();
        let client = client.expect("it runs");
        Threads(client.id()).awaited("bulk", 1);
        // By then the filter has dropped all that it will, and what is omitted is over.
        sleep(if counted.is_empty() { 600.ms() } else { 1600.ms() });
        let pid = Pid::from_raw(client.id().cast_signed());
        kill(pid, Signal::SIGSTOP).expect("stopped");
        // Twice what the queue holds.
        sleep(800.ms());
        kill(pid, Signal::SIGCONT).expect("continued");
        let output = client.wait_with_output().expect("it ends");
        let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
        let down = &record["outcome"]["report"]["down"];
        let udp = &down["udp"];
        let dropped = lab.client().counter("UdpRcvbufErrors") - before;
        assert!(dropped > 100, "{counted}: {dropped} {udp}");
        assert_eq!(number(&udp["dropped_here"]), dropped as f64, "{counted}: {udp}");
        assert_eq!(rule.dropped(), 100, "{counted}");
        rule.lift();
        // What the network lost came first, and is omitted with the rest.
        let network = if counted.is_empty() { 100.0 } else { 0.0 };
        assert_eq!(number(&udp["lost"]) - dropped as f64, network, "{counted}: {udp}");
        assert_eq!(down["limit"]["factor"], "receiver_cpu", "{down}");
    }
}
