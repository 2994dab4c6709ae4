//! A connection on which HTTP is spoken: look-up, race, TLS, and whether the certificate is believed.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Origin};

use super::overrides::{ConnectTo, Resolve};
use super::quic::{QUIC, Quic, Requests, TCP, given_up};
use super::report::{Attempt, CertificateSummary, Leg, Lookup, Source, TlsSession};
use super::request::Ask;
use super::watch::{Watch, Watched};
use super::{HttpTrace, Version};
use crate::failure::{Class, Failure};
use crate::net::dial::{self, Attempted, Connection, race};
use crate::net::sources;
use crate::net::tls::{Judgement, Resumed, Session, Shown, Trust, Verdict, Witness};
use crate::probe::targets::{Admission, Audience};
use crate::probe::{Ctx, TcpState};
use crate::sys::clock;
use crate::sys::connect::Way;
use crate::units::Timestamp;
use crate::wire::text::printable;
use crate::wire::x509::Certificate;

/// Octets of the longest head of an answer, and headers in it (security.md 3.3).
pub(super) const MOST_HEAD: usize = 64 << 10;
pub(super) const MOST_HEADERS: usize = 100;
/// Certificates of one chain that are looked at (security.md 3.3).
const MOST_CHAIN: usize = 10;
/// Addresses of one name that are tried at most.
const MOST_ADDRESSES: usize = 16;

/// What carries requests.
pub(super) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
    Http3(Requests),
}

/// What is below HTTP and TLS.
pub(super) enum Carrier {
    /// The same socket, to ask the kernel about it.
    Tcp(Option<OwnedFd>),
    Quic(Quic),
}

/// A connection, and all that is known of it.
pub(super) struct Link {
    pub(super) sender: Sender,
    /// Whom it is to.
    pub(super) origin: Origin,
    /// What passes of HTTP, and what passes below TLS.
    pub(super) watch: Arc<Watch>,
    pub(super) wire: Arc<Watch>,
    pub(super) made: Made,
    pub(super) carrier: Carrier,
    /// What moves octets. It ends with the connection.
    pub(super) _tasks: Owned,
}

/// How a connection came to be.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) dns: Option<Lookup>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) remote: SocketAddr,
    pub(super) local: Option<SocketAddr>,
    pub(super) tls: Option<TlsSession>,
    pub(super) dns_time: Option<Duration>,
    pub(super) connect_time: Duration,
    pub(super) tls_time: Option<Duration>,
    /// When the first request could be written.
    pub(super) ready: Instant,
}

/// What moves octets in the background.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

/// Ends it. A connection holds what it spawns by, so that it would not end by itself.
#[derive(Default)]
pub(super) struct Owned(Tasks);

impl Owned {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

impl Tasks {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).spawn(task);
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        self.spawn(async {
            let _ = task.await;
        });
    }
}

/// Makes connections for one run.
pub(super) struct Linker<'a> {
    asked: &'a HttpTrace,
    ctx: &'a Ctx,
    resolves: Vec<Resolve>,
    connects: Vec<ConnectTo>,
    way: Way,
    admission: Admission<'a>,
    trust: OnceCell<Result<Trust, Failure>>,
    /// The same, while it is being read.
    reading: Mutex<Option<ReadingTrust>>,
}

type ReadingTrust = JoinHandle<Result<Trust, Failure>>;

/// How far a request has come, for whoever must say where it stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    LookUp,
    Connect,
    Tls,
    Request,
    Transfer,
}

impl Stage {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::LookUp => "its name was not resolved in time",
            Self::Connect => "it was not connected to in time",
            Self::Tls => "the tls handshake was not done in time",
            Self::Request => "there was no answer in time",
            Self::Transfer => "the answer was not whole in time",
        }
    }
}

impl Link {
    /// What the kernel knows of it now.
    pub(super) fn tcp(&self) -> Option<TcpState> {
        let Carrier::Tcp(Some(socket)) = &self.carrier else { return None };
        TcpState::of(socket.as_fd())
    }

    /// Whether another request can go over it.
    pub(super) async fn is_open(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
            // Whether it is closed is told by who asks over it.
            Sender::Http3(_) => true,
        }
    }

    /// All octets that went and came so far, TLS and handshakes included.
    pub(super) fn octets(&self) -> (u64, u64) {
        match &self.carrier {
            Carrier::Quic(quic) => quic.octets(),
            Carrier::Tcp(_) => {
                let seen = self.wire.seen();
                (seen.sent, seen.received)
            }
        }
    }
}

