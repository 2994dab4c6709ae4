//! `ping` beside fping and ping: bursts, paced lists, schedules; what they take, and what one target costs.
//!
//! `cargo bench --bench ping`; the peer runs just after ours, so that the machine is the same. Medians of [`RUNS`].

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use common::{BINARY, median_by, timed};

const RUNS: usize = 3;

fn main() {
    println!("ping: profile bench, loopback, beside fping and ping; medians of {RUNS}");
    let directory = tempfile::tempdir().expect("a directory");
    let list = |name: &str, count: u32| {
        let path = directory.path().join(name);
        let names: String =
            (0..count).map(|n| format!("127.{}.{}.{}\n", 2 + (n >> 16), n >> 8 & 255, n & 255)).collect();
        fs::write(&path, names).expect("write a list");
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    burst(&list("50k", 50_000));
    polite(&list("10k", 10_000));
    fast(directory.path(), &list("50k", 50_000));
    memory(&list("100k", 100_000));
    schedule("1 ms", "0.001", 5000, 5.0);
    schedule("10 ms", "0.01", 500, 5.0);
}

/// One run of a client.
#[derive(Clone, Copy)]
struct Run {
    wall: f64,
    /// User and system time, s.
    cpu: f64,
    sent: f64,
    received: f64,
    /// Highest resident set, MiB.
    memory: f64,
}

/// 50,000 targets at once.
fn burst(list: &str) {
    let ours = median(|| ours(&["-q", "-c", "1", "-i", "0", "-W", "5", "-F", list]));
    let theirs = median(|| fping(&["-q", "-c1", "-i", "0", "-r0", "-f", list], 50_000.0));
    println!("50,000 targets in one burst");
    line("wall", "s", ours.wall, theirs.wall, "≤ 0.5x");
    line("CPU/target", "µs", each(&ours), each(&theirs), "≤ 0.5x, ≤ 5 µs");
    println!("  answered {} of {}", ours.received, ours.sent);
}

/// 10,000 targets, one each millisecond.
fn polite(list: &str) {
    let ours = median(|| ours(&["-q", "-c", "1", "-i", "1ms", "-W", "1", "-F", list]));
    let theirs = median(|| fping(&["-q", "-c1", "-i", "1", "-r0", "-f", list], 10_000.0));
    println!("10,000 targets, one each ms (plan: 10 s)");
    line("wall", "s", ours.wall, theirs.wall, "10 s ±1 %");
    line("CPU/target", "µs", each(&ours), each(&theirs), "≤ 0.3x, ≤ 15 µs");
}

/// 10,000 each 100 µs, and 150,000 packets in 10 s.
fn fast(directory: &Path, list: &str) {
    let few = directory.join("10k");
    let few = few.to_str().expect("a path in UTF-8");
    let quick = median(|| ours(&["-q", "-c", "1", "-i", "100us", "-W", "1", "-F", few]));
    let theirs = median(|| fping(&["-q", "-c1", "-i", "0.1", "-r0", "-f", few], 10_000.0));
    println!("10,000 targets, one each 100 µs (plan: 1 s)");
    line("wall", "s", quick.wall, theirs.wall, "1 s ±2 %");
    let ours = ours(&["-q", "-c", "3", "-i", "20us", "--per-target-interval", "1s", "-W", "5", "-F", list]);
    let output = Command::new("fping").args(["-q", "-c3", "-i", "0.02", "-f", list]).output();
    let output = output.expect("needs fping (make setup-test)");
    let said = String::from_utf8_lossy(&output.stderr);
    let gave_up = said.lines().find(|line| line.contains("sequence")).unwrap_or("fping did not give up");
    println!("150,000 packets, one each 20 µs");
    println!(
        "  ours: {} of {} answered in {:.2} s (goal: all); fping: {gave_up}",
        ours.received, ours.sent, ours.wall
    );
}

fn memory(list: &str) {
    let run = ours(&["-q", "-c", "1", "-i", "0", "-W", "5", "-F", list]);
    println!(
        "100,000 targets\n  {:.1} MiB resident (goal: ≤ 64), {} of {} answered",
        run.memory, run.received, run.sent
    );
}

/// One target on a schedule.
fn schedule(name: &str, interval: &str, count: u32, plan: f64) {
    let count = (count + 1).to_string();
    let ours = median(|| ours(&["-q", "--force", "-c", &count, "-i", interval, "-W", "1", "127.0.0.1"]));
    let theirs = median(|| {
        let sent = count.parse().expect("a number");
        measured(Command::new("ping").args(["-q", "-n", "-c", &count, "-i", interval, "127.0.0.1"]), |_| {
            (sent, sent)
        })
    });
    println!("one target each {name} (plan: {plan} s)");
    line("wall", "s", ours.wall, theirs.wall, "5 s ±0.5 %");
    line("CPU/packet", "µs", each(&ours), each(&theirs), "≤ 25 µs at 1 ms");
}

fn each(run: &Run) -> f64 {
    run.cpu * 1e6 / run.sent
}

fn ours(arguments: &[&str]) -> Run {
    let mut command = Command::new(BINARY);
    command.args(["ping", "--json", "--no-save"]).args(arguments);
    measured(&mut command, |output| {
        let record: Value = serde_json::from_slice(&output.stdout).expect("a record");
        let counts = &record["outcome"]["report"]["counts"];
        let count = |name: &str| counts[name].as_f64().unwrap_or_else(|| panic!("{record}"));
        (count("sent"), count("received"))
    })
}

fn fping(arguments: &[&str], sent: f64) -> Run {
    measured(Command::new("fping").args(arguments), |_| (sent, sent))
}

/// Runs a client to its end.
fn measured(command: &mut Command, count: impl Fn(&Output) -> (f64, f64)) -> Run {
    let mut weighed = Command::new("/usr/bin/time");
    weighed.args(["-f", "%M"]).arg(command.get_program()).args(command.get_args());
    let (output, wall, cpu) = timed(|| weighed.stdin(Stdio::null()).output());
    let output = output.expect("needs time, fping and ping (make setup-test)");
    let said = String::from_utf8_lossy(&output.stderr);
    let memory = said.lines().last().and_then(|line| line.trim().parse::<f64>().ok()).unwrap_or(0.0) / 1024.0;
    let (sent, received) = count(&output);
    Run { wall: wall.as_secs_f64(), cpu: cpu.as_secs_f64(), sent, received, memory }
}

/// The run of median wall-clock time.
fn median(mut run: impl FnMut() -> Run) -> Run {
    median_by((0..RUNS).map(|_| run()).collect(), |run| run.wall)
}

/// One line: both figures, their ratio, the goal.
fn line(what: &str, unit: &str, ours: f64, theirs: f64, goal: &str) {
    println!(
        "  {what:<12}{ours:>9.2} {unit:<3} peer {theirs:>9.2} {unit:<3} {:>7.2}x   (goal: {goal})",
        ours / theirs
    );
}
