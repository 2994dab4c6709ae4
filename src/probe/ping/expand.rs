//! What a target's text stands for: a host, a network or a range of addresses, or a list of them in a file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Generated addresses that are measured without being asked twice.
pub(super) const UNASKED: u64 = 4096;
/// Targets of one run.
pub(super) const MOST_TARGETS: u64 = 1 << 20;

/// Addresses from the first to the last, of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    first: u128,
    last: u128,
    is_ipv6: bool,
}

impl Range {
    /// From `first` to `last`; `None` unless they are of one family and in order.
    pub(super) fn between(first: IpAddr, last: IpAddr) -> Option<Self> {
        let (from, to) = (bits(first), bits(last));
        let range = Self { first: from, last: to, is_ipv6: first.is_ipv6() };
        (first.is_ipv6() == last.is_ipv6() && from <= to).then_some(range)
    }

    /// What `text` means if it is a network (`10.0.0.0/24`: its hosts, so neither its own address nor that of all) or a
    /// range (`10.0.0.1-10.0.0.9`, `10.0.0.1-9`).
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((network, length)) = text.split_once('/') {
            return Self::network(network.parse().ok()?, length.parse().ok()?);
        }
        let (first, last) = text.split_once('-')?;
        let first: IpAddr = first.trim().parse().ok()?;
        let last = last.trim();
        let last = match (first, last.parse::<u8>()) {
            (IpAddr::V4(first), Ok(octet)) => {
                let [a, b, c, _] = first.octets();
                Ipv4Addr::new(a, b, c, octet).into()
            }
            _ => last.parse().ok()?,
        };
        Self::between(first, last)
    }

    fn network(address: IpAddr, length: u8) -> Option<Self> {
        let width: u32 = if address.is_ipv4() { 32 } else { 128 };
        let free = width.checked_sub(length.into())?;
        let hosts = if free == 128 { u128::MAX } else { (1 << free) - 1 };
        let (first, last) = (bits(address) & !hosts, bits(address) | hosts);
        // IPv4 networks of one or two addresses have no others (RFC 3021); in IPv6 the first is the routers' (RFC 4291 §2.6.1).
        let (first, last) = match free {
            0 | 1 => (first, last),
            _ if address.is_ipv4() => (first + 1, last - 1),
            _ => (first + 1, last),
        };
        Some(Self { first, last, is_ipv6: address.is_ipv6() })
    }

    /// How many addresses it has.
    pub(super) fn count(&self) -> u64 {
        u64::try_from((self.last - self.first).saturating_add(1)).unwrap_or(u64::MAX)
    }

    /// Each of them.
    pub(super) fn addresses(self) -> impl Iterator<Item = IpAddr> {
        (self.first..=self.last).map(move |bits| match self.is_ipv6 {
            true => Ipv6Addr::from_bits(bits).into(),
            false => Ipv4Addr::from_bits(bits as u32).into(),
        })
    }
}

/// Whether a target's text means more than one host.
pub(super) fn is_many(text: &str) -> bool {
    Range::parse(text).is_some_and(|range| range.count() > 1)
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// What fuzzing and the properties do with any text: read it as a list, each line as a range, and look at its ends.
pub(super) fn fuzz(text: &str) {
    for range in crate::probe::list::listed(text).take(64).filter_map(Range::parse) {
        assert!(range.count() > 0 && range.first <= range.last);
        let first = range.addresses().next().expect("a range has a first address");
        assert_eq!(first.is_ipv6(), range.is_ipv6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        ] {
            let range = Range::parse(text).expect(text);
            let addresses: Vec<IpAddr> = range.addresses().collect();
            assert_eq!(addresses.len() as u64, count, "{text}");
            let ends = [addresses.first(), addresses.last()].map(|end| end.expect("an end").to_string());
            assert_eq!((ends, range.count()), ([first.to_owned(), last.to_owned()], count), "{text}");
        }
        assert_eq!(Range::parse("0.0.0.0/0").expect("all").count(), (1 << 32) - 2);
        assert_eq!(Range::parse("::/0").expect("all").count(), u64::MAX);
    }

    #[test]
    fn what_is_neither_is_a_host() {
        for text in [
            "host-1.example",
            "10.0.0.1",
            "10.0.0.9-10.0.0.1",
            "10.0.0.0/33",
            "a/b",
            "10.0.0.1-::1",
            "-",
            "/",
        ] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_has_comments_and_more_words_than_targets() {
        let text = "a.example  # the first\n\n# nobody\n  b.example 192.0.2.1\r\n";
        assert_eq!(crate::probe::list::listed(text).collect::<Vec<_>>(), ["a.example", "b.example"]);
    }

    proptest! {
        #[test]
        fn no_list_panics(text in "([0-9a-f:./% -]{0,40}\n){0,8}") {
            fuzz(&text);
        }
    }
}
