//! `portscan`: which ports of a host are open, closed or filtered, and who says so.
//!
//! Three ways to ask: TCP connections ([`connect`], no privilege), SYNs without a connection ([`syn`], CAP_NET_RAW), and
//! UDP datagrams that services understand ([`udp`]). What to ask when, and what an answer or a silence means, is the
//! business of [`engine`], which owns no socket and no clock; [`fleet`] runs those of several hosts side by side.

mod banner;
mod connect;
mod engine;
mod fleet;
mod packets;
mod payload;
mod ports;
mod report;
mod run;
mod scans;
mod services;
mod syn;
mod timing;
mod tls;
mod udp;

pub use report::{Hidden, Host, Port, Proto, Reason, Report, State, Tally, Unmeasured};
pub use scans::{Scan, Scans};
pub use syn::fuzz_replies;
pub use tls::fuzz_tls;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::input;
use super::targets::{Guard, List};
use super::{Ctx, Egress, Findings, Found, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;
use ports::Ports;

/// The most hosts of one run.
const MOST_HOSTS: u64 = 1 << 12;
/// What a run asks at most: ports times hosts.
const MOST_QUESTIONS: usize = 1 << 20;
/// Ports that nmap asks when it is told none.
const DEFAULT_PORTS: usize = 1000;
/// Ports that `-F` asks.
const FAST_PORTS: usize = 100;
/// Ports that somebody else (the API, a job) may have asked in one run (security.md 3.4).
const REMOTE_PORTS: usize = 100;

/// The options of `portscan`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PortScan {
    /// Host name, address, network (192.0.2.0/28) or range (192.0.2.1-9); several between commas.
    #[arg(value_name = "TARGET", default_value = "", hide_default_value = true)]
    pub target: Target,
    /// More of them.
    #[arg(value_name = "MORE")]
    pub more: Vec<Target>,
    /// Scan what this file lists too, words with white space between, `-` is standard input: nmap's -iL FILE.
    #[arg(short = 'L', long, visible_alias = "input-list", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Leave these out, written as targets are; several between commas.
    #[arg(long, value_name = "TARGETS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude: Option<String>,
    /// How to ask.
    #[command(flatten)]
    pub scan: Scans,
    /// Ports: `22,80,1-1024`, `-` for all, names as `http*`; behind `T:` or `U:` of that protocol only.
    #[arg(short, long, value_name = "PORTS", allow_hyphen_values = true)]
    pub ports: Option<String>,
    /// Only the 100 ports that are open most often.
    #[arg(short = 'F', long)]
    pub fast: bool,
    /// Only N ports: the 100 that are open most often, then those of known services, then by number; beyond 100 that is
    /// not nmap's list [default: 1000].
    #[arg(long, visible_alias = "top", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[schemars(range(min = 1))]
    pub top_ports: Option<u16>,
    /// How fast and how patient, as nmap's -T: 0 (a question in 5 minutes) to 5 (in a hurry, on a good line).
    #[arg(short = 'T', long, value_name = "0-5", default_value_t = PortScan::default().timing, value_parser = clap::value_parser!(u8).range(0..6))]
    #[schemars(range(max = 5))]
    pub timing: u8,
    /// Questions per second at least, whatever is lost; lifts the ceiling of 1000 as --max-rate does.
    #[arg(long, value_name = "N")]
    pub min_rate: Option<u32>,
    /// Questions per second at most, of all hosts together [default: 1000 after the first 1000, but none for this host's own
    /// addresses and none with -T4, -T5 and --min-rate].
    #[arg(long, visible_alias = "rate", value_name = "N")]
    pub max_rate: Option<u32>,
    /// How often a silent port is asked again at most [default: 10, and more where answers are rationed].
    #[arg(long, value_name = "N")]
    pub max_retries: Option<u8>,
    /// End after this time, whatever is known then.
    #[arg(short = 'w', long, visible_alias = "host-timeout", value_name = "TIME", default_value_t = PortScan::default().deadline)]
    pub deadline: Span,
    /// Read what open TCP ports say, and how they speak TLS.
    #[arg(long)]
    pub banner: bool,
    /// Show open ports only.
    #[arg(long)]
    pub open: bool,
    /// Show why a port is said to be what it is, and who says so.
    #[arg(long)]
    pub reason: bool,
    /// List every port, however many there are of a kind.
    #[arg(long)]
    pub all: bool,
    /// Yes, scan more than one host.
    #[arg(long)]
    pub yes: bool,
    /// As nmap's -Pn, and always so: no host is asked first whether it is there.
    #[arg(short = 'P', value_name = "n", value_parser = ["n"], hide = true)]
    #[serde(skip)]
    #[schemars(skip)]
    pub no_ping: Option<String>,
    /// As nmap's -n, and always so: no address is resolved to a name.
    #[arg(short = 'n', hide = true)]
    #[serde(skip)]
    #[schemars(skip)]
    pub no_names: bool,
    /// The first letter of nmap's -iL.
    #[arg(short = 'i', requires = "file", hide = true)]
    #[serde(skip)]
    #[schemars(skip)]
    pub input: bool,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

impl Default for PortScan {
    fn default() -> Self {
        Self {
            target: Target::default(),
            more: Vec::new(),
            file: None,
            exclude: None,
            scan: Scans::default(),
            ports: None,
            fast: false,
            top_ports: None,
            timing: 3,
            min_rate: None,
            max_rate: None,
            max_retries: None,
            deadline: Span::secs(600),
            banner: false,
            open: false,
            reason: false,
            all: false,
            yes: false,
            no_ping: None,
            no_names: false,
            input: false,
            egress: Egress::default(),
        }
    }
}

impl Options for PortScan {
    const MANUAL: Manual = Manual {
        name: "portscan",
        about: "Open, closed and filtered ports, and who says so",
        text: "Asks the ports of a host and tells what each is: open (somebody answers), closed (the host says that nobody \
               does), filtered (something on the way keeps questions or answers away, and who, if it says so by ICMP), \
               open|filtered (a UDP port that keeps silent).\n\n\
               The default is a TCP connect scan, which needs no privilege. The speed adapts: it grows as long as answers \
               come, silent ports are asked again until fewer than one scan in a thousand would miss a port, and a host that \
               rations its resets or ICMP errors is asked no faster than it answers; the report says so.\n\n\
               More than one host is scanned only with --yes: scan what is yours. Options and words are nmap's where there \
               is such an option. Service names come from the usual use of a port; --banner reads what is really there.",
        examples: &[
            (
                "waddleperf portscan host.example",
                "1000 TCP ports: the most frequent, known services, the lowest",
            ),
            (
                "waddleperf portscan -p 22,80,443 --reason host.example",
                "three ports, and why they are what they are",
            ),
            ("waddleperf portscan -p- --banner host.example", "all ports, and what the open ones say"),
            ("waddleperf portscan -sS -sU -p T:1-1024,U:53,123,161 192.0.2.1", "SYNs and datagrams"),
            ("waddleperf portscan -F --yes 192.0.2.0/28", "the 100 most frequent ports of 14 hosts"),
            (
                "waddleperf portscan -p 22 --json --fail-on 'open_ports < 1' host.example",
                "a check: end with 1 unless the port is open",
            ),
        ],
        files: &[],
        see_also: &["nmap(1)"],
    };
}

impl PortScan {
    /// The hosts that the command line names.
    ///
    /// # Errors
    /// What is wrong with one of them, and that there are too many.
    fn named(&self) -> Result<List, Fault> {
        let mut list =
            List::new(Guard { most: MOST_HOSTS, unasked: 1, counts_names: true, yes: self.yes, urls: false });
        let wrong = |why: String| Fault::of("target", why);
        let words = std::iter::once(&self.target).chain(&self.more).map(Target::as_str).flat_map(words);
        for word in words {
            list.add(word).map_err(wrong)?;
        }
        if let Some(why) = list.wrong() {
            return Err(wrong(why.to_owned()));
        }
        list.names().try_for_each(|name| Target::from(name).check_host())?;
        Ok(list)
    }

    /// What is left out.
    ///
    /// # Errors
    /// What is wrong with a word of it.
    fn excluded(&self) -> Result<List, Fault> {
        let mut list =
            List::new(Guard { most: u64::MAX, unasked: 0, counts_names: false, yes: true, urls: false });
        for word in self.exclude.as_deref().into_iter().flat_map(words) {
            list.add(word).map_err(|why| Fault::of("exclude", why))?;
        }
        match list.wrong() {
            Some(why) => Err(Fault::of("exclude", why)),
            None => Ok(list),
        }
    }

    /// The ports that are asked by TCP and by UDP: those of a protocol that is not asked are left out.
    fn ports(&self) -> Result<Ports, Fault> {
        let top = match (self.top_ports, self.fast) {
            (Some(top), _) => usize::from(top),
            (None, true) => FAST_PORTS,
            (None, false) => DEFAULT_PORTS,
        };
        let mut ports = match &self.ports {
            Some(text) => Ports::parse(text).map_err(|why| Fault::of("ports", why))?,
            None => Ports::top(top),
        };
        for (proto, list) in [(Proto::Tcp, &mut ports.tcp), (Proto::Udp, &mut ports.udp)] {
            if !self.asks(proto) {
                list.clear();
            }
        }
        Ok(ports)
    }

    /// Whether ports of `proto` are asked.
    fn asks(&self, proto: Proto) -> bool {
        match proto {
            Proto::Tcp => self.tcp().is_some(),
            Proto::Udp => self.scan.has(Scan::Udp),
        }
    }

    /// What `-p` names by its protocol, and no scan asks.
    fn unasked(&self, ports: &Ports) -> Option<String> {
        let protos = [(Proto::Tcp, "T:", "-sT or -sS"), (Proto::Udp, "U:", "-sU")];
        let left = protos.iter().zip(ports.named).find(|((proto, ..), named)| *named && !self.asks(*proto));
        left.map(|((_, prefix, scan), _)| {
            format!("-p names {prefix} ports, which only {scan} asks: they are left out")
        })
    }

    /// How TCP ports are asked; `None` if only UDP is wanted.
    fn tcp(&self) -> Option<Scan> {
        self.scan.tcp()
    }
}

/// What fuzzing and the properties do with any text: read it as what names ports, hosts, and what is left out.
pub fn fuzz_specs(text: &str) {
    super::targets::fuzz(text, text.len().is_multiple_of(2));
    if let Ok(ports) = Ports::parse(text) {
        for list in [&ports.tcp, &ports.udp] {
            assert!(list.is_sorted() && !list.contains(&0), "each port once, in order");
        }
    }
    let scan = PortScan {
        target: Target::from(text),
        exclude: Some(text.to_owned()),
        ports: Some(text.to_owned()),
        ..PortScan::default()
    };
    if scan.check().is_ok() {
        assert_eq!(scan.named().map(|list| list.count()), Ok(1), "more than one host only with --yes");
    }
}

/// Words between commas or white space.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

impl PortScan {
    /// Refuses more questions than one run asks.
    fn check_questions(&self, hosts: usize, ports: usize) -> Result<(), Fault> {
        if ports.saturating_mul(hosts) > MOST_QUESTIONS {
            let why = format_args!(
                "of {hosts} hosts are {ports} each: {MOST_QUESTIONS} in all are the most of one run"
            );
            return Err(Fault::of("ports", why));
        }
        Ok(())
    }
}

impl Measure for PortScan {
    type Report = Report;

    fn subject(&self) -> String {
        match (&self.file, self.target.is_open()) {
            (None, _) if self.more.is_empty() => self.target.to_string(),
            (None, _) => format!("{} and {} more", self.target, self.more.len()),
            (Some(file), true) => input::subject(file),
            (Some(file), false) => format!("{} and {}", self.target, input::subject(file)),
        }
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn check(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        if self.target.is_open() && self.file.is_none() {
            return wrong("target", "is missing: name the host to scan");
        }
        let count = self.named()?.count();
        if count == 0 && self.file.is_none() {
            return wrong("target", "names no host");
        }
        self.excluded()?;
        if self.ports.is_some() && (self.fast || self.top_ports.is_some()) {
            return wrong("ports", "cannot be chosen twice: give one of -p, -F, --top-ports");
        }
        if self.fast && self.top_ports.is_some() {
            return wrong("fast", "is --top-ports 100: give one of them");
        }
        if self.scan.has(Scan::Connect) && self.scan.has(Scan::Syn) {
            return wrong("scan", "asks TCP in two ways: give one of connect (T) and syn (S)");
        }
        if self.top_ports == Some(0) {
            return wrong("top_ports", "takes 1 to 65535 ports");
        }
        let ports = self.ports()?;
        let asked = ports.tcp.len() + ports.udp.len();
        if asked == 0 {
            return wrong("ports", "names no port of a protocol that is asked (see -s)");
        }
        self.check_questions(count as usize, asked)?;
        if self.timing > 5 {
            return wrong("timing", "takes 0 to 5");
        }
        if self.deadline.0.is_zero() {
            return wrong("deadline", "0 leaves no time: give it some, such as 60s");
        }
        for (key, rate) in [("min_rate", self.min_rate), ("max_rate", self.max_rate)] {
            if rate == Some(0) {
                return wrong(key, "0: nothing would be sent");
            }
        }
        if let (Some(least), Some(most)) = (self.min_rate, self.max_rate)
            && least > most
        {
            return wrong("min_rate", "is above --max-rate");
        }
        self.egress.check().map_err(|fault| fault.within("egress"))
    }

    fn traffic(&self) -> Traffic {
        let hosts = self.named().map_or(1, |hosts| hosts.count() as usize);
        let ports = self.ports().unwrap_or_default();
        let questions = (hosts * (ports.tcp.len() + ports.udp.len())) as u64;
        // Every port may have to be asked again; a question or an answer is a header, or a payload of UDP.
        let packets = questions * 2;
        let octets = if ports.udp.is_empty() { 60 } else { 200 };
        let most = if timing::is_hasty(self) { timing::MOST_RATE } else { timing::POLITE };
        let rate = self.max_rate.map_or(most, f64::from);
        Traffic { packets, bytes: packets * 2 * octets, packets_per_second: rate.min(packets as f64) }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn pace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.counts.unasked == 0
    }

    fn is_broken(&self, report: &Report) -> bool {
        report.broken_off.is_some()
    }

    fn exit_code(&self, report: &Report) -> u8 {
        let replied = u8::from(!report.replied());
        report.broken_off.as_ref().map_or(replied, |failure| failure.class.exit_code())
    }

    fn inputs(&self) -> Vec<&Path> {
        self.file.as_deref().into_iter().collect()
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        scan: PortScan,
    }

    fn read(line: &str) -> PortScan {
        let words = std::iter::once("portscan").chain(line.split(' '));
        Line::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}")).scan
    }

    #[test]
    fn nmaps_spellings_are_understood() {
        Line::command().debug_assert();
        let scan = read("-sS -sU -p- -T4 -Pn -n --top 5 --rate 100 h.example");
        assert_eq!(scan.scan.0, [Scan::Syn, Scan::Udp]);
        assert_eq!((scan.ports.as_deref(), scan.timing), (Some("-"), 4));
        assert_eq!((scan.top_ports, scan.max_rate), (Some(5), Some(100)));
        assert_eq!(read("-sT -p 1-9,U:53 h.example").scan.0, [Scan::Connect]);
        assert_eq!(read("-sSU h.example").scan.0, [Scan::Syn, Scan::Udp]);
        assert_eq!(read("-sTU -sU h.example").scan.0, [Scan::Connect, Scan::Udp]);
        let list = read("-iL hosts.txt --exclude 10.0.0.1");
        assert_eq!((list.file, list.exclude.as_deref()), (Some("hosts.txt".into()), Some("10.0.0.1")));
        assert_eq!(read("-iL -").file, Some("-".into()));
        Line::try_parse_from(["portscan", "-i", "h.example"]).expect_err("-i alone is nothing");
        Line::try_parse_from(["portscan", "-sX", "h.example"]).expect_err("no such scan");
        assert_eq!(read("-p -100 h.example").ports.as_deref(), Some("-100"));
        let two = read("h.example i.example");
        assert_eq!((two.target.as_str(), two.more.len()), ("h.example", 1));
    }

    #[test]
    fn what_cannot_be_scanned_is_refused_by_name() {
        for (line, key) in [
            ("192.0.2.0/24", "target"),
            ("a.example b.example", "target"),
            ("http://a.example", "target"),
            ("a.example:80", "target"),
            ("-p 0 a.example", "ports"),
            ("-p U:53 a.example", "ports"),
            ("-F -p 22 a.example", "ports"),
            ("-F --top 5 a.example", "fast"),
            ("-sS -sT a.example", "scan"),
            ("-w 0 a.example", "deadline"),
            ("--min-rate 5 --max-rate 2 a.example", "min_rate"),
            ("--yes -p- 192.0.2.0/24", "ports"),
        ] {
            assert_eq!(read(line).check().expect_err(line).path, key, "{line}");
        }
        for line in ["a.example", "--yes 192.0.2.0/24", "-sU -p 53 a.example", "-p- 192.0.2.1"] {
            assert_eq!(read(line).check(), Ok(()), "{line}");
        }
    }
}
