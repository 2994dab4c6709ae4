//! Section `[serve.iperf3]` of the configuration.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Network, Show};
use crate::failure::Fault;
use crate::report::text::rate;
use crate::units::Span;
use crate::wire::iperf3::{Params, Transport};

/// What a minute's count can tell apart.
const MOST_PER_MINUTE: u8 = 250;
/// Bounds of how far clocks may be apart.
const SKEWS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));

/// Bounds of an interval that is shown, as iperf3's.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);
/// A client may wait for its place so long at most.
const LONGEST_QUEUE: Span = Span::secs(30);

/// Limits of the iperf3 server: section `[serve.iperf3]`. 0 is no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Iperf3Settings {
    /// Tests at the same time. Who comes over it is told that the server is busy.
    pub sessions: u32,
    /// Tests of each source at the same time (IPv4 /32, IPv6 /64).
    pub sessions_per_source: u32,
    /// How long a client for whom there is no place waits for one before it hears that the server is busy; 0 is not at all,
    /// 30 s the most.
    pub queue: Span,
    /// Clients that wait so at the same time.
    pub queue_length: u32,
    /// Tests that a source may begin in a minute, up to 250. Who comes over it is told that the server is busy.
    pub tests_per_minute: u8,
    /// Streams of a test in each direction.
    pub streams: u32,
    /// Octets of a write or a datagram.
    pub length: u32,
    /// How long a test may take, with what it omits; of one that is to end with a number of octets, how long it may need.
    pub time: Span,
    /// Bits per second of a test over TCP, all its streams and both directions together. Who asks for more is refused; who
    /// asks for no rate gets this one.
    pub rate: u64,
    /// Bits per second of a test over UDP, the same. A client that sends more than that ends its test.
    pub udp_rate: u64,
    /// A client that sends may send from another address over UDP than it has over TCP, as behind some translators (NAT). Only one such
    /// test at a time can open its flows, and whoever sends a greeting meanwhile is taken for its client.
    pub udp_allow_nat: bool,
    /// Octets of a test.
    pub bytes: u64,
    /// Octets of all tests of a source in a day.
    pub bytes_per_source: u64,
    /// Octets of all tests in a day.
    pub bytes_total: u64,
    /// Octets of a socket buffer that a client may ask for; larger ones become this.
    pub window: u32,
    /// Copy what comes, as an application would, instead of having the kernel throw it away: what is measured then is the path
    /// and this host's memory. Our own clients ask for it with `--rx-copy`.
    pub rx_copy: bool,
    /// Copy what is sent, as most applications do, instead of lending the kernel the payload's own pages. Our own clients ask for
    /// it with `--tx-copy`.
    pub tx_copy: bool,
    /// Take connections over several paths (Multipath TCP) from clients that ask for them (`-m`). IPv6's flow label (`-L`) is then
    /// that of what the client sends alone.
    pub mptcp: bool,
    /// Networks (`192.0.2.0/24`) and addresses that may test; without any, all may that `deny` does not name.
    pub allow: Vec<Network>,
    /// Networks and addresses that may not test, whatever `allow` says.
    pub deny: Vec<Network>,
    /// File with the private RSA key (PEM, not locked) that logins are encrypted for. With it, clients must log in
    /// (`--username`); a token that is sent to a server without one is not looked at.
    pub rsa_private_key_path: Option<PathBuf>,
    /// File with a line `NAME,HASH` for each user, where HASH is SHA-256 of `{NAME}PASSWORD` in hexadecimal digits; lines that
    /// begin with `#` are comments. It is read at the start, and again on SIGHUP.
    pub authorized_users_path: Option<PathBuf>,
    /// How far the clocks of client and server may be apart, 1 s to 1 h: for twice this a token is remembered, and taken once.
    pub time_skew_threshold: Span,
    /// Also take logins of clients up to iperf 3.16, whose padding (PKCS#1 v1.5) is weaker.
    pub use_pkcs1_padding: bool,
    /// The server ends after one test: from the command line alone.
    #[serde(skip)]
    pub one_off: bool,
    /// How tests are shown on stdout, where they are: from the command line alone.
    #[serde(skip)]
    pub show: Option<Show>,
}

impl Iperf3Settings {
    /// Whether who comes from `address` may test.
    pub fn admits(&self, address: IpAddr) -> bool {
        let among = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        !among(&self.deny) && (self.allow.is_empty() || among(&self.allow))
    }

    /// Whether a test's receiver copies. Stock clients say only when they want it not to (from 3.19 on), and cannot see which it
    /// was; ours say what they want.
    pub(super) fn copies(&self, params: &Params) -> bool {
        let is_tcp = params.transport == Transport::Tcp;
        self.rx_copy || is_tcp && params.is_of_waddleperf() && !params.skip_copy
    }

    /// Whether a test's sender lends the kernel its pages instead of having it copy them.
    pub(super) const fn lends(&self, params: &Params) -> bool {
        !self.tx_copy && !params.tx_copy
    }

