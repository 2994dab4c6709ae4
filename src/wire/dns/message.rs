//! Whole messages (RFC 1035 §4): queries as they are sent, replies as they are read, with EDNS (RFC 6891).

use super::edns::{Asked, Edns};
use super::name::Name;
use super::rdata::{self, Kind};

/// The Internet's class.
const INTERNET: u16 = 1;
/// Octets of a header.
const HEADER: usize = 12;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// About this name.
    pub name: Name,
    /// Its records of this type.
    pub kind: Kind,
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its identifier.
    pub id: u16,
    /// What is asked.
    pub question: Question,
    /// Recursion desired.
    pub recurse: bool,
    /// Checking disabled (RFC 4035 §3.2.2): also what does not validate.
    pub unchecked: bool,
    /// Say whether it is authentic data (RFC 6840 §5.7).
    pub authentic: bool,
    /// With EDNS.
    pub edns: Option<Asked>,
}

impl Query {
    /// Appends its octets.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend(self.id.to_be_bytes());
        out.push(u8::from(self.recurse));
        out.push(u8::from(self.authentic) << 5 | u8::from(self.unchecked) << 4);
        out.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.edns.is_some())]);
        out.extend(self.question.name.octets());
        out.extend(self.question.kind.0.to_be_bytes());
        out.extend(INTERNET.to_be_bytes());
        if let Some(edns) = self.edns {
            edns.write(start, out);
        }
    }
}

/// The mnemonic of a response code (IANA's registry of DNS RCODEs); its number where it has none.
pub fn code_name(code: u16) -> String {
    const NAMES: [&str; 11] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
        "NOTAUTH", "NOTZONE",
    ];
    match (NAMES.get(usize::from(code)), code) {
        (Some(name), _) => (*name).to_owned(),
        (None, 16) => "BADVERS".to_owned(),
        (None, 23) => "BADCOOKIE".to_owned(),
        (None, code) => format!("RCODE{code}"),
    }
}

/// A record, its names written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub name: Name,
    /// Its type.
    pub kind: Kind,
    /// Its class; 1 is the Internet's.
    pub class: u16,
    /// Seconds that it may be kept.
    pub ttl: u32,
    /// Its data, compressed names written out where its type has such (RFC 3597 §4).
    pub data: Vec<u8>,
}

impl Record {
    /// Its data as text, as dig shows it.
    pub fn text(&self) -> String {
        rdata::text(self.kind, &self.data)
    }

    /// Until when the signature that it is may be used, in seconds since 1970 (RFC 4034 §3.1.5); `None` of other types.
    pub fn expires(&self) -> Option<u32> {
        let octets = self.data.get(8..12).filter(|_| self.kind == Kind::RRSIG)?;
        octets.first_chunk().map(|octets| u32::from_be_bytes(*octets))
    }

    /// The name in it, of those types that are one name, and of MX.
    pub fn target(&self) -> Option<Name> {
        let at = match self.kind {
            Kind::NS | Kind::CNAME | Kind::PTR | Kind::DNAME => 0,
            Kind::MX => 2,
            _ => return None,
        };
        Name::read(&self.data, at).map(|(name, _)| name)
    }
}

/// A message that was received, all of it checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its identifier.
    pub id: u16,
    /// It is a reply.
    pub is_reply: bool,
    /// What kind of query: 0 is the usual one.
    pub opcode: u8,
    /// Authoritative answer.
    pub aa: bool,
    /// Truncated.
    pub tc: bool,
    /// Recursion desired.
    pub rd: bool,
    /// Recursion available.
    pub ra: bool,
    /// Authentic data.
    pub ad: bool,
    /// Checking disabled.
    pub cd: bool,
    /// Response code, its upper bits by EDNS.
    pub code: u16,
    /// What was asked; a server that does not understand may leave it out.
    pub question: Option<Question>,
    /// Answers.
    pub answers: Vec<Record>,
    /// Authority.
    pub authority: Vec<Record>,
    /// Additional records, EDNS left out.
    pub additional: Vec<Record>,
    /// EDNS.
    pub edns: Option<Edns>,
}

