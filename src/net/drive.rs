//! Runs a datagram engine on a connected socket: the one loop that sends, receives, stamps and waits.
//!
//! It runs on a thread of its own, because a runtime's timers are a thousand times too coarse for it.

use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::engine::{Arrival, Engine, Icmp, Next};
use crate::failure::Failure;
use crate::sys::clock;
use crate::sys::udp::{Batch, Meta, Outgoing, Queued, Udp};
use crate::sys::wait::{Stop, Woken, exact_timers, sleep, wait};

/// Datagrams per system call.
const BATCH: usize = 32;
/// Octets of a quoted datagram that are kept from an ICMP error.
const QUOTED: usize = 256;
/// A thread wakes up to this much late; schedules finer than [`SPIN_BELOW`] spin it away.
const SPIN: Duration = Duration::from_micros(50);
/// Intervals below this are kept by spinning; above it a wait is exact enough and costs no CPU.
const SPIN_BELOW: Duration = Duration::from_micros(200);
/// When the next send is due within this, replies wait in the socket until then: the kernel has stamped them, and one
/// wake-up for each packet is half of two.
const PATIENCE: Duration = Duration::from_millis(5);
/// Sends in a row without a transmit timestamp that show that there are none.
const UNSTAMPED: u32 = 64;
/// The longest wait, so that no mistake of an engine can hang a run.
const LONGEST: Duration = Duration::from_secs(1);

/// Runs `engine` on `socket` until it is done. `stop` tells it once that the user wants no more.
///
/// `slot` is the largest datagram that may arrive, in octets; `interval` is the schedule's.
///
/// # Errors
/// Only when the system refuses to wait or to receive at all.
pub fn drive(
    engine: &mut dyn Engine,
    socket: &Udp,
    stop: &Stop,
    slot: usize,
    interval: Duration,
) -> Result<(), Failure> {
    exact_timers();
    let spin = if interval < SPIN_BELOW { SPIN } else { Duration::ZERO };
    let (batch, errors) = (Batch::new(BATCH, slot), Batch::new(BATCH, QUOTED));
    let driver = Driver {
        engine,
        socket,
        batch,
        errors,
        queue: Queue::default(),
        overflow: 0,
        spin,
        received_stamp: false,
        unstamped: UNSTAMPED,
    };
    driver.run(stop).map_err(|error| Failure::from_io("udp socket", &error))
}

struct Driver<'a> {
    engine: &'a mut dyn Engine,
    socket: &'a Udp,
    batch: Batch,
    errors: Batch,
    queue: Queue,
    overflow: u32,
    spin: Duration,
    /// The latest datagram came with the kernel's time.
    received_stamp: bool,
    /// Sends since the latest transmit timestamp.
    unstamped: u32,
}

/// Datagrams that the engine wants sent, not yet handed to the system. The buffers are used again.
#[derive(Default)]
struct Queue {
    datagrams: Vec<Vec<u8>>,
    used: usize,
    /// Number of the first send among them.
    first: u64,
}

