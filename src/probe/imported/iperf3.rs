//! `iperf3 -J`: throughput as the receiver saw it, and what UDP and the sender's TCP tell besides.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::read::{Entry, Numbers, address, details, number, text};
use crate::failure::{Class, Failure};
use crate::probe::Outcome;
use crate::units::Timestamp;

/// The run in `document`.
///
/// # Errors
/// Class `usage` for a run that failed before it had a target.
pub(super) fn read(document: &Value) -> Result<Option<Entry>, Failure> {
    if document.get("start").is_none() || document.get("end").is_none() {
        return Ok(None);
    }
    let remote = text(document, "/start/connected/0/remote_host");
    let target = text(document, "/start/connecting_to/host")
        .or_else(|| text(document, "/start/accepted_connection/host"))
        .or(remote);
    let error = text(document, "/error");
    let Some(target) = target else {
        let why = error.unwrap_or("it names no host");
        return Err(Class::Usage.because(format_args!("a run of iperf3 without a target: {why}")));
    };
    let seconds = number(document, "/start/timestamp/timesecs");
    let elapsed =
        number(document, "/end/sum_received/seconds").or_else(|| number(document, "/end/sum_sent/seconds"));
    let whole = number(document, "/end/sum_sent/bits_per_second").is_some();
    Ok(Some(Entry {
        tool: "iperf3",
        mode: text(document, "/start/test_start/protocol").unwrap_or("tcp").to_ascii_lowercase(),
        target: target.to_owned(),
        address: remote.and_then(address),
        at: seconds.and_then(|seconds| Timestamp::from_second(seconds as i64).ok()),
        elapsed: elapsed.and_then(|elapsed| Duration::try_from_secs_f64(elapsed).ok()).unwrap_or_default(),
        partial: error.is_some() && whole,
        outcome: match error {
            Some(error) if !whole => Outcome::Failure(class(error).because(error)),
            _ => report(document),
        },
    }))
}

fn report(document: &Value) -> Outcome {
    let end = document.get("end").unwrap_or(&Value::Null);
    let reverse = number(document, "/start/test_start/reverse") == Some(1.0);
    let rate = |pointer: &str| number(end, &format!("/{pointer}/bits_per_second"));
    let received =
        rate("sum_received").filter(|rate| *rate > 0.0).or_else(|| rate("sum_sent")).or_else(|| rate("sum"));
    let back = rate("sum_received_bidir_reverse");
    let mut numbers = Numbers::default();
    numbers.put(if reverse { "throughput_down" } else { "throughput_up" }, received);
    numbers.put("throughput_down", back);
    numbers.put("throughput", received);
    // Microseconds, as the sender's kernel saw them.
    let rtt = |name: &str| {
        number(end, &format!("/streams/0/sender/{name}")).filter(|us| *us > 0.0).map(|us| us / 1e3)
    };
    numbers.put_ms("rtt_min", rtt("min_rtt"));
    numbers.put_ms("rtt_mean", rtt("mean_rtt"));
    numbers.put_ms("rtt_max", rtt("max_rtt"));
    if text(document, "/start/test_start/protocol") == Some("UDP") {
        let lost = number(end, "/sum/lost_packets").zip(number(end, "/sum/packets"));
        numbers.put_ms("jitter", number(end, "/sum/jitter_ms"));
        if let Some((lost, packets)) = lost {
            numbers.put_loss(Some(packets), Some(packets - lost));
        }
    }
    numbers.report(Vec::new(), told(document, end))
}

fn told(document: &Value, end: &Value) -> BTreeMap<String, Value> {
    let asked = document.pointer("/start/test_start").unwrap_or(&Value::Null);
    let mut told = details(asked, &["num_streams", "duration", "reverse", "bidir", "tos", "target_bitrate"]);
    told.extend(details(end, &["sender_tcp_congestion", "receiver_tcp_congestion"]));
    for (name, pointer) in [
        ("port", "/start/connecting_to/port"),
        ("bytes", "/end/sum_received/bytes"),
        ("retransmits", "/end/sum_sent/retransmits"),
        ("sent_bits_per_second", "/end/sum_sent/bits_per_second"),
    ] {
        told.extend(number(document, pointer).map(|number| (name.to_owned(), json!(number))));
    }
    told
}

/// The class of what iperf3 says went wrong.
fn class(error: &str) -> Class {
    let says = |words: &str| error.to_ascii_lowercase().contains(words);
    match () {
        () if says("refused") => Class::Refused,
        () if says("timed out") => Class::Timeout,
        () if says("unreachable") || says("no route") => Class::Unreachable,
        () if says("name or service") || says("resolution") => Class::Resolve,
        () if says("authori") => Class::Auth,
        () => Class::Protocol,
    }
}
