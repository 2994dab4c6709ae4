//! As much TLS as a port scan needs: a ClientHello, and what the answer to it tells (RFC 8446 §4.1, RFC 5246 §7.4.1).

/// Appends a record with a ClientHello that every server from TLS 1.0 on understands.
pub(super) fn hello(out: &mut Vec<u8>) {
    let mut extensions = Vec::new();
    let mut extend = |kind: u16, body: &[u8]| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend((body.len() as u16).to_be_bytes());
        extensions.extend(body);
    };
    // Groups: X25519, P-256, P-384. Point formats: uncompressed. Signatures: ECDSA, RSA-PSS and RSA, SHA-256 to 512.
    extend(10, &[0, 6, 0, 29, 0, 23, 0, 24]);
    extend(11, &[1, 0]);
    extend(13, &[0, 18, 4, 3, 5, 3, 6, 3, 8, 4, 8, 5, 8, 6, 4, 1, 5, 1, 6, 1]);
    extend(16, b"\0\x0c\x02h2\x08http/1.1");
    extend(43, &[8, 3, 4, 3, 3, 3, 2, 3, 1]);
    // No key share: a server of TLS 1.3 asks for one, which tells enough.
    extend(51, &[0, 0]);
    let mut body = vec![3, 3];
    body.extend([0x57; 32]);
    body.push(0);
    let suites: [u16; 13] = [
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
        0x002f,
    ];
    body.extend((2 * suites.len() as u16).to_be_bytes());
    suites.iter().for_each(|suite| body.extend(suite.to_be_bytes()));
    body.extend([1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    out.extend([22, 3, 1]);
    out.extend((body.len() as u16 + 4).to_be_bytes());
    out.extend([1, 0]);
    out.extend((body.len() as u16).to_be_bytes());
    out.extend(body);
}

/// Whether `said` is a TLS alert.
pub(super) fn is_alert(said: &[u8]) -> bool {
    matches!(said, [21, 3, 0..=4, 0, 2, 1 | 2, ..])
}

/// What the beginning of a server's answer tells: `TLS 1.2, alpn http/1.1`. `None` where it is no TLS.
pub(super) fn describe(said: &[u8]) -> Option<String> {
    if is_alert(said) {
        return Some(format!("TLS, alert {}", said.get(6)?));
    }
    let [22, 3, 0..=4, _, _, 2, _, _, _, rest @ ..] = said else { return None };
    let mut version = u16::from_be_bytes([*rest.first()?, *rest.get(1)?]);
    let session = usize::from(*rest.get(34)?);
    // Session, suite, compression, then the extensions.
    let mut left = rest.get(35 + session + 3..).and_then(|tail| tail.get(2..)).unwrap_or_default();
    let mut alpn = None;
    while let [a, b, c, d, tail @ ..] = left {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let Some(body) = tail.get(..length) else { break };
        match (u16::from_be_bytes([*a, *b]), body) {
            (43, &[high, low]) => version = u16::from_be_bytes([high, low]),
            (16, [_, _, length, name @ ..]) => alpn = name.get(..usize::from(*length)),
            _ => {}
        }
        left = &tail[length..];
    }
    let name = match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301..=0x0304 => format!("TLS 1.{}", version - 0x0301),
        other => format!("TLS {other:#06x}"),
    };
    let alpn = alpn.map(|alpn| format!(", alpn {}", alpn.escape_ascii()));
    Some(name + &alpn.unwrap_or_default())
}

/// What the fuzz target and a property test share: no octets panic, and what is told is short and printable.
pub fn fuzz_tls(said: &[u8]) {
    if let Some(text) = describe(said) {
        assert!(text.len() < 1200 && text.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{text:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn server_hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
        let mut body = version.to_vec();
        body.extend([9; 32]);
        body.extend([0, 0x13, 1, 0]);
        body.extend((extensions.len() as u16).to_be_bytes());
        body.extend(extensions);
        let mut out = vec![22, 3, 3, 0, body.len() as u8 + 4, 2, 0, 0, body.len() as u8];
        out.extend(body);
        out
    }

    #[test]
    fn an_answer_tells_version_and_protocol() {
        for (said, expected) in [
            (server_hello([3, 3], &[]), Some("TLS 1.2")),
            (server_hello([3, 3], &[0, 43, 0, 2, 3, 4]), Some("TLS 1.3")),
            (server_hello([3, 1], &[0, 16, 0, 5, 0, 3, 2, b'h', b'2']), Some("TLS 1.0, alpn h2")),
            (vec![21, 3, 3, 0, 2, 2, 40], Some("TLS, alert 40")),
            (b"SSH-2.0-x".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(describe(&said).as_deref(), expected);
        }
    }

    #[test]
    fn the_hello_carries_its_own_lengths() {
        let mut out = Vec::new();
        hello(&mut out);
        let word = |at: usize| usize::from(u16::from_be_bytes([out[at], out[at + 1]]));
        assert_eq!((word(3) + 5, word(7) + 9), (out.len(), out.len()));
    }

    proptest! {
        #[test]
        fn no_octets_panic(head in prop::sample::select(vec![22u8, 21, 0]), rest in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz_tls(&[&[head, 3, 3, 0, 80, 2, 0, 0, 76], rest.as_slice()].concat());
            fuzz_tls(&rest);
        }
    }
}
