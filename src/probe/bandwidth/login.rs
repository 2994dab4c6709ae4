//! The login that some servers want: who one is, encrypted for the server's key.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::{Class, Failure, Fault};
use crate::net::bulk::Broken;
use crate::probe::input::Input;
use crate::probe::own_thread::on_own_thread;
use crate::probe::{Ctx, read_key};
use crate::sys::clock;
use crate::sys::secret::{Revealed, Secret};
use crate::sys::wait::Stop;
use crate::wire::iperf3::{Claim, Code, Padding, PublicKey, Token};

/// The variable with the password, as iperf3 has it.
const PASSWORD: &str = "IPERF3_PASSWORD";
/// Octets of a public key's file.
const MOST: u64 = 16 << 10;
const NANOS: i64 = 1_000_000_000;

/// How to log in, where a server wants that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "BandwidthLogin")]
pub struct Login {
    /// Log in by this name; the password is that of --password-file, or of the variable IPERF3_PASSWORD.
    #[arg(long, value_name = "NAME", help_heading = "Login")]
    pub username: Option<String>,
    /// The server's public RSA key (PEM), which the login is encrypted for.
    #[arg(long, value_name = "FILE", help_heading = "Login")]
    pub rsa_public_key_path: Option<PathBuf>,
    /// The password is the content of this file, which only you can read.
    #[arg(long, value_name = "FILE", help_heading = "Login")]
    pub password_file: Option<PathBuf>,
    /// Encrypt it as iperf3 up to 3.16 does (PKCS#1 v1.5 instead of OAEP), which servers from 3.17 on refuse unless they are told.
    #[arg(long, help_heading = "Login")]
    pub use_pkcs1_padding: bool,
}

/// What is needed to log in.
#[derive(Debug)]
pub(super) struct Credentials {
    user: String,
    password: Revealed,
    key: PublicKey,
    padding: Padding,
}

impl Login {
    pub(super) fn check(&self) -> Result<(), Fault> {
        match (&self.username, &self.rsa_public_key_path) {
            (Some(_), None) => {
                Err(Fault::of("rsa_public_key_path", "and --username belong together: name both"))
            }
            (None, Some(_)) => {
                Err(Fault::of("username", "and --rsa-public-key-path belong together: name both"))
            }
            (None, None) if self.password_file.is_some() => {
                Err(Fault::of("password_file", "is for --username: name both, or neither"))
            }
            (None, None) if self.use_pkcs1_padding => {
                Err(Fault::of("use_pkcs1_padding", "is for --username: name both, or neither"))
            }
            _ => Ok(()),
        }
    }