impl Message {
    /// A reply to `question` with nothing in it.
    pub fn empty(question: Question) -> Self {
        Self {
            id: 0,
            is_reply: true,
            opcode: 0,
            aa: false,
            tc: false,
            rd: true,
            ra: true,
            ad: false,
            cd: false,
            code: 0,
            question: Some(question),
            answers: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
            edns: None,
        }
    }

    /// Reads a whole message; `None` where it is none, or does not end where it says.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let bit = |at: usize, bit: u8| header[at] & bit != 0;
        let mut read = Reading { bytes, at: HEADER };
        let mut question = None;
        for n in 0..number(4) {
            let asked = read.question()?;
            if n == 0 {
                question = Some(asked);
            }
        }
        let mut edns = None;
        // A message that was cut may end in the middle of its records (RFC 2181 §9): what came whole is kept.
        let tc = bit(2, 2);
        let mut section = |count: u16| {
            let mut records = Vec::new();
            for _ in 0..count {
                match read.record(&mut edns) {
                    Some(record) => records.extend(record),
                    None if tc => {
                        read.at = bytes.len();
                        break;
                    }
                    None => return None,
                }
            }
            Some(records)
        };
        let (answers, authority, additional) =
            (section(number(6))?, section(number(8))?, section(number(10))?);
        let upper = edns.as_ref().map_or(0, |edns: &Edns| edns.extended);
        Some(Self {
            id: number(0),
            is_reply: bit(2, 0x80),
            opcode: header[2] >> 3 & 15,
            aa: bit(2, 4),
            tc,
            rd: bit(2, 1),
            ra: bit(3, 0x80),
            ad: bit(3, 0x20),
            cd: bit(3, 0x10),
            code: u16::from(upper) << 4 | u16::from(header[3] & 15),
            question,
            answers,
            authority,
            additional,
            edns,
        })
    }

    /// Appends its octets, nothing compressed: for servers in tests.
    pub fn write(&self, out: &mut Vec<u8>) {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        out.extend(self.id.to_be_bytes());
        out.push(
            bit(self.is_reply, 0x80)
                | (self.opcode & 15) << 3
                | bit(self.aa, 4)
                | bit(self.tc, 2)
                | bit(self.rd, 1),
        );
        out.push(bit(self.ra, 0x80) | bit(self.ad, 0x20) | bit(self.cd, 0x10) | (self.code & 15) as u8);
        let additional = self.additional.len() + usize::from(self.edns.is_some());
        for count in
            [usize::from(self.question.is_some()), self.answers.len(), self.authority.len(), additional]
        {
            out.extend((count as u16).to_be_bytes());
        }
        if let Some(Question { name, kind }) = &self.question {
            out.extend(name.octets());
            out.extend(kind.0.to_be_bytes());
            out.extend(INTERNET.to_be_bytes());
        }
        for record in self.answers.iter().chain(&self.authority).chain(&self.additional) {
            out.extend(record.name.octets());
            out.extend(record.kind.0.to_be_bytes());
            out.extend(record.class.to_be_bytes());
            out.extend(record.ttl.to_be_bytes());
            out.extend((record.data.len() as u16).to_be_bytes());
            out.extend(&record.data);
        }
        if let Some(edns) = &self.edns {
            edns.write(self.code, out);
        }
    }

    /// Whether it is a reply to a query with this identifier and question, and whether the case of the name's letters came
    /// back as it was sent. A server that does not understand may leave the question out.
    pub fn answers_to(&self, id: u16, asked: &Question) -> Option<bool> {
        if !self.is_reply || self.id != id || self.opcode != 0 {
            return None;
        }
        match &self.question {
            None => Some(true),
            Some(question) => (question.kind == asked.kind && question.name.is_like(&asked.name))
                .then(|| question.name == asked.name),
        }
    }
}

