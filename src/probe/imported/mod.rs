//! What another tool measured, kept beside our own records.
//!
//! Not a probe of ours: the numbers are the other tool's, with its clock and its definitions, and say so.
//! [`parse`] reads a tool's output; each tool has its file here.

mod iperf3;
mod irtt;
mod mtr;
mod ping;
mod pping;
mod read;
#[cfg(test)]
mod tests;
mod upstream;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Findings, Found, Measure, Packets, Scalar, Scalars, Target, Traffic};
use crate::failure::{Class, Fault};
use crate::stats::Sketch;
use crate::units::ms;
pub use read::{Origin, Tool, fuzz_import, parse};

/// Where an imported record comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// The tool that measured: `ping`, `mtr`, `iperf3`, `irtt`, `pping`, `waddleperf-upstream`.
    pub tool: String,
    /// What the tool measured, in its own words: `icmp`, `tcp`, `udp`, `http`, ….
    pub mode: String,
    /// The host or URL that was measured.
    pub target: Target,
}

/// The other tool's numbers under our names, and its own record beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ImportedReport")]
pub struct Report {
    /// The headline numbers that the tool gave, in base units. What it did not give is absent.
    pub scalars: Vec<Scalar>,
    /// Each sample of round-trip time (RFC 2681) in order; null is a lost one. Empty where the tool lists none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples_ms: Vec<Option<f64>>,
    /// Further named values of the tool's own, as it wrote them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, serde_json::Value>,
}

impl Measure for Imported {
    type Report = Report;

    const REMOTE: bool = false;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn check(&self) -> Result<(), Fault> {
        Err(Fault::of("kind", "`imported` cannot be measured again"))
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Vec::new()
    }

    async fn run(&self, _ctx: &Ctx) -> Found<Report> {
        Found::nothing(Class::Unsupported.because("an imported record cannot be measured again"))
    }
}

impl Report {
    /// The samples that were answered.
    pub fn answered(&self) -> impl Iterator<Item = Duration> + '_ {
        self.samples_ms.iter().flatten().filter_map(|&sample| ms::to(sample))
    }
}

impl Findings for Report {
    /// As far as the tool tells.
    fn replied(&self) -> bool {
        !self.scalars.iter().any(|scalar| scalar.name == "loss_ratio" && scalar.value == Some(1.0))
    }

    fn packets(&self) -> Option<Packets> {
        let mut rtt = Sketch::default();
        self.answered().for_each(|sample| rtt.push(sample.as_secs_f64()));
        let sent = self.samples_ms.len() as u64;
        (sent > 0).then(|| Packets { sent, lost: sent.saturating_sub(rtt.count()), rtt })
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        self.scalars.clone()
    }
}
