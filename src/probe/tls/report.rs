//! What was found of a TLS server.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Starttls;
use crate::net::tls::{Built, Certificate, Verdict};
use crate::probe::{Findings, Scalar, Scalars, Severity};
use crate::units::{Timestamp, Unit, ms};

/// What a TLS server is: how it shook hands, who it says it is, and whether that is to be believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsReport")]
pub struct Report {
    /// The port.
    pub port: u16,
    /// The name that was asked for (SNI, RFC 6066 §3); null where an address was.
    pub server_name: Option<String>,
    /// How the connection was made ready for TLS; null where that began at once.
    pub starttls: Option<Starttls>,
    /// Octets that came in the clear after the server had agreed to TLS, 0 of an honest one; null without a dialogue.
    pub injected_bytes: Option<u64>,
    /// How long each part took.
    pub phases: Phases,
    /// The version that was agreed upon: `TLSv1.3`; null where none was.
    pub version: Option<String>,
    /// The cipher suite, in IANA's words; null where none was agreed upon.
    pub suite: Option<String>,
    /// The group of the key exchange: `X25519MLKEM768`; null where there was none.
    pub group: Option<String>,
    /// The application's protocol (RFC 7301); null where the server chose none.
    pub alpn: Option<String>,
    /// Why the handshake did not come to its end, while the server showed what is told here; null where it did.
    pub handshake_error: Option<String>,
    /// The server wants the client's certificate; null where that cannot be known.
    pub wants_client_certificate: Option<bool>,
    /// What a strict client would say: the worst of path, name and staple.
    pub verify: Verdict,
    /// The same of the path to an authority alone, whatever the name.
    pub verify_path: Verdict,
    /// The certificate is for the name that was asked (RFC 9525): only names among its alternative names count.
    pub name_match: bool,
    /// Why it is not believed, in a few words; null where it is.
    pub verify_error: Option<String>,
    /// The certificates as they were sent, the server's own first, 20 at most.
    pub chain: Vec<Certificate>,
    /// How many there were.
    pub chain_count: u64,
    /// The path from the server's certificate to an authority, as a client builds it.
    pub built: Built,
    /// Seconds until the first certificate of that path expires; negative where one has. Null without a certificate.
    pub expires_in_s: Option<f64>,
    /// Its stapled OCSP response.
    pub ocsp: Staple,
    /// Promises of certificate logs to take its certificate in (RFC 6962).
    #[serde(default)]
    pub transparency: Transparency,
    /// Whether sessions can be resumed; null where the handshake did not end.
    pub resumption: Option<Resumption>,
    /// What it said when it was asked by HTTP; null where it was not, or said nothing.
    pub http: Option<Http>,
    /// Why `http` is null: it was not asked, or gave no answer; null where it did.
    #[serde(default)]
    pub http_error: Option<String>,
    /// What it offers altogether; null without `--scan`.
    pub scan: Option<Scan>,
    /// What is wrong or worth knowing, the worst first.
    pub findings: Vec<Finding>,
}

/// How long each part took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsPhases")]
pub struct Phases {
    /// Looking the name up; null of an address.
    #[serde(rename = "dns_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub dns: Option<Duration>,
    /// The TCP connection: from the first SYN until it stood.
    #[serde(rename = "connect_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub connect: Option<Duration>,
    /// The dialogue before TLS (STARTTLS); null without one.
    #[serde(rename = "starttls_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub starttls: Option<Duration>,
    /// The handshake: from its first octet until the server's proof was checked; null where it did not end.
    #[serde(rename = "tls_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub tls: Option<Duration>,
    /// All of these; null where the handshake did not end.
    #[serde(rename = "total_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub total: Option<Duration>,
}

