//! SIGHUP: what the file says now is measured, what did not change goes on, and a broken file changes nothing.

use std::fs;

use nix::sys::signal::Signal;
use waddleperf::autoperf::lock;
use waddleperf::store::Data;

use super::daemon::Daemon;
use super::{Place, closed_port};

/// A place whose targets are these, each with a line of its own settings; a round every 6 s, confirmed 6 s later: after all
/// others have had their first one.
fn place(targets: &[(&str, &str)]) -> Place {
    let place = Place::new(closed_port());
    configure(&place, targets);
    place
}

fn configure(place: &Place, targets: &[(&str, &str)]) {
    let tier = "[[autoperf.tier1.probe]]\nkind = \"udpping\"\nport = 1\ncount = 2\ninterval = \"10ms\"\n";
    let general = "[autoperf]\nallow_fast = true\ninterval = \"6s\"\nconfirm_after = \"6s\"\n";
    let of = |(name, more): &(&str, &str)| {
        format!("[[autoperf.target]]\nname = \"{name}\"\nhost = \"127.0.0.1\"\n{more}\n")
    };
    let targets: String = targets.iter().map(of).collect();
    fs::write(place.config(), format!("{general}{tier}{targets}")).expect("write the configuration");
}

#[test]
fn targets_come_change_and_go_and_the_others_go_on() {
    let place = place(&[("same", ""), ("changing", ""), ("going", "")]);
    let mut daemon = Daemon::start(&place, &["autoperf", "daemon"]);
    let rounds = |lines: &[String], name: &str| -> Vec<String> {
        lines.iter().filter(|line| line.contains(&format!(" {name} tier 1 hard"))).cloned().collect()
    };
    let mut before = Vec::new();
    while ["same", "changing", "going"].iter().any(|name| rounds(&before, name).is_empty()) {
        before.push(daemon.line());
    }
    configure(
        &place,
        &[("same", ""), ("changing", "labels = { site = \"x\" }"), ("coming", "interval = \"1s\"")],
    );
    daemon.signal(Signal::SIGHUP);
    let mut after = Vec::new();
    let reloaded = loop {
        let line = daemon.line();
        if line.starts_with("reloaded") {
            break line;
        }
        before.push(line);
    };
    assert_eq!(reloaded, "reloaded: 3 targets");
    while ["same", "changing", "coming"].iter().any(|name| rounds(&after, name).is_empty()) {
        after.push(daemon.line());
    }
    let all: Vec<String> = before.iter().chain(&after).cloned().collect();
    let same = rounds(&all, "same");
    assert!(
        same[0].contains("(1/3)") && same[1].contains("(2/3)"),
        "its suspicion was not forgotten: {all:#?}"
    );
    assert!(rounds(&after, "changing")[0].contains("(1/3)"), "it is another target now: {all:#?}");
    assert_eq!(rounds(&after, "going"), Vec::<String>::new(), "{all:#?}");
    let (status, _, said) = daemon.end();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_broken_file_is_refused_on_one_line_and_the_old_one_goes_on() {
    let place = place(&[("shop", "interval = \"1s\"")]);
    let mut daemon = Daemon::start(&place, &["autoperf", "daemon"]);
    daemon.line_with(" shop tier 1");
    for text in ["[autoperf]\nraise = \"4/3\"\n", "[autoperf]\n"] {
        fs::write(place.config(), text).expect("write the configuration");
        daemon.signal(Signal::SIGHUP);
        let said = daemon.said();
        let start = "waddleperf autoperf daemon: reload: ";
        assert!(said.starts_with(start) && said.ends_with("; nothing was changed\n"), "{said}");
    }
    for _ in 0..3 {
        daemon.line_with(" shop tier 1");
    }
    let (status, _, said) = daemon.end();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
}

#[test]
fn a_server_gets_and_loses_targets_and_says_what_waits_for_its_next_start() {
    let place = place(&[]);
    let mut server = Daemon::start(
        &place,
        &["serve", "--listen", "iperf3=off", "--listen", "udpping=127.0.0.1:0", "--user", "root"],
    );
    server.line_with("listens");
    let measures = || lock::take(&Data::at(place.data())).expect("the lock").is_none();
    assert!(!measures(), "beside a server without targets anybody may");
    configure(&place, &[("shop", "interval = \"1s\"\n[serve.listen]\nstamp = \"127.0.0.1:8620\"")]);
    server.signal(Signal::SIGHUP);
    let said = server.said();
    assert_eq!(said, "waddleperf serve: reload: what changed in [serve] waits for the next start\n");
    server.line_with(" shop tier 1");
    assert!(measures(), "now the server does");
    configure(&place, &[]);
    server.signal(Signal::SIGHUP);
    server.line_with("reloaded: 0 targets");
    assert!((0..200).any(|_| place.takes_no_orders() && !measures()), "and now it does not");
    assert_eq!(server.end().0.code(), Some(0));
}
