//! `ping`: round-trip time and loss, of one target or of a hundred thousand, as ping and fping users know it.
//!
//! Echo, DNS and QUIC are datagrams: one [`engine`] without socket or clock sends them by a plan and matches replies,
//! `net::drive` runs it on sockets, `net::sim` in virtual time. TCP, TLS and HTTP are connections ([`connections`]). All end in the same
//! [`tally`].

mod check;
mod choices;
mod connections;
mod engine;
mod errors;
mod flights;
mod flood;
mod format;
mod hosts;
mod initial;
mod plan;
mod report;
mod run;
mod tally;

pub use choices::{Form, Mode, PmtuDisc};
pub use engine::Engine;
pub use errors::Errors;
pub use report::{Phases, Report, Responder, Status, TargetReport};

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Ctx, Egress, Findings, Found, Manual, Measure, Options, Place, Scalar, Target, Traffic, input, targets,
};
use crate::failure::Fault;
use crate::units::Span;

/// Largest payload of an echo message over IPv4 and over IPv6, octets.
const MOST_PAYLOAD: [u16; 2] = [65_507, 65_527];
/// The least time between two packets to one target, for who is not root.
const LEAST_INTERVAL: Duration = Duration::from_millis(2);
/// Time between two packets to one target, where nothing else is said.
const EACH: Duration = Duration::from_secs(1);
/// Time between two packets to different targets, where nothing else is said.
const BETWEEN: Duration = Duration::from_millis(10);
/// How long a reply is waited for, where nothing else is said.
const WAIT: Duration = Duration::from_secs(2);
/// The same of the first packet to a target that need only be found alive, and how often it is asked again: fping's.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const RETRIES: u16 = 3;
/// No interval, timeout or deadline is longer.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

const INTERVAL: &str = "Time between two packets [default: 1s to one target; 10ms between different ones, and then each \
                        target gets one by --per-target-interval]; bare numbers are seconds";

/// What fuzzing and the properties do with any octets: read them as everything that comes from outside.
pub fn fuzz(octets: &[u8]) {
    format::fuzz(octets);
    connections::fuzz(octets);
}

