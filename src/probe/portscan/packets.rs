//! What SYN and UDP scans share: one socket a family, packets in batches, errors from the error queue.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::libc;

use super::engine::Verdict;
use super::fleet::{Fleet, Move, Question};
use super::report::{Reason, State};
use crate::failure::Failure;
use crate::probe::rights::{Right, lacking};
use crate::sys::clock::now;
use crate::sys::connect::{Way, tell_errors};
use crate::sys::datagram::{Batch, Kind, Outgoing, Queued, Setup, Socket};
use crate::sys::wait::{Stop, wait};
use crate::units::Now;

/// Packets in one system call.
const BATCH: usize = 64;
/// Octets of a packet that are looked at.
const SLOT: usize = 256;
/// How often one packet is tried, if ICMP errors about other ones end the call: there may be as many as packets under way.
const TRIES: u32 = 256;
/// A stop is seen after this time at the latest.
const NAP: Duration = Duration::from_millis(50);

/// How questions look on the wire, and answers.
pub(super) trait Packets {
    /// What sockets carry them.
    const KIND: Kind;

    /// Prepares a new socket.
    ///
    /// # Errors
    /// What the system says.
    fn prepare(&self, socket: &Socket) -> io::Result<()>;

    /// Where the socket is asked to send: the address, and the port where sockets have ports.
    fn to(&self, to: SocketAddr) -> SocketAddr;

    /// Writes the packet that asks `question` at `to`.
    fn write(&self, question: Question, to: SocketAddr, out: &mut Vec<u8>);

    /// Which question `bytes` from `from` answers, and how; `None` of what is not for us.
    fn read(&self, fleet: &Fleet, from: SocketAddr, bytes: &[u8]) -> Option<(Question, State, Reason)>;

    /// Which question an ICMP error is about, that quotes `bytes` sent to `to`.
    fn quoted(&self, fleet: &Fleet, to: SocketAddr, bytes: &[u8]) -> Option<Question>;

    /// What is said of the port by an ICMP error with this reason.
    fn refused(&self, reason: Reason) -> State;
}

/// Scans, until all is known or `stop` is set.
///
/// # Errors
/// When this host cannot open a socket, or has no way to the hosts.
pub(super) fn scan(packets: &impl Packets, fleet: &mut Fleet, way: &Way, stop: &Stop) -> Result<(), Failure> {
    let mut sockets = Vec::new();
    for ipv6 in [false, true] {
        if fleet.plan().hosts.iter().any(|host| host.is_ipv6() == ipv6) {
            sockets.push(open(packets, ipv6, way)?);
        }
    }
    let mut driver = Driver {
        packets,
        sockets,
        batch: Batch::new(BATCH, SLOT),
        sent: vec![0; fleet.plan().hosts.len() * fleet.ports()],
    };
    loop {
        if stop.is_set() {
            fleet.break_off();
            return Ok(());
        }
        let pause = driver.send(fleet)?;
        driver.receive(fleet)?;
        let Some(pause) = pause else { return Ok(()) };
        if !pause.is_zero() {
            let fds: Vec<_> = driver.sockets.iter().map(Socket::as_fd).collect();
            let woken = wait(&fds, Some(stop), Some(pause));
            woken.map_err(|error| Failure::from_io("poll", &error))?;
        }
    }
}

fn open(packets: &impl Packets, ipv6: bool, way: &Way) -> Result<Socket, Failure> {
    open_io(packets, ipv6, way).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            lacking("a SYN scan", Right::Raw, "a connect scan (-sT) needs nothing")
        }
        _ => Failure::from_io("open a socket for the scan", &error),
    })
}

fn open_io<P: Packets>(packets: &P, ipv6: bool, way: &Way) -> io::Result<Socket> {
    let local = way.local(ipv6);
    let setup = Setup {
        kind: P::KIND,
        interface: way.interface.clone(),
        ttl: way.ttl,
        tos: way.tos,
        ..Setup::default()
    };
    let socket = Socket::bind(local, &setup)?;
    // Errors, but none of the transmit timestamps that a client of datagrams gets with them.
    tell_errors(&socket, ipv6)?;
    packets.prepare(&socket)?;
    Ok(socket)
}

struct Driver<'a, P> {
    packets: &'a P,
    sockets: Vec<Socket>,
    batch: Batch,
    /// When each port of each host was asked last, nanoseconds since the epoch.
    sent: Vec<u64>,
}

