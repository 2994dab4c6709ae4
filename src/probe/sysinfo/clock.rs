//! How well the clock is set, as adjtimex(2) tells.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::sys::clock::discipline;

/// The clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClockState {
    /// Whether somebody keeps it (`STA_UNSYNC` is not set).
    pub synchronised: bool,
    /// The most by which it is wrong, as whoever keeps it says.
    pub max_error_ms: f64,
    /// What is still to be corrected.
    pub offset_ms: f64,
    /// By how much its rate is corrected, parts per million.
    pub frequency_ppm: f64,
    /// What counts its ticks: `tsc`.
    pub source: Option<String>,
    /// What else could.
    pub available_sources: Vec<String>,
}

impl ClockState {
    pub(super) fn read(source: &mut Source) -> Option<Self> {
        let Some(state) = discipline() else {
            source.lacks("adjtimex(2)", "the system does not say");
            return None;
        };
        let place = "/sys/devices/system/clocksource/clocksource0";
        let others = source.text_if_any(&format!("{place}/available_clocksource")).unwrap_or_default();
        Some(Self {
            synchronised: state.synchronised,
            max_error_ms: state.max_error_us as f64 / 1e3,
            offset_ms: state.offset_ns as f64 / 1e6,
            frequency_ppm: state.frequency_ppm,
            source: source.word(&format!("{place}/current_clocksource")),
            available_sources: others.split_whitespace().map(str::to_owned).collect(),
        })
    }
}
