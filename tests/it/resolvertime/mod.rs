//! `resolvertime` beside kdig and dnsperf, against unbound and knot with a root of their own, and servers that lie.

mod cookies;
mod encrypted;
mod hostile;
mod load;
mod peers;
mod server;
mod shaped;
mod sizes;
mod strangers;
mod system;
mod world;

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use waddleperf::sys::clock;

use crate::lab::shared;
use crate::tool::WADDLEPERF;

/// `resolvertime` with these words, as `command` starts it.
fn command(mut command: Command, arguments: &str) -> Command {
    command.arg("--data").arg(std::env::temp_dir().join("waddleperf-truth"));
    command.arg("resolvertime").args(arguments.split_whitespace());
    command
}

/// Runs it on this host's loopback.
fn run(arguments: &str) -> Output {
    let _turn = shared();
    command(Command::new(WADDLEPERF), arguments).output().expect("run resolvertime")
}

/// The report of a run on loopback.
#[track_caller]
fn report(arguments: &str) -> Value {
    report_of(&run(&format!("--json {arguments}")))
}

#[track_caller]
fn report_of(output: &Output) -> Value {
    let record = record_of(output);
    let report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "no report: {record}");
    report
}

#[track_caller]
fn record_of(output: &Output) -> Value {
    let printed = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}{said}"))
}

/// The ids of a report's findings.
fn findings(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["id"].as_str()).collect()
}

/// The data of a server's answers.
fn answers(server: &Value) -> Vec<&str> {
    let answers = server["answers"].as_array().expect("answers");
    answers.iter().filter_map(|record| record["data"].as_str()).collect()
}

/// An interval lies between two queries, and before none.
#[test]
fn the_first_query_waits_for_nobody() {
    let at = server::serve(|query, _| vec![server::octets(&server::reply(query, Vec::new()))]);
    let began = clock::now().mono;
    let found = report(&format!("-s {at} a.example -c 1 -i 10m"));
    assert_eq!(found["servers"][0]["counts"]["received"], 1, "{found}");
    let took = clock::now().mono.duration_since(began);
    assert!(took < Duration::from_secs(300), "{took:?}: it waited");
}
