//! iperf3's own numbers of what went wrong: what a server says before it closes.

use std::fmt;

/// A number that a server sends after [`State::ServerError`](super::State::ServerError), and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub i32);

macro_rules! codes {
    ($($(#[$told:meta])* $name:ident = $number:literal $text:literal;)*) => {
        impl Code {
            $($(#[$told])* pub const $name: Self = Self($number);)*

            const TEXTS: &'static [(i32, &'static str)] = &[$(($number, $text),)*];
        }
    };
}

codes! {
    /// A test that is too long.
    DURATION = 5 "the test would be too long";
    /// Too many streams.
    PARALLEL = 6 "too many parallel streams";
    /// A block size that is none.
    BLOCK_SIZE = 7 "the block size is too large or none";
    /// A window that is too large.
    WINDOW = 8 "the window is too large";
    /// A segment size that is too large.
    MSS = 10 "the segment size is too large";
    /// A time to omit that is too long.
    OMIT = 12 "the time to omit is too long";
    /// Something that this server does not do.
    NOT_IMPLEMENTED = 13 "not implemented";
    /// A burst that is too large.
    BURST = 15 "the burst is too large";
    /// A datagram that is too long or too short.
    UDP_SIZE = 20 "the datagram's length is out of bounds";
    /// A type of service that is none.
    TOS = 21 "the type of service is out of bounds";
    /// Both `--reverse` and `--bidir`.
    BOTH_WAYS = 25 "reverse and bidirectional exclude each other";
    /// More than the server's limit of the rate.
    RATE = 27 "the rate is larger than the server's limit";
    /// Longer than the server's limit; unknown before iperf 3.20.
    TIME_LIMIT = 37 "the test is longer than the server's limit";
    /// No cookie came.
    COOKIE = 106 "no cookie";
    /// An unknown byte.
    MESSAGE = 110 "an unknown message";
    /// Parameters that are none.
    PARAMS = 114 "the parameters cannot be read";
    /// Results that are none.
    RESULTS = 117 "the results cannot be read";
    /// The client was interrupted.
    CLIENT_TERMINATED = 119 "the client has terminated";
    /// The server was interrupted.
    SERVER_TERMINATED = 120 "the server has terminated";
    /// The server is busy.
    BUSY = 121 "the server is busy running a test";
    /// A protocol that this server does not speak.
    PROTOCOL = 131 "this protocol is not supported";
    /// A congestion control that cannot be set.
    CONGESTION = 134 "the congestion control cannot be set";
    /// A socket buffer that is smaller than was asked.
    BUFFER = 141 "the socket buffer cannot be set to the size that was asked for";
    /// A login that failed.
    AUTH = 142 "test authorization failed";
    /// No data came for too long.
    NO_DATA = 144 "no data came within the timeout";
    /// The test went on for too long.
    EXPIRED = 160 "the test's time is over";
    /// A data connection did not come.
    STREAM_ACCEPT = 204 "a stream could not be accepted";
    /// Results of a stream that is none.
    STREAM_ID = 208 "results of a stream that does not exist";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::TEXTS.iter().find(|(number, _)| *number == self.0) {
            Some((number, text)) => write!(f, "{text} (iperf3's error {number})"),
            None => write!(f, "iperf3's error {}", self.0),
        }
    }
}

/// Why what a peer has sent is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// The number that the peer understands.
    pub code: Code,
    /// What is wrong, for our log.
    pub what: String,
}

impl Refusal {
    /// Refuses with `code`, because of `what`.
    pub fn new(code: Code, what: impl fmt::Display) -> Self {
        Self { code, what: what.to_string() }
    }

    /// Refuses what was said where something else was `awaited`.
    pub fn unexpected(said: impl fmt::Display, awaited: &str) -> Self {
        Self::new(Code::MESSAGE, format_args!("{said}, where {awaited} was expected"))
    }
}
