//! WP1, waddleperf's own UDP ping session (probes.md §2.2; docs/wp1.md): no reply is longer than its request.
//!
//! ```text
//! header   0 magic 0x5750 · 2 version 1 · 3 type (bit 7: reply) · 4 session u64 · 12 seq u32
//! hello    16 params[12] · zeros                         cookie  16 cookie[16] · 32 granted params[12] · zeros
//! open     16 cookie[16] · 32 params[12] · zeros         opened  32 granted params[12] · 44 boot u32 · zeros
//! echo     16 t1 u64 · zeros                             echoed  see [`Echoed`]
//! close    zeros                                         closed  16 received · duplicates · reordered · outside u32
//! tag      the last 16 octets of every packet
//! ```
//!
//! The header's session is a random number of the client's choice in `hello` and comes back in `cookie`, so that
//! nobody off the path can answer; in `open` it is 0, in `opened` and after it is the session's.

use aws_lc_rs::{constant_time, hkdf, hmac};

use super::bytes::{array, put, u8_at, u16_at, u32_at, u64_at};

/// First two octets of every packet.
pub const MAGIC: u16 = 0x5750;
/// Length of every packet but `echo` and `echoed`.
pub const CONTROL: usize = 64;
/// The least length of `echo`: `echoed` needs as much.
pub const ECHO_LEAST: usize = 80;
const VERSION: u8 = 1;
const TAG: usize = 16;
const INFO: &[u8] = b"waddleperf udpping v1";

/// The types of packet. A reply has bit 7 set and is never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Client: may I, with these parameters?
    Hello = 0x01,
    /// Client: here is my cookie, open a session.
    Open = 0x02,
    /// Client: a probe packet.
    Echo = 0x03,
    /// Client: that is all; how many came?
    Close = 0x04,
    /// Server: prove your address with this cookie.
    Cookie = 0x81,
    /// Server: the session is open.
    Opened = 0x82,
    /// Server: the probe packet's reply.
    Echoed = 0x83,
    /// Server: the final totals.
    Closed = 0x84,
}

impl Kind {
    fn of(octet: u8) -> Option<Self> {
        let all = [
            Self::Hello,
            Self::Open,
            Self::Echo,
            Self::Close,
            Self::Cookie,
            Self::Opened,
            Self::Echoed,
            Self::Closed,
        ];
        all.into_iter().find(|kind| *kind as u8 == octet)
    }

    /// Which way packets of this type travel.
    pub const fn direction(self) -> Direction {
        if self as u8 & 0x80 == 0 { Direction::Up } else { Direction::Down }
    }
}

/// From the client (up) or from the server (down).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Direction {
    /// Client to server.
    Up = 0,
    /// Server to client.
    Down = 1,
}

/// What makes 16 octets of proof: a cookie names an address and what was granted to it.
pub type Cookie = [u8; 16];

/// What a client asks for and a server grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// Mean time between two packets, µs.
    pub interval_us: u32,
    /// How long the client means to go on, ms.
    pub duration_ms: u32,
    /// Octets in each echo.
    pub length: u16,
    /// DSCP the client sends with.
    pub dscp: u8,
    /// Zero.
    pub flags: u8,
}

impl Params {
    /// The 12 octets of the parameters.
    pub fn octets(&self) -> [u8; 12] {
        let mut octets = [0; 12];
        put(&mut octets, 0, &self.interval_us.to_be_bytes());
        put(&mut octets, 4, &self.duration_ms.to_be_bytes());
        put(&mut octets, 8, &self.length.to_be_bytes());
        put(&mut octets, 10, &[self.dscp, self.flags]);
        octets
    }

    fn at(bytes: &[u8], at: usize) -> Self {
        Self {
            interval_us: u32_at(bytes, at),
            duration_ms: u32_at(bytes, at + 4),
            length: u16_at(bytes, at + 8),
            dscp: u8_at(bytes, at + 10),
            flags: u8_at(bytes, at + 11),
        }
    }
}

/// A packet whose magic, version, type and length are right. Its tag has not been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its type.
    pub kind: Kind,
    /// The session, see the module.
    pub session: u64,
    /// Sequence number.
    pub seq: u32,
    bytes: &'a [u8],
}

