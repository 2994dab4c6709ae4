//! From repeat to repeat, and what comes of all of them.

use std::net::IpAddr;
use std::time::Duration;

use super::HttpTrace;
use super::expect::Expectation;
use super::har;
use super::report::{Leg, Repeats, Report};
use super::trace::{Trace, Tracer};
use super::variable::unknown;
use crate::failure::{Class, Failure};
use crate::probe::phases::Phases;
use crate::probe::{Ctx, Event, Found};
use crate::stats::percentile;

/// Requests that a HAR file has at most.
const MOST_ENTRIES: usize = 1000;
/// Reasons of failed repeats that are told.
const MOST_REASONS: usize = 10;
/// Repeats with a resumed session that are named.
const MOST_RESUMED: usize = 1000;

impl HttpTrace {
    pub(super) async fn measure(&self, ctx: &Ctx) -> Found<Report> {
        let mut address = None;
        let result = self.repeat(ctx, &mut address).await;
        Found { address, result }
    }

    async fn repeat(&self, ctx: &Ctx, address: &mut Option<IpAddr>) -> Result<Report, Failure> {
        if let Some(flag) = self.local_file() {
            ctx.policy.check_flag(flag)?;
        }
        for name in self.write_out.as_deref().map(unknown).unwrap_or_default() {
            let text = format!("-w: %{{{name}}} is none of curl's variables; nothing stands for it");
            ctx.events.tell(Event::Note { text });
        }
        let ask = self.ask(ctx).await?;
        let tracer = Tracer::new(self, ctx)?;
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
                    all.add(number, trace);
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
}

/// Waits before the next repeat; `false` when there shall be none.
async fn pause(ctx: &Ctx, time: Duration) -> bool {
    tokio::select! {
        biased;
        () = ctx.cancel.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

/// What comes of the repeats.
#[derive(Default)]
struct Repeated {
    phases: Vec<Phases>,
    last: Option<Vec<Leg>>,
    expectations: Vec<Expectation>,
    connections: u64,
    /// Handshakes over TCP that were whole, and those that resumed a session.
    full: Vec<Duration>,
    resumed: Vec<Duration>,
    resumed_count: u64,
    resumed_in: Vec<u64>,
    failed: u64,
    failures: Vec<Failure>,
    har: Vec<serde_json::Value>,
}

impl Repeated {
    fn add(&mut self, number: u64, mut trace: Trace) {
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
        self.connected(number, &trace.legs);
        self.last = Some(trace.legs);
    }

    /// Counts the connections of a repeat.
    fn connected(&mut self, number: u64, legs: &[Leg]) {
        let before = self.resumed_count;
        for leg in legs.iter().filter(|leg| !leg.reused) {
            self.connections += 1;
            let Some(tls) = &leg.tls else { continue };
            self.resumed_count += u64::from(tls.resumed);
            let times = if tls.resumed { &mut self.resumed } else { &mut self.full };
            times.extend(leg.phases.tls);
        }
        if self.resumed_count > before && self.resumed_in.len() < MOST_RESUMED {
            self.resumed_in.push(number);
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        if self.failures.len() < MOST_REASONS && !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }

    fn report(self, asked: &HttpTrace) -> Result<Report, Failure> {
        let interrupted = || Class::Cancelled.because("interrupted before there was an answer");
        let Some(legs) = self.last else {
            return Err(self.failures.into_iter().next().unwrap_or_else(interrupted));
        };
        let last = legs.last().ok_or_else(interrupted)?;
        let answered = self.phases.len() as u64;
        let median = |mut times: Vec<Duration>| {
            times.sort_unstable();
            percentile(&times, 0.5)
        };
        let repeats = (asked.count > 1).then(|| Repeats {
            sent: answered + self.failed,
            answered,
            keepalive: asked.keepalive,
            connections: self.connections,
            resumed: self.resumed_count,
            resumed_in: self.resumed_in,
            tls_full: median(self.full),
            tls_resumed: median(self.resumed),
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
