//! One TCP connection to the target, to read the segment size that both ends, and whoever clamps it, have agreed on.

use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Duration;

use tokio::net::TcpSocket;

use super::Mtu;
use crate::sys::tcp;

/// Ports that often answer.
const USUAL: [u16; 2] = [443, 80];
/// How long a connection may take.
const TIMEOUT: Duration = Duration::from_millis(800);

/// Port and maximum segment size, octets, of the first port that answers; `None` where none does.
pub(super) async fn segments(asked: &Mtu, target: SocketAddr) -> Option<(u16, u16)> {
    let one = async |port: u16| Some((port, segment(asked, with_port(target, port)).await?));
    let tries = async {
        match asked.port {
            Some(port) => one(port).await,
            None => {
                let (first, second) = (one(USUAL[0]), one(USUAL[1]));
                tokio::pin!(first, second);
                tokio::select! {
                    found = &mut first => if found.is_some() { found } else { second.await },
                    found = &mut second => if found.is_some() { found } else { first.await },
                }
            }
        }
    };
    tokio::time::timeout(TIMEOUT, tries).await.ok().flatten()
}

async fn segment(asked: &Mtu, peer: SocketAddr) -> Option<u16> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.ok()?;
    if let Some(device) = asked.egress.device() {
        socket.bind_device(Some(device.as_bytes())).ok()?;
    }
    if let Some(source) = asked.egress.source() {
        socket.bind(SocketAddr::new(source, 0)).ok()?;
    }
    // Ended by a reset: nothing is left on either side.
    socket.set_zero_linger().ok()?;
    let stream = socket.connect(peer).await.ok()?;
    u16::try_from(tcp::info(stream.as_fd()).ok()?.mss).ok()
}

/// The same address with another port; a zone stays.
pub(super) fn with_port(mut address: SocketAddr, port: u16) -> SocketAddr {
    address.set_port(port);
    address
}
