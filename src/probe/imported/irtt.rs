//! `irtt client -o`: each round trip, and loss by direction.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use super::read::{Entry, Numbers, address, details, number, text};
use crate::units::ms;

/// The run in `document`.
pub(super) fn read(document: &Value) -> Option<Entry> {
    let (config, stats) = (document.get("config")?, document.get("stats")?);
    let remote = text(config, "/remote_address");
    let target = host(text(config, "/supplied/remote_address").or(remote)?);
    let samples = samples(document);
    let (sent, received) = (number(stats, "/packets_sent"), number(stats, "/packets_received"));
    let mut numbers = Numbers::default();
    // Nanoseconds.
    let rtt = |name: &str| number(stats, &format!("/rtt/{name}")).map(|ns| ns / 1e6);
    if received == Some(0.0) {
        numbers.no_reply();
    } else {
        numbers.put_ms("rtt_min", rtt("min"));
        numbers.put_ms("rtt_mean", rtt("mean"));
        numbers.put_ms("rtt_max", rtt("max"));
    }
    numbers.put_samples(&samples);
    numbers.put_loss(sent, received);
    // Only replies tell what the server got; without one, irtt writes 0 % for either direction.
    let heard = received.is_some_and(|received| received > 0.0);
    let share = |percent: f64| (percent / 100.0).clamp(0.0, 1.0);
    let ratio = |name: &str| number(stats, name).filter(|_| heard).map(share);
    numbers.put("up_loss_ratio", ratio("/upstream_loss_percent"));
    numbers.put("down_loss_ratio", ratio("/downstream_loss_percent"));
    let span = number(stats, "/duration").and_then(|ns| ms::to(ns / 1e6));
    Some(Entry {
        tool: "irtt",
        mode: "udp".to_owned(),
        target: target.to_owned(),
        address: remote
            .and_then(|remote| remote.parse::<SocketAddr>().ok().map(|remote| remote.ip()))
            .or_else(|| address(target)),
        at: text(stats, "/start_time").and_then(|at| at.parse().ok()),
        elapsed: span.unwrap_or(Duration::ZERO),
        partial: false,
        outcome: numbers.report(samples, told(config, stats)),
    })
}

/// Each round trip in milliseconds; none is a lost one.
fn samples(document: &Value) -> Vec<Option<f64>> {
    let trips = document.get("round_trips").and_then(Value::as_array);
    let sample =
        |trip: &Value| number(trip, "/delay/rtt").map(|ns| ns / 1e6).filter(|ms| ms::to(*ms).is_some());
    trips.into_iter().flatten().map(sample).collect()
}

fn told(config: &Value, stats: &Value) -> BTreeMap<String, Value> {
    let mut told = details(
        stats,
        &[
            "packets_sent",
            "packets_received",
            "server_packets_received",
            "duplicates",
            "late_packets",
            "send_delay",
            "receive_delay",
        ],
    );
    told.extend(details(config.get("params").unwrap_or(&Value::Null), &["interval", "length", "dscp"]));
    told
}

/// The host of `host:port`, `[address]:port` or either alone.
fn host(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    match text.split_once(':') {
        Some((host, rest)) if !rest.contains(':') => host,
        _ => text,
    }
}
