//! The UDP reflector: WP1 sessions on :2000, STAMP on :862, an older tool's plain echo where it is allowed.
//!
//! [`Reflector::answer`] is pure: a request and a time give an answer or a reason for silence. One rule holds for all
//! formats and is checked in one place: no answer is longer than its request.

#[cfg(test)]
mod abuse;
mod census;
mod fuzz;
mod limit;
mod stamp;
#[cfg(test)]
mod tlvs;
mod worker;
mod wp1;

pub(super) use census::Census;
pub use fuzz::fuzz_answer;
pub use limit::Limits;
pub(super) use limit::{SLOTS, network, slot};
pub use worker::{Listener, Workers};

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Now, Span};
use crate::wire::stamp::ErrorEstimate;
use crate::wire::wp1::MAGIC;

/// An echo is at most this long, as the older reflectors' buffers were.
const LONGEST_ECHO: usize = 1024;

/// Limits of the UDP ping reflector: section `[serve.udpping]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UdpPingSettings {
    /// File with the key that clients must share; without it anybody may ping, slowly.
    pub key_file: Option<PathBuf>,
    /// Packets per second for each source without a key (IPv4 /32, IPv6 /64).
    pub rate_per_source: u32,
    /// Packets per second for all sources without a key together.
    pub rate_total: u32,
    /// Packets per second for each session with the key.
    pub rate_per_key: u32,
    /// Sessions open at the same time.
    pub sessions: u32,
    /// Sessions of each source without a key (IPv4 /32, IPv6 /64); its neighbourhood (/24, /48) may have 16 times it.
    pub sessions_per_source: u32,
    /// A session without a packet for this long is closed.
    pub idle: Span,
    /// Also echo what is not a session, verbatim, to private sources only.
    pub legacy: bool,
    /// Threads, each with its own sockets; 0 is one for every two processors, 4 at most.
    pub threads: u16,
}

impl Default for UdpPingSettings {
    fn default() -> Self {
        Self {
            key_file: None,
            rate_per_source: 100,
            rate_total: 5_000,
            rate_per_key: 20_000,
            sessions: 200_000,
            sessions_per_source: 1_000,
            idle: Span::secs(60),
            legacy: false,
            threads: 0,
        }
    }
}

/// What listens on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// WP1 and, where allowed, the plain echo.
    UdpPing,
    /// STAMP.
    Stamp,
}

/// A datagram that came in.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Which service it came to.
    pub service: Service,
    /// Its payload.
    pub bytes: &'a [u8],
    /// Who sent it.
    pub from: SocketAddr,
    /// When the kernel received it, ns since the epoch.
    pub stamp: Option<u64>,
    /// TTL or hop limit on arrival.
    pub ttl: Option<u8>,
    /// Type of service on arrival.
    pub tos: Option<u8>,
}

/// Why a datagram got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// Nothing that this service speaks.
    Malformed,
    /// A reply: answering it could make a loop.
    Reply,
    /// From a port that no client uses.
    Port,
    /// From or to an address that is not one host's.
    Address,
    /// Its proof is wrong: cookie, key, replay from elsewhere.
    Tag,
    /// No such session at this address.
    Session,
    /// Over a rate limit.
    Rate,
    /// The table of sessions is full.
    Full,
    /// The answer would have been longer than the request.
    Longer,
}

/// What a reflector has done so far; shared by its threads.
#[derive(Debug, Default)]
pub struct Counters {
    answered: AtomicU64,
    dropped: [AtomicU64; 9],
    sessions: AtomicU64,
    active: AtomicU64,
    refusing: AtomicU64,
}

impl Counters {
    /// Datagrams answered.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Datagrams not answered, for this reason.
    pub fn dropped(&self, why: Drop) -> u64 {
        self.dropped[why as usize].load(Ordering::Relaxed)
    }

    /// Sessions open at the last look of each thread.
    pub fn sessions(&self) -> u64 {
        self.sessions.load(Ordering::Relaxed)
    }

    fn count(&self, outcome: Result<(), Drop>) {
        match outcome {
            Ok(()) => self.answered.fetch_add(1, Ordering::Relaxed),
            Err(why) => self.dropped[why as usize].fetch_add(1, Ordering::Relaxed),
        };
    }
}

/// The reflector of one thread.
pub struct Reflector {
    wp1: wp1::Server,
    stamp: stamp::Reflector,
    limits: Arc<Limits>,
    legacy: bool,
    ports: Vec<u16>,
}

