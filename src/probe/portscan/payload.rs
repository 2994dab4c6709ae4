//! What UDP services answer to: the shortest honest question of each protocol. Everybody else gets an empty datagram.

use crate::wire::dns::{self, Name};
use crate::wire::quic::Greeting;
use crate::wire::wp1::{Body, Params, Seal};

/// Appends the question for `port` to `out`. `secret` fills what has to be random.
pub(super) fn write(port: u16, secret: u64, out: &mut Vec<u8>) {
    let id = secret.to_be_bytes();
    match port {
        // RFC 862, 865, 864, 867, 868: anything at all.
        7 | 13 | 17 | 19 | 37 => out.extend(b"\r\n"),
        53 | 5355 => query(secret, ".", dns::NS, out),
        69 => out.extend(b"\0\x01waddleperf\0octet\0"),
        111 => rpc(&id, out),
        123 => ntp(&id, out),
        137 => netbios(&id, out),
        161 | 10_161 => out.extend(SNMP),
        177 => out.extend(b"\0\x01\0\x02\0\x01\0"),
        389 => out.extend(CLDAP),
        427 => out.extend(SLP),
        443 | 80 => quic(&id, out),
        500 | 4500 => ike(port == 4500, &id, out),
        520 => rip(out),
        623 => out.extend(b"\x06\0\xff\x06\0\0\x11\xbe\x80\0\0\0"),
        1194 => openvpn(&id, out),
        1434 => out.push(2),
        1645 | 1812 => radius(&id, out),
        1701 => out.extend(L2TP),
        1900 => out.extend(SSDP),
        2000 => wp1(secret, out),
        2123 | 2152 => out.extend([0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]),
        3283 => out.extend(b"\0\x14\0\0"),
        3478 | 5349 | 19_302 => stun(&id, out),
        3702 => out.extend(WS_DISCOVERY),
        5060 | 5061 => sip(secret, out),
        5351 => out.extend([0, 0]),
        5353 => query(secret, "_services._dns-sd._udp.local", dns::PTR, out),
        5683 => coap(&id, out),
        6881 => out.extend(b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"),
        11_211 => memcached(&id, out),
        27_015 => out.extend(b"\xff\xff\xff\xffTSource Engine Query\0"),
        44_818 => out.extend([0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        47_808 => out.extend(BACNET),
        862 => out.resize(out.len() + 44, 0),
        _ => {}
    }
}

/// A query (RFC 1035 §4.1) for the records of `name` of this `kind`.
fn query(secret: u64, name: &str, kind: u16, out: &mut Vec<u8>) {
    let name = Name::parse(name).expect("our own names are names");
    dns::query((secret >> 48) as u16, &name, kind, out);
}

/// A NULL call of the portmapper (RFC 5531, RFC 1833).
fn rpc(id: &[u8; 8], out: &mut Vec<u8>) {
    out.extend(&id[..4]);
    for word in [0u32, 2, 100_000, 2, 0, 0, 0, 0, 0] {
        out.extend(word.to_be_bytes());
    }
}

/// A client's request, version 4 (RFC 5905 §7.3).
fn ntp(id: &[u8; 8], out: &mut Vec<u8>) {
    out.push(0x23);
    out.resize(out.len() + 39, 0);
    out.extend(id);
}

/// A node status request (RFC 1002 §4.2.17) for the name `*`.
fn netbios(id: &[u8; 8], out: &mut Vec<u8>) {
    out.extend(&id[..2]);
    out.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 32]);
    out.extend(b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0");
    out.extend([0, 0x21, 0, 1]);
}

/// Version negotiation is asked for by a version that nobody has (RFC 9000 §6, §15).
fn quic(id: &[u8; 8], out: &mut Vec<u8>) {
    Greeting { destination: *id, source: *id }.write(1200, out);
}

/// The beginning of a main mode exchange (RFC 2408 §3.1): one proposal that everybody knows.
fn ike(behind_nat: bool, id: &[u8; 8], out: &mut Vec<u8>) {
    if behind_nat {
        // RFC 3948 §2.2: no SPI, so that it is not taken for ESP.
        out.extend([0; 4]);
    }
    out.extend(id);
    out.extend([0; 8]);
    // Security association, version 1.0, main mode, no flags, message 0, length.
    out.extend([1, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 84]);
    out.extend([0, 0, 0, 56, 0, 0, 0, 1, 0, 0, 0, 1]);
    out.extend([0, 0, 0, 44, 1, 1, 0, 1, 0, 0, 0, 36, 1, 1, 0, 0]);
    // AES-CBC, 128 bits, SHA-1, pre-shared key, group 2, seconds, 28,800.
    out.extend([0x80, 1, 0, 7, 0x80, 14, 0, 128, 0x80, 2, 0, 2, 0x80, 3, 0, 1, 0x80, 4, 0, 2]);
    out.extend([0x80, 11, 0, 1, 0x80, 12, 0x70, 0x80]);
}

/// A request for the whole table (RFC 2453 §3.9.1).
fn rip(out: &mut Vec<u8>) {
    out.extend([1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16]);
}

/// `P_CONTROL_HARD_RESET_CLIENT_V2`, without a static key.
fn openvpn(id: &[u8; 8], out: &mut Vec<u8>) {
    out.push(7 << 3);
    out.extend(id);
    out.extend([0, 0, 0, 0, 0]);
}

/// A Status-Server (RFC 5997) that nobody can authenticate: older servers answer or complain.
fn radius(id: &[u8; 8], out: &mut Vec<u8>) {
    out.extend([1, id[0], 0, 20]);
    out.extend(id);
    out.extend(id);
}

/// A hello of our own format (docs/wp1.md), as a client without a key would begin.
fn wp1(nonce: u64, out: &mut Vec<u8>) {
    let params = Params { interval_us: 200_000, duration_ms: 1000, length: 80, dscp: 0, flags: 0 };
    let mut hello = Vec::new();
    Body::Hello(params).write(nonce, 0, &Seal::Cookie([0; 16]), &mut hello);
    out.extend(hello);
}

/// A binding request (RFC 8489 §5).
fn stun(id: &[u8; 8], out: &mut Vec<u8>) {
    out.extend([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0]);
    out.extend(id);
}

/// OPTIONS (RFC 3261 §11).
fn sip(secret: u64, out: &mut Vec<u8>) {
    let text = format!(
        "OPTIONS sip:waddleperf SIP/2.0\r\nVia: SIP/2.0/UDP waddleperf;branch=z9hG4bK{secret:x};rport\r\n\
         From: <sip:waddleperf@localhost>;tag={secret:x}\r\nTo: <sip:waddleperf@localhost>\r\n\
         Call-ID: {secret:x}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContact: <sip:waddleperf@localhost>\r\n\
         Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    );
    out.extend(text.bytes());
}

/// GET /.well-known/core (RFC 7252, RFC 6690).
fn coap(id: &[u8; 8], out: &mut Vec<u8>) {
    out.extend([0x40, 1, id[0], id[1], 0xbb]);
    out.extend(b".well-known\x04core");
}

/// `version`, behind the header that datagrams have.
fn memcached(id: &[u8; 8], out: &mut Vec<u8>) {
    out.extend(&id[..2]);
    out.extend([0, 0, 0, 1, 0, 0]);
    out.extend(b"version\r\n");
}

/// GetRequest for sysDescr.0, version 2c, community `public` (RFC 3416).
const SNMP: &[u8] = b"\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04\x57\x50\x01\x01\x02\x01\0\x02\x01\0\
    \x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0\x05\0";
/// A search of the root's own entry (RFC 1798, RFC 4511).
const CLDAP: &[u8] = b"\x30\x25\x02\x01\x01\x63\x20\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\0\x02\x01\0\x01\x01\0\
    \x87\x0bobjectclass\x30\0";
/// A service type request (RFC 2608 §10.1).
const SLP: &[u8] = b"\x02\x09\0\0\x1d\0\0\0\0\0\x57\x50\0\x02en\0\0\xff\xff\0\x07default";
/// SCCRQ (RFC 2661 §6.1).
const L2TP: &[u8] = b"\xc8\x02\0\x3c\0\0\0\0\0\0\0\0\x80\x08\0\0\0\0\0\x01\x80\x08\0\0\0\x02\x01\0\x80\x0a\0\0\0\x03\0\0\0\x03\
    \x80\x0e\0\0\0\x07waddle01\x80\x08\0\0\0\x09\0\x01";
/// A search (UPnP Device Architecture 1.1 §1.3.2).
const SSDP: &[u8] = b"M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n";
/// A probe for anything (WS-Discovery 1.1 §5.2).
const WS_DISCOVERY: &[u8] = br#"<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action><a:MessageID>urn:uuid:57500101-0000-4000-8000-000000000001</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body><Probe xmlns="http://schemas.xmlsoap.org/ws/2005/04/discovery"/></s:Body></s:Envelope>"#;
/// ReadProperty of the device's name, of whichever instance (ASHRAE 135 §15.5).
const BACNET: &[u8] = b"\x81\x0a\0\x11\x01\x04\0\x05\x01\x0c\x0c\x02\x3f\xff\xff\x19\x4d";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::wp1::Packet;

    fn of(port: u16) -> Vec<u8> {
        let mut out = Vec::new();
        write(port, 0x0123_4567_89ab_cdef, &mut out);
        out
    }

    /// The lengths that the formats themselves carry.
    #[test]
    fn what_carries_its_length_carries_the_right_one() {
        let word = |bytes: &[u8], at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        assert_eq!(usize::from(SNMP[1]) + 2, SNMP.len());
        assert_eq!(usize::from(CLDAP[1]) + 2, CLDAP.len());
        assert_eq!(usize::from(SLP[4]), SLP.len());
        assert_eq!(word(L2TP, 2), L2TP.len());
        assert_eq!(word(BACNET, 2), BACNET.len());
        assert_eq!(word(&of(1812), 2), of(1812).len());
        assert_eq!(word(&of(500), 26), of(500).len());
        assert_eq!(word(&of(3478), 2) + 20, of(3478).len());
        assert_eq!((of(123).len(), of(443).len(), of(137).len(), of(520).len()), (48, 1200, 50, 24));
    }

    #[test]
    fn our_own_hello_is_one() {
        assert!(Packet::parse(&of(2000)).is_some());
    }

    #[test]
    fn whatever_is_not_known_is_asked_without_words() {
        assert!(of(9999).is_empty());
        assert!((0..=u16::MAX).all(|port| of(port).len() <= 1232), "no datagram is cut on any path of IPv6");
    }
}
