//! Whether a certificate that was shown is to be believed: path and name each on their own, so that no fault hides another.

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Trust;

/// What a strict client would say of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TlsVerdict")]
pub enum Verdict {
    /// It is believed.
    Ok,
    /// It, or one above it, is no longer valid.
    Expired,
    /// It, or one above it, is not valid yet.
    NotYet,
    /// It is for another name.
    Name,
    /// No authority that is believed has signed it: it is its own, or one in between is missing.
    Untrusted,
    /// It has been revoked.
    Revoked,
    /// It is no certificate that can be read, or its signature is of a kind that is not believed.
    Other,
}

/// What was found of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Of the path to an authority alone, whatever the name.
    pub path: Verdict,
    /// The certificate is for the name that was asked (RFC 9525): a name among its subject alternative names.
    pub name: bool,
    /// What is wrong, in a few words; `None` where nothing is.
    pub why: Option<String>,
}

impl Judgement {
    /// Both in one word: what is wrong with the path, then with the name.
    pub fn verdict(&self) -> Verdict {
        match self.path {
            Verdict::Ok if !self.name => Verdict::Name,
            path => path,
        }
    }
}

impl Trust {
    /// Judges the certificates of `chain`, the server's own first, as one that was asked for `name` at `now` (seconds since
    /// 1970). Revocation is not looked up.
    pub fn judge(&self, chain: &[CertificateDer<'_>], name: &ServerName<'_>, now: u64) -> Judgement {
        let wrong = |error: &Error| Some(words(error));
        let Some((own, others)) = chain.split_first() else {
            return Judgement {
                path: Verdict::Other,
                name: false,
                why: Some("no certificate was sent".to_owned()),
            };
        };
        let own = match ParsedCertificate::try_from(own) {
            Ok(own) => own,
            Err(error) => return Judgement { path: Verdict::Other, name: false, why: wrong(&error) },
        };
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        let path = verify_server_cert_signed_by_trust_anchor(
            &own,
            &self.0,
            others,
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(now)),
            algorithms.all,
        );
        let named = verify_server_name(&own, name);
        let why = path.as_ref().err().or(named.as_ref().err()).and_then(wrong);
        Judgement { path: path.err().map_or(Verdict::Ok, |error| verdict(&error)), name: named.is_ok(), why }
    }
}

/// What is wrong, as people say it; where only the library knows, its own words.
fn words(error: &Error) -> String {
    let known = match verdict(error) {
        Verdict::Expired => "it, or one above it, has expired",
        Verdict::NotYet => "it, or one above it, is not valid yet",
        Verdict::Name => "it is for another name",
        Verdict::Untrusted => "no authority that is believed here has signed it",
        Verdict::Revoked => "it has been revoked",
        Verdict::Ok | Verdict::Other => return error.to_string(),
    };
    known.to_owned()
}

fn verdict(error: &Error) -> Verdict {
    let Error::InvalidCertificate(error) = error else { return Verdict::Other };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Verdict::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Verdict::NotYet,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Verdict::Name,
        CertificateError::Revoked => Verdict::Revoked,
        // A wrong signature is what an authority of the same name has made.
        // So is a key of another kind.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Verdict::Untrusted,
        // webpki's "CaUsedAsEndEntity": whoever signs for himself with an authority's certificate.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            Verdict::Untrusted
        }
        _ => Verdict::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
        SignatureAlgorithm, date_time_ymd,
    };
    use rustls::RootCertStore;
    use std::sync::Arc;

    const NOON: u64 = 1_780_000_000;

    /// An authority, and certificates that it makes.
    struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

    impl Authority {
        fn new() -> Self {
            Self::with(&PKCS_ECDSA_P256_SHA256)
        }

        fn with(algorithm: &'static SignatureAlgorithm) -> Self {
            let mut params = CertificateParams::new(Vec::new()).expect("parameters");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate_for(algorithm).expect("a key");
            let own = params.self_signed(&key).expect("a certificate").der().clone();
            Self(Issuer::new(params, key), own)
        }

        fn trust(&self) -> Trust {
            let mut roots = RootCertStore::empty();
            roots.add(self.1.clone()).expect("a root");
            Trust(Arc::new(roots))
        }

        fn leaf(&self, from: i32, until: i32) -> CertificateDer<'static> {
            let names = vec!["a.example".to_owned(), "*.b.example".to_owned(), "192.0.2.1".to_owned()];
            let mut params = CertificateParams::new(names).expect("parameters");
            (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
            let key = KeyPair::generate().expect("a key");
            params.signed_by(&key, &self.0).expect("a certificate").der().clone()
        }
    }

    fn named(name: &str) -> ServerName<'static> {
        ServerName::try_from(name.to_owned()).expect("a name")
    }

    #[test]
    fn each_fault_has_its_word_and_hides_no_other() {
        let (authority, stranger) = (Authority::new(), Authority::new());
        let trust = authority.trust();
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).expect("a certificate");
        let good = authority.leaf(2020, 2050);
        // Signed by an authority of the same name whose key is of another kind.
        let namesake = Authority::with(&PKCS_ED25519).leaf(2020, 2050);
        for (chain, name, path, is_named) in [
            (vec![good.clone()], "a.example", Verdict::Ok, true),
            (vec![good.clone()], "x.b.example", Verdict::Ok, true),
            (vec![good.clone()], "x.y.b.example", Verdict::Ok, false),
            (vec![good.clone()], "192.0.2.1", Verdict::Ok, true),
            (vec![good], "b.example", Verdict::Ok, false),
            (vec![authority.leaf(2000, 2001)], "a.example", Verdict::Expired, true),
            (vec![authority.leaf(2000, 2001)], "c.example", Verdict::Expired, false),
            (vec![authority.leaf(2049, 2050)], "a.example", Verdict::NotYet, true),
            (vec![stranger.leaf(2020, 2050), stranger.1.clone()], "a.example", Verdict::Untrusted, true),
            (vec![own.cert.der().clone()], "a.example", Verdict::Untrusted, true),
            (vec![namesake.clone()], "a.example", Verdict::Untrusted, true),
            (vec![stranger.1.clone()], "a.example", Verdict::Untrusted, false),
            (vec![CertificateDer::from(vec![0x30, 0x82])], "a.example", Verdict::Other, false),
            (Vec::new(), "a.example", Verdict::Other, false),
        ] {
            let judged = trust.judge(&chain, &named(name), NOON);
            assert_eq!((judged.path, judged.name), (path, is_named), "{name}: {:?}", judged.why);
            assert_eq!(judged.why.is_none(), path == Verdict::Ok && is_named);
        }
        let wrong = Judgement { path: Verdict::Ok, name: false, why: None };
        assert_eq!(wrong.verdict(), Verdict::Name);
    }
}
