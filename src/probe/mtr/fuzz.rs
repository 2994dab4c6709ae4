//! One body for the fuzz target and the property: whatever arrives, it is read within its bounds, and a trace neither
//! panics nor runs on.

use std::net::{IpAddr, SocketAddr};

use super::carrier::{Flow, Kind, Told};
use super::engine::Beside;
use super::sockets::Sockets;
use super::{Mtr, Protocol, Strategy};
use crate::net::feed::{feed, target};
use crate::probe::Events;
use crate::units::Span;

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

fn run(asked: &Mtr, sockets: &Sockets, octets: &[u8], v6: bool) {
    let mut trace = asked.trace(sockets, SocketAddr::new(target(v6), 0), 7, Events::none());
    feed(&mut trace, octets);
    let report = trace.finish().report(asked, v6);
    assert!(report.hops.iter().all(|hop| hop.counts.received <= hop.counts.sent), "{report:?}");
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
