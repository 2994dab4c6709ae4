//! A flow of UDP: numbered datagrams, many in one system call, cut and joined by the kernel where it can.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::time::Duration;

use super::order::{Order, monotonic};
use super::pace::Clock;
use super::tcp::Ticks;
use super::{Gauge, LOOK, Pace, Test};
use crate::sys::datagram::{Batch, Outgoing, Socket};
use crate::sys::wait::{exact_timers, sleep, wait, wait_writable};
use crate::sys::{bulk, clock};
use crate::wire::iperf3::datagram::{Header, header};

/// Datagrams of one system call.
const BATCH: usize = 64;
/// Buffers of one system call, where the kernel cuts and joins.
const JOINED_BATCH: usize = 8;
/// Octets of all datagrams of one system call.
const MOST_OCTETS: usize = 1 << 20;
/// Octets that the kernel cuts or joins at most, and datagrams.
const LARGEST: usize = 65_507;
const MOST_SEGMENTS: usize = 64;
/// Where so many come between two looks at an empty queue, a receiver lets them gather: to be woken by each would cost more than
/// to receive it, and most of that its sender. When each came the kernel notes.
const DENSE: usize = 4;
/// For how long.
const NAP: Duration = Duration::from_micros(100);
/// Of so many datagrams some are joined, if any are.
const TRIED: usize = 1000;
/// Octets of the queues of all sockets of a test, and of each at least.
const QUEUE: usize = 16 << 20;
const LEAST_QUEUE: usize = 1 << 20;
/// A paced burst is no longer than this.
const BURST: Duration = Duration::from_millis(1);

/// How datagrams are made and how they come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Udp {
    /// Sequence numbers have 64 bits, else 32.
    pub is_wide: bool,
    /// The kernel cuts what is sent into datagrams (UDP_SEGMENT), or joins those that come (UDP_GRO).
    pub offload: bool,
}

/// Lets the kernel cut and join datagrams of `length` octets on `socket`, where it can; whether it does.
pub fn prepare(socket: &Socket, length: usize, sends: bool) -> bool {
    let Ok(segment) = u16::try_from(length) else { return false };
    match sends {
        true => LARGEST / length.max(1) > 1 && bulk::set_segments(socket, segment).is_ok(),
        false => bulk::set_coalescing(socket, true).is_ok(),
    }
}

/// Octets of the queue of one of `streams` sockets through which much comes: what comes in 10 ms and more at 10 Gbit/s, while
/// a receiver waits for a processor, or the `window` that was asked for.
pub fn queue(window: Option<u32>, streams: usize) -> usize {
    window.map_or_else(|| (QUEUE / streams.max(1)).max(LEAST_QUEUE), |window| window as usize)
}

