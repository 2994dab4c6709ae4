//! Whose key a server has: `known_hosts` as sshd(8) describes it, hashed names, patterns, revoked keys and all; read, and with
//! `--accept-new` appended to.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::pattern;

/// What a file says of a host's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is this one.
    Same,
    /// It is another one of the same kind.
    Changed,
    /// It has been taken back.
    Revoked,
    /// Nothing.
    Unknown,
}

/// Lines that name keys.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownHosts(Vec<Line>);

#[derive(Clone, Debug)]
struct Line {
    revoked: bool,
    names: String,
    kind: String,
    key: Vec<u8>,
}

impl KnownHosts {
    /// Those in `text`. Lines that are no keys (comments, certificate authorities, nonsense) say nothing.
    pub(super) fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(Line::parse).collect())
    }

    /// Adds those in `text`.
    pub(super) fn extend(&mut self, text: &str) {
        self.0.extend(Self::parse(text).0);
    }

    /// What they say of `key`, an octet string of RFC 4253 §6.6, which the server called `name` has shown.
    pub(super) fn check(&self, name: &str, key: &[u8]) -> Known {
        let kind = kind_of(key);
        let mut found = Known::Unknown;
        for line in self.0.iter().filter(|line| line.is_of(name)) {
            match (line.key == key, line.revoked) {
                (true, true) => return Known::Revoked,
                (true, false) => found = Known::Same,
                (false, false) if found == Known::Unknown && Some(line.kind.as_str()) == kind => {
                    found = Known::Changed;
                }
                _ => {}
            }
        }
        // A host with keys of other kinds alone has changed, too: it was asked for one of those.
        let has_others = self.0.iter().any(|line| !line.revoked && line.is_of(name));
        if found == Known::Unknown && has_others { Known::Changed } else { found }
    }

    /// The kinds of keys that are known of `name`: what to ask it for.
    pub(super) fn kinds(&self, name: &str) -> Vec<&str> {
        let lines = self.0.iter().filter(|line| !line.revoked && line.is_of(name));
        let mut kinds: Vec<&str> = lines.map(|line| line.kind.as_str()).collect();
        kinds.dedup();
        kinds
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let mut first = words.next().filter(|word| !word.starts_with('#'))?;
        let marker = first.starts_with('@').then_some(first);
        if marker.is_some() {
            first = words.next()?;
        }
        let (kind, key) = (words.next()?, STANDARD.decode(words.next()?).ok()?);
        match marker {
            None => {}
            Some("@revoked") => {}
            // A certificate authority's key is no host's.
            Some(_) => return None,
        }
        (kind_of(&key) == Some(kind)).then(|| Self {
            revoked: marker.is_some(),
            names: first.to_owned(),
            kind: kind.to_owned(),
            key,
        })
    }

    fn is_of(&self, name: &str) -> bool {
        match self.names.strip_prefix("|1|") {
            Some(hashed) => is_hash_of(hashed, name),
            None => pattern::matches_any(self.names.split(','), name),
        }
    }
}

/// Whether `SALT|HASH` is that of `name`: HMAC-SHA1, both in base64.
fn is_hash_of(hashed: &str, name: &str) -> bool {
    let parts = hashed
        .split_once('|')
        .and_then(|(salt, hash)| Some((STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?)));
    parts.is_some_and(|(salt, hash)| {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
        hmac::sign(&key, name.to_ascii_lowercase().as_bytes()).as_ref() == hash
    })
}

/// The kind that stands at the start of a key: `ssh-ed25519`.
pub(super) fn kind_of(key: &[u8]) -> Option<&str> {
    let (length, rest) = key.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let kind = std::str::from_utf8(rest.get(..length)?).ok()?;
    let is_word = !kind.is_empty() && kind.bytes().all(|octet| octet.is_ascii_graphic());
    is_word.then_some(kind)
}

/// A key's fingerprint as ssh-keygen(1) writes it: `SHA256:…`.
pub(super) fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(digest(&SHA256, key)))
}

/// How `host` is called at `port`: `[host]:2222`; bare at port 22.
pub(super) fn name(host: &str, port: u16) -> String {
    if port == 22 { host.to_ascii_lowercase() } else { format!("[{}]:{port}", host.to_ascii_lowercase()) }
}

/// Appends the key of `name` to the file at `path`, which only its owner may read if it is new.
///
/// # Errors
/// What the system says.
pub(super) fn add(path: &Path, name: &str, key: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    // One write: two processes that add at the same time leave two whole lines.
    let kind = kind_of(key).unwrap_or_default();
    file.write_all(format!("{name} {kind} {}\n", STANDARD.encode(key)).as_bytes())
}

