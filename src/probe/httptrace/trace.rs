//! One request with its redirects: from leg to leg.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{sleep, timeout_at};

use super::HttpTrace;
use super::expect::Expectation;
use super::link::Link;
use super::linker::{Linker, Reached, Stage};
use super::place::name_resolvers;
use super::report::Leg;
use super::request::Ask;
use crate::failure::{Class, Failure};
use crate::probe::phases::Phases;
use crate::probe::{Ctx, Event};
use crate::sys::clock;

/// Sooner than any timer of a connection.
const NEXT: Duration = Duration::from_millis(100);

/// One request with its redirects.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) legs: Vec<Leg>,
    pub(super) phases: Phases,
    pub(super) expectations: Vec<Expectation>,
    pub(super) har: Vec<serde_json::Value>,
}

pub(super) struct Tracer<'a> {
    pub(super) asked: &'a HttpTrace,
    ctx: &'a Ctx,
    pub(super) linker: Linker<'a>,
    pub(super) reached: Reached,
}

impl<'a> Tracer<'a> {
    /// # Errors
    /// Class `usage` for what cannot be asked.
    pub(super) fn new(asked: &'a HttpTrace, ctx: &'a Ctx) -> Result<Self, Failure> {
        Ok(Self { asked, ctx, linker: Linker::new(asked, ctx)?, reached: Reached::default() })
    }

    /// Says whom it talks to.
    pub(super) fn introduce(&self, trace: &Trace) {
        let Some(leg) = trace.legs.last() else { return };
        let tls = leg.tls.as_ref().map(|tls| format!(", {}", tls.version)).unwrap_or_default();
        let how = format!("http/{}{tls}", leg.http);
        self.ctx.events.tell(Event::Started { address: leg.remote.ip(), how });
    }

    /// Says what came of a repeat.
    pub(super) fn tell(&self, number: u64, trace: &Trace) {
        let Some(leg) = trace.legs.last() else { return };
        for (phase, time) in trace.phases.parts() {
            if let Some(lasted) = time {
                self.ctx.events.tell(Event::Phase { seq: number, phase, lasted });
            }
        }
        let is_resumed = !leg.reused && leg.tls.as_ref().is_some_and(|tls| tls.resumed);
        let resumed = if is_resumed { " tls=resumed" } else { "" };
        self.ctx.events.tell(Event::Reply {
            target: None,
            seq: number,
            at: clock::now().wall,
            rtt: trace.phases.total,
            delay_ms: None,
            bytes: usize::try_from(leg.sizes.body_bytes).ok(),
            ttl: None,
            said: Some(format!("status={}{resumed}", leg.status)),
        });
    }

    /// Asks once, over `kept` if it leads there, and follows redirects; the connection of the last leg.
    ///
    /// # Errors
    /// Those of the legs; class `timeout` for what takes too long, class `protocol` for redirects without end.
    pub(super) async fn trace(
        &self,
        ask: &Ask,
        kept: Option<Link>,
    ) -> Result<(Trace, Option<Link>), Failure> {
        self.linker.prepare(ask).await?;
        self.reached.reach(Stage::LookUp);
        // A timer that is to end before all others wakes the thread that waits for sockets. Those that limit this trace begin
        // while its clock runs; this one, before, spares them that.
        let mut next = pin!(sleep(NEXT));
        let _ = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await;
        let deadline = clock::now().mono + self.asked.max_time.0;
        let traced = timeout_at(deadline.into(), self.legs(ask, kept)).await;
        let (mut trace, link) = traced.unwrap_or_else(|_| {
            Err(Class::Timeout.because(format_args!("{ask}: {} (--max-time)", self.reached.words())))
        })?;
        name_resolvers(&mut trace.legs).await;
        Ok((trace, link))
    }

    async fn legs(&self, ask: &Ask, mut kept: Option<Link>) -> Result<(Trace, Option<Link>), Failure> {
        let mut ask = ask.clone();
        let mut trace = Trace::default();
        let mut asked = Vec::new();
        loop {
            asked.push((ask.method.clone(), ask.url.clone()));
            let (leg, next, link) = self.leg(&ask, kept.take(), clock::now(), &mut trace).await?;
            trace.legs.push(leg);
            kept = Some(link);
            let Some(next) = next else { break };
            if asked.contains(&(next.method.clone(), next.url.clone())) {
                return Err(
                    Class::Protocol.because(format_args!("{next}: the redirects go round in a circle"))
                );
            }
            if asked.len() > usize::from(self.asked.max_redirs) {
                return Err(Class::Protocol.because(format_args!(
                    "{next}: more than {} redirects (--max-redirs)",
                    self.asked.max_redirs
                )));
            }
            self.linker.prepare(&next).await?;
            ask = next;
        }
        let of_legs: Vec<Phases> = trace.legs.iter().map(|leg| leg.phases).collect();
        trace.phases = Phases::sum(&of_legs);
        Ok((trace, kept))
    }
}
