//! Round trips beside a capture on the client's interface, the schedule, and the relay's delay.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{numbers, report, run};
use crate::lab::{Busy, Direction, Lab, Packet, Units, alone};

/// Absolute differences between what is told and the capture, in µs, sorted.
fn errors(told: &[f64], frames: &[Packet]) -> Vec<f64> {
    let mut passages: BTreeMap<u16, [Option<u64>; 2]> = BTreeMap::new();
    for packet in frames.iter().filter(|packet| packet.frame.get(23) == Some(&1)) {
        let seq = u16::from_be_bytes([packet.frame[40], packet.frame[41]]);
        passages.entry(seq).or_default()[usize::from(packet.frame[34] != 8)] = Some(packet.time);
    }
    let trips = passages.values().filter_map(|[up, down]| Some((*down)? - (*up)?));
    let mut errors: Vec<f64> =
        told.iter().zip(trips).map(|(told, truth)| (told * 1e3 - truth as f64 / 1e3).abs()).collect();
    assert!(errors.len() >= 100, "{} round trips to judge", errors.len());
    errors.sort_unstable_by(f64::total_cmp);
    errors
}

fn at(errors: &[f64], quantile: f64) -> f64 {
    errors[((errors.len() - 1) as f64 * quantile) as usize]
}

fn ours(lab: &Lab) -> Vec<f64> {
    let capture = lab.client().capture(Direction::Up);
    let found = report(lab.client(), lab.server().address4(), "-c 200 -i 10ms -W 0.5");
    assert_eq!(found["clock"], "kernel", "{found}");
    let samples = found["samples_ms"].as_array().expect("samples");
    let told: Vec<f64> = samples.iter().filter_map(Value::as_f64).collect();
    assert_eq!(told.len(), 200, "{found}");
    errors(&told, &capture.stop())
}

fn iputils(lab: &Lab) -> Vec<f64> {
    let capture = lab.client().capture(Direction::Up);
    let mut ping = lab.client().command("ping");
    let output = ping.args(["-n", "-c", "200", "-i", "0.01", &lab.server().address4().to_string()]).output();
    let printed = String::from_utf8(output.expect("needs ping (make setup-test)").stdout).expect("UTF-8");
    let time = |line: &str| line.split_once("time=")?.1.split(' ').next()?.parse().ok();
    let told: Vec<f64> = printed.lines().filter_map(time).collect();
    errors(&told, &capture.stop())
}

/// The goal is 10 µs at the median and 30 µs at the 99th percentile; slower machines get half as much more. Others on the
/// machine only ever add to the errors: one undisturbed run of a few is the judge.
#[test]
fn rtt_is_the_captures_and_nearer_to_it_than_pings() {
    let _alone = alone();
    let near = (0..5).any(|_| {
        let lab = Lab::line(1).build();
        let (ours, theirs) = (ours(&lab), iputils(&lab));
        let [p50, p99] = [0.5, 0.99].map(|quantile| (at(&ours, quantile), at(&theirs, quantile)));
        println!(
            "|error| p50 {:.1} µs, ping's {:.1}; p99 {:.1} µs, ping's {:.1}",
            p50.0, p50.1, p99.0, p99.1
        );
        p50.0 <= 15.0 && p99.0 <= 45.0 && p50.0 < p50.1 && p99.0 < p99.1
    });
    assert!(near);
}

#[test]
fn on_a_busy_host_rtt_errs_by_less_than_half_of_pings() {
    let _alone = alone();
    let near = (0..3).any(|_| {
        let lab = Lab::line(1).build();
        let _busy = Busy::all_over();
        let (ours, theirs) = (ours(&lab), iputils(&lab));
        let [p50, p99] = [0.5, 0.99].map(|quantile| (at(&ours, quantile), at(&theirs, quantile)));
        println!(
            "busy: |error| p50 {:.1} µs, ping's {:.1}; p99 {:.1} µs, ping's {:.1}",
            p50.0, p50.1, p99.0, p99.1
        );
        p50.0 <= p50.1 / 2.0 && p99.0 <= p99.1 / 2.0
    });
    assert!(near);
}

#[test]
fn a_delay_of_twenty_ms_is_told_as_such() {
    let _alone = alone();
    let right = (0..5).any(|_| {
        let lab = Lab::line(0).delay(10.ms()).build();
        let found = report(lab.client(), lab.server().address4(), "-c 100 -i 10ms");
        let p50 = found["rtt"]["p50_ms"].as_f64().expect("a median");
        println!("p50 {p50} ms");
        (20.0..20.4).contains(&p50)
    });
    assert!(right);
}

/// Where ping takes 1.6 s instead of one; `make bench` has the exact figures.
#[test]
fn schedules_of_1_and_10_ms_are_kept() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    for (interval, count) in [("1ms", 1001), ("10ms", 101)] {
        let right = (0..8).any(|_| {
            let capture = lab.client().capture(Direction::Up);
            let target = lab.server().address4();
            let output =
                run(lab.client(), &format!("{target} -q --json --force -c {count} -i {interval} -W 0.2"));
            let found = super::report_of(&output);
            let frames = capture.stop();
            let is_request = |packet: &&Packet| packet.frame.get(23) == Some(&1) && packet.frame[34] == 8;
            let times: Vec<u64> = frames.iter().filter(is_request).map(|packet| packet.time).collect();
            let lasted = (times[times.len() - 1] - times[0]) as f64 / 1e9;
            println!("{interval}: {} packets in {lasted:.4} s", times.len());
            numbers(&found, ["/counts/sent"])[0] >= count * 99 / 100 && (0.99..1.01).contains(&lasted)
        });
        assert!(right, "{interval}");
    }
}
