//! `ping` beside the truth (nft's counters, captures, the relay's log) and beside ping and fping.

mod flow;
mod lists;
mod loss;
mod modes;
mod path;
mod peers;
mod rights;
mod rtt;

use std::net::IpAddr;
use std::process::{Command, Output};

use serde_json::Value;

use crate::lab::Node;
use crate::tool::WADDLEPERF;

/// `ping` with these words, in a node.
fn command(node: &Node, arguments: &str) -> Command {
    let mut command = node.command(WADDLEPERF);
    command.arg("--data").arg(std::env::temp_dir().join("waddleperf-truth"));
    command.arg("ping").args(arguments.split_whitespace());
    command
}

/// Runs `ping` in a node to its end.
fn run(node: &Node, arguments: &str) -> Output {
    command(node, arguments).output().expect("run ping")
}

/// The report of `ping TARGET` in a node.
#[track_caller]
fn report(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    report_of(&run(node, &format!("{} --json --catch-up {arguments}", target.into())))
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

/// Whole numbers in a report, by their JSON pointers.
#[track_caller]
fn numbers<const N: usize>(report: &Value, pointers: [&str; N]) -> [u64; N] {
    pointers.map(|pointer| {
        let value = report.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("no number at {pointer} of {report}"))
    })
}

/// What was printed, to either side.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
