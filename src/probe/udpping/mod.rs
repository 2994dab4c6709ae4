//! `udpping`: RTT, loss by direction, reordering and one-way delay over UDP, packet-exact.
//!
//! Three formats: our own authenticated session (WP1), STAMP (RFC 8762, RFC 8972; TWAMP Light, RFC 5357
//! appendix I) and the plain echo of older reflectors. The engines ([`engine`]) own no socket and no clock;
//! `net::drive` runs them on a socket, `net::sim` in virtual time.

mod echo;
mod engine;
mod plan;
mod report;
mod run;
mod stamp;
mod tally;

pub use engine::Engine;
pub use report::{Direction, OneWay, Report, ServerProcessing};

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Egress, Found, Manual, Measure, Options, Scalar, Schedule, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;

/// Largest UDP payload over IPv6; IPv4 takes 20 octets less.
const MOST_PAYLOAD: u16 = 65_507;
/// What the flag's help says; a file takes no bare number.
const INTERVAL: &str =
    "Time between two packets (or bursts), kept by an absolute plan; bare numbers are seconds";

/// The options of `udpping`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UdpPing {
    /// Host name or address of the reflector (`waddleperf serve`, or any STAMP reflector).
    #[arg(value_name = "TARGET")]
    pub target: Target,
    /// UDP port of the reflector [default: 2000; stamp and twamp: 862].
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Format of the packets.
    #[arg(long, value_enum, default_value_t = UdpPing::default().protocol)]
    pub protocol: Protocol,
    /// Send this many packets, then stop.
    #[arg(short, long, value_name = "N", default_value_t = UdpPing::default().count)]
    #[schemars(range(min = 1))]
    pub count: u64,
    /// Time between two packets (or bursts), kept by an absolute plan.
    #[arg(short, long, value_name = "TIME", default_value_t = UdpPing::default().interval, help = INTERVAL)]
    pub interval: Span,
    /// How the intervals are drawn: all alike, or exponentially distributed around the same mean (RFC 3432).
    #[arg(long, value_enum, default_value_t = UdpPing::default().schedule)]
    pub schedule: Schedule,
    /// Packets sent back to back at each point of the schedule.
    #[arg(long, value_name = "N", default_value_t = UdpPing::default().burst)]
    #[schemars(range(min = 1, max = 1000))]
    pub burst: u16,
    /// Octets of UDP payload; formats round it up to what they need.
    #[arg(short, long, visible_short_alias = 'l', alias = "length", value_name = "OCTETS", default_value_t = UdpPing::default().size)]
    #[schemars(range(max = 65_507))]
    pub size: u16,
    /// How long to wait for the reply to each packet; later ones are `late`.
    #[arg(short = 'W', long, value_name = "TIME", default_value_t = UdpPing::default().timeout)]
    pub timeout: Span,
    /// Stop sending after this time, however many packets are left (irtt's -d).
    #[arg(short = 'w', long, visible_short_alias = 'd', alias = "duration", value_name = "TIME")]
    pub deadline: Option<Span>,
    /// File with the key that the reflector shares (its octets, without white space at the ends).
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Report one-way delays although nothing proves that the two clocks agree.
    #[arg(long)]
    pub assume_synced: bool,
    /// Send packets that were missed by more than one interval at once, instead of counting them as skipped.
    #[arg(long)]
    pub catch_up: bool,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

impl Default for UdpPing {
    fn default() -> Self {
        Self {
            target: Target::default(),
            port: None,
            protocol: Protocol::Wp1,
            count: 10,
            interval: Span::millis(200),
            schedule: Schedule::Fixed,
            burst: 1,
            size: 80,
            timeout: Span::secs(2),
            deadline: None,
            key_file: None,
            assume_synced: false,
            catch_up: false,
            egress: Egress::default(),
        }
    }
}

/// The format of the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// waddleperf's own session: authenticated, loss by direction.
    Wp1,
    /// STAMP, RFC 8762 and 8972.
    Stamp,
    /// TWAMP Light, RFC 5357 appendix I.
    Twamp,
    /// A verbatim echo, as older reflectors give.
    Echo,
}

