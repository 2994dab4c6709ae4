//! What the relay did, packet by packet: the truth a probe's numbers are judged by.

use std::time::Duration;

use super::frame::Flow;
use crate::lab::topology::Direction;

/// One packet, or one copy the relay made of it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) direction: Direction,
    /// When the kernel received it, in nanoseconds of `CLOCK_REALTIME`.
    pub(crate) arrival: u64,
    /// When it was to leave; nothing if it was dropped.
    pub(crate) release: Option<u64>,
    /// When it began to leave: just before the write, within which it may reach the other end.
    pub(crate) begun: Option<u64>,
    /// When it had left: just after the write. Nothing if it was dropped or is still held.
    pub(crate) written: Option<u64>,
    pub(crate) fate: Fate,
    /// Octets of the frame, Ethernet header included.
    pub(crate) length: usize,
    /// Nothing if it is not IP, or exempt from impairment.
    pub(crate) flow: Option<Flow>,
    /// The first octets after the transport header, zeroes if there are fewer.
    pub(crate) payload: [u8; 24],
}

impl Record {
    /// The time the relay added to the packet's way, if it left.
    pub(crate) fn one_way(&self) -> Option<Duration> {
        let held = self.written?.saturating_sub(self.arrival);
        Some(Duration::from_nanos(held))
    }

    /// The big-endian number the payload starts with.
    pub(crate) fn number(&self) -> u32 {
        let [a, b, c, d, ..] = self.payload;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// How a packet fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Neighbour discovery and the like, which is never impaired.
    Exempt,
    /// Sent, or to be sent.
    Forwarded,
    /// The second of a duplicated packet.
    Duplicate,
    /// Lost by chance.
    Lost,
    /// Lost because everything was.
    BlackedOut,
    /// Lost because the bottleneck's queue was full.
    Overflowed,
    /// The other end could not be written to.
    Refused,
}

/// Sums over one direction, exempt packets left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Packets that came in.
    pub(crate) arrived: usize,
    /// Packets that went out, copies left out.
    pub(crate) forwarded: usize,
    /// Copies that went out.
    pub(crate) duplicated: usize,
    /// Packets lost by chance.
    pub(crate) lost: usize,
    /// Packets lost in a blackout.
    pub(crate) blacked_out: usize,
    /// Packets the bottleneck's queue had no room for.
    pub(crate) overflowed: usize,
    /// Packets that went out after one that had come in later (RFC 4737, type-P-reordered).
    pub(crate) reordered: usize,
}

impl Totals {
    /// Sums up what has been written by now.
    pub(super) fn of(log: &[Record], direction: Direction) -> Self {
        let impaired = |record: &&Record| record.direction == direction && record.fate != Fate::Exempt;
        let records: Vec<&Record> = log.iter().filter(impaired).collect();
        let count = |fate| records.iter().filter(|record| record.fate == fate).count();
        let sent = |fate| {
            let left = |record: &&&Record| record.fate == fate && record.written.is_some();
            records.iter().filter(left).count()
        };
        Self {
            arrived: records.len() - count(Fate::Duplicate),
            forwarded: sent(Fate::Forwarded),
            duplicated: sent(Fate::Duplicate),
            lost: count(Fate::Lost),
            blacked_out: count(Fate::BlackedOut),
            overflowed: count(Fate::Overflowed),
            reordered: reordered(&records),
        }
    }
}

/// The log is in the order of arrival; a packet is reordered if, when it left, a later one had.
fn reordered(records: &[&Record]) -> usize {
    let mut departures: Vec<(u64, usize)> = records
        .iter()
        .enumerate()
        .filter(|(_, record)| record.fate == Fate::Forwarded)
        .filter_map(|(serial, record)| Some((record.written?, serial)))
        .collect();
    departures.sort_unstable();
    let mut newest = 0;
    let late = |&(_, serial): &(u64, usize)| {
        newest = newest.max(serial);
        serial < newest
    };
    departures.into_iter().filter(late).count()
}
