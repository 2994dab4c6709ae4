//! The SYN scan: raw segments, and no connection for any of them.
//!
//! The sequence number of a SYN is a keyed hash of where it goes, with the number of the try: an answer is believed only if
//! it acknowledges that number, and tells by it which question it answers. This host's kernel knows nothing of our SYNs,
//! and resets what stands half open.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;

use nix::libc;

use super::fleet::{Fleet, Question};
use super::packets::{Packets, scan as scan_packets};
use super::report::{Reason, State};
use crate::failure::Failure;
use crate::stats::Rng;
use crate::sys::connect::{Way, ephemeral_ports, source_to};
use crate::sys::datagram::{Kind, Socket};
use crate::sys::filter::only_to_tcp_port;
use crate::sys::wait::Stop;
use crate::wire::tcp::{Segment, quoted, syn};

/// Scans by SYNs; see [`scan_packets`].
///
/// # Errors
/// As there.
pub(super) fn scan(fleet: &mut Fleet, way: &Way, secret: u64, stop: &Stop) -> Result<(), Failure> {
    let mut sources = HashMap::new();
    for host in &fleet.plan().hosts {
        if let IpAddr::V4(to) = host.ip() {
            match source_to(to, way) {
                Ok(from) => drop(sources.insert(to, from)),
                // One of many: the socket will say so.
                Err(_) if fleet.plan().hosts.len() > 1 => {}
                Err(error) => return Err(Failure::from_io(format_args!("find a way to {to}"), &error)),
            }
        }
    }
    let (first, last) = ephemeral_ports();
    // A port that this host's own connections do not use.
    let port = outside(first, last, Rng::new(secret).bits());
    let syns = Syns { key: RandomState::new(), port, sources };
    scan_packets(&syns, fleet, way, stop)
}

struct Syns {
    key: RandomState,
    port: u16,
    sources: HashMap<Ipv4Addr, Ipv4Addr>,
}

impl Syns {
    /// The sequence number of the SYN to a port: the low octet is the number of the try.
    fn seq(&self, to: IpAddr, port: u16, tries: u8) -> u32 {
        (self.key.hash_one((to, port)) as u32 & !0xff) | u32::from(tries)
    }

    /// The question whose SYN went to `to` and `port` with the sequence number `seq`.
    fn question(&self, fleet: &Fleet, to: IpAddr, port: u16, seq: u32) -> Option<Question> {
        let tries = seq as u8;
        if self.seq(to, port, tries) != seq {
            return None;
        }
        fleet.question(to, port, tries)
    }
}

impl Packets for Syns {
    const KIND: Kind = Kind::Raw(libc::IPPROTO_TCP as u8);

    fn prepare(&self, socket: &Socket) -> io::Result<()> {
        only_to_tcp_port(socket.as_fd(), socket.is_ipv6(), self.port)
    }

    fn to(&self, mut to: SocketAddr) -> SocketAddr {
        // To a raw socket of IPv6 a port is the protocol, which it knows (raw(7)).
        to.set_port(0);
        to
    }

    fn write(&self, question: Question, to: SocketAddr, out: &mut Vec<u8>) {
        let seq = self.seq(to.ip(), to.port(), question.shot.tries);
        let ends = match to.ip() {
            IpAddr::V4(to) => self.sources.get(&to).map(|from| (*from, to)),
            IpAddr::V6(_) => None,
        };
        out.extend(syn(self.port, to.port(), seq, ends));
    }

    fn read(&self, fleet: &Fleet, from: SocketAddr, bytes: &[u8]) -> Option<(Question, State, Reason)> {
        let segment =
            Segment::parse(bytes).filter(|segment| segment.is_ack && segment.destination == self.port)?;
        let question = self.question(fleet, from.ip(), segment.source, segment.ack.wrapping_sub(1))?;
        match (segment.is_rst, segment.is_syn) {
            (true, _) => Some((question, State::Closed, Reason::Reset)),
            (false, true) => Some((question, State::Open, Reason::SynAck)),
            (false, false) => None,
        }
    }

    fn quoted(&self, fleet: &Fleet, to: SocketAddr, bytes: &[u8]) -> Option<Question> {
        let (source, destination, seq) = quoted(bytes)?;
        if source != self.port {
            return None;
        }
        self.question(fleet, to.ip(), destination, seq)
    }

    fn refused(&self, _: Reason) -> State {
        State::Filtered
    }
}

/// A port outside of `first..=last`, drawn by `chance`.
fn outside(first: u16, last: u16, chance: u64) -> u16 {
    let (above, below) = (u64::from(u16::MAX - last), u64::from(first.saturating_sub(LOWEST)));
    match (above, below) {
        (1.., _) => last + 1 + (chance % above) as u16,
        (0, 1..) => LOWEST + (chance % below) as u16,
        (0, 0) => LOWEST + (chance % u64::from(u16::MAX - LOWEST)) as u16,
    }
}

/// Below it are the ports of services.
const LOWEST: u16 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_port_is_outside_of_the_range_where_there_is_an_outside(first: u16, last: u16, chance: u64) {
            let port = outside(first.min(last), first.max(last), chance);
            prop_assert!(port >= LOWEST || port > first.max(last));
            let has_outside = first.max(last) < u16::MAX || first.min(last) > LOWEST;
            prop_assert!(!has_outside || !(first.min(last)..=first.max(last)).contains(&port));
        }
    }
}
