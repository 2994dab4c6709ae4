//! The one record: what was asked, of whom, when, and what was found.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Agent, Ctx, Findings, Found, Probe, Report, Scalar, Scalars};
use crate::failure::Failure;
use crate::units::{Now, Timestamp, ms};

/// The record that is printed, stored, sent, charted, exported and compared with thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// Version of this schema: 1.
    pub v: u8,
    /// UUID v7: sorts by time, and makes re-delivery harmless.
    pub id: Uuid,
    /// When it began (wall clock, read once).
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How long it took, on the monotonic clock.
    #[serde(rename = "elapsed_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub elapsed: Duration,
    /// By how much the wall clock was stepped during the run, when by more than 2 s (promise R8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_step_ms: Option<f64>,
    /// Who measured.
    pub agent: Agent,
    /// What was asked, defaults filled in.
    pub probe: Probe,
    /// What the target resolved to.
    pub address: Option<IpAddr>,
    /// Labels: site, tier, run, ….
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The run was interrupted: the report covers what there was by then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// What was found, or why nothing could be.
    pub outcome: Outcome,
}

/// A report, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was measured, whatever the network did.
    Report(Report),
    /// It could not be measured.
    Failure(Failure),
}

impl Measurement {
    /// Version of the record's schema.
    pub const VERSION: u8 = 1;

    pub(super) fn new(probe: Probe, ctx: &Ctx, start: Now, found: Found<Report>, is_cut: bool) -> Self {
        let end = crate::sys::clock::now();
        let elapsed = end.mono.saturating_duration_since(start.mono);
        let step = ms::of(Duration::from_nanos(end.wall.abs_diff(start.after(elapsed).wall)));
        let backwards = end.wall < start.after(elapsed).wall;
        Self {
            v: Self::VERSION,
            id: new_id(start.timestamp()),
            at: start.timestamp(),
            elapsed,
            clock_step_ms: (step > 2_000.0).then_some(if backwards { -step } else { step }),
            agent: (*ctx.agent).clone(),
            address: found.address,
            labels: ctx.labels.clone(),
            partial: is_cut,
            probe,
            outcome: match found.result {
                Ok(report) => Outcome::Report(report),
                Err(failure) => Outcome::Failure(failure),
            },
        }
    }

    /// The headline numbers; none where nothing was measured.
    pub fn scalars(&self) -> Vec<Scalar> {
        match &self.outcome {
            Outcome::Report(report) => report.scalars(),
            Outcome::Failure(_) => Vec::new(),
        }
    }

    /// Whether anything answered.
    pub fn replied(&self) -> bool {
        matches!(&self.outcome, Outcome::Report(report) if report.replied())
    }

    /// The exit code of a process that made only this measurement (design §5), thresholds apart.
    pub fn exit_code(&self) -> u8 {
        match &self.outcome {
            Outcome::Report(report) => self.probe.exit_code(report),
            Outcome::Failure(failure) => failure.class.exit_code(),
        }
    }
}

/// A fresh UUID v7 for something that began at `at`.
pub fn new_id(at: Timestamp) -> Uuid {
    let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
    let seconds = u64::try_from(at.as_second()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}
