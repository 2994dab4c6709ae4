//! What is said in the clear before TLS begins on a port that first speaks something else. No I/O: octets in, what to do out.

mod xmpp;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::text::printable;

/// Octets of a reply that are read.
const MOST: usize = 4 << 10;
/// Letters of a reply that are told.
const TOLD: usize = 120;

/// What is spoken before TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Starttls {
    /// SMTP (RFC 3207).
    Smtp,
    /// IMAP (RFC 9051 §6.2.1).
    Imap,
    /// POP3 (RFC 2595 §4).
    Pop3,
    /// FTP (RFC 4217).
    Ftp,
    /// LDAP (RFC 4511 §4.14).
    Ldap,
    /// PostgreSQL's SSLRequest.
    Postgres,
    /// MySQL's and MariaDB's SSLRequest.
    Mysql,
    /// XMPP, as a client (RFC 6120 §5).
    Xmpp,
    /// XMPP, as another server.
    XmppServer,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More is to come.
    Listen,
    /// Say this, then listen.
    Say(Vec<u8>),
    /// Say this (it may be nothing), then begin TLS. So many octets had come too early: nobody may have said them under
    /// TLS's protection (CVE-2011-0411 and its like).
    Begin { say: Vec<u8>, early: usize },
    /// There will be no TLS, and why.
    Refused(String),
}

/// A dialogue under way.
#[derive(Debug)]
pub(super) struct Dialogue {
    with: Starttls,
    /// Replies that have been understood.
    turn: usize,
    heard: Vec<u8>,
}

/// What the next reply means, and how long it is.
enum Reply {
    Yes(usize),
    No,
    /// Not whole yet.
    Part,
}

impl Starttls {
    /// The port of a service that speaks it.
    pub const fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Pop3 => 110,
            Self::Ftp => 21,
            Self::Ldap => 389,
            Self::Postgres => 5432,
            Self::Mysql => 3306,
            Self::Xmpp => 5222,
            Self::XmppServer => 5269,
        }
    }

    /// Its word, as on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::Ldap => "ldap",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Xmpp => "xmpp",
            Self::XmppServer => "xmpp-server",
        }
    }
}

impl Dialogue {
    /// A dialogue with `host`, and how it begins.
    pub(super) fn new(with: Starttls, host: &str) -> (Self, Step) {
        let first = match with {
            // An ExtendedRequest with the name 1.3.6.1.4.1.1466.20037.
            Starttls::Ldap => {
                Step::Say(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037".to_vec())
            }
            Starttls::Postgres => Step::Say(vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]),
            Starttls::Xmpp | Starttls::XmppServer => {
                Step::Say(xmpp::opening(host, with == Starttls::XmppServer))
            }
            _ => Step::Listen,
        };
        (Self { with, turn: 0, heard: Vec::new() }, first)
    }

    /// Hears what has come next.
    pub(super) fn hear(&mut self, octets: &[u8]) -> Step {
        self.heard.extend(octets);
        let length = match self.reply() {
            Reply::Part if self.heard.len() >= MOST => {
                return Step::Refused("its reply is longer than 4 KiB".to_owned());
            }
            Reply::Part => return Step::Listen,
            Reply::No => return Step::Refused(format!("it said {}", self.told())),
            Reply::Yes(length) => length,
        };
        let reply: Vec<u8> = self.heard.drain(..length).collect();
        let turns: &[&[u8]] = match self.with {
            Starttls::Smtp => &[b"EHLO waddleperf.invalid\r\n", b"STARTTLS\r\n"],
            Starttls::Imap => &[b"a STARTTLS\r\n"],
            Starttls::Pop3 => &[b"STLS\r\n"],
            Starttls::Ftp => &[b"AUTH TLS\r\n"],
            Starttls::Xmpp | Starttls::XmppServer => &[xmpp::STARTTLS],
            Starttls::Ldap | Starttls::Postgres | Starttls::Mysql => &[],
        };
        let turn = self.turn;
        self.turn += 1;
        match turns.get(turn) {
            // A reply that nobody has asked for is not one to what is said next.
            Some(_) if !self.heard.is_empty() => {
                Step::Refused(format!("it said more than it was asked: {}", self.told()))
            }
            Some(say) => Step::Say(say.to_vec()),
            None => {
                let say = if self.with == Starttls::Mysql { ssl_request(&reply) } else { Vec::new() };
                Step::Begin { say, early: self.heard.len() }
            }
        }
    }

