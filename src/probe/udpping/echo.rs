//! Packets for reflectors that echo verbatim. Older ones read text, so the whole payload is ASCII.

use super::tally::Reply;

/// Octets before the padding: a cookie and a number, 16 hexadecimal digits each.
pub(super) const HEAD: usize = 32;

/// A sender to an echo.
pub(super) struct Echo {
    cookie: u64,
}

impl Echo {
    /// `cookie` is a random number that only we know.
    pub(super) const fn new(cookie: u64) -> Self {
        Self { cookie }
    }

    /// Writes packet `seq`.
    pub(super) fn write(&self, seq: u64, size: usize, out: &mut Vec<u8>) {
        out.extend(format!("{:016x}{seq:016x}", self.cookie).as_bytes());
        out.resize(size.max(HEAD), b'.');
    }

    /// Reads an echo of ours; `None` for anything else.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<Reply> {
        let head = std::str::from_utf8(bytes.get(..HEAD)?).ok()?;
        let (cookie, seq) = head.split_at(HEAD / 2);
        let ours = u64::from_str_radix(cookie, 16).ok()? == self.cookie;
        let seq = u64::from_str_radix(seq, 16).ok().filter(|_| ours)?;
        Some(Reply { seq: seq as u32, bytes: bytes.len(), ..Reply::default() })
    }
}
