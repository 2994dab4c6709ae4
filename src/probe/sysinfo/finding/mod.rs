//! What is odd about a host, and why that matters to its network. Nothing is read here: the report is judged.
//!
//! Counters since the start are judged only where they are a share of something; what merely happened once upon a time is
//! no finding. Over `--rate` what happens now is.

mod interface;
mod kernel;
mod machine;
mod path;
mod socket;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::probe::Severity;

/// Something odd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SysInfoFinding")]
pub struct Finding {
    /// Its name, which stays the same: `half_duplex`.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: an interface, a file system, a setting; empty of the whole host.
    pub subject: String,
    /// What was seen, and why it matters: one line.
    pub text: String,
    /// The number behind it; null where it is none.
    pub value: Option<f64>,
}

/// A table, a range or a disk is nearly full.
const FULL: f64 = 0.8;

/// What is odd about the host of `report`, the worst first. `ephemeral` are the ports that it may choose.
pub(super) fn findings(report: &Report, ephemeral: Option<(u16, u16)>) -> Vec<Finding> {
    let mut list = List(Vec::new());
    list.interfaces(report);
    list.queues(report);
    list.routes(report);
    list.tunnels(report);
    list.names(report);
    if let Some(kernel) = &report.kernel {
        list.kernel(kernel, report.rate_s.is_some());
    }
    if let Some(sockets) = &report.sockets {
        list.sockets(sockets, ephemeral);
    }
    list.machine(report);
    list.0.sort_by_key(|finding| finding.severity);
    list.0
}

struct List(Vec<Finding>);

