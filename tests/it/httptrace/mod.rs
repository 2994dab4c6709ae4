//! `httptrace` from outside: beside curl on a real nginx, on servers that are slow in one phase, on hostile ones, over HTTP/3.

mod curl;
mod expectations;
mod floods;
mod handshakes;
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
use crate::tool::{WADDLEPERF, cheap_output, output};

/// A command with these words, which no configuration of this host can change.
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(WADDLEPERF);
    command
        .env_clear()
        .env("HOME", "/nowhere")
        .args(["--data", "/nowhere", "httptrace", "--no-save"])
        .args(words);
    command
}

/// A run with these words.
fn run(words: &[&str]) -> Output {
    let _turn = shared();
    output(&mut command(words))
}

/// Its record.
#[track_caller]
fn record(words: &[&str]) -> Value {
    record_of(words, &run(&[&["--json"], words].concat()))
}

#[track_caller]
fn record_of(words: &[&str], output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{words:?}: {}", said(output)))
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
    failure_of(words, &record(words))
}

/// The same of a run that takes no more memory than a hostile server may cost.
#[track_caller]
fn cheap_failure(words: &[&str]) -> (String, String) {
    let _turn = shared();
    failure_of(words, &record_of(words, &cheap_output(command(words).arg("--json"))))
}

#[track_caller]
fn failure_of(words: &[&str], record: &Value) -> (String, String) {
    let failure = &record["outcome"]["failure"];
    let text = |key: &str| failure[key].as_str().unwrap_or_else(|| panic!("{words:?}: {record}")).to_owned();
    (text("class"), text("detail"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}
