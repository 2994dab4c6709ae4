//! A ClientHello, written by hand so that it can offer what no library offers any more (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).

use super::{SSL3, TLS1_0, TLS1_3, extension};

/// What a client offers.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// The highest version; TLS 1.3 stands in an extension (RFC 8446 §4.2.1).
    pub version: u16,
    /// All versions that are offered by the extension; where it is empty there is none, and every lower version is
    /// offered too.
    pub versions: &'a [u16],
    /// Cipher suites, the best first.
    pub suites: &'a [u16],
    /// Groups for the key exchange, the best first.
    pub groups: &'a [u16],
    /// Shares of some of them; where there is none, a server of TLS 1.3 names its choice.
    pub shares: &'a [(u16, &'a [u8])],
    /// Timestamps of certificate logs are wanted (RFC 6962 §3.3.1).
    pub timestamps: bool,
    /// Signature algorithms; none of a client before TLS 1.2.
    pub signatures: &'a [u16],
    /// The server's name (RFC 6066 §3); an address has none.
    pub name: Option<&'a str>,
    /// The application's protocols (RFC 7301).
    pub alpn: &'a [&'a [u8]],
    /// DEFLATE (RFC 3749) is offered, too.
    pub compresses: bool,
    /// 32 octets that need not be secret, as no session comes of it.
    pub random: [u8; 32],
}

/// A ClientHello of SSL 2.0 with all its cipher kinds and a challenge.
pub const HELLO_V2: [u8; 48] = [
    0x80, 46, 1, 0, 2, 0, 21, 0, 0, 0, 16, // length, type, version, lengths of what follows
    1, 0, 0x80, 2, 0, 0x80, 3, 0, 0x80, 4, 0, 0x80, 5, 0, 0x80, 6, 0, 0x40, 7, 0, 0xc0, // cipher kinds
    0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57, 0x57,
];

impl Hello<'_> {
    /// Appends it, in a record of its own.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut body = Vec::with_capacity(1024);
        body.extend(self.version.min(super::TLS1_2).to_be_bytes());
        body.extend(self.random);
        body.push(0);
        list(&mut body, 2, self.suites);
        body.extend(if self.compresses { &[2, 1, 0][..] } else { &[1, 0] });
        // SSL 3.0 knows no extensions.
        if self.version > SSL3 {
            let extensions = self.extensions(body.len());
            body.extend((extensions.len() as u16).to_be_bytes());
            body.extend(extensions);
        }
        out.extend([22]);
        // A record of a first ClientHello says 1.0 whatever it offers, for old servers' sake (RFC 8446 §5.1).
        out.extend(self.version.min(TLS1_0).to_be_bytes());
        out.extend((body.len() as u16 + 4).to_be_bytes());
        out.extend([1, 0]);
        out.extend((body.len() as u16).to_be_bytes());
        out.extend(body);
    }

    /// The extensions, where `before` octets of the message precede them.
    fn extensions(&self, before: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut extend = |kind: u16, body: &[u8]| {
            out.extend(kind.to_be_bytes());
            out.extend((body.len() as u16).to_be_bytes());
            out.extend(body);
        };
        let listed = |size: usize, values: &[u16]| {
            let mut body = Vec::new();
            list(&mut body, size, values);
            body
        };
        if let Some(name) = self.name {
            let length = name.len() as u16;
            let mut body = (length + 3).to_be_bytes().to_vec();
            body.push(0);
            body.extend(length.to_be_bytes());
            body.extend(name.as_bytes());
            extend(extension::NAME, &body);
        }
        if self.version < TLS1_3 || self.versions.len() > 1 {
            extend(extension::RENEGOTIATION, &[0]);
            extend(extension::MASTER_SECRET, &[]);
            extend(extension::TICKET, &[]);
            extend(extension::HEARTBEAT, &[1]);
        }
        if !self.groups.is_empty() {
            extend(extension::GROUPS, &listed(2, self.groups));
            extend(extension::POINTS, &[1, 0]);
        }
        if !self.alpn.is_empty() {
            let names: Vec<u8> =
                self.alpn.iter().flat_map(|name| [&[name.len() as u8][..], name].concat()).collect();
            extend(extension::ALPN, &[&(names.len() as u16).to_be_bytes()[..], &names].concat());
        }
        if self.versions.contains(&TLS1_3) {
            let mut shares = Vec::new();
            for (group, share) in self.shares {
                shares.extend(group.to_be_bytes());
                shares.extend((share.len() as u16).to_be_bytes());
                shares.extend(*share);
            }
            extend(extension::KEY_SHARE, &[&(shares.len() as u16).to_be_bytes()[..], &shares].concat());
        }
        if !self.versions.is_empty() {
            extend(extension::VERSIONS, &listed(1, self.versions));
        }
        if self.timestamps {
            extend(extension::TIMESTAMPS, &[]);
        }
        if !self.signatures.is_empty() {
            extend(extension::SIGNATURES, &listed(2, self.signatures));
        }
        // Some servers hang at messages of 256 to 511 octets (RFC 7685).
        let length = before + 2 + out.len() + 4;
        if (256..512).contains(&length) {
            let padding = vec![0; 512 - length.min(508) - 4];
            out.extend(extension::PADDING.to_be_bytes());
            out.extend((padding.len() as u16).to_be_bytes());
            out.extend(padding);
        }
        out
    }
}