    /// What a person may see of what was heard.
    fn told(&self) -> String {
        let line = self.heard.split(|octet| *octet == b'\n').next().unwrap_or_default();
        printable(line.get(..TOLD).unwrap_or(line).trim_ascii_end())
    }

    fn reply(&self) -> Reply {
        let heard = self.heard.as_slice();
        match (self.with, self.turn) {
            (Starttls::Smtp, 0 | 2) => coded(heard, b"220"),
            (Starttls::Smtp, _) => coded(heard, b"250"),
            (Starttls::Ftp, 0) => coded(heard, b"220"),
            (Starttls::Ftp, _) => coded(heard, b"234"),
            (Starttls::Pop3, _) => line(heard, |line| Some(line.starts_with(b"+OK"))),
            (Starttls::Imap, 0) => line(heard, |line| Some(line.starts_with(b"* OK"))),
            (Starttls::Imap, _) => {
                line(
                    heard,
                    |line| if line.starts_with(b"* ") { None } else { Some(line.starts_with(b"a OK")) },
                )
            }
            (Starttls::Postgres, _) => match heard {
                [] => Reply::Part,
                [b'S', ..] => Reply::Yes(1),
                _ => Reply::No,
            },
            (Starttls::Ldap, _) => ldap(heard),
            (Starttls::Mysql, _) => mysql(heard),
            (Starttls::Xmpp | Starttls::XmppServer, 0) => xmpp::features(heard),
            (Starttls::Xmpp | Starttls::XmppServer, _) => xmpp::proceeds(heard),
        }
    }
}

/// Plays any octets as what each service says, some at a time: no more of them is kept than of a reply, and what is told may be shown.
pub(super) fn fuzz(octets: &[u8]) {
    for with in Starttls::value_variants() {
        let (mut dialogue, _) = Dialogue::new(*with, "h.example");
        for part in octets.chunks(64) {
            match dialogue.hear(part) {
                Step::Listen | Step::Say(_) => assert!(dialogue.heard.len() < MOST),
                Step::Begin { early, .. } => {
                    assert!(early < part.len(), "{early} of {}", part.len());
                    break;
                }
                Step::Refused(why) => {
                    assert!(!why.contains(char::is_control), "{why:?}");
                    break;
                }
            }
        }
    }
}

/// The first line that counts: `judge` says of each whether it is a yes, a no, or neither.
fn line(heard: &[u8], judge: impl Fn(&[u8]) -> Option<bool>) -> Reply {
    let mut from = 0;
    while let Some(length) = heard[from..].iter().position(|octet| *octet == b'\n') {
        let end = from + length + 1;
        match judge(&heard[from..end]) {
            Some(true) => return Reply::Yes(end),
            Some(false) => return Reply::No,
            None => from = end,
        }
    }
    Reply::Part
}

/// A reply of SMTP or FTP, of one line or several, the last of which has a space behind its code.
fn coded(heard: &[u8], code: &[u8]) -> Reply {
    line(heard, |line| match line.get(..4) {
        Some([of @ .., b' ' | b'\r' | b'\n']) => Some(of == code),
        // Lines of several are as FTP writes them, too: without a code.
        Some([of @ .., b'-']) if of != code => Some(false),
        _ => None,
    })
}

/// An ExtendedResponse whose result is success (RFC 4511 §4.1.9).
fn ldap(heard: &[u8]) -> Reply {
    let [0x30, length, rest @ ..] = heard else {
        return if matches!(heard, [] | [0x30]) { Reply::Part } else { Reply::No };
    };
    // Lengths may be written long.
    let (head, length) = match *length {
        short @ ..=0x7f => (2, usize::from(short)),
        long @ 0x81..=0x84 => {
            let count = usize::from(long & 0x7f);
            let Some(digits) = rest.get(..count) else { return Reply::Part };
            (2 + count, digits.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)))
        }
        _ => return Reply::No,
    };
    let Some(body) = heard.get(head..head.saturating_add(length)) else {
        return if length > MOST { Reply::No } else { Reply::Part };
    };
    // The message's number, then the response, whose first part is the result.
    match body {
        [2, 1, 1, 0x78, _, rest @ ..] => {
            let result = match rest {
                [0x0a, 1, result, ..] | [_, 0x0a, 1, result, ..] | [_, _, 0x0a, 1, result, ..] => {
                    Some(*result)
                }
                [_, _, _, 0x0a, 1, result, ..] | [_, _, _, _, 0x0a, 1, result, ..] => Some(*result),
                _ => None,
            };
            if result == Some(0) { Reply::Yes(head + length) } else { Reply::No }
        }
        _ => Reply::No,
    }
}

