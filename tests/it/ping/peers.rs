//! Beside fping on the same path: who is alive, and the lines that its users know.

use super::{command, run};
use crate::lab::{Hook, Lab};

/// Each number replaced by `0`, so that lines of different times can be compared.
fn shape(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (name, rest) = line.split_once(" : ").unwrap_or((line.trim(), ""));
            let (fixed, times) =
                rest.split_at(rest.find("ms").map_or_else(|| rest.find("min/").unwrap_or(0), |_| 0));
            let mut shape = String::new();
            for c in times.chars() {
                match c {
                    '0'..='9' | '.' if shape.ends_with('0') => {}
                    '0'..='9' => shape.push('0'),
                    c => shape.push(c),
                }
            }
            format!("{} : {fixed}{shape}", name.trim())
        })
        .collect();
    lines.sort();
    lines
}

/// What fping prints, to either side.
fn fping(lab: &Lab, arguments: &str) -> String {
    let mut command = lab.client().command("fping");
    let output = command.args(arguments.split_whitespace()).output().expect("needs fping (make setup-test)");
    super::said(&output)
}

#[test]
fn the_same_targets_are_alive_and_dead() {
    let lab = Lab::line(1).build();
    let _dead = lab.router(1).rule(Hook::Forward, "ip daddr 10.200.1.2", "drop");
    let targets = format!("127.0.0.1 {} {} 127.0.0.2", lab.router(1).address4(), lab.server().address4());
    for flag in ["-a", "-u"] {
        let theirs = fping(&lab, &format!("{flag} -r 1 -t 200 {targets}"));
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

#[test]
fn lines_are_fpings() {
    let lab = Lab::line(0).build();
    for (ours, theirs) in [
        ("--style fping -c 2 --per-target-interval 100ms", "-c 2 -p 100"),
        ("--style fping -q -c 2 --per-target-interval 100ms", "-q -c 2 -p 100"),
        ("-C 2 --per-target-interval 100ms", "-q -C 2 -p 100"),
    ] {
        let targets = "127.0.0.1 127.0.0.21";
        let output = command(lab.client(), &format!("{ours} {targets}")).output().expect("run ping");
        assert_eq!(
            shape(&super::said(&output)),
            shape(&fping(&lab, &format!("{theirs} {targets}"))),
            "{ours}"
        );
    }
}