impl Protocol {
    /// The port that reflectors of this format listen on.
    pub const fn port(self) -> u16 {
        match self {
            Self::Wp1 | Self::Echo => 2000,
            Self::Stamp | Self::Twamp => 862,
        }
    }
}

impl Options for UdpPing {
    const MANUAL: Manual = Manual {
        name: "udpping",
        about: "Round-trip time, loss by direction and one-way delay over UDP",
        text: "Sends numbered datagrams to a reflector on an exact schedule and accounts for each: answered, lost on the \
               way there, lost on the way back, late, duplicated, reordered. Times come from the kernel where it gives \
               them, and the report says so.\n\n\
               The reflector is `waddleperf serve` (format wp1, UDP port 2000) or any STAMP (RFC 8762) or TWAMP Light \
               reflector (UDP port 862). An `echo` service tells round-trip times only.",
        examples: &[
            ("waddleperf udpping reflector.example", "ten packets, 200 ms apart"),
            (
                "waddleperf udpping -c 1000 -i 10ms -q reflector.example",
                "only the summary of 1000 packets, 10 ms apart",
            ),
            ("waddleperf udpping --watch -i 100ms reflector.example", "measure and draw until you press q"),
            (
                "waddleperf udpping --protocol stamp --dscp 46 192.0.2.1",
                "any STAMP reflector, marked EF: does the way keep the mark?",
            ),
            (
                "waddleperf udpping --json reflector.example | jq .outcome.report.up.loss_ratio",
                "the loss on the way there, for a program",
            ),
        ],
        files: &[],
        see_also: &["ping(8)", "irtt(1)"],
    };
}

impl UdpPing {
    /// The port that is spoken to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.protocol.port())
    }
}

impl Measure for UdpPing {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn check(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        if self.target.is_open() {
            return wrong("target", "is missing: name the host to measure");
        }
        self.target.check_host()?;
        if self.count == 0 {
            return wrong("count", "0: send at least 1 packet");
        }
        if self.timeout.0.is_zero() {
            return wrong("timeout", "0: give each reply some time, such as 2s");
        }
        if self.deadline.is_some_and(|deadline| deadline.0.is_zero()) {
            return wrong("deadline", "0 leaves no time to send: give it some, such as 10s");
        }
        if self.interval.0.is_zero() && self.schedule == Schedule::Poisson {
            return wrong("interval", "0: a poisson schedule needs one above 0, its mean");
        }
        if self.port == Some(0) {
            return wrong("port", "0: name the reflector's port, 1-65535");
        }
        if !(1..=1000).contains(&self.burst) {
            return wrong("burst", "takes 1 to 1000 packets");
        }
        if self.size > MOST_PAYLOAD {
            return wrong("size", "is too large: a UDP datagram carries at most 65507 octets");
        }
        if self.key_file.is_some() && matches!(self.protocol, Protocol::Twamp | Protocol::Echo) {
            return wrong("key_file", "is of no use: only wp1 and stamp packets can be authenticated");
        }
        self.egress.check().map_err(|fault| fault.within("egress"))
    }

    fn traffic(&self) -> Traffic {
        let every = self.interval.0.as_secs_f64();
        let rate = f64::from(self.burst) / every.max(1e-9);
        Traffic {
            packets: self.count,
            bytes: self.count.saturating_mul(2 * (u64::from(self.size) + Traffic::HEADERS)),
            packets_per_second: rate.max(f64::from(self.burst)).min(self.count as f64),
        }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn pace(&self) -> Duration {
        self.interval.0
    }

    fn raise_packets(&mut self, packets: u64, time: Duration) {
        let rounds = packets.div_ceil(u64::from(self.burst.max(1)));
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        if self.interval.0.saturating_mul(rounds) + self.timeout.0 <= time {
            self.count = self.count.max(packets);
        }
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.is_whole(self)
    }

    fn inputs(&self) -> Vec<&Path> {
        self.key_file.as_deref().into_iter().collect()
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
