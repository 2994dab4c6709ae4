//! Timestamps of certificate logs (signed certificate timestamps, RFC 6962 §3.2): what each says, not whether its signature is
//! right, which only the log's key could tell.

/// Timestamps of one list that are read.
const MOST: usize = 32;

/// A timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sct {
    /// The log: SHA-256 of its key.
    pub log: [u8; 32],
    /// When it promised to take the certificate in, milliseconds since 1970.
    pub at_ms: u64,
    /// The algorithms of hash and signature, by their numbers in TLS (RFC 5246 §7.4.1.4.1).
    pub signature: (u8, u8),
}

impl Sct {
    /// Those of a list as TLS carries it (RFC 6962 §3.3), of version 1 and 32 at most; `None` of what is no list.
    pub fn list(mut octets: &[u8]) -> Option<Vec<Self>> {
        let mut list = sized(&mut octets).filter(|list| !list.is_empty() && octets.is_empty())?;
        let mut found = Vec::new();
        while !list.is_empty() && found.len() < MOST {
            let one = sized(&mut list)?;
            // Versions to come are passed over (§3.3).
            if one.first() == Some(&0) {
                found.push(Self::parse(one)?);
            }
        }
        Some(found)
    }

    /// Those of a list within an OCTET STRING, as certificates and OCSP responses have it.
    pub fn list_in_der(der: &[u8]) -> Option<Vec<Self>> {
        match der {
            [4, length @ 0..=0x7f, list @ ..] if list.len() == usize::from(*length) => Self::list(list),
            [4, 0x81, length, list @ ..] if list.len() == usize::from(*length) => Self::list(list),
            [4, 0x82, high, low, list @ ..]
                if list.len() == usize::from(u16::from_be_bytes([*high, *low])) =>
            {
                Self::list(list)
            }
            _ => None,
        }
    }

    fn parse(one: &[u8]) -> Option<Self> {
        let (log, rest) = one.get(1..)?.split_first_chunk::<32>()?;
        let (at, mut rest) = rest.split_first_chunk::<8>()?;
        // Extensions, of which there are none.
        sized(&mut rest)?;
        let ([hash, kind], mut rest) = rest.split_first_chunk::<2>()?;
        sized(&mut rest).filter(|_| rest.is_empty())?;
        Some(Self { log: *log, at_ms: u64::from_be_bytes(*at), signature: (*hash, *kind) })
    }

    /// How it was signed: `ecdsa-sha256`.
    pub fn signature_name(&self) -> String {
        let (hash, kind) = self.signature;
        let kind = match kind {
            1 => "rsa".to_owned(),
            2 => "dsa".to_owned(),
            3 => "ecdsa".to_owned(),
            other => other.to_string(),
        };
        let hash = match hash {
            2 => "sha1".to_owned(),
            4 => "sha256".to_owned(),
            5 => "sha384".to_owned(),
            6 => "sha512".to_owned(),
            other => other.to_string(),
        };
        format!("{kind}-{hash}")
    }
}

/// Takes what follows a length of two octets from the front.
fn sized<'a>(octets: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    let (body, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    *octets = rest;
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn behind(body: &[u8]) -> Vec<u8> {
        [&(body.len() as u16).to_be_bytes()[..], body].concat()
    }

    fn one(version: u8, log: u8, at: u64) -> Vec<u8> {
        behind(&[&[version][..], &[log; 32], &at.to_be_bytes(), &[0, 0, 4, 3], &behind(&[7; 70])].concat())
    }

    #[test]
    fn a_list_tells_its_logs_and_times() {
        let list = behind(&[one(0, 1, 1_700_000_000_000), one(9, 9, 9), one(0, 2, 5)].concat());
        let read = Sct::list(&list).expect("a list");
        let told: Vec<_> = read.iter().map(|sct| (sct.log[0], sct.at_ms, sct.signature_name())).collect();
        assert_eq!(
            told,
            [(1, 1_700_000_000_000, "ecdsa-sha256".to_owned()), (2, 5, "ecdsa-sha256".to_owned())]
        );
        let der = [&[4, 0x82][..], &(list.len() as u16).to_be_bytes(), &list].concat();
        assert_eq!(Sct::list_in_der(&der), Some(read));
        assert_eq!(Sct::list_in_der(&der[..der.len() - 1]), None);
        for end in 0..list.len() {
            assert_eq!(Sct::list(&list[..end]), None, "cut at {end}");
        }
        let many = behind(&vec![one(0, 1, 1); 100].concat());
        assert_eq!(Sct::list(&many).map(|list| list.len()), Some(MOST));
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets: Vec<u8>) {
            let _ = Sct::list(&octets);
            let _ = Sct::list(&behind(&octets));
            let _ = Sct::list_in_der(&octets);
        }
    }
}
