//! One run at a time (promise R7), and none that vanishes without a trace.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::{Place, closed_port, silent_port};
use crate::lab::shared;
use crate::tool::output;

#[test]
fn of_twenty_runs_at_once_one_runs_and_the_others_name_it() {
    let _turn = shared();
    let (_socket, port) = silent_port();
    let place = Place::new(port);
    let children: Vec<_> = (0..20)
        .map(|_| {
            let mut command = place.waddleperf(&["autoperf", "run"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start a run")
        })
        .collect();
    let mut codes = Vec::new();
    for child in children {
        let ended = child.wait_with_output().expect("the end of a run");
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        if ended.status.code() == Some(75) {
            assert!(error.starts_with("waddleperf autoperf run: another autoperf runs on "), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
        codes.push(ended.status.code());
    }
    codes.sort_unstable();
    let expected: Vec<_> = [Some(0)].into_iter().chain([Some(75); 19]).collect();
    assert_eq!(codes, expected);
}

#[test]
fn a_killed_run_frees_the_lock_and_the_next_one_tells_of_it() {
    let (socket, port) = silent_port();
    let place = Place::new(port);
    let mut first =
        place.waddleperf(&["autoperf", "run"]).stdout(Stdio::null()).spawn().expect("start a run");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    // Its first packet: from now on it runs, and the mark that it does is kept.
    socket.recv_from(&mut [0; 2048]).expect("a packet");
    let skipped = output(&mut place.waddleperf(&["autoperf", "run", "--if-locked=skip"]));
    assert_eq!((skipped.status.code(), skipped.stderr.len()), (Some(0), 0));
    first.kill().expect("kill -9");
    first.wait().expect("its end");
    drop(socket);
    let records = place.run();
    assert_eq!(records[0]["skipped"], json!([{"tier": 1, "why": "aborted"}]));
    assert_eq!(records[0]["round"], "hard");
    assert_eq!(place.run()[0]["skipped"], json!([]), "told once");
}

#[test]
fn a_round_without_trouble_tells_of_none() {
    let place = Place::new(closed_port());
    assert_eq!(place.run()[0]["skipped"], json!([]));
}
