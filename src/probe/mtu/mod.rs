//! `mtu`: how large packets may be on the way to a host and back, who is in their way, and whether he says so.
//!
//! Packetization layer path MTU discovery (RFC 8899), which trusts only what comes through, beside what routers say (RFC
//! 1191, RFC 8201). The engine ([`engine`]) owns no socket and no clock; `net::drive` runs it on sockets, `net::sim` in
//! virtual time. Not here: setting anything on this host.

mod carrier;
mod engine;
mod flight;
mod fuzz;
mod ladder;
mod report;
mod run;
mod search;
mod summary;
mod syn;
mod tcp;
#[cfg(test)]
mod tests;
mod trace;

pub use fuzz::fuzz_mtu;
pub use report::{Advice, BlackHole, Bound, CarriedBy, Hop, Report, Size, TooBig, Way};

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Egress, Found, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;

/// The least MTU that an IPv4 link may have (RFC 791 §3.2).
const LEAST: u16 = 68;
/// The largest size that is tried: what Ethernet switches call jumbo.
const MOST: u16 = 9216;

/// A watch leaves routers as much time as they take to say "too big" again.
const WATCHED: Duration = Duration::from_secs(1);

/// The options of `mtu`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Mtu {
    /// Host name or address.
    #[arg(value_name = "TARGET")]
    pub target: Target,
    /// UDP port of a waddleperf reflector and TCP port whose segment size is read [default: 2000, and 443 or 80].
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,
    /// What carries the packets.
    #[arg(short = 'M', long, value_enum, default_value_t = Mtu::default().method)]
    pub method: Method,
    /// The smallest size to try, octets of IP packet [default: 68].
    ///
    /// IPv6 and most of IPv4 need no less than 1280 and 576; below that a note says so.
    #[arg(long, value_name = "OCTETS", value_parser = clap::value_parser!(u16).range(68..=9216))]
    #[schemars(range(min = 68, max = 9216))]
    pub min: Option<u16>,
    /// The largest size to try, octets of IP packet [default: what the interface sends, at most 9216].
    #[arg(long, value_name = "OCTETS", value_parser = clap::value_parser!(u16).range(68..=9216))]
    #[schemars(range(min = 68, max = 9216))]
    pub max: Option<u16>,
    /// How long to wait for the first answer; later ones are given three round trips.
    #[arg(short = 'W', long, value_name = "TIME", default_value_t = Mtu::default().timeout)]
    pub timeout: Span,
    /// How long the whole run may take.
    #[arg(short = 'w', long, value_name = "TIME", default_value_t = Mtu::default().deadline)]
    pub deadline: Span,
    /// Look at each hop of the way even if nothing is in the way.
    #[arg(long)]
    pub hops: bool,
    /// Give addresses of hops, not names: no DNS server is asked for them.
    #[arg(short = 'n', long)]
    pub numeric: bool,
    /// Do not connect to a TCP port of the target.
    #[arg(long)]
    pub no_tcp: bool,
    /// File with the key that the reflector shares (its octets, without white space at the ends).
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

impl Default for Mtu {
    fn default() -> Self {
        Self {
            target: Target::default(),
            port: None,
            method: Method::Auto,
            min: None,
            max: None,
            timeout: Span::secs(1),
            deadline: Span::secs(10),
            hops: false,
            numeric: false,
            no_tcp: false,
            key_file: None,
            egress: Egress::default(),
        }
    }
}

/// What carries the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// ICMP echo, and a waddleperf reflector where there is one; what else is answered where echo is not.
    Auto,
    /// ICMP echo only.
    Icmp,
    /// A waddleperf reflector only: tells the two directions apart.
    Reflector,
    /// UDP to ports where nobody listens: the host's "port unreachable" is the answer.
    Udp,
    /// TCP SYN with data (needs CAP_NET_RAW): SYN-ACK or RST is the answer.
    Tcp,
}