/// What `echoed` says beside the time that came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Echoed {
    /// The client's time, returned as it came.
    pub t1: u64,
    /// When the server's kernel received the echo, ns since the epoch.
    pub t2: u64,
    /// When the server sent the reply, ns since the epoch (user clock: up to some µs early).
    pub t3: u64,
    /// Different echoes received in this session so far, this one included.
    pub received: u32,
    /// The server clock's error bound, as in STAMP (RFC 8762 §4.2.1).
    pub error: u16,
    /// TTL or hop limit of the echo on arrival; 0 when unknown.
    pub ttl: u8,
    /// Type of service of the echo on arrival.
    pub tos: u8,
    /// Bit i: the echo numbered seq − i has arrived.
    pub window: u64,
    /// Echoes that came more than once.
    pub duplicates: u32,
    /// [`FLAG_TOS`] when `tos` is known.
    pub flags: u32,
}

/// `tos` of an [`Echoed`] was really read.
pub const FLAG_TOS: u32 = 1;

/// The final totals of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Different echoes received.
    pub received: u32,
    /// Echoes that came more than once.
    pub duplicates: u32,
    /// Echoes that came after one with a higher number.
    pub reordered: u32,
    /// Echoes so old that nothing tells whether they came before.
    pub outside: u32,
}

impl<'a> Packet<'a> {
    /// Reads a packet; `None` for anything that is not one.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let kind = Kind::of(u8_at(bytes, 3))?;
        let fits = match kind {
            Kind::Echo | Kind::Echoed => bytes.len() >= ECHO_LEAST,
            _ => bytes.len() == CONTROL,
        };
        let known = u16_at(bytes, 0) == MAGIC && u8_at(bytes, 2) == VERSION;
        (fits && known).then(|| Self { kind, session: u64_at(bytes, 4), seq: u32_at(bytes, 12), bytes })
    }

    /// The parameters of `hello` (asked), `cookie`, `open` and `opened` (granted).
    pub fn params(&self) -> Params {
        Params::at(self.bytes, if self.kind == Kind::Hello { 16 } else { 32 })
    }

    /// The cookie of `cookie` and `open`.
    pub fn cookie(&self) -> Cookie {
        array(self.bytes, 16)
    }

    /// The server's boot number in `opened`: another one means that it was restarted.
    pub fn boot(&self) -> u32 {
        u32_at(self.bytes, 44)
    }

    /// The client's time in `echo`.
    pub fn t1(&self) -> u64 {
        u64_at(self.bytes, 16)
    }

    /// The contents of `echoed`.
    pub fn echoed(&self) -> Echoed {
        let bytes = self.bytes;
        Echoed {
            t1: u64_at(bytes, 16),
            t2: u64_at(bytes, 24),
            t3: u64_at(bytes, 32),
            received: u32_at(bytes, 40),
            error: u16_at(bytes, 44),
            ttl: u8_at(bytes, 46),
            tos: u8_at(bytes, 47),
            window: u64_at(bytes, 48),
            duplicates: u32_at(bytes, 56),
            flags: u32_at(bytes, 60),
        }
    }

    /// The contents of `closed`.
    pub fn totals(&self) -> Totals {
        let at = |n: usize| u32_at(self.bytes, 16 + 4 * n);
        Totals { received: at(0), duplicates: at(1), reordered: at(2), outside: at(3) }
    }

    /// Whether the tag is right, compared in constant time.
    pub fn is_sealed_with(&self, seal: &Seal) -> bool {
        let (body, tag) = self.bytes.split_at(self.bytes.len() - TAG);
        constant_time::verify_slices_are_equal(&seal.tag(body), tag).is_ok()
    }
}

/// What a packet says, to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// See [`Kind::Hello`].
    Hello(Params),
    /// See [`Kind::Cookie`].
    Cookie(Cookie, Params),
    /// See [`Kind::Open`].
    Open(Cookie, Params),
    /// See [`Kind::Opened`]; the number is the server's boot.
    Opened(Params, u32),
    /// See [`Kind::Echo`]: the client's time and the packet's length.
    Echo(u64, usize),
    /// See [`Kind::Echoed`]; the packet's length.
    Echoed(Echoed, usize),
    /// See [`Kind::Close`].
    Close,
    /// See [`Kind::Closed`].
    Closed(Totals),
}

