//! As much TLS as a client needs that only asks: it writes a ClientHello ([`Hello`]), reads what comes before anything is
//! encrypted ([`Flight`]) and closes. SSL 2 to TLS 1.3 (RFC 6101, 2246, 4346, 5246, 8446); nothing here is secret.

mod certificate;
mod flight;
mod group;
mod hello;
mod suite;

pub use certificate::own_extension;
pub use flight::{Exchange, Flight, Garbled, MOST_OCTETS, ServerHello, fuzz};
pub use group::{GROUPS, SHARES, SIGNATURES, group_name, is_post_quantum, signature_name, signs_tls13};
pub use hello::{HELLO_V2, Hello};
pub use suite::{FALLBACK_SCSV, Suite};

/// The extension with timestamps of certificate logs (RFC 6962 §3.3.1).
pub const TIMESTAMPS: u16 = extension::TIMESTAMPS;
/// SSL 2.0, which has a format of its own.
pub const SSL2: u16 = 0x0002;
/// SSL 3.0 (RFC 6101).
pub const SSL3: u16 = 0x0300;
/// TLS 1.0 (RFC 2246).
pub const TLS1_0: u16 = 0x0301;
/// TLS 1.1 (RFC 4346).
pub const TLS1_1: u16 = 0x0302;
/// TLS 1.2 (RFC 5246).
pub const TLS1_2: u16 = 0x0303;
/// TLS 1.3 (RFC 8446).
pub const TLS1_3: u16 = 0x0304;

/// The extensions that are written or read here (IANA's registry of TLS extension types).
mod extension {
    pub(super) const NAME: u16 = 0;
    pub(super) const GROUPS: u16 = 10;
    pub(super) const POINTS: u16 = 11;
    pub(super) const SIGNATURES: u16 = 13;
    pub(super) const HEARTBEAT: u16 = 15;
    pub(super) const ALPN: u16 = 16;
    pub(super) const TIMESTAMPS: u16 = 18;
    pub(super) const PADDING: u16 = 21;
    pub(super) const MASTER_SECRET: u16 = 23;
    pub(super) const TICKET: u16 = 35;
    pub(super) const VERSIONS: u16 = 43;
    pub(super) const KEY_SHARE: u16 = 51;
    pub(super) const RENEGOTIATION: u16 = 0xff01;
}

/// The usual name of a protocol version; its number where it has none.
pub fn version_name(version: u16) -> String {
    match version {
        SSL2 => "SSLv2".to_owned(),
        SSL3 => "SSLv3".to_owned(),
        TLS1_0..=TLS1_3 => format!("TLSv1.{}", version - TLS1_0),
        other => format!("0x{other:04x}"),
    }
}

/// What an alert says, in IANA's word (RFC 8446 §6); its number where it has none.
pub fn alert_name(alert: u8) -> String {
    let name = match alert {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// Splits what is in front of `octets` off: what follows a length of `size` octets. `None` where it is cut short.
fn sized<'a>(octets: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    let (length, rest) = octets.split_at_checked(size)?;
    let length = length.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
    let (body, rest) = rest.split_at_checked(length)?;
    *octets = rest;
    Some(body)
}

/// Takes a number of two octets from the front of `octets`.
fn word(octets: &mut &[u8]) -> Option<u16> {
    let (two, rest) = octets.split_first_chunk()?;
    *octets = rest;
    Some(u16::from_be_bytes(*two))
}
