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
    /// The rate that was asked for, or that the server allows.
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
            Self::Rate => "the rate that was asked for or is allowed",
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
    /// This host sends, else the server does.
    pub(super) sends: bool,
    /// Datagrams, else connections.
    pub(super) is_udp: bool,
    /// Bits per second that came.
    pub(super) throughput: f64,
    /// Bits per second that the sender put into its socket.
    pub(super) sent: Option<f64>,
    /// Bits per second that were asked for.
    pub(super) asked: Option<f64>,
    /// Bits per second that the server allows, and that came, both ways together.
    pub(super) allowed: Option<f64>,
    pub(super) both_ways: Option<f64>,
    /// Share of the time that the busiest thread here ran; a sending one: or waited for a processor.
    pub(super) local: Option<f64>,
    /// The same of the other end; of a server that is no waddleperf, its process's processor time.
    pub(super) remote: Option<f64>,
    /// Share of the time that the busiest receiving thread ran or waited for a processor.
    pub(super) receiver_ready: Option<f64>,
    /// Share of the time that the receiver's window kept the sender back.
    pub(super) rwnd_limited: Option<f64>,
    /// Share of the time that the sender's own buffer did.
    pub(super) sndbuf_limited: Option<f64>,
    /// At which share of the looks the receiver's window was all but closed.
    pub(super) closed: Option<f64>,
    /// At which share of the looks nothing waited in the sender's socket.
    pub(super) dry: Option<f64>,
    /// The windows.
    pub(super) window: Option<Window>,
    /// Segments sent again, or datagrams lost, as a share of all.
    pub(super) loss: Option<f64>,
    /// Datagrams that the receiver's own socket had no room for, as a share of all.
    pub(super) dropped: Option<f64>,
    /// How often a datagram found no room in the sender's own queues.
    pub(super) found_full: u64,
}

/// What bounds how much may be on its way, all streams together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Window {
    /// The largest window that was granted, octets.
    pub(super) granted: f64,
    /// What this host's buffer allows, octets.
    pub(super) buffer: f64,
    /// The least round trip of late, and their mean meanwhile, seconds.
    pub(super) least_rtt: f64,
    pub(super) mean_rtt: f64,
    /// It was asked for, or has grown as far as the system lets it.
    pub(super) is_bounded: bool,
}

impl Window {
    /// Whether round trips have grown by a queue on the way.
    fn waits(&self) -> bool {
        self.mean_rtt >= 2.0 * self.least_rtt && self.mean_rtt - self.least_rtt >= QUEUE
    }
}

/// From here on a thread is as busy as can be.
const BUSY: f64 = 0.85;
/// From here on a rate is reached.
const REACHED: f64 = 0.95;
/// From here on it is the ceiling that was met: nobody makes up for what a host that was late has not used of it.
const NEAR: f64 = 0.7;
/// From here on a cause explains most of the time.
const MOST: f64 = 0.5;
/// A window without a bound grows to twice what is on its way: from here on it has not.
const OUTGROWN: f64 = 0.8;
/// From here on a cause is more than an accident.
const SOME: f64 = 0.2;
/// At so many looks, or more, who waits for a processor has closed the window: 0.23 to 0.86 were seen of those who had a hundredth
/// of one, on a host that had lost a third of its time.
const NOW_AND_THEN: f64 = 0.1;
/// Round trips that grow by less than this, in seconds, tell of no queue.
const QUEUE: f64 = 0.001;
/// Where so many of the datagrams, or more, were dropped at an end, it was not by accident.
const DROPS: f64 = 0.001;

/// What limited a direction.
pub(super) fn judge(seen: &Seen) -> Limit {
    let ends = if seen.is_udp { datagrams } else { connections };
    rate(seen).or_else(|| ends(seen)).unwrap_or_else(|| network(seen, Vec::new()))
}

fn limit(factor: Factor, evidence: String) -> Option<Limit> {
    Some(Limit { factor, evidence: vec![evidence] })
}

fn percent(ratio: f64) -> String {
    format!("{:.0} %", ratio * 100.0)
}

/// At which end something is.
const fn whose(is_here: bool) -> &'static str {
    if is_here { "this host's" } else { "the server's" }
}

