//! Tests that end before their end: interrupted, killed, vanished, and a server that is told to stop.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;

use super::raw::{Raw, tcp};
use super::{OPEN, Server, read};
use crate::lab::shared;
use crate::tool::WADDLEPERF;

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
pub(super) fn signal(client: &Child, signal: Signal) {
    let children = format!("/proc/{0}/task/{0}/children", client.id());
    let children = std::fs::read_to_string(children).expect("its children");
    let pid = children.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a child");
    kill(Pid::from_raw(pid), signal).expect("send a signal");
}

/// Interrupts a stock client, and waits for its end.
pub(super) fn interrupt(mut client: Child) {
    signal(&client, Signal::SIGINT);
    // As iperf3 up to 3.18 ends then.
    assert_eq!(client.wait().expect("it ends").code(), Some(1));
}

/// How soon a place is free that was left.
pub(super) const SOON: Duration = Duration::from_secs(1);

impl Server {
    /// Waits until there is a place for one more test, at the latest `by` then.
    #[track_caller]
    pub(super) fn has_a_place_by(&self, by: Instant) {
        while !Raw::greet(self).is_asked() {
            assert!(clock::now().mono < by, "still busy");
            sleep(Duration::from_millis(10));
        }
    }
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
            let (client, _said) = running(&server, args);
            let now = clock::now().mono;
            match how {
                Signal::SIGINT => interrupt(client),
                _ => {
                    signal(&client, how);
                    drop(client.wait_with_output());
                }
            }
            server.has_a_place_by(now + SOON);
            server.report("-n 100K");
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

/// Where a server of one test is the next of many.
const SERVERS: usize = 100;

#[test]
fn a_server_of_one_test_ends_after_it_whatever_came_of_it() {
    for n in 0..SERVERS {
        // Others that want the machine for themselves need not wait for all of them.
        let _turn = shared();
        let mut one_off = Command::new("sh");
        one_off.args(["-c", "exec \"$0\" \"$@\" --one-off", WADDLEPERF]);
        let mut server = Server::launch(one_off, "", "127.0.0.1");
        let args = ["-n 1K", "-n 1K -R", "-u -n 10K -l 1000", "-n 100K -P 4 --bidir"];
        match n % 8 {
            kind @ 0..4 => drop(server.report(args[kind])),
            // A stranger's connection is no test; a client that is gone was one.
            4 => {
                drop(Raw::connect(&server));
                server.report(args[0]);
            }
            5 => {
                drop(Raw::greet(&server));
                server.report(args[0]);
            }
            6 => {
                let mut gone = Raw::ask(&server, &tcp());
                gone.hear(&[10]);
                let _data = gone.data(&server);
                gone.hear(&[1, 2]);
            }
            _ => {
                let mut interrupted = Raw::ask(&server, &tcp());
                interrupted.hear(&[10]);
                let _data = interrupted.data(&server);
                interrupted.hear(&[1, 2]);
                interrupted.say(&[12]);
                assert!(interrupted.rest().is_empty());
            }
        }
        let by = clock::now().mono + Duration::from_secs(10);
        let ended = loop {
            if let Some(ended) = server.child.try_wait().expect("asked") {
                break ended;
            }
            assert!(clock::now().mono < by, "{n}: it does not end");
            sleep(Duration::from_millis(2));
        };
        assert_eq!(ended.code(), Some(0), "{n}");
    }
}
