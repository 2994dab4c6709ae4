//! One run of the datagram modes on real sockets: addresses, sockets, drive, report.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::engine::Engine;
use super::flood::FLOOD_RATE;
use super::format::{Dns, Echo, Format, Quic};
use super::hosts::Hosts;
use super::initial::Initials;
use super::plan::{Host, Plan, wait};
use super::tally::Circumstances;
use super::{LEAST_INTERVAL, Mode, Ping, PmtuDisc, Report};
use crate::failure::{Class, Failure};
use crate::net::drive::drive;
use crate::probe::own_thread::{on_own_thread, random};
use crate::probe::pace::{Pace, Schedule};
use crate::probe::rights::{Right, lacking};
use crate::probe::{Ctx, Event, Events, Found};
use crate::stats::Rng;
use crate::sys::datagram::{Kind, Setup, Socket};
use crate::sys::wait::Stop;
use crate::wire::dns::Name;

/// Room for what is longer than our own packet: an IP header with options, and what shows that a reply is not ours.
const SLACK: usize = 128;
/// Room for a QUIC server's answer, which may be as large as it likes.
const SLOT: usize = 2048;
/// Packets in flight that one socket can tell apart.
const NUMBERS: u128 = 1 << 16;
/// Silent servers that are sent a real Initial: each costs a key exchange.
const MOST_GREETED: usize = 1024;
/// Sockets of one family: the driver takes 63 in all.
const MOST_SOCKETS: u128 = 31;

