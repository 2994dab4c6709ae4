//! Autoperf with real processes: one at a time, nothing lost, the same whoever holds the store.

mod asked;
mod beside;
mod clockwork;
mod daemon;
mod disk;
mod end;
mod lock;
mod reload;
mod run;

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::tool::{WADDLEPERF, output, stdout};

/// A directory with a configuration of one target, and a data directory.
struct Place(TempDir);

impl Place {
    /// The target `shop` is this host's UDP port `port`; all three tiers ping it.
    fn new(port: u16) -> Self {
        Self(tempfile::tempdir().expect("make a directory")).configured(port)
    }

    /// The same in a directory below `dir`.
    fn within(dir: &Path, port: u16) -> Self {
        Self(tempfile::tempdir_in(dir).expect("make a directory")).configured(port)
    }

    fn configured(self, port: u16) -> Self {
        let place = self;
        let probe = |tier: u8, count: u8| {
            format!(
                "[[autoperf.tier{tier}.probe]]\nkind = \"udpping\"\nport = {port}\ncount = {count}\n\
                 interval = \"10ms\"\ntimeout = \"200ms\"\n"
            )
        };
        let tiers = [probe(1, 5), probe(2, 10), probe(3, 20)].concat();
        let target = "[[autoperf.target]]\nname = \"shop\"\nhost = \"127.0.0.1\"\n";
        fs::write(place.config(), format!("[autoperf]\ninterval = \"1m\"\n{tiers}{target}"))
            .expect("write the configuration");
        place
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("waddleperf.toml")
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// `waddleperf` on this configuration and data.
    fn waddleperf(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(WADDLEPERF);
        command.args(arguments).arg("--config").arg(self.config()).arg("--data").arg(self.data());
        command
    }

    /// Whether nobody takes orders for rounds here. Takes the time of a process, so that it can be asked in a loop.
    fn takes_no_orders(&self) -> bool {
        stdout(&mut self.waddleperf(&["--version"]));
        !self.data().join("autoperf.sock").exists()
    }

    /// The records of one `autoperf run`.
    #[track_caller]
    fn run(&self) -> Vec<Value> {
        records(&output(&mut self.waddleperf(&["autoperf", "run", "--json"])))
    }
}

/// The records that a run printed; it must have ended well.
#[track_caller]
fn records(output: &Output) -> Vec<Value> {
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {text}{error}", output.status);
    text.lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

/// A port at which nobody listens. (Bound for a moment, so that it is free now.)
fn closed_port() -> u16 {
    silent_port().1
}

/// A port at which somebody listens and never answers.
fn silent_port() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bind");
    let port = socket.local_addr().expect("an address").port();
    (socket, port)
}

/// The words of a record that say what became of a target.
fn course(record: &Value) -> String {
    let word = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let words = [record["tier"].to_string(), word("reason"), word("round"), word("state"), word("severity")];
    words.join(" ")
}
