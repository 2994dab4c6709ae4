//! Makes connections: to the place, over TCP or QUIC or whichever of both stands first.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use tokio::sync::OnceCell;
use tokio::time::{timeout, timeout_at};

use super::alternatives::Alternatives;
use super::handshake::Clients;
use super::link::{Carrier, Link, Made, spoken};
use super::overrides::{ConnectTo, Resolve};
use super::quic::{QUIC, TCP, given_up};
use super::report::Attempt;
use super::request::Ask;
use super::tasks::Owned;
use super::watch::{Watch, Watched};
use super::{HttpTrace, Version};
use crate::failure::{Class, Failure};
use crate::net::dial::{self, Attempted, Connection, race};
use crate::probe::Ctx;
use crate::probe::targets::{Admission, Audience};
use crate::sys::clock;
use crate::sys::connect::Way;

/// Makes connections for one run.
pub(super) struct Linker<'a> {
    pub(super) asked: &'a HttpTrace,
    pub(super) ctx: &'a Ctx,
    pub(super) resolves: Vec<Resolve>,
    pub(super) connects: Vec<ConnectTo>,
    way: Way,
    pub(super) admission: Admission<'a>,
    clients: OnceCell<Clients>,
    /// Where servers have said that HTTP/3 is to be had.
    pub(super) alternatives: Alternatives,
}

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
    const ALL: [Self; 5] = [Self::LookUp, Self::Connect, Self::Tls, Self::Request, Self::Transfer];

    const fn words(self) -> &'static str {
        match self {
            Self::LookUp => "its name was not resolved in time",
            Self::Connect => "it was not connected to in time",
            Self::Tls => "the tls handshake was not done in time",
            Self::Request => "there was no answer in time",
            Self::Transfer => "the answer was not whole in time",
        }
    }
}

/// The last stage that was reached.
#[derive(Debug, Default)]
pub(super) struct Reached(AtomicU8);

impl Reached {
    pub(super) fn reach(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    /// Where it stuck, for a person.
    pub(super) fn words(&self) -> &'static str {
        let at = usize::from(self.0.load(Ordering::Relaxed));
        Stage::ALL.get(at).copied().unwrap_or(Stage::Transfer).words()
    }
}

/// When a connection is begun and must stand, and who hears how far it is.
#[derive(Clone, Copy)]
pub(super) struct Attempting<'a> {
    pub(super) start: Instant,
    pub(super) deadline: Instant,
    pub(super) reached: &'a Reached,
}

impl<'a> Linker<'a> {
    /// Makes connections as `asked`.
    ///
    /// # Errors
    /// Class `usage` for what cannot be.
    pub(super) fn new(asked: &'a HttpTrace, ctx: &'a Ctx) -> Result<Self, Failure> {
        let wrong = |why| Class::Usage.because(why);
        asked.egress.check_here()?;
        Ok(Self {
            asked,
            ctx,
            resolves: asked.resolves().map_err(wrong)?,
            connects: asked.connects().map_err(wrong)?,
            way: asked.egress.way(),
            admission: Admission::to(ctx, &asked.egress, Audience::One),
            clients: OnceCell::new(),
            alternatives: Alternatives::default(),
        })
    }

    /// How packets leave this host.
    pub(super) const fn way(&self) -> &Way {
        &self.way
    }

    /// Reads what `ask` needs of this host (whom it asks for names, whom it believes) before any clock runs, so that no phase
    /// contains it.
    ///
    /// # Errors
    /// Class `timeout` where a file is read for too long; class `internal`.
    pub(super) async fn prepare(&self, ask: &Ask) -> Result<(), Failure> {
        let reading = async {
            if ask.url.scheme() == "https" {
                tokio::join!(self.ctx.resolver.prepare(), self.clients()).1?;
            } else {
                self.ctx.resolver.prepare().await;
            }
            Ok::<_, Failure>(())
        };
        let late = |_| Class::Timeout.because("read certificate authorities: not done in time");
        timeout(self.asked.connect_timeout.0, reading).await.map_err(late)?
    }

    /// What this run needs for TLS: read once.
    ///
    /// # Errors
    /// Class `internal`.
    pub(super) async fn clients(&self) -> Result<&Clients, Failure> {
        let make = || async {
            let asked = self.asked.clone();
            let made = tokio::task::spawn_blocking(move || Clients::new(&asked)).await;
            made.unwrap_or_else(|_| Err(Class::Internal.because("reading authorities panicked")))
        };
        self.clients.get_or_try_init(make).await
    }

