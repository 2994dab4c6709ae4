//! From leg to leg, and from repeat to repeat.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderValue, LOCATION};
use tokio::time::timeout_at;

use super::exchange::{Head, Received, send};
use super::expect::Expectation;
use super::fields::{Cache, Hsts, ServerTiming, all, text};
use super::har;
use super::intake::Intake;
use super::link::{Link, Linker, Stage, name_sources};
use super::report::{Leg, Redirect, Repeats, Report, Sizes};
use super::request::{Ask, Line, shown, url};
use super::{HttpTrace, MOST_BODY, Payload};
use crate::failure::{Class, Failure};
use crate::probe::phases::Phases;
use crate::probe::{Ctx, Event, Found, input};
use crate::sys::clock;
use crate::sys::secret::Secret;
use crate::units::Now;

/// Octets of a file that is a request's body, and of one with headers.
const MOST_DATA: u64 = 64 << 20;
const MOST_LINES: u64 = 64 << 10;
/// Requests that a HAR file has at most.
const MOST_ENTRIES: usize = 1000;
/// Reasons of failed repeats that are told.
const MOST_REASONS: usize = 10;

impl HttpTrace {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        let mut address = None;
        let result = self.repeat(ctx, &mut address).await;
        Found { address, result }
    }

    async fn repeat(&self, ctx: &Ctx, address: &mut Option<std::net::IpAddr>) -> Result<Report, Failure> {
        if let Some(flag) = self.local_file() {
            ctx.policy.check_flag(flag)?;
        }
        let ask = self.ask(ctx).await?;
        let linker = Linker::new(self, ctx, ask.url.scheme() == "https")?;
        let tracer = Tracer { asked: self, ctx, linker, stage: AtomicU8::new(0) };
        let mut all = Repeated::default();
        let mut kept = None;
        for number in 0..self.count {
            if number > 0 && !pause(ctx, self.interval.0).await {
                break;
            }
            let traced = tokio::select! {
                biased;
                () = ctx.cancel.cancelled() => break,
                traced = tracer.trace(&ask, kept.take()) => traced,
            };
            match traced {
                Ok((trace, link)) => {
                    if address.is_none() {
                        *address = trace.legs.last().map(|leg| leg.remote.ip());
                        tracer.introduce(&trace);
                    }
                    tracer.tell(number, &trace);
                    kept = link.filter(|_| self.keepalive);
                    all.add(trace);
                }
                // What is wrong with the request stays so, and nobody is asked twice.
                Err(failure) if self.count == 1 || !failure.class.is_far_side() => return Err(failure),
                Err(failure) => {
                    ctx.events.tell(Event::Note { text: format!("seq={number}: {}", failure.detail) });
                    all.fail(failure);
                }
            }
        }
        if let Some(file) = &self.har {
            let octets = serde_json::to_vec_pretty(&har::file(&all.har)).unwrap_or_default();
            let written = tokio::fs::write(file, octets).await;
            written.map_err(|error| Failure::from_io(format_args!("write {}", file.display()), &error))?;
        }
        all.report(self)
    }

    /// The first request.
    async fn ask(&self, ctx: &Ctx) -> Result<Ask, Failure> {
        let wrong = |flag: &str, why: String| Class::Usage.because(format_args!("{flag} {why}"));
        let target = url(self.target.as_str()).map_err(|why| wrong("TARGET", why))?;
        let method = self.method().map_err(|why| wrong("--request", why))?;
        let agent = self.user_agent.as_deref().unwrap_or(concat!("waddleperf/", env!("CARGO_PKG_VERSION")));
        let agent = HeaderValue::from_str(agent)
            .map_err(|_| wrong("--user-agent", "holds what no header can".to_owned()))?;
        let mut ask = Ask::new(target, method, self.body(ctx).await?, &agent);
        // -I chooses HEAD as a redirect would; only -X insists.
        ask.is_method_fixed = self.request.is_some();
        if self.compressed {
            ask.accept_compressed();
        }
        if let Some(file) = &self.user_file {
            let secret = Secret::File(file.clone());
            let read = tokio::task::spawn_blocking(move || secret.read()).await;
            let user = read.map_err(|_| Class::Internal.because("reading a file panicked"))??;
            let value = format!("Basic {}", STANDARD.encode(user.as_str()));
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| wrong("--user-file", "holds what no header can".to_owned()))?;
            value.set_sensitive(true);
            ask.headers.insert(AUTHORIZATION, value);
        }
        let mut lines = Vec::new();
        for line in &self.header {
            let text = match line.file() {
                Some(file) => lines_of(ctx, file).await?,
                None => line.as_str().to_owned(),
            };
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                lines.push(Line::parse(line).map_err(|why| wrong("--header", why))?);
            }
        }
        ask.add(&lines);
        Ok(ask)
    }

    async fn body(&self, ctx: &Ctx) -> Result<Option<Bytes>, Failure> {
        if let Some(payload) = &self.body_binary {
            return octets(ctx, payload).await.map(|octets| Some(octets.into()));
        }
        if self.body.is_empty() {
            return Ok(None);
        }
        let mut whole = Vec::new();
        for (n, payload) in self.body.iter().enumerate() {
            if n > 0 {
                whole.push(b'&');
            }
            let mut octets = octets(ctx, payload).await?;
            if payload.file().is_some() {
                octets.retain(|octet| !matches!(octet, b'\r' | b'\n' | 0));
            }
            whole.extend(octets);
        }
        Ok(Some(whole.into()))
    }
}