impl<P: Packets> Driver<'_, P> {
    /// Sends what is to be sent now; returns how long nothing is, `None` when all is known.
    fn send(&mut self, fleet: &mut Fleet) -> Result<Option<Duration>, Failure> {
        let start = now();
        let mut asked: Vec<(Question, SocketAddr)> = Vec::with_capacity(BATCH);
        let mut pause = Some(Duration::ZERO);
        while asked.len() < BATCH {
            match fleet.poll(start.mono) {
                Move::Send(question) => asked.push((question, fleet.to(question))),
                Move::Forget(_) => {}
                Move::Wait(until) => {
                    pause = Some(until.saturating_duration_since(start.mono).min(NAP));
                    break;
                }
                Move::Done => {
                    pause = None;
                    break;
                }
            }
        }
        for socket in 0..self.sockets.len() {
            let ipv6 = self.sockets[socket].is_ipv6();
            let mine: Vec<_> = asked.iter().copied().filter(|(_, to)| to.is_ipv6() == ipv6).collect();
            self.send_all(socket, &mine, fleet)?;
        }
        Ok(pause)
    }

    fn send_all(
        &mut self,
        socket: usize,
        asked: &[(Question, SocketAddr)],
        fleet: &mut Fleet,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let ends: Vec<(usize, usize)> = asked
            .iter()
            .map(|&(question, to)| {
                let begin = bytes.len();
                self.packets.write(question, to, &mut bytes);
                (begin, bytes.len())
            })
            .collect();
        let whole: Vec<Outgoing<'_>> = (asked.iter().zip(&ends))
            .map(|(&(_, to), &(begin, end))| Outgoing {
                bytes: &bytes[begin..end],
                to: Some(self.packets.to(to)),
                ..Outgoing::default()
            })
            .collect();
        let (mut done, mut refusals) = (0, 0);
        while done < whole.len() {
            let at = now();
            match self.batch.send(&self.sockets[socket], &whole[done..]) {
                Ok(count) => {
                    for (question, _) in &asked[done..done + count] {
                        self.sent[place(*question, fleet)] = at.wall;
                    }
                    (done, refusals) = (done + count, 0);
                }
                // An ICMP error that waits ends one call, which has then sent nothing.
                Err(error) if is_told_later(&error) && refusals < TRIES => refusals += 1,
                Err(error) => {
                    let (question, to) = asked[done];
                    match error.raw_os_error() {
                        Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => {
                            asked[done..].iter().for_each(|(question, _)| fleet.unsent(at.mono, *question));
                            return Ok(());
                        }
                        number => match fleet.at_once(number) {
                            Some(reason) => {
                                let state = State::Filtered;
                                fleet.answer(at, question, Verdict { state, reason, from: None, rtt: None });
                            }
                            None => return Err(Failure::from_io(format_args!("send to {to}"), &error)),
                        },
                    }
                    (done, refusals) = (done + 1, 0);
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self, fleet: &mut Fleet) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::from_io("receive", &error);
        for socket in &self.sockets {
            loop {
                let count = self.batch.receive_errors(socket).map_err(failed)?;
                let at = now();
                for n in 0..count {
                    let Some((bytes, to, meta)) = self.batch.get(n) else { continue };
                    let Some(Queued::Icmp { kind, code, from, .. }) = meta.error else { continue };
                    let told = Reason::of_icmp(socket.is_ipv6(), kind, code);
                    let question = to.and_then(|to| self.packets.quoted(fleet, to, bytes));
                    if let (Some(reason), Some(question)) = (told, question) {
                        let from = from.filter(|from| Some(*from) != to.map(|to| to.ip()));
                        let state = self.packets.refused(reason);
                        let verdict = Verdict { state, reason, from, rtt: None };
                        settle(&self.sent, fleet, question, (at, meta.stamp), verdict);
                    }
                }
                if count < BATCH {
                    break;
                }
            }
            loop {
                let count = match self.batch.receive(socket) {
                    Err(error) if is_told_later(&error) => continue,
                    other => other.map_err(failed)?,
                };
                let at = now();
                for n in 0..count {
                    let Some((bytes, Some(from), meta)) = self.batch.get(n) else { continue };
                    if let Some((question, state, reason)) = self.packets.read(fleet, from, bytes) {
                        let verdict = Verdict { state, reason, from: None, rtt: None };
                        settle(&self.sent, fleet, question, (at, meta.stamp), verdict);
                    }
                }
                if count < BATCH {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn place(question: Question, fleet: &Fleet) -> usize {
    question.host * fleet.ports() + question.shot.index as usize
}

/// Tells the fleet of what was read `at` a moment, when the kernel had stamped it, with the round trip where the answer is to
/// the last question.
fn settle(
    sent: &[u64],
    fleet: &mut Fleet,
    question: Question,
    (at, stamp): (Now, Option<u64>),
    verdict: Verdict,
) {
    let since = sent[place(question, fleet)];
    let nanos = stamp.unwrap_or(at.wall).checked_sub(since).filter(|_| fleet.is_last(question));
    fleet.answer(at, question, Verdict { rtt: nanos.map(Duration::from_nanos), ..verdict });
}

/// Errors of earlier packets, which the error queue tells exactly.
fn is_told_later(error: &io::Error) -> bool {
    let told = [
        libc::ECONNREFUSED,
        libc::EHOSTUNREACH,
        libc::ENETUNREACH,
        libc::ENOPROTOOPT,
        libc::EPROTO,
        libc::EMSGSIZE,
        libc::EACCES,
    ];
    error.raw_os_error().is_some_and(|number| told.contains(&number))
}
