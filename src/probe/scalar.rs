//! The named headline numbers of a report: what thresholds, metrics and charts use.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Unit;

/// One headline number, in its base unit. Its value is null when it could not be measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scalar {
    /// Its name: one that thresholds know, such as `rtt_p95`, or (custom tests, imports) the other tool's own.
    pub name: Cow<'static, str>,
    /// Its base unit.
    pub unit: Unit,
    /// The number; null, never zero, when not measured.
    pub value: Option<f64>,
}

/// A report that has headline numbers.
pub trait Scalars {
    /// The numbers that this report knows, also those that it could not measure.
    fn scalars(&self) -> Vec<Scalar>;

    /// The packets behind its loss ratios, so that several runs can be judged together. None where it counts none.
    fn losses(&self) -> Vec<Loss> {
        Vec::new()
    }
}

/// The packets behind a loss ratio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Name of the scalar.
    pub name: Cow<'static, str>,
    /// Packets lost.
    pub lost: u64,
    /// Packets that could have been lost.
    pub sent: u64,
}

/// Every scalar that probes share, with its unit: one list for thresholds, metrics and charts (design §3).
pub const NAMES: [(&str, Unit); 36] = [
    ("rtt_min", Unit::Seconds),
    ("rtt_mean", Unit::Seconds),
    ("rtt_p50", Unit::Seconds),
    ("rtt_p95", Unit::Seconds),
    ("rtt_p99", Unit::Seconds),
    ("rtt_max", Unit::Seconds),
    ("jitter", Unit::Seconds),
    ("loss_ratio", Unit::Ratio),
    ("up_loss_ratio", Unit::Ratio),
    ("down_loss_ratio", Unit::Ratio),
    ("lookup", Unit::Seconds),
    ("connect", Unit::Seconds),
    ("tls", Unit::Seconds),
    ("first_byte", Unit::Seconds),
    ("transfer", Unit::Seconds),
    ("total", Unit::Seconds),
    ("http_status", Unit::None),
    ("throughput", Unit::BitsPerSecond),
    ("throughput_up", Unit::BitsPerSecond),
    ("throughput_down", Unit::BitsPerSecond),
    ("rpm", Unit::None),
    ("pmtu", Unit::Bytes),
    ("hops", Unit::None),
    ("open_ports", Unit::None),
    ("tls_expires_in", Unit::Seconds),
    ("retransmit_ratio", Unit::Ratio),
    ("kernel_drop_ratio", Unit::Ratio),
    ("zero_windows", Unit::None),
    ("resets", Unit::None),
    ("reverse_pmtu", Unit::Bytes),
    ("black_hole", Unit::None),
    ("findings", Unit::None),
    ("steal_ratio", Unit::Ratio),
    ("unmet_expectations", Unit::None),
    ("qps", Unit::None),
    ("latency_increase", Unit::Seconds),
];

/// The unit of the shared scalar `name`; `None` when there is no such name.
pub fn unit_of(name: &str) -> Option<Unit> {
    NAMES.iter().find(|(known, _)| *known == name).map(|&(_, unit)| unit)
}

impl Scalar {
    /// A time.
    pub fn time(name: &'static str, value: Option<Duration>) -> Self {
        Self { name: name.into(), unit: Unit::Seconds, value: value.map(|span| span.as_secs_f64()) }
    }

    /// A ratio, 0–1.
    pub fn ratio(name: &'static str, value: Option<f64>) -> Self {
        Self { name: name.into(), unit: Unit::Ratio, value }
    }
}
