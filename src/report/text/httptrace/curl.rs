//! What `curl -w` prints: its variables, from a report. Times are seconds since the beginning, added up over redirects as curl
//! adds them up; what this program has no such thing of is what curl prints where there is none.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::failure::{Class, Failure};
use crate::net::tls::Verdict;
use crate::probe::Phases;
use crate::probe::httptrace::{HttpTrace, Leg, Report, VARIABLES};
use crate::wire::text::escape;

/// What came of a request.
#[derive(Clone, Copy)]
pub(super) enum Told<'a> {
    /// Answers.
    Found(&'a Report),
    /// None.
    Nothing(&'a Failure),
}

/// A value of curl's: a text or a number in quotes or without in its JSON.
enum Given {
    Text(Option<String>),
    Number(String),
}

impl Given {
    fn number(value: impl ToString) -> Self {
        Self::Number(value.to_string())
    }

    fn seconds(span: Duration) -> Self {
        Self::Number(format!("{:.6}", span.as_secs_f64()))
    }

    fn text(value: impl Into<String>) -> Self {
        Self::Text(Some(value.into()))
    }
}

/// `format` with everything filled in.
pub(super) fn written(format: &str, told: Told<'_>, asked: &HttpTrace) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['%', '\\']) {
        out += &rest[..at];
        rest = &rest[at..];
        let (text, length) = one(rest, told, asked);
        out += &text;
        rest = &rest[length..];
    }
    out + rest
}

/// What stands for the escape or the variable that `text` begins with, and how long that is.
fn one(text: &str, told: Told<'_>, asked: &HttpTrace) -> (String, usize) {
    let mut letters = text.chars();
    let (first, second) = (letters.next(), letters.next());
    match (first, second) {
        (Some('\\'), Some('n')) => ("\n".to_owned(), 2),
        (Some('\\'), Some('r')) => ("\r".to_owned(), 2),
        (Some('\\'), Some('t')) => ("\t".to_owned(), 2),
        (Some('%'), Some('%')) => ("%".to_owned(), 2),
        (Some('%'), Some('{')) => match text.find('}') {
            Some(end) => (variable(&text[2..end], told, asked), end + 1),
            None => ("%{".to_owned(), 2),
        },
        _ => match text.strip_prefix("%header{").and_then(|rest| rest.find('}').map(|end| &rest[..end])) {
            Some(name) => (header(name, told), "%header{}".len() + name.len()),
            None => (first.map(String::from).unwrap_or_default(), first.map_or(0, char::len_utf8)),
        },
    }
}

fn variable(name: &str, told: Told<'_>, asked: &HttpTrace) -> String {
    match name {
        "json" => json(told, asked),
        "header_json" => headers(told),
        // Where to print and when: there is one place, and no error here.
        "stdout" | "stderr" | "onerror" => String::new(),
        _ => match value(name, told, asked) {
            Some(Given::Text(text)) => escape(&text.unwrap_or_default()).into_owned(),
            // A status has three digits.
            Some(Given::Number(number)) if matches!(name, "http_code" | "response_code" | "http_connect") => {
                format!("{number:0>3}")
            }
            Some(Given::Number(number)) => number,
            None => String::new(),
        },
    }
}

fn header(name: &str, told: Told<'_>) -> String {
    let Told::Found(report) = told else { return String::new() };
    let fields = report.legs.last().into_iter().flat_map(|leg| &leg.headers);
    let found =
        fields.filter(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value.as_str()).next();
    escape(found.unwrap_or_default()).into_owned()
}

/// All variables as curl's JSON has them.
fn json(told: Told<'_>, asked: &HttpTrace) -> String {
    let all = VARIABLES.iter().filter_map(|name| {
        let value = match value(name, told, asked)? {
            Given::Text(text) => Value::from(text).to_string(),
            Given::Number(number) => number,
        };
        Some(format!("\"{name}\":{value}"))
    });
    format!("{{{}}}", all.collect::<Vec<_>>().join(","))
}

fn headers(told: Told<'_>) -> String {
    let mut all = Map::new();
    let last = if let Told::Found(report) = told { report.legs.last() } else { None };
    for field in last.into_iter().flat_map(|leg| &leg.headers) {
        let values = all.entry(field.name.clone()).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(field.value.clone().into());
        }
    }
    Value::Object(all).to_string()
}

/// Moments of a leg after its beginning, as curl sees them: it adds each up over all legs.
struct Moments {
    namelookup: Duration,
    connect: Duration,
    appconnect: Duration,
    pretransfer: Duration,
    posttransfer: Duration,
    starttransfer: Duration,
}

impl Moments {
    fn of(leg: &Leg) -> Self {
        let Phases { dns, connect, tls, request, first_byte, transfer, total } = leg.phases;
        let starttransfer = total.saturating_sub(transfer.unwrap_or_default());
        let posttransfer = starttransfer.saturating_sub(first_byte.unwrap_or_default());
        let pretransfer = posttransfer.saturating_sub(request.unwrap_or_default());
        let namelookup = dns.unwrap_or_default();
        let won = leg.attempts.iter().find(|attempt| attempt.won);
        let connect = won.map_or(Duration::ZERO, |won| won.start + connect.unwrap_or_default());
        let appconnect = tls.map_or(Duration::ZERO, |tls| connect + tls);
        // Over QUIC both are one.
        let is_quic = won.is_some_and(|won| won.proto == "quic");
        let appconnect = if is_quic { connect } else { appconnect };
        Self { namelookup, connect, appconnect, pretransfer, posttransfer, starttransfer }
    }
}

