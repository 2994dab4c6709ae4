//! `mtr`: the hops to a target, cycle after cycle, all at once; what rations its answers told from what loses packets, and
//! every path that load balancing offers.
//!
//! A flow stays one flow ([`carrier`]); how far to probe is learned ([`course`]); the engine ([`engine`]) owns no socket
//! and no clock. ICMP errors come by the error queue, so that no privilege is needed.

mod carrier;
mod connects;
mod course;
mod dublin;
mod engine;
mod flights;
mod fuzz;
mod judge;
mod mda;
mod multipath;
mod options;
mod outcome;
mod report;
mod route;
mod run;
mod sockets;
mod sums;
mod tally;
mod terse;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

pub use fuzz::fuzz_mtr;
pub use judge::{Verdict, judge};
pub use multipath::{Link, Multipath, Node};
pub use options::{Field, Format, Mda, Protocol, Strategy};
pub use report::{
    Address, Check, Fallback, Flow, Hop, HopCounts, InterfaceRole, Label, Mark, NetInterface, PathChange,
    Report,
};

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Egress, Found, List, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;

/// The longest run: what is kept of each probe must fit into memory.
const MOST_CYCLES: u64 = 100_000;
/// Flows side by side at most: each has a socket, of which the driver takes 63.
const MOST_FLOWS: u16 = 60;
/// Probes of all flows and hops in one run at most.
const MOST_PROBES: u64 = 20_000_000;
/// The flags for forms of our own, which every probe takes.
const OUR_FORMS: [&str; 2] = ["json", "csv"];
const INTERVAL: &str = "Time from one cycle to the next; bare numbers are seconds";

/// The options of `mtr`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
// mtr's own letter, and its name for it.
#[command(mut_arg("source", |arg| arg.short('a').visible_alias("address")))]
pub struct Mtr {
    /// Host name or address to trace the path to.
    #[arg(
        value_name = "TARGET",
        required_unless_present = "file",
        default_value = "",
        hide_default_value = true
    )]
    pub target: Target,
    /// Further hosts: each is traced after the one before, and has a report of its own.
    #[arg(value_name = "TARGET", conflicts_with = "file")]
    #[serde(skip)]
    pub more: Vec<Target>,
    /// Trace the targets that this file lists, one after the other; `-` is standard input.
    #[arg(short = 'F', long, visible_alias = "filename", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// What the probes are.
    #[command(flatten)]
    pub protocol: Protocol,
    /// How the number of a probe is carried: paris keeps all probes of a flow on one path, so does dublin, by the IP header
    /// (CAP_NET_RAW), classic is traceroute's, whose ports vary (for firewalls that want those).
    #[arg(long, value_enum, default_value_t = Mtr::default().strategy)]
    pub strategy: Strategy,
    /// Trace this many cycles, then stop.
    #[arg(short, long, visible_alias = "report-cycles", value_name = "N", default_value_t = Mtr::default().count)]
    #[schemars(range(min = 1, max = 100_000))]
    pub count: u64,
    /// Time from one cycle to the next.
    #[arg(short, long, value_name = "TIME", default_value_t = Mtr::default().interval, help = INTERVAL)]
    pub interval: Span,
    /// Trace this many flows side by side: each keeps its own path.
    #[arg(long, value_name = "N", default_value_t = Mtr::default().flows)]
    #[schemars(range(min = 1, max = 60))]
    pub flows: u16,
    /// Find every path that load balancing offers, once, instead of tracing cycle after cycle: lite or full.
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "lite")]
    pub mda: Option<Mda>,
    /// How sure --mda shall be that it misses no next hop of a node, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = Mtr::default().confidence, value_parser = clap::value_parser!(u8).range(50..=99))]
    #[schemars(range(min = 50, max = 99))]
    pub confidence: u8,
    /// Destination port of UDP and TCP [default: 33434; quic: 443, tcp: 80].
    #[arg(short = 'P', long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Source port of the first flow over UDP and TCP; further flows take the next ones.
    #[arg(short = 'L', long = "localport", value_name = "PORT")]
    pub local_port: Option<u16>,
    /// Octets of each probe's IP packet; what a probe needs at least is kept. Over IPv6 dublin's have each their own length.
    #[arg(short, long, visible_alias = "psize", value_name = "OCTETS", default_value_t = Mtr::default().size)]
    #[schemars(range(max = 65_507))]
    pub size: u16,
    /// Fill the probes of ICMP and UDP with this octet, 0-255; a larger number draws one.
    #[arg(short = 'B', long = "bitpattern", value_name = "NUMBER", value_parser = options::number)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_pattern: Option<u32>,
    /// Type of service of the probes, the whole octet: DSCP and ECN at once, where --dscp and --ecn take each.
    #[arg(short = 'Q', long, value_name = "OCTET", value_parser = options::octet, conflicts_with_all = ["dscp", "ecn"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos: Option<u8>,
    /// Mark the packets for this host's own routing and filters (SO_MARK); needs CAP_NET_ADMIN, or CAP_NET_RAW since
    /// Linux 5.17.
    #[arg(short = 'M', long, value_name = "MARK", value_parser = options::number)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<u32>,
    /// TTL of the first hop.
    #[arg(short, long = "first-ttl", value_name = "TTL", default_value_t = Mtr::default().first_ttl)]
    #[schemars(range(min = 1))]
    pub first_ttl: u8,
    /// TTL of the last hop at most.
    #[arg(short, long = "max-ttl", value_name = "TTL", default_value_t = Mtr::default().max_ttl)]
    #[schemars(range(min = 1))]
    pub max_ttl: u8,
    /// Give up after this many silent hops in a row.
    #[arg(short = 'U', long = "max-unknown", value_name = "N", default_value_t = Mtr::default().max_unknown)]
    #[schemars(range(min = 1))]
    pub max_unknown: u8,
    /// How long to wait for the reply to each probe; later ones are `late`.
    #[arg(short = 'Z', long, value_name = "TIME", default_value_t = Mtr::default().timeout)]
    pub timeout: Span,
    /// How long to wait for the last replies [default: half more than the longest round trip, 100 ms to 1 s].
    #[arg(short = 'G', long = "gracetime", value_name = "TIME")]
    pub grace: Option<Span>,
    /// Do not look up the names of addresses.
    #[arg(short = 'n', long = "no-dns")]
    pub no_dns: bool,
    /// How the report is shown.
    #[command(flatten)]
    #[serde(skip_serializing_if = "Shape::is_default")]
    pub shape: Shape,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

