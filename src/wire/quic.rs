//! QUIC (RFC 9000, RFC 8999), as far as it needs to learn whether a server speaks it and in which versions: a packet of a
//! version that nobody has, the Version Negotiation that a server must answer it with (§6.1), and the headers of Initial
//! packets (§17.2.2), whose protection is not done here.

/// A version reserved to force negotiation (RFC 9000 §15: 0x?a?a?a?a).
const RESERVED: [u8; 4] = [0x1a, 0x2a, 0x3a, 0x4a];
/// Long header with the fixed bit; the type is Initial's.
const LONG: u8 = 0xc0;
/// The version of RFC 9000.
const VERSION_1: u32 = 1;

/// The first packet of a connection that never comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Identifier of the destination, random (RFC 9000 §7.2: 8 octets at least).
    pub destination: [u8; 8],
    /// Identifier of the source.
    pub source: [u8; 8],
}

impl Greeting {
    /// Appends it: 0 flags · 1 version · 5 length, 6 destination · 14 length, 15 source · 23 whatever, up to `length`.
    pub fn write(&self, length: usize, out: &mut Vec<u8>) {
        let end = out.len() + length;
        out.push(LONG);
        out.extend(RESERVED);
        out.push(8);
        out.extend(self.destination);
        out.push(8);
        out.extend(self.source);
        // What follows is the version's own business, and this one has none.
        out.resize(end.max(out.len()), self.source[0] | 1);
    }

    /// Reads one of ours, as far as an ICMP error quotes it.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[LONG])?.strip_prefix(&RESERVED)?.strip_prefix(&[8])?;
        let (&destination, rest) = rest.split_first_chunk()?;
        let (&source, _) = rest.strip_prefix(&[8])?.split_first_chunk()?;
        Some(Self { destination, source })
    }
}

/// A Version Negotiation packet (RFC 9000 §17.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiation<'a> {
    /// Identifier of the destination: our source.
    pub destination: &'a [u8],
    /// Identifier of the source: our destination.
    pub source: &'a [u8],
    versions: &'a [u8],
}

impl<'a> Negotiation<'a> {
    /// Reads one; `None` for anything else.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&[flags, v0, v1, v2, v3, length], rest) = bytes.split_first_chunk()?;
        let (destination, rest) = rest.split_at_checked(length.into())?;
        let (&length, rest) = rest.split_first()?;
        let (source, versions) = rest.split_at_checked(length.into())?;
        let is_whole = !versions.is_empty() && versions.len() % 4 == 0;
        let is_one = flags & 0x80 != 0 && [v0, v1, v2, v3] == [0; 4] && is_whole;
        is_one.then_some(Self { destination, source, versions })
    }

    /// The versions that the server speaks; reserved ones, which only exercise clients, are left out.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        let all = self.versions.chunks_exact(4).filter_map(|version| version.first_chunk());
        all.map(|version| u32::from_be_bytes(*version)).filter(|version| version & 0x0f0f_0f0f != 0x0a0a_0a0a)
    }
}

/// The first packet of a connection in version 1, not yet protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initial {
    /// Identifier of the destination, random.
    pub destination: [u8; 8],
    /// Identifier of the source.
    pub source: [u8; 8],
}

impl Initial {
    /// Octets of its header.
    pub const HEADER: usize = 30;
    /// Octets of its packet number, the last of the header.
    pub const NUMBER: usize = 4;
    /// Octets that protecting a payload adds (RFC 9001 §5.3).
    pub const TAG: usize = 16;

    /// Appends its header, for the packet number 0 and a payload that makes a packet of `length` octets once it is
    /// protected: 0 flags · 1 version · 5 length, 6 destination · 14 length, 15 source · 23 length of the token · 24 length
    /// of the rest, 2 octets · 26 packet number.
    pub fn write(&self, length: usize, out: &mut Vec<u8>) {
        out.push(LONG | (Self::NUMBER as u8 - 1));
        out.extend(VERSION_1.to_be_bytes());
        out.push(8);
        out.extend(self.destination);
        out.push(8);
        out.extend(self.source);
        out.push(0);
        let rest = (length + Self::NUMBER).saturating_sub(Self::HEADER) as u16;
        out.extend((0x4000 | rest).to_be_bytes());
        out.extend([0; Self::NUMBER]);
    }

    /// A CRYPTO frame (§19.6) with `data` from offset 0, and padding up to `length` octets.
    pub fn frames(data: &[u8], length: usize) -> Vec<u8> {
        let mut frames = vec![6, 0];
        frames.extend((0x4000 | data.len() as u16).to_be_bytes());
        frames.extend(data);
        frames.resize(length.max(frames.len()), 0);
        frames
    }
}

/// What a server of version 1 answers an Initial with (§17.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Identifier of the destination: our source.
    pub destination: &'a [u8],
    /// Identifier of the source, which the server has chosen.
    pub source: &'a [u8],
    /// What it is.
    pub kind: AnswerKind,
}

/// See [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// An Initial: where its packet number begins, and where it ends.
    Initial {
        /// Octets of the header before the packet number.
        number: usize,
        /// Octets of the whole packet.
        end: usize,
    },
    /// A Retry (§17.2.5), which asks us to prove our address.
    Retry,
}

