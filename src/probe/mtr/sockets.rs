//! The sockets that the flows of a run take, with what this host allows: what is refused has a substitute that measures the
//! same, or a failure that says what it takes.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;

use super::carrier::{Flow, Kind};
use super::connects::Connects;
use super::engine::Beside;
use super::mda::MOST_FLOWS;
use super::{Fallback, Mtr, Protocol, Strategy};
use crate::failure::{Class, Failure};
use crate::probe::own_thread::random;
use crate::probe::rights::{Right, lacking};
use crate::sys::connect::Way;
use crate::sys::datagram::{self, Setup, Socket};
use crate::sys::port::Port;
use crate::sys::route::source;
use crate::wire::tcp;

/// UDP's number in IP headers.
const UDP: u8 = 17;

/// The sockets of a run, and the flows over them.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    pub(super) sockets: Vec<Socket>,
    /// Instead of sockets: connections.
    pub(super) connects: Option<Connects>,
    /// What keeps the ports of raw sockets ours.
    pub(super) kept: (Vec<Port>, Vec<Socket>),
    pub(super) flows: Vec<Flow>,
    pub(super) beside: Beside,
    pub(super) fallback: Option<Fallback>,
}

impl Sockets {
    fn add(&mut self, socket: Socket, flow: Flow) {
        self.flows.push(Flow { socket: self.sockets.len(), ..flow });
        self.sockets.push(socket);
    }
}

/// The lowest port that is no system service's (RFC 6335 §6): where a search goes on that has come to the highest one.
const UNPRIVILEGED: u16 = 1024;

impl Mtr {
    /// One socket for all the flows that a search may use: destination ports tell them apart, or checksums of echoes.
    pub(super) fn open_search(&self, peer: SocketAddr) -> Result<Sockets, Failure> {
        if self.protocol() == Protocol::Icmp {
            let (socket, from) = self.echo(peer)?;
            let flows = (0..MOST_FLOWS).map(|flow| echo_flow(from, peer, flow)).collect();
            let mut all = Sockets { sockets: vec![socket], flows, ..Sockets::default() };
            self.add_witness(&mut all, peer);
            return Ok(all);
        }
        let local = self.local(peer, self.local_port.unwrap_or(0));
        let socket = self.udp(local)?;
        let port = local_of(&socket)?.port();
        let first = with_scope(SocketAddr::new(peer.ip(), self.port()), peer);
        let source =
            source(local.ip(), first, self.egress.device()).map_err(|error| no_route(peer, &error))?;
        let flow = |n: u16| {
            let mut to = first;
            to.set_port(first.port().checked_add(n).unwrap_or(n + UNPRIVILEGED));
            flow(Kind::Udp, Some(SocketAddr::new(source, port)), to, false)
        };
        let flows = (0..MOST_FLOWS).map(flow).collect();
        let mut all = Sockets { sockets: vec![socket], flows, ..Sockets::default() };
        self.add_witness(&mut all, peer);
        Ok(all)
    }

    /// Adds what sees translators, where this host allows it.
    fn add_witness(&self, all: &mut Sockets, peer: SocketAddr) {
        // The system writes the checksum of ICMPv6 itself.
        if peer.is_ipv4()
            && let Ok((socket, from)) = self.raw_echo(peer, all.flows.iter().filter_map(|flow| flow.from))
        {
            all.add(socket, Flow { is_witness: true, ..echo_flow(from, peer, 0) });
            all.beside.witness = true;
        }
    }

    /// Opens what `count` flows to `peer` need, and beside them, where that is allowed, for UDP and TCP what confirms loss,
    /// and what sees translators.
    pub(super) fn open(&self, peer: SocketAddr, count: u16) -> Result<Sockets, Failure> {
        let mut all = Sockets::default();
        match self.protocol() {
            Protocol::Auto | Protocol::Icmp => match self.echo(peer) {
                Ok((socket, from)) => {
                    all.sockets.push(socket);
                    all.flows.extend((0..count).map(|flow| echo_flow(from, peer, flow)));
                }
                Err(failure) if self.protocol == Protocol::Auto && failure.class == Class::Permission => {
                    all.fallback = Some(Fallback::UdpForIcmp);
                    self.open_udp(&mut all, Kind::Udp, peer, count)?;
                }
                Err(failure) => return Err(failure),
            },
            Protocol::Udp if self.strategy == Strategy::Dublin => self.open_dublin(&mut all, peer, count)?,
            Protocol::Udp => self.open_udp(&mut all, Kind::Udp, peer, count)?,
            Protocol::Quic => self.open_udp(&mut all, Kind::Quic, peer, count)?,
            Protocol::Tcp => self.open_tcp(&mut all, peer, count)?,
        }
        if all.connects.is_some() {
            return Ok(all);
        }
        let is_echo = all.flows.iter().any(|flow| flow.kind == Kind::Echo);
        // Without it there are hops, only no word on loss at the target.
        if !is_echo && let Ok((socket, from)) = self.echo(peer) {
            all.add(socket, echo_flow(from, peer, 0));
            all.beside.check = true;
        }
        self.add_witness(&mut all, peer);
        Ok(all)
    }

