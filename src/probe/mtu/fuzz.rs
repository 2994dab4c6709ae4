//! One body for the fuzz target and the property: whatever arrives, the engine neither panics nor runs on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::carrier::{Carrier, Closed, Echo};
use super::engine::{Engine, Lane, Plan, Scout};
use super::report::Bound;
use super::syn::Syn;
use crate::net::engine::{Arrival, Draft, Engine as _, Icmp, Next};
use crate::probe::Events;
use crate::probe::session::{Session, params};
use crate::sys::clock;

/// How often the engine may be asked: a run's packets and waits are fewer.
const MOST_POLLS: usize = 100_000;

/// Runs the engine of `mtu`, over every carrier, and gives it what `octets` say: each begins with one that says what it
/// is, and one with its length.
///
/// # Panics
/// When the engine does, or does not end.
pub fn fuzz_mtu(octets: &[u8]) {
    for (v6, syn) in [(false, false), (true, false), (false, true)] {
        run(octets, v6, syn);
    }
}

fn run(mut octets: &[u8], v6: bool, syn: bool) {
    let mut now = clock::now();
    let mut engine = engine(v6, syn);
    let mut out = Draft::default();
    for _ in 0..MOST_POLLS {
        out.clear();
        match engine.poll(now, &mut out) {
            Next::Done => return,
            Next::Send => {}
            Next::Wait(until) => {
                let (arrival, rest) = octets.split_at(octets.len().min(2));
                let &[what, length] = arrival else {
                    now = now.after(until.saturating_duration_since(now.mono).max(Duration::from_micros(1)));
                    continue;
                };
                let (bytes, rest) = rest.split_at(rest.len().min(length.into()));
                octets = rest;
                now = now.after(Duration::from_millis(u64::from(what >> 5)));
                hear(&mut engine, now, what, bytes, &out);
            }
        }
    }
    panic!("it does not end");
}

/// Something arrives: `bytes`, or what quotes them, or quotes the latest packet.
fn hear(engine: &mut Engine, now: crate::units::Now, what: u8, bytes: &[u8], latest: &Draft) {
    let octet = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let word = |at: usize| u16::from_be_bytes([octet(at), octet(at + 1)]);
    let socket = usize::from(what & 3);
    let from = SocketAddr::new(target(what & 16 != 0), word(0));
    let fragment = Some(word(2)).filter(|&size| size > 0);
    match what >> 2 & 3 {
        0 => {
            let (stamp, ttl, tos) = (Some(now.wall), Some(octet(1)), None);
            engine.receive(
                now,
                Arrival::Datagram { bytes, from: Some(from), socket, stamp, ttl, tos, fragment },
            );
        }
        1 => {
            engine.receive(now, Arrival::NotSent { send: word(0).into(), errno: octet(2).into(), mtu: None })
        }
        2 => engine.receive(now, Arrival::Sent { send: word(0).into(), stamp: u64::from(word(2)) }),
        _ => {
            let quoted = if what & 32 == 0 { bytes } else { &latest.bytes };
            engine.receive(
                now,
                Arrival::Icmp(Icmp {
                    kind: octet(0),
                    code: octet(1),
                    from: Some(from.ip()),
                    to: Some(from),
                    socket,
                    errno: octet(2).into(),
                    mtu: word(3).into(),
                    stamp: None,
                    ttl: Some(octet(5)),
                    quoted,
                    extensions: &[],
                }),
            );
        }
    }
}

fn target(v6: bool) -> IpAddr {
    if v6 { IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 9]) } else { Ipv4Addr::new(10, 9, 9, 9).into() }
}

fn engine(v6: bool, syn: bool) -> Engine {
    let peer = SocketAddr::new(target(v6), 0);
    let main = match syn {
        true => Carrier::Syn(Syn::new(SocketAddr::new(target(v6), 61_000), peer, 5)),
        false => Carrier::Echo(Echo::new(v6, 7, 0, 0)),
    };
    let plan = Plan {
        v6,
        least: 68,
        most: 1500,
        bound: Bound::Limit,
        local: Some(1500),
        known: None,
        learnt: None,
        timeout: Duration::from_secs(1),
        deadline: Duration::from_secs(10),
        trace: false,
    };
    let closed = Carrier::Closed(Closed::new(peer, 0));
    let lanes = vec![Lane { carrier: main, socket: 0 }, Lane { carrier: closed, socket: 1 }];
    let asked = params(Duration::from_millis(1), 1, Duration::from_secs(1), 1400, 0);
    let scout = Scout { session: Session::new(None, asked, 0), socket: 2, is_hopeful: true };
    Engine::new(plan, lanes, Some(scout), Events::none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_octets_panic_or_keep_it_from_ending(octets in prop::collection::vec(any::<u8>(), 0..600)) {
            fuzz_mtu(&octets);
        }
    }
}
