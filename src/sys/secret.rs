//! Secrets: they come from files and variables, and are shown nowhere (design §6).

use std::path::PathBuf;
use std::{env, fmt, fs};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::{Class, Failure, reason};

/// Octets of the longest secret.
const MOST: usize = 4096;

/// Where a secret is: `{ file = "/etc/…" }` or `{ env = "NAME" }`. The secret itself is in no configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Secret {
    /// The first line of this file.
    File(PathBuf),
    /// The value of this environment variable.
    Env(String),
}

/// A secret that was read: its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Revealed(String);

impl Secret {
    /// Reads it. A file is read: not for an async thread.
    ///
    /// # Errors
    /// Class `config`: that there is none, and where it was looked for.
    pub fn read(&self) -> Result<Revealed, Failure> {
        let (text, place) = match self {
            Self::File(file) => {
                let text = fs::read_to_string(file).map_err(|error| reason(&error));
                (text, file.display().to_string())
            }
            Self::Env(name) => {
                let text = env::var(name).map_err(|_| "it is not set".to_owned());
                (text, format!("the variable {name}"))
            }
        };
        let wrong = |why: &str| Class::Config.because(format_args!("read a secret from {place}: {why}"));
        let text = text.map_err(|why| wrong(&why))?;
        match text.lines().next().map(str::trim) {
            None | Some("") => Err(wrong("it is empty")),
            Some(line) if line.len() > MOST => Err(wrong("it is too long to be one")),
            Some(line) => Ok(Revealed(line.to_owned())),
        }
    }
}

impl From<String> for Revealed {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl Revealed {
    /// The secret, for the one who needs it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_files_first_line_and_is_not_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("secret");
        let secret = Secret::File(file.clone());
        assert!(secret.read().is_err_and(|failure| failure.class == Class::Config));
        for (text, expected) in [("s3cret\nmore", Some("s3cret")), ("", None), (" \n", None)] {
            fs::write(&file, text).expect("write");
            let read = secret.read();
            assert_eq!(read.as_ref().ok().map(Revealed::as_str), expected, "{text:?}");
            assert!(!format!("{read:?}").contains("s3cret"));
        }
        let unset = Secret::Env("WADDLEPERF_NO_SUCH_SECRET".to_owned()).read().expect_err("not set");
        assert!(unset.detail.contains("WADDLEPERF_NO_SUCH_SECRET"), "{unset}");
    }
}
