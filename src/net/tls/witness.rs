//! A client that lets every certificate pass and keeps what it was shown: who measures looks first and judges after.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, NamedGroup, SignatureScheme};

use crate::failure::Failure;

/// Lets every certificate pass; its owner must still prove that he has the key (RFC 8446 §4.4.3).
#[derive(Debug)]
pub struct Witness {
    provider: CryptoProvider,
    shown: Mutex<Option<Shown>>,
}

/// What a server showed of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its certificates as they were sent, its own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The OCSP response that came with them (RFC 6066 §8), in DER; empty where none did.
    pub ocsp: Vec<u8>,
}

impl Witness {
    /// A witness of its own handshakes.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { provider: aws_lc_rs::default_provider(), shown: Mutex::default() })
    }

    /// A client that shows this witness what it sees, offers the protocols of `alpn` (RFC 7301), and resumes nothing, so
    /// that each handshake is a whole one.
    ///
    /// # Errors
    /// Class `internal`: this build's cryptography has no such protocol version.
    pub fn client(self: &Arc<Self>, alpn: &[&[u8]]) -> Result<ClientConfig, Failure> {
        self.client_with(self.provider.clone(), alpn)
    }

    /// The same with the groups of today's browsers: first the one that holds against quantum computers, whose share of
    /// 1,216 octets makes a ClientHello of two packets.
    ///
    /// # Errors
    /// Those of [`Witness::client`].
    pub fn modern_client(self: &Arc<Self>, alpn: &[&[u8]]) -> Result<ClientConfig, Failure> {
        let mut provider = self.provider.clone();
        provider.kx_groups.sort_by_key(|group| group.name() != NamedGroup::X25519MLKEM768);
        self.client_with(provider, alpn)
    }

    fn client_with(
        self: &Arc<Self>,
        provider: CryptoProvider,
        alpn: &[&[u8]],
    ) -> Result<ClientConfig, Failure> {
        let verifier = Arc::clone(self) as Arc<dyn ServerCertVerifier>;
        let config = super::builder(provider)?.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = config.with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// What the last handshake showed; `None` when none has come so far since it was asked last, as when a session is
    /// resumed.
    pub fn take(&self) -> Option<Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(own).chain(others).map(|one| one.clone().into_owned()).collect();
        let shown = Shown { chain, ocsp: ocsp.to_vec() };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
