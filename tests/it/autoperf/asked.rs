//! A run beside a daemon is the daemon's: it is asked, and nothing is measured twice.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::daemon::Daemon;
use super::{Place, closed_port, course, silent_port};
use crate::lab::shared;
use crate::tool::{output, stdout};

/// A daemon that takes orders, and whose own schedule is far off.
fn daemon(place: &Place) -> Daemon {
    let text = fs::read_to_string(place.config()).expect("the configuration");
    let text = text.replace("interval = \"1m\"", "interval = \"24h\"\nconfirm_after = \"24h\"");
    fs::write(place.config(), text).expect("write the configuration");
    let daemon = Daemon::start(place, &["autoperf", "daemon"]);
    assert!((0..2_000).any(|_| !place.takes_no_orders()), "the daemon takes no orders");
    daemon
}

#[test]
fn a_run_beside_a_daemon_is_the_daemons() {
    let place = Place::new(closed_port());
    let mut daemon = daemon(&place);
    let records: Vec<Value> = (0..2).flat_map(|_| place.run()).collect();
    let expected = [
        "1 schedule hard suspect critical",
        "1 confirm hard tier2 critical",
        "2 confirmed hard tier3 critical",
        "3 escalation hard cooldown critical",
    ];
    assert_eq!(records.iter().map(course).collect::<Vec<_>>(), expected);
    for tier in [1, 1, 2, 3] {
        assert!(daemon.line().contains(&format!(" shop tier {tier} hard")), "the daemon ran it");
    }
    let mut codes = Vec::new();
    let asked: [&[&str]; 5] = [
        &["autoperf", "run", "--strict", "--quiet"],
        &["autoperf", "run", "--nagios"],
        &["autoperf", "run", "--tier", "2", "--json"],
        &["autoperf", "run", "localhost", "--quiet"],
        &["autoperf", "run", "--if-locked", "skip", "--quiet"],
    ];
    let mut said = Vec::new();
    for arguments in asked {
        let ended = output(&mut place.waddleperf(arguments));
        codes.push(ended.status.code());
        said.push(String::from_utf8_lossy(&ended.stdout).into_owned());
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    }
    assert_eq!(codes, [Some(1), Some(2), Some(0), Some(0), Some(0)], "{said:?}");
    assert!(said[1].starts_with("WADDLEPERF CRITICAL - shop: udpping failed: refused"), "{said:?}");
    assert!(said[2].contains("\"tier\":2") && said[2].contains("\"reason\":\"asked\""), "{said:?}");
    let mut lines = 4;
    while !daemon.line().contains(" localhost tier 1 hard") {
        lines += 1;
    }
    // What the daemon does not know is not measured behind its back.
    let text = fs::read_to_string(place.config()).expect("the configuration");
    let more = text + "[[autoperf.target]]\nname = \"new\"\nhost = \"127.0.0.1\"\n";
    fs::write(place.config(), more).expect("write the configuration");
    let ended = output(&mut place.waddleperf(&["autoperf", "run", "--target", "new"]));
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!((ended.status.code(), told.lines().count()), (Some(2), 1), "{told}");
    assert!(told.contains("no target is called `new`") && told.contains("reload"), "{told}");
    let (status, left, said) = daemon.end();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
    assert!(place.takes_no_orders(), "the socket went with it");
    let listed = stdout(&mut place.waddleperf(&["results", "export", "--kind", "autoperf"]));
    assert_eq!(listed.lines().count(), lines + 1 + left.len(), "each round is kept once: {listed}");
}

#[test]
fn who_waits_for_an_answer_when_the_daemon_ends_gets_one() {
    let (socket, port) = silent_port();
    let place = Place::new(port);
    let mut daemon = daemon(&place);
    let run = place.waddleperf(&["autoperf", "run", "--json"]);
    let waiting = std::thread::spawn(move || {
        let mut run = run;
        output(&mut run)
    });
    // Its first packet: the daemon measures for the run.
    socket.recv_from(&mut [0; 2048]).expect("a packet");
    daemon.signal(Signal::SIGTERM);
    let line = daemon.line();
    assert!(line.contains(" shop tier 1 void") && line.contains("aborted"), "{line}");
    let ended = waiting.join().expect("the run");
    let record: Value = serde_json::from_slice(&ended.stdout).expect("the daemon's answer");
    assert_eq!((ended.status.code(), &record["round"]), (Some(0), &"void".into()));
}

#[test]
fn twenty_runs_beside_a_daemon_are_answered_or_told_that_it_is_busy() {
    let _turn = shared();
    let (_socket, port) = silent_port();
    let place = Place::new(port);
    let text = fs::read_to_string(place.config()).expect("the configuration");
    // Rounds of a quarter of a second.
    let text = text.replace("kind = \"udpping\"\n", "kind = \"udpping\"\nprotocol = \"echo\"\n");
    fs::write(place.config(), text).expect("write the configuration");
    let daemon = daemon(&place);
    let runs: Vec<_> = (0..20)
        .map(|_| {
            let mut run = place.waddleperf(&["autoperf", "run", "--json"]);
            std::thread::spawn(move || output(&mut run))
        })
        .collect();
    let ended: Vec<_> = runs.into_iter().map(|run| run.join().expect("a run")).collect();
    let answered = ended.iter().filter(|ended| ended.status.code() == Some(0)).count();
    let busy = ended.iter().filter(|ended| ended.status.code() == Some(75)).count();
    assert!(answered >= 1 && busy >= 1 && answered + busy == 20, "{answered} answered, {busy} busy");
    let told: usize =
        ended.iter().map(|ended| ended.stdout.iter().filter(|&&octet| octet == b'\n').count()).sum();
    let (_, lines, _) = daemon.end();
    assert_eq!(told, lines.len(), "each round was measured once, for one of them");
}
