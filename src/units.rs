//! Quantities and how they are written: spans of time, bit rates, moments, and the unit of a scalar.
//!
//! Not here: how a quantity looks to a person (`report::text`) and how it is measured. Durations are
//! [`std::time::Duration`]; [`Span`] is a duration as an *option*, which is written with its unit.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment of wall-clock time, RFC 3339 in UTC when written. A label, never the end of a subtraction.
pub type Timestamp = jiff::Timestamp;

/// One moment on both clocks, read together and passed down: engines and state machines own no clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time, for durations.
    pub mono: Instant,
    /// Nanoseconds since the Unix epoch (`CLOCK_REALTIME`), for timestamps on the wire and in records.
    pub wall: u64,
}

impl Now {
    /// This moment, `span` later on both clocks.
    pub fn after(self, span: Duration) -> Self {
        Self { mono: self.mono + span, wall: self.wall.saturating_add(nanos(span)) }
    }

    /// The wall clock's reading as a timestamp.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.wall)).unwrap_or(Timestamp::MAX)
    }
}

/// Whole nanoseconds of `span`, saturating after 584 years.
pub fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// A span of time as an option: always written with its unit (`200ms`, `1.5s`, `1h30m`).
///
/// On the command line a bare number means seconds, as ping, mtr, iperf3 and curl users expect; in
/// files and in the API the unit is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub Duration);

/// Why a text is not a quantity. The message says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuantity {
    /// A number without its unit, where one is required.
    #[error("`{0}` needs a unit, such as `{0}{1}`")]
    NoUnit(String, &'static str),
    /// Neither a number nor a number with a known unit.
    #[error("`{0}` is not {1}")]
    Unreadable(String, &'static str),
}

const SPAN_FORM: &str = "a span of time (a number with ns, us, ms, s, m, h or d, such as 200ms)";
const SPAN_UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl Span {
    /// A span of whole milliseconds.
    pub const fn millis(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    /// A span of whole seconds.
    pub const fn secs(s: u64) -> Self {
        Self(Duration::from_secs(s))
    }

    /// Reads a span whose unit is written out, as files and the API require.
    ///
    /// # Errors
    /// A bare number, an unknown unit, a negative or an impossible number.
    pub fn with_unit(text: &str) -> Result<Self, BadQuantity> {
        if text.parse::<f64>().is_ok() {
            return Err(BadQuantity::NoUnit(text.to_owned(), "ms"));
        }
        let unreadable = || BadQuantity::Unreadable(text.to_owned(), SPAN_FORM);
        let mut rest = text.trim().replace('µ', "u");
        if rest.is_empty() {
            return Err(unreadable());
        }
        let mut total = 0f64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(unreadable)?;
            let tail = rest.split_off(digits);
            let unit_end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, next) = tail.split_at(unit_end);
            let (_, scale) = SPAN_UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(unreadable)?;
            total += rest.parse::<f64>().map_err(|_| unreadable())? * *scale as f64;
            rest = next.to_owned();
        }
        // 2^63 ns is 292 years; beyond it nobody means what he wrote.
        if total < 9.2e18 { Ok(Self(Duration::from_nanos(total.round() as u64))) } else { Err(unreadable()) }
    }
}

impl FromStr for Span {
    type Err = BadQuantity;

    /// Reads a span as the command line does: a bare number is seconds.
    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        match text.parse::<f64>() {
            Ok(_) => Self::with_unit(&format!("{text}s")),
            Err(_) => Self::with_unit(text),
        }
    }
}

impl fmt::Display for Span {
    /// The shortest exact form: `200ms`, `1.5s`, `90s`, `100us`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = nanos(self.0);
        if ns == 0 {
            return f.write_str("0s");
        }
        let whole = SPAN_UNITS.iter().find(|(_, scale)| ns.is_multiple_of(*scale));
        let (unit, scale) = whole.unwrap_or(&("ns", 1));
        write!(f, "{}{unit}", ns / scale)
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SpanVisitor)
    }
}

/// Reads a span, and tells a bare number what it lacks.
struct SpanVisitor;

