//! What stands beside the numbers of a hop, in a report and in a run that goes on: who answers, where that is, what the
//! numbers mean, and what a router tells of itself.

use std::net::IpAddr;

use super::super::{escape, local, percent};
use crate::geo::Place;
use crate::probe::mtr::{InterfaceRole, Label, Mark, NetInterface, PathChange, Verdict};

/// A name, the address, or both.
pub(in crate::report) fn name(ip: IpAddr, name: Option<&str>, show_ips: bool) -> String {
    match name {
        Some(name) if show_ips => format!("{} ({ip})", escape(name)),
        Some(name) => escape(name).into_owned(),
        None => ip.to_string(),
    }
}

/// What mtr's `-y` shows by this number: AS, prefix, country; registry and date are in no local database.
pub(in crate::report) fn place(of: &Place, info: u8) -> String {
    let unknown = || "???".to_owned();
    match info {
        0 => of.asn.map_or_else(|| "AS???".to_owned(), |asn| format!("AS{asn}")),
        1 => of.prefix.as_deref().map_or_else(unknown, |prefix| escape(prefix).into_owned()),
        2 => of.country.as_deref().map_or_else(unknown, |country| escape(country).into_owned()),
        _ => unknown(),
    }
}

/// The columns of that before a name.
pub(in crate::report) const fn place_width(info: u8) -> usize {
    match info {
        1 => 19,
        2 => 4,
        _ => 10,
    }
}

/// What the numbers of a hop mean: `counts` are probes sent and answered.
pub(in crate::report) fn remarks(
    mark: Option<Mark>,
    (sent, received): (u64, u64),
    verdict: Verdict,
) -> Vec<String> {
    let mut remarks: Vec<String> = mark.map(|mark| mark.text().to_owned()).into_iter().collect();
    let answered = percent(received as f64 / sent.max(1) as f64);
    if verdict.rate_limited {
        remarks.push(format!("rate-limited, answers {answered}"));
    } else if verdict.loss_ratio.is_none() && sent > received {
        remarks.push(match received {
            0 => "silent".to_owned(),
            _ => format!("loss not confirmed, answers {answered}"),
        });
    }
    remarks
}

/// `in cycle 11 (2026-11-26 08:01:07), hop 2 from 192.0.2.1 to 192.0.2.9, 3 hops in all`
pub(in crate::report) fn change(of: &PathChange) -> String {
    let PathChange { cycle, at, ttl, from, to, hops, .. } = of;
    let all = if *hops > 1 { format!(", {hops} hops in all") } else { String::new() };
    format!("in cycle {cycle} ({}), hop {ttl} from {from} to {to}{all}", local(*at))
}

/// An entry of a label stack, as mtr writes it.
pub(in crate::report) fn label(entry: &Label) -> String {
    let (label, class, last, ttl) = (entry.label, entry.class, u8::from(entry.is_last), entry.ttl);
    format!("[MPLS: Lbl {label} TC {class} S {last} TTL {ttl}]")
}

/// An interface that a router tells of.
pub(super) fn interface(told: &NetInterface) -> String {
    let role = match told.role {
        InterfaceRole::Incoming => "incoming",
        InterfaceRole::Component => "component",
        InterfaceRole::Outgoing => "outgoing",
        InterfaceRole::NextHop => "next hop",
    };
    let name = told.name.as_deref().map(|name| format!(" {}", escape(name))).unwrap_or_default();
    let address = told.address.map(|address| format!(" {address}")).unwrap_or_default();
    let mtu = told.mtu_bytes.map(|mtu| format!(" mtu {mtu}")).unwrap_or_default();
    format!("[{role} interface{name}{address}{mtu}]")
}

/// As much of `text` as `width` holds.
pub(in crate::report) fn fitting(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