async fn lines_of(ctx: &Ctx, file: &Path) -> Result<String, Failure> {
    let octets = input::whole(ctx, "--header", file, MOST_LINES).await?;
    String::from_utf8(octets).map_err(|_| Class::Usage.because("--header: the file is no text"))
}

async fn octets(ctx: &Ctx, payload: &Payload) -> Result<Vec<u8>, Failure> {
    match payload.file() {
        Some(file) => input::whole(ctx, "--body", file, MOST_DATA).await,
        None => Ok(payload.as_str().as_bytes().to_vec()),
    }
}

/// Waits before the next repeat; `false` when there shall be none.
async fn pause(ctx: &Ctx, time: Duration) -> bool {
    tokio::select! {
        biased;
        () = ctx.cancel.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

/// One request with its redirects.
struct Trace {
    legs: Vec<Leg>,
    phases: Phases,
    expectations: Vec<Expectation>,
    har: Vec<serde_json::Value>,
}

/// What comes of the repeats.
#[derive(Default)]
struct Repeated {
    phases: Vec<Phases>,
    last: Option<Trace>,
    expectations: Vec<Expectation>,
    failed: u64,
    failures: Vec<Failure>,
    har: Vec<serde_json::Value>,
}

impl Repeated {
    fn add(&mut self, mut trace: Trace) {
        self.phases.push(trace.phases);
        trace.har.truncate(MOST_ENTRIES.saturating_sub(self.har.len()));
        self.har.append(&mut trace.har);
        // Once not met is not met.
        if self.expectations.is_empty() {
            self.expectations.clone_from(&trace.expectations);
        }
        for (known, new) in self.expectations.iter_mut().zip(&trace.expectations) {
            if !new.met {
                known.clone_from(new);
            }
        }
        self.last = Some(trace);
    }

    fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        if self.failures.len() < MOST_REASONS && !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }

    fn report(self, asked: &HttpTrace) -> Result<Report, Failure> {
        let Some(Trace { legs, .. }) = self.last else {
            let interrupted = || Class::Cancelled.because("interrupted before there was an answer");
            return Err(self.failures.into_iter().next().unwrap_or_else(interrupted));
        };
        let interrupted = || Class::Cancelled.because("interrupted before there was an answer");
        let last = legs.last().ok_or_else(interrupted)?;
        let answered = self.phases.len() as u64;
        let repeats = (asked.count > 1).then(|| Repeats {
            sent: answered + self.failed,
            answered,
            keepalive: asked.keepalive,
            p95: Phases::quantile(&self.phases, 0.95),
            min: Phases::quantile(&self.phases, 0.0),
            max: Phases::quantile(&self.phases, 1.0),
            failures: self.failures,
        });
        let seconds = last.phases.transfer.map(|time| time.as_secs_f64()).filter(|seconds| *seconds > 0.0);
        let octets = last.sizes.body_bytes;
        Ok(Report {
            url: last.url.clone(),
            status: last.status,
            http: last.http.clone(),
            phases: Phases::quantile(&self.phases, 0.5),
            throughput_bps: seconds.filter(|_| octets > 0).map(|seconds| octets as f64 * 8.0 / seconds),
            insecure: asked.insecure,
            repeats,
            expectations: self.expectations,
            legs,
        })
    }
}

struct Tracer<'a> {
    asked: &'a HttpTrace,
    ctx: &'a Ctx,
    linker: Linker<'a>,
    /// The [`Stage`] of what is under way.
    stage: AtomicU8,
}

