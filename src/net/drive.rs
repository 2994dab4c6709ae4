//! Runs a datagram engine on its sockets: the one loop that sends, receives, stamps and waits.
//!
//! It runs on a thread of its own, because a runtime's timers are a thousand times too coarse for it.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::libc::EMSGSIZE;

use super::engine::{Arrival, Draft, Engine, Icmp, Next};
use crate::failure::Failure;
use crate::sys::clock;
use crate::sys::datagram::{Batch, Meta, Outgoing, Queued, Socket};
use crate::sys::wait::{Stop, Woken, exact_timers, sleep, wait};

/// Datagrams per system call.
const BATCH: usize = 32;
/// Octets of a quoted datagram that are kept from an ICMP error.
const QUOTED: usize = 1024;
/// A thread wakes up to this much late; schedules finer than [`SPIN_BELOW`] spin it away.
const SPIN: Duration = Duration::from_micros(50);
/// Intervals below this are kept by spinning; above it a wait is exact enough and costs no CPU.
const SPIN_BELOW: Duration = Duration::from_micros(200);
/// When the next send is due within this and within an interval of the schedule, replies wait in the socket until then: the
/// kernel has stamped them, and one wake-up for each packet is half of two.
const PATIENCE: Duration = Duration::from_millis(20);
/// Sends in a row without a transmit timestamp that show that there are none.
const UNSTAMPED: u32 = 64;
/// The longest wait, so that no mistake of an engine can hang a run.
const LONGEST: Duration = Duration::from_secs(1);

/// Runs `engine` on `sockets`, at most 63, until it is done. `stop` tells it once that the user wants no more.
///
/// `slot` is the largest datagram that may arrive, in octets; `interval` is the schedule's.
///
/// # Errors
/// Only when the system refuses to wait or to receive at all.
pub fn drive(
    engine: &mut dyn Engine,
    sockets: &[&Socket],
    stop: &Stop,
    slot: usize,
    interval: Duration,
) -> Result<(), Failure> {
    exact_timers();
    let spin = if interval < SPIN_BELOW { SPIN } else { Duration::ZERO };
    let (batch, errors) = (Batch::new(BATCH, slot), Batch::new(BATCH, QUOTED));
    let driver = Driver {
        engine,
        sockets,
        batch,
        errors,
        queue: Queue::default(),
        overflows: vec![0; sockets.len()],
        numbers: sockets.iter().map(|socket| Numbers::of(socket)).collect(),
        refused: Vec::new(),
        narrow: Vec::new(),
        spin,
        patience: PATIENCE.min(interval),
        received_stamp: false,
        unstamped: UNSTAMPED,
    };
    driver.run(stop).map_err(|error| Failure::from_io("socket", &error))
}

struct Driver<'a> {
    engine: &'a mut dyn Engine,
    sockets: &'a [&'a Socket],
    batch: Batch,
    errors: Batch,
    queue: Queue,
    /// What each socket has dropped so far.
    overflows: Vec<u32>,
    /// By what numbers each socket's system knows what was sent.
    numbers: Vec<Numbers>,
    /// What this host did not let out of the queue that is being flushed.
    refused: Vec<Refused>,
    /// MTUs that datagrams were too large for, and to whom these were: what the error queues say of `refused`.
    narrow: Vec<(Option<IpAddr>, u32)>,
    spin: Duration,
    /// How long replies may wait in the socket.
    patience: Duration,
    /// The latest datagram came with the kernel's time.
    received_stamp: bool,
    /// Sends since the latest transmit timestamp.
    unstamped: u32,
}

/// Datagrams that the engine wants sent, not yet handed to the system. The buffers are used again.
#[derive(Default)]
struct Queue {
    drafts: Vec<Draft>,
    used: usize,
    /// Number of the first send among them.
    first: u64,
}

/// A send that did not take place.
struct Refused {
    send: u64,
    to: Option<SocketAddr>,
    errno: i32,
}