/// How the report is shown, as mtr's users know it: nothing of it changes what is measured.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "MtrShape")]
#[command(next_help_heading = "Report")]
pub struct Shape {
    /// Print a report, which is the rule here (mtr's letter).
    #[arg(short, long)]
    pub report: bool,
    /// Cut no names in the report.
    #[arg(short = 'w', long = "report-wide")]
    pub wide: bool,
    /// Show addresses beside names.
    #[arg(short = 'b', long = "show-ips")]
    pub show_ips: bool,
    /// Show the number of each hop's autonomous system, from a local database.
    #[arg(short = 'z', long = "aslookup")]
    pub as_numbers: bool,
    /// Show each hop's AS number (0), prefix (1) or country (2), from a local database (mtr's numbers); the registry (3) and
    /// the date of allocation (4) are in none, and are shown as `???`.
    #[arg(short = 'y', long = "ipinfo", value_name = "N", value_parser = clap::value_parser!(u8).range(0..=4))]
    #[schemars(range(max = 4))]
    pub ip_info: Option<u8>,
    /// Database of AS numbers or countries (MMDB) [default: those that `waddleperf geoip list` names].
    #[arg(long, value_name = "FILE")]
    pub geo: Vec<PathBuf>,
    /// Write MPLS labels with --mtr-raw too; tables show them without being asked.
    #[arg(short = 'e', long)]
    pub mpls: bool,
    /// Columns of the report, by mtr's letters: L loss, D dropped, R received, S sent, N newest, B best, A average, W worst,
    /// V deviation, G geometric mean, J jitter, M its mean, X its worst, I interarrival jitter.
    #[arg(short, long, value_name = "LETTERS", value_parser = options::fields)]
    pub order: Option<String>,
    /// The form of the report.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Format::Text, group = "form", conflicts_with_all = OUR_FORMS)]
    pub format: Format,
    /// As `--format mtr-json`.
    #[arg(short = 'j', long, group = "form", conflicts_with_all = OUR_FORMS)]
    pub mtr_json: bool,
    /// As `--format mtr-csv`.
    #[arg(short = 'C', long, group = "form", conflicts_with_all = OUR_FORMS)]
    pub mtr_csv: bool,
    /// As `--format mtr-raw`.
    #[arg(short = 'l', long, visible_alias = "raw", group = "form", conflicts_with_all = OUR_FORMS)]
    pub mtr_raw: bool,
    /// As `--format dot`: the path, or with --mda every path, as a graph for Graphviz.
    #[arg(long, group = "form", conflicts_with_all = OUR_FORMS)]
    pub dot: bool,
}

