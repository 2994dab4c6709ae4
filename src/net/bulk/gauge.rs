//! What a worker has moved so far, for whoever looks.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::sys::bulk::{thread_time, thread_wait};
use crate::units::nanos;

/// The counters of a worker: it alone writes them. A cache line of their own, so that who looks at others delays nobody.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Gauge {
    octets: AtomicU64,
    units: AtomicU64,
    highest: AtomicU64,
    lost: AtomicI64,
    disordered: AtomicU64,
    duplicates: AtomicU64,
    jitter: AtomicU64,
    overflow: AtomicU64,
    full: AtomicU64,
    processor: AtomicU64,
    waited: AtomicU64,
    rests: AtomicBool,
}

/// What a gauge showed at one moment; of two, the difference is what was moved between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Octets that the kernel took, or that were read.
    pub octets: u64,
    /// Writes, reads or datagrams.
    pub units: u64,
    /// The highest sequence number, of a receiver of UDP.
    pub highest: u64,
    /// Numbers that were left out and have not come since: iperf3's count, in which a duplicate hides a loss.
    pub lost: i64,
    /// Datagrams with a number below the highest, duplicates included: iperf3's count.
    pub disordered: u64,
    /// Of those, that had come before, as far back as is remembered.
    pub duplicates: u64,
    /// Jitter (RFC 3550 §6.4.1).
    pub jitter: Duration,
    /// Datagrams that this host's own socket had no room for.
    pub overflow: u64,
    /// How often a datagram found no room in this host's own queues, and waited.
    pub full: u64,
    /// Processor time of the thread.
    pub processor: Duration,
    /// How long it waited for a processor, though it could have run.
    pub waited: Duration,
}

impl Gauge {
    /// So much was moved, in so many units.
    pub(super) fn moved(&self, octets: u64, units: u64) {
        self.octets.store(self.octets.load(Relaxed) + octets, Relaxed);
        self.units.store(self.units.load(Relaxed) + units, Relaxed);
    }

    /// How datagrams have come.
    pub(super) fn came(&self, reading: &Reading) {
        self.highest.store(reading.highest, Relaxed);
        self.lost.store(reading.lost, Relaxed);
        self.disordered.store(reading.disordered, Relaxed);
        self.duplicates.store(reading.duplicates, Relaxed);
        self.jitter.store(nanos(reading.jitter), Relaxed);
    }

    /// Datagrams that the socket has dropped so far.
    pub(super) fn dropped(&self, so_far: u64) {
        self.overflow.store(so_far, Relaxed);
    }

    /// A datagram found no room in the socket or in the device's queue.
    pub(super) fn found_full(&self) {
        self.full.store(self.full.load(Relaxed) + 1, Relaxed);
    }

    /// Notes the processor time of this thread.
    pub(super) fn tick(&self) {
        self.processor.store(nanos(thread_time()), Relaxed);
        self.waited.store(thread_wait().map_or(0, nanos), Relaxed);
    }

    /// The worker has ended.
    pub(super) fn rest(&self) {
        self.tick();
        self.rests.store(true, Relaxed);
    }

    /// Whether the worker has ended.
    pub fn is_at_rest(&self) -> bool {
        self.rests.load(Relaxed)
    }

    /// What it shows now.
    pub fn read(&self) -> Reading {
        Reading {
            octets: self.octets.load(Relaxed),
            units: self.units.load(Relaxed),
            highest: self.highest.load(Relaxed),
            lost: self.lost.load(Relaxed),
            disordered: self.disordered.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            jitter: Duration::from_nanos(self.jitter.load(Relaxed)),
            overflow: self.overflow.load(Relaxed),
            full: self.full.load(Relaxed),
            processor: Duration::from_nanos(self.processor.load(Relaxed)),
            waited: Duration::from_nanos(self.waited.load(Relaxed)),
        }
    }
}

impl Reading {
    /// How long the thread could have run: it did, or waited for a processor.
    pub fn ready(&self) -> Duration {
        self.processor + self.waited
    }

    /// What was moved since `before`; jitter and the highest number stay what they are.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            octets: self.octets.saturating_sub(before.octets),
            units: self.units.saturating_sub(before.units),
            lost: self.lost - before.lost,
            disordered: self.disordered.saturating_sub(before.disordered),
            duplicates: self.duplicates.saturating_sub(before.duplicates),
            overflow: self.overflow.saturating_sub(before.overflow),
            full: self.full.saturating_sub(before.full),
            processor: self.processor.saturating_sub(before.processor),
            waited: self.waited.saturating_sub(before.waited),
            ..*self
        }
    }
}
