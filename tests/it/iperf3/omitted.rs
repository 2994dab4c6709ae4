//! What is omitted takes its time and counts for nothing: octets, and segments that were sent again.

use waddleperf::sys::clock;

use super::pairs::{Both, Flow, WITH_OURS};
use crate::lab::{Hook, Lab, Node};

/// Drops twenty of the large segments, from the beginning on and never another.
const EARLY: &str = "meta length > 1400 numgen inc mod 25 == 7 limit rate 1/day burst 20 packets";
/// The same once so much has passed as 2.6 s of 20 Mbit/s are.
const LATE: &str =
    "quota over 6500 kbytes meta length > 1400 numgen inc mod 10 == 7 limit rate 1/day burst 20 packets";

#[test]
fn what_is_omitted_takes_its_time_and_counts_for_nothing() {
    let lab = Lab::line(1).build();
    for node in [lab.client(), lab.server()] {
        // What is sent again though nothing was lost.
        node.sysctl("net.ipv4.tcp_early_retrans", "0");
    }
    let both = Both::start(&lab);
    for pair in WITH_OURS {
        for way in ["", "-R"] {
            let sender: &Node = if way == "-R" { lab.server() } else { lab.client() };
            for (matching, is_early) in [(EARLY, true), (LATE, false)] {
                let about = format!("{pair:?} {way} {matching}");
                let rule = lab.router(1).rule(Hook::Forward, matching, "drop");
                let (before, began) = (sender.counter("TcpRetransSegs"), clock::now().mono);
                let flow = Flow::of(&both.told(&lab, pair, &format!("-O 2 -t 2 -b 20M {way}")));
                let took = (clock::now().mono - began).as_secs_f64();
                let again = (sender.counter("TcpRetransSegs") - before) as f64;
                assert_eq!(rule.dropped(), 20, "{about}");
                rule.lift();
                assert!((4.0..7.0).contains(&took), "{about}: {took} s");
                // A stock client does not show the second one where that which counts begins first.
                let (mut ways, counted) =
                    (flow.omitted.clone(), flow.omitted.iter().filter(|is| !**is).count());
                ways.dedup();
                assert!(ways == [true, false] && counted >= 2, "{about}: {:?}", flow.omitted);
                // A busy host may send on its own account what was not lost, at any time.
                let expected = if is_early { 0.0..=again - 20.0 } else { 20.0..=again };
                assert!(expected.contains(&flow.again), "{about}: {} of {again}", flow.again);
                // Half of what was moved in all; a sender that has lost something is slower for a while.
                let half = 2.0 * 20e6 / 8.0;
                for octets in [flow.sent, flow.received] {
                    assert!((0.7..1.1).contains(&(octets / half)), "{about}: {octets} of {half}: {flow:?}");
                }
                // Four if that counted; both ends of the two are timers of a host that may be late.
                assert!((flow.seconds - 2.0).abs() < 0.5, "{about}: {flow:?}");
            }
        }
    }
}
