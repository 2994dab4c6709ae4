//! Who misuses the reflector over real sockets: cut, swollen, replayed, forged and spoofed datagrams, and two reflectors
//! set on each other. Each is counted under its reason; nobody is sent more than was spent in his name.

use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};
use waddleperf::serve::reflector::{Drop, Listener, Service, UdpPingSettings, Workers};
use waddleperf::wire::wp1::{Body, Cookie, Kind, Packet, Params, Seal};

use crate::lab::{Lab, Node, Units};

/// The longest payload over IPv4.
const LONGEST: usize = 65_507;
const PARAMS: Params = Params { interval_us: 10_000, duration_ms: 1000, length: 80, dscp: 0, flags: 0 };

/// The reflector's threads on one WP1 and one STAMP socket.
struct Reflecting {
    workers: Option<Workers>,
    udpping: SocketAddr,
    stamp: SocketAddr,
}

impl Reflecting {
    fn start(address: &str, settings: &UdpPingSettings) -> Self {
        let open = |service| {
            let address = SocketAddr::new(address.parse().expect("an address"), 0);
            Listener::open(service, address, false).expect("a listener").remove(0)
        };
        let listeners = vec![open(Service::UdpPing), open(Service::Stamp)];
        let [udpping, stamp] = [0, 1].map(|n: usize| listeners[n].socket.local().expect("its address"));
        let workers = Workers::start(vec![listeners], settings, None).expect("a thread");
        Self { workers: Some(workers), udpping, stamp }
    }

    fn unlimited(address: &str) -> Self {
        let rate = 1_000_000;
        let settings =
            UdpPingSettings { rate_per_source: rate, rate_total: rate, ..UdpPingSettings::default() };
        Self::start(address, &settings)
    }

    fn dropped(&self, why: Drop) -> u64 {
        self.workers.as_ref().map_or(0, |workers| workers.counters.dropped(why))
    }

    /// Waits until this many datagrams have been answered or dropped.
    fn awaits(&self, count: u64) {
        const REASONS: [Drop; 4] = [Drop::Rate, Drop::Tag, Drop::Session, Drop::Reply];
        let seen = || self.answered() + REASONS.into_iter().map(|why| self.dropped(why)).sum::<u64>();
        while seen() < count {
            std::thread::yield_now();
        }
    }

    fn answered(&self) -> u64 {
        self.workers.as_ref().map_or(0, |workers| workers.counters.answered())
    }
}

impl std::ops::Drop for Reflecting {
    fn drop(&mut self) {
        if let Some(workers) = self.workers.take() {
            workers.stop();
        }
    }
}

/// A client's socket, and what it was sent and has sent.
struct Client(UdpSocket);

impl Client {
    fn new(address: &str) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("a socket");
        socket.set_read_timeout(Some(5_000.ms())).expect("a timeout");
        Self(socket)
    }

    fn send(&self, to: SocketAddr, bytes: &[u8]) {
        assert_eq!(self.0.send_to(bytes, to).expect("sent"), bytes.len());
    }

    /// The next answer; a failed test if none comes.
    fn answer(&self) -> Vec<u8> {
        let mut buffer = vec![0; LONGEST + 1];
        let length = self.0.recv(&mut buffer).expect("an answer");
        buffer.truncate(length);
        buffer
    }

    fn ask(&self, to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
        self.send(to, bytes);
        self.answer()
    }

    fn cookie(&self, to: SocketAddr) -> (Cookie, Params) {
        let answer = self.ask(to, &hello());
        let packet = Packet::parse(&answer).expect("a packet");
        assert_eq!(packet.kind, Kind::Cookie, "nothing else was answered before");
        (packet.cookie(), packet.params())
    }

    /// The session's number and cookie.
    fn session(&self, to: SocketAddr) -> (u64, Cookie) {
        let (cookie, granted) = self.cookie(to);
        let answer = self.ask(to, &packet(Body::Open(cookie, granted), 0, 0, &cookie));
        let opened = Packet::parse(&answer).expect("a packet");
        assert_eq!(opened.kind, Kind::Opened);
        (opened.session, cookie)
    }
}

fn packet(body: Body, session: u64, seq: u32, cookie: &Cookie) -> Vec<u8> {
    let mut out = Vec::new();
    body.write(session, seq, &Seal::Cookie(*cookie), &mut out);
    out
}

fn hello() -> Vec<u8> {
    packet(Body::Hello(PARAMS), 7, 0, &[0; 16])
}

