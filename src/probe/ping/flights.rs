//! What is in flight: slots by (socket, 16-bit number), reused in turn, and the order in which they were sent.

use std::collections::VecDeque;
use std::ops::Range;

use crate::units::Now;

/// Numbers of one socket: as many as the wire has.
const NUMBERS: u64 = 1 << 16;

/// All slots, of both families.
pub(super) struct Flights {
    rings: [Ring; 2],
    /// The slots of the latest sends and what they carried, in their order, beginning with send number `first`.
    order: VecDeque<(Place, u64)>,
    first: u64,
}

/// The slots of one family, over all of its sockets. They come into being when they are first needed.
struct Ring {
    sockets: Range<usize>,
    slots: Vec<Slot>,
    next: u64,
}

/// Where a packet's slot is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    is_ipv6: bool,
    at: u32,
}

/// One packet. It stays after its fate is known, so that what comes later is understood, until its number is used again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// The packet's number in the run.
    pub(super) probe: u64,
    /// When it was sent, as we read the clocks.
    pub(super) sent: Now,
    /// When the kernel sent it; 0 where it has not said so.
    pub(super) stamp: u64,
    pub(super) state: State,
    /// An ICMP error has come about it.
    pub(super) told: bool,
}

/// What has become of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In flight.
    Flying,
    /// A reply has come; when it was sent is still to be told.
    Held,
    /// Answered in time.
    Answered,
    /// Given up: a reply is late.
    Expired,
    /// It never left.
    Refused,
}

/// A slot that was given out: where it is, and the number and socket that the packet goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) socket: usize,
    pub(super) seq: u16,
}

impl Flights {
    pub(super) fn new(sockets: [Range<usize>; 2]) -> Self {
        let rings = sockets.map(|sockets| Ring { sockets, slots: Vec::new(), next: 0 });
        Self { rings, order: VecDeque::new(), first: 0 }
    }

    /// A slot for `probe`, sent at `now`; `None` while all numbers of its family are in flight.
    pub(super) fn give(&mut self, is_ipv6: bool, probe: u64, now: Now) -> Option<Given> {
        let ring = &mut self.rings[usize::from(is_ipv6)];
        let room = NUMBERS * ring.sockets.len() as u64;
        let at = ring.next % room.max(1);
        let slot = Slot { probe, sent: now, stamp: 0, state: State::Flying, told: false };
        match ring.slots.get_mut(at as usize) {
            Some(old) if matches!(old.state, State::Flying | State::Held) => return None,
            Some(old) => *old = slot,
            None if room > 0 => ring.slots.push(slot),
            None => return None,
        }
        ring.next += 1;
        self.order.push_back((Place { is_ipv6, at: at as u32 }, probe));
        Some(Given { socket: ring.sockets.start + (at / NUMBERS) as usize, seq: at as u16 })
    }

    /// Where the packet is that socket `socket` sent as `seq`.
    pub(super) fn find(&self, socket: usize, seq: u16) -> Option<Place> {
        let is_ipv6 = self.is_ipv6(socket);
        let ring = &self.rings[usize::from(is_ipv6)];
        let nth = socket.checked_sub(ring.sockets.start).filter(|nth| *nth < ring.sockets.len())?;
        let at = nth * NUMBERS as usize + usize::from(seq);
        (at < ring.slots.len()).then_some(Place { is_ipv6, at: at as u32 })
    }

    /// Whether a socket is of IPv6.
    pub(super) fn is_ipv6(&self, socket: usize) -> bool {
        self.rings[1].sockets.contains(&socket)
    }

    /// The slot at `place`.
    pub(super) fn at(&mut self, place: Place) -> &mut Slot {
        &mut self.rings[usize::from(place.is_ipv6)].slots[place.at as usize]
    }

    /// Where the packet of the `send`-th send is, unless it was forgotten.
    pub(super) fn sent(&self, send: u64) -> Option<Place> {
        let at = usize::try_from(send.checked_sub(self.first)?).ok()?;
        self.order.get(at).filter(|entry| self.is_current(entry)).map(|(place, _)| *place)
    }

    /// The packet that was sent first of those not forgotten.
    pub(super) fn oldest(&mut self) -> Option<Place> {
        // A number that was used again is another packet's by now.
        while self.order.front().is_some_and(|entry| !self.is_current(entry)) {
            self.forget_oldest();
        }
        self.order.front().map(|(place, _)| *place)
    }

    fn is_current(&self, (place, probe): &(Place, u64)) -> bool {
        self.rings[usize::from(place.is_ipv6)].slots[place.at as usize].probe == *probe
    }

    /// Forgets in which send that was.
    pub(super) fn forget_oldest(&mut self) {
        self.first += u64::from(self.order.pop_front().is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_through_all_sockets_and_are_used_again_once_they_have_landed() {
        let now = crate::sys::clock::now();
        let mut flights = Flights::new([0..2, 2..3]);
        for probe in 0..2 * NUMBERS {
            let given = flights.give(false, probe, now).expect("room");
            assert_eq!((given.socket as u64, u64::from(given.seq)), (probe / NUMBERS, probe % NUMBERS));
        }
        assert_eq!(flights.give(false, 0, now), None, "all are in flight");
        assert_eq!(
            flights.give(true, 7, now),
            Some(Given { socket: 2, seq: 0 }),
            "the other family has room"
        );
        let place = flights.find(0, 0).expect("a slot");
        flights.at(place).state = State::Answered;
        assert_eq!(flights.give(false, 9, now), Some(Given { socket: 0, seq: 0 }));
        assert_eq!(flights.sent(2 * NUMBERS), flights.find(2, 0), "the other family's was sent in between");
        assert_eq!(flights.sent(2 * NUMBERS + 1), Some(place));
        assert_eq!([flights.find(2, 1), flights.find(3, 0)], [None, None]);
    }
}