impl Ping {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        if let Err(failure) = self.egress.check_here() {
            return Found::nothing(failure);
        }
        let hosts = match self.hosts(ctx).await {
            Ok(hosts) => hosts,
            Err(failure) => return Found::nothing(failure),
        };
        let address = match hosts.hosts.as_slice() {
            [host] if hosts.unmeasured.is_empty() => Some(host.address.ip()),
            _ => None,
        };
        if let Some(address) = address {
            ctx.events.tell(Event::Started { address, how: self.how() });
        }
        let events = match hosts.hosts.as_slice() {
            // The others cannot be measured: packets still tell whose they are.
            [host] if !hosts.unmeasured.is_empty() => ctx.events.clone().of_target(&host.name),
            _ => ctx.events.clone(),
        };
        let ctx = &Ctx { events, ..ctx.clone() };
        if hosts.hosts.len() > 1 {
            let longest = hosts.hosts.iter().map(|host| host.name.chars().count()).max().unwrap_or(0);
            ctx.events.tell(Event::Several { count: hosts.hosts.len(), longest });
        }
        let result = match self.mode().connects() {
            true => self.connect(ctx, hosts).await,
            false => self.send(ctx, hosts).await,
        };
        Found { address, result }
    }

    /// The way of measuring, in a few words.
    fn how(&self) -> String {
        let every = crate::units::Span(self.intervals(1).1);
        match self.mode() {
            Mode::Icmp => format!("icmp, {} octets every {every}", self.size),
            Mode::Http => format!("http, every {every}"),
            mode => format!("{}, port {}, every {every}", mode.name(), self.port.unwrap_or(mode.port())),
        }
    }

    async fn send(&self, ctx: &Ctx, hosts: Hosts) -> Result<Report, Failure> {
        let secret = random()?;
        let Hosts { hosts, unmeasured } = hosts;
        let (interval, each) = self.intervals(hosts.len());
        let mut sockets = Vec::new();
        let mut ids = Vec::new();
        let mut draw = Rng::new(secret);
        // In a burst packets wait for each other in this host: the moment of sending says little, and is costly.
        let in_burst = hosts.len() > 1 && interval.is_zero();
        let ranges = [false, true].map(|is_ipv6| {
            let from = sockets.len();
            let wanted = hosts.iter().filter(|host| host.address.is_ipv6() == is_ipv6).count();
            let count = if wanted == 0 { 0 } else { self.sockets(wanted) };
            let opened = (0..count).try_for_each(|_| {
                let (socket, id) = self.socket(is_ipv6, draw.bits() as u16, in_burst)?;
                sockets.push(socket);
                ids.push(id);
                Ok(())
            });
            opened.map(|()| from..sockets.len())
        });
        let [v4, v6] = ranges;
        let asked = if self.mode() == Mode::Quic { hosts.clone() } else { Vec::new() };
        let (packets, payload) = (self.packets().saturating_mul(hosts.len() as u64), self.payload());
        let plan = self.plan(hosts, [v4?, v6?], ids, packets, (interval, each));
        let mut engine = self.engine_of(plan, draw.bits(), ctx.events.clone())?;
        let slot = engine.length() + SLACK;
        let pace = if self.flood || self.adaptive { FLOOD_RATE.min(interval) } else { interval };
        let run = move |stop: &Stop| {
            let sockets: Vec<&Socket> = sockets.iter().collect();
            drive(&mut engine, &sockets, stop, slot, pace).map(|()| engine)
        };
        let engine = on_own_thread("ping", ctx, run).await??;
        let mut report = engine.finish(Circumstances {
            mode: self.mode(),
            payload,
            interval: each,
            skipped: 0,
            versions: None,
            unmeasured,
        })?;
        let silent: Vec<Host> = report.silent(asked).collect();
        if !silent.is_empty() && !ctx.cancel.is_cancelled() {
            let most = silent.len().min(MOST_GREETED);
            match self.greet(ctx, &silent[..most]).await {
                Ok(answered) => report.take_initials(&answered),
                // What was found stands.
                Err(failure) => ctx.events.tell(Event::Note {
                    text: format!("no real Initial was sent to who is silent: {}", failure.detail),
                }),
            }
        }
        Ok(report)
    }

    /// Sends each of `silent` one real Initial: who answers, and after which time.
    async fn greet(&self, ctx: &Ctx, silent: &[Host]) -> Result<HashMap<IpAddr, Duration>, Failure> {
        let families = [false, true].map(|v6| silent.iter().any(|host| host.address.is_ipv6() == v6));
        let mut sockets = Vec::new();
        for is_ipv6 in [false, true].into_iter().zip(families).filter_map(|(v6, any)| any.then_some(v6)) {
            sockets.push(self.socket(is_ipv6, 0, false)?.0);
        }
        let places = [0, sockets.len() - 1];
        let mut draw = Rng::new(random()?);
        let mut engine = Initials::new(silent, self.name.as_deref(), places, self.wait(), &mut draw)?;
        let run = move |stop: &Stop| {
            let sockets: Vec<&Socket> = sockets.iter().collect();
            drive(&mut engine, &sockets, stop, SLOT, Duration::from_millis(1)).map(|()| engine)
        };
        Ok(on_own_thread("ping", ctx, run).await??.finish().collect())
    }

    /// Octets of payload, where they are asked for.
    fn payload(&self) -> Option<u16> {
        (self.mode() == Mode::Icmp).then_some(self.size)
    }

    fn plan(
        &self,
        hosts: Vec<Host>,
        sockets: [std::ops::Range<usize>; 2],
        ids: Vec<u16>,
        count: u64,
        (interval, each): (Duration, Duration),
    ) -> Plan {
        let many = hosts.len() > 1;
        let pace = Pace {
            count,
            interval,
            burst: 1,
            schedule: Schedule::Fixed,
            seed: 0,
            deadline: self.deadline.map(|deadline| deadline.0),
            // Whoever is skipped would not be measured at all.
            catch_up: self.catch_up || many,
            preload: self.preload,
            follows: self.follows(),
        };
        Plan {
            pace,
            period: each,
            growth: self.growth(),
            timeout: self.wait(),
            deadline: self.deadline.map(|deadline| deadline.0),
            until_answered: self.until_answered(),
            flood: self.flood,
            outstanding: self.outstanding,
            broadcast: self.broadcast,
            hosts,
            sockets,
            ids,
            stamped: !(many && interval.is_zero()),
        }
    }

    fn engine_of(&self, plan: Plan, secret: u64, events: Events) -> Result<Engine, Failure> {
        let format = match self.mode() {
            Mode::Quic => Format::Quic(Quic::new(secret)),
            Mode::Dns => {
                let name = self.name.as_deref().unwrap_or(".");
                let wrong =
                    || Class::Usage.because(format_args!("--name {name}: that cannot be a host's name"));
                Format::Dns(Dns::new(Name::parse(name).ok_or_else(wrong)?))
            }
            _ => Format::Echo(Echo::new(secret, self.size.into(), &self.pattern().unwrap_or_default())),
        };
        Ok(Engine::new(plan, format, events))
    }

    /// The engine of one run to `addresses`, over a socket of each family: pure, so that a simulator can run it.
    ///
    /// # Errors
    /// Where it is asked for what cannot be sent.
    pub fn engine(&self, addresses: &[SocketAddr], secret: u64, events: Events) -> Result<Engine, Failure> {
        let host = |address: &SocketAddr| Host { name: address.ip().to_string().into(), address: *address };
        let hosts: Vec<Host> = addresses.iter().map(host).collect();
        let count = self.packets().saturating_mul(hosts.len() as u64);
        let intervals = self.intervals(hosts.len());
        let plan = self.plan(hosts, [0..1, 1..2], vec![1, 2], count, intervals);
        self.engine_of(plan, secret, events)
    }

    /// What an engine has found that a simulator ran.
    ///
    /// # Errors
    /// Why nothing could be measured.
    pub fn finish(&self, engine: Engine) -> Result<Report, Failure> {
        let circumstances = Circumstances {
            mode: self.mode(),
            payload: self.payload(),
            interval: self.intervals(1).1,
            skipped: 0,
            versions: None,
            unmeasured: Vec::new(),
        };
        engine.finish(circumstances)
    }

    /// How soon the next packet may follow a reply; `None` where it keeps to the plan.
    pub(super) fn follows(&self) -> Option<Duration> {
        let least = if self.is_free() { Duration::ZERO } else { LEAST_INTERVAL };
        self.adaptive.then_some(least)
    }

    /// Sockets that tell apart all packets that can be in flight to `hosts` hosts.
    fn sockets(&self, hosts: usize) -> u128 {
        let (interval, each) = self.intervals(hosts);
        let longest = wait(self.wait(), self.growth(), self.packets() - 1);
        let (hosts, timeout) = (hosts as u128, longest.as_nanos());
        let rounds = timeout / each.as_nanos().max(1) + 1;
        let by_rounds = rounds.min(self.packets().into()).saturating_mul(hosts);
        let by_interval = timeout.checked_div(interval.as_nanos()).map_or(u128::MAX, |sent| sent + 1);
        by_rounds
            .min(by_interval)
            .div_ceil(NUMBERS)
            .clamp(1, if self.identifier.is_some() { 1 } else { MOST_SOCKETS })
    }

    /// A socket, and the identifier of its echo messages; `id` is one to take where we may choose.
    fn socket(&self, is_ipv6: bool, id: u16, in_burst: bool) -> Result<(Socket, u16), Failure> {
        let id = self.identifier.unwrap_or(id);
        // The port of an echo socket is the identifier of its messages.
        let mut local = self.egress.way().local(is_ipv6);
        local.set_port(self.identifier.unwrap_or(0));
        let setup = |kind| Setup { unstamped: in_burst, ..self.setup(kind) };
        if self.mode() != Mode::Icmp {
            let through = self.egress.device().map_or_else(String::new, |name| format!(" through {name}"));
            let failure = |error| Failure::from_io(format_args!("bind udp {local}{through}"), &error);
            return Ok((Socket::bind(local, &setup(Kind::Udp)).map_err(failure)?, 0));
        }
        Socket::echo(local, setup(Kind::Echo), id).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse if self.identifier.is_some() => Class::Usage
                .because(format_args!("--identifier {id}: another program of this host pings by it")),
            _ => refused(local, &error),
        })
    }

    fn setup(&self, kind: Kind) -> Setup {
        Setup {
            kind,
            interface: self.egress.device().map(str::to_owned),
            ttl: self.egress.ttl,
            tos: self.tos(),
            fragments: self.pmtudisc.map(PmtuDisc::fragments),
            broadcast: self.broadcast,
            client: true,
            ..Setup::default()
        }
    }
}

/// Why there is no socket for echo messages.
fn refused(local: SocketAddr, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return lacking("ping", Right::Echo, "--mode tcp needs neither");
    }
    Failure::from_io(format_args!("bind icmp {}", local.ip()), error)
}
