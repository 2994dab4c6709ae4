//! The server's side of WP1 sessions. No state before a cookie has come back; see [`crate::wire::wp1`].

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;

use super::limit::{Bucket, Limits, Rate};
use super::{Drop, Request, UdpPingSettings};
use crate::units::{Now, nanos};
use crate::wire::stamp::ErrorEstimate;
use crate::wire::wp1::{Body, Cookie, Direction, Echoed, FLAG_TOS, Kind, Packet, Params, Seal, Totals};

/// A cookie is good for the minute of its making and the next.
const ROTATION: Duration = Duration::from_secs(60);
/// A session without a packet for this long holds no stopping server up.
const ACTIVE: u64 = 2_000_000_000;
/// A closed session stays this long, so that a repeated close gets the same answer.
const LINGER: u64 = 5_000_000_000;
/// Packets in the window of arrivals.
const WINDOW: u32 = 64;

/// All sessions of one thread.
pub(super) struct Server {
    psk: Option<Vec<u8>>,
    settings: UdpPingSettings,
    limits: Arc<Limits>,
    idle: u64,
    rate_per_key: Rate,
    boot: u32,
    secrets: Secrets,
    sessions: HashMap<u64, Session>,
    /// When to look whether a session is still in use, soonest first.
    checks: BinaryHeap<Reverse<(u64, u64)>>,
    clock: ErrorEstimate,
    refusing: bool,
}

/// The keys of cookies and session numbers.
struct Secrets {
    session: hmac::Key,
    current: hmac::Key,
    last: hmac::Key,
    rotated: Instant,
}

struct Session {
    peer: SocketAddr,
    seals: (Seal, Seal),
    /// When its last packet came, and when to look whether there were more; nanoseconds since the start.
    last: u64,
    check: u64,
    closed: bool,
    bucket: Bucket,
    arrivals: Arrivals,
}

/// Which numbers have arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Arrivals {
    highest: Option<u32>,
    window: u64,
    totals: Totals,
}

impl Arrivals {
    /// Counts `seq`; returns the window as seen from it.
    fn count(&mut self, seq: u32) -> u64 {
        let Some(highest) = self.highest else {
            (self.highest, self.window, self.totals.received) = (Some(seq), 1, 1);
            return 1;
        };
        let ahead = seq.wrapping_sub(highest);
        if ahead != 0 && ahead < 1 << 31 {
            self.window = if ahead < WINDOW { self.window << ahead | 1 } else { 1 };
            self.highest = Some(seq);
            self.totals.received = self.totals.received.wrapping_add(1);
            return self.window;
        }
        let behind = highest.wrapping_sub(seq);
        if behind >= WINDOW {
            self.totals.outside = self.totals.outside.wrapping_add(1);
            return 1;
        }
        if self.window >> behind & 1 == 1 {
            self.totals.duplicates = self.totals.duplicates.wrapping_add(1);
        } else {
            self.window |= 1 << behind;
            self.totals.received = self.totals.received.wrapping_add(1);
            self.totals.reordered = self.totals.reordered.wrapping_add(1);
        }
        self.window >> behind
    }
}

fn fresh_key() -> hmac::Key {
    // Without randomness there is no cookie worth its name, and the process must not serve.
    let octets = crate::sys::random::octets().expect("the system gives random numbers");
    hmac::Key::new(hmac::HMAC_SHA256, &octets)
}

impl Secrets {
    fn new(now: Instant) -> Self {
        Self { session: fresh_key(), current: fresh_key(), last: fresh_key(), rotated: now }
    }

    fn rotate(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.rotated);
        if age < ROTATION {
            return;
        }
        let current = std::mem::replace(&mut self.current, fresh_key());
        self.last = if age < 2 * ROTATION { current } else { fresh_key() };
        self.rotated = now;
    }

    fn is_ours(&self, cookie: &Cookie, peer: SocketAddr, granted: &Params) -> bool {
        let made = [&self.current, &self.last].map(|key| make(key, peer, &granted.octets()));
        made.iter().any(|made| aws_lc_rs::constant_time::verify_slices_are_equal(made, cookie).is_ok())
    }

    /// The session's number follows from its cookie, so that a repeated `open` finds the same session.
    fn number(&self, cookie: &Cookie, peer: SocketAddr) -> u64 {
        let made = make(&self.session, peer, cookie);
        u64::from_be_bytes([made[0], made[1], made[2], made[3], made[4], made[5], made[6], made[7]])
    }
}

fn make(key: &hmac::Key, peer: SocketAddr, what: &[u8]) -> Cookie {
    let mut context = hmac::Context::with_key(key);
    match peer.ip() {
        IpAddr::V4(v4) => context.update(&v4.octets()),
        IpAddr::V6(v6) => context.update(&v6.octets()),
    }
    context.update(&peer.port().to_be_bytes());
    context.update(what);
    let tag = context.sign();
    let mut cookie = [0; 16];
    cookie.copy_from_slice(&tag.as_ref()[..16]);
    cookie
}

