//! Many targets: each has its own result, all of them are measured, and little memory is needed for them.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use super::{command, numbers, record_of, report_of, run};
use crate::lab::{Hook, Lab};

#[test]
fn names_networks_and_files_are_one_list_whose_faults_are_results() {
    let lab = Lab::line(0).build();
    let list = tempfile::NamedTempFile::new().expect("a file");
    fs::write(list.path(), "# comment\n127.0.0.3 three\n\n127.0.0.1\nno such host.invalid\n")
        .expect("write it");
    let arguments = format!("127.0.0.1 127.0.0.8/30 -F {} -c 2 -i 1ms --json", list.path().display());
    let output = run(lab.client(), &arguments);
    let found = report_of(&output);
    let targets = found["targets"].as_array().expect("targets");
    let names: Vec<&str> = targets.iter().filter_map(|target| target["target"].as_str()).collect();
    assert_eq!(names, ["127.0.0.1", "127.0.0.9", "127.0.0.10", "127.0.0.3", "127.0.0.1", "no"]);
    assert_eq!(numbers(&found, ["/counts/sent", "/counts/received", "/alive"]), [8, 8, 4]);
    assert_eq!(targets[4]["failure"]["class"], "usage", "a duplicate");
    assert_eq!(targets[5]["failure"]["class"], "resolve");
    assert_eq!(output.status.code(), Some(0));
    let csv = super::said(&run(lab.client(), &arguments.replace("--json", "--csv -q")));
    let mut rows =
        csv.lines().filter(|line| line.contains(',')).map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().expect("a header");
    let column = |name| header.iter().position(|column| *column == name).expect("a column");
    let [target, failure, loss, p50] = ["target", "failure", "loss_ratio", "rtt_p50_seconds"].map(column);
    let told: Vec<_> = rows.map(|row| (row[target], row[failure], row[loss], row[p50].is_empty())).collect();
    let alive = names.iter().take(4).map(|&name| (name, "", "0", false));
    let expected: Vec<_> =
        alive.chain([(names[4], "usage", "", true), (names[5], "resolve", "", true)]).collect();
    assert_eq!(told, expected, "a row for each target: {csv}");
    let alone = run(lab.client(), "no.such.host.invalid --json");
    assert_eq!(record_of(&alone)["outcome"]["failure"]["class"], "resolve");
}

#[test]
fn standard_input_is_a_list_too() {
    let lab = Lab::line(0).build();
    let mut ping = command(lab.client(), "-F - -a -i 1ms");
    let mut child = ping.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start ping");
    let mut input = child.stdin.take().expect("stdin is piped");
    input.write_all(b"127.0.0.5\n127.0.0.4\n").expect("write the list");
    drop(input);
    let output = child.wait_with_output().expect("wait for ping");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "127.0.0.5\n127.0.0.4\n");
}

/// Octets that each further target may cost: 100,000 of them, and the 9 MB that the shipped program has to begin with, make
/// 64 MiB. (A debug build begins with 35 MB.)
const MOST_OCTETS: u64 = 550;

/// More packets in flight than a socket has numbers, in both worlds: datagram sockets and raw ones.
#[test]
fn seventy_thousand_targets_are_all_measured_in_550_octets_each() {
    let lab = Lab::line(0).build();
    let measured = |count: u32| {
        let list = tempfile::NamedTempFile::new().expect("a file");
        let name = |n: u32| format!("127.{}.{}.{}\n", 2 + (n >> 16), n >> 8 & 255, n & 255);
        fs::write(list.path(), (0..count).map(name).collect::<String>()).expect("write the list");
        let mut command = lab.client().command("/usr/bin/time");
        command.args([
            "-f",
            "%M",
            super::WADDLEPERF,
            "ping",
            "-c",
            "1",
            "-i",
            "0",
            "-W",
            "10",
            "--json",
            "-F",
        ]);
        let output = command.arg(list.path()).output().expect("run time");
        let said = String::from_utf8_lossy(&output.stderr);
        let kilobytes =
            said.lines().last().and_then(|line| line.trim().parse::<u64>().ok()).expect("its memory");
        (report_of(&output), kilobytes)
    };
    for range in ["0 2147483647", "1 0"] {
        // An ordinary user's namespace has one group only, which the lab has already opened.
        if range == "1 0" {
            lab.client().sysctl("net.ipv4.ping_group_range", range);
        }
        let (_, one) = measured(1);
        let (found, all) = measured(70_000);
        let counts = ["/counts/sent", "/counts/received", "/counts/receive_overflow", "/alive", "/ignored"];
        assert_eq!(numbers(&found, counts), [70_000, 70_000, 0, 70_000, 0], "{range}");
        assert!(all - one < 70_000 * MOST_OCTETS / 1024, "{one} kB and {all} kB");
    }
}

