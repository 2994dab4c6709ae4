//! `bandwidth` beside `iperf3 -c`, both against a stock `iperf3 -s` on loopback: throughput, and processor seconds per GB of the
//! client.
//!
//! `cargo bench --bench bandwidth`. Medians of five runs of two seconds that take turns.

#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_waddleperf");
const RUNS: usize = 5;
const PORT: &str = "5299";

/// What is compared: a title, its options, the goal for throughput, and ours alone.
const CASES: [(&str, &str, &str, &str); 9] = [
    ("tcp, 1 stream", "", "≥ 1.0x", ""),
    ("tcp, 4 streams", "-P 4", "≥ 1.2x", ""),
    ("tcp, -R, copying", "-R", "≥ 1.0x", "--rx-copy"),
    ("tcp, -R, discarding", "-R", "≥ 1.4x", ""),
    ("tcp, -R -P 4, discarding", "-R -P 4", "≥ 1.4x", ""),
    ("tcp, --bidir, copying", "--bidir", "≥ 1.2x", "--rx-copy"),
    ("tcp, --bidir, discarding", "--bidir", "≥ 1.7x", ""),
    ("udp, 1460 octets", "-u -b 0 -l 1460", "≥ 1.3x", ""),
    ("udp, 1460 octets, gso", "-u -b 0 -l 1460", "≥ 5x", "--gso"),
];

fn main() {
    println!("bandwidth: profile bench, loopback, a stock iperf3 -s, clients take turns");
    let _server = Server::start();
    for (title, args, goal, own) in CASES {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            ours.push(run(Command::new(BINARY).arg("bandwidth").args(own.split_whitespace()), args));
            theirs.push(run(&mut Command::new("iperf3"), args));
        }
        let column = |runs: &[[f64; 3]], n: usize| median(runs.iter().map(|run| run[n]).collect());
        let [(rate, peer), (cpu, peer_cpu), (lost, peer_lost)] =
            [0, 1, 2].map(|n| (column(&ours, n), column(&theirs, n)));
        println!("{title}");
        println!("  Gbit/s      {rate:>8.2}   iperf3 {peer:>8.2}   {:>5.2}x   (goal: {goal})", rate / peer);
        println!("  CPU s/GB    {cpu:>8.3}   iperf3 {peer_cpu:>8.3}   {:>5.2}x", cpu / peer_cpu);
        if args.contains("-u") {
            println!("  lost        {lost:>7.2}%   iperf3 {peer_lost:>7.2}%");
        }
    }
}

/// Gbit/s that came, processor seconds of the client per GB, percent lost: by the form of a report that both have.
fn run(command: &mut Command, args: &str) -> [f64; 3] {
    let before = children();
    let output =
        command.args(["-J", "-t", "2", "-p", PORT, "-c", "127.0.0.1"]).args(args.split_whitespace()).output();
    let output = output.expect("needs iperf3 (make setup-test)");
    let time = children() - before;
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    let end = &document["end"];
    let number = |value: &Value| value.as_f64().unwrap_or(0.0);
    let sums = [&end["sum_received"], &end["sum_received_bidir_reverse"]];
    let octets: f64 = sums.iter().map(|sum| number(&sum["bytes"])).sum();
    let rate: f64 = sums.iter().map(|sum| number(&sum["bits_per_second"])).sum();
    assert!(octets > 0.0, "{document}");
    [rate / 1e9, time.as_secs_f64() / (octets / 1e9), number(&end["sum"]["lost_percent"])]
}

/// Processor time of the children that have ended.
fn children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// A stock server.
struct Server(Child);

impl Server {
    fn start() -> Self {
        let child = Command::new("iperf3")
            .args(["-s", "-p", PORT])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = Self(child.expect("needs iperf3 (make setup-test)"));
        std::process::Command::new("sleep").arg("0.5").status().expect("it sleeps");
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