/// It was as fast as it should be, or might.
fn rate(seen: &Seen) -> Option<Limit> {
    if let Some(asked) = seen.asked.filter(|&asked| seen.throughput >= asked * REACHED) {
        return limit(Factor::Rate, format!("{} of the rate was reached", percent(seen.throughput / asked)));
    }
    let (allowed, moved) = seen.allowed.zip(seen.both_ways)?;
    let evidence =
        || format!("{} of the {:.1} Mbit/s that the server allows", percent(moved / allowed), allowed / 1e6);
    (moved >= allowed * NEAR).then(|| Limit { factor: Factor::Rate, evidence: vec![evidence()] })
}

/// Of datagrams nobody waits for the receiver: what it has no room for is dropped.
fn datagrams(seen: &Seen) -> Option<Limit> {
    let dropped =
        seen.dropped.filter(|&dropped| dropped > DROPS && dropped >= MOST * seen.loss.unwrap_or(0.0));
    if let Some(dropped) = dropped {
        let whose = whose(!seen.sends);
        let text = format!("{:.2} % of the datagrams found no room in {whose} own socket", dropped * 100.0);
        return limit(Factor::ReceiverCpu, text);
    }
    let left = seen.asked.and_then(|asked| Some((seen.sent? / asked, seen.throughput / asked)));
    // What has left and was lost, beside what has not left.
    if let Some((left, came)) = left.filter(|(left, came)| *left >= REACHED || left - came >= 1.0 - left) {
        let text = format!("{} of the rate left, {} came", percent(left), percent(came));
        return Some(network(seen, vec![text]));
    }
    busy_sender(seen).or_else(|| {
        let (left, _) = left.filter(|_| seen.sends)?;
        if seen.found_full > 0 {
            let text = format!("this host's own queue was full {} times", seen.found_full);
            return Some(network(seen, vec![text]));
        }
        let text = format!(
            "{} of the rate left, though there was room at all times: the thread was late",
            percent(left)
        );
        limit(Factor::SenderCpu, text)
    })
}

/// A connection's receiver keeps its sender back by the window.
fn connections(seen: &Seen) -> Option<Limit> {
    let rwnd = seen.rwnd_limited.unwrap_or(0.0);
    let both = rwnd + seen.sndbuf_limited.unwrap_or(0.0);
    // A sender that waits for the receiver is not busy all the time.
    if rwnd < MOST
        && let Some(limit) = busy_sender(seen)
    {
        return Some(limit);
    }
    if let Some(dry) =
        seen.dry.filter(|&dry| seen.sends && dry >= MOST && both < MOST && seen.asked.is_some())
    {
        let text =
            format!("nothing waited in the socket at {} of the looks: the thread was late", percent(dry));
        return limit(Factor::SenderCpu, text);
    }
    if let Some(limit) = busy_receiver(seen) {
        return Some(limit);
    }
    if rwnd >= MOST {
        let text = format!("the receiver's window kept the sender back for {} of the time", percent(rwnd));
        return Some(narrow(seen, seen.window.map(|window| window.granted), text));
    }
    if let Some(limited) = seen.sndbuf_limited.filter(|_| both >= MOST) {
        let text = "of the time the send buffer kept the sender back, and the receiver's window";
        let text = format!("for {} {text} for {}", percent(limited), percent(rwnd));
        return Some(narrow(seen, seen.window.map(|window| window.granted.min(window.buffer)), text));
    }
    let window = seen.window.filter(|window| window.least_rtt > 0.0)?;
    let (octets, full) = match window.is_bounded {
        true => (window.granted.min(window.buffer), MOST),
        // A congestion control with a pace of its own (BBR) seldom meets the window that has set its pace.
        false if rwnd >= SOME => (window.granted, MOST),
        false => (window.granted, OUTGROWN),
    };
    let allowed = octets * 8.0 / window.least_rtt;
    (seen.throughput >= full * allowed).then(|| {
        let rtt = window.least_rtt * 1e3;
        let text = format!("a window of {octets:.0} octets and a round trip of {rtt:.2} ms allow no more");
        Limit { factor: Factor::Window, evidence: vec![text] }
    })
}

/// The sending thread is as busy as can be.
fn busy_sender(seen: &Seen) -> Option<Limit> {
    let busy = if seen.sends { seen.local } else { seen.remote }?;
    let whose = whose(seen.sends);
    (busy >= BUSY).then(|| Limit {
        factor: Factor::SenderCpu,
        evidence: vec![format!("{whose} sender was busy for {} of the time", percent(busy))],
    })
}