/// A stapled OCSP response (RFC 6066 §8). Its signature is not checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsStaple")]
pub struct Staple {
    /// There was one.
    pub stapled: bool,
    /// What it says; null where there was none, or it cannot be read, or the responder refused to say.
    pub status: Option<Revocation>,
    /// When this was known to be so.
    #[schemars(with = "Option<String>")]
    pub this_update: Option<Timestamp>,
    /// When it is out of date; null where it does not say.
    #[schemars(with = "Option<String>")]
    pub next_update: Option<Timestamp>,
    /// It is about the server's own certificate, by its number; null without a status.
    pub matches: Option<bool>,
}

/// Promises of certificate logs: signed certificate timestamps (RFC 6962 §3). Their signatures are not checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsTransparency")]
pub struct Transparency {
    /// How many stand in the server's certificate; null where it cannot be read.
    pub in_certificate: Option<u64>,
    /// How many came in the handshake (RFC 6962 §3.3.1), when they were asked for; null where that did not come to a
    /// certificate, or what came is no list of them.
    pub by_tls: Option<u64>,
    /// How many stand in the stapled OCSP response; null without one.
    pub in_staple: Option<u64>,
    /// Each of them, in this order.
    pub timestamps: Vec<Logged>,
}

/// A log's promise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsTimestamp")]
pub struct Logged {
    /// Where it came from.
    pub from: Way,
    /// The log, by SHA-256 of its key, in base64 as in the lists of logs.
    pub log_id: String,
    /// When it was given; null where that is no time.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// How it was signed: `ecdsa-sha256`.
    pub signature: String,
}

/// How a log's promise comes to the client (RFC 6962 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "TlsTimestampWay")]
pub enum Way {
    /// In the certificate.
    Certificate,
    /// In the handshake.
    Tls,
    /// In the stapled OCSP response.
    Staple,
}

/// What an OCSP response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "TlsRevocation")]
pub enum Revocation {
    /// The certificate has not been revoked.
    Good,
    /// It has been.
    Revoked,
    /// The responder does not know it.
    Unknown,
}

/// Whether a second connection could resume the session of the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsResumption")]
pub struct Resumption {
    /// The server gave a ticket (RFC 8446 §4.6.1, RFC 5077) within 0.3 s, or before it answered by HTTP.
    pub ticket: bool,
    /// The server keeps sessions under a number (RFC 5246); null of TLS 1.3, which has none.
    pub session_id: Option<bool>,
    /// The second connection resumed the session; null where there was nothing to resume by, or no second connection.
    pub resumed: Option<bool>,
    /// Its ticket allows early data (0-RTT, RFC 8446 §2.3); null before TLS 1.3 and without a ticket.
    pub early_data: Option<bool>,
    /// How long the second handshake took; null where it resumed nothing.
    #[serde(rename = "tls_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub tls: Option<Duration>,
}

/// What a server says by HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsHttp")]
pub struct Http {
    /// The status of its answer to `HEAD /`.
    pub status: u16,
    /// By how much its clock is before this host's, by its Date, which knows whole seconds: within 0.5 s. Null without a Date.
    pub clock_skew_ms: Option<f64>,
}

/// What a server offers, asked one by one. The versions and suites are those that it chose when they were offered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsScan")]
pub struct Scan {
    /// The versions.
    pub versions: Versions,
    /// The suites of each version, the newest version first, in the order in which the server chose them.
    pub suites: Vec<Offered>,
    /// The groups of the key exchange.
    pub groups: Vec<Group>,
    /// The algorithms with which it signs its part of the key exchange of TLS 1.2 (RFC 8446 §4.2.3).
    pub signatures: Vec<String>,
    /// The algorithms with which it signs its handshake of TLS 1.3, in no order of its own; null where that was not found out: it does
    /// not offer that version, takes none of x25519, secp256r1 and secp384r1, by which it is asked, or gave no answer.
    #[serde(default)]
    pub newer_signatures: Option<Vec<String>>,
    /// It chooses suites by its own preference, in each version that has several; null where none has.
    pub server_order: Option<bool>,
    /// It renegotiates safely (RFC 5746); null where only TLS 1.3 is offered, which never does.
    pub secure_renegotiation: Option<bool>,
    /// It compresses (RFC 3749); null where only TLS 1.3 is offered.
    pub compression: Option<bool>,
    /// It refuses a client that has fallen back to a lower version without need (RFC 7507); null where it offers one version
    /// alone.
    pub fallback_scsv: Option<bool>,
    /// It answers heartbeats (RFC 6520); null where only TLS 1.3 is offered.
    pub heartbeat: Option<bool>,
    /// Connections that were made.
    pub questions: u64,
    /// Those of them that got no answer, twice.
    pub unanswered: u64,
    /// Why not all was asked; null where all was.
    pub incomplete: Option<String>,
    /// How long it took.
    #[serde(rename = "lasted_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub lasted: Duration,
}

