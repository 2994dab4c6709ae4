//! Thresholds: `[probe.]scalar op value [unit]`, for autoperf and for `--fail-on`.
//!
//! Only the static kind is read here. The words of the later kinds (`baseline`, `line_rate`, `anomaly`,
//! `changed`, arithmetic, `and`, `or`) are known and refused, so that their meaning stays free.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::{KINDS, Kind, NAMES, Probe, Scalar, unit_of};
use crate::units::Unit;

/// Kinds whose reports name scalars of their own.
const CUSTOM: [&str; 2] = ["imported", "exec"];

/// Kinds that a threshold may be restricted to: all whose records there can be.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(Kind::name).chain(CUSTOM)
}

/// One condition on one headline number, such as `rtt_p95 > 100ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    probe: Option<String>,
    scalar: String,
    op: Op,
    value: f64,
    unit: Unit,
    text: String,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// Why a text is not a threshold, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("threshold `{text}`: {why}")]
pub struct BadThreshold {
    text: String,
    why: String,
}

impl Threshold {
    /// Reads a threshold.
    ///
    /// # Errors
    /// An unknown scalar (with the nearest known one), a missing or wrong unit (with a suggestion), a kind
    /// that this version does not have yet.
    pub fn parse(text: &str) -> Result<Self, BadThreshold> {
        read(text.trim()).map_err(|why| BadThreshold { text: text.trim().to_owned(), why })
    }

    /// The value among `scalars` that breaks it; `None` when none does or it was not measured.
    pub fn raised_by(&self, scalars: &[Scalar]) -> Option<f64> {
        self.value_in(scalars).filter(|&value| self.is_raised(value))
    }

    /// Whether it looks at probes of this `kind`.
    pub fn concerns(&self, kind: &str) -> bool {
        self.probe.as_deref().is_none_or(|probe| probe == kind)
    }

    /// Whether `probe` can ever break it.
    pub fn is_measured_by(&self, probe: &Probe) -> bool {
        self.concerns(probe.kind()) && probe.unmeasured().iter().any(|known| known.name == self.scalar)
    }

    /// Whether it is raised before `other` is, which looks at the same from the same side.
    pub fn precedes(&self, other: &Self) -> bool {
        let subject = |of: &Self| (of.probe.clone(), of.scalar.clone(), of.is_upper());
        let is_before = if self.is_upper() { self.value < other.value } else { self.value > other.value };
        subject(self) == subject(other) && is_before
    }

    /// The name of the scalar that it looks at.
    pub fn scalar(&self) -> &str {
        &self.scalar
    }

    /// The base unit of [`limit`](Self::limit) and of the values compared with it.
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The value from which it is raised, in the base unit.
    pub const fn limit(&self) -> f64 {
        self.value
    }

    /// As written, with single spaces.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether higher values are the worse ones.
    pub const fn is_upper(&self) -> bool {
        matches!(self.op, Op::Above | Op::AtLeast)
    }

    /// Whether a raise leads to the next tier. An ageing certificate or one hop more is told, not diagnosed.
    pub fn escalates(&self) -> bool {
        !matches!(self.scalar.as_str(), "tls_expires_in" | "hops")
    }

    /// The measured value that it looks at.
    pub fn value_in(&self, scalars: &[Scalar]) -> Option<f64> {
        let mut found = scalars.iter().filter(|scalar| scalar.name == self.scalar);
        found.find(|scalar| scalar.unit == self.unit)?.value
    }

    /// Whether `value` breaks it.
    pub fn is_raised(&self, value: f64) -> bool {
        match self.op {
            Op::Above => value > self.value,
            Op::AtLeast => value >= self.value,
            Op::Below => value < self.value,
            Op::AtMost => value <= self.value,
        }
    }

    /// Whether `value` lies in the clear zone: below `clear_at` times the limit, above its inverse for lower limits.
    ///
    /// Codes and counts do not hover round a limit, and a limit of zero has no zone: there, not raised is clear.
    pub fn is_clear(&self, value: f64, clear_at: f64) -> bool {
        let hovers = self.value > 0.0 && (self.unit != Unit::None || self.scalar == "rpm");
        match (hovers, self.is_upper()) {
            (false, _) => !value.is_nan() && !self.is_raised(value),
            (true, true) => value < clear_at * self.value,
            (true, false) => value > self.value / clear_at,
        }
    }
}

