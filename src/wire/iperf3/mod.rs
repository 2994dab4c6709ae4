//! The protocol of iperf3: no version, no magic number, only bytes that both ends follow (iperf3-protocol.md).
//!
//! A control connection carries a cookie, then single bytes ([`State`]) and lengths with JSON ([`Frames`]); each data
//! connection of TCP begins with the same cookie, each flow of UDP with a greeting ([`datagram`]).

pub mod datagram;
mod error;
mod frame;
mod fuzz;
mod json;
mod login;
mod params;
mod results;

pub use error::{Code, Refusal};
pub use frame::{Frame, Frames, encode};
pub use fuzz::{fuzz_datagram, fuzz_frame, fuzz_params, fuzz_results};
pub use login::{Claim, Padding, PrivateKey, PublicKey, Token, Unusable};
pub use params::{Params, Transport};
pub use results::{Cpu, Inside, Results, Stream};

/// The port of the control connection and of all data.
pub const PORT: u16 = 5201;
/// Octets of a cookie: 36 characters and a NUL.
pub const COOKIE: usize = 37;

/// What tells a test from others: the first that goes over each of its TCP connections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cookie(pub [u8; COOKIE]);

impl Cookie {
    /// A cookie of `random` octets, written in the 32 characters that newer clients draw from.
    pub fn new(random: [u8; 36]) -> Self {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut cookie = [0; COOKIE];
        for (letter, octet) in cookie.iter_mut().zip(random) {
            *letter = LETTERS[usize::from(octet & 31)];
        }
        Self(cookie)
    }

    /// Whether these are one cookie, in a time that does not depend on where they differ.
    pub fn is(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// Its characters, as far as they can be shown.
    pub fn shown(&self) -> String {
        let letters = self.0[..COOKIE - 1].iter();
        letters.map(|&letter| if letter.is_ascii_graphic() { char::from(letter) } else { '.' }).collect()
    }
}

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Who knows it joins the test.
        f.write_str("Cookie(…)")
    }
}

/// The bytes that both ends follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum State {
    /// Server: all streams are there.
    TestStart = 1,
    /// Server, right after it: transfer.
    TestRunning = 2,
    /// Client: stop.
    TestEnd = 4,
    /// Server: send me the parameters.
    ParamExchange = 9,
    /// Server: open the data connections.
    CreateStreams = 10,
    /// Server: I was interrupted.
    ServerTerminate = 11,
    /// Client: I was interrupted.
    ClientTerminate = 12,
    /// Server: send me your results, then come mine.
    ExchangeResults = 13,
    /// Server: you may print.
    DisplayResults = 14,
    /// Client: that is all.
    Done = 16,
    /// Server: busy, or a cookie that is no test's.
    AccessDenied = -1,
    /// Server: two numbers follow, iperf3's and errno.
    ServerError = -2,
}

impl State {
    /// The state of a byte; `None` for what nobody sends.
    pub fn of(byte: u8) -> Option<Self> {
        let all = [
            Self::TestStart,
            Self::TestRunning,
            Self::TestEnd,
            Self::ParamExchange,
            Self::CreateStreams,
            Self::ServerTerminate,
            Self::ClientTerminate,
            Self::ExchangeResults,
            Self::DisplayResults,
            Self::Done,
            Self::AccessDenied,
            Self::ServerError,
        ];
        all.into_iter().find(|state| state.byte() == byte)
    }

    /// The byte of a state.
    pub const fn byte(self) -> u8 {
        (self as i8).cast_unsigned()
    }
}

/// The number of the `n`th stream, from 0: 1, 3, 4, 5, … – the 2 was skipped once and is for ever.
pub const fn stream_id(n: usize) -> u32 {
    if n == 0 { 1 } else { n as u32 + 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_the_bytes_of_the_wire() {
        let bytes = [1, 2, 4, 9, 10, 11, 12, 13, 14, 16, 0xff, 0xfe];
        for byte in 0..=255u8 {
            let state = State::of(byte);
            assert_eq!(state.is_some(), bytes.contains(&byte), "{byte}");
            assert!(state.is_none_or(|state| state.byte() == byte));
        }
    }

    #[test]
    fn a_cookie_is_36_letters_and_nothing() {
        let cookie = Cookie::new([255; 36]);
        assert_eq!(&cookie.0[..36], &[b'7'; 36]);
        assert_eq!(cookie.0[36], 0);
        assert!(cookie.is(&Cookie::new([31; 36])) && !cookie.is(&Cookie::new([30; 36])));
        assert_eq!(Cookie([b'\n'; 37]).shown(), ".".repeat(36));
        assert_eq!(format!("{cookie:?}"), "Cookie(…)");
    }

    #[test]
    fn streams_are_numbered_as_iperf3_does() {
        assert_eq!([0, 1, 2, 3].map(stream_id), [1, 3, 4, 5]);
    }
}
