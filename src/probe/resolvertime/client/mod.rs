//! Asks one server: one query, and what came of it. Each transport is a file; what they share is here.

mod cookie;
mod doh;
mod doq;
mod session;
mod stream;
mod system;
mod udp;

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::server::{Spec, Transport};
use super::{ResolverTime, Tls};
use crate::failure::{Class, Failure};
use crate::probe::own_thread::random;
use crate::probe::{Ctx, Egress};
use crate::sys::clock;
use crate::sys::connect::Unreachable;
use crate::wire::dns::{Asked, Cookie, Message, Name, Query, Question};
use crate::wire::icmp::{Meaning, Version};
pub(super) use cookie::Baked;
use cookie::Jar;
pub(super) use session::Secure;
pub(super) use stream::Bare;
pub(super) use udp::{Stamping, one_packet};

/// Encrypted queries are padded to a multiple of this (RFC 8467 §4.1).
const BLOCK: u16 = 128;
/// Format error, not implemented (RFC 1035 §4.1.1), bad version (RFC 6891 §9): what servers without EDNS say to it.
const NO_EDNS: [u16; 3] = [1, 4, 16];
/// Bad or missing server cookie (RFC 7873 §8).
const BADCOOKIE: u16 = 23;
/// Octets of a message's header: the question lies behind it.
const HEADER: usize = 12;
/// Replies that are not ours and are waited past, of one query: beyond it somebody floods us.
const MOST_STRAYS: u64 = 1 << 20;

/// How queries are asked, of all servers alike.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) recurse: bool,
    pub(super) unchecked: bool,
    pub(super) dnssec: bool,
    /// Octets of a UDP reply that are accepted; `None` without EDNS.
    pub(super) bufsize: Option<u16>,
    pub(super) mixed: bool,
    /// Cookies are sent, where replies could be guessed.
    pub(super) cookies: bool,
    /// Queries are padded to so many octets.
    pub(super) pad: Option<u16>,
    pub(super) ignore_truncation: bool,
    pub(super) get: bool,
    pub(super) fresh: bool,
    pub(super) egress: Egress,
    pub(super) secure: Option<Secure>,
}

impl Asking {
    /// What the options of `probe` ask for. Reads files.
    ///
    /// # Errors
    /// Those of the certificate authorities.
    pub(super) async fn new(probe: &ResolverTime, specs: &[Spec], ctx: &Ctx) -> Result<Self, Failure> {
        let secure = match specs.iter().any(|spec| spec.transport.is_encrypted()) {
            true => Some(Secure::new(probe, ctx).await?),
            false => None,
        };
        Ok(Self {
            recurse: !probe.no_recurse,
            unchecked: probe.unchecked,
            dnssec: probe.dnssec,
            bufsize: (!probe.no_edns).then_some(probe.bufsize),
            mixed: !probe.no_case,
            cookies: !probe.no_cookie,
            pad: None,
            ignore_truncation: probe.ignore_truncation,
            get: probe.get,
            fresh: probe.fresh,
            egress: probe.egress.clone(),
            secure,
        })
    }

    /// `question` as it is sent; `cookie` without EDNS is none.
    fn put(
        &self,
        question: &Question,
        transport: Transport,
        edns: bool,
        cookie: Option<Cookie>,
    ) -> Result<Put, Failure> {
        let bits = random()?;
        let mixed = self.mixed && transport.mixes();
        let name = if mixed { question.name.mixed(bits >> 16) } else { question.name.clone() };
        // Over HTTPS and QUIC it is 0 (RFC 8484 §4.1, RFC 9250 §4.2.1).
        let id = if matches!(transport, Transport::Doh | Transport::Doq) { 0 } else { bits as u16 };
        let block = if transport.is_encrypted() { BLOCK } else { self.pad.unwrap_or(0) };
        let asked = |size| Asked { size, dnssec: self.dnssec, nsid: true, cookie, block };
        let query = Query {
            id,
            question: Question { name, kind: question.kind },
            recurse: self.recurse,
            unchecked: self.unchecked,
            authentic: self.dnssec,
            edns: self.bufsize.filter(|_| edns).map(asked),
        };
        Ok(Put { query, name: question.name.clone() })
    }
}

