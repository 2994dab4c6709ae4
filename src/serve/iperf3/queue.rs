//! Clients that wait for a place instead of hearing that the server is busy: who came first is asked first.
//!
//! A place that becomes free is given to the first for whom there is one, by its source's limit too; so nobody who comes later can
//! take it. A client that has it and sends no parameters loses it as soon as those are late.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{Place, Shared};

/// All who wait.
#[derive(Default)]
pub(super) struct Queue(Mutex<VecDeque<Waiter>>);

struct Waiter {
    source: IpAddr,
    place: oneshot::Sender<Place>,
}

impl Queue {
    /// Waits behind the others, of whom there are fewer than `most`. The place comes by what is returned, and who drops that waits no
    /// more. `None` where too many wait.
    pub(super) fn enter(&self, source: IpAddr, most: usize) -> Option<oneshot::Receiver<Place>> {
        let mut waiters = self.lock();
        waiters.retain(|waiter| !waiter.place.is_closed());
        if waiters.len() >= most {
            return None;
        }
        let (place, comes) = oneshot::channel();
        waiters.push_back(Waiter { source, place });
        Some(comes)
    }

    /// Gives what places there are to those who wait.
    pub(super) fn serve(shared: &Arc<Shared>) {
        // A place that its client has not waited for goes on to the next, once nobody holds the lock.
        while let Some(place) = shared.queue.give(shared) {
            drop(place);
        }
    }

    /// The same; returns a place that nobody has taken.
    fn give(&self, shared: &Arc<Shared>) -> Option<Place> {
        let mut waiters = self.lock();
        let mut at = 0;
        while let Some(waiter) = waiters.get(at) {
            let place = if waiter.place.is_closed() { None } else { Place::enter(shared, waiter.source) };
            match place {
                Some(place) => {
                    let waiter = waiters.remove(at)?;
                    if let Err(place) = waiter.place.send(place) {
                        return Some(place);
                    }
                }
                None => at += 1,
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
