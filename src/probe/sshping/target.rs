//! Who is spoken to, as ssh's users write it.

/// `[user@]host[:port]`, its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// Who logs in.
    pub(super) user: Option<String>,
    /// The host, an IPv6 address without brackets.
    pub(super) host: String,
    /// Its port.
    pub(super) port: Option<u16>,
}

impl Destination {
    /// Reads it; `ssh://` may stand in front.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
        if rest.contains("://") {
            return Err(format!("`{text}` is a URL: name the host alone"));
        }
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        // More than one colon is an IPv6 address, whose port stands behind its brackets.
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, behind)) => (host, Some(behind.strip_prefix(':').unwrap_or(behind))),
            None => match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            },
        };
        let wrong_port = |port: &str| format!("`{port}` is no port: it is 1 to 65535");
        let number =
            |port: &str| port.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| wrong_port(port));
        if host.is_empty() || user == Some("") || host.starts_with('-') {
            return Err(format!("`{text}` names no host: write [user@]host[:port]"));
        }
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port: port.map(number).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_ports_stand_around_the_host() {
        for (text, user, host, port) in [
            ("a.example", None, "a.example", None),
            ("me@a.example", Some("me"), "a.example", None),
            ("me@a.example:2222", Some("me"), "a.example", Some(2222)),
            ("ssh://me@a.example:2222/", Some("me"), "a.example", Some(2222)),
            ("a@b@a.example", Some("a@b"), "a.example", None),
            ("2001:db8::1", None, "2001:db8::1", None),
            ("me@[2001:db8::1]:2222", Some("me"), "2001:db8::1", Some(2222)),
            ("[fe80::1%eth0]", None, "fe80::1%eth0", None),
        ] {
            let expected = Destination { user: user.map(str::to_owned), host: host.to_owned(), port };
            assert_eq!(Destination::parse(text), Ok(expected), "{text}");
        }
        for text in ["", "@a", "me@", "a:0", "a:x", "a:70000", "http://a", "-oProxyCommand=x"] {
            assert!(Destination::parse(text).is_err(), "{text}");
        }
    }
}
