//! Files of captured packets: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng), read and written.
//!
//! [`Reader`] takes whatever others have written, in either byte order and resolution; [`Writer`] writes nanoseconds in
//! this machine's order. Neither opens files: the reader is shown octets and says how many more it needs, so that a
//! hostile file costs no more memory than one packet.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::{BadFile, Next, Reader};
pub use write::{Format, Writer};

/// What a packet begins with (the registry of LINKTYPE values).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// BSD loopback: the family in the writer's byte order (0).
    Null,
    /// Ethernet (1).
    Ethernet,
    /// The IP header at once (101, and what 12, 14, 228 and 229 mean).
    Raw,
    /// OpenBSD loopback: the family in network byte order (108).
    Loop,
    /// Linux "cooked", of one interface or all (113).
    Sll,
    /// The same, version 2: it names the interface (276).
    Sll2,
}

impl Link {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Null, Self::Ethernet, Self::Raw, Self::Loop, Self::Sll, Self::Sll2];

    /// The kind of link with this number in a file; `None` for one that is not known here.
    pub const fn of(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 | 228 | 229 => Self::Raw,
            108 => Self::Loop,
            113 => Self::Sll,
            276 => Self::Sll2,
            _ => return None,
        })
    }

    /// Its number in a file.
    pub const fn number(self) -> u16 {
        match self {
            Self::Null => 0,
            Self::Ethernet => 1,
            Self::Raw => 101,
            Self::Loop => 108,
            Self::Sll => 113,
            Self::Sll2 => 276,
        }
    }

    /// Its word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Ethernet => "ethernet",
            Self::Raw => "raw",
            Self::Loop => "loop",
            Self::Sll => "sll",
            Self::Sll2 => "sll2",
        }
    }
}

/// A captured packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was seen, nanoseconds since the epoch; `None` where the file does not say.
    pub stamp: Option<u64>,
    /// What it begins with.
    pub link: Link,
    /// Its octets on the wire, before it was cut.
    pub wire_length: u32,
    /// Those that were kept.
    pub data: &'a [u8],
}

/// The body of the fuzz target: no file makes the reader panic, stand still or ask for more than it may.
pub fn fuzz_pcap(octets: &[u8]) {
    let (mut reader, mut rest) = (Reader::default(), octets);
    while !rest.is_empty() {
        match reader.next(rest) {
            Ok(Next::Packet { used, packet }) => {
                assert!(used > 0 && packet.data.len() <= read::MOST_DATA, "a packet is bounded");
                rest = &rest[used..];
            }
            Ok(Next::Passed(used)) => {
                assert!(used > 0, "it goes on");
                rest = &rest[used..];
            }
            Ok(Next::Skip(octets)) => {
                assert!(octets > 0, "it goes on");
                rest = rest.get(usize::try_from(octets).unwrap_or(usize::MAX)..).unwrap_or_default();
            }
            Ok(Next::Need(octets)) => {
                assert!(octets > rest.len() && octets <= read::MOST_DATA + 4096, "{octets} are wanted");
                break;
            }
            Err(_) => break,
        }
    }
}
