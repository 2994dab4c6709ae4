//! Ethernet frames as the relay sees them: pure functions on bytes.

use std::ops::Range;

/// What tells one packet of a test from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flow {
    /// The IP protocol number.
    pub(crate) protocol: u8,
    /// The source port; the identifier of an ICMP echo.
    pub(crate) source: u16,
    /// The destination port; the sequence number of an ICMP echo.
    pub(crate) destination: u16,
}

/// What is altered in a frame on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Change {
    /// Flip a bit.
    pub(super) corrupt: bool,
    /// Mark "congestion experienced".
    pub(super) ecn_mark: bool,
    /// Clear the DSCP.
    pub(super) dscp_bleach: bool,
    /// Cut to so many octets.
    pub(super) truncate: Option<usize>,
}

/// Where things are in an IP frame.
struct Layout {
    version: Version,
    protocol: u8,
    /// Where the transport header starts.
    transport: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    V4,
    V6,
}

const IP: usize = 14;
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;

/// "Congestion experienced" (RFC 3168 §5).
const CE: u8 = 0b11;

impl Layout {
    fn of(frame: &[u8]) -> Option<Self> {
        match frame.get(12..IP)? {
            [0x08, 0x00] => Some(Self {
                version: Version::V4,
                protocol: *frame.get(IP + 9)?,
                transport: IP + usize::from(frame.get(IP)? & 0xf) * 4,
            }),
            // Extension headers are not followed: the lab's tools send none.
            [0x86, 0xdd] => {
                Some(Self { version: Version::V6, protocol: *frame.get(IP + 6)?, transport: IP + 40 })
            }
            _ => None,
        }
    }

    /// Where the payload starts: after the transport header, whose ports are its first 4 octets
    /// or, for ICMP, the 4 octets after its checksum.
    fn payload(&self, frame: &[u8]) -> Option<usize> {
        let header = match self.protocol {
            TCP => usize::from(frame.get(self.transport + 12)? >> 4) * 4,
            ICMP | ICMP6 | UDP => 8,
            _ => 0,
        };
        Some(self.transport + header)
    }
}

impl Change {
    /// Alters the frame.
    pub(super) fn apply(self, frame: &mut Vec<u8>) {
        if self.corrupt {
            corrupt(frame);
        }
        if self.ecn_mark {
            change_traffic_class(frame, ecn_mark);
        }
        if self.dscp_bleach {
            change_traffic_class(frame, dscp_bleach);
        }
        if let Some(length) = self.truncate {
            frame.truncate(length);
        }
    }
}

impl Flow {
    /// The flow of an IP frame.
    pub(super) fn of(frame: &[u8]) -> Option<Self> {
        let layout = Layout::of(frame)?;
        let ports = match layout.protocol {
            ICMP | ICMP6 => layout.transport + 4,
            _ => layout.transport,
        };
        let port = |at: usize| Some(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?));
        Some(Self { protocol: layout.protocol, source: port(ports)?, destination: port(ports + 2)? })
    }
}

/// The first octets of the payload, zeroes where there is none.
pub(super) fn payload<const N: usize>(frame: &[u8]) -> [u8; N] {
    let start = Layout::of(frame).and_then(|layout| layout.payload(frame));
    let bytes = start.and_then(|start| frame.get(start..)).unwrap_or_default();
    let mut head = [0; N];
    let length = bytes.len().min(N);
    head[..length].copy_from_slice(&bytes[..length]);
    head
}

/// Whether a frame keeps the link itself going: everything but IP (so ARP), neighbour discovery
/// (ICMPv6 133–137) and multicast listener discovery (130–132 and 143), which the kernel sends
/// when it pleases and which would make the dice of a seed fall differently every time.
pub(super) fn exempt(frame: &[u8]) -> bool {
    let Some(layout) = Layout::of(frame) else {
        return true;
    };
    let icmp6 = match layout.protocol {
        ICMP6 => frame.get(layout.transport),
        // Listener reports carry a router alert in a hop-by-hop header (RFC 3810 §5).
        0 if layout.version == Version::V6 => return true,
        _ => None,
    };
    matches!(icmp6, Some(130..=137 | 143))
}

/// Flips the last bit of the frame, which is payload; no checksum is corrected.
fn corrupt(frame: &mut [u8]) {
    if let Some(last) = frame.last_mut() {
        *last ^= 1;
    }
}

/// The traffic class without its DSCP.
fn dscp_bleach(class: u8) -> u8 {
    class & 0b11
}

/// The traffic class with "congestion experienced", if ECN-capable.
fn ecn_mark(class: u8) -> u8 {
    if class & 0b11 == 0 { class } else { class | CE }
}

