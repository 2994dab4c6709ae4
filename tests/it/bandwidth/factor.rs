//! What limited a test, in situations that are built: each is named, for its own evidence, whatever rates, windows, chances.

use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::server::{Iperf3, until_idle};
use super::{bandwidth, number};
use crate::iperf3::{OPEN, Server};
use crate::lab::{Busy, Direction, Lab, Shaper, Starved, Threads, Units, alone, holds, one_of_three};
use crate::tool::WADDLEPERF;

/// A waddleperf in the lab that serves iperf3, with these settings.
pub(crate) fn waddleperf(lab: &Lab, settings: &str) -> Server {
    Server::launch(lab.server().command(WADDLEPERF), &format!("[serve.iperf3]\n{settings}"), "0.0.0.0")
}

/// The report of a test that ends well.
#[track_caller]
pub(crate) fn report(lab: &Lab, args: &str) -> Value {
    if !args.contains("-p ") || args.contains("-p 5201") {
        until_idle(lab.server());
    }
    let args = format!("{args} {}", lab.server().address4());
    let (code, record, says) = bandwidth(lab.client(), &args);
    let report = &record["outcome"]["report"];
    assert!(code == Some(0) && report["ended"].is_null(), "{args}: {says} {record}");
    report.clone()
}

/// What limits a direction is `factor`, and its evidence tells of `word`; the report that says so. A busy machine may be the limit
/// itself for a while: of three tests one has to be right.
#[track_caller]
fn is_limited_by(measure: impl Fn() -> Value, way: &str, factor: &str, word: &str, about: &str) -> Value {
    one_of_three(|| {
        let report = measure();
        let limit = &report[way]["limit"];
        let mut evidence = limit["evidence"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let is_whole = report["ended"].is_null();
        let is_so = is_whole && limit["factor"] == factor && evidence.any(|line| line.contains(word));
        let seen = || match limit.is_null() {
            true => format!("{about}: {factor}, {word}: {report}"),
            false => format!("{about}: {factor}, {word}: {limit} {}", report[way]["throughput_bps"]),
        };
        holds(is_so, seen).map(|()| report.clone())
    })
}

/// A token bucket with a queue of so many milliseconds.
fn bucket(rate: u64, latency: u64) -> Shaper {
    Shaper::TokenBucket { rate, burst: 16_000, latency: latency.ms() }
}

#[test]
fn a_window_that_is_asked_for_is_too_small_for_the_path() {
    for (seed, delay, window) in [(1, 20, "32K"), (2, 10, "64K"), (3, 15, "96K")] {
        let lab = Lab::line(0).delay(delay.ms()).seed(seed).build();
        let _server = Iperf3::start(lab.server(), "");
        is_limited_by(
            || report(&lab, &format!("-t 1.2 -w {window}")),
            "up",
            "window",
            "allow no more",
            window,
        );
        is_limited_by(
            || report(&lab, &format!("-t 1.2 -w {window} -R")),
            "down",
            "window",
            "allow no more",
            window,
        );
    }
}

#[test]
fn the_receivers_system_allows_too_small_a_window() {
    for (seed, delay, most) in [(1, 20, 65_536), (2, 15, 131_072), (3, 10, 98_304)] {
        let lab = Lab::line(0).delay(delay.ms()).seed(seed).build();
        let _server = Iperf3::start(lab.server(), "");
        lab.server().sysctl("net.ipv4.tcp_rmem", &format!("4096 16384 {most}"));
        is_limited_by(|| report(&lab, "-t 1.2"), "up", "window", "allow no more", "theirs");
        lab.client().sysctl("net.ipv4.tcp_rmem", &format!("4096 16384 {most}"));
        is_limited_by(|| report(&lab, "-t 1.2 -R"), "down", "window", "allow no more", "ours");
    }
}

#[test]
fn a_shaped_path_is_the_network_for_one_stream_and_for_many() {
    let lab = Lab::line(1).build();
    let _server = Iperf3::start(lab.server(), "");
    for (rate, latency) in [(20, 40), (50, 30), (100, 20)] {
        let shaped = |way| lab.router(1).shape(way, bucket(rate * 1_000_000, latency));
        let (_up, _down) = (shaped(Direction::Up), shaped(Direction::Down));
        for args in ["-t 1.2", "-t 1.2 -P 8"] {
            is_limited_by(|| report(&lab, args), "up", "network", "no thread of this host was busy", args);
            is_limited_by(
                || report(&lab, &format!("{args} -R")),
                "down",
                "network",
                "no thread of this host was busy",
                args,
            );
        }
    }
}

#[test]
fn a_window_that_waits_in_a_queue_is_not_what_limits() {
    let lab = Lab::line(1).build();
    let _server = Iperf3::start(lab.server(), "");
    for (rate, window) in [(5, "32K"), (10, "48K"), (15, "64K")] {
        let _queue = lab.router(1).shape(Direction::Up, bucket(rate * 1_000_000, 300));
        is_limited_by(
            || report(&lab, &format!("-t 1.2 -w {window}")),
            "up",
            "network",
            "waited in a queue on the way",
            window,
        );
    }
}

#[test]
fn a_queue_on_the_way_is_told_from_a_receiver_that_is_merely_late() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let server = waddleperf(&lab, OPEN);
    for (rate, window) in [(5, "32K"), (10, "48K"), (15, "64K")] {
        let _queue = lab.router(1).shape(Direction::Up, bucket(rate * 1_000_000, 300));
        let _busy = Busy::all_over();
        let args = format!("-t 1.2 -p {} -w {window}", server.port);
        is_limited_by(|| report(&lab, &args), "up", "network", "waited in a queue on the way", window);
    }
}

