//! TLS clients: whom they trust ([`Trust`]), what they agreed upon ([`Session`]), those that look at a certificate before
//! they judge it ([`Witness`]), and what certificates say ([`Certificate`], [`Built`]).

mod chain;
mod judge;
mod session;
mod witness;

pub use chain::{Built, Certificate, PathLink, Sent, build};
pub use judge::{Judgement, Verdict};
pub use session::{Resumed, Session, group_name, suite_name, version_name};
pub use witness::{Shown, Witness};

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use crate::failure::{Class, Failure, reason};

/// The certificate authorities that are believed.
#[derive(Clone, Debug)]
pub struct Trust(Arc<RootCertStore>);

impl Trust {
    /// Those that this host believes: `SSL_CERT_FILE` and `SSL_CERT_DIR`, else where its distribution keeps them. Reads
    /// files: not for an async thread.
    ///
    /// # Errors
    /// Class `config` when there is none at all.
    pub fn system() -> Result<Self, Failure> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(Class::Config.because(format_args!(
                "find certificate authorities: this host has none{why}; install the package ca-certificates"
            )));
        }
        Ok(Self(Arc::new(roots)))
    }

    /// Those in `file` alone (PEM).
    ///
    /// # Errors
    /// Class `usage`: that it cannot be read or holds no certificate.
    pub fn file(file: &Path) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Class::Usage.because(format_args!("read certificate authorities from {}: {why}", file.display()))
        };
        let opened = File::open(file).map_err(|error| wrong(reason(&error)))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_reader_iter(BufReader::new(opened)) {
            let certificate = certificate.map_err(|error| match error {
                pem::Error::Io(error) => wrong(reason(&error)),
                other => wrong(other.to_string()),
            })?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("there is no certificate in it".to_owned()));
        }
        Ok(Self(Arc::new(roots)))
    }

    /// The roots themselves.
    pub fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.0)
    }

    /// Whether there is one of this name (a Name in DER, without tag and length).
    pub fn knows(&self, subject: &[u8]) -> bool {
        self.0.roots.iter().any(|root| root.subject.as_ref() == subject)
    }

    /// A client that believes no one else and offers the protocols of `alpn` (RFC 7301).
    ///
    /// # Errors
    /// Class `internal`: this build's cryptography has no such protocol version.
    pub fn client(&self, alpn: &[&[u8]]) -> Result<ClientConfig, Failure> {
        let mut config = builder(aws_lc_rs::default_provider())?
            .with_root_certificates(self.roots())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }
}

/// A client's configuration with this program's one cryptography, all else to be said.
fn builder(provider: CryptoProvider) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Failure> {
    let config = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
    config.map_err(|error| Class::Internal.because(format_args!("prepare tls: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("ca.pem");
        for (text, expected) in [
            ("", "there is no certificate in it"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "BadEncoding"),
        ] {
            std::fs::write(&file, text).expect("write");
            let failure = Trust::file(&file).expect_err("no certificates");
            assert!(failure.detail.contains(expected) && failure.detail.contains("ca.pem"), "{failure}");
        }
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).expect("a certificate");
        std::fs::write(&file, own.cert.pem()).expect("write");
        assert_eq!(Trust::file(&file).expect("one").roots().len(), 1);
    }
}
