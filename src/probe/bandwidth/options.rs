//! The options of `bandwidth`.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{label, milliseconds, tos};
use super::{Affinity, By, KeepAlive, Login, Rate, RateUnit, Share, Size, Wording, manual};
use crate::probe::{Egress, Manual, Options, Target};
use crate::units::Span;
use crate::wire::iperf3::PORT;

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
    /// Connections over several paths at once (Multipath TCP, RFC 8684), where the server and the system have it; else over one. Of
    /// several, what only the kernel knows (retransmits, RTT, cwnd) is not known.
    #[arg(short = 'm', long)]
    pub mptcp: bool,
    /// Ask a server other than waddleperf's, too, to send without copying.
    #[arg(short = 'Z', long, conflicts_with = "tx_copy")]
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
    /// Copy what is sent, as most applications do, instead of lending the kernel the payload's own pages.
    #[arg(long)]
    pub tx_copy: bool,
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
            mptcp: false,
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
            tx_copy: false,
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
    const MANUAL: Manual = manual::MANUAL;

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
