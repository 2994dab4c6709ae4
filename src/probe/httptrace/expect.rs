//! What an answer is expected to be (`--expect`), and whether it is.

use std::str::FromStr;

use hyper::header::{HeaderMap, HeaderName};
use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::text::printable;

/// Letters of what was found instead that are told.
const SHOWN: usize = 120;
/// Octets that a compiled expression may take.
const MOST_EXPRESSION: usize = 1 << 20;

/// One expectation: `status=200`, `header:NAME=VALUE`, `body~EXPRESSION`, `json:/POINTER=VALUE`.
#[derive(Clone, Debug)]
pub struct Expect {
    text: String,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// Each digit that is not `x`.
    Status([Option<u8>; 3]),
    /// The value, or that it is there at all.
    Header(HeaderName, Option<String>),
    Body(Box<Regex>),
    Json(String, Value),
}

/// What came of an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpExpectation")]
pub struct Expectation {
    /// As it was written.
    pub expected: String,
    /// It was so, in each repeat.
    pub met: bool,
    /// What was there instead; null where it was met, or nothing was there.
    pub found: Option<String>,
}

impl Expect {
    /// Whether it looks at the body.
    pub(super) const fn wants_body(&self) -> bool {
        matches!(self.what, What::Body(_) | What::Json(..))
    }

    pub(super) fn judge(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Expectation {
        let (met, found) = match &self.what {
            What::Status(digits) => {
                let found = status.to_string();
                let same = |(found, wanted): (u8, &Option<u8>)| wanted.is_none_or(|digit| digit == found);
                (found.len() == 3 && found.bytes().zip(digits).all(same), Some(found))
            }
            What::Header(name, wanted) => {
                let values: Vec<&[u8]> = headers.get_all(name).iter().map(|value| value.as_bytes()).collect();
                let is_it = |value: &&[u8]| wanted.as_ref().is_none_or(|wanted| wanted.as_bytes() == *value);
                let found = values.first().filter(|_| !super::request::is_secret(name.as_str()));
                (values.iter().any(is_it), found.map(|value| cut(value)))
            }
            What::Body(expression) => (expression.is_match(body), Some(cut(body))),
            What::Json(pointer, wanted) => match serde_json::from_slice::<Value>(body) {
                Ok(value) => {
                    let found = value.pointer(pointer);
                    (found == Some(wanted), found.map(|found| cut(found.to_string().as_bytes())))
                }
                Err(_) => (false, Some("no JSON".to_owned())),
            },
        };
        Expectation { expected: self.text.clone(), met, found: found.filter(|_| !met) }
    }
}

/// The beginning of what was found, harmless.
fn cut(octets: &[u8]) -> String {
    let mut text = printable(&octets[..octets.len().min(SHOWN)]);
    if octets.len() > SHOWN {
        text.push('…');
    }
    text
}

impl FromStr for Expect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no expectation: write status=200 (or 2xx), header:NAME=VALUE, body~EXPRESSION or \
                 json:/POINTER=VALUE"
            )
        };
        let what = if let Some(status) = text.strip_prefix("status=") {
            let digit = |digit: u8| match digit {
                b'x' | b'X' => Some(None),
                b'0'..=b'9' => Some(Some(digit)),
                _ => None,
            };
            let digits: Option<Vec<_>> = status.bytes().map(digit).collect();
            What::Status(digits.and_then(|digits| digits.try_into().ok()).ok_or_else(wrong)?)
        } else if let Some(rest) = text.strip_prefix("header:") {
            let (name, value) =
                rest.split_once('=').map_or((rest, None), |(name, value)| (name, Some(value)));
            let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
            What::Header(name, value.map(|value| value.trim().to_owned()))
        } else if let Some(expression) = text.strip_prefix("body~") {
            let built = regex::bytes::RegexBuilder::new(expression).size_limit(MOST_EXPRESSION).build();
            What::Body(Box::new(built.map_err(|error| {
                let said = error.to_string();
                format!("`{text}`: {}", said.lines().last().unwrap_or_default().trim())
            })?))
        } else if let Some(rest) = text.strip_prefix("json:") {
            let (pointer, value) = rest.split_once('=').ok_or_else(wrong)?;
            if !(pointer.is_empty() || pointer.starts_with('/')) {
                return Err(wrong());
            }
            // What is no JSON is meant as a string.
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            What::Json(pointer.to_owned(), value)
        } else {
            return Err(wrong());
        };
        Ok(Self { text: text.to_owned(), what })
    }
}

impl PartialEq for Expect {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Serialize for Expect {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn expectations_are_met_or_say_what_was_there_instead() {
        let mut headers = HeaderMap::new();
        headers.insert("x-cache", HeaderValue::from_static("HIT"));
        headers.insert("set-cookie", HeaderValue::from_static("s3cret"));
        let body = br#"{"a":[{"b":7}],"ok":true,"name":"duck"}"#;
        for (text, found) in [
            ("status=200", None),
            ("status=2xx", None),
            ("status=3XX", Some("200")),
            ("header:X-Cache=HIT", None),
            ("header:x-cache", None),
            ("header:X-Cache=MISS", Some("HIT")),
            ("header:set-cookie=x", Some("")),
            ("header:nothing", Some("")),
            ("body~\"ok\":\\s*true", None),
            ("body~^ok", Some(r#"{"a":[{"b":7}],"ok":true,"name":"duck"}"#)),
            ("json:/a/0/b=7", None),
            ("json:/name=duck", None),
            ("json:/name=\"duck\"", None),
            ("json:/ok=false", Some("true")),
            ("json:/none=1", Some("")),
        ] {
            let expect: Expect = text.parse().expect(text);
            let came = expect.judge(200, &headers, body);
            assert_eq!(
                (came.met, came.found.unwrap_or_default()),
                (found.is_none(), found.unwrap_or_default().to_owned())
            );
        }
        let none: Expect = "json:/a=1".parse().expect("one");
        assert_eq!(none.judge(200, &headers, b"\x1b[2J").found.as_deref(), Some("no JSON"));
    }

    #[test]
    fn what_expects_nothing_is_refused() {
        for text in
            ["", "status=2", "status=20000", "status", "header:a b=c", "body~(", "json:a=1", "json:/a", "x=1"]
        {
            assert!(text.parse::<Expect>().is_err(), "{text:?}");
        }
        assert!(
            "body~(a{1000}){1000}{1000}".parse::<Expect>().is_err(),
            "an expression that takes all memory"
        );
    }
}
