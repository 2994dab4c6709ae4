//! What the segments of one TCP connection tell: retransmissions, reordering, closed windows, the handshake's RTT.
//!
//! A capture at one point cannot know what was lost elsewhere; it infers. The inferences are Wireshark's
//! (`tcp.analysis.*`, its user's guide §7.5), so that both say the same of the same packets: what it calls a
//! retransmission, a fast and a spurious one are `retransmits` here.

use std::collections::VecDeque;
use std::time::Duration;

use crate::wire::frame::Segment;

/// Segments in flight that are remembered of one direction.
const MOST_UNACKED: usize = 4096;
/// How soon after the segment with the highest number another may come and still be out of order, where no handshake
/// told the round trip.
const REORDERED: u64 = 3_000_000;
/// How soon after the duplicate acknowledgement that asked for it a segment is a fast retransmission.
const FAST: u64 = 20_000_000;

/// What one segment is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) retransmit: bool,
    pub(super) out_of_order: bool,
    pub(super) duplicate_ack: bool,
    pub(super) zero_window: bool,
    /// A segment before it was not captured.
    pub(super) gap: bool,
    pub(super) keep_alive: bool,
    pub(super) probe: bool,
    /// It ends a handshake that took so long.
    pub(super) handshake: Option<Duration>,
    /// It begins a connection anew between the same ports.
    pub(super) anew: bool,
}

/// A connection, seen from where it is captured. Two sides: 0 is that of the lower address.
#[derive(Debug, Default)]
pub(super) struct Connection {
    sides: [Side; 2],
    first_rtt: Option<u64>,
    syn_at: Option<u64>,
}

#[derive(Debug, Default)]
struct Side {
    /// Number of the SYN.
    base: Option<u32>,
    /// The number behind the highest that was seen, and when it was seen.
    next: Option<u32>,
    next_at: u64,
    /// What the latest segment said.
    window: Option<u16>,
    acked: Option<u32>,
    acked_at: u64,
    duplicates: u32,
    was_keep_alive: bool,
    was_probe: bool,
    unacked: VecDeque<(u32, u32)>,
    /// Not in the order of their numbers.
    mixed: bool,
}

/// Room for segments in flight, of all connections together.
#[derive(Debug)]
pub(super) struct Room(pub(super) usize);

impl Connection {
    /// Takes in a segment of `side` that was seen at `at`.
    pub(super) fn push(&mut self, side: usize, segment: &Segment, at: u64, room: &mut Room) -> Signs {
        let mut signs = Signs { anew: self.begins_anew(side, segment), ..Signs::default() };
        if signs.anew {
            room.0 += self.sides.iter().map(|side| side.unacked.len()).sum::<usize>();
            *self = Self::default();
        }
        self.follow_handshake(side, segment, at, &mut signs);
        let [lower, upper] = &mut self.sides;
        let (ours, theirs) = if side == 0 { (lower, upper) } else { (upper, lower) };
        let first_rtt = self.first_rtt;
        judge(ours, theirs, segment, at, first_rtt, &mut signs);
        ours.remember(segment, at, &signs, room);
        if segment.has(Segment::ACK) {
            theirs.forget(segment.acknowledgement, room);
        }
        signs
    }

    fn begins_anew(&self, side: usize, segment: &Segment) -> bool {
        let is_first = segment.has(Segment::SYN) && !segment.has(Segment::ACK);
        is_first && self.sides[side].base.is_some_and(|base| base != segment.sequence)
    }

    /// SYN to the acknowledgement of its answer: a whole round trip, wherever between the ends it is captured.
    fn follow_handshake(&mut self, side: usize, segment: &Segment, at: u64, signs: &mut Signs) {
        if segment.has(Segment::SYN) {
            self.sides[side].base = Some(segment.sequence);
            if !segment.has(Segment::ACK) {
                self.syn_at = Some(at);
            }
            return;
        }
        let begins =
            |side: usize, number: u32| self.sides[side].base.map(|base| base.wrapping_add(1)) == Some(number);
        let ends = self.first_rtt.is_none()
            && segment.has(Segment::ACK)
            && begins(side, segment.sequence)
            && begins(1 - side, segment.acknowledgement);
        if let Some(syn) = self.syn_at.filter(|_| ends) {
            let took = at.saturating_sub(syn);
            self.first_rtt = Some(took);
            signs.handshake = Some(Duration::from_nanos(took));
        }
    }
}

/// Whether number `a` lies before `b` (RFC 9293 §3.4).
const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

