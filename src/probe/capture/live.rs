//! Packets from the ring to the file and the sums, until a limit, on a thread of their own.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::libc;

use super::private::Private;
use super::report::Ended;
use super::sink::{PATIENCE, Sink, Written};
use super::tally::Tally;
use crate::failure::Failure;
use crate::probe::{Event, Events};
use crate::sys::clock;
use crate::sys::packet::{Block, Cooked, Frame, Ring, Statistics};
use crate::sys::wait::{Stop, wait};
use crate::units::Now;
use crate::wire::pcap::{Link, Packet};

/// How often a line tells what passes.
const TOLD: Duration = Duration::from_secs(1);
/// Octets of a "cooked" header, version 2.
const SLL2: usize = 20;

/// A capture that runs.
pub(super) struct Live {
    pub(super) ring: Ring,
    pub(super) keeper: Keeper,
    pub(super) events: Events,
    /// When the ring was opened.
    pub(super) began: Now,
    pub(super) duration: Duration,
}

/// What came of a capture.
pub(super) struct Caught {
    pub(super) keeper: Keeper,
    pub(super) ended: Ended,
    /// How long it captured.
    pub(super) lasted: Duration,
    pub(super) counts: Statistics,
    pub(super) beyond: u64,
}

/// Takes packets in: cleaned, written, summed up.
pub(super) struct Keeper {
    pub(super) link: Link,
    pub(super) snaplen: u32,
    pub(super) count: u64,
    pub(super) private: Option<Private>,
    pub(super) sink: Option<Sink>,
    pub(super) tally: Tally,
    /// A packet that is put together, or cleaned.
    pub(super) scratch: Vec<u8>,
}

impl Keeper {
    /// Takes in a packet that begins with a header of `link`; why it was the last, or had no place any more.
    pub(super) fn take(&mut self, packet: &Packet<'_>) -> Result<Option<Refusal>, Failure> {
        if self.tally.total.packets >= self.count {
            return Ok(Some(Refusal(Ended::Count)));
        }
        let data = &packet.data[..packet.data.len().min(self.snaplen as usize)];
        let mut packet = Packet { data, ..*packet };
        if let Some(private) = &mut self.private {
            self.scratch.clear();
            self.scratch.extend_from_slice(data);
            private.clean(packet.link, &mut self.scratch, packet.wire_length);
            packet.data = &self.scratch;
        }
        if let Some(sink) = &mut self.sink {
            match sink.packet(&packet)? {
                Written::Kept => {}
                Written::Full => return Ok(Some(Refusal(Ended::Size))),
                Written::Unread => return Ok(Some(Refusal(Ended::Reader))),
            }
        }
        self.tally.push(&packet);
        Ok(None)
    }

    /// Takes in a block whole, of which `beyond` hears what had no place; why it was the last.
    fn take_block(&mut self, mut block: Block<'_>, beyond: &mut u64) -> Result<Option<Ended>, Failure> {
        let mut ended = None;
        while let Some(frame) = block.frame() {
            if ended.is_some() {
                *beyond += 1;
            } else if let Some(Refusal(why)) = self.take_frame(&frame)? {
                *beyond += 1;
                ended = Some(why);
            }
        }
        Ok(ended.or_else(|| (self.tally.total.packets == self.count).then_some(Ended::Count)))
    }

    /// Writes what was gathered; whether nobody reads it any more.
    fn flush(&mut self) -> Result<Option<Ended>, Failure> {
        let is_read = self.sink.as_mut().map_or(Ok(true), Sink::flush)?;
        Ok((!is_read).then_some(Ended::Reader))
    }

    fn take_frame(&mut self, frame: &Frame<'_>) -> Result<Option<Refusal>, Failure> {
        let mut packet = Packet {
            stamp: Some(frame.stamp),
            link: self.link,
            wire_length: frame.wire_length,
            data: frame.data,
        };
        let mut whole = std::mem::take(&mut self.scratch);
        whole.clear();
        match (self.link, frame.vlan) {
            (Link::Sll2, _) => put_cooked(&mut whole, &frame.cooked),
            (Link::Ethernet, Some((protocol, content))) if frame.data.len() >= 12 => {
                whole.extend_from_slice(&frame.data[..12]);
                whole.extend_from_slice(&protocol.to_be_bytes());
                whole.extend_from_slice(&content.to_be_bytes());
            }
            _ => {
                self.scratch = whole;
                return self.take(&packet);
            }
        }
        let passed = if self.link == Link::Sll2 { 0 } else { 12 };
        packet.wire_length += (whole.len() - passed) as u32;
        whole.extend_from_slice(&frame.data[passed..]);
        let taken = self.take(&Packet { data: &whole, ..packet });
        if self.scratch.is_empty() {
            self.scratch = whole;
        }
        taken
    }
}

/// A packet was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) Ended);

fn put_cooked(out: &mut Vec<u8>, cooked: &Cooked) {
    out.extend_from_slice(&cooked.protocol.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&cooked.interface.to_be_bytes());
    out.extend_from_slice(&cooked.hardware.to_be_bytes());
    out.extend_from_slice(&[cooked.kind, cooked.address_length]);
    out.extend_from_slice(&cooked.address);
    debug_assert_eq!(out.len(), SLL2);
}

