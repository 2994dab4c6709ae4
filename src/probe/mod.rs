//! What can be measured: a [`Probe`] is a value with nothing left to decide, [`Probe::run`] measures once
//! and yields the [`Measurement`].
//!
//! A new probe is one folder here, its `mod` line and its line in the list below, and one renderer in
//! `report::text`; CONTRIBUTING.md walks through it. Measuring code never prints and never stores.

mod agent;
pub mod bandwidth;
pub mod capture;
pub(crate) mod counts;
mod ctx;
mod egress;
mod event;
pub mod httptrace;
mod icmp;
pub mod imported;
mod input;
mod key;
mod kind;
mod measure;
mod measurement;
pub mod mtr;
pub mod mtu;
mod own_thread;
mod pace;
mod phases;
pub mod ping;
pub mod portscan;
pub mod resolvertime;
mod rights;
mod scalar;
mod session;
mod severity;
pub mod sshping;
pub mod sysinfo;
mod target;
pub(crate) mod targets;
mod tcp_state;
mod timing;
pub mod tls;
mod traffic;
pub mod udpping;

pub use agent::Agent;
pub use counts::{Counts, LossBursts, Rtt, ScheduleError};
pub use ctx::Ctx;
pub use egress::{Egress, Family};
pub use event::{Event, Events};
pub use icmp::IcmpErrors;
pub use key::{read_key, read_private};
pub use kind::{File, Kind, Manual, Options};
pub use measure::{Findings, Found, List, Measure, Packets, Part, Place};
pub use measurement::{Measurement, Outcome, new_id};
pub use pace::Schedule;
pub use phases::Phases;
pub use scalar::{Loss, NAMES, Scalar, Scalars, unit_of};
pub use severity::Severity;
pub use target::Target;
pub use tcp_state::TcpState;
pub use timing::Clock;
pub use traffic::Traffic;

use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Fault};
use crate::net::Policy;

// A new probe is one line here. `Exec` (autoperf's custom tests) will stand among the others.
measure::kinds! {$
    commands {
        /// RTT and loss by ICMP, TCP, TLS, HTTP, QUIC or DNS, of one target or of many.
        Ping in ping;
        /// RTT, loss by direction and one-way delay over UDP.
        UdpPing in udpping;
        /// The hops to a target: who answers, how fast, where packets are lost.
        Mtr in mtr;
        /// Path MTU, black holes and who is to blame.
        Mtu in mtu;
        /// Open, closed and filtered ports.
        PortScan in portscan;
        /// How long resolvers take, which is faster, and whether what they say is true.
        ResolverTime in resolvertime;
        /// What an answer of HTTP takes: DNS, TCP, TLS, first byte, transfer.
        HttpTrace in httptrace;
        /// Certificates, names, expiry, versions and suites of a TLS server.
        Tls in tls;
        /// How SSH logs in, echoes and transfers.
        SshPing in sshping;
        /// How much goes through over TCP or UDP, by iperf3's protocol, and what limits it.
        Bandwidth in bandwidth;
        /// Packets of a host, summed up and kept; or those of a file.
        Capture in capture;
        /// The state of this host that explains a bad network.
        SysInfo in sysinfo;
    }
    others {
        /// What another tool measured; it can be kept and compared, not run.
        Imported in imported;
    }
}

impl Probe {
    /// The host or URL that is measured; empty where a probe has none.
    pub fn target(&self) -> &str {
        each_probe!(self, probe => probe.target().as_str())
    }

    /// Whom it measures, in a person's words: the target, or how many there are.
    pub fn subject(&self) -> String {
        each_probe!(self, probe => probe.subject())
    }

    /// Whether a person wants a line for each packet, unless he says otherwise.
    pub fn tells_packets(&self) -> bool {
        each_probe!(self, probe => probe.tells_packets())
    }

    /// This probe at `host`, where its target was left open (a tier's list is written once for many targets).
    pub fn aimed_at(mut self, host: &str) -> Self {
        let target = each_probe!(&mut self, probe => probe.target_mut());
        if target.is_open() {
            *target = Target::from(host);
        }
        self
    }