impl Options for Mtu {
    const MANUAL: Manual = Manual {
        name: "mtu",
        about: "Path MTU, black holes, and who is to blame",
        text: "Finds the largest IP packet that passes to a host, by sending packets of many sizes that nobody may \
               fragment (DPLPMTUD, RFC 8899), and notes what routers say of those that are too big (RFC 1191, RFC 8201). \
               Only what comes through is believed, so a router that is silent, wrong or forged does not move the \
               answer.\n\n\
               Packets that vanish without a word are a black hole: TCP connections open and then hang. The report says \
               after which hop and in which direction, and what to set: the MTU, and the TCP MSS to clamp to. An answer is \
               never longer than what arrived, so of a wider way back no more may be known than that so much comes through.\n\n\
               ICMP echo is used where the target answers it; a waddleperf reflector (`waddleperf serve`) tells the way \
               back apart from the way there; else UDP to a closed port, or TCP SYN with CAP_NET_RAW. An echo socket \
               needs no privilege where net.ipv4.ping_group_range allows it.",
        examples: &[
            ("waddleperf mtu vpn.example", "what passes, and what to set if it is less than it should be"),
            ("waddleperf mtu --hops vpn.example", "also who is on the way"),
            ("waddleperf mtu --max 9000 10.0.0.7", "do jumbo frames pass?"),
            (
                "waddleperf mtu -p 22 --method udp 192.0.2.1",
                "a host that does not answer ICMP echo; TCP's MSS on port 22",
            ),
            (
                "waddleperf mtu --fail-on 'pmtu < 1500B' --json vpn.example",
                "for a script: ends with 1 if less passes",
            ),
            (
                "waddleperf mtu --fail-on 'black_hole > 0' --fail-on 'reverse_pmtu < 1500B' vpn.example",
                "ends with 1 if packets vanish, there or back, or if less comes back",
            ),
        ],
        files: &[],
        see_also: &["tracepath(8)", "ping(8)", "ip-link(8)"],
    };
}

impl Mtu {
    /// The smallest size to try.
    fn least(&self) -> u16 {
        self.min.unwrap_or(LEAST)
    }

    /// The largest size to try where the interface sends up to `local` octets, and why nothing larger.
    fn most(&self, local: Option<u16>) -> (u16, Bound) {
        let asked = self.max.map_or((MOST, Bound::Limit), |max| (max, Bound::Asked));
        match local {
            Some(local) if local <= asked.0 => (local, Bound::Interface),
            _ => asked,
        }
    }
}

impl Measure for Mtu {
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
        if self.port == Some(0) {
            return wrong("port", "0: name a port, 1-65535");
        }
        for (key, size) in [("min", self.min), ("max", self.max)] {
            if size.is_some_and(|size| !(LEAST..=MOST).contains(&size)) {
                return wrong(key, "takes 68 to 9216 octets");
            }
        }
        if self.min.zip(self.max).is_some_and(|(min, max)| min >= max) {
            return wrong("min", "is not below the largest size to try");
        }
        if self.timeout.0.is_zero() {
            return wrong("timeout", "0: give the first answer some time, such as 1s");
        }
        if self.deadline.0 < self.timeout.0 {
            return wrong("deadline", "leaves no time for an answer: it is less than the timeout");
        }
        if self.key_file.is_some() && !matches!(self.method, Method::Auto | Method::Reflector) {
            return wrong("key_file", "is of no use: only a reflector's packets can be authenticated");
        }
        if self.egress.ttl.is_some() && self.hops {
            return wrong("hops", "sets the TTL of each packet: leave out the TTL");
        }
        self.egress.check().map_err(|fault| fault.within("egress"))
    }

    fn traffic(&self) -> Traffic {
        // A black hole on a long way of 30 hops; a clean path takes a tenth.
        let (packets, most) = (200, u64::from(self.max.unwrap_or(1500)));
        Traffic { packets, bytes: packets * most, packets_per_second: 150.0 }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn inputs(&self) -> Vec<&Path> {
        self.key_file.as_deref().into_iter().collect()
    }

    fn pace(&self) -> Duration {
        WATCHED
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.is_settled()
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
