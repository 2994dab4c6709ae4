//! Either client at either server, in a lab.

use std::process::Command;

use serde_json::Value;

use super::{OPEN, Server};
use crate::bandwidth::server::{Iperf3, until_idle};
use crate::lab::Lab;
use crate::tool::WADDLEPERF;

/// A program at either end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Stock,
    Ours,
}

use Peer::{Ours, Stock};

/// Client and server.
pub(super) type Pair = (Peer, Peer);

/// Every pair.
pub(super) const PAIRS: [Pair; 4] = [(Stock, Stock), (Stock, Ours), (Ours, Stock), (Ours, Ours)];

/// Those of which at least one is ours.
pub(super) const WITH_OURS: [Pair; 3] = [(Stock, Ours), (Ours, Stock), (Ours, Ours)];

/// Servers of both kinds at the end of a line, each at its port.
pub(super) struct Both {
    pub(super) ours: Server,
    _stock: Iperf3,
}

impl Both {
    pub(super) fn start(lab: &Lab) -> Self {
        let config = format!("[serve.iperf3]\n{OPEN}");
        let ours = Server::launch(lab.server().command(WADDLEPERF), &config, "0.0.0.0");
        Self { ours, _stock: Iperf3::start(lab.server(), "") }
    }

    pub(super) fn port(&self, server: Peer) -> u16 {
        if server == Ours { self.ours.port } else { 5201 }
    }

    /// A client, which prints JSON.
    pub(super) fn client(&self, lab: &Lab, (client, server): Pair, args: &str) -> Command {
        let mut command = match client {
            Stock => lab.client().command("timeout"),
            Ours => lab.client().command(WADDLEPERF),
        };
        match client {
            Stock => command.args(["60", "iperf3", "-J", "-c"]),
            Ours => command.args(["bandwidth", "--json"]),
        };
        command.arg(lab.server().address4().to_string()).args(["-p", &self.port(server).to_string()]);
        command.args(args.split_whitespace());
        command
    }

    /// What a client says of a test that ends well: iperf3's document, or our report.
    #[track_caller]
    pub(super) fn told(&self, lab: &Lab, pair: Pair, args: &str) -> Value {
        if pair.1 == Stock {
            until_idle(lab.server());
        }
        let output = self.client(lab, pair, args).output().expect("it runs");
        let mut told: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let is_well = output.status.success() && told.get("error").is_none();
        assert!(is_well, "{pair:?} {args}: {told:#} {}", String::from_utf8_lossy(&output.stderr));
        if pair.0 == Stock {
            return told;
        }
        let report = told["outcome"]["report"].take();
        assert!(report["ended"].is_null(), "{pair:?} {args}: {report:#}");
        report
    }
}

/// What a client tells of one direction over TCP.
#[derive(Debug)]
pub(super) struct Flow {
    /// Octets that were sent, and received.
    pub(super) sent: f64,
    pub(super) received: f64,
    /// Seconds in which they were received.
    pub(super) seconds: f64,
    /// Segments that were sent again.
    pub(super) again: f64,
    /// By stream: octets sent, received, and bits per second as they were received.
    pub(super) streams: Vec<[f64; 3]>,
    /// Which intervals do not count.
    pub(super) omitted: Vec<bool>,
}

impl Flow {
    /// The only direction that `told` is of, `-R` or not.
    #[track_caller]
    pub(super) fn of(told: &Value) -> Self {
        let number = |of: &Value, at: &str| super::number(of, at);
        let flags = |of: &Value, at: &str| -> Vec<bool> {
            let intervals = of.as_array().expect("intervals").iter();
            intervals.map(|interval| interval.pointer(at).and_then(Value::as_bool).expect("a flag")).collect()
        };
        if let Some(end) = told.get("end") {
            let streams = end["streams"].as_array().expect("streams").iter();
            let stream = ["/sender/bytes", "/receiver/bytes", "/receiver/bits_per_second"];
            return Self {
                sent: number(end, "/sum_sent/bytes"),
                received: number(end, "/sum_received/bytes"),
                seconds: number(end, "/sum_received/seconds"),
                again: number(end, "/sum_sent/retransmits"),
                streams: streams.map(|of| stream.map(|at| number(of, at))).collect(),
                omitted: flags(&told["intervals"], "/sum/omitted"),
            };
        }
        let flow = if told["up"].is_null() { &told["down"] } else { &told["up"] };
        let part = ["/sent_bytes", "/received_bytes", "/throughput_bps"];
        let parts = flow["parts"].as_array().expect("parts").iter();
        Self {
            sent: number(flow, "/sent/bytes"),
            received: number(flow, "/received/bytes"),
            seconds: number(flow, "/received/elapsed_ms") / 1e3,
            again: number(flow, "/retransmits"),
            streams: parts.map(|of| part.map(|at| number(of, at))).collect(),
            omitted: flags(&flow["intervals"], "/omitted"),
        }
    }
}
