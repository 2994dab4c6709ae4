//! One body for the fuzz target and the property: whatever arrives, it is read within its bounds, and a trace neither
//! panics nor runs on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::carrier::{Flow, Kind, Told};
use super::engine::Beside;
use super::sockets::Sockets;
use super::{Mtr, Protocol, Strategy};
use crate::net::engine::{Arrival, Draft, Engine, Icmp, Next};
use crate::probe::Events;
use crate::sys::clock;
use crate::units::{Now, Span};

/// How often the engine may be asked: a run's packets and waits are fewer.
const MOST_POLLS: usize = 20_000;

/// Gives what `octets` say to the readers of quotes and replies, and to traces of every kind: each arrival begins with an
/// octet that says what it is, and one with its length.
///
/// # Panics
/// When one of them does, or a trace does not end.
pub fn fuzz_mtr(octets: &[u8]) {
    let kinds = [
        (Kind::Echo, Strategy::Paris),
        (Kind::Udp, Strategy::Paris),
        (Kind::Udp, Strategy::Classic),
        (Kind::Udp, Strategy::Dublin),
        (Kind::Quic, Strategy::Paris),
        (Kind::Tcp, Strategy::Paris),
    ];
    for ((kind, strategy), v6) in kinds.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let (asked, sockets) = world(kind, strategy, v6);
        let carrier = asked.carrier(&sockets, 7);
        let to = Some(SocketAddr::new(target(v6), u16::from(octets.first().copied().unwrap_or(0)) << 8));
        for (flow, of) in carrier.flows.iter().enumerate() {
            for to in [None, to] {
                let _ = carrier.quoted(of.socket, octets, to);
                let _ = carrier.is_translated(flow, 3, octets, to);
            }
            let _ = carrier.replied(of.socket, octets);
        }
        assert_eq!(carrier.quoted(99, octets, None), Told::Nothing, "there is no such socket");
        run(&asked, &sockets, octets, v6);
    }
}

fn run(asked: &Mtr, sockets: &Sockets, mut octets: &[u8], v6: bool) {
    let mut now = clock::now();
    let mut trace = asked.trace(sockets, SocketAddr::new(target(v6), 0), 7, Events::none());
    let (mut out, mut latest) = (Draft::default(), Draft::default());
    for _ in 0..MOST_POLLS {
        out.clear();
        match trace.poll(now, &mut out) {
            Next::Done => {
                let report = trace.finish().report(asked, v6);
                assert!(report.hops.iter().all(|hop| hop.counts.received <= hop.counts.sent), "{report:?}");
                return;
            }
            Next::Send => latest.clone_from(&out),
            Next::Wait(until) => {
                let (arrival, rest) = octets.split_at(octets.len().min(2));
                let &[what, length] = arrival else {
                    now = now.after(until.saturating_duration_since(now.mono).max(Duration::from_micros(1)));
                    continue;
                };
                let (bytes, rest) = rest.split_at(rest.len().min(length.into()));
                octets = rest;
                now = now.after(Duration::from_millis(u64::from(what >> 5)));
                hear(&mut trace, now, (what, bytes), &latest);
            }
        }
    }
    panic!("it does not end");
}

/// Something arrives: `bytes`, or what quotes them, or quotes a part of the latest packet.
fn hear(engine: &mut dyn Engine, now: Now, (what, bytes): (u8, &[u8]), latest: &Draft) {
    let octet = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let word = |at: usize| u16::from_be_bytes([octet(at), octet(at + 1)]);
    let socket = usize::from(what & 3);
    let from = SocketAddr::new(target(what & 16 != 0), word(0));
    match what >> 2 & 3 {
        0 => {
            let (stamp, ttl, tos) = (Some(now.wall), Some(octet(1)), None);
            let from = Some(from);
            engine.receive(now, Arrival::Datagram { bytes, from, socket, stamp, ttl, tos, fragment: None });
        }
        1 => {
            engine.receive(now, Arrival::NotSent { send: word(0).into(), errno: octet(2).into(), mtu: None })
        }
        2 => engine.receive(now, Arrival::Sent { send: word(0).into(), stamp: u64::from(word(2)) }),
        _ => {
            let part = usize::from(octet(6)).min(latest.bytes.len());
            let (quoted, socket) = match what & 32 {
                0 => (bytes, socket),
                _ => (&latest.bytes[..part], latest.socket),
            };
            // Time exceeded, more often than by chance.
            let kind = if octet(0) & 1 == 0 { 11 } else { octet(0) };
            let icmp = Icmp {
                kind,
                code: octet(1) & 15,
                from: Some(from.ip()),
                to: latest.to,
                socket,
                errno: octet(2).into(),
                mtu: word(3).into(),
                stamp: None,
                ttl: Some(octet(5)),
                quoted,
                extensions: bytes.get(7..).unwrap_or_default(),
            };
            engine.receive(now, Arrival::Icmp(icmp));
        }
    }
}

fn target(v6: bool) -> IpAddr {
    if v6 { IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 9]) } else { Ipv4Addr::new(10, 9, 9, 9).into() }
}

/// A short trace by one flow, with one that confirms loss and one that sees translators.
fn world(kind: Kind, strategy: Strategy, v6: bool) -> (Mtr, Sockets) {
    let from: IpAddr = if v6 { IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 1]) } else { [10, 0, 0, 1].into() };
    let flow = |socket: usize, kind, is_witness| Flow {
        kind,
        socket,
        from: Some(SocketAddr::new(from, 4000 + socket as u16)),
        to: SocketAddr::new(target(v6), 33_434),
        connected: strategy != Strategy::Classic,
        key: 5,
        is_witness,
    };
    let flows = vec![flow(0, kind, false), flow(1, Kind::Echo, false), flow(2, Kind::Echo, true)];
    let asked = Mtr {
        target: "t.example".into(),
        count: 2,
        interval: Span::millis(50),
        protocol: Protocol::Udp,
        strategy,
        max_ttl: 12,
        ..Mtr::default()
    };
    let beside = Beside { check: true, witness: true };
    (asked, Sockets { flows, beside, ..Sockets::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, prop, proptest};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn no_octets_panic_or_keep_a_trace_from_ending(octets in prop::collection::vec(any::<u8>(), 0..400)) {
            fuzz_mtr(&octets);
        }
    }
}
