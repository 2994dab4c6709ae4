//! The options of `ping` that are words: what is sent, what becomes of what is too large, how text looks.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sys::datagram::Fragments;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// ICMP echo (RFC 792, RFC 4443).
    Icmp,
    /// A TCP connection: the time from SYN to SYN-ACK, or to RST.
    Tcp,
    /// A TLS handshake, after the connection. The certificate is not judged.
    Tls,
    /// HEAD over a connection that is kept (HTTP/1.1).
    Http,
    /// QUIC version negotiation (RFC 9000 §6).
    Quic,
    /// A DNS query over UDP; whatever the answer, it is a reply.
    Dns,
}

impl Mode {
    /// Its word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Icmp => "icmp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Quic => "quic",
            Self::Dns => "dns",
        }
    }

    /// The port that it speaks to where none is given; 0 where there are none.
    pub(super) const fn port(self) -> u16 {
        match self {
            Self::Icmp => 0,
            Self::Tcp | Self::Http => 80,
            Self::Tls | Self::Quic => 443,
            Self::Dns => 53,
        }
    }

    /// Whether it makes connections, rather than sending datagrams.
    pub(super) const fn connects(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls | Self::Http)
    }
}

/// ping's -M.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PmtuDisc {
    /// Never cut: refuse here what is larger than the path MTU that the system knows.
    Do,
    /// Cut here what is larger than the path MTU that the system knows.
    Want,
    /// Let routers cut.
    Dont,
    /// Never cut, and pay no heed to the path MTU that the system knows.
    Probe,
}

impl PmtuDisc {
    pub(super) const fn fragments(self) -> Fragments {
        match self {
            Self::Do => Fragments::Refused,
            Self::Want => Fragments::Cut,
            Self::Dont => Fragments::Allowed,
            Self::Probe => Fragments::Probe,
        }
    }
}

/// How text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Like ping's, with percentiles.
    Ping,
    /// Line for line as fping writes it.
    Fping,
}
