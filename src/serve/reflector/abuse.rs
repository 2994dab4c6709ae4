//! What must get no answer, one test for each [`Drop`]: it is counted under its reason and no other, and what is
//! answered is never longer than what came, never faster than the limit. All in virtual time.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::limit::STAMP_SESSIONS;
use super::{Counters, Drop, Limits, Reflector, Request, Service, UdpPingSettings, bounded};
use crate::units::Now;
use crate::wire::stamp::{self, ErrorEstimate, KEYED, OPEN, Received, Sender};
use crate::wire::wp1::{Body, Cookie, Kind, Packet, Params, Seal};

const PARAMS: Params = Params { interval_us: 10_000, duration_ms: 1000, length: 80, dscp: 0, flags: 0 };
const PSK: Option<&[u8]> = Some(b"a shared secret");
const NOBODY: Cookie = [0; 16];

fn unlimited() -> UdpPingSettings {
    let rate = 1_000_000;
    UdpPingSettings {
        rate_per_source: rate,
        rate_total: rate,
        rate_per_key: rate,
        ..UdpPingSettings::default()
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A reflector with its counters, as a thread has them, and the time that it is told.
struct Desk {
    reflector: Reflector,
    counters: Counters,
    now: Now,
    psk: Option<&'static [u8]>,
}

/// An open session, as its client knows it.
#[derive(Clone, Copy, Debug)]
struct Session {
    from: SocketAddr,
    cookie: Cookie,
    granted: Params,
    id: u64,
}

impl Desk {
    fn new(settings: &UdpPingSettings, psk: Option<&'static [u8]>) -> Self {
        let [desk] = Self::threads(settings, psk);
        desk
    }

    /// The desks of some threads of one server.
    fn threads<const N: usize>(settings: &UdpPingSettings, psk: Option<&'static [u8]>) -> [Self; N] {
        let now = crate::sys::clock::now();
        let limits = Arc::new(Limits::new(settings, now.mono));
        [(); N].map(|()| {
            let reflector = Reflector::sharing(&limits, settings, psk, vec![2000, 862], now);
            Self { reflector, counters: Counters::default(), now, psk }
        })
    }

    fn send(&mut self, service: Service, from: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, Drop> {
        let request =
            Request { service, bytes, from, stamp: Some(self.now.wall), ttl: Some(64), tos: Some(0) };
        let mut out = Vec::new();
        let now = self.now;
        let outcome = self.reflector.answer(&|| now, &request, &mut out);
        self.counters.count(outcome.map(|_| ()));
        outcome.map(|_| {
            assert!(out.len() <= bytes.len(), "{} octets for {}", out.len(), bytes.len());
            out
        })
    }

    fn ping(&mut self, from: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, Drop> {
        self.send(Service::UdpPing, from, bytes)
    }

    fn pass(&mut self, span: Duration) {
        self.now = self.now.after(span);
        self.reflector.tick(self.now, ErrorEstimate::default());
    }

    fn packet(&self, body: Body, session: u64, cookie: &Cookie) -> Vec<u8> {
        let mut out = Vec::new();
        body.write(session, 0, &Seal::new(self.psk, cookie, session, body.kind().direction()), &mut out);
        out
    }

    fn hello(&mut self, from: SocketAddr) -> Result<(Cookie, Params), Drop> {
        let hello = self.packet(Body::Hello(PARAMS), 7, &NOBODY);
        let answer = self.ping(from, &hello)?;
        let packet = Packet::parse(&answer).expect("a packet");
        assert_eq!(packet.kind, Kind::Cookie);
        Ok((packet.cookie(), packet.params()))
    }

    fn open(&mut self, from: SocketAddr, cookie: Cookie, granted: Params) -> Result<Session, Drop> {
        let open = self.packet(Body::Open(cookie, granted), 0, &cookie);
        let answer = self.ping(from, &open)?;
        let packet = Packet::parse(&answer).expect("a packet");
        assert_eq!(packet.kind, Kind::Opened);
        Ok(Session { from, cookie, granted, id: packet.session })
    }

    fn session(&mut self, from: &str) -> Session {
        let from = address(from);
        let (cookie, granted) = self.hello(from).expect("a cookie");
        self.open(from, cookie, granted).expect("a session")
    }

    fn echo(&mut self, session: &Session) -> Result<Vec<u8>, Drop> {
        let echo = self.packet(Body::Echo(1, 80), session.id, &session.cookie);
        self.ping(session.from, &echo)
    }

    /// A STAMP packet of the desk's mode.
    fn stamp(&self, received: Option<&Received>) -> Vec<u8> {
        self.numbered(0, received)
    }

    fn numbered(&self, seq: u32, received: Option<&Received>) -> Vec<u8> {
        let layout = if self.psk.is_some() { KEYED } else { OPEN };
        let sender = Sender { seq, time: stamp::ntp(self.now.wall), ..Sender::default() };
        let mut out = Vec::new();
        stamp::write(layout, &sender, received, &mut out);
        stamp::seal(layout, self.psk.map(stamp::key).as_ref(), &mut out);
        out
    }

    /// The reflector's own number in its answer to STAMP packet `seq`.
    fn reflected(&mut self, from: SocketAddr, seq: u32) -> u32 {
        let packet = self.numbered(seq, None);
        let answer = self.send(Service::Stamp, from, &packet).expect("an answer");
        u32::from_be_bytes([answer[0], answer[1], answer[2], answer[3]])
    }

    /// Sends what must earn silence for the reason `why`, and looks that nothing else was counted.
    #[track_caller]
    fn refuses(&mut self, why: Drop, service: Service, from: SocketAddr, bytes: &[u8]) {
        let before = self.counted();
        let outcome = self.send(service, from, bytes);
        assert_eq!(outcome, Err(why), "{from}: {bytes:02x?}");
        let mut expected = before;
        expected[1 + why as usize] += 1;
        assert_eq!(self.counted(), expected, "counted once, under its reason");
    }

    /// Answers, then drops by reason.
    fn counted(&self) -> [u64; 10] {
        let mut counted = [0; 10];
        counted[0] = self.counters.answered();
        for why in EVERY {
            counted[1 + why as usize] = self.counters.dropped(why);
        }
        counted
    }
}

const EVERY: [Drop; 9] = [
    Drop::Malformed,
    Drop::Reply,
    Drop::Port,
    Drop::Address,
    Drop::Tag,
    Drop::Session,
    Drop::Rate,
    Drop::Full,
    Drop::Longer,
];

const CLIENT: &str = "192.0.2.1:40000";

#[test]
fn what_is_no_packet_is_malformed() {
    for psk in [None, PSK] {
        let mut desk = Desk::new(&unlimited(), psk);
        let hello = desk.packet(Body::Hello(PARAMS), 7, &NOBODY);
        let resized = |length: usize| {
            let mut bytes = hello.clone();
            bytes.resize(length, 0);
            bytes
        };
        let changed = |at: usize, octet: u8| {
            let mut bytes = hello.clone();
            bytes[at] = octet;
            bytes
        };
        let mut rows: Vec<Vec<u8>> = [0, 1, 2, 3, 4, 15, 16, 63, 65, 1400, 65_507].map(resized).into();
        // Another version, another type; an echo that leaves no room for its answer; no WP1 at all.
        rows.extend([changed(2, 2), changed(3, 0), changed(3, 5), changed(3, 0x7f)]);
        rows.push({
            let mut echo = desk.packet(Body::Echo(1, 80), 1, &NOBODY);
            echo.truncate(79);
            echo
        });
        rows.extend([b"WADDLE-PING".to_vec(), vec![0xff; 64], desk.stamp(None)]);
        for bytes in rows {
            desk.refuses(Drop::Malformed, Service::UdpPing, address(CLIENT), &bytes);
        }
        let least = if psk.is_some() { KEYED.base } else { stamp::TWAMP };
        let whole = desk.stamp(None);
        for length in 0..least {
            desk.refuses(Drop::Malformed, Service::Stamp, address(CLIENT), &whole[..length.min(whole.len())]);
        }
    }
}

#[test]
fn a_plain_echo_is_malformed_unless_it_is_allowed_short_and_from_a_private_source() {
    let mut desk = Desk::new(&unlimited(), None);
    desk.refuses(Drop::Malformed, Service::UdpPing, address("127.0.0.1:40000"), b"PING");
    let mut desk = Desk::new(&UdpPingSettings { legacy: true, ..unlimited() }, None);
    assert_eq!(desk.ping(address("127.0.0.1:40000"), b"PING").as_deref(), Ok(b"PING".as_slice()));
    assert_eq!(desk.ping(address("127.0.0.1:40000"), &[7; 1024]).map(|answer| answer.len()), Ok(1024));
    for (from, bytes) in [("127.0.0.1:40000", &[7; 1025][..]), ("127.0.0.1:40000", &[]), (CLIENT, b"PING")] {
        desk.refuses(Drop::Malformed, Service::UdpPing, address(from), bytes);
    }
}

#[test]
fn an_answer_is_a_reply_and_never_answered() {
    for psk in [None, PSK] {
        let mut desk = Desk::new(&unlimited(), psk);
        let session = desk.session(CLIENT);
        let mut answers = Vec::new();
        let hello = desk.packet(Body::Hello(PARAMS), 7, &NOBODY);
        answers.push(desk.ping(session.from, &hello).expect("a cookie"));
        let open = desk.packet(Body::Open(session.cookie, session.granted), 0, &session.cookie);
        answers.push(desk.ping(session.from, &open).expect("opened"));
        answers.push(desk.echo(&session).expect("echoed"));
        let close = desk.packet(Body::Close, session.id, &session.cookie);
        answers.push(desk.ping(session.from, &close).expect("closed"));
        for answer in answers {
            desk.refuses(Drop::Reply, Service::UdpPing, address(CLIENT), &answer);
        }
        let request = desk.stamp(None);
        let answer = desk.send(Service::Stamp, address(CLIENT), &request).expect("an answer");
        desk.refuses(Drop::Reply, Service::Stamp, address("192.0.2.2:40000"), &answer);
        // Nor is one of a reflector whose clock is another: it gives both times itself.
        desk.now.wall += 3_600_000_000_000;
        let foreign = desk.stamp(Some(&Received { time: stamp::ntp(desk.now.wall), ..Received::default() }));
        desk.now.wall -= 3_600_000_000_000;
        desk.refuses(Drop::Reply, Service::Stamp, address(CLIENT), &foreign);
    }
    let mut desk = Desk::new(&unlimited(), None);
    let answer = desk.send(Service::Stamp, address(CLIENT), &desk.stamp(None)[..41]).expect("TWAMP Light");
    desk.refuses(Drop::Reply, Service::Stamp, address("192.0.2.2:40000"), &answer);
}

#[test]
fn a_port_that_no_client_uses_is_never_answered() {
    let mut desk = Desk::new(&UdpPingSettings { legacy: true, ..unlimited() }, None);
    let hello = desk.packet(Body::Hello(PARAMS), 7, &NOBODY);
    for port in [0, 7, 17, 19, 53, 123, 161, 389, 862, 1023, 2000] {
        for (service, bytes) in [
            (Service::UdpPing, hello.clone()),
            (Service::UdpPing, b"PING".to_vec()),
            (Service::Stamp, desk.stamp(None)),
        ] {
            desk.refuses(Drop::Port, service, SocketAddr::new([10, 0, 0, 1].into(), port), &bytes);
        }
    }
    for port in [1024, 1999, 2001, 65_535] {
        assert!(desk.ping(SocketAddr::new([10, 0, 0, 1].into(), port), &hello).is_ok(), "{port}");
    }
}

#[test]
fn an_address_that_is_not_one_hosts_is_never_answered() {
    let mut desk = Desk::new(&unlimited(), None);
    let hello = desk.packet(Body::Hello(PARAMS), 7, &NOBODY);
    for source in [
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "ff02::1",
        "ff0e::2",
        "::ffff:224.0.0.1",
        "::ffff:255.255.255.255",
    ] {
        let source: IpAddr = source.parse().expect("an address");
        desk.refuses(Drop::Address, Service::UdpPing, SocketAddr::new(source, 40_000), &hello);
        let stamp = desk.stamp(None);
        desk.refuses(Drop::Address, Service::Stamp, SocketAddr::new(source, 40_000), &stamp);
    }
}

#[test]
fn a_wrong_proof_is_a_tag() {
    let other = address("192.0.2.1:40001");
    for psk in [None, PSK] {
        let mut desk = Desk::new(&unlimited(), psk);
        let from = address(CLIENT);
        let (cookie, granted) = desk.hello(from).expect("a cookie");
        let forged = desk.packet(Body::Open([7; 16], granted), 0, &[7; 16]);
        desk.refuses(Drop::Tag, Service::UdpPing, from, &forged);
        let wider = Params { interval_us: 1, ..granted };
        let wider = desk.packet(Body::Open(cookie, wider), 0, &cookie);
        desk.refuses(Drop::Tag, Service::UdpPing, from, &wider);
        // The cookie of one address and port is worth nothing at another: a replay, or a spoofed source.
        let replayed = desk.packet(Body::Open(cookie, granted), 0, &cookie);
        for thief in [other, address("198.51.100.9:40000"), address("[2001:db8::1]:40000")] {
            desk.refuses(Drop::Tag, Service::UdpPing, thief, &replayed);
        }
        let session = desk.open(from, cookie, granted).expect("a session");
        for body in [Body::Echo(1, 80), Body::Echo(1, 1400), Body::Close] {
            let whole = desk.packet(body, session.id, &cookie);
            for at in [whole.len() - 1, whole.len() - 16] {
                let mut wrong = whole.clone();
                wrong[at] ^= 1;
                desk.refuses(Drop::Tag, Service::UdpPing, from, &wrong);
            }
        }
        assert_eq!(desk.reflector.sessions(), 1);
    }
    let mut desk = Desk::new(&unlimited(), PSK);
    let mut hello = desk.packet(Body::Hello(PARAMS), 7, &NOBODY);
    hello[20] ^= 1;
    desk.refuses(Drop::Tag, Service::UdpPing, other, &hello);
    let mut bytes = desk.stamp(None);
    bytes[0] ^= 1;
    desk.refuses(Drop::Tag, Service::Stamp, other, &bytes);
}

#[test]
fn a_session_of_nobody_or_of_another_address_is_no_session() {
    for psk in [None, PSK] {
        let mut desk = Desk::new(&unlimited(), psk);
        let session = desk.session(CLIENT);
        for body in [Body::Echo(1, 80), Body::Close] {
            let unknown = desk.packet(body, session.id ^ 1, &session.cookie);
            desk.refuses(Drop::Session, Service::UdpPing, session.from, &unknown);
            // What somebody on the path saw and sends in another's name, or in his own.
            let seen = desk.packet(body, session.id, &session.cookie);
            for from in ["192.0.2.1:40001", "198.51.100.9:40000", "[2001:db8::1]:40000"] {
                desk.refuses(Drop::Session, Service::UdpPing, address(from), &seen);
            }
        }
        assert!(desk.echo(&session).is_ok(), "its own address is served on");
        desk.pass(Duration::from_secs(61));
        let echo = desk.packet(Body::Echo(1, 80), session.id, &session.cookie);
        desk.refuses(Drop::Session, Service::UdpPing, session.from, &echo);
    }
}

/// What a flood of one kind gets answered in `seconds`, ten times as much being sent as the limit allows.
fn answered(seconds: u32, limit: u32, desk: &mut Desk, mut send: impl FnMut(&mut Desk, u32) -> bool) -> u32 {
    let mut through = 0;
    for n in 0..10 * limit * seconds {
        through += u32::from(send(desk, n));
        desk.now = desk.now.after(Duration::from_secs(1) / (10 * limit));
    }
    through
}

#[test]
fn what_is_over_a_rate_is_dropped_and_never_more_gets_through() {
    let settings = UdpPingSettings { legacy: true, rate_total: 200, ..UdpPingSettings::default() };
    let private = address("10.0.0.1:40000");
    // A limit lets 0.4 s worth through at once, and a thousandth more than its rate.
    let most = |rate: u32, seconds: u32| rate * seconds + rate * 2 / 5 + rate * seconds / 1000 + 1;
    let check = |name: &str, through: u32, desk: &Desk, rate: u32| {
        assert!((rate * 10..=most(rate, 10)).contains(&through), "{name}: {through} of {rate}/s in 10 s");
        let counted = desk.counted();
        assert!(counted[1 + Drop::Rate as usize] > 0, "{name}");
        assert_eq!(
            counted[0] + counted[1 + Drop::Rate as usize],
            counted.iter().sum::<u64>(),
            "{name}: {counted:?}"
        );
    };
    let mut desk = Desk::new(&settings, None);
    let hello = desk.packet(Body::Hello(PARAMS), 7, &NOBODY);
    check("hello", answered(10, 100, &mut desk, |desk, _| desk.ping(private, &hello).is_ok()), &desk, 100);

    let mut desk = Desk::new(&settings, None);
    let echo = |desk: &mut Desk, n: u32| desk.ping(private, &n.to_be_bytes()).is_ok();
    check("echo", answered(10, 100, &mut desk, echo), &desk, 100);

    let mut desk = Desk::new(&settings, None);
    let stamp = |desk: &mut Desk, from| {
        let packet = desk.stamp(None);
        desk.send(Service::Stamp, from, &packet).is_ok()
    };
    check("STAMP", answered(10, 100, &mut desk, |desk, _| stamp(desk, private)), &desk, 100);

    // A /64 is one source, however many addresses and ports it has.
    let mut desk = Desk::new(&settings, None);
    let one = |n: u32| SocketAddr::new(format!("2001:db8::{n:x}").parse().expect("an address"), 40_000);
    check("one /64", answered(10, 100, &mut desk, |desk, n| stamp(desk, one(n))), &desk, 100);

    // Spoofed sources all together.
    let mut desk = Desk::new(&settings, None);
    let any = |n: u32| SocketAddr::new(IpAddr::V4((0x0a00_0000 + n).into()), 40_000);
    check("all sources", answered(10, 200, &mut desk, |desk, n| stamp(desk, any(n))), &desk, 200);
    let mut desk = Desk::new(&settings, None);
    let through = answered(10, 200, &mut desk, |desk, n| desk.ping(any(n), &hello).is_ok());
    check("hellos of all sources", through, &desk, 200);

    let mut desk = Desk::new(&settings, None);
    let session = desk.session(CLIENT);
    let through = answered(10, 100, &mut desk, |desk, _| desk.echo(&session).is_ok());
    assert!((1000..=most(100, 10)).contains(&through), "a session without a key: {through}");

    let mut desk = Desk::new(&UdpPingSettings { rate_per_key: 500, ..settings }, PSK);
    let session = desk.session(CLIENT);
    let through = answered(10, 500, &mut desk, |desk, _| desk.echo(&session).is_ok());
    assert!((5000..=most(500, 10)).contains(&through), "a session with the key: {through}");
}

#[test]
fn a_full_table_opens_nothing_and_nor_does_a_server_that_ends() {
    for psk in [None, PSK] {
        let mut desk = Desk::new(&UdpPingSettings { sessions: 1, ..unlimited() }, psk);
        let session = desk.session(CLIENT);
        let other = address("198.51.100.9:40000");
        let (cookie, granted) = desk.hello(other).expect("a cookie costs no place");
        let open = desk.packet(Body::Open(cookie, granted), 0, &cookie);
        desk.refuses(Drop::Full, Service::UdpPing, other, &open);
        let again = desk.open(session.from, session.cookie, session.granted).expect("its open was lost");
        assert_eq!((again.id, desk.reflector.sessions()), (session.id, 1), "a repeated open takes no place");
        desk.reflector.refuse_new();
        let hello = desk.packet(Body::Hello(PARAMS), 7, &NOBODY);
        desk.refuses(Drop::Full, Service::UdpPing, address(CLIENT), &hello);
        assert!(desk.echo(&session).is_ok(), "the open one goes on");
    }
}

/// No format makes a longer answer; this is the line that a mistake in one of them would not pass.
#[test]
fn a_longer_answer_is_kept_back() {
    for (came, answer, kept_back) in [(64, 65, true), (0, 1, true), (64, 64, false), (64, 0, false)] {
        let outcome = bounded(&vec![0; came], &vec![0; answer]);
        let counters = Counters::default();
        counters.count(outcome);
        assert_eq!(outcome, if kept_back { Err(Drop::Longer) } else { Ok(()) }, "{answer} for {came}");
        assert_eq!(counters.dropped(Drop::Longer), u64::from(kept_back));
    }
}

#[test]
fn two_plain_echoes_answer_each_other_for_a_while_and_then_no_more() {
    let settings = UdpPingSettings { legacy: true, ..UdpPingSettings::default() };
    for turn in [1, 10, 200] {
        let mut desks = [(); 2].map(|()| Desk::new(&settings, None));
        let names = ["10.0.0.1:3000", "10.0.0.2:3001"].map(address);
        let loops = (0..1000).take_while(|n| {
            desks.iter_mut().for_each(|desk| desk.pass(Duration::from_millis(turn)));
            desks[n % 2].ping(names[1 - n % 2], b"PING").is_ok()
        });
        assert!((10..500).contains(&loops.count()), "a turn of {turn} ms");
    }
}

#[test]
fn a_client_may_send_one_text_each_second_or_a_hundred_at_once() {
    let settings = UdpPingSettings { legacy: true, ..UdpPingSettings::default() };
    for (count, interval) in [(1000, 1000), (100, 50)] {
        let mut desk = Desk::new(&settings, None);
        let echoed = |_: &u32| {
            desk.pass(Duration::from_millis(interval));
            desk.ping(address("10.0.0.1:40000"), b"WADDLE-PING").is_ok()
        };
        assert_eq!((0..count).filter(echoed).count(), count as usize);
    }
}

#[test]
fn a_replayed_echo_is_a_duplicate_and_counts_against_its_sender() {
    for psk in [None, PSK] {
        let mut desk =
            Desk::new(&UdpPingSettings { rate_per_source: 10, rate_per_key: 10, ..unlimited() }, psk);
        let session = desk.session(CLIENT);
        let answers: Vec<_> = (0..100).filter_map(|_| desk.echo(&session).ok()).collect();
        assert_eq!(answers.len(), 4, "a burst of 0.4 s worth");
        let told = Packet::parse(answers.last().expect("answers")).expect("a packet").echoed();
        assert_eq!((told.received, told.duplicates), (1, 3));
        assert_eq!(desk.counters.dropped(Drop::Rate), 96);
    }
}

#[test]
fn a_session_goes_on_across_rotations_of_the_secret() {
    for psk in [None, PSK] {
        let mut desk = Desk::new(&unlimited(), psk);
        let session = desk.session(CLIENT);
        for second in 1..=300u32 {
            desk.pass(Duration::from_secs(1));
            let answer = desk.echo(&session).expect("an answer in each second of five minutes");
            assert_eq!(Packet::parse(&answer).expect("a packet").echoed().duplicates, second - 1);
        }
        let close = desk.packet(Body::Close, session.id, &session.cookie);
        assert!(desk.ping(session.from, &close).is_ok());
    }
}

#[test]
fn a_token_opens_until_the_second_rotation_after_it() {
    for psk in [None, PSK] {
        for (age, opens) in [(0, true), (59, true), (61, true), (119, true), (121, false), (600, false)] {
            let mut desk = Desk::new(&unlimited(), psk);
            let from = address(CLIENT);
            let (cookie, granted) = desk.hello(from).expect("a cookie");
            (0..age).for_each(|_| desk.pass(Duration::from_secs(1)));
            let open = desk.packet(Body::Open(cookie, granted), 0, &cookie);
            if opens {
                assert!(desk.ping(from, &open).is_ok(), "{age} s");
            } else {
                desk.refuses(Drop::Tag, Service::UdpPing, from, &open);
            }
        }
        // A server that slept through two rotations forgets what it gave out before.
        let mut desk = Desk::new(&unlimited(), psk);
        let (cookie, granted) = desk.hello(address(CLIENT)).expect("a cookie");
        desk.pass(Duration::from_secs(3600));
        let open = desk.packet(Body::Open(cookie, granted), 0, &cookie);
        desk.refuses(Drop::Tag, Service::UdpPing, address(CLIENT), &open);
    }
}

#[test]
fn the_key_does_not_lift_the_bound_of_the_table_over_all_threads() {
    for psk in [None, PSK] {
        let mut threads: [Desk; 3] = Desk::threads(&UdpPingSettings { sessions: 5, ..unlimited() }, psk);
        let open = |n: usize, desk: &mut Desk| {
            let from = address(&format!("192.0.2.{n}:40000"));
            let (cookie, granted) = desk.hello(from)?;
            desk.open(from, cookie, granted)
        };
        let opened =
            |threads: &mut [Desk]| (1..=30).filter(|n| open(*n, &mut threads[n % 3]).is_ok()).count();
        assert_eq!(opened(&mut threads), 5);
        assert_eq!(threads.iter().map(|desk| desk.counters.dropped(Drop::Full)).sum::<u64>(), 25);
        // A session that is over leaves its place to another thread's.
        threads.iter_mut().for_each(|desk| desk.pass(Duration::from_secs(61)));
        assert_eq!(opened(&mut threads[..]), 5);
    }
}

/// A forged hello that was looked at is a wrong tag; one that was not cost nothing but its place in a rate.
#[test]
fn a_flood_of_forged_hellos_derives_no_more_keys_than_the_bound() {
    let mut desk = Desk::new(&UdpPingSettings::default(), PSK);
    let hello = desk.packet(Body::Hello(PARAMS), 7, &[1; 16]);
    let flood = 60_000;
    for n in 0..flood {
        let from = SocketAddr::new(IpAddr::V4((0x0b00_0000 + n).into()), 40_000);
        assert!(desk.ping(from, &hello).is_err());
        desk.now = desk.now.after(Duration::from_secs(1) / flood);
    }
    let (derived, kept_off) = (desk.counters.dropped(Drop::Tag), desk.counters.dropped(Drop::Rate));
    assert_eq!(derived + kept_off, u64::from(flood));
    assert!((20_000..=28_100).contains(&derived), "{derived} in a second, 0.4 s worth at once");
    // The next second has a rate of its own, and the true client comes in.
    desk.pass(Duration::from_secs(1));
    desk.session(CLIENT);
}

/// Spoofed sources, one packet each, each in another neighbourhood than its predecessor.
fn spoofed(n: u32) -> SocketAddr {
    SocketAddr::new(IpAddr::V4((0x0b00_0000 + ((n % 65_536) << 8) + n / 65_536).into()), 40_000)
}

#[test]
fn spoofed_sources_take_no_stamp_session_from_who_goes_on() {
    for psk in [None, PSK] {
        let mut desk = Desk::new(&unlimited(), psk);
        let (old, new) = (address("192.0.2.1:40000"), address("198.51.100.1:40000"));
        for seq in 0..20 {
            assert_eq!(desk.reflected(old, seq), seq);
            desk.pass(Duration::from_secs(1));
        }
        // 5,000 a second, what all sources without a key may send at most.
        for n in 0..40_000 {
            desk.reflected(spoofed(n), 0);
            desk.now = desk.now.after(Duration::from_micros(200));
            if n % 5_000 == 0 {
                desk.pass(Duration::ZERO);
                assert_eq!(
                    desk.reflected(new, 77 + n / 5_000),
                    n / 5_000,
                    "who comes meanwhile is counted too"
                );
            }
        }
        assert_eq!(desk.reflected(old, 20), 20, "8 s of silence are none after 20 s of packets");
        assert_eq!(desk.reflector.sessions(), STAMP_SESSIONS as usize);
        desk.pass(Duration::from_secs(901));
        assert_eq!(desk.reflector.sessions(), 0);
    }
}

#[test]
fn where_each_stamp_session_goes_on_a_new_one_is_reflected_without_a_count() {
    let mut desk = Desk::new(&unlimited(), None);
    for pause in [30, 5] {
        (0..STAMP_SESSIONS).for_each(|n| {
            desk.reflected(spoofed(n), 0);
        });
        desk.pass(Duration::from_secs(pause));
    }
    let new = address("198.51.100.1:40000");
    assert_eq!([5, 9].map(|seq| desk.reflected(new, seq)), [5, 9], "the sender's own number (RFC 8762 §4)");
    // Whoever wants to keep the places must go on sending.
    desk.pass(Duration::from_secs(21));
    assert_eq!([5, 9].map(|seq| desk.reflected(new, seq)), [0, 1]);
    assert_eq!(desk.reflector.sessions(), STAMP_SESSIONS as usize);
}