fn judge(
    ours: &mut Side,
    theirs: &Side,
    segment: &Segment,
    at: u64,
    first_rtt: Option<u64>,
    signs: &mut Signs,
) {
    const CONTROL: u8 = Segment::SYN | Segment::FIN | Segment::RST;
    let Segment { sequence, acknowledgement, window, payload, .. } = *segment;
    let is_control = segment.has(CONTROL);
    let is_next = ours.next == Some(sequence);
    if payload == 1 && is_next && theirs.window == Some(0) {
        signs.probe = true;
    } else {
        signs.zero_window = window == 0 && !is_control;
        signs.gap = ours.next.is_some_and(|next| before(next, sequence)) && !segment.has(Segment::RST);
        signs.keep_alive =
            payload <= 1 && ours.next.map(|next| next.wrapping_sub(1)) == Some(sequence) && !is_control;
        let is_repeated = payload == 0
            && !is_control
            && ours.window == Some(window)
            && is_next
            && ours.acked == Some(acknowledgement);
        let answers = theirs.was_keep_alive && window > 0 || theirs.was_probe && window == 0;
        signs.duplicate_ack = is_repeated && !answers && window > 0;
    }
    if signs.duplicate_ack {
        ours.duplicates += 1;
    }
    if ours.acked != Some(acknowledgement) {
        ours.duplicates = 0;
    }
    let takes_room = payload > 0 || segment.has(Segment::SYN | Segment::FIN);
    if takes_room && !signs.keep_alive {
        repeat(ours, theirs, segment, at, first_rtt, signs);
    }
}

/// Whether a segment that takes room in the sequence repeats an earlier one, or comes too late.
fn repeat(ours: &Side, theirs: &Side, segment: &Segment, at: u64, first_rtt: Option<u64>, signs: &mut Signs) {
    let Segment { sequence, payload, .. } = *segment;
    let end = sequence.wrapping_add(payload);
    let is_acked = theirs.acked.is_some_and(|acked| acked != 0 && !before(acked, end));
    if payload > 0 && is_acked {
        signs.retransmit = true;
        return;
    }
    // What begins one before the next may follow a probe of a closed window: it brings something new.
    let is_old = ours
        .next
        .is_some_and(|next| before(sequence, next) && !(payload > 1 && next.wrapping_sub(1) == sequence));
    if !is_old {
        return;
    }
    let is_asked =
        theirs.duplicates >= 2 && theirs.acked == Some(sequence) && at.wrapping_sub(theirs.acked_at) < FAST;
    let is_soon = at.wrapping_sub(ours.next_at) < first_rtt.unwrap_or(REORDERED);
    if !is_asked && is_soon && ours.next != Some(end) && !ours.holds(sequence, end) {
        signs.out_of_order = true;
    } else {
        signs.retransmit = true;
    }
}

impl Side {
    /// Whether all from `start` to `end` was in one segment that is not acknowledged yet.
    fn holds(&self, start: u32, end: u32) -> bool {
        self.unacked.iter().any(|&(from, to)| !before(start, from) && !before(to, end))
    }

    fn remember(&mut self, segment: &Segment, at: u64, signs: &Signs, room: &mut Room) {
        let mut end = segment.sequence.wrapping_add(segment.payload);
        let takes_room = segment.has(Segment::SYN | Segment::FIN);
        if segment.payload > 0 || takes_room {
            end = end.wrapping_add(takes_room.into());
            if self.unacked.len() < MOST_UNACKED && room.0 > 0 {
                self.mixed |= self.unacked.back().is_some_and(|&(_, last)| before(segment.sequence, last));
                self.unacked.push_back((segment.sequence, end));
                room.0 -= 1;
            }
        }
        if self.next.is_none_or(|next| before(next, end)) && !signs.probe {
            (self.next, self.next_at) = (Some(end), at);
        }
        self.window = Some(segment.window);
        (self.acked, self.acked_at) = (Some(segment.acknowledgement), at);
        (self.was_keep_alive, self.was_probe) = (signs.keep_alive, signs.probe);
    }

    /// The other side has everything before `number`.
    fn forget(&mut self, number: u32, room: &mut Room) {
        let count = self.unacked.len();
        if self.mixed {
            self.unacked.retain(|&(_, end)| before(number, end));
        } else {
            while self.unacked.front().is_some_and(|&(_, end)| !before(number, end)) {
                self.unacked.pop_front();
            }
        }
        for (start, _) in self.unacked.iter_mut().take(if self.mixed { usize::MAX } else { 1 }) {
            if before(*start, number) {
                *start = number;
            }
        }
        self.mixed &= !self.unacked.is_empty();
        room.0 += count - self.unacked.len();
    }
}
