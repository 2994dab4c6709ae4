//! A TCP port that is kept for packets which a raw socket sends: nobody else gets it, and the system resets what the far
//! side opens towards it.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Type};

/// A port that is ours until this is dropped.
#[derive(Debug)]
pub struct Port {
    _bound: socket2::Socket,
    local: SocketAddr,
}

impl Port {
    /// Keeps the port of `local`, or a free one for 0, at the address from which packets go to `to`, through `interface` if
    /// one is named.
    ///
    /// # Errors
    /// No route, or the port is in use.
    pub fn keep(local: SocketAddr, to: SocketAddr, interface: Option<&str>) -> io::Result<Self> {
        let at = SocketAddr::new(super::route::source(local.ip(), to, interface)?, local.port());
        let bound = socket2::Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
        bound.bind(&at.into())?;
        let local = bound.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { _bound: bound, local })
    }

    /// The address and the port.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_from_others_as_long_as_it_lives() {
        let (local, to) = (SocketAddr::from(([0, 0, 0, 0], 0)), SocketAddr::from(([127, 0, 0, 1], 9)));
        let port = Port::keep(local, to, None).expect("a free port");
        assert!(port.local().ip().is_loopback() && port.local().port() > 0);
        assert!(Port::keep(port.local(), to, None).is_err());
        let at = port.local();
        drop(port);
        Port::keep(at, to, None).expect("it is free again");
    }
}