/// Sends datagrams like `payload`, numbered from 1.
pub(super) fn send(
    socket: &Socket,
    payload: &[u8],
    pace: Pace,
    udp: Udp,
    test: &Test,
    gauge: &Gauge,
) -> io::Result<()> {
    exact_timers();
    let length = payload.len();
    let joined = if udp.offload { (LARGEST / length).clamp(1, MOST_SEGMENTS) } else { 1 };
    let buffers = if udp.offload { JOINED_BATCH } else { BATCH };
    let buffers = buffers.min(MOST_OCTETS / (joined * length)).max(1);
    // A paced burst of joined datagrams is at most a millisecond's worth.
    let most = match pace.rate {
        0 => joined * buffers,
        rate => ((rate as f64 * BURST.as_secs_f64() / 8.0) as usize / length)
            .max(pace.burst.max(1) as usize)
            .min(joined * buffers),
    };
    let mut octets = payload.repeat(most);
    let mut batch = Batch::new(most.div_ceil(joined), 0);
    let mut clock = Clock::new(pace, test.began.max(clock::now().mono));
    let mut ticks = Ticks::new();
    let mut number = 0u64;
    while !test.is_over() {
        let now = clock::now().mono;
        ticks.tick(now, gauge);
        let mut due = clock.due(now, length, most);
        if due == 0 {
            clock.wait(LOOK);
            continue;
        }
        let mut taken = 0;
        let budget = test.budget();
        if let Some(budget) = budget {
            taken = budget.take(due * length);
            // The last one goes whole: a shorter one would be misread.
            due = taken.div_ceil(length);
            if due == 0 {
                break;
            }
        }
        let sent_us = now.saturating_duration_since(test.began).as_micros() as u64 + 1;
        for (n, datagram) in octets.chunks_exact_mut(length).take(due).enumerate() {
            Header { sent_us, number: number + 1 + n as u64 }.write(udp.is_wide, datagram);
        }
        let pieces = octets[..due * length].chunks(joined * length);
        let outgoing: Vec<Outgoing<'_>> =
            pieces.map(|bytes| Outgoing { bytes, ..Outgoing::default() }).collect();
        let sent = match batch.send(socket, &outgoing) {
            Ok(pieces) => (pieces * joined).min(due),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                gauge.found_full();
                wait_writable(socket.as_fd(), Some(test.stop.as_fd()), LOOK)?;
                0
            }
            // The device's queue is full: nothing was sent, and time helps.
            Err(error) if error.raw_os_error() == Some(nix::libc::ENOBUFS) => {
                gauge.found_full();
                sleep(Duration::from_micros(50));
                0
            }
            Err(_) if test.is_over() => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(budget) = budget {
            budget.settle(taken, sent * length);
        }
        number += sent as u64;
        clock.left(sent * length);
        gauge.moved((sent * length) as u64, sent as u64);
    }
    Ok(())
}

/// How what comes is read.
struct Intake {
    batch: Batch,
    length: usize,
    copies: bool,
    is_wide: bool,
    /// The kernel may join datagrams.
    may_join: bool,
    /// It has joined some.
    joins: bool,
    /// It shall join no more; what it has joined before is read whole yet.
    is_leaving: bool,
    came: usize,
}

impl Intake {
    fn new(length: usize, copies: bool, udp: Udp) -> Self {
        let (count, slot) = match (udp.offload, copies) {
            (true, _) => (JOINED_BATCH, 65_536),
            (false, true) => (BATCH, length),
            (false, false) => (BATCH, header(udp.is_wide).min(length)),
        };
        Self {
            batch: Batch::new(count, slot),
            length,
            copies,
            is_wide: udp.is_wide,
            may_join: udp.offload,
            joins: false,
            is_leaving: false,
            came: 0,
        }
    }

    fn receive(&mut self, socket: &Socket) -> io::Result<usize> {
        let received = match self.may_join || self.copies {
            true => self.batch.receive(socket),
            false => self.batch.receive_heads(socket),
        };
        self.came += received.as_ref().map_or(0, |&received| received);
        received
    }

    /// Octets of the `n`-th datagram, where it was not read whole.
    fn octets(&self, n: usize) -> Option<usize> {
        (!self.may_join && !self.copies).then(|| self.batch.length(n).min(self.length))
    }

    /// Nothing waits. Where the kernel has joined none of many, it will not: their heads are enough then.
    fn found_nothing(&mut self, socket: &Socket) {
        if self.is_leaving {
            *self = Self::new(self.length, false, Udp { is_wide: self.is_wide, offload: false });
            return;
        }
        let is_in_vain = self.may_join && !self.copies && !self.joins && self.came >= TRIED;
        self.is_leaving = is_in_vain && bulk::set_coalescing(socket, false).is_ok();
    }
}

