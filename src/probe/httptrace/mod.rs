//! `httptrace`: what one answer of HTTP takes, phase by phase, each from the moment in the code that makes it true.
//!
//! [`link`] makes the connection (look-up, race, TLS, judgement), [`watch`] sees on its stream when the request was written and
//! when the answer began, [`exchange`] asks over it, [`intake`] takes the body in under limits, [`run`] goes from leg to leg and from
//! repeat to repeat. [`quic`] is the same way over HTTP/3. What is decided without I/O stands apart: [`request`] (curl's rules for redirects), [`expect`], [`fields`].
//! curl's own form of the result (`-w`) is `report`'s business.

mod exchange;
mod expect;
mod fields;
mod har;
mod intake;
mod link;
mod overrides;
mod private;
mod quic;
mod rates;
mod report;
mod request;
mod run;
mod version;
mod watch;

pub use expect::{Expect, Expectation};
pub use fields::{Cache, Field, Hsts, ServerTiming};
pub use private::{HeaderLine, Payload};
pub use rates::Rates;
pub use report::{
    Attempt, CertificateSummary, Leg, Lookup, Redirect, Repeats, Report, Sizes, Source, TlsSession,
};
pub use version::Version;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use hyper::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Egress, Found, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;
use overrides::{ConnectTo, Resolve};
use request::Line;

