//! Routers that quote too little to tell the probes of a flow apart: 8 octets behind the IP header are all that RFC 792 asks
//! of them, and over UDP the error queue keeps these for itself.
//!
//! Whose such an error is follows from what else is known: hops whose routers quote enough are out of the question, and an
//! address that was found at a hop stays there. Where several hops are left, each is asked alone until it is found, at most
//! three times; meanwhile all hops of which something is known go on as before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::net::engine::Icmp;
use crate::units::Now;

use super::flights::Says;

/// How often a hop is asked alone.
const TRIES: u8 = 3;
/// Errors that wait for their hop to be found; those beyond are ignored.
const MOST: usize = 256;

/// A flow at a distance.
type Place = (usize, u8);

/// What is known of hops that quote too little.
#[derive(Debug, Default)]
pub(super) struct Terse {
    /// Hops that have quoted enough.
    legible: BTreeSet<Place>,
    /// Where routers that do not were found.
    found: BTreeMap<(usize, IpAddr), u8>,
    /// Hops to be asked alone, and how often they were.
    alone: BTreeMap<Place, u8>,
    waiting: Vec<Waiting>,
}

/// An error that waits for its hop to be found.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) flow: usize,
    pub(super) from: IpAddr,
    pub(super) says: Says,
    pub(super) now: Now,
    pub(super) stamp: Option<u64>,
    pub(super) back: Option<u8>,
}

impl Waiting {
    /// What came of `flow` from `from`.
    pub(super) fn of(flow: usize, from: IpAddr, says: Says, now: Now, icmp: &Icmp<'_>) -> Self {
        Self { flow, from, says, now, stamp: icmp.stamp, back: icmp.ttl }
    }
}

impl Terse {
    /// The router there has quoted enough.
    pub(super) fn read(&mut self, place: Place) {
        if self.legible.insert(place) {
            self.alone.remove(&place);
        }
    }

    /// Whether a reply that tells no number may be from there.
    pub(super) fn is_suspect(&self, place: Place) -> bool {
        !self.legible.contains(&place)
    }

    /// Whether nothing at all is known of who answers there.
    pub(super) fn is_unknown(&self, (flow, ttl): Place) -> bool {
        let mut found = self.found.iter().filter(|((of, _), _)| *of == flow);
        self.is_suspect((flow, ttl)) && !found.any(|(_, at)| *at == ttl)
    }

    /// Where this router was found.
    pub(super) fn place(&self, flow: usize, from: IpAddr) -> Option<u8> {
        self.found.get(&(flow, from)).copied()
    }

    /// That router is there; what has waited for this.
    pub(super) fn find(&mut self, (flow, ttl): Place, from: IpAddr) -> Vec<Waiting> {
        self.found.insert((flow, from), ttl);
        self.alone.remove(&(flow, ttl));
        self.waiting.extract_if(.., |waiting| (waiting.flow, waiting.from) == (flow, from)).collect()
    }

    /// One of `places` has answered, nobody knows which; whether the answer is kept.
    pub(super) fn doubt(&mut self, places: impl Iterator<Item = Place>, answer: Waiting) -> bool {
        places.for_each(|place| {
            self.alone.entry(place).or_default();
        });
        let room = self.waiting.len() < MOST;
        self.waiting.extend(room.then_some(answer));
        room
    }

    /// A probe goes there.
    pub(super) fn asked(&mut self, place: Place) {
        if let Some(tries) = self.alone.get_mut(&place) {
            *tries += 1;
        }
    }

    /// Whether hops of this flow are still asked alone; those beyond the `last` are not asked at all.
    pub(super) fn is_careful(&self, flow: usize, last: u8) -> bool {
        self.alone.range((flow, 0)..=(flow, last)).any(|(_, tries)| *tries < TRIES)
    }

    /// Errors whose hop was not found.
    pub(super) fn unclear(&self) -> u64 {
        self.waiting.len() as u64
    }
}
