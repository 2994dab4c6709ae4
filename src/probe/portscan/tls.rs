//! A ClientHello for whoever may speak TLS, and what the answer to it tells in a line.

use crate::wire::tls::{Flight, Hello, SSL3, TLS1_0, TLS1_1, TLS1_2, TLS1_3};

/// Appends a record with a ClientHello that every server from TLS 1.0 on understands.
pub(super) fn hello(out: &mut Vec<u8>) {
    let hello = Hello {
        version: TLS1_3,
        versions: &[TLS1_3, TLS1_2, TLS1_1, TLS1_0],
        suites: &[
            0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
            0x002f,
        ],
        // X25519, P-256, P-384.
        groups: &[29, 23, 24],
        shares: &[],
        timestamps: false,
        // ECDSA, RSA-PSS and RSA, SHA-256 to 512.
        signatures: &[0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601],
        name: None,
        alpn: &[b"h2", b"http/1.1"],
        compresses: false,
        random: [0x57; 32],
    };
    hello.write(out);
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
    let mut flight = Flight::default();
    // What is wrong behind the ServerHello does not matter.
    let _ = flight.push(said);
    let hello = flight.hello?;
    let name = match hello.version {
        SSL3 => "SSL 3.0".to_owned(),
        TLS1_0..=TLS1_3 => format!("TLS 1.{}", hello.version - TLS1_0),
        other => format!("TLS {other:#06x}"),
    };
    let alpn = hello.alpn.map(|alpn| format!(", alpn {}", alpn.escape_ascii()));
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

    proptest! {
        #[test]
        fn no_octets_panic(head in prop::sample::select(vec![22u8, 21, 0]), rest in prop::collection::vec(any::<u8>(), 0..200)) {
            fuzz_tls(&[&[head, 3, 3, 0, 80, 2, 0, 0, 76], rest.as_slice()].concat());
            fuzz_tls(&rest);
        }
    }
}
