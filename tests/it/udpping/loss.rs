//! Loss by direction is what nft's counters say, packet for packet.

use std::thread;

use super::serving::{STAMP, Serving, number, ping};
use crate::lab::{Hook, Lab};

/// UDP length of the probe packets, payload and header; control packets are shorter and pass.
const PROBE: u16 = 128 + 8;

/// What is lost on the way there and back, as nft matches.
#[derive(Clone, Copy, Debug)]
struct Case {
    stamp: bool,
    up: Option<&'static str>,
    down: Option<&'static str>,
}

/// 2 % and 10 %, by chance and in turn.
const DICE: [&str; 4] = [
    "numgen random mod 1000 < 20",
    "numgen random mod 1000 < 100",
    "numgen inc mod 50 == 7",
    "numgen inc mod 10 == 7",
];

/// STAMP ends without a word from the reflector: its last packets, by number, are not lost, so that
/// everything is told.
const NOT_THE_LAST: (&str, &str) = ("@th,64,32 < 195", "@th,256,32 < 195");

fn cases(stamp: bool) -> Vec<Case> {
    let three = |dice| [(Some(dice), None), (None, Some(dice)), (Some(dice), Some(dice))];
    DICE.into_iter().flat_map(three).map(|(up, down)| Case { stamp, up, down }).collect()
}

fn check(case: Case) {
    let lab = Lab::line(1).build();
    let _serving = Serving::start(lab.server());
    let (end_up, end_down) = if case.stamp { NOT_THE_LAST } else { ("", "") };
    let rule = |port: &str, end: &str, dice: Option<&str>| {
        let matching = format!("udp {port} {{ 2000, 8620 }} udp length {PROBE} {end} {}", dice?);
        Some(lab.router(1).rule(Hook::Forward, &matching, "drop"))
    };
    let (up, down) = (rule("dport", end_up, case.up), rule("sport", end_down, case.down));
    let format = if case.stamp { format!("--protocol stamp -p {STAMP}") } else { "--protocol wp1".into() };
    let options = format!("-c 200 -i 2ms -W 0.2 -s 128 --catch-up {format}");
    let report = ping(lab.client(), lab.server().address4(), &options);
    let [up, down] = [up, down].map(|rule| rule.map_or(0, |rule| rule.dropped()));
    let told = ["/up/lost", "/down/lost", "/lost_unknown"].map(|pointer| number(&report, pointer));
    assert_eq!(told, [up, down, 0], "{case:?}: {report}");
    assert_eq!(number(&report, "/counts/sent"), 200, "{case:?}");
    assert_eq!(number(&report, "/counts/received"), 200 - up - down, "{case:?}");
}

/// Runs all cases, a few at a time.
fn check_all(cases: &[Case]) {
    thread::scope(|scope| {
        for share in cases.chunks(cases.len().div_ceil(3)) {
            scope.spawn(|| share.iter().copied().for_each(check));
        }
    });
}

#[test]
fn loss_by_direction_is_what_nft_counts_wp1() {
    check_all(&cases(false));
}

#[test]
fn loss_by_direction_is_what_nft_counts_stamp() {
    check_all(&cases(true));
}
