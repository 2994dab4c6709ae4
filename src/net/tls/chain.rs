//! Certificates as they were sent, and the path as a client builds it. Nothing is believed here: `judge` does that.

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trust;
use crate::units::Timestamp;
use crate::wire::sct::Sct;
use crate::wire::x509;

/// Certificates of a chain that are told.
const MOST: usize = 20;
/// Links of a path: no authority has more than a few below it.
const LONGEST: usize = 10;

/// A certificate that was sent. Where it cannot be read, all but its digest and its size are null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsCertificate")]
pub struct Certificate {
    /// Whose it is.
    pub subject: Option<String>,
    /// Who signed it.
    pub issuer: Option<String>,
    /// Its number, in hexadecimal digits.
    pub serial: Option<String>,
    /// It is valid from here.
    #[schemars(with = "Option<String>")]
    pub not_before: Option<Timestamp>,
    /// It is valid until here.
    #[schemars(with = "Option<String>")]
    pub not_after: Option<Timestamp>,
    /// Whole days until then; negative of one that has expired.
    pub days_left: Option<i64>,
    /// Names and addresses it is for (subjectAltName), 100 at most.
    pub sans: Vec<String>,
    /// How many there are of them.
    pub sans_count: u64,
    /// Its key: `RSA 2048`, `P-256`.
    pub key: Option<String>,
    /// Bits of its key where their number says how strong it is (RSA, DSA).
    pub key_bits: Option<u64>,
    /// How it was signed: `sha256WithRSAEncryption`.
    pub signature: Option<String>,
    /// It may sign others.
    pub is_authority: Option<bool>,
    /// Timestamps of certificate logs in it (RFC 6962 §3.3).
    pub scts: Option<u64>,
    /// Its server must staple an OCSP response (RFC 7633).
    pub must_staple: Option<bool>,
    /// SHA-256 of it, in hexadecimal digits.
    pub sha256: String,
    /// Its octets.
    pub size_bytes: u64,
}

/// The path as a client builds it: by the names of issuers, this host's authorities first. Signatures are judged apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsBuiltPath")]
pub struct Built {
    /// The server's certificate first, an authority last where one was found.
    pub path: Vec<PathLink>,
    /// Who signed the last of it, where neither was his certificate sent nor does this host know him.
    pub missing: Option<String>,
    /// Places in `chain` of certificates that the path does without, from 0.
    pub superfluous: Vec<u64>,
    /// Each certificate of the path was sent before the one that signed it (RFC 5246 §7.4.2).
    pub in_order: bool,
}

/// A certificate of the path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsPathLink")]
pub struct PathLink {
    /// Whose it is.
    pub subject: String,
    /// Its place in `chain`, from 0; null of an authority that this host knows itself.
    pub sent: Option<u64>,
}

/// A certificate that was sent, and what it says if it can be read.
pub struct Sent {
    shown: Certificate,
    read: Option<x509::Certificate>,
}