    /// Whether somebody else (the API, a job) may ask for it: never what runs local programs or cannot run.
    pub const fn is_remote(&self) -> bool {
        const fn remote<P: Measure>(_: &P) -> bool {
            P::REMOTE
        }
        each_probe!(self, probe => remote(probe))
    }

    /// The headline numbers that its report will have, none of them measured.
    pub fn unmeasured(&self) -> Vec<Scalar> {
        each_probe!(self, probe => probe.unmeasured())
    }

    /// The least time between two runs of a watch: what it leaves between two packets.
    pub fn pace(&self) -> Duration {
        each_probe!(self, probe => probe.pace())
    }

    /// Takes out the list of targets of which each is to have a run of its own.
    pub fn take_list(&mut self) -> Option<List> {
        each_probe!(self, probe => probe.take_list())
    }

    /// Whether it does one thing after the other: one thread is enough for it.
    pub fn is_sequential(&self) -> bool {
        each_probe!(self, probe => probe.is_sequential())
    }

    /// Whether it writes to stdout itself: then what is printed goes to stderr.
    pub fn takes_stdout(&self) -> bool {
        each_probe!(self, probe => probe.takes_stdout())
    }

    /// Where the summary of its text stands.
    pub fn place(&self) -> Place {
        each_probe!(self, probe => probe.place())
    }

    /// Whether its text is to be another program's: that is then all that is printed.
    pub fn is_foreign(&self) -> bool {
        each_probe!(self, probe => probe.is_foreign())
    }

    /// Whether the lines while it runs are another program's, too.
    pub fn is_streamed(&self) -> bool {
        each_probe!(self, probe => probe.is_streamed())
    }

    /// The file that is to take what would be printed.
    pub fn logfile(&self) -> Option<&Path> {
        each_probe!(self, probe => probe.logfile())
    }

    /// What one run sends and receives at most: for plans, budgets and confirming rounds.
    pub fn traffic(&self) -> Traffic {
        each_probe!(self, probe => probe.traffic())
    }

    /// The files that it reads: a key, a list of targets, a database.
    pub fn inputs(&self) -> Vec<&Path> {
        each_probe!(self, probe => probe.inputs())
    }

    /// This probe with at least `packets` packets, where it counts packets and they fit into `time`.
    pub fn with_packets(mut self, packets: u64, time: Duration) -> Self {
        each_probe!(&mut self, probe => probe.raise_packets(packets, time));
        self
    }

    /// Refuses what cannot be measured, before anything is sent.
    ///
    /// # Errors
    /// The option and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        each_probe!(self, probe => probe.check())
    }

    /// Measures once. The wall clock is read here, at the start, and nowhere else.
    pub async fn run(self, ctx: &Ctx) -> Measurement {
        let start = crate::sys::clock::now();
        let (found, is_cut) = match self.admit(&ctx.policy) {
            Ok(()) => each_probe!(&self, probe => {
                // Apart from what waits for it, which has a place for whichever is the largest.
                let found = Box::pin(probe.run(ctx)).await;
                let is_cut = found.result.as_ref().is_ok_and(|report| {
                    probe.is_broken(report) || ctx.cancel.is_cancelled() && !probe.is_whole(report)
                });
                (found.into(), is_cut)
            }),
            Err(failure) => (Found::nothing(failure), false),
        };
        Measurement::new(self, ctx, start, found, is_cut)
    }

    /// Refuses what cannot be measured, and what whoever asks may not ask for, whatever its target is.
    fn admit(&self, policy: &Policy) -> Result<(), Failure> {
        self.check().map_err(|fault| fault.of_flag())?;
        if self.is_remote() { Ok(()) } else { policy.check_flag(self.kind()) }
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        each_report!(self, report => report.scalars())
    }

    fn losses(&self) -> Vec<Loss> {
        each_report!(self, report => report.losses())
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        each_report!(self, report => report.replied())
    }

    fn packets(&self) -> Option<Packets> {
        each_report!(self, report => report.packets())
    }

    fn parts(&self) -> Vec<Part> {
        each_report!(self, report => report.parts())
    }
}
