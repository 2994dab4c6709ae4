//! What kept a test from being faster: a judgement over what both ends counted, without I/O.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What limited a direction, and why that is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthLimit")]
pub struct Limit {
    /// What it was.
    pub factor: Factor,
    /// What says so, in words with figures.
    pub evidence: Vec<String>,
}

/// What limits a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "BandwidthFactor")]
pub enum Factor {
    /// The rate that was asked for.
    Rate,
    /// The path: its capacity, its loss.
    Network,
    /// The window: a socket buffer, at either end.
    Window,
    /// The sender's processor.
    SenderCpu,
    /// The receiver's processor.
    ReceiverCpu,
}

impl Factor {
    /// In a person's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Rate => "the rate that was asked for",
            Self::Network => "the network",
            Self::Window => "the window",
            Self::SenderCpu => "the sender's processor",
            Self::ReceiverCpu => "the receiver's processor",
        }
    }
}

/// What is known of a direction. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// Bits per second that came.
    pub(super) throughput: f64,
    /// Bits per second that the sender put into its socket.
    pub(super) sent: Option<f64>,
    /// Bits per second that were asked for.
    pub(super) asked: Option<f64>,
    /// Share of the time that the busiest sending thread, here, ran or waited for a processor.
    pub(super) sender: Option<f64>,
    /// The same of the busiest receiving thread, here.
    pub(super) receiver: Option<f64>,
    /// Processor time of the other end's process, a share of one processor.
    pub(super) remote: Option<f64>,
    /// Share of the busy time that the receiver's window kept the sender back.
    pub(super) rwnd_limited: Option<f64>,
    /// Share of the busy time that the sender's own buffer did.
    pub(super) sndbuf_limited: Option<f64>,
    /// The largest window that was granted and that the sender's buffer allows, octets of all streams, and the mean RTT in
    /// seconds.
    pub(super) window: Option<(f64, f64)>,
    /// Segments sent again, or datagrams lost in the network, as a share of all.
    pub(super) loss: Option<f64>,
    /// Datagrams that the receiver's own socket had no room for, as a share of all.
    pub(super) dropped_here: Option<f64>,
    /// Either end's window was asked for.
    pub(super) window_asked: bool,
}

/// From here on a thread is as busy as can be.
const BUSY: f64 = 0.85;
/// From here on a rate is reached.
const REACHED: f64 = 0.95;
/// From here on a cause explains most of the time.
const MOST: f64 = 0.5;

/// What limited a direction.
pub(super) fn judge(seen: &Seen) -> Limit {
    let percent = |ratio: f64| format!("{:.0} %", ratio * 100.0);
    if let Some(asked) = seen.asked.filter(|&asked| seen.sent.unwrap_or(seen.throughput) >= asked * REACHED) {
        let mut evidence = vec![format!("{} of the rate was reached", percent(seen.throughput / asked))];
        if seen.throughput < asked * REACHED {
            // The sender kept its rate, and the way did not.
            evidence[0] = format!(
                "{} of the rate left, {} came",
                percent(seen.sent.unwrap_or(0.0) / asked),
                percent(seen.throughput / asked)
            );
            return behind(seen, evidence);
        }
        return Limit { factor: Factor::Rate, evidence };
    }
    let mut evidence = Vec::new();
    if let Some(share) = seen.sender.filter(|&share| share >= BUSY) {
        evidence.push(format!("the sending thread was busy for {} of the time", percent(share)));
        // A sender that waits for the receiver is not busy all the time.
        if seen.rwnd_limited.is_none_or(|limited| limited < MOST) {
            return Limit { factor: Factor::SenderCpu, evidence };
        }
    }
    if let Some(share) = seen.receiver.filter(|&share| share >= BUSY) {
        evidence.push(format!("the receiving thread was busy for {} of the time", percent(share)));
        return Limit { factor: Factor::ReceiverCpu, evidence };
    }
    if let Some(limited) = seen.rwnd_limited.filter(|&limited| limited >= MOST) {
        evidence
            .push(format!("the receiver's window kept the sender back for {} of the time", percent(limited)));
        return window(seen, evidence);
    }
    let both = seen.rwnd_limited.unwrap_or(0.0) + seen.sndbuf_limited.unwrap_or(0.0);
    if let Some(limited) = seen.sndbuf_limited.filter(|_| both >= MOST) {
        let window = percent(seen.rwnd_limited.unwrap_or(0.0));
        let text = "of the time the send buffer kept the sender back, and the receiver's window";
        evidence.push(format!("for {} {text} for {window}", percent(limited)));
        return Limit { factor: Factor::Window, evidence };
    }
    if seen.sender.is_none()
        && let Some(share) = seen.remote.filter(|&share| share >= BUSY)
    {
        evidence.push(format!("the sender's process took {} of a processor", percent(share)));
        return Limit { factor: Factor::SenderCpu, evidence };
    }
    if let Some((octets, rtt)) = seen.window.filter(|_| seen.window_asked)
        && rtt > 0.0
        && seen.throughput >= MOST * octets * 8.0 / rtt
    {
        evidence.push(format!(
            "a window of {octets:.0} octets and a round trip of {:.1} ms allow no more",
            rtt * 1e3
        ));
        return Limit { factor: Factor::Window, evidence };
    }
    behind(seen, evidence)
}

