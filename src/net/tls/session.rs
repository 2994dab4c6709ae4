//! What client and server agreed upon, in the names of IANA's registries.

use rustls::{CipherSuite, ClientConnection, HandshakeKind, NamedGroup, ProtocolVersion};

/// A TLS session that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The protocol's version: `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite: `TLS_AES_256_GCM_SHA384`.
    pub suite: String,
    /// The group of the key exchange: `X25519MLKEM768`; `None` where a session of TLS 1.2 is resumed.
    pub group: Option<String>,
    /// The application's protocol (RFC 7301); `None` where the server chose none.
    pub alpn: Option<Vec<u8>>,
    /// How the handshake went.
    pub resumed: Resumed,
}

/// Whether a handshake was a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// All of it.
    Full,
    /// All of it, and one round trip more: the server asked for another group (HelloRetryRequest, RFC 8446 §4.1.4).
    Retried,
    /// An earlier session was resumed.
    Resumed,
}

impl Session {
    /// That of `connection`; `None` before its handshake is done.
    pub fn of(connection: &ClientConnection) -> Option<Self> {
        let group = connection.negotiated_key_exchange_group().map(|group| group_name(group.name()));
        Some(Self {
            version: version_name(connection.protocol_version()?),
            suite: suite_name(connection.negotiated_cipher_suite()?.suite()),
            group,
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            resumed: match connection.handshake_kind()? {
                HandshakeKind::Full => Resumed::Full,
                HandshakeKind::FullWithHelloRetryRequest => Resumed::Retried,
                HandshakeKind::Resumed => Resumed::Resumed,
            },
        })
    }
}

/// The usual name of a protocol version.
pub fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_1 => "TLSv1.1",
        ProtocolVersion::TLSv1_0 => "TLSv1.0",
        ProtocolVersion::SSLv3 => "SSLv3",
        ProtocolVersion::SSLv2 => "SSLv2",
        _ => "unknown",
    }
}

/// IANA's name of a cipher suite; its number where this program has no name for it.
pub fn suite_name(suite: CipherSuite) -> String {
    match suite.as_str() {
        // rustls says of the suites of TLS 1.3 which version they are of.
        Some(name) => name.replacen("TLS13_", "TLS_", 1),
        None => format!("0x{:04X}", u16::from(suite)),
    }
}

/// IANA's name of a group; its number where this program has no name for it.
pub fn group_name(group: NamedGroup) -> String {
    let number = || format!("0x{:04X}", u16::from(group));
    group.as_str().map_or_else(number, |name| match name {
        "X25519" => "x25519".to_owned(),
        "X448" => "x448".to_owned(),
        name => name.to_owned(),
    })
}