    /// A connection for `ask`, which began at `start`; `reached` hears how far it has come.
    ///
    /// # Errors
    /// Those of the way there; class `tls` for a handshake that fails and a certificate that is not believed.
    pub(super) async fn link(&self, ask: &Ask, start: Instant, reached: &Reached) -> Result<Link, Failure> {
        let deadline = start + self.asked.connect_timeout.0;
        let made = self.made(ask, Attempting { start, deadline, reached });
        timeout_at(deadline.into(), made).await.unwrap_or_else(|_| {
            Err(Class::Timeout.because(format_args!("{ask}: {} (--connect-timeout)", reached.words())))
        })
    }

    async fn made(&self, ask: &Ask, at: Attempting<'_>) -> Result<Link, Failure> {
        at.reached.reach(Stage::LookUp);
        let wants_http3 = ask.url.scheme() == "https" && self.asked.version.wants_http3();
        let mut place = self.place(ask, wants_http3).await?;
        let http3 = match wants_http3 {
            true => Some(self.where_http3(ask, &place).await?),
            false => None,
        };
        // Another host's look-up is one, too.
        let time = http3.as_ref().and_then(|http3| http3.dns_time);
        place.dns_time = place.dns_time.map(|own| own + time.unwrap_or_default()).or(time);
        at.reached.reach(Stage::Connect);
        let addresses = dial::interleaved(&place.addresses);
        let over_quic = http3.as_ref().map(|http3| dial::interleaved(&http3.addresses));
        let mut link = match over_quic.filter(|addresses| !addresses.is_empty()) {
            Some(there) if self.asked.version == Version::Http3Only => self.quic(ask, &there, at).await?,
            Some(there) => self.either(ask, &addresses, &there, at).await?,
            None => self.tcp(ask, &addresses, at).await?,
        };
        (link.made.dns, link.made.dns_time) = (place.dns, place.dns_time);
        link.made.http3 = http3.map(|http3| http3.told);
        Ok(link)
    }

    /// Over QUIC to one of `there` or over TCP to one of `addresses`, whichever stands first.
    async fn either(
        &self,
        ask: &Ask,
        addresses: &[SocketAddr],
        there: &[SocketAddr],
        at: Attempting<'_>,
    ) -> Result<Link, Failure> {
        let began = clock::now().mono.saturating_duration_since(at.start);
        let mut quic = pin!(self.quic(ask, there, at));
        let mut tcp = pin!(self.tcp(ask, addresses, at));
        // TCP's SYN is sent in no time, QUIC's first packet needs keys.
        let (first, other) = tokio::select! {
            biased;
            first = &mut tcp => (first, QUIC),
            first = &mut quic => (first, TCP),
        };
        let of = |proto| if proto == QUIC { there.first() } else { addresses.first() };
        let failure = match first {
            Ok(mut link) => {
                link.made.attempts.extend(of(other).map(|to| given_up(*to, other, began)));
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
        link.made.attempts.extend(of(proto).map(failed));
        Ok(link)
    }

    /// Over TCP.
    async fn tcp(&self, ask: &Ask, addresses: &[SocketAddr], at: Attempting<'_>) -> Result<Link, Failure> {
        let raced = race(addresses, &self.way, at.deadline).await;
        let (connection, tried) = raced.map_err(|attempts| {
            let nobody = || Class::Resolve.because(format_args!("{ask}: no address to connect to"));
            dial::failure(&attempts).unwrap_or_else(nobody)
        })?;
        let Connection { stream, peer, began, stood, rtt, .. } = connection;
        // The server's answers are not cut short by a reset when all is said.
        let _ = socket2::SockRef::from(&stream).set_linger(None);
        // The kernel knows better when the answer to its SYN came than who is woken by it.
        let took = rtt.unwrap_or_else(|| stood.saturating_duration_since(began));
        let mut made = Made::new(peer, stream.local_addr().ok(), took, stood);
        made.attempts = tried.iter().map(|one| attempt(one, at.start, peer)).collect();
        let socket = stream.as_fd().try_clone_to_owned().ok();
        let wire = Watch::new(false);
        let stream = Watched::new(stream, Arc::clone(&wire));
        let tasks = Owned::default();
        let (sender, driver, watch) = if ask.url.scheme() == "https" {
            at.reached.reach(Stage::Tls);
            let (stream, http2) = self.shake(ask, stream, &mut made).await?;
            spoken(ask, stream, http2, &tasks.0).await?
        } else {
            spoken(ask, stream, self.asked.version.is_http2_in_clear(), &tasks.0).await?
        };
        let origin = ask.url.origin();
        Ok(Link { sender, origin, watch, wire, made, carrier: Carrier::Tcp(socket), driver, _tasks: tasks })
    }
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
