//! A look at what a server sends with its certificate when it is asked for timestamps of certificate logs (RFC 6962 §3.3.1),
//! which the library does not ask for: in the clear before TLS 1.3, and since then behind keys that are agreed upon for this
//! look alone (RFC 8446 §7). Nothing that is learned here is believed: the handshake is not finished, nobody proves anything.

use aws_lc_rs::aead::{
    self, AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use aws_lc_rs::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::link::Way;
use crate::wire::tls::{Flight, Hello, MOST_OCTETS, TIMESTAMPS, TLS1_2, TLS1_3, own_extension};

/// Suites that are offered: TLS 1.3's, and those of TLS 1.2 that servers of today have.
const SUITES: [u16; 11] =
    [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0x009c];
/// X25519 and P-256, of which shares are sent, and P-384 for TLS 1.2.
const GROUPS: [u16; 3] = [29, 23, 24];
/// ECDSA, EdDSA, RSA-PSS and RSA.
const SIGNATURES: [u16; 10] =
    [0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601];
/// Octets of a record's head, and of a message's.
const RECORD: usize = 5;
const MESSAGE: usize = 4;
/// Kinds of records and messages (RFC 8446 §5.1 and §4).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SEALED: u8 = 23;
const CERTIFICATE: u8 = 11;

/// The list of timestamps that the server sends by TLS where it is asked for `name`; empty where it sends none, `None` where
/// it does not come to that.
pub(super) async fn timestamps(way: &Way, name: Option<&str>) -> Option<Vec<u8>> {
    let (mut peek, hello) = Peek::new(name).ok()?;
    let mut stream = way.open().await.ok()?.stream;
    let looking = async {
        stream.write_all(&hello).await.ok()?;
        let mut some = vec![0; 16 << 10];
        loop {
            let count = stream.read(&mut some).await.ok().filter(|count| *count > 0)?;
            match peek.push(&some[..count]) {
                Seen::Nothing => return None,
                Seen::Part => {}
                Seen::All(list) => return Some(list),
            }
        }
    };
    timeout(way.patience, looking).await.ok()?
}

/// What has been seen.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It will not come to that.
    Nothing,
    /// More is to come.
    Part,
    /// What was asked for.
    All(Vec<u8>),
}

/// A look under way.
struct Peek {
    /// The ClientHello's message, which keys depend on.
    asked: Vec<u8>,
    /// Our halves of the key exchange, by group.
    halves: Vec<(u16, EphemeralPrivateKey)>,
    flight: Flight,
    octets: usize,
    /// Records that are not whole yet.
    heard: Vec<u8>,
    /// Messages in the clear until the ServerHello is whole, then those behind the keys.
    messages: Vec<u8>,
    keys: Option<Keys>,
}

/// How a suite of TLS 1.3 hashes and encrypts.
#[derive(Clone, Copy)]
struct Cipher {
    hash: &'static digest::Algorithm,
    mac: hmac::Algorithm,
    seal: &'static aead::Algorithm,
}

/// What opens the server's records until its handshake ends.
struct Keys {
    key: LessSafeKey,
    iv: [u8; 12],
    seq: u64,
}

impl Peek {
    /// A look, and the record that asks for it.
    fn new(name: Option<&str>) -> Result<(Self, Vec<u8>), Unspecified> {
        let random = SystemRandom::new();
        let mut halves = Vec::new();
        let mut shares = Vec::new();
        for (group, algorithm) in [(GROUPS[0], &X25519), (GROUPS[1], &ECDH_P256)] {
            let half = EphemeralPrivateKey::generate(algorithm, &random)?;
            shares.push((group, half.compute_public_key()?));
            halves.push((group, half));
        }
        let shares: Vec<(u16, &[u8])> =
            shares.iter().map(|(group, share)| (*group, share.as_ref())).collect();
        let hello = Hello {
            version: TLS1_3,
            versions: &[TLS1_3, TLS1_2],
            suites: &SUITES,
            groups: &GROUPS,
            shares: &shares,
            timestamps: true,
            signatures: &SIGNATURES,
            name,
            alpn: &[],
            compresses: false,
            random: [0x57; 32],
        };
        let mut out = Vec::new();
        hello.write(&mut out);
        let peek = Self {
            asked: out[RECORD..].to_vec(),
            halves,
            flight: Flight::default(),
            octets: 0,
            heard: Vec::new(),
            messages: Vec::new(),
            keys: None,
        };
        Ok((peek, out))
    }

