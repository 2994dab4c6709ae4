//! The few fields of an OCSP response (RFC 6960 §4.2) that tell whether a stapled one is good, and until when. Its
//! signature is not checked: who staples it is the server itself.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::sct::Sct;

/// A response about one certificate, or its bare refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ocsp {
    /// What it says of the certificate; `None` where the responder refused to say.
    pub status: Option<Status>,
    /// The certificate's number, in hexadecimal digits.
    pub serial: String,
    /// When this was known to be so, seconds since 1970.
    pub this_update: Option<i64>,
    /// When more will be known, seconds since 1970; `None` where it does not say.
    pub next_update: Option<i64>,
    /// Timestamps of certificate logs in it (RFC 6962 §3.3).
    pub scts: Vec<Sct>,
}

/// What a responder says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has not been revoked.
    Good,
    /// It has been revoked.
    Revoked,
    /// The responder does not know it.
    Unknown,
}

impl Ocsp {
    /// Reads a response in DER, the first certificate of it; `None` for what is none.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let mut left = der;
        let mut response = of(&mut left, SEQUENCE).filter(|_| left.is_empty())?;
        let result = of(&mut response, ENUMERATED)?;
        let refused = Self {
            status: None,
            serial: String::new(),
            this_update: None,
            next_update: None,
            scts: Vec::new(),
        };
        if result != [0] {
            return Some(refused);
        }
        let mut octets = of(&mut response, explicit(0))?;
        let mut octets = of(&mut octets, SEQUENCE)?;
        if of(&mut octets, OBJECT)? != BASIC {
            return Some(refused);
        }
        let mut basic = of(&mut octets, OCTETS)?;
        let mut basic = of(&mut basic, SEQUENCE)?;
        let mut data = of(&mut basic, SEQUENCE)?;
        optional(&mut data, explicit(0))?;
        // The responder, by its name or by its key.
        element(&mut data)?;
        of(&mut data, TIME)?;
        let mut all = of(&mut data, SEQUENCE)?;
        let mut one = of(&mut all, SEQUENCE)?;
        let mut id = of(&mut one, SEQUENCE)?;
        of(&mut id, SEQUENCE)?;
        of(&mut id, OCTETS)?;
        of(&mut id, OCTETS)?;
        let serial = of(&mut id, INTEGER)?;
        let status = match element(&mut one)?.0 {
            0x80 => Status::Good,
            0xa1 => Status::Revoked,
            0x82 => Status::Unknown,
            _ => return None,
        };
        let this_update = Some(moment(of(&mut one, TIME)?)?);
        let next_update = match optional(&mut one, explicit(0))? {
            Some(mut time) => Some(moment(of(&mut time, TIME)?)?),
            None => None,
        };
        let scts = match optional(&mut one, explicit(1))? {
            Some(extensions) => timestamps(extensions)?,
            None => Vec::new(),
        };
        let serial = serial.iter().take(32).map(|octet| format!("{octet:02x}")).collect();
        Some(Self { status: Some(status), serial, this_update, next_update, scts })
    }
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;
const TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

/// Timestamps of certificate logs, 1.3.6.1.4.1.11129.2.4.5.
const TIMESTAMPS: &[u8] = &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 5];

/// The timestamps among these extensions of one certificate's status.
fn timestamps(mut extensions: &[u8]) -> Option<Vec<Sct>> {
    let mut all = of(&mut extensions, SEQUENCE)?;
    while !all.is_empty() {
        let mut one = of(&mut all, SEQUENCE)?;
        let is_it = of(&mut one, OBJECT)? == TIMESTAMPS;
        optional(&mut one, BOOLEAN)?;
        let value = of(&mut one, OCTETS)?;
        if is_it {
            return Some(Sct::list_in_der(value).unwrap_or_default());
        }
    }
    Some(Vec::new())
}

/// The tag of an element that is wrapped as number `n`.
const fn explicit(n: u8) -> u8 {
    0xa0 | n
}

/// Takes an element from the front: its tag and what is in it.
fn element<'a>(octets: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let [tag, first, rest @ ..] = *octets else { return None };
    let (length, rest) = match *first {
        short @ ..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 3))?;
            (length.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (body, rest) = rest.split_at_checked(length)?;
    *octets = rest;
    Some((*tag, body))
}

