//! DNS queries over UDP, told apart by their identifiers.

use super::{Heard, Proof, Tag};
use crate::wire::dns::{Answer, NS, Name, query};

/// Octets of the longest reply that matters (EDNS is not asked for: RFC 1035 §4.2.1).
pub(super) const MOST: usize = 512;

/// Asks for the name servers of one name.
pub(in super::super) struct Dns {
    name: Name,
}

impl Dns {
    pub(in super::super) const fn new(name: Name) -> Self {
        Self { name }
    }

    pub(super) fn write(&self, tag: Tag, out: &mut Vec<u8>) {
        query(tag.seq, &self.name, NS, out);
    }

    pub(super) fn read(&self, bytes: &[u8]) -> Option<Heard> {
        let answer = Answer::parse(bytes)?;
        let proof = if answer.is_to(&self.name) { Proof::Numbers } else { Proof::Damaged };
        Some(Heard { seq: answer.id, probe: None, proof })
    }
}
