//! Who resolves names here, and which proxies programs are told to use.

use std::env;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Asked;
use super::source::Source;

/// The stub of systemd-resolved: who is asked behind it stands in a file of its own.
const STUB: &str = "127.0.0.53";

/// Resolvers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resolvers {
    /// The name servers of resolv.conf(5).
    pub servers: Vec<String>,
    /// Whom systemd-resolved asks, where it is the one of `servers`.
    pub upstream: Vec<String>,
    /// The domains that are appended to short names.
    pub search: Vec<String>,
    /// The options of resolv.conf(5).
    pub options: Vec<String>,
    /// How nsswitch.conf(5) has hosts looked up.
    pub nsswitch: Option<String>,
    /// What came of one question to each of them, or of those behind the stub.
    pub asked: Vec<Asked>,
}

/// A proxy, from the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proxy {
    /// The variable.
    pub variable: String,
    /// Its value, without credentials.
    pub value: String,
}

impl Resolvers {
    pub(super) fn read(source: &mut Source) -> Self {
        let text = source.text("/etc/resolv.conf").unwrap_or_default();
        let mut found = Self::parse(&text);
        if found.servers.iter().any(|server| server == STUB) {
            let text = source.text_if_any("/run/systemd/resolve/resolv.conf").unwrap_or_default();
            found.upstream = Self::parse(&text).servers;
        }
        let switch = source.text_if_any("/etc/nsswitch.conf").unwrap_or_default();
        let hosts = switch.lines().find_map(|line| line.trim_start().strip_prefix("hosts:"));
        found.nsswitch = hosts.map(|hosts| hosts.split_whitespace().collect::<Vec<_>>().join(" "));
        found
    }

    /// Those that answer for this host: behind a stub of its own the servers that it asks.
    pub(super) fn answering(&self) -> &[String] {
        if self.upstream.is_empty() { &self.servers } else { &self.upstream }
    }

    fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace().map(str::to_owned);
            match words.next().as_deref() {
                Some("nameserver") => found.servers.extend(words.next()),
                // The last of the two wins.
                Some("search" | "domain") => found.search = words.collect(),
                Some("options") => found.options.extend(words),
                _ => {}
            }
        }
        found
    }
}

impl Proxy {
    /// The proxies that this process was told of.
    pub(super) fn read() -> Vec<Self> {
        let names = [
            "http_proxy",
            "https_proxy",
            "all_proxy",
            "no_proxy",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "NO_PROXY",
        ];
        let set = names
            .iter()
            .filter_map(|name| Some((*name, env::var(name).ok().filter(|value| !value.is_empty())?)));
        set.map(|(name, value)| Self { variable: name.to_owned(), value: without_credentials(&value) })
            .collect()
    }
}

/// `http://user:password@proxy:3128` as `http://proxy:3128`.
fn without_credentials(value: &str) -> String {
    let (scheme, rest) = value.split_once("://").map_or(("", value), |(scheme, rest)| (scheme, rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let mark = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{mark}{host}{}", if path == "/" { "" } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolvers_file_is_read_as_the_library_does() {
        let text = "# by hand\nnameserver 192.0.2.1\nnameserver 2001:db8::1 ; old\ndomain a.example\nsearch b.example c.example\n\
                    options edns0 trust-ad\nsortlist 1\n";
        let found = Resolvers::parse(text);
        assert_eq!(found.servers, ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(found.search, ["b.example", "c.example"]);
        assert_eq!(found.options, ["edns0", "trust-ad"]);
    }

    #[test]
    fn a_proxys_credentials_are_nowhere() {
        for (value, expected) in [
            ("http://user:s3cret@proxy.example:3128/", "http://proxy.example:3128"),
            ("user:s3cr@et@proxy.example", "proxy.example"),
            ("socks5h://proxy.example", "socks5h://proxy.example"),
            ("localhost,.example", "localhost,.example"),
        ] {
            assert_eq!(without_credentials(value), expected);
        }
    }
}
