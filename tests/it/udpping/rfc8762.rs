//! A second STAMP, written from RFC 8762 and RFC 8972 alone and sharing no code with the product's: both of its ends
//! talk to ours, open and authenticated, over a lab node's loopback.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::SystemTime;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use nix::sys::socket::{setsockopt, sockopt};

use super::serving::{STAMP, Serving, number, ping};
use crate::lab::{Lab, Units, alone};

const SECRET: &[u8] = b"two implementations, one key";
const BOTH: [Option<&[u8]>; 2] = [None, Some(SECRET)];

/// Offsets in a packet of one of the two modes (RFC 8762 §4.2, §4.3; the SSID: RFC 8972 §3).
struct Mode {
    length: usize,
    time: usize,
    ssid: usize,
    received: usize,
    sender_seq: usize,
    sender_time: usize,
    ttl: usize,
}

const UNAUTHENTICATED: Mode =
    Mode { length: 44, time: 4, ssid: 14, received: 16, sender_seq: 24, sender_time: 28, ttl: 40 };
const AUTHENTICATED: Mode =
    Mode { length: 112, time: 16, ssid: 26, received: 32, sender_seq: 48, sender_time: 64, ttl: 80 };

fn mode(secret: Option<&[u8]>) -> &'static Mode {
    if secret.is_some() { &AUTHENTICATED } else { &UNAUTHENTICATED }
}

fn mac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, secret), &parts.concat()).as_ref()[..16].to_vec()
}

/// The 64-bit NTP timestamp of now (RFC 5905 §6).
#[expect(clippy::disallowed_methods, reason = "the other implementation has a clock of its own")]
fn ntp_now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let fraction = (f64::from(now.subsec_nanos()) / 1e9 * 4_294_967_296.0) as u64;
    (now.as_secs() + 2_208_988_800) << 32 | fraction
}

fn number_at(bytes: &[u8], at: usize, octets: usize) -> u64 {
    bytes[at..at + octets].iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

/// Type, flags and value of each TLV (RFC 8972 §4: flags, type, length, value).
fn tlvs(mut bytes: &[u8]) -> Vec<(u8, u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let [flags, kind, high, low, rest @ ..] = bytes {
        let (value, behind) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        found.push((*kind, *flags, value.to_vec()));
        bytes = behind;
    }
    found
}

fn tlv(kind: u8, flags: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("a short value").to_be_bytes();
    [&[flags, kind], &length[..], value].concat()
}

/// A session-sender's packet.
fn request(secret: Option<&[u8]>, seq: u32, ssid: u16, extra: &[Vec<u8>]) -> Vec<u8> {
    let mode = mode(secret);
    let mut packet = vec![0; mode.length];
    packet[..4].copy_from_slice(&seq.to_be_bytes());
    packet[mode.time..mode.time + 8].copy_from_slice(&ntp_now().to_be_bytes());
    packet[mode.time + 8..mode.time + 10].copy_from_slice(&0x0a01_u16.to_be_bytes());
    packet[mode.ssid..mode.ssid + 2].copy_from_slice(&ssid.to_be_bytes());
    let extra = extra.concat();
    if let Some(secret) = secret {
        let tag = mac(secret, &[&packet[..96]]);
        packet[96..].copy_from_slice(&tag);
        packet.extend(&extra);
        if !extra.is_empty() {
            packet.extend(tlv(8, 0x80, &mac(secret, &[&seq.to_be_bytes(), &extra])));
        }
    } else {
        packet.extend(&extra);
    }
    packet
}

/// A session-reflector: stateful if it counts for itself, with the TLVs of RFC 8972 if it knows them.
struct Reflector<'a> {
    secret: Option<&'a [u8]>,
    extended: bool,
    received: u32,
    reflected: u32,
}

impl Reflector<'_> {
    fn reflect(&mut self, request: &[u8], received: u64, tos: u8) -> Vec<u8> {
        let mode = mode(self.secret);
        if let Some(secret) = self.secret {
            assert_eq!(request[96..112], mac(secret, &[&request[..96]]), "our sender's HMAC");
        }
        let mut reply = vec![0; mode.length];
        let mut put = |at: usize, octets: &[u8]| reply[at..at + octets.len()].copy_from_slice(octets);
        put(0, &self.reflected.to_be_bytes());
        put(mode.time + 8, &0x0c01_u16.to_be_bytes());
        if self.extended {
            put(mode.ssid, &request[mode.ssid..mode.ssid + 2]);
        }
        put(mode.received, &received.to_be_bytes());
        put(mode.sender_seq, &request[..4]);
        put(mode.sender_time, &request[mode.time..mode.time + 10]);
        put(mode.ttl, &[64]);
        put(mode.time, &ntp_now().to_be_bytes());
        self.received += 1;
        self.reflected += 1;
        if let Some(secret) = self.secret {
            let tag = mac(secret, &[&reply[..96]]);
            reply[96..].copy_from_slice(&tag);
        }
        if self.extended {
            let back = self.answer(&request[..4], &request[mode.length..], tos);
            reply.extend(back);
        } else {
            reply.extend(&request[mode.length..]);
        }
        reply
    }

    fn answer(&self, seq: &[u8], sent: &[u8], tos: u8) -> Vec<u8> {
        let mut back = Vec::new();
        for (kind, flags, mut value) in tlvs(sent) {
            assert_eq!(flags, 0x80, "a sender sets the U flag and no other (RFC 8972 §4)");
            match (kind, self.secret) {
                (1, _) => {}
                (4, _) => {
                    value[0] |= tos >> 6;
                    value[1] = tos >> 2 << 4 | (tos & 3) << 2;
                }
                (5, _) => {
                    value[4..8].copy_from_slice(&self.received.to_be_bytes());
                    value[8..12].copy_from_slice(&self.reflected.to_be_bytes());
                }
                (8, Some(secret)) => {
                    let before = &sent[..sent.len() - 20];
                    assert_eq!(value, mac(secret, &[seq, before]), "our sender's HMAC TLV");
                    value = mac(secret, &[&(self.reflected - 1).to_be_bytes(), &back]);
                }
                _ => panic!("our sender used TLV {kind}"),
            }
            back.extend(tlv(kind, 0, &value));
        }
        back
    }
}

