//! What can be measured: a [`Probe`] is a value with nothing left to decide, [`Probe::run`] measures once
//! and yields the [`Measurement`].
//!
//! A new probe is one folder here, a line in [`Probe`], a line in [`Report`] and one text renderer in
//! `report`; CONTRIBUTING.md walks through it. Measuring code never prints and never stores.

mod agent;
pub(crate) mod counts;
mod ctx;
mod egress;
mod event;
pub mod imported;
mod kind;
mod measurement;
mod plan;
mod scalar;
mod target;
pub mod udpping;

pub use agent::Agent;
pub use counts::{Counts, LossBursts, Rtt, ScheduleError};
pub use ctx::Ctx;
pub use egress::{Egress, Family};
pub use event::{Event, Events};
pub use kind::{File, KINDS, Kind, Manual, Options};
pub use measurement::{Measurement, Outcome, new_id};
pub use plan::Traffic;
pub use scalar::{Loss, NAMES, Scalar, Scalars, unit_of};
pub use target::Target;

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::{Class, Failure};
use imported::Imported;
use udpping::UdpPing;

/// Everything that one measurement needs. The tag `kind` is also the subcommand, the applet, the metric label
/// and the man page.
///
/// `Exec` (autoperf's custom tests) will stand here too; [`Probe::is_remote`] keeps it out of any API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Probe {
    /// RTT, loss by direction and one-way delay over UDP.
    UdpPing(UdpPing),
    /// What another tool measured; it can be kept and compared, not run.
    Imported(Imported),
}

/// What a probe found, whatever the network did. Tagged with the probe's kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Report {
    /// See [`udpping::Report`].
    UdpPing(Box<udpping::Report>),
    /// See [`imported::Report`].
    Imported(imported::Report),
}

/// What a run brought home: the address it spoke to, if there was one, and the report or why there is none.
pub struct Found {
    /// What the target resolved to.
    pub address: Option<IpAddr>,
    /// The report, or the failure.
    pub result: Result<Report, Failure>,
}

impl Probe {
    /// The kind's one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::UdpPing(_) => "udpping",
            Self::Imported(_) => "imported",
        }
    }

    /// The host or URL that is measured; empty where a probe has none.
    pub fn target(&self) -> &str {
        match self {
            Self::UdpPing(probe) => probe.target.as_str(),
            Self::Imported(probe) => probe.target.as_str(),
        }
    }

    /// This probe at `host`, where its target was left open (a tier's list is written once for many targets).
    pub fn aimed_at(mut self, host: &str) -> Self {
        let target = match &mut self {
            Self::UdpPing(probe) => &mut probe.target,
            Self::Imported(probe) => &mut probe.target,
        };
        if target.is_open() {
            *target = Target::from(host);
        }
        self
    }

    /// Whether somebody else (the API, a job) may ask for it: never what runs local programs or cannot run.
    pub const fn is_remote(&self) -> bool {
        match self {
            Self::UdpPing(_) => true,
            Self::Imported(_) => false,
        }
    }

    /// The headline numbers that its report will have, none of them measured.
    pub fn unmeasured(&self) -> Vec<Scalar> {
        match self {
            Self::UdpPing(_) => udpping::Report::scalars_of(None),
            Self::Imported(_) => Vec::new(),
        }
    }

    /// The least time between two runs of a watch: what it leaves between two packets.
    pub const fn pace(&self) -> Duration {
        match self {
            Self::UdpPing(probe) => probe.interval.0,
            Self::Imported(_) => Duration::ZERO,
        }
    }

    /// Refuses what cannot be measured, before anything is sent.
    ///
    /// # Errors
    /// Class `usage`, with the option and what it may be.
    pub fn check(&self) -> Result<(), Failure> {
        match self {
            Self::UdpPing(probe) => probe.check(),
            Self::Imported(_) => {
                Err(Class::Unsupported.because("an imported record cannot be measured again"))
            }
        }
    }

    /// Measures once. The wall clock is read here, at the start, and nowhere else.
    pub async fn run(self, ctx: &Ctx) -> Measurement {
        let start = crate::sys::clock::now();
        let found = match self.check() {
            Ok(()) => self.measure(ctx).await,
            Err(failure) => Found { address: None, result: Err(failure) },
        };
        Measurement::new(self, ctx, start, found)
    }

    async fn measure(&self, ctx: &Ctx) -> Found {
        match self {
            Self::UdpPing(probe) => probe.run(ctx).await,
            Self::Imported(_) => Found {
                address: None,
                result: self.check().and(Err(Class::Unsupported.because("cannot run"))),
            },
        }
    }
}

impl From<UdpPing> for Probe {
    fn from(probe: UdpPing) -> Self {
        Self::UdpPing(probe)
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        match self {
            Self::UdpPing(report) => report.scalars(),
            Self::Imported(report) => report.scalars(),
        }
    }

    fn losses(&self) -> Vec<Loss> {
        match self {
            Self::UdpPing(report) => report.losses(),
            Self::Imported(report) => report.losses(),
        }
    }
}

impl Report {
    /// Whether anything at all came back. A report without a reply is a result, and bad (exit 1).
    pub fn replied(&self) -> bool {
        match self {
            Self::UdpPing(report) => report.counts.received > 0,
            Self::Imported(report) => report.replied(),
        }
    }
}
