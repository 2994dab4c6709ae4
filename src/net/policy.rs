//! Which addresses a probe may reach, decided once, after resolution (design §7, security.md 3.4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::failure::{Class, Failure};

/// Who asked, and so what may be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The operator's own command line or file: not restricted.
    #[default]
    Operator,
    /// Somebody else (the API, a job): special-purpose addresses are denied.
    Remote,
}

impl Policy {
    /// Lets `address` through, or says why not.
    ///
    /// # Errors
    /// Class `permission`.
    pub fn check(&self, address: IpAddr) -> Result<(), Failure> {
        match self {
            Self::Remote if is_special(address) => {
                Err(Class::Permission.because(format_args!("{address}: the target policy does not allow it")))
            }
            _ => Ok(()),
        }
    }
}

impl Policy {
    /// Lets `flag` be used, or says why not: what reads or changes something of this host is for its own users.
    ///
    /// # Errors
    /// Class `permission`.
    pub fn check_flag(&self, flag: &str) -> Result<(), Failure> {
        match self {
            Self::Remote => {
                Err(Class::Permission.because(format_args!("{flag} is for this host's own users")))
            }
            Self::Operator => Ok(()),
        }
    }

    /// Lets `port` of any host through, or says why not; 0 where none is spoken to.
    ///
    /// # Errors
    /// Class `permission`.
    pub fn check_port(&self, port: u16) -> Result<(), Failure> {
        match self {
            Self::Remote if (1..1024).contains(&port) && !OPEN_PORTS.contains(&port) => {
                Err(Class::Permission
                    .because(format_args!("port {port}: the target policy does not allow it")))
            }
            _ => Ok(()),
        }
    }
}

/// Ports below 1024 that others may have asked.
const OPEN_PORTS: [u16; 5] = [22, 53, 80, 443, 853];

const SPECIAL4: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

const SPECIAL6: [(Ipv6Addr, u32); 9] = [
    (Ipv6Addr::UNSPECIFIED, 96),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// Whether `address` is private, local, reserved or multicast, also behind a mapping or a translation prefix.
fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            SPECIAL4.iter().any(|&(net, bits)| (v4.to_bits() ^ net.to_bits()) >> (32 - bits) == 0)
        }
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_special(v4.into()),
            None => SPECIAL6.iter().any(|&(net, bits)| (v6.to_bits() ^ net.to_bits()) >> (128 - bits) == 0),
        },
    }
}

/// The IPv4 address inside an IPv4-mapped (RFC 4291), NAT64 (RFC 6052) or 6to4 (RFC 3056) address.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let low = Ipv4Addr::from_bits(address.to_bits() as u32);
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(low),
        [0x2002, high, low, ..] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_reach_few_ports_of_the_system() {
        for (port, allowed) in
            [(0, true), (1, false), (22, true), (25, false), (853, true), (1023, false), (1024, true)]
        {
            assert_eq!(Policy::Remote.check_port(port).is_ok(), allowed, "{port}");
            assert!(Policy::Operator.check_port(port).is_ok());
        }
    }

    #[test]
    fn special_addresses_are_denied_to_others_in_every_disguise() {
        for (text, special) in [
            ("127.0.0.1", true),
            ("10.255.255.255", true),
            ("11.0.0.1", false),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("169.254.169.254", true),
            ("172.32.0.1", false),
            ("255.255.255.255", true),
            ("8.8.8.8", false),
            ("::1", true),
            ("::", true),
            ("::ffff:10.0.0.1", true),
            ("::ffff:8.8.8.8", false),
            ("64:ff9b::a00:1", true),
            ("64:ff9b::808:808", false),
            ("2002:a00:1::", true),
            ("2002:808:808::", false),
            ("fe80::1", true),
            ("fd00::1", true),
            ("2606:4700::1111", false),
        ] {
            let address: IpAddr = text.parse().expect(text);
            assert_eq!(Policy::Remote.check(address).is_err(), special, "{text}");
            assert!(Policy::Operator.check(address).is_ok());
        }
    }
}
