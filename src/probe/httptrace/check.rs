//! What the options of `httptrace` say together, and what cannot be asked.

use std::time::Duration;

use hyper::Method;

use super::overrides::{ConnectTo, Resolve};
use super::request::{self, Line};
use super::{Form, HttpTrace, MOST_BODY, Payload, Version};
use crate::failure::Fault;
use crate::units::Span;

/// Repeats of one run.
const MOST_REPEATS: u64 = 100_000;
/// No time limit is longer.
const LONGEST: Duration = Duration::from_secs(86_400);

impl HttpTrace {
    /// The method, where one was named.
    pub(super) fn method(&self) -> Result<Option<Method>, String> {
        match (&self.request, self.head) {
            (Some(name), _) => {
                Method::from_bytes(name.as_bytes()).map(Some).map_err(|_| format!("`{name}` is no method"))
            }
            (None, true) => Ok(Some(Method::HEAD)),
            (None, false) => Ok(None),
        }
    }

    pub(super) fn most_bytes(&self) -> u64 {
        self.max_bytes.unwrap_or(if self.output.is_some() { u64::MAX } else { MOST_BODY })
    }

    pub(super) fn resolves(&self) -> Result<Vec<Resolve>, String> {
        self.resolve.iter().map(|text| Resolve::parse(text)).collect()
    }

    pub(super) fn connects(&self) -> Result<Vec<ConnectTo>, String> {
        self.connect_to.iter().map(|text| ConnectTo::parse(text)).collect()
    }

    /// The flag that reads or writes a file of this host, if there is one.
    pub(super) fn local_file(&self) -> Option<&'static str> {
        let is_file = |payload: &Payload| payload.file().is_some();
        let flags = [
            (self.output.is_some(), "--output"),
            (self.har.is_some(), "--har"),
            (self.user_file.is_some(), "--user-file"),
            (self.cacert.is_some(), "--cacert"),
            (self.header.iter().any(|line| line.file().is_some()), "--header @FILE"),
            (self.body.iter().chain(&self.body_binary).any(is_file), "--body @FILE"),
        ];
        flags.into_iter().find_map(|(is_used, flag)| is_used.then_some(flag))
    }

    pub(super) fn check_all(&self) -> Result<(), Fault> {
        let wrong = |key: &str, why: String| Err(Fault::of(key, why));
        if self.target.is_open() {
            return wrong("target", "is missing: name the URL to ask for".to_owned());
        }
        let url = request::url(self.target.as_str()).map_err(|why| Fault::of("target", why))?;
        if self.version == Version::Http3Only && url.scheme() != "https" {
            return wrong("target", "is no https URL: HTTP/3 has no form without TLS".to_owned());
        }
        self.method().map_err(|why| Fault::of("request", why))?;
        for line in self.header.iter().filter(|line| line.file().is_none()) {
            Line::parse(line.as_str()).map_err(|why| Fault::of("header", why))?;
        }
        if self.head && (!self.body.is_empty() || self.body_binary.is_some()) {
            return wrong("head", "sends no body: leave out -d, or name a method by -X".to_owned());
        }
        self.resolves().map_err(|why| Fault::of("resolve", why))?;
        self.connects().map_err(|why| Fault::of("connect_to", why))?;
        if !(1..=MOST_REPEATS).contains(&self.count) {
            return wrong("count", format!("takes 1 to {MOST_REPEATS}"));
        }
        for (key, Span(span)) in [("max_time", self.max_time), ("connect_timeout", self.connect_timeout)] {
            if span.is_zero() || span > LONGEST {
                return wrong(key, "takes a span above 0 and up to 1d, such as 10s".to_owned());
            }
        }
        if self.interval.0 > LONGEST {
            return wrong("interval", "takes a span up to 1d, such as 1s".to_owned());
        }
        if self.write_out.is_some() && self.format != Form::Text {
            return wrong("format", "and --write-out exclude each other: give one of them".to_owned());
        }
        self.egress.check().map_err(|fault| fault.within("egress"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Measure;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        trace: HttpTrace,
    }

    fn read(line: &str) -> HttpTrace {
        let words = std::iter::once("httptrace").chain(line.split(' '));
        Line::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}")).trace
    }

    #[test]
    fn curls_spellings_are_understood() {
        Line::command().debug_assert();
        let trace = read(
            "-sSLk -X PUT -H A:b -H Cookie:x=s3cret -d a=s3cret -A me -m 5 --connect-timeout 2 --http1.1 a.example",
        );
        assert_eq!((trace.request.as_deref(), trace.header.len(), trace.insecure), (Some("PUT"), 2, true));
        assert_eq!((trace.max_time, trace.version), (Span::secs(5), Version::Http11));
        assert_eq!(trace.check(), Ok(()));
        assert_eq!(read("-I a.example").method(), Ok(Some(Method::HEAD)));
        assert!(Line::try_parse_from(["httptrace", "--http2", "--http1.1", "a.example"]).is_err());
        assert!(!read("--no-location -L a.example").no_location, "the last one counts");
    }

    #[test]
    fn secrets_are_in_no_record() {
        let line = "-H Authorization:s3cret -H Proxy-Authorization:s3cret -H X:seen -d k=s3cret -d @seen.txt a.example";
        let mut trace = read(line);
        trace.target = "http://u:s3cret@a.example/".into();
        let record = serde_json::to_string(&trace).expect("JSON");
        assert!(!record.contains("s3cret"), "{record}");
        assert!(record.contains("X: seen") || record.contains("X:seen"), "{record}");
        assert!(record.contains("@seen.txt") && record.contains("http://a.example/"), "{record}");
        let refused =
            Line::try_parse_from(["httptrace", "-u", "u:s3cret", "a.example"]).expect_err("in argv");
        assert!(refused.to_string().contains("--user-file"), "{refused}");
        assert_eq!(trace.check().expect_err("in argv").path, "target");
    }

    #[test]
    fn what_cannot_be_asked_is_refused_by_name() {
        for (line, key) in [
            ("--head", "target"),
            ("ftp://a.example", "target"),
            ("--http3-only http://a.example", "target"),
            ("-X A/B a.example", "request"),
            ("-H nothing a.example", "header"),
            ("-I -d x a.example", "head"),
            ("--resolve a.example a.example", "resolve"),
            ("--connect-to x a.example", "connect_to"),
            ("-c 0 a.example", "count"),
            ("-m 0 a.example", "max_time"),
            ("-w x --format curl-json a.example", "format"),
        ] {
            assert_eq!(read(line).check().expect_err(line).path, key, "{line}");
        }
    }
}
