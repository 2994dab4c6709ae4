//! One run: the way there, the conversation on a thread of its own, and the report of what both ends have told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Bandwidth;
use super::busy::Backoff;
use super::course::Lane;
use super::latency::Beside;
use super::login::Credentials;
use super::report::{Cpu, Datagrams, Flow, Moved, Part, Processor, Report, rate};
use super::search::find;
use super::talk::{self, Told, Untested};
use super::trace::{Total, Trace};
use crate::failure::{Class, Failure};
use crate::net::dial;
use crate::probe::own_thread::on_own_thread;
use crate::probe::{Ctx, Event, Found};
use crate::units::Span;
use crate::wire::iperf3::{Results, Stream as StreamResult};

/// Whom a test is with, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) peer: SocketAddr,
    /// Of who logs in.
    pub(super) credentials: Option<Arc<Credentials>>,
}

/// A test that was held.
pub(super) struct Held {
    pub(super) report: Report,
    /// The round trip before, of the control connection's first segment.
    pub(super) rtt: Option<Duration>,
}

impl Bandwidth {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        let credentials = match self.login.credentials(ctx).await {
            Ok(credentials) => credentials,
            Err(failure) => return Found::nothing(failure),
        };
        let peer = match ctx.peer(&self.target, self.port, &self.egress).await {
            Ok(peer) => peer,
            Err(failure) => return Found::nothing(failure),
        };
        if self.flowlabel.is_some() && peer.is_ipv4() {
            let why = format_args!("--flowlabel is for IPv6 alone: {peer} is not");
            return Found { address: Some(peer.ip()), result: Err(Class::Usage.because(why)) };
        }
        let server = Server { peer, credentials: credentials.map(Arc::new) };
        let result = if self.find_max { find(self, ctx, server).await } else { self.talk(ctx, server).await };
        Found { address: Some(peer.ip()), result }
    }

    /// One test, and what goes beside it.
    async fn talk(&self, ctx: &Ctx, server: Server) -> Result<Report, Failure> {
        let beside = Beside::of(self, server.peer);
        let idle = match &beside {
            Some(beside) => Some(beside.idle(ctx).await),
            None => None,
        };
        let over = ctx.cancel.child_token();
        let bulk = async {
            let held = self.hold_at_last(ctx, &server).await;
            over.cancel();
            held
        };
        let loaded = async {
            match &beside {
                Some(beside) => Some(beside.loaded(ctx, &over).await),
                None => None,
            }
        };
        let (held, loaded) = tokio::join!(bulk, loaded);
        let both = beside.zip(idle.zip(loaded));
        let latency = both.map(|(beside, (idle, loaded))| beside.latency(idle, loaded));
        held.map(|held| Report { latency, ..held.report })
    }

    /// A test, once the server has time for it, where that is to be waited for.
    async fn hold_at_last(&self, ctx: &Ctx, server: &Server) -> Result<Held, Failure> {
        let mut backoff = Backoff::new(self.retry_busy.map_or(Duration::ZERO, |span| span.0));
        let mut how = Some(self.how());
        loop {
            let untested = match self.hold(ctx, server, how.take()).await {
                Ok(held) => return Ok(held),
                Err(untested) => untested,
            };
            let wait = if untested.is_busy() { backoff.next() } else { None };
            let Some(wait) = wait else { return Err(untested.failure) };
            ctx.events.tell(Event::Note {
                text: format!("the server is busy; it is asked again in {}", Span(wait)),
            });
            tokio::select! {
                () = ctx.cancel.cancelled() => return Err(untested.failure),
                () = sleep(wait) => {}
            }
        }
    }

    /// One test, on a control connection of its own; `how` is told once the connection stands.
    pub(super) async fn hold(
        &self,
        ctx: &Ctx,
        server: &Server,
        how: Option<String>,
    ) -> Result<Held, Untested> {
        let peer = server.peer;
        let way = self.egress.way();
        let connecting = timeout(self.connect_timeout.0, dial::connect(peer, &way));
        let connection = tokio::select! {
            () = ctx.cancel.cancelled() => {
                return Err(Class::Cancelled.because("interrupted before the transfer").into());
            }
            connected = connecting => match connected {
                Ok(connected) => connected.map_err(|why| why.failure(peer))?,
                Err(_) => return Err(dial::Unmade::Silent.failure(peer).into()),
            },
        };
        if let Some(how) = how {
            ctx.events.tell(Event::Started { address: peer.ip(), how });
        }
        let rtt = connection.rtt;
        let stream =
            connection.stream.into_std().map_err(|error| Failure::from_io("take the connection", &error))?;
        let (asked, events) = (self.clone(), ctx.events.clone());
        let credentials = server.credentials.clone();
        let test = on_own_thread("bandwidth", ctx, move |stop| {
            talk::test(&asked, stream, peer, credentials.as_deref(), &events, stop)
        });
        Ok(Held { report: test.await??, rtt })
    }

    /// How it measures, in a few words.
    pub(super) fn how(&self) -> String {
        let protocol = if self.udp { "udp" } else { "tcp" };
        let ways = match self.ways() {
            (true, true) => "each way",
            (true, false) => "up",
            _ => "down",
        };
        let streams = if self.parallel == 1 { "stream" } else { "streams" };
        format!("{protocol}, {} {streams} {ways}, port {}", self.parallel, self.port)
    }
}

