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

/// The record of `mtr` in a node.
pub(super) fn record(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    let output = run(node, target, &format!("{arguments} --json"));
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// The record of `mtr` in a node, by a process without any capability, where the lab gives all.
pub(super) fn unprivileged_record(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    let data = std::env::temp_dir().join("waddleperf-truth");
    let mut command = node.command("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]);
    command.arg(WADDLEPERF).arg("--data").arg(data).args(["mtr", &target.into().to_string(), "-n", "--json"]);
    let output = command.args(arguments.split_whitespace()).output().expect("run setpriv (util-linux)");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Its report.
pub(super) fn unprivileged(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    let record = unprivileged_record(node, target, arguments);
    let report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "no report: {record}");
    report
}

/// The report of `mtr` in a node.
///
/// # Panics
/// When there is none.
pub(super) fn report(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    let record = record(node, target, arguments);
    let report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "no report: {record}");
    report
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