/// The options of `ping`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[command(mut_arg("ttl", |ttl| ttl.short('t')))]
pub struct Ping {
    /// Host name, address, network (10.0.0.0/24) or range (10.0.0.1-10.0.0.9); a URL with --mode http.
    #[arg(value_name = "TARGET", default_value = "", hide_default_value = true)]
    pub target: Target,
    /// More of them.
    #[arg(value_name = "MORE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Target>,
    /// What is sent, and what counts as a reply [default: icmp, with --port tcp].
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// Port, and --mode tcp where no mode is given [default: tcp and http 80, tls, https and quic 443, dns 53].
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Name that a DNS server is asked for (its NS records), or that a TLS server is asked to be.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Send this many packets to each target, then stop.
    #[arg(short, long, value_name = "N", default_value_t = Ping::default().count)]
    #[schemars(range(min = 1))]
    pub count: u64,
    /// Time between two packets: 1s to one target, 10ms between different ones where nothing is said.
    #[arg(short, long, value_name = "TIME", help = INTERVAL)]
    pub interval: Option<Span>,
    /// Time between two packets to the same one of many targets, fping's -p [default: 1s].
    #[arg(long, value_name = "TIME")]
    pub per_target_interval: Option<Span>,
    /// Octets of payload of an echo message.
    #[arg(short, long, value_name = "OCTETS", default_value_t = Ping::default().size)]
    #[schemars(range(max = 65_527))]
    pub size: u16,
    /// How long to wait for the reply to each packet; later ones are `late` [default: 2s; 0.5s with -a, -u and -r, where each
    /// wait is --backoff times the one before].
    #[arg(short = 'W', long, value_name = "TIME")]
    pub timeout: Option<Span>,
    /// End after this time, however many packets are left; what is in flight then is not counted.
    #[arg(short = 'w', long, value_name = "TIME")]
    pub deadline: Option<Span>,
    /// Fill the payload with these octets, in hexadecimal.
    #[arg(short, long, value_name = "HEX")]
    pub pattern: Option<String>,
    /// Type of service, DSCP and ECN in one octet, as ping takes it (46 << 2 = 184 is EF).
    #[arg(short = 'Q', long, value_name = "TOS", value_parser = tos, conflicts_with_all = ["dscp", "ecn"])]
    pub tos: Option<u8>,
    /// Whether packets may be cut on their way, and what becomes of those that are too large.
    #[arg(short = 'M', long, value_enum, value_name = "HOW")]
    pub pmtudisc: Option<PmtuDisc>,
    /// Send the next packet as soon as the last was answered, and 100 each second at least (root, or --force).
    #[arg(short, long, conflicts_with = "interval")]
    pub flood: bool,
    /// Send the next packet as soon as the last was answered, though not within 2 ms but for root, and else after the interval.
    #[arg(short = 'A', long, conflicts_with = "flood")]
    pub adaptive: bool,
    /// Send this many packets at once, before the first interval (more than 3: root, or --force).
    #[arg(short = 'l', long, value_name = "N", default_value_t = Ping::default().preload, hide_default_value = true)]
    pub preload: u64,
    /// Identify the echo messages by this number, instead of one that is free.
    #[arg(short = 'e', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub identifier: Option<u16>,
    /// ping's -R, which is refused: routers answer it no more.
    #[arg(short = 'R', long, hide = true)]
    #[serde(skip)]
    #[schemars(skip)]
    pub record_route: bool,
    /// Allow what else only root may: less than 2 ms between two packets to one target, -f, and -l beyond 3.
    #[arg(long)]
    pub force: bool,
    /// Send packets to one target that were missed by more than one interval at once, instead of counting them as skipped;
    /// of many targets none is skipped.
    #[arg(long)]
    pub catch_up: bool,
    /// Say so when a packet is not answered before the next one is sent.
    #[arg(short = 'O', long)]
    pub outstanding: bool,
    /// Never look names up: this is always so, and the flag is taken for the users of ping.
    #[arg(short, long)]
    pub numeric: bool,
    /// Measure all addresses of each name, 64 at most, as fping does, instead of the first that the resolver gives.
    #[arg(short = 'm', long)]
    pub all_addresses: bool,
    /// Allow broadcast and multicast addresses, and list who replies.
    #[arg(short, long)]
    pub broadcast: bool,
    /// Measure what this file lists too, a target on each line; `-` is standard input.
    #[arg(short = 'F', long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Take two addresses for the ends of a range, as fping does. Networks and ranges in one word need no flag.
    #[arg(short, long)]
    pub generate: bool,
    /// Measure more than 4096 generated addresses.
    #[arg(long)]
    pub yes: bool,
    /// Send this many packets to each target, and list the time of each in columns, as fping does.
    #[arg(short = 'C', long, value_name = "N")]
    pub vcount: Option<u64>,
    /// Ask until each target has answered once, and list those that have.
    #[arg(short, long)]
    pub alive: bool,
    /// Ask until each target has answered once, and list those that have not.
    #[arg(short, long)]
    pub unreach: bool,
    /// With -a, tell the time of the reply too, fping's -e.
    #[arg(long)]
    pub elapsed: bool,
    /// Call targets by their addresses, fping's -A.
    #[arg(long)]
    pub addr: bool,
    /// Ask until each target has answered once, at most this often again [default: 3 with -a or -u].
    #[arg(short, long, value_name = "N")]
    pub retries: Option<u16>,
    /// How much longer than the one before each such wait is.
    #[arg(short = 'B', long, value_name = "FACTOR", default_value_t = Ping::default().backoff)]
    pub backoff: f64,
    /// How text looks.
    #[arg(long, value_enum, default_value_t = Ping::default().style)]
    pub style: Form,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

impl Default for Ping {
    fn default() -> Self {
        Self {
            target: Target::default(),
            more: Vec::new(),
            mode: None,
            port: None,
            name: None,
            count: 10,
            interval: None,
            per_target_interval: None,
            size: 56,
            timeout: None,
            deadline: None,
            pattern: None,
            tos: None,
            pmtudisc: None,
            flood: false,
            adaptive: false,
            preload: 0,
            identifier: None,
            record_route: false,
            force: false,
            catch_up: false,
            outstanding: false,
            numeric: false,
            all_addresses: false,
            broadcast: false,
            file: None,
            generate: false,
            yes: false,
            vcount: None,
            alive: false,
            unreach: false,
            elapsed: false,
            addr: false,
            retries: None,
            backoff: 1.5,
            style: Form::Ping,
            egress: Egress::default(),
        }
    }
}

impl Options for Ping {
    const MANUAL: Manual = Manual {
        name: "ping",
        about: "Round-trip time and loss of one target or of many",
        text: "Sends numbered packets to each target on an exact schedule and accounts for each: answered, lost, late, \
               duplicated, reordered, damaged. Times come from the kernel where it gives them, and the report says so. \
               Errors that routers and hosts send back are told with who sent them. What this host does not send (with -M do \
               what is too large for an MTU that it knows) is told with the reason, and is no loss.\n\n\
               Targets are given as arguments, in a file (-F), on standard input (-F -), as networks or as ranges. With \
               one target -i is the time between its packets, as in ping. With many, -i is the time between two packets \
               to different targets, and each target gets one every --per-target-interval: fping's -i and -p. Nobody \
               but root may send to one target more often than every 2 ms, unless with --force. A name or address that \
               cannot be measured is a result among many, told on stderr, and a failure alone. With -a, -u, -C and --style \
               fping the exit code is fping's: 1 where a target did not answer, 2 where one has no address. --style fping is fping -c, \
               its summary on stderr; with -r alone it lists who is alive and who is not. A name with \
               many addresses stands for the first that the resolver gives, or with -m for all, 64 at most.\n\n\
               ICMP needs no privilege where net.ipv4.ping_group_range includes one of the user's groups, else \
               CAP_NET_RAW. The other modes need none: tcp counts a refused connection (RST) as a reply, tls and http do \
               not; quic asks for the versions that a server speaks, and sends a real Initial to one that does not tell.",
        examples: &[
            ("waddleperf ping host.example", "ten echo requests, one each second"),
            ("waddleperf ping -c 100 -i 0.2 -q host.example", "only the summary, with percentiles"),
            (
                "waddleperf ping --style fping -C 3 10.0.0.0/28",
                "the times of each address of a network, in columns",
            ),
            ("waddleperf ping -a -F hosts.txt", "which hosts of a list answer"),
            ("waddleperf ping --mode tcp --port 443 host.example", "where ICMP is filtered"),
            (
                "waddleperf ping -M do -s 1472 host.example",
                "do packets of 1500 octets pass, and if not, who says so?",
            ),
        ],
        files: &[],
        see_also: &["ping(8)", "fping(8)", "waddleperf-udpping(1)"],
    };
}

impl Ping {
    /// What is sent: a port alone means TCP.
    pub const fn mode(&self) -> Mode {
        match (self.mode, self.port) {
            (Some(mode), _) => mode,
            (None, Some(_)) => Mode::Tcp,
            (None, None) => Mode::Icmp,
        }
    }

