//! What `~/.ssh/config` says of a host, as far as a measurement needs it (ssh_config(5)): the first value wins.

use std::path::{Path, PathBuf};

use super::pattern;

/// What is set for a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// Its real name.
    pub(super) hostname: Option<String>,
    /// Its port.
    pub(super) port: Option<u16>,
    /// Who logs in.
    pub(super) user: Option<String>,
    /// The keys.
    pub(super) identities: Vec<PathBuf>,
    /// The way there leads through another host: what ProxyJump or ProxyCommand says.
    pub(super) proxy: Option<String>,
}

impl Settings {
    /// What `text` sets for `host`; `home` is where `~` is. `Match` and `Include` are not followed.
    pub(super) fn parse(text: &str, host: &str, home: &Path) -> Self {
        let mut found = Self::default();
        let mut applies = true;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
            let (word, value) = line.split_at(end);
            let value = value.trim_start_matches(|c: char| c.is_whitespace() || c == '=').trim();
            let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            match word.to_ascii_lowercase().as_str() {
                "host" => applies = pattern::matches_any(value.split_whitespace(), host),
                "match" => applies = value.eq_ignore_ascii_case("all"),
                word if applies && !value.is_empty() => found.set(word, value, host, home),
                _ => {}
            }
        }
        found
    }

    fn set(&mut self, word: &str, value: &str, host: &str, home: &Path) {
        match word {
            "hostname" => drop(self.hostname.get_or_insert_with(|| value.replace("%h", host))),
            "user" => drop(self.user.get_or_insert_with(|| value.to_owned())),
            "port" => self.port = self.port.or_else(|| value.parse().ok().filter(|port| *port > 0)),
            "identityfile" => self.identities.push(expand(value, host, home)),
            "proxyjump" | "proxycommand" => drop(self.proxy.get_or_insert_with(|| value.to_owned())),
            _ => {}
        }
        // `none` takes back what stands further down.
        if self.proxy.as_deref() == Some("none") && word.starts_with("proxy") {
            self.proxy = Some(String::new());
        }
    }

    /// Through whom the way leads, if through anybody.
    pub(super) fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref().filter(|proxy| !proxy.is_empty())
    }
}

/// `~/x` and `%d/x` in the home directory.
fn expand(path: &str, host: &str, home: &Path) -> PathBuf {
    let path = path.replace("%d", &home.to_string_lossy()).replace("%h", host);
    match path.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => PathBuf::from(path),
    }
}

/// What fuzzing and the property do with any octets: read them as a configuration. Whatever it says, what stands before it wins,
/// and what stands behind it counts where it says nothing.
pub(super) fn fuzz(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let (host, home) = ("web.example", Path::new("/home/me"));
    let alone = Settings::parse(&text, host, home);
    assert_ne!(alone.port, Some(0));
    let after = Settings::parse(&format!("User early\nPort 2222\n{text}"), host, home);
    assert_eq!((after.user.as_deref(), after.port), (Some("early"), Some(2222)));
    assert_eq!((after.hostname, after.identities), (alone.hostname.clone(), alone.identities.clone()));
    let before = Settings::parse(&format!("{text}\nHost *\nUser late\nPort 2223\n"), host, home);
    assert_eq!(before.user, alone.user.or_else(|| Some("late".to_owned())));
    assert_eq!(before.port, alone.port.or(Some(2223)));
    assert_eq!(before.hostname, alone.hostname);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_stands_first_wins_whatever_else_there_is(
            lines in prop::collection::vec(
                prop_oneof![
                    "(Host|Match|HostName|User|Port|IdentityFile|ProxyJump)[ =\t]{1,2}[a-z0-9*?!%\" .]{0,12}",
                    "[ -~]{0,30}",
                ],
                0..10,
            ),
            octets in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            fuzz(lines.join("\n").as_bytes());
            fuzz(&octets);
        }
    }

    #[test]
    fn the_first_value_wins_and_keys_add_up() {
        let text = "# mine\nUser early\nHost web* !web9\n  HostName=%h.example\n  Port 2222\n  IdentityFile \"~/.ssh/web key\"\n\
                    Match user x\n  Port 1\nHost web9\n  ProxyJump gate\nHost *\n  User late\n  Port 22\n  IdentityFile %d/k\n";
        let home = Path::new("/home/me");
        let web = Settings::parse(text, "web1", home);
        assert_eq!((web.hostname.as_deref(), web.port), (Some("web1.example"), Some(2222)));
        assert_eq!(web.user.as_deref(), Some("early"));
        assert_eq!(web.identities, [Path::new("/home/me/.ssh/web key"), Path::new("/home/me/k")]);
        assert_eq!(web.proxy(), None);
        let through = Settings::parse(text, "web9", home);
        assert_eq!((through.proxy(), through.port), (Some("gate"), Some(22)));
        let text = "Host a\nProxyJump none\nHost *\nProxyJump gate\n";
        assert_eq!(Settings::parse(text, "a", home).proxy(), None);
    }
}
