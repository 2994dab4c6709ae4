//! One run on real sockets: resolve, open, drive, report.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::carrier::{self, Carrier, Flow};
use super::engine::{Plan, Trace};
use super::mda::Search;
use super::outcome::fingerprint;
use super::sockets::{Sockets, failed};
use super::{Fallback, Mda, Mtr, Protocol, Report, Strategy, connects};
use crate::failure::{Class, Failure};
use crate::geo::{Databases, Place};
use crate::net::Names;
use crate::net::drive::drive;
use crate::net::engine::Engine;
use crate::probe::own_thread::{on_own_thread, random};
use crate::probe::pace::Pace;
use crate::probe::{Ctx, Event, Events, Found, Schedule};
use crate::stats::Rng;
use crate::sys::datagram::Socket;
use crate::sys::wait::Stop;

/// The largest reply of interest: what a quote of ours, or an answer to it, may be.
const SLOT: usize = 2048;
/// New addresses that may wait for their names to be asked for; those beyond stay without.
const MOST_NEWS: usize = 256;
/// Octets of headers before the payload of an echo or a UDP datagram, of IPv4 and IPv6.
const HEADERS: [u16; 2] = [28, 48];

impl Mtr {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        if self.file.is_some() {
            return Found::nothing(Class::Usage.because("--file is for the command line: name one target"));
        }
        if let Err(failure) = self.admitted(ctx) {
            return Found::nothing(failure);
        }
        match ctx.peer(&self.target, 0, &self.egress).await {
            Err(failure) => Found::nothing(failure),
            Ok(peer) => Found { address: Some(peer.ip()), result: self.measure_peer(ctx, peer).await },
        }
    }

    /// Whether whoever asks may ask for this.
    fn admitted(&self, ctx: &Ctx) -> Result<(), Failure> {
        if self.mark.is_some() {
            ctx.policy.check_flag("--mark")?;
        }
        if !self.shape.geo.is_empty() {
            ctx.policy.check_flag("--geo")?;
        }
        match self.protocol() {
            Protocol::Auto | Protocol::Icmp => Ok(()),
            Protocol::Udp | Protocol::Quic | Protocol::Tcp => ctx.policy.check_port(self.port()),
        }
    }

    /// Measures, and looks the names up meanwhile.
    async fn measure_peer(&self, ctx: &Ctx, peer: SocketAddr) -> Result<Report, Failure> {
        // A database that is not there is told before anything is sent.
        let (files, atlas) = (self.shape.geo.clone(), ctx.geo.clone());
        let open = move || match files.as_slice() {
            [] => Ok(atlas.current()),
            files => Databases::open(files).map(Arc::new),
        };
        let opened = tokio::task::spawn_blocking(open).await;
        let databases = opened.map_err(|_| Class::Internal.because("reading databases panicked"))??;
        self.may_mark(peer)?;
        let (news, mut heard) = mpsc::channel(MOST_NEWS);
        let mut names = Names::new(ctx.resolver.clone());
        let measured = self.measure_path(ctx, peer, news);
        let mut measured = std::pin::pin!(measured);
        let mut report = loop {
            tokio::select! {
                report = &mut measured => break report?,
                Some(address) = heard.recv() => {
                    if !self.no_dns {
                        names.ask(address);
                    }
                    let place = databases.place(address);
                    if place != Place::default() {
                        ctx.events.tell(Event::Place { address, place });
                    }
                }
                (address, name) = names.next() => ctx.events.tell(Event::Name { address, name }),
            }
        };
        while let Ok(address) = heard.try_recv()
            && !self.no_dns
        {
            names.ask(address);
        }
        let names = names.finish().await;
        report.take_names(&names);
        report.take_places(&databases);
        Ok(report)
    }

    async fn measure_path(
        &self,
        ctx: &Ctx,
        peer: SocketAddr,
        news: mpsc::Sender<IpAddr>,
    ) -> Result<Report, Failure> {
        let secret = random()?;
        let (sockets, mode) = match self.mda {
            Some(mode) => (self.open_search(peer)?, Some(mode)),
            None => (self.open(peer, self.flows)?, None),
        };
        let protocol = sockets.flows.first().map_or("", |flow| flow.kind.name());
        let fallback = sockets.fallback;
        let tell = |how: String| ctx.events.tell(Event::Started { address: peer.ip(), how });
        let (findings, paths) = match mode {
            Some(mode) => {
                let mut search = self.search(&sockets, mode, peer, secret, ctx.events.clone());
                search.tell_addresses(news);
                tell(format!("{protocol}, every path with {} % confidence", self.confidence));
                let run = move |stop: &Stop| {
                    self::run(&mut search, &sockets, stop, Duration::ZERO).map(|()| search)
                };
                let (findings, paths) = on_own_thread("mtr", ctx, run).await??.finish();
                (findings, Some(paths))
            }
            None => {
                let mut trace = self.trace(&sockets, peer, secret, ctx.events.clone());
                trace.tell_addresses(news);
                let flows = if self.flows > 1 { format!(", {} flows", self.flows) } else { String::new() };
                tell(format!("{protocol}{flows}, {} cycles every {}", self.count, self.interval));
                let interval = self.interval.0;
                let run = move |stop: &Stop| self::run(&mut trace, &sockets, stop, interval).map(|()| trace);
                (on_own_thread("mtr", ctx, run).await??.finish(), None)
            }
        };
        let sent: u64 = findings.tally.hops.iter().map(|hop| hop.sent + hop.pending).sum();
        match findings.refused {
            Some(errno) if sent == 0 => {
                let error = io::Error::from_raw_os_error(errno);
                Err(failed(format_args!("send {protocol} to {}", peer.ip()), peer.is_ipv6(), &error))
            }
            _ if sent == 0 => Err(Class::Cancelled.because("interrupted before anything was sent")),
            _ => {
                let mut report = findings.report(self, peer.is_ipv6());
                if let Some(paths) = &paths {
                    let seen: BTreeSet<_> =
                        paths.nodes.iter().filter_map(|node| Some((node.ttl, node.ip?))).collect();
                    report.fingerprint = fingerprint(seen.into_iter(), report.reached);
                }
                Ok(Report { multipath: paths, fallback, ..report })
            }
        }
    }

    fn plan(&self, seed: u64) -> Plan {
        Plan {
            pace: Pace {
                count: self.count,
                interval: self.interval.0,
                burst: 1,
                schedule: Schedule::Fixed,
                seed,
                deadline: None,
                catch_up: false,
                preload: 0,
                follows: None,
            },
            first: self.first_ttl,
            most: self.max_ttl,
            unknown: self.max_unknown,
            timeout: self.timeout.0,
            grace: self.grace.map(|grace| grace.0),
        }
    }

    /// The engine of one trace: pure, so that a simulator can run it too. `secret` is a random number that only we know.
    pub(super) fn trace(&self, sockets: &Sockets, peer: SocketAddr, secret: u64, events: Events) -> Trace {
        let mut draw = Rng::new(secret);
        let plan = self.plan(draw.bits());
        let carrier = self.carrier(sockets, draw.bits());
        Trace::new(plan, carrier, sockets.beside, peer.ip(), events)
    }

    /// The engine of one search for all paths.
    pub(super) fn search(
        &self,
        sockets: &Sockets,
        mode: Mda,
        peer: SocketAddr,
        secret: u64,
        events: Events,
    ) -> Search {
        let mut draw = Rng::new(secret);
        let plan = self.plan(draw.bits());
        let carrier = self.carrier(sockets, draw.bits());
        let confidence = f64::from(self.confidence) / 100.0;
        Search::new(plan, (mode, confidence), (carrier, sockets.beside), peer.ip(), events)
    }

    /// How the flows carry probes.
    pub(super) fn carrier(&self, sockets: &Sockets, secret: u64) -> Carrier {
        let (flows, fallback): (Vec<Flow>, _) = (sockets.flows.clone(), sockets.fallback);
        let v6 = flows.first().is_some_and(|flow| flow.to.is_ipv6());
        let payload = usize::from(self.size.saturating_sub(HEADERS[usize::from(v6)])).max(carrier::LEAST);
        let tos = self.tos().unwrap_or(0);
        let strategy = match (self.strategy, fallback) {
            (_, Some(Fallback::ParisForDublin)) => Strategy::Paris,
            (strategy, _) => strategy,
        };
        // What is no octet is drawn.
        let fill = self.bit_pattern.map_or(0, |fill| u8::try_from(fill).unwrap_or((secret >> 32) as u8));
        Carrier { flows, cookie: secret as u32, payload, strategy, fill, tos }
    }
}

/// Drives `engine` over all of `sockets`.
fn run(engine: &mut dyn Engine, sockets: &Sockets, stop: &Stop, interval: Duration) -> Result<(), Failure> {
    if let Some(connects) = &sockets.connects {
        return connects::drive(engine, connects, stop);
    }
    let all: Vec<&Socket> = sockets.sockets.iter().collect();
    // Finer schedules make the driver spin, which no trace is worth.
    drive(engine, &all, stop, SLOT, interval.max(Duration::from_millis(1)))
}