impl Driver<'_> {
    fn run(mut self, stop: &Stop) -> io::Result<()> {
        let mut stop = Some(stop);
        loop {
            let next = self.fill();
            let sent = self.flush();
            let until = match next {
                // Sending may have brought news at once: a refusal, a timestamp.
                Next::Wait(until) if sent && !self.is_patient(until) => {
                    self.error_queue();
                    continue;
                }
                Next::Done => return Ok(()),
                Next::Wait(until) => until,
                Next::Send => clock::now().mono,
            };
            if self.rest(stop, until)? {
                stop = None;
                self.engine.receive(clock::now(), Arrival::Stop);
            }
        }
    }

    /// Asks the engine until it wants to wait or a batch is full.
    fn fill(&mut self) -> Next {
        while self.queue.used < BATCH {
            if self.queue.datagrams.len() == self.queue.used {
                self.queue.datagrams.push(Vec::new());
            }
            let out = &mut self.queue.datagrams[self.queue.used];
            out.clear();
            match self.engine.poll(clock::now(), out) {
                Next::Send => self.queue.used += 1,
                other => return other,
            }
        }
        Next::Send
    }

    /// Hands the queue to the system; tells the engine what was refused.
    /// Returns whether there was anything to send.
    fn flush(&mut self) -> bool {
        let (total, first) = (mem::take(&mut self.queue.used), self.queue.first);
        if total == 0 {
            return false;
        }
        let id = |n: usize| Some((first + n as u64) as u32);
        let datagram = |(n, bytes)| Outgoing { bytes, to: None, from: None, tos: None, id: id(n) };
        let queued = self.queue.datagrams[..total].iter().map(Vec::as_slice);
        let datagrams: Vec<Outgoing<'_>> = queued.enumerate().map(datagram).collect();
        let (mut done, mut again) = (0, true);
        while done < total {
            match self.batch.send(self.socket, &datagrams[done..]) {
                Ok(sent) => (done, again) = (done + sent.max(1), true),
                // A pending ICMP error is reported once, by a send that sends nothing (probes.md §0.1).
                Err(_) if again => again = false,
                Err(error) => {
                    let (send, errno) = (first + done as u64, error.raw_os_error().unwrap_or(0));
                    self.engine.receive(clock::now(), Arrival::NotSent { send, errno });
                    (done, again) = (done + 1, true);
                }
            }
        }
        self.queue.first += total as u64;
        self.unstamped = self.unstamped.saturating_add(total as u32);
        true
    }

    /// Whether what arrives can be taken in as well when `until` has come.
    fn is_patient(&self, until: Instant) -> bool {
        let stamps = self.received_stamp && self.unstamped < UNSTAMPED;
        stamps && until <= clock::now().mono + PATIENCE
    }

    /// Waits until `until`, or until something arrives that cannot wait, and takes in what did. Returns whether `stop` is
    /// set.
    fn rest(&mut self, stop: Option<&Stop>, until: Instant) -> io::Result<bool> {
        let patient = self.is_patient(until);
        let left = until.saturating_duration_since(clock::now().mono).min(LONGEST);
        let time = left.saturating_sub(self.spin);
        let mut woken = Woken::default();
        if patient {
            if !time.is_zero() {
                sleep(time);
            }
            woken.stop = stop.is_some_and(Stop::is_set);
        } else if !time.is_zero() {
            woken = wait(&[self.socket.as_fd()], stop, Some(time))?;
        }
        self.error_queue();
        if woken.errors != 0 {
            // An error without an entry would keep the socket "ready" for ever.
            self.socket.take_error();
        }
        self.datagrams();
        while patient && clock::now().mono < until {
            std::hint::spin_loop();
        }
        Ok(woken.stop)
    }

    fn datagrams(&mut self) {
        // A pending ICMP error surfaces here once; its entry in the error queue tells the whole story.
        while let Ok(count) = self.batch.receive(self.socket) {
            let now = clock::now();
            for (bytes, _, meta) in (0..count).filter_map(|n| self.batch.get(n)) {
                if let Some(overflow) = meta.overflow.filter(|&overflow| overflow != self.overflow) {
                    self.overflow = overflow;
                    self.engine.receive(now, Arrival::Overflow(overflow));
                }
                let Meta { stamp, ttl, tos, .. } = meta;
                self.received_stamp = stamp.is_some();
                self.engine.receive(now, Arrival::Datagram { bytes, stamp, ttl, tos });
            }
            if count < self.batch.capacity() {
                break;
            }
        }
    }

    fn error_queue(&mut self) {
        while let Ok(count) = self.errors.receive_errors(self.socket) {
            let now = clock::now();
            for (quoted, _, meta) in (0..count).filter_map(|n| self.errors.get(n)) {
                let arrival = match (meta.error, meta.stamp) {
                    (Some(Queued::Sent(id)), Some(stamp)) => {
                        self.unstamped = 0;
                        Arrival::Sent { send: self.queue.number(id), stamp }
                    }
                    (Some(Queued::Icmp { kind, code, from, errno }), _) => {
                        Arrival::Icmp(Icmp { kind, code, from, errno, quoted })
                    }
                    _ => continue,
                };
                self.engine.receive(now, arrival);
            }
            if count < self.errors.capacity() {
                break;
            }
        }
    }
}

impl Queue {
    /// The send that the kernel knows by the low 32 bits of its number: the latest one with these bits.
    fn number(&self, id: u32) -> u64 {
        let behind = (self.first as u32).wrapping_sub(id);
        self.first.saturating_sub(u64::from(behind))
    }
}
