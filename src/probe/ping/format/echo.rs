//! Echo messages: a secret and the packet's number, then a pattern, which must all come back.

use pnet::packet::util::checksum;

use super::{Heard, Proof, Tag};
use crate::wire::icmp::{self, HEADER, Version};

/// Octets of the secret, and of the secret with the number.
const SECRET: usize = 8;
const HEAD: usize = 16;

/// Writes and reads the echo messages of one run.
pub(in super::super) struct Echo {
    secret: [u8; SECRET],
    /// The whole payload, its first 16 octets apart.
    payload: Vec<u8>,
}

impl Echo {
    /// Messages with `size` octets of payload, filled with `pattern`, or by counting as ping does.
    pub(in super::super) fn new(secret: u64, size: usize, pattern: &[u8]) -> Self {
        let octet = |at: usize| match pattern {
            [] => at as u8,
            pattern => pattern[at % pattern.len()],
        };
        Self { secret: secret.to_be_bytes(), payload: (0..size).map(octet).collect() }
    }

    pub(super) fn length(&self) -> usize {
        HEADER + self.payload.len()
    }

    /// The first octets of a payload, as far as it is long enough.
    fn head(&self, probe: u64) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..SECRET].copy_from_slice(&self.secret);
        head[SECRET..].copy_from_slice(&probe.to_be_bytes());
        head
    }

    pub(super) fn write(&self, version: Version, id: u16, tag: Tag, out: &mut Vec<u8>) {
        let start = out.len();
        icmp::Echo { is_reply: false, id, seq: tag.seq, payload: &[] }.write(version, out);
        let head = self.head(tag.probe);
        let heads = heads(self.payload.len());
        out.extend(&head[..heads]);
        out.extend(&self.payload[heads..]);
        if version == Version::V4 {
            let sum = checksum(&out[start..], 1);
            out[start + 2..start + 4].copy_from_slice(&sum.to_be_bytes());
        }
    }

    pub(super) fn read(&self, version: Version, bytes: &[u8]) -> Option<Heard> {
        let echo = icmp::Echo::parse(version, bytes).filter(|echo| echo.is_reply)?;
        let heard = |probe, proof| Some(Heard { seq: echo.seq, probe, proof });
        // The system has verified that of ICMPv6, and of ICMP unless the socket is raw.
        if version == Version::V4 && checksum(bytes, usize::MAX) != 0 {
            return heard(None, Proof::Damaged);
        }
        let heads = heads(echo.payload.len().min(self.payload.len()));
        let number = echo.payload.get(SECRET..heads).and_then(|octets| octets.try_into().ok());
        let probe = number.map(u64::from_be_bytes);
        let head = self.head(probe.unwrap_or(0));
        // Some hosts send long payloads back cut.
        let is_cut = echo.payload.len() < self.payload.len();
        let is_whole = echo.payload.len() == self.payload.len() || is_cut && probe.is_some();
        let is_same = is_whole
            && echo.payload[..heads] == head[..heads]
            && echo.payload[heads..] == self.payload[heads..echo.payload.len()];
        match (is_same, heads >= SECRET) {
            (false, _) => heard(None, Proof::Damaged),
            (true, true) => heard(probe, Proof::Secret),
            (true, false) => heard(None, Proof::Numbers),
        }
    }
}

/// How much of a payload of `length` octets is no pattern: as much of the secret as there is room for, and the number
/// if all of it has room.
const fn heads(length: usize) -> usize {
    match length {
        HEAD.. => HEAD,
        SECRET.. => SECRET,
        less => less,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The reply to a request, as a host makes it.
    fn reply(version: Version, request: &[u8]) -> Vec<u8> {
        let request = icmp::Echo::parse(version, request).expect("a request");
        let mut out = Vec::new();
        icmp::Echo { is_reply: true, ..request }.write(version, &mut out);
        out
    }

    proptest! {
        #[test]
        fn a_reply_is_known_at_any_size(v6: bool, size in 0usize..200, seq: u16, probe: u64, pattern: [u8; 3]) {
            let (echo, version) = (Echo::new(7, size, &pattern), Version::of(v6));
            let mut request = Vec::new();
            echo.write(version, 9, Tag { seq, probe }, &mut request);
            prop_assert_eq!(request.len(), echo.length());
            let heard = echo.read(version, &reply(version, &request)).expect("a reply");
            prop_assert_eq!(heard.seq, seq);
            prop_assert_eq!(heard.probe, (size >= HEAD).then_some(probe));
            prop_assert_eq!(heard.proof, if size >= SECRET { Proof::Secret } else { Proof::Numbers });
            prop_assert_eq!(echo.read(version, &request), None, "a request is no reply");
        }

        #[test]
        fn a_changed_octet_is_damage(v6: bool, size in 8usize..100, at: prop::sample::Index, flip in 1u8..) {
            let (echo, version) = (Echo::new(7, size, &[]), Version::of(v6));
            let mut request = Vec::new();
            echo.write(version, 9, Tag { seq: 1, probe: 2 }, &mut request);
            let mut reply = reply(version, &request);
            let at = HEADER + at.index(size);
            reply[at] ^= flip;
            let heard = echo.read(version, &reply).expect("a reply");
            let is_number = v6 && (HEADER + SECRET..HEADER + HEAD).contains(&at) && size >= HEAD;
            prop_assert!(heard.proof == Proof::Damaged || is_number, "{heard:?} at {at}");
            prop_assert!(!is_number || heard.probe != Some(2), "another number is another packet");
        }

        #[test]
        fn no_octets_panic(v6: bool, size in 0usize..40, kind in prop::sample::select(vec![0u8, 129]), mut bytes: Vec<u8>) {
            if let [first, second, ..] = bytes.as_mut_slice() {
                (*first, *second) = (kind, 0);
            }
            let _ = Echo::new(7, size, &[]).read(Version::of(v6), &bytes);
            super::super::fuzz(&bytes);
        }
    }
}
