//! `tls` beside `sslscan`, against openssl's server on loopback: wall and CPU of a scan.
//!
//! `cargo bench --bench tls`; the peer runs just before ours, so that the machine is the same. Medians of five. `s_server` serves
//! one connection after the other, so that nobody gains by asking several at a time.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{BINARY, median_by, timed};

const RUNS: usize = 5;

fn main() {
    println!("tls: profile bench, loopback, openssl s_server, beside sslscan");
    let dir = tempfile::tempdir().expect("a directory");
    certificate(dir.path());
    for (what, args) in [
        ("scan, TLS 1.2 and 1.3, openssl's defaults", &[][..]),
        ("scan, TLS 1.0 to 1.3, all suites", &["-cipher", "ALL:@SECLEVEL=0"]),
    ] {
        let server = Server::start(dir.path(), args);
        let host = format!("127.0.0.1:{}", server.port);
        let theirs = ["--no-colour", "--no-heartbleed", &host];
        let ours = ["--data", "/tmp/waddleperf-bench", "tls", "--scan", "--json", &host];
        compare(what, ("sslscan", &theirs), &ours, "≤ 0.3x");
    }
}

/// A certificate for localhost that has signed itself.
fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(dir.join("key.pem"))
        .arg("-out")
        .arg(dir.join("cert.pem"))
        .stderr(Stdio::null())
        .status();
    assert!(made.is_ok_and(|status| status.success()), "needs openssl (make setup-test)");
}

/// A server, gone when dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(dir: &Path, args: &[&str]) -> Self {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"]).arg(dir.join("cert.pem"));
        command.arg("-key").arg(dir.join("key.pem")).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("needs openssl (make setup-test)");
        let mut said = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(said.read_line(&mut line).expect("text") > 0, "openssl s_server does not start");
            if let Some(port) = line.trim().strip_prefix("ACCEPT 127.0.0.1:") {
                break port.parse().expect("a port");
            }
        };
        std::thread::spawn(move || said.read_to_end(&mut Vec::new()));
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One run.
#[derive(Clone, Copy)]
struct Run {
    wall: Duration,
    cpu: Duration,
}

fn compare(what: &str, (peer, theirs): (&str, &[&str]), ours: &[&str], goal: &str) {
    let (mut ours_all, mut theirs_all) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        theirs_all.push(measured(peer, theirs));
        ours_all.push(measured(BINARY, ours));
    }
    let (ours, theirs) = (median_by(ours_all, |run| run.wall), median_by(theirs_all, |run| run.wall));
    println!("{what}");
    for (name, ours, theirs, goal) in
        [("wall", ours.wall, theirs.wall, goal), ("CPU", ours.cpu, theirs.cpu, "")]
    {
        let (ours, theirs) = (ours.as_secs_f64() * 1e3, theirs.as_secs_f64() * 1e3);
        let goal = if goal.is_empty() { String::new() } else { format!("   (goal: {goal})") };
        println!("  {name:<5}{ours:>9.1} ms   {peer} {theirs:>9.1} ms   {:>6.2}x{goal}", ours / theirs);
    }
}

fn measured(program: &str, arguments: &[&str]) -> Run {
    let (output, wall, cpu) = timed(|| Command::new(program).args(arguments).output());
    let output = output.unwrap_or_else(|error| panic!("{program}: {error} (make setup-test)"));
    // Nobody believes this certificate: the exit code says so.
    assert!(!output.stdout.is_empty() || output.status.success(), "{program} {arguments:?}");
    Run { wall, cpu }
}
