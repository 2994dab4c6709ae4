//! What is odd about sockets: ports that run out, connections that lose packets, servers that do not keep up.

use super::{FULL, List};
use crate::probe::Severity;
use crate::probe::sysinfo::{Connection, Sockets};

/// A connection that repeats more than this share of its segments is in trouble.
const LOSSY: f64 = 0.05;

impl List {
    pub(super) fn sockets(&mut self, sockets: &Sockets, ephemeral: Option<(u16, u16)>) {
        if let Some((first, last)) = ephemeral.filter(|(first, last)| last > first) {
            let used = f64::from(sockets.ephemeral_used) / f64::from(last - first + 1);
            if used > FULL {
                let text = format!(
                    "{} of {} local ports are in use: new connections to the same servers will fail (net.ipv4.ip_local_port_range)",
                    sockets.ephemeral_used,
                    last - first + 1
                );
                self.add(
                    Severity::Warning,
                    "ports_exhausted",
                    "net.ipv4.ip_local_port_range",
                    Some(used),
                    text,
                );
            }
        }
        let lossy = |one: &&Connection| {
            one.segments >= 100 && f64::from(one.retransmits) > f64::from(one.segments) * LOSSY
        };
        if let Some(worst) = sockets.connections.iter().flatten().find(lossy) {
            let all = sockets.connections.iter().flatten().filter(lossy).count();
            let others =
                if all > 1 { format!(", as do {} more connections", all - 1) } else { String::new() };
            let ratio = f64::from(worst.retransmits) / f64::from(worst.segments);
            let text = format!(
                "the connection to {} sends {:.0} % of its segments again{others}: packets are lost on that way",
                worst.peer,
                ratio * 100.0
            );
            self.add(Severity::Warning, "connection_lossy", &worst.peer.to_string(), Some(ratio), text);
        }
        for listener in
            sockets.listeners.iter().filter(|listener| listener.waiting.is_some_and(|waiting| waiting > 50))
        {
            let waiting = listener.waiting.unwrap_or(0);
            let text = format!(
                "{waiting} connections wait at {} to be accepted: its server is too slow",
                listener.address
            );
            self.add(
                Severity::Warning,
                "accept_queue",
                &listener.address.to_string(),
                Some(f64::from(waiting)),
                text,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ids;
    use super::*;
    use crate::probe::sysinfo::{Listener, Report};

    fn connection(segments: u32, retransmits: u32) -> Connection {
        Connection {
            local: "192.0.2.1:40000".parse().expect("an address"),
            peer: "192.0.2.2:443".parse().expect("an address"),
            rx_waiting_bytes: 0,
            tx_waiting_bytes: 0,
            rtt_ms: None,
            rtt_variation_ms: None,
            rtt_min_ms: None,
            retransmits,
            segments,
            cwnd: 10,
            mss_bytes: 1448,
            delivery_bps: None,
            congestion: None,
        }
    }

    #[test]
    fn sockets_in_trouble_are_told_and_others_are_not() {
        let with = |sockets| Report { sockets: Some(sockets), ..Report::default() };
        let listener = |waiting| Listener {
            proto: "tcp".to_owned(),
            address: "0.0.0.0:80".parse().expect("an address"),
            waiting: Some(waiting),
        };
        let connections = |all| Sockets { connections: Some(all), ..Sockets::default() };
        for (sockets, expected) in [
            (Sockets { ephemeral_used: 25_000, ..Sockets::default() }, &["ports_exhausted"][..]),
            (Sockets { ephemeral_used: 2_500, ..Sockets::default() }, &[]),
            (Sockets { listeners: vec![listener(51)], ..Sockets::default() }, &["accept_queue"]),
            (Sockets { listeners: vec![listener(5)], ..Sockets::default() }, &[]),
            (connections(vec![connection(1000, 80), connection(1000, 70)]), &["connection_lossy"]),
            (connections(vec![connection(1000, 8)]), &[]),
            (connections(vec![connection(20, 19)]), &[]),
        ] {
            assert_eq!(ids(&with(sockets)), expected);
        }
    }
}