    /// An echo socket without privilege, or a raw one where that is not allowed; and its identifier as a port.
    fn echo(&self, peer: SocketAddr) -> Result<(Socket, SocketAddr), Failure> {
        let local = self.local(peer, 0);
        let opened = Socket::echo(local, self.setup(datagram::Kind::Echo), random()? as u16 | 1);
        told(opened.map(|(socket, _)| socket), local)
    }

    /// A raw echo socket whose identifier is none of `others`'.
    fn raw_echo(
        &self,
        peer: SocketAddr,
        mut others: impl Iterator<Item = SocketAddr>,
    ) -> Result<(Socket, SocketAddr), Failure> {
        let local = self.local(peer, 0);
        let mut id = random()? as u16 | 1;
        if others.any(|other| other.port() == id) {
            id = id.wrapping_add(2);
        }
        told(Socket::bind(local, &self.setup(datagram::Kind::RawEcho(id))), local)
    }

    fn open_udp(&self, all: &mut Sockets, kind: Kind, peer: SocketAddr, count: u16) -> Result<(), Failure> {
        let to = with_scope(SocketAddr::new(peer.ip(), self.port()), peer);
        for n in 0..count {
            let socket = self.udp(self.local(peer, self.nth_port(n)))?;
            // A connected socket cannot send to the ports that the classic strategy varies.
            let connected = self.strategy != Strategy::Classic || kind == Kind::Quic;
            if connected {
                socket
                    .connect(to)
                    .map_err(|error| failed(format_args!("connect udp {to}"), to.is_ipv6(), &error))?;
            }
            let from = local_of(&socket)?;
            all.add(socket, flow(kind, Some(from), to, connected));
        }
        Ok(())
    }

    /// A raw socket for each flow, with a port that is kept by one of UDP.
    fn open_dublin(&self, all: &mut Sockets, peer: SocketAddr, count: u16) -> Result<(), Failure> {
        if peer.is_ipv6() && self.size != Mtr::default().size {
            return Err(Class::Usage
                .because("--size: over IPv6 the dublin strategy numbers its probes by their length"));
        }
        let to = with_scope(SocketAddr::new(peer.ip(), self.port()), peer);
        let raw = if peer.is_ipv4() { datagram::Kind::Whole(UDP) } else { datagram::Kind::Raw(UDP) };
        for n in 0..count {
            let kept = self.udp(self.local(peer, self.nth_port(n)))?;
            let local = local_of(&kept)?;
            let source =
                source(local.ip(), to, self.egress.device()).map_err(|error| no_route(peer, &error))?;
            let socket = match Socket::bind(SocketAddr::new(source, 0), &self.setup(raw)) {
                Err(error) if denied(&error) => {
                    drop(kept);
                    all.fallback = Some(Fallback::ParisForDublin);
                    return self.open_udp(all, Kind::Udp, peer, count);
                }
                opened => opened.map_err(|error| Failure::from_io("open a raw udp socket", &error))?,
            };
            socket
                .connect(SocketAddr::new(to.ip(), 0))
                .map_err(|error| Failure::from_io("connect", &error))?;
            let from = SocketAddr::new(source, local.port());
            all.add(socket, flow(Kind::Udp, Some(from), to, true));
            all.kept.1.push(kept);
        }
        Ok(())
    }

