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

/// Octets of an HMAC TLV's value.
const MAC: usize = 16;

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

    /// Fills the TLVs in that this reflector knows, in place; the rest goes back as it came, flagged.
    ///
    /// With a key only TLVs before an HMAC TLV that is right are acted on (RFC 8972 §4.8). One HMAC TLV is computed,
    /// whatever the packet holds: each covers all octets before it.
    fn answer_tlvs(
        &self,
        packet: &Packet<'_>,
        request: &Request<'_>,
        counters: Option<Counters>,
        out: &mut [u8],
    ) -> Option<u8> {
        let mut tos = None;
        let seal = packet.tlvs().find(|found| found.kind == tlv::HMAC && self.key.is_some());
        let intact = self.key.is_none() || seal.is_some_and(|seal| self.is_intact(&seal, request.bytes));
        for found in packet.tlvs() {
            let place = &mut out[found.at..];
            let Some(value) = found.value else {
                place[0] = found.flags | tlv::MALFORMED;
                continue;
            };
            let is_seal = seal.is_some_and(|seal| seal.at == found.at);
            let covered = self.key.is_none() || seal.is_some_and(|seal| found.at < seal.at);
            let outcome = match found.kind {
                tlv::PADDING => Some(true),
                tlv::HMAC if is_seal && value.len() == MAC => Some(true),
                _ if !(covered && intact) => None,
                tlv::CLASS_OF_SERVICE if value.len() == 4 => {
                    tos = Some(answer_class(request.tos.unwrap_or(0), &mut place[4..8]));
                    Some(true)
                }
                tlv::DIRECT if value.len() == 12 => {
                    Some(counters.is_some_and(|counters| counters.write(&mut place[8..16])))
                }
                _ => Some(false),
            };
            place[0] = match outcome {
                Some(true) => found.flags & !tlv::UNRECOGNISED,
                Some(false) => found.flags | tlv::UNRECOGNISED,
                None => found.flags,
            } | if intact { 0 } else { tlv::INTEGRITY };
        }
        if let (Some(key), Some(seal)) = (&self.key, seal.filter(|seal| is_mac(seal))) {
            let mac = stamp::tlv_mac(key, &out[..4], &out[self.layout.base..seal.at]);
            out[seal.at + 4..seal.at + 4 + MAC].copy_from_slice(&mac);
        }
        tos
    }

    fn is_intact(&self, seal: &Tlv<'_>, bytes: &[u8]) -> bool {
        let (Some(key), Some(value)) = (&self.key, seal.value) else { return false };
        let mac = stamp::tlv_mac(key, &bytes[..4], &bytes[self.layout.base..seal.at]);
        aws_lc_rs::constant_time::verify_slices_are_equal(&mac, value).is_ok()
    }
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
    fn write(self, out: &mut [u8]) -> bool {
        out[..4].copy_from_slice(&self.received.to_be_bytes());
        out[4..8].copy_from_slice(&self.reflected.to_be_bytes());
        true
    }
}

/// Whether a reflector wrote this: it would be answered by the next one, and so on without end. Where a reflector's
/// time of reception stands, a sender has zeros or, in TWAMP Light, padding that cannot be so near to its own time.
fn is_reply(packet: &Packet<'_>) -> bool {
    let received = packet.received().time;
    received != 0 && received.abs_diff(packet.sender().time) < SECOND
}

fn is_mac(tlv: &Tlv<'_>) -> bool {
    tlv.value.is_some_and(|value| value.len() == MAC)
}

/// Fills a class-of-service TLV in: DSCP wanted (6 bits), DSCP (6) and ECN (2) as `seen`. Returns the type of
/// service that is wanted.
fn answer_class(seen: u8, out: &mut [u8]) -> u8 {
    let wanted = out[0] & 0xfc;
    out[0] = wanted | seen >> 6;
    out[1] = seen << 2 & 0xf0 | (seen & 3) << 2;
    wanted
}