/// Octets of a body that are accepted, where nothing else is said and it is not kept (security.md 3.3).
const MOST_BODY: u64 = 10 << 20;
/// Repeats of one run.
const MOST_REPEATS: u64 = 100_000;
/// No time limit is longer.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The options of `httptrace`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
// -I is curl's for HEAD.
#[command(mut_arg("interface", |interface| interface.short(None)))]
pub struct HttpTrace {
    /// URL of http or https; without a scheme it is http, as with curl.
    #[arg(value_name = "URL", default_value = "", hide_default_value = true)]
    #[serde(serialize_with = "private::target")]
    pub target: Target,
    /// Method of the request [default: GET, with -d POST, with -I HEAD].
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub request: Option<String>,
    /// A header of the request, `Name: value`; `Name:` leaves one out; `@FILE` has one on each line. What tells who asks
    /// (Authorization, Cookie, …) is better kept in a file: arguments can be read by everybody on this host.
    #[arg(short = 'H', long, value_name = "LINE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub header: Vec<HeaderLine>,
    /// Send this as a form, several joined by `&`; `@FILE` sends what is in it, without line ends; `@-` is standard input.
    /// curl's long name for it, --data, means this program's own data here.
    #[arg(short = 'd', long, value_name = "DATA")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub body: Vec<Payload>,
    /// Send this as it is; `@FILE` sends what is in it.
    #[arg(long, visible_alias = "data-binary", value_name = "DATA", conflicts_with = "body")]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub body_binary: Option<Payload>,
    /// Ask for the head alone.
    #[arg(short = 'I', long)]
    pub head: bool,
    /// curl's -u, which is refused: everybody on this host could read it.
    #[arg(short = 'u', long, value_name = "USER:PASSWORD", hide = true, value_parser = refused_user)]
    #[serde(skip)]
    #[schemars(skip)]
    pub user: Option<String>,
    /// Send the `user:password` in this file's first line (Basic, RFC 7617).
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_file: Option<PathBuf>,
    /// What the request says that it comes from [default: waddleperf and its version].
    #[arg(short = 'A', long, value_name = "NAME")]
    pub user_agent: Option<String>,
    /// Ask for a compressed body (gzip, deflate), decode it, and count it before and after.
    #[arg(long)]
    pub compressed: bool,
    /// Follow redirects: this is always so unless --no-location is given.
    #[arg(short = 'L', long, overrides_with = "no_location")]
    #[serde(skip)]
    #[schemars(skip)]
    pub location: bool,
    /// Do not follow redirects.
    #[arg(long)]
    pub no_location: bool,
    /// Redirects that are followed at most.
    #[arg(long, value_name = "N", default_value_t = HttpTrace::default().max_redirs)]
    pub max_redirs: u16,
    /// Accept whatever certificate is shown. The report says so, and what is wrong with it.
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// Believe the authorities in this file (PEM) alone.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cacert: Option<PathBuf>,
    /// Use these addresses for a host and port, HOST:PORT:ADDRESS, or more addresses behind commas; `*` is any host.
    #[arg(long, value_name = "WHERE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolve: Vec<String>,
    /// Connect to another host and port, HOST1:PORT1:HOST2:PORT2; an empty one is any, or the same.
    #[arg(long, value_name = "WHERE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connect_to: Vec<String>,
    /// Which version of HTTP.
    #[command(flatten)]
    pub version: Version,
    /// End each repeat after this time, redirects included.
    #[arg(short = 'm', long, value_name = "TIME", default_value_t = HttpTrace::default().max_time)]
    pub max_time: Span,
    /// End each look-up, connection and TLS handshake, together, after this time.
    #[arg(long, value_name = "TIME", default_value_t = HttpTrace::default().connect_timeout)]
    pub connect_timeout: Span,
    /// Octets of a body that are accepted, also decoded [default: 10485760; with -o no limit].
    #[arg(long, value_name = "OCTETS")]
    pub max_bytes: Option<u64>,
    /// Write the body into this file; `-` is standard output.
    #[arg(short = 'o', long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<PathBuf>,
    /// Ask this often.
    #[arg(short = 'c', long, value_name = "N", default_value_t = HttpTrace::default().count)]
    #[schemars(range(min = 1))]
    pub count: u64,
    /// Time between the end of a repeat and the next.
    #[arg(long, value_name = "TIME", default_value_t = HttpTrace::default().interval)]
    pub interval: Span,
    /// Ask each time over the same connection (warm), instead of over a new one (cold).
    #[arg(long)]
    pub keepalive: bool,
    /// What the answer must be, else the exit code is 1: status=200 (or 2xx), header:NAME=VALUE, body~EXPRESSION,
    /// json:/POINTER=VALUE; once for each.
    #[arg(long, value_name = "WHAT")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub expect: Vec<Expect>,
    /// End with 1 when the status is 400 or above.
    #[arg(short = 'f', long)]
    pub fail: bool,
    /// Print this instead, with curl's variables such as %{time_total}; `@FILE` has it. Of several repeats the last is told.
    #[arg(short = 'w', long, value_name = "FORMAT", value_parser = write_out)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_out: Option<String>,
    /// How text looks.
    #[arg(long, value_enum, default_value_t = HttpTrace::default().format)]
    pub format: Form,
    /// Write the requests and answers, the first 1000 at most, into this file, as HAR 1.2.
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub har: Option<PathBuf>,
    /// Show what tells who asks (Authorization, Cookie, …) in report and HAR, instead of masking it.
    #[arg(long)]
    pub show_secrets: bool,
    /// curl's -s, and always so.
    #[arg(short = 's', long, hide = true)]
    #[serde(skip)]
    #[schemars(skip)]
    pub silent: bool,
    /// curl's -S, and always so.
    #[arg(short = 'S', long, hide = true)]
    #[serde(skip)]
    #[schemars(skip)]
    pub show_error: bool,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

/// How text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "HttpForm")]
pub enum Form {
    /// A waterfall.
    #[default]
    Text,
    /// What `curl -w '%{json}'` prints.
    CurlJson,
}

impl Default for HttpTrace {
    fn default() -> Self {
        Self {
            target: Target::default(),
            request: None,
            header: Vec::new(),
            body: Vec::new(),
            body_binary: None,
            head: false,
            user: None,
            user_file: None,
            user_agent: None,
            compressed: false,
            location: false,
            no_location: false,
            max_redirs: 10,
            insecure: false,
            cacert: None,
            resolve: Vec::new(),
            connect_to: Vec::new(),
            version: Version::Any,
            max_time: Span::secs(60),
            connect_timeout: Span::secs(10),
            max_bytes: None,
            output: None,
            count: 1,
            interval: Span::secs(0),
            keepalive: false,
            expect: Vec::new(),
            fail: false,
            write_out: None,
            format: Form::Text,
            har: None,
            show_secrets: false,
            silent: false,
            show_error: false,
            egress: Egress::default(),
        }
    }
}

impl Options for HttpTrace {
    const MANUAL: Manual = Manual {
        name: "httptrace",
        about: "What an answer of HTTP takes: DNS, TCP, TLS, first byte, transfer",
        text: "Asks for a URL once, or -c times, and tells what each phase took: look-up, connection, TLS handshake, request, \
               first byte, transfer; redirects are legs with phases of their own. Addresses of both families race (RFC 8305), \
               and the report lists who took part. HTTP/2 is spoken where the server offers it, HTTP/3 with --http3.\n\n\
               A certificate that is not believed ends the run; -k goes on, and the report says so and what is wrong. An answer \
               is a result whatever its status: --expect, -f and --fail-on decide whether it is good enough.\n\n\
               Flags are curl's where curl has such a flag, and -w takes its variables. Other than curl it follows redirects \
               (--no-location does not), throws the body away (-o keeps it), takes 10 MiB of it at most (--max-bytes) and ends \
               after a minute (-m). Proxies of the environment are not used. What tells who asks (Authorization, Cookie and the \
               like) is masked in records and HAR files, data of the request is not recorded at all.",
        examples: &[
            ("waddleperf httptrace https://www.example", "the phases, as a waterfall"),
            (
                "waddleperf httptrace -c 20 https://www.example",
                "medians and 95th percentiles of new connections",
            ),
            (
                "waddleperf httptrace -c 20 --keepalive https://www.example",
                "the same over one connection: what the server alone takes",
            ),
            (
                "waddleperf httptrace --expect status=200 --expect json:/status=ok https://api.example/health",
                "a check: end with 1 unless the answer is right",
            ),
            (
                "waddleperf httptrace -o page.html --har page.har https://www.example",
                "keep the page, and a file that browsers' tools show",
            ),
            (
                "waddleperf httptrace -w '%{http_code} %{time_starttransfer}\\n' https://www.example",
                "curl's variables, for scripts that have them",
            ),
            (
                "waddleperf httptrace --resolve www.example:443:192.0.2.1 https://www.example",
                "ask one certain server",
            ),
        ],
        files: &[],
        see_also: &["curl(1)", "waddleperf-ping(1)"],
    };
}

/// What fuzzing and the properties do with any octets: read them as what a server says, and as what a person writes.
pub fn fuzz(octets: &[u8]) {
    watch::fuzz(octets);
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
    let _ = (Resolve::parse(&text), ConnectTo::parse(&text), Line::parse(&text));
    if let Ok(expect) = text.parse::<Expect>() {
        let came = expect.judge(200, &hyper::HeaderMap::new(), octets);
        assert!(came.met || came.found.is_none_or(|found| !found.contains(char::is_control)));
    }
}

/// Refuses a password among the arguments.
fn refused_user(_: &str) -> Result<String, String> {
    Err("everybody on this host could read it: put `user:password` into a file and name it by --user-file"
        .to_owned())
}

/// The format itself, or what is in its file.
fn write_out(text: &str) -> Result<String, String> {
    match text.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).map_err(|error| format!("read {file}: {error}")),
        None => Ok(text.to_owned()),
    }
}

