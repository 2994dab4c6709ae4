//! The compact form of a record: its headline numbers and its sketch, without the JSON.
//!
//! Octets: version (1), flags, the failure's class, sent, lost, the scalars, the sketch. Numbers of known names cost
//! nine octets. A chart of 100,000 points reads these and nothing else.

use std::borrow::Cow;

use super::record::Record;
use crate::failure::Class;
use crate::probe::{Findings, Packets, Report, Scalar, Scalars};
use crate::stats::{Sketch, put_varint, take_varint};
use crate::units::Unit;

const VERSION: u8 = 1;
const FAILED: u8 = 1;
const SKETCHED: u8 = 2;

/// The scalars that have a code on disk. Append only: the place in this list is the code minus one.
const CODES: [(&str, Unit); 36] = [
    ("rtt_min", Unit::Seconds),
    ("rtt_mean", Unit::Seconds),
    ("rtt_p50", Unit::Seconds),
    ("rtt_p95", Unit::Seconds),
    ("rtt_p99", Unit::Seconds),
    ("rtt_max", Unit::Seconds),
    ("jitter", Unit::Seconds),
    ("loss_ratio", Unit::Ratio),
    ("up_loss_ratio", Unit::Ratio),
    ("down_loss_ratio", Unit::Ratio),
    ("lookup", Unit::Seconds),
    ("connect", Unit::Seconds),
    ("tls", Unit::Seconds),
    ("first_byte", Unit::Seconds),
    ("transfer", Unit::Seconds),
    ("total", Unit::Seconds),
    ("http_status", Unit::None),
    ("throughput", Unit::BitsPerSecond),
    ("throughput_up", Unit::BitsPerSecond),
    ("throughput_down", Unit::BitsPerSecond),
    ("rpm", Unit::None),
    ("pmtu", Unit::Bytes),
    ("hops", Unit::None),
    ("open_ports", Unit::None),
    ("tls_expires_in", Unit::Seconds),
    ("retransmit_ratio", Unit::Ratio),
    ("kernel_drop_ratio", Unit::Ratio),
    ("zero_windows", Unit::None),
    ("resets", Unit::None),
    ("reverse_pmtu", Unit::Bytes),
    ("black_hole", Unit::None),
    ("findings", Unit::None),
    ("steal_ratio", Unit::Ratio),
    ("unmet_expectations", Unit::None),
    ("qps", Unit::None),
    ("latency_increase", Unit::Seconds),
];

/// What charts and roll-ups need of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point {
    /// Why there is no report, if there is none.
    pub failed: Option<Class>,
    /// Packets sent whose fate is known; 0 where the probe counts none.
    pub sent: u64,
    /// Of those, lost on the round trip.
    pub lost: u64,
    /// The numbers that were measured.
    pub scalars: Vec<(Cow<'static, str>, Unit, f64)>,
    /// All round-trip times in seconds, where the report has them.
    pub rtt: Option<Sketch>,
}

impl Point {
    /// The compact form of `record`.
    pub fn of(record: &Record) -> Self {
        let Record::Measurement(measured) = record else {
            return Self::default();
        };
        let mut point = Self { failed: record.failure().map(|failure| failure.class), ..Self::default() };
        if let crate::probe::Outcome::Report(report) = &measured.outcome {
            point.take(report);
        }
        point
    }

    fn take(&mut self, report: &Report) {
        self.scalars = report.scalars().into_iter().filter_map(measured).collect();
        if let Some(Packets { sent, lost, rtt }) = report.packets() {
            (self.sent, self.lost, self.rtt) = (sent, lost, Some(rtt));
        }
        self.rtt.take_if(|sketch| sketch.count() == 0);
    }

    /// The number called `name`, if it was measured.
    pub fn value(&self, name: &str) -> Option<f64> {
        let mut all = self.scalars.iter();
        all.find(|(known, _, _)| known == name).map(|&(_, _, value)| value)
    }

    /// This point as octets.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + 9 * self.scalars.len());
        let sketched = if self.rtt.is_some() { SKETCHED } else { 0 };
        let failed = if self.failed.is_some() { FAILED } else { 0 };
        out.extend([VERSION, failed | sketched]);
        out.extend(self.failed.map(code_of_class));
        put_varint(&mut out, self.sent);
        put_varint(&mut out, self.lost);
        put_varint(&mut out, self.scalars.len() as u64);
        for (name, unit, value) in &self.scalars {
            put_name(&mut out, name, *unit);
            out.extend(value.to_le_bytes());
        }
        if let Some(sketch) = &self.rtt {
            sketch.encode(&mut out);
        }
        out
    }

    /// Reads [`encode`](Self::encode)'s octets; `None` if they are anything else.
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let mut from = octets;
        let (mut point, scalars, flags) = head(&mut from)?;
        for _ in 0..scalars {
            let (name, unit) = take_name(&mut from)?;
            point.scalars.push((name, unit, take_f64(&mut from)?));
        }
        if flags & SKETCHED != 0 {
            point.rtt = Some(Sketch::decode(&mut from)?);
        }
        from.is_empty().then_some(point)
    }

    /// Only the number called `name` out of a point's octets: `Some(None)` when it was not measured.
    pub(super) fn one(octets: &[u8], name: &str) -> Option<Option<f64>> {
        let mut from = octets;
        let wanted = code_of(name);
        let (_, scalars, _) = head(&mut from)?;
        for _ in 0..scalars {
            let found = match *from.first()? {
                0 => take_name(&mut from)?.0 == name,
                code => {
                    from = &from[1..];
                    Some(code) == wanted
                }
            };
            let value = take_f64(&mut from)?;
            if found {
                return Some(Some(value));
            }
        }
        Some(None)
    }
}

