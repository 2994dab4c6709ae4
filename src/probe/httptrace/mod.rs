//! `httptrace`: what one answer of HTTP takes, phase by phase, each from the moment in the code that makes it true.
//!
//! [`place`] looks the name up and [`alternatives`] knows where HTTP/3 is to be had; [`linker`] makes the connection (over TCP, or as
//! [`quic`] does), [`handshake`] shakes hands and judges; [`watch`] sees on the stream when the request was written and when the
//! answer began, [`exchange`] asks over it, [`intake`] takes the body in under limits, [`sink`] writes it. [`leg`] is one request and its answer, [`trace`]
//! goes from leg to leg, [`repeats`] from repeat to repeat. What is decided without I/O stands apart: [`request`] (curl's rules for
//! redirects), [`expect`], [`fields`]. curl's own form of the result (`-w`) is `report`'s business.

mod alternatives;
mod bounded;
mod check;
mod decode;
mod exchange;
mod expect;
mod fields;
mod handshake;
mod har;
mod intake;
mod leg;
mod link;
mod linker;
mod manual;
mod options;
mod overrides;
mod place;
mod prepare;
mod private;
mod quic;
mod rates;
mod repeats;
mod report;
mod request;
mod sink;
mod tasks;
mod trace;
mod variable;
mod version;
mod watch;
mod zstd;

pub use alternatives::{DecidedBy, Http3};
pub use expect::{Expect, Expectation};
pub use fields::{Cache, Field, Hsts, ServerTiming};
pub use options::{Form, HttpTrace};
pub use private::{HeaderLine, Payload};
pub use rates::Rates;
pub use report::{Attempt, Leg, Lookup, Redirect, Repeats, Report, Sizes, Source, TlsSession};
pub use variable::VARIABLES;
pub use version::Version;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::own_thread::on_a_worker;
use super::{Ctx, Found, Measure, Scalar, Target, Traffic};
use crate::failure::Fault;
use overrides::{ConnectTo, Resolve};
use request::Line;

/// Octets of a body that are accepted, where nothing else is said and it is not kept (security.md 3.3).
const MOST_BODY: u64 = 10 << 20;

impl Measure for HttpTrace {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn tells_packets(&self) -> bool {
        self.count > 1
    }

    fn check(&self) -> Result<(), Fault> {
        self.check_all()
    }

    fn traffic(&self) -> Traffic {
        // What a page and its handshakes are about; the most that is taken would be a budget for nothing else.
        let legs = self.count.saturating_mul(2);
        Traffic {
            packets: legs.saturating_mul(100),
            bytes: legs.saturating_mul(100_000),
            packets_per_second: 1000.0,
        }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn pace(&self) -> Duration {
        self.interval.0.max(Duration::from_secs(1))
    }

    fn is_foreign(&self) -> bool {
        self.write_out.is_some() || self.format == Form::CurlJson
    }

    fn takes_stdout(&self) -> bool {
        self.output.as_deref() == Some(Path::new("-"))
    }

    fn inputs(&self) -> Vec<&Path> {
        let payloads = self.body.iter().chain(&self.body_binary).filter_map(Payload::file);
        let headers = self.header.iter().filter_map(HeaderLine::file);
        [&self.user_file, &self.cacert]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .chain(payloads)
            .chain(headers)
            .collect()
    }

    fn is_sequential(&self) -> bool {
        true
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.repeats.as_ref().map_or(1, |repeats| repeats.sent) == self.count
    }

    fn exit_code(&self, report: &Report) -> u8 {
        let is_bad = report.unmet() > 0 || self.fail && report.status >= 400;
        u8::from(is_bad)
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        let (asked, ctx) = (self.clone(), ctx.clone());
        let measured = on_a_worker(async move { asked.measure(&ctx).await }).await;
        measured.unwrap_or_else(Found::nothing)
    }
}

/// What fuzzing and the properties do with any octets: read them as what a server says, and as what a person writes.
pub fn fuzz(octets: &[u8]) {
    watch::fuzz(octets);
    bounded::fuzz(octets);
    let text = String::from_utf8_lossy(octets);
    if let Ok(value) = hyper::header::HeaderValue::from_bytes(octets) {
        let names = ["server-timing", "strict-transport-security", "age", "x-cache", "location"];
        let headers = names.map(|name| (hyper::header::HeaderName::from_static(name), value.clone()));
        let headers: hyper::HeaderMap = headers.into_iter().collect();
        let told = (ServerTiming::all(&headers), Hsts::of(&headers), Cache::of(&headers));
        let shown = format!("{told:?}{:?}", fields::all(&headers, false));
        assert!(!shown.contains(char::is_control), "{shown:?}");
        request::fuzz(&value);
    }
    alternatives::fuzz(&text);
    let _ = (Resolve::parse(&text), ConnectTo::parse(&text), Line::parse(&text));
    if let Ok(expect) = text.parse::<Expect>() {
        let came = expect.judge(200, &hyper::HeaderMap::new(), octets);
        assert!(came.met || came.found.is_none_or(|found| !found.contains(char::is_control)));
    }
}

/// The body of the fuzz target for bodies that came compressed.
pub fn fuzz_decode(octets: &[u8]) {
    decode::fuzz(octets);
}

#[cfg(test)]
mod tests {
    use super::{fuzz, fuzz_decode};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_said_does_no_harm(octets in prop::collection::vec(any::<u8>(), 0..200), text in "[ -~]{0,80}") {
            fuzz(&octets);
            fuzz_decode(&octets);
            fuzz(text.as_bytes());
        }
    }
}
