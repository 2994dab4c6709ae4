//! What comes back of STAMP's extensions and of packets in other sizes: the flags of RFC 8972 §4, its HMAC TLV (§4.8),
//! TWAMP Light's lengths (RFC 5357 §4.2.1).

use std::net::SocketAddr;

use super::{Drop, Reflector, Request, Service, UdpPingSettings};
use crate::wire::stamp::{self, KEYED, OPEN, Packet, Sender, tlv};

const PSK: &[u8] = b"a shared secret";
/// The flags of a TLV that went back as the sender wrote it.
const SENT: u8 = tlv::UNRECOGNISED;
const U: u8 = tlv::UNRECOGNISED;
const M: u8 = tlv::MALFORMED;
const I: u8 = tlv::INTEGRITY;

fn answer(psk: Option<&[u8]>, bytes: &[u8]) -> Result<Vec<u8>, Drop> {
    let now = crate::sys::clock::now();
    let from: SocketAddr = "192.0.2.1:40000".parse().expect("an address");
    let mut reflector = Reflector::new(&UdpPingSettings::default(), psk, vec![862], now);
    let request = Request {
        service: Service::Stamp,
        bytes,
        from,
        stamp: Some(now.wall),
        ttl: Some(64),
        tos: Some(46 << 2),
    };
    let mut out = Vec::new();
    reflector.answer(&|| now, &request, &mut out).map(|_| out)
}

fn base(psk: Option<&[u8]>) -> Vec<u8> {
    let layout = if psk.is_some() { KEYED } else { OPEN };
    let mut out = Vec::new();
    stamp::write(layout, &Sender { seq: 5, ssid: 9, ..Sender::default() }, None, &mut out);
    stamp::seal(layout, psk.map(stamp::key).as_ref(), &mut out);
    out
}

fn tlv(flags: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    [&[flags, kind], &(value.len() as u16).to_be_bytes()[..], value].concat()
}

fn padding(length: usize) -> Vec<u8> {
    tlv(U, tlv::PADDING, &vec![0x55; length])
}

fn class() -> Vec<u8> {
    tlv(U, tlv::CLASS_OF_SERVICE, &[10 << 2, 0, 0, 0])
}

/// The HMAC TLV over `before`, in a packet numbered `seq`.
fn seal(seq: u32, before: &[Vec<u8>]) -> Vec<u8> {
    tlv(U, tlv::HMAC, &stamp::tlv_mac(&stamp::key(PSK), &seq.to_be_bytes(), &before.concat()))
}

/// Sends `tlvs` and compares the flags that come back; a TLV without `U`, `M` or `I` has been acted upon.
#[track_caller]
fn check(psk: Option<&[u8]>, tlvs: &[Vec<u8>], expected: &[u8]) -> Vec<u8> {
    let request = [base(psk), tlvs.concat()].concat();
    let answer = answer(psk, &request).expect("an answer");
    assert_eq!(answer.len(), request.len());
    let packet = Packet::reply(if psk.is_some() { KEYED } else { OPEN }, &answer).expect("a packet");
    let flags: Vec<u8> = packet.tlvs().map(|tlv| tlv.flags).collect();
    assert_eq!(flags, expected, "{tlvs:02x?}");
    // Whatever happens to its flags, what is not acted upon comes back as it came.
    for (found, sent) in packet.tlvs().zip(tlvs) {
        if found.flags & (U | M | I) != 0 {
            assert_eq!(answer[found.at + 1..found.at + sent.len()], sent[1..], "{tlvs:02x?}");
        }
    }
    answer
}

#[test]
fn what_it_does_not_know_comes_back_unrecognised() {
    // Reserved, location, timestamp information, access report, follow-up telemetry, destination, return path, …
    for kind in [0, 2, 3, 6, 7, 9, 10, 11, 200, 255] {
        for flags in [0, U, 0xff] {
            check(None, &[tlv(flags, kind, b"what?"), padding(3)], &[U, 0]);
            let tlvs = [tlv(flags, kind, b"what?"), padding(3)];
            check(Some(PSK), &[&tlvs[..], &[seal(5, &tlvs)]].concat(), &[U, 0, 0]);
        }
    }
    check(None, &[tlv(U, tlv::HMAC, &[0; 16])], &[U]);
}

