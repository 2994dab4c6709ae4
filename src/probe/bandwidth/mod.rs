//! `bandwidth`: how much goes through to a host and back, by iperf3's protocol, and what limits it.
//!
//! [`talk`] leads the conversation with the server, [`streams`] opens what carries the data, `net::bulk` moves it, [`course`]
//! writes down what was moved when, and [`limit`] says, without I/O, what kept it from being more. [`search`] holds many tests of
//! other rates to find the highest that loses no more than is allowed.

mod amount;
mod busy;
mod course;
mod latency;
mod limit;
mod login;
mod looks;
mod report;
mod run;
mod search;
mod seen;
mod streams;
mod talk;
mod trace;
mod words;

pub use amount::{Rate, Share, Size};
pub use latency::{By, Latency};
pub use limit::{Factor, Limit};
pub use login::Login;
pub use report::{
    Bins, Cpu, Datagrams, Flow, Interval, Moved, Part, Processor, Report, RoundTrips, Stalls, Tally,
};
pub use search::{Bound, Search, SearchEnd, Trial, Verdict};
pub use trace::{Ends, Kernel, Snapshot, Total, Trace};
pub use words::{Affinity, KeepAlive, RateUnit, Wording};

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Egress, Findings, Found, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;
use crate::wire::iperf3::{PORT, Params, Transport};