/// A message, and how far it has been read.
struct Reading<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reading<'_> {
    fn name(&mut self) -> Option<Name> {
        let (name, next) = Name::read(self.bytes, self.at)?;
        self.at = next;
        Some(name)
    }

    fn u16(&mut self) -> Option<u16> {
        let octets = self.bytes.get(self.at..)?.first_chunk::<2>()?;
        self.at += 2;
        Some(u16::from_be_bytes(*octets))
    }

    fn question(&mut self) -> Option<Question> {
        let (name, kind, _class) = (self.name()?, self.u16()?, self.u16()?);
        Some(Question { name, kind: Kind(kind) })
    }

    /// The next record; `Some(None)` where it was EDNS.
    fn record(&mut self, edns: &mut Option<Edns>) -> Option<Option<Record>> {
        let start = self.at;
        let record = self.whole_record(edns);
        if record.is_none() {
            self.at = start;
        }
        record
    }

    fn whole_record(&mut self, edns: &mut Option<Edns>) -> Option<Option<Record>> {
        let (name, kind, class) = (self.name()?, Kind(self.u16()?), self.u16()?);
        let ttl = u32::from(self.u16()?) << 16 | u32::from(self.u16()?);
        let length = usize::from(self.u16()?);
        let end = self.at + length;
        let raw = self.bytes.get(self.at..end)?;
        if kind == Kind::OPT {
            *edns = Some(Edns::parse(class, ttl, raw)?);
            self.at = end;
            return Some(None);
        }
        let data = rdata::expand(kind, self.bytes, self.at, end)?;
        self.at = end;
        // A TTL with its highest bit set is none (RFC 2181 §8).
        let ttl = if ttl > i32::MAX as u32 { 0 } else { ttl };
        Some(Some(Record { name, kind, class, ttl, data }))
    }
}

