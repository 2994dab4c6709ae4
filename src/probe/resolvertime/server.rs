//! Who is asked, and how: what a word for a server means, and the servers that this host has.

use std::fmt;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ResolverTime;

/// How queries travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP (RFC 1035 §4.2.1), and TCP where an answer is truncated.
    #[default]
    Udp,
    /// TCP (RFC 7766).
    Tcp,
    /// TLS (RFC 7858).
    #[value(alias = "tls")]
    Dot,
    /// HTTPS (RFC 8484), by HTTP/2.
    #[value(alias = "https")]
    Doh,
    /// QUIC (RFC 9250).
    #[value(alias = "quic")]
    Doq,
    /// As programs of this host look names up: getaddrinfo(3), with everything that nsswitch.conf(5) has.
    #[value(skip)]
    System,
}

impl Transport {
    /// Its word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Dot => "dot",
            Self::Doh => "doh",
            Self::Doq => "doq",
            Self::System => "system",
        }
    }

    /// The port of its services.
    pub const fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp | Self::System => 53,
            Self::Dot | Self::Doq => 853,
            Self::Doh => 443,
        }
    }

    /// Whether the case of a name's letters is mixed: where answers could be guessed.
    pub(super) const fn mixes(self) -> bool {
        matches!(self, Self::Udp | Self::Tcp | Self::Dot)
    }

    /// Whether what travels cannot be read on the way: then it is padded.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Dot | Self::Doh | Self::Doq)
    }
}

/// A server as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// As written.
    pub(super) text: String,
    pub(super) transport: Transport,
    /// Its name or address.
    pub(super) host: String,
    pub(super) port: u16,
    /// The path of its service, over HTTPS.
    pub(super) path: String,
    /// The name in its certificate.
    pub(super) name: String,
}

impl Spec {
    /// What `text` means, where `probe` says what it leaves open.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str, probe: &ResolverTime) -> Result<Self, String> {
        let text = text.trim().trim_start_matches('@');
        let (transport, host, port, path, name) = match text.contains("://") {
            true => of_url(text)?,
            false => {
                let (host, port) = parted(text)?;
                (probe.transport, host, port, None, None)
            }
        };
        if host.is_empty() {
            return Err(format!("`{text}` names no host"));
        }
        let name = probe.tls_name.clone().or(name).unwrap_or_else(|| host.clone());
        Ok(Self {
            text: text.to_owned(),
            transport,
            port: port.or(probe.port).unwrap_or(transport.port()),
            path: path.unwrap_or_else(|| probe.path.clone()),
            host,
            name,
        })
    }

    /// One of this host's own, asked directly.
    pub(super) fn direct(address: &str, probe: &ResolverTime) -> Option<Self> {
        Self::parse(address, probe).ok()
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

type Parts = (Transport, String, Option<u16>, Option<String>, Option<String>);

fn of_url(text: &str) -> Result<Parts, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}`: {error}"))?;
    let transport = match url.scheme() {
        "udp" | "dns" => Transport::Udp,
        "tcp" => Transport::Tcp,
        "tls" | "dot" => Transport::Dot,
        "https" | "doh" => Transport::Doh,
        "quic" | "doq" => Transport::Doq,
        scheme => {
            return Err(format!("`{text}`: {scheme} is no way to ask; there are udp, tcp, tls, https, quic"));
        }
    };
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(format!("`{text}`: neither accounts nor questions go into a server's URL"));
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let path =
        Some(url.path()).filter(|path| path.len() > 1 && transport == Transport::Doh).map(str::to_owned);
    Ok((transport, host, url.port(), path, url.fragment().map(str::to_owned)))
}

/// Host and port of `192.0.2.1:53`, `[::1]:53`, `host`.
fn parted(text: &str) -> Result<(String, Option<u16>), String> {
    let number = |port: &str| {
        port.parse::<u16>()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("`{text}`: {port} is no port"))
    };
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = rest.strip_prefix(':').map(number).transpose()?;
        return Ok((host.to_owned(), port));
    }
    match text.rsplit_once(':') {
        // More than one colon is an IPv6 address.
        Some((host, port)) if !host.contains(':') => Ok((host.to_owned(), Some(number(port)?))),
        _ => Ok((text.to_owned(), None)),
    }
}

/// The name servers of a resolv.conf(5), at most `most`.
pub(super) fn of_resolv_conf(text: &str, most: usize) -> Vec<String> {
    let lines = text.lines().map(|line| line.split(['#', ';']).next().unwrap_or_default());
    let mut servers: Vec<String> = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        if let (Some("nameserver"), Some(server)) = (words.next(), words.next())
            && servers.len() < most
            && !servers.iter().any(|known| known == server)
        {
            servers.push(server.to_owned());
        }
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_a_name_or_a_url() {
        let probe = ResolverTime { port: Some(99), ..ResolverTime::default() };
        for (text, expected) in [
            ("192.0.2.1", "udp 192.0.2.1 99 /dns-query 192.0.2.1"),
            ("@192.0.2.1:5", "udp 192.0.2.1 5 /dns-query 192.0.2.1"),
            ("2001:db8::1", "udp 2001:db8::1 99 /dns-query 2001:db8::1"),
            ("[::1]:5", "udp ::1 5 /dns-query ::1"),
            ("fe80::1%eth0", "udp fe80::1%eth0 99 /dns-query fe80::1%eth0"),
            ("tls://192.0.2.1#dns.example", "dot 192.0.2.1 99 /dns-query dns.example"),
            ("tls://[2001:db8::1]:8853", "dot 2001:db8::1 8853 /dns-query 2001:db8::1"),
            ("https://dns.example:8443/q", "doh dns.example 8443 /q dns.example"),
            ("quic://dns.example", "doq dns.example 99 /dns-query dns.example"),
        ] {
            let Spec { transport, host, port, path, name, .. } = Spec::parse(text, &probe).expect(text);
            assert_eq!(format!("{} {host} {port} {path} {name}", transport.word()), expected, "{text}");
        }
        for text in ["", "@", "ftp://a", "a:b", "a:0", "https://u:p@a/", "https://a/?dns=x", "tls://"] {
            assert!(Spec::parse(text, &probe).is_err(), "{text}");
        }
    }

    #[test]
    fn each_name_server_of_resolv_conf_is_one() {
        let text = "# nameserver 1\nnameserver 192.0.2.1 ; x\nsearch a\nnameserver ::1\nnameserver 192.0.2.1\nnameserver 2\n";
        assert_eq!(of_resolv_conf(text, 3), ["192.0.2.1", "::1", "2"]);
        assert_eq!(of_resolv_conf(text, 1), ["192.0.2.1"]);
    }
}
