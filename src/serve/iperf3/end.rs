//! How a test ends before its end.

use std::fmt;

use crate::wire::iperf3::{Refusal, State};

/// Why a test does not go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// What was awaited has not come in time.
    Late(&'static str),
    /// The client has closed, or is gone.
    Gone(&'static str),
    /// The client was interrupted.
    Interrupted,
    /// There is no place for one more test.
    Busy,
    /// Newer connections have taken its place.
    Displaced,
    /// The client asks for what it does not get, or says what nobody understands.
    Refused(Refusal),
    /// We end.
    Stopping,
}

impl End {
    /// What the client is told.
    pub(super) fn farewell(&self) -> Vec<u8> {
        match self {
            Self::Refused(refusal) => {
                let numbers = [refusal.code.0, 0].map(i32::to_be_bytes);
                [&[State::ServerError.byte()], numbers.as_flattened()].concat()
            }
            Self::Busy => vec![State::AccessDenied.byte()],
            Self::Stopping => vec![State::ServerTerminate.byte()],
            Self::Late(_) | Self::Gone(_) | Self::Interrupted | Self::Displaced => Vec::new(),
        }
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(what) => write!(f, "{what} did not come in time"),
            Self::Gone(before) => write!(f, "the client has closed before {before}"),
            Self::Interrupted => f.write_str("the client was interrupted"),
            Self::Busy => f.write_str("busy: no place for one more test"),
            Self::Displaced => f.write_str("too many connections wait"),
            Self::Refused(refusal) => write!(f, "refused ({}): {}", refusal.code.0, refusal.what),
            Self::Stopping => f.write_str("the server ends"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::iperf3::Code;

    #[test]
    fn farewells_are_the_bytes_of_the_wire() {
        let refused = End::Refused(Refusal::new(Code::RATE, "too fast"));
        assert_eq!(refused.farewell(), b"\xfe\0\0\0\x1b\0\0\0\0");
        assert_eq!([End::Busy.farewell(), End::Stopping.farewell()], [vec![0xff], vec![11]]);
        assert!(End::Interrupted.farewell().is_empty());
        assert_eq!(refused.to_string(), "refused (27): too fast");
    }
}
