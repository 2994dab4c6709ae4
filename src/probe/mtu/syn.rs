//! A TCP SYN that carries data (RFC 9293 §3.4 allows it): a host answers it with SYN-ACK or RST, whatever its size.

use std::net::{IpAddr, SocketAddr};

use crate::wire::tcp::{self, Segment};

/// Octets of the header of a SYN.
pub(super) const HEADER: usize = tcp::SYN;

/// What sends SYNs to one port.
pub(super) struct Syn {
    local: SocketAddr,
    target: SocketAddr,
    /// Where our sequence numbers begin; a probe's is this and 128 Ki times its number, of which there are never 32,768.
    first: u32,
}

impl Syn {
    /// SYNs from `local`, whose port nobody else uses, to `target`; `first` is a random number.
    pub(super) fn new(local: SocketAddr, target: SocketAddr, first: u32) -> Self {
        Self { local, target, first }
    }

    /// A probe's sequence number: far enough from the next one's that no acknowledgement fits both.
    fn seq(&self, number: u32) -> u32 {
        self.first.wrapping_add(number << 17)
    }

    fn number(&self, seq: u32) -> u32 {
        seq.wrapping_sub(self.first) >> 17
    }

    /// Writes the SYN of probe `number` with `payload` octets of data. IPv6's checksum is the system's.
    pub(super) fn write(&self, number: u32, payload: usize, out: &mut Vec<u8>) {
        out.resize(HEADER + payload, 0);
        let ends = match (self.local.ip(), self.target.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => Some((from, to)),
            _ => None,
        };
        tcp::write_syn(out, self.local.port(), self.target.port(), self.seq(number), ends);
    }

    /// The number of the probe that a segment answers: a SYN-ACK or RST from the port, which acknowledges it.
    pub(super) fn read(&self, segment: &[u8], from: Option<IpAddr>) -> Option<u32> {
        let segment = Segment::parse(segment)?;
        let ports = (segment.source, segment.destination) == (self.target.port(), self.local.port());
        let answers = segment.is_ack && (segment.is_syn || segment.is_rst);
        let is_ours = ports && answers && from.is_none_or(|from| from == self.target.ip());
        is_ours.then(|| self.number(segment.ack.wrapping_sub(1)))
    }

    /// The number of the probe that an ICMP error quotes.
    pub(super) fn quoted(&self, quoted: &[u8]) -> Option<u32> {
        let (source, destination, seq) = tcp::quoted(quoted)?;
        ((source, destination) == (self.local.port(), self.target.port())).then(|| self.number(seq))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pnet::packet::tcp::{MutableTcpPacket, TcpFlags, TcpPacket, ipv4_checksum};
    use proptest::prelude::*;

    fn syn() -> Syn {
        let address = |host: u8, port| SocketAddr::new(IpAddr::from([10, 0, 0, host]), port);
        Syn::new(address(1, 61_000), address(2, 443), 0xffff_fff0)
    }

    /// A segment from the far side.
    fn answer(flags: u8, acknowledged: u32) -> Vec<u8> {
        let mut segment = vec![0; HEADER];
        let mut packet = MutableTcpPacket::new(&mut segment).expect("room");
        packet.set_source(443);
        packet.set_destination(61_000);
        packet.set_data_offset(5);
        packet.set_flags(flags);
        packet.set_acknowledgement(acknowledged);
        segment
    }

    #[test]
    fn a_syn_is_answered_by_its_number_and_quoted_by_it() {
        for number in [0, 1, 500, 999] {
            let mut segment = Vec::new();
            syn().write(number, 1460, &mut segment);
            assert_eq!(segment.len(), HEADER + 1460);
            assert_eq!(syn().quoted(&segment[..8]), Some(number));
            let seq = TcpPacket::new(&segment).expect("a segment").get_sequence();
            // The SYN alone, or its data as well.
            for taken in [1, 1461] {
                let rst = answer(TcpFlags::RST | TcpFlags::ACK, seq.wrapping_add(taken));
                assert_eq!(syn().read(&rst, None), Some(number));
            }
            assert_eq!(
                syn().read(&answer(TcpFlags::SYN, seq.wrapping_add(1)), None),
                None,
                "a SYN is no answer"
            );
        }
    }

    #[test]
    fn the_checksum_is_right() {
        let mut segment = Vec::new();
        syn().write(3, 11, &mut segment);
        let packet = TcpPacket::new(&segment).expect("a segment");
        let (from, to) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        assert_eq!(ipv4_checksum(&packet, &from, &to), packet.get_checksum());
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets: Vec<u8>) {
            let _ = (syn().read(&octets, None), syn().quoted(&octets));
        }
    }
}