impl Sent {
    /// The certificates of `chain`, as far as they are told, at `now`.
    pub fn all(chain: &[CertificateDer<'_>], now: Timestamp) -> Vec<Self> {
        chain.iter().take(MOST).map(|der| Self::read(der, now)).collect()
    }

    fn read(der: &[u8], now: Timestamp) -> Self {
        let read = x509::Certificate::parse(der);
        let of = read.as_ref();
        let moment = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        let shown = Certificate {
            subject: of.map(|read| read.subject.clone()),
            issuer: of.map(|read| read.issuer.clone()),
            serial: of.map(|read| read.serial.clone()),
            not_before: of.map(|read| moment(read.not_before)),
            not_after: of.map(|read| moment(read.not_after)),
            days_left: of.map(|read| (read.not_after - now.as_second()).div_euclid(86_400)),
            sans: of.map(|read| read.names.clone()).unwrap_or_default(),
            sans_count: of.map_or(0, |read| read.names_count as u64),
            key: of.map(|read| read.key.clone()),
            key_bits: of.and_then(|read| read.key_bits).map(|bits| bits as u64),
            signature: of.map(|read| read.signature.clone()),
            is_authority: of.map(|read| read.is_authority),
            scts: of.map(|read| read.scts.len() as u64),
            must_staple: of.map(|read| read.must_staple),
            sha256: digest(&SHA256, der).as_ref().iter().map(|octet| format!("{octet:02x}")).collect(),
            size_bytes: der.len() as u64,
        };
        Self { shown, read }
    }

    /// The timestamps of certificate logs in it; `None` of one that cannot be read.
    pub fn timestamps(&self) -> Option<&[Sct]> {
        self.read.as_ref().map(|read| &read.scts[..])
    }

    /// What a record tells of it.
    pub fn shown(self) -> Certificate {
        self.shown
    }
}

impl Built {
    /// Seconds from `now` until the first of the certificates in `chain` that the path needs expires; negative where one has.
    pub fn expires_in(&self, chain: &[Certificate], now: Timestamp) -> Option<f64> {
        let sent = self.path.iter().filter_map(|link| usize::try_from(link.sent?).ok());
        let until = sent.filter_map(|place| chain.get(place)?.not_after).min();
        until.map(|until| until.duration_since(now).as_secs_f64())
    }
}

/// Builds the path from the first of `sent` upwards, to an authority that `trust` knows if there is one.
pub fn build(sent: &[Sent], trust: &Trust) -> Built {
    let Some(mut at) = sent.first().and_then(|own| own.read.as_ref()) else { return Built::default() };
    let (mut used, mut anchor, mut missing) = (vec![0], None, None);
    while used.len() < LONGEST {
        if trust.knows(&at.issuer_der) {
            anchor = Some(at.issuer.clone());
            break;
        }
        // Above a self-issued one there is nobody.
        if at.is_self_issued {
            break;
        }
        let next = sent.iter().enumerate().find(|(n, one)| {
            !used.contains(n) && one.read.as_ref().is_some_and(|one| one.subject_der == at.issuer_der)
        });
        let Some((n, read)) = next.and_then(|(n, one)| Some((n, one.read.as_ref()?))) else {
            missing = Some(at.issuer.clone());
            break;
        };
        used.push(n);
        at = read;
    }
    let subject = |n: usize| sent[n].read.as_ref().map(|read| read.subject.clone()).unwrap_or_default();
    let mut path: Vec<PathLink> =
        used.iter().map(|&n| PathLink { subject: subject(n), sent: Some(n as u64) }).collect();
    path.extend(anchor.map(|subject| PathLink { subject, sent: None }));
    let superfluous = (0..sent.len()).filter(|n| !used.contains(n)).map(|n| n as u64).collect();
    Built { path, missing, superfluous, in_order: used.is_sorted() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

    impl Authority {
        fn params(name: &str) -> CertificateParams {
            let mut params = CertificateParams::new(Vec::new()).expect("parameters");
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        }

        fn root(name: &str) -> Self {
            let (params, key) = (Self::params(name), KeyPair::generate().expect("a key"));
            let own = params.self_signed(&key).expect("a certificate").der().clone();
            Self(Issuer::new(params, key), own)
        }

        fn below(&self, name: &str) -> Self {
            let (params, key) = (Self::params(name), KeyPair::generate().expect("a key"));
            let own = params.signed_by(&key, &self.0).expect("a certificate").der().clone();
            Self(Issuer::new(params, key), own)
        }

        fn leaf(&self) -> CertificateDer<'static> {
            let mut params = CertificateParams::new(["h.example".to_owned()]).expect("parameters");
            params.distinguished_name.push(DnType::CommonName, "h.example");
            let key = KeyPair::generate().expect("a key");
            params.signed_by(&key, &self.0).expect("a certificate").der().clone()
        }
    }

    fn built(chain: &[&CertificateDer<'static>], root: &Authority) -> (Vec<Option<u64>>, Built) {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, pem(&root.1)).expect("write");
        let trust = Trust::file(&file).expect("a root");
        let chain: Vec<CertificateDer<'_>> = chain.iter().map(|one| (*one).clone()).collect();
        let built = build(&Sent::all(&chain, "2026-01-01T00:00:00Z".parse().expect("a moment")), &trust);
        (built.path.iter().map(|link| link.sent).collect(), built)
    }

    fn pem(der: &[u8]) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn the_path_is_built_from_whatever_was_sent() {
        let (root, other) = (Authority::root("root"), Authority::root("other"));
        let between = root.below("between");
        let leaf = between.leaf();
        let (path, whole) = built(&[&leaf, &between.1], &root);
        assert_eq!(path, [Some(0), Some(1), None]);
        assert!(whole.in_order && whole.superfluous.is_empty() && whole.missing.is_none());
        let (path, turned) = built(&[&leaf, &other.1, &between.1, &root.1], &root);
        assert_eq!(path, [Some(0), Some(2), None]);
        assert_eq!(turned.superfluous, [1, 3]);
        let (path, cut) = built(&[&leaf], &root);
        assert_eq!((path, cut.missing.as_deref()), (vec![Some(0)], Some("CN=between")));
        let (path, strange) = built(&[&leaf, &between.1, &root.1], &other);
        assert_eq!(path, [Some(0), Some(1), Some(2)]);
        assert_eq!((strange.missing, strange.path[2].subject.as_str()), (None, "CN=root"));
        let low = between.below("low");
        let (path, disordered) = built(&[&low.leaf(), &between.1, &low.1], &root);
        assert_eq!(path, [Some(0), Some(2), Some(1), None]);
        assert!(!disordered.in_order);
        let unread = CertificateDer::from(vec![0x30, 0x80]);
        assert_eq!(built(&[&unread], &root).1, Built::default());
    }
}
