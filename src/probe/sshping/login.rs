//! Who one is: the agent's keys, key files, a password out of a file or the environment, in this order.

use std::path::{Path, PathBuf};

use ssh2::{ErrorCode, KeyboardInteractivePrompt, Prompt};

use super::agent;
use super::key::PrivateKey;
use super::line::{Line, Undone, said};
use crate::failure::{Class, Failure};
use crate::sys::secret::Revealed;
use crate::wire::text::escape;

/// Keys of the agent that are tried: a server ends the connection after a few (MaxAuthTries of sshd_config(5), 6).
const MOST_KEYS: usize = 5;
/// The names of keys that ssh(1) tries by itself.
const USUAL: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// What one has to show.
#[derive(Debug)]
pub(super) struct Credentials {
    /// Who logs in.
    pub(super) user: String,
    /// Whether an agent is asked.
    pub(super) agent: bool,
    /// Key files that were named.
    pub(super) keys: Vec<PathBuf>,
    /// What unlocks them.
    pub(super) passphrase: Option<Revealed>,
    /// A password.
    pub(super) password: Option<Revealed>,
    /// Where the usual keys are, where none was named.
    pub(super) home: PathBuf,
}

/// What was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// How: `none`, `agent`, `publickey`, `password`, `keyboard-interactive`.
    pub(super) method: &'static str,
    /// What the server accepts, as it says.
    pub(super) offered: Vec<String>,
}

/// What is shown to a server, in a person's words.
struct Shown {
    what: String,
    /// Why it cannot be shown, where libssh2 cannot use it; its own words where that is nothing.
    useless: Option<&'static str>,
}

impl Shown {
    fn plainly(what: impl Into<String>) -> Self {
        Self { what: what.into(), useless: None }
    }
}

impl Credentials {
    /// Logs in.
    ///
    /// # Errors
    /// Class `auth`: that nothing was accepted, what was tried, and what the server would take.
    pub(super) fn log_in(&self, line: &Line<'_>) -> Result<Accepted, Failure> {
        let session = &line.session;
        let asked = line.patiently(|| match session.auth_methods(&self.user) {
            Ok(methods) => Ok(Some(methods.to_owned())),
            // It let us in without more ado.
            Err(_) if session.authenticated() => Ok(None),
            Err(error) => Err(error),
        });
        let offered = match asked {
            Ok(Some(offered)) => offered,
            Ok(None) => return Ok(Accepted { method: "none", offered: Vec::new() }),
            Err(undone) => return Err(undone.failure("ask the ssh server how to log in")),
        };
        let offered: Vec<String> =
            offered.split(',').map(|word| escape(word).into_owned()).take(16).collect();
        let takes = |method: &str| offered.iter().any(|offered| offered == method);
        let mut tried: Vec<String> = Vec::new();
        let accepted = |method| Accepted { method, offered: offered.clone() };
        if takes("publickey") {
            if self.agent && self.ask_agent(line, &mut tried)? {
                return Ok(accepted("agent"));
            }
            if self.show_keys(line, &mut tried)? {
                return Ok(accepted("publickey"));
            }
        }
        if let Some(password) = &self.password {
            if takes("password") {
                let done = line.patiently(|| session.userauth_password(&self.user, password.as_str()));
                if self.is_in(line, Shown::plainly("the password"), done, &mut tried)? {
                    return Ok(accepted("password"));
                }
            }
            if takes("keyboard-interactive") {
                let mut answers = Answers(password);
                let done = line.patiently(|| session.userauth_keyboard_interactive(&self.user, &mut answers));
                let shown = Shown::plainly("the password as the answer to questions");
                if self.is_in(line, shown, done, &mut tried)? {
                    return Ok(accepted("keyboard-interactive"));
                }
            }
        }
        let tried = if tried.is_empty() { "nothing to show".to_owned() } else { tried.join(", ") };
        Err(Class::Auth.because(format_args!(
            "log in as {}: the server accepts {}, and none of what there was: {tried}; name a key by -i, or a file by \
             --password-file, or measure without by --no-auth",
            self.user,
            offered.join(", ")
        )))
    }

