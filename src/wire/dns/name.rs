//! Domain names (RFC 1035 §3.1): as they stand in a message, compressed or not, and as text with its escapes (§5.1).

use std::fmt;

/// Octets of a name at most, the root's included (RFC 1035 §2.3.4).
const LONGEST: usize = 255;
/// Pointers that are followed in one name: more than its labels there can be in no honest message.
const MOST_JUMPS: usize = 128;

/// A name as it stands in a message: labels with their lengths, then the root. Equal is what differs in letters' case
/// only by [`is_like`](Self::is_like); `==` is of octets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(pub(super) Vec<u8>);

impl Name {
    /// The root.
    pub fn root() -> Self {
        Self(vec![0])
    }

    /// The name in `text`, its last dot optional; `.` is the root; `\.` and `\065` stand for octets. `None` for what is no
    /// name.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "." || text.is_empty() {
            return Some(Self::root());
        }
        let (mut octets, mut label) = (Vec::new(), Vec::new());
        let mut rest = text.bytes();
        let mut ended = false;
        while let Some(octet) = rest.next() {
            ended = octet == b'.';
            match octet {
                b'.' => close(&mut octets, &mut label)?,
                b'\\' => label.push(escaped(&mut rest)?),
                octet => label.push(octet),
            }
        }
        if !ended {
            close(&mut octets, &mut label)?;
        }
        octets.push(0);
        (octets.len() <= LONGEST).then_some(Self(octets))
    }

    /// The name at `at` in `message`, and where what follows it begins. Pointers lead backwards only (RFC 1035 §4.1.4), at
    /// most 128 of them; `None` for anything else.
    pub fn read(message: &[u8], at: usize) -> Option<(Self, usize)> {
        let mut octets = Vec::with_capacity(32);
        let (mut from, mut lowest, mut next, mut jumps) = (at, at, None, 0);
        loop {
            let length = usize::from(*message.get(from)?);
            match length >> 6 {
                0 => {
                    octets.extend(message.get(from..=from + length)?);
                    from += length + 1;
                    if octets.len() > LONGEST {
                        return None;
                    }
                    if length == 0 {
                        return Some((Self(octets), next.unwrap_or(from)));
                    }
                }
                3 => {
                    let to = (length & 0x3f) << 8 | usize::from(*message.get(from + 1)?);
                    next.get_or_insert(from + 2);
                    jumps += 1;
                    if to >= lowest || jumps > MOST_JUMPS {
                        return None;
                    }
                    (from, lowest) = (to, to);
                }
                _ => return None,
            }
        }
    }

    /// Its octets, uncompressed.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Its labels, the root's left out.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (length, behind) = rest.split_first().filter(|(length, _)| **length > 0)?;
            let (label, behind) = behind.split_at_checked((*length).into())?;
            rest = behind;
            Some(label)
        })
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The name above it; `None` of the root.
    pub fn parent(&self) -> Option<Self> {
        let length = usize::from(*self.0.first().filter(|length| **length > 0)?);
        self.0.get(length + 1..).map(|rest| Self(rest.to_vec()))
    }

    /// `label` below this name; `None` where that would be no name.
    pub fn below(&self, label: &[u8]) -> Option<Self> {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
        let octets = [&[length], label, &self.0].concat();
        (octets.len() <= LONGEST).then_some(Self(octets))
    }

    /// Whether it is the same name, whatever the case of its letters (RFC 4343).
    pub fn is_like(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// Whether it is `zone` or lies below it.
    pub fn is_within(&self, zone: &Self) -> bool {
        let mut name = Some(self.clone());
        while let Some(this) = name {
            if this.is_like(zone) {
                return true;
            }
            name = this.parent();
        }
        false
    }

    /// The same name, the case of its letters drawn from `bits`, which are used over again: a reply that repeats it is no
    /// guess (draft-vixie-dnsext-dns0x20).
    pub fn mixed(&self, bits: u64) -> Self {
        let mut octets = self.0.clone();
        let mut at = 0;
        let mut letter = 0;
        while let Some(length) =
            octets.get(at).map(|length| usize::from(*length)).filter(|length| *length > 0)
        {
            for octet in
                octets.iter_mut().skip(at + 1).take(length).filter(|octet| octet.is_ascii_alphabetic())
            {
                *octet = if bits >> (letter % 64) & 1 == 1 {
                    octet.to_ascii_uppercase()
                } else {
                    octet.to_ascii_lowercase()
                };
                letter += 1;
            }
            at += length + 1;
        }
        Self(octets)
    }
}

