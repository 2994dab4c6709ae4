//! The sockets of the server: TCP for cookies, UDP for greetings, on one port.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use socket2::{Domain, Protocol, SockRef, Type};

use crate::failure::Failure;
use crate::sys::datagram::{Setup, Socket};
use crate::sys::flow_label;

/// Connections that wait to be taken.
const BACKLOG: i32 = 1024;
/// Tries to find a port that is free for TCP and for UDP.
const TRIES: usize = 16;

/// Where the server listens.
#[derive(Debug, Default)]
pub struct Listener {
    pub(super) tcp: Vec<TcpListener>,
    pub(super) udp: Vec<Socket>,
}

impl Listener {
    /// Listens at `address`; `[::]` serves IPv4 too, with sockets of its own; `multipath` says whether MPTCP is taken, where the
    /// system has it.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(address: SocketAddr, multipath: bool) -> Result<Self, Failure> {
        let mut opened = Self::at(address, multipath);
        for _ in 1..TRIES {
            if opened.is_ok() || address.port() != 0 {
                break;
            }
            opened = Self::at(address, multipath);
        }
        opened
    }

    fn at(address: SocketAddr, multipath: bool) -> Result<Self, Failure> {
        let mut listener = Self::default();
        let port = listener.add(address, multipath)?;
        if address.is_ipv6() && address.ip().is_unspecified() {
            listener.add(SocketAddr::new([0, 0, 0, 0].into(), port), multipath)?;
        }
        Ok(listener)
    }

    /// Listens at one more address, and returns the port.
    fn add(&mut self, address: SocketAddr, multipath: bool) -> Result<u16, Failure> {
        let failed = |what: &str, error: &std::io::Error| {
            Failure::from_io(format_args!("bind {what} {address}"), error)
        };
        let tcp = tcp(address, multipath).map_err(|error| failed("tcp", &error))?;
        let local = tcp.local_addr().map_err(|error| failed("tcp", &error))?;
        // A flow of UDP gets a socket of its own at the same port.
        let setup = Setup { share_address: true, ..Setup::default() };
        let udp = Socket::bind(SocketAddr::new(address.ip(), local.port()), &setup)
            .map_err(|error| failed("udp", &error))?;
        self.tcp.push(tcp);
        self.udp.push(udp);
        Ok(local.port())
    }

    /// Takes over a socket that the service manager opened, of TCP or of UDP.
    ///
    /// # Errors
    /// When it is neither, or does not listen.
    pub fn adopt(&mut self, fd: OwnedFd) -> std::io::Result<()> {
        let socket = socket2::Socket::from(fd);
        if socket.r#type()? == Type::STREAM {
            // One of IPv4 alone has no labels.
            let _ = flow_label::reflect(&socket);
            socket.set_nonblocking(true)?;
            self.tcp.push(socket.into());
            return Ok(());
        }
        let socket = Socket::adopt(socket.into())?;
        socket.share_address()?;
        self.udp.push(socket);
        Ok(())
    }

    /// Whether it listens nowhere.
    pub fn is_empty(&self) -> bool {
        self.tcp.is_empty() && self.udp.is_empty()
    }

    /// Whether each of its sockets takes connections over several paths.
    pub fn is_multipath(&self) -> bool {
        let is = |socket: &TcpListener| {
            SockRef::from(socket).protocol().is_ok_and(|of| of == Some(Protocol::MPTCP))
        };
        self.tcp.iter().all(is)
    }

    /// Its port; of several the first.
    pub(super) fn port(&self) -> u16 {
        self.tcp.iter().find_map(|socket| socket.local_addr().ok()).map_or(0, |address| address.port())
    }

    /// Where it listens, in words.
    pub fn notes(&self) -> impl Iterator<Item = String> + '_ {
        let tcp = self.tcp.iter().filter_map(|socket| Some(("tcp", socket.local_addr().ok()?)));
        let udp = self.udp.iter().filter_map(|socket| Some(("udp", socket.local().ok()?)));
        tcp.chain(udp).map(|(protocol, address)| format!("iperf3 listens on {protocol} {address}"))
    }
}

fn tcp(address: SocketAddr, multipath: bool) -> std::io::Result<TcpListener> {
    let socket = |protocol| socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(protocol));
    // Who comes without MPTCP has a plain connection of TCP (RFC 8684 §3.7).
    let multipath = multipath.then(|| socket(Protocol::MPTCP)).and_then(Result::ok);
    let socket = multipath.map_or_else(|| socket(Protocol::TCP), Ok)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of a server that has just ended wait for their last segments.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // Who asks for a flow label gets it back, where the system lets labels be those of others.
        let _ = flow_label::reflect(&socket);
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_and_protocols_have_one_port() {
        let listener = Listener::open("[::]:0".parse().expect("an address"), false).expect("a free port");
        let notes: Vec<String> = listener.notes().collect();
        let port = listener.tcp[0].local_addr().expect("an address").port();
        let expected = ["tcp [::]", "tcp 0.0.0.0", "udp [::]", "udp 0.0.0.0"];
        assert_eq!(notes, expected.map(|place| format!("iperf3 listens on {place}:{port}")));
        let taken = Listener::open(SocketAddr::from(([127, 0, 0, 1], port)), false).expect_err("in use");
        assert!(taken.detail.starts_with(&format!("bind tcp 127.0.0.1:{port}: ")), "{}", taken.detail);
    }
}
