//! Numbers as a person reads them. What was not measured is `–`, never zero.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::probe::Scalar;
use crate::units::{Timestamp, Unit, ms};

/// What stands where nothing was measured.
pub const ABSENT: &str = "–";

/// Milliseconds with three significant digits at least: `0.052`, `12.4`, `1204`.
pub fn millis(span: Duration) -> String {
    amount(ms::of(span))
}

/// A number with three significant digits at least.
pub fn amount(value: f64) -> String {
    let size = value.abs();
    // The limits lie where rounding would give a digit more.
    let decimals = match size {
        _ if size < 9.9995 => 3,
        _ if size < 99.995 => 2,
        _ if size < 999.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A time with its unit: `0.052 ms`, `12.40 ms`, `1.81 s`, `89.9 d`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    match seconds {
        _ if seconds < 0.9995 => format!("{} ms", millis(span)),
        _ if seconds < 99.995 => format!("{seconds:.2} s"),
        _ if seconds < 172_800.0 => format!("{seconds:.0} s"),
        _ => format!("{:.1} d", seconds / 86_400.0),
    }
}

/// A ratio: `2.0 %`. What is not nothing is never written as nothing, nor what is not all as all.
pub fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    match percent {
        _ if percent > 0.0 && percent < 0.05 => "<0.1 %".to_owned(),
        _ if (99.95..100.0).contains(&percent) => ">99.9 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// A bit rate, decimal: `941 Mbit/s`.
pub fn rate(bits_per_second: f64) -> String {
    scaled(bits_per_second, 1000.0, &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
}

/// An amount of memory or data, binary: `1.10 GiB`.
pub fn bytes(octets: f64) -> String {
    scaled(octets, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
}

/// `count` of what `noun` names: `1 record`, `2 records`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `at` as the clock on the wall shows it.
pub fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A scalar's value with its unit.
pub fn scalar(scalar: &Scalar) -> String {
    let Some(value) = scalar.value else {
        return ABSENT.to_owned();
    };
    match scalar.unit {
        Unit::Seconds if value < 0.0 => format!("{value:.0} s"),
        Unit::Seconds => span(Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX)),
        Unit::Ratio => percent(value),
        Unit::BitsPerSecond => rate(value),
        // A packet's size: nobody knows 1.37 KiB.
        Unit::Bytes if value < 65_536.0 && value.fract() == 0.0 => format!("{value:.0} B"),
        Unit::Bytes => bytes(value),
        Unit::None => value.to_string(),
    }
}

fn scaled(mut value: f64, step: f64, units: &[&str]) -> String {
    let mut units = units.iter();
    let mut unit = units.next().unwrap_or(&"");
    while value >= step * 0.9995 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / step, next);
    }
    let decimals = match value {
        _ if value.fract() == 0.0 || value >= 99.95 => 0,
        _ if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let us = Duration::from_micros;
        for (shown, expected) in [
            (span(us(52)), "0.052 ms"),
            (span(us(12_404)), "12.40 ms"),
            (span(us(120_404)), "120.4 ms"),
            (span(us(1_810_000)), "1.81 s"),
            (span(us(999_900)), "1.00 s"),
            (span(Duration::from_secs(3600)), "3600 s"),
            (span(Duration::from_secs(7_772_510)), "90.0 d"),
            (percent(0.0), "0.0 %"),
            (percent(0.02), "2.0 %"),
            (percent(0.0001), "<0.1 %"),
            (percent(0.9999), ">99.9 %"),
            (percent(1.0), "100.0 %"),
            (rate(941e6), "941 Mbit/s"),
            (rate(9.41e6), "9.41 Mbit/s"),
            (rate(999_999.0), "1.00 Mbit/s"),
            (bytes(1500.0), "1.46 KiB"),
            (bytes(80.0), "80 B"),
        ] {
            assert_eq!(shown, expected);
        }
    }
}
