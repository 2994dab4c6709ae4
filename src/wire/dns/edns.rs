//! EDNS (RFC 6891): what a query and a reply say by it, and cookies (RFC 7873).

use super::rdata::Kind;

/// Options: the server's own identifier (RFC 5001), cookies (RFC 7873), padding (RFC 7830), extended errors (RFC 8914).
const NSID: u16 = 3;
const COOKIE: u16 = 10;
const PADDING: u16 = 12;
const EXTENDED_ERROR: u16 = 15;
/// Extended errors that are kept of one reply, and octets of the text of each.
const MOST_ERRORS: usize = 8;
const MOST_TEXT: usize = 256;
/// The bit "DNSSEC OK" in the TTL of an OPT record (RFC 3225).
const DNSSEC_OK: u32 = 0x8000;
/// Octets of the client's part of a cookie, and of all of it at most (RFC 7873 §4).
const OURS: usize = 8;
const LONGEST_COOKIE: usize = 40;

/// What a query says by EDNS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Octets of a UDP reply that are accepted.
    pub size: u16,
    /// DNSSEC records are wanted (RFC 3225).
    pub dnssec: bool,
    /// The server's own identifier is wanted (RFC 5001).
    pub nsid: bool,
    /// A cookie that the server may bake its own onto (RFC 7873).
    pub cookie: Option<Cookie>,
    /// Padded to a multiple of so many octets (RFC 8467); 0 is none.
    pub block: u16,
}

/// A cookie: eight octets of the client's, behind which a server puts 8 to 32 of its own (RFC 7873 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie {
    octets: [u8; LONGEST_COOKIE],
    length: usize,
}

impl Cookie {
    /// The client's part alone.
    pub fn new(ours: [u8; OURS]) -> Self {
        let mut octets = [0; LONGEST_COOKIE];
        octets[..OURS].copy_from_slice(&ours);
        Self { octets, length: OURS }
    }

    /// The cookie in an option; `None` of any other length than 8 or 16 to 40 octets, which is no cookie.
    pub fn parse(option: &[u8]) -> Option<Self> {
        if !matches!(option.len(), OURS | 16..=LONGEST_COOKIE) {
            return None;
        }
        let mut octets = [0; LONGEST_COOKIE];
        octets[..option.len()].copy_from_slice(option);
        Some(Self { octets, length: option.len() })
    }

    /// All of it, as it travels.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }

    /// The client's part.
    pub fn ours(&self) -> &[u8] {
        &self.octets[..OURS]
    }

    /// The server's part; empty where it has none yet.
    pub fn theirs(&self) -> &[u8] {
        &self.octets[OURS..self.length]
    }
}

impl Asked {
    /// Appends it as the last record of the message that began at `start` in `out`.
    pub(super) fn write(&self, start: usize, out: &mut Vec<u8>) {
        out.push(0);
        out.extend(Kind::OPT.0.to_be_bytes());
        out.extend(self.size.to_be_bytes());
        out.extend((if self.dnssec { DNSSEC_OK } else { 0 }).to_be_bytes());
        let length_at = out.len();
        out.extend([0, 0]);
        if self.nsid {
            out.extend(NSID.to_be_bytes());
            out.extend([0, 0]);
        }
        if let Some(cookie) = &self.cookie {
            out.extend(COOKIE.to_be_bytes());
            out.extend((cookie.octets().len() as u16).to_be_bytes());
            out.extend(cookie.octets());
        }
        if self.block > 0 {
            let bare = out.len() - start + 4;
            let pad = bare.next_multiple_of(self.block.into()) - bare;
            out.extend(PADDING.to_be_bytes());
            out.extend((pad as u16).to_be_bytes());
            out.resize(out.len() + pad, 0);
        }
        let length = (out.len() - length_at - 2) as u16;
        out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    }
}

/// What a reply says by EDNS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edns {
    /// Octets of a UDP message that its sender accepts.
    pub size: u16,
    /// The version that it speaks.
    pub version: u8,
    /// The bit DO came back.
    pub dnssec: bool,
    /// The upper bits of the response code, as they came; what is written has those of the message's code.
    pub extended: u8,
    /// Whose server it is, in its own octets (RFC 5001).
    pub nsid: Option<Vec<u8>>,
    /// A cookie as it came, well made or not (RFC 7873); at most 41 octets of it.
    pub cookie: Option<Vec<u8>>,
    /// Extended errors: code and text (RFC 8914).
    pub errors: Vec<(u16, Vec<u8>)>,
}

