//! Certificates as they were sent, and the path as a client builds it. Nothing is believed here: `net::tls` judges.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;

use super::report::{Built, Link, Logged, Revocation, Shown, Staple, Transparency, Way};
use crate::net::tls::Trust;
use crate::units::Timestamp;
use crate::wire::ocsp::{Ocsp, Status};
use crate::wire::sct::Sct;
use crate::wire::x509::Certificate;

/// Certificates of a chain that are told.
const MOST: usize = 20;
/// Links of a path: no authority has more than a few below it.
const LONGEST: usize = 10;

/// A certificate that was sent, and what it says if it can be read.
pub(super) struct Sent {
    shown: Shown,
    read: Option<Certificate>,
}

impl Sent {
    /// The certificates of `chain`, as far as they are told, at `now`.
    pub(super) fn all(chain: &[CertificateDer<'_>], now: Timestamp) -> Vec<Self> {
        chain.iter().take(MOST).map(|der| Self::read(der, now)).collect()
    }

    fn read(der: &[u8], now: Timestamp) -> Self {
        let read = Certificate::parse(der);
        let of = read.as_ref();
        let moment = |seconds: i64| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        let shown = Shown {
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

    /// What a record tells of it.
    pub(super) fn shown(self) -> Shown {
        self.shown
    }
}

/// Builds the path from the first of `sent` upwards, to an authority that `trust` knows if there is one.
pub(super) fn build(sent: &[Sent], trust: &Trust) -> Built {
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
    let mut path: Vec<Link> =
        used.iter().map(|&n| Link { subject: subject(n), sent: Some(n as u64) }).collect();
    path.extend(anchor.map(|subject| Link { subject, sent: None }));
    let superfluous = (0..sent.len()).filter(|n| !used.contains(n)).map(|n| n as u64).collect();
    Built { path, missing, superfluous, in_order: used.is_sorted() }
}

/// The promises of logs: in the server's `own` certificate, in the list that came `by_tls`, and in the stapled response.
pub(super) fn transparency(own: Option<&Sent>, by_tls: Option<&[u8]>, staple: &[u8]) -> Transparency {
    let none = |list: &[u8]| list.is_empty().then(Vec::new);
    let read = own.and_then(|own| own.read.as_ref());
    let all = [
        (Way::Certificate, read.map(|read| read.scts.clone())),
        (Way::Tls, by_tls.and_then(|list| none(list).or_else(|| Sct::list(list)))),
        (Way::Staple, Ocsp::parse(staple).map(|told| told.scts)),
    ];
    let logged = |from: Way, sct: &Sct| Logged {
        from,
        log_id: STANDARD.encode(sct.log),
        at: i64::try_from(sct.at_ms).ok().and_then(|at| Timestamp::from_millisecond(at).ok()),
        signature: sct.signature_name(),
    };
    let count = |n: usize| all[n].1.as_ref().map(|list| list.len() as u64);
    let timestamps =
        all.iter().flat_map(|(from, list)| list.iter().flatten().map(move |sct| logged(*from, sct)));
    Transparency {
        in_certificate: count(0),
        by_tls: count(1),
        in_staple: count(2),
        timestamps: timestamps.collect(),
    }
}

/// What a stapled response says; `own` is the server's own certificate.
pub(super) fn staple(der: &[u8], own: Option<&Sent>) -> Staple {
    let moment = |seconds: i64| Timestamp::from_second(seconds).ok();
    let Some(told) = Ocsp::parse(der) else {
        return Staple { stapled: !der.is_empty(), ..Staple::default() };
    };
    let serial = own.and_then(|own| own.read.as_ref()).map(|read| read.serial.as_str());
    Staple {
        stapled: true,
        status: told.status.map(|status| match status {
            Status::Good => Revocation::Good,
            Status::Revoked => Revocation::Revoked,
            Status::Unknown => Revocation::Unknown,
        }),
        this_update: told.this_update.and_then(moment),
        next_update: told.next_update.and_then(moment),
        matches: told.status.map(|_| Some(told.serial.as_str()) == serial),
    }
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
