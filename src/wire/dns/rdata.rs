//! Types of records and their data as text, as dig shows them; what is not known, or not as its type says, by RFC 3597.

use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::name::Name;

/// The type of a record (RFC 1035 §3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u16);

/// What the data of a type consists of, in its order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    U8,
    U16,
    U32,
    /// A type of records.
    Kind,
    /// Seconds since 1970, as a date.
    Time,
    V4,
    V6,
    /// Text behind its length (a character-string).
    Text,
    /// Such texts up to the end.
    Texts,
    /// A tag behind its length, bare (CAA).
    Tag,
    /// Octets up to the end, as a text.
    Rest,
    Hex,
    Base64,
    /// Octets behind their length: hexadecimal, `-` for none.
    Salt,
    /// Octets behind their length, in base32hex.
    Hash,
    /// A bit for each type (RFC 4034 §4.1.2).
    Types,
    /// Parameters of a service (RFC 9460 §2.2).
    Parameters,
}

use Field as F;

/// A type: its number, its mnemonic, and what its data consists of.
const TYPES: &[(u16, &str, &[Field])] = &[
    (1, "A", &[F::V4]),
    (2, "NS", &[F::Name]),
    (5, "CNAME", &[F::Name]),
    (6, "SOA", &[F::Name, F::Name, F::U32, F::U32, F::U32, F::U32, F::U32]),
    (12, "PTR", &[F::Name]),
    (13, "HINFO", &[F::Text, F::Text]),
    (15, "MX", &[F::U16, F::Name]),
    (16, "TXT", &[F::Texts]),
    (17, "RP", &[F::Name, F::Name]),
    (28, "AAAA", &[F::V6]),
    (33, "SRV", &[F::U16, F::U16, F::U16, F::Name]),
    (35, "NAPTR", &[F::U16, F::U16, F::Text, F::Text, F::Text, F::Name]),
    (39, "DNAME", &[F::Name]),
    (41, "OPT", &[F::Hex]),
    (43, "DS", &[F::U16, F::U8, F::U8, F::Hex]),
    (44, "SSHFP", &[F::U8, F::U8, F::Hex]),
    (46, "RRSIG", &[F::Kind, F::U8, F::U8, F::U32, F::Time, F::Time, F::U16, F::Name, F::Base64]),
    (47, "NSEC", &[F::Name, F::Types]),
    (48, "DNSKEY", &[F::U16, F::U8, F::U8, F::Base64]),
    (50, "NSEC3", &[F::U8, F::U8, F::U16, F::Salt, F::Hash, F::Types]),
    (51, "NSEC3PARAM", &[F::U8, F::U8, F::U16, F::Salt]),
    (52, "TLSA", &[F::U8, F::U8, F::U8, F::Hex]),
    (53, "SMIMEA", &[F::U8, F::U8, F::U8, F::Hex]),
    (59, "CDS", &[F::U16, F::U8, F::U8, F::Hex]),
    (60, "CDNSKEY", &[F::U16, F::U8, F::U8, F::Base64]),
    (64, "SVCB", &[F::U16, F::Name, F::Parameters]),
    (65, "HTTPS", &[F::U16, F::Name, F::Parameters]),
    (99, "SPF", &[F::Texts]),
    (255, "ANY", &[F::Hex]),
    (256, "URI", &[F::U16, F::U16, F::Rest]),
    (257, "CAA", &[F::U8, F::Tag, F::Rest]),
];

impl Kind {
    /// An IPv4 address.
    pub const A: Self = Self(1);
    /// A name server.
    pub const NS: Self = Self(2);
    /// The true name of an alias.
    pub const CNAME: Self = Self(5);
    /// The start of a zone.
    pub const SOA: Self = Self(6);
    /// The name of an address.
    pub const PTR: Self = Self(12);
    /// A mail exchanger.
    pub const MX: Self = Self(15);
    /// An IPv6 address.
    pub const AAAA: Self = Self(28);
    /// An alias of all names below (RFC 6672).
    pub const DNAME: Self = Self(39);
    /// EDNS (RFC 6891).
    pub const OPT: Self = Self(41);
    /// A signature (RFC 4034 §3).
    pub const RRSIG: Self = Self(46);