/// The versions that a server offers; null where it gave no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsVersions")]
pub struct Versions {
    /// SSL 2.0, forbidden (RFC 6176).
    pub sslv2: Option<bool>,
    /// SSL 3.0, forbidden (RFC 7568).
    pub sslv3: Option<bool>,
    /// TLS 1.0, deprecated (RFC 8996).
    pub tlsv1_0: Option<bool>,
    /// TLS 1.1, deprecated (RFC 8996).
    pub tlsv1_1: Option<bool>,
    /// TLS 1.2.
    pub tlsv1_2: Option<bool>,
    /// TLS 1.3.
    pub tlsv1_3: Option<bool>,
}

/// A suite that a server offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsSuite")]
pub struct Offered {
    /// In this version.
    pub version: String,
    /// Its name in IANA's registry.
    pub suite: String,
    /// Its number there.
    pub code: u16,
    /// Bits of its cipher's key; 0 where nothing is encrypted.
    pub bits: u16,
    /// The group with which it exchanged keys; null where there is none, or the server did not say.
    pub group: Option<String>,
    /// Bits of the prime of a Diffie-Hellman exchange without a named group, or of an exchange for export; null elsewhere.
    pub dh_bits: Option<u16>,
}

/// A group that a server offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsGroup")]
pub struct Group {
    /// Its name in IANA's registry.
    pub group: String,
    /// The versions in which it is offered.
    pub versions: Vec<String>,
}

/// Something that is wrong or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TlsFinding")]
pub struct Finding {
    /// Its name, which stays the same; testssl.sh's where that means the same: `cert_chain_of_trust`.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen, and why it matters: one line.
    pub text: String,
}

impl Versions {
    /// Each with its usual name, the newest first.
    pub fn named(&self) -> [(&'static str, Option<bool>); 6] {
        [
            ("TLSv1.3", self.tlsv1_3),
            ("TLSv1.2", self.tlsv1_2),
            ("TLSv1.1", self.tlsv1_1),
            ("TLSv1.0", self.tlsv1_0),
            ("SSLv3", self.sslv3),
            ("SSLv2", self.sslv2),
        ]
    }
}

impl Report {
    pub(super) fn scalars_of(report: Option<&Self>) -> Vec<Scalar> {
        let time = |name, part: fn(&Phases) -> Option<Duration>| {
            Scalar::time(name, report.and_then(|report| part(&report.phases)))
        };
        let count = |report: &Self| {
            report.findings.iter().filter(|finding| finding.severity != Severity::Info).count()
        };
        let findings = report.map(|report| count(report) as f64);
        vec![
            time("lookup", |phases| phases.dns),
            time("connect", |phases| phases.connect),
            time("tls", |phases| phases.tls),
            time("total", |phases| phases.total),
            Scalar {
                name: "tls_expires_in".into(),
                unit: Unit::Seconds,
                value: report.and_then(|report| report.expires_in_s),
            },
            Scalar { name: "findings".into(), unit: Unit::None, value: findings },
        ]
    }
}

impl Scalars for Report {
    fn scalars(&self) -> Vec<Scalar> {
        Self::scalars_of(Some(self))
    }
}

impl Findings for Report {
    fn replied(&self) -> bool {
        true
    }
}
