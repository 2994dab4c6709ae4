//! The login of a test: a name, a password and the time, encrypted for the server's RSA key (iperf3-protocol.md §5).
//!
//! Nothing else of a test is encrypted, and who hears the token may use it again until its time is over: a server remembers
//! those that it has taken.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};

/// How the text is padded before it is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// OAEP with SHA-1 (RFC 8017 §7.1): iperf 3.17 and later.
    Oaep,
    /// PKCS#1 v1.5 (RFC 8017 §7.2): up to 3.16, and later ones that are told so.
    Pkcs1,
}

/// What goes over the wire in place of name and password: encrypted, and yet as good as they are for as long as its time holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token as it came.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// For the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Who wants to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
    /// When that was said: seconds since the epoch.
    pub at: i64,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("user", &self.user).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What a key cannot be, or cannot do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl Unusable {
    fn because(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl Claim {
    /// iperf3's text of it.
    ///
    /// # Errors
    /// What a reader that splits at white space would not find again.
    fn text(&self) -> Result<String, Unusable> {
        for (what, word) in [("user name", &self.user), ("password", &self.password)] {
            if word.is_empty() || word.contains(|letter: char| letter.is_whitespace() || letter.is_control())
            {
                return Err(Unusable::because(format_args!(
                    "the {what} must have no white space and not be empty: iperf3's login cannot carry that"
                )));
            }
        }
        Ok(format!("user: {}\npwd:  {}\nts:   {}", self.user, self.password, self.at))
    }

    /// Reads it as stock servers do: words between white space.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut words = text.split_ascii_whitespace();
        let mut value = |name: &str| words.next().filter(|word| *word == name).and_then(|_| words.next());
        let (user, password) = (value("user:")?.to_owned(), value("pwd:")?.to_owned());
        let at = value("ts:")?.parse().ok()?;
        words.next().is_none().then_some(Self { user, password, at })
    }

    /// What stands in an authorised user's line: SHA-256 of `{name}password`.
    pub fn digest(&self) -> [u8; 32] {
        let text = format!("{{{}}}{}", self.user, self.password);
        digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 octets")
    }
}

/// A server's public key.
#[derive(Debug)]
pub struct PublicKey(PublicEncryptingKey);

impl PublicKey {
    /// Reads what `openssl rsa -pubout` writes (SubjectPublicKeyInfo, RFC 7468 §13).
    ///
    /// # Errors
    /// What it is not.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Unusable> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem)
            .map_err(|_| Unusable::because("it holds no public key in PEM (BEGIN PUBLIC KEY)"))?;
        PublicEncryptingKey::from_der(&der).map(Self).map_err(|_| Unusable::because(NO_RSA))
    }

    /// Encrypts who wants to be let in.
    ///
    /// # Errors
    /// Words that do not fit into the text, or a text that does not fit into the key.
    pub fn seal(&self, claim: &Claim, padding: Padding) -> Result<Token, Unusable> {
        let text = claim.text()?;
        let mut cipher = vec![0; self.0.key_size_bytes()];
        let sealed = match padding {
            Padding::Oaep => OaepPublicEncryptingKey::new(self.0.clone()).and_then(|key| {
                let sealed = key.encrypt(&OAEP_SHA1_MGF1SHA1, text.as_bytes(), &mut cipher, None)?;
                Ok(STANDARD.encode(sealed))
            }),
            Padding::Pkcs1 => Pkcs1PublicEncryptingKey::new(self.0.clone()).and_then(|key| {
                let sealed = key.encrypt(text.as_bytes(), &mut cipher)?;
                Ok(STANDARD.encode(sealed))
            }),
        };
        sealed.map(Token).map_err(|_| {
            let bits = self.0.key_size_bits();
            Unusable::because(format_args!("name and password are too long for a key of {bits} bits"))
        })
    }
}

const NO_RSA: &str = "it is no RSA key of 2048 to 8192 bits";

