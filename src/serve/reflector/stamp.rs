//! The STAMP session-reflector (RFC 8762 §4.3, RFC 8972): stateful, symmetrical, both modes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::census::Full;
use super::limit::{Bucket, Limits, Rate};
use super::{Drop, Request, UdpPingSettings};
use crate::units::Now;
use crate::wire::stamp::{
    self, ErrorEstimate, KEYED, Layout, OPEN, Packet, Received, Sender, TWAMP, Tlv, tlv,
};

/// How long a silent session's counters are kept (REFWAIT, RFC 5357 §3.1).
const IDLE: u64 = 900_000_000_000;
/// A session that has just begun is worth keeping this long, one that has gone on for longer as long as it has: whoever
/// wants places in a full table for spoofed sources must keep on sending for each of them.
const YOUNG: u64 = 10_000_000_000;
/// A packet numbered 0 begins a session anew only after this long: before, it is a late or repeated one.
const ANEW: u64 = 2_000_000_000;
/// A packet whose time of reception is this near to its own time comes from a reflector (NTP or PTP format).
const SECOND: u64 = 1 << 32;

/// Octets of the values of an HMAC, a class-of-service and a direct-measurement TLV.
const MAC: usize = 16;
const CLASS: usize = 4;
const DIRECT: usize = 12;

type Id = (SocketAddr, u16);

/// All STAMP sessions of one thread.
pub(super) struct Reflector {
    layout: Layout,
    key: Option<hmac::Key>,
    clock: ErrorEstimate,
    limits: Arc<Limits>,
    rate_per_key: Rate,
    sessions: HashMap<Id, Session>,
    /// Sessions by how long they are worth keeping, least first, some of them by what they were worth a moment ago.
    /// Empty unless the table was full since the last tick.
    ranks: BinaryHeap<Reverse<(u64, Id)>>,
}

struct Session {
    counters: Counters,
    /// When its first packet came, when its numbers began, and when its last packet came; nanoseconds since the start.
    first: u64,
    began: u64,
    last: u64,
    bucket: Bucket,
}

#[derive(Clone, Copy)]
struct Counters {
    received: u32,
    reflected: u32,
}

impl Reflector {
    pub(super) fn new(settings: &UdpPingSettings, psk: Option<&[u8]>, limits: Arc<Limits>) -> Self {
        Self {
            layout: if psk.is_some() { KEYED } else { OPEN },
            key: psk.map(stamp::key),
            clock: ErrorEstimate::default(),
            limits,
            rate_per_key: Rate::per_second(settings.rate_per_key),
            sessions: HashMap::new(),
            ranks: BinaryHeap::new(),
        }
    }

    /// How many sessions have counters.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Work that is due now and then.
    pub(super) fn tick(&mut self, now: Now, clock: ErrorEstimate) {
        self.clock = clock;
        self.ranks.clear();
        let at = self.limits.at(now.mono);
        let limits = &self.limits;
        self.sessions.retain(|(from, _), session| {
            let stays = session.last.saturating_add(IDLE) > at;
            if !stays {
                limits.stamp.leave(Some(from.ip()));
            }
            stays
        });
    }

