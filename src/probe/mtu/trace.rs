//! Where on the way the large packets end: a small and a large one for each TTL, and who lets them expire.

use std::net::IpAddr;

use super::flight::Wish;

/// Hops that are looked at, at most.
pub(super) const MOST_HOPS: u8 = 30;
/// Hops that are looked at where nothing tells how far it is.
const UNKNOWN: u8 = 16;
/// Rounds of packets for hops that have not answered.
const ROUNDS: u32 = 3;

/// What is known of one hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    /// Who answered.
    pub(super) address: Option<IpAddr>,
    /// A small packet came so far.
    pub(super) small: bool,
    /// A large one came so far.
    pub(super) large: bool,
    /// A large one did not get beyond here: a router says that it is too big.
    pub(super) refused: bool,
    /// It is the target itself.
    pub(super) is_target: bool,
}

/// The way, hop by hop.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    lane: usize,
    small: u16,
    large: u16,
    /// What is known, from TTL 1 on.
    pub(super) hops: Vec<Hop>,
    rounds: u32,
}

/// What an answer to a packet with a TTL says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It expired there.
    Expired,
    /// It is too big for what comes next.
    Refused,
    /// It reached the target.
    Target,
}

impl Trace {
    /// A trace with packets of these two sizes; `ttl` is that of an answer of the target on arrival.
    pub(super) fn new(lane: usize, small: u16, large: u16, ttl: Option<u8>) -> Self {
        let far = ttl.map_or(UNKNOWN, distance).min(MOST_HOPS);
        Self { lane, small, large, hops: vec![Hop::default(); far.into()], rounds: 0 }
    }

    /// The size of the large ones.
    pub(super) const fn large(&self) -> u16 {
        self.large
    }

    /// An answer to a packet of `size` with this `ttl`.
    pub(super) fn heard(&mut self, ttl: u8, size: u16, from: Option<IpAddr>, mark: Mark) {
        // They are one where nothing larger was to be tried.
        let (is_small, is_large) = (size == self.small, size == self.large);
        let Some(hop) = usize::from(ttl).checked_sub(1).and_then(|at| self.hops.get_mut(at)) else {
            return;
        };
        match mark {
            Mark::Expired | Mark::Target => {
                hop.address = from.or(hop.address);
                hop.small |= is_small;
                hop.large |= is_large;
                hop.is_target |= mark == Mark::Target;
            }
            Mark::Refused => hop.refused |= is_large,
        }
        // Beyond the target there is nothing.
        if let Some(end) = self.hops.iter().position(|hop| hop.is_target) {
            self.hops.truncate(end + 1);
        }
    }

    /// What to send next; nothing when all is known, or will not be.
    pub(super) fn plan(&mut self) -> Vec<Wish> {
        self.rounds += 1;
        let answered = self.hops.last().is_some_and(|hop| hop.small);
        let is_target = self.hops.last().is_some_and(|hop| hop.is_target);
        if self.rounds > 1 && answered && !is_target && self.hops.len() < MOST_HOPS.into() {
            // The way there is longer than the way back.
            let longer = (self.hops.len() + 4).min(MOST_HOPS.into());
            self.hops.resize(longer, Hop::default());
            self.rounds = self.rounds.min(2);
        }
        if self.rounds > ROUNDS {
            return Vec::new();
        }
        let reach = self.reach().map_or(0, usize::from);
        let mut wishes = Vec::new();
        for (at, hop) in self.hops.iter().enumerate() {
            let ttl = at as u8 + 1;
            // Who answers neither of two small ones does not answer at all.
            if !hop.small {
                wishes.push(Wish::new(self.lane, self.small, Some(ttl)));
            }
            let is_open = self.is_open(ttl, self.large) && (self.rounds == 1 || at < reach + 2);
            if !hop.large && is_open && self.large != self.small {
                wishes.push(Wish::new(self.lane, self.large, Some(ttl)));
            }
        }
        wishes
    }

    /// Whether a packet of `size` may come to the hop `ttl`: large ones do not where a router before it refuses them.
    pub(super) fn is_open(&self, ttl: u8, size: u16) -> bool {
        let refused = self.hops.iter().position(|hop| hop.refused).unwrap_or(self.hops.len());
        size != self.large || size == self.small || usize::from(ttl) <= refused
    }

    /// The last hop that a large packet came to.
    pub(super) fn reach(&self) -> Option<u8> {
        self.hops.iter().rposition(|hop| hop.large).map(|at| at as u8 + 1)
    }

    /// The first hop beyond it that a small one came to.
    pub(super) fn beyond(&self) -> Option<u8> {
        let reach = self.reach().map_or(0, usize::from);
        let found = self.hops.iter().skip(reach).position(|hop| hop.small);
        found.map(|at| (reach + at) as u8 + 1)
    }

    /// The hop with this address.
    pub(super) fn hop_of(&self, address: IpAddr) -> Option<u8> {
        self.hops.iter().position(|hop| hop.address == Some(address)).map(|at| at as u8 + 1)
    }

    /// The hop whose router said "too big", by what it did not say: the last that large ones came to, if the very next
    /// TTL was refused.
    pub(super) fn refusing(&self) -> Option<u8> {
        let refused = self.hops.iter().position(|hop| hop.refused)? as u8;
        self.reach().filter(|&reach| reach == refused)
    }
}

/// How many hops a packet has come that arrives with this TTL: hosts begin with 64, 128 or 255.
fn distance(ttl: u8) -> u8 {
    let first = [64, 128, 255].into_iter().find(|&first| ttl <= first).unwrap_or(255);
    first - ttl + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_begin_with_one_of_three() {
        assert_eq!([64, 62, 128, 120, 255, 250, 33].map(distance), [1, 3, 1, 9, 1, 6, 32]);
    }
}