/// A server's private key.
#[derive(Debug)]
pub struct PrivateKey {
    oaep: OaepPrivateDecryptingKey,
    /// For those that speak PKCS#1 v1.5, where they are let in.
    pkcs1: Option<Pkcs1PrivateDecryptingKey>,
}

impl PrivateKey {
    /// Reads a key that is not locked (PKCS#8 or PKCS#1 in PEM). `takes_pkcs1` also takes the padding of old clients.
    ///
    /// # Errors
    /// What it is not.
    pub fn from_pem(pem: &[u8], takes_pkcs1: bool) -> Result<Self, Unusable> {
        let text = String::from_utf8_lossy(pem);
        if text.contains("ENCRYPTED") {
            return Err(Unusable::because("it is locked by a passphrase: `openssl rsa` unlocks it"));
        }
        let rejected = || Unusable::because(NO_RSA);
        let key = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(PrivateKeyDer::Pkcs8(der)) => PrivateDecryptingKey::from_pkcs8(der.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(der)) => {
                let pair = KeyPair::from_der(der.secret_pkcs1_der()).map_err(|_| rejected())?;
                let der = pair.as_der().map_err(|_| rejected())?;
                PrivateDecryptingKey::from_pkcs8(der.as_ref())
            }
            Ok(_) => return Err(rejected()),
            Err(_) => return Err(Unusable::because("it holds no private key in PEM")),
        };
        let key = key.map_err(|_| rejected())?;
        let pkcs1 = takes_pkcs1.then(|| Pkcs1PrivateDecryptingKey::new(key.clone())).transpose();
        let oaep = OaepPrivateDecryptingKey::new(key).map_err(|_| rejected())?;
        Ok(Self { oaep, pkcs1: pkcs1.map_err(|_| rejected())? })
    }

    /// Who wants to be let in. A token that this key does not open gives a claim that is nobody's, so that who sends it finds out
    /// no more than that it is refused, and not sooner than others (implicit rejection; RFC 8017 §7.2.2).
    pub fn open(&self, token: &Token) -> Claim {
        let cipher = STANDARD.decode(token.as_str()).unwrap_or_default();
        let size = self.oaep.min_output_size();
        let (mut first, mut second) = (vec![0; size], vec![0; size]);
        let oaep = self.oaep.decrypt(&OAEP_SHA1_MGF1SHA1, &cipher, &mut first, None);
        let pkcs1 = match &self.pkcs1 {
            Some(key) => key.decrypt(&cipher, &mut second),
            None => Err(Unspecified),
        };
        let text = oaep.or(pkcs1).unwrap_or_default();
        let nobody = || Claim { user: String::new(), password: String::new(), at: 0 };
        Claim::parse(text).unwrap_or_else(nobody)
    }

    /// What a token is remembered by: its ciphertext, however that was written.
    pub fn trace(token: &Token) -> [u8; 32] {
        let cipher = STANDARD.decode(token.as_str()).unwrap_or_default();
        digest(&SHA256, &cipher).as_ref().try_into().expect("SHA-256 has 32 octets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rsa::KeySize;

    fn pem(label: &str, der: &[u8]) -> Vec<u8> {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")).into_bytes()
    }

    fn pair() -> (Vec<u8>, Vec<u8>) {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let private = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).expect("DER");
        let public = key.public_key().as_der().expect("DER");
        (pem("PRIVATE KEY", private.as_ref()), pem("PUBLIC KEY", public.as_ref()))
    }

    fn claim(user: &str, password: &str) -> Claim {
        Claim { user: user.to_owned(), password: password.to_owned(), at: 1_700_000_000 }
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_right_key_and_padding() {
        let ((private, public), (other, _)) = (pair(), pair());
        let key = |pem: &[u8], takes_pkcs1| PrivateKey::from_pem(pem, takes_pkcs1).expect("a key");
        let public = PublicKey::from_pem(&public).expect("a key");
        let mario = claim("mario", "p4ß-w0rd");
        for (padding, takes_pkcs1, opens) in [
            (Padding::Oaep, false, true),
            (Padding::Oaep, true, true),
            (Padding::Pkcs1, true, true),
            (Padding::Pkcs1, false, false),
        ] {
            let token = public.seal(&mario, padding).expect("sealed");
            assert!(!token.as_str().contains(['\n', ' ']) && token.as_str().len() == 344);
            assert_eq!(format!("{token:?}"), "Token(…)");
            assert_eq!(key(&private, takes_pkcs1).open(&token) == mario, opens, "{padding:?} {takes_pkcs1}");
            assert_ne!(key(&other, true).open(&token), mario);
            assert_ne!(token, public.seal(&mario, padding).expect("sealed"), "it is another one each time");
        }
        for nonsense in ["", "x", "====", &"A".repeat(344)] {
            assert_eq!(key(&private, true).open(&Token::new(nonsense)).user, "");
        }
    }

    #[test]
    fn keys_are_read_as_openssl_writes_them() {
        let (private, public) = pair();
        let PrivateKeyDer::Pkcs8(pkcs8) = PrivateKeyDer::from_pem_slice(&private).expect("a key") else {
            panic!("PKCS#8 was written")
        };
        // The key of PKCS#1 lies in that of PKCS#8 (RFC 5208 §5), behind 26 octets.
        let pkcs1 = pem("RSA PRIVATE KEY", &pkcs8.secret_pkcs8_der()[26..]);
        let token = PublicKey::from_pem(&public)
            .and_then(|key| key.seal(&claim("a", "b"), Padding::Oaep))
            .expect("sealed");
        let opened = PrivateKey::from_pem(&pkcs1, false).map(|key| key.open(&token));
        assert_eq!(opened, Ok(claim("a", "b")));
        let locked = pem("ENCRYPTED PRIVATE KEY", b"x");
        assert!(PrivateKey::from_pem(&locked, false).is_err_and(|why| why.0.contains("locked")));
        for wrong in [&b""[..], b"garbage", &public, &pem("PRIVATE KEY", b"x")] {
            assert!(PrivateKey::from_pem(wrong, false).is_err());
        }
        for wrong in [&b""[..], &private, &pem("PUBLIC KEY", b"x")] {
            assert!(PublicKey::from_pem(wrong).is_err());
        }
    }

    #[test]
    fn a_claim_is_words_between_white_space() {
        let read = |text: &str| Claim::parse(text.as_bytes());
        assert_eq!(
            claim("a", "b").text().as_deref(),
            Ok("user: a\npwd:  b\nts:   1700000000"),
            "as stock clients write it"
        );
        assert_eq!(read("user: a\npwd:  b\nts:   1700000000"), Some(claim("a", "b")));
        assert_eq!(read("user: a pwd: b ts: -5\n").map(|claim| claim.at), Some(-5));
        for wrong in
            ["", "user: a", "user: a pwd: b ts: x", "pwd: b user: a ts: 1", "user: a pwd: b ts: 1 more"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(Claim::parse(b"\xff\xfe"), None);
        for (user, password) in [("a b", "c"), ("a", "b c"), ("", "c"), ("a", ""), ("a", "b\nts: 9")] {
            assert!(claim(user, password).text().is_err());
        }
        let (_, public) = pair();
        let public = PublicKey::from_pem(&public).expect("a key");
        assert!(public.seal(&claim("a", &"x".repeat(300)), Padding::Oaep).is_err());
        // As iperf3's manual has it: echo -n '{mario}rossi' | sha256sum.
        let digest: String =
            claim("mario", "rossi").digest().iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(digest, "bf7a49a846d44b454a5d11e7acfaf13d138bbe0b7483aa3e050879700572709b");
        assert!(!format!("{:?}", claim("mario", "rossi")).contains("rossi"));
    }
}
