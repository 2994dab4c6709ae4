//! One run: the way there, the conversation on a thread of its own, and what goes beside it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::busy::Backoff;
use super::latency::Beside;
use super::login::Credentials;
use super::search::find;
use super::talk::{self, Untested};
use super::{Bandwidth, Report};
use crate::failure::{Class, Failure};
use crate::net::dial;
use crate::probe::own_thread::on_own_thread;
use crate::probe::{Ctx, Event, Found};
use crate::units::Span;

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
        let (begun, over) = (CancellationToken::new(), ctx.cancel.child_token());
        let bulk = async {
            let held = self.hold_at_last(ctx, &server, &begun).await;
            over.cancel();
            held
        };
        let loaded = async {
            match &beside {
                Some(beside) => Some(beside.loaded(ctx, &begun, &over).await),
                None => None,
            }
        };
        let (held, loaded) = tokio::join!(bulk, loaded);
        let both = beside.zip(idle.zip(loaded));
        let latency = both.map(|(beside, (idle, loaded))| beside.latency(idle, loaded));
        held.map(|held| Report { latency, ..held.report })
    }

    /// A test, once the server has time for it, where that is to be waited for.
    async fn hold_at_last(
        &self,
        ctx: &Ctx,
        server: &Server,
        begun: &CancellationToken,
    ) -> Result<Held, Failure> {
        let mut backoff = Backoff::new(self.retry_busy.map_or(Duration::ZERO, |span| span.0));
        let mut how = Some(self.how());
        loop {
            let untested = match self.hold(ctx, server, how.take(), begun).await {
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

    /// One test, on a control connection of its own; `how` is told once the connection stands, and `begun` is
    /// cancelled once octets move.
    pub(super) async fn hold(
        &self,
        ctx: &Ctx,
        server: &Server,
        how: Option<String>,
        begun: &CancellationToken,
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
        let (credentials, begun) = (server.credentials.clone(), begun.clone());
        let test = on_own_thread("bandwidth", ctx, move |stop| {
            talk::test(&asked, stream, peer, credentials.as_deref(), &events, &begun, stop)
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
