//! Tests that end before their end: interrupted, killed, vanished, and a server that is told to stop.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{OPEN, Server, read};
use crate::lab::shared;

/// A client whose test runs: it has printed its first interval.
pub(super) fn running(server: &Server, args: &str) -> (Child, BufReader<impl Read>) {
    let mut command = server.client(&format!("-i 0.2 --forceflush {args}"));
    let mut client = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(client.stdout.take().expect("its stdout"));
    let mut line = String::new();
    while !line.contains("bits/sec") {
        line.clear();
        assert!(said.read_line(&mut line).expect("text") > 0, "{args}: it ends");
    }
    (client, said)
}

/// The stock client below `timeout`.
fn signal(client: &Child, signal: Signal) {
    let children = format!("/proc/{0}/task/{0}/children", client.id());
    let children = std::fs::read_to_string(children).expect("its children");
    let pid = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a child");
    kill(Pid::from_raw(pid), signal).expect("send a signal");
}

const MODES: [&str; 6] = [
    "-t 0 -b 50M",
    "-t 30 -b 50M",
    "-t 30 -R -P 2",
    "-t 30 --bidir",
    "-t 30 -u -b 20M -l 1000",
    "-t 30 -u -R -b 20M -l 1000",
];

#[test]
fn a_client_that_is_interrupted_or_killed_leaves_nothing() {
    let _turn = shared();
    let server = Server::with(&format!("{OPEN}\n").replace("sessions = 64", "sessions = 1"));
    let before = server.idle();
    let threads = server.threads();
    for how in [Signal::SIGINT, Signal::SIGKILL] {
        for args in MODES {
            let (mut client, _said) = running(&server, args);
            signal(&client, how);
            let ended = client.wait().expect("it ends");
            // As iperf3 up to 3.18 ends when it is interrupted.
            assert!(how == Signal::SIGKILL || ended.code() == Some(1), "{args}: {ended}");
            // Its place is free soon.
            let served = |_| {
                waddleperf::sys::wait::sleep(std::time::Duration::from_millis(20));
                server.client("-n 100K").output().expect("it runs").status.success()
            };
            assert!((0..50).any(served), "{how} {args}: still busy");
            server.until_idle(before);
        }
    }
    // Threads that wait for blocking work live on for a while, and are the runtime's.
    assert!(server.threads() < threads + 16, "{} threads, {threads} before", server.threads());
}

#[test]
fn sigterm_lets_tests_end_and_begins_no_other() {
    let _turn = shared();
    let mut server = Server::open();
    let (mut client, said) = running(&server, "-t 3 -b 1M");
    server.signal(Signal::SIGTERM);
    let refused = (0..50).find(|_| !server.client("-n 1K").output().expect("it runs").status.success());
    assert!(refused.is_some_and(|tries| tries < 40), "{refused:?}");
    let rest = read(Some(said));
    assert!(client.wait().expect("it ends").success(), "{rest}");
    assert!(server.child.wait().expect("it ends").success());
}

#[test]
fn a_server_that_does_not_wait_says_that_it_ends() {
    let _turn = shared();
    let mut server =
        Server::configured(&format!("[serve]\ndrain = \"0s\"\n[serve.iperf3]\n{OPEN}"), "127.0.0.1");
    let clients: Vec<_> = ["-t 30 -b 1M", "-t 30 -R -b 1M", "-t 30 -u -R -b 1M -l 1000"]
        .iter()
        .map(|args| running(&server, args))
        .collect();
    server.signal(Signal::SIGTERM);
    for (mut client, _said) in clients {
        assert!(!client.wait().expect("it ends").success());
        let complaint = read(client.stderr.take());
        assert!(complaint.contains("the server has terminated"), "{complaint}");
    }
    assert!(server.child.wait().expect("it ends").success());
}
