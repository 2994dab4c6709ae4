//! `sysinfo`: the state of this host that explains a bad network, read from the kernel and from files, never from programs.
//!
//! Each part is a file: it reads its sources ([`source`]), knows its own form, and what it cannot read is null and listed in
//! `unavailable`. [`finding`] judges the whole without reading anything. Nothing is sent, changed or kept from a key.

mod ask;
mod clock;
mod connection;
mod cpu;
mod device;
mod diff;
mod finding;
mod host;
mod interface;
mod kernel;
mod memory;
mod process;
mod queue;
mod radio;
mod report;
mod resolver;
mod route;
mod run;
mod socket;
mod source;
mod vpn;

pub use ask::Asked;
pub use clock::ClockState;
pub use connection::Connection;
pub use cpu::{Cgroup, Cpu, Pressure, Stalled};
pub use device::{Channels, Coalescing, Device, Fec, Module, Pause, Rings};
pub use diff::Change;
pub use finding::Finding;
pub use host::Host;
pub use interface::{Interface, InterfaceAddress, InterfaceErrors};
pub use kernel::{Conntrack, Kernel, Softnet};
pub use memory::{Disk, Memory};
pub use process::Process;
pub use queue::Queue;
pub use radio::Radio;
pub use report::{Report, Unavailable};
pub use resolver::{Proxy, Resolvers};
pub use route::{Neighbour, NeighbourState, Neighbours, Route, RouteRule};
pub use socket::{Listener, Sockets};
pub use vpn::{Vpn, VpnLink};

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Found, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;

/// The options of `sysinfo`, and what a record says was asked.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SysInfo {
    /// It has none: it is this host that is looked at.
    #[arg(skip)]
    #[serde(skip)]
    pub target: Target,
    /// Only these parts, separated by commas [default: all].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    pub only: Vec<Part>,
    /// Read counters twice, this long apart, so that they become rates.
    #[arg(long, value_name = "TIME")]
    pub rate: Option<Span>,
    /// List the processes that use the most CPU time and memory, with their command lines.
    #[arg(long)]
    pub processes: bool,
    /// List TCP connections with their round-trip times and retransmissions, those that lose most first.
    #[arg(long)]
    pub sockets: bool,
    /// Tell what has changed since the record in FILE, as --json writes it (- is standard input); given twice, what
    /// changed from the first to the second, and this host is not looked at.
    #[arg(long, value_name = "FILE")]
    pub diff: Vec<PathBuf>,
}

/// A part of what is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "SysInfoPart")]
pub enum Part {
    /// Operating system, kernel, virtualization.
    Host,
    /// Processors, load, pressure, limits of the control group.
    Cpu,
    /// Memory and swap.
    Memory,
    /// File systems.
    Disks,
    /// How well the clock is set.
    Clock,
    /// Network interfaces, their addresses, errors, drivers and queues.
    Interfaces,
    /// Routes, rules and neighbours.
    Routes,
    /// Who resolves names, and proxies.
    Resolvers,
    /// The kernel's network settings and counters.
    Kernel,
    /// Sockets by state, and who listens.
    Sockets,
}

impl SysInfo {
    /// Whether `part` was asked for.
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

impl Options for SysInfo {
    const MANUAL: Manual = Manual {
        name: "sysinfo",
        about: "The state of this host that explains a bad network",
        text: "Reads what the kernel knows: interfaces with their errors by cause, what their drivers tell, queues, radios, routes, rules, neighbours, resolvers, proxies, \
               network settings, TCP's and UDP's counters, softnet, connection tracking, pressure, CPU steal, limits of the \
               control group, clock, memory, file systems. No program is run and nothing is changed; one \
               question is sent to each resolver, to see that it answers. Most of it needs no \
               privilege, and what cannot be read is null and listed.\n\n\
               What is odd is a finding: an identifier, a severity, and one line that says why it matters. Counters count since \
               the start of the host, so an old error is no news; --rate reads them twice and judges what happens now.\n\n\
               Keys and passwords are never read; command lines only with --processes, and of proxies no credentials.",
        examples: &[
            ("waddleperf sysinfo", "what is odd, and what there is"),
            ("waddleperf sysinfo --rate 1s", "also what grows: drops, retransmissions, steal"),
            ("waddleperf sysinfo --only interfaces,routes --json", "for a script"),
            (
                "waddleperf sysinfo --only sockets --sockets",
                "whose packets are lost: connections, the worst first",
            ),
            ("waddleperf sysinfo --diff before.json", "what has changed since --json was written there"),
            ("waddleperf sysinfo --save --label site=berlin", "keep it, to compare with later"),
        ],
        files: &[],
        see_also: &["ip(8)", "ss(8)", "nstat(8)", "ethtool(8)"],
    };
}

impl Measure for SysInfo {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn subject(&self) -> String {
        "this host".to_owned()
    }

    fn tells_packets(&self) -> bool {
        false
    }

    fn inputs(&self) -> Vec<&Path> {
        self.diff.iter().map(PathBuf::as_path).collect()
    }

    fn check(&self) -> Result<(), Fault> {
        if self.diff.len() > 2 {
            return Err(Fault::of("diff", "takes one record, or two to compare with each other"));
        }
        match self.rate {
            Some(Span(rate)) if rate.is_zero() || rate > run::LONGEST => {
                Err(Fault::of("rate", "takes a span above 0 and up to 1m, such as 1s"))
            }
            _ => Ok(()),
        }
    }

    fn traffic(&self) -> Traffic {
        // A question to each of three resolvers, which is as many as the C library asks, and the roots' 13 names back.
        let packets = if self.wants(Part::Resolvers) && self.diff.len() < 2 { 3 } else { 0 };
        Traffic { packets, bytes: packets * 700, packets_per_second: packets as f64 }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.look(ctx).await
    }
}
