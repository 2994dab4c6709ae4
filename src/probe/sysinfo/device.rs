//! What the driver of an interface tells: what its link may do and does, its queues and how patient they are, what it does
//! for the kernel, and what it counts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sys::ethtool::Asker;
pub use crate::sys::ethtool::{Channels, Coalescing, Fec, Pause, Rings};
pub use crate::wire::sff::Module;

/// What a driver tells, as ethtool(8) shows it. What it does not tell is null or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostDevice")]
pub struct Device {
    /// Its firmware.
    pub firmware: Option<String>,
    /// Where it is: `0000:00:03.0`.
    pub bus: Option<String>,
    /// Both ends of its link agree on speed and duplex by themselves; null where there is nothing to agree on.
    pub negotiates: Option<bool>,
    /// What it can do: `1000baseT/Full`.
    pub supported: Vec<String>,
    /// What it offers to the other end.
    pub advertised: Vec<String>,
    /// What the other end offers.
    pub partner: Vec<String>,
    /// Packets that it holds.
    pub rings: Option<Rings>,
    /// Its queues.
    pub channels: Option<Channels>,
    /// How long it waits until it interrupts.
    pub coalescing: Option<Coalescing>,
    /// Whether either end may have the other pause.
    pub pause: Option<Pause>,
    /// How it mends what was damaged on the link; null where it does not, or does not say.
    #[serde(default)]
    pub fec: Option<Fec>,
    /// The module that is plugged in; null without one, and to who may not ask (CAP_NET_ADMIN).
    #[serde(default)]
    pub module: Option<Module>,
    /// What it, or the kernel for it, does by itself and is on: `tx-tcp-segmentation`.
    pub features: Vec<String>,
    /// What its driver counts by its own names, zeros left out.
    pub counters: BTreeMap<String, u64>,
}

impl Device {
    /// That of the interface `name`; `None` where no driver tells anything.
    pub(super) fn read(asker: &Asker, name: &str) -> Option<Self> {
        let device = asker.device(name);
        let known = |text: String| Some(text).filter(|text| !text.is_empty() && text != "N/A");
        let driver = device.driver();
        let link = device.link().unwrap_or_default();
        let has_modes = !link.supported.is_empty();
        let found = Self {
            firmware: driver.clone().and_then(|driver| known(driver.firmware)),
            bus: driver.and_then(|driver| known(driver.bus)),
            negotiates: has_modes.then_some(link.negotiates),
            supported: link.supported,
            advertised: link.advertised,
            partner: link.partner,
            rings: device.rings(),
            channels: device.channels(),
            coalescing: device.coalescing(),
            pause: device.pause(),
            fec: device.fec(),
            module: device.module().and_then(|(standard, octets)| Module::parse(standard, &octets)),
            features: device
                .features()
                .into_iter()
                .filter(|(_, is_on)| *is_on)
                .map(|(name, _)| name)
                .collect(),
            counters: device.statistics().into_iter().filter(|(_, count)| *count > 0).collect(),
        };
        (found != Self::default()).then_some(found)
    }

    /// The fastest that it can do, in bits a second, by the names of what it supports: of `1000baseT/Full` 10^9.
    pub(super) fn fastest_bps(&self) -> Option<u64> {
        let of = |mode: &String| mode.split("base").next()?.parse::<u64>().ok();
        self.supported.iter().filter_map(of).max().map(|mbit| mbit * 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_mode_is_found_by_its_name() {
        let device = |modes: &[&str]| Device {
            supported: modes.iter().map(|mode| (*mode).to_owned()).collect(),
            ..Device::default()
        };
        let modes = ["10baseT/Half", "Autoneg", "TP", "2500baseT/Full", "1000baseT/Full", "Pause"];
        assert_eq!(device(&modes).fastest_bps(), Some(2_500_000_000));
        assert_eq!(device(&["TP", "MII"]).fastest_bps(), None);
    }
}