    /// A raw socket for each flow, with a port that is bound, so that nobody else uses it and the system resets what is half
    /// open; without privilege, connections.
    fn open_tcp(&self, all: &mut Sockets, peer: SocketAddr, count: u16) -> Result<(), Failure> {
        let to = with_scope(SocketAddr::new(peer.ip(), self.port()), peer);
        for n in 0..count {
            let port = self.nth_port(n);
            let kept = Port::keep(self.local(peer, port), to, self.egress.device()).map_err(|error| {
                failed(format_args!("tcp from port {port} to {to}"), to.is_ipv6(), &error)
            })?;
            let from = kept.local();
            let raw = self.setup(datagram::Kind::Raw(tcp::PROTOCOL));
            let socket = match Socket::bind(SocketAddr::new(from.ip(), 0), &raw) {
                Err(error) if denied(&error) => return self.open_connects(all, to, count),
                opened => opened.map_err(|error| Failure::from_io("open a raw tcp socket", &error))?,
            };
            socket
                .connect(SocketAddr::new(to.ip(), 0))
                .map_err(|error| Failure::from_io("connect", &error))?;
            all.add(socket, flow(Kind::Tcp, Some(from), to, true));
            all.kept.0.push(kept);
        }
        Ok(())
    }

    fn open_connects(&self, all: &mut Sockets, to: SocketAddr, count: u16) -> Result<(), Failure> {
        if self.local_port.is_some() || count > 1 {
            return Err(lacking("--localport or --flows over TCP", Right::Raw, "-u does not"));
        }
        let source = self.egress.source();
        let interface = self.egress.device().map(str::to_owned);
        let way = Way { source, interface, ttl: None, tos: self.tos() };
        all.connects = Some(Connects { way, to });
        all.fallback = Some(Fallback::ConnectionsForSyns);
        // Each connection has a port of its own.
        all.flows.push(flow(Kind::Tcp, None, to, true));
        Ok(())
    }

    fn udp(&self, local: SocketAddr) -> Result<Socket, Failure> {
        Socket::bind(local, &self.setup(datagram::Kind::Udp))
            .map_err(|error| Failure::from_io(format_args!("bind udp {local}"), &error))
    }

    /// The source port of the `n`-th flow; 0 leaves it to the system.
    fn nth_port(&self, n: u16) -> u16 {
        self.local_port.map_or(0, |port| port.saturating_add(n))
    }

    /// Whether packets may be marked, where that is asked for.
    pub(super) fn may_mark(&self, peer: SocketAddr) -> Result<(), Failure> {
        let Some(mark) = self.mark else { return Ok(()) };
        match Socket::bind(self.local(peer, 0), &self.setup(datagram::Kind::Udp)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Class::Permission
                .because(format_args!("--mark {mark} needs CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17"))),
            // What else is wrong is told where it matters.
            _ => Ok(()),
        }
    }

    fn local(&self, peer: SocketAddr, port: u16) -> SocketAddr {
        SocketAddr::new(self.egress.local(peer).ip(), port)
    }

    fn setup(&self, kind: datagram::Kind) -> Setup {
        Setup {
            kind,
            interface: self.egress.device().map(str::to_owned),
            tos: self.tos(),
            mark: self.mark,
            client: true,
            ..Setup::default()
        }
    }
}

/// An echo flow: its key decides the checksum, which is what tells flows of ICMP apart.
fn echo_flow(from: SocketAddr, to: SocketAddr, flow: u16) -> Flow {
    Flow { key: 0x6d74_u16.wrapping_add(flow), ..self::flow(Kind::Echo, Some(from), to, false) }
}

/// A flow over the first socket.
fn flow(kind: Kind, from: Option<SocketAddr>, to: SocketAddr, connected: bool) -> Flow {
    Flow { kind, socket: 0, from, to, connected, key: 0, is_witness: false }
}

fn local_of(socket: &Socket) -> Result<SocketAddr, Failure> {
    socket.local().map_err(|error| Failure::from_io("getsockname", &error))
}

/// An echo socket and its identifier as a port, or why there is none.
fn told(opened: io::Result<Socket>, local: SocketAddr) -> Result<(Socket, SocketAddr), Failure> {
    let socket = opened.map_err(|error| match denied(&error) {
        true => lacking("icmp", Right::Echo, "-u needs neither"),
        false => Failure::from_io(format_args!("bind icmp {}", local.ip()), &error),
    })?;
    let from = local_of(&socket)?;
    Ok((socket, from))
}

fn denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

fn no_route(peer: SocketAddr, error: &io::Error) -> Failure {
    failed(format_args!("route to {}", peer.ip()), peer.is_ipv6(), error)
}

/// Why `what` has failed; that a host has no address of the family is no fault of its own.
pub(super) fn failed(what: impl Display, v6: bool, error: &io::Error) -> Failure {
    let family = if v6 { "IPv6" } else { "IPv4" };
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => {
            Class::Unreachable.because(format_args!("{what}: this host has no address of {family} for that"))
        }
        _ => Failure::from_io(what, error),
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
