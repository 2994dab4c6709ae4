//! The record of one autoperf run: what was measured, judged and decided (autoperf.md §10).
//!
//! It stands in the store because the store keeps it; only `autoperf` makes one.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::probe::Agent;
use crate::units::{Timestamp, Unit, ms};

/// One run of one target: its tests, what they raised and what follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Version of this schema: 1.
    pub v: u8,
    /// UUID v7.
    pub id: Uuid,
    /// When it began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How long it took.
    #[serde(rename = "elapsed_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub elapsed: Duration,
    /// Who measured.
    pub agent: Agent,
    /// Always `autoperf`; tells this record from a measurement.
    pub mode: Mode,
    /// Name of the target in the configuration.
    pub target: String,
    /// Which tier ran: 1, 2 or 3.
    pub tier: u8,
    /// Why it ran: `schedule`, `confirm`, `escalation`, `asked`, ….
    pub reason: String,
    /// Where the target's state machine stands after this run.
    pub state: State,
    /// How bad it is.
    pub severity: Severity,
    /// How the round counted: good, grey, bad, hard or void.
    pub round: Round,
    /// Whether this host's own line was fit to judge others.
    pub own_line: OwnLine,
    /// Whether the wall clock behaved.
    pub clock: ClockState,
    /// Ids of the measurements.
    pub tests: Vec<Uuid>,
    /// Thresholds that were raised, with the value that raised them.
    pub triggers: Vec<Trigger>,
    /// Whether this run leads to a higher tier.
    pub triggered_escalation: bool,
    /// Which tier follows at once, if any.
    pub next_tier: Option<u8>,
    /// Tiers that were wanted and did not run, and why.
    pub skipped: Vec<Skipped>,
    /// The cause, with its evidence, once a tier has found one.
    pub verdict: Option<serde_json::Value>,
    /// The incident that this run belongs to.
    pub incident: Option<Uuid>,
    /// The evidence bundle, if one was written.
    pub bundle: Option<Uuid>,
    /// What is due next for this target.
    pub next: Option<Due>,
    /// What is left of today's budgets.
    pub budget: Budget,
}

/// The one word that marks autoperf's records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Autoperf.
    #[default]
    Autoperf,
}

/// Where a target's state machine stands (autoperf.md §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// All is well.
    Ok,
    /// A bad round; the confirming round decides.
    Suspect,
    /// Tier 2 runs.
    Tier2,
    /// Tier 3 runs.
    Tier3,
    /// Known to be bad, diagnosed; higher tiers rest.
    Cooldown,
    /// Good again, but not yet for long.
    Recovering,
}

/// How bad a target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not known.
    #[default]
    Unknown,
    /// Well.
    Ok,
    /// A warning threshold is raised.
    Warning,
    /// A critical threshold is raised, or nothing answers.
    Critical,
}

/// How a round counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Round {
    /// Every threshold is in its clear zone.
    Good,
    /// Between clear and raised.
    Grey,
    /// At least one threshold is raised, or a probe failed at the far side.
    Bad,
    /// No probe of the target got through.
    Hard,
    /// Says nothing about the target: own line down, under load, unable to look, clock jump.
    Void,
}

/// Whether this host's own line was fit to judge others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OwnLine {
    /// The references answered.
    Ok,
    /// Fewer than two references: checked with what there is.
    #[default]
    Weak,
    /// The references are as bad as the target: the fault is here.
    Down,
}

/// Whether the wall clock behaved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClockState {
    /// It ran on.
    #[default]
    Ok,
    /// It was set back, or rounds are missing.
    Stepped,
}

/// A raised threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trigger {
    /// As written in the configuration; or `failure: <class>` for a probe that failed at the far side.
    pub threshold: String,
    /// The value that raised it, in `unit`; null for a failure.
    pub value: Option<f64>,
    /// Base unit of `value`.
    pub unit: Unit,
    /// Bad rounds of the last ones: `1/3`.
    pub rounds: String,
    /// How bad it is.
    pub severity: Severity,
}

/// A tier that was wanted and did not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// The tier.
    pub tier: u8,
    /// Why it did not run.
    pub why: Why,
}

/// Why a tier did not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// The day's budget is used up.
    Budget,
    /// The same finding was diagnosed a short while ago.
    Cooldown,
    /// A quiet window.
    Window,
    /// Another load test holds the lease.
    Lease,
    /// A person has to confirm it.
    Confirmation,
    /// The configuration names no probes for it.
    Disabled,
    /// It ran into its deadline, or the process ended.
    Aborted,
}

/// What is due next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Due {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Which tier.
    pub tier: u8,
    /// Why: `schedule`, `confirm`, `escalation`.
    pub why: String,
}

/// What is left of a day's budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// Runs of tier 2.
    pub tier2: u32,
    /// Runs of tier 3.
    pub tier3: u32,
    /// Octets of load tests.
    pub bytes: u64,
}