/// Takes an element with this tag.
fn of<'a>(octets: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    element(octets).filter(|(found, _)| *found == tag).map(|(_, body)| body)
}

/// Takes an element with this tag, if it is the next.
fn optional<'a>(octets: &mut &'a [u8], tag: u8) -> Option<Option<&'a [u8]>> {
    if octets.first() == Some(&tag) { of(octets, tag).map(Some) } else { Some(None) }
}

/// A GeneralizedTime as certificates write it: `20260102030405Z`; seconds since 1970.
fn moment(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let at = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let length = match body.len() {
            short @ ..=0x7f => vec![short as u8],
            long => [&[0x82][..], &(long as u16).to_be_bytes()].concat(),
        };
        [&[tag][..], &length, &body].concat()
    }

    fn response(status: &[u8], next: &[u8]) -> Vec<u8> {
        let serial = tagged(INTEGER, &[&[0, 0xab]]);
        let hash = tagged(OCTETS, &[&[7; 20]]);
        let id = tagged(SEQUENCE, &[&tagged(SEQUENCE, &[]), &hash, &hash, &serial]);
        let time = tagged(TIME, &[b"20260102030405Z"]);
        let single = tagged(SEQUENCE, &[&id, status, &time, next]);
        let responder = tagged(0xa2, &[&hash]);
        let data = tagged(SEQUENCE, &[&responder, &time, &tagged(SEQUENCE, &[&single])]);
        let basic = tagged(OCTETS, &[&tagged(SEQUENCE, &[&data, &[0; 200]])]);
        let octets = tagged(SEQUENCE, &[&tagged(OBJECT, &[BASIC]), &basic]);
        tagged(SEQUENCE, &[&tagged(ENUMERATED, &[&[0]]), &tagged(0xa0, &[&octets])])
    }

    #[test]
    fn a_response_tells_its_status_and_how_long_it_holds() {
        let next = tagged(0xa0, &[&tagged(TIME, &[b"20260109030405Z"])]);
        let revoked = tagged(0xa1, &[&tagged(TIME, &[b"20250102030405Z"])]);
        for (status, expected) in
            [(&[0x80, 0][..], Status::Good), (&revoked, Status::Revoked), (&[0x82, 0], Status::Unknown)]
        {
            let read = Ocsp::parse(&response(status, &next)).expect("a response");
            assert_eq!((read.status, read.serial.as_str()), (Some(expected), "00ab"));
            assert_eq!((read.this_update, read.next_update), (Some(1_767_323_045), Some(1_767_927_845)));
        }
        assert_eq!(Ocsp::parse(&response(&[0x80, 0], &[])).expect("a response").next_update, None);
        let list = [&[0, 119, 0, 117, 0][..], &[9; 32], &[0; 8], &[0, 0, 4, 3, 0, 70], &[7; 70]].concat();
        let extension = tagged(
            SEQUENCE,
            &[&tagged(OBJECT, &[TIMESTAMPS]), &tagged(OCTETS, &[&tagged(OCTETS, &[&list])])],
        );
        let other =
            tagged(SEQUENCE, &[&tagged(OBJECT, &[BASIC]), &tagged(BOOLEAN, &[&[0]]), &tagged(OCTETS, &[])]);
        let extended = [next.clone(), tagged(0xa1, &[&tagged(SEQUENCE, &[&other, &extension])])].concat();
        let read = Ocsp::parse(&response(&[0x80, 0], &extended)).expect("a response");
        assert_eq!(read.scts.iter().map(|sct| sct.log[0]).collect::<Vec<_>>(), [9]);
        // "tryLater", and nothing else.
        let refusal = Ocsp::parse(&[0x30, 3, 0x0a, 1, 3]).expect("a response");
        assert_eq!(refusal.status, None);
    }

    proptest! {
        #[test]
        fn damage_does_no_harm(at in 0usize..400, with: u8, tail: Vec<u8>) {
            let mut der = response(&[0x80, 0], &[]);
            let length = der.len();
            assert_eq!(Ocsp::parse(&der[..at % length]), None);
            der[at % length] = with;
            let _ = Ocsp::parse(&der);
            let _ = Ocsp::parse(&tail);
        }
    }
}
