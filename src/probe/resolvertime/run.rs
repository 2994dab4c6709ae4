//! One run: who is asked, then every server in turn, then what their answers mean together.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::check::MOST_SERVERS;
use super::client::{Asking, Client, Stamping};
use super::judge;
use super::part::Part;
use super::report::{Report, Server};
use super::server::{Spec, Transport, of_resolv_conf};
use super::tally::{Found as Summed, Tally};
use super::turns::Turns;
use super::{RecordType, ResolverTime};
use crate::failure::{Class, Failure};
use crate::probe::{Ctx, Event, Found, Target};
use crate::stats::Sketch;
use crate::sys::clock;
use crate::wire::dns::{Kind, Message, Question};

/// Name servers of resolv.conf(5) that are asked: more than any resolver uses.
const MOST_OWN: usize = 8;
/// The stub of systemd-resolved: whom it asks stands in a file of its own.
const STUB: &str = "127.0.0.53";

/// A server that can be asked.
struct Asked {
    spec: Arc<Spec>,
    peer: SocketAddr,
}

impl ResolverTime {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        let mut address = None;
        let result = self.find(ctx, &mut address).await;
        Found { address, result }
    }

    async fn find(&self, ctx: &Ctx, address: &mut Option<std::net::IpAddr>) -> Result<Report, Failure> {
        let question = self.question().map_err(|fault| fault.of_flag())?;
        let specs = self.specs().await?;
        let mut report = Report {
            name: question.name.to_string(),
            record: RecordType(question.kind),
            servers: Vec::new(),
            agreement: None,
            findings: Vec::new(),
            trace: None,
            load: None,
            rtt_sketch: Sketch::default(),
        };
        if self.load.is_some() {
            let spec = specs.first().ok_or_else(|| Class::Usage.because("--load needs a server"))?;
            let peer = ctx.peer(&Target::from(spec.host.as_str()), spec.port, &self.egress).await?;
            *address = Some(peer.ip());
            ctx.events.tell(Event::Started {
                address: peer.ip(),
                how: format!("load over {}", spec.transport.word()),
            });
            let (load, sketch) = self.bear(ctx, peer, spec).await?;
            report.findings =
                judge::of_session(&load.server, load.tls_session.as_ref()).into_iter().collect();
            (report.load, report.rtt_sketch) = (Some(load), sketch);
            return Ok(report);
        }
        let asking = Arc::new(Asking::new(self, &specs, ctx).await?);
        let _stamping = Stamping::begin();
        let (asked, mut unasked) = self.places(ctx, specs).await;
        *address = asked
            .first()
            .filter(|(_, only)| asked.len() == 1 && only.spec.transport != Transport::System)
            .map(|(_, asked)| asked.peer.ip());
        if asked.is_empty() && !self.trace {
            let none = || {
                Class::Config.because("find name servers: /etc/resolv.conf names none; name one by @SERVER")
            };
            return Err(unasked.pop().and_then(|(_, server)| server.failure).unwrap_or_else(none));
        }
        for (_, server) in &unasked {
            let failure = server.failure.iter();
            failure.for_each(|failure| ctx.events.tell(Event::unmeasured(&server.server, failure)));
        }
        if self.trace {
            report.trace = Some(self.trace(ctx, &question, &asking).await?);
        }
        self.introduce(ctx, &asked);
        // What the name's own servers say of its TTL proves what came from a cache.
        let authoritative = report.trace.as_ref().and_then(|trace| trace.ttl_s);
        let tallies = self.ask_all(ctx, &question, &asking, asked).await;
        let found: Vec<(usize, Summed)> =
            tallies.into_iter().map(|(place, tally)| (place, tally.finish(authoritative))).collect();
        let replies: Vec<&Message> = found.iter().filter_map(|(_, found)| found.last.as_ref()).collect();
        report.agreement = judge::agreement(&replies);
        let mut all: Vec<(usize, Server, Vec<f64>)> = Vec::new();
        for (place, summed) in found {
            report.rtt_sketch.merge(&summed.sketch);
            all.push((place, summed.server, summed.times));
        }
        all.extend(unasked.into_iter().map(|(place, server)| (place, server, Vec::new())));
        all.sort_by_key(|(place, ..)| *place);
        let (mut servers, times): (Vec<Server>, Vec<Vec<f64>>) =
            all.into_iter().map(|(_, server, times)| (server, times)).unzip();
        judge::rank(&mut servers, &times);
        report.findings =
            judge::findings(&servers, report.agreement, (clock::now().wall / 1_000_000_000) as i64);
        report.servers = servers;
        self.settle(ctx, report)
    }

    /// A run in which nothing was sent is no result.
    fn settle(&self, ctx: &Ctx, mut report: Report) -> Result<Report, Failure> {
        let sent: u64 = report.servers.iter().map(|server| server.counts.sent).sum();
        let traced = report.trace.as_ref().is_some_and(|trace| !trace.steps.is_empty());
        if sent > 0 || traced {
            return Ok(report);
        }
        let failure = report.servers.iter_mut().find_map(|server| server.failure.take());
        match failure {
            Some(failure) => Err(failure),
            None if ctx.cancel.is_cancelled() => {
                Err(Class::Cancelled.because("interrupted before anything was answered"))
            }
            None => Err(Class::Internal.because("nothing was sent")),
        }
    }

    /// Whom to ask: those that are named, those of the system, or both.
    async fn specs(&self) -> Result<Vec<Spec>, Failure> {
        let mut specs = self.servers().map_err(|fault| fault.of_flag())?;
        if self.system || specs.is_empty() && !self.trace {
            specs.extend(
                tokio::task::spawn_blocking({
                    let probe = self.clone();
                    move || probe.own()
                })
                .await
                .map_err(|_| Class::Internal.because("read /etc/resolv.conf: interrupted"))?,
            );
        }
        Ok(specs)
    }

    /// This host's own resolvers: getaddrinfo first, as programs find names, then each name server by itself.
    fn own(&self) -> Vec<Spec> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let mut names = of_resolv_conf(&read("/etc/resolv.conf"), MOST_OWN);
        if names.iter().any(|name| name == STUB) {
            for name in of_resolv_conf(&read("/run/systemd/resolve/resolv.conf"), MOST_OWN) {
                if names.len() < MOST_OWN && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let mut specs = Vec::new();
        // It finds addresses, and nothing else.
        let kind = self.question().map(|question| question.kind);
        if matches!(kind, Ok(Kind::A | Kind::AAAA)) {
            specs.push(Spec {
                text: "system".to_owned(),
                transport: Transport::System,
                host: "system".to_owned(),
                port: 0,
                path: String::new(),
                name: String::new(),
            });
        }
        specs.extend(names.iter().filter_map(|name| Spec::direct(name, self)));
        specs
    }

    /// Where the servers are; those that cannot be asked, with the reason.
    async fn places(&self, ctx: &Ctx, specs: Vec<Spec>) -> (Vec<(usize, Asked)>, Vec<(usize, Server)>) {
        let (mut asked, mut unasked) = (Vec::new(), Vec::new());
        for (place, spec) in specs.into_iter().take(MOST_SERVERS).enumerate() {
            let found = match spec.transport {
                Transport::System => Ok(SocketAddr::from(([0, 0, 0, 0], 0))),
                _ => ctx.peer(&Target::from(spec.host.as_str()), spec.port, &self.egress).await,
            };
            match found {
                Ok(peer) => asked.push((place, Asked { spec: Arc::new(spec), peer })),
                Err(failure) => {
                    let server =
                        Server { failure: Some(failure), ..Server::unasked(spec.text, spec.transport) };
                    unasked.push((place, server));
                }
            }
        }
        (asked, unasked)
    }

    fn introduce(&self, ctx: &Ctx, asked: &[(usize, Asked)]) {
        let Some((_, first)) = asked.first() else { return };
        let transport = first.spec.transport.word();
        let often = match self.count() {
            1 => "once".to_owned(),
            count => format!("{count} times every {}", self.interval),
        };
        let how = match asked.len() {
            1 => format!("{} {transport}, {often}", first.spec.text),
            many => format!("{many} servers in turn, {often}"),
        };
        if asked.len() > 1 {
            let longest = asked.iter().map(|(_, asked)| asked.spec.text.len()).max().unwrap_or(0);
            ctx.events.tell(Event::Several { count: asked.len(), longest });
        }
        // getaddrinfo does not say whom it asks.
        if let Some((_, direct)) = asked.iter().find(|(_, asked)| asked.spec.transport != Transport::System) {
            ctx.events.tell(Event::Started { address: direct.peer.ip(), how });
        }
    }

    /// Asks all servers, each in its turn.
    async fn ask_all(
        &self,
        ctx: &Ctx,
        question: &Question,
        asking: &Arc<Asking>,
        asked: Vec<(usize, Asked)>,
    ) -> Vec<(usize, Tally)> {
        let several = asked.len() > 1;
        let (count, start) = (asked.len() as u32, clock::now().mono);
        let mut all = JoinSet::new();
        for (turn, (place, asked)) in (0u32..).zip(asked) {
            let mut server = Server::unasked(asked.spec.text.clone(), asked.spec.transport);
            if asked.spec.transport != Transport::System {
                (server.address, server.port) = (Some(asked.peer.ip()), Some(asked.peer.port()));
            }
            let part = Part {
                probe: self.clone(),
                question: question.clone(),
                client: Client::new(asked.spec, asked.peer, Arc::clone(asking)),
                tally: Tally::new(server, asking.mixed),
                ctx: ctx.clone(),
                several,
                turns: Turns { start, interval: self.interval.0, place: turn, count },
                under_way: 0,
            };
            all.spawn(async move { (place, part.go().await) });
        }
        let mut found = Vec::new();
        while let Some(joined) = all.join_next().await {
            found.extend(joined.ok());
        }
        found.sort_by_key(|(place, _)| *place);
        found
    }
}