impl<'a> Answer<'a> {
    /// Reads one; `None` for anything else.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&[flags, v0, v1, v2, v3, length], rest) = bytes.split_first_chunk()?;
        let (destination, rest) = rest.split_at_checked(length.into())?;
        let (&length, rest) = rest.split_first()?;
        let (source, rest) = rest.split_at_checked(length.into())?;
        if flags & LONG != LONG || u32::from_be_bytes([v0, v1, v2, v3]) != VERSION_1 {
            return None;
        }
        let kind = match flags >> 4 & 3 {
            0 => {
                let (token, rest) = varint(rest)?;
                let (_, rest) = rest.split_at_checked(usize::try_from(token).ok()?)?;
                let (length, rest) = varint(rest)?;
                let number = bytes.len() - rest.len();
                let end =
                    number.checked_add(usize::try_from(length).ok()?).filter(|end| *end <= bytes.len())?;
                AnswerKind::Initial { number, end }
            }
            3 => AnswerKind::Retry,
            _ => return None,
        };
        Some(Self { destination, source, kind })
    }
}

/// The body of the fuzz target: no octets panic, and what is read lies within them.
pub fn fuzz_quic(octets: &[u8]) {
    if let Some(Answer { kind: AnswerKind::Initial { number, end }, .. }) = Answer::parse(octets) {
        assert!(number <= end && end <= octets.len(), "{number}, {end}");
    }
    if let Some(read) = Negotiation::parse(octets) {
        assert!(read.versions().count() * 4 <= octets.len());
    }
    let _ = Greeting::parse(octets);
}

/// A variable-length integer (§16), and what follows it.
pub fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, _) = bytes.split_first()?;
    let (number, rest) = bytes.split_at_checked(1 << (first >> 6))?;
    let value = number.iter().fold(0, |value, octet| value << 8 | u64::from(*octet));
    let bits = 8 * number.len() - 2;
    Some((value & ((1 << bits) - 1), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_greeting_is_read_back_from_its_quote() {
        let greeting = Greeting { destination: *b"DESTINAT", source: *b"SOURCE00" };
        let mut out = Vec::new();
        greeting.write(1200, &mut out);
        assert_eq!((out.len(), &out[..6]), (1200, &[0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8][..]));
        assert_eq!(Greeting::parse(&out[..28]), Some(greeting));
        assert_eq!(Greeting::parse(&out[..20]), None);
        assert_eq!(Negotiation::parse(&out), None);
    }

    /// Laid out by RFC 9000 §17.2.1, with a reserved version among the two.
    #[test]
    fn a_negotiation_names_versions() {
        let packet = b"\xaa\0\0\0\0\x02ab\x01c\x00\x00\x00\x01\x7a\x7a\x7a\x7a\x6b\x33\x43\xcf";
        let read = Negotiation::parse(packet).expect("a negotiation");
        assert_eq!((read.destination, read.source), (&b"ab"[..], &b"c"[..]));
        assert_eq!(read.versions().collect::<Vec<_>>(), [1, 0x6b33_43cf]);
        for length in 0..packet.len() {
            let cut = Negotiation::parse(&packet[..length]);
            assert!(cut.is_none() || (length - 10) % 4 == 0, "{length}");
        }
    }

    /// The four of RFC 9000 §A.1.
    #[test]
    fn integers_of_all_four_lengths_are_read() {
        for (bytes, value) in [
            (&b"\xc2\x19\x7c\x5e\xff\x14\xe8\x8c"[..], 151_288_809_941_952_652),
            (b"\x9d\x7f\x3e\x7d", 494_878_333),
            (b"\x7b\xbd", 15_293),
            (b"\x25", 37),
        ] {
            assert_eq!(varint(bytes), Some((value, &[][..])));
            assert_eq!(varint(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn the_header_of_an_initial_reads_back() {
        let initial = Initial { destination: *b"DESTINAT", source: *b"SOURCE00" };
        let mut packet = Vec::new();
        initial.write(1200, &mut packet);
        assert_eq!(packet.len(), Initial::HEADER);
        packet.extend(Initial::frames(b"hello", 1200 - Initial::HEADER));
        let read = Answer::parse(&packet).expect("an initial packet");
        assert_eq!((read.destination, read.source), (&b"DESTINAT"[..], &b"SOURCE00"[..]));
        assert_eq!(read.kind, AnswerKind::Initial { number: 26, end: 1200 });
        assert_eq!(packet[30..39], *b"\x06\0\x40\x05hello");
        assert_eq!(Answer::parse(&packet[..1199]), None, "it is cut");
        packet[0] |= 0x30;
        assert_eq!(Answer::parse(&packet).map(|read| read.kind), Some(AnswerKind::Retry));
        packet[4] = 2;
        assert_eq!(Answer::parse(&packet), None, "another version");
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes: Vec<u8>) {
            fuzz_quic(&bytes);
            fuzz_quic(&[b"\xc3\0\0\0\x01\x01a\x01b", &bytes[..]].concat());
        }
    }
}
