//! What is asked: the name and the type that the options mean.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::ResolverTime;
use crate::failure::Fault;
use crate::wire::dns::{Kind, Name, Question};

/// A type of records, as text its mnemonic (`AAAA`) or `TYPE123` (RFC 3597 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordType(pub Kind);

impl FromStr for RecordType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = text
            .parse::<Kind>()
            .map_err(|()| format!("`{text}` is no type of records: A, AAAA, MX, HTTPS, TYPE123, …"))?;
        match kind.can_be_asked() {
            true => Ok(Self(kind)),
            false => Err(format!("{kind} cannot be asked for")),
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for RecordType {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordType {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for RecordType {
    fn schema_name() -> Cow<'static, str> {
        "RecordType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a type of DNS records: its mnemonic, or TYPE and its number (RFC 3597)",
            "examples": ["AAAA", "TYPE65"]
        })
    }
}

impl ResolverTime {
    /// What is asked.
    ///
    /// # Errors
    /// What is no name.
    pub fn question(&self) -> Result<Question, Fault> {
        let text = self.target.as_str();
        let name = Name::parse(text).ok_or_else(|| {
            Fault::of(
                "target",
                format_args!("`{text}` is no domain name: labels of 1 to 63 octets between dots, 253 in all"),
            )
        })?;
        let usual = if name.is_root() { Kind::NS } else { Kind::A };
        Ok(Question { name, kind: self.record.map_or(usual, |record| record.0) })
    }
}

/// The name under which the name of `address` is kept (RFC 1035 §3.5, RFC 3596 §2.5).
pub(super) fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}