impl Server {
    pub(super) fn new(
        settings: &UdpPingSettings,
        psk: Option<Vec<u8>>,
        limits: Arc<Limits>,
        now: Now,
    ) -> Self {
        let boot = make(&fresh_key(), SocketAddr::new([0, 0, 0, 0].into(), 0), b"boot");
        Self {
            psk,
            settings: settings.clone(),
            limits,
            idle: nanos(settings.idle.0),
            rate_per_key: Rate::per_second(settings.rate_per_key),
            boot: u32::from_be_bytes([boot[0], boot[1], boot[2], boot[3]]),
            secrets: Secrets::new(now.mono),
            sessions: HashMap::new(),
            checks: BinaryHeap::new(),
            clock: ErrorEstimate::default(),
            refusing: false,
        }
    }

    /// How many sessions are open.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many sessions had a packet just now and have not been closed.
    pub(super) fn active(&self, now: Now) -> usize {
        let at = self.limits.at(now.mono);
        let is_active = |session: &&Session| !session.closed && session.last.saturating_add(ACTIVE) > at;
        self.sessions.values().filter(is_active).count()
    }

    /// Whether no session opens any more.
    pub(super) const fn is_refusing(&self) -> bool {
        self.refusing
    }

    /// Answers no hello and no open from here on: the server is about to end.
    pub(super) fn refuse_new(&mut self) {
        self.refusing = true;
    }

    /// Work that is due now and then: secrets, idle sessions, the clock's quality.
    pub(super) fn tick(&mut self, now: Now, clock: ErrorEstimate) {
        self.clock = clock;
        self.secrets.rotate(now.mono);
        let at = self.limits.at(now.mono);
        while let Some(Reverse((due, id))) =
            self.checks.peek().copied().filter(|Reverse((due, _))| *due <= at)
        {
            self.checks.pop();
            // Closing a session sets its check anew; the one that was set before is void.
            let Some(session) = self.sessions.get_mut(&id).filter(|session| session.check == due) else {
                continue;
            };
            let until = session.last.saturating_add(if session.closed { LINGER } else { self.idle });
            if until > at {
                session.check = until;
                self.checks.push(Reverse((until, id)));
            } else if let Some(session) = self.sessions.remove(&id) {
                self.limits.sessions.leave(self.owner(session.peer));
            }
        }
    }

