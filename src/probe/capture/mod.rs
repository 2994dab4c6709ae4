//! `capture`: packets of a host as they pass an interface, into a file and summed up; and the summary of any file.
//!
//! Private by default: the headers only (128 octets), of the named host only, without this session's own ssh, into a
//! file that only its owner may read, and never without an end. The kernel filters before the first packet is seen
//! (`sys::packet`, `wire::filter`); [`tally`] adds up, [`sink`] writes, [`private`] takes out what must not be kept.

mod live;
mod names;
mod own;
mod private;
mod read;
mod report;
mod run;
mod sink;
mod subject;
mod tally;

pub use private::fuzz_private;
pub use report::{Conversation, Conversations, Ended, Handshakes, Kept, Report, Talker, Tcp, Volume, kept};
pub use subject::{Reading, Subject};
pub use tally::fuzz_tally;

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Family, Found, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;
use crate::wire::filter::{Expression, Program};

/// What "whole packets" means: as much as other tools take.
const WHOLE: u32 = 262_144;
/// What flags share a heading.
const FILES: &str = "Files";
const PRIVACY: &str = "Privacy";

/// The options of `capture`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    /// The host whose packets are kept; with `read`, the file (`-` is stdin).
    #[command(flatten)]
    pub target: Subject,
    /// Sum up the packets of the file TARGET instead of capturing.
    #[command(flatten)]
    pub read: Reading,
    /// Capture on this interface, or on `any` [default: the one that leads to TARGET, else any].
    #[arg(short, long, value_name = "IFACE")]
    pub interface: Option<String>,
    /// Keep only what this accepts, by pcap-filter(7) without arithmetic: `tcp port 80 and not net 10`.
    #[arg(short, long, value_name = "EXPRESSION")]
    pub filter: Option<String>,
    /// Keep only what this compiled filter accepts: what `tcpdump -ddd` prints, with commas for its line ends.
    #[arg(long, value_name = "PROGRAM", conflicts_with = "filter")]
    pub bpf: Option<String>,
    /// Keep the packets of every host.
    #[arg(long, help_heading = PRIVACY)]
    pub all: bool,
    /// Keep the packets of the ssh connection that this was started through, too.
    #[arg(long, help_heading = PRIVACY)]
    pub own: bool,
    /// Stop after this many packets.
    #[arg(short, long, value_name = "N")]
    pub count: Option<u64>,
    /// Stop after this time.
    #[arg(long, value_name = "TIME", default_value_t = Capture::default().duration)]
    pub duration: Span,
    /// Stop before the file, or all files together, have more than this many MiB; a ring by -C and -W bounds itself.
    #[arg(long, value_name = "MIB", default_value_t = Capture::default().size, help_heading = FILES)]
    #[schemars(range(min = 1))]
    pub size: u64,
    /// Octets that are kept of each packet; 128 hold its headers, 0 is all.
    #[arg(short, long, visible_alias = "snapshot-length", value_name = "OCTETS", default_value_t = Capture::default().snaplen, help_heading = PRIVACY)]
    #[schemars(range(max = 262_144))]
    pub snaplen: u32,
    /// Keep whole packets, as -s 0 does.
    #[arg(long, help_heading = PRIVACY)]
    pub full: bool,
    /// Write the packets to this file (pcapng, readable by its owner only); `-` is stdout. With -G, `%` is strftime(3)'s.
    #[arg(short, long, value_name = "FILE", help_heading = FILES)]
    pub write: Option<PathBuf>,
    /// Write pcap with nanoseconds instead of pcapng.
    #[arg(long, help_heading = FILES)]
    pub pcap: bool,
    /// Go on in another file before one has more than so many millions of octets.
    #[arg(short = 'C', long, value_name = "MB", help_heading = FILES)]
    #[schemars(range(min = 1))]
    pub file_size: Option<u64>,
    /// Keep the latest N files only, with -C or -G (tcpdump -G ends after N).
    #[arg(short = 'W', long, value_name = "N", help_heading = FILES)]
    #[schemars(range(min = 1, max = 10_000))]
    pub files: Option<u32>,
    /// Go on in another file after this time.
    #[arg(short = 'G', long, value_name = "TIME", help_heading = FILES)]
    pub rotate: Option<Span>,
    /// Write zeros for all behind the transport's header.
    #[arg(long, help_heading = PRIVACY)]
    pub redact: bool,
    /// Replace addresses by others with the same prefixes in common, by a key that is forgotten; redacts as well.
    #[arg(long, help_heading = PRIVACY)]
    pub anon: bool,
    /// Capture also what is for other hosts, where the interface sees it.
    #[arg(long, overrides_with = "no_promisc", help_heading = PRIVACY)]
    pub promisc: bool,
    /// Capture only what is for this host, which is so unless --promisc is set (tcpdump's -p).
    #[arg(short = 'p', long, overrides_with = "promisc", help_heading = PRIVACY)]
    #[serde(skip)]
    pub no_promisc: bool,
    /// KiB of the ring that the kernel writes to.
    #[arg(short = 'B', long, value_name = "KIB", default_value_t = Capture::default().buffer)]
    #[schemars(range(min = 512, max = 65_536))]
    pub buffer: u32,
    /// Print numbers, not names: always so, for tcpdump's users, who may say it twice.
    #[arg(short, long, overrides_with = "numeric")]
    #[serde(skip)]
    pub numeric: bool,
    /// The address family of TARGET to use; `any` is both.
    #[command(flatten)]
    pub family: Family,
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            target: Subject::default(),
            read: Reading::default(),
            interface: None,
            filter: None,
            bpf: None,
            all: false,
            own: false,
            count: None,
            duration: Span::secs(60),
            size: 64,
            snaplen: 128,
            full: false,
            write: None,
            pcap: false,
            file_size: None,
            files: None,
            rotate: None,
            redact: false,
            anon: false,
            promisc: false,
            no_promisc: false,
            buffer: 8192,
            numeric: false,
            family: Family::Any,
        }
    }
}