impl Told {
    /// What both ends have seen, put together.
    pub(super) fn report(self) -> Report {
        let processor = |cpu: crate::wire::iperf3::Cpu| Processor {
            total_ratio: cpu.total / 100.0,
            user_ratio: cpu.user / 100.0,
            system_ratio: cpu.system / 100.0,
        };
        let remote = self.results.as_ref().map(|results| results.cpu);
        Report {
            protocol: if self.asked.udp { "udp" } else { "tcp" }.to_owned(),
            streams: self.asked.parallel,
            length_bytes: self.trace.length,
            copied: self.asked.rx_copy,
            omitted: self.asked.omit.0,
            up: self.flow(true),
            down: self.flow(false),
            latency: None,
            search: None,
            cpu: Cpu { local: Some(processor(self.cpu())), remote: remote.map(processor) },
            server_output: self.results.as_ref().and_then(|results| results.output.clone()),
            ended: self.ended.clone(),
            trace: Some(Box::new(self.trace())),
        }
    }

    /// What the server says of a stream.
    fn theirs(&self, id: u32) -> Option<StreamResult> {
        self.results.as_ref()?.streams.iter().find(|stream| stream.id == id).copied()
    }

    /// How long the server says that a stream took; else this host's own time.
    fn their_span(&self, of: &StreamResult, sends: bool) -> Duration {
        of.elapsed.unwrap_or(self.spans[usize::from(!sends)])
    }

    /// Octets and time at both ends of a stream: sender's, receiver's.
    pub(super) fn ends(&self, at: usize) -> [Option<(u64, Duration)>; 2] {
        let lane = &self.course.lanes[at];
        let sends = lane.ends.sends;
        let ours = Some((lane.counted().octets, self.spans[usize::from(!sends)]));
        let theirs = self.theirs(lane.ends.id).map(|of| (of.bytes, self.their_span(&of, sends)));
        if sends { [ours, theirs] } else { [theirs, ours] }
    }

    fn flow(&self, sends: bool) -> Option<Flow> {
        let all = 0..self.course.lanes.len();
        let lanes: Vec<usize> = all.filter(|&at| self.course.lanes[at].ends.sends == sends).collect();
        if lanes.is_empty() {
            return None;
        }
        let moved = |end: usize| {
            let each: Option<Vec<(u64, Duration)>> = lanes.iter().map(|&at| self.ends(at)[end]).collect();
            let each = each?;
            let elapsed = each.iter().map(|(_, span)| *span).max()?;
            Some(Moved { bytes: each.iter().map(|(bytes, _)| bytes).sum(), elapsed })
        };
        let (sent, received) = (moved(0), moved(1));
        let is_tcp = !self.asked.udp;
        let retransmits = |at: usize| match sends {
            true => self.course.lanes[at].retransmits(),
            false => self.theirs(self.course.lanes[at].ends.id)?.retransmits.filter(|_| is_tcp),
        };
        let parts: Vec<Part> = lanes.iter().map(|&at| self.part(at, retransmits(at))).collect();
        let udp = self.asked.udp.then(|| self.datagrams(&lanes, sends));
        let mut flow = Flow {
            throughput_bps: received.and_then(|moved| moved.rate()),
            sent,
            received,
            bins: self.course.bins(sends),
            stalls: Some(self.course.stalls(sends)),
            retransmits: lanes.iter().map(|&at| retransmits(at)).sum(),
            congestion: match sends {
                true => self.congestion.clone(),
                false => {
                    self.results.as_ref().and_then(|results| results.congestion.clone()).filter(|_| is_tcp)
                }
            },
            tcp: self.course.round_trips().filter(|_| sends),
            udp,
            limit: None,
            parts,
            intervals: self.course.intervals[usize::from(!sends)].clone(),
        };
        flow.limit = self.limit(&lanes, sends, &flow);
        Some(flow)
    }

