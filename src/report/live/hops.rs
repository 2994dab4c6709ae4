//! The hops of a path while it is traced: what was heard of each, judged as the report will be.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::geo::Place;
use crate::probe::mtr::{Label, Mark, PathChange, Verdict, judge};
use crate::report::text::escape;
use crate::report::text::mtr::columns::Running;
use crate::report::text::mtr::words;

/// Addresses kept of one hop.
const MOST_ADDRESSES: usize = 64;
/// Addresses of which names or places are kept.
const MOST_KNOWN: usize = 512;
/// Probes in the history of a hop: more than the columns of any terminal.
const HISTORY: usize = 512;

/// All hops, and what is known of their addresses.
#[derive(Clone, Debug, Default)]
pub struct Hops {
    hops: BTreeMap<u8, Hop>,
    pub(super) names: HashMap<IpAddr, String>,
    pub(super) places: HashMap<IpAddr, Place>,
    /// Where the target is.
    target: Option<u8>,
    /// The latest change of the path, in words.
    pub(super) change: Option<String>,
    /// Echo requests beside the probes: those whose fate is known, and those answered.
    check: Option<(u64, u64)>,
}

/// What was heard of a hop.
#[derive(Clone, Debug, Default)]
pub(super) struct Hop {
    /// Who has answered, how often.
    pub(super) addresses: Vec<(IpAddr, u64)>,
    /// Probes whose fate is known, and those answered.
    pub(super) counts: (u64, u64),
    pub(super) running: Running,
    pub(super) history: VecDeque<Option<Duration>>,
    pub(super) mark: Option<Mark>,
    pub(super) mpls: Vec<Label>,
}

/// What a probe to a hop has brought.
pub(super) struct Answer {
    pub(super) from: IpAddr,
    pub(super) rtt: Duration,
    pub(super) mark: Option<Mark>,
    pub(super) mpls: Vec<Label>,
}

impl Hops {
    /// Whether nothing was heard of any hop.
    pub fn is_empty(&self) -> bool {
        self.hops.is_empty()
    }

    /// Forgets what was counted; what is known of addresses stays.
    pub(super) fn reset(&mut self) {
        let (names, places) = (std::mem::take(&mut self.names), std::mem::take(&mut self.places));
        *self = Self { names, places, ..Self::default() };
    }

    /// A hop has answered, or has not; whether it is the target.
    pub(super) fn hear(&mut self, ttl: u8, answer: Option<Answer>, is_target: bool) -> bool {
        match (is_target, self.target) {
            // Probes that went too far are answered by it, too.
            (true, known) => self.target = Some(known.map_or(ttl, |known| known.min(ttl))),
            (false, Some(target)) if target <= ttl && answer.is_some() => self.target = None,
            _ => {}
        }
        self.hops.entry(ttl).or_default().hear(answer);
        self.target == Some(ttl)
    }

    /// The path has changed, or has proved not to have.
    pub(super) fn changed(&mut self, latest: Option<&PathChange>) {
        self.change = latest.map(|change| format!("the path changed {}", words::change(change)));
    }

    /// An echo request beside the probes was answered, or was not.
    pub(super) fn checked(&mut self, answered: bool) {
        let check = self.check.get_or_insert_default();
        *check = (check.0 + 1, check.1 + u64::from(answered));
    }

    /// The name of an address was found.
    pub(super) fn name(&mut self, address: IpAddr, name: &str) {
        if self.names.len() < MOST_KNOWN {
            self.names.insert(address, escape(name).into_owned());
        }
    }

    /// Where an address belongs is known.
    pub(super) fn place(&mut self, address: IpAddr, place: &Place) {
        if self.places.len() < MOST_KNOWN {
            self.places.insert(address, place.clone());
        }
    }

    /// The hops in the order of the path, each with what its numbers prove: up to the target, or to the last that answers
    /// and one for the silent ones behind it.
    pub(super) fn rows(&self) -> Vec<(u8, Cow<'_, Hop>, Verdict)> {
        let Some(&first) = self.hops.keys().next() else {
            return Vec::new();
        };
        let heard = self.hops.iter().rfind(|(_, hop)| hop.counts.1 > 0);
        let last = match (self.target, heard) {
            (Some(target), _) => target,
            (None, Some((&ttl, hop))) if hop.mark.is_some() => ttl,
            (None, Some((&ttl, _))) => ttl.saturating_add(u8::from(self.hops.range(ttl..).count() > 1)),
            (None, None) => first,
        };
        let hop = |ttl| self.hops.get(&ttl).map_or_else(|| Cow::Owned(Hop::default()), Cow::Borrowed);
        let hops: Vec<Cow<'_, Hop>> = (first..=last).map(hop).collect();
        let counts: Vec<(u64, u64)> = hops.iter().map(|hop| hop.counts).collect();
        let verdicts = judge(&counts, self.check, self.target.is_some());
        (first..=last).zip(hops.into_iter().zip(verdicts)).map(|(ttl, (hop, is))| (ttl, hop, is)).collect()
    }

    /// Loss on the whole path, 0–1; `None` where nothing proves any, and before the target has answered.
    pub(super) fn loss_ratio(&self) -> Option<f64> {
        let (_, _, verdict) = self.rows().pop().filter(|_| self.target.is_some())?;
        verdict.loss_ratio
    }
}

impl Hop {
    fn hear(&mut self, answer: Option<Answer>) {
        self.counts.0 += 1;
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(answer.as_ref().map(|answer| answer.rtt));
        let Some(Answer { from, rtt, mark, mpls }) = answer else { return };
        self.counts.1 += 1;
        match self.addresses.iter().position(|(known, _)| *known == from) {
            Some(at) => self.addresses[at].1 += 1,
            None if self.addresses.len() < MOST_ADDRESSES => self.addresses.push((from, 1)),
            None => {}
        }
        self.running.push(rtt);
        self.mark = mark.or(self.mark);
        if !mpls.is_empty() {
            self.mpls = mpls;
        }
    }
}
