//! `tls`: what a TLS server is and whether it is to be believed: certificates as sent and as built, names, expiry, what was
//! agreed upon, resumption, the staple; with `--scan` all versions, suites and groups that it offers.
//!
//! A handshake that believes everybody comes first ([`session`]); what it has shown is judged afterwards ([`finding`]), so that
//! a bad certificate spoils no report. The scan ([`scan`]) writes its own ClientHellos, because no library offers what is
//! broken.

mod finding;
mod link;
mod peek;
mod report;
mod run;
mod scan;
mod session;
mod staple;
mod starttls;
mod transparency;
mod weakness;

pub use report::{
    Finding, Group, Http, Logged, Offered, Phases, Report, Resumption, Revocation, Scan, Staple,
    Transparency, Versions, Way as TimestampWay,
};
pub use starttls::Starttls;

use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use rustls::pki_types::ServerName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::own_thread::on_a_worker;
use super::{Ctx, Egress, Found, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::net::tls::Verdict;
use crate::units::Span;

/// The longest that a run may take.
const LONGEST: Duration = Duration::from_secs(3600);
/// Connections of a run without a scan, and of one with it, at most.
const CONNECTIONS: [u64; 2] = [5, 1000];
/// Packets and octets of a connection with a handshake, about.
const PER_CONNECTION: (u64, u64) = (16, 12_000);

/// The options of `tls`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Host name or address, with a port if you like: `host.example:8443`.
    #[arg(value_name = "TARGET", default_value = "", hide_default_value = true)]
    pub target: Target,
    /// The port [default: 443, or that of what --starttls names].
    #[arg(short, long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// Ask for this name (SNI) and expect its certificate [default: the target].
    #[arg(long, value_name = "NAME")]
    pub servername: Option<String>,
    /// Speak this first, and then change to TLS.
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    pub starttls: Option<Starttls>,
    /// Offer these application protocols, separated by commas [default: h2,http/1.1; none with --starttls].
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub alpn: Option<Vec<String>>,
    /// Believe the authorities in this file (PEM), and no others [default: this host's].
    #[arg(long, visible_alias = "cacert", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Ask for everything that it offers: versions, suites, groups, signatures, and what is weak about them.
    #[arg(long)]
    pub scan: bool,
    /// Connections per second of a scan at most [default: as fast as it answers four at the same time].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[schemars(range(min = 1))]
    pub rate: Option<u32>,
    /// Warn of certificates that expire within this time.
    #[arg(long, value_name = "TIME", default_value_t = Tls::default().expiry_warn)]
    pub expiry_warn: Span,
    /// How long each step of a connection may take: connecting, STARTTLS, the handshake.
    #[arg(long, value_name = "TIME", default_value_t = Tls::default().timeout)]
    pub timeout: Span,
    /// End after this time, whatever is known then.
    #[arg(short = 'w', long, value_name = "TIME", default_value_t = Tls::default().deadline)]
    pub deadline: Span,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            target: Target::default(),
            port: None,
            servername: None,
            starttls: None,
            alpn: None,
            ca_file: None,
            scan: false,
            rate: None,
            expiry_warn: Span::secs(14 * 86_400),
            timeout: Span::secs(5),
            deadline: Span::secs(60),
            egress: Egress::default(),
        }
    }
}

