//! What is odd about interfaces: their links, radios, queues and errors.

use super::List;
use crate::probe::Severity;
use crate::probe::sysinfo::{Device, Interface, Module, Report};

/// 100 Mbit/s: a link that could be faster has most often fallen back to it.
const SLOW_BPS: u64 = 100_000_000;
/// A signal below this is slow and unsteady.
const WEAK_DBM: i8 = -75;
/// The share of packets that a radio may repeat.
const REPEATED: f64 = 0.3;

impl List {
    pub(super) fn interfaces(&mut self, report: &Report) {
        for interface in report.interfaces.iter().flatten().filter(|interface| interface.is_in_use()) {
            self.link(interface);
            self.errors(interface);
            for address in interface.addresses.iter().filter(|address| address.duplicate) {
                let text = format!(
                    "{} has {} but another host has it, too: it is not used",
                    interface.name, address.address
                );
                self.add(Severity::Critical, "duplicate_address", &interface.name, None, text);
            }
        }
    }

    pub(super) fn queues(&mut self, report: &Report) {
        for queue in report.queues.iter().flatten().filter(|queue| queue.root && queue.dropped > 100) {
            let ratio = queue.dropped as f64 / (queue.dropped + queue.packets) as f64;
            if ratio > 1e-4 {
                let text = format!(
                    "the queue {} of {} has thrown away {} of {} packets: more is sent than the link takes",
                    queue.kind,
                    queue.interface,
                    queue.dropped,
                    queue.dropped + queue.packets
                );
                self.add(Severity::Warning, "queue_dropped", &queue.interface, Some(ratio), text);
            }
        }
    }

    fn link(&mut self, interface: &Interface) {
        let name = &interface.name;
        if interface.duplex.as_deref() == Some("half") {
            let text = format!(
                "{name} runs half duplex: one side is most likely set by hand, and packets collide under load"
            );
            self.add(Severity::Critical, "half_duplex", name, None, text);
        }
        let speed = interface.speed_bps.filter(|_| !interface.wireless);
        let fastest = interface.device.as_ref().and_then(Device::fastest_bps);
        let is_slow = |speed: &u64| *speed <= SLOW_BPS || fastest.is_some_and(|fastest| *speed < fastest);
        if let Some(speed) = speed.filter(is_slow) {
            let could = fastest
                .filter(|fastest| speed < *fastest)
                .map(|fastest| format!(" and could do {:.0}", fastest as f64 / 1e6))
                .unwrap_or_default();
            let text = format!(
                "{name} runs at {:.0} Mbit/s{could}: a bad cable or port makes faster ones fall back",
                speed as f64 / 1e6
            );
            self.add(Severity::Warning, "slow_link", name, Some(speed as f64), text);
        }
        self.device(interface);
        if let Some((router, own)) =
            interface.ipv6_mtu_bytes.zip(interface.mtu_bytes).filter(|(router, own)| router < own)
        {
            let text = format!(
                "IPv6 on {name} keeps to {router} octets, as a router says, and IPv4 sends {own}: what is larger may be lost"
            );
            self.add(Severity::Warning, "gateway_mtu", name, Some(f64::from(router)), text);
        }
        if matches!(interface.state.as_str(), "down" | "lowerlayerdown") {
            let text =
                format!("{name} is switched on and has no carrier: no cable, or nobody at its other end");
            self.add(Severity::Info, "no_carrier", name, None, text);
        }
        if let Some(changes) = interface.carrier_changes.filter(|changes| *changes > 20) {
            let text = format!(
                "{name} has lost or found its carrier {changes} times: a loose cable, power saving, or a flapping port"
            );
            self.add(Severity::Warning, "carrier_flaps", name, Some(f64::from(changes)), text);
        }
        if interface.promiscuous && interface.controller.is_none() {
            let text = format!("{name} listens to what is not for this host: somebody captures packets");
            self.add(Severity::Info, "promiscuous", name, None, text);
        }
    }

    fn device(&mut self, interface: &Interface) {
        let name = &interface.name;
        if let Some(device) = &interface.device {
            if let Some((light, low)) = device.module.as_ref().and_then(Module::too_dark) {
                let text = format!(
                    "{name} gets {light:.1} µW of light and should get {low:.1} at least: a dirty or bent fibre, or too long a way, damages frames"
                );
                self.add(Severity::Warning, "weak_light", name, Some(light), text);
            }
            let can_negotiate = device.supported.iter().any(|mode| mode == "Autoneg");
            if device.negotiates == Some(false) && can_negotiate {
                let text = format!(
                    "{name} is set by hand and does not negotiate: an other end that does falls back to half duplex"
                );
                self.add(Severity::Warning, "no_negotiation", name, None, text);
            }
        }
        let Some(radio) = &interface.radio else { return };
        if let Some(signal) = radio.signal_dbm.filter(|signal| *signal < WEAK_DBM) {
            let text = format!(
                "{name} hears its access point at {signal} dBm: so weak a signal is slow, and repeats what it sends"
            );
            self.add(Severity::Warning, "weak_signal", name, Some(signal.into()), text);
        }
        if let Some(ratio) = radio.retried_ratio().filter(|ratio| *ratio > REPEATED) {
            let text = format!(
                "{name} repeats {:.0} % of its packets on the air: a crowded channel, or a weak signal",
                ratio * 100.0
            );
            self.add(Severity::Warning, "radio_retries", name, Some(ratio), text);
        }
    }

    fn errors(&mut self, interface: &Interface) {
        let (name, rising) = (&interface.name, interface.errors_since.is_some());
        let errors = interface.errors_since.unwrap_or(interface.errors);
        let when = if rising { "now" } else { "since it was made" };
        let packets = (interface.rx_packets + interface.tx_packets).max(1) as f64;
        for (cause, count) in errors.causes() {
            // Of all that came, one in ten thousand: Ethernet promises one damaged frame in 10^8.
            let is_odd = if rising { count > 0 } else { count as f64 / packets > 1e-4 && count > 100 };
            let (id, why) = match cause {
                "rx_crc" | "rx_frame" | "rx_length" => {
                    ("damaged_frames", "a cable, a connector or a transceiver is bad")
                }
                "rx_fifo" | "rx_missed" => {
                    ("host_too_slow", "the host takes packets out too slowly: more queues or a larger ring")
                }
                "tx_carrier" => ("carrier_lost", "the carrier was away while packets were sent"),
                "collisions" => ("collisions", "one side of the link believes in half duplex"),
                "rx_dropped" => ("rx_dropped", "the host had no room or no use for them"),
                "tx_dropped" => ("tx_dropped", "its queue was full: the link is slower than what is sent"),
                "tx_errors" if errors.tx_carrier == 0 => ("tx_errors", "the driver could not send them"),
                "rx_errors"
                    if errors.rx_crc
                        + errors.rx_frame
                        + errors.rx_length
                        + errors.rx_fifo
                        + errors.rx_missed
                        == 0 =>
                {
                    ("rx_errors", "they came damaged")
                }
                _ => continue,
            };
            if is_odd {
                let text = format!("{name}: {count} packets {cause} {when}: {why}");
                self.add(Severity::Warning, id, name, Some(count as f64), text);
            }
        }
    }
}
