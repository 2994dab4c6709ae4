//! The modes that make connections: TCP, TLS, HTTP. Each packet of the plan is an attempt of its own, and they overlap.

mod http;
mod tcp;
mod tls;

pub(super) use http::{fuzz, place};

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::hosts::Hosts;
use super::plan::{Host, wait};
use super::tally::{Answered, Circumstances, Connected, Said, Tally};
use super::{Mode, Ping, Report};
use crate::failure::{Class, Failure, reason};
use crate::net::engine::Icmp;
use crate::probe::pace::{Cadence, Due, Pace, Schedule};
use crate::probe::{Ctx, Egress};
use crate::sys::clock;
use crate::sys::connect::Unreachable;
use crate::units::nanos;
use http::Kept;
use tls::Client;

/// Attempts at the same time: a process may open 1,024 files where nobody has raised it.
const MOST: usize = 512;

/// What every attempt needs to know.
struct Way {
    mode: Mode,
    egress: Egress,
    tos: Option<u8>,
    name: Option<String>,
    port: Option<u16>,
    client: Client,
}

/// An attempt that got an answer.
struct Reached {
    rtt: Duration,
    /// The kernel measured it.
    kernel: bool,
    told: Connected,
    said: Option<Said>,
    kept: Option<Kept>,
}

/// An attempt that got none.
#[derive(Debug)]
enum Unreached {
    /// Nothing came in time.
    Silent,
    /// A router or the target's own network said that it cannot be.
    Icmp(Unreachable),
    /// Something else than an answer came: what, in a few words.
    Failed(String),
    /// This host did not try.
    NotTried(i32),
}

/// The end of the attempt of this number.
struct End {
    probe: u64,
    result: Result<Reached, Unreached>,
}

impl Ping {
    /// Measures by connections.
    pub(super) async fn connect(&self, ctx: &Ctx, hosts: Hosts) -> Result<Report, Failure> {
        let Hosts { hosts, unmeasured } = hosts;
        let (interval, each) = self.intervals(hosts.len());
        let pace = Pace {
            count: self.packets().saturating_mul(hosts.len() as u64),
            interval,
            burst: 1,
            schedule: Schedule::Fixed,
            seed: 0,
            deadline: self.deadline.map(|deadline| deadline.0),
            catch_up: self.catch_up || hosts.len() > 1,
            preload: self.preload,
            follows: self.follows(),
        };
        let cadence = Cadence::new(pace).in_rounds(hosts.len() as u64, each, self.growth());
        let way = Way {
            mode: self.mode(),
            egress: self.egress.clone(),
            tos: self.tos(),
            name: self.name.clone(),
            port: self.port,
            client: Client::new()?,
        };
        let mut run = Run {
            cadence,
            tally: Tally::new(hosts, ctx.events.clone()),
            way: Arc::new(way),
            timeout: self.wait(),
            growth: self.growth(),
            until_answered: self.until_answered(),
            running: JoinSet::new(),
            kept: HashMap::new(),
        };
        run.go(ctx, self.deadline.map(|deadline| deadline.0)).await;
        if run.tally.is_empty() {
            return Err(Class::Cancelled.because("interrupted before anything was sent"));
        }
        if let (1, Some(errno)) = (run.tally.size(), run.tally.obstacle()) {
            let host = run.tally.host(0).address;
            return Err(Failure::from_io(
                format_args!("connect to {host}"),
                &io::Error::from_raw_os_error(errno),
            ));
        }
        let skipped = run.cadence.skipped;
        Ok(run.tally.report(Circumstances {
            mode: self.mode(),
            payload: None,
            interval: each,
            skipped,
            versions: None,
            unmeasured,
        }))
    }
}

struct Run {
    cadence: Cadence,
    tally: Tally,
    way: Arc<Way>,
    timeout: Duration,
    growth: f64,
    until_answered: bool,
    running: JoinSet<End>,
    /// Connections that wait for the next request, by the target's place.
    kept: HashMap<u64, Kept>,
}