    /// Answers one packet into `out`.
    pub(super) fn answer(
        &mut self,
        now: Now,
        clock: &dyn Fn() -> Now,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Drop> {
        let packet = Packet::parse(request.bytes).ok_or(Drop::Malformed)?;
        match packet.kind {
            Kind::Hello | Kind::Open if self.refusing => Err(Drop::Full),
            Kind::Hello => self.hello(now, &packet, request.from, out),
            Kind::Open => self.open(now, &packet, request.from, out),
            Kind::Echo => self.echo(now, clock, &packet, request, out),
            Kind::Close => self.close(now, &packet, request.from, out),
            Kind::Cookie | Kind::Opened | Kind::Echoed | Kind::Closed => Err(Drop::Reply),
        }
    }

    fn hello(
        &mut self,
        now: Now,
        packet: &Packet<'_>,
        from: SocketAddr,
        out: &mut Vec<u8>,
    ) -> Result<(), Drop> {
        let at = self.limits.at(now.mono);
        if !self.limits.handshake(from.ip(), at) || !self.may_derive(at) {
            return Err(Drop::Rate);
        }
        let seal = |way| Seal::new(self.psk.as_deref(), &[0; 16], packet.session, way);
        if !packet.is_sealed_with(&seal(Direction::Up)) {
            return Err(Drop::Tag);
        }
        if !self.limits.hello(at) {
            return Err(Drop::Rate);
        }
        let granted = self.grant(packet.params());
        let cookie = make(&self.secrets.current, from, &granted.octets());
        Body::Cookie(cookie, granted).write(packet.session, 0, &seal(Direction::Down), out);
        Ok(())
    }

    /// What may be had of what is asked for.
    fn grant(&self, asked: Params) -> Params {
        let rate =
            if self.psk.is_some() { self.settings.rate_per_key } else { self.settings.rate_per_source };
        let least = 1_000_000 / rate.max(1);
        Params { interval_us: asked.interval_us.max(least), flags: 0, ..asked }
    }

    fn open(
        &mut self,
        now: Now,
        packet: &Packet<'_>,
        from: SocketAddr,
        out: &mut Vec<u8>,
    ) -> Result<(), Drop> {
        let (cookie, granted) = (packet.cookie(), packet.params());
        if !self.secrets.is_ours(&cookie, from, &granted) {
            return Err(Drop::Tag);
        }
        let at = self.limits.at(now.mono);
        if !self.may_derive(at) {
            return Err(Drop::Rate);
        }
        let seal = |session, way| Seal::new(self.psk.as_deref(), &cookie, session, way);
        if !packet.is_sealed_with(&seal(0, Direction::Up)) {
            return Err(Drop::Tag);
        }
        if !self.limits.open(from.ip(), at) {
            return Err(Drop::Rate);
        }
        let id = self.secrets.number(&cookie, from);
        if !self.sessions.contains_key(&id) {
            self.limits.sessions.enter(self.owner(from)).map_err(|_| Drop::Full)?;
            let check = at.saturating_add(self.idle);
            let session = Session {
                peer: from,
                seals: (seal(id, Direction::Up), seal(id, Direction::Down)),
                last: at,
                check,
                closed: false,
                bucket: Bucket::default(),
                arrivals: Arrivals::default(),
            };
            self.sessions.insert(id, session);
            self.checks.push(Reverse((check, id)));
        }
        Body::Opened(granted, self.boot).write(id, 0, &seal(id, Direction::Down), out);
        Ok(())
    }

    fn echo(
        &mut self,
        now: Now,
        clock: &dyn Fn() -> Now,
        packet: &Packet<'_>,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Drop> {
        let error = self.clock.0;
        let session = self.session(now, packet, request.from)?;
        let window = session.arrivals.count(packet.seq);
        let totals = &session.arrivals.totals;
        let echoed = Echoed {
            t1: packet.t1(),
            t2: request.stamp.unwrap_or(now.wall),
            // As late as can be.
            t3: clock().wall,
            received: totals.received,
            error,
            ttl: request.ttl.unwrap_or(0),
            tos: request.tos.unwrap_or(0),
            window,
            duplicates: totals.duplicates,
            flags: if request.tos.is_some() { FLAG_TOS } else { 0 },
        };
        Body::Echoed(echoed, request.bytes.len()).write(packet.session, packet.seq, &session.seals.1, out);
        Ok(())
    }

    fn close(
        &mut self,
        now: Now,
        packet: &Packet<'_>,
        from: SocketAddr,
        out: &mut Vec<u8>,
    ) -> Result<(), Drop> {
        let session = self.session(now, packet, from)?;
        let closes = !std::mem::replace(&mut session.closed, true);
        let until = session.last.saturating_add(LINGER);
        if closes {
            session.check = until;
        }
        Body::Closed(session.arrivals.totals).write(packet.session, 0, &session.seals.1, out);
        if closes {
            self.checks.push(Reverse((until, packet.session)));
        }
        Ok(())
    }

    /// Whether the keys of one more handshake may be derived. The source may be spoofed: nothing is known of it yet.
    fn may_derive(&self, at: u64) -> bool {
        self.psk.is_none() || self.limits.proof(at)
    }

    /// Whose share of the table a session takes: who has the key is bounded by the table alone.
    fn owner(&self, peer: SocketAddr) -> Option<IpAddr> {
        self.psk.is_none().then_some(peer.ip())
    }

    /// The session of an authentic packet that is within the limits.
    fn session(&mut self, now: Now, packet: &Packet<'_>, from: SocketAddr) -> Result<&mut Session, Drop> {
        let session = self.sessions.get_mut(&packet.session).filter(|session| session.peer == from);
        let session = session.ok_or(Drop::Session)?;
        if !packet.is_sealed_with(&session.seals.0) {
            return Err(Drop::Tag);
        }
        let at = self.limits.at(now.mono);
        let within = match self.psk {
            Some(_) => session.bucket.take(self.rate_per_key, at),
            None => self.limits.packet(from.ip(), at),
        };
        if !within {
            return Err(Drop::Rate);
        }
        session.last = at;
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(seqs: &[u32]) -> Totals {
        let mut arrivals = Arrivals::default();
        seqs.iter().for_each(|&seq| {
            arrivals.count(seq);
        });
        arrivals.totals
    }

    #[test]
    fn arrivals_are_told_apart() {
        let totals =
            |received, duplicates, reordered, outside| Totals { received, duplicates, reordered, outside };
        for (seqs, expected) in [
            (&[0, 1, 2][..], totals(3, 0, 0, 0)),
            (&[0, 0, 1], totals(2, 1, 0, 0)),
            (&[0, 2, 1, 1], totals(3, 1, 1, 0)),
            (&[100, 36, 37], totals(2, 0, 1, 1)),
            (&[u32::MAX, 0, 1], totals(3, 0, 0, 0)),
            (&[0, 1000, 999], totals(3, 0, 1, 0)),
        ] {
            assert_eq!(counted(seqs), expected, "{seqs:?}");
        }
    }

    #[test]
    fn a_cookie_is_good_for_one_address_one_grant_and_two_minutes() {
        let now = crate::sys::clock::now().mono;
        let mut secrets = Secrets::new(now);
        let peer: SocketAddr = "192.0.2.1:5000".parse().expect("an address");
        let other: SocketAddr = "192.0.2.1:5001".parse().expect("an address");
        let granted = Params { interval_us: 10_000, ..Params::default() };
        let cookie = make(&secrets.current, peer, &granted.octets());
        assert!(secrets.is_ours(&cookie, peer, &granted));
        assert!(!secrets.is_ours(&cookie, other, &granted));
        assert!(!secrets.is_ours(&cookie, peer, &Params::default()));
        secrets.rotate(now + ROTATION);
        assert!(secrets.is_ours(&cookie, peer, &granted));
        secrets.rotate(now + 2 * ROTATION);
        assert!(!secrets.is_ours(&cookie, peer, &granted));
    }
}
