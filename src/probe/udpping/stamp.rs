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
        // What the reflector did not know is skipped; what follows a malformed TLV, or has failed the integrity check
        // there or here, is worth nothing (RFC 8972 §4, §4.8).
        if packet.is_intact(self.key.as_ref()) {
            let sound = packet.tlvs().take_while(|tlv| tlv.flags & (tlv::MALFORMED | tlv::INTEGRITY) == 0);
            let known = sound.filter(|tlv| tlv.flags & tlv::UNRECOGNISED == 0);
            known.for_each(|tlv| read_tlv(tlv.kind, tlv.value, &mut reply));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const PSK: &[u8] = b"a shared secret";

    /// What a sender reads of a reply whose only TLVs are, with these flags, a counter of 7 received, a class of service
    /// as seen, and with a key their HMAC, `spoiled` or not.
    fn read(psk: Option<&[u8]>, flags: [u8; 2], spoiled: bool) -> (Option<u32>, Option<u8>) {
        let mut sender = StampSender::new(psk, 9, ErrorEstimate::default(), None, false);
        let key = psk.map(stamp::key);
        let own = Sender { ssid: 9, ..Sender::default() };
        let mut reply = Vec::new();
        stamp::write(sender.layout, &own, Some(&stamp::Received::default()), &mut reply);
        stamp::seal(sender.layout, key.as_ref(), &mut reply);
        let base = reply.len();
        stamp::write_tlv(tlv::DIRECT, &[0, 0, 0, 9, 0, 0, 0, 7, 0, 0, 0, 7], &mut reply);
        stamp::write_tlv(tlv::CLASS_OF_SERVICE, &[2, 14 << 4, 0, 0], &mut reply);
        (reply[base], reply[base + 16]) = (flags[0], flags[1]);
        if let Some(key) = &key {
            let mac = stamp::tlv_mac(key, &reply[..4], &reply[base..]);
            stamp::write_tlv(tlv::HMAC, &mac, &mut reply);
        }
        if spoiled {
            *reply.last_mut().expect("octets") ^= 1;
        }
        let reply = sender.read(&reply).expect("a reply");
        (reply.far.map(|far| far.received), reply.tos)
    }

    #[test]
    fn flags_of_the_reflector_say_which_tlvs_count() {
        let (received, tos) = (Some(7), Some(46 << 2));
        for psk in [None, Some(PSK)] {
            assert_eq!(read(psk, [0, 0], false), (received, tos));
            assert_eq!(read(psk, [tlv::UNRECOGNISED, 0], false), (None, tos), "skipped");
            assert_eq!(read(psk, [tlv::MALFORMED, 0], false), (None, None), "the end");
            assert_eq!(read(psk, [0, tlv::MALFORMED], false), (received, None));
            assert_eq!(read(psk, [tlv::INTEGRITY, tlv::INTEGRITY], false), (None, None));
        }
        assert_eq!(read(Some(PSK), [0, 0], true), (None, None), "changed on the way back");
    }
}
