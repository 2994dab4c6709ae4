//! Certificates (X.509, RFC 5280) as far as a person wants to read them. Whether one is believed is `net::tls`'s question.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::Oid;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::sct::Sct;
use super::text::{escape, printable};

/// Subject alternative names of one certificate that are told; whoever sends more has them counted.
pub const MOST_NAMES: usize = 100;
/// The extension with timestamps of certificate logs (RFC 6962 §3.3).
const TIMESTAMPS: &str = "1.3.6.1.4.1.11129.2.4.2";
/// Octets of a subject or issuer that are told.
const LONGEST: usize = 512;

/// What a certificate says. All text in it is harmless for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is: `CN=a.example`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Whose it is, as it stands in it, without tag and length: what is compared.
    pub subject_der: Vec<u8>,
    /// Who signed it, likewise.
    pub issuer_der: Vec<u8>,
    /// Its number, in hexadecimal digits.
    pub serial: String,
    /// It is valid from here, seconds since 1970, …
    pub not_before: i64,
    /// … until here.
    pub not_after: i64,
    /// The names and addresses it is for (subjectAltName, RFC 5280 §4.2.1.6), [`MOST_NAMES`] at most.
    pub names: Vec<String>,
    /// How many there are of them.
    pub names_count: usize,
    /// Kind and size of its key: `RSA 2048`, `P-256`, `Ed25519`.
    pub key: String,
    /// Bits of its key where their number says how strong it is.
    pub key_bits: Option<usize>,
    /// How it was signed: `sha256WithRSAEncryption`.
    pub signature: String,
    /// It may sign others.
    pub is_authority: bool,
    /// Subject and issuer are the same.
    pub is_self_issued: bool,
    /// Timestamps of certificate logs in it (RFC 6962 §3.3).
    pub scts: Vec<Sct>,
    /// Its server must staple an OCSP response (RFC 7633).
    pub must_staple: bool,
}

impl Certificate {
    /// Reads one in DER; `None` for what is none, or is followed by something else.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (rest, read) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let mut found = Self {
            subject: distinguished(read.subject()),
            issuer: distinguished(read.issuer()),
            subject_der: content(read.subject()),
            issuer_der: content(read.issuer()),
            serial: read.raw_serial().iter().take(32).map(|octet| format!("{octet:02x}")).collect(),
            not_before: read.validity().not_before.timestamp(),
            not_after: read.validity().not_after.timestamp(),
            names: Vec::new(),
            names_count: 0,
            key: String::new(),
            key_bits: None,
            signature: named(&read.signature_algorithm.algorithm),
            is_authority: read.is_ca(),
            is_self_issued: read.subject().as_raw() == read.issuer().as_raw(),
            scts: Vec::new(),
            must_staple: false,
        };
        (found.key, found.key_bits) = key(read.public_key());
        for extension in read.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    found.names_count = names.general_names.len();
                    found.names = names.general_names.iter().take(MOST_NAMES).map(general).collect();
                }
                _ if extension.oid.to_id_string() == TIMESTAMPS => {
                    found.scts = Sct::list_in_der(extension.value).unwrap_or_default();
                }
                // id-pe-tlsfeature; the extension 5 of TLS among its numbers is status_request.
                _ if extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.24" => {
                    found.must_staple = extension.value.ends_with(&[2, 1, 5]);
                }
                _ => {}
            }
        }
        Some(found)
    }
}

