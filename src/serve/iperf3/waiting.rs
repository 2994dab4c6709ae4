//! Connections that have not shown what they are, so many and no more: a new one takes the place of the oldest, because
//! who means it has shown it long since.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::super::reflector::network;

/// Connections of all sources, and of one.
const MOST: usize = 256;
const MOST_OF_SOURCE: usize = 64;

/// All that wait.
pub(super) struct Waiting {
    most: usize,
    most_of_source: usize,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    last: u64,
    /// The oldest first.
    all: VecDeque<Place>,
}

struct Place {
    id: u64,
    source: u128,
    displaced: CancellationToken,
}

impl Waiting {
    /// Room for tests of `streams` data connections, which come all at once.
    pub(super) fn new(streams: usize) -> Self {
        let most_of_source = MOST_OF_SOURCE.max(2 * streams);
        Self { most: MOST.max(most_of_source), most_of_source, places: Mutex::default() }
    }

    /// A place for one more of `source`; where there is none, the oldest of the source, or of all, loses its own.
    pub(super) fn enter(self: &Arc<Self>, source: IpAddr) -> Pass {
        let source = network(source);
        let mut places = self.lock();
        let of_source = places.all.iter().filter(|place| place.source == source).count();
        let oldest = if of_source >= self.most_of_source {
            places.all.iter().position(|place| place.source == source)
        } else {
            (places.all.len() >= self.most).then_some(0)
        };
        if let Some(place) = oldest.and_then(|at| places.all.remove(at)) {
            place.displaced.cancel();
        }
        places.last += 1;
        let (id, displaced) = (places.last, CancellationToken::new());
        places.all.push_back(Place { id, source, displaced: displaced.clone() });
        Pass { waiting: Arc::clone(self), id, displaced }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those that wait, until it is dropped.
pub(super) struct Pass {
    waiting: Arc<Waiting>,
    id: u64,
    displaced: CancellationToken,
}

impl Pass {
    /// Waits until another one has taken the place.
    pub(super) async fn displaced(&self) {
        self.displaced.cancelled().await;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.waiting.lock().all.retain(|place| place.id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0xc000_0200 + n).into()
    }

    #[test]
    fn the_oldest_of_a_full_source_and_of_all_makes_room() {
        let waiting = Arc::new(Waiting::new(1));
        let of_one: Vec<Pass> = (0..65).map(|_| waiting.enter(address(0))).collect();
        let displaced = |passes: &[Pass]| passes.iter().filter(|pass| pass.displaced.is_cancelled()).count();
        assert!(of_one[0].displaced.is_cancelled() && displaced(&of_one) == 1);
        let others: Vec<Pass> = (1..=192).map(|n| waiting.enter(address(n))).collect();
        assert_eq!((displaced(&of_one), displaced(&others)), (1, 0), "256 have room");
        let last = waiting.enter(address(1000));
        assert!(of_one[1].displaced.is_cancelled() && !last.displaced.is_cancelled());
        assert_eq!((displaced(&of_one), displaced(&others)), (2, 0));
        drop((of_one, others, last));
        assert!(waiting.lock().all.is_empty());
    }

    #[test]
    fn the_streams_of_the_largest_test_have_room() {
        let waiting = Arc::new(Waiting::new(256));
        let all: Vec<Pass> = (0..512).map(|_| waiting.enter(address(0))).collect();
        assert!(all.iter().all(|pass| !pass.displaced.is_cancelled()));
    }
}