fn socket(lab: &Lab) -> UdpSocket {
    let socket = lab.server().run(|| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))).expect("a socket");
    socket.set_read_timeout(Some(100.ms())).expect("a timeout");
    socket
}

/// Runs our sender against the other reflector, which does not hear every `deaf`-th packet and does not answer every
/// `mute`-th it hears; checks what ours reports.
fn check_our_sender(secret: Option<&[u8]>, extended: bool, deaf: u32, mute: u32) {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let socket = socket(&lab);
    let port = socket.local_addr().expect("an address").port();
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), SECRET).expect("written");
    let key = secret.map_or_else(String::new, |_| format!("--key-file {}", key.path().display()));
    let options =
        format!("-c 100 -i 2ms -W 2 -s 200 --catch-up --protocol stamp -p {port} {key} --assume-synced");
    let done = AtomicBool::new(false);
    let (report, heard, answered) = thread::scope(|scope| {
        let reflecting = scope.spawn(|| {
            let mut reflector = Reflector { secret, extended, received: 0, reflected: 0 };
            let (mut buffer, mut arrived) = ([0; 2048], 0);
            while !done.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let received = ntp_now();
                arrived += 1;
                // The last ones get through, so that everything is told.
                let hits = |every: u32| every > 0 && arrived % every == 0 && arrived < 98;
                if hits(deaf) {
                    continue;
                }
                let reply = reflector.reflect(&buffer[..length], received, 0);
                assert_eq!(reply.len(), length, "the packets are symmetrical");
                if !hits(mute) {
                    socket.send_to(&reply, from).expect("sent");
                }
            }
            assert_eq!(arrived, 100);
            let muted = (1..98).filter(|n| mute > 0 && n % mute == 0 && !(deaf > 0 && n % deaf == 0)).count();
            (u64::from(reflector.received), u64::from(reflector.received) - muted as u64)
        });
        let report = ping(lab.server(), Ipv4Addr::LOCALHOST, &options);
        done.store(true, Ordering::Relaxed);
        let (heard, answered) = reflecting.join().expect("the reflector finds nothing wrong");
        (report, heard, answered)
    });
    assert_eq!(number(&report, "/counts/received"), answered, "{report}");
    assert_eq!(number(&report, "/up/ttl"), 64);
    let rtt = report["rtt"]["p50_ms"].as_f64().expect("replies");
    assert!(rtt > 0.0 && rtt < 5.0, "{report}");
    let delays = ["up", "down"].map(|name| report[name]["delay"]["p50_ms"].as_f64().expect("a delay"));
    assert!(delays.iter().all(|delay| (-1.0..5.0).contains(delay)), "the clocks are one: {report}");
    // A reflector that never fell behind may be one that does not count.
    if extended || heard < 100 {
        let told = ["/up/lost", "/down/lost", "/lost_unknown"].map(|pointer| number(&report, pointer));
        assert_eq!(told, [100 - heard, heard - answered, 0], "{report}");
    }
}

#[test]
fn our_sender_agrees_with_another_reflector() {
    for secret in BOTH {
        check_our_sender(secret, true, 0, 0);
        check_our_sender(secret, true, 7, 11);
    }
}

#[test]
fn our_sender_agrees_with_a_reflector_that_knows_rfc_8762_alone() {
    check_our_sender(None, false, 0, 0);
    check_our_sender(None, false, 7, 0);
}

/// Serves STAMP with or without the secret.
fn serve(lab: &Lab, secret: Option<&[u8]>) -> (Serving, tempfile::NamedTempFile) {
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), SECRET).expect("written");
    let settings = secret.map_or_else(String::new, |_| format!("key_file = {:?}\n", key.path()));
    (Serving::with(lab.server(), &settings), key)
}

