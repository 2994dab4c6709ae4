//! What is sent and how replies are known: echo messages, DNS queries, QUIC version negotiation.

mod dns;
mod echo;
mod quic;

pub(super) use dns::Dns;
pub(super) use echo::Echo;
pub(super) use quic::Quic;

use crate::wire::icmp::Version;

/// A datagram protocol with a request and its reply.
pub(super) enum Format {
    Echo(Echo),
    Dns(Dns),
    Quic(Quic),
}

/// Reads any octets as a reply and as a quote in each format: what comes of them is never ours by a secret, which they
/// cannot know.
pub(super) fn fuzz(octets: &[u8]) {
    let name = crate::wire::dns::Name::parse("a.example").expect("a name");
    let formats = [
        Format::Echo(Echo::new(0x1234_5678_9abc_def0, 56, &[])),
        Format::Dns(Dns::new(name)),
        Format::Quic(Quic::new(7)),
    ];
    for mut format in formats {
        for version in [Version::V4, Version::V6] {
            let heard = format.read(version, octets);
            assert!(heard.is_none_or(|heard| heard.proof != Proof::Secret), "{heard:?}");
            let _ = format.quoted(version, octets);
        }
    }
}

/// Whose packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// The number of the packet on its socket.
    pub(super) seq: u16,
    /// The packet's number in the run.
    pub(super) probe: u64,
}

/// A reply that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// The number of the packet on its socket.
    pub(super) seq: u16,
    /// The packet's number in the run, if it came back whole.
    pub(super) probe: Option<u64>,
    pub(super) proof: Proof,
}

/// How sure it is that a reply is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It brings back a secret.
    Secret,
    /// Its numbers are right, and it has room for no secret.
    Numbers,
    /// Its numbers are right, but it is not what was sent, or its checksum is wrong.
    Damaged,
}

impl Format {
    /// Appends the request for `tag`; `id` is that of the socket's echo messages.
    pub(super) fn write(&self, version: Version, id: u16, tag: Tag, out: &mut Vec<u8>) {
        match self {
            Self::Echo(echo) => echo.write(version, id, tag, out),
            Self::Dns(dns) => dns.write(tag, out),
            Self::Quic(quic) => quic.write(tag, out),
        }
    }

    /// Understands a reply; `None` for what is none to us.
    pub(super) fn read(&mut self, version: Version, bytes: &[u8]) -> Option<Heard> {
        match self {
            Self::Echo(echo) => echo.read(version, bytes),
            Self::Dns(dns) => dns.read(bytes),
            Self::Quic(quic) => quic.read(bytes),
        }
    }

    /// The number of our packet that an ICMP error quotes the begin of.
    pub(super) fn quoted(&self, version: Version, bytes: &[u8]) -> Option<u16> {
        match self {
            Self::Echo(_) => crate::wire::icmp::Echo::parse(version, bytes)
                .filter(|echo| !echo.is_reply)
                .map(|echo| echo.seq),
            Self::Dns(_) => Some(u16::from_be_bytes(*bytes.first_chunk()?)),
            Self::Quic(quic) => quic.quoted(bytes),
        }
    }

    /// Octets of one request, as sent and, at most, replied.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Echo(echo) => echo.length(),
            Self::Dns(_) => dns::MOST,
            Self::Quic(_) => quic::LENGTH,
        }
    }

    /// The versions that a QUIC server last named.
    pub(super) fn versions(self) -> Option<Vec<u32>> {
        match self {
            Self::Quic(quic) => Some(quic.versions),
            _ => None,
        }
    }
}
