//! Feeds an engine with what octets say, in virtual time: the common body of its fuzz target and its property.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::engine::{Arrival, Draft, Engine, Icmp, Next};
use crate::sys::clock;
use crate::units::Now;

/// How often an engine may be asked: a run's packets and waits are fewer.
const MOST_POLLS: usize = 100_000;

/// Runs `engine` to its end, and gives it what `octets` say: each arrival begins with an octet that says what it is, and one
/// with its length. What it quotes is arbitrary, or a part of the latest packet.
///
/// # Panics
/// When the engine does, or does not end.
pub fn feed(engine: &mut dyn Engine, mut octets: &[u8]) {
    let mut now = clock::now();
    let (mut out, mut latest) = (Draft::default(), Draft::default());
    for _ in 0..MOST_POLLS {
        out.clear();
        match engine.poll(now, &mut out) {
            Next::Done => return,
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
                hear(engine, now, (what, bytes), &latest);
            }
        }
    }
    panic!("it does not end");
}

/// Whom an engine shall measure, so that some of what it is fed comes from there.
pub fn target(v6: bool) -> IpAddr {
    if v6 { IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 9]) } else { Ipv4Addr::new(10, 9, 9, 9).into() }
}

fn hear(engine: &mut dyn Engine, now: Now, (what, bytes): (u8, &[u8]), latest: &Draft) {
    let octet = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let word = |at: usize| u16::from_be_bytes([octet(at), octet(at + 1)]);
    let socket = usize::from(what & 3);
    let from = SocketAddr::new(target(what & 16 != 0), word(0));
    match what >> 2 & 3 {
        0 => {
            let (stamp, ttl, from) = (Some(now.wall), Some(octet(1)), Some(from));
            let fragment = Some(word(2)).filter(|&size| size > 0);
            engine.receive(now, Arrival::Datagram { bytes, from, socket, stamp, ttl, tos: None, fragment });
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
            let icmp = Icmp {
                // Time exceeded, more often than by chance.
                kind: if octet(0) & 1 == 0 { 11 } else { octet(0) },
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
