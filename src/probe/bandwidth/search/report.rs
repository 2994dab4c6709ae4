//! What a search has found, and each of its trials.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::ms;

/// The highest rate over UDP of which no more is lost than was allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthSearch")]
pub struct Search {
    /// The share of datagrams that may be lost.
    pub allowed_loss_ratio: f64,
    /// The highest rate that passed: payload in bit/s, all streams together. Null where none did.
    pub found_bps: Option<f64>,
    /// It passed for the longer time too.
    pub confirmed: bool,
    /// The lowest rate above it that did not pass; null where none was tried.
    pub above_bps: Option<f64>,
    /// What that rate met: why it is not more. Null where that was not found out.
    pub bound: Option<Bound>,
    /// How the search ended.
    pub ended: SearchEnd,
    /// How long it took.
    #[serde(rename = "elapsed_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub elapsed: Duration,
    /// Every trial, in its order.
    pub trials: Vec<Trial>,
}

/// What a rate met that did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BandwidthBound")]
pub enum Bound {
    /// The path lost more than was allowed, or a queue on it grew.
    Network,
    /// This host could not send so fast, or had no room for what came.
    Host,
    /// The server could not send so fast, or does not allow it.
    Server,
    /// Nothing: a higher rate was not to be tried.
    Ceiling,
}

impl Bound {
    /// In a person's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Network => "the network",
            Self::Host => "this host",
            Self::Server => "the server",
            Self::Ceiling => "the highest rate that was to be tried",
        }
    }
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BandwidthSearchEnd")]
pub enum SearchEnd {
    /// A rate is found, and a longer trial has confirmed it.
    Found,
    /// Rates that passed for a short time did not for the longer one.
    Unsteady,
    /// Not even the lowest rate passed.
    Nothing,
    /// Its time was over.
    Deadline,
    /// Somebody wanted it to end.
    Interrupted,
    /// No more trials could be held.
    Broken,
}

/// One trial: a test of iperf3's protocol with one rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthTrial")]
pub struct Trial {
    /// The rate that was asked for, in bit/s, all streams together.
    pub rate_bps: f64,
    /// How long it was to send.
    #[serde(rename = "time_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub time: Duration,
    /// The rate at which was sent, in bit/s.
    pub sent_bps: Option<f64>,
    /// The rate at which it came, in bit/s.
    pub received_bps: Option<f64>,
    /// Datagrams that the receiver knows of by their numbers.
    pub seen: Option<u64>,
    /// Of these, lost.
    pub lost: Option<u64>,
    /// Their share; 1 where nothing came.
    pub loss_ratio: Option<f64>,
    /// Of those lost, how many this host's own socket had no room for. Null where the server received.
    pub dropped_here: Option<u64>,
    /// How much longer the last of it took than the first, about: what a queue on the way held at the end.
    #[serde(rename = "late_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub late: Option<Duration>,
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// Why it was not held, or not to its end.
    pub failure: Option<String>,
}

/// What is to be thought of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BandwidthVerdict")]
pub enum Verdict {
    /// No more was lost than is allowed.
    Passed,
    /// More was lost on the way than is allowed.
    Lost,
    /// It came ever later: a queue on the way grew, and would have lost some a moment later.
    Late,
    /// This host's own socket had no room for what came.
    Dropped,
    /// The sender could not keep the rate.
    Short,
    /// The server does not allow the rate.
    Refused,
    /// It could not be held, or not to its end.
    Void,
}

impl Verdict {
    /// In a person's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Passed => "passes",
            Self::Lost => "too much is lost",
            Self::Late => "a queue grows",
            Self::Dropped => "too much for this host's socket",
            Self::Short => "the sender is too slow",
            Self::Refused => "refused by the server",
            Self::Void => "not held",
        }
    }
}
