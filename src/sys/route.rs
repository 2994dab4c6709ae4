//! What the system's routing decides, asked without sending anything.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// The address of this host that packets to `to` come from, where `wanted` (unspecified: any) leaves it open.
///
/// # Errors
/// No route, or `wanted` is not an address of this host.
pub fn source(wanted: IpAddr, to: SocketAddr) -> io::Result<IpAddr> {
    let route = UdpSocket::bind(SocketAddr::new(wanted, 0))?;
    // Connecting a UDP socket sends nothing.
    route.connect(to)?;
    Ok(route.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_reaches_itself_from_itself() {
        let to = SocketAddr::from(([127, 0, 0, 1], 9));
        assert_eq!(source([0, 0, 0, 0].into(), to).ok(), Some(to.ip()));
        assert!(source([192, 0, 2, 1].into(), to).is_err());
    }
}
