//! TLS of a connection: the handshake looks at whatever is shown, then the certificate is judged, before anything is asked.
//!
//! What the judgement takes is this program's own time and in no phase and no total: a leg's clock stands still meanwhile. The
//! authorities are read before it starts.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::HttpTrace;
use super::link::Made;
use super::linker::Linker;
use super::report::TlsSession;
use super::request::Ask;
use super::watch::Watched;
use crate::failure::{Class, Failure, reason};
use crate::net::tls::{Certificate, Judgement, Resumed, Sent, Session, Trust, Verdict, Witness, build};
use crate::sys::clock;
use crate::units::Now;
use crate::wire::text::printable;

/// Certificates of one chain that are looked at (security.md 3.3).
const MOST_CHAIN: usize = 10;
/// Names of a certificate that a failure tells.
const MOST_NAMES: usize = 4;
/// Sessions that are kept to be resumed: one for each name that redirects lead to.
const SESSIONS: usize = 32;

/// What this run needs for TLS, made before any clock runs.
pub(super) struct Clients {
    trust: Result<Trust, Failure>,
    tcp: Arc<ClientConfig>,
    /// Sees what is shown over QUIC; nothing where a session is resumed.
    pub(super) witness: Arc<Witness>,
    pub(super) quic: Arc<QuicClientConfig>,
}

/// A handshake that was shaken, and what was made of it.
#[derive(Clone, Debug)]
pub(super) struct Shaken {
    /// What was agreed upon; `None` over QUIC, where it is not told.
    session: Option<Session>,
    alpn: Option<Vec<u8>>,
    pub(super) is_resumed: bool,
    /// The certificates that were shown, or those of the session that was resumed.
    chain: Vec<CertificateDer<'static>>,
    judged: Option<Judgement>,
    judged_at: Now,
    /// What the judgement took.
    pub(super) judged_in: Duration,
}

impl Shaken {
    /// Whom the server's certificate is for, in parentheses.
    fn names(&self) -> String {
        let own = &self.chain[..self.chain.len().min(1)];
        let own = Sent::all(own, self.judged_at.timestamp()).into_iter().map(Sent::shown).next();
        let Some(Certificate { sans, sans_count, .. }) = own.filter(|own| !own.sans.is_empty()) else {
            return String::new();
        };
        let told = &sans[..sans.len().min(MOST_NAMES)];
        let more = match sans_count - told.len() as u64 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(" ({}{more})", told.join(", "))
    }
}

impl Clients {
    /// Makes them for `asked`, which reads the authorities' files: not for an async thread.
    ///
    /// # Errors
    /// Class `internal`: this build's cryptography cannot do it. That the authorities cannot be read is told later, as
    /// whoever believes everybody needs none.
    pub(super) fn new(asked: &HttpTrace) -> Result<Self, Failure> {
        let trust = match &asked.cacert {
            Some(file) => Trust::file(file),
            None => Trust::system(),
        };
        let client = |witness: &Arc<Witness>, alpn: &[&[u8]]| {
            let mut config = witness.client(alpn)?;
            if asked.resume {
                config.resumption = Resumption::in_memory_sessions(SESSIONS);
            }
            Ok::<_, Failure>(config)
        };
        let witness = Witness::new();
        let quic = QuicClientConfig::try_from(client(&witness, &[b"h3"])?)
            .map_err(|error| Class::Internal.because(format_args!("prepare quic: {error}")))?;
        let tcp = client(&Witness::new(), asked.version.alpn())?;
        Ok(Self { trust, tcp: Arc::new(tcp), witness, quic: Arc::new(quic) })
    }

    /// Judges what was shown by who is asked to be `name`.
    pub(super) fn judge(
        &self,
        session: Option<Session>,
        alpn: Option<Vec<u8>>,
        is_resumed: bool,
        chain: Vec<CertificateDer<'static>>,
        name: &ServerName<'_>,
    ) -> Shaken {
        let judged_at = clock::now();
        let looked_at = &chain[..chain.len().min(MOST_CHAIN)];
        let now = judged_at.wall / 1_000_000_000;
        let judged = self.trust.as_ref().ok().map(|trust| trust.judge(looked_at, name, now));
        let judged_in = clock::now().mono.saturating_duration_since(judged_at.mono);
        Shaken { session, alpn, is_resumed, chain, judged, judged_at, judged_in }
    }

