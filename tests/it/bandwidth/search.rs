//! `--find-max`: the rate of a shaped link is found, and what ends a search otherwise is told.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use waddleperf::sys::wait::sleep;

use super::server::Iperf3;
use super::{bandwidth, number};
use crate::lab::{Direction, Lab, Loss, Shaper, alone, holds, one_of_three};
use crate::tool::WADDLEPERF;

/// Payload in bit/s of a link that carries `mbit` of frames: 42 octets of each are headers.
pub(crate) fn payload(mbit: u64, length: f64) -> f64 {
    mbit as f64 * 1e6 * length / (length + 42.0)
}

pub(crate) const fn shaper(mbit: u64) -> Shaper {
    Shaper::TokenBucket { rate: mbit * 1_000_000, burst: 16_000, latency: Duration::from_millis(30) }
}

#[test]
fn the_rate_of_a_shaped_link_is_found() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let _server = Iperf3::start(lab.server(), "");
    let address = lab.server().address4();
    for (mbit, direction, args) in [(20, Direction::Up, ""), (100, Direction::Down, "-R -P 2 -l 1200")] {
        let _queue = lab.router(1).shape(direction, shaper(mbit));
        let search = format!("-u --find-max --trial 1 -t 4 {args} {address}");
        let way = if args.contains("-R") { "down" } else { "up" };
        // A host that loses time is unsteady itself, and slower.
        let record = one_of_three(|| {
            let (code, record, says) = bandwidth(lab.client(), &search);
            assert_eq!(code, Some(0), "{args}: {says} {record}");
            let report = &record["outcome"]["report"];
            let seen = || format!("{mbit} {args}: {says} {report}");
            holds(report["search"]["ended"] == "found", seen)?;
            let expected = payload(mbit, number(&report["length_bytes"]));
            let found = number(&report["search"]["found_bps"]);
            // What the record's headline is, is that rate as it came.
            let came = number(&report[way]["throughput_bps"]);
            holds((found / expected - 1.0).abs() < 0.05 && (came / found - 1.0).abs() < 0.03, seen)?;
            Ok(record)
        });
        let report = &record["outcome"]["report"];
        let search = &report["search"];
        assert_eq!((&search["confirmed"], &search["bound"]), (&json!(true), &json!("network")), "{search}");
        assert!(number(&search["above_bps"]) > number(&search["found_bps"]), "{search}");
        assert_eq!(report[way]["limit"], Value::Null);
        let trials = search["trials"].as_array().expect("trials");
        assert_eq!(trials[0]["rate_bps"], 1e6);
        assert!(trials.iter().any(|trial| trial["verdict"] == "lost"), "{search}");
    }
}

#[test]
fn a_ceiling_a_path_that_loses_and_an_interrupt_end_a_search() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let address = lab.server().address4();
    let _server = Iperf3::start(lab.server(), "");
    let quick = format!("-u --find-max --trial 0.5 -t 0.5 {address}");
    let (code, record, says) = bandwidth(lab.client(), &format!("-b 3M {quick}"));
    let search = &record["outcome"]["report"]["search"];
    assert_eq!(code, Some(0), "{says}");
    assert_eq!((&search["found_bps"], &search["bound"]), (&json!(3e6), &json!("ceiling")), "{search}");
    // The longest that it may take is told before.
    assert!(says.is_empty(), "{says}");
    // A person who has seen enough.
    let mut waiting = lab.client().command(WADDLEPERF);
    let args = format!("bandwidth --json -u --find-max --trial 0.5 -t 30 -b 2M {address}");
    let waiting = waiting.args(args.split_whitespace()).stdout(Stdio::piped()).spawn().expect("it runs");
    sleep(Duration::from_secs(5));
    kill(Pid::from_raw(waiting.id() as i32), Signal::SIGINT).expect("signalled");
    let output = waiting.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
    let (report, search) = (&record["outcome"]["report"], &record["outcome"]["report"]["search"]);
    assert_eq!((&record["partial"], &report["ended"]), (&json!(true), &json!("interrupted")), "{record}");
    assert_eq!((&search["found_bps"], &search["confirmed"]), (&json!(2e6), &json!(false)), "{search}");
    assert!(number(&report["up"]["throughput_bps"]) > 1e6, "{report}");
    // One in five is lost of any rate.
    let _rule = lab.router(1).drop_down(Loss::Exact { every: 5 });
    let (code, record, _) = bandwidth(lab.client(), &format!("-R {quick}"));
    let report = &record["outcome"]["report"];
    assert_eq!((code, &report["search"]["ended"]), (Some(0), &json!("nothing")), "{record}");
    assert_eq!(report["search"]["found_bps"], Value::Null, "{report}");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let lab = Lab::line(0).build();
    for (args, word) in [
        ("--find-max host.example", "--find-max"),
        ("-u --find-max --bidir host.example", "--bidir"),
        ("-u --find-max -n 1M host.example", "--find-max"),
        ("-u --find-max -J host.example", "--iperf3-json"),
        ("-u --find-max --loss 0.1 host.example", "0.1%"),
        ("-u --find-max --trial 0.1 host.example", "--trial"),
        ("-u --find-max --trial 5 -t 2 host.example", "--time"),
        ("-u --loss 1% host.example", "--find-max"),
    ] {
        let (code, _, says) = bandwidth(lab.client(), args);
        assert_eq!(code, Some(2), "{args}: {says}");
        assert!(says.contains(word), "{args}: {says}");
    }
}
