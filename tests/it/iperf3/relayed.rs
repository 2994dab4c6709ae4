//! Datagrams through a path that loses, repeats and overtakes: what either client says of either server is what the path did.

use std::fmt;

use serde_json::Value;

use super::pairs::Peer::{Ours, Stock};
use super::pairs::{Both, PAIRS, Pair};
use crate::lab::{Direction, Fate, Hook, Lab, Percent, Profile, Units, overflowed};

/// What a client says of datagrams.
#[derive(Debug)]
struct Said {
    lost: f64,
    seen: f64,
    /// Those that came after a later one, duplicates included, where the client received.
    disordered: Option<f64>,
    duplicates: Option<f64>,
}

impl Said {
    fn percent(&self) -> f64 {
        100.0 * self.lost / self.seen
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} % of {}", self.percent(), self.seen)
    }
}

/// What a client says of a test over UDP, its whole report beside it. What was lost is without those that no reader had time for.
#[track_caller]
fn test(both: &Both, lab: &Lab, pair: Pair, args: &str) -> (Said, Value) {
    let before = overflowed([lab.client(), lab.server()]);
    let told = both.told(lab, pair, &format!("-u {args}"));
    let number = |of: &Value, key: &str| of[key].as_f64().unwrap_or_else(|| panic!("no {key}: {of:#}"));
    let unread = (overflowed([lab.client(), lab.server()]) - before) as f64;
    let said = match pair.0 {
        Stock => {
            let (sum, udp) = (&told["end"]["sum"], &told["end"]["streams"][0]["udp"]);
            let disordered = args.contains("-R").then(|| number(udp, "out_of_order"));
            let (lost, seen) = (number(sum, "lost_packets"), number(sum, "packets"));
            Said { lost: lost - unread, seen, disordered, duplicates: None }
        }
        Ours => {
            let udp = &told[if args.contains("-R") { "down" } else { "up" }]["udp"];
            let duplicates = udp["duplicates"].as_f64();
            let disordered = udp["reordered"].as_f64().zip(duplicates).map(|(late, twice)| late + twice);
            Said { lost: number(udp, "lost") - unread, seen: number(udp, "seen"), disordered, duplicates }
        }
    };
    (said, told)
}

/// What the relay did to datagrams of 1,000 octets in a direction since it had noted `before`: how many came, and how many it
/// lost, sent twice, and let be overtaken.
fn done(lab: &Lab, way: Direction, before: usize) -> [usize; 4] {
    let log = lab.relay().log();
    let datagrams = || log[before..].iter().filter(|record| record.direction == way && record.length == 1042);
    let of = |fate| datagrams().filter(|record| record.fate == fate).count();
    let (lost, twice) = (of(Fate::Lost), of(Fate::Duplicate));
    let mut newest = 0;
    let mut left: Vec<_> = datagrams().filter_map(|record| Some((record.written?, record.arrival))).collect();
    left.sort_unstable();
    let late = left.iter().filter(|(_, arrival)| {
        newest = newest.max(*arrival);
        *arrival < newest
    });
    let late = late.count();
    [datagrams().count() - twice, lost, twice, late]
}

const WAYS: [(&str, Direction); 2] = [("", Direction::Up), ("-R", Direction::Down)];

#[test]
fn loss_is_what_the_path_has_lost_and_as_stock_says_it() {
    let lab = Lab::line(0).relay().seed(11).build();
    let both = Both::start(&lab);
    for (args, way) in WAYS {
        lab.relay().set(way, Profile { loss: 5.pct(), ..Profile::default() });
        let mut errors = Vec::new();
        for pair in PAIRS {
            let before = lab.relay().log().len();
            let (said, _) = test(&both, &lab, pair, &format!("-b 8M -l 1000 -t 1 {args}"));
            let [came, lost, ..] = done(&lab, way, before);
            let error = said.percent() - 100.0 * lost as f64 / came as f64;
            assert!(lost > 10 && error.abs() <= 0.7, "{pair:?} {args}: {said}, the path {lost} of {came}");
            errors.push(error);
        }
        for (pair, error) in PAIRS.into_iter().zip(&errors) {
            assert!((error - errors[0]).abs() <= 1.0, "{pair:?} {args}: {errors:?}");
        }
        lab.relay().set(way, Profile::default());
    }
}

#[test]
fn what_comes_twice_or_late_is_not_lost() {
    let lab = Lab::line(0).relay().seed(12).build();
    let both = Both::start(&lab);
    let profile = Profile { duplicate: 4.pct(), reorder: 5.pct(), reorder_by: 4.ms(), ..Profile::default() };
    for (args, way) in WAYS {
        lab.relay().set(way, profile);
        for pair in PAIRS {
            let before = lab.relay().log().len();
            let (said, _) = test(&both, &lab, pair, &format!("-b 8M -l 1000 -t 1 {args}"));
            let [came, lost, twice, late] = done(&lab, way, before);
            // Those that were late when the test ended.
            assert!(lost == 0 && (0.0..=0.7).contains(&said.percent()), "{pair:?} {args}: {said} of {came}");
            if let Some(disordered) = said.disordered {
                let (twice, late) = (twice as f64, late as f64);
                // A copy of one that is late is late, too.
                let slack = 0.02 * came as f64;
                assert!(
                    (disordered - twice - late).abs() <= slack && twice > 0.0 && late > 0.0,
                    "{pair:?} {args}: {said:?}, the path {twice} twice, {late} late"
                );
                let difference = said.duplicates.map_or(0.0, |duplicates| (duplicates - twice).abs());
                assert!(difference <= slack, "{pair:?} {args}: {said:?}, {twice} twice");
            }
        }
        lab.relay().set(way, Profile::default());
    }
}

#[test]
fn what_is_omitted_leaves_the_share_of_loss_what_it_is() {
    let lab = Lab::line(1).build();
    let both = Both::start(&lab);
    let _lossy = lab.router(1).rule(Hook::Forward, "udp length 1008 numgen inc mod 20 == 7", "drop");
    for args in ["", "-R"] {
        let mut stock = None;
        for pair in PAIRS {
            let (said, told) = test(&both, &lab, pair, &format!("-O 1 -t 1 -b 8M -l 1000 {args}"));
            // A client of version 3.12 takes what it has omitted for lost, whoever tells it; ours does not.
            let expected = match pair {
                (Stock, Stock) => *stock.insert(said.percent()),
                (Stock, Ours) => stock.expect("the first of all"),
                (Ours, _) => 5.0,
            };
            let is_so = (said.percent() - expected).abs() <= 0.7 && said.lost > 0.0;
            assert!(is_so, "{pair:?} {args}: {said}, not {expected}: {told:#}");
        }
    }
}

#[test]
fn a_number_of_octets_that_are_lost_ends_a_test_all_the_same() {
    let lab = Lab::line(1).build();
    let both = Both::start(&lab);
    let _lossy = lab.router(1).rule(Hook::Forward, "udp length 1008 numgen inc mod 20 == 7", "drop");
    // Stock waits for ever for what stock has lost (#1902); here one of both knows better.
    for pair in [(Stock, Ours), (Ours, Stock), (Ours, Ours)] {
        let (said, told) = test(&both, &lab, pair, "-R -n 2M -b 20M -l 1000");
        assert!(said.lost > 0.0, "{pair:?}: {said}: {told:#}");
    }
}
