//! Whom encrypted servers must prove to be, and TLS over a connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Client, Unanswered, until};
use crate::failure::{Class, Failure};
use crate::net::Trust;
use crate::net::tls::{Session, Shown, Verdict, Witness};
use crate::probe::Ctx;
use crate::probe::resolvertime::{ResolverTime, Tls};
use crate::sys::clock;

/// Whom this run believes.
#[derive(Clone, Debug)]
pub(in crate::probe::resolvertime) struct Secure {
    trust: Trust,
    /// `-k`: go on whoever it is.
    insecure: bool,
}

/// What this side brings to a handshake.
pub(super) struct Side<'a> {
    pub(super) secure: &'a Secure,
    pub(super) config: ClientConfig,
    /// Where everybody is believed: of what is shown.
    pub(super) witness: Option<Arc<Witness>>,
    /// The name that the server must have.
    pub(super) name: ServerName<'static>,
}

/// A TLS session that stands.
pub(super) struct Secured {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) tls: Duration,
    pub(super) session: Tls,
}

impl Secure {
    pub(super) async fn new(probe: &ResolverTime, ctx: &Ctx) -> Result<Self, Failure> {
        if probe.ca_file.is_some() {
            ctx.policy.check_flag("--ca-file")?;
        }
        let file = probe.ca_file.clone();
        let read =
            tokio::task::spawn_blocking(move || file.map_or_else(Trust::system, |file| Trust::file(&file)));
        let trust = read
            .await
            .map_err(|_| Class::Internal.because("read certificate authorities: interrupted"))??;
        Ok(Self { trust, insecure: probe.insecure })
    }

    /// A client that offers `alpn`, and the witness of what it is shown where everybody is believed.
    pub(super) fn client(&self, alpn: &[u8]) -> Result<(ClientConfig, Option<Arc<Witness>>), Failure> {
        if !self.insecure {
            return Ok((self.trust.client(&[alpn])?, None));
        }
        let witness = Witness::new();
        Ok((witness.client(&[alpn])?, Some(witness)))
    }

    /// What is to be said of a server's certificate: without a witness it has been verified.
    pub(super) fn verdict(&self, shown: Option<Option<Shown>>, name: &ServerName<'_>) -> Verdict {
        match shown {
            None => Verdict::Ok,
            Some(shown) => {
                let chain = shown.unwrap_or_default().chain;
                self.trust.judge(&chain, name, clock::now().wall / 1_000_000_000).verdict()
            }
        }
    }
}

impl Client {
    /// What this side brings to a handshake for the protocol `alpn`.
    pub(super) fn side(&self, alpn: &[u8]) -> Result<Side<'_>, Unanswered> {
        let wrong = Unanswered::NotSent;
        let secure = self.asking.secure.as_ref();
        let secure =
            secure.ok_or_else(|| wrong(Class::Internal.because("no certificate authorities were read")))?;
        let (config, witness) = secure.client(alpn).map_err(wrong)?;
        let name = &self.spec.name;
        let name = ServerName::try_from(name.clone()).map_err(|_| {
            wrong(Class::Usage.because(format_args!("`{name}` can be no certificate's name")))
        })?;
        Ok(Side { secure, config, witness, name })
    }

    /// TLS over `stream`, for the protocol `alpn`.
    pub(super) async fn secured(
        &self,
        stream: TcpStream,
        alpn: &[u8],
        deadline: Instant,
    ) -> Result<Secured, Unanswered> {
        let Side { secure, config, witness, name } = self.side(alpn)?;
        let began = clock::now().mono;
        let shake = async {
            TlsConnector::from(Arc::new(config)).connect(name.clone(), stream).await.map_err(|error| {
                Unanswered::Broken(Class::Tls.because(format_args!("tls with {}: {error}", self.peer)))
            })
        };
        let stream = until(deadline, shake).await?;
        let tls = clock::now().mono.saturating_duration_since(began);
        let verdict = secure.verdict(witness.map(|witness| witness.take()), &name);
        let agreed = Session::of(stream.get_ref().1);
        Ok(Secured { stream, tls, session: Tls::of(agreed, verdict, &self.spec.name) })
    }
}
