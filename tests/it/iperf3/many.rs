//! Many tests on one port, and what those hear for whom there is no place.

use std::process::Stdio;

use serde_json::Value;
use waddleperf::sys::clock;

use super::ends::{SOON, interrupt, running};
use super::raw::Raw;
use super::{OPEN, Server, number, read, unread};
use crate::lab::shared;

#[test]
fn eight_clients_at_once_each_have_their_own_test() {
    let _turn = shared();
    let server = Server::configured(&format!("[serve.iperf3]\n{OPEN}"), "0.0.0.0");
    let before = server.idle();
    let (mut lost, unread_before) = (0.0, unread());
    // The rate tells whose the octets are.
    let asked = [
        "-t 2 -b 5M",
        "-t 2 -b 10M -R",
        "-t 2 -b 20M -P 2",
        "-t 2 -b 5M --bidir",
        "-u -t 2 -b 5M -l 1000",
        "-u -t 2 -b 10M -l 1000 -R",
        "-u -t 2 -b 20M -l 1000",
        "-u -t 2 -b 5M -l 1000 --bidir",
    ];
    let started = asked.iter().zip(0..).map(|(args, n)| {
        // Those over TCP and those over UDP are from one address by turns, which four of them share.
        let source = if n % 2 == 0 { 1 } else { 2 + n };
        let mut client = server.client(&format!("{args} -B 127.0.0.{source} -J"));
        client.stdout(Stdio::piped()).spawn().expect("it starts")
    });
    let started: Vec<_> = started.collect();
    for (args, mut client) in asked.into_iter().zip(started) {
        let report: Value = serde_json::from_str(&read(client.stdout.take())).expect("a report");
        assert!(
            client.wait().expect("it ends").success() && report.get("error").is_none(),
            "{args}: {report:#}"
        );
        let rate: f64 =
            args.split("-b ").nth(1).and_then(|rest| rest.split('M').next()?.parse().ok()).expect("a rate");
        let rate = if args.contains("-P 2") { 2.0 * rate } else { rate };
        let sum = if args.contains("-u") { "sum" } else { "sum_received" };
        let megabits = number(&report, &format!("/end/{sum}/bytes")) * 8e-6 / 2.0;
        // Of two directions stock's own sums of UDP are both.
        let most = if args.contains("-u") && args.contains("bidir") { 2.2 } else { 1.2 };
        assert!((0.6 * rate..most * rate).contains(&megabits), "{args}: {megabits} Mbit/s");
        if args.contains("-u") {
            lost += number(&report, "/end/sum/lost_packets");
        }
    }
    assert!(lost <= (unread() - unread_before) as f64, "{lost} lost");
    server.until_idle(before);
}

#[test]
fn who_has_no_place_hears_that_the_server_is_busy() {
    let _turn = shared();
    for limit in ["sessions = 1\nsessions_per_source = 0\n", "sessions = 0\nsessions_per_source = 1\n"] {
        let server = Server::with(&format!("{limit}time = \"60s\"\n"));
        let (long, _said) = running(&server, "-t 50 -b 1M");
        // Never a reset in the place of the reason.
        for n in 0..100 {
            let said = server.complaint("-t 1 -b 1M");
            assert!(said.contains("the server is busy running a test"), "{limit}, {n}: {said}");
        }
        interrupt(long);
        server.has_a_place_by(clock::now().mono + SOON);
        server.report("-n 1M");
    }
}

#[test]
fn another_source_has_a_place_of_its_own() {
    let _turn = shared();
    let server = Server::configured("[serve.iperf3]\nsessions_per_source = 1\n", "0.0.0.0");
    let (mut long, _said) = running(&server, "-t 6 -b 1M");
    assert!(server.complaint("-n 1K").contains("busy"));
    let (is_well, report) = super::told(&mut server.client("-n 100K -B 127.0.0.2 -J"));
    assert!(is_well && report.get("error").is_none(), "{report:#}");
    assert!(long.wait().expect("it ends").success());
}

#[test]
fn who_has_no_place_waits_for_one_where_that_is_allowed() {
    let _turn = shared();
    let server = Server::with("sessions = 1\nsessions_per_source = 0\nqueue = \"30s\"\nqueue_length = 2\n");
    let before = server.idle();
    let (mut first, _said) = running(&server, "-t 2 -b 1M");
    // Two wait for their turn; for a third there is no room to wait either.
    let waiting = ["-t 1 -b 1M -J", "-u -t 1 -b 1M -l 1000 -R -J"];
    let mut waiting: Vec<_> = waiting
        .iter()
        .map(|args| {
            let child = server.client(args).stdout(Stdio::piped()).spawn().expect("it starts");
            waddleperf::sys::wait::sleep(std::time::Duration::from_millis(200));
            child
        })
        .collect();
    assert!(server.complaint("-t 1").contains("the server is busy running a test"));
    assert!(first.wait().expect("it ends").success());
    // One after the other, in the order in which they came.
    let began: Vec<f64> = waiting
        .iter_mut()
        .map(|client| {
            let report: Value = serde_json::from_str(&read(client.stdout.take())).expect("a report");
            assert!(client.wait().expect("it ends").success() && report.get("error").is_none(), "{report:#}");
            assert!(number(&report, "/intervals/0/sum/bytes") > 50_000.0, "{report:#}");
            number(&report, "/start/timestamp/timesecs")
        })
        .collect();
    assert!(began[0] <= began[1], "{began:?}");
    server.until_idle(before);
    // A client that gives up leaves no gap, and one that waits for too long is told.
    let server = Server::with("sessions = 1\nqueue = \"1s\"\n");
    let before = server.idle();
    let (mut long, _said) = running(&server, "-t 4 -b 1M");
    drop(Raw::greet(&server));
    let began = clock::now().mono;
    assert!(server.complaint("-t 1").contains("the server is busy running a test"));
    let waited = clock::now().mono - began;
    assert!((0.9..3.0).contains(&waited.as_secs_f64()), "{waited:?}");
    assert!(long.wait().expect("it ends").success());
    server.until_idle(before);
}

#[test]
fn our_client_asks_a_busy_server_again_where_it_is_told_to() {
    let _turn = shared();
    let server = Server::with("sessions = 1\n");
    let (mut long, _said) = running(&server, "-t 4 -b 1M");
    let ours = |args: &str| {
        let mut client = crate::tool::tool(crate::tool::WADDLEPERF);
        client.args(["bandwidth", "--json", "-n", "1K", "-p", &server.port.to_string()]);
        client.args(args.split_whitespace()).arg("127.0.0.1").output().expect("it runs")
    };
    let refused = ours("");
    assert_eq!(refused.status.code(), Some(1));
    let refused = ours("--retry-busy=1");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("busy; it is asked again in 1s"), "{said}");
    let served = ours("--retry-busy");
    assert_eq!(served.status.code(), Some(0), "{}", String::from_utf8_lossy(&served.stderr));
    assert!(long.wait().expect("it ends").success());
}