    /// How long the reply to a packet to each target is waited for, to the first one where that grows.
    fn wait(&self) -> Duration {
        match self.timeout {
            Some(timeout) => timeout.0,
            None if self.until_answered() => FIRST_WAIT,
            None => WAIT,
        }
    }

    /// How much longer each wait is than the one before.
    const fn growth(&self) -> f64 {
        if self.until_answered() { self.backoff } else { 1.0 }
    }

    /// Packets to each target.
    pub fn packets(&self) -> u64 {
        match (self.vcount, self.until_answered()) {
            (Some(count), _) => count,
            (None, true) => u64::from(self.retries.unwrap_or(RETRIES)) + 1,
            (None, false) => self.count,
        }
    }

    /// Whether it is to look, and to end, as fping does.
    pub fn is_fpings(&self) -> bool {
        self.alive || self.unreach || self.vcount.is_some() || self.style == Form::Fping
    }

    /// Whether its text is a list of who is alive, or of who is not, or of both as fping writes it.
    pub fn lists_states(&self) -> bool {
        self.alive || self.unreach || self.style == Form::Fping && self.until_answered()
    }

    /// Whether a target is done once it has answered.
    pub const fn until_answered(&self) -> bool {
        self.vcount.is_none() && (self.alive || self.unreach || self.retries.is_some())
    }

