//! The options of `httptrace`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expect, HeaderLine, Payload, Version, private};
use crate::probe::{Egress, Target};
use crate::units::Span;

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
    /// Ask for a compressed body (zstd, br, gzip, deflate), decode it, and count it before and after.
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
    #[arg(long, visible_alias = "ca-file", value_name = "FILE")]
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
    /// Let new connections resume the TLS sessions of earlier legs and repeats (tickets, RFC 8446 §2.2); otherwise each
    /// handshake is a whole one. No early data is sent.
    #[arg(long)]
    pub resume: bool,
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
            resume: false,
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
