//! What `bandwidth` refuses before a server is asked, by the name of its option.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::{Bandwidth, By};
use crate::failure::Fault;
use crate::wire::iperf3::{Params, Transport};

/// Streams of each direction at most, as iperf3's servers allow.
const MOST_STREAMS: u16 = 128;
/// A test is no longer than a day.
const LONGEST: Duration = Duration::from_secs(86_400);
/// What is omitted is no longer than iperf3 allows.
const LONGEST_OMIT: Duration = Duration::from_secs(600);
/// Bounds of a trial.
const TRIALS: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(60);
/// Bounds of an interval.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);

/// Octets of a title and of what goes with it: servers take parameters of 8 KiB (iperf3-protocol.md §7).
const MOST_WORDS: usize = 6000;

impl Bandwidth {
    /// Refuses what cannot be asked.
    ///
    /// # Errors
    /// The option and what it may be.
    pub(super) fn check_all(&self) -> Result<(), Fault> {
        if self.target.is_open() {
            return Err(Fault::of("target", "is missing: name the server"));
        }
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
        if !self.interval.0.is_zero() && !INTERVALS.contains(&self.interval.0) {
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
            (self.udp && self.mptcp, "mptcp", "TCP"),
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
        let octets =
            |text: &Option<String>| text.as_ref().map_or(0, |text| Value::from(&**text).to_string().len());
        if octets(&self.title) + octets(&self.extra_data) > MOST_WORDS {
            let why = format_args!("takes {MOST_WORDS} octets at most, together with the title");
            return Err(Fault::of("extra-data", why));
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
}