fn read(text: &str) -> Result<Threshold, String> {
    refuse_later_kinds(text)?;
    let at = text.find(['<', '>']).ok_or("no comparison: write it as `rtt_p95 > 100ms`")?;
    let (subject, rest) = (text[..at].trim(), &text[at..]);
    let (op, word, rest) = read_op(rest);
    let (number, unit_word) = split_number(rest.trim())?;
    let (probe, scalar) = match subject.split_once('.') {
        Some((probe, scalar)) => (Some(probe), scalar),
        None => (None, subject),
    };
    if let Some(probe) = probe.filter(|probe| !kinds().any(|kind| kind == *probe)) {
        let hint = nearest(probe, kinds());
        return Err(format!("no probe is called `{probe}`; the nearest is `{hint}`"));
    }
    let (unit, scale) = match (unit_of(scalar), probe) {
        (Some(unit), _) => (unit, scale_of(unit, scalar, number, unit_word)?),
        (None, Some(kind)) if CUSTOM.contains(&kind) && is_name(scalar) => custom_unit(unit_word)?,
        (None, _) => {
            let hint = nearest(scalar, NAMES.iter().map(|(name, _)| *name));
            return Err(format!("no scalar is called `{scalar}`; the nearest is `{hint}`"));
        }
    };
    let value = number.parse::<f64>().map_err(|_| format!("`{number}` is not a number"))?;
    if unit == Unit::Ratio && value * scale > 1.0 && unit_of(scalar).is_some() {
        return Err(format!("{scalar} is never above 100%"));
    }
    Ok(Threshold {
        probe: probe.map(str::to_owned),
        scalar: scalar.to_owned(),
        op,
        value: value * scale,
        unit,
        text: format!("{subject} {word} {number}{unit_word}"),
    })
}

fn refuse_later_kinds(text: &str) -> Result<(), String> {
    let not_yet = |kind: &str| {
        Err(format!("{kind} thresholds are not there yet; write a fixed value, as `rtt_p95 > 100ms`"))
    };
    let has =
        |wanted: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == wanted);
    match () {
        () if has("baseline") || has("line_rate") => not_yet("relative"),
        () if has("anomaly") => not_yet("anomaly"),
        () if has("changed") => not_yet("change"),
        () if has("and") || has("or") || has("not") || text.contains(['+', '*', '(', ')']) => {
            not_yet("expression")
        }
        () => Ok(()),
    }
}

fn read_op(text: &str) -> (Op, &'static str, &str) {
    let ops = [(">=", Op::AtLeast), ("<=", Op::AtMost), (">", Op::Above), ("<", Op::Below)];
    for (word, op) in ops {
        if let Some(rest) = text.strip_prefix(word) {
            return (op, word, rest);
        }
    }
    (Op::Above, ">", text)
}

/// The number at the front and the unit behind it.
fn split_number(text: &str) -> Result<(&str, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    if end == 0 {
        return Err(format!("`{text}` is not a number with its unit"));
    }
    Ok((&text[..end], text[end..].trim()))
}

/// The size of `word` in the base `unit`.
fn scale_of(unit: Unit, scalar: &str, number: &str, word: &str) -> Result<f64, String> {
    let word = if word == "µs" { "us" } else { word };
    let words = unit.words();
    if words.is_empty() && word.is_empty() {
        return Ok(1.0);
    }
    if words.is_empty() {
        return Err(format!("{scalar} has no unit: write `{number}`"));
    }
    let known = || {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    };
    let found = words.iter().find(|(name, _)| *name == word);
    found.map(|&(_, scale)| scale).ok_or_else(|| match word {
        "" => format!("`{number}` needs a unit, such as `{number}{}` ({})", usual(unit), known()),
        _ => format!("`{word}` is not a unit of {scalar}: {}", known()),
    })
}