impl<'a> Linker<'a> {
    /// Makes connections as `asked`; the first will be of `https`.
    ///
    /// # Errors
    /// Class `usage` for what cannot be.
    pub(super) fn new(asked: &'a HttpTrace, ctx: &'a Ctx, is_https: bool) -> Result<Self, Failure> {
        let wrong = |why| Class::Usage.because(why);
        asked.egress.check_here()?;
        Ok(Self {
            asked,
            ctx,
            resolves: asked.resolves().map_err(wrong)?,
            connects: asked.connects().map_err(wrong)?,
            way: Way {
                source: asked.egress.source(),
                interface: asked.egress.device().map(str::to_owned),
                ttl: asked.egress.ttl,
                tos: asked.egress.tos(),
            },
            admission: Admission::to(ctx, &asked.egress, Audience::One),
            trust: OnceCell::new(),
            reading: Mutex::new(is_https.then(|| reading_trust(asked.cacert.clone()))),
        })
    }

    /// Whom this run believes. Reading it takes as long as a handshake nearby, so it is begun beforehand.
    pub(super) async fn trust(&self) -> &Result<Trust, Failure> {
        let read = async {
            let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner).take();
            let reading = reading.unwrap_or_else(|| reading_trust(self.asked.cacert.clone()));
            reading.await.unwrap_or_else(|_| Err(Class::Internal.because("reading authorities panicked")))
        };
        self.trust.get_or_init(|| read).await
    }

    /// How packets leave this host.
    pub(super) const fn way(&self) -> &Way {
        &self.way
    }

    /// A connection for `ask`, which began at `start`; `tell` hears how far it has come.
    ///
    /// # Errors
    /// Those of the way there; class `tls` for a handshake that fails and a certificate that is not believed.
    pub(super) async fn link(
        &self,
        ask: &Ask,
        start: Instant,
        tell: &(dyn Fn(Stage) + Sync),
    ) -> Result<Link, Failure> {
        let deadline = start + self.asked.connect_timeout.0;
        let reached = std::sync::atomic::AtomicU8::new(0);
        let told = |stage: Stage| {
            reached.store(stage as u8, std::sync::atomic::Ordering::Relaxed);
            tell(stage);
        };
        let made = timeout_at(deadline.into(), self.made(ask, start, deadline, &told)).await;
        made.unwrap_or_else(|_| {
            let words = match reached.load(std::sync::atomic::Ordering::Relaxed) {
                0 => Stage::LookUp.words(),
                1 => Stage::Connect.words(),
                _ => Stage::Tls.words(),
            };
            Err(Class::Timeout.because(format_args!("{ask}: {words} (--connect-timeout)")))
        })
    }

    async fn made(
        &self,
        ask: &Ask,
        start: Instant,
        deadline: Instant,
        tell: &(dyn Fn(Stage) + Sync),
    ) -> Result<Link, Failure> {
        tell(Stage::LookUp);
        let (addresses, dns, dns_time) = self.addresses(ask).await?;
        tell(Stage::Connect);
        let addresses = dial::interleaved(&addresses);
        let is_https = ask.url.scheme() == "https";
        let mut link = match self.asked.version {
            Version::Http3Only if is_https => self.quic(ask, &addresses, start, deadline).await?,
            Version::Http3 if is_https => self.either(ask, &addresses, start, deadline, tell).await?,
            _ => self.tcp(ask, &addresses, start, deadline, tell).await?,
        };
        (link.made.dns, link.made.dns_time) = (dns, dns_time);
        Ok(link)
    }

    /// Over QUIC or over TCP, whichever stands first.
    async fn either(
        &self,
        ask: &Ask,
        addresses: &[SocketAddr],
        start: Instant,
        deadline: Instant,
        tell: &(dyn Fn(Stage) + Sync),
    ) -> Result<Link, Failure> {
        let began = clock::now().mono.saturating_duration_since(start);
        let mut quic = pin!(self.quic(ask, addresses, start, deadline));
        let mut tcp = pin!(self.tcp(ask, addresses, start, deadline, tell));
        let (first, other) = tokio::select! {
            first = &mut quic => (first, TCP),
            first = &mut tcp => (first, QUIC),
        };
        let failure = match first {
            Ok(mut link) => {
                link.made.attempts.extend(addresses.first().map(|to| given_up(*to, other, began)));
                return Ok(link);
            }
            Err(failure) => failure,
        };
        let (second, proto) = match other {
            TCP => (tcp.await, QUIC),
            _ => (quic.await, TCP),
        };
        // Of two reasons that of TCP says more: UDP is filtered in many places.
        let mut link = second.map_err(|second| if proto == QUIC { second } else { failure.clone() })?;
        let failed = |to: &SocketAddr| Attempt { error: Some(failure.detail), ..given_up(*to, proto, began) };
        link.made.attempts.extend(addresses.first().map(failed));
        Ok(link)
    }

    /// Over TCP.
    async fn tcp(
        &self,
        ask: &Ask,
        addresses: &[SocketAddr],
        start: Instant,
        deadline: Instant,
        tell: &(dyn Fn(Stage) + Sync),
    ) -> Result<Link, Failure> {
        let raced = race(addresses, &self.way, deadline).await;
        let (connection, tried) = raced.map_err(|attempts| {
            let nobody = || Class::Resolve.because(format_args!("{ask}: no address to connect to"));
            dial::failure(&attempts).unwrap_or_else(nobody)
        })?;
        let Connection { stream, peer, began, stood, rtt, .. } = connection;
        let attempts = tried.iter().map(|one| attempt(one, start, peer)).collect();
        // The server's answers are not cut short by a reset when all is said.
        let _ = socket2::SockRef::from(&stream).set_linger(None);
        let mut made = Made {
            dns: None,
            attempts,
            remote: peer,
            local: stream.local_addr().ok(),
            tls: None,
            dns_time: None,
            // The kernel knows better when the answer to its SYN came than who is woken by it.
            connect_time: rtt.unwrap_or_else(|| stood.saturating_duration_since(began)),
            tls_time: None,
            ready: stood,
        };
        let socket = stream.as_fd().try_clone_to_owned().ok();
        let wire = Watch::new(false);
        let stream = Watched::new(stream, Arc::clone(&wire));
        let tasks = Owned::default();
        let (sender, watch) = if ask.url.scheme() == "https" {
            tell(Stage::Tls);
            let (stream, http2) = self.shake(ask, stream, &mut made).await?;
            spoken(ask, stream, http2, &tasks.0).await?
        } else {
            spoken(ask, stream, self.asked.version.is_http2_in_clear(), &tasks.0).await?
        };
        let origin = ask.url.origin();
        Ok(Link { sender, origin, watch, wire, made, carrier: Carrier::Tcp(socket), _tasks: tasks })
    }

    /// Where `ask` goes to: the addresses that may be tried, the look-up behind them and its time.
    async fn addresses(
        &self,
        ask: &Ask,
    ) -> Result<(Vec<SocketAddr>, Option<Lookup>, Option<Duration>), Failure> {
        let port = ask.url.port_or_known_default().unwrap_or(80);
        let host = match ask.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(Class::Usage.because(format_args!("{ask}: names no host"))),
        };
        let (host, port) = ConnectTo::of(&self.connects, &host, port);
        let (mut found, mut lookup, mut time) = (Vec::new(), None, None);
        if let Some(given) = Resolve::of(&self.resolves, &host, port) {
            let addresses = given.iter().map(SocketAddr::ip).collect();
            lookup =
                Some(Lookup { name: host.clone(), addresses, source: Source::Given, resolvers: Vec::new() });
            found = given;
        } else if let Ok(literal) = host.parse::<IpAddr>() {
            found.push(SocketAddr::new(literal.to_canonical(), port));
        } else {
            let began = clock::now().mono;
            let addresses = self.ctx.resolver.all(&host).await?;
            time = Some(clock::now().mono.saturating_duration_since(began));
            found.extend(addresses.iter().map(|address| SocketAddr::new(*address, port)));
            // Who knew them is found out when nothing is timed any more ([`name_sources`]).
            lookup = Some(Lookup {
                name: host.clone(),
                addresses,
                source: Source::Resolvers,
                resolvers: Vec::new(),
            });
        }
        found.retain(|address| self.asked.egress.admits(&address.ip()));
        if found.is_empty() {
            return Err(match lookup {
                Some(_) => {
                    Class::Resolve.because(format_args!("resolve {host}: no address of the wanted family"))
                }
                None => Class::Usage.because(format_args!(
                    "{host} is not of the address family that -4, -6 or the source asks for"
                )),
            });
        }
        let (allowed, refused): (Vec<_>, Vec<_>) = found
            .into_iter()
            .map(|address| self.admission.check(address).map(|()| address))
            .partition(Result::is_ok);
        if allowed.is_empty() {
            return Err(refused
                .into_iter()
                .find_map(Result::err)
                .unwrap_or_else(|| Class::Resolve.because(format_args!("resolve {host}: no address"))));
        }
        Ok((allowed.into_iter().flatten().take(MOST_ADDRESSES).collect(), lookup, time))
    }

    /// Shakes hands and judges; whether HTTP/2 was agreed upon.
    async fn shake(
        &self,
        ask: &Ask,
        stream: Watched<TcpStream>,
        made: &mut Made,
    ) -> Result<(TlsStream<Watched<TcpStream>>, bool), Failure> {
        let name = server_name(ask)?;
        let witness = Witness::new();
        let connector = TlsConnector::from(Arc::new(witness.client(self.asked.version.alpn())?));
        let began = made.ready;
        let shaken = connector.connect(name.clone(), stream).await;
        let done = clock::now().mono;
        let stream =
            shaken.map_err(|error| Class::Tls.because(format_args!("{ask}: {}", shaking(&error))))?;
        let trust = self.trust().await;
        made.tls_time = Some(done.saturating_duration_since(began));
        let session = Session::of(stream.get_ref().1);
        let shown = witness.take().unwrap_or_default();
        let alpn = session.as_ref().and_then(|session| session.alpn.clone());
        let tls = self.session(session, &shown, &name, trust);
        self.believe(ask, &tls, trust)?;
        made.tls = Some(tls);
        made.ready = clock::now().mono;
        Ok((stream, alpn.as_deref() == Some(b"h2")))
    }

    /// What is told of a session, and of the certificates that were `shown` by who is asked to be `name`.
    pub(super) fn session(
        &self,
        session: Option<Session>,
        shown: &Shown,
        name: &ServerName<'_>,
        trust: &Result<Trust, Failure>,
    ) -> TlsSession {
        let chain = &shown.chain[..shown.chain.len().min(MOST_CHAIN)];
        let now = clock::now().wall / 1_000_000_000;
        let judged = trust.as_ref().ok().map(|trust| trust.judge(chain, name, now));
        let (verdict, why) = match &judged {
            Some(judged) => (Some(Judgement::verdict(judged)), judged.why.clone()),
            None => (None, None),
        };
        let text = |octets: &Vec<u8>| printable(octets);
        TlsSession {
            version: session.as_ref().map_or("TLSv1.3", |session| session.version).to_owned(),
            suite: session.as_ref().map(|session| session.suite.clone()),
            group: session.as_ref().and_then(|session| session.group.clone()),
            alpn: session.as_ref().and_then(|session| session.alpn.as_ref().map(text)),
            resumed: session.as_ref().is_some_and(|session| session.resumed == Resumed::Resumed),
            verdict,
            why: why.map(|why| printable(why.as_bytes())),
            chain_count: shown.chain.len() as u64,
            certificate: summary(chain, now),
        }
    }

    /// # Errors
    /// Class `tls` of a certificate that is not believed, unless whatever is shown shall be accepted.
    pub(super) fn believe(
        &self,
        ask: &Ask,
        tls: &TlsSession,
        trust: &Result<Trust, Failure>,
    ) -> Result<(), Failure> {
        if self.asked.insecure {
            return Ok(());
        }
        if let Err(failure) = trust {
            return Err(failure.clone());
        }
        match tls.verdict {
            Some(Verdict::Ok) => Ok(()),
            verdict => {
                let word = match verdict {
                    Some(Verdict::Expired) => "has expired",
                    Some(Verdict::NotYet) => "is not valid yet",
                    Some(Verdict::Name) => "is for another name",
                    Some(Verdict::Revoked) => "has been revoked",
                    Some(Verdict::Untrusted) => "is signed by nobody whom this host believes",
                    _ => "cannot be believed",
                };
                let why = tls.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
                Err(Class::Tls.because(format_args!(
                    "{ask}: its certificate {word}{why}; -k goes on nevertheless, --cacert names whom else to believe"
                )))
            }
        }
    }
}

