//! A TCP connection: from SYN to SYN-ACK, as the kernel timed it, or to RST; or who said that it cannot be.

use std::time::Duration;

use tokio::net::TcpStream;

use super::{Reached, Unreached, Way};
use crate::net::dial::{self, Connection, Unmade};
use crate::probe::ping::plan::Host;
use crate::probe::ping::tally::{Connected, Said};
use crate::sys::connect;

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
            Err(unmade) => Err(unreached(unmade)),
        }
    }

    /// Connects to `host` for who wants to say more over it, to whom a refusal is no reply.
    pub(super) async fn dial(&self, host: &Host) -> Result<Made, Unreached> {
        self.connect(host).await.map_err(unreached)
    }

    async fn connect(&self, host: &Host) -> Result<Made, Unmade> {
        let way = connect::Way { tos: self.tos, ..self.egress.way() };
        let Connection { stream, began, stood, rtt, resent, .. } = dial::connect(host.address, &way).await?;
        let time = stood.saturating_duration_since(began);
        Ok(Made { stream, rtt: rtt.unwrap_or(time), kernel: rtt.is_some(), resent })
    }
}

/// What no connection means to who wants to say something over it.
fn unreached(unmade: Unmade) -> Unreached {
    match unmade {
        Unmade::Closed(_) => Unreached::Failed("connection refused (RST)".to_owned()),
        Unmade::Silent => Unreached::Silent,
        Unmade::Icmp(unreachable) => Unreached::Icmp(unreachable),
        Unmade::NotTried(error) => Unreached::NotTried(error.raw_os_error().unwrap_or(nix::libc::EIO)),
    }
}