/// The receiving thread is as busy as can be, or does not read what has come: at most looks, or at some, when it waits for a processor.
fn busy_receiver(seen: &Seen) -> Option<Limit> {
    let busy = if seen.sends { seen.remote } else { seen.local };
    let whose = whose(!seen.sends);
    let mut evidence = Vec::new();
    // Who waits for a processor has read all for a moment whenever one comes: the window that he closes is open at many looks.
    let late = late_receiver(seen);
    let enough = if late.is_some() { NOW_AND_THEN } else { MOST };
    if let Some(closed) = seen.closed.filter(|&closed| closed >= enough) {
        let text = "receiver had left the window all but closed at";
        evidence.push(format!("{whose} {text} {} of the looks: it was not read", percent(closed)));
        evidence.extend(late);
    }
    if let Some(busy) = busy.filter(|&busy| busy >= BUSY || !evidence.is_empty()) {
        evidence.push(format!("{whose} receiver ran for {} of the time", percent(busy)));
    }
    (!evidence.is_empty()).then_some(Limit { factor: Factor::ReceiverCpu, evidence })
}

/// What is said of a receiving thread that seldom had a processor when it wanted one.
fn late_receiver(seen: &Seen) -> Option<String> {
    let ready = seen.receiver_ready.filter(|&ready| ready >= BUSY)?;
    let whose = whose(!seen.sends);
    Some(format!("{whose} busiest receiver ran or waited for a processor for {} of the time", percent(ready)))
}

/// A window of `octets` was full: because it is small, or because what is in it waits in a queue on the way, or unread.
fn narrow(seen: &Seen, octets: Option<f64>, text: String) -> Limit {
    let mut evidence = vec![text];
    let known = seen.window.zip(octets).filter(|(window, _)| window.least_rtt > 0.0 && window.mean_rtt > 0.0);
    let Some((window, octets)) = known else {
        return Limit { factor: Factor::Window, evidence };
    };
    let allows = |rtt: f64| seen.throughput >= MOST * octets * 8.0 / rtt;
    if allows(window.least_rtt) || allows(window.mean_rtt) && !window.waits() {
        let rtt = window.least_rtt * 1e3;
        evidence.push(format!("{octets:.0} octets of it and a round trip of {rtt:.2} ms allow no more"));
        return Limit { factor: Factor::Window, evidence };
    }
    if allows(window.mean_rtt) {
        return network(seen, evidence);
    }
    let rtt = window.mean_rtt * 1e3;
    let times = octets * 8.0 / window.mean_rtt / seen.throughput.max(1.0);
    let text = format!("{octets:.0} octets of it and a round trip of {rtt:.2} ms would allow");
    evidence.push(format!("{text} {times:.1} times as much: it was not read"));
    Limit { factor: Factor::ReceiverCpu, evidence }
}