impl Edns {
    pub(super) fn write(&self, code: u16, out: &mut Vec<u8>) {
        let mut options = Vec::new();
        let mut put = |code: u16, parts: [&[u8]; 2]| {
            options.extend(code.to_be_bytes());
            options.extend(((parts[0].len() + parts[1].len()) as u16).to_be_bytes());
            options.extend(parts.concat());
        };
        if let Some(nsid) = &self.nsid {
            put(NSID, [nsid, &[]]);
        }
        if let Some(cookie) = &self.cookie {
            put(COOKIE, [cookie, &[]]);
        }
        for (code, text) in &self.errors {
            put(EXTENDED_ERROR, [&code.to_be_bytes(), text]);
        }
        out.push(0);
        out.extend(Kind::OPT.0.to_be_bytes());
        out.extend(self.size.to_be_bytes());
        out.extend([(code >> 4) as u8, self.version, if self.dnssec { 0x80 } else { 0 }, 0]);
        out.extend((options.len() as u16).to_be_bytes());
        out.extend(options);
    }

    pub(super) fn parse(class: u16, ttl: u32, mut options: &[u8]) -> Option<Self> {
        let [extended, version, ..] = ttl.to_be_bytes();
        let mut found =
            Self { size: class, version, dnssec: ttl & DNSSEC_OK != 0, extended, ..Self::default() };
        while !options.is_empty() {
            let (head, rest) = options.split_first_chunk::<4>()?;
            let (code, length) =
                (u16::from_be_bytes([head[0], head[1]]), u16::from_be_bytes([head[2], head[3]]));
            let (value, rest) = rest.split_at_checked(length.into())?;
            options = rest;
            match (code, value) {
                (NSID, value) if !value.is_empty() => {
                    found.nsid = Some(value.iter().copied().take(MOST_TEXT).collect())
                }
                // The first counts (RFC 7873 §5.2).
                (COOKIE, value) if found.cookie.is_none() => {
                    found.cookie = Some(value.iter().copied().take(LONGEST_COOKIE + 1).collect())
                }
                (EXTENDED_ERROR, [high, low, text @ ..]) if found.errors.len() < MOST_ERRORS => {
                    let text = text.iter().copied().take(MOST_TEXT).collect();
                    found.errors.push((u16::from_be_bytes([*high, *low]), text));
                }
                _ => {}
            }
        }
        Some(found)
    }
}

/// What an extended error means (RFC 8914 §4); `None` of what is not registered.
pub fn error_name(code: u16) -> Option<&'static str> {
    const NAMES: [&str; 25] = [
        "Other",
        "Unsupported DNSKEY Algorithm",
        "Unsupported DS Digest Type",
        "Stale Answer",
        "Forged Answer",
        "DNSSEC Indeterminate",
        "DNSSEC Bogus",
        "Signature Expired",
        "Signature Not Yet Valid",
        "DNSKEY Missing",
        "RRSIGs Missing",
        "No Zone Key Bit Set",
        "NSEC Missing",
        "Cached Error",
        "Not Ready",
        "Blocked",
        "Censored",
        "Filtered",
        "Prohibited",
        "Stale NXDOMAIN Answer",
        "Not Authoritative",
        "Not Supported",
        "No Reachable Authority",
        "Network Error",
        "Invalid Data",
    ];
    NAMES.get(usize::from(code)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_has_one_of_two_forms() {
        let ours = Cookie::new(*b"12345678");
        assert_eq!((ours.octets(), ours.theirs()), (&b"12345678"[..], &b""[..]));
        for length in 0..=60 {
            let option: Vec<u8> = (0..length).collect();
            let read = Cookie::parse(&option);
            assert_eq!(read.is_some(), length == 8 || (16..=40).contains(&length), "{length}");
            if let Some(read) = read {
                assert_eq!(
                    (read.octets(), read.ours(), read.theirs()),
                    (&option[..], &option[..8], &option[8..])
                );
            }
        }
    }

    #[test]
    fn a_cookie_travels_as_an_option_and_the_first_of_several_counts() {
        let cookie = Cookie::parse(b"12345678abcdefgh");
        let asked = Asked { size: 1232, cookie, ..Asked::default() };
        let mut out = Vec::new();
        asked.write(0, &mut out);
        assert_eq!(out, b"\0\0\x29\x04\xd0\0\0\0\0\0\x14\0\x0a\0\x1012345678abcdefgh");
        let read = |options: &[u8]| Edns::parse(1232, 0, options).map(|edns| edns.cookie);
        assert_eq!(read(&out[11..]), Some(Some(b"12345678abcdefgh".to_vec())));
        assert_eq!(read(b"\0\x0a\0\x01x\0\x0a\0\x01y"), Some(Some(b"x".to_vec())));
        assert_eq!(read(b"\0\x0a\0\x02x"), None);
        let long = [&b"\0\x0a\x01\0"[..], &[7; 256]].concat();
        assert_eq!(read(&long), Some(Some(vec![7; 41])));
    }
}
