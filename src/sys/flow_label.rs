//! IPv6's flow labels (RFC 6437): ipv6(7) and include/uapi/linux/in6.h.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use nix::libc;

use super::option;

/// `in6_flowlabel_req`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Request {
    destination: [u8; 16],
    /// In the order of the wire.
    label: [u8; 4],
    action: u8,
    share: u8,
    flags: u16,
    expires: u16,
    linger: u16,
    padding: u32,
}

const IPV6_FLOWLABEL_MGR: libc::c_int = 32;
const IPV6_FLOWINFO_SEND: libc::c_int = 33;
/// `IPV6_FL_A_GET`, `IPV6_FL_S_ANY`, `IPV6_FL_F_CREATE`, `IPV6_FL_F_REFLECT`.
const GET: u8 = 0;
const ANYBODY: u8 = 255;
const CREATE: u16 = 1;
const REFLECT: u16 = 4;

fn request(socket: &impl AsFd, destination: [u8; 16], label: u32, flags: u16) -> io::Result<()> {
    let request = Request {
        destination,
        label: label.to_be_bytes(),
        action: GET,
        share: ANYBODY,
        flags,
        expires: 0,
        linger: 0,
        padding: 0,
    };
    option::set(socket, libc::IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &request)
}

/// Where `socket` is to be connected so that its packets bear `label`: `to`, with the label in it, which is taken for it.
///
/// # Errors
/// That `to` is no address of IPv6; what the system says.
pub fn towards(socket: &impl AsFd, to: SocketAddr, label: u32) -> io::Result<SocketAddr> {
    let SocketAddr::V6(mut to) = to else { return Err(io::ErrorKind::InvalidInput.into()) };
    request(socket, to.ip().octets(), label, CREATE)?;
    option::set(socket, libc::IPPROTO_IPV6, IPV6_FLOWINFO_SEND, &1i32)?;
    // What is written as a number there goes into the socket's address as it is.
    to.set_flowinfo(label.to_be());
    Ok(to.into())
}

/// What `listener` takes from now on sends with the label that it was asked with (TCP, Linux 3.17).
///
/// # Errors
/// What the system says: permission is denied unless `net.ipv6.flowlabel_consistency` is 0.
pub fn reflect(listener: &impl AsFd) -> io::Result<()> {
    request(listener, [0; 16], 0, REFLECT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn a_label_is_for_ipv6_alone() {
        let socket = UdpSocket::bind("[::1]:0").expect("a socket");
        let to = socket.local_addr().expect("an address");
        let Ok(SocketAddr::V6(labelled)) = towards(&socket, to, 0x12345) else { panic!("no label") };
        assert_eq!((labelled.ip(), labelled.port()), (&std::net::Ipv6Addr::LOCALHOST, to.port()));
        assert_eq!(labelled.flowinfo(), 0x12345u32.to_be());
        let v4: SocketAddr = "127.0.0.1:9".parse().expect("an address");
        assert!(towards(&socket, v4, 1).is_err());
    }
}
