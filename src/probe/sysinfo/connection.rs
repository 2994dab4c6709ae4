//! TCP connections one by one, with what the kernel knows of their way (`--sockets`): whose packets were lost, and how far
//! away each far side is.

use std::net::{IpAddr, SocketAddr};

use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::source::Source;
use crate::failure::reason;
use crate::sys::netlink::sockets;

/// Connections that are kept: those with most retransmissions, then those that wait for most.
const MOST: usize = 100;

/// A TCP connection, as `ss -ti` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostConnection")]
pub struct Connection {
    /// This end.
    #[schemars(with = "String")]
    pub local: SocketAddr,
    /// The far end.
    #[schemars(with = "String")]
    pub peer: SocketAddr,
    /// Octets that came and were not read yet.
    pub rx_waiting_bytes: u32,
    /// Octets that were sent, or wait to be, and are not acknowledged.
    pub tx_waiting_bytes: u32,
    /// Smoothed round-trip time (RFC 6298).
    pub rtt_ms: Option<f64>,
    /// How far it varies.
    pub rtt_variation_ms: Option<f64>,
    /// The least that was seen lately.
    pub rtt_min_ms: Option<f64>,
    /// Segments sent again since it was made.
    pub retransmits: u32,
    /// Segments sent since it was made.
    pub segments: u32,
    /// The congestion window, in segments.
    pub cwnd: u32,
    /// The maximum segment size that it sends.
    pub mss_bytes: u32,
    /// What the last packets were delivered at.
    pub delivery_bps: Option<u64>,
    /// Its congestion control.
    pub congestion: Option<String>,
}

impl Connection {
    /// Those of this network namespace that stand and go to other hosts or to this one, the worst first; and how many there
    /// are in all.
    pub(super) fn read(source: &mut Source) -> (Vec<Self>, usize) {
        let mut all = Vec::new();
        for family in [AF_INET, AF_INET6] {
            let question = InetRequest {
                family,
                protocol: IPPROTO_TCP,
                extensions: ExtensionFlags::INFO | ExtensionFlags::CONG,
                states: StateFlags::ESTABLISHED,
                socket_id: if family == AF_INET { SocketId::new_v4() } else { SocketId::new_v6() },
            };
            match sockets(SockDiagMessage::InetRequest(question)) {
                Ok(found) => all.extend(found.iter().filter_map(Self::of)),
                Err(error) => source.lacks("connections", &reason(&error)),
            }
        }
        let count = all.len();
        all.sort_by_key(|one| std::cmp::Reverse((one.retransmits, one.tx_waiting_bytes)));
        all.truncate(MOST);
        (all, count)
    }

    fn of(message: &SockDiagMessage) -> Option<Self> {
        let SockDiagMessage::InetResponse(told) = message else { return None };
        let InetResponse { header, nlas } = told.as_ref();
        let id = &header.socket_id;
        let at = |address: IpAddr, port| SocketAddr::new(address.to_canonical(), port);
        let mut found = Self {
            local: at(id.source_address, id.source_port),
            peer: at(id.destination_address, id.destination_port),
            rx_waiting_bytes: header.recv_queue,
            tx_waiting_bytes: header.send_queue,
            rtt_ms: None,
            rtt_variation_ms: None,
            rtt_min_ms: None,
            retransmits: 0,
            segments: 0,
            cwnd: 0,
            mss_bytes: 0,
            delivery_bps: None,
            congestion: None,
        };
        for attribute in nlas {
            match attribute {
                Nla::Congestion(name) => found.congestion = Some(name.clone()),
                Nla::TcpInfo(info) => {
                    // The kernel counts microseconds; none means that nothing was measured yet, or ever.
                    let ms = |us: u32| (us > 0 && us < u32::MAX).then(|| f64::from(us) / 1e3);
                    (found.rtt_ms, found.rtt_variation_ms) = (ms(info.rtt), ms(info.rttvar));
                    found.rtt_min_ms = ms(info.min_rtt);
                    (found.retransmits, found.segments) = (info.total_retrans, info.segs_out);
                    (found.cwnd, found.mss_bytes) = (info.snd_cwnd, info.snd_mss);
                    found.delivery_bps =
                        Some(info.delivery_rate).filter(|rate| *rate > 0).map(|octets| octets * 8);
                }
                _ => {}
            }
        }
        Some(found)
    }
}