    /// Refuses what each key allows and all of them together do not.
    ///
    /// # Errors
    /// The key and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        match (&self.rsa_private_key_path, &self.authorized_users_path) {
            (Some(_), None) => {
                return Err(Fault::of(
                    "authorized_users_path",
                    "and rsa_private_key_path belong together: name both",
                ));
            }
            (None, Some(_)) => {
                return Err(Fault::of(
                    "rsa_private_key_path",
                    "and authorized_users_path belong together: name both",
                ));
            }
            _ => {}
        }
        if !(SKEWS.0..=SKEWS.1).contains(&self.time_skew_threshold.0) {
            return Err(Fault::of("time_skew_threshold", "takes 1 s to 1 h"));
        }
        if self.tests_per_minute > MOST_PER_MINUTE {
            return Err(Fault::of("tests_per_minute", "takes 250 at most, or 0 for any number"));
        }
        let interval = self.show.as_ref().map_or(Duration::ZERO, |show| show.interval);
        if !interval.is_zero() && !INTERVALS.contains(&interval) {
            return Err(Fault::of("iperf3_interval", "takes 100 ms to 60 s, or 0 for none"));
        }
        if self.queue > LONGEST_QUEUE {
            return Err(Fault::of("queue", format_args!("takes {LONGEST_QUEUE} at most")));
        }
        Ok(())
    }
}

impl fmt::Display for Iperf3Settings {
    /// What a test may do at most, in a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = |count: u64, what: &str| match count {
            0 => format!("{what} without limit"),
            _ => format!("{count} {what}"),
        };
        let time = if self.time.0.is_zero() { "any time".to_owned() } else { self.time.to_string() };
        let rate = |bps: u64| if bps == 0 { "any rate".to_owned() } else { rate(bps as f64) };
        let (tcp, udp) = (rate(self.rate), rate(self.udp_rate));
        let streams = most(self.streams.into(), "streams");
        write!(f, "{time}, {tcp} over TCP, {udp} over UDP, {streams}")
    }
}

impl Default for Iperf3Settings {
    fn default() -> Self {
        Self {
            sessions: 8,
            sessions_per_source: 2,
            queue: Span::secs(0),
            queue_length: 16,
            tests_per_minute: 60,
            streams: 16,
            length: 0,
            time: Span::secs(30),
            rate: 1_000_000_000,
            udp_rate: 100_000_000,
            udp_allow_nat: false,
            bytes: 5_000_000_000,
            bytes_per_source: 50_000_000_000,
            bytes_total: 500_000_000_000,
            window: 16 << 20,
            rx_copy: false,
            tx_copy: false,
            mptcp: false,
            allow: Vec::new(),
            deny: Vec::new(),
            rsa_private_key_path: None,
            authorized_users_path: None,
            time_skew_threshold: Span::secs(10),
            use_pkcs1_padding: false,
            one_off: false,
            show: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_denied_may_not_and_who_is_allowed_may() {
        let networks =
            |text: &str| text.split_whitespace().map(|of| of.parse().expect("a network")).collect();
        let may = |allow: &str, deny: &str, address: &str| {
            let settings =
                Iperf3Settings { allow: networks(allow), deny: networks(deny), ..Iperf3Settings::default() };
            settings.admits(address.parse().expect("an address"))
        };
        assert!(may("", "", "192.0.2.1"));
        assert!(may("192.0.2.0/24 ::1", "", "192.0.2.1") && may("192.0.2.0/24 ::1", "", "::1"));
        assert!(!may("192.0.2.0/24", "", "192.0.3.1") && !may("192.0.2.0/24", "", "2001:db8::1"));
        assert!(!may("", "192.0.2.0/24", "192.0.2.1") && may("", "192.0.2.0/24", "192.0.3.1"));
        assert!(!may("192.0.2.0/24", "192.0.2.1", "192.0.2.1"));
    }

    #[test]
    fn what_a_test_may_do_is_a_line() {
        let settings = Iperf3Settings::default();
        assert_eq!(settings.to_string(), "30s, 1 Gbit/s over TCP, 100 Mbit/s over UDP, 16 streams");
        let (time, streams) = (Span::secs(0), 0);
        let open = Iperf3Settings { time, rate: 0, udp_rate: 0, streams, ..settings };
        let expected = "any time, any rate over TCP, any rate over UDP, streams without limit";
        assert_eq!(open.to_string(), expected);
    }

    #[test]
    fn a_key_and_users_belong_together() {
        let settings = |key: Option<&str>, users: Option<&str>, skew| Iperf3Settings {
            rsa_private_key_path: key.map(PathBuf::from),
            authorized_users_path: users.map(PathBuf::from),
            time_skew_threshold: Span::secs(skew),
            ..Iperf3Settings::default()
        };
        let key = |settings: Iperf3Settings| settings.check().err().map(|fault| fault.path);
        assert_eq!(key(settings(Some("k"), Some("u"), 10)), None);
        assert_eq!(key(settings(Some("k"), None, 10)).as_deref(), Some("authorized_users_path"));
        assert_eq!(key(settings(None, Some("u"), 10)).as_deref(), Some("rsa_private_key_path"));
        assert_eq!(key(settings(None, None, 0)).as_deref(), Some("time_skew_threshold"));
    }
}