/// The receiver's window was full: because it is small, or because nobody read.
fn window(seen: &Seen, mut evidence: Vec<String>) -> Limit {
    let Some((octets, rtt)) = seen.window.filter(|(_, rtt)| *rtt > 0.0) else {
        return Limit { factor: Factor::Window, evidence };
    };
    let allowed = octets * 8.0 / rtt;
    if seen.throughput >= MOST * allowed {
        evidence
            .push(format!("{octets:.0} octets of it and a round trip of {:.2} ms allow no more", rtt * 1e3));
        return Limit { factor: Factor::Window, evidence };
    }
    evidence.push(format!(
        "{octets:.0} octets of it and a round trip of {:.2} ms would allow {:.1} times as much: it was not read",
        rtt * 1e3,
        allowed / seen.throughput.max(1.0)
    ));
    if let Some(remote) = seen.remote {
        evidence.push(format!("the receiver's process took {:.0} % of a processor", remote * 100.0));
    }
    Limit { factor: Factor::ReceiverCpu, evidence }
}

/// Nothing at the ends explains it: the way does, or what the receiver's own host dropped.
fn behind(seen: &Seen, mut evidence: Vec<String>) -> Limit {
    let loss = seen.loss.unwrap_or(0.0);
    if let Some(dropped) = seen.dropped_here.filter(|&dropped| dropped > 0.001 && dropped >= MOST * loss) {
        evidence.push(format!(
            "{:.2} % of the datagrams found no room in this host's own socket",
            dropped * 100.0
        ));
        return Limit { factor: Factor::ReceiverCpu, evidence };
    }
    if loss > 0.0 {
        evidence.push(format!("{:.3} % was lost on the way", loss * 100.0));
    }
    if seen.sender.is_some_and(|share| share < BUSY) || seen.receiver.is_some_and(|share| share < BUSY) {
        let share = seen.sender.into_iter().chain(seen.receiver).fold(0.0, f64::max);
        evidence.push(format!(
            "no thread of this host was busy for more than {:.0} % of the time",
            share * 100.0
        ));
    }
    if let Some(limited) = seen.rwnd_limited {
        evidence.push(format!(
            "the receiver's window kept the sender back for {:.0} % of the time",
            limited * 100.0
        ));
    }
    Limit { factor: Factor::Network, evidence }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(seen: Seen) -> Factor {
        let limit = judge(&seen);
        assert!(!limit.evidence.is_empty(), "{seen:?}");
        limit.factor
    }

    const FAST: Seen = Seen {
        throughput: 1e9,
        sent: Some(1e9),
        asked: None,
        sender: Some(0.2),
        receiver: None,
        remote: Some(0.3),
        rwnd_limited: Some(0.0),
        sndbuf_limited: Some(0.0),
        window: Some((3e6, 0.01)),
        loss: Some(0.0),
        dropped_here: None,
        window_asked: false,
    };

    #[test]
    fn a_sender_knows_what_kept_it_back() {
        assert_eq!(factor(FAST), Factor::Network);
        assert_eq!(factor(Seen { asked: Some(1e9), ..FAST }), Factor::Rate);
        assert_eq!(factor(Seen { asked: Some(2e9), ..FAST }), Factor::Network, "the rate was not reached");
        assert_eq!(factor(Seen { sender: Some(0.97), ..FAST }), Factor::SenderCpu);
        let small = Some((1.25e6, 0.01));
        assert_eq!(factor(Seen { rwnd_limited: Some(0.9), window: small, ..FAST }), Factor::Window);
        assert_eq!(factor(Seen { rwnd_limited: Some(0.9), ..FAST }), Factor::ReceiverCpu, "nobody read");
        assert_eq!(factor(Seen { sndbuf_limited: Some(0.8), ..FAST }), Factor::Window);
        assert_eq!(
            factor(Seen { rwnd_limited: Some(0.3), sndbuf_limited: Some(0.3), ..FAST }),
            Factor::Window
        );
        assert_eq!(factor(Seen { window: small, window_asked: true, ..FAST }), Factor::Window);
        assert_eq!(factor(Seen { loss: Some(0.02), ..FAST }), Factor::Network);
    }

    #[test]
    fn a_receiver_asks_the_other_end() {
        let down =
            Seen { sender: None, receiver: Some(0.3), rwnd_limited: None, sndbuf_limited: None, ..FAST };
        assert_eq!(factor(down), Factor::Network);
        assert_eq!(factor(Seen { remote: Some(0.99), ..down }), Factor::SenderCpu);
        assert_eq!(factor(Seen { receiver: Some(0.95), ..down }), Factor::ReceiverCpu);
        let small = Seen { window: Some((1.3e6, 0.01)), window_asked: true, ..down };
        assert_eq!(factor(small), Factor::Window);
    }

    #[test]
    fn datagrams_tell_the_hosts_own_loss_from_the_networks() {
        let udp = Seen { asked: Some(2e9), sent: Some(2e9), loss: Some(0.5), rwnd_limited: None, ..FAST };
        assert_eq!(factor(udp), Factor::Network, "it left, and did not come");
        assert_eq!(factor(Seen { dropped_here: Some(0.5), ..udp }), Factor::ReceiverCpu);
    }
}
