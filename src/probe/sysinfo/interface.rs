//! Network interfaces: what they are, how they are doing, what they have dropped and why.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkInfo, LinkMessage, Stats64};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use super::{Device, Radio};
use crate::failure::reason;
use crate::sys::ethtool::Asker;
use crate::sys::netlink::dump;

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostInterface")]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// What it is, as ip(8) calls it: `veth`, `bridge`, `wireguard`; null of hardware and loopback.
    pub kind: Option<String>,
    /// The driver; null where it has none.
    pub driver: Option<String>,
    /// Its state (RFC 2863): `up`, `down`, `lowerlayerdown`, `unknown` (of loopback and tunnels).
    pub state: String,
    /// Whether its user wants it up.
    pub enabled: bool,
    /// Whether it takes what is for others, too.
    pub promiscuous: bool,
    /// How often its carrier came or went.
    pub carrier_changes: Option<u32>,
    /// The largest packet that it sends.
    pub mtu_bytes: Option<u32>,
    /// The bit rate that its link has; null where it has none, or is down.
    pub speed_bps: Option<u64>,
    /// `full` or `half`.
    pub duplex: Option<String>,
    /// Its queueing discipline.
    pub qdisc: Option<String>,
    /// Packets that its queue holds.
    pub queue_length: Option<u32>,
    /// Its queues for sending and for what comes.
    pub queues: Option<[u32; 2]>,
    /// Its hardware address.
    pub hardware: Option<String>,
    /// The bridge, bond or VRF that it belongs to.
    pub controller: Option<String>,
    /// Whether it is a radio.
    pub wireless: bool,
    /// How well that hears; null where it is none.
    pub radio: Option<Radio>,
    /// What its driver tells; null where that is nothing.
    pub device: Option<Device>,
    /// The MTU that IPv6 keeps to, which a router may announce (RFC 4861 §4.6.4); null without IPv6.
    pub ipv6_mtu_bytes: Option<u32>,
    /// Its addresses.
    pub addresses: Vec<InterfaceAddress>,
    /// Packets that came.
    pub rx_packets: u64,
    /// Their octets.
    pub rx_bytes: u64,
    /// Packets that were sent.
    pub tx_packets: u64,
    /// Their octets.
    pub tx_bytes: u64,
    /// What went wrong since it was made.
    pub errors: InterfaceErrors,
    /// What went wrong over `--rate`; null without.
    pub errors_since: Option<InterfaceErrors>,
    /// Bits a second that came and went over `--rate`; null without.
    pub rate_bps: Option<[f64; 2]>,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostAddress")]
pub struct InterfaceAddress {
    /// The address.
    pub address: IpAddr,
    /// The length of its network's prefix.
    pub prefix: u8,
    /// Another host has it already (RFC 4862 §5.4): it is not used.
    pub duplicate: bool,
    /// It is not to be used for new connections.
    pub deprecated: bool,
}

/// Packets that came to nothing, by cause, as the kernel counts them (`struct rtnl_link_stats64`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InterfaceErrors {
    /// Came damaged, all causes together.
    pub rx_errors: u64,
    /// Came and were thrown away by the host: no room, no protocol, a filter.
    pub rx_dropped: u64,
    /// With a wrong checksum of the link.
    pub rx_crc: u64,
    /// Misaligned.
    pub rx_frame: u64,
    /// With a wrong length.
    pub rx_length: u64,
    /// Lost because the device's own queue was full.
    pub rx_fifo: u64,
    /// Lost because the host was too slow.
    pub rx_missed: u64,
    /// For nobody here.
    pub rx_nohandler: u64,
    /// Not sent, all causes together.
    pub tx_errors: u64,
    /// Not sent for want of room.
    pub tx_dropped: u64,
    /// Not sent for want of carrier.
    pub tx_carrier: u64,
    /// Collided: half duplex, or one side believes so.
    pub collisions: u64,
}

impl InterfaceErrors {
    fn of(stats: &Stats64) -> Self {
        Self {
            rx_errors: stats.rx_errors,
            rx_dropped: stats.rx_dropped,
            rx_crc: stats.rx_crc_errors,
            rx_frame: stats.rx_frame_errors,
            rx_length: stats.rx_length_errors,
            rx_fifo: stats.rx_fifo_errors,
            rx_missed: stats.rx_missed_errors,
            rx_nohandler: stats.rx_nohandler,
            tx_errors: stats.tx_errors,
            tx_dropped: stats.tx_dropped,
            tx_carrier: stats.tx_carrier_errors,
            collisions: stats.collisions,
        }
    }