    /// Answers one test packet into `out`; returns the type of service that the answer should carry.
    pub(super) fn answer(
        &mut self,
        now: Now,
        clock: &dyn Fn() -> Now,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<u8>, Drop> {
        let bytes = request.bytes;
        // A TWAMP Light packet of 41 to 43 octets gets the reflector's fields without the zeros at the end.
        let short = self.layout == OPEN && (TWAMP..OPEN.base).contains(&bytes.len());
        let mut padded = [0; OPEN.base];
        let bytes = if short {
            padded[..bytes.len()].copy_from_slice(bytes);
            padded.as_slice()
        } else {
            bytes
        };
        let packet = Packet::request(self.layout, bytes).ok_or(Drop::Malformed)?;
        if !packet.is_authentic(self.key.as_ref()) {
            return Err(Drop::Tag);
        }
        if is_reply(&packet) {
            return Err(Drop::Reply);
        }
        let sender = packet.sender();
        let counters = self.count(now, request.from, &sender)?;
        let seq = counters.map_or(sender.seq, |counters| counters.reflected.wrapping_sub(1));
        let own = Sender { seq, time: stamp::ntp(clock().wall), error: self.clock, ssid: sender.ssid };
        let received = Received {
            time: stamp::ntp(request.stamp.unwrap_or(now.wall)),
            sender,
            ttl: request.ttl.unwrap_or(0),
        };
        stamp::write(self.layout, &own, Some(&received), out);
        stamp::seal(self.layout, self.key.as_ref(), out);
        out.extend(&bytes[self.layout.base..]);
        let tos = self.answer_tlvs(&packet, request, counters, out);
        out.truncate(request.bytes.len());
        Ok(tos)
    }

    /// Counts a packet that is within the limits; no counters where the table has no room.
    fn count(&mut self, now: Now, from: SocketAddr, sender: &Sender) -> Result<Option<Counters>, Drop> {
        let (id, at) = ((from, sender.ssid), self.limits.at(now.mono));
        if self.key.is_none() && !self.limits.packet(from.ip(), at) {
            return Err(Drop::Rate);
        }
        if !self.sessions.contains_key(&id) && self.has_room(from.ip(), at) {
            let counters = Counters { received: 0, reflected: 0 };
            let session = Session { counters, first: at, began: at, last: at, bucket: Bucket::default() };
            if !self.ranks.is_empty() {
                self.ranks.push(Reverse((session.worth(), id)));
            }
            self.sessions.insert(id, session);
        }
        let session = self.sessions.get_mut(&id);
        let within = match (&self.key, &session) {
            (None, _) => true,
            (Some(_), Some(session)) => session.bucket.take(self.rate_per_key, at),
            (Some(_), None) => self.limits.packet(from.ip(), at),
        };
        if !within {
            return Err(Drop::Rate);
        }
        Ok(session.map(|session| session.count(sender.seq, at)))
    }

    /// Takes a place in the table for a session that begins, if need be that of the session that is worth least.
    fn has_room(&mut self, source: IpAddr, at: u64) -> bool {
        match self.limits.stamp.enter(Some(source)) {
            Ok(()) => true,
            Err(Full::Share) => false,
            Err(Full::Table) => self.evict(at) && self.limits.stamp.enter(Some(source)).is_ok(),
        }
    }

    /// Forgets the session that is worth least, unless each is worth more than a new one.
    fn evict(&mut self, at: u64) -> bool {
        if self.ranks.is_empty() {
            self.ranks = self.sessions.iter().map(|(id, session)| Reverse((session.worth(), *id))).collect();
        }
        while let Some(Reverse((rank, id))) = self.ranks.pop() {
            let Some(worth) = self.sessions.get(&id).map(Session::worth) else { continue };
            if worth == rank && worth <= at.saturating_add(YOUNG) {
                self.sessions.remove(&id);
                self.limits.stamp.leave(Some(id.0.ip()));
                return true;
            }
            self.ranks.push(Reverse((worth, id)));
            if worth == rank {
                break;
            }
        }
        false
    }

    /// Fills the TLVs in that this reflector knows, in place; the rest goes back as it came. Of the flags only those that
    /// it sets remain (RFC 8972 §4): all TLVs are flagged where their HMAC is wrong, and after a malformed one nothing is
    /// looked at.
    fn answer_tlvs(
        &self,
        packet: &Packet<'_>,
        request: &Request<'_>,
        counters: Option<Counters>,
        out: &mut [u8],
    ) -> Option<u8> {
        if !packet.is_intact(self.key.as_ref()) {
            packet.tlvs().for_each(|found| out[found.at] = found.flags | tlv::INTEGRITY | malformed(&found));
            return None;
        }
        let (mut tos, mut seal) = (None, None);
        for found in packet.tlvs() {
            let place = &mut out[found.at..];
            let flags = match (found.kind, found.value.map(<[u8]>::len)) {
                (_, None) => tlv::MALFORMED,
                (tlv::PADDING, _) => 0,
                (tlv::CLASS_OF_SERVICE, Some(CLASS)) => {
                    tos = Some(answer_class(request.tos.unwrap_or(0), &mut place[4..8]));
                    0
                }
                (tlv::DIRECT, Some(DIRECT)) => counters.map_or(tlv::UNRECOGNISED, |counters| {
                    counters.write(&mut place[8..16]);
                    0
                }),
                (tlv::HMAC, Some(MAC)) if self.key.is_some() => {
                    seal = Some(found.at);
                    0
                }
                (tlv::CLASS_OF_SERVICE | tlv::DIRECT, _) => tlv::MALFORMED,
                _ => tlv::UNRECOGNISED,
            };
            place[0] = flags;
            if flags == tlv::MALFORMED {
                break;
            }
        }
        if let (Some(key), Some(at)) = (&self.key, seal) {
            let mac = stamp::tlv_mac(key, &out[..4], &out[self.layout.base..at]);
            out[at + 4..at + 4 + MAC].copy_from_slice(&mac);
        }
        tos
    }
}

/// The flag of a TLV that leads beyond its packet.
fn malformed(found: &Tlv<'_>) -> u8 {
    if found.value.is_none() { tlv::MALFORMED } else { 0 }
}

impl Session {
    /// Until when it is worth keeping where another wants its place.
    fn worth(&self) -> u64 {
        self.last.saturating_add((self.last - self.first).clamp(YOUNG, IDLE))
    }

    fn count(&mut self, seq: u32, at: u64) -> Counters {
        if seq == 0 && at.saturating_sub(self.began) > ANEW {
            // The sender began anew with the same ports.
            self.counters = Counters { received: 0, reflected: 0 };
            self.began = at;
        }
        self.counters.received = self.counters.received.wrapping_add(1);
        self.counters.reflected = self.counters.reflected.wrapping_add(1);
        self.last = at;
        self.counters
    }
}

impl Counters {
    /// Fills the reflector's two numbers of a direct-measurement TLV in.
    fn write(self, out: &mut [u8]) {
        out[..4].copy_from_slice(&self.received.to_be_bytes());
        out[4..8].copy_from_slice(&self.reflected.to_be_bytes());
    }
}

/// Whether a reflector wrote this: it would be answered by the next one, and so on without end. Where a reflector's
/// time of reception stands, a sender has zeros or, in TWAMP Light, padding that cannot be so near to its own time.
fn is_reply(packet: &Packet<'_>) -> bool {
    let received = packet.received().time;
    received != 0 && received.abs_diff(packet.sender().time) < SECOND
}

/// Fills a class-of-service TLV in: DSCP wanted (6 bits), DSCP (6) and ECN (2) as `seen`. Returns the type of
/// service that is wanted.
fn answer_class(seen: u8, out: &mut [u8]) -> u8 {
    let wanted = out[0] & 0xfc;
    out[0] = wanted | seen >> 6;
    out[1] = seen << 2 & 0xf0 | (seen & 3) << 2;
    wanted
}
