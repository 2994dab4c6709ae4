//! The command line from outside: what it prints, where, and what it ends with.

mod inputs;
mod names;
mod rights;
mod runs;
mod watch;
mod wrong;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::tool::WADDLEPERF;

/// A reflector on a port of its own, and a data directory for its clients; both end with the test.
struct Reflector {
    server: Child,
    port: String,
    dir: TempDir,
}

impl Reflector {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("make a directory");
        let mut server = clean(Command::new(WADDLEPERF), dir.path())
            .args(["serve", "--listen", "iperf3=off", "--listen", "udpping=127.0.0.1:0", "--data"])
            .arg(dir.path().join("server"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the reflector");
        let mut said = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut line = String::new();
        while !line.starts_with("udpping listens on ") {
            line.clear();
            assert!(said.read_line(&mut line).expect("read from the reflector") > 0, "it said nothing");
        }
        // A server goes on when nobody reads what it says.
        drop(said);
        let port = line.trim().rsplit_once(':').expect("an address with a port").1.to_owned();
        Self { server, port, dir }
    }

    /// `udpping` to this reflector: three packets, 10 ms apart, unless `args` say otherwise; all of them, also of a busy host.
    fn udpping(&self, args: &[&str]) -> Command {
        let mut command = waddleperf(self.dir.path());
        command.args(["udpping", "127.0.0.1", "--catch-up", "-p", &self.port]).args(args);
        for (option, value) in [("-i", "10ms"), ("-c", "3")] {
            if !args.contains(&option) {
                command.args([option, value]);
            }
        }
        command
    }
}

impl Drop for Reflector {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The program, with its data below `dir` and nothing from this machine's configuration.
fn waddleperf(dir: &Path) -> Command {
    clean(Command::new(WADDLEPERF), dir)
}

fn clean(mut command: Command, dir: &Path) -> Command {
    let config = dir.join("empty.toml");
    std::fs::write(&config, "").expect("write a configuration");
    command
        .env_clear()
        .env("HOME", dir)
        .env("XDG_STATE_HOME", dir.join("state"))
        .env("WADDLEPERF_CONFIG", config);
    command
}

/// What a command said on stdout and stderr, and its exit code.
#[track_caller]
fn said(command: &mut Command) -> (String, String, Option<i32>) {
    told(command.output().expect("it runs"))
}

fn told(output: Output) -> (String, String, Option<i32>) {
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code())
}