impl Shape {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The columns asked for.
    pub fn fields(&self) -> Vec<Field> {
        self.order.as_deref().map_or_else(|| Field::USUAL.to_vec(), Field::all)
    }

    /// What is shown of where an address is, by mtr's number.
    pub fn info(&self) -> Option<u8> {
        self.ip_info.or_else(|| self.as_numbers.then_some(0))
    }

    /// The form asked for, by name or by letter.
    pub fn format(&self) -> Format {
        match (self.mtr_json, self.mtr_csv, self.mtr_raw, self.dot) {
            (true, ..) => Format::MtrJson,
            (_, true, ..) => Format::MtrCsv,
            (_, _, true, _) => Format::MtrRaw,
            (.., true) => Format::Dot,
            _ => self.format,
        }
    }
}

impl Default for Mtr {
    fn default() -> Self {
        Self {
            target: Target::default(),
            more: Vec::new(),
            file: None,
            bit_pattern: None,
            tos: None,
            mark: None,
            protocol: Protocol::Auto,
            strategy: Strategy::Paris,
            count: 10,
            interval: Span::secs(1),
            flows: 1,
            mda: None,
            confidence: 95,
            port: None,
            local_port: None,
            size: 64,
            first_ttl: 1,
            max_ttl: 30,
            max_unknown: 12,
            timeout: Span::secs(2),
            grace: None,
            no_dns: false,
            shape: Shape::default(),
            egress: Egress::default(),
        }
    }
}

impl Options for Mtr {
    const MANUAL: Manual = Manual {
        name: "mtr",
        about: "The hops to a target: who answers, how fast, and where packets are lost",
        text: "Sends a probe to every hop in each cycle, all at once, and ends with the last reply. The probes of a flow look \
               alike to load balancers, so that a report shows one path and not a mixture; --flows traces several side by \
               side.\n\n\
               A hop that answers rarely while later ones answer always is called rate-limited: it loses nothing. Loss \
               begins at a hop and goes on to the target. Over UDP and TCP an echo request goes with each cycle, and what \
               the target does not answer counts as lost only if that was lost too.\n\n\
               With --watch on a terminal the table is drawn anew as replies come, and judged as the report is: a hop that \
               rations its answers shows no loss. Its keys are mtr's: h lists them.\n\n\
               No privilege is needed: where net.ipv4.ping_group_range does not allow ICMP, UDP takes its place. With \
               CAP_NET_RAW the SYN of TCP is reset half open, where there would be a connection, and one echo more for \
               each hop tells who translates addresses (NAT).",
        examples: &[
            ("waddleperf mtr example.net", "ten cycles, one second apart"),
            ("waddleperf mtr -n -c 10 -i 0.1 192.0.2.1", "the same in a second, without names"),
            ("waddleperf mtr -u --flows 8 192.0.2.1", "eight flows over UDP: which paths do they take?"),
            ("waddleperf mtr --mda 192.0.2.1", "every path that load balancing offers, with 95 % confidence"),
            ("waddleperf mtr --mda --dot 192.0.2.1 | dot -Tsvg > paths.svg", "the same as a picture"),
            ("waddleperf mtr --watch example.net", "trace and draw until you press q"),
            ("waddleperf mtr -j example.net", "mtr's own JSON"),
            ("waddleperf mtr -C -F hosts.txt", "mtr's own CSV, for each host of a list"),
            ("waddleperf mtr -n 192.0.2.1 198.51.100.1", "one report after the other"),
        ],
        files: &[(
            "/usr/share/GeoIP/*.mmdb, /var/lib/GeoIP/*.mmdb",
            "AS numbers, prefixes and countries of addresses, if there",
        )],
        see_also: &["mtr(8)", "traceroute(1)"],
    };
}

impl Mtr {
    /// What the probes are, after what else was asked.
    pub fn protocol(&self) -> Protocol {
        match self.protocol {
            // Routers balance by ports, few by the checksum of an echo.
            Protocol::Auto if self.flows > 1 || self.mda.is_some() => Protocol::Udp,
            Protocol::Auto => Protocol::Icmp,
            chosen => chosen,
        }
    }

    /// The type of service of the probes, if it is not the system's default.
    pub fn tos(&self) -> Option<u8> {
        self.tos.or_else(|| self.egress.tos())
    }

    /// The destination port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.protocol() {
            Protocol::Tcp => 80,
            Protocol::Quic => 443,
            _ => carrier::FIRST_PORT,
        })
    }
}

