//! What a client asks for: the frame after `PARAM_EXCHANGE`.

use serde_json::{Map, Value, json};

use super::json::{Object, read};
use super::{Code, Refusal, Token};

/// What carries the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP connection for each stream.
    Tcp,
    /// A pair of UDP ports for each stream.
    Udp,
}

/// A test, as a client asks for it. Numbers without a unit in their name are iperf3's.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// What carries the data.
    pub transport: Transport,
    /// Seconds that do not count, first.
    pub omit: u32,
    /// Seconds after those; 0 is no limit, or another is given.
    pub time: u32,
    /// Octets of all streams, after which the client ends it; 0 is no limit.
    pub bytes: u64,
    /// Writes or datagrams of all streams, the same.
    pub blocks: u64,
    /// Octets of one write or one datagram.
    pub length: u32,
    /// Streams of each direction.
    pub parallel: u32,
    /// Only the server sends.
    pub reverse: bool,
    /// Both send.
    pub bidirectional: bool,
    /// Bits per second of each stream and direction; 0 is as fast as can be.
    pub rate: u64,
    /// The same, that the kernel paces.
    pub fq_rate: u64,
    /// Packets back to back; 0 is one.
    pub burst: u32,
    /// Socket buffers in octets; 0 is the system's.
    pub window: u32,
    /// Maximum segment size; 0 is the system's.
    pub mss: u32,
    /// Small writes are not held back (`TCP_NODELAY`).
    pub no_delay: bool,
    /// Type of service.
    pub tos: u8,
    /// IPv6's flow label; 0 is the system's.
    pub flow_label: u32,
    /// The processor that the server is asked to run on.
    pub server_affinity: Option<u32>,
    /// Congestion control.
    pub congestion: Option<String>,
    /// Sequence numbers of UDP have 64 bits, else 32.
    pub is_wide: bool,
    /// The payload is a pattern, else random.
    pub repeats: bool,
    /// Connections may take several paths (MPTCP, RFC 8684).
    pub multipath: bool,
    /// Send without copying.
    pub zero_copy: bool,
    /// IPv4's datagrams must not be fragmented.
    pub dont_fragment: bool,
    /// The receiver discards in the kernel what it reads.
    pub skip_copy: bool,
    /// The sender copies: a member of ours, which other servers skip.
    pub tx_copy: bool,
    /// Datagrams that one system call hands over as one buffer (UDP_SEGMENT).
    pub gso: bool,
    /// Datagrams that one system call takes as one buffer (UDP_GRO).
    pub gro: bool,
    /// The client wants the server's output, too.
    pub wants_output: bool,
    /// A title, for records.
    pub title: Option<String>,
    /// Data for records.
    pub extra: Option<String>,
    /// Name and password, encrypted.
    pub token: Option<Token>,
    /// The client's version, as it says.
    pub version: Option<String>,
}

impl Default for Params {
    /// What a stock client asks for when nothing is said: TCP for ten seconds.
    fn default() -> Self {
        Self {
            transport: Transport::Tcp,
            omit: 0,
            time: 10,
            bytes: 0,
            blocks: 0,
            length: 128 << 10,
            parallel: 1,
            reverse: false,
            bidirectional: false,
            rate: 0,
            fq_rate: 0,
            burst: 0,
            window: 0,
            mss: 0,
            no_delay: false,
            tos: 0,
            flow_label: 0,
            server_affinity: None,
            congestion: None,
            is_wide: false,
            repeats: false,
            multipath: false,
            zero_copy: false,
            dont_fragment: false,
            skip_copy: false,
            tx_copy: false,
            gso: false,
            gro: false,
            wants_output: false,
            title: None,
            extra: None,
            token: None,
            version: None,
        }
    }
}

/// Seconds of a day: no test is longer.
const DAY: i64 = 86_400;
/// What a stock client that names no length writes over TCP.
const TCP_LENGTH: u32 = 128 << 10;
/// What the version of our own clients holds.
const OURS: &str = "+waddleperf-";
/// Octets of a congestion control's name (TCP_CA_NAME_MAX, without its end).
const LONGEST_CONGESTION: usize = 15;
/// Octets of a record's text that are kept.
const LONGEST_TEXT: usize = 1024;

impl Params {
    /// The version that our own clients tell: iperf3's, whose protocol it is, and ours.
    pub const VERSION: &str = concat!("3.21+waddleperf-", env!("CARGO_PKG_VERSION"));

    /// The least and the longest length of `transport`'s writes.
    pub const fn lengths(transport: Transport) -> (u32, u32) {
        match transport {
            Transport::Tcp => (1, 1 << 20),
            Transport::Udp => (16, 65_507),
        }
    }

