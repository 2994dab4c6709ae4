//! `sshping`: how long SSH takes to log in, how it feels to type through it, and what goes through it, by libssh2.
//!
//! [`mod@line`] makes a session of it that never blocks; [`banner`], [`login`], [`echo`] and [`transfer`] are its steps;
//! [`known`] and [`config`] read the files that ssh(1) reads, without a line of it being obeyed that is not needed here.

mod agent;
mod banner;
mod config;
mod disk;
mod echo;
mod guard;
mod key;
mod known;
mod line;
mod login;
mod pattern;
mod report;
mod run;
mod target;
mod transfer;

pub use report::{Algorithms, Echo, HostKey, Login, Phases, Report, Trust};
pub use transfer::Transfer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ctx, Egress, Found, Manual, Measure, Options, Scalar, Target, Traffic};
use crate::failure::Fault;
use crate::units::Span;
use target::Destination;

/// Characters of one run.
const MOST_CHARACTERS: u64 = 1_000_000;
/// MB that are sent and fetched at most.
const MOST_MEGABYTES: u32 = 16_384;

/// The options of `sshping`, and what a record says was asked.
#[derive(Clone, Debug, PartialEq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SshPing {
    /// Host name or address, with a user in front and a port behind where they are others: user@host.example:2222.
    #[arg(value_name = "[USER@]HOST[:PORT]", default_value = "", hide_default_value = true)]
    pub target: Target,
    /// The server's port [default: 22, or what ~/.ssh/config says].
    #[arg(short, long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// Log in as this user [default: what ~/.ssh/config says, or you].
    #[arg(short = 'l', long, value_name = "USER")]
    pub login: Option<String>,
    /// Log in with this private key; may be given several times [default: the agent's, then ~/.ssh/id_ed25519, id_ecdsa,
    /// id_rsa].
    #[arg(short = 'i', long = "identity", value_name = "FILE")]
    pub identity: Vec<PathBuf>,
    /// What unlocks the private key is the content of this file, which only you can read.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// The password is the content of this file, which only you can read; or of the variable WADDLEPERF_SSH_PASSWORD.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Do not ask the agent for keys.
    #[arg(long)]
    pub no_agent: bool,
    /// Do not log in: only connect and exchange keys, to see that the server is well. The server's key is not judged then.
    #[arg(long)]
    pub no_auth: bool,
    /// The server's key has this fingerprint (SHA256:…, as `ssh-keygen -lf` shows it); no file is asked.
    #[arg(long, value_name = "FINGERPRINT")]
    pub host_key: Option<String>,
    /// Believe a server that nothing is known of, and write its key into the file of known hosts. A changed key never passes.
    #[arg(long)]
    pub accept_new: bool,
    /// The file of known hosts [default: ~/.ssh/known_hosts, and /etc/ssh/ssh_known_hosts].
    #[arg(long, value_name = "FILE")]
    pub known_hosts: Option<PathBuf>,
    /// Read this instead of ~/.ssh/config; `none` reads none.
    #[arg(short = 'F', long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// Characters to send, one after the other has come back.
    #[arg(short, long, value_name = "N", default_value_t = SshPing::default().count)]
    pub count: u64,
    /// Send no more of them after this time.
    #[arg(short = 't', long, visible_alias = "echotime", value_name = "TIME", default_value_t = SshPing::default().time)]
    pub time: Span,
    /// The far side's program that sends back what it gets.
    #[arg(short = 'e', long, visible_alias = "echocmd", value_name = "COMMAND", default_value_t = SshPing::default().echo_command)]
    pub echo_command: String,
    /// Let a terminal echo, below a shell, as when a person types.
    #[arg(long)]
    pub tty: bool,
    /// MB to send and to fetch.
    #[arg(short, long, visible_alias = "speedsize", value_name = "MB", default_value_t = SshPing::default().size)]
    pub size: u32,
    /// Send and fetch a file below /tmp by SFTP, instead of zeros through programs. It is removed afterwards.
    #[arg(long)]
    pub sftp: bool,
    /// Only one of the two: e measures echoes, s speed [default: both].
    #[arg(short = 'r', long, value_name = "e|s", value_enum)]
    pub runtests: Option<Tests>,
    /// End with a line as ping's: rtt min/avg/max/mdev.
    #[arg(short = 'P', long)]
    pub pingsummary: bool,
    /// A connection stands within this time.
    #[arg(short = 'T', long, value_name = "TIME", default_value_t = SshPing::default().connect_timeout)]
    pub connect_timeout: Span,
    /// End after this time, whatever is known then.
    #[arg(short = 'w', long, value_name = "TIME", default_value_t = SshPing::default().deadline)]
    pub deadline: Span,
    /// How the packets leave this host.
    #[command(flatten)]
    pub egress: Egress,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "SshTests")]
pub enum Tests {
    /// Characters there and back.
    #[value(name = "e", alias = "echo")]
    Echo,
    /// What goes through.
    #[value(name = "s", alias = "speed")]
    Speed,
}

impl Default for SshPing {
    fn default() -> Self {
        Self {
            target: Target::default(),
            port: None,
            login: None,
            identity: Vec::new(),
            passphrase_file: None,
            password_file: None,
            no_agent: false,
            no_auth: false,
            host_key: None,
            accept_new: false,
            known_hosts: None,
            ssh_config: None,
            count: 1_000,
            time: Span::secs(20),
            echo_command: "cat".to_owned(),
            tty: false,
            size: 8,
            sftp: false,
            runtests: None,
            pingsummary: false,
            connect_timeout: Span::secs(10),
            deadline: Span::secs(120),
            egress: Egress::default(),
        }
    }
}

