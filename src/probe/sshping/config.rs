//! What `~/.ssh/config` says of a host, as far as a measurement needs it (ssh_config(5)): the first value wins.

use std::path::{Path, PathBuf};

use super::pattern;
use crate::failure::{Class, Failure};

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

/// Files that include each other go no deeper, as ssh(1)'s.
const DEEPEST: u32 = 16;
/// Files that all lines together include.
const MOST_FILES: usize = 64;

/// Where included files are.
pub(super) trait Files {
    /// Those that `pattern` names, whose last part may have stars.
    fn named(&self, pattern: &Path) -> Result<Vec<PathBuf>, Failure>;

    /// What is in one.
    fn text(&self, path: &Path) -> Result<String, Failure>;
}

/// Reads a configuration for one host.
struct Reader<'a> {
    host: &'a str,
    /// Where `~` is.
    home: &'a Path,
    files: &'a dyn Files,
    /// Files that have been included.
    included: usize,
}

impl Reader<'_> {
    fn read(&mut self, found: &mut Settings, text: &str, depth: u32) -> Result<(), Failure> {
        let mut applies = true;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let end = line.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(line.len());
            let (word, all) = line.split_at(end);
            let all = all.trim_start_matches(|c: char| c.is_whitespace() || c == '=').trim();
            let value = all.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(all);
            match word.to_ascii_lowercase().as_str() {
                "host" => applies = pattern::matches_any(value.split_whitespace(), self.host),
                "match" => applies = value.eq_ignore_ascii_case("all"),
                "include" if applies => words(all).try_for_each(|name| self.include(found, name, depth))?,
                word if applies && !value.is_empty() => found.set(word, value, self.host, self.home),
                _ => {}
            }
        }
        Ok(())
    }

    fn include(&mut self, found: &mut Settings, name: &str, depth: u32) -> Result<(), Failure> {
        // Behind an absolute path this is that path.
        let pattern = self.home.join(".ssh").join(expand(name, self.host, self.home));
        for path in self.files.named(&pattern)? {
            self.included += 1;
            if depth == DEEPEST || self.included > MOST_FILES {
                return Err(Class::Usage.because(format_args!(
                    "ssh configuration: it includes more than {MOST_FILES} files, or {DEEPEST} within each other; -F names another"
                )));
            }
            self.read(found, &self.files.text(&path)?, depth + 1)?;
        }
        Ok(())
    }
}

/// The words of a line, some of them in quotes.
fn words(text: &str) -> impl Iterator<Item = &str> {
    // Of what stands between quotes every other part is in them.
    let parts = text.split('"').enumerate();
    parts.flat_map(|(n, part)| match n % 2 {
        1 => vec![part],
        _ => part.split_whitespace().collect(),
    })
}

impl Settings {
    /// What `text` sets for `host`; `home` is where `~` is, and `files` has what is included. Of `Match` only `all` is followed.
    ///
    /// # Errors
    /// Those of `files`, and that there is no end of them.
    pub(super) fn parse(text: &str, host: &str, home: &Path, files: &dyn Files) -> Result<Self, Failure> {
        let mut found = Self::default();
        Reader { host, home, files, included: 0 }.read(&mut found, text, 0)?;
        Ok(found)
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

/// No files.
struct Nothing;

impl Files for Nothing {
    fn named(&self, _: &Path) -> Result<Vec<PathBuf>, Failure> {
        Ok(Vec::new())
    }

    fn text(&self, _: &Path) -> Result<String, Failure> {
        Ok(String::new())
    }
}

/// What fuzzing and the property do with any octets: read them as a configuration. Whatever it says, what stands before it wins,
/// and what stands behind it counts where it says nothing.
pub(super) fn fuzz(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let (host, home) = ("web.example", Path::new("/home/me"));
    let read = |text: &str| Settings::parse(text, host, home, &Nothing).unwrap_or_default();
    let alone = read(&text);
    assert_ne!(alone.port, Some(0));
    let after = read(&format!("User early\nPort 2222\n{text}"));
    assert_eq!((after.user.as_deref(), after.port), (Some("early"), Some(2222)));
    assert_eq!((after.hostname, after.identities), (alone.hostname.clone(), alone.identities.clone()));
    let before = read(&format!("{text}\nHost *\nUser late\nPort 2223\n"));
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
        let read = |text: &str, host: &str| {
            Settings::parse(text, host, home, &Nothing).expect("nothing is included")
        };
        let web = read(text, "web1");
        assert_eq!((web.hostname.as_deref(), web.port), (Some("web1.example"), Some(2222)));
        assert_eq!(web.user.as_deref(), Some("early"));
        assert_eq!(web.identities, [Path::new("/home/me/.ssh/web key"), Path::new("/home/me/k")]);
        assert_eq!(web.proxy(), None);
        let through = read(text, "web9");
        assert_eq!((through.proxy(), through.port), (Some("gate"), Some(22)));
        let text = "Host a\nProxyJump none\nHost *\nProxyJump gate\n";
        assert_eq!(read(text, "a").proxy(), None);
    }
    /// Two files in a directory, and one that includes itself.
    struct Few;

    impl Files for Few {
        fn named(&self, pattern: &Path) -> Result<Vec<PathBuf>, Failure> {
            let all = |names: &[&str]| names.iter().map(PathBuf::from).collect();
            Ok(match pattern.to_str() {
                Some("/home/me/.ssh/conf.d/*") => all(&["/one", "/two"]),
                Some("/etc/round") => all(&["/round", "/round"]),
                Some("/home/me/.ssh/with space") => all(&["/two"]),
                _ => Vec::new(),
            })
        }

        fn text(&self, path: &Path) -> Result<String, Failure> {
            Ok(match path.to_str() {
                Some("/one") => "Host b\nPort 7\n",
                Some("/two") => "User inner\n",
                _ => "Include /etc/round\n",
            }
            .to_owned())
        }
    }

    #[test]
    fn what_is_included_counts_where_it_stands() {
        let read = |text: &str, host: &str| {
            let found = Settings::parse(text, host, Path::new("/home/me"), &Few);
            found.map(|found| (found.user, found.port)).map_err(|failure| failure.detail)
        };
        let told = |user: Option<&str>, port| Ok((user.map(str::to_owned), port));
        let text = "Include conf.d/* none\nUser outer\nPort 9\n";
        assert_eq!(read(text, "a"), told(Some("inner"), Some(9)));
        assert_eq!(read(text, "b"), told(Some("inner"), Some(7)));
        assert_eq!(read("Include none \"with space\"\n", "a"), told(Some("inner"), None));
        assert_eq!(read("Host x\nInclude ~/.ssh/conf.d/*\n", "a"), told(None, None), "of others nothing");
        assert!(read("Include /etc/round", "a").is_err_and(|why| why.contains("within each other")));
    }
}
