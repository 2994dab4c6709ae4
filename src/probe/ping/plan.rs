//! What the engine needs to know before its first packet.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use super::LONGEST;
use crate::probe::pace::Pace;

/// A run, decided.
pub(super) struct Plan {
    /// When packets are sent; their number is that of all targets.
    pub(super) pace: Pace,
    /// Time between two packets to one target, and how much longer each is than the one before.
    pub(super) period: Duration,
    pub(super) growth: f64,
    /// How long the reply to a target's first packet is waited for; to the later ones `growth` times as long each.
    pub(super) timeout: Duration,
    /// The end, after the first packet.
    pub(super) deadline: Option<Duration>,
    /// A target is done once it has answered.
    pub(super) until_answered: bool,
    /// The next packet follows the reply to the last.
    pub(super) flood: bool,
    /// Tell what is still unanswered when the next packet is sent.
    pub(super) outstanding: bool,
    /// Replies may come from anybody, and more than one to each packet.
    pub(super) broadcast: bool,
    /// Who is measured. Not empty.
    pub(super) hosts: Vec<Host>,
    /// Which of the driver's sockets are of IPv4, and which of IPv6.
    pub(super) sockets: [Range<usize>; 2],
    /// The identifier of each socket's echo messages.
    pub(super) ids: Vec<u16>,
    /// Each socket's transmit timestamps are asked for.
    pub(super) stamped: bool,
}

/// How long the reply to a target's packet of this round is waited for, from 0.
pub(super) fn wait(first: Duration, growth: f64, round: u64) -> Duration {
    if growth <= 1.0 {
        return first;
    }
    let seconds = first.as_secs_f64() * growth.powi(i32::try_from(round).unwrap_or(i32::MAX));
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST)
}

/// One of those who are measured.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// As written.
    pub(super) name: Box<str>,
    pub(super) address: SocketAddr,
}

impl Host {
    /// What a server is asked for: the name without the address that tells several of one name apart, which no word holds.
    pub(super) fn asked(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }
}
