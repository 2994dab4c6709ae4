//! STAMP test packets (RFC 8762), their TLV extensions (RFC 8972), and TWAMP Light (RFC 5357 appendix I).
//!
//! One [`Layout`] serves both directions: the sender's fields stand where the reflector's own do, and the reflector
//! adds what it received.

use aws_lc_rs::{constant_time, hmac};

use super::bytes::{array, put, u8_at, u16_at, u32_at, u64_at};

/// Where the fields of a mode stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Octets before the TLVs.
    pub base: usize,
    time: usize,
    error: usize,
    ssid: usize,
    rx: usize,
    sender_seq: usize,
    sender_time: usize,
    sender_error: usize,
    ttl: usize,
    mac: Option<usize>,
}

/// Unauthenticated mode (RFC 8762 §4.2.1, §4.3.1).
pub const OPEN: Layout = Layout {
    base: 44,
    time: 4,
    error: 12,
    ssid: 14,
    rx: 16,
    sender_seq: 24,
    sender_time: 28,
    sender_error: 36,
    ttl: 40,
    mac: None,
};

/// Authenticated mode (RFC 8762 §4.2.2, §4.3.2).
pub const KEYED: Layout = Layout {
    base: 112,
    time: 16,
    error: 24,
    ssid: 26,
    rx: 32,
    sender_seq: 48,
    sender_time: 64,
    sender_error: 72,
    ttl: 80,
    mac: Some(96),
};

/// Octets of a TWAMP Light reflector's packet: STAMP's without the three zeros at the end.
pub const TWAMP: usize = 41;
const MAC: usize = 16;
const TLV_HEADER: usize = 4;
/// Seconds from 1900 to 1970.
const NTP_EPOCH: u64 = 2_208_988_800;
const NANOS: u64 = 1_000_000_000;

/// What a session-sender writes, and a reflector about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Sequence number.
    pub seq: u32,
    /// Time of sending in the format that `error` names.
    pub time: u64,
    /// Error estimate, see [`ErrorEstimate`].
    pub error: ErrorEstimate,
    /// STAMP session identifier (RFC 8972 §3), or zero.
    pub ssid: u16,
}

/// What a session-reflector adds about the packet that it received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Time of reception, in the format of the reflector's error estimate.
    pub time: u64,
    /// The sender's fields, as they came.
    pub sender: Sender,
    /// TTL or hop limit on arrival.
    pub ttl: u8,
}

/// The error estimate: synchronised or not, which time format, and a bound (RFC 4656 §4.1.2, RFC 8186).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorEstimate(pub u16);

impl Default for ErrorEstimate {
    fn default() -> Self {
        Self(1)
    }
}

impl ErrorEstimate {
    const SYNCHRONISED: u16 = 0x8000;
    const PTP: u16 = 0x4000;

    /// An estimate of at least `bound_ns`, for timestamps in NTP format.
    pub fn new(synchronised: bool, bound_ns: u64) -> Self {
        // units of 2^-32 s
        let mut units = (u128::from(bound_ns) << 32).div_ceil(u128::from(NANOS)).max(1);
        let mut scale = 0u16;
        while units > 0xff {
            units = units.div_ceil(2);
            scale += 1;
        }
        let scale = scale.min(0x3f);
        Self(if synchronised { Self::SYNCHRONISED } else { 0 } | scale << 8 | units as u16)
    }

    /// Whether the clock claims to be synchronised to an external source.
    pub const fn is_synchronised(self) -> bool {
        self.0 & Self::SYNCHRONISED != 0
    }

    /// The bound in nanoseconds; `None` where it says nothing (a multiplier of zero is illegal).
    pub fn bound_ns(self) -> Option<u64> {
        let (scale, multiplier) = (u32::from(self.0 >> 8 & 0x3f), u128::from(self.0 & 0xff));
        let ns = ((multiplier << scale) * u128::from(NANOS)) >> 32;
        (multiplier > 0).then(|| u64::try_from(ns).unwrap_or(u64::MAX))
    }