    /// Time between two packets, and between two packets to one target, of `targets`.
    fn intervals(&self, targets: usize) -> (Duration, Duration) {
        let of = |span: Option<Span>, otherwise| span.map_or(otherwise, |span| span.0);
        let each = if self.until_answered() { self.wait() } else { EACH };
        if targets <= 1 {
            let each = of(self.interval, each).max(of(self.per_target_interval, Duration::ZERO));
            return (each, each);
        }
        (of(self.interval, BETWEEN), of(self.per_target_interval, each))
    }

    /// Whether it is known before anything is read that there is one target.
    fn is_single(&self) -> bool {
        self.more.is_empty()
            && self.file.is_none()
            && !self.all_addresses
            && !targets::is_many(self.target.as_str())
    }

    /// The type of service of what is sent, if it is not the system's default.
    fn tos(&self) -> Option<u8> {
        self.tos.or_else(|| self.egress.tos())
    }

    /// The octets of the pattern; `None` where they are not hexadecimal.
    fn pattern(&self) -> Option<Vec<u8>> {
        let digits = self.pattern.as_deref().unwrap_or_default().as_bytes();
        let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
        let octet = |pair: &[u8]| {
            let [high, low] = pair else { return value(*pair.first()?) };
            Some(value(*high)? << 4 | value(*low)?)
        };
        digits.chunks(2).map(octet).collect()
    }

    /// Whether it may send as fast as it likes.
    fn is_free(&self) -> bool {
        self.force || crate::sys::host::is_root()
    }
}

/// A type of service, in decimal or, with 0x, in hexadecimal.
fn tos(text: &str) -> Result<u8, String> {
    let value = text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u8::from_str_radix(digits, 16));
    value.map_err(|_| "takes 0 to 255, or 0x00 to 0xff".to_owned())
}

impl Measure for Ping {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn subject(&self) -> String {
        let file = self.file.as_deref().map(input::subject);
        match (self.target.is_open(), self.more.len(), file) {
            (true, _, file) => file.unwrap_or_default(),
            (false, 0, None) => self.target.to_string(),
            (false, 1, None) if self.generate => format!("{} to {}", self.target, self.more[0]),
            (false, more, None) => format!("{} and {more} more", self.target),
            (false, 0, Some(file)) => format!("{} and {file}", self.target),
            (false, more, Some(file)) => format!("{}, {more} more and {file}", self.target),
        }
    }

    fn tells_packets(&self) -> bool {
        // fping tells what routers say whatever else is asked for.
        !self.flood && (self.style == Form::Fping || !(self.lists_states() || self.vcount.is_some()))
    }

    fn place(&self) -> Place {
        match self.style {
            _ if self.lists_states() => Place::Alone,
            Form::Fping => Place::Stderr,
            Form::Ping => Place::Below,
        }
    }

    fn check(&self) -> Result<(), Fault> {
        self.check_all()
    }

    fn traffic(&self) -> Traffic {
        let targets = self.named().map_or(1, |list| list.count());
        let (interval, each) = self.intervals(targets as usize);
        let every = interval.max(each / u32::try_from(targets.max(1)).unwrap_or(u32::MAX)).as_secs_f64();
        let packets = self.packets().saturating_mul(targets);
        Traffic {
            packets,
            bytes: packets.saturating_mul(2 * (u64::from(self.size) + Traffic::HEADERS)),
            packets_per_second: (1.0 / every.max(1e-9)).max(1.0).min(packets as f64),
        }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(self.mode(), None)
    }

    fn pace(&self) -> Duration {
        self.intervals(if self.is_single() { 1 } else { 2 }).1
    }

    fn raise_packets(&mut self, packets: u64, time: Duration) {
        let many = u32::try_from(packets).unwrap_or(u32::MAX);
        if self.intervals(1).1.saturating_mul(many) + self.wait() <= time {
            self.count = self.count.max(packets);
        }
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.is_whole(self)
    }

    fn exit_code(&self, report: &Report) -> u8 {
        if self.is_fpings() { report.fpings_code() } else { u8::from(!report.replied()) }
    }

    fn inputs(&self) -> Vec<&Path> {
        self.file.as_deref().into_iter().collect()
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
