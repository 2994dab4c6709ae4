//! `--resolve` and `--connect-to`: curl's ways to send a request somewhere else than its URL says.

use std::net::{IpAddr, SocketAddr};

/// `HOST:PORT:ADDRESS[,ADDRESS]…`: these addresses, instead of what a resolver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resolve {
    host: String,
    port: u16,
    addresses: Vec<IpAddr>,
}

/// `HOST1:PORT1:HOST2:PORT2`: connect to the latter where the URL names the former; what is empty is any, or the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConnectTo {
    from: (Option<String>, Option<u16>),
    to: (Option<String>, Option<u16>),
}

impl Resolve {
    /// # Errors
    /// What it should look like.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}`: takes HOST:PORT:ADDRESS, such as a.example:443:192.0.2.1");
        let (host, rest) = host(text).ok_or_else(wrong)?;
        let (port, addresses) = rest.split_once(':').ok_or_else(wrong)?;
        let address =
            |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| ip.to_canonical());
        let addresses: Result<Vec<_>, _> = addresses.split(',').map(address).collect();
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port: port.parse().map_err(|_| wrong())?,
            addresses: addresses.map_err(|_| wrong())?,
        })
    }

    /// The addresses that it gives for `host` and `port`, if it is about them.
    pub(super) fn of(all: &[Self], host: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let of_host =
            |one: &&Self| (one.host == "*" || one.host.eq_ignore_ascii_case(host)) && one.port == port;
        // As with curl, the last one counts.
        let found = all.iter().rev().find(of_host)?;
        Some(found.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }
}

impl ConnectTo {
    /// # Errors
    /// What it should look like.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}`: takes HOST1:PORT1:HOST2:PORT2, such as a.example:443:b.example:8443");
        let port = |text: &str| match text {
            "" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| wrong()),
        };
        let named = |text: &str| Some(text.to_ascii_lowercase()).filter(|text| !text.is_empty());
        let (from, rest) = host(text).ok_or_else(wrong)?;
        let (from_port, rest) = rest.split_once(':').ok_or_else(wrong)?;
        let (to, to_port) = host(rest).ok_or_else(wrong)?;
        Ok(Self { from: (named(from), port(from_port)?), to: (named(to), port(to_port)?) })
    }

    /// Where to connect to, for `host` and `port`.
    pub(super) fn of(all: &[Self], host: &str, port: u16) -> (String, u16) {
        let is_about = |one: &&Self| {
            one.from.0.as_ref().is_none_or(|from| from.eq_ignore_ascii_case(host))
                && one.from.1.is_none_or(|from| from == port)
        };
        // As with curl, the first one counts.
        let Some(found) = all.iter().find(is_about) else { return (host.to_owned(), port) };
        (found.to.0.clone().unwrap_or_else(|| host.to_owned()), found.to.1.unwrap_or(port))
    }
}

/// The host that `text` begins with, an IPv6 address in brackets, and what follows its colon.
fn host(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            Some((host, rest.strip_prefix(':')?))
        }
        None => text.split_once(':'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_the_addresses_that_were_given() {
        let all = ["A.example:443:192.0.2.1,[2001:db8::1]", "*:80:192.0.2.2", "a.example:443:192.0.2.3"]
            .map(|text| Resolve::parse(text).expect(text));
        let of = |host, port| {
            let found = Resolve::of(&all, host, port).unwrap_or_default();
            found.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("a.example", 443), "192.0.2.3:443");
        assert_eq!(Resolve::of(&all[..1], "a.EXAMPLE", 443).expect("two").len(), 2);
        assert_eq!((of("b.example", 80).as_str(), of("b.example", 443).as_str()), ("192.0.2.2:80", ""));
        for text in ["a.example", "a.example:443", "a.example:x:192.0.2.1", "a.example:443:b.example"] {
            assert!(Resolve::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn connections_go_elsewhere() {
        let all = ["a.example:443:[::1]:8443", "::b.example:", "c.example:80::81"]
            .map(|text| ConnectTo::parse(text).expect(text));
        assert_eq!(ConnectTo::of(&all, "a.example", 443), ("::1".to_owned(), 8443));
        assert_eq!(ConnectTo::of(&all, "x.example", 9), ("b.example".to_owned(), 9));
        assert_eq!(ConnectTo::of(&all[2..], "c.example", 80), ("c.example".to_owned(), 81));
        assert_eq!(ConnectTo::of(&all[2..], "c.example", 443), ("c.example".to_owned(), 443));
        for text in ["a", "a:1", "a:1:b", "a:x:b:1"] {
            assert!(ConnectTo::parse(text).is_err(), "{text}");
        }
    }
}