    /// The time in nanoseconds since 1970 that `raw` means beside this estimate.
    ///
    /// PTP times are read as UTC, as most implementations write them.
    pub fn nanos(self, raw: u64) -> u64 {
        let (seconds, fraction) = (raw >> 32, raw & 0xffff_ffff);
        if self.0 & Self::PTP != 0 {
            return seconds * NANOS + fraction;
        }
        // NTP era 0 ends in 2036; a time before 1970 means era 1 (RFC 5905 §6).
        let seconds = if seconds < NTP_EPOCH { seconds + (1 << 32) } else { seconds };
        (seconds - NTP_EPOCH) * NANOS + ((fraction * NANOS + (1 << 31)) >> 32)
    }
}

/// The 64-bit NTP timestamp of a moment given in nanoseconds since 1970.
pub fn ntp(nanos: u64) -> u64 {
    let seconds = (nanos / NANOS + NTP_EPOCH) & 0xffff_ffff;
    let fraction = (u128::from(nanos % NANOS) << 32) / u128::from(NANOS);
    seconds << 32 | fraction as u64
}

/// A packet of at least the base length (for replies without TLVs also TWAMP Light's 41 octets).
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    layout: Layout,
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a session-sender's packet.
    pub fn request(layout: Layout, bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() >= layout.base).then_some(Self { layout, bytes })
    }

    /// Reads a session-reflector's packet; TWAMP Light's is three octets shorter.
    pub fn reply(layout: Layout, bytes: &'a [u8]) -> Option<Self> {
        let least = if layout == OPEN { TWAMP } else { layout.base };
        (bytes.len() >= least).then_some(Self { layout, bytes })
    }

    /// The fields of whoever sent this packet.
    pub fn sender(&self) -> Sender {
        Sender {
            seq: u32_at(self.bytes, 0),
            time: u64_at(self.bytes, self.layout.time),
            error: ErrorEstimate(u16_at(self.bytes, self.layout.error)),
            ssid: u16_at(self.bytes, self.layout.ssid),
        }
    }

    /// What a reflector says about the packet that it answers.
    pub fn received(&self) -> Received {
        Received {
            time: u64_at(self.bytes, self.layout.rx),
            sender: Sender {
                seq: u32_at(self.bytes, self.layout.sender_seq),
                time: u64_at(self.bytes, self.layout.sender_time),
                error: ErrorEstimate(u16_at(self.bytes, self.layout.sender_error)),
                ssid: u16_at(self.bytes, self.layout.ssid),
            },
            ttl: u8_at(self.bytes, self.layout.ttl),
        }
    }

    /// Whether the HMAC over the base is right (true in open mode, which has none).
    pub fn is_authentic(&self, key: Option<&hmac::Key>) -> bool {
        match (self.layout.mac, key) {
            (None, _) => true,
            (Some(at), Some(key)) => {
                let tag = hmac::sign(key, &self.bytes[..at]);
                constant_time::verify_slices_are_equal(&tag.as_ref()[..MAC], &self.bytes[at..at + MAC])
                    .is_ok()
            }
            (Some(_), None) => false,
        }
    }

    /// Whether the TLVs are protected as RFC 8972 §4.8 wants it: by a right HMAC TLV that nothing but padding follows.
    /// Padding alone needs none, nor does anything in open mode.
    pub fn is_intact(&self, key: Option<&hmac::Key>) -> bool {
        let Some(key) = key else { return true };
        let Some(seal) = self.tlvs().find(|tlv| tlv.kind == tlv::HMAC) else {
            return self.tlvs().count() == 0 || self.tlvs().map(|tlv| tlv.kind).eq([tlv::PADDING]);
        };
        let is_last = self.tlvs().all(|tlv| tlv.at <= seal.at || tlv.kind == tlv::PADDING);
        let mac = tlv_mac(key, &self.bytes[..4], &self.bytes[self.layout.base..seal.at]);
        is_last && seal.value.is_some_and(|value| constant_time::verify_slices_are_equal(&mac, value).is_ok())
    }

    /// The TLVs behind the base.
    pub fn tlvs(&self) -> Tlvs<'a> {
        Tlvs { bytes: self.bytes, at: self.layout.base }
    }
}