/// Nothing at the ends explains it: the way does.
fn network(seen: &Seen, mut evidence: Vec<String>) -> Limit {
    if let Some(loss) = seen.loss.filter(|&loss| loss > 0.0) {
        let what = if seen.is_udp { "of the datagrams were lost" } else { "of the segments were sent again" };
        evidence.push(format!("{:.3} % {what}", loss * 100.0));
    }
    if let Some(dropped) = seen.dropped.filter(|&dropped| dropped > 0.0) {
        evidence.push(format!("{:.3} % found no room in the receiver's own socket", dropped * 100.0));
    }
    if let Some(busy) = seen.local.filter(|&busy| busy < BUSY) {
        evidence.push(format!("no thread of this host was busy for more than {} of the time", percent(busy)));
    }
    evidence.extend(late_receiver(seen).filter(|_| !seen.is_udp));
    if let Some(window) = seen.window.filter(Window::waits) {
        let (least, mean) = (window.least_rtt * 1e3, window.mean_rtt * 1e3);
        let text = "packets waited in a queue on the way: a round trip of";
        evidence.push(format!("{text} {least:.2} ms became {mean:.2} ms"));
    }
    if let Some(limited) = seen.rwnd_limited {
        let text = "the receiver's window kept the sender back for";
        evidence.push(format!("{text} {} of the time", percent(limited)));
    }
    if evidence.is_empty() {
        evidence.push("nothing at the ends explains it".to_owned());
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

    const WIDE: Window =
        Window { granted: 3e6, buffer: 4e6, least_rtt: 0.01, mean_rtt: 0.012, is_bounded: false };
    const SMALL: Window = Window { granted: 1.25e6, ..WIDE };
    const UP: Seen = Seen {
        sends: true,
        is_udp: false,
        throughput: 1e9,
        sent: Some(1e9),
        asked: None,
        allowed: None,
        both_ways: Some(1e9),
        local: Some(0.2),
        remote: Some(0.3),
        receiver_ready: Some(0.3),
        rwnd_limited: Some(0.0),
        sndbuf_limited: Some(0.0),
        closed: Some(0.0),
        dry: Some(0.0),
        window: Some(WIDE),
        loss: Some(0.0),
        dropped: None,
        found_full: 0,
    };
    const DOWN: Seen = Seen { sends: false, rwnd_limited: None, sndbuf_limited: None, dry: None, ..UP };
    const UDP: Seen = Seen {
        is_udp: true,
        rwnd_limited: None,
        sndbuf_limited: None,
        closed: None,
        dry: None,
        window: None,
        asked: Some(1e9),
        ..UP
    };

    #[test]
    fn a_rate_that_is_reached_is_the_limit_whoever_is_busy() {
        for seen in [UP, DOWN, UDP] {
            assert_eq!(factor(Seen { asked: Some(1e9), local: Some(0.99), ..seen }), Factor::Rate);
            assert_eq!(factor(Seen { asked: None, allowed: Some(1e9), ..seen }), Factor::Rate);
            assert_eq!(factor(Seen { asked: None, allowed: Some(2e9), ..seen }), Factor::Network);
            let both = Seen { asked: None, allowed: Some(2e9), both_ways: Some(2e9), ..seen };
            assert_eq!(factor(both), Factor::Rate, "both ways together");
        }
        assert_eq!(factor(Seen { asked: Some(2e9), ..UP }), Factor::Network, "it was not reached");
        // What the sender's kernel took has not come.
        assert_eq!(factor(Seen { asked: Some(2e9), sent: Some(2e9), ..UP }), Factor::Network);
    }

    #[test]
    fn a_sender_knows_what_kept_it_back() {
        assert_eq!(factor(UP), Factor::Network);
        assert_eq!(factor(Seen { local: Some(0.97), ..UP }), Factor::SenderCpu);
        assert_eq!(
            factor(Seen { local: Some(0.97), rwnd_limited: Some(0.9), closed: Some(0.9), ..UP }),
            Factor::ReceiverCpu
        );
        assert_eq!(factor(Seen { dry: Some(1.0), ..UP }), Factor::Network, "its buffer may be small");
        assert_eq!(factor(Seen { dry: Some(1.0), asked: Some(2e9), ..UP }), Factor::SenderCpu, "it was late");
        assert_eq!(factor(Seen { asked: Some(2e9), ..UP }), Factor::Network, "it was not");
        assert_eq!(factor(Seen { remote: Some(0.97), ..UP }), Factor::ReceiverCpu);
        assert_eq!(factor(Seen { loss: Some(0.02), ..UP }), Factor::Network);
    }

    #[test]
    fn a_full_window_is_small_or_unread_or_waits_on_the_way() {
        let full = Seen { rwnd_limited: Some(0.9), window: Some(SMALL), ..UP };
        assert_eq!(factor(full), Factor::Window);
        assert_eq!(factor(Seen { window: None, ..full }), Factor::Window, "nothing else is known");
        assert_eq!(factor(Seen { closed: Some(0.6), ..full }), Factor::ReceiverCpu);
        assert_eq!(
            factor(Seen { window: Some(WIDE), throughput: 1e8, ..full }),
            Factor::ReceiverCpu,
            "unread"
        );
        let queue = Window { least_rtt: 0.001, mean_rtt: 0.01, ..SMALL };
        assert_eq!(
            factor(Seen { window: Some(queue), ..full }),
            Factor::Network,
            "a larger one waits longer"
        );
        let local = Window { granted: 16e3, least_rtt: 0.000_05, mean_rtt: 0.000_2, ..WIDE };
        assert_eq!(factor(Seen { window: Some(local), throughput: 5e8, ..full }), Factor::Window, "no queue");
        let buffer = Seen { sndbuf_limited: Some(0.8), window: Some(Window { buffer: 1e6, ..WIDE }), ..UP };
        assert_eq!(factor(buffer), Factor::Window);
        assert_eq!(
            factor(Seen { rwnd_limited: Some(0.3), sndbuf_limited: Some(0.3), ..buffer }),
            Factor::Window
        );
        let asked = Window { is_bounded: true, ..SMALL };
        assert_eq!(factor(Seen { window: Some(asked), ..UP }), Factor::Window);
        assert_eq!(
            factor(Seen { window: Some(Window { least_rtt: 0.001, ..asked }), ..UP }),
            Factor::Network
        );
    }

    #[test]
    fn a_receiver_looks_at_its_own_window_and_asks_the_other_end() {
        assert_eq!(factor(DOWN), Factor::Network);
        assert_eq!(factor(Seen { remote: Some(0.99), ..DOWN }), Factor::SenderCpu);
        assert_eq!(factor(Seen { local: Some(0.95), ..DOWN }), Factor::ReceiverCpu);
        assert_eq!(factor(Seen { closed: Some(0.8), local: Some(0.01), ..DOWN }), Factor::ReceiverCpu);
        assert_eq!(factor(Seen { window: Some(SMALL), ..DOWN }), Factor::Window, "it has not grown");
        assert_eq!(factor(Seen { window: Some(WIDE), ..DOWN }), Factor::Network, "it has");
        assert_eq!(
            factor(Seen { window: Some(Window { is_bounded: true, ..SMALL }), ..DOWN }),
            Factor::Window
        );
        // Who waits for a processor closes the window now and then, and reads all when one comes.
        let late = Seen { receiver_ready: Some(0.99), local: Some(0.01), ..DOWN };
        assert_eq!(factor(Seen { closed: Some(0.3), ..late }), Factor::ReceiverCpu);
        assert_eq!(factor(Seen { closed: Some(0.3), ..DOWN }), Factor::Network, "it had a processor");
        assert_eq!(factor(late), Factor::Network, "all had room in its socket");
        let queue = Window { least_rtt: 0.000_01, mean_rtt: 0.011, ..SMALL };
        let kept = Seen { rwnd_limited: Some(0.95), window: Some(queue), receiver_ready: Some(0.99), ..UP };
        assert_eq!(factor(kept), Factor::Network, "it waited on the way: all had room");
        assert_eq!(factor(Seen { closed: Some(0.2), ..kept }), Factor::ReceiverCpu, "or unread");
        assert_eq!(factor(Seen { window: Some(SMALL), ..kept }), Factor::Window, "or was small");
        // A sender whose pace the window has set knows as well.
        let fuller = Some(Window { granted: 2e6, ..WIDE });
        assert_eq!(factor(Seen { window: fuller, ..UP }), Factor::Network);
        assert_eq!(factor(Seen { window: fuller, rwnd_limited: Some(0.3), ..UP }), Factor::Window);
    }

    #[test]
    fn datagrams_tell_the_hosts_own_loss_from_the_networks() {
        assert_eq!(factor(UDP), Factor::Rate);
        let lossy = Seen { throughput: 5e8, loss: Some(0.5), ..UDP };
        for seen in [lossy, Seen { sends: false, ..lossy }] {
            assert_eq!(factor(seen), Factor::Network, "it left, and did not come");
            assert_eq!(factor(Seen { dropped: Some(0.5), ..seen }), Factor::ReceiverCpu);
            assert_eq!(
                factor(Seen { dropped: Some(0.1), ..seen }),
                Factor::Network,
                "most was the network's"
            );
        }
        let late = Seen { sent: Some(8e8), ..lossy };
        assert_eq!(factor(late), Factor::Network, "more was lost than was not sent");
        assert_eq!(factor(Seen { throughput: 7e8, ..late }), Factor::SenderCpu);
        let slow = Seen { throughput: 5e8, sent: Some(5e8), ..UDP };
        assert_eq!(factor(slow), Factor::SenderCpu, "it was late");
        assert_eq!(factor(Seen { found_full: 3, ..slow }), Factor::Network, "its queue was full");
        assert_eq!(factor(Seen { local: Some(0.99), found_full: 3, ..slow }), Factor::SenderCpu);
        assert_eq!(factor(Seen { sends: false, ..slow }), Factor::Network, "nobody knows");
        assert_eq!(factor(Seen { sends: false, remote: Some(0.9), ..slow }), Factor::SenderCpu);
        // A receiver that is busy and drops nothing is no limit.
        assert_eq!(factor(Seen { sends: false, local: Some(0.99), asked: None, ..slow }), Factor::Network);
    }
}