/// Begins to read whom to believe, on a thread that may block.
fn reading_trust(file: Option<PathBuf>) -> ReadingTrust {
    tokio::task::spawn_blocking(move || match file {
        Some(file) => Trust::file(&file),
        None => Trust::system(),
    })
}

/// Finds out who knew the addresses of the names that were looked up.
pub(super) async fn name_sources(legs: &mut [Leg]) {
    let lookups = legs.iter_mut().filter_map(|leg| leg.dns.as_mut());
    for lookup in lookups.filter(|lookup| lookup.source == Source::Resolvers) {
        let name = lookup.name.clone();
        let found = tokio::task::spawn_blocking(move || sources(&name)).await;
        let (is_local, resolvers) = found.unwrap_or_default();
        lookup.resolvers = resolvers;
        if is_local {
            lookup.source = Source::Hosts;
        }
    }
}

/// The name that the certificate must be for.
pub(super) fn server_name(ask: &Ask) -> Result<ServerName<'static>, Failure> {
    let host = ask.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    ServerName::try_from(host)
        .map_err(|_| Class::Usage.because(format_args!("{ask}: tls cannot ask for this name")))
}

/// An attempt as it is told, after `start`.
fn attempt(one: &Attempted, start: Instant, winner: SocketAddr) -> Attempt {
    let won = one.ended.is_some() && one.why.is_none() && one.to == winner;
    Attempt {
        address: one.to,
        proto: TCP.to_owned(),
        start: one.began.saturating_duration_since(start),
        took: one.ended.map(|ended| ended.saturating_duration_since(one.began)),
        won,
        error: one.why.as_ref().map(|why| {
            let detail = why.failure(one.to).detail;
            detail.strip_prefix(&format!("connect to {}: ", one.to)).unwrap_or(&detail).to_owned()
        }),
    }
}

