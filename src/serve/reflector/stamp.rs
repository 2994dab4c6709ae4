//! The STAMP session-reflector (RFC 8762 §4.3, RFC 8972): stateful, symmetrical, both modes.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;

use super::limit::{Bucket, Buckets, seconds};
use super::{Drop, Request, UdpPingSettings};
use crate::units::Now;
use crate::wire::stamp::{self, ErrorEstimate, KEYED, Layout, OPEN, Packet, Received, Sender, TWAMP, tlv};

/// How long a silent session's counters are kept (REFWAIT, RFC 5357 §3.1).
const IDLE: Duration = Duration::from_secs(900);
/// Sessions with counters; beyond it packets are reflected without (stateless, RFC 8762 §4).
const SESSIONS: usize = 10_000;

/// All STAMP sessions of one thread.
pub(super) struct Reflector {
    layout: Layout,
    key: Option<hmac::Key>,
    start: Instant,
    clock: ErrorEstimate,
    sessions: HashMap<(SocketAddr, u16), Counters>,
    checks: VecDeque<(Instant, (SocketAddr, u16))>,
    sources: Buckets,
    all: Bucket,
    rate_total: f64,
}

#[derive(Clone, Copy)]
struct Counters {
    received: u32,
    reflected: u32,
    last: Instant,
}

impl Reflector {
    pub(super) fn new(settings: &UdpPingSettings, psk: Option<&[u8]>, now: Now) -> Self {
        Self {
            layout: if psk.is_some() { KEYED } else { OPEN },
            key: psk.map(stamp::key),
            start: now.mono,
            clock: ErrorEstimate::default(),
            sessions: HashMap::new(),
            checks: VecDeque::new(),
            sources: Buckets::new(settings.rate_per_source.into(), now.mono),
            all: Bucket::full(settings.rate_total.into(), 0.0),
            rate_total: settings.rate_total.into(),
        }
    }

    /// How many sessions have counters.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Work that is due now and then.
    pub(super) fn tick(&mut self, now: Now, clock: ErrorEstimate) {
        self.clock = clock;
        while let Some(&(due, id)) = self.checks.front().filter(|(due, _)| *due <= now.mono) {
            self.checks.pop_front();
            match self.sessions.get(&id).map(|counters| counters.last + IDLE) {
                Some(until) if until > due => self.checks.push_back((until, id)),
                _ => drop(self.sessions.remove(&id)),
            }
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
        let at = seconds(self.start, now.mono);
        if !(self.sources.take(request.from.ip(), now.mono) && self.all.take(self.rate_total, at)) {
            return Err(Drop::Rate);
        }
        let sender = packet.sender();
        let counters = self.count(now, request.from, &sender);
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

    fn count(&mut self, now: Now, from: SocketAddr, sender: &Sender) -> Option<Counters> {
        let id = (from, sender.ssid);
        let known = self.sessions.contains_key(&id);
        if !known {
            if self.sessions.len() >= SESSIONS {
                return None;
            }
            self.checks.push_back((now.mono + IDLE, id));
        }
        let counters =
            self.sessions.entry(id).or_insert(Counters { received: 0, reflected: 0, last: now.mono });
        if sender.seq == 0 && counters.received > 0 {
            // The sender began anew with the same ports.
            (counters.received, counters.reflected) = (0, 0);
        }
        counters.received = counters.received.wrapping_add(1);
        counters.reflected = counters.reflected.wrapping_add(1);
        counters.last = now.mono;
        Some(*counters)
    }

    /// Fills the TLVs in that this reflector knows, in place; the rest goes back as it came, flagged.
    fn answer_tlvs(
        &self,
        packet: &Packet<'_>,
        request: &Request<'_>,
        counters: Option<Counters>,
        out: &mut [u8],
    ) -> Option<u8> {
        let mut tos = None;
        let base = self.layout.base;
        for found in packet.tlvs() {
            let value = found.at + 4;
            let known = match (found.kind, found.value) {
                (_, None) => {
                    out[found.at] = found.flags | tlv::MALFORMED;
                    continue;
                }
                (tlv::PADDING, _) => true,
                (tlv::CLASS_OF_SERVICE, Some([first, ..]))
                    if found.value.is_some_and(|value| value.len() == 4) =>
                {
                    let seen = request.tos.unwrap_or(0);
                    out[value] = first & 0xfc | seen >> 6;
                    out[value + 1] = seen << 2 & 0xf0 | (seen & 3) << 2;
                    tos = Some(first & 0xfc);
                    true
                }
                (tlv::DIRECT, Some(counts)) if counts.len() == 12 => match counters {
                    Some(counters) => {
                        out[value + 4..value + 8].copy_from_slice(&counters.received.to_be_bytes());
                        out[value + 8..value + 12].copy_from_slice(&counters.reflected.to_be_bytes());
                        true
                    }
                    None => false,
                },
                (tlv::HMAC, Some(mac)) if mac.len() == 16 => match &self.key {
                    Some(key) => {
                        let asked = stamp::tlv_mac(key, &request.bytes[..4], &request.bytes[base..found.at]);
                        let intact = aws_lc_rs::constant_time::verify_slices_are_equal(&asked, mac).is_ok();
                        let answer = stamp::tlv_mac(key, &out[..4], &out[base..found.at]);
                        out[value..value + 16].copy_from_slice(&answer);
                        out[found.at] = if intact { 0 } else { tlv::INTEGRITY };
                        continue;
                    }
                    None => false,
                },
                _ => false,
            };
            out[found.at] =
                if known { found.flags & !tlv::UNRECOGNISED } else { found.flags | tlv::UNRECOGNISED };
        }
        tos
    }
}
