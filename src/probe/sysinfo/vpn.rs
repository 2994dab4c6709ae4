//! Virtual private networks: links that are tunnels, and IPsec's policies.

use std::io::ErrorKind;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use super::{Interface, Route};
use crate::failure::reason;
use crate::sys::netlink::ipsec_policies;

/// Kinds of links through which packets leave inside others, as ip(8) calls them.
const KINDS: [&str; 11] =
    ["wireguard", "ovpn", "ovpn-dco", "tun", "ppp", "xfrm", "vti", "vti6", "ipip", "ip6tnl", "gre"];

/// What of this host's traffic goes through tunnels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vpn {
    /// Links that are tunnels.
    pub links: Vec<VpnLink>,
    /// IPsec's policies for what this host sends; null where they cannot be read.
    pub ipsec_policies: Option<usize>,
}

/// A link that is a tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VpnLink {
    /// Its interface.
    pub interface: String,
    /// What it is, as ip(8) calls it: `wireguard`, `tun`, `ppp`.
    pub kind: String,
    /// Its user wants it up.
    pub enabled: bool,
    /// A default route, of whatever table, leads through it, or each half of everything by a route of its own.
    pub default_route: bool,
}

impl Vpn {
    /// `interfaces` and `routes` are the host's.
    pub(super) fn read(source: &mut Source, interfaces: &[Interface], routes: &[Route]) -> Self {
        let ipsec_policies = match has_ipsec(source).then(ipsec_policies) {
            Some(Ok(count)) => Some(count),
            None => Some(0),
            Some(Err(error)) => {
                let why = match error.kind() {
                    ErrorKind::PermissionDenied => "needs CAP_NET_ADMIN".to_owned(),
                    _ => reason(&error),
                };
                source.lacks("IPsec's policies", &why);
                None
            }
        };
        Self { links: links(interfaces, routes), ipsec_policies }
    }
}

/// Whether the kernel's part of IPsec is there to be asked: to ask would load it.
fn has_ipsec(source: &mut Source) -> bool {
    const XFRM: &str = "6";
    let sockets = source.text_if_any("/proc/net/netlink").unwrap_or_default();
    sockets.lines().any(|line| line.split_whitespace().nth(1) == Some(XFRM))
}

fn links(interfaces: &[Interface], routes: &[Route]) -> Vec<VpnLink> {
    let link = |interface: &Interface| {
        let kind = interface.kind.as_deref().filter(|kind| KINDS.contains(kind))?;
        // With a hardware address it is a tap, as virtual machines have them.
        if kind == "tun" && interface.hardware.is_some() {
            return None;
        }
        let leads = |to: &str| {
            let through = routes.iter().filter(|route| route.interface.as_ref() == Some(&interface.name));
            through.filter(|route| route.kind == "unicast").any(|route| route.destination == to)
        };
        // OpenVPN leaves the default route alone and has two longer ones.
        let all: [&[&str]; 4] =
            [&["0.0.0.0/0"], &["::/0"], &["0.0.0.0/1", "128.0.0.0/1"], &["::/1", "8000::/1"]];
        Some(VpnLink {
            interface: interface.name.clone(),
            kind: kind.to_owned(),
            enabled: interface.enabled,
            default_route: all.iter().any(|all| all.iter().all(|to| leads(to))),
        })
    };
    interfaces.iter().filter_map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_and_what_leads_through_them_are_told() {
        let interface = |name: &str, kind: Option<&str>| Interface {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            enabled: true,
            ..Interface::default()
        };
        let route = |destination: &str, name: &str| Route {
            destination: destination.to_owned(),
            interface: Some(name.to_owned()),
            gateway: None,
            source: None,
            metric: None,
            table: 51_820,
            protocol: "static".to_owned(),
            kind: "unicast".to_owned(),
            mtu_bytes: None,
            ways: 1,
        };
        let interfaces = [
            interface("eth0", None),
            interface("br0", Some("bridge")),
            interface("wg0", Some("wireguard")),
            interface("tun0", Some("tun")),
            interface("ppp0", Some("ppp")),
            interface("tun1", Some("tun")),
            Interface { hardware: Some("52:54:00:00:00:01".to_owned()), ..interface("vnet0", Some("tun")) },
        ];
        let routes = [
            route("0.0.0.0/0", "eth0"),
            route("0.0.0.0/0", "wg0"),
            route("0.0.0.0/1", "tun0"),
            route("128.0.0.0/1", "tun0"),
            route("128.0.0.0/1", "tun1"),
            route("192.0.2.0/24", "ppp0"),
        ];
        let found = links(&interfaces, &routes);
        let told: Vec<(&str, bool)> =
            found.iter().map(|link| (link.interface.as_str(), link.default_route)).collect();
        assert_eq!(told, [("wg0", true), ("tun0", true), ("ppp0", false), ("tun1", false)]);
    }
}