impl Live {
    /// Captures until something ends it; what was accepted by then is all taken in.
    pub(super) fn run(mut self, stop: &Stop) -> Result<Caught, Failure> {
        let begin = self.began.mono;
        if let Some(sink) = &mut self.keeper.sink {
            sink.heed(stop, Some(begin + self.duration))?;
        }
        let mut course = Course { counts: Statistics::default(), beyond: 0, told: Told::new(begin) };
        let ended = loop {
            // One block at a time: a flood fills the next ones meanwhile.
            let (is_idle, ended) = match self.ring.block() {
                Some(block) => (false, self.keeper.take_block(block, &mut course.beyond)?),
                None => (true, self.keeper.flush()?),
            };
            let now = clock::now();
            match ended {
                // Whoever reads was waited for until the end.
                Some(Ended::Reader) if stop.is_set() => break Ended::Interrupted,
                Some(Ended::Reader) if now.mono >= begin + self.duration => break Ended::Duration,
                Some(ended) => break ended,
                None => {}
            }
            course.tell(&mut self, now.mono, now.wall)?;
            if stop.is_set() {
                break Ended::Interrupted;
            }
            let left = self.duration.saturating_sub(now.mono.saturating_duration_since(begin));
            if left.is_zero() {
                break Ended::Duration;
            }
            if !is_idle {
                continue;
            }
            let next = (course.told.at + TOLD).saturating_duration_since(now.mono);
            let woken = wait(&[self.ring.as_fd()], Some(stop), Some(left.min(next).min(PATIENCE)));
            let woken = woken.map_err(|error| Failure::from_io("wait for packets", &error))?;
            if woken.errors != 0
                && let Some(error) = self.ring.take_error()
            {
                match error.raw_os_error() {
                    Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV) => break Ended::Interface,
                    _ => return Err(Failure::from_io("capture", &error)),
                }
            }
        };
        self.end(course, ended)
    }

    /// Closes the gate, and takes in what had passed it.
    fn end(mut self, mut course: Course, ended: Ended) -> Result<Caught, Failure> {
        self.ring.close_gate().map_err(|error| Failure::from_io("close the filter", &error))?;
        let closed = clock::now().mono;
        let last = closed + Ring::patience();
        loop {
            let left = last.saturating_duration_since(clock::now().mono);
            // There is no more than what the ring holds.
            while let Some(block) = self.ring.block() {
                self.keeper.take_block(block, &mut course.beyond)?;
            }
            self.keeper.flush()?;
            if left.is_zero() {
                break;
            }
            // An interface that is gone would wake us for ever.
            let woken = wait(&[self.ring.as_fd()], None, Some(left))
                .map_err(|error| Failure::from_io("wait for packets", &error))?;
            if woken.errors != 0 {
                drop(self.ring.take_error());
            }
        }
        if self.keeper.tally.total.packets > course.told.packets {
            course.tell_now(&mut self, closed, clock::now().wall)?;
        }
        course.count(&mut self)?;
        let open = closed.saturating_duration_since(self.began.mono);
        let lasted = match (ended, self.keeper.tally.last) {
            // The kernel hands packets over together: the limit was there before it was seen.
            (Ended::Count | Ended::Size, Some(last)) => {
                open.min(Duration::from_nanos(last.saturating_sub(self.began.wall)))
            }
            _ => open,
        };
        Ok(Caught { keeper: self.keeper, ended, lasted, counts: course.counts, beyond: course.beyond })
    }
}

/// What is known while it runs.
struct Course {
    counts: Statistics,
    beyond: u64,
    told: Told,
}

/// What was told last.
struct Told {
    at: Instant,
    packets: u64,
    bytes: u64,
    dropped: u64,
}

impl Told {
    fn new(now: Instant) -> Self {
        Self { at: now, packets: 0, bytes: 0, dropped: 0 }
    }
}

impl Course {
    fn count(&mut self, live: &mut Live) -> Result<(), Failure> {
        let found =
            live.ring.statistics().map_err(|error| Failure::from_io("read the kernel's counts", &error))?;
        self.counts.received += found.received;
        self.counts.dropped += found.dropped;
        if let Some(sink) = &mut live.keeper.sink {
            sink.count(self.counts.received, self.counts.dropped);
        }
        Ok(())
    }

    /// Tells what has passed, once a second.
    fn tell(&mut self, live: &mut Live, now: Instant, wall: u64) -> Result<(), Failure> {
        if now < self.told.at + TOLD { Ok(()) } else { self.tell_now(live, now, wall) }
    }

    fn tell_now(&mut self, live: &mut Live, now: Instant, wall: u64) -> Result<(), Failure> {
        self.count(live)?;
        let total = live.keeper.tally.total;
        live.events.tell(Event::Interval {
            at: wall,
            lasted: now.saturating_duration_since(self.told.at),
            packets: total.packets - self.told.packets,
            bytes: total.bytes - self.told.bytes,
            dropped: self.counts.dropped - self.told.dropped,
        });
        self.told =
            Told { at: now, packets: total.packets, bytes: total.bytes, dropped: self.counts.dropped };
        Ok(())
    }
}
