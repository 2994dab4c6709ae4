//! `iperf3 -J`: throughput as the receiver saw it, and what UDP and the sender's TCP tell besides.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::read::{Entry, Numbers, address, class, details, number, text};
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

/// The numbers of each direction; of two, the lower throughput and the worse loss and jitter stand for the run.
fn report(document: &Value) -> Outcome {
    let end = document.get("end").unwrap_or(&Value::Null);
    let reverse = number(document, "/start/test_start/reverse") == Some(1.0);
    // Directions are the client's; a server's own output is seen from the other end.
    let there_is_down = reverse != at_server(document);
    let (there, back) = (Way::of(document, ""), Way::of(document, "_bidir_reverse"));
    let (up, down) = if there_is_down { (&back, &there) } else { (&there, &back) };
    let worse = |of: fn(&Way) -> Option<f64>| of(&there).into_iter().chain(of(&back)).reduce(f64::max);
    let mut numbers = Numbers::default();
    numbers.put("throughput_up", up.rate);
    numbers.put("throughput_down", down.rate);
    numbers.put("throughput", there.rate.into_iter().chain(back.rate).reduce(f64::min));
    put_rtt(&mut numbers, end);
    numbers.put_ms("jitter", worse(|way| way.jitter_ms));
    numbers.put("loss_ratio", worse(|way| way.loss));
    numbers.put("up_loss_ratio", up.loss);
    numbers.put("down_loss_ratio", down.loss);
    numbers.report(Vec::new(), told(document, end))
}

/// One direction.
#[derive(Default)]
struct Way {
    /// Bit/s as the receiver saw them; of TCP whose receiver does not tell, what the sender got rid of.
    rate: Option<f64>,
    /// Of UDP.
    loss: Option<f64>,
    /// Of UDP.
    jitter_ms: Option<f64>,
}

impl Way {
    /// The direction whose sums end in `suffix`.
    fn of(document: &Value, suffix: &str) -> Self {
        let sum = |sum: &str, name: &str| number(document, &format!("/end/{sum}{suffix}/{name}"));
        let received = sum("sum_received", "bits_per_second").filter(|rate| *rate > 0.0 || ended(document));
        if text(document, "/start/test_start/protocol") != Some("UDP") {
            return Self { rate: received.or_else(|| sum("sum_sent", "bits_per_second")), ..Self::default() };
        }
        // iperf 3.7 has one sum for both ends.
        let old = sum("sum_received", "bits_per_second").is_none();
        if received.is_none() && !(old && ended(document)) {
            return Self::default();
        }
        // A receiver that got nothing counts no loss: its sequence never began.
        let none = sum("sum_received", "packets") == Some(0.0) && sum("sum_sent", "packets") > Some(0.0);
        let lost = sum("sum", "lost_packets").zip(sum("sum", "packets").filter(|packets| *packets > 0.0));
        Self {
            rate: received.or_else(|| sum("sum", "bits_per_second")),
            loss: if none { Some(1.0) } else { lost.map(|(lost, packets)| (lost / packets).min(1.0)) },
            jitter_ms: sum("sum", "jitter_ms").filter(|_| !none),
        }
    }
}

/// Whether this is the server's own output. It never learns what its client received.
fn at_server(document: &Value) -> bool {
    document.pointer("/start/accepted_connection").is_some()
}

/// Whether both ends told what they counted, so that a zero is one.
fn ended(document: &Value) -> bool {
    document.get("error").is_none() && !at_server(document)
}

/// Of every TCP stream that this end sent, in microseconds as its kernel saw them.
fn put_rtt(numbers: &mut Numbers, end: &Value) {
    let streams = end.get("streams").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let each = |name: &str| -> Vec<f64> {
        let pointer = format!("/sender/{name}");
        let sent = streams.iter().filter(|stream| stream.pointer("/sender/sender") != Some(&json!(false)));
        let told = sent.filter_map(|stream| number(stream, &pointer));
        told.filter(|us| *us > 0.0).map(|us| us / 1e3).collect()
    };
    let means = each("mean_rtt");
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    numbers.put_ms("rtt_min", each("min_rtt").into_iter().reduce(f64::min));
    numbers.put_ms("rtt_mean", (!means.is_empty()).then_some(mean));
    numbers.put_ms("rtt_max", each("max_rtt").into_iter().reduce(f64::max));
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
        let number = number(document, pointer).filter(|number| *number > 0.0 || ended(document));
        told.extend(number.map(|number| (name.to_owned(), json!(number))));
    }
    told
}
