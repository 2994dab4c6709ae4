//! What was found of the servers.

mod said;
mod server;

pub use said::{Answer, Cookies, Edns, ExtendedError, Flags, RecordText, Tls};
pub use server::{Phases, Server, Times};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RecordType;
use super::judge::Finding;
use super::load::LoadReport;
use super::trace::Trace;
use crate::probe::{Findings, Packets, Part, Scalar, Scalars};
use crate::stats::Sketch;
use crate::units::Unit;

/// How long servers take to answer one question, and what they say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverTimeReport")]
pub struct Report {
    /// The name that was asked for, as in a zone file (RFC 1035 §5.1).
    pub name: String,
    /// The type of records that was asked for.
    #[serde(rename = "type")]
    pub record: RecordType,
    /// Each server, in the order asked; empty with `load`, and where there is a `trace` alone.
    pub servers: Vec<Server>,
    /// All servers that answered said the same, apart from order and TTL; null with fewer than two.
    pub agreement: Option<bool>,
    /// What is odd, the worst first.
    pub findings: Vec<Finding>,
    /// The way down from the root (`--trace`).
    pub trace: Option<Trace>,
    /// What came of many questions (`--load`).
    pub load: Option<LoadReport>,
    /// The times of all answers of all servers, mergeable with other runs'.
    pub rtt_sketch: Sketch,
}

impl Report {
    /// The headline numbers of a report, or their names: those of the server that is the fastest of all that were asked.
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let best = report.and_then(|report| {
            report.servers.iter().find(|server| server.rank == Some(1)).or(report.servers.first())
        });
        let loss = report.and_then(|report| match &report.load {
            Some(load) => load.loss_ratio,
            None => crate::probe::counts::ratio(report.lost(), report.sent()),
        });
        let mut scalars = Server::scalars_of(best, loss);
        if let Some(load) = report.and_then(|report| report.load.as_ref()) {
            for (name, value) in [
                ("lookup", load.latency.map(|times| times.p50)),
                ("rtt_p50", load.latency.map(|times| times.p50)),
                ("rtt_p95", load.latency.map(|times| times.p95)),
            ] {
                if let Some(scalar) = scalars.iter_mut().find(|scalar| scalar.name == name) {
                    *scalar = Scalar::time(name, value);
                }
            }
        }
        let number = |name: &'static str, value| Scalar { name: name.into(), unit: Unit::None, value };
        scalars.push(number("qps", report.and_then(|report| report.load.as_ref()?.qps)));
        scalars.push(number("findings", report.map(|report| report.findings.len() as f64)));
        scalars
    }

    fn sent(&self) -> u64 {
        self.servers.iter().map(|server| server.counts.sent).sum()
    }

    fn lost(&self) -> u64 {
        self.servers.iter().map(|server| server.counts.sent.saturating_sub(server.counts.received)).sum()
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }

    fn losses(&self) -> Vec<crate::probe::Loss> {
        let (lost, sent) = match &self.load {
            Some(load) => (load.lost(), load.sent),
            None => (self.lost(), self.sent()),
        };
        vec![crate::probe::Loss { name: "loss_ratio".into(), lost, sent }]
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        let traced = self.trace.as_ref().is_some_and(|trace| trace.rcode.is_some());
        let loaded = self.load.as_ref().is_some_and(|load| load.completed > 0);
        traced || loaded || self.servers.iter().any(|server| server.counts.received > 0)
    }

    fn packets(&self) -> Option<Packets> {
        let (sent, lost) = match &self.load {
            Some(load) => (load.sent, load.lost()),
            None => (self.sent(), self.lost()),
        };
        Some(Packets { sent, lost, rtt: self.rtt_sketch.clone() })
    }

    fn parts(&self) -> Vec<Part> {
        if self.servers.len() < 2 {
            return Vec::new();
        }
        let part = |server: &Server| {
            let mut scalars = Server::scalars_of(Some(server), server.loss_ratio);
            for name in ["qps", "findings"] {
                scalars.push(Scalar { name: name.into(), unit: Unit::None, value: None });
            }
            Part {
                target: server.server.clone(),
                address: server.address,
                failure: server.failure.as_ref().map(|failure| failure.class),
                scalars,
            }
        };
        self.servers.iter().map(part).collect()
    }
}
