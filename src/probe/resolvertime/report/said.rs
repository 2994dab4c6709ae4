//! What servers say, as a record keeps it: records, headers, EDNS, and the TLS session in which it was said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::net::tls::{Session, Verdict};

/// A TLS session, and whether its server is who it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverTls")]
pub struct Tls {
    /// The protocol's version.
    pub version: Option<String>,
    /// The cipher suite; null over QUIC.
    pub suite: Option<String>,
    /// The group of the key exchange; null over QUIC.
    pub group: Option<String>,
    /// The application's protocol (RFC 7301).
    pub alpn: Option<String>,
    /// The name that its certificate must have.
    pub name: String,
    /// What a strict client says of its certificate; other than `ok` only with `--insecure`.
    pub verify: Verdict,
}

impl Tls {
    pub(in crate::probe::resolvertime) fn of(session: Option<Session>, verify: Verdict, name: &str) -> Self {
        let alpn = |alpn: &Vec<u8>| crate::wire::text::printable(alpn);
        Self {
            version: session.as_ref().map(|session| session.version.to_owned()),
            suite: session.as_ref().map(|session| session.suite.clone()).filter(|suite| !suite.is_empty()),
            group: session.as_ref().and_then(|session| session.group.clone()),
            alpn: session.as_ref().and_then(|session| session.alpn.as_ref().map(alpn)),
            name: name.to_owned(),
            verify,
        }
    }
}

/// A record as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsRecord")]
pub struct RecordText {
    /// Whose it is.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Seconds that it may be kept; null where its teller does not say.
    pub ttl_s: Option<u32>,
    /// Its data, as in a zone file.
    pub data: String,
}

/// An answer in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsAnswer")]
pub struct Answer {
    /// The name that was asked for.
    pub name: String,
    /// The response code; null without an answer.
    pub rcode: Option<String>,
    /// The data of the records of the type that was asked for, 10 at most.
    pub answers: Vec<String>,
}

/// The bits of a header (RFC 1035 §4.1.1, RFC 4035 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsFlags")]
pub struct Flags {
    /// The server is an authority for the name.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion was desired.
    pub rd: bool,
    /// The server offers recursion.
    pub ra: bool,
    /// The server has validated it.
    pub ad: bool,
    /// It was not to check.
    pub cd: bool,
}

/// What a server says by EDNS (RFC 6891).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsEdns")]
pub struct Edns {
    /// Its version.
    pub version: u8,
    /// Octets of a UDP message that the server accepts.
    pub udp_bytes: u16,
    /// The bit DO came back (RFC 3225).
    pub dnssec_ok: bool,
}

/// How often answers bore the cookie that their query had (RFC 7873). A server that knows cookies has some that are right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsCookies")]
pub struct Cookies {
    /// Ours, and the server's own behind it.
    pub right: u64,
    /// Ours as it was sent: the server does not know what it is.
    pub echoed: u64,
    /// None.
    pub missing: u64,
    /// Another one: these replies were not believed, and are in `counts.mismatched` too.
    pub wrong: u64,
    /// Queries that were refused until they bore the server's newest (BADCOOKIE).
    pub refused: u64,
}

/// An extended error (RFC 8914).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsExtendedError")]
pub struct ExtendedError {
    /// Its number.
    pub code: u16,
    /// What the number means; null where it is not registered.
    pub meaning: Option<String>,
    /// What the server says of it.
    pub text: Option<String>,
}