impl Options for Capture {
    const MANUAL: Manual = Manual {
        name: "capture",
        about: "Capture packets of a host, or sum up a file of them",
        text: "Captures the packets of one host as they pass an interface, and sums them up: protocols, conversations, and \
               what TCP tells of the path (retransmissions, reordering, closed windows, resets, the handshake's \
               round-trip time), by Wireshark's rules. With -w they also go into a pcapng file. Nothing is decrypted.\n\n\
               Private by default: 128 octets of each packet, which are its headers; only the named host, unless --all or \
               an expression says more; not the ssh connection that it was started through; a file that only its owner can \
               read. A capture always ends: after 60 s, 64 MiB, or what the options say.\n\n\
               The expression is pcap-filter(7)'s: host, net, port, portrange and proto, each with src or dst and after ip, \
               ip6, arp, tcp, udp or sctp; tcp, udp, icmp, icmp6, ip, ip6, arp, vlan, less, greater; and, or, not and \
               parentheses. It is compiled and filters in the kernel, before anything is captured.\n\n\
               Capturing needs CAP_NET_RAW; reading a file needs nothing.\n\n\
               `capture read FILE` (or `capture -r FILE`) sums up any pcap or pcapng file of Ethernet, raw IP, loopback or \
               Linux cooked packets. With -w it writes those that -f accepts to another file, redacted or made anonymous \
               if wanted.",
        examples: &[
            ("waddleperf capture server.example", "what passes between here and there, for a minute"),
            ("waddleperf capture -w site.pcapng -c 1000 server.example", "1000 packets of it, into a file"),
            (
                "waddleperf capture -i eth0 -f 'tcp port 443 and not net 10.0.0.0/8'",
                "the headers of HTTPS from elsewhere",
            ),
            ("waddleperf capture --all -w - -q | tshark -r - -V", "everything, to another program"),
            (
                "waddleperf capture --all -w ring.pcapng -C 10 -W 5 --duration 1d",
                "the latest 50 MB, in five files, until something has happened",
            ),
            ("waddleperf capture read site.pcapng", "the summary of a file"),
            (
                "waddleperf capture read site.pcapng -w public.pcapng --anon",
                "a copy without payload and with other addresses",
            ),
        ],
        files: &[],
        see_also: &["tcpdump(8)", "pcap-filter(7)", "tshark(1)"],
    };
}

