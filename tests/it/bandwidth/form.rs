//! `-J` prints what `iperf3 -J` prints: the same members with the same types.

use std::collections::BTreeSet;

use serde_json::Value;

use super::server::Iperf3;
use crate::lab::{Lab, Node};
use crate::tool::{WADDLEPERF, tool};

/// What newer versions than the peer have added (iperf3-protocol.md §4, in italics).
const NEWER: [&str; 13] = [
    ".start.timestamp.timemillisecs: number",
    ".start.fq_rate: number",
    ".start.test_start.bidir: number",
    ".start.test_start.fqrate: number",
    ".start.test_start.interval: number",
    ".start.test_start.gso: number",
    ".start.test_start.gro: number",
    ".intervals[].streams[].reorder: number",
    ".end.streams[].sender.reorder: number",
    ".intervals[].streams[].snd_wnd: number",
    ".end.streams[].sender.max_snd_wnd: number",
    ".start.target_bitrate: number",
    ".start.test_start.target_bitrate: number",
];

/// Every path of a document with the type of what stands there.
pub(super) fn paths(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| paths(value, &format!("{path}.{key}"), into));
        }
        Value::Array(items) => items.iter().for_each(|value| paths(value, &format!("{path}[]"), into)),
        Value::Null => drop(into.insert(format!("{path}: null"))),
        Value::Bool(_) => drop(into.insert(format!("{path}: flag"))),
        Value::Number(_) => drop(into.insert(format!("{path}: number"))),
        Value::String(_) => drop(into.insert(format!("{path}: text"))),
    }
}

pub(super) fn printed(node: &Node, program: &str, args: &[&str], to: &str) -> Value {
    let output = node.command(program).args(args).arg(to).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {output:?}"))
}

#[test]
fn the_members_are_those_of_the_stock_client() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let address = lab.server().address4().to_string();
    let peer = tool("iperf3").get_program().to_str().expect("a path").to_owned();
    for args in
        ["", "-R", "--bidir", "-u -b 5M", "-u -b 5M -R", "-u -b 5M --bidir", "-P 2 -O 1 --get-server-output"]
    {
        let words: Vec<&str> = args.split_whitespace().chain(["-t", "1", "-J"]).collect();
        let theirs = printed(lab.client(), &peer, &[&words[..], &["-c"]].concat(), &address);
        let ours = printed(lab.client(), WADDLEPERF, &[&["bandwidth"], &words[..]].concat(), &address);
        let of = |document: &Value| {
            let mut all = BTreeSet::new();
            paths(document, "", &mut all);
            all
        };
        let (theirs, ours) = (of(&theirs), of(&ours));
        let missing: Vec<_> = theirs.difference(&ours).collect();
        assert!(missing.is_empty(), "{args}: missing {missing:?}");
        let more: Vec<_> = ours.difference(&theirs).filter(|path| !NEWER.contains(&path.as_str())).collect();
        assert!(more.is_empty(), "{args}: more {more:?}");
    }
}

#[test]
fn its_numbers_are_those_of_the_record() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let address = lab.server().address4().to_string();
    let document = printed(lab.client(), WADDLEPERF, &["bandwidth", "-J", "-t", "1", "-i", "0.5"], &address);
    let (sent, received) = (&document["end"]["sum_sent"], &document["end"]["sum_received"]);
    let bytes = |of: &Value| of["bytes"].as_u64().expect("octets");
    let intervals = document["intervals"].as_array().expect("intervals");
    let sum: u64 = intervals.iter().map(|interval| bytes(&interval["sum"])).sum();
    assert_eq!(sum, bytes(sent), "{document}");
    assert!(bytes(received) > 1_000_000 && (2..=3).contains(&intervals.len()), "{document}");
    let seconds = sent["seconds"].as_f64().expect("seconds");
    let rate = bytes(sent) as f64 * 8.0 / seconds;
    assert!((sent["bits_per_second"].as_f64().expect("a rate") / rate - 1.0).abs() < 1e-9, "{document}");
}