/// Why a handshake came to nothing.
fn shaking(error: &std::io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => format!("tls handshake: {}", printable(error.to_string().as_bytes())),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the connection was closed in the tls handshake".to_owned()
        }
        None => format!("tls handshake: {}", crate::failure::reason(error)),
    }
}

/// The server's own certificate, and when the first of its chain expires.
fn summary(chain: &[CertificateDer<'_>], now: u64) -> Option<CertificateSummary> {
    let own = Certificate::parse(chain.first()?)?;
    let ends = chain.iter().filter_map(|one| Certificate::parse(one)).map(|one| one.not_after);
    let moment = |seconds| Timestamp::from_second(seconds).ok();
    Some(CertificateSummary {
        not_before: moment(own.not_before)?,
        not_after: moment(own.not_after)?,
        expires_in_s: ends.min()?.saturating_sub(i64::try_from(now).unwrap_or(i64::MAX)),
        subject: own.subject,
        issuer: own.issuer,
        names: own.names,
        key: own.key,
        signature: own.signature,
    })
}

/// Speaks HTTP over `stream`.
async fn spoken<S>(ask: &Ask, stream: S, http2: bool, tasks: &Tasks) -> Result<(Sender, Arc<Watch>), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let watch = Watch::new(http2);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&watch)));
    let failed = |error: hyper::Error| {
        Class::Protocol.because(format_args!("{ask}: {}", super::exchange::said(&error)))
    };
    if http2 {
        let mut builder = http2::Builder::new(tasks.clone());
        builder.max_header_list_size(MOST_HEAD as u32);
        let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
        tasks.spawn(async move {
            // How it ends is told by the answer.
            let _ = connection.await;
        });
        return Ok((Sender::Http2(sender), watch));
    }
    let mut builder = http1::Builder::new();
    builder.title_case_headers(true).max_headers(MOST_HEADERS).max_buf_size(MOST_HEAD);
    let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
    tasks.spawn(async move {
        let _ = connection.await;
    });
    Ok((Sender::Http1(sender), watch))
}
