//! One request and its answer.

use std::time::Duration;

use hyper::header::{CONTENT_ENCODING, LOCATION};

use super::exchange::{Head, Received, send};
use super::fields::{Cache, Hsts, ServerTiming, all, text};
use super::intake::Intake;
use super::link::Link;
use super::linker::Stage;
use super::report::{Leg, Redirect, Sizes};
use super::request::{Ask, shown};
use super::sink::Sink;
use super::trace::{Trace, Tracer};
use super::{Expect, MOST_BODY, har};
use crate::failure::{Class, Failure};
use crate::probe::phases::Phases;
use crate::units::Now;

impl Tracer<'_> {
    /// One request and its answer; what to ask next, and the connection.
    ///
    /// # Errors
    /// Those of the connection and of the answer.
    pub(super) async fn leg(
        &self,
        ask: &Ask,
        kept: Option<Link>,
        began: Now,
        trace: &mut Trace,
    ) -> Result<(Leg, Option<Ask>, Link), Failure> {
        let mut reused = None;
        if let Some(mut link) = kept.filter(|link| link.origin == ask.url.origin())
            && link.is_open().await
        {
            let before = link.octets();
            self.reached.reach(Stage::Request);
            match send(&mut link, ask).await {
                Ok(head) => reused = Some((link, head, before)),
                // It was closed as idle while we asked: that says nothing of the answer.
                Err(_) if link.watch.seen().first.is_none() => {}
                Err(failure) => return Err(failure),
            }
        }
        let is_reused = reused.is_some();
        let (mut link, mut head, before) = match reused {
            Some(reused) => reused,
            None => {
                let mut link = self.linker.link(ask, began.mono, &self.reached).await?;
                self.reached.reach(Stage::Request);
                let head = send(&mut link, ask).await?;
                (link, head, (0, 0))
            }
        };
        self.reached.reach(Stage::Transfer);
        let next = self.next(ask, &head)?;
        let redirect = next.as_ref().map(|(redirect, _)| redirect.clone());
        let follows = next.and_then(|(redirect, ask)| redirect.followed.then_some(ask));
        let intake = self.intake(&head, follows.is_none());
        let Received { body, rates, ended } =
            head.receive(ask, intake, &mut link.driver, &link.watch).await?;
        let ready = if is_reused { began.mono } else { link.made.ready };
        let first = head.first;
        let written = head.written.unwrap_or(first);
        let made = &link.made;
        self.linker.alternatives.learn(&link.origin, &head.headers);
        // The judgement lies between the handshake and the request, and is nobody's time but this program's.
        let judged = if is_reused { Duration::ZERO } else { made.judged() };
        let tls = match &made.tls {
            Some(shaken) => Some(self.linker.clients().await?.told(shaken)),
            None => None,
        };
        let fresh = |time: Option<Duration>| time.filter(|_| !is_reused);
        let (sent, received) = link.octets();
        let leg = Leg {
            url: shown(&ask.url),
            method: ask.method.to_string(),
            status: head.status.as_u16(),
            http: head.version.to_owned(),
            start: trace.legs.iter().map(|leg| leg.phases.total).sum(),
            phases: Phases {
                dns: fresh(made.dns_time),
                connect: fresh(Some(made.connect_time)),
                tls: fresh(made.tls_time),
                request: Some(written.saturating_duration_since(ready)),
                first_byte: Some(first.saturating_duration_since(written)),
                transfer: Some(ended.saturating_duration_since(first)),
                total: ended.saturating_duration_since(began.mono).saturating_sub(judged),
            },
            reused: is_reused,
            dns: made.dns.clone().filter(|_| !is_reused),
            http3: made.http3.clone().filter(|_| !is_reused),
            attempts: if is_reused { Vec::new() } else { made.attempts.clone() },
            remote: made.remote,
            local: made.local,
            tls,
            sizes: Sizes {
                request_head_bytes: ask.head_bytes(head.version),
                request_body_bytes: ask.body.as_ref().map_or(0, |body| body.len() as u64),
                head_bytes: head.bytes(),
                body_bytes: body.encoded,
                decoded_bytes: body.decoded,
                wire_sent_bytes: sent - before.0,
                wire_received_bytes: received - before.1,
            },
            rates: (body.encoded > 0).then_some(rates),
            tcp: link.tcp(),
            headers: all(&head.headers, self.asked.show_secrets),
            redirect,
            server_timing: ServerTiming::all(&head.headers),
            alt_svc: text(&head.headers, "alt-svc"),
            hsts: Hsts::of(&head.headers),
            cache: Cache::of(&head.headers),
        };
        if self.asked.har.is_some() {
            let told = har::Told {
                ask,
                at: began.timestamp(),
                reason: &head.reason,
                headers: &head.headers,
                shows_secrets: self.asked.show_secrets,
            };
            trace.har.push(har::entry(&leg, &told));
        }
        if follows.is_none() {
            let judge = |expect: &Expect| expect.judge(leg.status, &head.headers, &body.kept);
            trace.expectations = self.asked.expect.iter().map(judge).collect();
        }
        Ok((leg, follows, link))
    }

    /// Where an answer leads, and whether that is followed.
    fn next(&self, ask: &Ask, head: &Head) -> Result<Option<(Redirect, Ask)>, Failure> {
        let is_redirect = matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = head.headers.get(LOCATION).filter(|_| is_redirect) else { return Ok(None) };
        let followed = !self.asked.no_location;
        match ask.redirected(head.status, location.as_bytes()) {
            Ok(next) => {
                let redirect = Redirect {
                    url: shown(&next.ask.url),
                    followed,
                    downgrade: next.is_downgrade,
                    credentials_dropped: next.dropped_credentials,
                };
                Ok(Some((redirect, next.ask)))
            }
            Err(why) if followed => {
                Err(Class::Protocol.because(format_args!("{ask}: {} is no redirect: {why}", head.status)))
            }
            Err(_) => Ok(None),
        }
    }

    /// What takes the body in; only the last answer's is looked at and kept.
    fn intake(&self, head: &Head, is_last: bool) -> Intake {
        let most = self.asked.most_bytes();
        let encoding = head.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let encoding = encoding.filter(|_| self.asked.compressed);
        let keeps = is_last && self.asked.expect.iter().any(Expect::wants_body);
        // What is looked at is held in memory.
        let most = if keeps { most.min(MOST_BODY) } else { most };
        let sink = self.asked.output.as_deref().filter(|_| is_last).map(Sink::new);
        Intake::new(most, encoding, keeps, sink)
    }
}
