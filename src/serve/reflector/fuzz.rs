//! What the fuzz target and a property test share: an attacker's script against two reflectors.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Reflector, Request, Service, UdpPingSettings};
use crate::units::{Now, Span};
use crate::wire::stamp::{self, ErrorEstimate, KEYED, OPEN, Sender};
use crate::wire::wp1::{Body, Cookie, Direction, Kind, Packet, Params, Seal};

const SESSIONS: u32 = 4;
const PARAMS: Params = Params { interval_us: 0, duration_ms: 1000, length: 80, dscp: 0, flags: 0 };

/// What an attacker knows: the last answers that he saw.
struct Attacker<'a> {
    psk: Option<&'a [u8]>,
    cookie: Cookie,
    granted: Params,
    session: u64,
    last: Vec<u8>,
}

/// Reads `script` as the moves of an attacker and plays them: no answer is longer than its request, none is answered
/// by another reflector, and the table keeps its bound.
pub fn fuzz_answer(script: &[u8]) {
    let Some((&[mode], mut script)) = script.split_first_chunk() else { return };
    let psk = (mode & 1 != 0).then_some(b"a shared secret".as_slice());
    let legacy = mode & 2 != 0;
    let settings = UdpPingSettings { sessions: SESSIONS, legacy, ..UdpPingSettings::default() };
    let mut now = crate::sys::clock::now();
    let [mut first, mut second] = [(); 2].map(|()| Reflector::new(&settings, psk, vec![2000], now));
    let mut attacker = Attacker { psk, cookie: [0; 16], granted: PARAMS, session: 0, last: Vec::new() };
    while let Some((&[what, from, at, mask, wait], rest)) = script.split_first_chunk() {
        let length = usize::from(at).min(rest.len());
        let mut bytes = attacker.packet(what, &rest[..length], now);
        if let Some(octet) = (what & 8 != 0).then_some(()).and(bytes.get_mut(usize::from(at))) {
            *octet ^= mask;
        }
        let service = if what & 16 == 0 { Service::UdpPing } else { Service::Stamp };
        let from = SocketAddr::new(SOURCES[usize::from(from) % SOURCES.len()], 2000 + u16::from(from));
        let request =
            Request { service, bytes: &bytes, from, stamp: Some(now.wall), ttl: None, tos: Some(mask) };
        if let Some(answer) = answer(&mut first, now, &request) {
            let from = SocketAddr::new(SOURCES[1], 3000);
            let again = Request { bytes: &answer, from, ..request };
            let echo = service == Service::UdpPing && legacy && !bytes.starts_with(&[0x57, 0x50, 1]);
            assert!(echo || answer_is_silence(&mut second, now, &again), "a reply is never answered");
            attacker.learn(answer);
        }
        now = now.after(Duration::from_millis(u64::from(wait) * u64::from(wait)));
        first.tick(now, ErrorEstimate::default());
        assert!(first.wp1.sessions() <= SESSIONS as usize, "the table keeps its bound");
        script = &rest[length..];
    }
    now = now.after(Duration::from_secs(1000)).after(Span::secs(60).0);
    first.tick(now, ErrorEstimate::default());
    assert_eq!(first.sessions(), 0, "idle sessions expire");
}

const SOURCES: [IpAddr; 4] = {
    use std::net::{Ipv4Addr, Ipv6Addr};
    [
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x0a00, 1)),
    ]
};

fn answer(reflector: &mut Reflector, now: Now, request: &Request<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let answered = reflector.answer(&|| now, request, &mut out).is_ok();
    assert!(!answered || out.len() <= request.bytes.len(), "no answer is longer than its request");
    answered.then_some(out)
}

fn answer_is_silence(reflector: &mut Reflector, now: Now, request: &Request<'_>) -> bool {
    answer(reflector, now, request).is_none()
}

impl Attacker<'_> {
    fn packet(&self, what: u8, raw: &[u8], now: Now) -> Vec<u8> {
        let seal = |cookie, session| Seal::new(self.psk, cookie, session, Direction::Up);
        let open = seal(&self.cookie, self.session);
        let mut out = Vec::new();
        match what & 7 {
            0 => Body::Hello(PARAMS).write(7, 0, &seal(&[0; 16], 7), &mut out),
            1 => Body::Open(self.cookie, self.granted).write(0, 0, &seal(&self.cookie, 0), &mut out),
            2 => Body::Echo(1, raw.len()).write(self.session, u32::from(what), &open, &mut out),
            3 => Body::Close.write(self.session, 0, &open, &mut out),
            4 => {
                let layout = if self.psk.is_some() { KEYED } else { OPEN };
                let sender =
                    Sender { seq: raw.len() as u32, time: stamp::ntp(now.wall), ..Sender::default() };
                stamp::write(layout, &sender, None, &mut out);
                stamp::seal(layout, self.psk.map(stamp::key).as_ref(), &mut out);
                out.extend(raw);
            }
            5 => out.extend(&self.last),
            _ => out.extend(raw),
        }
        out
    }

    fn learn(&mut self, answer: Vec<u8>) {
        match Packet::parse(&answer) {
            Some(packet) if packet.kind == Kind::Cookie => {
                (self.cookie, self.granted) = (packet.cookie(), packet.params());
            }
            Some(packet) if packet.kind == Kind::Opened => self.session = packet.session,
            _ => {}
        }
        self.last = answer;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn no_attacker_gets_more_than_he_sends_or_starts_a_loop(
            script in prop::collection::vec(any::<u8>(), 0..600)
        ) {
            super::fuzz_answer(&script);
        }

        #[test]
        fn nor_does_one_who_knows_the_protocol(
            mode in 0u8..4,
            moves in prop::collection::vec((0u8..32, 0u8..8, 0u8..120, any::<u8>(), 0u8..20), 0..40),
        ) {
            let mut script = vec![mode];
            for (what, from, at, mask, wait) in moves {
                script.extend([what, from, at, mask, wait]);
                script.extend(std::iter::repeat_n(mask, usize::from(at)));
            }
            super::fuzz_answer(&script);
        }
    }
}
