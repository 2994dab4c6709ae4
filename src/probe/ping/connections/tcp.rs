//! A TCP connection: from SYN to SYN-ACK, as the kernel timed it, or to RST.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::libc::{ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT};
use socket2::{Domain, Protocol, Type};
use tokio::net::{TcpSocket, TcpStream};

use super::{Reached, Unreached, Way};
use crate::probe::ping::plan::Host;
use crate::probe::ping::tally::Connected;
use crate::sys::{clock, tcp};

/// A connection that was made.
pub(super) struct Made {
    pub(super) stream: TcpStream,
    /// From SYN to SYN-ACK.
    pub(super) rtt: Duration,
    /// The kernel measured it.
    pub(super) kernel: bool,
    /// The SYN was lost and sent again.
    pub(super) resent: bool,
}

/// What came of a try to connect.
pub(super) enum Tried {
    Made(Made),
    /// It was refused, after this time.
    Closed(Duration),
}

impl Way {
    pub(super) async fn tcp(&self, host: &Host) -> Result<Reached, Unreached> {
        Ok(match self.dial(host).await? {
            Tried::Made(Made { rtt, kernel, resent, .. }) => {
                let told = Connected { resent, connect: Some(rtt), ..Connected::default() };
                Reached { rtt, kernel, told, kept: None }
            }
            Tried::Closed(rtt) => closed(rtt),
        })
    }

    /// Connects to `host`.
    pub(super) async fn dial(&self, host: &Host) -> Result<Tried, Unreached> {
        let socket = self.open(host).map_err(|error| refused(&error))?;
        let start = clock::now().mono;
        let connected = socket.connect(host.address).await;
        let time = clock::now().mono.saturating_duration_since(start);
        match connected {
            Ok(stream) => {
                let info = tcp::info(stream.as_fd()).ok();
                let resent = info.is_some_and(|info| info.retransmits > 0);
                // A SYN that was sent again has no time of its own (RFC 6298 §3).
                let rtt = info.and_then(|info| info.rtt).filter(|rtt| !resent && *rtt <= time);
                Ok(Tried::Made(Made { stream, rtt: rtt.unwrap_or(time), kernel: rtt.is_some(), resent }))
            }
            Err(error) => match error.raw_os_error() {
                Some(ECONNREFUSED | ECONNRESET) => Ok(Tried::Closed(time)),
                Some(EHOSTUNREACH | ENETUNREACH | ETIMEDOUT) if !time.is_zero() => Err(Unreached::Lost),
                _ => Err(refused(&error)),
            },
        }
    }

    fn open(&self, host: &Host) -> io::Result<TcpSocket> {
        let socket =
            socket2::Socket::new(Domain::for_address(host.address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        // It ends with RST, so that no thousand connections linger.
        socket.set_linger(Some(Duration::ZERO))?;
        let egress = &self.egress;
        if let Some(device) = egress.device() {
            socket.bind_device(Some(device.as_bytes()))?;
        }
        match (host.address.is_ipv4(), egress.ttl.map(u32::from), self.tos.map(u32::from)) {
            (true, ttl, tos) => {
                ttl.map(|ttl| socket.set_ttl_v4(ttl)).transpose()?;
                tos.map(|tos| socket.set_tos_v4(tos)).transpose()?;
            }
            (false, ttl, tos) => {
                ttl.map(|ttl| socket.set_unicast_hops_v6(ttl)).transpose()?;
                tos.map(|tos| socket.set_tclass_v6(tos)).transpose()?;
            }
        }
        if let Some(source) = egress.source() {
            socket.bind(&std::net::SocketAddr::new(source, 0).into())?;
        }
        Ok(TcpSocket::from_std_stream(socket.into()))
    }
}

/// A refused connection is a reply.
pub(super) fn closed(rtt: Duration) -> Reached {
    let told = Connected { closed: true, connect: Some(rtt), ..Connected::default() };
    Reached { rtt, kernel: false, told, kept: None }
}

fn refused(error: &io::Error) -> Unreached {
    Unreached::Refused(error.raw_os_error().unwrap_or(nix::libc::EIO))
}
