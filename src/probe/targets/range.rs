//! What a target's word stands for: one host, or the addresses of a network or of a range.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses from the first to the last, of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) struct Range {
    first: u128,
    last: u128,
    /// How many addresses of the network lie before the first, and behind the last: they are no host's.
    beside: (u8, u8),
    is_ipv6: bool,
}

impl Range {
    /// From `first` to `last`; `None` unless they are of one family and in order. Mapped addresses are IPv4.
    pub(in crate::probe) fn between(first: IpAddr, last: IpAddr) -> Option<Self> {
        let (first, last) = (first.to_canonical(), last.to_canonical());
        let (from, to) = (bits(first), bits(last));
        let range = Self { first: from, last: to, beside: (0, 0), is_ipv6: first.is_ipv6() };
        (first.is_ipv6() == last.is_ipv6() && from <= to).then_some(range)
    }

    /// What `text` means if it is a network (`10.0.0.0/24`: its hosts, so neither its own address nor that of all) or a
    /// range (`10.0.0.1-10.0.0.9`, `10.0.0.1-9`); `None` of a name or an address.
    ///
    /// # Errors
    /// What is wrong with it where it can be nothing else.
    pub(in crate::probe) fn parse(text: &str) -> Result<Option<Self>, String> {
        if let Some((network, length)) = text.split_once('/') {
            let neither =
                || format!("`{text}` is neither a host nor a network such as 192.0.2.0/28 or 2001:db8::/120");
            let network: IpAddr = network.parse().map_err(|_| neither())?;
            let length: u8 = length.parse().map_err(|_| neither())?;
            let width = width(network);
            let too_long = || format!("`{text}`: a prefix of this family has 0 to {width} bits");
            return Self::network(network, length).ok_or_else(too_long).map(Some);
        }
        let Some((first, last)) = text.split_once('-') else { return Ok(None) };
        let (Ok(first), last) = (first.trim().parse::<IpAddr>(), last.trim()) else { return Ok(None) };
        let first = first.to_canonical();
        if last.bytes().any(|octet| !octet.is_ascii_hexdigit() && !b".:".contains(&octet)) {
            // As names of hosts may begin.
            return Ok(None);
        }
        let end = match (first, last.parse::<u8>()) {
            (IpAddr::V4(first), Ok(octet)) => {
                let [a, b, c, _] = first.octets();
                Some(Ipv4Addr::new(a, b, c, octet).into())
            }
            _ => last.parse().ok(),
        };
        let range = end.and_then(|end| Self::between(first, end));
        range.map(Some).ok_or_else(|| {
            format!(
                "`{text}` is no range: write the lower address first, as 192.0.2.1-9 or 192.0.2.1-192.0.2.9"
            )
        })
    }

    fn network(address: IpAddr, length: u8) -> Option<Self> {
        // A part of ::ffff:0:0/96 is a network of IPv4.
        let (address, length) = match (address.to_canonical(), length.checked_sub(MAPPED)) {
            (mapped, Some(rest)) if mapped != address => (mapped, rest),
            _ => (address, length),
        };
        let free = width(address).checked_sub(length.into())?;
        let hosts = if free == 128 { u128::MAX } else { (1 << free) - 1 };
        let (first, last) = (bits(address) & !hosts, bits(address) | hosts);
        // IPv4 networks of one or two addresses have no others (RFC 3021); in IPv6 the first is the routers' (RFC 4291 §2.6.1).
        let beside = match free {
            0 | 1 => (0, 0),
            _ if address.is_ipv4() => (1, 1),
            _ => (1, 0),
        };
        let (first, last) = (first + u128::from(beside.0), last - u128::from(beside.1));
        Some(Self { first, last, beside, is_ipv6: address.is_ipv6() })
    }

    /// How many addresses it has.
    pub(in crate::probe) fn count(&self) -> u64 {
        u64::try_from((self.last - self.first).saturating_add(1)).unwrap_or(u64::MAX)
    }

