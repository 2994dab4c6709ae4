//! Beside fping on the same path: who is alive, and the lines that its users know.

use std::process::Output;

use super::run;
use crate::lab::{Hook, Lab};

/// A line of fping's, its times blanked out.
fn blank(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_summed_up = line.contains(" : ") && !line.contains('[') && !line.contains('=');
    let colon = words.iter().position(|word| *word == ":").unwrap_or(words.len());
    let blank = |(n, word): (usize, &&str)| {
        let next = words.get(n + 1).copied().unwrap_or_default();
        let is_column = is_summed_up && n > colon && *word != "-";
        let is_spread = n > 1 && words[n - 2] == "min/avg/max";
        match word {
            _ if next.starts_with("ms") || next == "avg," || is_spread || is_column => {
                let known = if *word == "(NaN" { "(NaN" } else { "T" };
                known.to_owned()
            }
            stamp
                if n == 0
                    && stamp.starts_with('[')
                    && stamp.split_once('.').is_some_and(|(_, part)| part.len() == 6) =>
            {
                "[T]".to_owned()
            }
            word => (*word).to_owned(),
        }
    };
    words.iter().enumerate().map(blank).collect::<Vec<_>>().join(" ")
}

/// What was printed to one side: lines without their times, in an order that is not theirs. Why a name has no address depends on
/// where this runs.
fn shape(octets: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(octets);
    let mut lines: Vec<String> =
        text.lines()
            .map(|line| {
                if line.starts_with("no.such.invalid: ") { "no.such.invalid".to_owned() } else { blank(line) }
            })
            .collect();
    lines.sort();
    lines
}

/// fping's run with these words.
fn fping(lab: &Lab, arguments: &str) -> Output {
    let mut command = lab.client().command("fping");
    command.args(arguments.split_whitespace()).output().expect("needs fping (make setup-test)")
}

#[test]
fn the_same_targets_are_alive_and_dead() {
    let lab = Lab::line(1).build();
    let _dead = lab.router(1).rule(Hook::Forward, "ip daddr 10.200.1.2", "drop");
    let targets = format!("127.0.0.1 {} {} 127.0.0.2", lab.router(1).address4(), lab.server().address4());
    for flag in ["-a", "-u"] {
        let theirs = super::said(&fping(&lab, &format!("{flag} -r 1 -t 200 {targets}")));
        let ours = run(lab.client(), &format!("{flag} -r 1 -W 0.2 {targets}"));
        let sorted = |text: &str| {
            let mut lines: Vec<String> =
                text.lines().filter(|line| !line.contains("ICMP")).map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&String::from_utf8_lossy(&ours.stdout)), sorted(&theirs), "{flag}");
    }
}

/// Line for line, each side for itself, and the code: beside a target that answers, one that is silent, one that a router refuses,
/// one that is given twice and one without an address.
#[test]
fn lines_are_fpings() {
    let lab = Lab::line(1).build();
    let (router, server) = (lab.router(1), lab.server().address4());
    router.sysctl("net.ipv4.icmp_ratelimit", "0");
    let _silent = router.rule(Hook::Forward, "ip daddr 10.200.1.2", "drop");
    let _refused = router.rule(Hook::Forward, "ip daddr 10.200.1.9", "reject with icmpx admin-prohibited");
    let alive = router.address4().to_string();
    let all = format!("{alive} {server} 10.200.1.9 {alive}");
    let unknown = format!("no.such.invalid {all}");
    for (ours, theirs, targets) in [
        ("-c 2 --per-target-interval 0.3 -W 0.3", "-c 2 -p 300 -t 300", &unknown),
        ("-c 2 --per-target-interval 0.3 -W 0.3 -D", "-c 2 -p 300 -t 300 -D", &all),
        ("-c 2 --per-target-interval 0.3 -W 0.3 -q", "-c 2 -p 300 -t 300 -q", &all),
        ("-C 2 --per-target-interval 0.3 -W 0.3", "-C 2 -p 300 -t 300", &unknown),
        ("-C 2 --per-target-interval 0.3 -W 0.3 -q", "-C 2 -p 300 -t 300 -q", &all),
        ("-c 1 -W 0.3", "-c 1 -t 300", &alive),
        ("-r 1 -W 0.3", "-r 1 -t 300", &unknown),
        ("-r 1 -W 0.3", "-r 1 -t 300", &alive),
        ("-a -r 1 -W 0.3", "-a -r 1 -t 300", &unknown),
        ("-a -r 1 -W 0.3 --elapsed", "-a -r 1 -t 300 -e", &all),
        ("-u -r 1 -W 0.3 --addr", "-u -r 1 -t 300 -A", &all),
    ] {
        let output = run(lab.client(), &format!("--style fping {ours} {targets}"));
        let expected = fping(&lab, &format!("{theirs} {targets}"));
        let of = |output: &Output| [shape(&output.stdout), shape(&output.stderr)];
        assert_eq!(of(&output), of(&expected), "stdout and stderr of {ours}");
        assert_eq!(output.status.code(), expected.status.code(), "{ours}");
    }
}