impl Body {
    /// The packet's type.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Cookie(..) => Kind::Cookie,
            Self::Open(..) => Kind::Open,
            Self::Opened(..) => Kind::Opened,
            Self::Echo(..) => Kind::Echo,
            Self::Echoed(..) => Kind::Echoed,
            Self::Close => Kind::Close,
            Self::Closed(_) => Kind::Closed,
        }
    }

    /// Writes the whole packet over `out` and seals it.
    pub fn write(&self, session: u64, seq: u32, seal: &Seal, out: &mut Vec<u8>) {
        let length = match self {
            Self::Echo(_, length) | Self::Echoed(_, length) => (*length).max(ECHO_LEAST),
            _ => CONTROL,
        };
        out.clear();
        out.resize(length, 0);
        put(out, 0, &MAGIC.to_be_bytes());
        put(out, 2, &[VERSION, self.kind() as u8]);
        put(out, 4, &session.to_be_bytes());
        put(out, 12, &seq.to_be_bytes());
        self.fill(out);
        let (body, tag) = out.split_at_mut(length - TAG);
        tag.copy_from_slice(&seal.tag(body));
    }

    fn fill(&self, out: &mut [u8]) {
        match self {
            Self::Hello(params) => put(out, 16, &params.octets()),
            Self::Cookie(cookie, params) | Self::Open(cookie, params) => {
                put(out, 16, cookie);
                put(out, 32, &params.octets());
            }
            Self::Opened(params, boot) => {
                put(out, 32, &params.octets());
                put(out, 44, &boot.to_be_bytes());
            }
            Self::Echo(t1, _) => put(out, 16, &t1.to_be_bytes()),
            Self::Echoed(echoed, _) => echoed.fill(out),
            Self::Close => {}
            Self::Closed(totals) => {
                let numbers = [totals.received, totals.duplicates, totals.reordered, totals.outside];
                numbers
                    .iter()
                    .enumerate()
                    .for_each(|(n, number)| put(out, 16 + 4 * n, &number.to_be_bytes()));
            }
        }
    }
}

impl Echoed {
    fn fill(&self, out: &mut [u8]) {
        put(out, 16, &self.t1.to_be_bytes());
        put(out, 24, &self.t2.to_be_bytes());
        put(out, 32, &self.t3.to_be_bytes());
        put(out, 40, &self.received.to_be_bytes());
        put(out, 44, &self.error.to_be_bytes());
        put(out, 46, &[self.ttl, self.tos]);
        put(out, 48, &self.window.to_be_bytes());
        put(out, 56, &self.duplicates.to_be_bytes());
        put(out, 60, &self.flags.to_be_bytes());
    }
}

/// What proves a packet: without a key the cookie itself (proof of address), with one an HMAC.
#[derive(Clone)]
pub enum Seal {
    /// The cookie; all zero before there is one.
    Cookie(Cookie),
    /// HMAC-SHA-256/128 with this key over everything before the tag. The library's ready-made state is 40 times as
    /// large, which is too much for each of 200,000 sessions; it is made for each tag, in 0.3 µs.
    Key([u8; 32]),
}

impl Seal {
    /// The seal for packets of one session in one direction. `cookie` is all zero before there is one.
    pub fn new(psk: Option<&[u8]>, cookie: &Cookie, session: u64, direction: Direction) -> Self {
        let Some(psk) = psk else {
            return Self::Cookie(*cookie);
        };
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, cookie).extract(psk);
        let info = [INFO, &session.to_be_bytes(), &[direction as u8]];
        let mut key = [0u8; 32];
        let okm = secret.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
        okm.expect("32 octets are a legal length of HKDF-SHA256");
        Self::Key(key)
    }

    fn tag(&self, body: &[u8]) -> [u8; TAG] {
        match self {
            Self::Cookie(cookie) => *cookie,
            Self::Key(key) => array(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), body).as_ref(), 0),
        }
    }
}