    /// Takes in what has come.
    fn push(&mut self, octets: &[u8]) -> Seen {
        self.octets += octets.len();
        if self.octets > MOST_OCTETS {
            return Seen::Nothing;
        }
        self.heard.extend(octets);
        while let Some(head) = self.heard.first_chunk::<RECORD>().copied() {
            let end = RECORD + usize::from(u16::from_be_bytes([head[3], head[4]]));
            if self.heard.len() < end {
                return Seen::Part;
            }
            let record: Vec<u8> = self.heard.drain(..end).collect();
            match self.record(head[0], &record) {
                Some(Seen::Part) => {}
                Some(seen) => return seen,
                None => return Seen::Nothing,
            }
        }
        Seen::Part
    }

    /// Takes in a whole record of this kind; `None` where nothing can come of it.
    fn record(&mut self, kind: u8, record: &[u8]) -> Option<Seen> {
        match (kind, &mut self.keys) {
            (HANDSHAKE, None) => {
                self.messages.extend(&record[RECORD..]);
                self.flight.push(record).ok()?;
                self.greeted()
            }
            (SEALED, Some(keys)) => {
                let (kind, opened) = keys.open(record)?;
                if kind == HANDSHAKE {
                    self.messages.extend(opened);
                }
                if kind == ALERT { None } else { self.certified() }
            }
            // Change-cipher-spec, and warnings before the ServerHello.
            (20, _) | (ALERT, None) => Some(Seen::Part),
            _ => None,
        }
    }

    /// What comes of a ServerHello, once it is whole.
    fn greeted(&mut self) -> Option<Seen> {
        let Some(hello) = &self.flight.hello else { return Some(Seen::Part) };
        if hello.version != TLS1_3 {
            return Some(Seen::All(hello.timestamps.clone().unwrap_or_default()));
        }
        // Of a group without a share of ours there is nothing to see.
        let place = self.halves.iter().position(|(group, _)| Some(*group) == hello.group);
        let (_, half) = self.halves.swap_remove(place.filter(|_| !hello.is_retry)?);
        let theirs = UnparsedPublicKey::new(half.algorithm(), &hello.share);
        let secret = agree_ephemeral(half, theirs, Unspecified, |secret| Ok(secret.to_vec())).ok()?;
        let length =
            self.messages.get(1..MESSAGE)?.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
        let greeting = self.messages.get(..MESSAGE + length)?;
        let said = [&self.asked, greeting].concat();
        self.keys = Some(Keys::new(Cipher::of(hello.suite.0)?, &secret, &said)?);
        self.messages.clear();
        Some(Seen::Part)
    }

    /// What comes of the messages behind the keys.
    fn certified(&self) -> Option<Seen> {
        let mut left = self.messages.as_slice();
        while let Some((head, rest)) = left.split_first_chunk::<MESSAGE>() {
            let length = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
            let Some((body, behind)) = rest.split_at_checked(length) else { break };
            if head[0] == CERTIFICATE {
                return Some(Seen::All(own_extension(body, TIMESTAMPS)?.unwrap_or_default().to_vec()));
            }
            left = behind;
        }
        Some(Seen::Part)
    }
}

impl Cipher {
    fn of(suite: u16) -> Option<Self> {
        let (hash, mac, seal) = match suite {
            0x1301 => (&digest::SHA256, hmac::HMAC_SHA256, &AES_128_GCM),
            0x1302 => (&digest::SHA384, hmac::HMAC_SHA384, &AES_256_GCM),
            0x1303 => (&digest::SHA256, hmac::HMAC_SHA256, &CHACHA20_POLY1305),
            _ => return None,
        };
        Some(Self { hash, mac, seal })
    }

    /// HKDF-Extract (RFC 5869 §2.2).
    fn extract(self, salt: &[u8], secret: &[u8]) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(self.mac, salt), secret).as_ref().to_vec()
    }

    /// HKDF-Expand-Label (RFC 8446 §7.1), of no more than one block.
    fn expand(self, secret: &[u8], label: &[u8], context: &[u8], length: usize) -> Vec<u8> {
        let mut info = (length as u16).to_be_bytes().to_vec();
        info.push(label.len() as u8 + 6);
        info.extend(b"tls13 ");
        info.extend(label);
        info.push(context.len() as u8);
        info.extend(context);
        info.push(1);
        let mut block = hmac::sign(&hmac::Key::new(self.mac, secret), &info).as_ref().to_vec();
        block.truncate(length);
        block
    }
}

