//! Latency under load, by all that may go beside the bulk: without it the path's own, and with it the queue's.

use serde_json::{Value, json};

use super::{both, number};
use crate::lab::{Direction, Lab, Shaper, Units, alone};
use crate::udpping::serving::Serving;

/// What the queue adds when it is full: 1.5 MB at 50 Mbit/s are 240 ms.
const QUEUE: Shaper = Shaper::Fifo { rate: 50_000_000, queue: 1_500_000 };

#[test]
fn latency_under_load_is_the_paths_and_the_queues() {
    let _alone = alone();
    let lab = Lab::line(1).relay_at(1).delay(10.ms()).build();
    let _reflector = Serving::start(lab.server());
    let _queue = lab.router(1).shape(Direction::Up, QUEUE);
    // Nobody listens at the port that is knocked at: a refusal is an answer.
    for (args, by) in [("", "icmp"), ("=udp", "udp"), ("=tcp --latency-port 9", "tcp")] {
        let (report, _) = both(&lab, &format!("-t 5 -O 3 -C cubic --latency{args}"));
        let latency = &report["latency"];
        assert_eq!((&latency["by"], &latency["failure"]), (&json!(by), &Value::Null), "{latency}");
        let of = |load: &str, at: &str| number(&latency[load][at]);
        assert!((20.0..26.0).contains(&of("idle", "p50_ms")), "{latency}");
        assert_eq!(latency["idle_loss_ratio"], 0.0, "{latency}");
        let loaded = of("loaded", "p95_ms");
        assert!((231.0..282.0).contains(&loaded), "{latency}");
        let increase = of("loaded", "p50_ms") - of("idle", "p50_ms");
        assert!((number(&latency["increase_ms"]) - increase).abs() < 1e-6 && increase > 100.0, "{latency}");
    }
}
