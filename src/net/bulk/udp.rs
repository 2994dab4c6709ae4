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
use crate::wire::iperf3::datagram::Header;

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
        false => bulk::set_coalescing(socket).is_ok(),
    }
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

/// Counts the datagrams of `length` octets that come.
pub(super) fn receive(
    socket: &Socket,
    length: usize,
    udp: Udp,
    test: &Test,
    gauge: &Gauge,
) -> io::Result<()> {
    let (count, slot) = if udp.offload { (JOINED_BATCH, 65_536) } else { (BATCH, length) };
    let mut batch = Batch::new(count, slot);
    let mut order = Order::new(udp.is_wide);
    let (mut epoch, mut ticks, mut came) = (0, Ticks::new(), 0);
    exact_timers();
    while !test.is_over() {
        let received = match batch.receive(socket) {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            // The far side has closed its socket: no reason to end, it may be the end of the test.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => 0,
            Err(error) => return Err(error),
        };
        if received == 0 {
            ticks.tick(clock::now().mono, gauge);
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
        let (mut octets, mut units) = (0, 0);
        for n in 0..received {
            let Some((bytes, _, meta)) = batch.get(n) else { continue };
            let mut at = meta.stamp.map(|stamp| monotonic(stamp, now.wall, mono));
            for datagram in bytes.chunks(length) {
                let Some(header) = Header::read(udp.is_wide, datagram) else { continue };
                // Those that the kernel has joined have one time: the first's.
                order.came(&header, at.take());
                (octets, units) = (octets + datagram.len() as u64, units + 1);
            }
            if let Some(overflow) = meta.overflow {
                gauge.dropped(overflow.into());
            }
        }
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
