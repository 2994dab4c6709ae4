//! What iperf3's users write in notations of its own: processors, keepalive, units, numbers as in C.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// The processor that a test runs on, here and at the server: `1`, or `1,3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affinity {
    /// Of this host.
    pub local: u16,
    /// Of the server, which need not heed it.
    pub server: Option<u16>,
}

/// When a quiet connection is asked whether it lives: `IDLE/INTERVAL/COUNT`, seconds and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// After so much silence.
    pub idle: Duration,
    /// Then this often.
    pub interval: Duration,
    /// So many times, before it is given up.
    pub count: u32,
}

/// The unit of rates as text: k, m, g, t are bits by powers of 1,000, K, M, G, T octets by powers of 1,024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateUnit(char);

/// Whose words name the units of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "BandwidthWording")]
pub enum Wording {
    /// Our own: Mbit/s, MiB.
    #[default]
    Waddleperf,
    /// iperf3's: Mbits/sec, MBytes, and what it says before and after a test.
    Iperf3,
}

impl FromStr for Affinity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().filter(|&number: &u16| number <= 1024);
        let parts = text.split_once(',');
        let found = match parts {
            None => number(text).map(|local| Self { local, server: None }),
            Some((local, server)) => {
                number(local).zip(number(server)).map(|(local, server)| Self { local, server: Some(server) })
            }
        };
        found.ok_or_else(|| format!("`{text}` is not a processor's number, or two with a comma: 1, or 1,3"))
    }
}

impl fmt::Display for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local)?;
        self.server.map_or(Ok(()), |server| write!(f, ",{server}"))
    }
}

impl Default for KeepAlive {
    /// Often enough for translators that forget who is silent for a minute.
    fn default() -> Self {
        Self { idle: Duration::from_secs(30), interval: Duration::from_secs(10), count: 3 }
    }
}

impl FromStr for KeepAlive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not IDLE/INTERVAL/COUNT, such as 30/10/3 (1 to 3600 s, 1 to 100 times)");
        let mut words = text.split('/');
        let mut next = |default: u64, most: u64| match words.next() {
            None | Some("") => Some(default),
            Some(word) => word.parse().ok().filter(|number| (1..=most).contains(number)),
        };
        let own = Self::default();
        let idle = next(own.idle.as_secs(), 3600).ok_or_else(wrong)?;
        let interval = next(own.interval.as_secs(), 3600).ok_or_else(wrong)?;
        let count = next(own.count.into(), 100).ok_or_else(wrong)?;
        if words.next().is_some() {
            return Err(wrong());
        }
        let seconds = Duration::from_secs;
        Ok(Self { idle: seconds(idle), interval: seconds(interval), count: count as u32 })
    }
}

impl fmt::Display for KeepAlive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.idle.as_secs(), self.interval.as_secs(), self.count)
    }
}

impl FromStr for RateUnit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let letter = text.parse().ok().filter(|&letter: &char| "kmgtKMGT".contains(letter));
        letter.map(Self).ok_or_else(|| {
            format!("`{text}` is none of k, m, g, t (bit/s), K, M, G and T (octets per second)")
        })
    }
}

impl fmt::Display for RateUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl RateUnit {
    /// How many bits per second one of it is, and its name.
    pub fn scale(self) -> (f64, &'static str) {
        match self.0 {
            'k' => (1e3, "kbit/s"),
            'm' => (1e6, "Mbit/s"),
            'g' => (1e9, "Gbit/s"),
            't' => (1e12, "Tbit/s"),
            'K' => (8.0 * 1024.0, "KiB/s"),
            'M' => (8.0 * 1024f64.powi(2), "MiB/s"),
            'G' => (8.0 * 1024f64.powi(3), "GiB/s"),
            _ => (8.0 * 1024f64.powi(4), "TiB/s"),
        }
    }

    /// Its name as iperf3 spells it.
    pub const fn spelled(self) -> &'static str {
        match self.0 {
            'k' => "Kbits/sec",
            'm' => "Mbits/sec",
            'g' => "Gbits/sec",
            't' => "Tbits/sec",
            'K' => "KBytes/sec",
            'M' => "MBytes/sec",
            'G' => "GBytes/sec",
            _ => "TBytes/sec",
        }
    }
}

/// A number as C writes it.
fn number(text: &str) -> Option<u32> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8),
        None => text.parse(),
    };
    number.ok()
}

/// A type of service.
pub(super) fn tos(text: &str) -> Result<u8, String> {
    let tos = number(text).and_then(|number| u8::try_from(number).ok());
    tos.ok_or_else(|| format!("`{text}` is not a type of service: 0 to 255, or 0x0 to 0xff"))
}

/// A flow label.
pub(super) fn label(text: &str) -> Result<u32, String> {
    let label = number(text).filter(|label| (1..=0xf_ffff).contains(label));
    label.ok_or_else(|| format!("`{text}` is not a flow label: 1 to 1048575, or 0x1 to 0xfffff"))
}

/// A span whose bare number is milliseconds, as iperf3's is here.
pub(super) fn milliseconds(text: &str) -> Result<Span, String> {
    let written = if text.parse::<f64>().is_ok() { format!("{text}ms") } else { text.to_owned() };
    Span::with_unit(&written).map_err(|error| error.to_string())
}

/// They are texts in files and records.
macro_rules! as_text {
    ($($name:ident: $title:literal $description:literal $pattern:literal;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $description, "pattern": $pattern })
            }
        }
    )*};
}

as_text! {
    Affinity: "BandwidthAffinity" "a processor's number here, and after a comma one of the server" r"^[0-9]+(,[0-9]+)?$";
    KeepAlive: "BandwidthKeepAlive" "seconds of silence / seconds between questions / questions" r"^[0-9]*(/[0-9]*(/[0-9]*)?)?$";
    RateUnit: "BandwidthRateUnit" "the unit of rates as text" r"^[kmgtKMGT]$";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_one_or_two_numbers() {
        let read = |text: &str| text.parse::<Affinity>().ok();
        assert_eq!(read("1"), Some(Affinity { local: 1, server: None }));
        assert_eq!(read("0,3"), Some(Affinity { local: 0, server: Some(3) }));
        assert_eq!(read("0,3").map(|read| read.to_string()).as_deref(), Some("0,3"));
        for wrong in ["", ",", "1,", ",1", "x", "-1", "1025", "1,2,3"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_left_out_of_keepalive_is_the_default() {
        let written = |text: &str| text.parse::<KeepAlive>().map(|read| read.to_string()).ok();
        for (text, expected) in [
            ("", Some("30/10/3")),
            ("60", Some("60/10/3")),
            ("60/5", Some("60/5/3")),
            ("60/5/9", Some("60/5/9")),
            ("//9", Some("30/10/9")),
            ("0", None),
            ("1/2/3/4", None),
            ("x", None),
            ("60/5/101", None),
        ] {
            assert_eq!(written(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn units_are_iperf3s_letters() {
        let scale = |text: &str| text.parse::<RateUnit>().ok().map(RateUnit::scale);
        assert_eq!(scale("m"), Some((1e6, "Mbit/s")));
        assert_eq!(scale("K"), Some((8192.0, "KiB/s")));
        assert_eq!("K".parse::<RateUnit>().map(RateUnit::spelled), Ok("KBytes/sec"));
        for wrong in ["", "x", "mm", "a"] {
            assert_eq!(scale(wrong), None, "{wrong}");
        }
        let written = serde_json::to_string(&"G".parse::<RateUnit>().expect("a unit")).expect("JSON");
        assert_eq!(written, "\"G\"");
    }
}
