//! Who is let in, by what, and what is told of who is not: OpenSSH's agent, locked keys, passwords.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::server::{GUEST, Passwords, Sshd};
use crate::lab::{Lab, Node};
use crate::tool::{WADDLEPERF, real_root, stdout, tool};

/// Somebody with a home of their own.
struct Person<'a> {
    node: &'a Node,
    server: &'a Sshd,
    /// Where an agent listens.
    agent: Option<&'a Path>,
    /// A password in the environment.
    password: Option<&'a str>,
}

/// What comes of logging in: by which method, or why not; and what was said.
struct Found {
    method: Option<String>,
    class: Option<String>,
    says: String,
}

impl Person<'_> {
    fn log_in(&self, target: &str, args: &[&str]) -> Found {
        let mut command = self.node.command(WADDLEPERF);
        command.env("HOME", self.server.path("home")).env("TMPDIR", self.server.path(""));
        command.env_remove("SSH_AUTH_SOCK");
        let trace = self.server.path("trace.toml");
        fs::write(&trace, "[log]\nlevel = \"trace\"\n").expect("write");
        command.arg("--config").arg(trace).args([
            "sshping",
            "--json",
            "--accept-new",
            "-r",
            "e",
            "-c",
            "2",
            "--data",
        ]);
        command.arg(self.server.path("data")).args(args).arg(target);
        if let Some(agent) = self.agent {
            command.env("SSH_AUTH_SOCK", agent);
        }
        if let Some(password) = self.password {
            command.env("WADDLEPERF_SSH_PASSWORD", password);
        }
        let output = command.output().expect("it runs");
        let record: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let says = String::from_utf8_lossy(&output.stderr).into_owned();
        for secret in [GUEST.1, WRONG] {
            assert!(
                !says.contains(secret) && !record.to_string().contains(secret),
                "{secret}: {says} {record}"
            );
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (report, failure) = (&record["outcome"]["report"], &record["outcome"]["failure"]);
        Found { method: text(&report["login"]["method"]), class: text(&failure["class"]), says }
    }

    #[track_caller]
    fn is_let_in(&self, target: &str, args: &[&str], method: &str) {
        let found = self.log_in(target, args);
        assert_eq!(found.method.as_deref(), Some(method), "{args:?}: {}", found.says);
    }

    #[track_caller]
    fn is_refused(&self, target: &str, args: &[&str], says: &[&str]) {
        let found = self.log_in(target, args);
        assert_eq!((found.class.as_deref(), found.method), (Some("auth"), None), "{args:?}: {}", found.says);
        for word in says {
            assert!(found.says.contains(word), "{args:?}: {word}: {}", found.says);
        }
    }
}

/// A password, or what unlocks a key, that is wrong.
const WRONG: &str = "sw0rdfish";

/// A file that holds `secret`, for its owner's eyes alone.
fn secret(server: &Sshd, name: &str, secret: &str) -> String {
    let path = server.path(name);
    fs::write(&path, format!("{secret}\n")).expect("write");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("a mode");
    path.to_str().expect("a path").to_owned()
}

/// OpenSSH's agent, without keys.
struct Agent(Child);

impl Agent {
    fn at(node: &Node, socket: &Path) -> Self {
        let program = tool("ssh-agent").get_program().to_owned();
        let mut command = node.command(program.to_str().expect("a path"));
        let child = command.args(["-D", "-a"]).arg(socket).stdout(Stdio::null()).spawn().expect("an agent");
        while !socket.exists() {
            std::thread::yield_now();
        }
        Self(child)
    }

    fn add(&self, socket: &Path, key: &Path) {
        stdout(tool("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", socket));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn new_key(path: &Path, passphrase: &str) {
    stdout(
        tool("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", passphrase, "-C", "a stranger", "-f"])
            .arg(path),
    );
}

#[test]
fn an_agent_has_the_key_or_another_or_none_or_says_nothing() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let target = sshd.target().to_owned();
    let socket = sshd.path("agent");
    let person = Person { node: lab.client(), server: &sshd, agent: Some(&socket), password: None };
    person.is_refused(&target, &[], &["the agent (", "o such file"]);
    let agent = Agent::at(lab.client(), &socket);
    person.is_refused(&target, &[], &["nothing to show"]);
    let stranger = sshd.path("stranger");
    new_key(&stranger, "");
    agent.add(&socket, &stranger);
    person.is_refused(&target, &[], &["the agent's a stranger"]);
    agent.add(&socket, &sshd.path("user"));
    person.is_let_in(&target, &[], "agent");
    person.is_refused(&target, &["--no-agent"], &["nothing to show"]);
    // A key that is named is shown, and nothing else.
    person.is_refused(&target, &["-i", stranger.to_str().expect("a path")], &["stranger"]);
    drop(agent);
    // One that takes connections and never answers: the usual keys come after it.
    fs::remove_file(&socket).expect("remove");
    let _silent = UnixListener::bind(&socket).expect("a listener");
    person.is_refused(&target, &[], &["the agent (it does not answer)"]);
    fs::create_dir_all(sshd.path("home/.ssh")).expect("make");
    fs::copy(sshd.path("user"), sshd.path("home/.ssh/id_ed25519")).expect("copy");
    person.is_let_in(&target, &[], "publickey");
}