impl Options for Tls {
    const MANUAL: Manual = Manual {
        name: "tls",
        about: "Certificates, names, expiry, versions and suites of a TLS server",
        text: "Shakes hands once as a modern client does, and tells what was agreed upon, how long each part took, the \
               certificates as they were sent and the path as a client builds it, whether this host's authorities (or those \
               of --ca-file) stand behind it, whether the name fits, when it expires, what is stapled, whether sessions can \
               be resumed and early data sent (a second connection), and how far the server's clock is off, where it answers \
               by HTTP: within a second where that was agreed upon (ALPN), else within 0.25 s.\n\n\
               --scan asks for all versions from SSLv2 to TLSv1.3 and all suites, groups and signatures that have ever been in \
               IANA's lists, by ClientHellos of its own that no library has to agree with, four connections at a time; no \
               handshake is finished and no weakness is exploited.\n\n\
               The certificate is looked at before it is judged, so the report is whole however bad it is; and it is always \
               judged: where a strict client would refuse, the report says so first and the exit code is 1. There is no \
               switch that makes a bad certificate good.\n\n\
               Findings have testssl.sh's identifiers where they mean the same. The signature of a stapled OCSP response is \
               not checked, and nothing is fetched from authorities.",
        examples: &[
            ("waddleperf tls host.example", "who it is, whether that is to be believed, and until when"),
            (
                "waddleperf tls 192.0.2.1:8443 --servername host.example",
                "one server of several, by its address",
            ),
            ("waddleperf tls --scan host.example", "all versions, suites and groups, and what is weak"),
            ("waddleperf tls --starttls smtp -p 587 mail.example", "a mail server"),
            (
                "waddleperf tls --json --fail-on 'tls_expires_in < 14d' host.example",
                "a check: end with 1 when the certificate is bad or soon will be",
            ),
        ],
        files: &[],
        see_also: &["openssl-s_client(1)", "sslscan(1)"],
    };
}

/// Whom a run asks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
    /// Whom the certificate must be for.
    name: ServerName<'static>,
}

impl Place {
    /// The name that is asked for by SNI; an address has none.
    fn sni(&self) -> Option<&str> {
        match &self.name {
            ServerName::DnsName(name) => Some(name.as_ref()),
            _ => None,
        }
    }
}

