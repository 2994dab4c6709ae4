//! The threads that carry the reflector: sockets in, answers out, in batches.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Counters, Drop, Limits, Reflector, Request, Service, UdpPingSettings};
use crate::failure::{Class, Failure};
use crate::sys::clock;
use crate::sys::datagram::{Batch, Meta, Outgoing, Setup, Socket};
use crate::sys::wait::{Stop, wait};
use crate::units::nanos;
use crate::wire::stamp::ErrorEstimate;

/// Datagrams per system call.
const BATCH: usize = 32;
/// The largest datagram there is.
const LARGEST: usize = 65_536;
/// How often idle sessions and secrets are looked after.
const TICK: Duration = Duration::from_secs(1);
/// How often a thread that opens no more sessions counts those that still run.
const DRAIN_TICK: Duration = Duration::from_millis(100);

/// A socket and what listens on it.
#[derive(Debug)]
pub struct Listener {
    /// What it serves.
    pub service: Service,
    /// The socket.
    pub socket: Socket,
}

impl Listener {
    /// Opens `service` at `address`; `[::]` serves IPv4 too, with a socket of its own.
    ///
    /// # Errors
    /// What the system says, with the remedy where the port needs a capability.
    pub fn open(service: Service, address: SocketAddr, share_port: bool) -> Result<Vec<Self>, Failure> {
        let setup = Setup { share_port, ..Setup::default() };
        let bind = |address: SocketAddr| {
            let socket = Socket::bind(address, &setup).map_err(|error| explain(address, &error))?;
            Ok(Self { service, socket })
        };
        let mut listeners = vec![bind(address)?];
        if address.is_ipv6() && address.ip().is_unspecified() {
            let port = listeners[0].socket.local().map_or(address.port(), |local| local.port());
            listeners.push(bind(SocketAddr::new([0, 0, 0, 0].into(), port))?);
        }
        Ok(listeners)
    }
}

fn explain(address: SocketAddr, error: &std::io::Error) -> Failure {
    let failure = Failure::from_io(format_args!("bind udp {address}"), error);
    if failure.class == Class::Permission && address.port() < 1024 {
        let remedy = "give CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=), or lower net.ipv4.ip_unprivileged_port_start";
        return Failure { detail: format!("{}; {remedy}", failure.detail), ..failure };
    }
    failure
}

/// The running threads of a reflector.
pub struct Workers {
    stop: Arc<Stop>,
    draining: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// What they have done so far.
    pub counters: Arc<Counters>,
}