impl Options for SshPing {
    const MANUAL: Manual = Manual {
        name: "sshping",
        about: "How SSH logs in, echoes and transfers",
        text: "Connects to an SSH server as ssh does and times each step by itself: TCP, the server's first line, the exchange of \
               keys, logging in, the first sign of life of a program. Then characters are sent one by one, each after the \
               echo of the one before, as a person types; and zeros go there and back, through programs or by SFTP.\n\n\
               The server's key must stand in known_hosts, as with ssh: --accept-new lets a new one in, --host-key names it by \
               its fingerprint, and a changed one never passes. Keys come from the agent and from files, passwords \
               from a file or the variable WADDLEPERF_SSH_PASSWORD and never from the command line. Of ~/.ssh/config HostName, Port, \
               User, IdentityFile and Include (stars in the last part of a path) count; hosts behind a ProxyJump are not measured.\n\n\
               What goes through depends on the cipher, which the record names: ChaCha20-Poly1305 where the server takes it. \
               Time that echoes take beyond the tcp round trip is the far side's: encryption, sshd, its program or terminal.",
        examples: &[
            ("waddleperf sshping host.example", "steps, a thousand echoes, 8 MB each way"),
            (
                "waddleperf sshping --no-auth host.example",
                "is the server there, and how fast are its keys exchanged",
            ),
            ("waddleperf sshping -r e --tty --watch me@host.example", "how typing feels, again and again"),
            ("waddleperf sshping -r s -s 100 --sftp host.example", "100 MB each way by SFTP"),
            (
                "waddleperf sshping --json --fail-on 'rtt_p95 > 50ms' host.example",
                "a check: end with 1 when typing is slow",
            ),
        ],
        files: &[
            ("~/.ssh/config", "HostName, Port, User, IdentityFile, Include"),
            ("~/.ssh/known_hosts, /etc/ssh/ssh_known_hosts", "whose keys are believed"),
        ],
        see_also: &["ssh(1)", "ssh_config(5)", "sshd(8)"],
    };
}

/// The body of the fuzz target for files of known hosts.
pub fn fuzz_known_hosts(octets: &[u8]) {
    known::fuzz(octets);
}

/// The body of the fuzz target for what a server says first.
pub fn fuzz_banner(octets: &[u8]) {
    banner::fuzz(octets);
}

/// The body of the fuzz target for configurations of ssh(1).
pub fn fuzz_config(octets: &[u8]) {
    config::fuzz(octets);
}

impl SshPing {
    /// Whether `tests` are wanted.
    fn wants(&self, tests: Tests) -> bool {
        !self.no_auth && self.runtests.is_none_or(|only| only == tests)
    }

    /// Octets that go each way.
    fn bytes(&self) -> u64 {
        u64::from(self.size) * 1_000_000
    }
}

impl Measure for SshPing {
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

    /// More than one login a second looks like an attack to a server.
    fn pace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn inputs(&self) -> Vec<&Path> {
        let files = [&self.passphrase_file, &self.password_file, &self.known_hosts, &self.ssh_config];
        let files = files.into_iter().flatten().chain(&self.identity).map(PathBuf::as_path);
        files.filter(|file| *file != Path::new("none")).collect()
    }

    fn check(&self) -> Result<(), Fault> {
        if self.target.is_open() {
            return Err(Fault::of("target", "is missing: name the host to log in to, as [user@]host[:port]"));
        }
        Destination::parse(self.target.as_str()).map_err(|why| Fault::of("target", why))?;
        if self.wants(Tests::Echo) && !(1..=MOST_CHARACTERS).contains(&self.count) {
            return Err(Fault::of("count", format_args!("takes 1 to {MOST_CHARACTERS} characters")));
        }
        if self.wants(Tests::Speed) && !(1..=MOST_MEGABYTES).contains(&self.size) {
            return Err(Fault::of("size", format_args!("takes 1 to {MOST_MEGABYTES} MB")));
        }
        for (key, span) in
            [("time", self.time), ("connect-timeout", self.connect_timeout), ("deadline", self.deadline)]
        {
            if span.0.is_zero() {
                return Err(Fault::of(key, "takes a span above 0, such as 10s"));
            }
        }
        if self.host_key.as_ref().is_some_and(|key| !key.starts_with("SHA256:")) {
            return Err(Fault::of("host-key", "takes a fingerprint as `ssh-keygen -lf` shows it: SHA256:…"));
        }
        if self.no_auth && self.runtests.is_some() {
            return Err(Fault::of("no-auth", "leaves nothing to be measured of what -r names"));
        }
        self.egress.check()
    }

    fn traffic(&self) -> Traffic {
        // A character's packet and its acknowledgement, padded and authenticated; and both transfers.
        let characters = if self.wants(Tests::Echo) { self.count } else { 0 };
        let bytes = if self.wants(Tests::Speed) { 2 * self.bytes() } else { 0 };
        let packets = 40 + 2 * characters + bytes / 1400;
        Traffic {
            packets,
            bytes: 20_000 + 400 * characters + bytes + bytes / 20,
            packets_per_second: 100_000.0,
        }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
