//! DNS messages (RFC 1035): names, records and their text, queries and replies with EDNS ([`Message`], [`Query`]); and the
//! little that a reachability probe needs ([`query`], [`Answer`]).

mod edns;
mod message;
mod name;
mod rdata;

pub use edns::{Asked, Cookie, Edns, error_name};
pub use message::{Message, Query, Question, Record, code_name, fuzz_message};
pub use name::Name;
pub use rdata::Kind;

/// Name servers (RFC 1035 §3.2.2).
pub const NS: u16 = 2;
/// Pointers to other names (RFC 1035 §3.2.2).
pub const PTR: u16 = 12;
/// NS records of the Internet's class.
const QUESTION: [u8; 4] = [0, NS as u8, 0, CLASS as u8];
/// The Internet's class.
const CLASS: u16 = 1;
/// Octets of a header: 0 identifier · 2 flags · 4 questions · 6 answers · 8 authorities · 10 additional.
const HEADER: usize = 12;

/// Appends a query for the records of `name` of this `kind`, recursion desired.
pub fn query(id: u16, name: &Name, kind: u16, out: &mut Vec<u8>) {
    out.extend(id.to_be_bytes());
    out.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    out.extend(&name.0);
    out.extend(kind.to_be_bytes());
    out.extend(CLASS.to_be_bytes());
}

/// A reply, not yet known to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Its identifier.
    pub id: u16,
    /// Its response code (RFC 1035 §4.1.1).
    pub code: u8,
    questions: u16,
    rest: &'a [u8],
}

impl<'a> Answer<'a> {
    /// Reads the header of a reply; `None` for anything else.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let is_reply = header[2] & 0x80 != 0 && header[2] & 0x78 == 0;
        is_reply.then(|| Self { id: number(0), code: header[3] & 15, questions: number(4), rest })
    }

    /// Whether it repeats the question about `name`. A server that does not understand may leave it out.
    pub fn is_to(&self, name: &Name) -> bool {
        let Some((asked, kind)) = self.rest.split_at_checked(name.0.len()) else {
            return self.questions == 0;
        };
        self.questions == 0 || asked.eq_ignore_ascii_case(&name.0) && kind.starts_with(&QUESTION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_query_is_written_as_digs() {
        let mut out = Vec::new();
        query(0x1234, &Name::parse("a.example").expect("a name"), NS, &mut out);
        let expected = b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0\x01a\x07example\0\x00\x02\x00\x01";
        assert_eq!(out, expected);
    }

    #[test]
    fn any_response_code_is_a_reply_to_the_same_question() {
        let (name, other) =
            (Name::parse("a.example").expect("a name"), Name::parse("b.example").expect("a name"));
        for code in 0..16 {
            let mut reply = Vec::new();
            query(7, &name, NS, &mut reply);
            assert_eq!(Answer::parse(&reply), None, "a query is no reply");
            (reply[2], reply[3]) = (0x81, 0x80 | code);
            let answer = Answer::parse(&reply).expect("a reply");
            assert_eq!(
                (answer.id, answer.code, answer.is_to(&name), answer.is_to(&other)),
                (7, code, true, false)
            );
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes: Vec<u8>, text in ".{0,80}") {
            if let (Some(answer), Some(name)) = (Answer::parse(&bytes), Name::parse(&text)) {
                let _ = answer.is_to(&name);
            }
        }
    }
}
