//! One run on real sockets: resolve, open, drive with one method after another, report.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::carrier::{Carrier, Closed, Echo};
use super::engine::{Engine, Lane, Plan, Scout};
use super::search::Verdict;
use super::summary::{Local, summarise};
use super::syn::Syn;
use super::tcp::{segments, with_port};
use super::{CarriedBy, Method, Mtu, Report};
use tokio_util::sync::CancellationToken;

use crate::failure::{Class, Failure};
use crate::net::drive::drive;
use crate::probe::own_thread::{on_own_thread, random};
use crate::probe::session::{Session, params};
use crate::probe::udpping::read_key;
use crate::probe::{Ctx, Event, Events, Found};
use crate::stats::Rng;
use crate::sys::datagram::{Fragments, Kind, Setup, Socket};
use crate::sys::link;
use crate::sys::wait::Stop;

/// How long a TCP port may take to answer once all else is known.
const TCP_GRACE: Duration = Duration::from_millis(100);
/// Where a reflector listens.
const REFLECTOR: u16 = 2000;
/// Room for the largest packet and what comes with it.
const SLOT: usize = 10_240;
/// Above the ports that Linux gives out (`net.ipv4.ip_local_port_range`).
const OWN_PORTS: u16 = 61_000;
/// The protocol number of TCP.
const TCP: u8 = 6;

/// All that the thread of a run needs.
struct Run {
    asked: Mtu,
    peer: SocketAddr,
    psk: Option<Vec<u8>>,
    local: Local,
    draw: Rng,
    events: Events,
    notes: Vec<String>,
}

/// What one method found.
pub(super) struct Leg {
    pub(super) by: CarriedBy,
    pub(super) engine: Engine,
}

impl Mtu {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        if let Err(failure) = self.egress.check_here() {
            return Found::nothing(failure);
        }
        let admits = |address: &IpAddr| self.egress.admits(address);
        let found = ctx.resolver.first(self.target.as_str(), 0, admits).await;
        let checked = found.and_then(|peer| ctx.policy.check(peer.ip()).map(|()| peer));
        match checked {
            Err(failure) => Found::nothing(failure),
            Ok(peer) => Found { address: Some(peer.ip()), result: self.measure_peer(ctx, peer).await },
        }
    }

    async fn measure_peer(&self, ctx: &Ctx, peer: SocketAddr) -> Result<Report, Failure> {
        let psk = self.key_file.as_deref().map(read_key).transpose()?;
        let local = self.look_here(peer)?;
        let how = format!("{} to {} octets", self.least(), self.most(local.mtu));
        ctx.events.tell(Event::Started { address: peer.ip(), how });
        let (asked, draw, events) = (self.clone(), Rng::new(random()?), ctx.events.clone());
        let run = Run { asked, peer, psk, local: local.clone(), draw, events, notes: Vec::new() };
        let legs = on_own_thread("mtu", ctx, move |stop: &Stop| run.legs(stop));
        let done = CancellationToken::new();
        let measured = async {
            let legs = legs.await;
            done.cancel();
            legs
        };
        let late = async {
            done.cancelled().await;
            tokio::time::sleep(TCP_GRACE).await;
        };
        let tcp = async {
            if self.no_tcp {
                return None;
            }
            tokio::select! {
                found = segments(self, peer) => found,
                () = late => None,
            }
        };
        let (legs, tcp) = tokio::join!(measured, tcp);
        let (legs, notes) = legs??;
        summarise(peer, &local, legs, tcp, notes)
    }

    /// What this host itself says about the way.
    fn look_here(&self, peer: SocketAddr) -> Result<Local, Failure> {
        let socket = self.socket(with_port(peer, REFLECTOR), Kind::Udp, true)?;
        let address = socket.local().ok().map(|local| local.ip());
        let interface = self.egress.device().map(str::to_owned).or_else(|| link::with_address(address?));
        let octets = |mtu: u32| u16::try_from(mtu).unwrap_or(u16::MAX);
        let mtu = interface.as_deref().and_then(|name| link::mtu(name).ok()).map(octets);
        Ok(Local { address, interface, mtu, route: socket.known_mtu().map(octets) })
    }

    fn socket(&self, peer: SocketAddr, kind: Kind, connect: bool) -> Result<Socket, Failure> {
        let what = match kind {
            Kind::Udp => "udp",
            Kind::Echo | Kind::RawEcho(_) => "icmp",
            Kind::Raw(_) => "tcp",
        };
        let socket =
            self.open(peer, kind).map_err(|error| Failure::from_io(format_args!("open {what}"), &error))?;
        if connect {
            let failure = |error| Failure::from_io(format_args!("connect {what} {peer}"), &error);
            socket.connect(peer).map_err(failure)?;
        }
        Ok(socket)
    }

    fn open(&self, peer: SocketAddr, kind: Kind) -> io::Result<Socket> {
        let any = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let setup = Setup {
            kind,
            interface: self.egress.device().map(str::to_owned),
            ttl: self.egress.ttl,
            tos: self.egress.tos(),
            fragments: Some(Fragments::Probe),
            client: true,
            ..Setup::default()
        };
        Socket::bind(SocketAddr::new(self.egress.source().unwrap_or(any), 0), &setup)
    }
}

