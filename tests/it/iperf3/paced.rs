//! The rate of each stream is the one that was asked for, whoever sends.

use super::pairs::Peer::{Ours, Stock};
use super::pairs::{Both, Flow, Pair};
use crate::lab::{Lab, alone, holds, one_of_three};

/// What is asked for, in bit/s.
const RATE: f64 = 20e6;

/// Streams that are not at the rate, to 2 % and what leaves at once: a burst of `octets` may have been the last.
fn off(flow: &Flow, octets: f64) -> Vec<f64> {
    let slack = 0.02 * RATE + octets * 8.0 / flow.seconds;
    let rates = flow.streams.iter().map(|[_, _, rate]| *rate);
    rates.filter(|rate| (rate - RATE).abs() > slack).collect()
}

/// A host that has no time is late, and nobody makes up for that: of three tests one has to be right.
#[track_caller]
fn is_at_the_rate(both: &Both, lab: &Lab, pair: Pair, args: &str, octets: f64) {
    one_of_three(|| {
        let flow = Flow::of(&both.told(lab, pair, args));
        assert_eq!(flow.streams.len(), if args.contains("-P 2") { 2 } else { 1 }, "{pair:?} {args}");
        let off = off(&flow, octets);
        holds(off.is_empty(), || format!("{pair:?} {args}: {off:?}"))
    });
}

#[test]
fn each_stream_has_the_rate_that_was_asked_for() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let both = Both::start(&lab);
    for pair in [(Stock, Ours), (Ours, Stock)] {
        for way in ["", "-R"] {
            // A stock sender writes blocks, of 128 KiB where nothing else is asked for.
            is_at_the_rate(&both, &lab, pair, &format!("-b 20M -t 3 -P 2 {way}"), 131_072.0);
            is_at_the_rate(&both, &lab, pair, &format!("-b 20M/10 -l 4K -t 3 {way}"), 40_960.0);
        }
    }
}
