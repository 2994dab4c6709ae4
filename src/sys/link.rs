//! Network interfaces of this host: which one has an address, whom it reaches at once, and how large its packets may be;
//! see netdevice(7).

#![expect(unsafe_code, reason = "SIOCGIFMTU has no safe wrapper")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::ifaddrs::getifaddrs;
use nix::libc;

/// The name of the interface that has `address`.
pub fn with_address(address: IpAddr) -> Option<String> {
    let has = |name: &nix::ifaddrs::InterfaceAddress| {
        let known = name.address?;
        let v4 = known.as_sockaddr_in().map(|known| IpAddr::V4(known.ip()));
        v4.or_else(|| known.as_sockaddr_in6().map(|known| IpAddr::V6(known.ip())))
    };
    let mut all = getifaddrs().ok()?;
    all.find(|name| has(name) == Some(address)).map(|name| name.interface_name)
}

/// The number of the interface `name`, if this host has it.
pub fn index(name: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(name).ok()
}

/// The name of the interface with the number `index`, if this host has it.
pub fn name(index: u32) -> Option<String> {
    nix::net::if_::if_indextoname(index).ok()?.into_string().ok()
}

/// The addresses by which everybody on a network of this host is reached (RFC 919).
pub fn broadcasts() -> Vec<Ipv4Addr> {
    let of = |one: nix::ifaddrs::InterfaceAddress| {
        let address = one.address?.as_sockaddr_in()?.ip().to_bits();
        let mask = one.netmask?.as_sockaddr_in()?.ip().to_bits();
        // Networks of one or two addresses have none (RFC 3021).
        (!mask > 1).then(|| Ipv4Addr::from_bits(address | !mask))
    };
    getifaddrs().map_or_else(|_| Vec::new(), |all| all.filter_map(of).collect())
}

/// The largest IP packet, in octets, that an interface sends.
///
/// # Errors
/// What the system says: no such device.
pub fn mtu(name: &str) -> io::Result<u32> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    // SAFETY: ifreq is plain data, for which all zeros is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let fits = name.len() < request.ifr_name.len();
    let octets = name.bytes().filter(|_| fits);
    request.ifr_name.iter_mut().zip(octets).for_each(|(place, octet)| *place = octet as libc::c_char);
    // SAFETY: the descriptor is open, and `request` a whole ifreq that the call reads and fills.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFMTU as _, &raw mut request) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has set this member of the union.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    u32::try_from(mtu).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_large() {
        assert_eq!(with_address(Ipv4Addr::LOCALHOST.into()).as_deref(), Some("lo"));
        assert!(broadcasts().contains(&Ipv4Addr::new(127, 255, 255, 255)));
        assert_eq!(index("lo").and_then(name).as_deref(), Some("lo"));
        assert!(index("lo").is_some() && index("no-such-if").is_none());
        assert!(mtu("lo").expect("its MTU") >= 1280);
        assert!(mtu("no-such-interface-at-all").is_err() && with_address([192, 0, 2, 1].into()).is_none());
    }
}