/// Writes the base of a packet over `out`; TLVs follow with [`write_tlv`], the seal with [`seal`].
pub fn write(layout: Layout, sender: &Sender, received: Option<&Received>, out: &mut Vec<u8>) {
    out.clear();
    out.resize(layout.base, 0);
    put(out, 0, &sender.seq.to_be_bytes());
    put(out, layout.time, &sender.time.to_be_bytes());
    put(out, layout.error, &sender.error.0.to_be_bytes());
    put(out, layout.ssid, &sender.ssid.to_be_bytes());
    if let Some(received) = received {
        put(out, layout.rx, &received.time.to_be_bytes());
        put(out, layout.sender_seq, &received.sender.seq.to_be_bytes());
        put(out, layout.sender_time, &received.sender.time.to_be_bytes());
        put(out, layout.sender_error, &received.sender.error.0.to_be_bytes());
        put(out, layout.ttl, &[received.ttl]);
    }
}

/// Seals the base (authenticated mode); does nothing in open mode.
pub fn seal(layout: Layout, key: Option<&hmac::Key>, out: &mut [u8]) {
    if let (Some(at), Some(key)) = (layout.mac, key) {
        let tag = hmac::sign(key, &out[..at]);
        put(out, at, &tag.as_ref()[..MAC]);
    }
}

/// The HMAC-SHA-256 key of a shared secret.
pub fn key(psk: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, psk)
}

/// TLV types (RFC 8972 §4) that have a meaning here.
pub mod tlv {
    /// Extra padding (§4.1).
    pub const PADDING: u8 = 1;
    /// Class of service (§4.4): DSCP wanted, DSCP and ECN as seen, reverse path.
    pub const CLASS_OF_SERVICE: u8 = 4;
    /// Direct measurement (§4.5): packets sent, received and reflected.
    pub const DIRECT: u8 = 5;
    /// Keyed HMAC over the sequence number and the TLVs before it (§4.8).
    pub const HMAC: u8 = 8;
    /// Flag: the reflector did not recognise it; a sender sets it, a reflector that knows the type clears it.
    pub const UNRECOGNISED: u8 = 0x80;
    /// Flag: malformed, so that nothing behind it was looked at.
    pub const MALFORMED: u8 = 0x40;
    /// Flag: the HMAC TLV did not verify, so that no TLV was looked at.
    pub const INTEGRITY: u8 = 0x20;
}

/// One TLV of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Its flags.
    pub flags: u8,
    /// Its type.
    pub kind: u8,
    /// Where its header stands in the packet.
    pub at: usize,
    /// Its value; `None` when the length leads beyond the packet (nothing follows then).
    pub value: Option<&'a [u8]>,
}

/// The TLVs of a packet, in order.
#[derive(Clone, Copy, Debug)]
pub struct Tlvs<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let at = self.at;
        if at >= self.bytes.len() {
            return None;
        }
        let start = at + TLV_HEADER;
        let end = start + usize::from(u16_at(self.bytes, at + 2));
        let whole = start <= self.bytes.len();
        let value = self.bytes.get(start..end).filter(|_| whole);
        self.at = if value.is_some() { end } else { self.bytes.len() };
        Some(Tlv { flags: u8_at(self.bytes, at), kind: u8_at(self.bytes, at + 1), at, value })
    }
}

/// Appends a TLV as a sender writes it: unrecognised until the reflector says otherwise.
pub fn write_tlv(kind: u8, value: &[u8], out: &mut Vec<u8>) {
    out.extend([tlv::UNRECOGNISED, kind]);
    out.extend((value.len() as u16).to_be_bytes());
    out.extend(value);
}