/// A query as it is sent.
struct Put {
    query: Query,
    /// The name as it was asked for, before its letters were mixed.
    name: Name,
}

impl Deref for Put {
    type Target = Query;

    fn deref(&self) -> &Query {
        &self.query
    }
}

/// A query that was answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) message: Message,
    /// Octets of it.
    pub(super) bytes: usize,
    /// When it came, nanoseconds since the epoch.
    pub(super) at: u64,
    /// From the query to the reply, connections and handshakes apart.
    pub(super) query: Duration,
    /// The kernel took both times.
    pub(super) kernel: bool,
    /// The letters of the name came back as they were sent.
    pub(super) case_kept: bool,
    /// What became of the cookie; `None` where none was sent.
    pub(super) cookie: Option<Baked>,
    /// The connection that was made for it.
    pub(super) made: Option<Made>,
    /// How long the truncated reply over UDP took before.
    pub(super) truncated: Option<Duration>,
    /// What getaddrinfo said, which has other words.
    pub(super) said: Option<&'static str>,
}

/// A connection that was made for a query.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// From SYN to SYN-ACK; `None` over QUIC, whose handshake is one with that of TLS.
    pub(super) connect: Option<Duration>,
    /// The handshake of TLS or QUIC.
    pub(super) tls: Option<Duration>,
    pub(super) session: Option<Tls>,
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Nothing came in time.
    Silent,
    /// A router or the server's host said that it cannot be.
    Icmp(Unreachable),
    /// The way there broke: no connection, no session, an end in the middle.
    Broken(Failure),
    /// This host did not send.
    NotSent(Failure),
}

impl Strays {
    /// Adds those of another query.
    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.cookies += other.cookies;
    }
}

impl Unanswered {
    /// What is wrong, if something is; silence is not.
    pub(super) fn failure(&self, ipv6: bool) -> Option<Failure> {
        match self {
            Self::Silent => None,
            Self::Broken(failure) | Self::NotSent(failure) => Some(failure.clone()),
            Self::Icmp(Unreachable { kind, code, from }) => {
                let what = Meaning::of(Version::of(ipv6), *kind, *code).text();
                let from = from.map_or_else(String::new, |from| format!(" from {from}"));
                let nobody_there = matches!((ipv6, kind, code), (false, 3, 3) | (true, 1, 4));
                let class = if nobody_there { Class::Refused } else { Class::Unreachable };
                Some(class.because(format_args!("{what} (ICMP type {kind} code {code}{from})")))
            }
        }
    }
}

/// Replies that were not to our queries, and were waited past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Strays {
    /// All of them.
    pub(super) count: u64,
    /// Those with the right identifier and question, and another cookie than ours.
    pub(super) cookies: u64,
}

/// What came of one query.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) result: Result<Reply, Unanswered>,
    /// Replies that were not to it.
    pub(super) strays: Strays,
    /// The server wanted another cookie first, and was asked again.
    pub(super) cookie_refused: bool,
    /// The server did not take EDNS, and was asked again without.
    pub(super) edns_refused: bool,
}

/// One server, with the connection that is open to it.
pub(super) struct Client {
    pub(super) spec: Arc<Spec>,
    pub(super) peer: SocketAddr,
    pub(super) asking: Arc<Asking>,
    open: Option<Open>,
    no_edns: bool,
    jar: Arc<Jar>,
}

/// A connection that may be used again.
enum Open {
    Stream(stream::Stream),
    Doh(doh::Session),
    Doq(doq::Session),
}

/// What a transport found: the octets of the reply, and when.
struct Raw {
    message: Message,
    bytes: usize,
    at: u64,
    query: Duration,
    kernel: bool,
    case_kept: bool,
    cookie: Option<Baked>,
}

