//! Which hosts are scanned: names, addresses, `10.0.0.0/24`, `10.0.0.1-20`, several of them between commas.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What one word of the target names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hosts {
    /// A name or a single address, still to be resolved.
    One(String),
    /// These addresses.
    Many(Vec<IpAddr>),
}

/// The most hosts of one run.
pub(super) const MOST_HOSTS: usize = 1 << 12;

/// The words of `text`.
///
/// # Errors
/// What is wrong with one of them.
pub(super) fn parse(text: &str) -> Result<Vec<Hosts>, String> {
    let words: Vec<&str> = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()).collect();
    if words.len() > MOST_HOSTS {
        return Err(too_many());
    }
    let hosts: Vec<Hosts> = words.into_iter().map(word).collect::<Result<_, _>>()?;
    let count: usize = hosts.iter().map(Hosts::count).sum();
    if count > MOST_HOSTS { Err(too_many()) } else { Ok(hosts) }
}

impl Hosts {
    /// How many hosts they are.
    pub(super) const fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(addresses) => addresses.len(),
        }
    }
}

fn too_many() -> String {
    format!("names more than {MOST_HOSTS} hosts: split it into several runs")
}

fn word(word: &str) -> Result<Hosts, String> {
    if let Some((address, length)) = word.split_once('/') {
        let network = address.parse::<IpAddr>().ok().zip(length.parse::<u32>().ok());
        let (address, length) = network.ok_or_else(|| {
            format!("`{word}` is neither a host nor a network such as 192.0.2.0/28 or 2001:db8::/120")
        })?;
        return network_of(word, address, length);
    }
    if let Some((first, last)) = word.rsplit_once('-')
        && let (Ok(first), Ok(last)) = (first.parse::<Ipv4Addr>(), last.parse::<u8>())
    {
        let [a, b, c, from] = first.octets();
        if from > last {
            return Err(format!(
                "`{word}` is a range from its end to its beginning: write {a}.{b}.{c}.{last}-{from}"
            ));
        }
        return Ok(Hosts::Many((from..=last).map(|d| Ipv4Addr::new(a, b, c, d).into()).collect()));
    }
    Ok(Hosts::One(word.to_owned()))
}

/// The addresses of a network that hosts can have: without those of the network and of all of its hosts.
fn network_of(word: &str, address: IpAddr, length: u32) -> Result<Hosts, String> {
    let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
    let free = u32::checked_sub(bits, length);
    let free = free.ok_or_else(|| format!("`{word}`: a prefix of this family has 0 to {bits} bits"))?;
    if free > MOST_HOSTS.ilog2() {
        return Err(format!("`{word}` {}", too_many()));
    }
    let count = 1u128 << free;
    let of = |n: u128| -> IpAddr {
        match address {
            IpAddr::V4(address) => {
                Ipv4Addr::from_bits((u128::from(address.to_bits()) & !(count - 1) | n) as u32).into()
            }
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !(count - 1) | n).into(),
        }
    };
    let ends = u128::from(address.is_ipv4() && free > 1);
    Ok(Hosts::Many((ends..count - ends).map(of).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn addresses(text: &str) -> Vec<String> {
        let hosts = parse(text).expect(text);
        let one = |hosts: Hosts| match hosts {
            Hosts::One(name) => vec![name],
            Hosts::Many(addresses) => addresses.iter().map(ToString::to_string).collect(),
        };
        hosts.into_iter().flat_map(one).collect()
    }

    #[test]
    fn words_are_hosts() {
        for (text, expected) in [
            ("host.example", vec!["host.example"]),
            ("a-1.example,192.0.2.1", vec!["a-1.example", "192.0.2.1"]),
            ("192.0.2.9/30", vec!["192.0.2.9", "192.0.2.10"]),
            ("192.0.2.9/31", vec!["192.0.2.8", "192.0.2.9"]),
            ("192.0.2.9/32", vec!["192.0.2.9"]),
            ("2001:db8::/127", vec!["2001:db8::", "2001:db8::1"]),
            ("192.0.2.1-3", vec!["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
            ("fe80::1%eth0", vec!["fe80::1%eth0"]),
        ] {
            assert_eq!(addresses(text), expected, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for text in [
            "192.0.2.0/33",
            "host/24",
            "0.0.0.0/0",
            "2001:db8::/64",
            "192.0.2.9-2",
            "10.0.0.0/20,10.1.0.0/20",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-0-9a-f.:/,% ]{0,40}") {
            let _ = parse(&text);
        }
    }
}