impl Tls {
    /// Whom to ask.
    ///
    /// # Errors
    /// What is wrong with the target, the port or the name.
    fn place(&self) -> Result<Place, Fault> {
        let text = self.target.as_str();
        let number = |digits: &str| digits.parse::<u16>().ok().filter(|port| *port > 0);
        // More than one colon is an IPv6 address, unless it stands in brackets.
        let split = text.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
        let (host, port) = match split.map(|(host, digits)| (host, number(digits))) {
            Some((host, Some(port))) => (host, Some(port)),
            _ => (text, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Target::from(host).check_host()?;
        if let (Some(one), Some(other)) = (port, self.port)
            && one != other
        {
            return Err(Fault::of("port", format_args!("{other} is not the port in `{text}`: give it once")));
        }
        let port = port.or(self.port).or(self.starttls.map(Starttls::port)).unwrap_or(443);
        let (asked, key) = match &self.servername {
            Some(name) => (name.as_str(), "servername"),
            None => (host.split('%').next().unwrap_or_default(), "target"),
        };
        let name = ServerName::try_from(asked.trim_end_matches('.').to_owned()).map_err(|_| {
            Fault::of(
                key,
                format_args!("`{asked}` is neither a host name nor an address that tls can ask for"),
            )
        });
        // Left open, it is filled in by who runs the probe.
        let name =
            if asked.is_empty() { Ok(ServerName::from(IpAddr::from(Ipv6Addr::UNSPECIFIED))) } else { name };
        Ok(Place { host: host.to_owned(), port, name: name? })
    }

    /// The application's protocols that are offered.
    fn protocols(&self) -> Vec<&[u8]> {
        match (&self.alpn, self.starttls) {
            (Some(names), _) => names.iter().map(String::as_bytes).filter(|name| !name.is_empty()).collect(),
            (None, Some(_)) => Vec::new(),
            (None, None) => vec![b"h2", b"http/1.1"],
        }
    }
}

impl Measure for Tls {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn tells_packets(&self) -> bool {
        false
    }

    fn check(&self) -> Result<(), Fault> {
        if self.target.is_open() {
            return Err(Fault::of("target", "is missing: name the host to look at"));
        }
        self.egress.check()?;
        self.place()?;
        if self.rate == Some(0) {
            return Err(Fault::of("rate", "takes 1 connection a second or more"));
        }
        if self.rate.is_some() && !self.scan {
            return Err(Fault::of("rate", "is for --scan: without it there are a few connections in turn"));
        }
        if self.alpn.iter().flatten().any(|name| name.len() > 255) {
            return Err(Fault::of("alpn", "takes names of 255 octets at most"));
        }
        for (key, span) in [("timeout", self.timeout), ("deadline", self.deadline)] {
            if span.0.is_zero() || span.0 > LONGEST {
                return Err(Fault::of(key, "takes a span above 0 and up to 1h, such as 5s"));
            }
        }
        Ok(())
    }

    fn traffic(&self) -> Traffic {
        let (packets, bytes) = PER_CONNECTION;
        let connections = CONNECTIONS[usize::from(self.scan)];
        let a_second = self.rate.map_or(connections, |rate| connections.min(rate.into()));
        Traffic {
            packets: connections * packets,
            bytes: connections * bytes,
            packets_per_second: (a_second * packets) as f64,
        }
    }

    fn pace(&self) -> Duration {
        // Servers are others'; what is asked here seldom changes.
        Duration::from_secs(if self.scan { 10 } else { 1 })
    }

    fn inputs(&self) -> Vec<&Path> {
        self.ca_file.as_deref().into_iter().collect()
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn is_sequential(&self) -> bool {
        !self.scan
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.scan.as_ref().is_none_or(|scan| scan.incomplete.is_none())
    }

    fn is_broken(&self, report: &Report) -> bool {
        !self.is_whole(report)
    }

    fn exit_code(&self, report: &Report) -> u8 {
        u8::from(report.verify != Verdict::Ok || report.handshake_error.is_some())
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        let (asked, ctx) = (self.clone(), ctx.clone());
        let measured = on_a_worker(async move { asked.measure(&ctx).await }).await;
        measured.unwrap_or_else(Found::nothing)
    }
}

/// The body of the fuzz target for what precedes TLS.
pub fn fuzz_starttls(octets: &[u8]) {
    starttls::fuzz(octets);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(target: &str, change: impl FnOnce(&mut Tls)) -> Result<(String, u16, Option<String>), String> {
        let mut probe = Tls { target: Target::from(target), ..Tls::default() };
        change(&mut probe);
        let place = probe.place().map_err(|fault| fault.of_flag().detail)?;
        let sni = place.sni().map(str::to_owned);
        Ok((place.host, place.port, sni))
    }

    #[test]
    fn a_watch_leaves_servers_alone_for_a_while() {
        let tls = Tls::default();
        assert_eq!(tls.pace(), Duration::from_secs(1));
        assert_eq!(Tls { scan: true, ..tls }.pace(), Duration::from_secs(10));
    }

    #[test]
    fn a_target_is_a_host_with_or_without_a_port() {
        let named =
            |host: &str, port, name: Option<&str>| Ok((host.to_owned(), port, name.map(str::to_owned)));
        let as_it_is = |_: &mut Tls| {};
        assert_eq!(place("h.example", as_it_is), named("h.example", 443, Some("h.example")));
        assert_eq!(place("h.example.:8443", as_it_is), named("h.example.", 8443, Some("h.example")));
        assert_eq!(place("[2001:db8::1]:993", as_it_is), named("2001:db8::1", 993, None));
        assert_eq!(place("fe80::1%eth0", as_it_is), named("fe80::1%eth0", 443, None));
        assert_eq!(place("192.0.2.1", |tls| tls.port = Some(1)), named("192.0.2.1", 1, None));
        let asked = place("192.0.2.1", |tls| tls.servername = Some("h.example".to_owned()));
        assert_eq!(asked, named("192.0.2.1", 443, Some("h.example")));
        let mail = place("m.example", |tls| tls.starttls = Some(Starttls::Imap));
        assert_eq!(mail, named("m.example", 143, Some("m.example")));
        assert_eq!(place("", as_it_is), named("", 443, None));
        for (target, says) in
            [("https://h.example/x", "URL"), ("h.example:0", "port"), ("h_\u{e9}.example", "neither")]
        {
            let why = place(target, as_it_is).expect_err(target);
            assert!(why.contains(says), "{why}");
        }
        let why = place("h.example:1", |tls| tls.port = Some(2)).expect_err("two ports");
        assert!(why.contains("not the port"), "{why}");
    }
}
