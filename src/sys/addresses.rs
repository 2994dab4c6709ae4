//! The addresses of a name as every program of this host finds them: getaddrinfo(3).

#![expect(unsafe_code, reason = "getaddrinfo's own codes are lost in the standard library")]

use std::ffi::CString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::null_mut;

use nix::libc;

/// Why there are no addresses: a code of getaddrinfo(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(i32);

/// glibc's own; libc has no name for it.
const EAI_NODATA: i32 = -5;

impl Code {
    /// The code's name.
    pub const fn word(self) -> &'static str {
        match self.0 {
            libc::EAI_NONAME => "EAI_NONAME",
            EAI_NODATA => "EAI_NODATA",
            libc::EAI_AGAIN => "EAI_AGAIN",
            libc::EAI_FAIL => "EAI_FAIL",
            libc::EAI_SYSTEM => "EAI_SYSTEM",
            libc::EAI_MEMORY => "EAI_MEMORY",
            libc::EAI_FAMILY => "EAI_FAMILY",
            _ => "an unknown error",
        }
    }

    /// Whether somebody has said that there is no such name, or no such address of it.
    pub const fn is_answer(self) -> bool {
        matches!(self.0, libc::EAI_NONAME | EAI_NODATA)
    }
}

/// All addresses of `name` of one family, each once. Blocks for as long as the system's resolver wishes.
///
/// # Errors
/// What getaddrinfo(3) says.
pub fn of(name: &str, ipv6: bool) -> Result<Vec<IpAddr>, Code> {
    let name = CString::new(name).map_err(|_| Code(libc::EAI_NONAME))?;
    // SAFETY: addrinfo is plain data, for which all zeros is what the manual asks for.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_family = if ipv6 { libc::AF_INET6 } else { libc::AF_INET };
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list: *mut libc::addrinfo = null_mut();
    // SAFETY: the name ends with a zero, the hints are valid, the list is ours to free when 0 is returned.
    let code = unsafe { libc::getaddrinfo(name.as_ptr(), std::ptr::null(), &raw const hints, &raw mut list) };
    if code != 0 {
        return Err(Code(code));
    }
    let mut found = Vec::new();
    let mut at = list;
    while !at.is_null() {
        // SAFETY: every entry of the list is valid until it is freed below.
        let entry = unsafe { &*at };
        let address = match entry.ai_family {
            libc::AF_INET => {
                // SAFETY: the family says that it is a sockaddr_in.
                let name = unsafe { &*entry.ai_addr.cast::<libc::sockaddr_in>() };
                Some(IpAddr::from(Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr))))
            }
            libc::AF_INET6 => {
                // SAFETY: the family says that it is a sockaddr_in6.
                let name = unsafe { &*entry.ai_addr.cast::<libc::sockaddr_in6>() };
                Some(IpAddr::from(Ipv6Addr::from(name.sin6_addr.s6_addr)))
            }
            _ => None,
        };
        found.extend(address.filter(|address| !found.contains(address)));
        at = entry.ai_next;
    }
    // SAFETY: the list is getaddrinfo's, and nothing points into it any more.
    unsafe { libc::freeaddrinfo(list) };
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_needs_nobody_and_nonsense_is_an_answer() {
        assert_eq!(of("192.0.2.1", false), Ok(vec![IpAddr::from([192, 0, 2, 1])]));
        let code = of("a\0b", false).expect_err("no name");
        assert!(code.is_answer() && code.word() == "EAI_NONAME");
    }
}