#[test]
fn a_path_that_loses_is_the_network() {
    for (seed, ratio) in [(1, 0.01), (2, 0.02), (3, 0.04)] {
        let lab = Lab::line(0).delay(5.ms()).loss(ratio).seed(seed).build();
        let _server = Iperf3::start(lab.server(), "");
        let up = is_limited_by(
            || report(&lab, "-t 1.5 -C cubic"),
            "up",
            "network",
            "of the segments were sent again",
            "lossy",
        );
        assert!(number(&up["up"]["retransmits"]) > 0.0, "{up}");
        is_limited_by(
            || report(&lab, "-t 1.5 -C cubic -R"),
            "down",
            "network",
            "of the segments were sent again",
            "lossy",
        );
    }
}

#[test]
fn a_rate_that_is_asked_for_and_reached_is_what_limits() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    // In bursts: a busy host is late for few of them.
    for rate in ["2M/8", "4M/16", "8M/32"] {
        for protocol in ["-l 4K", "-u -l 4000", "-l 4K -P 3"] {
            let both = || report(&lab, &format!("-t 1.2 --bidir -b {rate} {protocol}"));
            for way in ["up", "down"] {
                is_limited_by(both, way, "rate", "of the rate was reached", protocol);
            }
        }
    }
}

#[test]
fn a_rate_that_the_server_allows_is_what_limits() {
    // Nobody makes up for what a busy host's threads have not used of it.
    let _alone = alone();
    let lab = Lab::line(0).build();
    for rate in [10, 20, 40] {
        let server = waddleperf(&lab, &format!("rate = {rate}000000\nudp_rate = {rate}000000\n"));
        for (args, way) in [("", "up"), ("-R", "down"), ("-u -b 0 -l 1000 -R", "down"), ("-P 4 -R", "down")] {
            is_limited_by(
                || report(&lab, &format!("-t 1.2 -p {} {args}", server.port)),
                way,
                "rate",
                "that the server allows",
                args,
            );
        }
    }
}

