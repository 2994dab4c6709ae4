//! The built program on both sides: `serve` in one node of a lab, `udpping` in another.

use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::process::{Child, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::lab::Node;

const BINARY: &str = env!("CARGO_BIN_EXE_waddleperf");
/// Where STAMP is served.
pub(super) const STAMP: u16 = 8620;

/// A reflector that rations nobody.
const CONFIG: &str = "[serve.udpping]\n\
    rate_per_source = 10000000\n\
    rate_total = 10000000\n\
    rate_per_key = 10000000\n";

/// `waddleperf serve` in a node, until dropped.
pub(crate) struct Serving {
    process: Child,
    _data: TempDir,
}

impl Serving {
    /// Serves WP1 and STAMP and returns once both listen.
    pub(crate) fn start(node: &Node) -> Self {
        Self::with(node, "")
    }

    /// Serves with more settings of `[serve.udpping]`.
    pub(crate) fn with(node: &Node, settings: &str) -> Self {
        let data = TempDir::new().expect("a directory");
        let config = data.path().join("config.toml");
        std::fs::write(&config, format!("{CONFIG}{settings}")).expect("write the configuration");
        let mut command = node.command(BINARY);
        command.arg("--config").arg(&config).arg("--data").arg(data.path().join("data"));
        command.args([
            "serve",
            "--listen",
            "iperf3=off",
            "--listen",
            "udpping=[::]:2000",
            "--listen",
            "stamp=[::]:8620",
        ]);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("start the server");
        let said = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let listening = said.map_while(Result::ok).filter(|line| line.contains(" listens on "));
        assert_eq!(listening.take(2).count(), 2, "the server ends before it listens");
        Self { process, _data: data }
    }

    /// Kills it with SIGKILL.
    pub(super) fn kill(&mut self) {
        self.process.kill().expect("kill the server");
        self.process.wait().expect("wait for the server");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `udpping` in a node to its end.
pub(super) fn run(node: &Node, target: IpAddr, arguments: &str) -> Output {
    start(node, target, arguments).wait_with_output().expect("wait for udpping")
}

/// Starts `udpping` in a node.
pub(super) fn start(node: &Node, target: IpAddr, arguments: &str) -> Child {
    let data = std::env::temp_dir().join("waddleperf-truth");
    let mut command = node.command(BINARY);
    command.arg("--data").arg(data).args(["udpping", &target.to_string(), "--json"]);
    command.args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("start udpping")
}

/// The report of `udpping` in a node.
///
/// # Panics
/// When there is none.
pub(super) fn ping(node: &Node, target: impl Into<IpAddr>, arguments: &str) -> Value {
    report(&run(node, target.into(), arguments))
}

/// The report in what `udpping --json` printed.
pub(super) fn report(output: &Output) -> Value {
    let record = record(output);
    let report = record["outcome"]["report"].clone();
    assert!(report.is_object(), "no report: {record}");
    report
}

/// The record that `udpping --json` printed.
pub(crate) fn record(output: &Output) -> Value {
    let (printed, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}{complaint}"))
}

/// A whole number in a report, by its JSON pointer.
///
/// # Panics
/// When there is none.
pub(crate) fn number(report: &Value, pointer: &str) -> u64 {
    let value = report.pointer(pointer).and_then(Value::as_u64);
    value.unwrap_or_else(|| panic!("no number at {pointer} of {report}"))
}