/// Shared by the fuzz target and a property test: what is read can be written and read again, and its text is harmless.
pub fn fuzz_message(bytes: &[u8]) {
    let Some(message) = Message::parse(bytes) else { return };
    let records = || message.answers.iter().chain(&message.authority).chain(&message.additional);
    for record in records() {
        let text = format!("{} {} {}", record.name, record.kind, record.text());
        assert!(text.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic()), "{text:?}");
    }
    let mut again = Vec::new();
    message.write(&mut again);
    // Names written out may be longer than a message can be.
    if again.len() <= usize::from(u16::MAX)
        && records().all(|record| record.data.len() <= usize::from(u16::MAX))
    {
        assert_eq!(Message::parse(&again), Some(message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::parse(text).expect(text)
    }

    fn asked() -> Question {
        Question { name: name("a.example"), kind: Kind::A }
    }

    #[test]
    fn a_query_is_written_as_kdigs() {
        let edns = Some(Asked { size: 1232, dnssec: true, nsid: true, cookie: None, block: 0 });
        let query =
            Query { id: 0x1234, question: asked(), recurse: true, unchecked: false, authentic: true, edns };
        let mut out = Vec::new();
        query.write(&mut out);
        let expected = b"\x12\x34\x01\x20\x00\x01\0\0\0\0\0\x01\x01a\x07example\0\x00\x01\x00\x01\
                         \0\x00\x29\x04\xd0\0\0\x80\0\x00\x04\x00\x03\x00\x00";
        assert_eq!(out, expected);
        for block in [128, 468] {
            let edns = Some(Asked { size: 1232, block, ..Asked::default() });
            let mut out = vec![0; 2];
            Query { edns, ..query.clone() }.write(&mut out);
            assert_eq!((out.len() - 2) % usize::from(block), 0, "padded, whatever lies before it");
            assert!(Message::parse(&out[2..]).is_some());
        }
    }

    #[test]
    fn a_reply_is_ours_by_identifier_and_question_and_tells_the_letters_case() {
        let mut reply = Message::parse(b"\0\x07\x81\x80\0\0\0\0\0\0\0\0").expect("a header");
        assert_eq!(reply.answers_to(7, &asked()), Some(true));
        assert_eq!(reply.answers_to(8, &asked()), None);
        reply.question = Some(Question { name: name("A.example"), kind: Kind::A });
        assert_eq!(reply.answers_to(7, &asked()), Some(false));
        reply.question = Some(Question { name: name("a.example"), kind: Kind::AAAA });
        assert_eq!(reply.answers_to(7, &asked()), None);
        reply.is_reply = false;
        assert_eq!(reply.answers_to(7, &asked()), None);
    }

    #[test]
    fn a_reply_with_compression_and_extended_errors_is_read() {
        let mut bytes = b"\0\x07\x81\xa2\0\x01\0\x01\0\0\0\x01\x01a\x07example\0\0\x05\0\x01".to_vec();
        bytes.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x04\x01b\xc0\x0e");
        bytes.extend(b"\0\0\x29\x04\xd0\x01\0\x80\0\0\x0e\0\x03\0\x02ab\0\x0f\0\x04\0\x16no");
        let reply = Message::parse(&bytes).expect("a reply");
        let edns = reply.edns.as_ref().expect("EDNS");
        assert_eq!((reply.code, reply.ad, edns.nsid.as_deref()), (18, true, Some(&b"ab"[..])));
        assert_eq!(edns.errors, [(22, b"no".to_vec())]);
        assert_eq!(reply.answers[0].text(), "b.example.");
        assert_eq!(reply.answers[0].target(), Some(name("b.example")));
        for end in 0..bytes.len() {
            assert_eq!(Message::parse(&bytes[..end]), None, "cut at {end}");
        }
        // Cut and said so: what came whole is kept.
        bytes[2] |= 2;
        assert_eq!(Message::parse(&bytes[..bytes.len() - 1]).map(|reply| reply.answers.len()), Some(1));
    }

    #[test]
    fn the_largest_message_stays_small_in_memory() {
        // 64 KiB full of records whose name and data point to one name of 255 octets.
        let mut bytes = b"\0\x07\x81\x80\0\x01\x12\x00\0\0\0\0".to_vec();
        for _ in 0..3 {
            bytes.push(63);
            bytes.extend([b'a'; 63]);
        }
        bytes.push(61);
        bytes.extend([b'a'; 61]);
        bytes.extend([0, 0, 2, 0, 1]);
        for _ in 0..0x1200 {
            bytes.extend(b"\xc0\x0c\0\x02\0\x01\0\0\0\x3c\0\x02\xc0\x0c");
        }
        assert!(bytes.len() <= 65_535);
        let reply = Message::parse(&bytes).expect("a reply");
        let held: usize =
            reply.answers.iter().map(|record| record.data.len() + record.name.octets().len()).sum();
        assert!(held < 3 << 20, "{held}");
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            fuzz_message(&bytes);
        }

        /// Octets that look like a message: a true header and counts, then anything of what messages are made of.
        #[test]
        fn nothing_like_a_message_panics(
            counts in prop::array::uniform4(0u8..3),
            pieces in prop::collection::vec(prop_oneof![
                Just(b"\xc0\x0c".to_vec()), Just(b"\x01a\0".to_vec()), Just(b"\0\0\x29\x04\xd0\0\0\0\0\0\x06\0\x0f\0\x02\0\x01".to_vec()),
                (0u8..70).prop_map(|kind| [0, kind, 0, 1, 0, 0, 0, 9].to_vec()),
                prop::collection::vec(any::<u8>(), 0..24).prop_map(|data| [&[0, data.len() as u8], data.as_slice()].concat()),
            ], 0..12),
        ) {
            let [qd, an, ns, ar] = counts;
            let mut bytes = vec![0, 7, 0x81, 0x80, 0, qd, 0, an, 0, ns, 0, ar];
            bytes.extend(pieces.concat());
            fuzz_message(&bytes);
        }
    }
}