/// What a stock client sends over UDP where nobody says how much: bits per second.
const UDP_RATE: u64 = 1 << 20;
/// What a packet carries where they are longer than elsewhere (9,000 octets).
const JUMBO: u32 = 8948;
/// Streams of each direction at most, as iperf3's servers allow.
const MOST_STREAMS: u16 = 128;
/// A test is no longer than a day.
const LONGEST: Duration = Duration::from_secs(86_400);
/// What is omitted is no longer than iperf3 allows.
const LONGEST_OMIT: Duration = Duration::from_secs(600);
/// What a server sends, at most, between its own end of what is omitted and this host's: 5 ms at 100 Gbit/s, 500 ms at 1 Gbit/s.
const AHEAD: u64 = 64 << 20;
/// Bounds of a trial.
const TRIALS: std::ops::RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(60);
/// Bounds of an interval.
const INTERVALS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// The options of `bandwidth`, and what a record says was asked. Letters are iperf3's.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bandwidth {
    /// Host name or address of an iperf3 server, or of `waddleperf serve`.
    #[arg(value_name = "HOST", default_value = "", hide_default_value = true)]
    pub target: Target,
    /// The same, as iperf3's users write it.
    #[arg(short = 'c', long, value_name = "HOST", conflicts_with = "target", hide = true)]
    #[serde(skip)]
    pub client: Option<Target>,
    /// The server's port.
    #[arg(short, long, value_name = "PORT", default_value_t = Bandwidth::default().port, value_parser = clap::value_parser!(u16).range(1..))]
    #[schemars(range(min = 1))]
    pub port: u16,
    /// UDP instead of TCP.
    #[arg(short, long)]
    pub udp: bool,
    /// Transmit for this time; 0 until interrupted.
    #[arg(short = 't', long, value_name = "TIME", default_value_t = Bandwidth::default().time)]
    pub time: Span,
    /// Transmit so many octets (10M are 10 x 2^20), all streams together, instead of for a time.
    #[arg(short = 'n', long, value_name = "SIZE", conflicts_with = "blocks")]
    pub bytes: Option<Size>,
    /// Transmit so many blocks or datagrams, all streams together, instead of for a time.
    #[arg(short = 'k', long = "blockcount", value_name = "COUNT")]
    pub blocks: Option<Size>,
    /// Transmit for this time first, which does not count: TCP's slow start.
    #[arg(short = 'O', long, value_name = "TIME", default_value_t = Bandwidth::default().omit)]
    pub omit: Span,
    /// A line after each interval, 0.1 to 60 s; 0 is none.
    #[arg(short, long, value_name = "TIME", default_value_t = Bandwidth::default().interval)]
    pub interval: Span,
    /// So many streams at once, in each direction.
    #[arg(short = 'P', long, value_name = "N", default_value_t = Bandwidth::default().parallel, value_parser = clap::value_parser!(u16).range(1..=128))]
    #[schemars(range(min = 1, max = 128))]
    pub parallel: u16,
    /// The server sends, this host receives.
    #[arg(short = 'R', long, conflicts_with = "bidir")]
    pub reverse: bool,
    /// Both send at once.
    #[arg(long)]
    pub bidir: bool,
    /// Bits per second of each stream and direction (20M are 20 x 10^6), 0 for as fast as can be; /N lets N packets leave back to
    /// back [default: 1M over UDP, 0 over TCP].
    #[arg(short = 'b', long = "bitrate", visible_alias = "bandwidth", value_name = "RATE")]
    pub bitrate: Option<Rate>,
    /// Bits per second of each stream and direction that the kernel keeps to (SO_MAX_PACING_RATE; over UDP where the interface's
    /// queue is fq).
    #[arg(long, value_name = "RATE")]
    pub fq_rate: Option<Rate>,
    /// Octets of each write or datagram [default: 128K over TCP; over UDP what the path takes in one packet].
    #[arg(short, long, value_name = "SIZE")]
    pub length: Option<Size>,
    /// Socket buffers of both ends, which bound the window.
    #[arg(short, long, value_name = "SIZE")]
    pub window: Option<Size>,
    /// Largest TCP segment (MSS), octets.
    #[arg(short = 'M', long = "set-mss", value_name = "OCTETS", value_parser = clap::value_parser!(u32).range(88..=32767))]
    #[schemars(range(min = 88, max = 32767))]
    pub mss: Option<u32>,
    /// Do not hold back small writes (Nagle's algorithm off).
    #[arg(short = 'N', long)]
    pub no_delay: bool,
    /// Type of service of what both ends send, 0-255; 0x and 0 in front as in C.
    #[arg(short = 'S', long, value_name = "TOS", value_parser = tos, conflicts_with = "dscp")]
    #[schemars(range(max = 255))]
    pub tos: Option<u8>,
    /// IPv6's flow label (RFC 6437) of what both ends send, 1-1048575; 0x in front as in C.
    #[arg(short = 'L', long = "flowlabel", value_name = "LABEL", value_parser = label)]
    #[schemars(range(min = 1, max = 0xf_ffff))]
    pub flowlabel: Option<u32>,
    /// TCP congestion control of both ends, such as cubic, reno or bbr.
    #[arg(short = 'C', long, value_name = "NAME")]
    pub congestion: Option<String>,
    /// Ask the server to send without copying; here the payload lies in memory anyway.
    #[arg(short = 'Z', long)]
    pub zerocopy: bool,
    /// Bind to this address of this host, and %DEVICE.
    #[arg(short = 'B', long, value_name = "ADDRESS[%DEVICE]", conflicts_with_all = ["source", "interface"])]
    #[serde(skip)]
    pub bind: Option<String>,
    /// Data leave from this port, and from those after it.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    #[schemars(range(min = 1))]
    pub cport: Option<u16>,
    /// The control connection stands within this time (a bare number is ms).
    #[arg(long, value_name = "TIME", value_parser = milliseconds, default_value_t = Bandwidth::default().connect_timeout)]
    pub connect_timeout: Span,
    /// Give up when nothing was received for this time (a bare number is ms).
    #[arg(long, value_name = "TIME", value_parser = milliseconds, default_value_t = Bandwidth::default().rcv_timeout)]
    pub rcv_timeout: Span,
    /// Give a connection up when what was sent had no answer for this time (a bare number is ms) [default: the system's].
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    pub snd_timeout: Option<Span>,
    /// When the control connection, quiet while the test runs, is asked whether it lives: seconds of silence, seconds between
    /// questions, questions.
    #[arg(long, value_name = "IDLE/INTERVAL/COUNT", num_args = 0..=1, require_equals = true, default_missing_value = "30/10/3", default_value_t = KeepAlive::default())]
    pub cntl_ka: KeepAlive,
    /// Run on this processor, and after a comma the one that the server is asked to run on.
    #[arg(short = 'A', long, value_name = "N[,M]")]
    pub affinity: Option<Affinity>,
    /// The payload is a pattern, which a compressing link makes less of; else random.
    #[arg(long)]
    pub repeating_payload: bool,
    /// Over IPv4 datagrams must not be fragmented (DF).
    #[arg(long)]
    pub dont_fragment: bool,
    /// Copy what is received, as an application would, instead of having the kernel throw it away.
    #[arg(long)]
    pub rx_copy: bool,
    /// Let the kernel cut and join datagrams of UDP (GSO, GRO): many more of them, in bursts.
    #[arg(long, visible_alias = "gsro")]
    pub gso: bool,
    /// Find the highest rate over UDP of which no more is lost than --loss, by short tests of ever other rates, up to that of -b.
    #[arg(long)]
    pub find_max: bool,
    /// The share of datagrams that --find-max allows to be lost.
    #[arg(long, value_name = "SHARE", requires = "find_max", default_value_t = Bandwidth::default().loss)]
    pub loss: Share,
    /// How long each test of --find-max sends; the last one, of the rate that is found, sends for --time.
    #[arg(long, value_name = "TIME", requires = "find_max", default_value_t = Bandwidth::default().trial)]
    pub trial: Span,
    /// Ask a server that is busy again, after 1, 2, 4 … seconds, for so long.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "60s")]
    pub retry_busy: Option<Span>,
    /// Measure round trips before the bulk and while it runs: what queues on the way add to them (bufferbloat).
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "icmp")]
    pub latency: Option<By>,
    /// The port that --latency=tcp knocks at, open or closed: not the test's own, where stock servers take every connection for
    /// a client.
    #[arg(long, value_name = "PORT", requires = "latency", value_parser = clap::value_parser!(u16).range(1..))]
    #[schemars(range(min = 1))]
    pub latency_port: Option<u16>,
    /// Also show what the server says of the test.
    #[arg(long)]
    pub get_server_output: bool,
    /// A title, for the record and the server's.
    #[arg(short = 'T', long, value_name = "TEXT")]
    pub title: Option<String>,
    /// A text for the server's record.
    #[arg(long, value_name = "TEXT")]
    pub extra_data: Option<String>,
    /// Unit of the rates that are printed: k, m, g or t for bits by powers of 1000, K, M, G or T for octets by powers of 1024.
    #[arg(short, long, value_name = "UNIT")]
    pub format: Option<RateUnit>,
    /// Whose words name the units of what is printed.
    #[arg(long, value_enum, default_value_t = Bandwidth::default().style)]
    pub style: Wording,
    /// Begin each line with its time, as strftime(3) writes it (`%H:%M:%S`).
    #[arg(long, value_name = "FORMAT")]
    pub timestamp_format: Option<String>,
    /// Write what is printed into this file instead, at its end.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub logfile: Option<PathBuf>,
    /// Flush each line; they always are.
    #[arg(long, hide = true)]
    #[serde(skip)]
    pub forceflush: bool,
    /// Print what `iperf3 -J` would, and nothing else.
    #[arg(short = 'J', long)]
    pub iperf3_json: bool,
    /// Print a line of JSON when it begins, after each interval and at its end, as `iperf3 --json-stream` does.
    #[arg(long, conflicts_with = "iperf3_json")]
    pub json_stream: bool,
    /// Sequence numbers have 64 bits; they always have.
    #[arg(long, hide = true)]
    #[serde(skip)]
    pub udp_counters_64bit: bool,
    /// How to log in, where the server wants that.
    #[command(flatten)]
    pub login: Login,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