/// Tells of the key in the file `public`, and keeps whoever wants it to sign waiting.
fn undecided(socket: &Path, public: &Path) {
    let listener = UnixListener::bind(socket).expect("a listener");
    let text = fs::read_to_string(public).expect("a key");
    let key = STANDARD.decode(text.split_whitespace().nth(1).expect("its octets")).expect("base64");
    let string = |octets: &[u8]| [&(octets.len() as u32).to_be_bytes()[..], octets].concat();
    // SSH_AGENT_IDENTITIES_ANSWER with one key.
    let answer = string(&[&[12, 0, 0, 0, 1][..], &string(&key), &string(b"hesitant")].concat());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut question = [0; 5];
                while stream.read_exact(&mut question).is_ok() && question[4] == 11 {
                    stream.write_all(&answer).expect("it is read");
                }
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            });
        }
    });
}

#[test]
fn an_agent_that_asks_somebody_who_is_not_there_ends_with_the_run() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let socket = sshd.path("agent");
    undecided(&socket, &sshd.path("user.pub"));
    let person = Person { node: lab.client(), server: &sshd, agent: Some(&socket), password: None };
    let found = person.log_in(sshd.target(), &["-w", "3s"]);
    assert_eq!(found.class.as_deref(), Some("timeout"), "{}", found.says);
    assert!(found.says.contains("the agent's hesitant"), "{}", found.says);
    let left = fs::read_dir(sshd.path("")).expect("a directory").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.starts_with("waddleperf-agent-")), "{left:?}");
}

#[test]
fn a_locked_key_needs_what_unlocks_it() {
    if !real_root("sshd lets somebody log in") {
        return;
    }
    let lab = Lab::line(0).build();
    let sshd = Sshd::start(lab.server());
    let (target, key) = (sshd.target().to_owned(), sshd.key());
    stdout(tool("ssh-keygen").args(["-q", "-p", "-P", "", "-N", GUEST.1, "-f", &key]));
    let (right, wrong) = (secret(&sshd, "right", GUEST.1), secret(&sshd, "wrong", WRONG));
    let person = Person { node: lab.client(), server: &sshd, agent: None, password: None };
    person.is_let_in(&target, &["-i", &key, "--passphrase-file", &right], "publickey");
    person.is_refused(&target, &["-i", &key, "--passphrase-file", &wrong], &[&key, "does not unlock it"]);
    person.is_refused(&target, &["-i", &key], &[&key, "--passphrase-file"]);
}

#[test]
fn a_password_is_right_or_wrong_or_not_there() {
    if !real_root("sshd looks at passwords") {
        return;
    }
    for (passwords, method) in [(Passwords::Shown, "password"), (Passwords::Asked, "keyboard-interactive")] {
        let lab = Lab::line(0).build();
        let sshd = Sshd::taking(lab.server(), passwords);
        let target = sshd.target_of(GUEST.0);
        let (right, wrong) = (secret(&sshd, "right", GUEST.1), secret(&sshd, "wrong", WRONG));
        let person = Person { node: lab.client(), server: &sshd, agent: None, password: None };
        person.is_let_in(&target, &["--password-file", &right], method);
        person.is_refused(&target, &["--password-file", &wrong], &["the password", method]);
        person.is_refused(&target, &[], &["nothing to show", method]);
        let told = Person { password: Some(GUEST.1), ..person };
        told.is_let_in(&target, &[], method);
        // A file that was named counts more than the environment.
        told.is_refused(&target, &["--password-file", &wrong], &["the password"]);
        // Who was let in by one method is not asked for the other, and root has none.
        told.is_refused(sshd.target(), &[], &["the password"]);
    }
}

#[test]
fn a_key_that_is_named_and_not_there_is_told_before_anybody_is_asked() {
    let output = Command::new(WADDLEPERF)
        .args(["sshping", "-F", "none", "-i", "/no/such/key", "me@127.0.0.1:1"])
        .output()
        .expect("it runs");
    let says = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{says}");
    assert!(says.contains("key /no/such/key: "), "{says}");
}
