//! TCP without privilege: each probe is the SYN of a connection of its own, whose socket hears of errors (`IP_RECVERR`,
//! ip(7)). One that stands is dissolved at once, by a RST. The engine sees segments as a raw socket would bring them.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::net::engine::{Arrival, Draft, Engine, Icmp, Next};
use crate::sys::clock;
use crate::sys::connect::{Attempt, Way};
use crate::sys::datagram::Queued;
use crate::sys::epoll::Epoll;
use crate::sys::wait::Stop;
use crate::wire::tcp;

/// Connections under way at once; further probes wait.
const MOST: usize = 256;
/// An attempt ends before the system would send its SYN again, a second later (RFC 6298 §2.1).
const LIFE: Duration = Duration::from_millis(950);
/// The longest wait, so that no mistake of an engine can hang a run.
const LONGEST: Duration = Duration::from_secs(1);
/// Octets of an error that are of interest: its quote, and the extensions behind it.
const QUOTED: usize = 1024;
/// Octets that every router quotes (RFC 792): the ports, and the sequence number.
const LEAST: usize = 8;
/// The switch among the numbers of probes.
const STOP: u64 = u64::MAX;

/// How connections are made.
#[derive(Clone, Debug)]
pub(super) struct Connects {
    pub(super) way: Way,
    pub(super) to: SocketAddr,
}

struct Run<'a> {
    engine: &'a mut dyn Engine,
    of: &'a Connects,
    open: BTreeMap<u64, Probe>,
    sent: u64,
}

/// A probe under way.
struct Probe {
    attempt: Attempt,
    /// What the engine has written: a SYN.
    syn: Vec<u8>,
    socket: usize,
    begun: Instant,
}

/// Runs `engine`, whose probes are SYNs, until it is done.
///
/// # Errors
/// Only when the system refuses to wait at all.
pub(super) fn drive(engine: &mut dyn Engine, of: &Connects, stop: &Stop) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::from_io("epoll", &error);
    let mut epoll = Epoll::new().map_err(failed)?;
    epoll.add(stop, STOP).map_err(failed)?;
    let mut run = Run { engine, of, open: BTreeMap::new(), sent: 0 };
    let (mut out, mut stopped) = (Draft::default(), false);
    loop {
        if stop.is_set() && !stopped {
            stopped = true;
            run.engine.receive(clock::now(), Arrival::Stop);
        }
        run.expire();
        let ends = run.ends();
        out.clear();
        let next = match ends.filter(|_| run.open.len() >= MOST) {
            Some(ends) => Next::Wait(ends),
            None => run.poll(&mut out),
        };
        let until = match next {
            Next::Done => return Ok(()),
            Next::Send => {
                run.begin(&out, &epoll);
                continue;
            }
            Next::Wait(until) => ends.map_or(until, |ends| ends.min(until)),
        };
        let time = until.saturating_duration_since(clock::now().mono).min(LONGEST);
        let ready: Vec<u64> = epoll.wait(time).map_err(failed)?.collect();
        for number in ready {
            match number {
                STOP => {}
                number => run.settle(number),
            }
        }
    }
}

impl Run<'_> {
    fn poll(&mut self, out: &mut Draft) -> Next {
        self.engine.poll(clock::now(), out)
    }

    /// When the oldest attempt has had its time.
    fn ends(&self) -> Option<Instant> {
        self.open.first_key_value().map(|(_, probe)| probe.begun + LIFE)
    }

    /// Lets go of what has had its time.
    fn expire(&mut self) {
        let now = clock::now().mono;
        self.open.retain(|_, probe| now < probe.begun + LIFE);
    }

    /// Sends a SYN, as a connection.
    fn begin(&mut self, draft: &Draft, epoll: &Epoll) {
        let number = self.sent;
        self.sent += 1;
        let way = Way { ttl: draft.ttl, ..self.of.way.clone() };
        let ipv6 = self.of.to.is_ipv6();
        let opened = Attempt::new(ipv6, &way).and_then(|attempt| attempt.tell_more(ipv6).map(|()| attempt));
        let attempt = match opened.and_then(|attempt| epoll.add(&attempt, number).map(|()| attempt)) {
            Ok(attempt) => attempt,
            Err(error) => return self.refused(number, &error),
        };
        let begun = clock::now().mono;
        let probe = Probe { attempt, syn: draft.bytes.clone(), socket: draft.socket, begun };
        match probe.attempt.begin(self.of.to) {
            Ok(true) => self.answer(&probe, false),
            Ok(false) => {
                self.open.insert(number, probe);
            }
            Err(error) => self.ended(number, &probe, &error),
        }
    }

    /// Something has become of an attempt.
    fn settle(&mut self, number: u64) {
        let Some(probe) = self.open.remove(&number) else {
            return;
        };
        if self.told(&probe) {
            return;
        }
        match probe.attempt.outcome(self.of.to) {
            Ok(true) => self.answer(&probe, false),
            Ok(false) => {
                self.open.insert(number, probe);
            }
            Err(error) => self.ended(number, &probe, &error),
        }
    }

    fn ended(&mut self, number: u64, probe: &Probe, error: &io::Error) {
        match error.kind() {
            _ if self.told(probe) => {}
            io::ErrorKind::ConnectionRefused => self.answer(probe, true),
            _ => self.refused(number, error),
        }
    }

    /// This host did not send it.
    fn refused(&mut self, send: u64, error: &io::Error) {
        let errno = error.raw_os_error().unwrap_or(0);
        self.engine.receive(clock::now(), Arrival::NotSent { send, errno, mtu: None });
    }

    /// Whether a router or host has said that the SYN went no further.
    fn told(&mut self, probe: &Probe) -> bool {
        let mut octets = [0; QUOTED];
        let Some((length, meta)) = probe.attempt.error(&mut octets) else {
            return false;
        };
        let Some(Queued::Icmp { kind, code, from, errno, mtu, extensions }) = meta.error else {
            return false;
        };
        // The system has numbered its SYN in its own way; we know which probe it was.
        let ours = probe.syn.len().min(LEAST);
        octets[..ours].copy_from_slice(&probe.syn[..ours]);
        let whole = length.max(ours);
        let (quoted, extensions) = octets[..whole].split_at(extensions.unwrap_or(whole).clamp(ours, whole));
        let (to, socket, stamp, ttl) = (Some(self.of.to), probe.socket, None, meta.ttl);
        let icmp = Icmp { kind, code, from, to, socket, errno, mtu, stamp, ttl, quoted, extensions };
        self.engine.receive(clock::now(), Arrival::Icmp(icmp));
        true
    }

    /// The target has answered: with a RST, or so that the connection stands.
    fn answer(&mut self, probe: &Probe, is_rst: bool) {
        let now = clock::now();
        // A connection that cannot be dissolved ends with its socket.
        let _ = probe.attempt.dissolve();
        let Some((source, destination, seq)) = tcp::quoted(&probe.syn) else {
            return;
        };
        let bytes = tcp::answer(destination, source, seq.wrapping_add(1), is_rst);
        self.engine.receive(
            now,
            Arrival::Datagram {
                bytes: &bytes,
                from: Some(self.of.to),
                socket: probe.socket,
                stamp: None,
                ttl: None,
                tos: None,
                fragment: None,
            },
        );
    }
}