/// A number as C writes it.
fn number(text: &str) -> Option<u32> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8),
        None => text.parse(),
    };
    number.ok()
}

fn tos(text: &str) -> Result<u8, String> {
    let tos = number(text).and_then(|number| u8::try_from(number).ok());
    tos.ok_or_else(|| format!("`{text}` is not a type of service: 0 to 255, or 0x0 to 0xff"))
}

fn label(text: &str) -> Result<u32, String> {
    let label = number(text).filter(|label| (1..=0xf_ffff).contains(label));
    label.ok_or_else(|| format!("`{text}` is not a flow label: 1 to 1048575, or 0x1 to 0xfffff"))
}

/// A span whose bare number is milliseconds, as iperf3's is here.
fn milliseconds(text: &str) -> Result<Span, String> {
    let written = if text.parse::<f64>().is_ok() { format!("{text}ms") } else { text.to_owned() };
    Span::with_unit(&written).map_err(|error| error.to_string())
}

impl Default for Bandwidth {
    fn default() -> Self {
        Self {
            target: Target::default(),
            client: None,
            port: PORT,
            udp: false,
            time: Span::secs(10),
            bytes: None,
            blocks: None,
            omit: Span::secs(0),
            interval: Span::secs(1),
            parallel: 1,
            reverse: false,
            bidir: false,
            bitrate: None,
            fq_rate: None,
            length: None,
            window: None,
            mss: None,
            no_delay: false,
            tos: None,
            flowlabel: None,
            congestion: None,
            zerocopy: false,
            bind: None,
            cport: None,
            connect_timeout: Span::secs(10),
            rcv_timeout: Span::secs(120),
            snd_timeout: None,
            cntl_ka: KeepAlive::default(),
            affinity: None,
            repeating_payload: false,
            dont_fragment: false,
            rx_copy: false,
            gso: false,
            find_max: false,
            loss: Share::percent(0.1),
            trial: Span::secs(2),
            retry_busy: None,
            latency: None,
            latency_port: None,
            get_server_output: false,
            title: None,
            extra_data: None,
            format: None,
            style: Wording::Waddleperf,
            timestamp_format: None,
            logfile: None,
            forceflush: false,
            iperf3_json: false,
            json_stream: false,
            udp_counters_64bit: false,
            login: Login::default(),
            egress: Egress::default(),
        }
    }
}

