//! RSA keys and users for servers that want a login.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use waddleperf::wire::iperf3::{Claim, Padding, PublicKey};

/// A pair of keys and a file with one user, as iperf3's manual makes them.
pub(crate) struct Keys {
    directory: tempfile::TempDir,
}

/// The user, and his password.
pub(crate) const USER: (&str, &str) = ("mario", "rossi");

impl Keys {
    pub(crate) fn new() -> Self {
        let keys = Self { directory: tempfile::tempdir().expect("a directory") };
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).expect("DER");
        keys.write("private.pem", &pem("PRIVATE KEY", private.as_ref()));
        let public = key.public_key().as_der().expect("DER");
        keys.write("public.pem", &pem("PUBLIC KEY", public.as_ref()));
        let claim = Claim { user: USER.0.to_owned(), password: USER.1.to_owned(), at: 0 };
        let digest: String = claim.digest().iter().map(|octet| format!("{octet:02x}")).collect();
        keys.write("users.csv", &format!("# users\r\n{},{digest}\r\n", USER.0));
        keys
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.directory.path().join(name);
        fs::write(&file, text).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
        file
    }

    pub(crate) fn private(&self) -> PathBuf {
        self.directory.path().join("private.pem")
    }

    pub(crate) fn public(&self) -> PathBuf {
        self.directory.path().join("public.pem")
    }

    pub(crate) fn users(&self) -> PathBuf {
        self.directory.path().join("users.csv")
    }

    /// The options of a client that logs in.
    pub(crate) fn client(&self) -> String {
        format!("--username {} --rsa-public-key-path {}", USER.0, shown(&self.public()))
    }

    /// A token of the user, said at `at`, seconds since the epoch.
    pub(crate) fn token(&self, password: &str, at: i64, padding: Padding) -> String {
        let public = fs::read(self.public()).expect("a key");
        let public = PublicKey::from_pem(&public).expect("a key");
        let claim = Claim { user: USER.0.to_owned(), password: password.to_owned(), at };
        public.seal(&claim, padding).expect("sealed").as_str().to_owned()
    }
}

/// A path without white space, for a line of options.
pub(crate) fn shown(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
