//! Which addresses may be measured: by who asks, and by what they are.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::failure::{Class, Failure};
use crate::net::Policy;
use crate::probe::{Ctx, Egress};
use crate::sys::link;

/// Whom packets are meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) enum Audience {
    /// One host.
    One,
    /// Everybody who listens, too.
    Everybody,
}

/// The rules for the addresses of one run.
pub(in crate::probe) struct Admission<'a> {
    policy: &'a Policy,
    /// The way there, and who is meant; `None` where nothing is sent.
    sends: Option<(&'a Egress, Audience)>,
    /// The addresses of everybody on the networks of this host.
    broadcasts: Vec<Ipv4Addr>,
}

impl<'a> Admission<'a> {
    /// For what is sent by `egress` to `audience`.
    pub(in crate::probe) fn to(ctx: &'a Ctx, egress: &'a Egress, audience: Audience) -> Self {
        let broadcasts = if audience == Audience::One { link::broadcasts() } else { Vec::new() };
        Self { policy: &ctx.policy, sends: Some((egress, audience)), broadcasts }
    }

    /// For addresses whose packets are only looked at.
    pub(in crate::probe) fn watching(ctx: &'a Ctx) -> Self {
        Self { policy: &ctx.policy, sends: None, broadcasts: Vec::new() }
    }

    /// Lets `address` through, or says why not.
    ///
    /// # Errors
    /// Class `usage` of an address that is no host's, or not without more words; class `permission` where the policy
    /// does not allow it.
    pub(in crate::probe) fn check(&self, address: SocketAddr) -> Result<(), Failure> {
        let ip = address.ip();
        let wrong = |why: String| Err(Class::Usage.because(format_args!("{ip} {why}")));
        if ip.is_unspecified() {
            return wrong("is nobody's address: name a host".to_owned());
        }
        if let Some((egress, audience)) = self.sends {
            if audience == Audience::One && self.is_everybody(ip) {
                return wrong("is not one host: only ping asks everybody, by -b".to_owned());
            }
            if let SocketAddr::V6(v6) = address
                && v6.ip().is_unicast_link_local()
            {
                let through = egress.device();
                let index = through.and_then(link::index);
                match (v6.scope_id(), through) {
                    (0, None) => {
                        return wrong(format!(
                            "is valid on one link only: say on which, as {ip}%eth0 or by -I"
                        ));
                    }
                    (zone @ 1.., Some(name)) if index != Some(zone) => {
                        return wrong(format!("is on another link than -I {name}"));
                    }
                    _ => {}
                }
            }
        }
        self.policy.check(ip).and_then(|()| self.policy.check_port(address.port()))
    }

    fn is_everybody(&self, ip: IpAddr) -> bool {
        let is_broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast() || self.broadcasts.contains(&v4));
        ip.is_multicast() || is_broadcast
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(rules: &Admission<'_>, address: &str) -> Option<(Class, String)> {
        let address: SocketAddr = address.parse().expect(address);
        rules.check(address).err().map(|failure| (failure.class, failure.detail))
    }

    #[test]
    fn what_is_no_hosts_address_is_refused_by_name() {
        let (plain, through) =
            (Egress::default(), Egress { interface: Some("lo".to_owned()), ..Egress::default() });
        let policy = Policy::Operator;
        let rules = |egress, audience| Admission {
            policy: &policy,
            sends: Some((egress, audience)),
            broadcasts: vec![Ipv4Addr::new(10, 0, 0, 255)],
        };
        let watching = Admission { policy: &policy, sends: None, broadcasts: Vec::new() };
        let one = rules(&plain, Audience::One);
        for (address, word) in [
            ("0.0.0.0:0", "nobody's"),
            ("[::]:0", "nobody's"),
            ("224.0.0.1:0", "-b"),
            ("[ff02::1%1]:0", "-b"),
            ("255.255.255.255:0", "-b"),
            ("10.0.0.255:0", "-b"),
            ("[fe80::1]:0", "fe80::1%eth0"),
        ] {
            let (class, said) = refusal(&one, address).expect(address);
            assert!(class == Class::Usage && said.contains(word), "{address}: {said}");
        }
        for address in ["192.0.2.1:0", "[2001:db8::1]:0", "[fe80::1%1]:0", "10.0.1.255:0", "127.0.0.1:0"] {
            assert_eq!(refusal(&one, address), None, "{address}");
        }
        let everybody = rules(&plain, Audience::Everybody);
        for address in ["224.0.0.1:0", "[ff02::1%1]:0", "255.255.255.255:0", "10.0.0.255:0"] {
            assert_eq!(refusal(&everybody, address), None, "{address}");
            assert_eq!(refusal(&watching, address), None, "{address}");
        }
        assert!(refusal(&everybody, "0.0.0.0:0").is_some() && refusal(&watching, "[::]:0").is_some());
        let lo = rules(&through, Audience::One);
        assert_eq!(refusal(&lo, "[fe80::1]:0"), None);
        let index = link::index("lo").expect("loopback");
        assert_eq!(refusal(&lo, &format!("[fe80::1%{index}]:0")), None);
        let (_, said) = refusal(&lo, &format!("[fe80::1%{}]:0", index + 7)).expect("another link");
        assert!(said.contains("-I lo"), "{said}");
    }

    #[test]
    fn others_reach_no_special_address_by_any_probe() {
        let (egress, policy) = (Egress::default(), Policy::Remote);
        for sends in [None, Some((&egress, Audience::One)), Some((&egress, Audience::Everybody))] {
            let rules = Admission { policy: &policy, sends, broadcasts: Vec::new() };
            let (class, _) = refusal(&rules, "127.0.0.1:0").expect("special");
            assert_eq!(class, Class::Permission);
            assert_eq!(refusal(&rules, "8.8.8.8:0"), None);
        }
    }
}
