//! `mtr` beside mtr, traceroute and scamper over ten routers in network namespaces: wall time and CPU, ratios printed.
//!
//! `cargo bench --bench mtr`, as root; the peer runs just after ours, so that the machine is the same.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{BINARY, median, timed};

const ROUTERS: usize = 10;
/// The last node's address.
const TARGET: &str = "10.201.10.2";
/// What a router does in the line's tests too: fresh namespaces ration ICMP errors.
const SETTINGS: [&str; 5] = [
    "net.ipv4.ip_forward=1",
    "net.ipv4.icmp_ratelimit=0",
    "net.ipv4.icmp_msgs_per_sec=100000",
    "net.ipv4.icmp_msgs_burst=10000",
    "net.ipv4.ping_group_range=0 2147483647",
];

fn main() {
    println!("mtr: profile bench, {ROUTERS} routers in namespaces, beside mtr, traceroute and scamper");
    let line = Line::build();
    line.cycles("-c 10", &["-c", "10"], &["-c", "10"], "≤ 0.65x");
    line.cycles("-c 10 -i 0.1", &["-c", "10", "-i", "0.1"], &["-c", "10", "-i", "0.1"], "≤ 0.25x");
    line.once();
}

/// A client, ten routers and a server, until dropped.
struct Line;

/// Wall time and CPU time of one run.
struct Run {
    lasted: Duration,
    cpu: Duration,
}

impl Line {
    fn build() -> Self {
        let line = Self;
        let (mut make, mut wire) = (String::new(), String::new());
        let last = ROUTERS + 1;
        for n in 0..=last {
            let _ = writeln!(make, "netns add {}", name(n));
        }
        ip(&make);
        for link in 0..last {
            let (near, far) = (name(link), name(link + 1));
            let _ = writeln!(wire, "link add name up0 netns {near} type veth peer name dn0 netns {far}");
        }
        ip(&wire);
        for n in 0..=last {
            let mut own = String::from("link set lo up\n");
            if n < last {
                let _ = writeln!(own, "addr add 10.201.{n}.1/30 dev up0\nlink set up0 up");
            }
            if n > 0 {
                let _ = writeln!(own, "addr add 10.201.{}.2/30 dev dn0\nlink set dn0 up", n - 1);
            }
            inside(n, "ip", &["-batch", "-"], &own);
            inside(n, "sysctl", &[&["-qw"][..], &SETTINGS[..]].concat(), "");
        }
        for n in 0..=last {
            let mut own = String::new();
            if n < last {
                let _ = writeln!(own, "route add default via 10.201.{n}.2");
            }
            for link in 0..n.saturating_sub(1) {
                let _ = writeln!(own, "route add 10.201.{link}.0/30 via 10.201.{}.1", n - 1);
            }
            inside(n, "ip", &["-batch", "-"], &own);
        }
        line
    }

    /// A report of some cycles.
    fn cycles(&self, what: &str, ours: &[&str], theirs: &[&str], goal: &str) {
        let ours = run(BINARY, &[&["mtr", "-n", TARGET][..], ours].concat());
        let theirs = run("mtr", &[&["-n", "-r", TARGET][..], theirs].concat());
        let seconds = |run: &Run| run.lasted.as_secs_f64();
        println!("{what}");
        line("wall", "s", (seconds(&ours), seconds(&theirs)), "mtr", goal);
        let probes = 10.0 * (ROUTERS + 1) as f64;
        let each = |run: &Run| run.cpu.as_secs_f64() * 1e6 / probes;
        line("CPU/probe", "µs", (each(&ours), each(&theirs)), "mtr", "≤ 0.2x");
    }

    /// One trace, and every path. Medians of nine.
    fn once(&self) {
        let ms = |program: &str, arguments: &[&str]| {
            median((0..9).map(|_| run(program, arguments).lasted.as_secs_f64() * 1e3))
        };
        let ours = ms(BINARY, &["mtr", "-n", "-c", "1", TARGET]);
        let theirs = ms("traceroute", &["-n", "-q", "1", TARGET]);
        println!("one trace");
        line("wall", "ms", (ours, theirs), "traceroute", "≤ 10 ms");
        let ours = ms(BINARY, &["mtr", "-n", "--mda", TARGET]);
        let theirs = run("scamper", &["-I", &format!("tracelb {TARGET}")]).lasted.as_secs_f64() * 1e3;
        println!("every path, where there is one");
        line("wall", "ms", (ours, theirs), "scamper", "≤ 500 ms");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let all: String = (0..=ROUTERS + 1).fold(String::new(), |mut all, n| {
            let _ = writeln!(all, "netns del {}", name(n));
            all
        });
        ip(&all);
    }
}

fn name(n: usize) -> String {
    format!("wpbench{n}")
}

fn ip(batch: &str) {
    feed(Command::new("ip").args(["-batch", "-"]), batch);
}

fn inside(n: usize, program: &str, arguments: &[&str], input: &str) {
    feed(Command::new("ip").args(["netns", "exec", &name(n), program]).args(arguments), input);
}

fn feed(command: &mut Command, input: &str) {
    let mut child =
        command.stdin(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success(), "{command:?} (needs root): {input}");
}

/// Runs a program in the first namespace to its end.
fn run(program: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &name(0), program]).args(arguments).stdout(Stdio::null());
    let (status, lasted, cpu) = timed(|| command.status().expect("start ip"));
    assert!(status.success(), "{program} {arguments:?}: {status} (make setup-test)");
    Run { lasted, cpu }
}

/// One line: both figures, their ratio, the goal.
fn line(what: &str, unit: &str, (ours, theirs): (f64, f64), peer: &str, goal: &str) {
    let ratio = ours / theirs;
    println!(
        "  {what:<10}{ours:>9.2} {unit:<3} {peer:<11}{theirs:>9.2} {unit:<3} {ratio:>7.3}x   (goal: {goal})"
    );
}
