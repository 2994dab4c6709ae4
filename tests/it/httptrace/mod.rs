//! `httptrace` from outside: beside curl on a real nginx, on servers that are slow in one phase, on hostile ones, over HTTP/3.

mod curl;
mod har;
mod hostile;
mod names;
mod nginx;
mod origin;
mod phases;
mod quic;
mod secrets;

use std::process::{Command, Output};

use serde_json::Value;

use crate::lab::shared;
use crate::tool::{WADDLEPERF, output};

/// A run with these words, which no configuration of this host can change.
fn run(words: &[&str]) -> Output {
    let mut command = Command::new(WADDLEPERF);
    command
        .env_clear()
        .env("HOME", "/nowhere")
        .args(["--data", "/nowhere", "httptrace", "--no-save"])
        .args(words);
    let _turn = shared();
    output(&mut command)
}

/// Its record.
#[track_caller]
fn record(words: &[&str]) -> Value {
    let output = run(&[&["--json"], words].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{words:?}: {}", said(&output)))
}

/// Its report.
#[track_caller]
fn report(words: &[&str]) -> Value {
    let record = record(words);
    let report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "{words:?}: {record}");
    report
}

/// The class and the words of its failure.
#[track_caller]
fn failure(words: &[&str]) -> (String, String) {
    let record = record(words);
    let failure = &record["outcome"]["failure"];
    let text = |key: &str| failure[key].as_str().unwrap_or_else(|| panic!("{words:?}: {record}")).to_owned();
    (text("class"), text("detail"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}
