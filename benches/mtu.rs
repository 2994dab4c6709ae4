//! `mtu` beside `tracepath -n` over three routers: a clean way, a narrow link whose router says so, and a black hole.
//! How long, how many packets, and whether the answer is right.
//!
//! `cargo bench --bench mtu`, as root (it builds network namespaces); the peer runs just after ours, so that the machine is
//! the same.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::process::{Command, Output, Stdio, id};
use std::time::Duration;

use serde_json::Value;

use common::{BINARY, median_by, timed};

const NAMES: [&str; 5] = ["c", "r1", "r2", "r3", "s"];
const TARGET: &str = "10.200.3.2";
/// Silences the second router.
const MUTE: &str = "table inet mute { chain only { type filter hook output priority 0; \
                    icmp type destination-unreachable icmp code frag-needed drop; }; }";

fn main() {
    if !nix::unistd::geteuid().is_root() {
        println!("mtu: not run, needs root for network namespaces");
        return;
    }
    println!("mtu: profile bench, three routers in namespaces, beside tracepath -n -m 6");
    let lab = Lab::new();
    lab.compare("clean, 1500", 1500, 5, "-");
    lab.narrow();
    lab.compare("narrow, 1400, routers say so", 1400, 5, "-");
    lab.tool("r2", "nft", &[MUTE]);
    lab.compare("black hole, 1400", 1400, 2, "≤ 2 s and right; tracepath 15 s and wrong");
}

/// Namespaces of a name of our own, gone when dropped.
struct Lab(String);

/// What one program did.
struct Run {
    lasted: Duration,
    packets: u64,
    answer: Option<u64>,
    hole: Option<String>,
}

impl Lab {
    fn new() -> Self {
        let lab = Self(format!("wpmtu{}", id()));
        for (n, name) in NAMES.iter().enumerate() {
            ip(&["netns", "add", &lab.of(name)]);
            lab.ip(name, "link set lo up");
            let settings = [
                "net.ipv4.icmp_ratelimit=0",
                "net.ipv4.icmp_msgs_per_sec=100000",
                "net.ipv4.ping_group_range=0 2147483647",
                "net.ipv4.ip_forward=1",
            ];
            lab.tool(name, "sysctl", &[&["-qw"][..], &settings[..]].concat());
            if let Some(before) = n.checked_sub(1) {
                lab.link(before);
            }
        }
        for (n, name) in NAMES.iter().enumerate() {
            if n + 1 < NAMES.len() {
                lab.ip(name, &format!("route add default via 10.200.{n}.2"));
            }
            for behind in 0..n.saturating_sub(1) {
                lab.ip(name, &format!("route add 10.200.{behind}.0/30 via 10.200.{}.1", n - 1));
            }
        }
        lab
    }

    /// Joins a node with the next one.
    fn link(&self, n: usize) {
        let (near, far) = (self.of(NAMES[n]), self.of(NAMES[n + 1]));
        let ends =
            ["link", "add", "up0", "netns", &near, "type", "veth", "peer", "name", "dn0", "netns", &far];
        ip(&ends);
        for (name, dev, last) in [(NAMES[n], "up0", 1), (NAMES[n + 1], "dn0", 2)] {
            self.ip(name, &format!("addr add 10.200.{n}.{last}/30 dev {dev}"));
            self.ip(name, &format!("link set {dev} up"));
        }
    }

    /// Makes the link behind the second router narrow.
    fn narrow(&self) {
        self.ip("r2", "link set up0 mtu 1400");
        self.ip("r3", "link set dn0 mtu 1400");
    }

    fn of(&self, name: &str) -> String {
        format!("{}-{name}", self.0)
    }

    fn ip(&self, name: &str, words: &str) {
        let words: Vec<&str> = words.split(' ').collect();
        ip(&[&["-n", &self.of(name)][..], &words[..]].concat());
    }

    fn tool(&self, name: &str, program: &str, arguments: &[&str]) -> Output {
        let namespace = self.of(name);
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &namespace, program]).args(arguments).stderr(Stdio::inherit());
        command.output().unwrap_or_else(|error| panic!("needs ip and {program} (make setup-test): {error}"))
    }

    /// Both in turns; the kernel forgets what it has learnt before each.
    fn compare(&self, name: &str, truth: u64, runs: usize, goal: &str) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            ours.push(self.run(
                BINARY,
                &["--data", "/tmp/waddleperf-bench", "mtu", "-n", "-q", "--json", TARGET],
                ours_said,
            ));
            theirs.push(self.run("tracepath", &["-n", "-m", "6", TARGET], theirs_said));
        }
        let (ours, theirs) = (median_by(ours, |run| run.lasted), median_by(theirs, |run| run.lasted));
        println!("{name}");
        let right = |run: &Run| if run.answer == Some(truth) { "right" } else { "WRONG" };
        for (who, run) in [("waddleperf", &ours), ("tracepath", &theirs)] {
            let answer = run.answer.map_or_else(|| "none".to_owned(), |answer| answer.to_string());
            let hole = run.hole.as_deref().unwrap_or_default();
            let (ms, packets) = (run.lasted.as_secs_f64() * 1e3, run.packets);
            println!("  {who:<12}{ms:>9.1} ms {packets:>5} packets   {answer:>5} {} {hole}", right(run));
        }
        let ratio = ours.lasted.as_secs_f64() / theirs.lasted.as_secs_f64();
        println!("  wall {ratio:.4}x   (goal: {goal})");
    }

    fn run(&self, program: &str, arguments: &[&str], said: fn(&str) -> (Option<u64>, Option<String>)) -> Run {
        self.ip("c", "route flush cache");
        let before = self.sent();
        let (output, lasted, _) = timed(|| self.tool("c", program, arguments));
        let packets = self.sent() - before;
        let (answer, hole) = said(&String::from_utf8_lossy(&output.stdout));
        Run { lasted, packets, answer, hole }
    }

    /// Packets that the client has sent so far.
    fn sent(&self) -> u64 {
        let namespace = self.of("c");
        let output = Command::new("ip").args(["-n", &namespace, "-s", "-j", "link", "show", "up0"]).output();
        let links: Value = serde_json::from_slice(&output.expect("ip").stdout).expect("JSON");
        links[0]["stats64"]["tx"]["packets"].as_u64().expect("a counter")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in NAMES {
            ip(&["netns", "del", &self.of(name)]);
        }
    }
}

fn ours_said(text: &str) -> (Option<u64>, Option<String>) {
    let record: Value = serde_json::from_str(text).expect("a record");
    let report = &record["outcome"]["report"];
    let hole = &report["black_hole"];
    let hole =
        hole.is_object().then(|| format!("black hole after hop {} ({})", hole["after_hop"], hole["after"]));
    (report["pmtu_bytes"].as_u64(), hole)
}

/// `     Resume: pmtu 1400 hops 4 back 4`
fn theirs_said(text: &str) -> (Option<u64>, Option<String>) {
    let last = text.lines().filter_map(|line| line.split_once("pmtu ")).next_back();
    (last.and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok()), None)
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().expect("ip");
    assert!(status.success(), "ip {}", arguments.join(" "));
}