impl List {
    fn add(&mut self, severity: Severity, id: &str, subject: &str, value: Option<f64>, text: String) {
        self.0.push(Finding { id: id.to_owned(), severity, subject: subject.to_owned(), text, value });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::probe::sysinfo::{
        Asked, Conntrack, Cpu, Device, Interface, InterfaceErrors, Kernel, Module, Neighbour, NeighbourState,
        Neighbours, Queue, Radio, Resolvers, Route, Softnet, Vpn, VpnLink,
    };
    use std::collections::BTreeMap;

    /// Their names; and each says on one line what was seen, and why it matters.
    pub(super) fn ids(report: &Report) -> Vec<String> {
        let found = findings(report, Some((32_768, 60_999)));
        for Finding { id, text, .. } in &found {
            let why = text.split_once(": ").map(|(_, why)| why);
            assert!(why.is_some_and(|why| why.len() > 10) && text.lines().count() == 1, "{id}: {text}");
        }
        found.into_iter().map(|finding| finding.id).collect()
    }

    fn route(gateway: [u8; 4]) -> Route {
        Route {
            destination: "0.0.0.0/0".to_owned(),
            gateway: Some(gateway.into()),
            interface: Some("eth0".to_owned()),
            source: None,
            metric: None,
            table: 254,
            protocol: "static".to_owned(),
            kind: "unicast".to_owned(),
            mtu_bytes: None,
            ways: 1,
        }
    }

    fn link() -> Interface {
        Interface {
            name: "eth0".to_owned(),
            enabled: true,
            state: "up".to_owned(),
            rx_packets: 1_000_000,
            ..Interface::default()
        }
    }

    #[test]
    fn a_quiet_host_has_no_findings() {
        let report = Report {
            interfaces: Some(vec![link()]),
            routes: Some(vec![route([192, 0, 2, 1])]),
            resolvers: Some(Resolvers { servers: vec!["192.0.2.1".to_owned()], ..Resolvers::default() }),
            kernel: Some(Kernel::default()),
            cpu: Some(Cpu { steal_ratio: Some(0.01), ..Cpu::default() }),
            ..Report::default()
        };
        assert_eq!(ids(&report), Vec::<String>::new());
        assert_eq!(ids(&Report::default()), Vec::<String>::new(), "what was not looked at is not judged");
    }

    #[test]
    fn each_oddity_is_named_by_its_id() {
        let errors = |set: fn(&mut InterfaceErrors)| {
            let mut errors = InterfaceErrors::default();
            set(&mut errors);
            errors
        };
        let of = |interface: Interface| Report { interfaces: Some(vec![interface]), ..Report::default() };
        for (report, id) in [
            (of(Interface { duplex: Some("half".to_owned()), ..link() }), "half_duplex"),
            (of(Interface { speed_bps: Some(10_000_000), ..link() }), "slow_link"),
            (
                of(Interface {
                    speed_bps: Some(1_000_000_000),
                    device: Some(Device {
                        supported: vec!["10000baseT/Full".to_owned()],
                        ..Device::default()
                    }),
                    ..link()
                }),
                "slow_link",
            ),
            (
                of(Interface {
                    device: Some(Device {
                        supported: vec!["Autoneg".to_owned()],
                        negotiates: Some(false),
                        ..Device::default()
                    }),
                    ..link()
                }),
                "no_negotiation",
            ),
            (
                of(Interface {
                    device: Some(Device {
                        module: Some(Module {
                            rx_power_uw: vec![500.0, 2.0],
                            rx_power_low_uw: Some(10.0),
                            ..Module::default()
                        }),
                        ..Device::default()
                    }),
                    ..link()
                }),
                "weak_light",
            ),
            (of(Interface { mtu_bytes: Some(1500), ipv6_mtu_bytes: Some(1480), ..link() }), "gateway_mtu"),
            (
                of(Interface { radio: Some(Radio { signal_dbm: Some(-82), ..Radio::default() }), ..link() }),
                "weak_signal",
            ),
            (
                Report {
                    queues: Some(vec![Queue {
                        root: true,
                        dropped: 500,
                        packets: 9_500,
                        ..Queue::default()
                    }]),
                    ..Report::default()
                },
                "queue_dropped",
            ),
            (of(Interface { state: "down".to_owned(), ..link() }), "no_carrier"),
            (of(Interface { carrier_changes: Some(50), ..link() }), "carrier_flaps"),
            (of(Interface { errors: errors(|errors| errors.rx_crc = 5_000), ..link() }), "damaged_frames"),
            (
                of(Interface { errors_since: Some(errors(|errors| errors.rx_missed = 1)), ..link() }),
                "host_too_slow",
            ),
            (Report { routes: Some(Vec::new()), ..Report::default() }, "no_default_route"),
            (Report { resolvers: Some(Resolvers::default()), ..Report::default() }, "no_resolver"),
        ] {
            assert_eq!(ids(&report), [id]);
        }
        let old = errors(|errors| errors.rx_crc = 50);
        assert!(ids(&of(Interface { errors: old, ..link() })).is_empty(), "50 of a million, since the start");
        let quiet = of(Interface {
            errors: errors(|e| e.rx_crc = 5_000),
            errors_since: Some(InterfaceErrors::default()),
            ..link()
        });
        assert!(ids(&quiet).is_empty(), "none of them is new");
    }

    #[test]
    fn a_gateway_that_does_not_answer_is_critical() {
        let silent = Neighbour {
            address: [192, 0, 2, 1].into(),
            interface: "eth0".to_owned(),
            hardware: None,
            state: NeighbourState::Failed,
        };
        let report = Report {
            routes: Some(vec![route([192, 0, 2, 1])]),
            neighbours: Some(Neighbours { named: vec![silent], ..Neighbours::default() }),
            ..Report::default()
        };
        let found = findings(&report, None);
        assert_eq!((found[0].id.as_str(), found[0].severity), ("gateway_silent", Severity::Critical));
    }

    #[test]
    fn tunnels_that_all_goes_through_are_told() {
        let through = |default_route, ipsec_policies| {
            let link = VpnLink {
                interface: "wg0".to_owned(),
                kind: "wireguard".to_owned(),
                enabled: true,
                default_route,
            };
            Report { vpn: Some(Vpn { links: vec![link], ipsec_policies }), ..Report::default() }
        };
        assert_eq!(ids(&through(true, Some(2))), ["vpn", "ipsec"]);
        assert!(ids(&through(false, Some(0))).is_empty());
        assert!(ids(&through(false, None)).is_empty(), "what cannot be read is not judged");
    }

    #[test]
    fn one_silent_resolver_is_bad_and_all_of_them_are_worse() {
        let asked = |last, rtt_ms| Asked { server: [192, 0, 2, last].into(), rtt_ms, why: None };
        let with = |asked: Vec<Asked>| Report {
            resolvers: Some(Resolvers {
                servers: asked.iter().map(|asked| asked.server.to_string()).collect(),
                asked,
                ..Resolvers::default()
            }),
            ..Report::default()
        };
        let there = Some(std::time::Duration::from_millis(3));
        assert!(ids(&with(vec![asked(1, there), asked(2, there)])).is_empty());
        let one = findings(&with(vec![asked(1, there), asked(2, None)]), None);
        assert_eq!((one[0].severity, one[0].subject.as_str()), (Severity::Warning, "192.0.2.2"));
        let all = findings(&with(vec![asked(1, None)]), None);
        assert_eq!((all[0].id.as_str(), all[0].severity), ("resolver_silent", Severity::Critical));
    }

    #[test]
    fn the_kernels_numbers_are_judged_as_shares() {
        let counters = |again| {
            BTreeMap::from([("TcpOutSegs".to_owned(), 100_000), ("TcpRetransSegs".to_owned(), again)])
        };
        let with = |kernel: Kernel| Report { kernel: Some(kernel), ..Report::default() };
        assert_eq!(
            ids(&with(Kernel { counters: counters(2_000), ..Kernel::default() })),
            ["tcp_retransmits"]
        );
        assert!(ids(&with(Kernel { counters: counters(500), ..Kernel::default() })).is_empty());
        let full = Kernel { conntrack: Some(Conntrack { entries: 90, max: 100 }), ..Kernel::default() };
        assert_eq!(ids(&with(full)), ["conntrack_full"]);
        let slow =
            Kernel { softnet: Some(Softnet { processed: 9, dropped: 1, squeezed: 0 }), ..Kernel::default() };
        assert_eq!(ids(&with(slow)), ["softnet_dropped"]);
        let busy = |squeezed| Kernel {
            softnet_since: Some(Softnet { processed: 1_000_000, dropped: 0, squeezed }),
            ..Kernel::default()
        };
        assert_eq!(ids(&with(busy(2_000))), ["softnet_squeezed"]);
        assert!(ids(&with(busy(500))).is_empty());
        let settings = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        for (name, value, id) in [
            ("net.ipv4.tcp_sack", "0", "no_sack"),
            ("net.ipv4.tcp_rmem", "4096 131072 262144", "small_receive_buffer"),
            ("net.ipv4.tcp_mtu_probing", "0", "no_mtu_probing"),
        ] {
            assert_eq!(ids(&with(Kernel { settings: settings(name, value), ..Kernel::default() })), [id]);
        }
    }
}
