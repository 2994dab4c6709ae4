//! Latency under load, by all that may go beside the bulk: what the queue on the way holds.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use waddleperf::stats::percentile;
use waddleperf::sys::clock;

use super::{both, number};
use crate::lab::{Direction, Lab, Queue, Shaper, alone, holds, one_of_three};
use crate::udpping::serving::Serving;

/// Octets of frames that leave the queue in a millisecond: 50 Mbit/s.
const RATE: u32 = 6250;
/// It is full with 1.5 MB, which are 240 ms.
const SHAPED: Shaper = Shaper::Fifo { rate: 50_000_000, queue: 1_500_000 };
/// What the tests leave out of the bulk, and how long all of it takes.
const OMITTED: Duration = Duration::from_secs(3);
const END: Duration = Duration::from_secs(8);
/// What may go beside it. Nobody listens at the port that is knocked at: a refusal is an answer.
const PROBES: [(&str, &str); 3] = [("", "icmp"), ("=udp", "udp"), ("=tcp --latency-port 9", "tcp")];

#[test]
fn latency_under_load_is_the_queue() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let _reflector = Serving::start(lab.server());
    let queue = lab.router(1).shape(Direction::Up, SHAPED);
    for probe in PROBES {
        // A host that has no time adds its own to some of them.
        one_of_three(|| {
            let (latency, mut waits) = watched(&queue, || latency(&lab, "-t 5 -O 3 -C cubic", probe));
            waits.sort_by(f64::total_cmp);
            let idle = number(&latency["idle"]["p50_ms"]);
            // How full a congestion control keeps it is its own affair.
            let kernels = [0.5, 0.95].map(|at| percentile(&waits, at).unwrap_or(f64::NAN));
            let ours = ["p50_ms", "p95_ms"].map(|at| number(&latency["loaded"][at]));
            let is_near = |(kernels, ours): (f64, f64)| {
                kernels > 50.0 && (ours - idle - kernels).abs() < 5.0 + 0.08 * kernels
            };
            let is_right = idle < 5.0 && kernels.into_iter().zip(ours).all(is_near);
            holds(is_right, || format!("{latency}, by the kernel {kernels:?}"))
        });
    }
}

#[test]
fn latency_of_a_full_queue_is_what_it_holds() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let _reflector = Serving::start(lab.server());
    let _queue = lab.router(1).shape(Direction::Up, SHAPED);
    for probe in PROBES {
        one_of_three(|| {
            // More than it lets through: it is full after a second. Some of the probes find no room.
            let latency = latency(&lab, "-u -b 60M -l 1400 -t 2 -O 2", probe);
            let near = |ms: &Value| (number(ms) / 235.0 - 1.0).abs() < 0.1;
            let is_right = near(&latency["loaded"]["p50_ms"]) && near(&latency["increase_ms"]);
            holds(is_right, || latency.to_string())
        });
    }
}

/// The latency that a test tells of beside which `probe` went: what its idle and loaded medians say, and no failure.
fn latency(lab: &Lab, bulk: &str, (args, by): (&str, &str)) -> Value {
    let (mut report, _) = both(lab, &format!("{bulk} --latency{args}"));
    let latency = report["latency"].take();
    assert_eq!((&latency["by"], &latency["failure"]), (&json!(by), &Value::Null), "{latency}");
    let [loaded, idle] = ["loaded", "idle"].map(|load| number(&latency[load]["p50_ms"]));
    assert!((number(&latency["increase_ms"]) - (loaded - idle)).abs() < 1e-6, "{latency}");
    latency
}

/// What `body` returns, and how long an octet that came to the queue would wait by the kernel's count, in milliseconds, at moments
/// of a bulk that began when more than a few packets were in it first, and of which the beginning is omitted.
fn watched<T: Send>(queue: &Queue, body: impl FnOnce() -> T) -> (T, Vec<f64>) {
    let (over, is_over) = channel::<()>();
    thread::scope(|scope| {
        let looks = scope.spawn(move || {
            let (mut waits, mut begun) = (Vec::new(), None);
            while is_over.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout) {
                let (now, octets) = (clock::now().mono, queue.backlog());
                begun = begun.or((octets > 10_000).then_some(now));
                if begun.is_some_and(|begun| (OMITTED..END).contains(&(now - begun))) {
                    waits.push(octets as f64 / f64::from(RATE));
                }
            }
            waits
        });
        let found = body();
        drop(over);
        (found, looks.join().expect("it looks at the queue"))
    })
}
