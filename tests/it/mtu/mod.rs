//! `mtu` in the lab: what it says of a way is how the way was built, and what arrived.

mod hostile;
mod names;
mod peers;
mod shapes;

use std::net::IpAddr;
use std::process::Output;

use serde_json::Value;

use crate::lab::{Hook, Node, Rule};
use crate::tool::WADDLEPERF;
use crate::udpping::serving::record;

/// What routers say of packets that are too big.
const TOO_BIG: [&str; 2] =
    ["icmp type destination-unreachable icmp code frag-needed", "icmpv6 type packet-too-big"];

/// Runs `mtu` in a node to its end, without looking up names.
fn output(node: &Node, target: IpAddr, arguments: &str) -> Output {
    named(node, target, &format!("-n {arguments}"))
}

/// Runs `mtu` in a node to its end.
fn named(node: &Node, target: IpAddr, arguments: &str) -> Output {
    let data = std::env::temp_dir().join("waddleperf-mtu");
    let mut command = node.command(WADDLEPERF);
    command.arg("--data").arg(data).args(["mtu", &target.to_string(), "--json"]);
    command.args(arguments.split_whitespace()).output().expect("run mtu")
}

/// The report of `mtu` in a node.
///
/// # Panics
/// When there is none.
fn report(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    let record = record(&output(node, target.into(), arguments));
    let mut report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "no report: {record}");
    report["elapsed_ms"] = record["elapsed_ms"].clone();
    report
}

/// Both addresses of a node.
fn addresses(node: &Node) -> [IpAddr; 2] {
    [node.address4().into(), node.address6().into()]
}

/// A router that says nothing of packets that are too big.
fn mute(router: &Node) -> [Rule<'_>; 2] {
    TOO_BIG.map(|matching| router.rule(Hook::Output, matching, "drop"))
}
