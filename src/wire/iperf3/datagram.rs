//! UDP: how a flow is opened, and the header of each datagram.

use crate::wire::bytes::{array, put, u32_at, u64_at};

/// What a client sends to open a flow: "9876", which is 0x36373839 in the memory of a little-endian host.
pub const HELLO: [u8; 4] = *b"9876";
/// What a server answers.
pub const WELCOME: [u8; 4] = *b"6789";

/// How clients of any version and byte order greet.
const HELLOS: [[u8; 4]; 4] = [HELLO, WELCOME, 123_456_789_u32.to_le_bytes(), 123_456_789_u32.to_be_bytes()];
/// How servers of any version and byte order answer.
const WELCOMES: [[u8; 4]; 4] = [WELCOME, HELLO, 987_654_321_u32.to_le_bytes(), 987_654_321_u32.to_be_bytes()];

/// Whether a datagram opens a flow.
pub fn is_hello(bytes: &[u8]) -> bool {
    HELLOS.iter().any(|hello| bytes == hello)
}

/// Whether a datagram says that a flow is open.
pub fn is_welcome(bytes: &[u8]) -> bool {
    WELCOMES.iter().any(|welcome| bytes == welcome)
}

/// The header of a datagram: when it left, by a clock of the sender's whose differences alone mean anything, and its number,
/// from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Microseconds of the sender's clock.
    pub sent_us: u64,
    /// The sequence number; of 32 bits, without what has wrapped.
    pub number: u64,
}

/// Octets of a header.
pub const fn header(is_wide: bool) -> usize {
    if is_wide { 16 } else { 12 }
}

impl Header {
    /// Writes it to the beginning of `bytes`.
    pub fn write(&self, is_wide: bool, bytes: &mut [u8]) {
        let seconds = (self.sent_us / 1_000_000) as u32;
        put(bytes, 0, &seconds.to_be_bytes());
        put(bytes, 4, &((self.sent_us % 1_000_000) as u32).to_be_bytes());
        match is_wide {
            true => put(bytes, 8, &self.number.to_be_bytes()),
            false => put(bytes, 8, &(self.number as u32).to_be_bytes()),
        }
    }

    /// Reads it; `None` of what is too short.
    pub fn read(is_wide: bool, bytes: &[u8]) -> Option<Self> {
        if bytes.len() < header(is_wide) {
            return None;
        }
        let sent_us = u64::from(u32_at(bytes, 0)) * 1_000_000 + u64::from(u32_at(bytes, 4));
        let number = if is_wide { u64_at(bytes, 8) } else { u32::from_be_bytes(array(bytes, 8)).into() };
        Some(Self { sent_us, number })
    }
}

/// The number of 64 bits that is nearest to `near` and ends with the 32 of `number`: a counter that has wrapped.
pub fn unwrapped(number: u32, near: u64) -> u64 {
    let base = near & !0xffff_ffff | u64::from(number);
    let turn = 1 << 32;
    let candidates = [base.checked_sub(turn), Some(base), base.checked_add(turn)];
    candidates.into_iter().flatten().min_by_key(|number| number.abs_diff(near)).unwrap_or(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    #[test]
    fn greetings_of_every_version_are_known() {
        // As they stand on the wire.
        for hello in [b"9876", b"6789", b"\x15\xcd\x5b\x07", b"\x07\x5b\xcd\x15"] {
            assert!(is_hello(hello), "{hello:?}");
        }
        for welcome in [b"6789", b"9876", b"\xb1\x68\xde\x3a", b"\x3a\xde\x68\xb1"] {
            assert!(is_welcome(welcome), "{welcome:?}");
        }
        assert!(!is_hello(b"6789 ") && !is_hello(b"") && !is_welcome(b"\0\0\0\0"));
    }

    #[test]
    fn a_header_is_as_on_the_wire() {
        let header = Header { sent_us: 7_000_009, number: 0x1_0000_0002 };
        let mut bytes = [0xaa; 17];
        header.write(true, &mut bytes);
        assert_eq!(bytes, *b"\0\0\0\x07\0\0\0\x09\0\0\0\x01\0\0\0\x02\xaa");
        header.write(false, &mut bytes);
        assert_eq!(Header::read(false, &bytes), Some(Header { number: 2, ..header }));
        assert_eq!(Header::read(true, &bytes[..15]), None);
    }

    proptest! {
        #[test]
        fn a_wrapped_counter_is_found_again(near in 0u64..1 << 60, step in -2_000_000_000i64..2_000_000_000) {
            let number = near.saturating_add_signed(step);
            prop_assert_eq!(unwrapped(number as u32, near), number);
        }
    }
}