impl Run {
    /// Attempts all that are planned, until the end of the plan, `deadline`, or somebody's wish.
    async fn go(&mut self, ctx: &Ctx, deadline: Option<Duration>) {
        let start = clock::now().mono;
        let end = deadline.map(|deadline| start + deadline);
        loop {
            let due = if self.running.len() < MOST { self.begin_due() } else { None };
            if due.is_none() && self.running.is_empty() {
                return;
            }
            let wake = due.into_iter().chain(end).min().unwrap_or(start + self.timeout * 2);
            tokio::select! {
                biased;
                () = ctx.cancel.cancelled() => return,
                Some(ended) = self.running.join_next(), if !self.running.is_empty() => {
                    if let Ok(ended) = ended {
                        if ended.result.is_ok() {
                            self.cadence.answered();
                        }
                        self.settle(ended);
                    }
                }
                () = tokio::time::sleep_until(wake.into()), if due.is_some() || end.is_some() => {
                    if end.is_some_and(|end| clock::now().mono >= end) {
                        return;
                    }
                }
            }
        }
    }

    /// Begins what is due, as far as there is room; when the next is.
    fn begin_due(&mut self) -> Option<Instant> {
        while self.running.len() < MOST {
            if self.until_answered && self.tally.alive() == self.tally.size() {
                return None;
            }
            match self.cadence.take(clock::now().mono) {
                Due::Now(late) => {
                    let probe = self.cadence.latest();
                    if !(self.until_answered && self.tally.is_alive(probe)) {
                        self.begin(probe, late);
                    }
                }
                Due::At(due) => return Some(due),
                Due::Never => return None,
            }
        }
        None
    }

    fn begin(&mut self, probe: u64, late: Duration) {
        self.tally.sent(probe, late);
        let timeout = wait(self.timeout, self.growth, self.tally.round(probe));
        let (host, way) = (self.tally.host(probe).clone(), Arc::clone(&self.way));
        let kept = self.kept.remove(&(probe % self.tally.size() as u64));
        self.running.spawn(async move {
            let attempt = tokio::time::timeout(timeout, way.attempt(&host, kept)).await;
            End { probe, result: attempt.unwrap_or(Err(Unreached::Silent)) }
        });
    }

    fn settle(&mut self, End { probe, result }: End) {
        let wall = clock::now().wall;
        match result {
            Ok(Reached { rtt, kernel, told, said, kept }) => {
                self.tally.arrived(probe);
                self.tally.connected(told);
                let answer = Answered { rtt: nanos(rtt), kernel, at: wall, said, ..Answered::default() };
                self.tally.answered(probe, answer);
                if let Some(kept) = kept {
                    self.kept.insert(probe % self.tally.size() as u64, kept);
                }
            }
            Err(Unreached::Silent) => self.tally.lost(probe, wall),
            Err(Unreached::Icmp(Unreachable { kind, code, from })) => {
                let icmp = Icmp { kind, code, from, ..Icmp::default() };
                self.tally.icmp(probe, &icmp, true);
                self.tally.unreached(probe, &icmp, wall);
            }
            Err(Unreached::Failed(what)) => self.tally.failed(probe, what, wall),
            Err(Unreached::NotTried(errno)) => self.tally.refused(probe, errno, None, wall),
        }
    }
}

/// Why a connection that stood came to nothing, in a few words; `part` says when: `before a response`.
fn why(error: &io::Error, part: &str) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => {
            return format!("tls alert {}", spaced(&format!("{alert:?}")));
        }
        Some(error) => return format!("tls: {error}"),
        None => {}
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("closed {part}"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => format!("reset {part}"),
        _ => format!("{} {part}", reason(error)),
    }
}

/// `HandshakeFailure` as RFC 8446 §6 writes it: `handshake_failure`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

impl Way {
    async fn attempt(&self, host: &Host, kept: Option<Kept>) -> Result<Reached, Unreached> {
        match self.mode {
            Mode::Tls => self.tls(host).await,
            Mode::Http => self.http(host, kept).await,
            _ => self.tcp(host).await,
        }
    }
}
