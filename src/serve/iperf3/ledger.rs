//! How much each source, and all of them, have moved in a day.

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::reflector::{SLOTS, network, slot};
use super::Iperf3Settings;

const DAY: Duration = Duration::from_secs(86_400);

/// Octets of a day. Sources are hashed with a secret; those that share a slot share what they may move.
pub(super) struct Ledger {
    hasher: RandomState,
    most: u64,
    most_of_source: u64,
    day: Mutex<Day>,
}

struct Day {
    began: Instant,
    all: u64,
    sources: Vec<u64>,
}

impl Ledger {
    pub(super) fn new(settings: &Iperf3Settings, now: Instant) -> Self {
        let day = Day { began: now, all: 0, sources: vec![0; SLOTS] };
        Self {
            hasher: RandomState::new(),
            most: settings.bytes_total,
            most_of_source: settings.bytes_per_source,
            day: Mutex::new(day),
        }
    }

    /// Notes that `source` has moved so many octets, and returns whether it may go on.
    pub(super) fn spend(&self, source: IpAddr, octets: u64, now: Instant) -> bool {
        let mut day = self.lock();
        if now.saturating_duration_since(day.began) >= DAY {
            *day = Day { began: now, all: 0, sources: vec![0; SLOTS] };
        }
        day.all = day.all.saturating_add(octets);
        let of_source = &mut day.sources[slot(&self.hasher, network(source))];
        *of_source = of_source.saturating_add(octets);
        let of_source = *of_source;
        let within = |moved, most| most == 0 || moved < most;
        within(day.all, self.most) && within(of_source, self.most_of_source)
    }

    fn lock(&self) -> MutexGuard<'_, Day> {
        self.day.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    #[test]
    fn a_source_and_all_have_their_day() {
        let now = clock::now().mono;
        let settings =
            Iperf3Settings { bytes_per_source: 100, bytes_total: 150, ..Iperf3Settings::default() };
        let ledger = Ledger::new(&settings, now);
        let [one, other]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        assert!(ledger.spend(one, 99, now));
        assert!(!ledger.spend(one, 1, now));
        assert!(ledger.spend(other, 49, now) && !ledger.spend(other, 1, now), "150 of all");
        let tomorrow = now + DAY;
        assert!(ledger.spend(one, 0, tomorrow) && ledger.spend(other, 99, tomorrow));
        let none = Iperf3Settings { bytes_per_source: 0, bytes_total: 0, ..settings };
        assert!(Ledger::new(&none, now).spend(one, u64::MAX, now));
    }
}