fn measured(scalar: Scalar) -> Option<(Cow<'static, str>, Unit, f64)> {
    let value = scalar.value.filter(|value| value.is_finite())?;
    Some((scalar.name, scalar.unit, value))
}

/// Everything before the scalars, how many there are, and the flags.
fn head(from: &mut &[u8]) -> Option<(Point, u64, u8)> {
    let [VERSION, flags, rest @ ..] = *from else {
        return None;
    };
    *from = rest;
    let failed = if flags & FAILED == 0 {
        None
    } else {
        let (&code, rest) = from.split_first()?;
        *from = rest;
        Some(class_of_code(code)?)
    };
    let point = Point { failed, sent: take_varint(from)?, lost: take_varint(from)?, ..Point::default() };
    Some((point, take_varint(from)?, flags & (FAILED | SKETCHED)))
}

fn code_of(name: &str) -> Option<u8> {
    let at = CODES.iter().position(|(known, _)| *known == name)?;
    u8::try_from(at + 1).ok()
}

/// A name: its code, or 0, its unit, its length and its text.
pub(super) fn put_name(out: &mut Vec<u8>, name: &str, unit: Unit) {
    let code = code_of(name).filter(|&code| CODES[usize::from(code) - 1].1 == unit);
    out.push(code.unwrap_or(0));
    if code.is_none() {
        out.push(code_of_unit(unit));
        put_varint(out, name.len() as u64);
        out.extend(name.as_bytes());
    }
}

/// Reads [`put_name`]'s octets.
pub(super) fn take_name(from: &mut &[u8]) -> Option<(Cow<'static, str>, Unit)> {
    let (&code, rest) = from.split_first()?;
    *from = rest;
    if code > 0 {
        let &(name, unit) = CODES.get(usize::from(code) - 1)?;
        return Some((Cow::Borrowed(name), unit));
    }
    let (&unit, rest) = from.split_first()?;
    *from = rest;
    let length = usize::try_from(take_varint(from)?).ok()?;
    let (name, rest) = from.split_at_checked(length)?;
    *from = rest;
    Some((Cow::Owned(std::str::from_utf8(name).ok()?.to_owned()), unit_of_code(unit)?))
}

pub(super) fn take_f64(from: &mut &[u8]) -> Option<f64> {
    let (octets, rest) = from.split_first_chunk::<8>()?;
    *from = rest;
    Some(f64::from_le_bytes(*octets))
}

const UNITS: [Unit; 5] = [Unit::None, Unit::Seconds, Unit::Ratio, Unit::BitsPerSecond, Unit::Bytes];

fn code_of_unit(unit: Unit) -> u8 {
    UNITS.iter().position(|&known| known == unit).unwrap_or(0) as u8
}

fn unit_of_code(code: u8) -> Option<Unit> {
    UNITS.get(usize::from(code)).copied()
}

/// On disk a class is its place here. Append only.
const CLASSES: [Class; 13] = [
    Class::Internal,
    Class::Resolve,
    Class::Unreachable,
    Class::Refused,
    Class::Timeout,
    Class::Tls,
    Class::Auth,
    Class::Protocol,
    Class::Usage,
    Class::Config,
    Class::Permission,
    Class::Unsupported,
    Class::Cancelled,
];

fn code_of_class(class: Class) -> u8 {
    CLASSES.iter().position(|&known| known == class).unwrap_or(0) as u8
}

fn class_of_code(code: u8) -> Option<Class> {
    CLASSES.get(usize::from(code)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_shared_scalar_has_a_code() {
        for (name, unit) in crate::probe::NAMES {
            assert!(CODES.contains(&(name, unit)), "{name}: append it to CODES");
        }
    }

    fn points() -> impl Strategy<Value = Point> {
        let name = prop_oneof![
            (0..CODES.len()).prop_map(|at| Cow::Borrowed(CODES[at].0)),
            "[a-zé]{0,9}".prop_map(Cow::Owned)
        ];
        let scalar = (name, (0..UNITS.len()).prop_map(|at| UNITS[at]), -1e12..1e12f64);
        (
            prop::option::of((0..CLASSES.len()).prop_map(|at| CLASSES[at])),
            any::<(u64, u64)>(),
            prop::collection::vec(scalar, 0..12),
            prop::option::of(prop::collection::vec(0.0..2.0f64, 0..40)),
        )
            .prop_map(|(failed, (sent, lost), scalars, rtts)| Point {
                failed,
                sent,
                lost,
                scalars,
                rtt: rtts.map(|rtts| {
                    let mut sketch = Sketch::default();
                    rtts.into_iter().for_each(|rtt| sketch.push(rtt));
                    sketch
                }),
            })
    }

    proptest! {
        #[test]
        fn a_point_survives_its_octets(point in points()) {
            let octets = point.encode();
            for (name, _, _) in &point.scalars {
                prop_assert_eq!(Point::one(&octets, name), Some(point.value(name)));
            }
            prop_assert_eq!(Point::one(&octets, "none of these"), Some(None));
            prop_assert_eq!(Point::decode(&octets), Some(point));
        }

        #[test]
        fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = (Point::decode(&octets), Point::one(&octets, "rtt_p95"));
            let versioned = [&[VERSION], octets.as_slice()].concat();
            let _ = (Point::decode(&versioned), Point::one(&versioned, "x"));
        }
    }
}
