//! `capture` beside `tcpdump -s 96 -w` over loopback: drops, and CPU for each packet, at 100,000 datagrams of 64 octets
//! a second.
//!
//! `cargo bench --bench capture`, as root; the two take turns, so that the machine is the same, and medians are shown.

#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::disallowed_methods, reason = "a bench measures from outside")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use common::{BINARY, median, threads_time};

/// Datagrams a second, for so long, so many times each.
const RATE: u32 = 100_000;
const LASTS: Duration = Duration::from_secs(3);
const TURNS: usize = 5;
/// Datagrams that are sent before the clock is looked at.
const TRAIN: u32 = 50;
const FILTER: &str = "udp dst port 9999";

/// What came of one run.
#[derive(Clone, Copy, Debug)]
struct Run {
    sent: u64,
    captured: u64,
    dropped: u64,
    cpu: Duration,
    peak: u64,
}

fn main() {
    println!(
        "capture: profile bench, loopback, {RATE} datagrams of 64 octets a second, beside tcpdump -s 96 -w"
    );
    let directory = tempfile::tempdir().expect("a directory");
    let (mut ours, mut theirs, mut sums) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ours.push(waddleperf(&directory.path().join("ours.pcapng"), true));
        theirs.push(tcpdump(&directory.path().join("theirs.pcap")));
        sums.push(waddleperf(&directory.path().join("ours.pcapng"), false));
    }
    let line = |what: &str, unit: &str, of: fn(&Run) -> f64, goal: &str| {
        let [ours, theirs] = [&ours, &theirs].map(|runs| median(runs.iter().map(of)));
        let ratio = ours / theirs;
        println!(
            "  {what:<24}{ours:>11.3} {unit:<4} tcpdump {theirs:>11.3} {unit:<4} {ratio:>6.2}x   (goal: {goal})"
        );
    };
    line("rate sent", "k/s", |run| run.sent as f64 / LASTS.as_secs_f64() / 1e3, "-");
    line(
        "captured of sent",
        "%",
        |run| 100.0 * run.captured as f64 / run.sent as f64,
        "100 where tcpdump has",
    );
    line("dropped by the kernel", "", |run| run.dropped as f64, "0 where tcpdump has 0");
    line("CPU/packet", "µs", |run| run.cpu.as_secs_f64() * 1e6 / run.captured.max(1) as f64, "≤ 1.0x");
    line("peak memory", "MiB", |run| run.peak as f64 / 1024.0, "≤ 64 MiB");
    let only = median(sums.iter().map(|run| run.cpu.as_secs_f64() * 1e6 / run.captured.max(1) as f64));
    println!("  CPU/packet of the summary alone, without a file: {only:.3} µs");
}

/// Sends at the rate, while a capture runs; how many.
fn send() -> u64 {
    let (from, to) = (UdpSocket::bind("127.0.0.1:0"), UdpSocket::bind("127.0.0.1:9999"));
    let (from, _to) = (from.expect("a socket"), to.expect("port 9999"));
    from.connect("127.0.0.1:9999").expect("loopback");
    let (begin, payload, mut sent) = (Instant::now(), [0x55; 64], 0u32);
    while begin.elapsed() < LASTS {
        for _ in 0..TRAIN {
            sent += u32::from(from.send(&payload).is_ok());
        }
        let due = Duration::from_secs_f64(f64::from(sent) / f64::from(RATE));
        waddleperf::sys::wait::sleep(due.saturating_sub(begin.elapsed()));
    }
    sent.into()
}

fn waddleperf(path: &Path, write: bool) -> Run {
    let mut command = Command::new(BINARY);
    command.arg("--data").arg(path.with_extension("data"));
    command.args(["capture", "--json", "-i", "lo", "-s", "96", "-f", FILTER]);
    if write {
        command.arg("-w").arg(path);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start ours");
    await_line(&mut child, "captures on");
    let sent = send();
    let (cpu, peak) = stop(&child);
    let mut printed = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("read the record");
    child.wait().expect("wait for ours");
    let record: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
    let count = |name: &str| record["outcome"]["report"][name].as_u64().unwrap_or_else(|| panic!("{record}"));
    Run { sent, captured: count("packets"), dropped: count("dropped_kernel"), cpu, peak }
}

fn tcpdump(path: &Path) -> Run {
    let mut command = Command::new("tcpdump");
    command.args(["-n", "-s", "96", "-i", "lo", "-Z", "root", "--time-stamp-precision=nano", "-w"]).arg(path);
    let child = command.arg(FILTER).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("needs tcpdump (make setup-test): {error}"));
    await_line(&mut child, "listening on");
    let sent = send();
    let (cpu, peak) = stop(&child);
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("read what it says");
    child.wait().expect("wait for tcpdump");
    let count = |what: &str| -> u64 {
        let line = said.lines().find(|line| line.ends_with(what));
        line.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("{said}"))
    };
    Run { sent, captured: count("captured"), dropped: count("dropped by kernel"), cpu, peak }
}

/// Waits until `child` says that it captures.
fn await_line(child: &mut Child, wanted: &str) {
    let mut said = BufReader::with_capacity(1, child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert!(said.read_line(&mut line).expect("read from it") > 0, "it ends before it captures (root?)");
    }
    child.stderr = Some(said.into_inner());
}

/// Lets `child` take in what is still in its ring; its CPU time, its largest size in KiB; and interrupts it.
fn stop(child: &Child) -> (Duration, u64) {
    // tcpdump's ring hands over what is in it after a second at most.
    waddleperf::sys::wait::sleep(Duration::from_millis(1300));
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("its status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.split_whitespace().next()?.parse().ok()).expect("its size");
    let cpu = threads_time(child.id());
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("interrupt it");
    (cpu, peak)
}