impl Tracer<'_> {
    fn reach(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    fn introduce(&self, trace: &Trace) {
        let Some(leg) = trace.legs.last() else { return };
        let tls = leg.tls.as_ref().map(|tls| format!(", {}", tls.version)).unwrap_or_default();
        let how = format!("http/{}{tls}", leg.http);
        self.ctx.events.tell(Event::Started { address: leg.remote.ip(), how });
    }

    fn tell(&self, number: u64, trace: &Trace) {
        let Some(leg) = trace.legs.last() else { return };
        for (phase, time) in trace.phases.parts() {
            if let Some(lasted) = time {
                self.ctx.events.tell(Event::Phase { seq: number, phase, lasted });
            }
        }
        self.ctx.events.tell(Event::Reply {
            target: None,
            seq: number,
            at: clock::now().wall,
            rtt: trace.phases.total,
            delay_ms: None,
            bytes: usize::try_from(leg.sizes.body_bytes).ok(),
            ttl: None,
            said: Some(format!("status={}", leg.status)),
        });
    }

    /// Asks once, over `kept` if it leads there, and follows redirects; the connection of the last leg.
    async fn trace(&self, ask: &Ask, kept: Option<Link>) -> Result<(Trace, Option<Link>), Failure> {
        let start = clock::now();
        let deadline = start.mono + self.asked.max_time.0;
        let traced = timeout_at(deadline.into(), self.legs(ask, kept, start)).await;
        let (mut trace, link) = traced.unwrap_or_else(|_| {
            let stages = [Stage::LookUp, Stage::Connect, Stage::Tls, Stage::Request, Stage::Transfer];
            let stage = stages[usize::from(self.stage.load(Ordering::Relaxed)).min(stages.len() - 1)];
            Err(Class::Timeout.because(format_args!("{ask}: {} (--max-time)", stage.words())))
        })?;
        name_sources(&mut trace.legs).await;
        Ok((trace, link))
    }

    async fn legs(
        &self,
        ask: &Ask,
        mut kept: Option<Link>,
        start: Now,
    ) -> Result<(Trace, Option<Link>), Failure> {
        let mut ask = ask.clone();
        let mut trace =
            Trace { legs: Vec::new(), phases: Phases::default(), expectations: Vec::new(), har: Vec::new() };
        let (mut asked, mut began) = (Vec::new(), start);
        loop {
            asked.push((ask.method.clone(), ask.url.clone()));
            let (mut leg, next, link) = self.leg(&ask, kept.take(), began, &mut trace).await?;
            leg.start = began.mono.saturating_duration_since(start.mono);
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
            (ask, began) = (next, clock::now());
        }
        let of_legs: Vec<Phases> = trace.legs.iter().map(|leg| leg.phases).collect();
        trace.phases = Phases::sum(&of_legs);
        Ok((trace, kept))
    }

    /// One request and its answer; what to ask next, and the connection.
    async fn leg(
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
            self.reach(Stage::Request);
            match send(&mut link, ask).await {
                Ok(head) => reused = Some((link, head, before)),
                // It was closed as idle while we asked: that says nothing of the answer.
                Err(_) if link.watch.seen().first.is_none() => {}
                Err(failure) => return Err(failure),
            }
        }
        let is_reused = reused.is_some();
        let (link, mut head, before) = match reused {
            Some(reused) => reused,
            None => {
                let mut link = self.linker.link(ask, began.mono, &|stage| self.reach(stage)).await?;
                self.reach(Stage::Request);
                let head = send(&mut link, ask).await?;
                (link, head, (0, 0))
            }
        };
        self.reach(Stage::Transfer);
        let next = self.next(ask, &head)?;
        let redirect = next.as_ref().map(|(redirect, _)| redirect.clone());
        let follows = next.and_then(|(redirect, ask)| redirect.followed.then_some(ask));
        let intake = self.intake(&head, follows.is_none()).await?;
        let Received { body, rates, ended } = head.receive(ask, intake, &link.watch).await?;
        let ready = if is_reused { began.mono } else { link.made.ready };
        let first = head.first;
        let written = head.written.unwrap_or(first);
        let made = &link.made;
        let fresh = |time: Option<Duration>| time.filter(|_| !is_reused);
        let (sent, received) = link.octets();
        let leg = Leg {
            url: shown(&ask.url),
            method: ask.method.to_string(),
            status: head.status.as_u16(),
            http: head.version.to_owned(),
            start: Duration::ZERO,
            phases: Phases {
                dns: fresh(made.dns_time),
                connect: fresh(Some(made.connect_time)),
                tls: fresh(made.tls_time),
                request: Some(written.saturating_duration_since(ready)),
                first_byte: Some(first.saturating_duration_since(written)),
                transfer: Some(ended.saturating_duration_since(first)),
                total: ended.saturating_duration_since(began.mono),
            },
            reused: is_reused,
            dns: made.dns.clone().filter(|_| !is_reused),
            attempts: if is_reused { Vec::new() } else { made.attempts.clone() },
            remote: made.remote,
            local: made.local,
            tls: made.tls.clone(),
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
            let judge = |expect: &super::Expect| expect.judge(leg.status, &head.headers, &body.kept);
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
    async fn intake(&self, head: &Head, is_last: bool) -> Result<Intake, Failure> {
        let most = self.asked.most_bytes();
        let encoding = head.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        let encoding = encoding.filter(|_| self.asked.compressed);
        let keeps = is_last && self.asked.expect.iter().any(super::Expect::wants_body);
        // What is looked at is held in memory.
        let most = if keeps { most.min(MOST_BODY) } else { most };
        let file = match &self.asked.output {
            Some(file) if is_last => {
                let opened = match file == Path::new("-") {
                    true => std::io::stdout()
                        .as_fd()
                        .try_clone_to_owned()
                        .map(|fd| tokio::fs::File::from_std(fd.into())),
                    false => tokio::fs::File::create(file).await,
                };
                let what = || format!("write the body into {}", file.display());
                Some(opened.map_err(|error| Failure::from_io(what(), &error))?)
            }
            _ => None,
        };
        Ok(Intake::new(most, encoding, keeps, file))
    }
}