impl Workers {
    /// Starts one thread for each group of sockets. A client's packets always reach the same group.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(
        groups: Vec<Vec<Listener>>,
        settings: &UdpPingSettings,
        psk: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        let stop = Arc::new(Stop::new().map_err(|error| Failure::from_io("eventfd", &error))?);
        let counters = Arc::new(Counters::default());
        let draining = Arc::new(AtomicBool::new(false));
        let mut workers = Self { stop, draining, threads: Vec::new(), counters };
        let now = clock::now();
        let limits = Arc::new(Limits::new(settings, now.mono));
        for listeners in groups {
            let ports = listeners
                .iter()
                .filter_map(|listener| listener.socket.local().ok())
                .map(|local| local.port());
            let reflector = Reflector::sharing(&limits, settings, psk, ports.collect(), now);
            let stop = Arc::clone(&workers.stop);
            let counters = Arc::clone(&workers.counters);
            let draining = Arc::clone(&workers.draining);
            let worker =
                Worker { listeners, reflector, counters, draining, sessions: 0, active: 0, refusing: 0 };
            let thread =
                std::thread::Builder::new().name("reflector".to_owned()).spawn(move || worker.run(&stop));
            workers.threads.push(thread.map_err(|error| Failure::from_io("start a thread", &error))?);
        }
        Ok(workers)
    }

    /// Opens no session from here on; open ones go on until [`is_quiet`](Self::is_quiet).
    pub fn refuse_new(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether every thread has ceased to open sessions and none is in use. The first takes up to a second.
    pub fn is_quiet(&self) -> bool {
        let refusing = self.counters.refusing.load(Ordering::Acquire);
        refusing == self.threads.len() as u64 && self.counters.active.load(Ordering::Relaxed) == 0
    }

    /// Whether all threads still run.
    pub fn is_alive(&self) -> bool {
        !self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Ends the threads and waits for them.
    pub fn stop(mut self) {
        self.stop.set();
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

struct Worker {
    listeners: Vec<Listener>,
    reflector: Reflector,
    counters: Arc<Counters>,
    draining: Arc<AtomicBool>,
    /// Sessions of this thread that the counters know of.
    sessions: u64,
    /// Active sessions of this thread that the counters know of.
    active: u64,
    /// 1 once the counters know that this thread opens no more sessions.
    refusing: u64,
}

impl Worker {
    fn run(mut self, stop: &Stop) {
        let mut incoming = Batch::new(BATCH, LARGEST);
        let mut outgoing = Batch::new(BATCH, 0);
        let mut answers: Vec<Vec<u8>> = vec![Vec::new(); BATCH];
        let mut due = clock::now().mono;
        loop {
            let left = due.saturating_duration_since(clock::now().mono);
            let sockets: Vec<_> = self.listeners.iter().map(|listener| listener.socket.as_fd()).collect();
            let Ok(woken) = wait(&sockets, Some(stop), Some(left)) else {
                return;
            };
            if woken.stop {
                return;
            }
            let now = clock::now().mono;
            if now >= due || self.must_refuse() {
                due = now + self.tick();
            }
            for n in (0..self.listeners.len()).filter(|n| (woken.readable | woken.errors) >> n & 1 == 1) {
                self.serve(n, &mut incoming, &mut outgoing, &mut answers);
            }
        }
    }

    /// Whether it has been told to open no more sessions, and has not yet begun to.
    fn must_refuse(&self) -> bool {
        self.draining.load(Ordering::Relaxed) && !self.reflector.is_refusing()
    }

    /// Looks after what is due, and returns when to do so again.
    fn tick(&mut self) -> Duration {
        let discipline = clock::discipline();
        let clock = discipline.map_or_else(ErrorEstimate::default, |discipline| {
            ErrorEstimate::new(discipline.synchronised, nanos(Duration::from_micros(discipline.max_error_us)))
        });
        let now = clock::now();
        self.reflector.tick(now, clock);
        if self.must_refuse() {
            self.reflector.refuse_new();
        }
        tell(&self.counters.sessions, &mut self.sessions, self.reflector.sessions());
        tell(&self.counters.active, &mut self.active, self.reflector.active(now));
        if !self.reflector.is_refusing() {
            return TICK;
        }
        tell(&self.counters.refusing, &mut self.refusing, 1);
        DRAIN_TICK
    }

    /// Answers what waits at one socket, a batch at a time, and gives the others their turn after some.
    fn serve(&mut self, n: usize, incoming: &mut Batch, outgoing: &mut Batch, answers: &mut [Vec<u8>]) {
        for _ in 0..4 {
            let Listener { service, socket } = &self.listeners[n];
            let Ok(count) = incoming.receive(socket) else {
                return;
            };
            let mut replies: Vec<(SocketAddr, Meta, Option<u8>)> = Vec::with_capacity(count);
            for (bytes, from, meta) in (0..count).filter_map(|n| incoming.get(n)) {
                let Some(from) = from else { continue };
                let Meta { stamp, ttl, tos, .. } = meta;
                if meta.to_many {
                    // All hosts of a network would answer the one who is named as the sender.
                    self.counters.count(Err(Drop::Address));
                    continue;
                }
                let request = Request { service: *service, bytes, from, stamp, ttl, tos };
                let outcome = self.reflector.answer(&clock::now, &request, &mut answers[replies.len()]);
                self.counters.count(outcome.map(|_| ()));
                if let Ok(tos) = outcome {
                    replies.push((from, meta, tos));
                }
            }
            let datagrams: Vec<Outgoing<'_>> = answers
                .iter()
                .zip(&replies)
                .map(|(bytes, (to, meta, tos))| Outgoing {
                    bytes,
                    to: Some(*to),
                    from: meta.to,
                    tos: *tos,
                    ..Outgoing::default()
                })
                .collect();
            let mut done = 0;
            while done < datagrams.len() {
                // What the system refuses is lost, as on any network; the next one may go.
                done += outgoing.send(socket, &datagrams[done..]).unwrap_or(1).max(1);
            }
            if count < BATCH {
                return;
            }
        }
    }
}

/// Adds to `total` what has changed since this thread `told` it last.
fn tell(total: &AtomicU64, told: &mut u64, now: usize) {
    let now = now as u64;
    total.fetch_add(now.wrapping_sub(*told), Ordering::Release);
    *told = now;
}