/// A name without an address and a host that is silent, in each form, beside fping: the same lines on stderr, the same code.
#[test]
fn who_cannot_be_resolved_is_told_and_ends_as_with_fping() {
    let lab = Lab::line(0).build();
    lab.client().ip("link set lo up");
    let _silent = lab.server().rule(Hook::Output, "icmp type echo-reply", "drop");
    let silent = lab.server().address4();
    for (ours, theirs) in [
        ("-a -r 0 -W 0.3", "-a -r 0 -t 300"),
        ("-u -r 0 -W 0.3", "-u -r 0 -t 300"),
        ("-C 1 -W 0.3", "-q -C 1 -t 300"),
        ("--style fping -c 1 -W 0.3", "-c 1 -t 300"),
    ] {
        for (targets, code) in [
            ("127.0.0.1 no.such.invalid".to_owned(), 2),
            (format!("127.0.0.1 {silent}"), 1),
            ("127.0.0.1".into(), 0),
        ] {
            let output = run(lab.client(), &format!("{ours} {targets}"));
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{ours} {targets}: {said}");
            let why = if ours.contains("fping") { "Name or service not known" } else { "no such name" };
            let is_told = said.lines().any(|line| line == format!("no.such.invalid: {why}"));
            assert_eq!(is_told, code == 2, "{ours} {targets}: {said}");
            assert!(!String::from_utf8_lossy(&output.stdout).contains("no.such.invalid"), "{ours}");
            let mut fping = lab.client().command("fping");
            let fping = fping.args(theirs.split(' ')).args(targets.split(' ')).output();
            let status = fping.expect("needs fping (make setup-test)").status;
            assert_eq!(status.code(), Some(code), "fping {theirs} {targets}");
        }
    }
    let output = run(lab.client(), "127.0.0.1 no.such.invalid -c 2 -i 10ms --catch-up");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("64 bytes from 127.0.0.1: seq=1") && !out.contains("and 1 more: seq"), "{out}");
    assert_eq!((err.trim(), output.status.code()), ("no.such.invalid: no such name", Some(0)));
}

/// A name with 50 addresses stands for the first, or for all of them where that is asked for.
#[test]
fn a_name_with_many_addresses_is_one_target_or_all() {
    let lab = Lab::line(0).build();
    lab.client().ip("link set lo up");
    let dir = tempfile::tempdir().expect("a directory");
    let hosts = dir.path().join("hosts");
    let lines: String = (1..=50).map(|n| format!("127.0.3.{n} many.example\n")).collect();
    fs::write(&hosts, lines).expect("write the names");
    let ping = |arguments: &str| {
        let mut command = lab.client().command_with(&hosts, super::WADDLEPERF);
        command
            .args(["ping", "--json", "-c", "1", "-i", "1ms", "many.example"])
            .args(arguments.split_whitespace());
        record_of(&command.output().expect("run unshare (util-linux)"))
    };
    let one = ping("");
    assert!(one["address"].as_str().is_some_and(|address| address.starts_with("127.0.3.")), "{one}");
    assert_eq!(numbers(&one, ["/outcome/report/counts/sent"]), [1]);
    let all = ping("-m");
    let targets = all["outcome"]["report"]["targets"].as_array().expect("targets");
    let mut named: Vec<&str> = targets.iter().filter_map(|target| target["target"].as_str()).collect();
    named.sort_unstable();
    named.dedup();
    assert_eq!((named.len(), numbers(&all, ["/outcome/report/alive"])), (50, [50]), "{all}");
    assert!(named[0].starts_with("many.example (127.0.3."), "{named:?}");
}