/// Octets that a TLV with a value of `length` takes.
pub const fn tlv_size(length: usize) -> usize {
    TLV_HEADER + length
}

/// The 16 octets of an HMAC TLV: over the sequence number and all TLVs before it (RFC 8972 §4.8).
pub fn tlv_mac(key: &hmac::Key, seq: &[u8], tlvs: &[u8]) -> [u8; MAC] {
    let mut context = hmac::Context::with_key(key);
    context.update(seq);
    context.update(tlvs);
    array(context.sign().as_ref(), 0)
}

/// Shared by the fuzz target and a property test: no octets panic in either mode.
pub fn fuzz_stamp(bytes: &[u8]) {
    for layout in [OPEN, KEYED] {
        for packet in [Packet::request(layout, bytes), Packet::reply(layout, bytes)].into_iter().flatten() {
            let (sender, received) = (packet.sender(), packet.received());
            let _ = (sender.error.nanos(sender.time), sender.error.bound_ns(), received.time);
            let _ = (packet.is_authentic(Some(&key(b"k"))), packet.is_intact(Some(&key(b"k"))));
            let walked: usize =
                packet.tlvs().filter_map(|tlv| tlv.value).map(|value| tlv_size(value.len())).sum();
            assert!(walked <= bytes.len(), "TLVs stay within the packet");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-25T00:00:00.5Z
    const MOMENT: u64 = 1_795_564_800_500_000_000;

    fn sender() -> Sender {
        Sender { seq: 7, time: ntp(MOMENT), error: ErrorEstimate::new(true, 1_000_000), ssid: 0x1234 }
    }

    #[test]
    fn an_open_request_has_the_layout_of_rfc_8762() {
        let mut out = Vec::new();
        write(OPEN, &sender(), None, &mut out);
        let mut expected = vec![0, 0, 0, 7];
        expected.extend(((MOMENT / NANOS + NTP_EPOCH) as u32).to_be_bytes());
        expected.extend([0x80, 0, 0, 0]);
        expected.extend(sender().error.0.to_be_bytes());
        expected.extend([0x12, 0x34]);
        expected.resize(44, 0);
        assert_eq!(out, expected);
    }

    /// Octets of a file in `tests/data/stamp`, whose README says where they come from.
    fn golden(text: &str) -> Vec<u8> {
        text.split_whitespace().map(|octet| u8::from_str_radix(octet, 16).expect("hexadecimal")).collect()
    }

    macro_rules! golden {
        ($name:literal) => {
            golden(include_str!(concat!("../../tests/data/stamp/", $name, ".hex")))
        };
    }

    const FOREIGN: Sender =
        Sender { seq: 7, time: 0xeeb0_a380_8000_0000, error: ErrorEstimate(0x90c8), ssid: 0x1234 };

    #[test]
    fn another_implementations_sender_is_read_and_written_octet_by_octet() {
        let mut direct = [0; 12];
        direct[3] = 9;
        for (bytes, extended) in [(golden!("sender"), false), (golden!("sender-tlvs"), true)] {
            let packet = Packet::request(OPEN, &bytes).expect("long enough");
            assert_eq!(packet.sender(), FOREIGN);
            assert_eq!(FOREIGN.error.nanos(FOREIGN.time), MOMENT);
            let mut out = Vec::new();
            write(OPEN, &FOREIGN, None, &mut out);
            if extended {
                let tlvs: [(u8, &[u8]); 4] = [
                    (tlv::CLASS_OF_SERVICE, &[46 << 2, 0, 0, 0]),
                    (tlv::DIRECT, &direct),
                    (200, b"what?"),
                    (tlv::PADDING, &[0; 11]),
                ];
                tlvs.iter().for_each(|(kind, value)| write_tlv(*kind, value, &mut out));
            }
            assert_eq!(out, bytes);
        }
    }

    #[test]
    fn another_implementations_reflector_is_read_and_written_octet_by_octet() {
        for (bytes, flags) in [(golden!("reflector"), &[][..]), (golden!("reflector-tlvs"), &[0, 0x80, 0])] {
            let packet = Packet::reply(OPEN, &bytes).expect("long enough");
            let own =
                Sender { seq: 3, time: FOREIGN.time + (1 << 30), error: ErrorEstimate(0x1401), ssid: 0x1234 };
            let received = Received { time: FOREIGN.time + (1 << 29), sender: FOREIGN, ttl: 61 };
            assert_eq!((packet.sender(), packet.received()), (own, received));
            assert_eq!(packet.tlvs().map(|tlv| tlv.flags).collect::<Vec<_>>(), flags);
            let mut out = Vec::new();
            write(OPEN, &own, Some(&received), &mut out);
            assert_eq!(out, bytes[..44]);
        }
    }

    #[test]
    fn both_modes_read_back_what_they_wrote() {
        let key = key(b"shared");
        let received = Received { time: ntp(MOMENT + 5), sender: sender(), ttl: 61 };
        for (layout, length) in [(OPEN, 44), (KEYED, 112)] {
            let mut out = Vec::new();
            write(layout, &Sender { seq: 9, ..sender() }, Some(&received), &mut out);
            seal(layout, Some(&key), &mut out);
            let packet = Packet::reply(layout, &out).expect("long enough");
            assert_eq!((out.len(), packet.sender().seq, packet.received()), (length, 9, received));
            assert!(packet.is_authentic(Some(&key)));
            assert_eq!(packet.is_authentic(None), layout == OPEN);
        }
    }

    #[test]
    fn one_changed_octet_is_noticed_in_authenticated_mode() {
        let key = key(b"shared");
        let mut out = Vec::new();
        write(KEYED, &sender(), None, &mut out);
        seal(KEYED, Some(&key), &mut out);
        for at in 0..112 {
            let mut forged = out.clone();
            forged[at] ^= 1;
            let packet = Packet::request(KEYED, &forged).expect("long enough");
            assert!(!packet.is_authentic(Some(&key)), "octet {at}");
        }
    }

    #[test]
    fn times_survive_both_formats_and_the_end_of_the_era() {
        let estimate = ErrorEstimate::default();
        for nanos in [MOMENT, MOMENT + 1, 2_085_978_496 * NANOS + 1, 4_000_000_000 * NANOS] {
            assert!(estimate.nanos(ntp(nanos)).abs_diff(nanos) <= 1, "{nanos}");
        }
        let ptp = ErrorEstimate(ErrorEstimate::PTP | 1);
        assert_eq!(ptp.nanos((MOMENT / NANOS) << 32 | 500_000_000), MOMENT);
    }

    #[test]
    fn an_error_estimate_never_promises_too_much() {
        for bound in [0, 1, 999, 1_000_000, 16_000_000_000, u64::MAX / 4] {
            let told = ErrorEstimate::new(true, bound).bound_ns().expect("a multiplier");
            assert!(told + 1 >= bound && told <= bound.saturating_add(bound / 64 + 2), "{bound}: {told}");
        }
        assert_eq!(ErrorEstimate(0).bound_ns(), None);
    }

    #[test]
    fn tlvs_end_at_the_first_that_does_not_fit() {
        let mut out = Vec::new();
        write(OPEN, &sender(), None, &mut out);
        write_tlv(tlv::CLASS_OF_SERVICE, &[0; 4], &mut out);
        write_tlv(tlv::PADDING, &[0; 3], &mut out);
        out.extend([0x80, 9, 0xff, 0xff, 1]);
        let packet = Packet::request(OPEN, &out).expect("long enough");
        let found: Vec<_> = packet.tlvs().map(|tlv| (tlv.kind, tlv.value.map(<[u8]>::len))).collect();
        assert_eq!(found, [(4, Some(4)), (1, Some(3)), (9, None)]);
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            fuzz_stamp(&bytes);
        }
    }
}
