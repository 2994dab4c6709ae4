//! A load over UDP: many datagrams a system call.

use std::net::SocketAddr;

use super::BATCH;
use super::questions::Questions;
use super::table::Table;
use crate::failure::Failure;
use crate::probe::resolvertime::ResolverTime;
use crate::sys::datagram::{Batch, Outgoing, Setup, Socket};

/// Octets of most questions.
const SHORT: usize = 64;

/// A socket for queries to `peer`.
///
/// # Errors
/// Those of bind(2) and connect(2).
pub(super) fn socket(probe: &ResolverTime, peer: SocketAddr) -> Result<Socket, Failure> {
    let local = probe.egress.local(peer);
    let setup = Setup {
        interface: probe.egress.device().map(str::to_owned),
        ttl: probe.egress.ttl,
        tos: probe.egress.tos(),
        ..Setup::default()
    };
    let socket = Socket::bind(local, &setup)
        .map_err(|error| Failure::from_io(format_args!("bind udp {local}"), &error))?;
    socket.connect(peer).map_err(|error| Failure::from_io(format_args!("connect udp {peer}"), &error))?;
    Ok(socket)
}

/// Sends the next `count` questions, a batch at most; how many went.
///
/// # Errors
/// Why none did.
pub(super) fn burst(
    socket: &Socket,
    table: &Table,
    questions: &Questions,
    next: usize,
    count: usize,
    batch: &mut Batch,
) -> std::io::Result<usize> {
    let mut octets = [0u8; BATCH * SHORT];
    let mut long: Vec<Vec<u8>> = Vec::new();
    // Most questions are short: they are put together in place, without a buffer of their own.
    let mut parts = [(0usize, 0usize, usize::MAX); BATCH];
    let mut used = 0;
    for (k, part) in parts.iter_mut().enumerate().take(count) {
        let question = questions.get((next + k) % questions.count());
        let id = table.id(k);
        if used + question.len() <= octets.len() {
            let room = &mut octets[used..used + question.len()];
            room.copy_from_slice(question);
            room[..2].copy_from_slice(&id);
            *part = (used, used + question.len(), usize::MAX);
            used += question.len();
        } else {
            let mut own = question.to_vec();
            own[..2].copy_from_slice(&id);
            *part = (0, 0, long.len());
            long.push(own);
        }
    }
    let datagrams: [Outgoing<'_>; BATCH] = std::array::from_fn(|k| {
        let (from, to, own) = parts[k];
        let bytes = long.get(own).map_or(&octets[from..to], Vec::as_slice);
        Outgoing { bytes, ..Outgoing::default() }
    });
    batch.send(socket, &datagrams[..count])
}