    /// The frame's JSON.
    pub fn to_json(&self) -> Value {
        let mut all = Map::new();
        let transport = if self.transport == Transport::Udp { "udp" } else { "tcp" };
        all.insert(transport.to_owned(), true.into());
        let numbers = [("omit", self.omit.into()), ("time", self.time.into())];
        let totals = [("num", self.bytes), ("blockcount", self.blocks)];
        all.extend(
            numbers
                .into_iter()
                .chain(totals)
                .map(|(key, number): (&str, u64)| (key.to_owned(), number.into())),
        );
        let mut set = |is_set: bool, key: &str, value: Value| {
            if is_set {
                all.insert(key.to_owned(), value);
            }
        };
        set(self.mss > 0, "MSS", self.mss.into());
        set(self.no_delay, "nodelay", true.into());
        set(true, "parallel", self.parallel.into());
        set(self.reverse, "reverse", true.into());
        set(self.bidirectional, "bidirectional", true.into());
        set(self.window > 0, "window", self.window.into());
        set(true, "len", self.length.into());
        set(self.rate > 0, "bandwidth", self.rate.into());
        set(self.fq_rate > 0, "fqrate", self.fq_rate.into());
        set(true, "pacing_timer", 1000.into());
        set(self.burst > 0, "burst", self.burst.into());
        set(self.tos > 0, "TOS", self.tos.into());
        set(self.flow_label > 0, "flowlabel", self.flow_label.into());
        set(self.server_affinity.is_some(), "server_affinity", json!(self.server_affinity));
        for (key, text) in [
            ("title", &self.title),
            ("extra_data", &self.extra),
            ("congestion", &self.congestion),
            ("client_version", &self.version),
        ] {
            set(text.is_some(), key, json!(text));
        }
        set(self.token.is_some(), "authtoken", json!(self.token.as_ref().map(Token::as_str)));
        set(self.wants_output, "get_server_output", 1.into());
        set(self.is_wide, "udp_counters_64bit", 1.into());
        set(self.repeats, "repeating_payload", 1.into());
        set(self.multipath, "mptcp", true.into());
        set(self.zero_copy, "zerocopy", 1.into());
        set(self.dont_fragment, "dont_fragment", 1.into());
        set(self.skip_copy, "skip_rx_copy", 1.into());
        set(self.tx_copy, "tx_copy", 1.into());
        set(self.gso, "gso", 1.into());
        set(self.gso, "gso_dg_size", self.length.into());
        set(self.gso, "gso_bf_size", (65_507 / self.length.max(1) * self.length).into());
        set(self.gro, "gro", 1.into());
        set(self.gro, "gro_bf_size", 65_507.into());
        Value::Object(all)
    }

    /// Reads a frame; every number within what a stock client's own command line allows.
    ///
    /// # Errors
    /// iperf3's number for what is out of bounds.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let members = read(bytes, Code::PARAMS)?;
        let of = Object(&members);
        if of.flag("sctp") {
            return Err(Refusal::new(Code::PROTOCOL, "SCTP is not spoken here"));
        }
        let transport = if of.flag("udp") { Transport::Udp } else { Transport::Tcp };
        let within =
            |key: &str, default: i64, least: i64, most: i64, code| match of.int(key).unwrap_or(default) {
                number if (least..=most).contains(&number) => Ok(number as u32),
                number => Err(Refusal::new(
                    code,
                    format_args!("`{key}` is {number}, where {least} to {most} are taken"),
                )),
            };
        let no_length = if transport == Transport::Udp { 0 } else { TCP_LENGTH };
        let (least, most) = Self::lengths(transport);
        let length_code = if transport == Transport::Udp { Code::UDP_SIZE } else { Code::BLOCK_SIZE };
        let (reverse, bidirectional) = (of.flag("reverse"), of.flag("bidirectional"));
        if reverse && bidirectional {
            return Err(Refusal::new(Code::BOTH_WAYS, "both `reverse` and `bidirectional`"));
        }
        let text = |key: &str| of.text(key).map(cut);
        Ok(Self {
            transport,
            omit: within("omit", 0, 0, 600, Code::OMIT)?,
            time: within("time", 10, 0, DAY, Code::DURATION)?,
            bytes: of.count("num").unwrap_or(0),
            blocks: of.count("blockcount").unwrap_or(0),
            length: within("len", no_length.into(), least.into(), most.into(), length_code)?,
            parallel: within("parallel", 1, 1, 128, Code::PARALLEL)?,
            reverse,
            bidirectional,
            rate: of.count("bandwidth").unwrap_or(0),
            fq_rate: of.count("fqrate").unwrap_or(0),
            burst: within("burst", 0, 0, 1000, Code::BURST)?,
            window: within("window", 0, 0, 512 << 20, Code::WINDOW)?,
            mss: within("MSS", 0, 0, 32_767, Code::MSS)?,
            no_delay: of.flag("nodelay"),
            tos: within("TOS", 0, 0, 255, Code::TOS)? as u8,
            flow_label: within("flowlabel", 0, 0, 0xf_ffff, Code::PARAMS)?,
            server_affinity: match of.int("server_affinity") {
                Some(0..) => Some(within("server_affinity", 0, 0, 1024, Code::PARAMS)?),
                _ => None,
            },
            congestion: congestion(&of)?,
            is_wide: of.flag("udp_counters_64bit"),
            repeats: of.flag("repeating_payload"),
            multipath: of.flag("mptcp"),
            zero_copy: of.flag("zerocopy"),
            dont_fragment: of.flag("dont_fragment"),
            skip_copy: of.flag("skip_rx_copy"),
            tx_copy: of.flag("tx_copy"),
            gso: of.flag("gso"),
            gro: of.flag("gro"),
            wants_output: of.flag("get_server_output"),
            title: text("title"),
            extra: text("extra_data"),
            token: of.text("authtoken").map(Token::new),
            version: text("client_version"),
        })
    }

    /// Whether the client is `waddleperf bandwidth`, as its version says.
    pub fn is_of_waddleperf(&self) -> bool {
        self.version.as_deref().is_some_and(|version| version.contains(OURS))
    }

    /// Streams of both directions together.
    pub const fn streams(&self) -> usize {
        self.parallel as usize * if self.bidirectional { 2 } else { 1 }
    }
}