impl Raw {
    /// The reply in `bytes`, if it is one to `query`, which was sent at `sent`; else it is one of `strays`.
    fn of(bytes: &[u8], query: &Put, sent: Instant, strays: &mut Strays) -> Option<Self> {
        let read = Self::read(bytes, query, sent, strays);
        strays.count += u64::from(read.is_none());
        read
    }

    fn read(bytes: &[u8], query: &Put, sent: Instant, strays: &mut Strays) -> Option<Self> {
        let now = clock::now();
        let mut message = Message::parse(bytes)?;
        let case_kept = message.answers_to(query.id, &query.question)?;
        let cookie = query.edns.and_then(|edns| edns.cookie);
        let cookie = cookie.map(|cookie| Baked::of(&cookie, &message));
        if cookie == Some(Baked::Wrong) {
            strays.cookies += 1;
            return None;
        }
        // Names that point to the question have its letters: they are shown as they were asked for.
        let (mixed, plain) = (query.question.name.octets(), query.name.octets());
        if mixed != plain && bytes.get(HEADER..HEADER + mixed.len()) == Some(mixed) {
            let octets = [&bytes[..HEADER], plain, &bytes[HEADER + mixed.len()..]].concat();
            message = Message::parse(&octets)?;
        }
        let time = now.mono.saturating_duration_since(sent);
        let (bytes, at) = (bytes.len(), now.wall);
        Some(Self { message, bytes, at, query: time, kernel: false, case_kept, cookie })
    }

    fn reply(self, made: Option<Made>) -> Reply {
        let Self { message, bytes, at, query, kernel, case_kept, cookie } = self;
        Reply { message, bytes, at, query, kernel, case_kept, cookie, made, truncated: None, said: None }
    }
}

impl Client {
    pub(super) fn new(spec: Arc<Spec>, peer: SocketAddr, asking: Arc<Asking>) -> Self {
        Self { spec, peer, asking, open: None, no_edns: false, jar: Arc::default() }
    }

    /// Whether several queries can be on their way at once, each by a client of its own.
    pub(super) fn is_parallel(&self) -> bool {
        matches!(self.spec.transport, Transport::Udp | Transport::System)
    }

    /// Another client of the same server.
    pub(super) fn again(&self) -> Self {
        let mut other = Self::new(Arc::clone(&self.spec), self.peer, Arc::clone(&self.asking));
        (other.no_edns, other.jar) = (self.no_edns, Arc::clone(&self.jar));
        other
    }

    /// The same server asked otherwise.
    pub(super) fn asking(&self, change: impl FnOnce(&mut Asking)) -> Self {
        let mut asking = (*self.asking).clone();
        change(&mut asking);
        Self { asking: Arc::new(asking), ..self.again() }
    }

    /// The same server asked by another transport, at the same port.
    pub(super) fn over(&self, transport: Transport) -> Self {
        Self { spec: Arc::new(Spec { transport, ..(*self.spec).clone() }), ..self.again() }
    }

    /// Asks once, and once more where the server takes no EDNS or wants its own cookie first (RFC 7873 §5.3); waits until
    /// `timeout` is over, each time.
    pub(super) async fn ask(&mut self, question: &Question, timeout: Duration) -> Exchange {
        let mut exchange = self.exchange(question, timeout).await;
        let wants_cookie =
            |reply: &Reply| reply.message.code == BADCOOKIE && reply.cookie == Some(Baked::Right);
        if exchange.result.as_ref().is_ok_and(wants_cookie) {
            let before = exchange.strays;
            exchange = self.exchange(question, timeout).await;
            exchange.strays.add(before);
            exchange.cookie_refused = true;
        }
        let refuses = |reply: &Reply| {
            NO_EDNS.contains(&reply.message.code)
                && (reply.message.code == 16 || reply.message.edns.is_none())
        };
        if !self.no_edns && self.asking.bufsize.is_some() && exchange.result.as_ref().is_ok_and(refuses) {
            self.no_edns = true;
            let before = exchange.strays;
            exchange = self.exchange(question, timeout).await;
            exchange.strays.add(before);
        }
        exchange.edns_refused = self.no_edns;
        exchange
    }

