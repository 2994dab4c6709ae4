//! Numbered datagrams through a lab, for the tests that count them.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::UdpSocket;

use nix::sys::socket::{setsockopt, sockopt};

use crate::lab::{Lab, Node, Units};

/// What a receiver saw of numbered datagrams.
#[derive(Debug)]
pub(super) struct Received(Vec<u32>);

impl Received {
    /// Datagrams, copies included.
    pub(super) fn all(&self) -> usize {
        self.0.len()
    }

    /// Datagrams, copies left out.
    pub(super) fn distinct(&self) -> usize {
        self.0.iter().collect::<BTreeSet<_>>().len()
    }

    /// Datagrams that came after one with a greater number, for a stream without copies.
    pub(super) fn reordered(&self) -> usize {
        let mut newest = 0;
        let late = |&&number: &&u32| {
            newest = newest.max(number);
            number < newest
        };
        self.0.iter().filter(late).count()
    }

    /// The numbers, in the order they came.
    pub(super) fn numbers(&self) -> &[u32] {
        &self.0
    }
}

/// Sends `count` numbered datagrams from the client to the server, at once.
pub(super) fn up(lab: &Lab, count: u32) -> Received {
    send(lab.client(), lab.server(), count)
}

/// Sends `count` numbered datagrams from the server to the client, at once.
pub(super) fn down(lab: &Lab, count: u32) -> Received {
    send(lab.server(), lab.client(), count)
}

/// A socket in a node, on a free port: a former one stays taken while another test's child, between
/// its fork and its exec, still holds the socket.
pub(super) fn socket(node: &Node) -> UdpSocket {
    let socket = node.run(|| UdpSocket::bind((node.address4(), 0))).unwrap();
    // As much as an ordinary user may have: a burst of small datagrams costs 768 octets each.
    setsockopt(&socket, sockopt::RcvBuf, &(4 << 20)).unwrap();
    socket
}

fn send(from: &Node, to: &Node, count: u32) -> Received {
    let (sender, receiver) = (socket(from), socket(to));
    let target = receiver.local_addr().unwrap();
    for number in 0..count {
        sender.send_to(&number.to_be_bytes(), target).unwrap();
    }
    receive(&receiver)
}

/// Receives until nothing has come for long enough.
pub(super) fn receive(socket: &UdpSocket) -> Received {
    socket.set_read_timeout(Some(400.ms())).unwrap();
    let mut numbers = Vec::new();
    let mut datagram = [0; 4];
    loop {
        match socket.recv(&mut datagram) {
            Ok(_) => numbers.push(u32::from_be_bytes(datagram)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Received(numbers),
            Err(error) => panic!("receive: {error}"),
        }
    }
}
