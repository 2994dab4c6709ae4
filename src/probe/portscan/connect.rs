//! The connect scan: plain TCP connections of this host, thousands at a time, no privilege.
//!
//! A socket that was refused begins anew at the next port: two system calls a port less than with new sockets.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nix::libc;

use super::engine::Verdict;
use super::fleet::{Fleet, Move, Question};
use super::report::{Reason, State};
use crate::failure::Failure;
use crate::sys::clock::now;
use crate::sys::connect::{Attempt, Unreachable, Way};
use crate::sys::epoll::Epoll;
use crate::sys::wait::Stop;

/// Questions sent before answers are looked for.
const BATCH: usize = 16;
/// A stop is seen after this time at the latest.
const NAP: Duration = Duration::from_millis(50);

/// Scans, until all is known or `stop` is set.
///
/// # Errors
/// When this host can open no socket at all, or has no way to the hosts.
pub(super) fn scan(fleet: &mut Fleet, way: &Way, stop: &Stop) -> Result<(), Failure> {
    let mut epoll = Epoll::new().map_err(|error| Failure::from_io("epoll", &error))?;
    let mut sockets = Sockets { way, slots: Vec::new(), free: [Vec::new(), Vec::new()], of: Vec::new() };
    sockets.of.resize(fleet.plan().hosts.len() * fleet.ports(), u32::MAX);
    let mut ready: Vec<u64> = Vec::new();
    loop {
        let wait = if stop.is_set() {
            fleet.break_off();
            None
        } else {
            batch(fleet, &mut sockets, &epoll)?
        };
        let Some(wait) = wait else { return Ok(()) };
        let events = epoll.wait(wait).map_err(|error| Failure::from_io("epoll_wait", &error))?;
        ready.extend(events);
        for number in ready.drain(..) {
            sockets.settle(number as usize, fleet);
        }
    }
}

/// Does what is to be done now; returns how long nothing is, `None` when all is known.
fn batch(fleet: &mut Fleet, sockets: &mut Sockets<'_>, epoll: &Epoll) -> Result<Option<Duration>, Failure> {
    let start = now().mono;
    for _ in 0..BATCH {
        match fleet.poll(start) {
            Move::Done => return Ok(None),
            Move::Wait(until) => return Ok(Some(until.saturating_duration_since(start).min(NAP))),
            Move::Forget(question) => sockets.forget(question, fleet),
            Move::Send(question) => sockets.ask(question, fleet, epoll)?,
        }
    }
    Ok(Some(Duration::ZERO))
}

/// A socket, and what it is asking, since when.
struct Slot {
    attempt: Attempt,
    asks: Option<(Question, Instant)>,
}

struct Sockets<'a> {
    way: &'a Way,
    slots: Vec<Slot>,
    /// Slots that ask nothing, of IPv4 and IPv6.
    free: [Vec<u32>; 2],
    /// Which slot asks a host's port.
    of: Vec<u32>,
}

