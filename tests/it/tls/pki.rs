//! Authorities and certificates of a test.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd,
};
use tempfile::TempDir;
use waddleperf::sys::clock;

use crate::tool::{stdout, tool};

/// A root, an authority below it, and what they sign.
pub(super) struct Pki {
    dir: TempDir,
    between: Issuer<'static, KeyPair>,
    between_pem: String,
}

/// What a certificate shall be.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    pub(super) name: &'static str,
    /// From and until, days from now.
    pub(super) days: Option<(i64, i64)>,
    /// The authority's certificate is not sent with it.
    pub(super) alone: bool,
    /// Its key is an elliptic one.
    pub(super) elliptic: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self { name: "localhost", days: None, alone: false, elliptic: false }
    }
}

/// A certificate with its key, in files.
pub(super) struct Identity {
    /// The chain that is sent.
    pub(super) chain: PathBuf,
    /// The certificate alone.
    pub(super) own: PathBuf,
    /// What is sent behind it.
    pub(super) others: Option<PathBuf>,
    pub(super) key: PathBuf,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Pki {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (params, key) = (authority("Test Root"), KeyPair::generate().expect("a key"));
        let root = params.self_signed(&key).expect("a certificate");
        fs::write(dir.path().join("root.pem"), root.pem()).expect("write");
        let root = Issuer::new(params, key);
        let (params, key) = (authority("Test Between"), KeyPair::generate().expect("a key"));
        let between = params.signed_by(&key, &root).expect("a certificate").pem();
        fs::write(dir.path().join("between.pem"), &between).expect("write");
        fs::write(dir.path().join("between.key"), key.serialize_pem()).expect("write");
        Self { dir, between: Issuer::new(params, key), between_pem: between }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// The file with the root.
    pub(super) fn root(&self) -> String {
        self.path("root.pem")
    }

    /// A certificate that the authority has signed.
    pub(super) fn leaf(&self, wish: Wish) -> Identity {
        self.signed(wish, false, None)
    }

    /// One with this list of timestamps of certificate logs in it.
    pub(super) fn leaf_with(&self, wish: Wish, logged: &[u8]) -> Identity {
        self.signed(wish, false, Some(logged))
    }

    /// One that has signed itself.
    pub(super) fn own(&self) -> Identity {
        self.signed(Wish { alone: true, ..Wish::default() }, true, None)
    }

    /// An OCSP response of the authority about `identity`, in a file.
    pub(super) fn staple(&self, identity: &Identity, revoked: bool) -> String {
        let text = stdout(tool("openssl").args(["x509", "-noout", "-serial", "-in"]).arg(&identity.own));
        let serial = text.trim().trim_start_matches("serial=");
        let [flag, when] = if revoked { ["R", "250101000000Z"] } else { ["V", ""] };
        let index = format!("{flag}\t400101000000Z\t{when}\t{serial}\tunknown\t/CN=localhost\n");
        fs::write(self.path("index.txt"), index).expect("write");
        let (request, response) =
            (self.path("request.der"), self.path(if revoked { "bad.der" } else { "good.der" }));
        let between = self.path("between.pem");
        stdout(
            tool("openssl")
                .args(["ocsp", "-issuer", &between, "-cert"])
                .arg(&identity.own)
                .args(["-reqout", &request]),
        );
        stdout(tool("openssl").args(["ocsp", "-index", &self.path("index.txt"), "-CA", &between]).args([
            "-rsigner",
            &between,
            "-rkey",
            &self.path("between.key"),
            "-ndays",
            "7",
            "-reqin",
            &request,
            "-respout",
            &response,
        ]));
        response
    }

    fn signed(&self, wish: Wish, by_itself: bool, logged: Option<&[u8]>) -> Identity {
        let names = vec![wish.name.to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, wish.name);
        // An OCTET STRING (RFC 6962 §3.3).
        params.custom_extensions.extend(logged.map(|list| {
            let length =
                u8::try_from(list.len()).ok().filter(|length| *length > 0x7f).expect("a list of two");
            let der = [&[4, 0x81, length][..], list].concat();
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], der)
        }));
        let (from, until) = wish.days.unwrap_or((-1, 90));
        let midnight = |(year, month, day)| date_time_ymd(year, month, day);
        (params.not_before, params.not_after) = (midnight(ymd(from)), midnight(ymd(until)));
        let algorithm = if wish.elliptic { &PKCS_ECDSA_P256_SHA256 } else { &PKCS_RSA_SHA256 };
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let own = if by_itself { params.self_signed(&key) } else { params.signed_by(&key, &self.between) };
        let own = own.expect("a certificate").pem();
        let sent = if wish.alone { own.clone() } else { own.clone() + &self.between_pem };
        let n = fs::read_dir(self.dir.path()).expect("a directory").count();
        let file = |name: &str, text: &str| {
            let path = self.dir.path().join(format!("{n}.{name}"));
            fs::write(&path, text).expect("write");
            path
        };
        Identity {
            chain: file("chain.pem", &sent),
            own: file("own.pem", &own),
            others: (!wish.alone).then(|| file("others.pem", &self.between_pem)),
            key: file("key", &key.serialize_pem()),
        }
    }
}

/// The day that is `days` from now.
fn ymd(days: i64) -> (i32, u8, u8) {
    let day = clock::now().timestamp().as_second() / 86_400 + days;
    let at = Timestamp::from_second(day * 86_400).expect("a moment").to_zoned(TimeZone::UTC);
    (at.year().into(), at.month().unsigned_abs(), at.day().unsigned_abs())
}
