//! Latency under load, by all that may go beside the bulk: what the queue on the way holds.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
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

#[test]
fn latency_under_load_is_the_queue() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let _reflector = Serving::start(lab.server());
    let queue = lab.router(1).shape(Direction::Up, SHAPED);
    // Nobody listens at the port that is knocked at: a refusal is an answer.
    for (args, by) in [("", "icmp"), ("=udp", "udp"), ("=tcp --latency-port 9", "tcp")] {
        // A host that has no time adds its own to some of them.
        one_of_three(|| {
            let ((report, _), waited) =
                watched(&queue, || both(&lab, &format!("-t 5 -O 3 -C cubic --latency{args}")));
            let latency = &report["latency"];
            assert_eq!((&latency["by"], &latency["failure"]), (&json!(by), &Value::Null), "{latency}");
            let of = |load: &str, at: &str| number(&latency[load][at]);
            let increase = of("loaded", "p50_ms") - of("idle", "p50_ms");
            assert!((number(&latency["increase_ms"]) - increase).abs() < 1e-6, "{latency}");
            let idle = of("idle", "p50_ms");
            // How full a congestion control keeps it is its own affair.
            let is_right = idle < 5.0
                && [("p50_ms", 0.5), ("p95_ms", 0.95)].iter().all(|(name, at)| {
                    let (kernels, ours) = (quantile(&waited, *at), of("loaded", name));
                    kernels > 50.0 && (ours - idle - kernels).abs() < 5.0 + 0.08 * kernels
                });
            let kernels = [0.5, 0.95].map(|at| quantile(&waited, at));
            holds(is_right, || format!("{by}: {latency}, by the kernel {kernels:?}"))
        });
    }
}

#[test]
fn latency_of_a_full_queue_is_what_it_holds() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let _reflector = Serving::start(lab.server());
    let _queue = lab.router(1).shape(Direction::Up, SHAPED);
    for (args, by) in [("", "icmp"), ("=udp", "udp"), ("=tcp --latency-port 9", "tcp")] {
        one_of_three(|| {
            // More than it lets through: it is full after a second. Some of the probes find no room.
            let (report, _) = both(&lab, &format!("-u -b 60M -l 1400 -t 2 -O 2 --latency{args}"));
            let latency = &report["latency"];
            assert_eq!((&latency["by"], &latency["failure"]), (&json!(by), &Value::Null), "{latency}");
            let near = |ms: &Value| (number(ms) / 235.0 - 1.0).abs() < 0.1;
            let is_right = near(&latency["loaded"]["p50_ms"]) && near(&latency["increase_ms"]);
            holds(is_right, || format!("{by}: {latency}"))
        });
    }
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

/// Of so many values; of none, no number.
fn quantile(values: &[f64], at: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * at).round() as usize).copied().unwrap_or(f64::NAN)
}
