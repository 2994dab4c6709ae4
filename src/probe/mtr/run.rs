//! One run on real sockets: resolve, open, drive, report.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::sync::mpsc;

use super::carrier::{self, Carrier, Flow, Kind};
use super::engine::{Plan, Trace};
use super::mda::{MOST_FLOWS, Search};
use super::{Mda, Mtr, Protocol, Report};
use crate::failure::{Class, Failure};
use crate::geo::Databases;
use crate::net::Names;
use crate::net::drive::drive;
use crate::net::engine::Engine;
use crate::probe::own_thread::{on_own_thread, random};
use crate::probe::pace::Pace;
use crate::probe::{Ctx, Event, Events, Found, Schedule};
use crate::stats::Rng;
use crate::sys::datagram::{self, Setup, Socket};
use crate::sys::port::Port;
use crate::sys::route::source;
use crate::sys::wait::Stop;
use crate::wire::tcp;

/// The largest reply of interest: what a quote of ours, or an answer to it, may be.
const SLOT: usize = 2048;
/// New addresses that may wait for their names to be asked for; those beyond stay without.
const MOST_NEWS: usize = 256;
/// Octets of headers before the payload of an echo or a UDP datagram, of IPv4 and IPv6.
const HEADERS: [u16; 2] = [28, 48];

/// The sockets of a run, and the flows over them.
pub(super) struct Sockets {
    pub(super) sockets: Vec<Socket>,
    /// What keeps the ports of TCP ours.
    pub(super) ports: Vec<Port>,
    pub(super) flows: Vec<Flow>,
    /// The last flow only confirms loss.
    pub(super) check: bool,
}

