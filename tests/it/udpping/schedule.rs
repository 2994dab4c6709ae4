//! When packets leave, by a capture on the client's interface: evenly, exponentially, in bursts.

use std::time::Duration;

use super::serving::{Serving, number, ping};
use crate::lab::{Direction, Lab, Packet, Units, alone};

/// Runs that may be spoiled by others on the machine.
const TRIES: usize = 8;

/// The times between WP1's probe packets on their way to the reflector, in the order of the wire.
fn gaps(lab: &Lab, options: &str) -> Vec<Duration> {
    let capture = lab.client().capture(Direction::Up);
    let report = ping(lab.client(), lab.server().address4(), &format!("{options} -W 0.3 -s 128 --catch-up"));
    // Ethernet, IPv4 and UDP, then the magic number, the version, and the type of an echo.
    let is_probe = |packet: &&Packet| {
        packet.frame.get(36..38) == Some(&2000_u16.to_be_bytes())
            && packet.frame.get(42..46) == Some(&[0x57, 0x50, 1, 3])
    };
    let times: Vec<u64> = capture.stop().iter().filter(is_probe).map(|packet| packet.time).collect();
    assert_eq!(times.len() as u64, number(&report, "/counts/sent"), "{report}");
    times.windows(2).map(|pair| Duration::from_nanos(pair[1].saturating_sub(pair[0]))).collect()
}

/// Mean, in seconds, and coefficient of variation.
fn shape(gaps: &[Duration]) -> (f64, f64) {
    let count = gaps.len() as f64;
    let mean = gaps.iter().map(Duration::as_secs_f64).sum::<f64>() / count;
    let squares = gaps.iter().map(|gap| (gap.as_secs_f64() - mean).powi(2)).sum::<f64>();
    (mean, (squares / count).sqrt() / mean)
}

/// What 2,000 exponential gaps of 2 ms deviate from, in their mean and their coefficient of variation (2.2 % each, one time
/// in three more), and in the shares below half of the mean (39.3 %) and above twice it (13.5 %): five times as much is
/// one time in a million.
fn are_exponential(gaps: &[Duration]) -> bool {
    // A processor that is away for 200 ms makes one gap of it. Cut at five means the coefficient is 0.972.
    let cut: Vec<_> = gaps.iter().map(|gap| *gap.min(&10.ms())).collect();
    let ((mean, _), (_, variation)) = (shape(gaps), shape(&cut));
    let share = |is_in: &dyn Fn(&Duration) -> bool| {
        gaps.iter().filter(|gap| is_in(gap)).count() as f64 / gaps.len() as f64
    };
    let (below, above) = (share(&|gap| *gap < 1.ms()), share(&|gap| *gap > 4.ms()));
    (0.0018..0.0022).contains(&mean)
        && (0.86..1.08).contains(&variation)
        && (below - 0.393).abs() < 0.055
        && (above - 0.135).abs() < 0.04
}

/// Others on the machine only ever spoil a run: where one is as it should be, the schedule is.
#[test]
fn a_poisson_schedules_gaps_are_exponential_on_the_wire() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let _serving = Serving::start(lab.server());
    let right = (0..TRIES).any(|_| {
        let gaps = gaps(&lab, "-c 2001 -i 2ms --schedule poisson");
        let (mean, variation) = shape(&gaps);
        println!("mean {:.3} ms, coefficient of variation {variation:.3}", mean * 1e3);
        are_exponential(&gaps)
    });
    assert!(right);
    assert!(!are_exponential(&[2.ms(); 2000]), "a fixed schedule is not");
}

#[test]
fn a_fixed_schedules_gaps_are_alike_on_the_wire() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let _serving = Serving::start(lab.server());
    let right = (0..TRIES).any(|_| {
        let (mean, variation) = shape(&gaps(&lab, "-c 501 -i 2ms"));
        println!("mean {:.4} ms, coefficient of variation {variation:.4}", mean * 1e3);
        (0.00195..0.00205).contains(&mean) && variation < 0.5
    });
    assert!(right);
}

#[test]
fn a_bursts_packets_are_back_to_back_on_the_wire() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let _serving = Serving::start(lab.server());
    let right = (0..TRIES).any(|_| {
        let gaps = gaps(&lab, "-c 200 -i 50ms --burst 10");
        let of = |ends: bool| {
            let mut gaps: Vec<_> = (0..199).filter(|n| (n % 10 == 9) == ends).map(|n| gaps[n]).collect();
            gaps.sort_unstable();
            gaps
        };
        let (within, between) = (of(false), of(true));
        println!("median within a burst {:?}, between two {:?}", within[90], between[9]);
        within[90] < Duration::from_micros(100)
            && between[0] > 25.ms()
            && (49.ms()..51.ms()).contains(&between[9])
    });
    assert!(right);
}