    /// Whether a step let us in that showed `shown`. Where it did not, that is noted, and the next is tried; a broken connection
    /// ends it all.
    fn is_in(
        &self,
        line: &Line<'_>,
        shown: Shown,
        done: Result<(), Undone>,
        tried: &mut Vec<String>,
    ) -> Result<bool, Failure> {
        let Shown { what, useless } = shown;
        match done {
            Ok(()) if line.session.authenticated() => return Ok(true),
            Ok(()) => tried.push(what),
            Err(Undone::Failed(failure)) => return Err(failure),
            Err(Undone::Refused(error)) => match error.code() {
                // LIBSSH2_ERROR_SOCKET_DISCONNECT, …_SOCKET_RECV, …_SOCKET_SEND.
                ErrorCode::Session(-13 | -43 | -7) => {
                    return Err(Class::Auth.because(format_args!(
                        "log in as {}: the server ends the connection after too many attempts ({})",
                        self.user,
                        said(&error)
                    )));
                }
                // LIBSSH2_ERROR_AUTHENTICATION_FAILED, …_PUBLICKEY_UNVERIFIED: the server does not want it.
                ErrorCode::Session(-18 | -19) => tried.push(what),
                // It did not even come to be shown.
                _ => tried.push(format!("{what} ({})", useless.map_or_else(|| said(&error), str::to_owned))),
            },
        }
        Ok(false)
    }

    fn ask_agent(&self, line: &Line<'_>, tried: &mut Vec<String>) -> Result<bool, Failure> {
        let (_relay, agent) = match agent::agent(line) {
            None => return Ok(false),
            Some(Ok(found)) => found,
            Some(Err(why)) => {
                tried.push(format!("the agent ({why})"));
                return Ok(false);
            }
        };
        for key in agent.identities().unwrap_or_default().iter().take(MOST_KEYS) {
            let name = format!("the agent's {}", escape(key.comment()));
            let done = match line.patiently(|| agent.userauth(&self.user, key)) {
                // It may be asking a person, who is not there.
                Err(Undone::Failed(failure)) if failure.class == Class::Timeout => {
                    return Err(Class::Timeout.because(format_args!(
                        "log in as {}: neither the server nor {name} answers in time",
                        self.user
                    )));
                }
                done => done,
            };
            if self.is_in(line, Shown::plainly(name), done, tried)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn show_keys(&self, line: &Line<'_>, tried: &mut Vec<String>) -> Result<bool, Failure> {
        let usual = || USUAL.map(|name| self.home.join(".ssh").join(name));
        let keys = if self.keys.is_empty() { usual().to_vec() } else { self.keys.clone() };
        for key in keys.iter().filter(|key| self.is_key(key)) {
            let name = escape(&key.display().to_string()).into_owned();
            let passphrase = self.passphrase.as_ref().map(Revealed::as_str);
            let key = match PrivateKey::read(key, line.stop()) {
                Ok(key) => key,
                Err(failure) if failure.class == Class::Cancelled => return Err(failure),
                Err(failure) => {
                    tried.push(escape(&failure.detail).into_owned());
                    continue;
                }
            };
            if key.locked && passphrase.is_none() {
                tried.push(format!("key {name} (it is locked: --passphrase-file)"));
                continue;
            }
            let session = &line.session;
            let done =
                line.patiently(|| session.userauth_pubkey_memory(&self.user, None, &key.text, passphrase));
            // libssh2's own words for this are that it is no key.
            let useless = key.locked.then_some("--passphrase-file does not unlock it");
            if self.is_in(line, Shown { what: format!("key {name}"), useless }, done, tried)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A usual key that is not there is none; one that was named is tried, and told.
    fn is_key(&self, key: &Path) -> bool {
        !self.keys.is_empty() || key.is_file()
    }
}

/// Answers each question with the password, as a person would who is asked for it.
struct Answers<'a>(&'a Revealed);

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt<'a>(&mut self, _: &str, _: &str, prompts: &[Prompt<'a>]) -> Vec<String> {
        // What would be shown while it is typed is no password.
        let answer =
            |prompt: &Prompt<'a>| if prompt.echo { String::new() } else { self.0.as_str().to_owned() };
        prompts.iter().map(answer).collect()
    }
}