    /// Each of them.
    pub(in crate::probe) fn addresses(self) -> impl Iterator<Item = IpAddr> {
        (self.first..=self.last).map(move |bits| match self.is_ipv6 {
            true => Ipv6Addr::from_bits(bits).into(),
            false => Ipv4Addr::from_bits(bits as u32).into(),
        })
    }

    /// Whether `address` is one of them, or one of the network's that is no host's there.
    pub(in crate::probe) fn covers(&self, address: IpAddr) -> bool {
        let (first, last) = (self.first - u128::from(self.beside.0), self.last + u128::from(self.beside.1));
        address.is_ipv6() == self.is_ipv6 && (first..=last).contains(&bits(address))
    }

    /// Whether `address` is one of them.
    pub(in crate::probe) fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv6() == self.is_ipv6 && (self.first..=self.last).contains(&bits(address))
    }
}

/// Bits before an IPv4 address that is mapped into IPv6 (RFC 4291 §2.5.5.2).
const MAPPED: u8 = 96;

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Bits of an address.
const fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_ranges_are_those_of_fping() {
        for (text, first, last, count) in [
            ("10.0.0.0/24", "10.0.0.1", "10.0.0.254", 254),
            ("10.0.0.77/30", "10.0.0.77", "10.0.0.78", 2),
            ("10.0.0.4/31", "10.0.0.4", "10.0.0.5", 2),
            ("10.0.0.4/32", "10.0.0.4", "10.0.0.4", 1),
            ("127.2.0.0/16", "127.2.0.1", "127.2.255.254", 65_534),
            ("10.0.0.250-10.0.1.3", "10.0.0.250", "10.0.1.3", 10),
            ("10.0.0.1-9", "10.0.0.1", "10.0.0.9", 9),
            ("fd00::/120", "fd00::1", "fd00::ff", 255),
            ("fd00::1-fd00::10", "fd00::1", "fd00::10", 16),
            ("::ffff:10.0.0.4/126", "10.0.0.5", "10.0.0.6", 2),
            ("::ffff:10.0.0.4/128", "10.0.0.4", "10.0.0.4", 1),
            ("::ffff:10.0.0.1-10.0.0.3", "10.0.0.1", "10.0.0.3", 3),
            ("::ffff:10.0.0.1-3", "10.0.0.1", "10.0.0.3", 3),
        ] {
            let range = Range::parse(text).expect(text).expect(text);
            let addresses: Vec<IpAddr> = range.addresses().collect();
            assert_eq!(addresses.len() as u64, count, "{text}");
            let ends = [addresses.first(), addresses.last()].map(|end| end.expect("an end").to_string());
            assert_eq!((ends, range.count()), ([first.to_owned(), last.to_owned()], count), "{text}");
            assert!(addresses.iter().all(|address| range.contains(*address)), "{text}");
        }
        let count = |text| Range::parse(text).map(|range| range.map(|range| range.count()));
        assert_eq!(count("0.0.0.0/0"), Ok(Some((1 << 32) - 2)));
        assert_eq!(count("::/0"), Ok(Some(u64::MAX)));
        let range = Range::parse("10.0.0.4/30").expect("a network").expect("more than a host");
        assert!(!range.contains([10, 0, 0, 7].into()) && !range.contains("::a00:5".parse().expect("IPv6")));
    }

    #[test]
    fn what_is_neither_is_a_host() {
        for text in ["host-1.example", "10.0.0.1", "-", "fe80::1%eth-0", "10.0.0.1-2.isp.example"] {
            assert_eq!(Range::parse(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn what_can_be_nothing_else_is_refused() {
        for (text, why) in [
            ("10.0.0.9-10.0.0.1", "lower address first"),
            ("10.0.0.9-2", "lower address first"),
            ("10.0.0.1-::1", "no range"),
            ("10.0.0.1-", "no range"),
            ("10.0.0.0/33", "0 to 32 bits"),
            ("fd00::/129", "0 to 128 bits"),
            ("host/24", "neither"),
            ("a/b", "neither"),
            ("/", "neither"),
        ] {
            let refused = Range::parse(text).expect_err(text);
            assert!(refused.contains(why) && refused.contains(text), "{refused}");
        }
    }
}
