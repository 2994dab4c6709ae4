//! The words of an expression: keywords, and what names and numbers stand for.

use std::net::Ipv6Addr;

use super::tree::Block;

/// The protocol numbers of ICMP over IPv4 and IPv6.
pub(super) const ICMP: u8 = 1;
pub(super) const ICMP6: u8 = 58;

/// Names of ports that a person writes; a machine's own list may have more, and numbers always do.
const SERVICES: [(&str, u16); 26] = [
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("sunrpc", 111),
    ("ntp", 123),
    ("imap", 143),
    ("imap2", 143),
    ("snmp", 161),
    ("bgp", 179),
    ("ldap", 389),
    ("https", 443),
    ("submission", 587),
    ("syslog", 514),
    ("ldaps", 636),
    ("imaps", 993),
    ("pop3s", 995),
    ("mysql", 3306),
    ("postgresql", 5432),
];

/// The words that are no names. The last two are known only to be refused.
pub const KEYWORDS: [&str; 22] = [
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "vlan",
    "less",
    "greater",
    "src",
    "dst",
    "host",
    "net",
    "port",
    "portrange",
    "proto",
    "mask",
    "ether",
    "gateway",
];

pub(super) fn number_of(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.bytes().all(|digit| digit.is_ascii_digit()).then(|| word.parse().ok())?,
    }
}

pub(super) fn port_of(word: &str) -> Option<u16> {
    let word = word.strip_prefix('\\').unwrap_or(word);
    let service = SERVICES.iter().find(|(name, _)| *name == word).map(|&(_, port)| port);
    service.or_else(|| number_of(word).and_then(|number| number.try_into().ok()))
}

pub(super) fn protocol_of(word: &str) -> Option<u8> {
    Some(match word.strip_prefix('\\').unwrap_or(word) {
        "icmp" => ICMP,
        "igmp" => 2,
        "tcp" => 6,
        "udp" => 17,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "icmp6" => ICMP6,
        "ospf" => 89,
        "vrrp" => 112,
        "sctp" => 132,
        number => number_of(number)?.try_into().ok()?,
    })
}

/// `10.0.0.0/8`, `10`, `192.168`, `fe80::/10`.
pub(super) fn net_of(word: &str, mask: Option<u32>) -> Result<Block, &'static str> {
    const OUTSIDE: &str = "the address has bits outside of its network";
    let (address, length) = match word.split_once('/') {
        Some((address, length)) => {
            (address, Some(number_of(length).ok_or("the length of a network is a number")?))
        }
        None => (word, None),
    };
    if let Ok(address) = address.parse::<Ipv6Addr>() {
        let length = length.unwrap_or(128);
        if length > 128 || mask.is_some() {
            return Err("an IPv6 network has a length of 0 to 128");
        }
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        let address = u128::from(address);
        return if address & !mask == 0 { Ok(Block::V6 { address, mask }) } else { Err(OUTSIDE) };
    }
    let mut octets = [0u8; 4];
    let mut count = 0;
    for part in address.split('.') {
        let octet = number_of(part).and_then(|octet| u8::try_from(octet).ok());
        let place =
            octets.get_mut(count).zip(octet).ok_or("no network (10.0.0.0/8, 192.168 or fe80::/10)")?;
        *place.0 = place.1;
        count += 1;
    }
    let length = length.unwrap_or(8 * count as u32);
    if length > 32 {
        return Err("an IPv4 network has a length of 0 to 32");
    }
    let mask = mask.unwrap_or_else(|| u32::MAX.checked_shl(32 - length).unwrap_or(0));
    let address = u32::from_be_bytes(octets);
    if address & !mask == 0 { Ok(Block::V4 { address, mask }) } else { Err(OUTSIDE) }
}

/// Whether it can be a host's name: what begins with a letter, or is no number.
pub(super) fn is_name(word: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    word.chars().all(allowed) && word.contains(|c: char| c.is_ascii_alphabetic()) && word.len() < 254
}
