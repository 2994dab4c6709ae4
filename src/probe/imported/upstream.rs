//! JSON of `WaddlePerf` before this program: its UDP ping's file, the newer one with `statistics`, those of its Python
//! tools for HTTP, DNS, SSH and throughput and of its first Go client, and what its clients sent to a manager
//! (`test_type`, `target_host`, `latency_ms`, `throughput_mbps`, …).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::read::{Entry, Numbers, address, class, number, text};
use crate::probe::Outcome;
use crate::units::{Timestamp, ms};

/// The most text of a run that is kept beside its numbers.
const MOST_DETAILS: usize = 64;

/// Names of how many packets were sent, and how many came back.
const SENT: [&str; 4] = ["packets_transmitted", "packets_sent", "ping_results/packets_sent", "ping/count"];
const RECEIVED: [&str; 4] =
    ["packets_received", "packets_recv", "ping_results/packets_recv", "ping/successful"];

/// The run in `document`. One that names no target is about `unknown`.
pub(super) fn read(document: &Value) -> Option<Entry> {
    // `{id, status, result}` of a test by the API, and the newer UDP ping's `statistics`.
    let inner = ["/result", "/results", "/statistics"].iter().find_map(|at| document.pointer(at));
    let shape = Shape { outer: document, inner: inner.filter(|inner| inner.is_object()).unwrap_or(document) };
    let samples = shape.samples();
    let mut numbers = shape.numbers();
    let failure = shape.failure();
    if shape.number(&RECEIVED) == Some(0.0) {
        numbers.no_reply();
    }
    numbers.put_samples(&samples);
    // A status alone is also what any interface answers.
    let told = numbers.0.iter().any(|scalar| scalar.name != "http_status") || failure.is_some();
    let target = shape.text(&[
        "target",
        "target_host",
        "host",
        "hostname",
        "dst_host",
        "destination",
        "address",
        "url",
        "domain",
        "server_addr",
        "server_info/hostname",
        "test_config/dst_host",
        "test_config/domain",
        "test_config/url",
        "details/0/url_effective",
    ]);
    if failure.is_some() && target.is_none() {
        return None;
    }
    told.then(|| Entry {
        tool: "waddleperf-upstream",
        mode: shape.mode(),
        target: target.unwrap_or("unknown").to_owned(),
        address: shape.text(&["target_ip", "ip", "server_info/ip_address"]).or(target).and_then(address),
        at: shape.at(),
        elapsed: shape.elapsed(),
        partial: false,
        outcome: match failure {
            Some(error) => Outcome::Failure(class(error).because(error)),
            None => numbers.report(samples, shape.details()),
        },
    })
}

/// A document, and the part of it that holds the numbers.
struct Shape<'a> {
    outer: &'a Value,
    inner: &'a Value,
}

impl<'a> Shape<'a> {
    fn number(&self, names: &[&str]) -> Option<f64> {
        let at = |name: &&str| {
            let pointer = format!("/{name}");
            number(self.inner, &pointer).or_else(|| number(self.outer, &pointer))
        };
        names.iter().find_map(at)
    }

