//! Which version of HTTP is spoken: curl's flags.

use std::cmp::Reverse;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which version of HTTP is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HttpVersion")]
pub enum Version {
    /// HTTP/2 where a server of TLS speaks it (ALPN, RFC 7301), else HTTP/1.1.
    #[default]
    #[serde(rename = "any")]
    Any,
    /// HTTP/1.1 only.
    #[serde(rename = "http1.1")]
    Http11,
    /// HTTP/2 where a server of TLS speaks it, else HTTP/1.1: the default.
    #[serde(rename = "http2")]
    Http2,
    /// HTTP/2 without TLS, from the first octet on.
    #[serde(rename = "http2-prior-knowledge")]
    PriorKnowledge,
    /// HTTP/3 and the others side by side: whichever connection stands first.
    #[serde(rename = "http3")]
    Http3,
    /// HTTP/3 only.
    #[serde(rename = "http3-only")]
    Http3Only,
}

/// Each flag, with its word in files.
const FLAGS: [(&str, Version, &str); 5] = [
    ("http1.1", Version::Http11, "Speak HTTP/1.1 only"),
    ("http2", Version::Http2, "Speak HTTP/2 where the server offers it (ALPN): the default"),
    ("http2-prior-knowledge", Version::PriorKnowledge, "Speak HTTP/2, also without TLS"),
    ("http3", Version::Http3, "Try HTTP/3 beside the others, and use whichever connection stands first"),
    ("http3-only", Version::Http3Only, "Speak HTTP/3 only"),
];

impl Args for Version {
    fn augment_args(command: Command) -> Command {
        let flag = |(id, _, help): &(&'static str, Version, &'static str)| {
            Arg::new(*id).long(*id).help(*help).action(ArgAction::SetTrue)
        };
        command.next_help_heading("HTTP version").args(FLAGS.iter().map(flag)).next_help_heading(None::<&str>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// How much a value counts by where it comes from: a flag beats a variable, and that the file.
const fn weight(source: ValueSource) -> u8 {
    match source {
        ValueSource::CommandLine => 2,
        ValueSource::EnvVariable => 1,
        _ => 0,
    }
}

impl clap::FromArgMatches for Version {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let set = |id: &str| matches.value_source(id).filter(|_| matches.get_flag(id)).map(weight);
        let mut given: Vec<(u8, Self, &str)> =
            FLAGS.iter().filter_map(|&(id, version, _)| Some((set(id)?, version, id))).collect();
        given.sort_by_key(|(weight, ..)| Reverse(*weight));
        match given[..] {
            [] => Ok(Self::Any),
            [(first, _, one), (second, _, other), ..] if first == second => Err(clap::Error::raw(
                clap::error::ErrorKind::ArgumentConflict,
                format!("--{one} and --{other} exclude each other: give one of them\n"),
            )),
            [(_, version, _), ..] => Ok(version),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Version {
    /// What is offered to a server of TLS, the best first (RFC 7301).
    pub(super) const fn alpn(self) -> &'static [&'static [u8]] {
        match self {
            Self::Http11 => &[b"http/1.1"],
            Self::PriorKnowledge => &[b"h2"],
            _ => &[b"h2", b"http/1.1"],
        }
    }

    /// Whether HTTP/3 is tried.
    pub(super) const fn wants_http3(self) -> bool {
        matches!(self, Self::Http3 | Self::Http3Only)
    }

    /// Whether a URL of `http` is spoken to in HTTP/2.
    pub(super) const fn is_http2_in_clear(self) -> bool {
        matches!(self, Self::PriorKnowledge)
    }
}