/// What fuzzing and the property do with any octets: read them as a file, and as a key. Whatever the file says, a key that is
/// added to it is known from then on, unless it was taken back.
pub(super) fn fuzz(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let key = [&[0, 0, 0, 11][..], b"ssh-ed25519", octets].concat();
    for name in [name("a.example", 22), name("a.example", 2222)] {
        let mut known = KnownHosts::parse(&text);
        let before = known.check(&name, &key);
        known.extend(&format!("{name} ssh-ed25519 {}\n", STANDARD.encode(&key)));
        let after = known.check(&name, &key);
        let expected = if before == Known::Revoked { Known::Revoked } else { Known::Same };
        assert_eq!(after, expected, "{name}");
        assert!(known.kinds(&name).contains(&"ssh-ed25519"));
    }
    let kind = kind_of(octets);
    assert!(kind.is_none_or(|kind| kind.len() + 4 <= octets.len()));
    let _ = fingerprint(octets);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines as they stand in such files, right and wrong, and anything else.
    fn lines() -> impl Strategy<Value = String> {
        let marker = prop::sample::select(vec!["", "@revoked ", "@cert-authority ", "@", "# "]);
        let names = prop_oneof![
            "[a-z.*?!,]{0,12}",
            Just("a.example,*".to_owned()),
            Just("|1|AAAA|AAAA".to_owned()),
            "\\|1\\|[A-Za-z=|]{0,12}",
        ];
        let kind = prop::sample::select(vec!["ssh-ed25519", "ssh-rsa", "x", ""]);
        let line = (marker, names, kind, prop::collection::vec(any::<u8>(), 0..8));
        let line = line.prop_map(|(marker, names, kind, tail)| {
            let key = STANDARD.encode([&[0, 0, 0, 11][..], b"ssh-ed25519", &tail].concat());
            format!("{marker}{names} {kind} {key}")
        });
        prop::collection::vec(prop_oneof![line, "[ -~]{0,40}"], 0..8).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn no_file_makes_a_key_unknown_that_is_added(text in lines(), octets in prop::collection::vec(any::<u8>(), 0..64)) {
            fuzz(text.as_bytes());
            fuzz(&octets);
        }
    }

    /// A key of `kind` whose secret part is `tail`.
    fn key(kind: &str, tail: u8) -> Vec<u8> {
        let length = u32::try_from(kind.len()).expect("it is short");
        [&length.to_be_bytes()[..], kind.as_bytes(), &[tail; 32]].concat()
    }

    fn line(names: &str, key: &[u8]) -> String {
        format!("{names} {} {} a comment\n", kind_of(key).expect("a kind"), STANDARD.encode(key))
    }

    #[test]
    fn a_key_is_the_same_or_changed_or_revoked_or_unknown() {
        let (ours, other) = (key("ssh-ed25519", 1), key("ssh-ed25519", 2));
        let rsa = key("ssh-rsa", 3);
        let text = [
            "# a comment\n",
            "nonsense\n",
            "a.example ssh-rsa AAAA\n",
            "@cert-authority * ",
            &line("x", &ours),
        ]
        .concat()
            + &line("a.example,192.0.2.1", &ours)
            + &line("*.b.example,!c.b.example", &ours)
            + &line("[a.example]:2222", &rsa)
            + &format!("@revoked {}", line("*", &other));
        let known = KnownHosts::parse(&text);
        for (host, port, shown, expected) in [
            ("a.example", 22, &ours, Known::Same),
            ("A.Example", 22, &ours, Known::Same),
            ("192.0.2.1", 22, &ours, Known::Same),
            ("a.example", 22, &rsa, Known::Changed),
            ("a.example", 2222, &rsa, Known::Same),
            ("a.example", 2222, &ours, Known::Changed),
            ("a.example", 22, &other, Known::Revoked),
            ("b.b.example", 22, &ours, Known::Same),
            ("c.b.example", 22, &ours, Known::Unknown),
            ("d.example", 22, &ours, Known::Unknown),
        ] {
            assert_eq!(known.check(&name(host, port), shown), expected, "{host} {port}");
        }
        assert_eq!(known.kinds("[a.example]:2222"), ["ssh-rsa"]);
    }

    /// Of `ssh-keygen -H -F host.example`, with the salt "aaaaaaaaaaaaaaaaaaaa".
    #[test]
    fn hashed_names_are_known() {
        let salt = [b'a'; 20];
        let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt), b"host.example");
        let ours = key("ssh-ed25519", 1);
        let names = format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash.as_ref()));
        let known = KnownHosts::parse(&line(&names, &ours));
        assert_eq!(known.check("host.example", &ours), Known::Same);
        assert_eq!(known.check("host2.example", &ours), Known::Unknown);
        assert_eq!(KnownHosts::parse(&line("|1|x", &ours)).check("x", &ours), Known::Unknown);
    }

    #[test]
    fn what_is_added_is_known_from_then_on() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("new/known_hosts");
        let ours = key("ssh-ed25519", 1);
        add(&file, "[a.example]:2222", &ours).expect("added");
        let text = std::fs::read_to_string(&file).expect("a file");
        assert_eq!(KnownHosts::parse(&text).check("[a.example]:2222", &ours), Known::Same);
        assert!(fingerprint(&ours).starts_with("SHA256:") && fingerprint(&ours).len() == 50);
    }
}
