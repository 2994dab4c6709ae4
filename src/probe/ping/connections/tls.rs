//! A TLS handshake over a new connection. The certificate is not judged: `waddleperf tls` does that.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tcp::Made;
use super::{Reached, Unreached, Way, why};
use crate::failure::{Class, Failure};
use crate::probe::ping::plan::Host;
use crate::probe::ping::tally::Connected;
use crate::sys::clock;

/// Makes handshakes.
#[derive(Clone)]
pub(super) struct Client(TlsConnector);

impl Client {
    pub(super) fn new() -> Result<Self, Failure> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let config = config.map_err(|error| Class::Internal.because(format_args!("prepare tls: {error}")))?;
        let config = config.dangerous().with_custom_certificate_verifier(Anybody::new(provider));
        let mut config = config.with_no_client_auth();
        // Each handshake shall be a whole one, so that their times can be compared.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Shakes hands as a client of `name`; the time that took.
    pub(super) async fn shake(
        &self,
        stream: TcpStream,
        name: &str,
    ) -> Result<(TlsStream<TcpStream>, Duration), Unreached> {
        let name = name.trim_start_matches('[').trim_end_matches(']').split('%').next().unwrap_or_default();
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| Unreached::Failed("tls cannot ask for this name".to_owned()))?;
        let start = clock::now().mono;
        let shaken = self.0.connect(name, stream).await;
        let stream = shaken.map_err(|error| Unreached::Failed(why(&error, "in the tls handshake")))?;
        Ok((stream, clock::now().mono.saturating_duration_since(start)))
    }
}

impl Way {
    pub(super) async fn tls(&self, host: &Host) -> Result<Reached, Unreached> {
        let Made { stream, rtt, resent, .. } = self.dial(host).await?;
        let name = self.name.as_deref().unwrap_or(host.asked());
        let (_, tls) = self.client.shake(stream, name).await?;
        let told = Connected { resent, connect: Some(rtt), tls: Some(tls), ..Connected::default() };
        Ok(Reached { rtt: rtt + tls, kernel: false, told, said: None, kept: None })
    }
}

/// Lets every certificate pass; its owner must still prove that he has the key.
#[derive(Debug)]
pub(in super::super) struct Anybody(Arc<CryptoProvider>);

impl Anybody {
    pub(in super::super) fn new(provider: Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self(provider))
    }
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
