//! The Certificate message of TLS 1.3, which travels encrypted (RFC 8446 §4.4.2).

use super::{sized, word};

/// What the extension `kind` of the server's own certificate says in the message with this `body`: `Some(None)` where it has
/// no such extension, `None` of what is no such message.
pub fn own_extension(mut body: &[u8], kind: u16) -> Option<Option<&[u8]>> {
    sized(&mut body, 1)?;
    let mut list = sized(&mut body, 3).filter(|_| body.is_empty())?;
    sized(&mut list, 3)?;
    let mut extensions = sized(&mut list, 2)?;
    let mut found = None;
    while !extensions.is_empty() {
        let is_it = word(&mut extensions)? == kind;
        let said = sized(&mut extensions, 2)?;
        found = found.or(is_it.then_some(said));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MESSAGE: &[u8] = b"\0\0\0\x18\0\0\x02ab\0\x0b\0\x05\0\x01x\0\x12\0\x02yz\0\0\x01c\0\0";

    #[test]
    fn only_the_servers_own_certificate_counts() {
        assert_eq!(own_extension(MESSAGE, 18), Some(Some(&b"yz"[..])));
        assert_eq!(own_extension(MESSAGE, 5), Some(Some(&b"x"[..])));
        assert_eq!(own_extension(MESSAGE, 6), Some(None));
        for end in 0..MESSAGE.len() {
            assert_eq!(own_extension(&MESSAGE[..end], 18), None, "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets: Vec<u8>, kind: u16) {
            let _ = own_extension(&octets, kind);
        }
    }
}