impl Measure for Mtr {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn check(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        match (self.target.is_open(), &self.file) {
            (true, None) => return wrong("target", "is missing: name the host to trace"),
            (false, Some(_)) => return wrong("file", "lists the targets: name no other"),
            (true, Some(_)) => {}
            (false, None) => self.target.check_host()?,
        }
        if self.tos.is_some() && (self.egress.dscp.is_some() || self.egress.ecn) {
            return wrong("tos", "is the whole octet: leave --dscp and --ecn out");
        }
        if self.shape.ip_info.is_some_and(|info| info > 4) {
            return wrong("shape.ip_info", "takes 0 to 4");
        }
        if self.count == 0 {
            return wrong("count", "0: trace at least 1 cycle");
        }
        if self.count > MOST_CYCLES {
            return wrong("count", "takes at most 100000 cycles");
        }
        if !(1..=MOST_FLOWS).contains(&self.flows) {
            return wrong("flows", "takes 1 to 60 flows");
        }
        if self.strategy == Strategy::Dublin && (self.mda.is_some() || self.protocol != Protocol::Udp) {
            return wrong("strategy", "dublin traces over UDP: say -u, without --mda");
        }
        if self.mda.is_some() && matches!(self.protocol, Protocol::Tcp | Protocol::Quic) {
            return wrong("mda", "searches over UDP or ICMP: the flows of TCP and QUIC go to one port");
        }
        if !(50..=99).contains(&self.confidence) {
            return wrong("confidence", "takes 50 to 99 percent");
        }
        if self.first_ttl == 0 || self.max_ttl == 0 {
            return wrong(if self.first_ttl == 0 { "first_ttl" } else { "max_ttl" }, "takes 1 to 255");
        }
        if self.first_ttl > self.max_ttl {
            return wrong("first_ttl", "is above the last one, --max-ttl");
        }
        if self.max_unknown == 0 {
            return wrong("max_unknown", "0: allow at least 1 silent hop");
        }
        let hops = u64::from(self.max_ttl - self.first_ttl) + 1;
        if self.count * u64::from(self.flows) * hops > MOST_PROBES {
            return wrong(
                "count",
                "is too large for so many flows and hops: together they take 20 million probes",
            );
        }
        if self.timeout.0.is_zero() {
            return wrong("timeout", "0: give each reply some time, such as 2s");
        }
        if self.port == Some(0) {
            return wrong("port", "0: name the port, 1-65535");
        }
        if self.size > 65_507 {
            return wrong("size", "is too large: a packet has at most 65507 octets");
        }
        if self.shape.order.as_deref().is_some_and(|order| options::fields(order).is_err()) {
            return wrong("shape.order", "takes the letters L, D, R, S, N, B, A, W, V, G, J, M, X, I");
        }
        if self.egress.ttl.is_some() {
            return wrong("egress.ttl", "is of no use: a trace sends every TTL");
        }
        self.egress.check().map_err(|fault| fault.within("egress"))
    }

    fn traffic(&self) -> Traffic {
        let hops = u64::from(self.max_ttl - self.first_ttl) + 1;
        let each = hops * u64::from(self.flows) + 1;
        // Two at each hop ask for translators.
        let packets = self.count.saturating_mul(each).saturating_add(2 * hops);
        let rate = each as f64 / self.interval.0.as_secs_f64().max(1e-3);
        Traffic {
            packets,
            bytes: packets.saturating_mul(2 * (u64::from(self.size) + Traffic::HEADERS)),
            packets_per_second: rate.max(each as f64).min(packets as f64),
        }
    }

    fn take_list(&mut self) -> Option<List> {
        if let Some(file) = self.file.take() {
            return Some(List::File(file));
        }
        let more = std::mem::take(&mut self.more);
        let first = (!more.is_empty()).then(|| std::mem::take(&mut self.target))?;
        Some(List::Names(std::iter::once(first).chain(more).collect()))
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn pace(&self) -> Duration {
        self.interval.0
    }

    fn is_foreign(&self) -> bool {
        self.shape.format() != Format::Text
    }

    fn raise_packets(&mut self, packets: u64, time: Duration) {
        let cycles = u32::try_from(packets).unwrap_or(u32::MAX);
        if packets <= MOST_CYCLES && self.interval.0.saturating_mul(cycles) + self.timeout.0 <= time {
            self.count = self.count.max(packets);
        }
    }

    fn is_whole(&self, report: &Report) -> bool {
        if self.mda.is_some() {
            return report.multipath.as_ref().is_some_and(|paths| paths.complete);
        }
        let pending = report.hops.iter().any(|hop| hop.counts.pending > 0);
        !pending && report.cycles + report.skipped >= self.count
    }

    fn inputs(&self) -> Vec<&Path> {
        self.shape.geo.iter().map(PathBuf::as_path).collect()
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