/// MySQL's greeting: a packet of protocol 10 whose server can TLS (CLIENT_SSL).
fn mysql(heard: &[u8]) -> Reply {
    let [a, b, c, 0, rest @ ..] = heard else {
        return if heard.len() < 4 { Reply::Part } else { Reply::No };
    };
    let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
    let Some(body) = rest.get(..length) else {
        return if length > MOST { Reply::No } else { Reply::Part };
    };
    // Version, thread, 8 octets of a challenge and a zero precede the lower half of the capabilities.
    let named = body.split_first().filter(|(protocol, _)| **protocol == 10);
    let end = named.and_then(|(_, name)| name.iter().position(|octet| *octet == 0));
    let low = end.and_then(|end| body.get(end + 15..end + 17));
    match low {
        Some([_, high]) if high & 0x08 != 0 => Reply::Yes(4 + length),
        _ => Reply::No,
    }
}

/// MySQL's SSLRequest: CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION; 16 MiB; utf8.
fn ssl_request(greeting: &[u8]) -> Vec<u8> {
    let mut request = vec![32, 0, 0, greeting.get(3).copied().unwrap_or(0).wrapping_add(1)];
    request.extend(0x8a00u32.to_le_bytes());
    request.extend((1u32 << 24).to_le_bytes());
    request.push(33);
    request.extend([0; 23]);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_a_service_says_does_no_harm(octets in prop::collection::vec(any::<u8>(), 0..300), text in "(220|[*+]OK|<|[0S])[ -~\n]{0,200}") {
            fuzz(&octets);
            fuzz(text.as_bytes());
            fuzz(&text.as_bytes().repeat(50));
        }
    }

    /// What comes of these replies, each of which answers what was said before, in pieces of `cut` octets.
    fn end(with: Starttls, replies: &[&[u8]], cut: usize) -> (Vec<Vec<u8>>, Step) {
        let (mut dialogue, mut step) = Dialogue::new(with, "h.example");
        let mut said = Vec::new();
        for reply in replies {
            if let Step::Say(text) = &step {
                said.push(text.clone());
            }
            for piece in reply.chunks(cut) {
                step = dialogue.hear(piece);
                if !matches!(step, Step::Listen) {
                    break;
                }
            }
        }
        (said, step)
    }

    const OPENED: &[u8] = b"<?xml version='1.0'?><stream:stream from=\"a>b\" id='1' xmlns='jabber:client' \
        xmlns:stream='http://etherx.jabber.org/streams' version='1.0'><stream:features>\
        <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\
        <x xmlns='y'/></stream:features>";
    const PROCEED: &[u8] = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    const MYSQL: &[u8] = b"\x4a\0\0\0\x0a8.0.32\0\x0b\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0caching_sha2_password\0";
    const LDAP: &[u8] = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";

    #[test]
    fn each_service_comes_to_tls_in_its_own_way() {
        let begin = Step::Begin { say: Vec::new(), early: 0 };
        for (with, replies, last) in [
            (
                Starttls::Smtp,
                &[&b"220-a\r\n220 b\r\n"[..], b"250-a\r\n250-STARTTLS\r\n250 x\r\n", b"220 go\r\n"][..],
                &b"STARTTLS\r\n"[..],
            ),
            (Starttls::Imap, &[b"* OK hi\r\n", b"* BYE? no\r\na OK go\r\n"], b"a STARTTLS\r\n"),
            (Starttls::Pop3, &[b"+OK hi\r\n", b"+OK go\r\n"], b"STLS\r\n"),
            (Starttls::Ftp, &[b"220-a\r\n any text\r\n220 b\r\n", b"234 go\r\n"], b"AUTH TLS\r\n"),
            (Starttls::Postgres, &[b"S"], &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]),
            (Starttls::Xmpp, &[OPENED, PROCEED], xmpp::STARTTLS),
            (
                Starttls::XmppServer,
                &[OPENED, b"<proceed xmlns=\"urn:ietf:params:xml:ns:xmpp-tls\"></proceed>"],
                xmpp::STARTTLS,
            ),
            (Starttls::Ldap, &[LDAP], b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
        ] {
            for cut in [1, 3, 4096] {
                let (said, step) = end(with, replies, cut);
                assert_eq!((said.last().map(Vec::as_slice), &step), (Some(last), &begin), "{with:?} {cut}");
            }
        }
        let (said, _) = end(Starttls::XmppServer, &[OPENED], 4096);
        let opening = String::from_utf8(said[0].clone()).expect("text");
        assert!(opening.contains(" to='h.example' xmlns='jabber:server' "), "{opening}");
        let (_, step) = end(Starttls::Mysql, &[MYSQL], 5);
        let Step::Begin { say, early: 0 } = step else { panic!("{step:?}") };
        assert_eq!((say.len(), &say[..8]), (36, &[32, 0, 0, 1, 0, 0x8a, 0, 0][..]));
    }

    #[test]
    fn what_is_said_too_early_is_counted_and_a_no_is_told_harmlessly() {
        let early = |with, replies: &[&[u8]]| match end(with, replies, 4096).1 {
            Step::Begin { early, .. } => early,
            step => panic!("{step:?}"),
        };
        assert_eq!(early(Starttls::Imap, &[b"* OK\r\n", b"a OK\r\n* CAPABILITY X\r\n"]), 16);
        assert_eq!(early(Starttls::Postgres, &[b"SX"]), 1);
        let spaced = [OPENED, b" \r\n"].concat();
        assert_eq!(early(Starttls::Xmpp, &[&spaced, PROCEED]), 0);
        let and_more = [PROCEED, b"<message/>"].concat();
        assert_eq!(early(Starttls::Xmpp, &[OPENED, &and_more]), 10);
        for (with, replies, says) in [
            (Starttls::Smtp, &[&b"554 no\x1b[31m\r\n"[..]][..], "it said 554 no\\u{1b}[31m"),
            (Starttls::Smtp, &[b"220 a\r\n", b"250 a\r\n", b"454 later\r\n"], "it said 454 later"),
            (Starttls::Smtp, &[b"220 a\r\n220 go\r\n"], "it said more than it was asked: 220 go"),
            (Starttls::Imap, &[b"* OK\r\n", b"a BAD\r\n"], "it said a BAD"),
            (Starttls::Postgres, &[b"N"], "it said N"),
            (Starttls::Ldap, &[b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x35\x04\x00\x04\x00"], "it said 0"),
            (Starttls::Pop3, &[&[b'x'; 5000]], "longer than 4 KiB"),
            (Starttls::Mysql, &[b"\x05\0\0\0\xffHost"], "it said "),
            (Starttls::Xmpp, &[b"HTTP/1.1 400 no\r\n"], "it said HTTP/1.1 400"),
            (Starttls::Xmpp, &[b"<stream:stream><stream:features/>"], "it said <stream:stream>"),
            (Starttls::Xmpp, &[b"<stream:stream><stream:features><starttls xmlns='other'/></stream:features>"], "it said"),
            (Starttls::Xmpp, &[b"<stream:stream><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:features></stream:features>"], "it said"),
            (Starttls::Xmpp, &[b"<stream:stream><stream:error><host-unknown/></stream:error></stream:stream>"], "host-unknown"),
            (Starttls::Xmpp, &[OPENED, b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"], "it said <failure"),
            (Starttls::Xmpp, &[OPENED, b"<proceed xmlns='other'/>"], "it said <proceed"),
            (Starttls::Xmpp, &[&[b"<a b='".as_slice(), &[b'x'; 5000]].concat()], "longer than 4 KiB"),
        ] {
            let (_, step) = end(with, replies, 4096);
            let Step::Refused(why) = step else { panic!("{with:?}: {step:?}") };
            assert!(why.contains(says), "{why}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(with in prop::sample::select(Starttls::value_variants().to_vec()), replies: Vec<Vec<u8>>) {
            let (mut dialogue, _) = Dialogue::new(with, "h.example");
            for reply in &replies {
                if !matches!(dialogue.hear(reply), Step::Listen | Step::Say(_)) {
                    break;
                }
            }
        }
    }
}
