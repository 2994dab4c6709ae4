//! Sizes and rates as iperf3's users write them: `10M` octets are 10 × 2^20, `10M` bits per second are 10 × 10^6.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number of octets, or of blocks. K, M, G and T are powers of 1,024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Bits per second, and how many packets leave back to back. K, M, G and T are powers of 1,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Bits per second; 0 is as fast as can be.
    pub bps: u64,
    /// Packets back to back.
    pub burst: u32,
}

/// A share of what was sent, written in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

impl Share {
    /// So many in a hundred.
    pub const fn percent(percent: f64) -> Self {
        Self(percent)
    }

    /// As a ratio, 0–1.
    pub fn ratio(self) -> f64 {
        self.0 / 100.0
    }
}

const SUFFIXES: &str = "KMGT";

fn read(text: &str, base: u64) -> Option<u64> {
    let (digits, power) = match text.chars().last()? {
        last if last.is_ascii_digit() || last == '.' => (text, 0),
        last => (&text[..text.len() - last.len_utf8()], SUFFIXES.find(last.to_ascii_uppercase())? as u32 + 1),
    };
    let number: f64 = digits.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
    let scaled = number * base.checked_pow(power)? as f64;
    let is_plain = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    (scaled < 9e18 && is_plain).then_some(scaled.round() as u64)
}

/// The shortest exact form.
fn write(f: &mut fmt::Formatter<'_>, number: u64, base: u64) -> fmt::Result {
    let mut power = 0;
    let mut rest = number;
    while rest > 0 && rest.is_multiple_of(base) && power < SUFFIXES.len() {
        (rest, power) = (rest / base, power + 1);
    }
    let suffix = power.checked_sub(1).and_then(|at| SUFFIXES.get(at..=at)).unwrap_or("");
    write!(f, "{rest}{suffix}")
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a size (a number with K, M, G or T for powers of 1024, such as 10M)");
        read(text, 1024).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, 1024)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a rate (bits per second with K, M, G or T for powers of 1000, such as 20M or 20M/10)"
            )
        };
        let (rate, burst) = text.split_once('/').map_or((text, None), |(rate, burst)| (rate, Some(burst)));
        let burst =
            burst.map_or(Some(1), |burst| burst.parse().ok().filter(|burst| (1..=1000).contains(burst)));
        Ok(Self { bps: read(rate, 1000).ok_or_else(wrong)?, burst: burst.ok_or_else(wrong)? })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.bps, 1000)?;
        if self.burst > 1 {
            write!(f, "/{}", self.burst)?;
        }
        Ok(())
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_suffix('%').map(str::trim_end).filter(|digits| {
            !digits.is_empty() && digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
        });
        let percent = digits.and_then(|digits| digits.parse().ok()).filter(|percent| *percent <= 50.0);
        percent.map(Self).ok_or_else(|| format!("`{text}` is not a share of 0 to 50 %, such as 0.1%"))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// Texts in files and records, sizes and rates there also bare numbers.
macro_rules! as_text {
    ($name:ident, $from_number:expr, $title:literal, $description:literal, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(untagged)]
                enum Written {
                    Number(u64),
                    Text(String),
                }
                match Written::deserialize(from)? {
                    Written::Number(number) => Ok($from_number(number)),
                    Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": ["string", "integer"],
                    "description": $description,
                    "pattern": $pattern,
                    "minimum": 0
                })
            }
        }
    };
}

as_text!(
    Size,
    Size,
    "BandwidthSize",
    "a number with K, M, G or T for powers of 1024",
    r"^[0-9]+(\.[0-9]+)?[KMGTkmgt]?$"
);
as_text!(
    Rate,
    |bps| Rate { bps, burst: 1 },
    "BandwidthRate",
    "bits per second with K, M, G or T for powers of 1000, and after a / how many packets leave back to back",
    r"^[0-9]+(\.[0-9]+)?[KMGTkmgt]?(/[0-9]+)?$"
);

impl Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "BandwidthShare".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "a share of 0 to 50 % of what was sent, such as 0.1%",
            "pattern": r"^[0-9]*(\.[0-9]*)? *%$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_mean_what_they_mean_to_iperf3() {
        let size = |text: &str| text.parse::<Size>().map(|size| size.0);
        assert_eq!(size("10M"), Ok(10 << 20));
        assert_eq!(size("1.5k"), Ok(1536));
        assert_eq!(size("128"), Ok(128));
        let rate = |text: &str| text.parse::<Rate>().map(|rate| (rate.bps, rate.burst));
        assert_eq!(rate("20M"), Ok((20_000_000, 1)));
        assert_eq!(rate("1g/10"), Ok((1_000_000_000, 10)));
        assert_eq!(rate("0"), Ok((0, 1)));
        for wrong in ["", "M", "-1", "10X", "1e3", "nan", "inf", "+5", "9999999999T", ".5M"] {
            assert!(size(wrong).is_err() && rate(wrong).is_err(), "{wrong}");
        }
        assert!(rate("1M/0").is_err() && rate("1M/").is_err() && rate("1M/2000").is_err());
    }

    #[test]
    fn shares_are_written_in_percent() {
        let share = |text: &str| text.parse::<Share>();
        assert_eq!(share("0.1%").map(Share::ratio), Ok(0.001));
        assert_eq!((share("0 %"), share("50%")), (Ok(Share(0.0)), Ok(Share(50.0))));
        for wrong in ["", "%", "0.1", "-1%", "51%", "1e1%", "nan%", "inf%", "1%%", "."] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        for percent in [0.0, 0.1, 0.001, 2.5, 50.0] {
            assert_eq!(Share(percent).to_string().parse(), Ok(Share(percent)));
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for octets in [0, 1, 1000, 1024, 1500, 10 << 20, 3 << 40, 1 << 60] {
            assert_eq!(Size(octets).to_string().parse(), Ok(Size(octets)));
        }
        for rate in [
            Rate { bps: 0, burst: 1 },
            Rate { bps: 20_000_000, burst: 10 },
            Rate { bps: 1_048_576, burst: 1 },
        ] {
            assert_eq!(rate.to_string().parse(), Ok(rate));
            let json = serde_json::to_string(&rate).expect("JSON");
            assert_eq!(serde_json::from_str::<Rate>(&json).ok(), Some(rate));
        }
        assert_eq!(serde_json::from_str::<Size>("4096").ok(), Some(Size(4096)));
        assert_eq!(
            (Size(10 << 20).to_string(), Rate { bps: 5_000_000, burst: 1 }.to_string()),
            ("10M".into(), "5M".into())
        );
    }
}
