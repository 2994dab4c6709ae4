//! A private key in a file: read like all files, and seen to be locked or not, which libssh2 does not tell apart from being no
//! key at all.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::failure::{Class, Failure};
use crate::probe::input::Input;
use crate::sys::wait::Stop;

/// Octets of the largest key: RSA's of 16,384 bits have 13,000.
const MOST: u64 = 64 << 10;
/// What the octets of OpenSSH's own form begin with (its PROTOCOL.key).
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// A private key.
pub(super) struct PrivateKey {
    /// The file, lines and all.
    pub(super) text: String,
    /// Whether something must unlock it.
    pub(super) locked: bool,
}

impl PrivateKey {
    /// The one in the file at `path`; why it is not to be shown, where it is not.
    pub(super) fn read(path: &Path, stop: &Stop) -> Result<Self, Failure> {
        let file = Input::open("key", path)?;
        let mode = file.metadata()?.mode() & 0o777;
        let octets = file.whole(MOST, stop)?;
        let text = String::from_utf8_lossy(&octets).into_owned();
        let name = path.display();
        if is_public(&text) {
            let why = format_args!("key {name}: it is a public key; name the private one");
            return Err(Class::Usage.because(why));
        }
        // ssh(1) does not touch such a key either.
        if mode & 0o077 != 0 {
            let why = format_args!(
                "key {name}: mode {mode:04o} lets others than its owner at it; chmod 600 {name}"
            );
            return Err(Class::Usage.because(why));
        }
        Ok(Self { locked: is_locked(&text), text })
    }
}

/// Whether `text` is a line as it stands in authorized_keys.
fn is_public(text: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|kind| text.starts_with(kind))
}

/// Whether the key in `text` is encrypted: OpenSSH's form, PKCS #8 (RFC 5958), or PEM's old one (RFC 1421 §4.6.1.1).
pub(super) fn is_locked(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN "));
    match lines.next() {
        Some("-----BEGIN ENCRYPTED PRIVATE KEY-----") => true,
        Some("-----BEGIN OPENSSH PRIVATE KEY-----") => {
            let body: String = lines.take_while(|line| !line.starts_with("-----")).collect();
            let octets = STANDARD.decode(body).unwrap_or_default();
            // The cipher's name stands first.
            let cipher = octets.strip_prefix(MAGIC).and_then(word);
            cipher.is_some_and(|cipher| cipher != b"none")
        }
        Some(_) => lines.take_while(|line| !line.is_empty()).any(|line| line == "Proc-Type: 4,ENCRYPTED"),
        None => false,
    }
}

/// The string at the start of `octets` (RFC 4251 §5).
fn word(octets: &[u8]) -> Option<&[u8]> {
    let (length, rest) = octets.split_first_chunk()?;
    rest.get(..u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openssh(cipher: &str) -> String {
        let length = u32::try_from(cipher.len()).expect("it is short").to_be_bytes();
        let octets = [MAGIC, &length, cipher.as_bytes(), b"\0\0\0\x06bcrypt"].concat();
        let body = STANDARD.encode(octets);
        let (first, second) = body.split_at(body.len() / 2);
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{first}\n{second}\n-----END OPENSSH PRIVATE KEY-----\n")
    }

    #[test]
    fn a_locked_key_is_known_in_each_form() {
        for (text, locked) in [
            (openssh("aes256-ctr"), true),
            (openssh("none"), false),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n".to_owned(), true),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n".to_owned(), false),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
                    .to_owned(),
                true,
            ),
            ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n\nProc-Type: 4,ENCRYPTED\n".to_owned(), false),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nno base64\n".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_locked(&text), locked, "{text}");
        }
    }

    #[test]
    fn what_is_no_private_key_is_not_to_be_hidden_from_others() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("key.pub");
        std::fs::write(&file, "ssh-ed25519 AAAA me@here\n").expect("write");
        let stop = Stop::new().expect("a switch");
        for (path, says) in [(file.as_path(), "it is a public key"), (directory.path(), "is a directory")] {
            let failure = PrivateKey::read(path, &stop).err().expect("it is none");
            assert!(failure.detail.contains(says) && !failure.detail.contains("chmod"), "{failure}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_not_shown() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("key");
        std::fs::write(&file, openssh("none")).expect("write");
        let stop = Stop::new().expect("a switch");
        for (mode, is_read) in [(0o644, false), (0o640, false), (0o600, true), (0o400, true)] {
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("a mode");
            assert_eq!(PrivateKey::read(&file, &stop).is_ok(), is_read, "{mode:o}");
        }
        assert!(PrivateKey::read(&directory.path().join("none"), &stop).is_err());
    }
}