impl Sockets<'_> {
    fn ask(&mut self, question: Question, fleet: &mut Fleet, epoll: &Epoll) -> Result<(), Failure> {
        let to = fleet.to(question);
        let slot = match self.free[usize::from(to.is_ipv6())].pop() {
            Some(slot) => slot,
            None => match self.open(to, epoll) {
                Ok(slot) => slot,
                Err(error) if is_scarce(&error) && !self.slots.is_empty() => {
                    fleet.unsent(now().mono, question);
                    return Ok(());
                }
                Err(error) => return Err(Failure::from_io(format_args!("open a socket to {to}"), &error)),
            },
        };
        let began = now();
        let place = &mut self.slots[slot as usize];
        place.asks = Some((question, began.mono));
        self.of[question.host * fleet.ports() + question.shot.index as usize] = slot;
        match place.attempt.begin(to) {
            // What came at once is told by epoll as well, which is cheaper than to ask here.
            Ok(false) => {}
            Ok(true) => self.settle(slot as usize, fleet),
            Err(error) if is_scarce(&error) => {
                self.release(slot as usize, fleet, true);
                fleet.unsent(began.mono, question);
            }
            Err(error) => match told_at_once(fleet, &error) {
                Some(verdict) => {
                    self.release(slot as usize, fleet, true);
                    fleet.answer(began, question, verdict);
                }
                None => return Err(Failure::from_io(format_args!("connect to {to}"), &error)),
            },
        }
        Ok(())
    }

    fn open(&mut self, to: SocketAddr, epoll: &Epoll) -> io::Result<u32> {
        let attempt = Attempt::new(to.is_ipv6(), self.way)?;
        let number = self.slots.len() as u32;
        epoll.add(&attempt, number.into())?;
        self.slots.push(Slot { attempt, asks: None });
        Ok(number)
    }

    /// Looks what became of a socket's question.
    fn settle(&mut self, number: usize, fleet: &mut Fleet) {
        let Some(slot) = self.slots.get(number) else { return };
        let Some((question, began)) = slot.asks else { return };
        let to = fleet.to(question);
        let at = now();
        let rtt = Some(at.mono.saturating_duration_since(began));
        // The error queue speaks first: a connection that an ICMP error has ended reads like a refused one.
        let unreachable = slot.attempt.unreachable();
        let verdict = match (unreachable.and_then(|error| refused(to, error)), slot.attempt.outcome(to)) {
            (Some(told), _) => Verdict { rtt, ..told },
            (None, Ok(false)) => return,
            (None, Ok(true)) if self.is_with_ourselves(number) => {
                // The system chose the port that we ask as the one to ask from: nobody listens there.
                self.release(number, fleet, true);
                return fleet.unsent(at.mono, question);
            }
            (None, Ok(true)) => Verdict { state: State::Open, reason: Reason::SynAck, from: None, rtt },
            (None, Err(error)) => {
                let reset = matches!(error.raw_os_error(), Some(libc::ECONNREFUSED | libc::ECONNRESET));
                match told_at_once(fleet, &error) {
                    _ if reset => Verdict { state: State::Closed, reason: Reason::Reset, from: None, rtt },
                    Some(told) => Verdict { rtt, ..told },
                    // It has given up by itself: silence.
                    None => return,
                }
            }
        };
        let begins_anew = verdict.state == State::Closed;
        self.release(number, fleet, !begins_anew);
        fleet.answer(at, question, verdict);
    }

    fn forget(&mut self, question: Question, fleet: &Fleet) {
        let slot = self.of[question.host * fleet.ports() + question.shot.index as usize] as usize;
        if self.slots.get(slot).is_some_and(|slot| slot.asks.is_some_and(|(asked, _)| asked == question)) {
            self.release(slot, fleet, true);
        }
    }

    /// The socket asks nothing any more.
    fn release(&mut self, number: usize, fleet: &Fleet, dissolve: bool) {
        let slot = &mut self.slots[number];
        let Some((question, _)) = slot.asks.take() else { return };
        let ipv6 = fleet.to(question).is_ipv6();
        if dissolve {
            let _ = slot.attempt.dissolve();
            while slot.attempt.unreachable().is_some() {}
        }
        self.free[usize::from(ipv6)].push(number as u32);
    }

    /// Whether the other end is a socket of this scan (simultaneous open, RFC 9293 §3.5).
    fn is_with_ourselves(&self, number: usize) -> bool {
        let Some((ours, theirs)) = self.slots[number].attempt.ends() else { return false };
        if ours.ip() != theirs.ip() {
            return false;
        }
        ours == theirs || {
            let asking = self.slots.iter().filter(|slot| slot.asks.is_some());
            asking.filter_map(|slot| slot.attempt.local()).any(|local| local == theirs)
        }
    }
}

/// What an ICMP error about a SYN says of the port, whoever sent it.
fn refused(to: SocketAddr, error: Unreachable) -> Option<Verdict> {
    let reason = Reason::of_icmp(to.is_ipv6(), error.kind, error.code)?;
    let from = error.from.filter(|from| *from != to.ip());
    Some(Verdict { state: State::Filtered, reason, from, rtt: None })
}

/// What is known of a port without an answer from anywhere.
fn told_at_once(fleet: &Fleet, error: &io::Error) -> Option<Verdict> {
    if error.raw_os_error() == Some(libc::ECONNREFUSED) {
        return Some(Verdict { state: State::Closed, reason: Reason::Reset, from: None, rtt: None });
    }
    let reason = fleet.at_once(error.raw_os_error())?;
    Some(Verdict { state: State::Filtered, reason, from: None, rtt: None })
}

/// Whether it is this host that has too little of something now.
fn is_scarce(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EADDRNOTAVAIL
                | libc::EADDRINUSE
                | libc::EMFILE
                | libc::ENFILE
                | libc::ENOBUFS
                | libc::ENOMEM
                | libc::EAGAIN
        )
    )
}
