//! What a run of `sshping` found.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::transfer::Transfer;
use crate::failure::Failure;
use crate::probe::{Findings, Packets, Rtt, Scalar, Scalars, TcpState};
use crate::stats::Sketch;
use crate::units::{Unit, ms};

/// A session of SSH: its phases, how it echoes, and what goes through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SshPingReport")]
pub struct Report {
    /// The port.
    pub port: u16,
    /// What the server calls itself: `SSH-2.0-OpenSSH_9.2`; null where it said so only after us.
    pub banner: Option<String>,
    /// How long each step took.
    pub phases: Phases,
    /// What both sides agreed upon.
    pub algorithms: Algorithms,
    /// The server's key.
    pub host_key: HostKey,
    /// Who logged in; null with `--no-auth`.
    pub login: Option<Login>,
    /// Characters there and back; null where none were sent.
    pub echo: Option<Echo>,
    /// To the far side; null where it was not measured.
    pub upload: Option<Transfer>,
    /// From there; null where it was not measured.
    pub download: Option<Transfer>,
    /// What the kernel says of the connection at the end.
    pub tcp: Option<TcpState>,
    /// What of all that came to nothing, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

/// The steps of a session, each by itself. Null where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SshPhases")]
pub struct Phases {
    /// Until the name had an address; null of an address.
    #[serde(rename = "dns_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub dns: Option<Duration>,
    /// From SYN to a TCP connection.
    #[serde(rename = "connect_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub connect: Option<Duration>,
    /// From there to the server's first line (RFC 4253 §4.2).
    #[serde(rename = "banner_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub banner: Option<Duration>,
    /// From there to new keys (RFC 4253 §7.3).
    #[serde(rename = "kex_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub kex: Option<Duration>,
    /// From there to being logged in (RFC 4252).
    #[serde(rename = "auth_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub auth: Option<Duration>,
    /// From there to the first sign of life of a program at the far side (RFC 4254).
    #[serde(rename = "channel_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub channel: Option<Duration>,
}

impl Phases {
    /// All of them with their names, in their order.
    pub const fn named(&self) -> [(&'static str, Option<Duration>); 6] {
        [
            ("dns", self.dns),
            ("connect", self.connect),
            ("banner", self.banner),
            ("kex", self.kex),
            ("auth", self.auth),
            ("channel", self.channel),
        ]
    }

    /// All together: how long one waits for a prompt.
    pub fn total(&self) -> Duration {
        self.named().iter().filter_map(|(_, span)| *span).sum()
    }
}

/// What client and server agreed upon (RFC 4253 §7.1), by SSH's own names. Null where libssh2 does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SshAlgorithms")]
pub struct Algorithms {
    /// The exchange of keys: `curve25519-sha256`.
    pub kex: Option<String>,
    /// The kind of the server's key: `ssh-ed25519`.
    pub host_key: Option<String>,
    /// The cipher of what is sent.
    pub cipher_up: Option<String>,
    /// The cipher of what comes.
    pub cipher_down: Option<String>,
}

/// The server's key, and why it is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SshHostKey")]
pub struct HostKey {
    /// Its kind.
    pub kind: String,
    /// Its fingerprint, as ssh-keygen(1) writes it: `SHA256:…`.
    pub fingerprint: String,
    /// Why it is believed.
    pub trust: Trust,
}

/// Why a server's key is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SshTrust")]
pub enum Trust {
    /// It stands in a file of known hosts.
    Known,
    /// Its fingerprint was given by `--host-key`.
    Given,
    /// It was new, and `--accept-new` let it in; it stands in the file of known hosts now.
    Accepted,
    /// It was not looked at: nobody logs in.
    Unchecked,
}

/// Who logged in, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SshLogin")]
pub struct Login {
    /// As whom.
    pub user: String,
    /// How: `none`, `agent`, `publickey`, `password`, `keyboard-interactive`.
    pub method: String,
    /// What the server accepts.
    pub offered: Vec<String>,
}

/// Characters there and back, one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SshEcho")]
pub struct Echo {
    /// Who echoed: a terminal (`tty`) or a program (`exec`).
    pub by: String,
    /// Characters that were sent.
    pub sent: u64,
    /// Those that came back.
    pub received: u64,
    /// From a character to its echo: network, both ends of SSH, and the far side's program or terminal. Null without any.
    pub rtt: Option<Rtt>,
    /// All of them, mergeable with other runs'.
    pub rtt_sketch: Sketch,
}

impl Report {
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let mut scalars = Rtt::scalars(report.and_then(|report| report.echo.as_ref()?.rtt.as_ref()));
        let rate = |name: &'static str, of: Option<&Transfer>| Scalar {
            name: name.into(),
            unit: Unit::BitsPerSecond,
            value: of.and_then(|transfer| transfer.throughput_bps),
        };
        scalars.extend([
            Scalar::time("lookup", report.and_then(|report| report.phases.dns)),
            Scalar::time("connect", report.and_then(|report| report.phases.connect)),
            Scalar::time("total", report.map(|report| report.phases.total())),
            rate("throughput_up", report.and_then(|report| report.upload.as_ref())),
            rate("throughput_down", report.and_then(|report| report.download.as_ref())),
        ]);
        scalars
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        self.failures.is_empty()
    }

    fn packets(&self) -> Option<Packets> {
        let echo = self.echo.as_ref()?;
        Some(Packets { sent: echo.sent, lost: echo.sent - echo.received, rtt: echo.rtt_sketch.clone() })
    }
}
