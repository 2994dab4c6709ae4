//! The routes of the flows: who answered at which distance, the latest, and when that became somebody else.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::flights::Heard;
use super::report::PathChange;
use crate::units::Timestamp;

/// Changes of hops that are kept.
const MOST: usize = 4096;
/// Changes of hops after which nobody is told of the path's while the run goes on: by then it is no event any more.
const MOST_NEWS: usize = 256;

/// What the flows have seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    /// What each flow last saw at each TTL: the address and the round.
    seen: BTreeMap<(usize, u8), (IpAddr, u64)>,
    changes: Vec<Change>,
}

/// A flow saw another address at a hop than before: in a round after `after`, and no later than in `by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    ttl: u8,
    flow: usize,
    after: u64,
    by: u64,
    from: IpAddr,
    to: IpAddr,
    /// When the reply came that shows it, nanoseconds since the epoch.
    at: u64,
}

impl Routes {
    /// Takes a reply in. Whether somebody else has answered than before, and whoever follows the run may want to know.
    pub(super) fn follow(&mut self, heard: &Heard) -> bool {
        let (place, to, by) = ((heard.flow, heard.ttl), heard.from, heard.round);
        let before = self.seen.get(&place).copied();
        // Replies overtake each other: what an earlier round saw is no change back.
        if before.is_some_and(|(_, round)| round > by) {
            return false;
        }
        self.seen.insert(place, (to, by));
        let Some((from, after)) = before.filter(|(from, _)| *from != to) else {
            return false;
        };
        let (ttl, flow, at) = (heard.ttl, heard.flow, heard.at);
        if self.changes.len() < MOST {
            self.changes.push(Change { ttl, flow, after, by, from, to, at });
        }
        self.changes.len() < MOST_NEWS
    }

    /// How the path up to `last` has changed: the fewest moments that explain what the hops have shown. A hop that returns to
    /// a former address again and again is balanced for each packet, and changes nothing.
    pub(super) fn changes(&self, last: u8) -> Vec<PathChange> {
        let mut changes: Vec<&Change> = self
            .changes
            .iter()
            .filter(|change| change.ttl <= last && !self.is_balanced(change.ttl))
            .collect();
        changes.sort_unstable_by_key(|change| (change.by, change.after));
        let (mut told, mut rest) = (Vec::new(), &changes[..]);
        while let Some(first) = rest.first() {
            // A change in the middle of a round is seen by some hops in this one, by others in the next.
            let same = rest.iter().take_while(|change| change.after < first.by).count();
            let (moment, later) = rest.split_at(same);
            told.extend(PathChange::of(moment));
            rest = later;
        }
        told
    }

    /// The path since the change that `since` tells, from `first` to `last`: who answers most flows, the latest. Of a hop
    /// that is balanced packet by packet, `most` says whom to name; what was silent since then is left out.
    pub(super) fn path_since(
        &self,
        since: &PathChange,
        (first, last): (u8, u8),
        most: impl Fn(u8) -> Option<IpAddr>,
    ) -> Vec<(u8, IpAddr)> {
        let latest = |ttl: u8| {
            if self.is_balanced(ttl) {
                return most(ttl);
            }
            let heard = self
                .seen
                .iter()
                .filter(|((_, at), (_, round))| *at == ttl && (ttl < since.ttl || *round + 1 >= since.cycle));
            let mut counts: Vec<(IpAddr, u64)> = Vec::new();
            for (_, &(ip, _)) in heard {
                match counts.iter_mut().find(|known| known.0 == ip) {
                    Some(known) => known.1 += 1,
                    None => counts.push((ip, 1)),
                }
            }
            // Of equals the first flow's.
            counts.iter().rev().max_by_key(|known| known.1).map(|known| known.0)
        };
        (first..=last).filter_map(|ttl| Some((ttl, latest(ttl)?))).collect()
    }

    /// Who answered `flow` at `ttl`, the latest.
    pub(super) fn seen_by(&self, flow: usize, ttl: u8) -> Option<IpAddr> {
        self.seen.get(&(flow, ttl)).map(|(ip, _)| *ip)
    }

    /// Whether one flow sees addresses of this hop by turns: its packets are balanced one by one (RFC 2991 §2).
    pub(super) fn is_balanced(&self, ttl: u8) -> bool {
        let changes: Vec<&Change> = self.changes.iter().filter(|change| change.ttl == ttl).collect();
        let returns = |change: &&&Change| {
            changes
                .iter()
                .any(|other| other.flow == change.flow && other.from == change.to && other.by <= change.after)
        };
        changes.iter().filter(returns).take(2).count() == 2
    }
}

impl PathChange {
    /// The change of the path that hops have shown, each in its own way: told by the nearest of them.
    fn of(moment: &[&Change]) -> Option<Self> {
        let nearest = moment.iter().min_by_key(|change| (change.ttl, change.flow))?;
        let cycle = moment.iter().map(|change| change.by).min()? + 1;
        let at = moment.iter().map(|change| change.at).min()?;
        let at = Timestamp::from_nanosecond(at.into()).ok()?;
        let mut ttls: Vec<u8> = moment.iter().map(|change| change.ttl).collect();
        ttls.sort_unstable();
        ttls.dedup();
        let Change { ttl, flow, from, to, .. } = **nearest;
        Some(Self { cycle, at, ttl, from, to, hops: ttls.len() as u64, flow: flow as u64 })
    }
}