    async fn exchange(&mut self, question: &Question, timeout: Duration) -> Exchange {
        let mut strays = Strays::default();
        let result = match self.put(question) {
            Ok(query) => self.carry(&query, timeout, &mut strays).await,
            Err(failure) => Err(Unanswered::NotSent(failure)),
        };
        if let Ok(reply) = &result {
            self.jar.keep(&reply.message);
        }
        Exchange { result, strays, cookie_refused: false, edns_refused: false }
    }

    fn put(&self, question: &Question) -> Result<Put, Failure> {
        let transport = self.spec.transport;
        // Where nobody in between can answer, there is nothing that a cookie would prove.
        let has_cookie = self.asking.cookies && matches!(transport, Transport::Udp | Transport::Tcp);
        let cookie = if has_cookie { Some(self.jar.cookie()?) } else { None };
        self.asking.put(question, transport, !self.no_edns, cookie)
    }

    async fn carry(
        &mut self,
        query: &Put,
        timeout: Duration,
        strays: &mut Strays,
    ) -> Result<Reply, Unanswered> {
        let deadline = clock::now().mono + timeout;
        if self.asking.fresh {
            self.open = None;
        }
        match self.spec.transport {
            Transport::System => system::ask(&query.question, deadline).await,
            Transport::Udp => {
                let reply = udp::ask(self.peer, &self.asking, query, deadline, strays).await?;
                if !reply.message.tc || self.asking.ignore_truncation {
                    return Ok(reply);
                }
                let udp = reply.query;
                let deadline = clock::now().mono + timeout;
                let mut reply = Box::pin(self.connected(query, deadline, strays)).await?;
                self.open = None;
                reply.truncated = Some(udp);
                Ok(reply)
            }
            // What takes much room is kept apart: most queries are one datagram.
            _ => Box::pin(self.connected(query, deadline, strays)).await,
        }
    }

    /// Asks over a connection, that which is open or a new one.
    async fn connected(
        &mut self,
        query: &Put,
        deadline: Instant,
        strays: &mut Strays,
    ) -> Result<Reply, Unanswered> {
        let (mut held, mut made) = (self.open.take(), None);
        loop {
            let was_held = held.is_some();
            let mut open = match held.take() {
                Some(open) => open,
                None => {
                    let (open, how) = Open::to(self, deadline).await?;
                    made = Some(how);
                    open
                }
            };
            match open.ask(self.asking.get, query, deadline, strays).await {
                Ok(raw) => {
                    self.open = Some(open);
                    return Ok(raw.reply(made));
                }
                // What the server has closed meanwhile is no loss: a new connection is made, once.
                Err(Unanswered::Broken(_)) if was_held => {}
                Err(why) => return Err(why),
            }
        }
    }
}

impl Open {
    async fn to(client: &Client, deadline: Instant) -> Result<(Self, Made), Unanswered> {
        Ok(match client.spec.transport {
            Transport::Doh => {
                let (session, made) = doh::Session::open(client, deadline).await?;
                (Self::Doh(session), made)
            }
            Transport::Doq => {
                let (session, made) = doq::Session::open(client, deadline).await?;
                (Self::Doq(session), made)
            }
            _ => {
                let (stream, made) = stream::Stream::open(client, deadline).await?;
                (Self::Stream(stream), made)
            }
        })
    }

    async fn ask(
        &mut self,
        get: bool,
        query: &Put,
        deadline: Instant,
        strays: &mut Strays,
    ) -> Result<Raw, Unanswered> {
        match self {
            Self::Stream(stream) => stream.ask(query, deadline, strays).await,
            Self::Doh(session) => session.ask(get, query, deadline, strays).await,
            Self::Doq(session) => session.ask(query, deadline, strays).await,
        }
    }
}

/// `work` until `deadline`; silence is what is then known.
async fn until<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, Unanswered>>,
) -> Result<T, Unanswered> {
    tokio::time::timeout_at(deadline.into(), work).await.unwrap_or(Err(Unanswered::Silent))
}
