//! `--json-stream` prints the parts of `-J`'s document in lines, as they come; and what both print of a test that is none.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::form::{paths, printed};
use super::server::Iperf3;
use crate::lab::{Lab, Node};
use crate::tool::WADDLEPERF;

/// The events of a stream, each with its data, and the exit code.
fn streamed(node: &Node, args: &str) -> (Vec<(String, Value)>, Option<i32>) {
    let mut command = node.command(WADDLEPERF);
    command.args(["bandwidth", "--json-stream"]).args(args.split_whitespace());
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let event = |line: &str| {
        let mut event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(event.as_object().map(serde_json::Map::len), Some(2), "{line}");
        (event["event"].as_str().expect("a name").to_owned(), event["data"].take())
    };
    (text.lines().map(event).collect(), output.status.code())
}

fn of(value: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    paths(value, "", &mut all);
    all
}

#[test]
fn a_stream_is_the_document_in_lines() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let address = lab.server().address4().to_string();
    for args in ["", "-R -P 2", "--bidir", "-u -b 5M", "-O 1 --get-server-output"] {
        let args = format!("{args} -t 1 -i 0.5 {address}");
        let words: Vec<&str> = ["bandwidth", "-J"].into_iter().chain(args.split_whitespace()).collect();
        let (last, words) = words.split_last().expect("words");
        let document = printed(lab.client(), WADDLEPERF, words, last);
        let (events, code) = streamed(lab.client(), &args);
        assert_eq!(code, Some(0), "{args}");
        let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
        let (first, rest) = names.split_first().expect("a line");
        let (last, between) = rest.split_last().expect("a line more");
        assert_eq!((*first, *last), ("start", "end"), "{names:?}");
        let intervals = between.iter().filter(|name| **name == "interval").count();
        assert!(intervals >= 2, "{args}: {names:?}");
        let others: Vec<_> = between.iter().filter(|name| **name != "interval").collect();
        let output = args.contains("output");
        assert_eq!(others, if output { vec![&"server_output_text"] } else { vec![] }, "{args}");
        let data = |name: &str| &events.iter().find(|(event, _)| event == name).expect("there").1;
        assert_eq!(of(data("start")), of(&document["start"]), "{args}");
        assert_eq!(of(data("interval")), of(&document["intervals"][0]), "{args}");
        assert_eq!(of(data("end")), of(&document["end"]), "{args}");
        // The parts belong together.
        let streams = data("start")["connected"].as_array().expect("streams").len();
        assert_eq!(data("interval")["streams"].as_array().map(Vec::len), Some(streams), "{args}");
    }
}

#[test]
fn lines_come_while_it_runs() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "");
    let mut command = lab.client().command(WADDLEPERF);
    command.args(["bandwidth", "--json-stream", "-t", "30", "-i", "0.5", "-b", "1M"]);
    command.arg(lab.server().address4().to_string()).stdout(Stdio::piped());
    let mut client = command.spawn().expect("it runs");
    let mut lines = BufReader::new(client.stdout.take().expect("its stdout")).lines();
    for name in ["start", "interval", "interval"] {
        let line = lines.next().expect("a line").expect("text");
        assert!(line.starts_with(&format!("{{\"event\":\"{name}\",\"data\":{{")), "{line}");
    }
    assert!(client.try_wait().expect("asked").is_none(), "it has ended");
    client.kill().expect("killed");
    client.wait().expect("waited for");
}

#[test]
fn a_test_that_is_none_has_its_error_in_either_form() {
    let lab = Lab::line(0).build();
    let address = lab.server().address4().to_string();
    let (events, code) = streamed(lab.client(), &address);
    assert_eq!(code, Some(1));
    assert_eq!(events.len(), 2, "{events:?}");
    let (name, data) = &events[0];
    assert!(name == "error" && data.as_str().is_some_and(|why| why.contains("refused")), "{events:?}");
    assert_eq!(events[1], ("end".to_owned(), serde_json::json!({})));
    let output = lab.client().command(WADDLEPERF).args(["bandwidth", "-J", &address]).output();
    let output = output.expect("it runs");
    let document: Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(output.status.code(), Some(1));
    assert!(document["error"].as_str().is_some_and(|why| why.contains("refused")), "{document}");
    assert_eq!((&document["intervals"], &document["end"]), (&serde_json::json!([]), &serde_json::json!({})));
}

#[test]
fn a_servers_limit_ends_a_test_with_one_error() {
    let lab = Lab::line(0).build();
    let _server = Iperf3::start(lab.server(), "--server-bitrate-limit 5M/1");
    let address = lab.server().address4().to_string();
    for args in ["-b 10M -t 5", "-b 0 -t 10", "-u -b 10M -t 5"] {
        let mut command = lab.client().command(WADDLEPERF);
        let output = command.args(["bandwidth", "-J"]).args(args.split_whitespace()).arg(&address).output();
        let output = output.expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(output.status.code(), Some(1), "{args}: {text}");
        let error = document["error"].as_str().unwrap_or_default();
        // 3.12 closes without a word.
        assert!(error.contains("closed") || error.contains("server's limit"), "{args}: {error}");
        assert_eq!(text.matches("\"error\"").count(), 1, "{args}: {text}");
    }
}