/// Counts the datagrams of `length` octets that come; copies them whole, or their headers alone.
pub(super) fn receive(
    socket: &Socket,
    length: usize,
    copies: bool,
    udp: Udp,
    test: &Test,
    gauge: &Gauge,
) -> io::Result<()> {
    let mut intake = Intake::new(length, copies, udp);
    let mut order = Order::new(udp.is_wide);
    let (mut epoch, mut ticks, mut came) = (0, Ticks::new(), 0);
    exact_timers();
    while !test.is_over() {
        let received = match intake.receive(socket) {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            // The far side has closed its socket: no reason to end, it may be the end of the test.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => 0,
            Err(error) => return Err(error),
        };
        if received == 0 {
            ticks.tick(clock::now().mono, gauge);
            intake.found_nothing(socket);
            match std::mem::take(&mut came) >= DENSE {
                true => sleep(NAP),
                false => drop(wait(&[socket.as_fd()], Some(&test.stop), Some(LOOK))?),
            }
            continue;
        }
        came += received;
        if epoch != test.epoch() {
            epoch = test.epoch();
            order.begin_anew();
        }
        let now = clock::now();
        ticks.tick(now.mono, gauge);
        let mono = now.mono.saturating_duration_since(test.began);
        let (mut octets, mut units, mut longest) = (0, 0, 0);
        for n in 0..received {
            let Some((bytes, _, meta)) = intake.batch.get(n) else { continue };
            let mut at = meta.stamp.map(|stamp| monotonic(stamp, now.wall, mono));
            let whole = intake.octets(n);
            longest = longest.max(bytes.len());
            for datagram in bytes.chunks(length) {
                let Some(header) = Header::read(udp.is_wide, datagram) else { continue };
                // Those that the kernel has joined have one time: the first's.
                order.came(&header, at.take());
                (octets, units) = (octets + whole.unwrap_or(datagram.len()) as u64, units + 1);
            }
            if let Some(overflow) = meta.overflow {
                gauge.dropped(overflow.into());
            }
        }
        intake.joins |= longest > length;
        gauge.came(&order.reading);
        gauge.moved(octets, units);
        if let Some(budget) = test.budget() {
            budget.spend(octets as usize);
        }
    }
    // Those after the last that came, too.
    if let Some(drops) = socket.drops() {
        gauge.dropped(drops.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::datagram::Setup;

    /// Sends `count` datagrams of 500 octets from `near`, and returns the octets of the last that `intake` has, and of what of it
    /// was read.
    fn pass(near: &Socket, far: &Socket, count: usize, intake: &mut Intake) -> Option<(usize, usize)> {
        let outgoing = vec![Outgoing { bytes: &[7; 500], ..Outgoing::default() }; count];
        assert_eq!(Batch::new(count, 0).send(near, &outgoing).expect("sent"), count);
        let (mut left, mut last) = (count, None);
        while left > 0 {
            let received = intake.receive(far).expect("received");
            for n in 0..received {
                let read = intake.batch.get(n).expect("a datagram").0.len();
                last = Some((intake.octets(n).unwrap_or(read), read));
                left -= last.map_or(0, |(octets, _)| octets / 500);
            }
            if received == 0 {
                sleep(Duration::from_millis(1));
            }
        }
        last
    }

    #[test]
    fn heads_are_enough_where_the_kernel_joins_nothing() {
        let bind = || Socket::bind("127.0.0.1:0".parse().expect("an address"), &Setup::default());
        for (cuts, copies, read) in [(false, false, 16), (false, true, 500), (true, false, 500)] {
            let (near, far) = (bind().expect("a socket"), bind().expect("a socket"));
            near.connect(far.local().expect("an address")).expect("connected");
            assert!(prepare(&far, 500, false) && (!cuts || prepare(&near, 500, true)));
            let mut intake = Intake::new(500, copies, Udp { is_wide: true, offload: true });
            assert_eq!(pass(&near, &far, 1, &mut intake), Some((500, 500)));
            if cuts {
                // Two go as one, which is joined.
                let octets = [7; 1000];
                let two = [Outgoing { bytes: &octets, ..Outgoing::default() }];
                assert_eq!(Batch::new(1, 0).send(&near, &two).expect("sent"), 1);
                assert_eq!(intake.receive(&far).expect("received"), 1);
                let read = intake.batch.get(0).expect("two datagrams").0.len();
                assert_eq!((read, intake.octets(0)), (1000, None));
                intake.joins = true;
            }
            for _ in 0..TRIED / 50 {
                intake.found_nothing(&far);
                pass(&near, &far, 50, &mut intake);
            }
            // Once it has none to join, and once what it has joined is read.
            intake.found_nothing(&far);
            intake.found_nothing(&far);
            assert_eq!(
                pass(&near, &far, 1, &mut intake),
                Some((500, read)),
                "cuts: {cuts}, copies: {copies}"
            );
        }
    }
}
