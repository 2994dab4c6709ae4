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
    let options = format!("-c 200 -i 2ms -W 0.5 -s 128 --catch-up {format}");
    let report = ping(lab.client(), lab.server().address4(), &options);
    let [up, down] = [up, down].map(|rule| rule.map_or(0, |rule| rule.dropped()));
    let told = ["/up/lost", "/down/lost", "/lost_unknown"].map(|pointer| number(&report, pointer));
    assert_eq!(told, [up, down, 0], "{case:?}: {report}");
    assert_eq!(number(&report, "/counts/sent"), 200, "{case:?}");
    // On a busy machine a reply may be late; it is not lost for that.
    let answered = number(&report, "/counts/received") + number(&report, "/counts/late");
    assert_eq!(answered, 200 - up - down, "{case:?}: {report}");
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

/// The place of a packet's number behind the UDP header, for nft: on the way there and back.
fn numbers(stamp: bool) -> [&'static str; 2] {
    if stamp { ["@th,64,32", "@th,256,32"] } else { ["@th,160,32"; 2] }
}

/// Loses the packets with these numbers on the way there and back; `told` is what is to be reported of it: lost on the
/// way there, on the way back, and somewhere.
fn check_bursts(stamp: bool, up: &str, down: &str, told: [u64; 3]) {
    let lab = Lab::line(1).build();
    let _serving = Serving::start(lab.server());
    let [there, back] = numbers(stamp);
    let rule = |matching: String| lab.router(1).rule(Hook::Forward, &format!("udp {matching}"), "drop");
    let _rules = [
        rule(format!("dport {{ 2000, 8620 }} udp length {PROBE} {there} {{ {up} }}")),
        rule(format!("sport {{ 2000, 8620 }} udp length {PROBE} {back} {{ {down} }}")),
        // WP1's last word, by its type: the one for which everything is told.
        rule(format!("dport 2000 @th,88,8 4 {}", if told[2] > 0 { "" } else { "udp length 1" })),
    ];
    let format = if stamp { format!("--protocol stamp -p {STAMP}") } else { "--protocol wp1".into() };
    let report = ping(
        lab.client(),
        lab.server().address4(),
        &format!("-c 400 -i 2ms -W 0.5 -s 128 --catch-up {format}"),
    );
    let found = ["/up/lost", "/down/lost", "/lost_unknown"].map(|pointer| number(&report, pointer));
    assert_eq!(found, told, "STAMP {stamp}, {up} up, {down} down: {report}");
}

/// The window of arrivals is 64 packets long; what the reflector has counted reaches further.
#[test]
fn a_burst_longer_than_the_window_is_attributed_once_a_reply_follows_it() {
    for stamp in [false, true] {
        check_bursts(stamp, "100-199", "1000", [100, 0, 0]);
        check_bursts(stamp, "1000", "100-199", [0, 100, 0]);
        check_bursts(stamp, "100-199", "200-299", [100, 100, 0]);
    }
}

#[test]
fn a_burst_that_nothing_follows_is_lost_and_nobody_knows_where() {
    for stamp in [false, true] {
        check_bursts(stamp, "300-400", "1000", [0, 0, 100]);
        check_bursts(stamp, "100-199, 350-400", "300-349", [100, 0, 100]);
    }
}