    /// Whether it can be asked for: no EDNS, and no transfer of a zone, which is many messages (RFC 5936).
    pub const fn can_be_asked(self) -> bool {
        !matches!(self.0, 0 | 41 | 249..=254)
    }

    fn fields(self) -> &'static [Field] {
        TYPES.iter().find(|(number, ..)| *number == self.0).map_or(&[], |(_, _, fields)| fields)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TYPES.iter().find(|(number, ..)| *number == self.0) {
            Some((_, name, _)) => f.write_str(name),
            // RFC 3597 §5.
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl FromStr for Kind {
    type Err = ();

    /// A mnemonic, or `TYPE123` (RFC 3597 §5), in any case.
    fn from_str(text: &str) -> Result<Self, ()> {
        let known = TYPES.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(text));
        if let Some((number, ..)) = known {
            return Ok(Self(*number));
        }
        let number =
            text.get(..4).filter(|head| head.eq_ignore_ascii_case("type")).and_then(|_| text.get(4..));
        number.and_then(|number| number.parse().ok()).map(Self).ok_or(())
    }
}

/// The data of a record between `at` and `end` in `message`, compressed names written out; `None` where a name in it is
/// none, or reaches beyond it.
pub(super) fn expand(kind: Kind, message: &[u8], mut at: usize, end: usize) -> Option<Vec<u8>> {
    let mut data = Vec::with_capacity(end - at);
    let fields = kind.fields();
    // Without a name there is nothing to write out, and a fault is its reader's.
    let names = fields.iter().rposition(|field| *field == Field::Name).map_or(0, |last| last + 1);
    for field in &fields[..names] {
        let length = match field {
            Field::Name => {
                let (name, next) = Name::read(message, at).filter(|(_, next)| *next <= end)?;
                data.extend(name.octets());
                at = next;
                continue;
            }
            Field::U8 => 1,
            Field::U16 | Field::Kind => 2,
            Field::U32 | Field::Time => 4,
            _ => usize::from(*message.get(at)?) + 1,
        };
        data.extend(message.get(at..at + length).filter(|_| at + length <= end)?);
        at += length;
    }
    data.extend(message.get(at..end)?);
    Some(data)
}

/// The data of a record of this type as text.
pub(super) fn text(kind: Kind, data: &[u8]) -> String {
    let mut rest = data;
    let mut out = String::new();
    for (n, field) in kind.fields().iter().enumerate() {
        let before = out.len();
        if n > 0 {
            out.push(' ');
        }
        if field.write(&mut rest, &mut out).is_none() {
            return unknown(data);
        }
        if n > 0 && out.len() == before + 1 {
            out.truncate(before);
        }
    }
    if rest.is_empty() && !kind.fields().is_empty() { out } else { unknown(data) }
}

/// `\# 4 C0000201` (RFC 3597 §5).
fn unknown(data: &[u8]) -> String {
    let mut out = format!("\\# {}", data.len());
    if !data.is_empty() {
        out.push(' ');
        hex(data, &mut out);
    }
    out
}

impl Field {
    /// Takes this field off `rest` and appends its text; `None` where it is not there.
    fn write(self, rest: &mut &[u8], out: &mut String) -> Option<()> {
        match self {
            Self::Name => {
                let (name, next) = Name::read(rest, 0)?;
                *rest = &rest[next..];
                write!(out, "{name}").ok()
            }
            Self::U8 => take::<1>(rest).and_then(|[value]| write!(out, "{value}").ok()),
            Self::U16 => take(rest).and_then(|octets| write!(out, "{}", u16::from_be_bytes(octets)).ok()),
            Self::U32 => take(rest).and_then(|octets| write!(out, "{}", u32::from_be_bytes(octets)).ok()),
            Self::Kind => {
                take(rest).and_then(|octets| write!(out, "{}", Kind(u16::from_be_bytes(octets))).ok())
            }
            Self::Time => take(rest).and_then(|octets| {
                let at = jiff::Timestamp::from_second(u32::from_be_bytes(octets).into()).ok()?;
                write!(out, "{}", at.strftime("%Y%m%d%H%M%S")).ok()
            }),
            Self::V4 => take::<4>(rest).and_then(|octets| write!(out, "{}", Ipv4Addr::from(octets)).ok()),
            Self::V6 => take::<16>(rest).and_then(|octets| write!(out, "{}", Ipv6Addr::from(octets)).ok()),
            Self::Text => counted(rest).map(|text| quoted(text, out)),
            Self::Texts => {
                let mut first = true;
                while !rest.is_empty() {
                    if !std::mem::take(&mut first) {
                        out.push(' ');
                    }
                    quoted(counted(rest)?, out);
                }
                (!first).then_some(())
            }
            Self::Tag => counted(rest).map(|tag| bare(tag, out)),
            Self::Rest => {
                quoted(std::mem::take(rest), out);
                Some(())
            }
            Self::Hex => {
                hex(std::mem::take(rest), out);
                Some(())
            }
            Self::Base64 => {
                out.push_str(&STANDARD.encode(std::mem::take(rest)));
                Some(())
            }
            Self::Salt => {
                counted(rest).map(|salt| if salt.is_empty() { out.push('-') } else { hex(salt, out) })
            }
            Self::Hash => counted(rest).map(|hash| base32(hash, out)),
            Self::Types => types(std::mem::take(rest), out),
            Self::Parameters => parameters(std::mem::take(rest), out),
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (octets, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*octets)
}

/// Octets behind their length of one octet.
fn counted<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first()?;
    let (octets, behind) = behind.split_at_checked((*length).into())?;
    *rest = behind;
    Some(octets)
}

/// A text between quotes, what is not printable as `\027`.
fn quoted(text: &[u8], out: &mut String) {
    out.push('"');
    bare(text, out);
    out.push('"');
}

fn bare(text: &[u8], out: &mut String) {
    for octet in text {
        match octet {
            b'"' | b'\\' => out.extend(['\\', char::from(*octet)]),
            b' '..=b'~' => out.push(char::from(*octet)),
            octet => {
                let _ = write!(out, "\\{octet:03}");
            }
        }
    }
}

fn hex(octets: &[u8], out: &mut String) {
    for octet in octets {
        let _ = write!(out, "{octet:02X}");
    }
}

/// Base32hex without padding (RFC 4648 §7), as NSEC3 has it.
fn base32(octets: &[u8], out: &mut String) {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    let (mut held, mut bits) = (0u32, 0);
    for octet in octets {
        held = held << 8 | u32::from(*octet);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        out.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
}

/// Windows of bits (RFC 4034 §4.1.2).
fn types(mut rest: &[u8], out: &mut String) -> Option<()> {
    let mut first = true;
    while let Some((window, behind)) = rest.split_first() {
        rest = behind;
        for (n, octet) in counted(&mut rest)?.iter().enumerate() {
            for bit in (0..8usize).filter(|bit| octet & 0x80 >> bit != 0) {
                if !std::mem::take(&mut first) {
                    out.push(' ');
                }
                let low = u8::try_from(n * 8 + bit).ok()?;
                write!(out, "{}", Kind(u16::from_be_bytes([*window, low]))).ok()?;
            }
        }
    }
    Some(())
}

/// Parameters of a service (RFC 9460 §2.2), as dig shows them.
fn parameters(mut rest: &[u8], out: &mut String) -> Option<()> {
    let mut first = true;
    while !rest.is_empty() {
        let (key, length) = (u16::from_be_bytes(take(&mut rest)?), u16::from_be_bytes(take(&mut rest)?));
        let (value, behind) = rest.split_at_checked(length.into())?;
        rest = behind;
        if !std::mem::take(&mut first) {
            out.push(' ');
        }
        parameter(key, value, out)?;
    }
    Some(())
}

fn parameter(key: u16, mut value: &[u8], out: &mut String) -> Option<()> {
    const NAMES: [&str; 8] =
        ["mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath"];
    let name = NAMES.get(usize::from(key)).map_or_else(|| format!("key{key}"), |name| (*name).to_owned());
    out.push_str(&name);
    if value.is_empty() {
        return Some(());
    }
    out.push('=');
    let mut list = Vec::new();
    match key {
        0 => {
            while !value.is_empty() {
                let key = u16::from_be_bytes(take(&mut value)?);
                list.push(
                    NAMES
                        .get(usize::from(key))
                        .map_or_else(|| format!("key{key}"), |name| (*name).to_owned()),
                );
            }
        }
        1 => {
            while !value.is_empty() {
                let mut protocol = String::new();
                bare(counted(&mut value)?, &mut protocol);
                list.push(protocol);
            }
            out.push('"');
            out.push_str(&list.join(","));
            out.push('"');
            return Some(());
        }
        3 if value.len() == 2 => list.push(u16::from_be_bytes(take(&mut value)?).to_string()),
        4 => {
            while !value.is_empty() {
                list.push(Ipv4Addr::from(take::<4>(&mut value)?).to_string());
            }
        }
        5 => list.push(STANDARD.encode(value)),
        6 => {
            while !value.is_empty() {
                list.push(Ipv6Addr::from(take::<16>(&mut value)?).to_string());
            }
        }
        _ => {
            quoted(value, out);
            return Some(());
        }
    }
    out.push_str(&list.join(","));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_digs_names_and_those_without_their_numbers() {
        for (text, number) in [("a", 1), ("HTTPS", 65), ("TYPE65", 65), ("type1234", 1234), ("caa", 257)] {
            assert_eq!(text.parse(), Ok(Kind(number)), "{text}");
        }
        assert_eq!(["", "B", "TYPE", "TYPE70000", "TYP€1"].map(str::parse::<Kind>), [Err(()); 5]);
        assert_eq!(
            (Kind(65).to_string(), Kind(1234).to_string()),
            ("HTTPS".to_owned(), "TYPE1234".to_owned())
        );
    }

    /// As `dig` 9.18 and `kdig` 3.2 print the same octets.
    #[test]
    fn data_is_written_as_digs() {
        for (kind, data, expected) in [
            ("A", &b"\xc0\0\x02\x01"[..], "192.0.2.1"),
            ("AAAA", b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", "2001:db8::1"),
            ("MX", b"\0\x0a\x01m\0", "10 m."),
            ("SOA", b"\x01n\0\x01h\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05", "n. h. 1 2 3 4 5"),
            ("TXT", b"\x03a\"b\x02\x1b[", "\"a\\\"b\" \"\\027[\""),
            ("SRV", b"\0\x01\0\x02\0\x35\x01s\0", "1 2 53 s."),
            ("CAA", b"\0\x05issueca.example", "0 issue \"ca.example\""),
            ("DS", b"\0\x07\x0d\x02\xab\xcd", "7 13 2 ABCD"),
            ("DNSKEY", b"\x01\x01\x03\x0d\0\x01", "257 3 13 AAE="),
            (
                "RRSIG",
                b"\0\x01\x0d\x02\0\0\x0e\x10\x66\x00\x00\x00\x65\x00\x00\x00\x04\xd2\x01e\0\x01",
                "A 13 2 3600 20240324102712 20230912060656 1234 e. AQ==",
            ),
            ("NSEC", b"\x01b\0\0\x06\x40\x01\0\0\0\x03", "b. A MX RRSIG NSEC"),
            ("NSEC3PARAM", b"\x01\0\0\0\0", "1 0 0 -"),
            (
                "HTTPS",
                b"\0\x01\0\0\x01\0\x06\x02h3\x02h2\0\x04\0\x04\xc0\0\x02\x01",
                "1 . alpn=\"h3,h2\" ipv4hint=192.0.2.1",
            ),
            ("TYPE1234", b"\x01\xff", "\\# 2 01FF"),
            ("A", b"\x01", "\\# 1 01"),
            ("TXT", b"", "\\# 0"),
            ("TXT", b"\x05a", "\\# 2 0561"),
        ] {
            let kind: Kind = kind.parse().expect("a type");
            assert_eq!(text(kind, data), expected, "{kind}");
        }
    }
}