    fn part(&self, at: usize, retransmits: Option<u64>) -> Part {
        let id = self.course.lanes[at].ends.id;
        let [sent, received] = self.ends(at);
        let udp = self.asked.udp.then(|| self.datagrams(&[at], self.course.lanes[at].ends.sends));
        Part {
            id,
            sent_bytes: sent.map(|(bytes, _)| bytes),
            received_bytes: received.map(|(bytes, _)| bytes),
            throughput_bps: received.and_then(|(bytes, span)| rate(bytes, span)),
            retransmits,
            seen: udp.and_then(|udp| udp.seen),
            lost: udp.and_then(|udp| udp.lost),
            loss_ratio: udp.and_then(|udp| udp.loss_ratio),
            jitter: udp.and_then(|udp| udp.jitter),
        }
    }

    /// Datagrams of some streams of a direction.
    fn datagrams(&self, lanes: &[usize], sends: bool) -> Datagrams {
        let lanes = || lanes.iter().map(|&at| &self.course.lanes[at]);
        let theirs: Option<Vec<StreamResult>> = lanes().map(|lane| self.theirs(lane.ends.id)).collect();
        let count = lanes().count().max(1) as u32;
        let ours = || lanes().map(|lane| (lane.counted(), lane.end.highest - lane.omitted().highest));
        // An old server does not say what it omitted: then nothing is.
        let with_omitted = theirs.as_ref().is_some_and(|all| all.iter().any(|of| of.omitted.is_none()))
            && lanes().any(|lane| lane.omitted().units > 0);
        let told = |of: fn(&StreamResult) -> u64| theirs.as_ref().map(|all| all.iter().map(of).sum::<u64>());
        let (sent, seen, lost, jitter) = match sends {
            true => {
                let all =
                    theirs.as_ref().and_then(|all| all.iter().map(|of| of.jitter).sum::<Option<Duration>>());
                let jitter = all.map(|all| all / count);
                let units = |lane: &Lane| if with_omitted { lane.end.units } else { lane.counted().units };
                (
                    Some(lanes().map(units).sum()),
                    told(StreamResult::counted),
                    told(StreamResult::lost),
                    jitter,
                )
            }
            false => {
                let lost = ours().map(|(of, _)| u64::try_from(of.lost).unwrap_or(0)).sum();
                let jitter = lanes().map(|lane| lane.end.jitter).sum::<Duration>() / count;
                (
                    told(StreamResult::counted),
                    Some(ours().map(|(_, seen)| seen).sum()),
                    Some(lost),
                    Some(jitter),
                )
            }
        };
        let here = |of: fn(&crate::net::bulk::Reading) -> u64| {
            (!sends).then(|| ours().map(|(reading, _)| of(&reading)).sum())
        };
        Datagrams {
            with_omitted: with_omitted && sends,
            reordered: here(|reading| reading.disordered - reading.duplicates.min(reading.disordered)),
            duplicates: here(|reading| reading.duplicates),
            dropped_here: here(|reading| reading.overflow),
            ..Datagrams::of(sent, seen, lost, jitter)
        }
    }

    /// What iperf3's own form tells.
    fn trace(&self) -> Trace {
        let lanes = 0..self.course.lanes.len();
        let total = |at: usize| {
            let lane = &self.course.lanes[at];
            let sends = lane.ends.sends;
            let [sent, received] = self.ends(at);
            let theirs = self.theirs(lane.ends.id);
            let counted = lane.counted();
            let (units, seen) = (counted.units, lane.end.highest - lane.omitted().highest);
            let datagrams = match (sends, theirs) {
                (true, Some(theirs)) => (units, theirs.counted(), theirs.lost() as i64, 0),
                (true, None) => (units, 0, 0, 0),
                (false, theirs) => {
                    (theirs.map_or(seen, |theirs| theirs.counted()), seen, counted.lost, counted.disordered)
                }
            };
            let jitter = theirs.and_then(|theirs| theirs.jitter);
            Total {
                sent,
                received,
                retransmits: if sends {
                    lane.retransmits()
                } else {
                    theirs.and_then(|theirs| theirs.retransmits)
                },
                datagrams,
                jitter: if sends { jitter.unwrap_or_default() } else { lane.end.jitter },
                ..lane.total()
            }
        };
        let percent = |cpu: crate::wire::iperf3::Cpu| [cpu.total, cpu.user, cpu.system];
        let theirs = self.results.as_ref();
        let their_congestion = theirs.and_then(|results: &Results| results.congestion.clone());
        let (sender, receiver) = match self.asked.reverse {
            false => (self.congestion.clone(), their_congestion),
            true => (their_congestion, self.congestion.clone()),
        };
        Trace {
            intervals: self.course.trace.clone(),
            totals: lanes.map(total).collect(),
            cpu: [percent(self.cpu()), theirs.map_or([0.0; 3], |results| percent(results.cpu))],
            congestion: [sender, receiver],
            ..self.trace.clone()
        }
    }
}
