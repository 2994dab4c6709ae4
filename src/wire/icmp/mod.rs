//! ICMP (RFC 792) and ICMPv6 (RFC 4443): echo messages, what the errors mean, and their extensions.
//!
//! IP headers are not here: sockets take them away, and pnet reads them where they do not.

pub mod extension;
mod meaning;

pub use meaning::Meaning;

use pnet::packet::util::checksum;

/// Octets of an echo message before its payload.
pub const HEADER: usize = 8;

/// Which of the two protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// ICMP over IPv4.
    V4,
    /// ICMPv6 over IPv6.
    V6,
}

impl Version {
    /// The one that goes with IPv6, or with IPv4.
    pub const fn of(is_ipv6: bool) -> Self {
        if is_ipv6 { Self::V6 } else { Self::V4 }
    }

    /// Types of an echo request and its reply (RFC 792 p. 14, RFC 4443 §4).
    const fn echo(self) -> (u8, u8) {
        match self {
            Self::V4 => (8, 0),
            Self::V6 => (128, 129),
        }
    }
}

/// An echo request, or its reply: 0 type · 1 code · 2 checksum · 4 identifier · 6 sequence number · 8 payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo<'a> {
    /// It is the reply.
    pub is_reply: bool,
    /// The identifier: who asks.
    pub id: u16,
    /// The sequence number.
    pub seq: u16,
    /// What is echoed.
    pub payload: &'a [u8],
}

impl<'a> Echo<'a> {
    /// Appends the message to `out`. ICMPv6's checksum covers the addresses and is left to the system (RFC 3542 §3.1).
    pub fn write(&self, version: Version, out: &mut Vec<u8>) {
        let start = out.len();
        let (request, reply) = version.echo();
        out.extend([if self.is_reply { reply } else { request }, 0, 0, 0]);
        out.extend(self.id.to_be_bytes());
        out.extend(self.seq.to_be_bytes());
        out.extend(self.payload);
        if version == Version::V4 {
            let sum = checksum(&out[start..], 1);
            out[start + 2..start + 4].copy_from_slice(&sum.to_be_bytes());
        }
    }

    /// Reads an echo message; `None` for anything else. The checksum is the system's affair.
    pub fn parse(version: Version, bytes: &'a [u8]) -> Option<Self> {
        let (&[kind, code, _, _, i0, i1, s0, s1], payload) = bytes.split_first_chunk::<HEADER>()?;
        let (request, reply) = version.echo();
        let is_reply = kind == reply;
        let (id, seq) = (u16::from_be_bytes([i0, i1]), u16::from_be_bytes([s0, s1]));
        (code == 0 && (is_reply || kind == request)).then_some(Self { is_reply, id, seq, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From `ping -c1 -p 00 -s 4 127.0.0.1` under tcpdump 4.99.3: identifier 0x1a2b, sequence number 1.
    const REQUEST: [u8; 12] = [8, 0, 0xdd, 0xd3, 0x1a, 0x2b, 0, 1, 0, 0, 0, 0];

    #[test]
    fn a_request_is_written_as_pings() {
        let echo = Echo { is_reply: false, id: 0x1a2b, seq: 1, payload: &[0; 4] };
        let mut out = Vec::new();
        echo.write(Version::V4, &mut out);
        assert_eq!(out, REQUEST);
        assert_eq!(Echo::parse(Version::V4, &out), Some(echo));
        assert_eq!(Echo::parse(Version::V6, &out), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(id: u16, seq: u16, is_reply: bool, v6: bool, payload: Vec<u8>) {
            let (version, echo) = (Version::of(v6), Echo { is_reply, id, seq, payload: &payload });
            let mut out = Vec::new();
            echo.write(version, &mut out);
            prop_assert_eq!(Echo::parse(version, &out), Some(echo));
            if version == Version::V4 {
                prop_assert_eq!(checksum(&out, usize::MAX), 0, "the sum over all is nothing");
            }
        }

        #[test]
        fn no_octets_panic(v6: bool, bytes: Vec<u8>) {
            let _ = Echo::parse(Version::of(v6), &bytes);
        }
    }
}