#[test]
fn cut_datagrams_are_counted_and_not_answered() {
    let reflecting = Reflecting::unlimited("127.0.0.1");
    let client = Client::new("127.0.0.1");
    let whole = hello();
    (0..whole.len()).for_each(|length| client.send(reflecting.udpping, &whole[..length]));
    // One socket is served in order: the cookie comes after all that came before it, and as the first answer.
    client.cookie(reflecting.udpping);
    (0..41).for_each(|length| client.send(reflecting.stamp, &[0; 41][..length]));
    assert_eq!(client.ask(reflecting.stamp, &[0; 41]).len(), 41);
    assert_eq!(reflecting.dropped(Drop::Malformed), 64 + 41);
    assert_eq!(reflecting.answered(), 2);
}

#[test]
fn swollen_datagrams_are_counted_or_answered_at_their_own_length() {
    let reflecting = Reflecting::unlimited("127.0.0.1");
    let client = Client::new("127.0.0.1");
    for length in [65, 1500, 9000, LONGEST] {
        let mut swollen = hello();
        swollen.resize(length, 0);
        client.send(reflecting.udpping, &swollen);
        client.send(reflecting.udpping, &vec![0xff; length]);
    }
    let (session, cookie) = client.session(reflecting.udpping);
    assert_eq!(reflecting.dropped(Drop::Malformed), 8);
    for length in [80, 1500, 9000, LONGEST] {
        let echo = packet(Body::Echo(1, length), session, 0, &cookie);
        assert_eq!(client.ask(reflecting.udpping, &echo).len(), length);
        assert_eq!(client.ask(reflecting.stamp, &vec![0; length]).len(), length);
    }
}

#[test]
fn a_replayed_open_opens_nothing_elsewhere_and_a_replayed_echo_is_a_duplicate() {
    let reflecting = Reflecting::unlimited("127.0.0.1");
    let [client, thief] = [(); 2].map(|()| Client::new("127.0.0.1"));
    let (cookie, granted) = client.cookie(reflecting.udpping);
    let open = packet(Body::Open(cookie, granted), 0, 0, &cookie);
    let opened = client.ask(reflecting.udpping, &open);
    let session = Packet::parse(&opened).expect("a packet").session;
    assert_eq!(client.ask(reflecting.udpping, &open), opened, "the same session again");
    let echo = packet(Body::Echo(1, 80), session, 5, &cookie);
    (0..10).for_each(|_| {
        thief.send(reflecting.udpping, &open);
        thief.send(reflecting.udpping, &echo);
    });
    thief.cookie(reflecting.udpping);
    assert_eq!((reflecting.dropped(Drop::Tag), reflecting.dropped(Drop::Session)), (10, 10));
    let told = |answer: &[u8]| {
        let echoed = Packet::parse(answer).expect("a packet").echoed();
        (echoed.received, echoed.duplicates)
    };
    assert_eq!(told(&client.ask(reflecting.udpping, &echo)), (1, 0));
    assert_eq!(told(&client.ask(reflecting.udpping, &echo)), (1, 1));
}

#[test]
fn a_forged_token_opens_nothing() {
    let reflecting = Reflecting::unlimited("127.0.0.1");
    let client = Client::new("127.0.0.1");
    let (mut forged, granted) = client.cookie(reflecting.udpping);
    for at in 0..16 {
        forged[at] ^= 1;
        client.send(reflecting.udpping, &packet(Body::Open(forged, granted), 0, 0, &forged));
        forged[at] ^= 1;
    }
    client.cookie(reflecting.udpping);
    assert_eq!((reflecting.dropped(Drop::Tag), reflecting.answered()), (16, 2));
}

/// A datagram in another's name (IPv4 without a UDP checksum, RFC 768).
fn spoof(node: &Node, from: SocketAddr, to: SocketAddr, datagrams: &[Vec<u8>]) {
    let (SocketAddr::V4(from), SocketAddr::V4(to)) = (from, to) else { panic!("IPv4 alone") };
    node.run(|| {
        // IPPROTO_RAW: the header is ours but for its length, checksum and identification (raw(7)).
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(255))).expect("a raw socket");
        for datagram in datagrams {
            let mut frame = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0];
            frame.extend(from.ip().octets());
            frame.extend(to.ip().octets());
            let length = u16::try_from(8 + datagram.len()).expect("a short datagram");
            [from.port(), to.port(), length, 0].iter().for_each(|field| frame.extend(field.to_be_bytes()));
            frame.extend(datagram);
            socket.send_to(&frame, &SocketAddr::V4(to).into()).expect("sent");
        }
    });
}