impl Keys {
    /// The server's keys of the handshake (RFC 8446 §7.1 and §7.3), where `shared` was agreed upon and `said` are the hellos.
    fn new(cipher: Cipher, shared: &[u8], said: &[u8]) -> Option<Self> {
        let length = cipher.hash.output_len();
        let zeros = vec![0; length];
        let early = cipher.extract(&zeros, &zeros);
        let derived = cipher.expand(&early, b"derived", digest(cipher.hash, b"").as_ref(), length);
        let secret = cipher.extract(&derived, shared);
        let traffic = cipher.expand(&secret, b"s hs traffic", digest(cipher.hash, said).as_ref(), length);
        let key = cipher.expand(&traffic, b"key", b"", cipher.seal.key_len());
        let iv = cipher.expand(&traffic, b"iv", b"", 12);
        let key = LessSafeKey::new(UnboundKey::new(cipher.seal, &key).ok()?);
        Some(Self { key, iv: iv.try_into().ok()?, seq: 0 })
    }

    /// Opens a record: of which kind it really is, and what is in it (RFC 8446 §5.2).
    fn open(&mut self, record: &[u8]) -> Option<(u8, Vec<u8>)> {
        let mut nonce = self.iv;
        nonce.iter_mut().skip(4).zip(self.seq.to_be_bytes()).for_each(|(octet, seq)| *octet ^= seq);
        self.seq += 1;
        let (head, sealed) = record.split_at_checked(RECORD)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(head), &mut sealed).ok()?;
        // Zeros may follow the kind.
        let end = opened.iter().rposition(|octet| *octet != 0)?;
        Some((opened[end], opened[..end].to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::generate_simple_self_signed;
    use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs as provider};
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{ServerConfig, ServerConnection, SupportedCipherSuite};
    use std::sync::Arc;

    use provider::{cipher_suite, kx_group};

    /// What a server with these answers, in pieces of `cut` octets.
    fn look(suite: SupportedCipherSuite, group: &'static dyn SupportedKxGroup, cut: usize) -> Seen {
        let own = generate_simple_self_signed(["h.example".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
        let provider = CryptoProvider {
            cipher_suites: vec![suite],
            kx_groups: vec![group],
            ..provider::default_provider()
        };
        let config = ServerConfig::builder_with_provider(Arc::new(provider));
        let config =
            config.with_protocol_versions(&[suite.version()]).expect("a version").with_no_client_auth();
        let config = config.with_single_cert(vec![own.cert.der().clone()], key).expect("a key");
        let mut server = ServerConnection::new(Arc::new(config)).expect("a server");
        let (mut peek, hello) = Peek::new(Some("h.example")).expect("a look");
        server.read_tls(&mut hello.as_slice()).expect("octets");
        server.process_new_packets().expect("a ClientHello");
        let mut said = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut said).expect("octets");
        }
        let mut seen = Seen::Part;
        for piece in said.chunks(cut) {
            if seen != Seen::Part {
                break;
            }
            seen = peek.push(piece);
        }
        seen
    }

    #[test]
    fn behind_each_suite_and_group_is_a_certificate_without_timestamps() {
        for suite in [
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        ] {
            for group in [kx_group::X25519, kx_group::SECP256R1] {
                for cut in [7, 4096] {
                    assert_eq!(look(suite, group, cut), Seen::All(Vec::new()), "{suite:?} {group:?}");
                }
            }
        }
        let retry = look(cipher_suite::TLS13_AES_128_GCM_SHA256, kx_group::SECP384R1, 4096);
        assert_eq!(retry, Seen::Nothing, "it wants a share that was not sent");
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets: Vec<u8>, kind in 20u8..24) {
            let (mut peek, _) = Peek::new(None).expect("a look");
            let _ = peek.push(&octets);
            let record = [&[kind, 3, 3][..], &(octets.len() as u16).to_be_bytes(), &octets].concat();
            let (mut peek, _) = Peek::new(None).expect("a look");
            let _ = peek.push(&record);
        }
    }
}
