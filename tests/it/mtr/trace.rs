//! The built program in a node of a lab, and what it found.

use std::net::IpAddr;
use std::process::Output;

use serde_json::Value;

use crate::lab::{Lab, Node};
use crate::tool::WADDLEPERF;

/// Runs `mtr` in a node to its end.
pub(super) fn run(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Output {
    let data = std::env::temp_dir().join("waddleperf-truth");
    let mut command = node.command(WADDLEPERF);
    command.arg("--data").arg(data).args(["mtr", &target.into().to_string(), "-n"]);
    command.args(arguments.split_whitespace()).output().expect("start mtr")
}

fn record_once(node: &Node, target: IpAddr, arguments: &str) -> Value {
    let output = run(node, target, &format!("{arguments} --json"));
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// A record with all the cycles that `-c` asks for: a busy host may be too late for one, which is then left out. Of three the last
/// is taken as it is.
fn whole(arguments: &str, mut attempt: impl FnMut() -> Value) -> Value {
    let asked = arguments.split_once("-c ").and_then(|(_, rest)| rest.split(' ').next()?.parse::<u64>().ok());
    let mut record = attempt();
    for _ in 0..2 {
        let cycles = record["outcome"]["report"]["cycles"].as_u64();
        if cycles.zip(asked).is_none_or(|(cycles, asked)| cycles == asked) {
            break;
        }
        record = attempt();
    }
    record
}

/// The record of `mtr` in a node, with all its cycles.
pub(super) fn record(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    let target = target.into();
    whole(arguments, || record_once(node, target, arguments))
}

/// The record of `mtr` in a node, by a process without any capability, where the lab gives all.
pub(super) fn unprivileged_record(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    let (data, target) = (std::env::temp_dir().join("waddleperf-truth"), target.into().to_string());
    whole(arguments, || {
        let mut command = node.command("setpriv");
        command.args(["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]);
        command.arg(WADDLEPERF).arg("--data").arg(&data).args(["mtr", &target, "-n", "--json"]);
        let output = command.args(arguments.split_whitespace()).output().expect("run setpriv (util-linux)");
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
    })
}

/// The report in a record, which there has to be.
#[track_caller]
fn reported(mut record: Value) -> Value {
    assert!(record["outcome"]["report"].is_object(), "no report: {record}");
    record["outcome"]["report"].take()
}

/// Its report.
#[track_caller]
pub(super) fn unprivileged(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    reported(unprivileged_record(node, target, arguments))
}

/// The report of `mtr` in a node, with all its cycles: of as many runs as that takes, and so not for what happens once meanwhile
/// ([`report_once`]).
///
/// # Panics
/// When there is none.
#[track_caller]
pub(super) fn report(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    reported(record(node, target, arguments))
}

/// The report of one run, with the cycles that it has had: for what a counter has seen of it.
#[track_caller]
pub(super) fn report_once(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    reported(record_once(node, target.into(), arguments))
}

/// How many cycles a report is of.
#[track_caller]
pub(super) fn cycles(report: &Value) -> u64 {
    report["cycles"].as_u64().filter(|&cycles| cycles > 0).unwrap_or_else(|| panic!("no cycles: {report}"))
}

/// The hops of a report.
pub(super) fn hops(report: &Value) -> &[Value] {
    report["hops"].as_array().expect("hops")
}

/// The address that answered most at each hop.
pub(super) fn path(report: &Value) -> Vec<Option<IpAddr>> {
    let address = |hop: &Value| hop["addresses"][0]["ip"].as_str().map(|ip| ip.parse().expect("an address"));
    hops(report).iter().map(address).collect()
}

/// What the path from the client to the server is.
pub(super) fn built(lab: &Lab, routers: u8, v6: bool) -> Vec<Option<IpAddr>> {
    let address = |node: &Node| if v6 { node.address6().into() } else { node.address4().into() };
    (1..=routers).map(|number| lab.router(number)).chain([lab.server()]).map(address).map(Some).collect()
}

/// The server's address.
pub(super) fn server(lab: &Lab, v6: bool) -> IpAddr {
    if v6 { lab.server().address6().into() } else { lab.server().address4().into() }
}
