//! One run on real sockets: resolve, open, drive with one method after another, report.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::carrier::{Carrier, Closed, Echo};
use super::engine::{Engine, Lane, Plan, Scout};
use super::search::{Search, Verdict};
use super::summary::{Local, summarise};
use super::syn::Syn;
use super::tcp::{segments, with_port};
use super::{CarriedBy, Method, Mtu, Report};
use tokio_util::sync::CancellationToken;

use crate::failure::{Class, Failure};
use crate::net::Names;
use crate::net::drive::drive;
use crate::probe::key::key_in;
use crate::probe::own_thread::{on_own_thread, random};
use crate::probe::rights::{Right, lacking};
use crate::probe::session::{Session, params};
use crate::probe::{Ctx, Event, Events, Found};
use crate::stats::Rng;
use crate::sys::datagram::{Fragments, Kind, Setup, Socket};
use crate::sys::port::Port;
use crate::sys::wait::Stop;
use crate::sys::{clock, link};
use crate::wire::tcp::PROTOCOL;

/// How long a TCP port may take to answer once all else is known.
const TCP_GRACE: Duration = Duration::from_millis(100);
/// Where a reflector listens.
const REFLECTOR: u16 = 2000;
/// Room for the largest packet and what comes with it.
const SLOT: usize = 10_240;
/// The port that SYNs go to where none is asked for: a host answers whether somebody listens or not.
const HTTPS: u16 = 443;

/// All that the thread of a run needs.
struct Run {
    asked: Mtu,
    peer: SocketAddr,
    psk: Option<Vec<u8>>,
    local: Local,
    draw: Rng,
    start: Instant,
    events: Events,
    notes: Vec<String>,
}

/// What one method found.
pub(super) struct Leg {
    pub(super) by: CarriedBy,
    pub(super) engine: Engine,
    /// What it sent might be cut on its way: it tells of the way back only.
    pub(super) in_pieces: bool,
}

impl Leg {
    pub(super) const fn new(by: CarriedBy, engine: Engine) -> Self {
        Self { by, engine, in_pieces: false }
    }
}

impl Mtu {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        match ctx.peer(&self.target, 0, &self.egress).await {
            Err(failure) => Found::nothing(failure),
            Ok(peer) => Found { address: Some(peer.ip()), result: self.measure_peer(ctx, peer).await },
        }
    }

    async fn measure_peer(&self, ctx: &Ctx, peer: SocketAddr) -> Result<Report, Failure> {
        let psk = key_in(ctx, self.key_file.as_deref()).await?;
        let local = self.look_here(peer)?;
        let how = format!("which packets of {} to {} bytes pass", self.least(), self.most(local.mtu).0);
        ctx.events.tell(Event::Started { address: peer.ip(), how });
        let (asked, draw, events) = (self.clone(), Rng::new(random()?), ctx.events.clone());
        let start = clock::now().mono;
        let run = Run { asked, peer, psk, local: local.clone(), draw, start, events, notes: Vec::new() };
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
        let mut report = summarise(peer, &local, legs, tcp, notes)?;
        if !self.numeric {
            let mut names = Names::new(ctx.resolver.clone());
            report.addresses().for_each(|address| names.ask(address));
            report.take_names(&names.finish().await);
        }
        Ok(report)
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
            Kind::Raw(_) | Kind::Whole(_) => "tcp",
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
        let (local, setup) = self.way(peer, kind);
        Socket::bind(local, &setup)
    }

    /// Where a socket to `peer` is bound, and how it is made.
    fn way(&self, peer: SocketAddr, kind: Kind) -> (SocketAddr, Setup) {
        let setup = Setup {
            kind,
            interface: self.egress.device().map(str::to_owned),
            ttl: self.egress.ttl,
            tos: self.egress.tos(),
            fragments: Some(Fragments::Probe),
            client: true,
            ..Setup::default()
        };
        (self.egress.local(peer), setup)
    }
}

