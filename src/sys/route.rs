//! What the system's routing decides, asked without sending anything.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::SockRef;

/// The address of this host that packets to `to` come from, through `interface` if one is named, where `wanted`
/// (unspecified: any) leaves it open.
///
/// # Errors
/// No route, no such interface, or `wanted` is not an address of this host.
pub fn source(wanted: IpAddr, to: SocketAddr, interface: Option<&str>) -> io::Result<IpAddr> {
    let route = UdpSocket::bind(SocketAddr::new(wanted, 0))?;
    if interface.is_some() {
        SockRef::from(&route).bind_device(interface.map(str::as_bytes))?;
    }
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
        assert_eq!(source([0, 0, 0, 0].into(), to, None).ok(), Some(to.ip()));
        assert!(source([192, 0, 2, 1].into(), to, None).is_err());
        assert!(source([0, 0, 0, 0].into(), to, Some("none such")).is_err());
    }
}
