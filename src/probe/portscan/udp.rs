//! The UDP scan: datagrams that services understand, from one socket.

use std::io;
use std::net::SocketAddr;

use super::fleet::{Fleet, Question};
use super::packets::{Packets, scan as scan_packets};
use super::payload;
use super::report::{Reason, State};
use crate::failure::Failure;
use crate::sys::connect::Way;
use crate::sys::datagram::{Kind, Socket};
use crate::sys::wait::Stop;

/// Scans by datagrams; see [`scan_packets`].
///
/// # Errors
/// As there.
pub(super) fn scan(fleet: &mut Fleet, way: &Way, secret: u64, stop: &Stop) -> Result<(), Failure> {
    scan_packets(&Datagrams { secret }, fleet, way, stop)
}

struct Datagrams {
    secret: u64,
}

impl Packets for Datagrams {
    const KIND: Kind = Kind::Udp;

    fn prepare(&self, _: &Socket) -> io::Result<()> {
        Ok(())
    }

    fn to(&self, to: SocketAddr) -> SocketAddr {
        to
    }

    fn write(&self, _: Question, to: SocketAddr, out: &mut Vec<u8>) {
        payload::write(to.port(), self.secret, out);
    }

    fn read(&self, fleet: &Fleet, from: SocketAddr, _: &[u8]) -> Option<(Question, State, Reason)> {
        // The kernel gives us nothing that is not for our port, which nobody knows but who was asked.
        let question = fleet.question_last(from.ip(), from.port())?;
        Some((question, State::Open, Reason::UdpResponse))
    }

    fn quoted(&self, fleet: &Fleet, to: SocketAddr, _: &[u8]) -> Option<Question> {
        fleet.question_last(to.ip(), to.port())
    }

    fn refused(&self, reason: Reason) -> State {
        if reason == Reason::PortUnreach { State::Closed } else { State::Filtered }
    }
}
