//! When packets leave, by a capture on the client's interface: evenly, exponentially, in bursts.

use std::time::Duration;

use super::serving::{Serving, number, ping};
use crate::lab::{Direction, Lab, Packet, Units, alone};

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

/// 2,000 exponential gaps have a mean and a coefficient of variation within 2.2 % of 2 ms and of 1, one time in three
/// beyond; five times that is one time in a million. How late this machine is comes on top.
#[test]
fn a_poisson_schedules_gaps_are_exponential_on_the_wire() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let _serving = Serving::start(lab.server());
    let gaps = gaps(&lab, "-c 2001 -i 2ms --schedule poisson");
    let (mean, variation) = shape(&gaps);
    println!("mean {:.3} ms, coefficient of variation {variation:.3}", mean * 1e3);
    assert!((0.0018..0.0022).contains(&mean), "{mean}");
    assert!((0.87..1.13).contains(&variation), "{variation}");
    // Of an exponential distribution 39.3 % lie below half of the mean and 13.5 % above twice it; 4 sigma.
    let share = |is_in: &dyn Fn(&Duration) -> bool| {
        gaps.iter().filter(|gap| is_in(gap)).count() as f64 / gaps.len() as f64
    };
    let (below, above) = (share(&|gap| *gap < 1.ms()), share(&|gap| *gap > 4.ms()));
    assert!((below - 0.393).abs() < 0.05 && (above - 0.135).abs() < 0.035, "{below} {above}");
}

#[test]
fn a_fixed_schedules_gaps_are_alike_on_the_wire() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let _serving = Serving::start(lab.server());
    let (mean, variation) = shape(&gaps(&lab, "-c 501 -i 2ms"));
    println!("mean {:.4} ms, coefficient of variation {variation:.4}", mean * 1e3);
    assert!((0.00195..0.00205).contains(&mean) && variation < 0.5, "{mean} {variation}");
}

#[test]
fn a_bursts_packets_are_back_to_back_on_the_wire() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let _serving = Serving::start(lab.server());
    let gaps = gaps(&lab, "-c 200 -i 50ms --burst 10");
    let (within, between): (Vec<_>, Vec<_>) =
        (0..199).map(|n| (n % 10 == 9, gaps[n])).partition(|(ends, _)| !ends);
    let sorted = |gaps: Vec<(bool, Duration)>| {
        let mut gaps: Vec<_> = gaps.into_iter().map(|(_, gap)| gap).collect();
        gaps.sort_unstable();
        gaps
    };
    let (within, between) = (sorted(within), sorted(between));
    println!("within {:?}, between {:?}", within[90], between[9]);
    assert!(within[90] < Duration::from_micros(100), "half of them: {within:?}");
    assert!(between[0] > 25.ms() && (49.ms()..51.ms()).contains(&between[9]), "{between:?}");
}
