//! A simulated network of routers, for engines in virtual time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::carrier::{Flow, Kind};
use super::engine::Beside;
use super::sockets::Sockets;
use crate::net::engine::{Draft, Engine};
use crate::net::sim::{Answer, Path, Sim};
use crate::sys::clock;
use crate::units::Now;

/// Where traces in the simulator go.
pub(super) const TARGET: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// The router with this number.
pub(super) fn router(number: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, number).into()
}

/// `count` flows of `kind`, without sockets; the last is an echo that confirms loss if `check`.
pub(super) fn flows(kind: Kind, count: u16, check: bool) -> Sockets {
    let from = |port| Some(SocketAddr::new(Ipv4Addr::new(192, 0, 2, 200).into(), port));
    let flow = |n: u16, kind| Flow {
        kind,
        socket: if kind == Kind::Echo { 0 } else { n.into() },
        from: from(4000 + n),
        to: SocketAddr::new(TARGET.into(), 33_434),
        connected: false,
        key: 100 + n,
        is_witness: false,
    };
    let mut flows: Vec<Flow> = (0..count).map(|n| flow(n, kind)).collect();
    if check {
        flows.push(Flow { socket: count.into(), ..flow(count, Kind::Echo) });
    }
    Sockets { flows, beside: Beside { check, witness: false }, ..Sockets::default() }
}

/// The same with one flow more, which sees translators.
pub(super) fn with_witness(mut all: Sockets) -> Sockets {
    let (socket, port) = (all.flows.len(), 5000 + all.flows.len() as u16);
    let from = Some(SocketAddr::new(router(200), port));
    all.flows.push(Flow { kind: Kind::Echo, socket, from, is_witness: true, ..all.flows[0].clone() });
    all.beside.witness = true;
    all
}

/// A probe as the network sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// How many probes came before it.
    pub(super) number: u64,
    pub(super) ttl: u8,
    pub(super) flow: usize,
    pub(super) is_echo: bool,
    /// Virtual time since the start.
    pub(super) at: Duration,
}

/// What the network does with a probe.
pub(super) enum Fate {
    Silence,
    /// Its TTL ends at this address.
    Exceeded(IpAddr),
    /// So, at a router that quotes nothing behind the transport header.
    Terse(IpAddr),
    /// So, behind a translator that takes its change of an echo back, and updates the checksum both times.
    Translated(IpAddr),
    /// It reaches the target.
    Reached,
    /// Any answers.
    Answers(Vec<Answer>),
}

/// Runs `engine` against a network that decides each probe's fate; every answer takes 10 ms. Returns the virtual time
/// that it took, or `None` if it had not ended after `limit`.
pub(super) fn play(
    engine: &mut dyn Engine,
    seed: u64,
    limit: Duration,
    fate: &mut dyn FnMut(Seen) -> Fate,
) -> Option<Duration> {
    let start = clock::now();
    let mut sim = Sim::new(start, seed);
    sim.up = Path { delay: Duration::from_millis(5), ..Path::default() };
    sim.down = sim.up;
    let (mut number, mut watch) = (0, Watch { engine, last: start });
    let mut far = |now: Now, draft: &Draft| {
        // The message of an echo begins with its type.
        let is_echo = draft.bytes.first() == Some(&8) && draft.bytes.len() >= 20;
        let payload = if is_echo { &draft.bytes[8..] } else { &draft.bytes[..] };
        let flow = usize::from(u16::from_be_bytes([payload[2], payload[3]]));
        let at = now.mono.saturating_duration_since(start.mono);
        let seen = Seen { number, ttl: draft.ttl.unwrap_or(64), flow, is_echo, at };
        number += 1;
        match fate(seen) {
            Fate::Silence => Vec::new(),
            Fate::Exceeded(from) => vec![exceeded(from)],
            Fate::Terse(from) => vec![quoting(from, Vec::new())],
            Fate::Translated(from) => {
                let mut quoted = draft.bytes.clone();
                if is_echo && quoted[2..4] == [0xff; 2] {
                    quoted[2..4].fill(0);
                }
                vec![quoting(from, quoted)]
            }
            Fate::Reached if is_echo => {
                let mut reply = draft.bytes.clone();
                reply[0] = 0;
                vec![Answer::Datagram(reply, Some(SocketAddr::new(TARGET.into(), 0)), 60)]
            }
            Fate::Reached => vec![icmp(3, 3, TARGET.into())],
            Fate::Answers(answers) => answers,
        }
    };
    let ended = sim.run(&mut watch, &mut far, limit);
    ended.then(|| watch.last.mono.saturating_duration_since(start.mono))
}

/// Time exceeded, from this router.
pub(super) fn exceeded(from: IpAddr) -> Answer {
    icmp(11, 0, from)
}

fn quoting(from: IpAddr, quoted: Vec<u8>) -> Answer {
    Answer::Quoting { kind: 11, code: 0, from, quoted }
}

/// An ICMP error of IPv4.
pub(super) fn icmp(kind: u8, code: u8, from: IpAddr) -> Answer {
    Answer::Icmp { kind, code, from, mtu: 0, ttl: 60, extensions: Vec::new() }
}

/// Remembers when the engine was last asked.
struct Watch<'a> {
    engine: &'a mut dyn Engine,
    last: Now,
}

impl Engine for Watch<'_> {
    fn poll(&mut self, now: Now, out: &mut Draft) -> crate::net::engine::Next {
        self.last = now;
        self.engine.poll(now, out)
    }

    fn receive(&mut self, now: Now, arrival: crate::net::engine::Arrival<'_>) {
        self.engine.receive(now, arrival);
    }
}