impl Capture {
    /// Octets kept of a packet.
    fn most_octets(&self) -> u32 {
        if self.full || self.snaplen == 0 { WHOLE } else { self.snaplen }
    }

    /// Whether there is another file after the first.
    const fn rotates(&self) -> bool {
        self.file_size.is_some() || self.rotate.is_some()
    }

    /// Whether packets go to stdout.
    fn is_to_stdout(&self) -> bool {
        self.write.as_deref().is_some_and(sink::is_stdout)
    }

    fn check_subject(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        let target = self.target();
        let says = self.filter.is_some() || self.bpf.is_some() || self.all;
        if self.read.0 {
            return match target.is_open() {
                true => wrong("target", "is missing: name the file to read"),
                false if self.interface.is_some() => wrong("interface", "is of no use: a file is read"),
                false if self.promisc => wrong("promisc", "is of no use: a file is read"),
                false => Ok(()),
            };
        }
        if target.is_open() && !says {
            return wrong(
                "target",
                "is missing: name the host whose packets to keep, or say --all or --filter EXPRESSION",
            );
        }
        if target.is_open() {
            return Ok(());
        }
        if self.all {
            return wrong("all", "keeps every host's packets, and TARGET names one: leave one of them out");
        }
        if self.bpf.is_some() {
            return wrong("bpf", "cannot be narrowed to TARGET: leave one of them out");
        }
        target.check_host()
    }

    fn check_files(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        let rotates = self.rotates();
        if self.size == 0 {
            return wrong("size", "0 leaves no room: 1 or more MiB");
        }
        if self.file_size == Some(0) {
            return wrong("file_size", "0 leaves no room: 1 or more MB");
        }
        if self.rotate.is_some_and(|time| time.0.is_zero()) {
            return wrong("rotate", "0: a file takes some time, such as 60s");
        }
        if self.files.is_some() && !rotates {
            return wrong("files", "goes with --file-size or --rotate: nothing makes more than one file");
        }
        if self.files.is_some_and(|files| !(1..=10_000).contains(&files)) {
            return wrong("files", "takes 1 to 10000 files");
        }
        if (rotates || self.pcap) && self.write.is_none() {
            let key = if self.pcap {
                "pcap"
            } else if self.rotate.is_some() {
                "rotate"
            } else {
                "file_size"
            };
            return wrong(key, "is of no use: --write names no file");
        }
        if rotates && self.is_to_stdout() {
            return wrong("write", "-: stdout is one file; leave --file-size and --rotate out");
        }
        Ok(())
    }
}

impl Measure for Capture {
    type Report = Report;

    /// It shows what others say, reads and writes files: whoever is not here shall not ask for it.
    const REMOTE: bool = false;

    fn target(&self) -> &Target {
        &self.target.0
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target.0
    }

    fn takes_stdout(&self) -> bool {
        self.is_to_stdout()
    }

    fn check(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        self.check_subject()?;
        self.check_files()?;
        if self.count == Some(0) {
            return wrong("count", "0: keep at least 1 packet");
        }
        if self.duration.0.is_zero() {
            return wrong("duration", "0 leaves no time: give it some, such as 60s");
        }
        if self.snaplen > WHOLE {
            return wrong("snaplen", "is too large: 262144 octets are whole packets");
        }
        if (1..64).contains(&self.snaplen) {
            return wrong("snaplen", "is too small to hold headers: 64 octets at least, or 0 for all");
        }
        if !(512..=65_536).contains(&self.buffer) {
            return wrong("buffer", "takes 512 to 65536 KiB");
        }
        if let Some(filter) = &self.filter {
            Expression::parse(filter).map_err(|bad| Fault::of("filter", bad))?;
        }
        if let Some(program) = &self.bpf {
            program.parse::<Program>().map_err(|bad| Fault::of("bpf", bad))?;
        }
        Ok(())
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.ended != Ended::Interrupted
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
