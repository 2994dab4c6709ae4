//! The SYN scan: raw segments, and no connection for any of them.
//!
//! The sequence number of a SYN is a keyed hash of where it goes and where from: an answer is believed only if it
//! acknowledges that number. Each try has a source port of its own, by which its answer is known; a second SYN from the same
//! port with another number would be an error of ours, and reset (RFC 9293 §3.10.7.4). This host's kernel knows nothing of
//! our SYNs, and resets what stands half open.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use nix::libc;

use super::fleet::{Fleet, Move, Plan, Question};
use super::packets::{Packets, scan as scan_packets};
use super::report::{Proto, Reason, State};
use super::{PortScan, Scan, timing};
use crate::failure::Failure;
use crate::probe::Events;
use crate::stats::Rng;
use crate::sys::clock::now;
use crate::sys::connect::{Way, ephemeral_ports};
use crate::sys::datagram::{Kind, Socket};
use crate::sys::filter;
use crate::sys::route::source;
use crate::sys::wait::Stop;
use crate::wire::tcp::{Segment, quoted, syn};

/// Scans by SYNs; see [`scan_packets`].
///
/// # Errors
/// As there.
pub(super) fn scan(fleet: &mut Fleet, way: &Way, secret: u64, stop: &Stop) -> Result<(), Failure> {
    let hosts = &fleet.plan().hosts;
    let wanted = way.source.filter(IpAddr::is_ipv4).unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let mut ends = Vec::with_capacity(hosts.len());
    for host in hosts {
        let IpAddr::V4(to) = host.ip() else {
            ends.push(None);
            continue;
        };
        match source(wanted, SocketAddr::from((to, 9)), way.interface.as_deref()) {
            Ok(IpAddr::V4(from)) => ends.push(Some((from, to))),
            Ok(IpAddr::V6(_)) => ends.push(None),
            // One of many: the socket will say so.
            Err(_) if hosts.len() > 1 => ends.push(None),
            Err(error) => return Err(Failure::from_io(format_args!("find a way to {to}"), &error)),
        }
    }
    let (first, last) = ephemeral_ports();
    // A port that this host's own connections do not use.
    let port = outside(first, last, Rng::new(secret).bits());
    let syns = Syns { key: RandomState::new(), port, ends };
    scan_packets(&syns, fleet, way, stop)
}

struct Syns {
    key: RandomState,
    port: u16,
    /// The addresses at both ends of the way to each host, for IPv4's checksum.
    ends: Vec<Option<(Ipv4Addr, Ipv4Addr)>>,
}

impl Syns {
    /// The port from which a port is asked for the `tries`-th time.
    const fn source(&self, tries: u8) -> u16 {
        self.port | (tries as u16 % PORTS)
    }

    /// The sequence number of the SYN from our port `source` to a port.
    fn seq(&self, source: u16, to: IpAddr, port: u16) -> u32 {
        self.key.hash_one((source, to, port)) as u32
    }

    /// The question whose SYN went from our port `source` to `to` and `port` with the sequence number `seq`.
    fn question(&self, fleet: &Fleet, source: u16, to: IpAddr, port: u16, seq: u32) -> Option<Question> {
        if source & !(PORTS - 1) != self.port || self.seq(source, to, port) != seq {
            return None;
        }
        let mut question = fleet.question_last(to, port)?;
        let before = question.shot.tries.wrapping_sub(source as u8) % PORTS as u8;
        question.shot.tries = question.shot.tries.checked_sub(before)?;
        Some(question)
    }
}

impl Packets for Syns {
    const KIND: Kind = Kind::Raw(libc::IPPROTO_TCP as u8);

    fn prepare(&self, socket: &Socket) -> io::Result<()> {
        // The destination port of a TCP header lies at 2; ours are 16 from a multiple of 16 on.
        filter::attach(socket, &filter::half_word(socket.is_ipv6(), 2, 0xfff0, self.port))
    }

    fn to(&self, mut to: SocketAddr) -> SocketAddr {
        // To a raw socket of IPv6 a port is the protocol, which it knows (raw(7)).
        to.set_port(0);
        to
    }

    fn write(&self, question: Question, to: SocketAddr, out: &mut Vec<u8>) {
        let source = self.source(question.shot.tries);
        let seq = self.seq(source, to.ip(), to.port());
        let ends = self.ends.get(question.host).copied().flatten();
        out.extend(syn(source, to.port(), seq, ends));
    }