impl serde::de::Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span of time with its unit, such as \"200ms\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
        Span::with_unit(text).map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Span, E> {
        Err(E::custom(format_args!("{number} has no unit: write \"{number}ms\"")))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Span, E> {
        Err(E::custom(format_args!("{number} has no unit: write \"{number}ms\"")))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Span, E> {
        Err(E::custom(format_args!("{number} has no unit: write \"{number}ms\"")))
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "a span of time with its unit: ns, us, ms, s, m, h, d",
            "pattern": r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d))+$",
            "examples": ["200ms", "1.5s"]
        })
    }
}

/// The unit of a [`Scalar`](crate::probe::Scalar), always a base unit: seconds, a ratio 0–1, bit/s, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A part of one, 0–1.
    Ratio,
    /// Bits per second.
    BitsPerSecond,
    /// Octets.
    Bytes,
    /// A plain count or code: hops, ports, an HTTP status, RPM.
    None,
}

impl Unit {
    /// The ending of a metric's name, empty for plain counts.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Seconds => "_seconds",
            Self::Ratio => "_ratio",
            Self::BitsPerSecond => "_bits_per_second",
            Self::Bytes => "_bytes",
            Self::None => "",
        }
    }

    /// The words in which a person writes a value of this unit, each with its size in the base unit.
    pub const fn words(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Seconds => &[
                ("ns", 1e-9),
                ("us", 1e-6),
                ("ms", 1e-3),
                ("s", 1.0),
                ("m", 60.0),
                ("h", 3600.0),
                ("d", 86400.0),
            ],
            Self::Ratio => &[("%", 0.01)],
            Self::BitsPerSecond => &[("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)],
            Self::Bytes => &[("B", 1.0), ("KiB", 1024.0), ("MiB", 1_048_576.0), ("GiB", 1_073_741_824.0)],
            Self::None => &[],
        }
    }
}

/// Serialises a [`Duration`] as milliseconds with nanosecond resolution: fields named `*_ms`.
pub mod ms {
    use super::Duration;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Milliseconds of `span`, to the nanosecond.
    pub fn of(span: Duration) -> f64 {
        span.as_nanos() as f64 / 1e6
    }

    /// The span of `ms` milliseconds; `None` when negative, not finite or beyond 292 years.
    pub fn to(ms: f64) -> Option<Duration> {
        let ns = (ms * 1e6).round();
        (0.0..9.2e18).contains(&ns).then(|| Duration::from_nanos(ns as u64))
    }

    /// See the module.
    pub fn serialize<S: Serializer>(span: &Duration, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_f64(of(*span))
    }

    /// See the module.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        to(f64::deserialize(from)?).ok_or_else(|| serde::de::Error::custom("not a duration in ms"))
    }

    /// The same for a duration that may not have been measured: null, never zero.
    pub mod option {
        use super::{Deserialize, Deserializer, Duration, Serializer};

        /// See the module.
        pub fn serialize<S: Serializer>(span: &Option<Duration>, out: S) -> Result<S::Ok, S::Error> {
            match span {
                Some(span) => out.serialize_some(&super::of(*span)),
                None => out.serialize_none(),
            }
        }

        /// See the module.
        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
            let ms = Option::<f64>::deserialize(from)?;
            ms.map(|ms| super::to(ms).ok_or_else(|| serde::de::Error::custom("not a duration in ms")))
                .transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bare_number_is_seconds_only_on_the_command_line() {
        assert_eq!("0.2".parse::<Span>(), Ok(Span::millis(200)));
        assert_eq!(Span::with_unit("0.2").unwrap_err().to_string(), "`0.2` needs a unit, such as `0.2ms`");
    }

    #[test]
    fn spans_are_read_with_every_unit_and_written_shortest() {
        for (text, ns, shown) in [
            ("100us", 100_000, "100us"),
            ("100µs", 100_000, "100us"),
            ("1.5s", 1_500_000_000, "1500ms"),
            ("1h30m", 5_400_000_000_000, "90m"),
            ("0s", 0, "0s"),
            ("2d", 172_800_000_000_000, "2d"),
        ] {
            let span = Span::with_unit(text).expect(text);
            assert_eq!((nanos(span.0), span.to_string().as_str()), (ns, shown), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for text in ["", "ms", "-1s", "1 s", "1x", "nans", "infs", "1e400s", "999999999999d", "1s2"] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_span_survives_its_text(ns in 0u64..9_000_000_000_000_000) {
            let span = Span(Duration::from_nanos(ns));
            prop_assert_eq!(Span::with_unit(&span.to_string()), Ok(span));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = text.parse::<Span>();
        }
    }
}
