//! Sockets: how many in which state, and who listens.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use procfs_core::net::{TcpNetEntries, TcpState, UdpNetEntries, UdpState};
use procfs_core::{ExplicitSystemInfo, FromBufReadSI};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Connection;
use super::source::Source;

/// Listeners that are kept.
const MOST: usize = 1_000;

/// Sockets of this network namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sockets {
    /// TCP sockets in each state, by ss(8)'s words.
    pub tcp: BTreeMap<String, u32>,
    /// UDP sockets.
    pub udp: u32,
    /// Sockets that wait for others.
    pub listeners: Vec<Listener>,
    /// Local ports in use by TCP connections to other hosts, of those that the kernel may choose.
    pub ephemeral_used: u32,
    /// Connections one by one (`--sockets`), those with most retransmissions first, a hundred at most; null without.
    pub connections: Option<Vec<Connection>>,
    /// How many connections stand; null without `--sockets`.
    pub connections_count: Option<usize>,
}

/// A socket that waits for others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// `tcp` or `udp`.
    pub proto: String,
    /// Where.
    #[schemars(with = "String")]
    pub address: SocketAddr,
    /// Of TCP: connections that wait to be accepted.
    pub waiting: Option<u32>,
}

impl Sockets {
    /// `ephemeral` are the ports that the kernel may choose.
    pub(super) fn read(source: &mut Source, ephemeral: Option<(u16, u16)>) -> Self {
        let mut found = Self::default();
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            // Without IPv6 there is no second file.
            let Some(entries) = parsed::<TcpNetEntries>(source, path) else { continue };
            for entry in entries.0 {
                *found.tcp.entry(word(&entry.state).to_owned()).or_default() += 1;
                let port = entry.local_address.port();
                if entry.state == TcpState::Listen {
                    found.listen("tcp", entry.local_address, Some(entry.rx_queue));
                } else if ephemeral.is_some_and(|(first, last)| (first..=last).contains(&port)) {
                    found.ephemeral_used += 1;
                }
            }
        }
        for path in ["/proc/net/udp", "/proc/net/udp6"] {
            let Some(entries) = parsed::<UdpNetEntries>(source, path) else { continue };
            for entry in entries.0 {
                found.udp += 1;
                if entry.state == UdpState::Close {
                    found.listen("udp", entry.local_address, None);
                }
            }
        }
        found.listeners.sort();
        found
    }

    /// Adds the connections one by one.
    pub(super) fn list(&mut self, source: &mut Source) {
        let (connections, count) = Connection::read(source);
        (self.connections, self.connections_count) = (Some(connections), Some(count));
    }

    fn listen(&mut self, proto: &str, address: SocketAddr, waiting: Option<u32>) {
        if self.listeners.len() < MOST {
            self.listeners.push(Listener { proto: proto.to_owned(), address, waiting });
        }
    }
}

/// What procfs-core makes of a table whose addresses are in this host's order of octets; `None` where there is none.
fn parsed<T: FromBufReadSI>(source: &mut Source, path: &str) -> Option<T> {
    let text = source.text_if_any(path)?;
    let host = ExplicitSystemInfo {
        boot_time_secs: 0,
        ticks_per_second: 100,
        page_size: 4096,
        is_little_endian: cfg!(target_endian = "little"),
    };
    let parsed = T::from_buf_read(text.as_bytes(), &host);
    parsed.map_err(|error| source.lacks(path, &error.to_string())).ok()
}

/// ss(8)'s word for a state.
const fn word(state: &TcpState) -> &'static str {
    match state {
        TcpState::Established => "established",
        TcpState::SynSent => "syn-sent",
        TcpState::SynRecv | TcpState::NewSynRecv => "syn-recv",
        TcpState::FinWait1 => "fin-wait-1",
        TcpState::FinWait2 => "fin-wait-2",
        TcpState::TimeWait => "time-wait",
        TcpState::Close => "closed",
        TcpState::CloseWait => "close-wait",
        TcpState::LastAck => "last-ack",
        TcpState::Listen => "listen",
        TcpState::Closing => "closing",
    }
}
