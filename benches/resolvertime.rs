//! `resolvertime` beside `dnsperf` and `kdig` against a local knot (over TLS a local unbound): answers per second, CPU per query,
//! over UDP, TCP and TLS, and one query's process.
//!
//! `cargo bench --bench resolvertime`; on loopback, without privilege. The peer runs just before ours, so that the machine is the
//! same. Medians of three (of twenty-one, for one query). The server takes its part of the processors, from both alike.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{BINARY, median, median_by, timed};

/// Seconds of load.
const SECONDS: u32 = 5;

fn main() {
    println!("resolvertime: profile bench, loopback, beside dnsperf and kdig, knot answers");
    let knot = Knot::start();
    let (port, file) = (knot.port, format!("{}/questions", knot.place.path().display()));
    let theirs = format!("-s 127.0.0.1 -p {port} -d {file} -l {SECONDS} -c 4 -q 200");
    let ours = format!("-s 127.0.0.1:{port} --load {file} -l {SECONDS}s --clients 4 --outstanding 200 -q");
    compare("as fast as it goes", &ours, &theirs);
    compare(
        "20,000 queries/s",
        &format!("{ours} --qps 20000"),
        &format!("-s 127.0.0.1 -p {port} -d {file} -l {SECONDS} -c 4 -q 200 -Q 20000"),
    );
    compare(
        "over TCP",
        &format!("{ours} --transport tcp"),
        &format!("-s 127.0.0.1 -p {port} -d {file} -l {SECONDS} -c 4 -q 200 -m tcp"),
    );
    let unbound = Unbound::start();
    let port = unbound.port;
    compare(
        "over TLS",
        &format!("-s tls://127.0.0.1:{port} --load {file} -l {SECONDS}s --clients 4 --outstanding 200 -q -k"),
        &format!("-s 127.0.0.1 -p {port} -d {file} -l {SECONDS} -c 4 -q 200 -m dot"),
    );
    one(knot.port);
}

/// One run of load.
#[derive(Clone, Copy)]
struct Run {
    rate: f64,
    /// CPU time of the process, for each answer.
    each: Duration,
}

fn compare(what: &str, ours: &str, theirs: &str) {
    let (mut ours_all, mut theirs_all) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        theirs_all.push(measured("dnsperf", theirs, |text| number(text, "Queries completed:")));
        let ours = format!("--data /tmp/waddleperf-bench resolvertime --json {ours}");
        ours_all.push(measured(BINARY, &ours, |text| number(text, "\"completed\":")));
    }
    let (ours, theirs) = (median_by(ours_all, |run| run.rate), median_by(theirs_all, |run| run.rate));
    println!("{what}");
    let ratio = ours.rate / theirs.rate;
    println!(
        "  answers/s  {:>9.0}      dnsperf {:>9.0}      {ratio:>6.2}x   (goal: ≥ 1.0x)",
        ours.rate, theirs.rate
    );
    let us = |run: Run| run.each.as_secs_f64() * 1e6;
    let ratio = us(ours) / us(theirs);
    println!(
        "  CPU/query  {:>9.2} µs   dnsperf {:>9.2} µs   {ratio:>6.2}x   (goal: ≤ 1.0x)",
        us(ours),
        us(theirs)
    );
}

/// The number that follows `word`.
fn number(text: &str, word: &str) -> f64 {
    let rest = text.split(word).nth(1).unwrap_or_else(|| panic!("no {word} in {text}")).trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().expect("a number")
}

