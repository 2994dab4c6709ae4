//! Rounds on a disk that is full: they go on, it is told, and nothing is lost silently.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::daemon::Daemon;
use super::{Place, closed_port};
use crate::stage;
use crate::tool::{output, stdout};

/// A place on an 8 MiB disk with twenty targets, of which each has a round a second.
fn place(at: &Path) -> Place {
    stage::tmpfs(at, "8m");
    let place = Place::within(at, closed_port());
    let names = (0..20).map(|n| format!("[[autoperf.target]]\nname = \"t{n}\"\nhost = \"127.0.0.1\"\n"));
    let targets: String = names.collect();
    let text = fs::read_to_string(place.config()).expect("the configuration");
    let text = text.replace("interval = \"1m\"", "interval = \"1s\"\nallow_fast = true") + &targets;
    fs::write(place.config(), text).expect("write the configuration");
    place
}

fn health(place: &Place) -> Value {
    serde_json::from_str(&stdout(&mut place.waddleperf(&["health", "--json"]))).expect("JSON")
}

/// Fills the disk until a round has found no room.
fn fill(place: &Place) {
    fs::write(place.0.path().join("filler"), vec![1; 9 << 20]).expect_err("a full disk");
    let held = |_| health(place)["held"].as_u64() > Some(0);
    assert!((0..2_000).any(held), "every round found room");
}

#[test]
fn a_full_disk_stops_no_round_and_none_is_lost() {
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("autoperf::disk::full", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn full() {
    let Some(at) = stage::place() else { return };
    let place = place(&at);
    let mut daemon = Daemon::start(&place, &["autoperf", "daemon"]);
    let mut lines: Vec<String> = (0..30).map(|_| daemon.line()).collect();
    fill(&place);
    lines.extend((0..60).map(|_| daemon.line()));
    let told = health(&place);
    assert_eq!(told["well"], true, "what is kept can be read");
    let why = told["held_why"].as_str().expect("a reason");
    assert!(why.contains("no space left on device"), "{why}");
    let status = stdout(&mut place.waddleperf(&["autoperf", "status"]));
    assert!(status.contains("\nthe last rounds cannot be kept: ") && status.contains(why), "{status}");
    fs::remove_file(place.0.path().join("filler")).expect("room");
    assert!((0..2_000).any(|_| health(&place)["held_why"].is_null()), "there is room again");
    let (status, left, said) = daemon.end();
    assert_eq!(status.code(), Some(0), "{said}");
    lines.extend(left);
    let listed = stdout(&mut place.waddleperf(&["results", "export", "--kind", "autoperf"]));
    assert_eq!(listed.lines().count(), lines.len(), "each round that was told is kept");
    assert!(!listed.contains("\"gap\""), "nothing had to be given up");
}

#[test]
fn what_a_full_disk_makes_lose_at_the_end_is_told_and_3() {
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("autoperf::disk::full_at_the_end", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn full_at_the_end() {
    let Some(at) = stage::place() else { return };
    let place = place(&at);
    for arguments in [
        &["autoperf", "daemon"][..],
        &["serve", "--listen", "iperf3=off", "--listen", "udpping=off", "--user", "root"],
    ] {
        let is_told = |_| {
            let mut daemon = Daemon::start(&place, arguments);
            for _ in 0..30 {
                daemon.line_with("tier 1");
            }
            fill(&place);
            let (status, _, said) = daemon.end();
            fs::remove_file(place.0.path().join("filler")).expect("room");
            let last = said.lines().last().unwrap_or_default();
            let is_told = last.contains(" could not be kept: ") && last.contains("no space left on device");
            // At the last moment there may be room again: then all was kept.
            assert_eq!(status.code(), Some(if is_told { 3 } else { 0 }), "{said}");
            is_told
        };
        assert!((0..5).any(is_told), "every end found room");
    }
    // A single round says so as well.
    fs::write(at.join("filler"), vec![1; 9 << 20]).expect_err("a full disk");
    let refused = |_| {
        let ended = output(&mut place.waddleperf(&["autoperf", "run", "--nagios"]));
        let line = String::from_utf8_lossy(&ended.stdout).into_owned();
        let is_told = line.starts_with("WADDLEPERF UNKNOWN - ") && line.contains("no space left on device");
        assert_eq!(is_told, ended.status.code() == Some(3), "{line}");
        is_told
    };
    assert!((0..100).any(refused), "every round found room");
}