fn change_traffic_class(frame: &mut [u8], change: impl Fn(u8) -> u8) {
    let Some(layout) = Layout::of(frame) else {
        return;
    };
    match layout.version {
        Version::V4 => {
            frame[IP + 1] = change(frame[IP + 1]);
            checksum4(frame, IP..layout.transport);
        }
        Version::V6 => {
            let class = change(frame[IP] << 4 | frame[IP + 1] >> 4);
            frame[IP] = frame[IP] & 0xf0 | class >> 4;
            frame[IP + 1] = frame[IP + 1] & 0x0f | class << 4;
        }
    }
}

/// Recomputes the checksum of an IPv4 header (RFC 791 §3.1).
fn checksum4(frame: &mut [u8], header: Range<usize>) {
    let Some(header) = frame.get_mut(header) else {
        return;
    };
    header[10..12].fill(0);
    let words = header.chunks_exact(2).map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum = words.sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = ((folded & 0xffff) + (folded >> 16)) as u16;
    header[10..12].copy_from_slice(&(!folded).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Captured on `up0` of a lab's client: an echo request with TOS 0x2a (DSCP 10, ECT(0)),
    /// identifier 0x1234, sequence 1, payload `abcdefgh`.
    const ECHO4: &[u8] = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0\
        \x45\x2a\x00\x24\x00\x01\x40\x00\x40\x01\x25\x1b\x0a\xc8\0\x01\x0a\xc8\0\x02\
        \x08\0\x4d\xf5\x12\x34\0\x01abcdefgh";

    fn ip6(next_header: u8, transport: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; IP + 40];
        frame[12..IP].copy_from_slice(&[0x86, 0xdd]);
        frame[IP..IP + 2].copy_from_slice(&[0x62, 0xa0]);
        frame[IP + 6] = next_header;
        frame.extend_from_slice(transport);
        frame
    }

    fn header_sum(frame: &[u8]) -> u32 {
        let words = frame[IP..IP + 20].chunks_exact(2);
        let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
        (sum & 0xffff) + (sum >> 16)
    }

    #[test]
    fn an_echo_is_known_by_identifier_and_sequence() {
        let flow = Flow { protocol: ICMP, source: 0x1234, destination: 1 };
        assert_eq!(Flow::of(ECHO4), Some(flow));
        assert_eq!(payload::<10>(ECHO4), *b"abcdefgh\0\0");
    }

    #[test]
    fn tcp_options_are_not_payload() {
        let mut segment = vec![0; 24];
        segment[..4].copy_from_slice(&[0x1f, 0x90, 0, 80]);
        segment[12] = 6 << 4;
        segment.extend_from_slice(b"GET");
        let frame = ip6(TCP, &segment);
        assert_eq!(payload::<3>(&frame), *b"GET");
        let flow = Flow { protocol: TCP, source: 8080, destination: 80 };
        assert_eq!(Flow::of(&frame), Some(flow));
    }

    #[test]
    fn only_what_keeps_the_link_going_is_exempt() {
        let arp = b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01\x08\x06\0\x01";
        for (frame, expected) in [
            (arp.to_vec(), true),
            (ip6(ICMP6, &[135, 0, 0, 0]), true),
            (ip6(0, &[ICMP6, 0, 5, 2]), true),
            (ip6(ICMP6, &[128, 0, 0, 0]), false),
            (ip6(ICMP6, &[3, 0, 0, 0]), false),
            (ip6(UDP, &[0; 8]), false),
            (ECHO4.to_vec(), false),
        ] {
            assert_eq!(exempt(&frame), expected, "{frame:02x?}");
        }
    }

    fn changed(change: Change, frame: &[u8]) -> Vec<u8> {
        let mut frame = frame.to_vec();
        change.apply(&mut frame);
        frame
    }

    #[test]
    fn bleaching_clears_the_dscp_and_keeps_ecn_and_checksum() {
        let bleach = Change { dscp_bleach: true, ..Change::default() };
        let frame = changed(bleach, ECHO4);
        assert_eq!(frame[IP + 1], 0x02);
        assert_eq!(header_sum(&frame), 0xffff);
        let frame = changed(bleach, &ip6(UDP, &[0; 8]));
        assert_eq!(frame[IP..IP + 2], [0x60, 0x20]);
    }

    #[test]
    fn only_ecn_capable_packets_are_marked() {
        let mark = Change { ecn_mark: true, ..Change::default() };
        let mut frame = changed(mark, ECHO4);
        assert_eq!(frame[IP + 1], 0x2b);
        assert_eq!(header_sum(&frame), 0xffff);
        frame[IP + 1] = 0x28;
        assert_eq!(changed(mark, &frame)[IP + 1], 0x28);
    }

    #[test]
    fn corruption_hits_one_payload_bit_and_truncation_the_end() {
        let change = Change { corrupt: true, ..Change::default() };
        assert_eq!(payload::<8>(&changed(change, ECHO4)), *b"abcdefgi");
        let change = Change { truncate: Some(45), ..Change::default() };
        assert_eq!(payload::<8>(&changed(change, ECHO4)), *b"abc\0\0\0\0\0");
    }
}