impl HttpTrace {
    /// The method, where one was named.
    fn method(&self) -> Result<Option<Method>, String> {
        match (&self.request, self.head) {
            (Some(name), _) => {
                Method::from_bytes(name.as_bytes()).map(Some).map_err(|_| format!("`{name}` is no method"))
            }
            (None, true) => Ok(Some(Method::HEAD)),
            (None, false) => Ok(None),
        }
    }

    fn most_bytes(&self) -> u64 {
        self.max_bytes.unwrap_or(if self.output.is_some() { u64::MAX } else { MOST_BODY })
    }

    fn resolves(&self) -> Result<Vec<Resolve>, String> {
        self.resolve.iter().map(|text| Resolve::parse(text)).collect()
    }

    fn connects(&self) -> Result<Vec<ConnectTo>, String> {
        self.connect_to.iter().map(|text| ConnectTo::parse(text)).collect()
    }

    /// The flag that reads or writes a file of this host, if there is one.
    fn local_file(&self) -> Option<&'static str> {
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

    fn check_all(&self) -> Result<(), Fault> {
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

    fn is_whole(&self, report: &Report) -> bool {
        report.repeats.as_ref().map_or(1, |repeats| repeats.sent) == self.count
    }

    fn exit_code(&self, report: &Report) -> u8 {
        let is_bad = report.unmet() > 0 || self.fail && report.status >= 400;
        u8::from(is_bad)
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};
    use proptest::prelude::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        trace: HttpTrace,
    }

    proptest! {
        #[test]
        fn whatever_is_said_does_no_harm(octets in prop::collection::vec(any::<u8>(), 0..200), text in "[ -~]{0,80}") {
            fuzz(&octets);
            fuzz(text.as_bytes());
        }
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