/// The unit that a custom scalar's limit is written in; none for a bare number.
fn custom_unit(word: &str) -> Result<(Unit, f64), String> {
    if word.is_empty() {
        return Ok((Unit::None, 1.0));
    }
    let units = [Unit::Seconds, Unit::Ratio, Unit::BitsPerSecond, Unit::Bytes];
    for unit in units {
        if let Some(&(_, scale)) = unit.words().iter().find(|(name, _)| *name == word) {
            return Ok((unit, scale));
        }
    }
    Err(format!("`{word}` is not a unit"))
}

const fn usual(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "ms",
        Unit::Ratio => "%",
        Unit::BitsPerSecond => "Mbit/s",
        Unit::Bytes => "B",
        Unit::None => "",
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The word of `known` that is the fewest edits away from `word`.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    known.min_by_key(|name| edits(word, name)).unwrap_or_default()
}

/// Levenshtein's distance in octets; only words of usual length are compared.
fn edits(a: &str, b: &str) -> usize {
    let a = &a.as_bytes()[..a.len().min(64)];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = corner + usize::from(*x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

impl FromStr for Threshold {
    type Err = BadThreshold;

    fn from_str(text: &str) -> Result<Self, BadThreshold> {
        Self::parse(text)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Threshold {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "[probe.]scalar, one of > >= < <=, a value with its unit",
            "examples": ["rtt_p95 > 100ms", "udpping.loss_ratio > 5%", "throughput < 100Mbit/s"]
        })
    }
}

/// The body of the fuzz target for thresholds: any text is taken or refused with a reason, and what is taken reads
/// back as it is written.
///
/// # Panics
/// When that does not hold.
pub fn fuzz_threshold(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    match Threshold::parse(text) {
        Ok(threshold) => assert_eq!(Threshold::parse(&threshold.to_string()), Ok(threshold)),
        Err(bad) => assert!(!bad.to_string().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in "(rtt_p95|loss_ratio|udpping\\.jitter|\\PC{0,8}) ?[<>]=? ?[0-9.e]{0,6} ?(ms|%|s|\\PC{0,3})") {
            fuzz_threshold(text.as_bytes());
        }
    }

    use proptest::prelude::*;

    fn of(name: &'static str, unit: Unit, value: f64) -> [Scalar; 1] {
        [Scalar { name: name.into(), unit, value: Some(value) }]
    }

    #[test]
    fn what_fuzzing_found_stays_mended() {
        for text in ["imported.or>2.", "exec.and<1s", "not>1"] {
            fuzz_threshold(text.as_bytes());
            assert!(Threshold::parse(text).is_err(), "{text}: a word of later kinds is not a name");
        }
    }

    #[test]
    fn values_are_read_into_base_units() {
        for (text, limit, written) in [
            ("rtt_p95 > 100ms", 0.1, "rtt_p95 > 100ms"),
            ("rtt_p95>100 ms", 0.1, "rtt_p95 > 100ms"),
            (" loss_ratio >= 5% ", 0.05, "loss_ratio >= 5%"),
            ("udpping.jitter > 500us", 0.0005, "udpping.jitter > 500us"),
            ("throughput < 1.5Gbit/s", 1.5e9, "throughput < 1.5Gbit/s"),
            ("tls_expires_in <= 14d", 1_209_600.0, "tls_expires_in <= 14d"),
            ("pmtu < 1280B", 1280.0, "pmtu < 1280B"),
            ("http_status >= 400", 400.0, "http_status >= 400"),
            ("imported.vpn_up < 1", 1.0, "imported.vpn_up < 1"),
            ("exec.queue > 2s", 2.0, "exec.queue > 2s"),
        ] {
            let threshold = Threshold::parse(text).expect(text);
            assert!((threshold.limit() - limit).abs() < 1e-9 * limit, "{text}");
            assert_eq!(threshold.as_str(), written);
            assert_eq!(Threshold::parse(written), Ok(threshold), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_remedy() {
        for (text, why) in [
            ("rtt_p95 > 100", "`100` needs a unit, such as `100ms` (ns, us, ms, s, m, h, d)"),
            ("loss_ratio > 0.05", "`0.05` needs a unit, such as `0.05%` (%)"),
            ("throughput < 10", "`10` needs a unit, such as `10Mbit/s` (bit/s, kbit/s, Mbit/s, Gbit/s)"),
            ("rtt_95 > 1ms", "no scalar is called `rtt_95`; the nearest is `rtt_p95`"),
            ("loss_rate > 1%", "no scalar is called `loss_rate`; the nearest is `loss_ratio`"),
            ("upping.rtt_p95 > 1ms", "no probe is called `upping`; the nearest is `udpping`"),
            ("udpping.vpn_up < 1", "no scalar is called `vpn_up`; the nearest is `lookup`"),
            ("http_status > 400ms", "http_status has no unit: write `400`"),
            ("loss_ratio > 150%", "loss_ratio is never above 100%"),
            ("loss_ratio > 5ms", "`ms` is not a unit of loss_ratio: %"),
            ("rtt_p95", "no comparison: write it as `rtt_p95 > 100ms`"),
            ("rtt_p95 > fast", "`fast` is not a number with its unit"),
            ("rtt_p95 > -5ms", "`-5ms` is not a number with its unit"),
            ("rtt_p95 > 1.2.3ms", "`1.2.3` is not a number"),
            (
                "rtt_p95 > 1.5x baseline.p95",
                "relative thresholds are not there yet; write a fixed value, as `rtt_p95 > 100ms`",
            ),
            (
                "rtt_p95 anomaly > 0.99",
                "anomaly thresholds are not there yet; write a fixed value, as `rtt_p95 > 100ms`",
            ),
            (
                "rtt_p95 changed up by 20%",
                "change thresholds are not there yet; write a fixed value, as `rtt_p95 > 100ms`",
            ),
            (
                "rtt_p95 > 1s and jitter > 2s",
                "expression thresholds are not there yet; write a fixed value, as `rtt_p95 > 100ms`",
            ),
        ] {
            let error = Threshold::parse(text).expect_err(text).to_string();
            assert_eq!(error, format!("threshold `{text}`: {why}"));
        }
    }

    #[test]
    fn raised_clear_and_between() {
        let upper = Threshold::parse("rtt_p95 > 100ms").expect("a threshold");
        for (value, raised, clear) in [(0.101, true, false), (0.1, false, false), (0.079, false, true)] {
            let seen = of("rtt_p95", Unit::Seconds, value);
            assert_eq!(upper.raised_by(&seen), raised.then_some(value));
            assert_eq!(upper.is_clear(value, 0.8), clear, "{value}");
        }
        let lower = Threshold::parse("throughput < 80Mbit/s").expect("a threshold");
        for (value, raised, clear) in [(79e6, true, false), (90e6, false, false), (101e6, false, true)] {
            assert_eq!((lower.is_raised(value), lower.is_clear(value, 0.8)), (raised, clear));
        }
        let code = Threshold::parse("exec.up < 1").expect("a threshold");
        assert!(code.is_clear(1.0, 0.8) && !code.is_clear(0.0, 0.8));
        let none = Threshold::parse("loss_ratio > 0%").expect("a threshold");
        assert!(none.is_clear(0.0, 0.8) && none.is_raised(0.01));
    }

    #[test]
    fn what_was_not_measured_raises_nothing() {
        let threshold = Threshold::parse("rtt_p95 < 1s").expect("a threshold");
        let absent = [Scalar::time("rtt_p95", None)];
        assert_eq!(threshold.raised_by(&absent), None);
        assert_eq!(threshold.raised_by(&of("rtt_p95", Unit::Seconds, f64::NAN)), None);
        assert_eq!(threshold.raised_by(&[]), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = Threshold::parse(&text);
        }

        #[test]
        fn no_near_miss_panics(text in "(udpping\\.|exec\\.)?(rtt_p95|loss_ratio|x)? ?[<>]{0,2}=? ?[0-9.]{0,5} ?(ms|%|µs|bit/s)?") {
            if let Ok(threshold) = Threshold::parse(&text) {
                prop_assert_eq!(Threshold::parse(threshold.as_str()), Ok(threshold));
            }
        }
    }
}