impl Options for Bandwidth {
    const MANUAL: Manual = Manual {
        name: "bandwidth",
        about: "How much goes through over TCP or UDP, by iperf3's protocol, and what limits it",
        text: "Sends to an iperf3 server, or to waddleperf serve, as much as goes through or as much as is asked for; with -R the \
               server sends, with --bidir both do. Letters mean what they mean to iperf3, sizes (K, M, G, T) are \
               powers of 1024 and rates powers of 1000, and both ends need no more than port 5201.\n\n\
               Throughput is what the receiver counted, goodput: payload of TCP or UDP, without headers. At the end stands what limited it: the \
               network, the window, a processor at either end, or the rate that was asked for or is allowed, each with its \
               evidence. With -O the first seconds do not count.\n\n\
               What is received is thrown away in the kernel, which measures the path; --rx-copy reads it as an application \
               does. Over UDP, datagrams that this host's own socket had no room for are told apart from those that the network \
               has lost. A datagram that comes twice hides one that is lost in iperf3's count, and is told here.\n\n\
               With --find-max -u the highest rate is searched of which no more than --loss is lost, --trial after --trial: the \
               rate doubles from 1 Mbit/s until a trial does not pass, and ever smaller steps follow down to 2 % (RFC 2544); a trial that \
               does not pass is held again, and of three two decide. What was found is tried once more for --time. A queue that \
               grows counts as loss, even if it has not yet overflowed. Datagrams that this host had no room for, and rates that it \
               could not send, are its own limit and not the network's. With -P the rate that is found is that of all streams.\n\n\
               With --latency echoes go there and back for a second before, and all the while: the difference of their medians is what \
               queues on the way add under load.\n\n\
               A server may want a login: --username, --rsa-public-key-path, and the password in IPERF3_PASSWORD or in a file. \
               It is the only part that is encrypted.\n\n\
               --iperf3-json (-J) prints what iperf3 -J does, for scripts that read it, --json-stream the same in lines as it \
               happens; --json is the record. A link named iperf3 to this program takes iperf3's own command line, that of its \
               server (-s) too, names units as iperf3 does (--style iperf3), and says what it leaves out.",
        examples: &[
            ("waddleperf bandwidth server.example", "TCP for ten seconds"),
            ("waddleperf bandwidth -R -P 4 server.example", "the other way, four streams at once"),
            ("waddleperf bandwidth -u -b 50M -l 1200 server.example", "50 Mbit/s over UDP: loss and jitter"),
            (
                "waddleperf bandwidth --bidir -t 30 -O 2 server.example",
                "both ways at once, without the slow start",
            ),
            (
                "waddleperf bandwidth --latency -t 20 server.example",
                "how much slower is everything else meanwhile",
            ),
            (
                "waddleperf bandwidth -u --find-max --loss 0.1% server.example",
                "the highest rate over UDP of which no more than one in a thousand is lost",
            ),
            (
                "waddleperf bandwidth --json --fail-on 'throughput < 100Mbit/s' server.example",
                "a check: end with 1 when less goes through",
            ),
        ],
        files: &[],
        see_also: &["waddleperf-serve(8)", "iperf3(1)", "tcp(7)"],
    };