/// The congestion control, by a name that a kernel may have.
fn congestion(of: &Object<'_>) -> Result<Option<String>, Refusal> {
    match of.text("congestion") {
        Some(name)
            if name.len() > LONGEST_CONGESTION || !name.bytes().all(|octet| octet.is_ascii_graphic()) =>
        {
            Err(Refusal::new(Code::CONGESTION, "`congestion` is no name of a congestion control"))
        }
        name => Ok(name.map(str::to_owned)),
    }
}

/// A text of a peer, for our records: no longer than they hold, and without control characters.
fn cut(text: &str) -> String {
    let mut kept: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let mut end = kept.len().min(LONGEST_TEXT);
    while !kept.is_char_boundary(end) {
        end -= 1;
    }
    kept.truncate(end);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: &Value) -> Option<Code> {
        Params::parse(value.to_string().as_bytes()).err().map(|refusal| refusal.code)
    }

    #[test]
    fn what_is_asked_is_read_again() {
        let all = Params {
            transport: Transport::Udp,
            omit: 2,
            time: 0,
            bytes: 1 << 40,
            length: 1400,
            parallel: 128,
            bidirectional: true,
            rate: 10_000_000_000,
            fq_rate: 5,
            burst: 10,
            window: 512 << 20,
            tos: 0xb8,
            flow_label: 0xf_ffff,
            server_affinity: Some(3),
            congestion: Some("bbr".to_owned()),
            is_wide: true,
            repeats: true,
            dont_fragment: true,
            gso: true,
            gro: true,
            wants_output: true,
            title: Some("a title".to_owned()),
            token: Some(Token::new("x".repeat(3000))),
            version: Some("3.21".to_owned()),
            ..Params::default()
        };
        for params in [Params::default(), all] {
            assert_eq!(Params::parse(params.to_json().to_string().as_bytes()), Ok(params));
        }
    }

    #[test]
    fn a_stock_clients_first_words_are_read() {
        // What 3.12 sends for `iperf3 -c HOST` (captured on loopback).
        let text = br#"{"tcp":true,"omit":0,"time":10,"num":0,"blockcount":0,"parallel":1,"len":131072,"pacing_timer":1000,"client_version":"3.12"}"#;
        let expected = Params { version: Some("3.12".to_owned()), ..Params::default() };
        assert_eq!(Params::parse(text), Ok(expected));
        assert_eq!(Params::parse(b"{}"), Ok(Params::default()));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_iperf3s_numbers() {
        let cases = [
            (json!({"sctp": true}), Code::PROTOCOL),
            (json!({"udp": true}), Code::UDP_SIZE),
            (json!({"udp": true, "len": 15}), Code::UDP_SIZE),
            (json!({"udp": true, "len": 65_508}), Code::UDP_SIZE),
            (json!({"len": 0}), Code::BLOCK_SIZE),
            (json!({"len": 1_048_577}), Code::BLOCK_SIZE),
            (json!({"len": -5}), Code::BLOCK_SIZE),
            (json!({"parallel": 0}), Code::PARALLEL),
            (json!({"parallel": 129}), Code::PARALLEL),
            (json!({"parallel": 2_147_483_648u64}), Code::PARALLEL),
            (json!({"time": 86_401}), Code::DURATION),
            (json!({"omit": 601}), Code::OMIT),
            (json!({"window": 1u64 << 31}), Code::WINDOW),
            (json!({"MSS": 40_000}), Code::MSS),
            (json!({"TOS": 256}), Code::TOS),
            (json!({"burst": 1001}), Code::BURST),
            (json!({"reverse": true, "bidirectional": true}), Code::BOTH_WAYS),
        ];
        for (params, expected) in cases {
            assert_eq!(code(&params), Some(expected), "{params}");
        }
        // What has the wrong type was not sent.
        assert_eq!(code(&json!({"parallel": "9999", "len": [], "title": 7})), None);
    }

    #[test]
    fn texts_are_cut_and_cleaned() {
        let value = json!({"title": format!("a\u{1b}[31m{}", "é".repeat(2000))}).to_string();
        let title = Params::parse(value.as_bytes()).expect("parameters").title.expect("a title");
        assert!(title.len() <= 1024 && title.starts_with("a[31mé"), "{title}");
    }
}