/// Appends numbers of two octets behind the length of all, which is `size` octets long.
fn list(out: &mut Vec<u8>, size: usize, values: &[u16]) {
    let length = (2 * values.len() as u16).to_be_bytes();
    out.extend(&length[2 - size..]);
    values.iter().for_each(|value| out.extend(value.to_be_bytes()));
}

#[cfg(test)]
mod tests {
    use super::super::{TLS1_2, sized, word};
    use super::*;

    fn hello(version: u16) -> Hello<'static> {
        Hello {
            version,
            versions: if version == TLS1_3 { &[TLS1_3, TLS1_2] } else { &[] },
            suites: &[0x1301, 0xc02f],
            groups: &[29, 23],
            shares: &[],
            timestamps: false,
            signatures: &[0x0403],
            name: Some("h.example"),
            alpn: &[b"h2", b"http/1.1"],
            compresses: false,
            random: [7; 32],
        }
    }

    /// The extensions of a message whose lengths all agree with what is there.
    fn extensions(written: &[u8]) -> Option<Vec<(u16, Vec<u8>)>> {
        let mut record = written.get(3..)?;
        let mut message = sized(&mut record, 2)?;
        assert!(record.is_empty());
        assert_eq!(message.split_off(..1), Some(&[1][..]));
        let mut body = sized(&mut message, 3)?;
        assert!(message.is_empty());
        body.split_off(..34)?;
        for size in [1, 2, 1] {
            sized(&mut body, size)?;
        }
        let mut found = Vec::new();
        if !body.is_empty() {
            let mut left = sized(&mut body, 2)?;
            while !left.is_empty() {
                found.push((word(&mut left)?, sized(&mut left, 2)?.to_vec()));
            }
        }
        assert!(body.is_empty());
        Some(found)
    }

    #[test]
    fn every_length_is_right_and_what_is_offered_is_there() {
        let mut out = Vec::new();
        hello(TLS1_3).write(&mut out);
        let told = extensions(&out).expect("a message");
        let of = |kind| told.iter().find(|(k, _)| *k == kind).map(|(_, body)| body.as_slice());
        assert_eq!(of(0), Some(&b"\0\x0c\0\0\x09h.example"[..]));
        assert_eq!(of(43), Some(&[4, 3, 4, 3, 3][..]));
        assert_eq!(of(51), Some(&[0, 0][..]));
        assert_eq!(of(16), Some(&b"\0\x0c\x02h2\x08http/1.1"[..]));
        assert_eq!(of(13), Some(&[0, 2, 4, 3][..]));
    }

    #[test]
    fn shares_and_a_wish_for_timestamps_are_written() {
        let mut out = Vec::new();
        Hello { shares: &[(29, b"ab"), (23, b"c")], timestamps: true, ..hello(TLS1_3) }.write(&mut out);
        let told = extensions(&out).expect("a message");
        let of = |kind| told.iter().find(|(k, _)| *k == kind).map(|(_, body)| body.as_slice());
        assert_eq!(of(51), Some(&b"\0\x0b\0\x1d\0\x02ab\0\x17\0\x01c"[..]));
        assert_eq!(of(18), Some(&b""[..]));
    }

    #[test]
    fn old_versions_are_offered_as_they_were() {
        for (version, record, has_extensions) in
            [(SSL3, [3, 0], false), (TLS1_0, [3, 1], true), (TLS1_2, [3, 1], true)]
        {
            let mut out = Vec::new();
            hello(version).write(&mut out);
            assert_eq!((out[1], out[2]), (record[0], record[1]));
            assert_eq!(u16::from_be_bytes([out[9], out[10]]), version);
            let told = extensions(&out).expect("a message");
            assert_eq!(!told.is_empty(), has_extensions);
            assert!(told.iter().all(|(kind, _)| *kind != 43 && *kind != 51));
        }
    }

    #[test]
    fn no_message_has_a_length_that_servers_hang_at() {
        for count in 1..400u16 {
            let suites: Vec<u16> = (0..count).collect();
            let mut out = Vec::new();
            Hello { suites: &suites, ..hello(TLS1_2) }.write(&mut out);
            assert!(extensions(&out).is_some());
            assert!(!(256..512).contains(&(out.len() - 5)), "{count} suites: {}", out.len());
        }
    }

    #[test]
    fn the_hello_of_ssl_2_counts_right() {
        let length = |at: usize| usize::from(u16::from_be_bytes([HELLO_V2[at], HELLO_V2[at + 1]]));
        assert_eq!(length(0) & 0x7fff, HELLO_V2.len() - 2);
        assert_eq!(11 + length(5) + length(7) + length(9), HELLO_V2.len());
    }
}