fn value(name: &str, told: Told<'_>, asked: &HttpTrace) -> Option<Given> {
    let report = match told {
        Told::Found(report) => report,
        Told::Nothing(failure) => return unmeasured(name, failure, asked),
    };
    let last = report.legs.last()?;
    let sum = |part: fn(&Moments) -> Duration| {
        Given::seconds(report.legs.iter().map(|leg| part(&Moments::of(leg))).sum())
    };
    let count = |part: fn(&Leg) -> u64| report.legs.iter().map(part).sum::<u64>();
    let total = last.start + last.phases.total;
    let speed = |octets: u64| Given::number((octets as f64 / total.as_secs_f64().max(1e-6)).round() as u64);
    let local = |part: fn(SocketAddr) -> String| last.local.map(part);
    Some(match name {
        "certs" => Given::text(""),
        "content_type" => {
            let value = header("content-type", told);
            Given::Text(Some(value).filter(|value| !value.is_empty()))
        }
        "errormsg" | "ftp_entry_path" | "referer" => Given::Text(None),
        "exitcode" => Given::number(0),
        "filename_effective" => Given::Text(asked.output.as_ref().map(|file| file.display().to_string())),
        "http_code" | "response_code" => Given::number(last.status),
        "http_connect"
        | "num_retries"
        | "proxy_ssl_verify_result"
        | "proxy_used"
        | "speed_upload"
        | "urlnum"
        | "xfer_id"
        | "conn_id"
        | "tls_earlydata" => match name {
            "speed_upload" => speed(last.sizes.request_body_bytes),
            _ => Given::number(0),
        },
        "http_version" => Given::text(last.http.clone()),
        "local_ip" => Given::Text(local(|at| at.ip().to_string())),
        "local_port" => Given::number(last.local.map_or(0, |at| at.port())),
        "method" => Given::text(last.method.clone()),
        "num_certs" => Given::number(last.tls.as_ref().map_or(0, |tls| tls.chain_count)),
        "num_connects" => Given::number(count(|leg| u64::from(!leg.reused))),
        "num_headers" => Given::number(last.headers.len()),
        "num_redirects" => Given::number(report.legs.len() - 1),
        "redirect_url" => {
            let redirect = last.redirect.as_ref().filter(|redirect| !redirect.followed);
            Given::Text(redirect.map(|redirect| redirect.url.clone()))
        }
        "remote_ip" => Given::text(last.remote.ip().to_string()),
        "remote_port" => Given::number(last.remote.port()),
        "scheme" => Given::text(last.url.split(':').next().unwrap_or_default().to_ascii_uppercase()),
        "size_download" => Given::number(last.sizes.body_bytes),
        "size_header" => Given::number(count(|leg| leg.sizes.head_bytes)),
        "size_request" => {
            Given::number(count(|leg| leg.sizes.request_head_bytes + leg.sizes.request_body_bytes))
        }
        "size_upload" => Given::number(last.sizes.request_body_bytes),
        "speed_download" => speed(last.sizes.body_bytes),
        // OpenSSL's numbers (verify(1)), which curl prints.
        "ssl_verify_result" => Given::number(match last.tls.as_ref().and_then(|tls| tls.verdict) {
            None | Some(Verdict::Ok | Verdict::Name) => 0,
            Some(Verdict::Expired) => 10,
            Some(Verdict::NotYet) => 9,
            Some(Verdict::Untrusted) => 20,
            Some(Verdict::Revoked) => 23,
            Some(Verdict::Other) => 1,
        }),
        "time_appconnect" => sum(|at| at.appconnect),
        "time_connect" => sum(|at| at.connect),
        "time_namelookup" => sum(|at| at.namelookup),
        "time_posttransfer" => sum(|at| at.posttransfer),
        "time_pretransfer" => sum(|at| at.pretransfer),
        "time_starttransfer" => sum(|at| at.starttransfer),
        "time_queue" => Given::seconds(Duration::ZERO),
        "time_redirect" => Given::seconds(last.start),
        "time_total" => Given::seconds(total),
        "url" => Given::text(report.legs.first()?.url.clone()),
        "url_effective" => Given::text(last.url.clone()),
        "curl_version" => Given::text(concat!("waddleperf/", env!("CARGO_PKG_VERSION"))),
        _ => return None,
    })
}

/// What curl prints of a request that has no answer: why, and nothing else.
fn unmeasured(name: &str, failure: &Failure, asked: &HttpTrace) -> Option<Given> {
    Some(match name {
        "errormsg" => Given::text(failure.detail.as_str()),
        // libcurl-errors(3).
        "exitcode" => Given::number(match failure.class {
            Class::Usage => 3,
            Class::Resolve => 6,
            Class::Unreachable | Class::Refused => 7,
            Class::Timeout => 28,
            Class::Tls => 35,
            Class::Cancelled => 42,
            _ => 56,
        }),
        "url" | "url_effective" => Given::text(asked.target.as_str()),
        "curl_version" => Given::text(concat!("waddleperf/", env!("CARGO_PKG_VERSION"))),
        "certs" | "local_ip" | "remote_ip" => Given::text(""),
        "http_version" => Given::text("0"),
        "method" => Given::text(asked.request.as_deref().unwrap_or("GET")),
        "content_type" | "filename_effective" | "ftp_entry_path" | "redirect_url" | "referer" | "scheme" => {
            Given::Text(None)
        }
        _ if name.starts_with("time_") => Given::seconds(Duration::ZERO),
        _ if VARIABLES.contains(&name) => Given::number(0),
        _ => return None,
    })
}