#[test]
fn what_it_knows_has_no_flags_whatever_the_sender_wrote() {
    for flags in [0, U, 0xff] {
        let direct = tlv(flags, tlv::DIRECT, &[[0, 0, 0, 9], [0; 4], [0; 4]].concat());
        let class = tlv(flags, tlv::CLASS_OF_SERVICE, &[10 << 2, 0, 0, 0]);
        let answer = check(None, &[class, direct, tlv(flags, tlv::PADDING, &[])], &[0, 0, 0]);
        // DSCP wanted, then as seen (46), then the counts: 9 sent, 1 received, 1 reflected.
        assert_eq!(answer[48..50], [10 << 2 | 46 >> 4, (46 << 4) as u8]);
        assert_eq!(answer[56..68], [0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1]);
    }
}

#[test]
fn a_length_that_cannot_be_is_malformed_and_ends_the_reading() {
    for (kind, length) in [
        (tlv::CLASS_OF_SERVICE, 0),
        (tlv::CLASS_OF_SERVICE, 3),
        (tlv::CLASS_OF_SERVICE, 5),
        (tlv::DIRECT, 11),
        (tlv::DIRECT, 13),
    ] {
        check(None, &[padding(1), tlv(U, kind, &vec![0; length]), class(), padding(2)], &[0, M, SENT, SENT]);
    }
    for length in [5u16, 9, 0xffff] {
        let mut long = class();
        long[2..4].copy_from_slice(&length.to_be_bytes());
        check(None, &[padding(1), long.clone()], &[0, M]);
        check(None, &[long], &[M]);
    }
    for rest in 1..4 {
        check(None, &[class(), class()[..rest].to_vec()], &[0, M]);
    }
}

#[test]
fn a_right_hmac_comes_back_over_the_answer() {
    let before = [class(), padding(5)];
    for behind in [vec![], vec![padding(7)], vec![padding(7), padding(0)]] {
        let tlvs = [&before[..], &[seal(5, &before)], &behind].concat();
        let answer = check(Some(PSK), &tlvs, &vec![0; tlvs.len()]);
        let packet = Packet::reply(KEYED, &answer).expect("a packet");
        assert!(packet.is_intact(Some(&stamp::key(PSK))) && packet.is_authentic(Some(&stamp::key(PSK))));
        // The reflector's own number is 0, so this is not the sender's HMAC.
        assert_ne!(answer[112 + 8 + 9..][..20], tlvs[2]);
    }
}

#[test]
fn where_the_integrity_fails_all_tlvs_say_so_and_nothing_is_done() {
    let before = [class(), padding(5)];
    let with = |seal: Vec<u8>| [&before[..], &[seal]].concat();
    let mut wrong = seal(5, &before);
    wrong[19] ^= 1;
    // The wrong HMAC; one over another number, or over other TLVs; too short and too long.
    for seal in [
        wrong,
        seal(6, &before),
        seal(5, &before[..1]),
        tlv(U, tlv::HMAC, &[0; 15]),
        tlv(U, tlv::HMAC, &[0; 17]),
        tlv(U, tlv::HMAC, &[]),
    ] {
        check(Some(PSK), &with(seal), &[SENT | I; 3]);
    }
    // None at all, beside more than a single padding.
    check(Some(PSK), &[class()], &[SENT | I]);
    check(Some(PSK), &[padding(1), padding(1)], &[SENT | I; 2]);
    check(Some(PSK), &[padding(9)], &[0]);
    // In a place of its own: something else than padding comes after it.
    check(Some(PSK), &[seal(5, &[]), class()], &[SENT | I; 2]);
    check(Some(PSK), &[class(), seal(5, &[class()]), seal(5, &[class()])], &[SENT | I; 3]);
    let mut long = class();
    long[3] = 200;
    check(Some(PSK), &[padding(1), long], &[SENT | I, SENT | I | M]);
}

/// RFC 5357 §4.2.1 has the reflector's packet as long as the sender's where its padding can be cut by 27 octets, that
/// is by what the reflector's fields take more; where it cannot, the answer would be the longer one.
#[test]
fn twamp_light_gets_an_answer_of_its_own_length_or_none() {
    for length in (0..200).chain([1400, 9000, 65_507]) {
        let sent: Vec<u8> = (0..length).map(|n| if n < 14 { n as u8 + 1 } else { 0 }).collect();
        let outcome = answer(None, &sent);
        if length < 41 {
            assert_eq!(outcome, Err(Drop::Malformed), "{length} octets");
            continue;
        }
        let answer = outcome.expect("an answer");
        assert_eq!(answer.len(), length);
        assert_eq!(answer[24..38], sent[..14], "the sender's number, time and error estimate");
        assert_eq!(answer[40], 64, "the TTL");
    }
}
