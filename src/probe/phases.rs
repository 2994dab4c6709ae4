//! The phases of asking one thing over a connection, so that every probe that has them names and times them alike.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::percentile;
use crate::units::ms;

/// How long each phase took. They follow one another; what lies between them (attempts that came to nothing) is in `total_ms`
/// alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phases {
    /// The name's look-up, A and AAAA at once (with `--http3` HTTPS, too); null for an address, a name that was given one, and a connection that was there.
    #[serde(rename = "dns_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub dns: Option<Duration>,
    /// From the SYN of the attempt that won to the answer to it, as the kernel measured it where it did; over QUIC the whole handshake, TLS included. Null where the
    /// connection was there.
    #[serde(rename = "connect_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub connect: Option<Duration>,
    /// The TLS handshake; null without one, and over QUIC.
    #[serde(rename = "tls_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub tls: Option<Duration>,
    /// Until the last octet of the request was handed to the kernel.
    #[serde(rename = "request_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub request: Option<Duration>,
    /// From there to the first octet of the answer's head.
    #[serde(rename = "first_byte_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub first_byte: Option<Duration>,
    /// From there to the end of the answer's body.
    #[serde(rename = "transfer_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub transfer: Option<Duration>,
    /// From the beginning to the end, without what judging a certificate took, which is no time of the network or the server.
    #[serde(rename = "total_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub total: Duration,
}

impl Phases {
    /// The parts in their order, by the names that a person reads.
    pub fn parts(&self) -> [(&'static str, Option<Duration>); 6] {
        [
            ("dns", self.dns),
            ("connect", self.connect),
            ("tls", self.tls),
            ("request", self.request),
            ("first byte", self.first_byte),
            ("transfer", self.transfer),
        ]
    }

    /// Those of several that were timed, phase by phase, as `of` makes one of many.
    fn each(all: &[Self], of: impl Fn(Vec<Duration>) -> Option<Duration>) -> Self {
        let part = |part: fn(&Self) -> Option<Duration>| of(all.iter().filter_map(part).collect());
        Self {
            dns: part(|one| one.dns),
            connect: part(|one| one.connect),
            tls: part(|one| one.tls),
            request: part(|one| one.request),
            first_byte: part(|one| one.first_byte),
            transfer: part(|one| one.transfer),
            total: part(|one| Some(one.total)).unwrap_or_default(),
        }
    }

    /// One after the other: each phase is the sum of theirs.
    pub fn sum(all: &[Self]) -> Self {
        Self::each(all, |times| (!times.is_empty()).then(|| times.iter().sum()))
    }

    /// The quantile `q` (0-1) of each phase, by nearest rank.
    pub fn quantile(all: &[Self], q: f64) -> Self {
        Self::each(all, |mut times| {
            times.sort_unstable();
            percentile(&times, q)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_timed_is_no_zero() {
        let ms = Duration::from_millis;
        let of = |dns: Option<u64>, total| Phases { dns: dns.map(ms), total: ms(total), ..Phases::default() };
        let all = [of(Some(4), 10), of(None, 30), of(Some(2), 20)];
        let sum = Phases::sum(&all);
        assert_eq!((sum.dns, sum.tls, sum.total), (Some(ms(6)), None, ms(60)));
        let median = Phases::quantile(&all, 0.5);
        assert_eq!((median.dns, median.tls, median.total), (Some(ms(2)), None, ms(20)));
    }
}