impl Run {
    /// Drives one method after another until one is answered.
    fn legs(mut self, stop: &Stop) -> Result<(Vec<Leg>, Vec<String>), Failure> {
        let method = self.asked.method;
        let auto = method == Method::Auto;
        // A port where a reflector may listen is asked beside the first leg, as nothing else costs time.
        let mut scouting = if auto { Some(self.reflector()?) } else { None };
        let mut legs: Vec<Leg> = Vec::new();
        if auto || method == Method::Icmp {
            match self.icmp(stop, scouting.as_ref()) {
                Ok(engine) => legs.push(Leg::new(CarriedBy::Icmp, engine)),
                Err(failure) if auto && failure.class == Class::Permission => self.notes.push(failure.detail),
                Err(failure) => return Err(failure),
            }
        }
        if method == Method::Udp || auto && legs.is_empty() {
            let engine = self.udp(stop, scouting.as_ref())?;
            legs.push(Leg::new(CarriedBy::Udp, engine));
        }
        let reflector = match method {
            Method::Reflector => Some((self.session(), self.reflector()?)),
            _ => {
                legs.last_mut().and_then(|leg| leg.engine.scout.take()).and_then(opened).zip(scouting.take())
            }
        };
        // Where the way back has been told apart already, there is nothing more to learn.
        let is_over = legs.iter().any(|leg| leg.engine.is_cut || leg.engine.crossed == Some(true));
        if let Some((session, socket)) = reflector.filter(|_| !is_over) {
            let known = legs.last().and_then(|leg| arrives(&leg.engine));
            let carrier = Carrier::Session(Box::new(session));
            let mut engine = self.drive(vec![carrier], &[&socket], None, known, stop)?;
            if let Some(failure) = engine.failure.as_mut().filter(|_| method == Method::Reflector) {
                let port = self.asked.port.unwrap_or(REFLECTOR);
                failure.detail = format!(
                    "no waddleperf reflector on udp port {port}: {}: run `waddleperf serve` there, or choose another \
                     method, which needs none",
                    failure.detail
                );
            }
            legs.push(Leg::new(CarriedBy::Reflector, engine));
            if let Some(leg) = self.in_pieces(&legs, stop)? {
                legs.push(leg);
            }
        }
        let silent = |legs: &[Leg]| legs.iter().all(|leg| found(&leg.engine).is_none() && !leg.engine.is_cut);
        if auto && silent(&legs) && legs.iter().all(|leg| leg.by != CarriedBy::Udp) && !stop.is_set() {
            legs.push(Leg::new(CarriedBy::Udp, self.udp(stop, None)?));
        }
        if method == Method::Tcp || auto && silent(&legs) && !stop.is_set() {
            match self.tcp(stop) {
                Ok(engine) => legs.push(Leg::new(CarriedBy::Tcp, engine)),
                Err(failure) if auto => self.notes.push(failure.detail),
                Err(failure) => return Err(failure),
            }
        }
        Ok((legs, self.notes))
    }

    fn plan(&self, carrier: &Carrier, known: Option<u16>) -> Plan {
        let (asked, v6) = (&self.asked, self.peer.is_ipv6());
        let (most, bound) = asked.most(self.local.mtu);
        let most = most.min(known.unwrap_or(u16::MAX));
        let least = asked.least().max(carrier.least(v6)).min(most);
        Plan {
            v6,
            least,
            most,
            bound,
            local: self.local.mtu,
            known,
            learnt: self.local.route.filter(|&route| self.local.mtu.is_none_or(|mtu| route < mtu)),
            timeout: asked.timeout.0,
            deadline: asked
                .deadline
                .0
                .saturating_sub(clock::now().mono.saturating_duration_since(self.start)),
            trace: asked.hops,
        }
    }