impl Run {
    /// Drives one method after another until one is answered.
    fn legs(mut self, stop: &Stop) -> Result<(Vec<Leg>, Vec<String>), Failure> {
        let mut legs = Vec::new();
        let method = self.asked.method;
        let auto = method == Method::Auto;
        let mut reflector = (method == Method::Reflector).then(|| self.session());
        let mut reflector_socket = None;
        if auto || method == Method::Icmp {
            match self.icmp(stop, auto) {
                Ok((engine, socket)) => {
                    let mut leg = Leg { by: CarriedBy::Icmp, engine };
                    let scout = leg.engine.scout.take().filter(|scout| scout.session.open.is_some());
                    reflector = scout.map(|scout| scout.session);
                    reflector_socket = socket;
                    legs.push(leg);
                }
                Err(failure) if auto && failure.class == Class::Permission => self.notes.push(failure.detail),
                Err(failure) => return Err(failure),
            }
        }
        if let Some(session) = reflector {
            let known = legs.last().and_then(|leg| found(&leg.engine));
            // Where the way back has been told apart already, there is nothing more to learn.
            let is_over =
                legs.last().is_some_and(|leg| leg.engine.is_cut || leg.engine.crossed == Some(true));
            if !is_over {
                legs.push(Leg {
                    by: CarriedBy::Reflector,
                    engine: self.reflect(session, reflector_socket, known, stop)?,
                });
            }
        }
        let silent = |legs: &[Leg]| legs.iter().all(|leg| found(&leg.engine).is_none() && !leg.engine.is_cut);
        if method == Method::Udp || auto && silent(&legs) && !stop.is_set() {
            legs.push(Leg { by: CarriedBy::Udp, engine: self.udp(stop)? });
        }
        if method == Method::Tcp || auto && silent(&legs) && !stop.is_set() {
            match self.tcp(stop) {
                Ok(engine) => legs.push(Leg { by: CarriedBy::Tcp, engine }),
                Err(failure) if auto => self.notes.push(failure.detail),
                Err(failure) => return Err(failure),
            }
        }
        Ok((legs, self.notes))
    }

    fn plan(&self, carrier: &Carrier, known: Option<u16>) -> Plan {
        let (asked, v6) = (&self.asked, self.peer.is_ipv6());
        let most = asked.most(self.local.mtu).min(known.unwrap_or(u16::MAX));
        let least = asked.least().max(carrier.least(v6)).min(most);
        Plan {
            v6,
            least,
            most,
            local: self.local.mtu,
            known,
            timeout: asked.timeout.0,
            deadline: asked.deadline.0,
            trace: asked.hops,
        }
    }

    fn session(&mut self) -> Session {
        let most = self.asked.most(self.local.mtu);
        let size = usize::from(most.saturating_sub(if self.peer.is_ipv6() { 48 } else { 28 }));
        let asked = params(
            Duration::from_millis(1),
            1,
            self.asked.deadline.0,
            size,
            self.asked.egress.dscp.unwrap_or(0),
        );
        Session::new(self.psk.clone(), asked, self.draw.bits())
    }