    fn settled(mut self) -> Result<Self, clap::Error> {
        if let Some(client) = self.client.take() {
            self.target = client;
        }
        if let Some(bind) = self.bind.take() {
            let (address, device) = bind.split_once('%').map_or((bind.as_str(), None), |(a, d)| (a, Some(d)));
            let source = address.parse().map_err(|_| {
                let why =
                    format!("-B takes an address of this host, and %DEVICE behind it: `{bind}` is none\n");
                clap::Error::raw(clap::error::ErrorKind::InvalidValue, why)
            })?;
            self.egress.source = Some(source);
            self.egress.interface = device.map(str::to_owned).or(self.egress.interface);
        }
        Ok(self)
    }
}

impl Bandwidth {
    /// Octets that a server is to send beyond those that count. It omits by a clock of its own, stops once it has sent so many
    /// since then, and what was on its way before this host's clock was there does not count here. This host ends the test.
    fn ahead(&self) -> u64 {
        if self.reverse && !self.omit.0.is_zero() { AHEAD } else { 0 }
    }

    /// What a server is asked for; `length` is what a write or datagram has where nothing was said.
    fn params(&self, length: u32) -> Params {
        let whole = |span: Span| u32::try_from(span.0.as_secs()).unwrap_or(u32::MAX);
        let is_limited = self.bytes.is_some() || self.blocks.is_some();
        Params {
            transport: if self.udp { Transport::Udp } else { Transport::Tcp },
            omit: whole(Span(self.omit.0 + Duration::from_millis(999))),
            // A server ends a test after its time: a second is not cut.
            time: if is_limited { 0 } else { whole(Span(self.time.0 + Duration::from_millis(999))) },
            bytes: self.bytes.map_or(0, |size| size.0.saturating_add(self.ahead())),
            blocks: self
                .blocks
                .map_or(0, |count| count.0.saturating_add(self.ahead().div_ceil(length.max(1).into()))),
            length,
            parallel: self.parallel.into(),
            reverse: self.reverse,
            bidirectional: self.bidir,
            rate: self.rate().bps,
            burst: if self.rate().burst > 1 { self.rate().burst } else { 0 },
            window: self.window.map_or(0, |size| size.0 as u32),
            mss: self.mss.unwrap_or(0),
            no_delay: self.no_delay,
            tos: self.type_of_service().unwrap_or(0),
            flow_label: self.flowlabel.unwrap_or(0),
            fq_rate: self.fq_rate.map_or(0, |rate| rate.bps),
            server_affinity: self.affinity.and_then(|of| of.server).map(u32::from),
            congestion: self.congestion.clone(),
            is_wide: self.udp,
            repeats: self.repeating_payload,
            zero_copy: self.zerocopy,
            dont_fragment: self.dont_fragment,
            gso: self.udp && self.gso,
            gro: self.udp && self.gso,
            wants_output: self.get_server_output,
            title: self.title.clone(),
            extra: self.extra_data.clone(),
            skip_copy: !self.udp && !self.rx_copy,
            version: Some(Params::VERSION.to_owned()),
            ..Params::default()
        }
    }

    /// The rate of a stream.
    pub fn rate(&self) -> Rate {
        let default = Rate { bps: if self.udp { UDP_RATE } else { 0 }, burst: 1 };
        self.bitrate.unwrap_or(default)
    }

