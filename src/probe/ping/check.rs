//! What `ping` refuses before anything is sent, by the name of its option.

use super::{LEAST_INTERVAL, LONGEST, MOST_PAYLOAD, Mode, Ping};
use crate::failure::Fault;
use crate::probe::{Target, targets};

/// Packets that may be sent at once, by who is not root.
const MOST_PRELOAD: u64 = 3;
/// Most packets of one run: each keeps 12 octets.
const MOST_PACKETS: u64 = 1 << 32;

impl Ping {
    /// Refuses what cannot be measured.
    ///
    /// # Errors
    /// The option and what it may be.
    pub(super) fn check_all(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        self.check_targets()?;
        if self.count == 0 {
            return wrong("count", "0: send at least 1 packet");
        }
        if self.vcount == Some(0) {
            return wrong("vcount", "0: send at least 1 packet");
        }
        if self.packets() > MOST_PACKETS {
            return wrong("count", "is too large: 4294967296 packets at most, and --watch goes on for ever");
        }
        if self.port == Some(0) {
            return wrong("port", "0: name the target's port, 1-65535");
        }
        if (self.mode, self.port.is_some()) == (Some(Mode::Icmp), true) {
            return wrong(
                "port",
                "and --mode icmp exclude each other: echo messages know no port; leave one out",
            );
        }
        let [most4, most6] = MOST_PAYLOAD;
        if self.size > most6 {
            return wrong(
                "size",
                "is too large: an echo message carries at most 65507 octets, over IPv6 65527",
            );
        }
        if self.size > most4 && self.egress.family == crate::probe::Family::Ipv4 {
            return wrong("size", "is too large: an echo message over IPv4 carries at most 65507 octets");
        }
        if self.pattern().is_none_or(|pattern| pattern.len() > 16) {
            return wrong("pattern", "takes up to 16 octets in hexadecimal, such as ff00");
        }
        if self.tos.is_some() && self.egress.tos().is_some() {
            return wrong("tos", "and --dscp or --ecn say the same: give one");
        }
        self.check_pace()?;
        self.egress.check().map_err(|fault| fault.within("egress"))
    }

    fn check_pace(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        let spans = [
            ("interval", self.interval),
            ("per_target_interval", self.per_target_interval),
            ("timeout", self.timeout),
            ("deadline", self.deadline),
        ];
        if let Some((key, _)) = spans.iter().find(|(_, span)| span.is_some_and(|span| span.0 > LONGEST)) {
            return wrong(key, "is longer than a year");
        }
        if self.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            return wrong("timeout", "0: give each reply some time, such as 2s");
        }
        if self.deadline.is_some_and(|deadline| deadline.0.is_zero()) {
            return wrong("deadline", "0 leaves no time to send: give it some, such as 10s");
        }
        if !(1.0..=10.0).contains(&self.backoff) {
            return wrong("backoff", "takes 1 to 10");
        }
        if self.record_route {
            return wrong(
                "record_route",
                "is not offered: hardly a router answers it; `waddleperf mtr` finds the route",
            );
        }
        if self.identifier == Some(0) {
            return wrong("identifier", "takes 1 to 65535");
        }
        if self.identifier.is_some() && self.mode() != Mode::Icmp {
            return wrong("identifier", "is of no use: only echo messages have one");
        }
        for (key, asked) in [("adaptive", self.adaptive), ("preload", self.preload > 1)] {
            if asked && !self.is_single() {
                return wrong(key, "is for one target");
            }
        }
        if self.is_free() {
            return Ok(());
        }
        if self.preload > MOST_PRELOAD {
            return wrong("preload", "beyond 3 packets is for root; --force allows it to others");
        }
        if self.flood {
            return wrong("flood", "is for root; --force allows it to others");
        }
        let each = if self.is_single() { self.intervals(1).1 } else { self.intervals(2).1 };
        if each < LEAST_INTERVAL && self.packets() > 1 {
            let key = if self.is_single() && self.per_target_interval.is_none() {
                "interval"
            } else {
                "per_target_interval"
            };
            return wrong(key, "below 2ms for one target is for root; --force allows it to others");
        }
        Ok(())
    }

    fn check_targets(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
        if self.target.is_open() && self.file.is_none() {
            return wrong("target", "is missing: name the host to measure");
        }
        if self.generate
            && (self.more.len() != 1 || self.target.is_open())
            && !targets::is_many(self.target.as_str())
        {
            return wrong(
                "generate",
                "takes the first and the last address, or a network such as 10.0.0.0/24",
            );
        }
        if self.mode() != Mode::Http {
            let named = std::iter::once(&self.target).chain(&self.more);
            named.filter(|target| !target.is_open()).try_for_each(Target::check_host)?;
        }
        Ok(())
    }
}