    fn session(&mut self) -> Session {
        let (most, _) = self.asked.most(self.local.mtu);
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

    /// Asks a reflector for answers that are longer than what passes on the way there in one piece: what is cut on that way
    /// arrives whole. `None` where the way back is the narrower one, or nothing larger is to be tried.
    fn in_pieces(&mut self, legs: &[Leg], stop: &Stop) -> Result<Option<Leg>, Failure> {
        let back = legs.last().and_then(|leg| leg.engine.reverse.as_ref()).and_then(Search::verdict);
        let is_bounded = matches!(back, Some(Verdict::Found(_, None)));
        let found = |leg: &Leg| matches!(leg.engine.search.verdict(), Some(Verdict::Found(_, Some(_))));
        if !is_bounded || !legs.iter().any(found) || stop.is_set() {
            return Ok(None);
        }
        let (most, _) = self.asked.most(self.local.mtu);
        let session = Carrier::Session(Box::new(self.session()));
        let peer = with_port(self.peer, self.asked.port.unwrap_or(REFLECTOR));
        let (local, setup) = self.asked.way(peer, Kind::Udp);
        let failure = |error| Failure::from_io(format_args!("connect udp {peer}"), &error);
        let socket =
            Socket::bind(local, &Setup { fragments: Some(Fragments::Allowed), ..setup }).map_err(failure)?;
        socket.connect(peer).map_err(failure)?;
        let text = "asking the reflector for longer answers, by packets that routers may cut".to_owned();
        self.events.tell(Event::Note { text });
        // What arrives in pieces does not pass, and is not told as if it did.
        let events = std::mem::replace(&mut self.events, Events::none());
        let engine = self.drive(vec![session], &[&socket], None, Some(most), stop);
        self.events = events;
        let mut engine = engine?;
        // It has answered before: what it says now only adds to that.
        engine.failure = None;
        Ok(Some(Leg { by: CarriedBy::Reflector, engine, in_pieces: true }))
    }

    /// A socket to where a reflector may listen.
    fn reflector(&self) -> Result<Socket, Failure> {
        let port = self.asked.port.unwrap_or(REFLECTOR);
        self.asked.socket(with_port(self.peer, port), Kind::Udp, true)
    }

    /// ICMP echo, and a port where nobody listens.
    fn icmp(&mut self, stop: &Stop, reflector: Option<&Socket>) -> Result<Engine, Failure> {
        let id = self.draw.bits() as u16;
        let (local, setup) = self.asked.way(self.peer, Kind::Echo);
        let (echo, id) = Socket::echo(local, setup, id).map_err(|error| no_echo(&error))?;
        let failure = |error| Failure::from_io(format_args!("connect icmp {}", self.peer.ip()), &error);
        echo.connect(with_port(self.peer, 0)).map_err(failure)?;
        let closed = self.asked.socket(self.peer, Kind::Udp, false)?;
        let (secret, first) = (self.draw.bits(), self.draw.bits() as u16);
        let echoes = Carrier::Echo(Echo::new(self.peer.is_ipv6(), id, secret, first));
        let closes = Carrier::Closed(Closed::new(self.peer, self.draw.bits()));
        self.drive(vec![echoes, closes], &[&echo, &closed], reflector, None, stop)
    }

    /// Ports where nobody listens.
    fn udp(&mut self, stop: &Stop, reflector: Option<&Socket>) -> Result<Engine, Failure> {
        let socket = self.asked.socket(self.peer, Kind::Udp, false)?;
        let carrier = Carrier::Closed(Closed::new(self.peer, self.draw.bits()));
        self.drive(vec![carrier], &[&socket], reflector, None, stop)
    }

    fn tcp(&mut self, stop: &Stop) -> Result<Engine, Failure> {
        let socket = self.asked.open(self.peer, Kind::Raw(PROTOCOL)).map_err(|error| no_raw(&error))?;
        socket.connect(with_port(self.peer, 0)).map_err(|error| Failure::from_io("connect tcp", &error))?;
        let target = with_port(self.peer, self.asked.port.unwrap_or(HTTPS));
        let (any, _) = self.asked.way(self.peer, Kind::Raw(PROTOCOL));
        let port = Port::keep(any, target, self.asked.egress.device())
            .map_err(|error| Failure::from_io("keep a tcp port", &error))?;
        let carrier = Carrier::Syn(Syn::new(port.local(), target, self.draw.bits() as u32));
        self.drive(vec![carrier], &[&socket], None, None, stop)
    }

    /// Drives one leg: a socket for each carrier, and one to where a `reflector` may listen. `known` is what passes on the
    /// way there.
    fn drive(
        &mut self,
        carriers: Vec<Carrier>,
        sockets: &[&Socket],
        reflector: Option<&Socket>,
        known: Option<u16>,
        stop: &Stop,
    ) -> Result<Engine, Failure> {
        let plan = self.plan(&carriers[0], known);
        let lanes = (0..).zip(carriers).map(|(socket, carrier)| Lane { carrier, socket }).collect();
        let socket = sockets.len();
        let scout = reflector.map(|_| Scout { session: self.session(), socket, is_hopeful: true });
        let mut engine = Engine::new(plan, lanes, scout, self.events.clone());
        let sockets: Vec<&Socket> = sockets.iter().copied().chain(reflector).collect();
        drive(&mut engine, &sockets, stop, SLOT, PACED)?;
        Ok(engine)
    }
}

/// The session of a reflector that was there.
fn opened(scout: Scout) -> Option<Session> {
    scout.session.open.is_some().then_some(scout.session)
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

/// What arrives there at most, as far as is known: where large packets vanish, and nothing tells on which way, any may.
fn arrives(engine: &Engine) -> Option<u16> {
    let vanishes = matches!(engine.search.verdict(), Some(Verdict::Found(_, Some(wall))) if !wall.is_refused);
    if vanishes && engine.crossed.is_none() { Some(engine.plan.most) } else { found(engine) }
}

fn no_echo(error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return Failure::from_io("open icmp", error);
    }
    lacking("icmp echo", Right::Echo, "--method udp needs neither")
}

fn no_raw(error: &io::Error) -> Failure {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return Failure::from_io("open tcp", error);
    }
    lacking("tcp syn", Right::Raw, "--method udp does not")
}