fn measured(program: &str, arguments: &str, completed: impl Fn(&str) -> f64) -> Run {
    let mut command = Command::new(program);
    command.args(arguments.split_whitespace()).stderr(Stdio::inherit());
    let (output, _, cpu) = timed(|| command.output());
    let output = output.unwrap_or_else(|error| panic!("{program}: {error} (make setup-test)"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{program} {arguments}: {text}");
    let count = completed(&text);
    Run { rate: count / f64::from(SECONDS), each: cpu.div_f64(count.max(1.0)) }
}

/// One query, its whole process.
fn one(port: u16) {
    let time = |program: &str, arguments: &str| {
        let times = (0..21).map(|_| {
            let (output, wall, _) =
                timed(|| Command::new(program).args(arguments.split_whitespace()).output());
            let output = output.unwrap_or_else(|error| panic!("{program}: {error} (make setup-test)"));
            assert!(output.stdout.starts_with(b"192.0.2."), "{program}: no answer");
            wall
        });
        median(times).as_secs_f64() * 1e3
    };
    let theirs = time("kdig", &format!("@127.0.0.1 -p {port} n1.example A +short"));
    let ours = time(
        BINARY,
        &format!("--data /tmp/waddleperf-bench resolvertime @127.0.0.1:{port} n1.example A +short"),
    );
    println!("one query, the whole process");
    println!(
        "  wall       {ours:>9.2} ms   kdig    {theirs:>9.2} ms   {:>6.2}x   (goal: ≤ 4 ms)",
        ours / theirs
    );
}

/// A knot of its own, with a thousand names; it ends when dropped.
struct Knot {
    child: Child,
    port: u16,
    place: tempfile::TempDir,
}

impl Knot {
    fn start() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let at = place.path().display();
        let port =
            UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let names: String = (0..1000).map(|n| format!("n{n} A 192.0.2.{}\n", n % 250)).collect();
        let zone = format!("$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n{names}");
        fs::write(place.path().join("example.zone"), zone).expect("write");
        let config = format!(
            "server:\n  rundir: \"{at}\"\n  listen: 127.0.0.1@{port}\n  udp-workers: 2\ndatabase:\n  storage: \"{at}/db\"\nzone:\n  \
             - domain: \"example\"\n    file: \"{at}/example.zone\"\n"
        );
        fs::write(place.path().join("knot.conf"), config).expect("write");
        let questions: String = (0..1000).map(|n| format!("n{n}.example A\n")).collect();
        fs::write(place.path().join("questions"), questions).expect("write");
        let child = Command::new("/usr/sbin/knotd")
            .arg("-c")
            .arg(place.path().join("knot.conf"))
            .stdout(Stdio::null())
            .spawn()
            .expect("knotd (make setup-test)");
        let knot = Self { child, port, place };
        for _ in 0..100 {
            let asked = Command::new("kdig")
                .args([
                    "@127.0.0.1",
                    "-p",
                    &port.to_string(),
                    "example",
                    "SOA",
                    "+short",
                    "+timeout=1",
                    "+retry=0",
                ])
                .output()
                .expect("kdig (make setup-test)");
            if !asked.stdout.is_empty() && !asked.stdout.starts_with(b";;") {
                return knot;
            }
        }
        panic!("knot does not answer");
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An unbound that knows every name below `example`, over TLS; it ends when dropped.
struct Unbound {
    child: Child,
    port: u16,
    _place: tempfile::TempDir,
}

impl Unbound {
    fn start() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let at = place.path().display();
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        fs::write(place.path().join("cert.pem"), own.cert.pem()).expect("write");
        fs::write(place.path().join("key.pem"), own.signing_key.serialize_pem()).expect("write");
        let config = format!(
            "server:\n  directory: \"{at}\"\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  use-syslog: no\n\
             \x20 interface: 127.0.0.1@{port}\n  tls-port: {port}\n  tls-service-key: \"{at}/key.pem\"\n\
             \x20 tls-service-pem: \"{at}/cert.pem\"\n  do-ip6: no\n  num-threads: 1\n  incoming-num-tcp: 100\n\
             \x20 local-zone: \"example.\" redirect\n  local-data: \"example. A 192.0.2.1\"\n\
             remote-control:\n  control-enable: no\n"
        );
        fs::write(place.path().join("unbound.conf"), config).expect("write");
        let child = Command::new("/usr/sbin/unbound")
            .arg("-d")
            .arg("-c")
            .arg(place.path().join("unbound.conf"))
            .stderr(Stdio::null())
            .spawn()
            .expect("unbound (make setup-test)");
        let unbound = Self { child, port, _place: place };
        for _ in 0..100 {
            let asked = Command::new("kdig")
                .args(["@127.0.0.1", "-p", &port.to_string(), "n1.example", "+tls", "+short", "+timeout=1"])
                .output()
                .expect("kdig (make setup-test)");
            if asked.stdout.starts_with(b"192.0.2.1") {
                return unbound;
            }
        }
        panic!("unbound does not answer");
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