    fn text(&self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| {
            let pointer = format!("/{name}");
            text(self.inner, &pointer).or_else(|| text(self.outer, &pointer))
        })
    }

    fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::default();
        numbers.put_loss(self.number(&SENT), self.number(&RECEIVED));
        let percent = self.number(&["packet_loss", "packet_loss_percent"]);
        numbers.put("loss_ratio", percent.map(|percent| (percent / 100.0).clamp(0.0, 1.0)));
        let replied = self.number(&RECEIVED) != Some(0.0);
        let rtt = |names: &[&str]| self.number(names).filter(|_| replied);
        numbers.put_ms("rtt_min", rtt(&["rtt_min", "rtt_stats/min_ms", "ping/min_ms", "min_latency_ms"]));
        let means = ["rtt_avg", "rtt_stats/avg_ms", "ping/avg_ms", "latency_ms", "avg_latency_ms"];
        numbers.put_ms("rtt_mean", rtt(&means));
        numbers.put_ms("rtt_max", rtt(&["rtt_max", "rtt_stats/max_ms", "ping/max_ms", "max_latency_ms"]));
        // The first Go client writes nanoseconds.
        for (name, at) in [("rtt_min", "min_rtt"), ("rtt_mean", "avg_rtt"), ("rtt_max", "max_rtt")] {
            numbers.put_ms(name, rtt(&[&format!("ping_results/{at}")]).map(|ns| ns / 1e6));
        }
        numbers.put_ms("jitter", rtt(&["jitter_ms"]));
        // Seconds in the first Python tools.
        numbers.put("lookup", self.text(&["domain"]).and_then(|_| self.number(&["mean_time"])));
        numbers.put_ms("lookup", self.number(&["query_times/mean_ms"]));
        numbers.put("total", self.number(&["summary/mean_time"]));
        let status = self.number(&["status_code", "http_results/status_code", "details/0/http_code"]);
        numbers.put("http_status", status.filter(|status| *status > 0.0));
        let rate = |names: &[&str]| self.number(names).map(|mbps| mbps * 1e6);
        let down = rate(&["download_mbps", "download/avg_speed_mbps"]);
        let up = rate(&["upload_mbps", "upload/avg_speed_mbps"]);
        let lower = down.into_iter().chain(up).reduce(f64::min);
        numbers.put("throughput", rate(&["throughput_mbps"]).or(lower));
        numbers.put("throughput_down", down);
        numbers.put("throughput_up", up);
        numbers
    }

    /// Why a test by one of its Go programs failed; its `latency_ms` is then the time until that, or 0.
    /// Where packets were counted, their loss tells.
    fn failure(&self) -> Option<&'a str> {
        let failed = ["success", "connected"].iter().find_map(|name| {
            let told = |document: &Value| document.get(*name).and_then(Value::as_bool);
            told(self.inner).or_else(|| told(self.outer))
        });
        let counted = self.number(&SENT).is_some_and(|sent| sent > 0.0);
        (failed == Some(false) && !counted).then(|| {
            let error = self.text(&["error"]).and_then(|error| error.lines().next());
            error.unwrap_or("the test did not succeed")
        })
    }

    /// Each reply of the newer UDP ping, where none is a lost one, or of the SSH ping, whose own summary is wrong by
    /// a factor of 1,000.
    fn samples(&self) -> Vec<Option<f64>> {
        let each = |pointer| self.outer.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        let ssh = each("/pingLatency/probes").map(|one| (one, ""));
        let udp = each("/detailed_results").filter(|one| one.get("rtt_ms").is_some());
        let sample = |(one, at): (&Value, &str)| number(one, at).filter(|time| ms::to(*time).is_some());
        ssh.chain(udp.map(|one| (one, "/rtt_ms"))).map(sample).collect()
    }

    fn mode(&self) -> String {
        let mode = self.text(&["test_type", "type", "protocol"]).map(str::to_ascii_lowercase);
        let has = |pointer| self.outer.pointer(pointer).is_some();
        let shown = || match () {
            () if has("/pingLatency") => "ssh",
            () if has("/download") && has("/upload") => "speedtest",
            () if has("/details/0/url_effective") => "http",
            () if has("/domain") || has("/test_config/domain") => "dns",
            () if has("/ping_results") => "ping",
            () if self.number(&["packets_transmitted"]).is_some() => "udp",
            () => "unknown",
        };
        mode.unwrap_or_else(|| shown().to_owned())
    }

    /// RFC 3339, or seconds since the epoch.
    fn at(&self) -> Option<Timestamp> {
        const NAMES: [&str; 4] = ["timestamp", "started_at", "created_at", "time"];
        let written = self.text(&NAMES).and_then(|at| at.parse().ok());
        let seconds = || self.number(&NAMES).filter(|seconds| (1e9..1e11).contains(seconds));
        written.or_else(|| Timestamp::from_millisecond((seconds()? * 1e3) as i64).ok())
    }

    fn elapsed(&self) -> Duration {
        let seconds = self.number(&["test_duration_seconds"]).map(|seconds| seconds * 1e3);
        seconds.or_else(|| self.number(&["duration_ms"])).and_then(ms::to).unwrap_or_default()
    }

    /// Plain values, as they are.
    fn details(&self) -> BTreeMap<String, Value> {
        let members = self.outer.as_object().into_iter().chain(self.inner.as_object()).flatten();
        let plain = members.filter(|(_, value)| value.is_number() || value.is_boolean() || value.is_string());
        plain.take(MOST_DETAILS).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
