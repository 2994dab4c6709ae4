//! A TCP connection: from SYN to SYN-ACK, as the kernel timed it, or to RST; or who said that it cannot be.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::libc::{ECONNREFUSED, ECONNRESET, ETIMEDOUT};
use tokio::net::{TcpSocket, TcpStream};

use super::{Reached, Unreached, Way};
use crate::probe::ping::plan::Host;
use crate::probe::ping::tally::{Connected, Said};
use crate::sys::connect::{self, Attempt};
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

/// Why there is no connection.
enum Unmade {
    /// The target refused it (RST, RFC 9293), after this time.
    Closed(Duration),
    /// Anything else.
    Other(Unreached),
}

impl Way {
    /// A connection, or its refusal: either is a reply.
    pub(super) async fn tcp(&self, host: &Host) -> Result<Reached, Unreached> {
        match self.connect(host).await {
            Ok(Made { rtt, kernel, resent, .. }) => {
                let told = Connected { resent, connect: Some(rtt), ..Connected::default() };
                Ok(Reached { rtt, kernel, told, said: None, kept: None })
            }
            Err(Unmade::Closed(rtt)) => {
                let (told, said) = (Connected::default(), Some(Said::Closed));
                Ok(Reached { rtt, kernel: false, told, said, kept: None })
            }
            Err(Unmade::Other(unreached)) => Err(unreached),
        }
    }

    /// Connects to `host` for who wants to say more over it, to whom a refusal is no reply.
    pub(super) async fn dial(&self, host: &Host) -> Result<Made, Unreached> {
        self.connect(host).await.map_err(|unmade| match unmade {
            Unmade::Closed(_) => Unreached::Failed("connection refused (RST)".to_owned()),
            Unmade::Other(unreached) => unreached,
        })
    }

    async fn connect(&self, host: &Host) -> Result<Made, Unmade> {
        let way = connect::Way {
            source: self.egress.source(),
            interface: self.egress.device().map(str::to_owned),
            ttl: self.egress.ttl,
            tos: self.tos,
        };
        let attempt = Attempt::new(host.address.is_ipv6(), &way).map_err(|error| not_tried(&error))?;
        let socket = TcpSocket::from_std_stream(attempt.stream().map_err(|error| not_tried(&error))?);
        let start = clock::now().mono;
        let connected = socket.connect(host.address).await;
        let time = clock::now().mono.saturating_duration_since(start);
        let stream = connected.map_err(|error| unmade(&attempt, &error, time))?;
        let info = tcp::info(stream.as_fd()).ok();
        let resent = info.is_some_and(|info| info.retransmits > 0);
        // A SYN that was sent again has no time of its own (RFC 6298 §3).
        let rtt = info.and_then(|info| info.rtt).filter(|rtt| !resent && *rtt <= time);
        Ok(Made { stream, rtt: rtt.unwrap_or(time), kernel: rtt.is_some(), resent })
    }
}

/// Why an attempt ended after `time`: connect(2) says "refused" of a RST and of an ICMP error alike, the error queue does
/// not.
fn unmade(attempt: &Attempt, error: &io::Error, time: Duration) -> Unmade {
    if let Some(unreachable) = attempt.unreachable() {
        return Unmade::Other(Unreached::Icmp(unreachable));
    }
    match error.raw_os_error() {
        Some(ECONNREFUSED | ECONNRESET) => Unmade::Closed(time),
        Some(ETIMEDOUT) => Unmade::Other(Unreached::Silent),
        _ => not_tried(error),
    }
}

fn not_tried(error: &io::Error) -> Unmade {
    Unmade::Other(Unreached::NotTried(error.raw_os_error().unwrap_or(nix::libc::EIO)))
}