/// Shared by the fuzz target and a property test: no octets panic, and what parses is written back alike.
pub fn fuzz_wp1(bytes: &[u8]) {
    let Some(packet) = Packet::parse(bytes) else {
        return;
    };
    let body = match packet.kind {
        Kind::Hello => Body::Hello(packet.params()),
        Kind::Cookie => Body::Cookie(packet.cookie(), packet.params()),
        Kind::Open => Body::Open(packet.cookie(), packet.params()),
        Kind::Opened => Body::Opened(packet.params(), packet.boot()),
        Kind::Echo => Body::Echo(packet.t1(), bytes.len()),
        Kind::Echoed => Body::Echoed(packet.echoed(), bytes.len()),
        Kind::Close => Body::Close,
        Kind::Closed => Body::Closed(packet.totals()),
    };
    let seal = Seal::Cookie(array(bytes, bytes.len() - TAG));
    let mut out = Vec::new();
    body.write(packet.session, packet.seq, &seal, &mut out);
    let again = Packet::parse(&out).expect("what was written parses");
    assert_eq!((again.kind, again.session, again.seq), (packet.kind, packet.session, packet.seq));
    assert_eq!((again.params(), again.cookie(), again.echoed()), {
        let copy = Packet::parse(&out).expect("twice");
        (copy.params(), copy.cookie(), copy.echoed())
    });
    assert_eq!(out.len(), bytes.len(), "a packet keeps its length");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARAMS: Params = Params { interval_us: 1000, duration_ms: 5000, length: 172, dscp: 46, flags: 0 };

    fn bodies() -> [Body; 8] {
        let echoed = Echoed {
            t1: 1,
            t2: 2,
            t3: 3,
            received: 4,
            error: 5,
            ttl: 6,
            tos: 7,
            window: 8,
            duplicates: 9,
            flags: 10,
        };
        let totals = Totals { received: 1, duplicates: 2, reordered: 3, outside: 4 };
        [
            Body::Hello(PARAMS),
            Body::Cookie([7; 16], PARAMS),
            Body::Open([7; 16], PARAMS),
            Body::Opened(PARAMS, 9),
            Body::Echo(77, 100),
            Body::Echoed(echoed, 100),
            Body::Close,
            Body::Closed(totals),
        ]
    }

    #[test]
    fn every_packet_reads_as_it_was_written_with_and_without_a_key() {
        for psk in [None, Some(b"secret".as_slice())] {
            for body in bodies() {
                let seal = Seal::new(psk, &[3; 16], 42, body.kind().direction());
                let mut out = Vec::new();
                body.write(42, 5, &seal, &mut out);
                let packet = Packet::parse(&out).expect("a packet");
                assert!(packet.is_sealed_with(&seal));
                let read = match packet.kind {
                    Kind::Hello => Body::Hello(packet.params()),
                    Kind::Cookie => Body::Cookie(packet.cookie(), packet.params()),
                    Kind::Open => Body::Open(packet.cookie(), packet.params()),
                    Kind::Opened => Body::Opened(packet.params(), packet.boot()),
                    Kind::Echo => Body::Echo(packet.t1(), out.len()),
                    Kind::Echoed => Body::Echoed(packet.echoed(), out.len()),
                    Kind::Close => Body::Close,
                    Kind::Closed => Body::Closed(packet.totals()),
                };
                assert_eq!((read, packet.session, packet.seq), (body, 42, 5));
            }
        }
    }

    #[test]
    fn a_key_of_another_session_direction_or_cookie_does_not_open_it() {
        let seal = |psk: &[u8], cookie, session, way| Seal::new(Some(psk), &[cookie; 16], session, way);
        let mut out = Vec::new();
        Body::Close.write(1, 0, &seal(b"k", 1, 1, Direction::Up), &mut out);
        let packet = Packet::parse(&out).expect("a packet");
        assert!(packet.is_sealed_with(&seal(b"k", 1, 1, Direction::Up)));
        for wrong in [
            seal(b"K", 1, 1, Direction::Up),
            seal(b"k", 2, 1, Direction::Up),
            seal(b"k", 1, 2, Direction::Up),
            seal(b"k", 1, 1, Direction::Down),
            Seal::Cookie([1; 16]),
        ] {
            assert!(!packet.is_sealed_with(&wrong));
        }
    }

    #[test]
    fn the_layout_is_the_published_one() {
        let mut out = Vec::new();
        Body::Hello(PARAMS).write(0x0102_0304_0506_0708, 9, &Seal::Cookie([0; 16]), &mut out);
        let mut expected = vec![0x57, 0x50, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9];
        expected.extend([0, 0, 3, 0xe8, 0, 0, 0x13, 0x88, 0, 172, 46, 0]);
        expected.resize(64, 0);
        assert_eq!(out, expected);
    }

    #[test]
    fn other_lengths_versions_and_types_are_not_packets() {
        let mut out = Vec::new();
        Body::Close.write(1, 0, &Seal::Cookie([0; 16]), &mut out);
        for length in (0..CONTROL).chain([CONTROL + 1]) {
            let mut other = out.clone();
            other.resize(length, 0);
            assert_eq!(Packet::parse(&other), None, "{length} octets");
        }
        for (at, octet) in [(0, 0), (2, 2), (3, 0), (3, 5), (3, 0x80)] {
            let mut other = out.clone();
            other[at] = octet;
            assert_eq!(Packet::parse(&other), None, "octet {at} = {octet}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0u8..8) {
            fuzz_wp1(&bytes);
            if bytes.len() > 16 {
                let kinds = [1, 2, 3, 4, 0x81, 0x82, 0x83, 0x84];
                bytes[..4].copy_from_slice(&[0x57, 0x50, 1, kinds[usize::from(kind)]]);
                fuzz_wp1(&bytes);
                bytes.resize(CONTROL, 0);
                fuzz_wp1(&bytes);
            }
        }
    }
}
