//! `resolvertime`: how long resolvers take, which of several is faster, and whether what they say is true.
//!
//! [`words`] reads dig's notation, [`check`] refuses what cannot be, [`server`] says who is asked and how. [`run`] gives each
//! server its [`part`]; [`client`] asks over UDP, TCP, TLS, HTTPS or QUIC and tells what came of each query; [`tally`] adds up
//! and [`judge`] judges without I/O. [`trace`] goes from the root down,
//! [`load`] sends as many queries as a server takes.

mod check;
mod client;
mod judge;
mod load;
mod part;
mod question;
mod report;
mod run;
mod server;
mod sizes;
mod tally;
mod trace;
mod turns;
mod words;

pub use judge::{Dnssec, Finding, FindingId};
pub use load::LoadReport;
pub use question::RecordType;
pub use report::{
    Answer, Cookies, Edns, ExtendedError, Flags, Phases, RecordText, Report, Server, Times, Tls,
};
pub use server::Transport;
pub use sizes::{Came, LongAnswer, Sizes};
pub use trace::{Step, Trace};

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::input;
use super::{Ctx, Egress, Found, Manual, Measure, Options, Place, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;

/// The options of `resolvertime`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResolverTime {
    /// The name to look up [default: the root].
    #[arg(
        short = 'd',
        long = "domain",
        id = "target",
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub target: Target,
    /// As dig takes them: @SERVER, NAME, TYPE, and +tcp +tls +https +https-get +quic +dnssec +short +trace +norecurse +cdflag
    /// +noedns +nocookie +bufsize=N +ignore +time=SECONDS +tries=N +retry=N +keepopen +padding +nsid, in any order.
    #[arg(value_name = "@SERVER|NAME|TYPE|+OPTION")]
    #[serde(skip)]
    #[schemars(skip)]
    pub words: Vec<String>,
    /// Look up the name of this address, as dig's -x.
    #[arg(short = 'x', long, value_name = "ADDRESS")]
    #[serde(skip)]
    #[schemars(skip)]
    pub reverse: Option<std::net::IpAddr>,
    /// The type of records to ask for: a mnemonic or TYPE123 [default: A; of the root NS].
    #[arg(short = 't', long = "type", id = "type", value_name = "TYPE")]
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordType>,
    /// Ask this server: an address or a name, with :PORT if need be, or a URL (udp:, tcp:, tls:, https:, quic:; #NAME behind it is
    /// the name in its certificate); once for each [default: those of resolv.conf(5), and this host's own way].
    #[arg(short, long, value_name = "SERVER")]
    pub server: Vec<String>,
    /// Ask the system's too, besides those that are named: each of resolv.conf(5), and getaddrinfo(3).
    #[arg(long)]
    pub system: bool,
    /// The servers' port [default: 53; tls and quic: 853; https: 443].
    #[arg(short, long, value_name = "PORT")]
    pub port: Option<u16>,
    /// How queries travel, where the server is no URL.
    #[arg(long, value_enum, default_value_t = ResolverTime::default().transport)]
    pub transport: Transport,
    /// Ask by GET, over HTTPS (RFC 8484 §4.1).
    #[arg(long)]
    pub get: bool,
    /// The path of the service, over HTTPS.
    #[arg(long, value_name = "PATH", default_value_t = ResolverTime::default().path)]
    pub path: String,
    /// The name that the server's certificate must have [default: that of the server, or its address].
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_name: Option<String>,
    /// Believe the certificate authorities in this file (PEM), and none else.
    #[arg(long, visible_alias = "cacert", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Go on whoever the server is; what is wrong with its certificate is said.
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// Make a new connection for each query, where one would be used again.
    #[arg(long)]
    pub fresh: bool,
    /// Ask each server this often [default: 10; with +short 1].
    #[arg(short, long, value_name = "N")]
    #[schemars(range(min = 1))]
    pub count: Option<u64>,
    /// Time between two queries to one server; servers take turns within it.
    #[arg(short, long, value_name = "TIME", default_value_t = ResolverTime::default().interval)]
    pub interval: Span,
    /// How long to wait for each answer.
    #[arg(short = 'W', long, value_name = "TIME", default_value_t = ResolverTime::default().timeout)]
    pub timeout: Span,
    /// How often a query without an answer is sent, each time with a new identifier; each counts as one.
    #[arg(long, value_name = "N", default_value_t = ResolverTime::default().tries)]
    #[schemars(range(min = 1, max = 10))]
    pub tries: u8,
    /// Ask for signatures, and find out whether the server validates: secure, insecure, bogus, unsupported.
    #[arg(long)]
    pub dnssec: bool,
    /// Ask for what does not validate, too (CD).
    #[arg(long)]
    pub unchecked: bool,
    /// Do not ask for recursion (RD).
    #[arg(long)]
    pub no_recurse: bool,
    /// Do without EDNS.
    #[arg(long)]
    pub no_edns: bool,
    /// Send no cookies, which prove that an answer is the server's own (RFC 7873).
    #[arg(long)]
    pub no_cookie: bool,
    /// Octets of an answer over UDP that are accepted (EDNS).
    #[arg(long, value_name = "OCTETS", default_value_t = ResolverTime::default().bufsize)]
    #[schemars(range(min = 512))]
    pub bufsize: u16,
    /// Leave a truncated answer as it is, where it would be asked for again over TCP.
    #[arg(long)]
    pub ignore_truncation: bool,
    /// Leave the letters of the name as they are: by default their case is mixed, so that no guessed answer passes.
    #[arg(long)]
    pub no_case: bool,
    /// Print the answers alone, as dig's +short.
    #[arg(long)]
    pub short: bool,
    /// Go from the root servers down, one server of each zone after the other.
    #[arg(long)]
    pub trace: bool,
    /// Begin a trace at the servers of this file: addresses, or the form of named.root [default: the root servers of 2025].
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hints: Option<PathBuf>,
    /// Ask for a name that cannot be, and find out what the server makes of it: an address is a hijack.
    #[arg(long)]
    pub check: bool,
    /// Find out which sizes get through over UDP: padded queries on the way there, long answers on the way back.
    #[arg(long)]
    pub sizes: bool,
    /// The zone of the name that cannot be.
    #[arg(long, value_name = "ZONE", default_value_t = ResolverTime::default().absent_zone)]
    pub absent_zone: String,
    /// A zone that has every name (a wildcard): a random one of it cannot be in a cache, and its time is the cold one.
    #[arg(long, value_name = "ZONE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cold_zone: Option<String>,
    /// Send the questions of this file to the server, over udp, tcp or dot: a name and a type on each line, as dnsperf's.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<PathBuf>,
    /// With --load: queries per second; above 1,000 those of a millisecond go together [default: as many as are answered].
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qps: Option<u32>,
    /// With --load: for so long [default: 10s; with -c that often through the file].
    #[arg(short = 'l', long, visible_alias = "limit", value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<Span>,
    /// With --load: queries that wait for their answers at once, at most.
    #[arg(long, value_name = "N", default_value_t = ResolverTime::default().outstanding)]
    #[schemars(range(min = 1, max = 10000))]
    pub outstanding: u32,
    /// With --load: sockets, each with a port of its own; over TCP and TLS connections.
    #[arg(long, value_name = "N", default_value_t = ResolverTime::default().clients)]
    #[schemars(range(min = 1, max = 60))]
    pub clients: u8,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

impl Default for ResolverTime {
    fn default() -> Self {
        Self {
            target: Target::default(),
            words: Vec::new(),
            reverse: None,
            record: None,
            server: Vec::new(),
            system: false,
            port: None,
            transport: Transport::Udp,
            get: false,
            path: "/dns-query".to_owned(),
            tls_name: None,
            ca_file: None,
            insecure: false,
            fresh: false,
            count: None,
            interval: Span::millis(100),
            timeout: Span::secs(2),
            tries: 1,
            dnssec: false,
            unchecked: false,
            no_recurse: false,
            no_edns: false,
            no_cookie: false,
            bufsize: 1232,
            ignore_truncation: false,
            no_case: false,
            short: false,
            trace: false,
            hints: None,
            check: false,
            sizes: false,
            absent_zone: ".".to_owned(),
            cold_zone: None,
            load: None,
            qps: None,
            duration: None,
            outstanding: 100,
            clients: 4,
            egress: Egress::default(),
        }
    }
}

impl Options for ResolverTime {
    const MANUAL: Manual = Manual {
        name: "resolvertime",
        about: "How long resolvers take, which is faster, and whether what they say is true",
        text: "Asks resolvers for a name and times each answer: the system's own (each of /etc/resolv.conf, and getaddrinfo as \
               programs use it), or those that are named, over UDP, TCP, TLS (DoT), HTTPS (DoH) or QUIC (DoQ). Several take \
               turns, in another order each round, so that what happens to the line happens to all of them; they are ranked by their medians, and whether \
               a difference is more than chance is said (Mann-Whitney test, Holm's correction). dig's notation is understood: \
               @SERVER NAME TYPE +tcp +dnssec +short +trace.\n\n\
               A reply counts only if it comes from the server, to our port, with our identifier and our question, whose \
               letters' case is mixed; anything else is counted as mismatched and waited past. Truncated answers are asked \
               for again over TCP, and both times are told. Certificates are verified; -k goes on without, and says what is \
               wrong.\n\n\
               +dnssec tells whether the resolver validates: bogus is what it refuses (SERVFAIL) and gives when told not to \
               check (CD). --check asks for a name that cannot be. --sizes finds the longest query and the longest answers \
               that get through over UDP, and whether fragments are lost on the way. --trace goes from the root down. --load sends a file of \
               questions (dnsperf's) at --qps, or as fast as they are answered, over UDP, TCP or TLS: to servers of your own.",
        examples: &[
            ("waddleperf resolvertime example.com", "the system's resolvers, ten queries each"),
            (
                "waddleperf resolvertime @9.9.9.9 @1.1.1.1 example.com AAAA",
                "two resolvers side by side, and which is faster",
            ),
            (
                "waddleperf resolvertime -s tls://9.9.9.9#dns.quad9.net -s https://dns.quad9.net/dns-query example.com",
                "one resolver over TLS and over HTTPS",
            ),
            (
                "waddleperf resolvertime @192.0.2.53 example.com +dnssec --check",
                "does it validate, does it lie?",
            ),
            (
                "waddleperf resolvertime @192.0.2.53 example.com --sizes",
                "which sizes get through over UDP, there and back",
            ),
            ("waddleperf resolvertime example.com +trace", "from the root servers down"),
            ("waddleperf resolvertime @192.0.2.53 --load queries.txt --qps 5000 -l 30s", "load, as dnsperf"),
            (
                "waddleperf resolvertime -q --json example.com | jq .outcome.report.servers[0].query.p50_ms",
                "one number, for a program",
            ),
        ],
        files: &[
            ("/etc/resolv.conf", "the system's name servers"),
            ("/run/systemd/resolve/resolv.conf", "whom systemd-resolved asks; they are asked directly, too"),
        ],
        see_also: &["dig(1)", "kdig(1)", "dnsperf(1)", "resolv.conf(5)"],
    };

    fn settled(self) -> Result<Self, clap::Error> {
        words::settle(self)
    }
}

impl ResolverTime {
    /// How often each server is asked.
    pub fn count(&self) -> u64 {
        self.count.unwrap_or(if self.short { 1 } else { 10 })
    }

    fn servers(&self) -> Result<Vec<server::Spec>, Fault> {
        let parse = |text: &String| server::Spec::parse(text, self).map_err(|why| Fault::of("server", why));
        self.server.iter().map(parse).collect()
    }
}

impl Measure for ResolverTime {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn subject(&self) -> String {
        if let Some(file) = &self.load {
            return format!("the questions in {}", input::name(file));
        }
        match self.question() {
            Ok(question) => format!("{} {}", question.name, question.kind),
            Err(_) => self.target.to_string(),
        }
    }

    fn tells_packets(&self) -> bool {
        !self.short
    }

    fn place(&self) -> Place {
        if self.short { Place::Alone } else { Place::Below }
    }

    fn is_foreign(&self) -> bool {
        self.short
    }

    fn check(&self) -> Result<(), Fault> {
        check::all(self)
    }

    fn traffic(&self) -> Traffic {
        if self.load.is_some() {
            let rate = self.qps.map_or(load::MOST_RATE, f64::from);
            let packets = (rate * self.duration.unwrap_or(load::DURATION).0.as_secs_f64()) as u64;
            return Traffic { packets, bytes: packets * 300, packets_per_second: rate };
        }
        let servers =
            (self.server.len() as u64 + if self.server.is_empty() || self.system { 4 } else { 0 }).max(1);
        let sizes = if self.sizes { sizes::PACKETS } else { 0 };
        let packets = servers * self.count().saturating_mul(self.tries.into()).saturating_add(4 + sizes);
        let seconds = self.interval.0.as_secs_f64();
        let rate = if seconds > 0.0 { servers as f64 / seconds } else { 1000.0 };
        Traffic { packets, bytes: packets * 600, packets_per_second: rate }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn pace(&self) -> Duration {
        self.interval.0
    }

    fn raise_packets(&mut self, packets: u64, time: Duration) {
        let each = self.interval.0.max(Duration::from_millis(1)).as_secs_f64();
        let most = (time.as_secs_f64() / each) as u64;
        if self.load.is_none() {
            self.count = Some(self.count().max(packets.min(most)).max(1));
        }
    }

    fn inputs(&self) -> Vec<&Path> {
        [&self.load, &self.ca_file, &self.hints].into_iter().filter_map(Option::as_deref).collect()
    }

    fn is_sequential(&self) -> bool {
        // Of several servers each has its own time only where the kernel takes it: another's handshake is not in it then.
        let servers = self.servers().unwrap_or_default();
        let is_udp = |transport: Transport| transport == Transport::Udp;
        let all_udp = is_udp(self.transport) && servers.iter().all(|server| is_udp(server.transport));
        self.load.is_none() && (servers.len() == 1 || all_udp)
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