impl Reflector {
    /// A reflector that never answers to one of its own `ports`. `psk` is the clients' key.
    pub fn new(settings: &UdpPingSettings, psk: Option<&[u8]>, ports: Vec<u16>, now: Now) -> Self {
        Self::sharing(&Arc::new(Limits::new(settings, now.mono)), settings, psk, ports, now)
    }

    /// One that shares its `limits` with others.
    pub fn sharing(
        limits: &Arc<Limits>,
        settings: &UdpPingSettings,
        psk: Option<&[u8]>,
        ports: Vec<u16>,
        now: Now,
    ) -> Self {
        Self {
            wp1: wp1::Server::new(settings, psk.map(<[u8]>::to_vec), Arc::clone(limits), now),
            stamp: stamp::Reflector::new(settings, psk, Arc::clone(limits)),
            limits: Arc::clone(limits),
            legacy: settings.legacy,
            ports,
        }
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.wp1.sessions() + self.stamp.sessions()
    }

    /// How many sessions are in use at this moment.
    pub fn active(&self, now: Now) -> usize {
        self.wp1.active(now)
    }

    /// Whether it opens no session any more.
    pub fn is_refusing(&self) -> bool {
        self.wp1.is_refusing()
    }

    /// Opens no session from here on; open ones go on.
    pub fn refuse_new(&mut self) {
        self.wp1.refuse_new();
    }

    /// Work that is due now and then (each second is enough).
    pub fn tick(&mut self, now: Now, clock: ErrorEstimate) {
        self.wp1.tick(now, clock);
        self.stamp.tick(now, clock);
    }

    /// Writes the answer to `request` into `out`; returns the type of service that it should carry, if it matters.
    ///
    /// `clock` is read at the start, and again when the time of sending is written.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn answer(
        &mut self,
        clock: &dyn Fn() -> Now,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<u8>, Drop> {
        out.clear();
        let now = clock();
        let request = &Request { from: canonical(request.from), ..*request };
        let port = request.from.port();
        if port < 1024 || self.ports.contains(&port) {
            return Err(Drop::Port);
        }
        if !is_host(request.from.ip()) {
            return Err(Drop::Address);
        }
        let mirrored = request.tos.map(unmarked);
        let tos = match request.service {
            Service::Stamp => self.stamp.answer(now, clock, request, out)?.or(mirrored),
            Service::UdpPing if is_wp1(request.bytes) => {
                self.wp1.answer(now, clock, request, out).map(|()| mirrored)?
            }
            Service::UdpPing => self.echo(now, request, out).map(|()| mirrored)?,
        };
        bounded(request.bytes, out).map(|()| tos)
    }

    fn echo(&mut self, now: Now, request: &Request<'_>, out: &mut Vec<u8>) -> Result<(), Drop> {
        let fits = !request.bytes.is_empty() && request.bytes.len() <= LONGEST_ECHO;
        if !self.legacy || !fits || !is_private(request.from.ip()) {
            return Err(Drop::Malformed);
        }
        let at = self.limits.at(now.mono);
        if !self.limits.packet(request.from.ip(), at) || !self.limits.repeat(request.from, request.bytes, at)
        {
            return Err(Drop::Rate);
        }
        out.extend(request.bytes);
        Ok(())
    }
}

/// The one rule: nobody can use this host to send a third party more than he spends.
fn bounded(request: &[u8], answer: &[u8]) -> Result<(), Drop> {
    if answer.len() > request.len() { Err(Drop::Longer) } else { Ok(()) }
}

/// WP1 of any version; a text may begin with `WP` too, but goes on with a character.
fn is_wp1(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC.to_be_bytes()) && bytes.get(2).is_none_or(|&version| version < b' ')
}

/// An IPv4 source as such, also on a socket that serves both families.
fn canonical(from: SocketAddr) -> SocketAddr {
    match from.ip().to_canonical() {
        IpAddr::V4(v4) => SocketAddr::new(v4.into(), from.port()),
        IpAddr::V6(_) => from,
    }
}

/// Whether an address can be one host's: an answer to another would reach many, or nobody.
fn is_host(address: IpAddr) -> bool {
    match address {
        // 0/8 is this network, 224/4 multicast, 240/4 reserved with the broadcast address at its end.
        IpAddr::V4(v4) => v4.octets()[0] != 0 && v4.octets()[0] < 224,
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
    }
}

/// Loopback, RFC 1918, unique local and link-local addresses.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The type of service of an answer: the request's, but congestion on the way here is none on the way back.
const fn unmarked(tos: u8) -> u8 {
    const CE: u8 = 0b11;
    const ECT0: u8 = 0b10;
    if tos & CE == CE { tos & !CE | ECT0 } else { tos }
}
