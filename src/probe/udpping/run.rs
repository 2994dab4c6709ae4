//! One run on real sockets: resolve, connect, drive, report.

use std::net::SocketAddr;
use std::time::Duration;

use super::echo::{self, Echo};
use super::engine::{Engine, Format};
use super::plan::Plan;
use super::stamp::StampSender;
use super::{Protocol, Report, UdpPing};
use crate::failure::Failure;
use crate::net::drive::drive;
use crate::probe::key::key_in;
use crate::probe::own_thread::{on_own_thread, random};
use crate::probe::pace::Pace;
use crate::probe::session::{Session, params};
use crate::probe::{Ctx, Event, Events, Found};
use crate::stats::Rng;
use crate::sys::clock;
use crate::sys::datagram::{Setup, Socket};
use crate::sys::wait::Stop;
use crate::wire::stamp::{ErrorEstimate, KEYED, OPEN};
use crate::wire::wp1::ECHO_LEAST;

/// A reply may be longer than what we sent only if it is not ours; this much room shows it.
const SLACK: usize = 64;

impl UdpPing {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        match ctx.peer(&self.target, self.port(), &self.egress).await {
            Err(failure) => Found::nothing(failure),
            Ok(peer) => Found { address: Some(peer.ip()), result: self.measure_peer(ctx, peer).await },
        }
    }

    async fn measure_peer(&self, ctx: &Ctx, peer: SocketAddr) -> Result<Report, Failure> {
        let psk = key_in(ctx, self.key_file.as_deref()).await?;
        let socket = self.socket(peer)?;
        // Both ends are this host when the packets never leave it: then one clock serves both.
        let one_clock = socket.local().is_ok_and(|local| local.ip() == peer.ip()) || peer.ip().is_loopback();
        let clock = own_clock();
        let mut engine = self.engine(psk, clock, random()?, ctx.events.clone());
        engine.tell_delays(one_clock, clock, self.assume_synced);
        let (size, interval) = (self.payload(), self.interval.0);
        let how = format!("{:?}, {size} octets every {}", self.protocol, self.interval).to_lowercase();
        ctx.events.tell(Event::Started { address: peer.ip(), how });
        let slot = size + SLACK;
        let run = move |stop: &Stop| drive(&mut engine, &[&socket], stop, slot, interval).map(|()| engine);
        let engine = on_own_thread("udpping", ctx, run).await??;
        engine
            .finish(one_clock, clock, self.assume_synced)
            .map_err(|failure| Failure { detail: format!("udpping {peer}: {}", failure.detail), ..failure })
    }

    fn socket(&self, peer: SocketAddr) -> Result<Socket, Failure> {
        let local = self.egress.local(peer);
        let setup = Setup {
            interface: self.egress.device().map(str::to_owned),
            ttl: self.egress.ttl,
            tos: self.egress.tos(),
            client: true,
            ..Setup::default()
        };
        let through = self.egress.device().map_or_else(String::new, |name| format!(" through {name}"));
        let socket = Socket::bind(local, &setup)
            .map_err(|error| Failure::from_io(format_args!("bind udp {local}{through}"), &error))?;
        socket.connect(peer).map_err(|error| Failure::from_io(format_args!("connect udp {peer}"), &error))?;
        Ok(socket)
    }

    /// The engine of one run: pure, so that a simulator can run it too.
    ///
    /// `psk` is the key shared with the reflector, `secret` a random number that only we know.
    pub fn engine(&self, psk: Option<Vec<u8>>, clock: ErrorEstimate, secret: u64, events: Events) -> Engine {
        let mut draw = Rng::new(secret);
        let pace = Pace {
            count: self.count,
            interval: self.interval.0,
            burst: self.burst,
            schedule: self.schedule,
            seed: draw.bits(),
            deadline: self.deadline.map(|deadline| deadline.0),
            catch_up: self.catch_up,
            preload: 0,
            follows: None,
        };
        let plan = Plan { pace, timeout: self.timeout.0, size: self.payload() };
        let dscp = self.egress.dscp;
        let format = match self.protocol {
            Protocol::Wp1 => {
                let bursts =
                    u32::try_from(self.count.div_ceil(u64::from(self.burst.max(1)))).unwrap_or(u32::MAX);
                let Pace { interval, burst, deadline, .. } = plan.pace;
                let duration = deadline.unwrap_or_else(|| interval.saturating_mul(bursts));
                let asked = params(interval, burst, duration, plan.size, dscp.unwrap_or(0));
                Format::Wp1(Session::new(psk, asked, draw.bits()))
            }
            Protocol::Stamp | Protocol::Twamp => {
                let (ssid, twamp) = ((draw.bits() as u16).max(1), self.protocol == Protocol::Twamp);
                Format::Stamp(Box::new(StampSender::new(psk.as_deref(), ssid, clock, dscp, twamp)))
            }
            Protocol::Echo => Format::Echo(Echo::new(draw.bits())),
        };
        Engine::new(plan, format, events)
    }

    /// Octets of UDP payload: what was asked for, or the least that the format needs.
    fn payload(&self) -> usize {
        let least = match (self.protocol, &self.key_file) {
            (Protocol::Wp1, _) => ECHO_LEAST,
            (Protocol::Stamp, Some(_)) => KEYED.base,
            (Protocol::Stamp | Protocol::Twamp, _) => OPEN.base,
            (Protocol::Echo, _) => echo::HEAD,
        };
        usize::from(self.size).max(least)
    }
}

/// Our own clock's quality, as STAMP and WP1 state it.
fn own_clock() -> ErrorEstimate {
    clock::discipline().map_or_else(ErrorEstimate::default, |discipline| {
        let bound = Duration::from_micros(discipline.max_error_us);
        ErrorEstimate::new(discipline.synchronised, crate::units::nanos(bound))
    })
}