    /// Each cause with its count, the JSON's names.
    pub fn causes(&self) -> [(&'static str, u64); 12] {
        [
            ("rx_errors", self.rx_errors),
            ("rx_dropped", self.rx_dropped),
            ("rx_crc", self.rx_crc),
            ("rx_frame", self.rx_frame),
            ("rx_length", self.rx_length),
            ("rx_fifo", self.rx_fifo),
            ("rx_missed", self.rx_missed),
            ("rx_nohandler", self.rx_nohandler),
            ("tx_errors", self.tx_errors),
            ("tx_dropped", self.tx_dropped),
            ("tx_carrier", self.tx_carrier),
            ("collisions", self.collisions),
        ]
    }

    /// What has come since `before`; a counter that went back began anew.
    fn since(&self, before: &Self) -> Self {
        let by = |now: u64, then: u64| now.checked_sub(then).unwrap_or(now);
        Self {
            rx_errors: by(self.rx_errors, before.rx_errors),
            rx_dropped: by(self.rx_dropped, before.rx_dropped),
            rx_crc: by(self.rx_crc, before.rx_crc),
            rx_frame: by(self.rx_frame, before.rx_frame),
            rx_length: by(self.rx_length, before.rx_length),
            rx_fifo: by(self.rx_fifo, before.rx_fifo),
            rx_missed: by(self.rx_missed, before.rx_missed),
            rx_nohandler: by(self.rx_nohandler, before.rx_nohandler),
            tx_errors: by(self.tx_errors, before.tx_errors),
            tx_dropped: by(self.tx_dropped, before.tx_dropped),
            tx_carrier: by(self.tx_carrier, before.tx_carrier),
            collisions: by(self.collisions, before.collisions),
        }
    }
}

impl Interface {
    /// All of this network namespace, in the order of their numbers.
    pub(super) fn read(source: &mut Source) -> Vec<Self> {
        let links = match dump(RouteNetlinkMessage::GetLink(LinkMessage::default())) {
            Ok(links) => links,
            Err(error) => {
                source.lacks("interfaces", &reason(&error));
                return Vec::new();
            }
        };
        let asker = Asker::new().map_err(|error| source.lacks("drivers", &reason(&error))).ok();
        let mut names = BTreeMap::new();
        let mut all: Vec<(Self, Option<u32>)> = Vec::new();
        for link in &links {
            if let RouteNetlinkMessage::NewLink(link) = link {
                let (mut interface, controller) = Self::of(link);
                interface.ask_files(source);
                interface.device = asker.as_ref().and_then(|asker| Device::read(asker, &interface.name));
                names.insert(interface.index, interface.name.clone());
                all.push((interface, controller));
            }
        }
        let mut addresses = addresses(source);
        let named = all.into_iter().map(|(mut interface, controller)| {
            interface.controller = controller.and_then(|index| names.get(&index).cloned());
            interface.addresses = addresses.remove(&interface.index).unwrap_or_default();
            interface
        });
        let mut named: Vec<Self> = named.collect();
        Radio::read(source, &mut named);
        named
    }

    /// What has happened since `before`, `seconds` ago.
    pub(super) fn compare(&mut self, before: &Self, seconds: f64) {
        self.errors_since = Some(self.errors.since(&before.errors));
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 * 8.0 / seconds;
        self.rate_bps = Some([rate(self.rx_bytes, before.rx_bytes), rate(self.tx_bytes, before.tx_bytes)]);
    }

    /// Whether packets of people go through it, as far as can be told.
    pub(super) fn is_in_use(&self) -> bool {
        self.enabled && self.name != "lo"
    }