impl fmt::Display for Name {
    /// As dig writes it: with its last dot, what is no plain letter as `\.` or `\027`. Nothing for a terminal to obey.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            for octet in label {
                match octet {
                    b'.' | b'\\' | b'"' | b';' | b'@' | b'$' | b'(' | b')' => {
                        write!(f, "\\{}", char::from(*octet))?
                    }
                    0x21..=0x7e => write!(f, "{}", char::from(*octet))?,
                    octet => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

/// Puts a label that has ended behind the others.
fn close(octets: &mut Vec<u8>, label: &mut Vec<u8>) -> Option<()> {
    octets.push(u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?);
    octets.append(label);
    Some(())
}

/// What follows a backslash: three digits, or the octet itself.
fn escaped(rest: &mut std::str::Bytes<'_>) -> Option<u8> {
    let first = rest.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = rest.next().filter(u8::is_ascii_digit)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_written_as_digs() {
        for (text, expected) in [
            ("a.Example", "a.Example."),
            (".", "."),
            ("", "."),
            ("a\\.b.c.", "a\\.b.c."),
            ("\\027[2J.x", "\\027[2J.x."),
        ] {
            assert_eq!(Name::parse(text).expect(text).to_string(), expected);
        }
        for wrong in ["a..b", "..", ".a", "\\25", "\\256", "a\\"] {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
        assert_eq!([Name::parse(&"a".repeat(64)), Name::parse(&"a.".repeat(200))], [None, None]);
    }

    #[test]
    fn pointers_lead_backwards_and_not_for_ever() {
        let at = |message: &[u8], at| Name::read(message, at).map(|(name, next)| (name.to_string(), next));
        assert_eq!(at(b"\x01a\0\x01b\xc0\0", 3), Some(("b.a.".to_owned(), 7)));
        for (message, from) in [
            (&b"\xc0\0"[..], 0),
            (b"\xc0\x02\xc0\0", 2),
            (b"\x01a\xc0\0", 0),
            (b"\x01a\xc0\x05", 0),
            (b"\x40a", 0),
            (b"\x05ab", 0),
            (b"", 0),
        ] {
            assert_eq!(at(message, from), None, "{message:?}");
        }
        // A staircase of pointers, each to the one before it.
        let stairs: Vec<u8> = std::iter::once(0)
            .chain((0..200u16).flat_map(|n| (0xc000 | if n == 0 { 0 } else { n * 2 - 1 }).to_be_bytes()))
            .collect();
        assert_eq!(at(&stairs, 1), Some((".".to_owned(), 3)));
        assert_eq!(at(&stairs, 1 + 2 * 199), None);
        // Four labels of 63 octets are too long by a few.
        let long = [[63u8].as_slice(), &[b'a'; 63]].concat().repeat(4);
        assert_eq!(at(&[long.as_slice(), &[0]].concat(), 0), None);
    }

    #[test]
    fn a_zone_holds_what_lies_below_it() {
        let name = |text| Name::parse(text).expect(text);
        for (inner, zone, expected) in [
            ("www.Example.org", "example.ORG", true),
            ("example.org", "example.org", true),
            ("example.org", ".", true),
            ("badexample.org", "example.org", false),
            ("org", "example.org", false),
        ] {
            assert_eq!(name(inner).is_within(&name(zone)), expected, "{inner} {zone}");
        }
        let mixed = name("example.org").mixed(0b1010_1010_1010);
        assert_eq!(mixed.to_string(), "eXaMpLe.OrG.");
        assert!(mixed.is_like(&name("EXAMPLE.org")));
        assert_eq!(name("b.c").below(b"a"), Some(name("a.b.c")));
    }

    proptest! {
        #[test]
        fn text_gives_the_name_back(labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..8)) {
            let name = labels.iter().rev().try_fold(Name::root(), |name, label| name.below(label)).expect("short");
            let shown = name.to_string();
            prop_assert!(shown.bytes().all(|octet| octet.is_ascii_graphic()));
            prop_assert_eq!(Name::parse(&shown), Some(name.clone()));
            prop_assert_eq!(Name::read(&name.0, 0), Some((name.clone(), name.0.len())));
        }

        #[test]
        fn no_octets_panic(bytes: Vec<u8>, at in 0usize..40, text in ".{0,80}") {
            if let Some((name, next)) = Name::read(&bytes, at) {
                prop_assert!(name.0.len() <= LONGEST && next <= bytes.len());
            }
            let _ = Name::parse(&text);
        }
    }
}
