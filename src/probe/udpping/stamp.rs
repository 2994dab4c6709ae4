//! The STAMP session-sender (RFC 8762, RFC 8972) and TWAMP Light's. See [`crate::wire::stamp`].

use aws_lc_rs::hmac;

use super::tally::{FarCounts, FarTimes, Reply};
use crate::units::Now;
use crate::wire::stamp::{self, ErrorEstimate, KEYED, Layout, OPEN, Packet, Sender, tlv};

/// Octets of a direct-measurement TLV's value: sent, received, reflected.
const DIRECT: usize = 12;
/// Octets of a class-of-service TLV's value.
const CLASS: usize = 4;

/// A session-sender.
pub(super) struct StampSender {
    layout: Layout,
    key: Option<hmac::Key>,
    ssid: u16,
    error: ErrorEstimate,
    dscp: Option<u8>,
    extended: bool,
    sent: u32,
    /// The reflector was seen to count for itself: its number fell behind ours.
    stateful: bool,
    copies: Copies,
}

/// Packets that reached the reflector more than once: each copy is answered under a number of its own, while a reply
/// that is copied on the way back keeps its number. The reflector counts them as received like any other.
struct Copies {
    /// For each of the latest packets: its number and the reflector's numbers of its first and its latest reply.
    recent: Vec<Option<(u32, [u32; 2])>>,
    count: u32,
}

impl Copies {
    /// How many packets back a copy is still recognised.
    const REACH: usize = 1024;

    /// Packet `seq` was answered under the number `own`.
    fn note(&mut self, seq: u32, own: u32) {
        let place = &mut self.recent[seq as usize % Self::REACH];
        match place {
            Some((known, replies)) if *known == seq => {
                if !replies.contains(&own) {
                    replies[1] = own;
                    self.count = self.count.wrapping_add(1);
                }
            }
            _ => *place = Some((seq, [own; 2])),
        }
    }
}

impl Default for Copies {
    fn default() -> Self {
        Self { recent: vec![None; Self::REACH], count: 0 }
    }
}

impl StampSender {
    /// A sender with session id `ssid`; with a key in authenticated mode. TWAMP Light knows no TLVs.
    pub(super) fn new(
        psk: Option<&[u8]>,
        ssid: u16,
        error: ErrorEstimate,
        dscp: Option<u8>,
        twamp: bool,
    ) -> Self {
        Self {
            layout: if psk.is_some() { KEYED } else { OPEN },
            key: psk.map(stamp::key),
            ssid: if twamp { 0 } else { ssid },
            error,
            dscp,
            extended: !twamp,
            sent: 0,
            stateful: false,
            copies: Copies::default(),
        }
    }

    /// Writes test packet `seq`, of `size` octets if that is enough for what it must carry.
    pub(super) fn write(&mut self, seq: u64, now: Now, size: usize, out: &mut Vec<u8>) {
        self.sent += 1;
        let sender =
            Sender { seq: seq as u32, time: stamp::ntp(now.wall), error: self.error, ssid: self.ssid };
        stamp::write(self.layout, &sender, None, out);
        stamp::seal(self.layout, self.key.as_ref(), out);
        if self.extended {
            self.write_tlvs(size, out);
        } else {
            out.resize(size.max(out.len()), 0);
        }
    }

    fn write_tlvs(&self, size: usize, out: &mut Vec<u8>) {
        let base = out.len();
        let mac = if self.key.is_some() { stamp::tlv_size(16) } else { 0 };
        let fits = |out: &Vec<u8>, length: usize| out.len() + stamp::tlv_size(length) + mac <= size;
        if let Some(dscp) = self.dscp {
            stamp::write_tlv(tlv::CLASS_OF_SERVICE, &[dscp << 2, 0, 0, 0][..CLASS], out);
        }
        if fits(out, DIRECT) {
            let mut counts = [0; DIRECT];
            counts[..4].copy_from_slice(&self.sent.to_be_bytes());
            stamp::write_tlv(tlv::DIRECT, &counts, out);
        }
        if fits(out, 0) {
            let padding = size - mac - out.len() - stamp::tlv_size(0);
            stamp::write_tlv(tlv::PADDING, &vec![0; padding], out);
        }
        if let (Some(key), true) = (&self.key, out.len() > base) {
            let tag = stamp::tlv_mac(key, &out[..4], &out[base..]);
            stamp::write_tlv(tlv::HMAC, &tag, out);
        }
    }

    /// Reads a reflector's packet; `None` for anything else.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<Reply> {
        let packet = Packet::reply(self.layout, bytes)?;
        let (reflector, received) = (packet.sender(), packet.received());
        // Reflectors of RFC 8762 alone answer with zero where RFC 8972 has the session id.
        let ours = self.ssid == 0 || reflector.ssid == self.ssid || reflector.ssid == 0;
        if !ours || !packet.is_authentic(self.key.as_ref()) {
            return None;
        }
        let mut reply = Reply {
            seq: received.sender.seq,
            bytes: bytes.len(),
            times: Some(FarTimes {
                t2: reflector.error.nanos(received.time),
                t3: reflector.error.nanos(reflector.time),
                bound_ns: reflector.error.bound_ns().filter(|_| reflector.error.is_synchronised()),
            }),
            ttl: Some(received.ttl).filter(|&ttl| ttl > 0),
            ..Reply::default()
        };
        self.stateful |= reflector.seq < received.sender.seq;
        if self.stateful {
            reply.far = Some(FarCounts { received: reflector.seq.wrapping_add(1) });
        }
        packet.tlvs().filter(|tlv| tlv.flags == 0).for_each(|tlv| read_tlv(tlv.kind, tlv.value, &mut reply));
        self.copies.note(received.sender.seq, reflector.seq);
        if let Some(far) = &mut reply.far {
            far.received = far.received.saturating_sub(self.copies.count);
        }
        Some(reply)
    }
}

fn read_tlv(kind: u8, value: Option<&[u8]>, reply: &mut Reply) {
    match (kind, value) {
        (tlv::DIRECT, Some([_, _, _, _, a, b, c, d, ..])) => {
            let received = u32::from_be_bytes([*a, *b, *c, *d]);
            reply.far = Some(FarCounts { received });
        }
        // DSCP1 (6 bits, as asked), DSCP2 (6, as seen), ECN (2, as seen), RP (2), reserved
        (tlv::CLASS_OF_SERVICE, Some([first, second, ..])) => {
            let (dscp, ecn) = ((first & 3) << 4 | second >> 4, second >> 2 & 3);
            reply.tos = Some(dscp << 2 | ecn);
        }
        _ => {}
    }
}