    fn of(link: &LinkMessage) -> (Self, Option<u32>) {
        let mut found = Self {
            index: link.header.index,
            enabled: link.header.flags.contains(LinkFlags::Up),
            promiscuous: link.header.flags.contains(LinkFlags::Promisc),
            ..Self::default()
        };
        let (mut controller, mut tx, mut rx) = (None, None, None);
        for attribute in &link.attributes {
            match attribute {
                LinkAttribute::IfName(name) => found.name.clone_from(name),
                LinkAttribute::Mtu(mtu) => found.mtu_bytes = Some(*mtu),
                LinkAttribute::OperState(state) => found.state = format!("{state:?}").to_ascii_lowercase(),
                LinkAttribute::Qdisc(qdisc) => found.qdisc = Some(qdisc.clone()),
                LinkAttribute::TxQueueLen(length) => found.queue_length = Some(*length),
                LinkAttribute::NumTxQueues(queues) => tx = Some(*queues),
                LinkAttribute::NumRxQueues(queues) => rx = Some(*queues),
                LinkAttribute::CarrierChanges(changes) => found.carrier_changes = Some(*changes),
                LinkAttribute::Controller(index) => controller = Some(*index),
                LinkAttribute::Address(octets) => found.hardware = hardware(octets),
                LinkAttribute::LinkInfo(infos) => {
                    let kind = infos.iter().find_map(|info| match info {
                        LinkInfo::Kind(kind) => Some(kind.to_string()),
                        _ => None,
                    });
                    found.kind = kind.or(found.kind);
                }
                LinkAttribute::Stats64(stats) => {
                    (found.rx_packets, found.rx_bytes) = (stats.rx_packets, stats.rx_bytes);
                    (found.tx_packets, found.tx_bytes) = (stats.tx_packets, stats.tx_bytes);
                    found.errors = InterfaceErrors::of(stats);
                }
                _ => {}
            }
        }
        found.queues = tx.zip(rx).map(|(tx, rx)| [tx, rx]);
        (found, controller)
    }

    /// What only sysfs tells; nothing where it shows another network namespace than this process's.
    fn ask_files(&mut self, source: &Source) {
        let place = format!("/sys/class/net/{}", self.name);
        // Of a link that is down, or that has no speed, reading is refused (EINVAL): no word is needed.
        let word = |file: &str| {
            let text = std::fs::read_to_string(source.path(&format!("{place}/{file}"))).ok()?;
            Some(text.trim().to_owned())
        };
        let mtu = source.path(&format!("/proc/sys/net/ipv6/conf/{}/mtu", self.name));
        self.ipv6_mtu_bytes = std::fs::read_to_string(mtu).ok().and_then(|text| text.trim().parse().ok());
        let index = word("ifindex").and_then(|text| text.parse::<u32>().ok());
        if index != Some(self.index) || self.hardware.is_some() && word("address") != self.hardware {
            return;
        }
        let speed = word("speed").and_then(|text| text.parse::<u64>().ok()).filter(|mbit| *mbit > 0);
        self.speed_bps = speed.map(|mbit| mbit * 1_000_000);
        self.duplex = word("duplex").filter(|duplex| duplex != "unknown" && self.speed_bps.is_some());
        self.wireless =
            ["wireless", "phy80211"].iter().any(|mark| source.path(&format!("{place}/{mark}")).exists());
        let driver = std::fs::read_link(source.path(&format!("{place}/device/driver"))).ok();
        self.driver = driver.and_then(|driver| Some(driver.file_name()?.to_string_lossy().into_owned()));
    }
}

/// A hardware address of Ethernet's length, as ip(8) writes it.
pub(super) fn hardware(octets: &[u8]) -> Option<String> {
    let octets: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    (octets.len() == 6).then(|| octets.join(":"))
}

/// The addresses of each interface, by its number.
fn addresses(source: &mut Source) -> BTreeMap<u32, Vec<InterfaceAddress>> {
    let mut all: BTreeMap<u32, Vec<InterfaceAddress>> = BTreeMap::new();
    let found = dump(RouteNetlinkMessage::GetAddress(AddressMessage::default()));
    let found = found.map_err(|error| source.lacks("addresses", &reason(&error))).unwrap_or_default();
    for message in found {
        let RouteNetlinkMessage::NewAddress(message) = message else { continue };
        let named = |attribute: &AddressAttribute| match attribute {
            // On a point-to-point link `Address` is the far end's.
            AddressAttribute::Local(address) => Some((0, *address)),
            AddressAttribute::Address(address) => Some((1, *address)),
            _ => None,
        };
        let Some((_, address)) = message.attributes.iter().filter_map(named).min_by_key(|(rank, _)| *rank)
        else {
            continue;
        };
        let flags = message.header.flags;
        all.entry(message.header.index).or_default().push(InterfaceAddress {
            address,
            prefix: message.header.prefix_len,
            duplicate: flags.contains(AddressHeaderFlags::Dadfailed),
            deprecated: flags.contains(AddressHeaderFlags::Deprecated),
        });
    }
    all
}