#[test]
fn a_spoofed_source_is_sent_no_more_than_its_limit_and_gets_no_session() {
    let lab = Lab::line(1).build();
    let reflecting = lab.server().run(|| Reflecting::start("0.0.0.0", &UdpPingSettings::default()));
    let server = |local: SocketAddr| SocketAddr::new(lab.server().address4().into(), local.port());
    let (udpping, stamp) = (server(reflecting.udpping), server(reflecting.stamp));
    // The router speaks in the client's name.
    let victim = lab.client().run(|| Client::new(&lab.client().address4().to_string()));
    let address = victim.0.local_addr().expect("its address");
    let open = packet(Body::Open([7; 16], PARAMS), 0, 0, &[7; 16]);
    let echo = packet(Body::Echo(1, 1400), 7, 0, &[7; 16]);
    let (mut sent, mut got) = (0, Vec::new());
    let mut flood = |to, datagrams: &[Vec<u8>]| {
        // As many at once as the queues take.
        for some in datagrams.chunks(50) {
            spoof(lab.router(1), address, to, some);
            sent += some.len() as u64;
            reflecting.awaits(sent);
            while (got.len() as u64) < reflecting.answered() {
                got.push(victim.answer().len());
            }
        }
    };
    flood(udpping, &[open, echo]);
    flood(udpping, &vec![hello(); 2000]);
    flood(stamp, &vec![vec![0; 1400]; 2000]);
    victim.0.set_nonblocking(true).expect("set");
    assert!(victim.0.recv(&mut [0; 64]).is_err(), "nothing beside what was counted");
    let of = |length| got.iter().filter(|got| **got == length).count();
    assert_eq!(of(64) + of(1400), got.len(), "each is as long as what asked for it");
    // 100 a second, 0.4 s of them at once; how long the flood took, only the machine knows.
    assert!((40..1000).contains(&of(64)) && (40..1000).contains(&of(1400)), "{} {}", of(64), of(1400));
    assert_eq!(reflecting.dropped(Drop::Rate) + reflecting.answered(), 4000);
    assert_eq!((reflecting.dropped(Drop::Tag), reflecting.dropped(Drop::Session)), (1, 1));
}

#[test]
fn two_reflectors_set_on_each_other_fall_silent() {
    let lab = Lab::line(0).build();
    let settings = UdpPingSettings { legacy: true, ..UdpPingSettings::default() };
    let [first, second] = [(); 2].map(|()| lab.server().run(|| Reflecting::start("127.0.0.1", &settings)));
    // A spoofed packet from a service of the second to the same service of the first.
    spoof(lab.server(), second.udpping, first.udpping, &[hello()]);
    spoof(lab.server(), second.stamp, first.stamp, &[vec![0; 44], vec![0; 41], vec![0; 1400]]);
    let client = lab.server().run(|| Client::new("127.0.0.1"));
    let served = |reflecting: &Reflecting| {
        client.cookie(reflecting.udpping);
        client.ask(reflecting.stamp, &[0; 44]);
    };
    // Twice each, because what one answers waits at the other.
    (0..2).for_each(|_| [&first, &second].into_iter().for_each(served));
    assert_eq!((first.answered(), second.answered()), (4 + 4, 4), "one answer to each");
    assert_eq!((first.dropped(Drop::Reply), second.dropped(Drop::Reply)), (0, 4), "and none to that");
    // The plain echo has no mark of a reply. It ends once a limit drops the one datagram.
    spoof(lab.server(), second.udpping, first.udpping, &[b"PING".to_vec()]);
    let dropped = || first.dropped(Drop::Rate) + second.dropped(Drop::Rate);
    while dropped() == 0 {
        std::thread::yield_now();
    }
    let echoed = first.answered() + second.answered() - 12;
    assert!((1..=202).contains(&echoed), "{echoed}");
}

#[test]
fn what_was_sent_to_many_is_answered_by_nobody() {
    let lab = Lab::line(0).build();
    let reflecting = lab.server().run(|| Reflecting::start("0.0.0.0", &UdpPingSettings::default()));
    let client = lab.client().run(|| Client::new(&lab.client().address4().to_string()));
    client.0.set_broadcast(true).expect("allowed");
    for many in ["10.200.0.3", "255.255.255.255", "224.0.0.1"] {
        client.send(format!("{many}:{}", reflecting.udpping.port()).parse().expect("an address"), &hello());
    }
    client.cookie(SocketAddr::new(lab.server().address4().into(), reflecting.udpping.port()));
    assert_eq!((reflecting.dropped(Drop::Address), reflecting.answered()), (3, 1));
}
