//! What `sysinfo` found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Change, ClockState, Cpu, Disk, Finding, Host, Interface, Kernel, Memory, Neighbours, Process, Proxy,
    Queue, Resolvers, Route, RouteRule, Sockets, Vpn,
};
use crate::probe::{Findings, Scalar, Scalars, Severity};
use crate::units::Unit;

/// The state of a host. Parts that were not asked for are null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SysInfoReport")]
pub struct Report {
    /// What is odd, the worst first.
    pub findings: Vec<Finding>,
    /// Seconds between two readings of the counters; null where they were read once, and count since the start.
    pub rate_s: Option<f64>,
    /// What it is.
    pub host: Option<Host>,
    /// Processors.
    pub cpu: Option<Cpu>,
    /// Memory.
    pub memory: Option<Memory>,
    /// File systems on disks.
    pub disks: Option<Vec<Disk>>,
    /// How well the clock is set.
    pub clock: Option<ClockState>,
    /// Network interfaces.
    pub interfaces: Option<Vec<Interface>>,
    /// Queueing disciplines.
    pub queues: Option<Vec<Queue>>,
    /// Routes.
    pub routes: Option<Vec<Route>>,
    /// Rules that choose tables of routes, but those that every host has.
    pub rules: Option<Vec<RouteRule>>,
    /// Neighbours.
    pub neighbours: Option<Neighbours>,
    /// Virtual private networks; null where interfaces or routes were not asked for.
    #[serde(default)]
    pub vpn: Option<Vpn>,
    /// Who resolves names.
    pub resolvers: Option<Resolvers>,
    /// Proxies of this process's environment.
    pub proxies: Option<Vec<Proxy>>,
    /// The kernel's network.
    pub kernel: Option<Kernel>,
    /// Sockets.
    pub sockets: Option<Sockets>,
    /// Processes, where they were asked for.
    pub processes: Option<Vec<Process>>,
    /// What differs from an earlier look (`--diff`); null without.
    pub changes: Option<Vec<Change>>,
    /// What could not be read.
    pub unavailable: Vec<Unavailable>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SysInfoUnavailable")]
pub struct Unavailable {
    /// What.
    pub what: String,
    /// Why, in a few words.
    pub why: String,
}

impl Report {
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let count = |report: &Self| {
            report.findings.iter().filter(|finding| finding.severity != Severity::Info).count()
        };
        let findings = Scalar {
            name: "findings".into(),
            unit: Unit::None,
            value: report.map(|report| count(report) as f64),
        };
        let steal = report.and_then(|report| report.cpu.as_ref()?.steal_ratio);
        vec![findings, Scalar::ratio("steal_ratio", steal)]
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        true
    }
}