impl Mtr {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        match ctx.peer(&self.target, 0, &self.egress).await {
            Err(failure) => Found::nothing(failure),
            Ok(peer) => Found { address: Some(peer.ip()), result: self.measure_peer(ctx, peer).await },
        }
    }

    /// Measures, and looks the names up meanwhile.
    async fn measure_peer(&self, ctx: &Ctx, peer: SocketAddr) -> Result<Report, Failure> {
        // A database that is not there is told before anything is sent.
        let files = self.shape.geo.clone();
        let opened = tokio::task::spawn_blocking(move || Databases::open(&files)).await;
        let databases = opened.map_err(|_| Class::Internal.because("reading databases panicked"))??;
        let (news, mut heard) = mpsc::channel(MOST_NEWS);
        let news = (!self.no_dns).then_some(news);
        let mut names = Names::new(ctx.resolver.clone());
        let measured = self.measure_path(ctx, peer, news);
        let mut measured = std::pin::pin!(measured);
        let mut report = loop {
            tokio::select! {
                report = &mut measured => break report?,
                Some(address) = heard.recv() => names.ask(address),
                (address, name) = names.next() => ctx.events.tell(Event::Name { address, name }),
            }
        };
        while let Ok(address) = heard.try_recv() {
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
        news: Option<mpsc::Sender<IpAddr>>,
    ) -> Result<Report, Failure> {
        let secret = random()?;
        let protocol = self.protocol().name();
        let tell = |how: String| ctx.events.tell(Event::Started { address: peer.ip(), how });
        let (findings, paths) = match self.mda {
            Some(mode) => {
                let sockets = self.open_search(peer)?;
                let mut search = self.search(&sockets, mode, peer, secret, ctx.events.clone());
                news.into_iter().for_each(|news| search.tell_addresses(news));
                tell(format!("{protocol}, every path with {} % confidence", self.confidence));
                let run = move |stop: &Stop| {
                    self::run(&mut search, &sockets, stop, Duration::ZERO).map(|()| search)
                };
                let (findings, paths) = on_own_thread("mtr", ctx, run).await??.finish();
                (findings, Some(paths))
            }
            None => {
                let sockets = self.open(peer, self.flows)?;
                let mut trace = self.trace(&sockets, peer, secret, ctx.events.clone());
                news.into_iter().for_each(|news| trace.tell_addresses(news));
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
                Err(Failure::from_io(format_args!("send {protocol} to {}", peer.ip()), &error))
            }
            _ if sent == 0 => Err(Class::Cancelled.because("interrupted before anything was sent")),
            _ => Ok(Report { multipath: paths, ..findings.report(self, peer.is_ipv6()) }),
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
        let carrier = self.carrier(sockets.flows.clone(), draw.bits());
        Trace::new(plan, carrier, sockets.check, peer.ip(), events)
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
        let carrier = self.carrier(sockets.flows.clone(), draw.bits());
        let confidence = f64::from(self.confidence) / 100.0;
        Search::new(plan, (mode, confidence), carrier, peer.ip(), events)
    }

    /// One socket for all the flows that a search may use: destination ports tell them apart, or checksums of echoes.
    fn open_search(&self, peer: SocketAddr) -> Result<Sockets, Failure> {
        if self.protocol() == Protocol::Icmp {
            return self.open(peer, MOST_FLOWS);
        }
        let local = self.local(peer, self.local_port.unwrap_or(0));
        let socket = Socket::bind(local, &self.setup(datagram::Kind::Udp))
            .map_err(|error| Failure::from_io(format_args!("bind udp {local}"), &error))?;
        let port = socket.local().map_err(|error| Failure::from_io("getsockname", &error))?.port();
        let first = with_scope(SocketAddr::new(peer.ip(), self.port()), peer);
        let source = source(local.ip(), first)
            .map_err(|error| Failure::from_io(format_args!("route to {}", peer.ip()), &error))?;
        let flow = |n: u16| {
            let mut to = first;
            to.set_port(first.port().checked_add(n).unwrap_or(n.wrapping_add(1)));
            let from = Some(SocketAddr::new(source, port));
            Flow { kind: Kind::Udp, socket: 0, from, to, connected: false, key: 0 }
        };
        let flows = (0..MOST_FLOWS).map(flow).collect();
        Ok(Sockets { sockets: vec![socket], ports: Vec::new(), flows, check: false })
    }

    /// How `flows` carry probes.
    pub(super) fn carrier(&self, flows: Vec<Flow>, secret: u64) -> Carrier {
        let v6 = flows.first().is_some_and(|flow| flow.to.is_ipv6());
        let payload = usize::from(self.size.saturating_sub(HEADERS[usize::from(v6)])).max(carrier::LEAST);
        Carrier { flows, cookie: secret as u32, payload, strategy: self.strategy }
    }

    /// Opens what `count` flows to `peer` need, and for UDP and TCP an echo socket beside, where that is allowed.
    pub(super) fn open(&self, peer: SocketAddr, count: u16) -> Result<Sockets, Failure> {
        let mut all = Sockets { sockets: Vec::new(), ports: Vec::new(), flows: Vec::new(), check: false };
        match self.protocol() {
            Protocol::Auto | Protocol::Icmp => {
                let (socket, from) = self.echo(peer, None)?;
                all.sockets.push(socket);
                all.flows.extend((0..count).map(|flow| echo_flow(0, from, peer, flow)));
                return Ok(all);
            }
            Protocol::Udp => self.open_udp(&mut all, Kind::Udp, peer, count)?,
            Protocol::Quic => self.open_udp(&mut all, Kind::Quic, peer, count)?,
            Protocol::Tcp => self.open_tcp(&mut all, peer, count)?,
        }
        // Without it there are hops, only no word on loss at the target.
        if let Ok((socket, from)) = self.echo(peer, None) {
            all.flows.push(echo_flow(all.sockets.len(), from, peer, 0));
            all.sockets.push(socket);
            all.check = true;
        }
        Ok(all)
    }

    /// An echo socket without privilege, or a raw one where that is not allowed; and its identifier as a port.
    fn echo(&self, peer: SocketAddr, id: Option<u16>) -> Result<(Socket, SocketAddr), Failure> {
        let local = self.local(peer, 0);
        let open = |kind| Socket::bind(local, &self.setup(kind));
        let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        let opened = match open(datagram::Kind::Echo) {
            Err(error) if denied(&error) => {
                let id = id.map_or_else(|| random().map(|random| random as u16 | 1), Ok)?;
                open(datagram::Kind::RawEcho(id))
            }
            other => other,
        };
        let socket = opened.map_err(|error| match denied(&error) {
            true => Class::Permission.because(
                "icmp needs net.ipv4.ping_group_range to hold a group of yours, or CAP_NET_RAW; -u needs neither",
            ),
            false => Failure::from_io(format_args!("bind icmp {}", local.ip()), &error),
        })?;
        let from = socket.local().map_err(|error| Failure::from_io("getsockname", &error))?;
        Ok((socket, from))
    }

    fn open_udp(&self, all: &mut Sockets, kind: Kind, peer: SocketAddr, count: u16) -> Result<(), Failure> {
        let to = SocketAddr::new(peer.ip(), self.port());
        let to = with_scope(to, peer);
        for n in 0..count {
            let local = self.local(peer, self.local_port.map_or(0, |port| port.saturating_add(n)));
            let socket = Socket::bind(local, &self.setup(datagram::Kind::Udp))
                .map_err(|error| Failure::from_io(format_args!("bind udp {local}"), &error))?;
            // A connected socket cannot send to the ports that the classic strategy varies.
            let connected = self.strategy == super::Strategy::Paris;
            if connected {
                socket
                    .connect(to)
                    .map_err(|error| Failure::from_io(format_args!("connect udp {to}"), &error))?;
            }
            let from = socket.local().map_err(|error| Failure::from_io("getsockname", &error))?;
            let socket_number = all.sockets.len();
            all.flows.push(Flow { kind, socket: socket_number, from: Some(from), to, connected, key: 0 });
            all.sockets.push(socket);
        }
        Ok(())
    }

    /// One raw socket for all flows; each has a port that is bound, so that nobody else uses it and the system resets
    /// what is half open.
    fn open_tcp(&self, all: &mut Sockets, peer: SocketAddr, count: u16) -> Result<(), Failure> {
        let to = with_scope(SocketAddr::new(peer.ip(), self.port()), peer);
        let needs = |error: &io::Error| match error.kind() {
            io::ErrorKind::PermissionDenied => Class::Permission.because("-T needs CAP_NET_RAW; -u does not"),
            _ => Failure::from_io("open a raw tcp socket", error),
        };
        for n in 0..count {
            let port = self.local_port.map_or(0, |port| port.saturating_add(n));
            let kept = Port::keep(self.local(peer, port), to)
                .map_err(|error| Failure::from_io(format_args!("bind tcp port {port}"), &error))?;
            let from = kept.local();
            all.ports.push(kept);
            let socket =
                Socket::bind(SocketAddr::new(from.ip(), 0), &self.setup(datagram::Kind::Raw(tcp::PROTOCOL)))
                    .map_err(|error| needs(&error))?;
            socket
                .connect(SocketAddr::new(to.ip(), 0))
                .map_err(|error| Failure::from_io("connect", &error))?;
            let number = all.sockets.len();
            all.flows.push(Flow {
                kind: Kind::Tcp,
                socket: number,
                from: Some(from),
                to,
                connected: true,
                key: 0,
            });
            all.sockets.push(socket);
        }
        Ok(())
    }

    fn local(&self, peer: SocketAddr, port: u16) -> SocketAddr {
        let any = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        SocketAddr::new(self.egress.source().unwrap_or(any), port)
    }

    fn setup(&self, kind: datagram::Kind) -> Setup {
        Setup {
            kind,
            interface: self.egress.device().map(str::to_owned),
            tos: self.egress.tos(),
            client: true,
            ..Setup::default()
        }
    }
}

/// Drives `engine` over all of `sockets`.
fn run(engine: &mut dyn Engine, sockets: &Sockets, stop: &Stop, interval: Duration) -> Result<(), Failure> {
    let all: Vec<&Socket> = sockets.sockets.iter().collect();
    // Finer schedules make the driver spin, which no trace is worth.
    drive(engine, &all, stop, SLOT, interval.max(Duration::from_millis(1)))
}

/// An echo flow: its key decides the checksum, which is what tells flows of ICMP apart.
fn echo_flow(socket: usize, from: SocketAddr, to: SocketAddr, flow: u16) -> Flow {
    Flow {
        kind: Kind::Echo,
        socket,
        from: Some(from),
        to,
        connected: false,
        key: 0x6d74_u16.wrapping_add(flow),
    }
}

/// `to` in the zone of `peer`.
fn with_scope(to: SocketAddr, peer: SocketAddr) -> SocketAddr {
    match (to, peer) {
        (SocketAddr::V6(mut to), SocketAddr::V6(peer)) => {
            to.set_scope_id(peer.scope_id());
            to.into()
        }
        (to, _) => to,
    }
}