/// How a socket's transmit timestamps name a send.
enum Numbers {
    /// By the low 32 bits of its number, as we have asked.
    Own,
    /// By how many the socket has taken before it. The latest sends that it took, and how many it took in all.
    Counted(VecDeque<u64>, u32),
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
            if self.queue.drafts.len() == self.queue.used {
                self.queue.drafts.push(Draft::default());
            }
            let out = &mut self.queue.drafts[self.queue.used];
            out.clear();
            match self.engine.poll(clock::now(), out) {
                Next::Send => self.queue.used += 1,
                other => return other,
            }
        }
        Next::Send
    }

    /// Hands the queue to the system; tells the engine what was refused. Returns whether there was
    /// anything to send.
    fn flush(&mut self) -> bool {
        let total = mem::take(&mut self.queue.used);
        let mut done = 0;
        while done < total {
            let socket = self.queue.drafts[done].socket;
            let same =
                self.queue.drafts[done..total].iter().take_while(|draft| draft.socket == socket).count();
            self.send(socket, done, done + same);
            done += same;
        }
        self.queue.first += total as u64;
        self.unstamped = self.unstamped.saturating_add(total as u32);
        self.tell_refused();
        total > 0
    }

    /// Tells the engine what was refused, and the MTU of what was too large, which stands in the error queue.
    fn tell_refused(&mut self) {
        self.narrow.clear();
        if self.refused.iter().any(|one| one.errno == EMSGSIZE) {
            self.error_queue();
        }
        for Refused { send, to, errno } in mem::take(&mut self.refused) {
            let to = to.map(|to| to.ip());
            let told = self.narrow.iter().rev().find(|(whose, _)| to.is_none() || *whose == to);
            let mtu = told.map(|(_, mtu)| *mtu).filter(|mtu| errno == EMSGSIZE && *mtu > 0);
            self.engine.receive(clock::now(), Arrival::NotSent { send, errno, mtu });
        }
    }

    /// Sends a part of the queue through one socket.
    fn send(&mut self, socket: usize, mut done: usize, end: usize) {
        let first = self.queue.first;
        let numbered = self.queue.drafts[..end].iter().enumerate().skip(done);
        let datagrams: Vec<Outgoing<'_>> = numbered
            .map(|(n, draft)| {
                let id = Some((first + n as u64) as u32);
                Outgoing { bytes: &draft.bytes, to: draft.to, ttl: draft.ttl, id, ..Outgoing::default() }
            })
            .collect();
        let (start, mut again) = (done, true);
        while done < end {
            match self.batch.send(self.sockets[socket], &datagrams[done - start..]) {
                Ok(sent) => {
                    let sent = sent.max(1);
                    self.numbers[socket].took(first + done as u64, sent);
                    (done, again) = (done + sent, true);
                }
                // A pending ICMP error is reported once, by a send that sends nothing (probes.md §0.1).
                Err(_) if again => again = false,
                Err(error) => {
                    let (send, to) = (first + done as u64, datagrams[done - start].to);
                    self.refused.push(Refused { send, to, errno: error.raw_os_error().unwrap_or(0) });
                    (done, again) = (done + 1, true);
                }
            }
        }
    }

    /// Whether what arrives can be taken in as well when `until` has come.
    fn is_patient(&self, until: Instant) -> bool {
        let stamps = self.received_stamp && self.unstamped < UNSTAMPED;
        stamps && until <= clock::now().mono + self.patience
    }

    /// Waits until `until`, or until something arrives that cannot wait, and takes in what did. Returns whether `stop` is
    /// set.
    fn rest(&mut self, stop: Option<&Stop>, until: Instant) -> io::Result<bool> {
        let patient = self.is_patient(until);
        let left = until.saturating_duration_since(clock::now().mono).min(LONGEST);
        let time = left.saturating_sub(self.spin);
        let mut woken = Woken { stop: false, readable: u64::MAX, errors: 0 };
        if patient {
            if !time.is_zero() {
                sleep(time);
            }
            woken.stop = stop.is_some_and(Stop::is_set);
        } else if !time.is_zero() {
            let sockets: Vec<BorrowedFd<'_>> = self.sockets.iter().map(|socket| socket.as_fd()).collect();
            woken = wait(&sockets, stop, Some(time))?;
        }
        self.error_queue();
        for (n, socket) in self.sockets.iter().enumerate() {
            if woken.errors >> n & 1 == 1 {
                // An error without an entry would keep the socket "ready" for ever.
                socket.take_error();
            }
        }
        for n in (0..self.sockets.len()).filter(|n| (woken.readable | woken.errors) >> n & 1 == 1) {
            self.datagrams(n);
        }
        while patient && clock::now().mono < until {
            std::hint::spin_loop();
        }
        Ok(woken.stop)
    }

    fn datagrams(&mut self, socket: usize) {
        // A pending ICMP error surfaces here once; its entry in the error queue tells the whole story.
        while let Ok(count) = self.batch.receive(self.sockets[socket]) {
            let now = clock::now();
            for (bytes, from, meta) in (0..count).filter_map(|n| self.batch.get(n)) {
                let known = &mut self.overflows[socket];
                if let Some(overflow) = meta.overflow.filter(|overflow| overflow != known) {
                    *known = overflow;
                    let total = self.overflows.iter().fold(0u32, |sum, one| sum.saturating_add(*one));
                    self.engine.receive(now, Arrival::Overflow(total));
                }
                let Meta { stamp, ttl, tos, fragment, .. } = meta;
                self.received_stamp = stamp.is_some();
                self.engine
                    .receive(now, Arrival::Datagram { bytes, from, socket, stamp, ttl, tos, fragment });
            }
            if count < self.batch.capacity() {
                break;
            }
        }
    }

    fn error_queue(&mut self) {
        for socket in 0..self.sockets.len() {
            self.errors_of(socket);
        }
    }

    fn errors_of(&mut self, socket: usize) {
        while let Ok(count) = self.errors.receive_errors(self.sockets[socket]) {
            let now = clock::now();
            for (bytes, to, meta) in (0..count).filter_map(|n| self.errors.get(n)) {
                let arrival = match (meta.error, meta.stamp) {
                    (Some(Queued::Sent(id)), Some(stamp)) => {
                        self.unstamped = 0;
                        match self.numbers[socket].send(id, self.queue.first) {
                            Some(send) => Arrival::Sent { send, stamp },
                            None => continue,
                        }
                    }
                    (Some(Queued::Icmp { kind, code, from, errno, mtu, extensions }), stamp) => {
                        let at = extensions.unwrap_or(bytes.len()).min(bytes.len());
                        let (quoted, extensions) = bytes.split_at(at);
                        let ttl = meta.ttl;
                        Arrival::Icmp(Icmp {
                            kind,
                            code,
                            from,
                            to,
                            socket,
                            errno,
                            mtu,
                            stamp,
                            ttl,
                            quoted,
                            extensions,
                        })
                    }
                    (Some(Queued::Local { errno: EMSGSIZE, mtu }), _) => {
                        self.narrow.push((to.map(|to| to.ip()), mtu));
                        continue;
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

impl Numbers {
    /// Sends that a socket may have taken since the one that a timestamp names.
    const MOST: usize = 65_536;

    fn of(socket: &Socket) -> Self {
        if socket.takes_ids() { Self::Own } else { Self::Counted(VecDeque::new(), 0) }
    }

    /// The socket took `count` sends, from `first` on.
    fn took(&mut self, first: u64, count: usize) {
        if let Self::Counted(sends, taken) = self {
            sends.extend(first..first + count as u64);
            *taken = taken.wrapping_add(count as u32);
            sends.drain(..sends.len().saturating_sub(Self::MOST));
        }
    }

    /// The send that the kernel calls `id`; `next` is the number of the next one.
    fn send(&self, id: u32, next: u64) -> Option<u64> {
        match self {
            // The latest one with these bits.
            Self::Own => Some(next.saturating_sub((next as u32).wrapping_sub(id).into())),
            Self::Counted(sends, taken) => {
                let behind = taken.wrapping_sub(id) as usize;
                sends.len().checked_sub(behind).and_then(|at| sends.get(at)).copied()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_finds_its_send_by_either_number() {
        let mut counted = Numbers::Counted(VecDeque::new(), u32::MAX);
        counted.took(10, 2);
        counted.took(14, 1);
        assert_eq!([u32::MAX, 0, 1].map(|id| counted.send(id, 15)), [Some(10), Some(11), Some(14)]);
        assert_eq!([2, u32::MAX - 1].map(|id| counted.send(id, 15)), [None, None], "sent later, or before");
        assert_eq!(Numbers::Own.send(u32::MAX, 1 << 32), Some((1 << 32) - 1));
        assert_eq!(Numbers::Own.send(7, 9), Some(7));
    }
}
