//! A router that answers as a test wants: what would die at it is taken from its kernel, and shown to the test.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::lab::{Hook, Node};

/// Protocols of frames (IEEE 802 numbers).
const ETHERNET: [u16; 2] = [0x0800, 0x86dd];

/// An IP packet whose TTL ends here.
pub(super) struct Probe<'a> {
    /// The packet, its header included.
    pub(super) packet: &'a [u8],
    pub(super) from: IpAddr,
    pub(super) v6: bool,
}

/// Runs `body` while `node` answers each packet whose TTL ends there with the ICMP messages that `answer` makes; their
/// checksums are set, unless one is there that is not 0.
pub(super) fn answering<T>(
    node: &Node,
    v6: bool,
    answer: impl Fn(&Probe<'_>) -> Vec<Vec<u8>> + Sync,
    body: impl FnOnce() -> T,
) -> T {
    let dying = if v6 { "iifname dn0 ip6 hoplimit 1" } else { "iifname dn0 ip ttl 1" };
    let _quiet = node.rule(Hook::Prerouting, dying, "drop");
    let [mut taps, out] = node.run(|| {
        let protocol = Protocol::from(i32::from(ETHERNET[usize::from(v6)].to_be()));
        let tap = Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol)).expect("a packet socket");
        tap.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let (domain, icmp) =
            if v6 { (Domain::IPV6, Protocol::ICMPV6) } else { (Domain::IPV4, Protocol::ICMPV4) };
        [tap, Socket::new(domain, Type::RAW, Some(icmp)).expect("a raw socket")]
    });
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut octets = [0; 2048];
            while !over.load(Ordering::Relaxed) {
                let Ok(length) = taps.read(&mut octets) else { continue };
                let Some(probe) = dying_here(&octets[..length], v6) else { continue };
                for mut message in answer(&probe) {
                    if !v6 && message.get(2..4) == Some(&[0, 0]) {
                        let sum = checksum(&message);
                        message[2..4].copy_from_slice(&sum.to_be_bytes());
                    }
                    let _ = out.send_to(&message, &SocketAddr::new(probe.from, 0).into());
                }
            }
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        over.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn dying_here(packet: &[u8], v6: bool) -> Option<Probe<'_>> {
    let from: IpAddr = match v6 {
        true => Ipv6Addr::from(*packet.get(8..24)?.first_chunk::<16>()?).into(),
        false => Ipv4Addr::from(*packet.get(12..16)?.first_chunk::<4>()?).into(),
    };
    let ttl = packet[if v6 { 7 } else { 8 }];
    // Multicast of the link's own has a hop limit of 1, too.
    let is_unicast = !v6 || *packet.get(24)? != 0xff;
    (ttl == 1 && is_unicast).then_some(Probe { packet, from, v6 })
}

/// Time exceeded, quoting so many octets of the packet, with `extensions` behind a quote of at least 128 octets; `told`
/// is whether the message says how long its quote is (RFC 4884 §4).
pub(super) fn exceeded(probe: &Probe<'_>, most: usize, extensions: &[u8], told: bool) -> Vec<u8> {
    let mut quote = probe.packet[..probe.packet.len().min(most)].to_vec();
    let mut message = vec![if probe.v6 { 3 } else { 11 }, 0, 0, 0, 0, 0, 0, 0];
    if !extensions.is_empty() {
        quote.resize(128, 0);
        let (at, unit) = if probe.v6 { (4, 8) } else { (5, 4) };
        message[at] = if told { 128 / unit } else { 0 };
    }
    message.extend(quote);
    message.extend(extensions);
    message
}

/// Extensions with a checksum that is right: the header, then `objects`.
pub(super) fn extensions(objects: &[u8]) -> Vec<u8> {
    let mut all = [&[0x20, 0, 0, 0], objects].concat();
    let sum = checksum(&all);
    all[2..4].copy_from_slice(&sum.to_be_bytes());
    all
}

/// RFC 1071.
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