#[test]
fn datagrams_that_leave_and_do_not_come_are_the_networks() {
    let lab = Lab::line(1).build();
    let _server = Iperf3::start(lab.server(), "");
    for (asked, rate) in [(10, 5), (20, 10), (30, 20)] {
        let shaped = |way| lab.router(1).shape(way, bucket(rate * 1_000_000, 20));
        let (_up, _down) = (shaped(Direction::Up), shaped(Direction::Down));
        for (args, way) in [("", "up"), ("-R", "down")] {
            is_limited_by(
                || report(&lab, &format!("-u -l 1000 -t 1.2 -b {asked}M {args}")),
                way,
                "network",
                "of the datagrams were lost",
                args,
            );
        }
    }
}

/// The report of a test whose threads that move octets are starved: those of the client, or those of the server; the record where
/// there is none.
fn starved(lab: &Lab, server: &Server, is_client: bool, args: &str) -> Value {
    let others = Starved::ready();
    // The threads of the test before are gone.
    for _ in 0..400 {
        if Threads(server.child.id()).named("bulk").is_empty() {
            break;
        }
        waddleperf::sys::wait::sleep(Duration::from_millis(5));
    }
    let mut client = lab.client().command(WADDLEPERF);
    client.args(["bandwidth", "--json", "-t", "1.5", "-p", &server.port.to_string()]);
    client.args(args.split_whitespace()).arg(lab.server().address4().to_string());
    let client: Child = client.stdout(Stdio::piped()).spawn().expect("it runs");
    let process = Threads(if is_client { client.id() } else { server.child.id() });
    others.starve(&process.awaited("bulk", if args.contains("-P 2") { 2 } else { 1 }));
    let output = client.wait_with_output().expect("it ends");
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    // A sender that never had its turn has sent nothing, which is no success, and names nobody.
    let report = &record["outcome"]["report"];
    if report.is_object() { report.clone() } else { record.clone() }
}

#[test]
fn a_sender_without_a_processor_is_named_at_either_end() {
    let lab = Lab::line(0).build();
    let server = waddleperf(&lab, OPEN);
    for args in ["", "-P 2 -l 64K", "-C reno"] {
        is_limited_by(
            || starved(&lab, &server, true, args),
            "up",
            "sender_cpu",
            "this host's sender was busy",
            args,
        );
        is_limited_by(
            || starved(&lab, &server, false, &format!("{args} -R")),
            "down",
            "sender_cpu",
            "the server's sender was busy",
            args,
        );
    }
}

#[test]
fn a_receiver_without_a_processor_is_named_at_either_end() {
    let lab = Lab::line(0).build();
    let server = waddleperf(&lab, OPEN);
    for node in [lab.client(), lab.server()] {
        // What a receiver reads when it has a processor for a moment is soon there again.
        node.sysctl("net.ipv4.tcp_rmem", "4096 131072 262144");
    }
    for args in ["", "-P 2", "-M 1000"] {
        is_limited_by(|| starved(&lab, &server, false, args), "up", "receiver_cpu", "it was not read", args);
        is_limited_by(
            || starved(&lab, &server, true, &format!("{args} -R")),
            "down",
            "receiver_cpu",
            "it was not read",
            args,
        );
    }
}

#[test]
fn datagrams_that_a_host_has_no_time_for_are_its_own_loss() {
    let lab = Lab::line(0).build();
    let server = waddleperf(&lab, OPEN);
    // More than such a queue holds.
    for rate in ["80M", "100M", "120M"] {
        let args = format!("-u -l 1400 -w 4M -b {rate}");
        let up = is_limited_by(
            || starved(&lab, &server, false, &args),
            "up",
            "receiver_cpu",
            "no room in the server's own socket",
            rate,
        );
        assert!(number(&up["up"]["udp"]["dropped_there"]) > 0.0, "{up}");
        let down = is_limited_by(
            || starved(&lab, &server, true, &format!("{args} -R")),
            "down",
            "receiver_cpu",
            "no room in this host's own socket",
            rate,
        );
        assert!(number(&down["down"]["udp"]["dropped_here"]) > 0.0, "{down}");
    }
}
