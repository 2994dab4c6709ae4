//! `mtr --json`: the last hop's numbers, and all hops beside them.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::read::{Entry, Numbers, address, details, number, text};

/// The run in `document`.
pub(super) fn read(document: &Value) -> Option<Entry> {
    let report = document.get("report")?;
    let target = text(report, "/mtr/dst")?;
    let hubs = report.get("hubs")?.as_array()?;
    let last = hubs.last()?;
    let mut numbers = Numbers::default();
    let lost = if ends_at(last, target) { number(last, "/Loss%") } else { Some(100.0) };
    let reached = lost.is_some_and(|lost| lost < 100.0);
    if lost.is_some() && !reached {
        numbers.no_reply();
    } else {
        numbers.put_ms("rtt_min", number(last, "/Best"));
        numbers.put_ms("rtt_mean", number(last, "/Avg"));
        numbers.put_ms("rtt_max", number(last, "/Wrst"));
    }
    numbers.put("loss_ratio", lost.map(|lost| (lost / 100.0).clamp(0.0, 1.0)));
    numbers.put("hops", reached.then_some(hubs.len() as f64));
    let mut told = details(report.get("mtr")?, &["src", "tests", "psize", "tos"]);
    told.insert("hubs".to_owned(), json!(hubs));
    Some(Entry {
        tool: "mtr",
        // The JSON tells not whether it was ICMP, UDP or TCP.
        mode: "report".to_owned(),
        target: target.to_owned(),
        address: address(target).or_else(|| heard(last).filter(|_| reached)),
        at: None,
        elapsed: Duration::ZERO,
        partial: false,
        outcome: numbers.report(Vec::new(), told),
    })
}

/// Whether `hub` is the target, as far as both are addresses; a trace may end at a router before it (`-m`).
fn ends_at(hub: &Value, target: &str) -> bool {
    match (heard(hub), address(target)) {
        (Some(hub), Some(target)) => hub == target,
        _ => true,
    }
}

/// The address of `hub`: `192.0.2.1`, or `name.example (192.0.2.1)` with `-b`.
fn heard(hub: &Value) -> Option<IpAddr> {
    text(hub, "/host")?.split([' ', '(', ')']).find_map(address)
}
