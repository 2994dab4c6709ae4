//! QUIC (RFC 9000, RFC 8999), as far as it needs to learn which versions a server speaks: a packet of a version that
//! nobody has, and the Version Negotiation that a server must answer it with (§6.1).

/// A version reserved to force negotiation (RFC 9000 §15: 0x?a?a?a?a).
const RESERVED: [u8; 4] = [0x1a, 0x2a, 0x3a, 0x4a];
/// Long header with the fixed bit; the type is Initial's.
const LONG: u8 = 0xc0;

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

    proptest! {
        #[test]
        fn no_octets_panic(bytes: Vec<u8>) {
            let _ = Greeting::parse(&bytes);
            let _ = Negotiation::parse(&bytes).map(|read| read.versions().count());
        }
    }
}
