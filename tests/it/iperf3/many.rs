//! Many tests on one port, and what those hear for whom there is no place.

use std::process::Stdio;

use serde_json::Value;

use super::ends::running;
use super::{Server, number, read};
use crate::lab::shared;

#[test]
fn eight_clients_at_once_each_have_their_own_test() {
    let _turn = shared();
    let server = Server::with(&format!("{}\n", super::OPEN));
    let before = server.idle();
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
    let started: Vec<_> = asked
        .iter()
        .map(|args| server.client(&format!("{args} -J")).stdout(Stdio::piped()).spawn().expect("it starts"))
        .collect();
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
            assert_eq!(number(&report, "/end/sum/lost_packets"), 0.0, "{args}: {report:#}");
        }
    }
    server.until_idle(before);
}

#[test]
fn who_has_no_place_hears_that_the_server_is_busy() {
    let _turn = shared();
    for limit in ["sessions = 1\nsessions_per_source = 0\n", "sessions = 0\nsessions_per_source = 1\n"] {
        let server = Server::with(limit);
        let (mut long, _said) = running(&server, "-t 8 -b 1M");
        let is_busy = |_| server.complaint("-t 1 -b 1M").contains("the server is busy running a test");
        // Never a reset in the place of the reason.
        assert!((0..10).all(is_busy), "{limit}");
        assert!(long.wait().expect("it ends").success());
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
