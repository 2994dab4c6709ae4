//! One body for the fuzz target and the property: whatever arrives, the engine neither panics nor runs on.

use std::net::SocketAddr;
use std::time::Duration;

use super::carrier::{Carrier, Closed, Echo};
use super::engine::{Engine, Lane, Plan, Scout};
use super::report::Bound;
use super::syn::Syn;
use crate::net::feed::{feed, target};
use crate::probe::Events;
use crate::probe::session::{Session, params};

/// Runs the engine of `mtu`, over every carrier, and gives it what `octets` say, as [`feed`] does.
///
/// # Panics
/// When the engine does, or does not end.
pub fn fuzz_mtu(octets: &[u8]) {
    for (v6, syn) in [(false, false), (true, false), (false, true)] {
        feed(&mut engine(v6, syn), octets);
    }
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