    /// The type of service of what both ends send, if it is not the system's default.
    pub fn type_of_service(&self) -> Option<u8> {
        self.tos.or_else(|| self.egress.tos())
    }

    /// Whether this host sends, and whether it receives.
    const fn ways(&self) -> (bool, bool) {
        (!self.reverse, self.reverse || self.bidir)
    }

    /// Octets of one write or datagram where they are not asked for, over a control connection whose segments carry `payload`.
    fn length_over(&self, payload: u32) -> u32 {
        match self.length {
            Some(length) => length.0 as u32,
            None if !self.udp => 128 << 10,
            // What a segment of TCP carries, a datagram does: their headers differ, and options are as long again.
            // The loopback interface takes so much in one packet that a short trial would have but a few.
            None if payload >= 88 && self.find_max => payload.min(JUMBO),
            None if payload >= 88 => payload.min(Params::lengths(Transport::Udp).1),
            None => 1460,
        }
    }

    /// Refuses round trips that would disturb the test.
    fn check_latency(&self) -> Result<(), Fault> {
        match (self.latency, self.latency_port) {
            (Some(By::Tcp), None) => {
                Err(Fault::of("latency-port", "is needed for --latency=tcp: a port, open or closed"))
            }
            (Some(By::Tcp), Some(port)) if port == self.port => Err(Fault::of(
                "latency-port",
                "takes another port than the test's, whose server it would disturb",
            )),
            (Some(By::Icmp | By::Udp) | None, Some(_)) => {
                Err(Fault::of("latency-port", "is for --latency=tcp alone"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a search that cannot be.
    fn check_search(&self) -> Result<(), Fault> {
        if self.retry_busy.is_some_and(|span| span.0 > LONGEST) {
            return Err(Fault::of("retry-busy", "takes a day at most"));
        }
        if !self.find_max {
            return Ok(());
        }
        for (is_set, key, why) in [
            (!self.udp, "find-max", "is for UDP, with --udp"),
            (self.bidir, "bidir", "excludes --find-max: one way at a time"),
            (self.bytes.is_some() || self.blocks.is_some(), "find-max", "excludes --bytes and --blockcount"),
            (self.latency.is_some(), "latency", "excludes --find-max"),
            (self.iperf3_json, "iperf3-json", "excludes --find-max, which iperf3 does not have"),
            (!TRIALS.contains(&self.trial.0), "trial", "takes 0.5 to 60 s"),
            (self.time.0 < self.trial.0, "time", "takes no less than --trial, for the rate that is found"),
        ] {
            if is_set {
                return Err(Fault::of(key, why));
            }
        }
        Ok(())
    }

    /// Where data leave from: the `n`th stream's address and port.
    fn local(&self, to: SocketAddr, n: usize) -> Option<SocketAddr> {
        let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
        let source = self.egress.source();
        if source.is_none() && self.cport.is_none() {
            return None;
        }
        let port = self.cport.map_or(0, |first| first.saturating_add(n as u16));
        Some(SocketAddr::new(source.unwrap_or(any), port))
    }
}

impl Measure for Bandwidth {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn is_foreign(&self) -> bool {
        self.iperf3_json || self.json_stream
    }

    fn is_streamed(&self) -> bool {
        self.json_stream
    }

    fn check(&self) -> Result<(), Fault> {
        let transport = if self.udp { Transport::Udp } else { Transport::Tcp };
        let (least, most) = Params::lengths(transport);
        if self.length.is_some_and(|length| !(u64::from(least)..=u64::from(most)).contains(&length.0)) {
            let protocol = if self.udp { "UDP" } else { "TCP" };
            return Err(Fault::of("length", format_args!("takes {least} to {most} octets over {protocol}")));
        }
        if self.window.is_some_and(|window| window.0 > 512 << 20) {
            return Err(Fault::of("window", "takes 512M at most"));
        }
        if self.time.0 > LONGEST {
            return Err(Fault::of("time", "takes a day at most"));
        }
        if self.omit.0 > LONGEST_OMIT {
            return Err(Fault::of("omit", "takes 600 s at most"));
        }
        if !self.interval.0.is_zero() && !(INTERVALS.0..=INTERVALS.1).contains(&self.interval.0) {
            return Err(Fault::of("interval", "takes 0, or 0.1 to 60 s"));
        }
        if self.parallel == 0 || self.parallel > MOST_STREAMS {
            return Err(Fault::of("parallel", format_args!("takes 1 to {MOST_STREAMS} streams")));
        }
        if self.reverse && self.bidir {
            return Err(Fault::of("bidir", "excludes reverse: one of them"));
        }
        if self.bytes.is_some_and(|bytes| bytes.0 == 0) || self.blocks.is_some_and(|blocks| blocks.0 == 0) {
            let key = if self.bytes.is_some() { "bytes" } else { "blockcount" };
            return Err(Fault::of(key, "takes at least 1"));
        }
        for (is_set, key, protocol) in [
            (self.udp && self.mss.is_some(), "set-mss", "TCP"),
            (self.udp && self.congestion.is_some(), "congestion", "TCP"),
            (self.udp && self.no_delay, "no-delay", "TCP"),
            (!self.udp && self.gso, "gso", "UDP, with --udp"),
            (!self.udp && self.dont_fragment, "dont-fragment", "UDP, with --udp"),
        ] {
            if is_set {
                return Err(Fault::of(key, format_args!("is for {protocol} alone")));
            }
        }
        if self.flowlabel.is_some_and(|label| !(1..=0xf_ffff).contains(&label)) {
            return Err(Fault::of("flowlabel", "takes 1 to 1048575"));
        }
        if self.fq_rate.is_some_and(|rate| rate.bps == 0 || rate.burst > 1) {
            return Err(Fault::of("fq-rate", "takes bits per second above 0, and no burst"));
        }
        if self.snd_timeout.is_some_and(|span| span.0.is_zero()) {
            return Err(Fault::of("snd-timeout", "takes a span above 0, such as 10s"));
        }
        let written = |format| jiff::fmt::strtime::format(format, &jiff::Zoned::default());
        if self.timestamp_format.as_ref().is_some_and(|format| written(format).is_err()) {
            return Err(Fault::of("timestamp-format", "takes what strftime(3) does, such as %H:%M:%S"));
        }
        self.check_latency()?;
        self.check_search()?;
        if self.rcv_timeout.0 < Duration::from_millis(100) {
            return Err(Fault::of("rcv-timeout", "takes 100 ms at least"));
        }
        if self.connect_timeout.0.is_zero() {
            return Err(Fault::of("connect-timeout", "takes a span above 0, such as 10s"));
        }
        self.login.check()?;
        self.egress.check()
    }

    fn logfile(&self) -> Option<&Path> {
        self.logfile.as_deref()
    }

    fn inputs(&self) -> Vec<&Path> {
        self.login.inputs().collect()
    }

    fn traffic(&self) -> Traffic {
        let (sends, receives) = self.ways();
        let ways = u64::from(sends) + u64::from(receives);
        let seconds = match self.find_max {
            true => self.longest_search().as_secs_f64(),
            false => (self.time.0 + self.omit.0).as_secs_f64(),
        };
        // Where nothing says how much: what a fast link carries.
        let rate = match if self.find_max { self.ceiling() } else { self.rate().bps } {
            0 => 10e9,
            bps => bps as f64 * f64::from(self.parallel),
        };
        let limited = self
            .bytes
            .map(|bytes| bytes.0)
            .or_else(|| self.blocks.map(|blocks| blocks.0.saturating_mul(self.length_over(1448).into())));
        let octets = limited.map_or(rate * seconds / 8.0, |octets| octets as f64) * ways as f64;
        Traffic {
            packets: (octets / 1400.0) as u64 + 40,
            bytes: (octets * 1.05) as u64 + 10_000,
            packets_per_second: rate / 8.0 / 1400.0 * ways as f64,
        }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.ended.is_none()
    }

    fn is_broken(&self, report: &Report) -> bool {
        report.ended.is_some()
    }

    fn exit_code(&self, report: &Report) -> u8 {
        u8::from(!report.replied() || report.ended.is_some())
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
