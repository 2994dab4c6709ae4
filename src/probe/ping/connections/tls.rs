//! A TLS handshake over a new connection. The certificate is not judged: `waddleperf tls` does that.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tcp::Made;
use super::{Reached, Unreached, Way, why};
use crate::failure::Failure;
use crate::net::tls::Witness;
use crate::probe::ping::plan::Host;
use crate::probe::ping::tally::Connected;
use crate::sys::clock;

/// Makes handshakes.
#[derive(Clone)]
pub(super) struct Client(TlsConnector);

impl Client {
    pub(super) fn new() -> Result<Self, Failure> {
        // Each handshake is a whole one, so that their times can be compared.
        let config = Witness::new().client(&[])?;
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
