//! `portscan` beside `nmap`, over a pair of network namespaces: wall and CPU of closed and filtered hosts.
//!
//! `cargo bench --bench portscan`, as root; the peer runs just before ours, so that the machine is the same. Medians of
//! three. Where all ports are asked, ours is told that it may be fast (`--rate`): by itself it asks others' hosts 1,000 times
//! a second after the first 1,000, where nmap knows no ceiling.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{BINARY, median_by, timed};

const TARGET: &str = "10.78.0.2";

fn main() {
    println!("portscan: profile bench, a pair of namespaces, beside nmap");
    let lab = Lab::new();
    lab.compare("65,535 closed, connect", "-sT -p- --rate 200000", "-sT -p- -T3", 65_535, "≤ 0.6x");
    lab.compare("65,535 closed, SYN", "-sS -p- --rate 200000", "-sS -p- -T3", 65_535, "≤ 0.5x");
    lab.filter("tcp dport != 443 drop");
    lab.compare("999 of 1,000 filtered, connect", "-sT -p 1-1000", "-sT -p 1-1000 -T4", 1000, "≤ 0.4x");
    lab.compare("999 of 1,000 filtered, SYN", "-sS -p 1-1000", "-sS -p 1-1000 -T4", 1000, "≤ 0.4x");
    lab.ration();
    lab.compare(
        "300 mixed, resets rationed, connect",
        "-sT -p 2000-2299",
        "-sT -p 2000-2299",
        300,
        "the same verdicts",
    );
    lab.compare(
        "300 mixed, resets rationed, SYN",
        "-sS -p 2000-2299",
        "-sS -p 2000-2299",
        300,
        "the same verdicts",
    );
    lab.filter("tcp dport 7-65535 drop");
    let theirs = "-sS -p- --min-rate 20000 --max-retries 1";
    lab.compare(
        "65,529 filtered, SYN",
        "-sS -p- --max-retries 1 --rate 200000",
        theirs,
        65_535,
        "≤ 0.74x (5 s of 6.75)",
    );
}

/// Two namespaces, gone when dropped.
struct Lab {
    client: String,
    server: String,
}

/// One run.
#[derive(Clone, Copy)]
struct Run {
    wall: Duration,
    cpu: Duration,
}

impl Lab {
    fn new() -> Self {
        let name = |end: &str| format!("wpb{}-{end}", std::process::id());
        let lab = Self { client: name("c"), server: name("s") };
        let (c, s) = (&lab.client, &lab.server);
        for line in [
            format!("netns add {c}"),
            format!("netns add {s}"),
            format!("link add up0 netns {c} type veth peer name dn0 netns {s}"),
            format!("-n {c} addr add 10.78.0.1/24 dev up0"),
            format!("-n {s} addr add {TARGET}/24 dev dn0"),
            format!("-n {c} link set up0 up"),
            format!("-n {s} link set dn0 up"),
        ] {
            run("ip", &line);
        }
        lab
    }

    /// Lets the server's filter do nothing but this.
    fn filter(&self, rule: &str) {
        let table =
            format!("table inet bench {{ chain only {{ type filter hook input priority 0; {rule}; }}; }}");
        let _ = Command::new("ip").args(["netns", "exec", &self.server, "nft", "flush", "ruleset"]).status();
        let status = Command::new("ip").args(["netns", "exec", &self.server, "nft", &table]).status();
        assert!(status.is_ok_and(|status| status.success()), "needs nft (make setup-test)");
    }

    /// A hundred ports refused, a hundred filtered, a hundred refused by a reset of the filter's; resets are rationed.
    fn ration(&self) {
        let _ = Command::new("ip").args(["netns", "exec", &self.server, "nft", "flush", "ruleset"]).status();
        let table = "table inet bench { chain in { type filter hook input priority 0; \
                     tcp dport 2100-2199 drop; tcp dport 2200-2299 reject with tcp reset; }; \
                     chain out { type filter hook output priority 0; \
                     tcp flags rst limit rate over 200/second burst 20 packets drop; }; }";
        let status = Command::new("ip").args(["netns", "exec", &self.server, "nft", table]).status();
        assert!(status.is_ok_and(|status| status.success()), "needs nft (make setup-test)");
    }

    fn compare(&self, what: &str, ours: &str, theirs: &str, ports: u32, goal: &str) {
        let (mut ours_all, mut theirs_all) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            theirs_all.push(self.measured("nmap", &format!("-n -Pn {theirs} {TARGET}")));
            ours_all.push(
                self.measured(BINARY, &format!("--data /tmp/waddleperf-bench portscan {ours} {TARGET}")),
            );
        }
        let (ours, theirs) = (median_by(ours_all, |run| run.wall), median_by(theirs_all, |run| run.wall));
        let each = |run: Run| run.cpu.as_secs_f64() * 1e6 / f64::from(ports);
        let ratio = ours.wall.as_secs_f64() / theirs.wall.as_secs_f64();
        println!("{what}");
        println!(
            "  wall       {:>9.3} s    nmap {:>9.3} s    {ratio:>6.2}x   (goal: {goal})",
            ours.wall.as_secs_f64(),
            theirs.wall.as_secs_f64()
        );
        let ratio = each(ours) / each(theirs);
        println!("  CPU/port   {:>9.2} µs   nmap {:>9.2} µs   {ratio:>6.2}x", each(ours), each(theirs));
    }

    fn measured(&self, program: &str, arguments: &str) -> Run {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.client, program]).args(arguments.split_whitespace());
        let (output, wall, cpu) = timed(|| command.stderr(Stdio::inherit()).output().expect("ip"));
        let said = String::from_utf8_lossy(&output.stdout);
        // A scan without an answer ends with 1, and is none here.
        assert!(output.status.success(), "{program} {arguments}: {said} (make setup-test)");
        Run { wall, cpu }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for name in [&self.client, &self.server] {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

fn run(program: &str, arguments: &str) {
    let status = Command::new(program).args(arguments.split_whitespace()).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} {arguments}: needs root");
}
