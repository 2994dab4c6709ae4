//! What a whole process costs: time to say `--help` and to measure once, size of the binary, memory of an idle server.
//!
//! Beside the peer where it has the same thing (`irtt`, iputils `ping`). `cargo bench --bench process`.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{BINARY, median, timed};

const RUNS: usize = 41;

fn main() {
    println!("process: profile bench, median of {RUNS} runs");
    let data = tempfile::tempdir().expect("a directory");
    let data = data.path().to_str().expect("a path in UTF-8");
    let server = Server::start(data);
    let own = |args: &[&'static str]| [&["--data", data], args].concat();
    row("--help", time(BINARY, &own(&["--help"])), 5.0, &[("irtt", "-h"), ("mtr", "--help")]);
    let ping = own(&["udpping", "127.0.0.1", "-p", "2999", "-c", "1", "--json"]);
    row("udpping -c 1", time(BINARY, &ping), 15.0, &[("ping", "-q -c 1 127.0.0.1")]);
    // Nothing on a system tells all of it in one run.
    row("sysinfo", time(BINARY, &own(&["sysinfo", "--json"])), 50.0, &[]);
    let size = fs::metadata(BINARY).expect("the binary").len() as f64 / 1e6;
    println!("{:<22}{size:>8.1} MB   (the goal, 12 MB, is for the dist profile)", "binary");
    println!("{:<22}{:>8.1} MB   (goal: 10 MB)", "idle serve, RSS", server.rss());
}

/// One line: our time, the goal, and our time as a part of each peer's.
fn row(what: &str, ours: Duration, goal_ms: f64, peers: &[(&str, &str)]) {
    print!("{what:<22}{:>8.2} ms   (goal: {goal_ms} ms)", ours.as_secs_f64() * 1e3);
    for (peer, args) in peers {
        let args: Vec<&str> = args.split(' ').collect();
        let theirs = time(peer, &args);
        print!("   {:.2}x {peer} ({:.2} ms)", ours.div_duration_f64(theirs), theirs.as_secs_f64() * 1e3);
    }
    println!();
}

/// The median time of a process from start to end.
fn time(program: &str, args: &[&str]) -> Duration {
    median((0..RUNS).map(|_| {
        let mut command = Command::new(program);
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        let (status, wall, _) = timed(|| command.status());
        status.unwrap_or_else(|error| panic!("needs {program} (make setup-test): {error}"));
        wall
    }))
}

struct Server(Child);

impl Server {
    fn start(data: &str) -> Self {
        let args = ["--data", data, "serve", "--listen", "iperf3=off", "--listen", "udpping=127.0.0.1:2999"];
        let child = Command::new(BINARY).args(args).stdout(Stdio::null()).spawn().expect("a server");
        let server = Self(child);
        let answered = || {
            let args =
                ["--data", data, "udpping", "127.0.0.1", "-p", "2999", "-c", "1", "--json", "-W", "0.1"];
            Command::new(BINARY).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status()
        };
        let up = (0..50).any(|_| answered().is_ok_and(|status| status.success()));
        assert!(up, "the server does not answer");
        server
    }

    /// Resident memory in MB.
    fn rss(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0 / 1e6
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