    fn read(&self, fleet: &Fleet, from: SocketAddr, bytes: &[u8]) -> Option<(Question, State, Reason)> {
        let segment = Segment::parse(bytes).filter(|segment| segment.is_ack)?;
        let seq = segment.ack.wrapping_sub(1);
        let question = self.question(fleet, segment.destination, from.ip(), segment.source, seq)?;
        match (segment.is_rst, segment.is_syn) {
            (true, _) => Some((question, State::Closed, Reason::Reset)),
            (false, true) => Some((question, State::Open, Reason::SynAck)),
            (false, false) => None,
        }
    }

    fn quoted(&self, fleet: &Fleet, to: SocketAddr, bytes: &[u8]) -> Option<Question> {
        let (source, destination, seq) = quoted(bytes)?;
        self.question(fleet, source, to.ip(), destination, seq)
    }

    fn refused(&self, _: Reason) -> State {
        State::Filtered
    }
}

/// What fuzzing and the properties do with any octets: read them as an answer to a SYN, and as what an ICMP error quotes of
/// one; nobody who has not seen its number is believed, whichever ports he guesses.
pub fn fuzz_replies(bytes: &[u8]) {
    let at = now().mono;
    let ceiling = timing::ceiling(&PortScan::default(), true);
    let tuning = timing::tuning(&PortScan::default(), Scan::Syn, 1024, ceiling);
    let hosts: Vec<SocketAddr> =
        vec![(Ipv4Addr::LOCALHOST, 0).into(), (std::net::Ipv6Addr::LOCALHOST, 0).into()];
    let ports = vec![22, 80];
    let plan = Plan {
        hosts: hosts.clone(),
        proto: Proto::Tcp,
        ports: ports.clone(),
        first: ports,
        tuning,
        ceiling,
        seed: 1,
    };
    let mut fleet = Fleet::new(plan, Events::none(), at);
    while matches!(fleet.poll(at), Move::Send(_)) {}
    let syns = Syns { key: RandomState::new(), port: LOWEST, ends: Vec::new() };
    let mut guess = bytes.to_vec();
    for round in 0..3 {
        for from in &hosts {
            assert_eq!(syns.read(&fleet, *from, &guess), None);
            assert_eq!(syns.quoted(&fleet, *from, &guess), None);
        }
        // First as an answer's ports would be, then as a question's.
        let (near, far) = ((LOWEST + 1).to_be_bytes(), 22u16.to_be_bytes());
        let ends = if round == 0 { [far, near] } else { [near, far] };
        guess.iter_mut().zip(ends.as_flattened()).for_each(|(octet, end)| *octet = *end);
    }
}

/// The first of 16 ports outside of `first..=last`, drawn by `chance`, if there are any.
fn outside(first: u16, last: u16, chance: u64) -> u16 {
    let blocks = || (LOWEST / PORTS..=u16::MAX / PORTS).map(|block| block * PORTS);
    let is_free = |block: &u16| block + (PORTS - 1) < first || *block > last;
    let count = blocks().filter(is_free).count() as u64;
    let drawn = chance.checked_rem(count).unwrap_or_default() as usize;
    blocks().filter(is_free).nth(drawn).unwrap_or(LOWEST)
}

/// Below it are the ports of services.
const LOWEST: u16 = 10_000;
/// How many ports a scan sends from.
const PORTS: u16 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ports_lie_outside_of_the_usual_range() {
        for chance in 0..5000 {
            assert!(!(32_768 - (PORTS - 1)..=60_999).contains(&outside(32_768, 60_999, chance)));
        }
        assert_eq!(outside(1024, u16::MAX, 7), LOWEST, "where all are taken");
    }

    proptest! {
        #[test]
        fn nobody_who_guesses_is_believed(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            fuzz_replies(&bytes);
        }

        #[test]
        fn the_ports_are_outside_of_the_range_where_there_is_room(a: u16, b: u16, chance: u64) {
            let (first, last) = (a.min(b), a.max(b));
            let port = outside(first, last, chance);
            prop_assert!(port >= LOWEST && port.is_multiple_of(PORTS));
            let has_room = last < u16::MAX - 2 * PORTS || first > LOWEST + 2 * PORTS;
            prop_assert!(!has_room || port + (PORTS - 1) < first || port > last);
        }
    }
}