/// What our reflector answers, or nothing within 100 ms.
fn exchange(socket: &UdpSocket, request: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = [0; 2048];
    socket.send_to(request, (Ipv4Addr::LOCALHOST, STAMP)).expect("sent");
    match socket.recv(&mut buffer) {
        Ok(length) => Some(buffer[..length].to_vec()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("receive: {error}"),
    }
}

#[test]
fn our_reflector_answers_another_sender_field_by_field() {
    for secret in BOTH {
        let lab = Lab::line(0).build();
        let (_serving, _key) = serve(&lab, secret);
        let (socket, mode) = (socket(&lab), mode(secret));
        // Every third number is skipped, as if lost: the reflector's own number does not skip.
        for (n, seq) in (0..20_u32).filter(|seq| seq % 3 != 2).enumerate() {
            let sent = request(secret, seq, 0x1234, &[]);
            let reply = exchange(&socket, &sent).expect("an answer");
            let now = ntp_now();
            assert_eq!(reply.len(), sent.len());
            assert_eq!(number_at(&reply, 0, 4), n as u64, "a stateful reflector counts");
            assert_eq!(number_at(&reply, mode.ssid, 2), 0x1234);
            assert_eq!(number_at(&reply, mode.sender_seq, 4), u64::from(seq));
            let sender_time = mode.sender_time..mode.sender_time + 10;
            assert_eq!(reply[sender_time], sent[mode.time..mode.time + 10], "time and error estimate");
            assert_eq!(reply[mode.ttl], 64);
            let times = [mode.received, mode.time].map(|at| number_at(&reply, at, 8));
            let begin = number_at(&sent, mode.time, 8);
            // The two clocks are one; a conversion may round by a unit of 0.2 ns.
            assert!(
                begin <= times[0] + 8 && times[0] <= times[1] && times[1] <= now + 8,
                "{begin} {times:?} {now}"
            );
            assert_ne!(number_at(&reply, mode.time + 8, 2) & 0xff, 0, "a multiplier of zero is illegal");
            assert_eq!(number_at(&reply, mode.time + 8, 2) & 0x4000, 0, "NTP format");
            if let Some(secret) = secret {
                assert_eq!(reply[96..112], mac(secret, &[&reply[..96]]));
                let zeroes = [4..16, 28..32, 40..48, 52..64, 74..80, 81..96];
                assert!(zeroes.into_iter().flatten().all(|at| reply[at] == 0), "{reply:?}");
            }
        }
    }
}

#[test]
fn our_reflector_handles_the_tlvs_of_rfc_8972() {
    const EF: u8 = 46;
    for secret in BOTH {
        let lab = Lab::line(0).build();
        let (_serving, _key) = serve(&lab, secret);
        let (socket, mode) = (socket(&lab), mode(secret));
        setsockopt(&socket, sockopt::Ipv4Tos, &i32::from(EF << 2 | 1)).expect("a type of service");
        let direct = [7_u32.to_be_bytes(), [0; 4], [0; 4]].concat();
        let sent = [
            tlv(1, 0x80, &[0; 9]),
            tlv(4, 0x80, &[10 << 2, 0, 0, 0]),
            tlv(5, 0x80, &direct),
            tlv(200, 0x80, b"?"),
        ];
        let sent = request(secret, 0, 1, &sent);
        let reply = exchange(&socket, &sent).expect("an answer");
        assert_eq!(reply.len(), sent.len());
        let back = tlvs(&reply[mode.length..]);
        assert_eq!(back[0], (1, 0, vec![0; 9]));
        assert_eq!(back[1], (4, 0, vec![10 << 2 | EF >> 4, EF << 4 | 1 << 2, 0, 0]));
        assert_eq!(back[2], (5, 0, [7_u32, 1, 1].map(u32::to_be_bytes).concat()));
        assert_eq!(back[3], (200, 0x80, b"?".to_vec()), "what it does not know it flags");
        if let Some(secret) = secret {
            let before = &reply[mode.length..reply.len() - 20];
            assert_eq!(back[4], (8, 0, mac(secret, &[&reply[..4], before])));
        }
        let mut malformed = request(secret, 1, 1, &[]);
        malformed.extend([0x80, 1, 0xff, 0xff, 0]);
        let reply = exchange(&socket, &malformed).expect("an answer");
        assert_eq!(reply[mode.length] & 0x40, 0x40, "its length leads beyond the packet");
    }
}

#[test]
fn our_reflector_keeps_silent_where_the_hmac_is_wrong() {
    let lab = Lab::line(0).build();
    let (_serving, _key) = serve(&lab, Some(SECRET));
    let socket = socket(&lab);
    assert!(exchange(&socket, &request(Some(SECRET), 0, 1, &[])).is_some());
    for wrong in [request(Some(b"another"), 1, 1, &[]), request(None, 1, 1, &[]), {
        let mut packet = request(Some(SECRET), 1, 1, &[]);
        packet[20] ^= 1;
        packet
    }] {
        assert_eq!(exchange(&socket, &wrong), None);
    }
}
