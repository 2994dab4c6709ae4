//! QUIC version negotiation (RFC 9000 §6): both connection identifiers are secrets that must come back.

use super::{Heard, Proof, Tag};
use crate::stats::Rng;
use crate::wire::quic::{Greeting, Negotiation};

/// Octets of a datagram that a server must answer (RFC 9000 §14.1).
pub(super) const LENGTH: usize = 1200;
/// Versions that are remembered.
const MOST_VERSIONS: usize = 16;

/// Asks servers for the versions that they speak.
pub(in super::super) struct Quic {
    secret: u64,
    /// What the latest reply named.
    pub(super) versions: Vec<u32>,
}

impl Quic {
    pub(in super::super) const fn new(secret: u64) -> Self {
        Self { secret, versions: Vec::new() }
    }

    /// The two identifiers of packet `seq`: theirs is drawn, ours ends with the number.
    fn ids(&self, seq: u16) -> ([u8; 8], [u8; 8]) {
        let mut rng = Rng::new(self.secret ^ u64::from(seq));
        let (theirs, ours) = (rng.bits().to_be_bytes(), rng.bits() & !0xffff | u64::from(seq));
        (theirs, ours.to_be_bytes())
    }

    pub(super) fn write(&self, tag: Tag, out: &mut Vec<u8>) {
        let (theirs, ours) = self.ids(tag.seq);
        Greeting { destination: theirs, source: ours }.write(LENGTH, out);
    }

    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<Heard> {
        let reply = Negotiation::parse(bytes)?;
        let seq = last(reply.destination)?;
        let (theirs, ours) = self.ids(seq);
        if reply.destination != ours || reply.source != theirs {
            return None;
        }
        self.versions = reply.versions().take(MOST_VERSIONS).collect();
        Some(Heard { seq, probe: None, proof: Proof::Secret })
    }

    pub(super) fn quoted(&self, bytes: &[u8]) -> Option<u16> {
        let greeting = Greeting::parse(bytes)?;
        last(&greeting.source).filter(|&seq| self.ids(seq) == (greeting.destination, greeting.source))
    }
}

fn last(id: &[u8]) -> Option<u16> {
    id.last_chunk().map(|number| u16::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reply_with_both_identifiers_is_ours() {
        let mut quic = Quic::new(5);
        let mut request = Vec::new();
        quic.write(Tag { seq: 300, probe: 0 }, &mut request);
        assert_eq!(request.len(), LENGTH);
        assert_eq!(quic.quoted(&request[..28]), Some(300));
        let (theirs, ours) = quic.ids(300);
        let reply = |to: [u8; 8], from: [u8; 8]| {
            let mut reply = vec![0x80, 0, 0, 0, 0, 8];
            reply.extend(to);
            reply.push(8);
            reply.extend(from);
            reply.extend([0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf]);
            reply
        };
        let heard = Some(Heard { seq: 300, probe: None, proof: Proof::Secret });
        assert_eq!(quic.read(&reply(ours, theirs)), heard);
        assert_eq!(quic.versions, [1, 0x6b33_43cf]);
        for (to, from) in [(theirs, ours), (ours, ours), (quic.ids(301).1, theirs)] {
            assert_eq!(quic.read(&reply(to, from)), None);
        }
    }
}
