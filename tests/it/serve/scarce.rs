//! A server that runs out of file descriptors: it says so once, reflects on, and answers again once there are some.
//! With too few to begin with it does not begin.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use super::{Server, refusal};
use crate::tool::{WADDLEPERF, stdout, tool};

/// CPU time that it has used, in ticks of 10 ms (fields 14 and 15 of proc_pid_stat(5)).
fn ticks(server: &Server) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.child.id())).expect("its state");
    let (_, rest) = stat.rsplit_once(") ").expect("a name in parentheses");
    rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

#[test]
fn without_descriptors_it_says_one_line_and_goes_on() {
    let mut server = Server::with(&[], |command| {
        command.stderr(Stdio::piped());
    });
    server.until_it_answers();
    let health = || {
        let mut health = Command::new(WADDLEPERF);
        health.arg("health").arg("--data").arg(server.data.path()).env("XDG_CONFIG_HOME", "/nowhere");
        health.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs").success()
    };
    assert!((0..100).any(|_| health()), "it owns its store");
    let process = server.child.id().to_string();
    let open = fs::read_dir(format!("/proc/{process}/fd")).expect("its descriptors").count();
    stdout(tool("prlimit").args(["--pid", &process, &format!("--nofile={}:", open + 3)]));
    let socket = server.data.path().join("control.sock");
    let connections: Vec<_> =
        (0..20).map(|_| UnixStream::connect(&socket).expect("it waits in the queue")).collect();
    let is_told = |line: &String| line.contains("control.sock: accept: Too many open files");
    let mut lines =
        BufReader::new(server.child.stderr.take().expect("its stderr")).lines().map_while(Result::ok);
    assert!(lines.any(|line| is_told(&line)), "it says so");
    let before = ticks(&server);
    for _ in 0..3 {
        let pinged = server.ping(&["-c", "20", "-i", "50ms"]).output().expect("it runs");
        assert!(pinged.status.success(), "{pinged:?}");
    }
    assert!(ticks(&server) - before < 100, "three seconds without a spin");
    drop(connections);
    assert!((0..100).any(|_| health()), "it answers again");
    server.child.kill().expect("end it");
    let more: Vec<_> = lines.collect();
    assert!(!more.iter().any(is_told) && more.len() < 2, "once, beside one line on the spool: {more:?}");
}

#[test]
fn with_too_few_descriptors_it_says_one_line_and_does_not_begin() {
    let data = tempfile::tempdir().expect("make a directory");
    // From the first number that lets the loader and the store open what they need.
    for descriptors in 5..32 {
        for command in ["serve --listen iperf3=off --listen udpping=127.0.0.1:0", "udpping 127.0.0.1"] {
            let script = format!(
                "ulimit -n {descriptors}; exec {WADDLEPERF} --data {} {command}",
                data.path().display()
            );
            let (code, said) =
                refusal(Command::new("sh").args(["-c", &script]).env("XDG_CONFIG_HOME", "/nowhere"));
            assert_eq!(code, Some(3), "{descriptors}: {said}");
            assert!(
                said.contains("file descriptors are allowed") || said.contains("too many open files"),
                "{said}"
            );
        }
    }
}
