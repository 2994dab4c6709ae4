//! What is odd about the ways out of this host: routes, gateways, resolvers, proxies.

use std::net::IpAddr;

use super::List;
use crate::probe::Severity;
use crate::probe::sysinfo::{Asked, Report};

impl List {
    pub(super) fn routes(&mut self, report: &Report) {
        let Some(routes) = &report.routes else { return };
        let is_v4 = |destination: &str| destination.starts_with("0.0.0.0");
        let defaults: Vec<_> = routes.iter().filter(|route| route.is_default()).collect();
        if defaults.is_empty() {
            let text = "there is no default route: nothing beyond the networks of this host can be reached"
                .to_owned();
            self.add(Severity::Critical, "no_default_route", "", None, text);
        }
        for neighbour in report.neighbours.iter().flat_map(|all| &all.named).filter(|one| one.is_silent()) {
            if defaults.iter().any(|route| route.gateway == Some(neighbour.address)) {
                let text = format!(
                    "the gateway {} on {} does not answer on its link: no packet leaves through it",
                    neighbour.address, neighbour.interface
                );
                self.add(Severity::Critical, "gateway_silent", &neighbour.interface, None, text);
            }
        }
        let global_v6 =
            |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.segments()[0] & 0xe000 == 0x2000);
        let has_v6 = report
            .interfaces
            .iter()
            .flatten()
            .flat_map(|one| &one.addresses)
            .any(|one| global_v6(&one.address));
        if has_v6 && !defaults.is_empty() && defaults.iter().all(|route| is_v4(&route.destination)) {
            let text =
                "there are global IPv6 addresses and no IPv6 default route: programs try IPv6 first and wait"
                    .to_owned();
            self.add(Severity::Warning, "ipv6_without_route", "", None, text);
        }
        for route in &defaults {
            let own =
                report.interfaces.iter().flatten().find(|one| Some(&one.name) == route.interface.as_ref());
            if let Some((own, set)) =
                own.and_then(|own| own.mtu_bytes).zip(route.mtu_bytes).filter(|(own, set)| set > own)
            {
                let text = format!(
                    "the default route's MTU, {set}, is larger than that of its interface, {own}: packets between the two are lost"
                );
                self.add(Severity::Warning, "route_mtu", &route.destination, Some(f64::from(set)), text);
            }
        }
    }

    pub(super) fn tunnels(&mut self, report: &Report) {
        let Some(vpn) = &report.vpn else { return };
        for link in vpn.links.iter().filter(|link| link.enabled && link.default_route) {
            let text = format!(
                "a default route leads through the tunnel {} ({}): what is beyond it is measured together with it",
                link.interface, link.kind
            );
            self.add(Severity::Info, "vpn", &link.interface, None, text);
        }
        if let Some(count) = vpn.ipsec_policies.filter(|count| *count > 0) {
            let text = format!(
                "{count} of IPsec's policies choose among the packets that leave: encrypted ones have less room for payload"
            );
            self.add(Severity::Info, "ipsec", "", Some(count as f64), text);
        }
    }

    pub(super) fn names(&mut self, report: &Report) {
        let Some(resolvers) = &report.resolvers else { return };
        if resolvers.servers.is_empty() {
            let text =
                "resolv.conf names no server: names are asked of this host itself, or of nobody".to_owned();
            self.add(Severity::Warning, "no_resolver", "/etc/resolv.conf", None, text);
        }
        if resolvers.servers.len() > 3 {
            let text = format!(
                "resolv.conf names {} servers: the C library asks the first three",
                resolvers.servers.len()
            );
            self.add(
                Severity::Info,
                "resolvers_ignored",
                "/etc/resolv.conf",
                Some(resolvers.servers.len() as f64),
                text,
            );
        }
        let is_silent = |asked: &&Asked| asked.rtt_ms.is_none();
        let silent: Vec<&Asked> = resolvers.asked.iter().filter(is_silent).collect();
        let severity =
            if silent.len() == resolvers.asked.len() { Severity::Critical } else { Severity::Warning };
        for asked in silent {
            let why = asked.why.as_deref().unwrap_or("no answer within a second");
            let text = format!(
                "the resolver {} does not answer ({why}): each name that asks it waits",
                asked.server
            );
            self.add(severity, "resolver_silent", &asked.server.to_string(), None, text);
        }
        for proxy in
            report.proxies.iter().flatten().filter(|proxy| !proxy.variable.eq_ignore_ascii_case("no_proxy"))
        {
            let text = format!(
                "programs are told to go through {} ({}): what they measure is the proxy",
                proxy.value, proxy.variable
            );
            self.add(Severity::Info, "proxy", &proxy.variable, None, text);
        }
    }
}
