//! The STAMP session-reflector (RFC 8762 §4.3, RFC 8972): stateful, symmetrical, both modes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::limit::{Bucket, Limits, Rate};
use super::{Drop, Request, UdpPingSettings};
use crate::units::Now;
use crate::wire::stamp::{
    self, ErrorEstimate, KEYED, Layout, OPEN, Packet, Received, Sender, TWAMP, Tlv, tlv,
};

/// How long a silent session's counters are kept (REFWAIT, RFC 5357 §3.1).
const IDLE: u64 = 900_000_000_000;
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
    /// When to look whether a session is still in use, soonest first.
    checks: BinaryHeap<Reverse<(u64, Id)>>,
}

struct Session {
    counters: Counters,
    /// When its numbers began and when its last packet came, nanoseconds since the start.
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
            checks: BinaryHeap::new(),
        }
    }

    /// How many sessions have counters.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Work that is due now and then.
    pub(super) fn tick(&mut self, now: Now, clock: ErrorEstimate) {
        self.clock = clock;
        let at = self.limits.at(now.mono);
        while let Some(Reverse((_, id))) = self.checks.peek().copied().filter(|Reverse((due, _))| *due <= at)
        {
            self.checks.pop();
            match self.sessions.get(&id).map(|session| session.last.saturating_add(IDLE)) {
                Some(until) if until > at => self.checks.push(Reverse((until, id))),
                _ => self.forget(&id),
            }
        }
    }

    fn forget(&mut self, id: &Id) {
        if self.sessions.remove(id).is_some() {
            self.limits.stamp.leave(id.0.ip());
        }
    }

    /// Answers one test packet into `out`; returns the type of service that the answer should carry.
    pub(super) fn answer(
        &mut self,
        now: Now,
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
        let own = Sender { seq, time: stamp::ntp(now.wall), error: self.clock, ssid: sender.ssid };
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
        if !self.sessions.contains_key(&id) && self.limits.stamp.enter(from.ip()) {
            let counters = Counters { received: 0, reflected: 0 };
            self.sessions.insert(id, Session { counters, began: at, last: at, bucket: Bucket::default() });
            self.checks.push(Reverse((at.saturating_add(IDLE), id)));
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