fn distinguished(name: &X509Name<'_>) -> String {
    let text = name.to_string_with_registry(oid_registry()).unwrap_or_else(|_| printable(name.as_raw()));
    let mut text = escape(&text).into_owned();
    if let Some(end) = text.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// What is in a name's SEQUENCE.
fn content(name: &X509Name<'_>) -> Vec<u8> {
    let raw = name.as_raw();
    let head = match raw.get(1) {
        Some(long @ 0x81..) => 2 + usize::from(long & 0x7f),
        _ => 2,
    };
    raw.get(head..).unwrap_or_default().to_vec()
}

fn general(name: &GeneralName<'_>) -> String {
    let address = |octets: &[u8]| {
        let four = || <[u8; 4]>::try_from(octets).ok().map(|four| IpAddr::from(Ipv4Addr::from(four)));
        let sixteen = || <[u8; 16]>::try_from(octets).ok().map(|all| IpAddr::from(Ipv6Addr::from(all)));
        four().or_else(sixteen)
    };
    match name {
        GeneralName::DNSName(name) => escape(name).into_owned(),
        GeneralName::IPAddress(octets) => {
            address(octets).map_or_else(|| "an address of no known family".to_owned(), |ip| ip.to_string())
        }
        GeneralName::URI(uri) => escape(&format!("URI:{uri}")).into_owned(),
        GeneralName::RFC822Name(name) => escape(&format!("email:{name}")).into_owned(),
        _ => "a name of another kind".to_owned(),
    }
}

/// The usual name of what `oid` stands for, or its numbers.
fn named(oid: &Oid<'_>) -> String {
    oid2sn(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned)
}

fn key(info: &SubjectPublicKeyInfo<'_>) -> (String, Option<usize>) {
    let algorithm = info.algorithm.algorithm.to_id_string();
    let curve = || info.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    match (info.parsed(), algorithm.as_str()) {
        (Ok(PublicKey::RSA(key)), _) => (format!("RSA {}", key.key_size()), Some(key.key_size())),
        (Ok(PublicKey::DSA(key)), _) => (format!("DSA {}", key.len() * 8), Some(key.len() * 8)),
        (_, "1.3.101.112") => ("Ed25519".to_owned(), None),
        (_, "1.3.101.113") => ("Ed448".to_owned(), None),
        (Ok(PublicKey::EC(_)), _) => match curve().map(|curve| curve.to_id_string()).as_deref() {
            Some("1.2.840.10045.3.1.7") => ("P-256".to_owned(), None),
            Some("1.3.132.0.34") => ("P-384".to_owned(), None),
            Some("1.3.132.0.35") => ("P-521".to_owned(), None),
            Some("1.3.132.0.10") => ("secp256k1".to_owned(), None),
            Some(other) => (format!("EC {other}"), None),
            None => ("EC".to_owned(), None),
        },
        _ => (named(&info.algorithm.algorithm), None),
    }
}

/// Reads any octets as a certificate, whose words may be shown.
pub fn fuzz(octets: &[u8]) {
    if let Some(read) = Certificate::parse(octets) {
        let names = read.names.iter().chain([&read.subject, &read.issuer, &read.serial]);
        names.for_each(|text| assert!(!text.contains(char::is_control), "{text:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        CertificateParams, CustomExtension, DnType, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
        PKCS_RSA_SHA256, SignatureAlgorithm, date_time_ymd,
    };

    fn made(algorithm: &'static SignatureAlgorithm, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let names = vec!["a.example".to_owned(), "*.b.example".to_owned(), "2001:db8::1".to_owned()];
        let mut params = CertificateParams::new(names).expect("parameters");
        change(&mut params);
        let key = KeyPair::generate_for(algorithm).expect("a key");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn what_is_in_it_is_told() {
        let der = made(&PKCS_ECDSA_P384_SHA384, |params| {
            params.distinguished_name.push(DnType::CommonName, "A\u{1b}[31m\u{202e}");
            (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
            let staple = vec![0x30, 3, 2, 1, 5];
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], staple));
        });
        let read = Certificate::parse(&der).expect("a certificate");
        assert_eq!(read.names, ["a.example", "*.b.example", "2001:db8::1"]);
        assert_eq!((read.key.as_str(), read.signature.as_str()), ("P-384", "ecdsa-with-SHA384"));
        assert_eq!((read.not_before, read.not_after), (1_577_836_800, 1_609_459_200));
        assert!(read.is_self_issued && read.must_staple && !read.is_authority && read.scts.is_empty());
        assert!(read.subject.ends_with("A\\u{1b}[31m\\u{202e}"), "{}", read.subject);
        assert_eq!(Certificate::parse(&[&der[..], &[0]].concat()), None);
    }

    #[test]
    fn keys_have_the_names_that_people_know() {
        for (algorithm, key, bits, signature) in [
            (&PKCS_ED25519, "Ed25519", None, "ed25519"),
            (&PKCS_RSA_SHA256, "RSA 2048", Some(2048), "sha256WithRSAEncryption"),
        ] {
            let read = Certificate::parse(&made(algorithm, |_| {})).expect("a certificate");
            assert_eq!((read.key.as_str(), read.key_bits), (key, bits));
            assert_eq!(read.signature, signature);
        }
    }

    #[test]
    fn names_without_end_are_counted_and_cut() {
        let der = made(&PKCS_ED25519, |params| {
            let more = (0..2000)
                .map(|n| rcgen::SanType::DnsName(format!("n{n}.example").try_into().expect("a name")));
            params.subject_alt_names.extend(more);
            params.distinguished_name.push(DnType::OrganizationName, "ü".repeat(5000));
        });
        let read = Certificate::parse(&der).expect("a certificate");
        assert_eq!((read.names.len(), read.names_count), (MOST_NAMES, 2003));
        assert!(read.subject.len() <= LONGEST + 4 && read.subject.ends_with('…'));
    }

    /// Whatever octet is wrong: an answer or none, and no panic.
    #[test]
    fn damaged_ones_do_no_harm() {
        let der = made(&PKCS_ED25519, |_| {});
        for at in 0..der.len() {
            assert_eq!(Certificate::parse(&der[..at]), None, "cut at {at}");
            for flip in [1, 0x80, 0xff] {
                let mut bad = der.clone();
                bad[at] ^= flip;
                fuzz(&bad);
            }
        }
    }
}
