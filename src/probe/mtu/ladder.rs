//! Sizes that links really have, and what a size says of what lies on the way.

/// Sizes that a path is likely to have, octets of IP packet: plain links, and what tunnels leave of 1500; below 1280 the
/// plateaus of RFC 1191 §7.1.
pub(super) const LADDER: [u16; 24] = [
    296, 508, 576, 1006, 1280, 1360, 1380, 1400, 1420, 1428, 1440, 1450, 1452, 1454, 1460, 1472, 1476, 1480,
    1492, 1500, 2000, 4352, 8000, 9000,
];

/// Plateaus for routers that do not say the MTU of the next hop (RFC 1191 §7.1).
const PLATEAUS: [u16; 10] = [32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68];

/// What is on the way where a path has just this MTU.
const OVERHEADS: [(u16, &str); 15] = [
    (1492, "PPPoE"),
    (1480, "IPIP or 6in4 tunnel"),
    (1476, "GRE tunnel"),
    (1460, "L2TP tunnel"),
    (1454, "PPPoE over L2TP"),
    (1452, "PPPoE with a 40-octet tunnel, or GRE over IPv6"),
    (1450, "VXLAN"),
    (1440, "WireGuard over IPv4"),
    (1428, "PPPoE with WireGuard, or IPsec"),
    (1420, "WireGuard"),
    (1412, "PPPoE with WireGuard"),
    (1400, "IPsec or a mobile network"),
    (1380, "WireGuard or IPsec inside another tunnel"),
    (1360, "IPsec, a cloud VPN"),
    (1280, "a tunnel set to IPv6's minimum"),
];

/// The size that should always pass: BASE_PLPMTU (RFC 8899 §5.1.2), for IPv6 its minimum MTU (RFC 8200 §5).
pub(super) const fn base(v6: bool) -> u16 {
    if v6 { 1280 } else { 1200 }
}

/// The least MTU of a link that hosts may rely on: RFC 791 for what they must take, RFC 8200 §5.
pub(crate) const fn ordinary(v6: bool) -> u16 {
    if v6 { 1280 } else { 576 }
}

/// The largest plateau below `size`, for a router that says "too big" and not how big.
pub(super) fn plateau(size: u16) -> u16 {
    PLATEAUS.into_iter().find(|&plateau| plateau < size).unwrap_or(68)
}

/// What probably takes the octets that are missing from `of` (1500 where it is larger); `None` where nothing is missing
/// or nothing is known to leave just this much.
pub(crate) fn overhead(pmtu: u16, of: u16) -> Option<&'static str> {
    let known = OVERHEADS.iter().find(|(mtu, _)| *mtu == pmtu);
    known.filter(|_| pmtu < of).map(|(_, what)| *what)
}

/// The TCP maximum segment size that goes with an MTU: without the headers of IP and TCP (RFC 6691 §2).
pub(crate) fn mss(pmtu: u16, v6: bool) -> u16 {
    pmtu.saturating_sub(if v6 { 60 } else { 40 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plateau_lies_below() {
        assert_eq!([1500, 1492, 1006, 508, 69, 68].map(plateau), [1492, 1006, 508, 296, 68, 68]);
    }

    #[test]
    fn octets_that_are_missing_have_a_name() {
        assert_eq!(overhead(1492, 1500), Some("PPPoE"));
        assert_eq!((overhead(1500, 1500), overhead(1492, 1492), overhead(1234, 1500)), (None, None, None));
    }

    #[test]
    fn a_segment_leaves_room_for_its_headers() {
        assert_eq!((mss(1500, false), mss(1400, false), mss(1500, true)), (1460, 1360, 1440));
    }
}