    /// ICMP echo, a port where nobody listens, and (`scouts`) a question to a reflector that may be there.
    fn icmp(&mut self, stop: &Stop, scouts: bool) -> Result<(Engine, Option<Socket>), Failure> {
        let v6 = self.peer.is_ipv6();
        let echo_peer = with_port(self.peer, 0);
        let id = self.draw.bits() as u16;
        let (echo, id) = match self.asked.open(self.peer, Kind::Echo) {
            Ok(socket) => (socket, 0),
            Err(_) => {
                let raw = self.asked.open(self.peer, Kind::RawEcho(id)).map_err(|error| no_echo(&error))?;
                (raw, id)
            }
        };
        echo.connect(echo_peer)
            .map_err(|error| Failure::from_io(format_args!("connect icmp {}", self.peer.ip()), &error))?;
        let closed = self.asked.socket(self.peer, Kind::Udp, false)?;
        let (secret, first) = (self.draw.bits(), self.draw.bits() as u16);
        let carrier = Carrier::Echo(Echo::new(v6, id, secret, first));
        let plan = self.plan(&carrier, None);
        let lanes = vec![
            Lane { carrier, socket: 0 },
            Lane { carrier: Carrier::Closed(Closed::new(self.peer, self.draw.bits())), socket: 1 },
        ];
        let reflector = match scouts {
            true => Some(self.asked.socket(
                with_port(self.peer, self.asked.port.unwrap_or(REFLECTOR)),
                Kind::Udp,
                true,
            )?),
            false => None,
        };
        let scout = scouts.then(|| Scout { session: self.session(), socket: 2, is_hopeful: true });
        let mut engine = Engine::new(plan, lanes, scout, self.events.clone());
        let mut sockets = vec![&echo, &closed];
        sockets.extend(&reflector);
        drive(&mut engine, &sockets, stop, SLOT, PACED)?;
        Ok((engine, reflector))
    }

    /// A reflector; `known` is what passes on the way there.
    fn reflect(
        &mut self,
        session: Session,
        socket: Option<Socket>,
        known: Option<u16>,
        stop: &Stop,
    ) -> Result<Engine, Failure> {
        let port = self.asked.port.unwrap_or(REFLECTOR);
        let socket = match socket {
            Some(socket) => socket,
            None => self.asked.socket(with_port(self.peer, port), Kind::Udp, true)?,
        };
        let carrier = Carrier::Session(Box::new(session));
        let plan = self.plan(&carrier, known);
        let mut engine = Engine::new(plan, vec![Lane { carrier, socket: 0 }], None, self.events.clone());
        drive(&mut engine, &[&socket], stop, SLOT, PACED)?;
        Ok(engine)
    }

    fn udp(&mut self, stop: &Stop) -> Result<Engine, Failure> {
        let socket = self.asked.socket(self.peer, Kind::Udp, false)?;
        let carrier = Carrier::Closed(Closed::new(self.peer, self.draw.bits()));
        let plan = self.plan(&carrier, None);
        let mut engine = Engine::new(plan, vec![Lane { carrier, socket: 0 }], None, self.events.clone());
        drive(&mut engine, &[&socket], stop, SLOT, PACED)?;
        Ok(engine)
    }

    fn tcp(&mut self, stop: &Stop) -> Result<Engine, Failure> {
        let socket = self.asked.open(self.peer, Kind::Raw(TCP)).map_err(|error| no_raw(&error))?;
        socket.connect(with_port(self.peer, 0)).map_err(|error| Failure::from_io("connect tcp", &error))?;
        let from = OWN_PORTS + self.draw.bits() as u16 % (u16::MAX - OWN_PORTS);
        let Some(local) = self.local.address.map(|local| SocketAddr::new(local, from)) else {
            return Err(Class::Internal.because("this host does not say from which address it sends"));
        };
        let target = with_port(self.peer, self.asked.port.unwrap_or(443));
        let carrier = Carrier::Syn(Syn::new(local, target, self.draw.bits() as u32));
        let plan = self.plan(&carrier, None);
        let mut engine = Engine::new(plan, vec![Lane { carrier, socket: 0 }], None, self.events.clone());
        drive(&mut engine, &[&socket], stop, SLOT, PACED)?;
        Ok(engine)
    }
}

/// Bursts are paced by the millisecond.
const PACED: Duration = Duration::from_millis(1);

/// What passes, if anything was answered.
fn found(engine: &Engine) -> Option<u16> {
    match engine.search.verdict() {
        Some(Verdict::Found(low, _)) => {
            Some(engine.forward.as_ref().and_then(|search| search.low()).unwrap_or(low))
        }
        _ => None,
    }
}

fn no_echo(error: &io::Error) -> Failure {
    let why = crate::failure::reason(error);
    Class::Permission.because(format_args!(
        "icmp echo: {why}: set net.ipv4.ping_group_range to include this group, or give CAP_NET_RAW"
    ))
}

fn no_raw(error: &io::Error) -> Failure {
    let why = crate::failure::reason(error);
    Class::Permission.because(format_args!("tcp syn: {why}: give CAP_NET_RAW"))
}