    /// The files that it reads.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Path> {
        [&self.rsa_public_key_path, &self.password_file].into_iter().flatten().map(PathBuf::as_path)
    }

    /// Reads what a login needs; `None` where there is to be none.
    pub(super) async fn credentials(&self, ctx: &Ctx) -> Result<Option<Credentials>, Failure> {
        let (Some(user), Some(path)) = (self.username.clone(), self.rsa_public_key_path.clone()) else {
            return Ok(None);
        };
        ctx.policy.check_flag("--username")?;
        let asked = self.clone();
        on_own_thread("login", ctx, move |stop| asked.read(user, &path, stop)).await?.map(Some)
    }

    fn read(&self, user: String, path: &Path, stop: &Stop) -> Result<Credentials, Failure> {
        let pem = Input::open("public key", path)?.whole(MOST, stop)?;
        let key = PublicKey::from_pem(&pem)
            .map_err(|why| Class::Usage.because(format_args!("public key {}: {why}", path.display())))?;
        let padding = if self.use_pkcs1_padding { Padding::Pkcs1 } else { Padding::Oaep };
        let credentials = Credentials { password: self.password(stop)?, user, key, padding };
        // What cannot be encrypted is told before anybody is asked.
        credentials.token()?;
        Ok(credentials)
    }

    fn password(&self, stop: &Stop) -> Result<Revealed, Failure> {
        if let Some(path) = &self.password_file {
            let text = String::from_utf8(read_key(path, stop)?);
            let text =
                text.map_err(|_| Class::Usage.because(format_args!("{}: it is not text", path.display())));
            return text.map(Revealed::from);
        }
        Secret::Env(PASSWORD.to_owned()).read().map_err(|_| {
            Class::Usage
                .because(format_args!("--username needs a password: set {PASSWORD}, or name --password-file"))
        })
    }

    /// What a server may mean that does not go on after the parameters, and what may help.
    pub(super) fn hint(&self, broken: &Broken) -> Option<(Class, &'static str)> {
        let is_refused = matches!(broken, Broken::Refused(Code::AUTH));
        match (&self.username, broken) {
            _ if !is_refused && !matches!(broken, Broken::Closed(_)) => None,
            (Some(_), _) if self.use_pkcs1_padding => Some((
                Class::Auth,
                "name, password or clock may be wrong; servers from iperf 3.17 on want the login without --use-pkcs1-padding",
            )),
            (Some(_), _) => Some((
                Class::Auth,
                "name, password or clock may be wrong; servers up to iperf 3.16 want --use-pkcs1-padding",
            )),
            (None, _) if is_refused => {
                Some((Class::Auth, "it wants a login: --username and --rsa-public-key-path"))
            }
            (None, _) => Some((
                Class::Protocol,
                "servers from iperf 3.17 on close without a word where they want a login (--username)",
            )),
        }
    }
}

impl Credentials {
    /// A login that holds now.
    pub(super) fn token(&self) -> Result<Token, Failure> {
        let claim = Claim {
            user: self.user.clone(),
            password: self.password.as_str().to_owned(),
            at: i64::try_from(clock::now().wall).unwrap_or(i64::MAX) / NANOS,
        };
        self.key.seal(&claim, self.padding).map_err(|why| Class::Usage.because(format_args!("log in: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_key_belong_together() {
        let login = |username: Option<&str>, key: Option<&str>| Login {
            username: username.map(str::to_owned),
            rsa_public_key_path: key.map(PathBuf::from),
            ..Login::default()
        };
        let key = |login: Login| login.check().err().map(|fault| fault.path);
        assert_eq!((key(login(None, None)), key(login(Some("a"), Some("k")))), (None, None));
        assert_eq!(key(login(Some("a"), None)).as_deref(), Some("rsa_public_key_path"));
        assert_eq!(key(login(None, Some("k"))).as_deref(), Some("username"));
        let file = Login { password_file: Some("p".into()), ..Login::default() };
        assert_eq!(key(file).as_deref(), Some("password_file"));
        let padding = Login { use_pkcs1_padding: true, ..Login::default() };
        assert_eq!(key(padding).as_deref(), Some("use_pkcs1_padding"));
    }

    #[test]
    fn a_server_that_does_not_go_on_is_explained() {
        let named = Login { username: Some("a".to_owned()), ..Login::default() };
        let old = Login { use_pkcs1_padding: true, ..named.clone() };
        let hint = |login: &Login, broken: &Broken| login.hint(broken);
        let [refused, closed] = [Broken::Refused(Code::AUTH), Broken::Closed("streams")];
        for broken in [&refused, &closed] {
            for (login, word) in [(&named, "3.16 want"), (&old, "3.17 on want")] {
                let (class, text) = hint(login, broken).expect("a hint");
                assert!(class == Class::Auth && text.contains(word), "{text}");
            }
        }
        assert!(hint(&Login::default(), &refused).is_some_and(|(class, _)| class == Class::Auth));
        assert!(hint(&Login::default(), &closed).is_some_and(|(class, _)| class == Class::Protocol));
        assert_eq!(hint(&named, &Broken::Busy), None);
        assert_eq!(hint(&named, &Broken::Refused(Code::RATE)), None);
    }
}
