//! How many sessions each source network has, so that nobody fills the table for everybody.

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::limit::{SLOTS, network, slot};

/// A neighbourhood (IPv4 /24, IPv6 /48) may have as many sessions as this many of its sources.
const NEIGHBOURS: u32 = 16;

/// Counts of sessions: all of them, by source (IPv4 /32, IPv6 /64) and by neighbourhood (/24, /48).
///
/// Sources are hashed with a secret; those that share a slot share its places.
#[derive(Debug)]
pub(in crate::serve) struct Census {
    hasher: RandomState,
    all: AtomicU32,
    sources: Vec<AtomicU32>,
    neighbourhoods: Vec<AtomicU32>,
    most: u32,
    most_of_source: u32,
}

impl Census {
    pub(in crate::serve) fn new(most: u32, most_of_source: u32) -> Self {
        let zeros = || (0..SLOTS).map(|_| AtomicU32::new(0)).collect();
        Self {
            hasher: RandomState::new(),
            all: AtomicU32::new(0),
            sources: zeros(),
            neighbourhoods: zeros(),
            most,
            most_of_source,
        }
    }

    /// Takes a place for one more session of `source`; nobody has shares of who is trusted with the whole table (`None`).
    pub(in crate::serve) fn enter(&self, source: Option<IpAddr>) -> Result<(), Full> {
        enter(&self.all, self.most).then_some(()).ok_or(Full::Table)?;
        let Some(source) = source else { return Ok(()) };
        let [near, wide] = self.shares(source);
        if enter(near, self.most_of_source) {
            if enter(wide, self.most_of_neighbourhood()) {
                return Ok(());
            }
            leave(near);
        }
        leave(&self.all);
        Err(Full::Share)
    }

    /// Whether [`enter`](Self::enter) would find a place now, for a session with a source; takes none.
    pub(in crate::serve) fn has_room(&self, source: IpAddr) -> bool {
        let [near, wide] = self.shares(source);
        [(&self.all, self.most), (near, self.most_of_source), (wide, self.most_of_neighbourhood())]
            .into_iter()
            .all(|(count, most)| count.load(Ordering::Relaxed) < most)
    }

    /// Gives the place of one session of `source` back.
    pub(in crate::serve) fn leave(&self, source: Option<IpAddr>) {
        leave(&self.all);
        source.iter().flat_map(|source| self.shares(*source)).for_each(leave);
    }

    const fn most_of_neighbourhood(&self) -> u32 {
        self.most_of_source.saturating_mul(NEIGHBOURS)
    }

    fn shares(&self, source: IpAddr) -> [&AtomicU32; 2] {
        [
            &self.sources[slot(&self.hasher, network(source))],
            &self.neighbourhoods[slot(&self.hasher, neighbourhood(source))],
        ]
    }
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Full {
    /// The table holds as many as it may.
    Table,
    /// The source, or its neighbourhood, has its share of it.
    Share,
}

fn enter(count: &AtomicU32, most: u32) -> bool {
    let more = |count: u32| (count < most).then_some(count + 1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

fn leave(count: &AtomicU32) {
    count.fetch_sub(1, Ordering::Relaxed);
}

/// The network that one owner commonly has all of.
fn neighbourhood(source: IpAddr) -> u128 {
    match source {
        IpAddr::V4(v4) => (v4.to_bits() >> 8 << 8).into(),
        IpAddr::V6(v6) => v6.to_bits() >> 80 << 80 | 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(census: &Census, sources: impl Iterator<Item = String>) -> usize {
        let enters = |source: &String| {
            let source = source.parse().expect("an address");
            let has_room = census.has_room(source);
            let enters = census.enter(Some(source)).is_ok();
            assert_eq!(has_room, enters, "who looks sees what happens to who enters");
            enters
        };
        sources.filter(enters).count()
    }

    #[test]
    fn a_source_a_neighbourhood_and_all_have_their_bounds() {
        let census = Census::new(100, 5);
        assert_eq!(entered(&census, (0..9).map(|_| "192.0.2.1".to_owned())), 5);
        assert_eq!(entered(&census, (0..200).map(|n| format!("2001:db8:1:{n:x}::1"))), 80);
        assert_eq!(entered(&census, (0..200).map(|n| format!("198.51.{n}.1"))), 15);
        assert_eq!(census.enter(Some([192, 0, 2, 99].into())), Err(Full::Table));
        census.leave(Some([198, 51, 0, 1].into()));
        assert_eq!(census.enter(Some([192, 0, 2, 1].into())), Err(Full::Share));
        assert_eq!(
            (census.enter(None), census.enter(None)),
            (Ok(()), Err(Full::Table)),
            "no share but the table"
        );
    }

    #[test]
    fn who_leaves_makes_room_and_who_is_refused_takes_none() {
        let census = Census::new(2, 2);
        let source: IpAddr = "192.0.2.1".parse().expect("an address");
        assert_eq!(entered(&census, (0..9).map(|_| source.to_string())), 2);
        census.leave(Some(source));
        assert_eq!(entered(&census, (0..9).map(|_| source.to_string())), 1);
        census.leave(Some(source));
        census.leave(Some(source));
        let counts = census.shares(source).into_iter().chain([&census.all]);
        assert!(counts.into_iter().all(|count| count.load(Ordering::Relaxed) == 0));
    }
}
