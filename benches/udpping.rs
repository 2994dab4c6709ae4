//! `udpping` and its reflector beside `irtt` over loopback: what is sent of the plan, how exactly, and at what cost.
//!
//! `cargo bench --bench udpping`; the peer runs just after ours, so that the machine is the same.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use common::{BINARY, threads_time, timed};

const OURS: &str = "2998";
const THEIRS: &str = "127.0.0.1:2112";
/// Nobody is rationed.
const CONFIG: &str =
    "[serve.udpping]\nrate_per_source = 10000000\nrate_total = 10000000\nrate_per_key = 10000000\n";

fn main() {
    println!("udpping: profile bench, loopback, beside irtt");
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).to_str().expect("a path in UTF-8").to_owned();
    fs::write(path("config.toml"), CONFIG).expect("write the configuration");
    let base = ["--config".to_owned(), path("config.toml"), "--data".to_owned(), path("data")];
    let bench = Bench { reflector: Server::ours(&base), irtt: Server::irtt(), base };
    bench.schedule("1 ms", &["-i", "1ms", "-c", "5000"], &["-i", "1ms", "-d", "5s"], 0.999);
    bench.schedule("100 µs", &["-i", "100us", "-c", "20000"], &["-i", "100us", "-d", "2s"], 0.99);
    bench.maximum();
}

struct Bench {
    reflector: Server,
    irtt: Server,
    base: [String; 4],
}

/// One run of a client.
struct Run {
    /// Packets sent, and those that the schedule had.
    sent: u64,
    planned: u64,
    answered: u64,
    lasted: Duration,
    /// 99th percentile of how far the sends were from the schedule, µs.
    error: f64,
    /// CPU time of the client and of the reflector for each packet sent, µs.
    client: f64,
    server: f64,
}

impl Bench {
    /// A fixed schedule: how much of it is kept, how exactly, at what cost.
    fn schedule(&self, name: &str, ours: &[&str], theirs: &[&str], goal: f64) {
        let (ours, theirs) = (self.ours(ours), self.theirs(theirs));
        let share = |run: &Run| 100.0 * run.sent as f64 / run.planned as f64;
        println!("{name}");
        let goal = format!("≥ {} %", 100.0 * goal);
        line("share sent", "%", share(&ours), share(&theirs), &goal);
        line("schedule error p99", "µs", ours.error, theirs.error, "≤ 100 µs");
        line("client CPU/packet", "µs", ours.client, theirs.client, "≤ 0.25x");
        line("reflector CPU/packet", "µs", ours.server, theirs.server, "≤ 0.15x");
    }

    /// As fast as it goes.
    fn maximum(&self) {
        let ours = self.ours(&["-i", "0", "-c", "200000", "--catch-up"]);
        let theirs = self.theirs(&["-i", "10us", "-d", "2s"]);
        let rate = |run: &Run| run.sent as f64 / run.lasted.as_secs_f64() / 1e3;
        let answered = |run: &Run| 100.0 * run.answered as f64 / run.sent as f64;
        println!("maximum");
        line("rate", "k/s", rate(&ours), rate(&theirs), "≥ 15x");
        line("answered", "%", answered(&ours), answered(&theirs), "-");
        line("client CPU/packet", "µs", ours.client, theirs.client, "≤ 0.25x");
        line("reflector CPU/packet", "µs", ours.server, theirs.server, "≤ 0.15x");
    }

    fn ours(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(BINARY);
        command.args(&self.base).args([
            "udpping",
            "127.0.0.1",
            "-p",
            OURS,
            "-s",
            "80",
            "-W",
            "0.5",
            "--json",
        ]);
        let (output, lasted, client, server) = measured(command.args(arguments), &self.reflector);
        let record = json(&output);
        let report = &record["outcome"]["report"];
        let count = |name: &str| report["counts"][name].as_u64().unwrap_or_else(|| panic!("{record}"));
        let error = report["schedule_error"]["p99_ms"].as_f64().expect("a schedule error") * 1e3;
        let (sent, planned) = (count("sent"), count("sent") + count("skipped"));
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / sent as f64;
        let (client, server) = (each(client), each(server));
        Run { sent, planned, answered: count("received"), lasted, error, client, server }
    }

    fn theirs(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new("irtt");
        command.args(["client", "-Q", "-l", "80", "--wait=500ms", "-o", "-"]).args(arguments).arg(THEIRS);
        let (output, _, client, server) = measured(&mut command, &self.irtt);
        let printed = json(&output);
        let (stats, asked) = (&printed["stats"], &printed["config"]["params"]);
        let count = |name: &str| stats[name].as_u64().unwrap_or_else(|| panic!("no {name} in {stats}"));
        let nanos = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("no time in {asked}"));
        let (interval, duration) = (nanos(&asked["interval"]), nanos(&asked["duration"]));
        let trips = printed["round_trips"].as_array().expect("round trips");
        let times: Vec<f64> = trips
            .iter()
            .filter_map(|trip| trip["timestamps"]["client"]["send"]["monotonic"].as_f64())
            .collect();
        let sent = count("packets_sent");
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / sent as f64;
        Run {
            sent,
            planned: duration.div_ceil(interval),
            answered: count("packets_received"),
            lasted: Duration::from_nanos(duration),
            error: gap_error(&times, interval as f64) / 1e3,
            client: each(client),
            server: each(server),
        }
    }
}

/// irtt moves its schedule along with each delay: 99th percentile of how far its gaps are from the interval, ns.
fn gap_error(times: &[f64], interval: f64) -> f64 {
    let mut errors: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0] - interval).abs()).collect();
    errors.sort_unstable_by(f64::total_cmp);
    errors[errors.len() * 99 / 100]
}

/// Runs a client to its end: its output, how long it took, its CPU time and the server's.
fn measured(command: &mut Command, server: &Server) -> (Output, Duration, Duration, Duration) {
    let before = threads_time(server.0.id());
    let (output, lasted, client) = timed(|| command.stderr(Stdio::inherit()).output());
    let output = output.unwrap_or_else(|error| panic!("needs irtt (make setup-test): {error}"));
    (output, lasted, client, threads_time(server.0.id()) - before)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
}

/// One line: both figures, their ratio, the goal.
fn line(what: &str, unit: &str, ours: f64, theirs: f64, goal: &str) {
    let ratio = ours / theirs;
    println!("  {what:<22}{ours:>9.2} {unit:<4} irtt {theirs:>9.2} {unit:<4} {ratio:>7.2}x   (goal: {goal})");
}

struct Server(Child);

impl Server {
    fn ours(base: &[String]) -> Self {
        let listen = format!("udpping=127.0.0.1:{OURS}");
        let mut command = Command::new(BINARY);
        command
            .args(base)
            .args(["serve", "--listen", "iperf3=off", "--listen", &listen])
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("a server");
        let said = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let listens = said.map_while(Result::ok).any(|line| line.contains(" listens on "));
        assert!(listens, "the server ends before it listens");
        Self(child)
    }

    fn irtt() -> Self {
        let mut command = Command::new("irtt");
        command.args(["server", "-b", THEIRS, "-i", "0", "-d", "0", "-l", "0"]).stdout(Stdio::null());
        let child = command.spawn();
        let server = Self(child.unwrap_or_else(|error| panic!("needs irtt (make setup-test): {error}")));
        let answered = || Command::new("irtt").args(["client", "-n", THEIRS]).output();
        let up = (0..50).any(|_| answered().is_ok_and(|output| output.status.success()));
        assert!(up, "irtt's server does not answer");
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
