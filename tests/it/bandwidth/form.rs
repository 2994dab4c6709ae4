//! `-J` prints what `iperf3 -J` prints: the same members with the same types, in the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
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
pub(crate) fn paths(value: &Value, path: &str, into: &mut BTreeSet<String>) {
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
    let text = text_of(node, program, args, to);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn text_of(node: &Node, program: &str, args: &[&str], to: &str) -> String {
    let output = node.command(program).args(args).arg(to).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The names of each object's members in the order of the text, by the object's path.
#[derive(Default)]
struct Orders(BTreeMap<String, Vec<String>>);

impl Orders {
    fn put(&mut self, path: &str, value: &Members) {
        match value {
            Members::Object(members) => {
                // Stock tells the buffers of both directions, each by the same names.
                let mut names: Vec<String> = Vec::new();
                for (name, _) in members {
                    if !names.contains(name) {
                        names.push(name.clone());
                    }
                }
                self.0.entry(path.to_owned()).or_insert(names);
                members.iter().for_each(|(name, value)| self.put(&format!("{path}.{name}"), value));
            }
            Members::Array(items) => items.iter().for_each(|item| self.put(&format!("{path}[]"), item)),
            Members::Other => {}
        }
    }
}

/// A document whose members keep their order.
enum Members {
    Object(Vec<(String, Members)>),
    Array(Vec<Members>),
    Other,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Members, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Members::Array(all))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Members, E> {
        Ok(Members::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Members, E> {
        Ok(Members::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Members, E> {
        Ok(Members::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Members, E> {
        Ok(Members::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Members, E> {
        Ok(Members::Other)
    }
}

/// Whether what both documents have stands in the order of `theirs` in `ours`.
#[track_caller]
fn same_order(theirs: &str, ours: &str, about: &str) {
    let of = |text: &str| {
        let read: Members = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut orders = Orders::default();
        orders.put("", &read);
        orders.0
    };
    let (theirs, ours) = (of(theirs), of(ours));
    for (path, names) in &theirs {
        let Some(mine) = ours.get(path) else { continue };
        let only = |of: &[String], in_both: &[String]| -> Vec<String> {
            of.iter().filter(|name| in_both.contains(name)).cloned().collect()
        };
        assert_eq!(only(mine, names), only(names, mine), "{about} {path}");
    }
}

#[test]
fn the_members_are_those_of_the_stock_client() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let address = lab.server().address4().to_string();
    let peer = tool("iperf3").get_program().to_str().expect("a path").to_owned();
    for args in [
        "",
        "-R",
        "--bidir",
        "-u -b 5M",
        "-u -b 5M -R",
        "-u -b 5M --bidir",
        "-P 2 -O 1 -M 1000 -T title --extra-data x --get-server-output",
    ] {
        let words: Vec<&str> = args.split_whitespace().chain(["-t", "1", "-J"]).collect();
        let theirs = text_of(lab.client(), &peer, &[&words[..], &["-c"]].concat(), &address);
        let ours = text_of(lab.client(), WADDLEPERF, &[&["bandwidth"], &words[..]].concat(), &address);
        same_order(&theirs, &ours, args);
        // No number is written otherwise.
        assert!(!ours.contains(".0,") && !ours.contains(".0\n"), "{args}: {ours}");
        let of = |text: &str| {
            let document = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let mut all = BTreeSet::new();
            paths(&document, "", &mut all);
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
