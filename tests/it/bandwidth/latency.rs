//! Latency under load, by all that may go beside the bulk: what the queue on the way holds.

use serde_json::{Value, json};

use super::{both, number};
use crate::lab::{Direction, Lab, Shaper, alone};
use crate::udpping::serving::Serving;

/// What it holds when it is full: 1.5 MB at 50 Mbit/s are 240 ms.
const QUEUE: Shaper = Shaper::Fifo { rate: 50_000_000, queue: 1_500_000 };

#[test]
fn latency_under_load_is_the_queue() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let _reflector = Serving::start(lab.server());
    let _queue = lab.router(1).shape(Direction::Up, QUEUE);
    // Nobody listens at the port that is knocked at: a refusal is an answer.
    for (args, by) in [("", "icmp"), ("=udp", "udp"), ("=tcp --latency-port 9", "tcp")] {
        let mut seen = Vec::new();
        // A host that has no time adds its own to some of them: of three tests one has to be right.
        let is_right = (0..3).any(|_| {
            let (report, _) = both(&lab, &format!("-t 5 -O 3 -C cubic --latency{args}"));
            let latency = &report["latency"];
            assert_eq!((&latency["by"], &latency["failure"]), (&json!(by), &Value::Null), "{latency}");
            let of = |load: &str, at: &str| number(&latency[load][at]);
            let increase = of("loaded", "p50_ms") - of("idle", "p50_ms");
            assert!((number(&latency["increase_ms"]) - increase).abs() < 1e-6, "{latency}");
            let (idle, loaded) = (of("idle", "p50_ms"), of("loaded", "p95_ms"));
            seen.push((idle, loaded));
            idle < 5.0 && (211.0..259.0).contains(&loaded)
        });
        assert!(is_right, "{by}: {seen:?}");
    }
}