    /// What a record tells of `shaken`.
    pub(super) fn told(&self, shaken: &Shaken) -> TlsSession {
        let Shaken { session, chain, judged, judged_at, .. } = shaken;
        let now = judged_at.timestamp();
        let sent = Sent::all(&chain[..chain.len().min(MOST_CHAIN)], now);
        let built = self.trust.as_ref().ok().map(|trust| build(&sent, trust));
        let certificates: Vec<Certificate> = sent.into_iter().map(Sent::shown).collect();
        TlsSession {
            version: session.as_ref().map_or("TLSv1.3", |session| session.version).to_owned(),
            suite: session.as_ref().map(|session| session.suite.clone()),
            group: session.as_ref().and_then(|session| session.group.clone()),
            alpn: shaken.alpn.as_ref().map(|name| printable(name)),
            resumed: shaken.is_resumed,
            verdict: judged.as_ref().map(Judgement::verdict),
            why: judged.as_ref().and_then(|judged| Some(printable(judged.why.as_ref()?.as_bytes()))),
            judged: shaken.judged_in,
            chain_count: chain.len() as u64,
            expires_in_s: built.and_then(|built| built.expires_in(&certificates, now)),
            certificate: certificates.into_iter().next(),
        }
    }
}

impl Linker<'_> {
    /// Shakes hands and judges; whether HTTP/2 was agreed upon.
    pub(super) async fn shake(
        &self,
        ask: &Ask,
        stream: Watched<TcpStream>,
        made: &mut Made,
    ) -> Result<(TlsStream<Watched<TcpStream>>, bool), Failure> {
        let name = server_name(ask)?;
        let clients = self.clients().await?;
        let connector = TlsConnector::from(Arc::clone(&clients.tcp));
        let shaken = connector.connect(name.clone(), stream).await;
        let done = clock::now().mono;
        let stream =
            shaken.map_err(|error| Class::Tls.because(format_args!("{ask}: {}", shaking(&error))))?;
        made.tls_time = Some(done.saturating_duration_since(made.ready));
        let connection = stream.get_ref().1;
        let session = Session::of(connection);
        let alpn = session.as_ref().and_then(|session| session.alpn.clone());
        let is_http2 = alpn.as_deref() == Some(b"h2");
        let is_resumed = session.as_ref().is_some_and(|session| session.resumed == Resumed::Resumed);
        let chain = connection.peer_certificates().unwrap_or_default().to_vec();
        let judged = clients.judge(session, alpn, is_resumed, chain, &name);
        self.believe(ask, clients, &judged)?;
        (made.tls, made.ready) = (Some(judged), clock::now().mono);
        Ok((stream, is_http2))
    }

    /// # Errors
    /// Class `tls` of a certificate that is not believed, unless whatever is shown shall be accepted.
    pub(super) fn believe(&self, ask: &Ask, clients: &Clients, shaken: &Shaken) -> Result<(), Failure> {
        if self.asked.insecure {
            return Ok(());
        }
        if let Err(failure) = &clients.trust {
            return Err(failure.clone());
        }
        let judged = shaken.judged.as_ref();
        let (names, other) = match judged.map(Judgement::verdict) {
            Some(Verdict::Ok) => return Ok(()),
            Some(Verdict::Name) => (shaken.names(), ""),
            Some(Verdict::Untrusted) => (String::new(), "--cacert names whom to believe, "),
            _ => (String::new(), ""),
        };
        let why = judged.and_then(|judged| judged.why.as_deref()).unwrap_or("nobody has judged it");
        let why = printable(why.as_bytes());
        Err(Class::Tls.because(format_args!(
            "{ask}: its certificate is not believed: {why}{names}; {other}-k goes on nevertheless"
        )))
    }
}

/// The name that the certificate must be for.
pub(super) fn server_name(ask: &Ask) -> Result<ServerName<'static>, Failure> {
    let host = ask.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    ServerName::try_from(host)
        .map_err(|_| Class::Usage.because(format_args!("{ask}: tls cannot ask for this name")))
}

/// Why a handshake came to nothing.
fn shaking(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => "what answers there does not speak tls".to_owned(),
        Some(error) => format!("tls handshake: {}", printable(error.to_string().as_bytes())),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was closed in the tls handshake".to_owned()
        }
        None => format!("tls handshake: {}", reason(error)),
    }
}
