//! The questions of a load: a file of them, written once, and whether a datagram answers one.

use crate::probe::resolvertime::{RecordType, ResolverTime};
use crate::wire::dns::{Asked, Name, Query, Question};

/// Octets of a header.
pub(super) const HEADER: usize = 12;

/// Queries as they are sent, their identifiers left open.
pub(super) struct Questions {
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl Questions {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// Those of a file: a name and a type on each line, `#` and `;` begin a comment.
    ///
    /// # Errors
    /// The line that is no question.
    pub(super) fn parse(text: &str, probe: &ResolverTime) -> Result<Self, String> {
        let mut found = Self { octets: Vec::new(), ends: Vec::new() };
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let mut words = line.split_whitespace();
            let name = words.next().and_then(Name::parse);
            let kind = words.next().unwrap_or("A").parse::<RecordType>();
            let (Some(name), Ok(kind), None) = (name, kind, words.next()) else {
                return Err(format!("line {}: takes a name and a type, such as `example.com A`", n + 1));
            };
            let asked = || Asked { size: probe.bufsize, dnssec: true, nsid: false, cookie: None, block: 0 };
            let query = Query {
                id: 0,
                question: Question { name, kind: kind.0 },
                recurse: !probe.no_recurse,
                unchecked: probe.unchecked,
                authentic: false,
                edns: probe.dnssec.then(asked),
            };
            query.write(&mut found.octets);
            found.ends.push(found.octets.len());
        }
        if found.ends.is_empty() { Err("there is no question in it".to_owned()) } else { Ok(found) }
    }

    pub(super) fn get(&self, n: usize) -> &[u8] {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.octets[start..self.ends[n]]
    }
}

/// Whether `reply` is a reply, and repeats the question of `query`; one with an error may leave it out.
pub(super) fn is_to(reply: &[u8], query: &[u8]) -> bool {
    let is_reply = reply[2] & 0xf8 == 0x80;
    let end =
        query[HEADER..].iter().position(|octet| *octet == 0).map_or(query.len(), |root| HEADER + root + 5);
    // The root ends a name, but a label may hold a zero: then the comparison is of what lies before it alone.
    let (asked, said) = (query.get(HEADER..end), reply.get(HEADER..end));
    let is_bare = reply[4..6] == [0, 0];
    is_reply
        && (is_bare
            || asked.is_some()
                && asked.zip(said).is_some_and(|(asked, said)| asked.eq_ignore_ascii_case(said)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_dnsperfs() {
        let probe = ResolverTime::default();
        let found =
            Questions::parse("# c\nexample.com A\n\n a.example  TYPE65\nb.example\n", &probe).expect("three");
        assert_eq!(found.count(), 3);
        assert!(found.get(1).ends_with(b"\x01a\x07example\0\0\x41\0\x01"));
        for (text, line) in
            [("a.example A\nb.example NOTYPE", "line 2"), ("a b c", "line 1"), ("", "no question")]
        {
            let said = Questions::parse(text, &probe).err().expect(text);
            assert!(said.contains(line), "{said}");
        }
    }

    #[test]
    fn only_a_reply_to_the_question_is_one() {
        let query = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01";
        let mut reply = query.to_vec();
        assert!(!is_to(&reply, query), "a query is no reply");
        reply[2] = 0x81;
        assert!(is_to(&reply, query));
        reply[13] = b'A';
        assert!(is_to(&reply, query));
        reply[13] = b'b';
        assert!(!is_to(&reply, query));
        assert!(!is_to(&reply[..14], query));
        reply[5] = 0;
        assert!(is_to(&reply, query), "an error may leave the question out");
    }
}
