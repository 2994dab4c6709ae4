//! How fast a body came, over time: octets by equal spans, of which there are never many.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{ms, nanos};

/// Spans that are told at most.
const MOST: usize = 64;
/// The shortest span.
const SHORTEST: Duration = Duration::from_millis(1);

/// Octets of a body by when they came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpRates")]
pub struct Rates {
    /// The length of each span, from the first octet of the answer on.
    #[serde(rename = "interval_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub interval: Duration,
    /// Octets of the body that came in each, as they came.
    pub bytes: Vec<u64>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { interval: SHORTEST, bytes: Vec::new() }
    }
}

impl Rates {
    /// So many octets came so long after the first.
    pub(super) fn push(&mut self, after: Duration, octets: u64) {
        let place = |interval| usize::try_from(nanos(after) / nanos(interval)).unwrap_or(usize::MAX);
        while place(self.interval) >= MOST && self.interval < Duration::from_secs(1 << 32) {
            self.interval *= 2;
            self.bytes = self.bytes.chunks(2).map(|two| two.iter().sum()).collect();
        }
        let at = place(self.interval).min(MOST - 1);
        if self.bytes.len() <= at {
            self.bytes.resize(at + 1, 0);
        }
        self.bytes[at] += octets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_grow_and_no_octet_is_lost() {
        let mut rates = Rates::default();
        for n in 0..10_000u64 {
            rates.push(Duration::from_micros(n * 100), n);
        }
        assert_eq!(rates.interval, Duration::from_millis(16));
        assert_eq!((rates.bytes.len(), rates.bytes.iter().sum::<u64>()), (63, 9_999 * 10_000 / 2));
        assert_eq!(rates.bytes[0], (0..160).sum::<u64>());
        rates.push(Duration::MAX, 1);
        assert!(rates.bytes.len() <= MOST);
    }
}
