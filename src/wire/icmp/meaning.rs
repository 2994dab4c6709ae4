//! What an ICMP error says, in one list for both versions.

use super::Version;

/// What an ICMP error says of the packet that it quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Its TTL or hop limit ran out on the way: a router.
    TimeExceeded,
    /// Its fragments did not all come in time.
    Reassembly,
    /// There is no way to the network.
    NoRoute,
    /// The network is there, the host is not.
    HostUnreachable,
    /// The host does not know the protocol.
    ProtocolUnreachable,
    /// Nobody listens on the port: the host itself.
    PortUnreachable,
    /// It is too large for the next link.
    TooBig,
    /// A filter forbids it.
    Prohibited,
    /// Its source route failed, or something in its header is wrong.
    BadHeader,
    /// There is a better first hop. The packet was forwarded.
    Redirect,
    /// Slow down (deprecated, RFC 6633).
    Quench,
    /// Anything else.
    Other,
}

impl Meaning {
    /// The meaning of a type and code: RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7; RFC 4443 §3.
    pub const fn of(version: Version, kind: u8, code: u8) -> Self {
        match (version, kind, code) {
            (Version::V4, 11, 0) | (Version::V6, 3, 0) => Self::TimeExceeded,
            (Version::V4, 11, _) | (Version::V6, 3, _) => Self::Reassembly,
            (Version::V4, 3, 0 | 6 | 11) | (Version::V6, 1, 0) => Self::NoRoute,
            (Version::V4, 3, 1 | 7 | 8 | 12) | (Version::V6, 1, 2 | 3) => Self::HostUnreachable,
            (Version::V4, 3, 2) | (Version::V6, 4, 1) => Self::ProtocolUnreachable,
            (Version::V4, 3, 3) | (Version::V6, 1, 4) => Self::PortUnreachable,
            (Version::V4, 3, 4) | (Version::V6, 2, _) => Self::TooBig,
            (Version::V4, 3, 9 | 10 | 13..=15) | (Version::V6, 1, 1 | 5 | 6) => Self::Prohibited,
            (Version::V4, 3, 5) | (Version::V4, 12, _) | (Version::V6, 4, _) | (Version::V6, 1, 7) => {
                Self::BadHeader
            }
            (Version::V4, 5, _) => Self::Redirect,
            (Version::V4, 4, _) => Self::Quench,
            _ => Self::Other,
        }
    }

    /// In the words that ping's users know.
    pub const fn text(self) -> &'static str {
        match self {
            Self::TimeExceeded => "Time to live exceeded",
            Self::Reassembly => "Fragment reassembly time exceeded",
            Self::NoRoute => "Destination Net Unreachable",
            Self::HostUnreachable => "Destination Host Unreachable",
            Self::ProtocolUnreachable => "Destination Protocol Unreachable",
            Self::PortUnreachable => "Destination Port Unreachable",
            Self::TooBig => "Packet too big",
            Self::Prohibited => "Packet filtered",
            Self::BadHeader => "Parameter problem",
            Self::Redirect => "Redirect",
            Self::Quench => "Source Quench",
            Self::Other => "ICMP error",
        }
    }

    /// Whether the packet that is quoted has found its end: no reply will come.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Redirect | Self::Quench | Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_say_the_same_in_their_own_numbers() {
        for (v4, v6, meaning) in [
            ((11, 0), (3, 0), Meaning::TimeExceeded),
            ((3, 0), (1, 0), Meaning::NoRoute),
            ((3, 1), (1, 3), Meaning::HostUnreachable),
            ((3, 3), (1, 4), Meaning::PortUnreachable),
            ((3, 4), (2, 0), Meaning::TooBig),
            ((3, 13), (1, 1), Meaning::Prohibited),
            ((200, 0), (200, 0), Meaning::Other),
        ] {
            assert_eq!(Meaning::of(Version::V4, v4.0, v4.1), meaning);
            assert_eq!(Meaning::of(Version::V6, v6.0, v6.1), meaning);
        }
    }
}
