//! What both ends have seen of a direction, put together for a judgement of what limited it.

use std::time::Duration;

use super::both::Both;
use super::course::Lane;
use super::limit::{Limit, Seen, Window, judge};
use super::report::Flow;
use super::told::Told;
use crate::net::bulk::Reading;
use crate::sys::tcp;
use crate::wire::iperf3::Inside;

impl Told {
    /// What kept a direction from being faster.
    pub(super) fn limit(&self, both: &Both<'_>, lanes: &[&Lane], sends: bool, flow: &Flow) -> Option<Limit> {
        let lanes = || lanes.iter().copied();
        let span = self.spans[usize::from(!sends)].as_secs_f64();
        let throughput = flow.throughput_bps.filter(|_| span > 0.0)?;
        let count = lanes().count().max(1) as f64;
        // A thread notes its time now and then, which over a few milliseconds is more than there were.
        let busiest = |busy: fn(&Reading) -> Duration| {
            lanes().map(|lane| (busy(&lane.counted()).as_secs_f64() / span).min(1.0)).reduce(f64::max)
        };
        let ran = busiest(|counted| counted.processor);
        let ready = busiest(Reading::ready);
        // Of the whole time: a sender that seldom has something to send waits for the receiver all the time that it has.
        let times: Option<Vec<[Duration; 2]>> = lanes().map(Lane::limited).collect();
        let share = |n: usize| {
            let kept: Duration = times.as_ref()?.iter().map(|of| of[n]).sum();
            Some(kept.as_secs_f64() / (span * count))
        };
        let mean = |of: fn(&Lane) -> Option<f64>| {
            let all: Option<Vec<f64>> = lanes().map(of).collect();
            all.filter(|all| !all.is_empty()).map(|all| all.iter().sum::<f64>() / count)
        };
        let inside = both.theirs.and_then(|theirs| theirs.inside);
        let told = |of: fn(&Inside) -> Option<f64>| inside.as_ref().and_then(of);
        let process = both.theirs.map(|theirs| theirs.cpu.total / 100.0);
        // One thread or several: a server that is no waddleperf tells of them together.
        let remote = match (inside, sends) {
            (Some(inside), true) => inside.receiver,
            (Some(inside), false) => inside.sender,
            (None, _) => process,
        };
        // A sender that waits for a processor lets its socket run dry; what a receiver is late for lies in its socket.
        let (local, receiver_ready) = match sends {
            true => (ready, told(|inside| inside.receiver_ready)),
            false => (ran, ready),
        };
        let asked = self.asked.rate().bps;
        Some(judge(&Seen {
            sends,
            is_udp: self.asked.udp,
            throughput,
            sent: flow.sent.and_then(|moved| moved.rate()),
            asked: (asked > 0).then_some(asked as f64 * count),
            allowed: told(|inside| inside.rate.map(|rate| rate as f64)),
            both_ways: both.moved(),
            local,
            remote,
            receiver_ready,
            rwnd_limited: share(0),
            sndbuf_limited: share(1),
            closed: mean(|lane| lane.looks().closed()),
            dry: mean(|lane| lane.looks().dry()),
            window: self.window(lanes(), sends, count),
            loss: flow.udp.map_or_else(|| self.again(flow), |udp| udp.loss_ratio),
            dropped: self.dropped(flow, told(|inside| inside.dropped.map(|dropped| dropped as f64))),
            found_full: lanes().map(|lane| lane.counted().full).sum(),
        }))
    }

    /// The windows of all streams together, and their round trips.
    fn window<'a>(&self, lanes: impl Iterator<Item = &'a Lane>, sends: bool, count: f64) -> Option<Window> {
        let lanes: Vec<&Lane> = lanes.collect();
        let granted: Option<f64> = lanes.iter().map(|lane| lane.looks().widest()).sum();
        let rtts: Option<Vec<(f64, f64)>> = lanes.iter().map(|lane| lane.round_trip()).collect();
        let rtts = rtts.filter(|all| !all.is_empty())?;
        // Half of a buffer is for the kernel's own use (socket(7)).
        let buffer: Option<f64> =
            lanes.iter().map(|lane| Some(lane.buffers()?[usize::from(!sends)] as f64 / 2.0)).sum();
        // Who does not send can look whether its own has grown as far as it may.
        let most = tcp::largest_receive_buffer().filter(|_| !sends);
        let has_grown =
            |most: u64| lanes.iter().all(|lane| lane.buffers().is_some_and(|of| of[1] as u64 >= most));
        Some(Window {
            granted: granted.or(buffer)?,
            buffer: buffer?,
            least_rtt: rtts.iter().map(|rtt| rtt.0).fold(f64::INFINITY, f64::min),
            mean_rtt: rtts.iter().map(|rtt| rtt.1).sum::<f64>() / count,
            is_bounded: self.asked.window.is_some() || most.is_some_and(has_grown),
        })
    }

    /// Segments sent again, as a share of all.
    fn again(&self, flow: &Flow) -> Option<f64> {
        let segments = flow.sent?.bytes as f64 / f64::from(self.trace.mss.max(1));
        (segments >= 1.0).then_some(flow.retransmits? as f64 / segments)
    }

    /// Datagrams that the receiver's own socket had no room for, as a share of all: this host's, or what the server tells.
    fn dropped(&self, flow: &Flow, theirs: Option<f64>) -> Option<f64> {
        let udp = flow.udp?;
        let dropped = udp.dropped_here.map(|dropped| dropped as f64).or(theirs)?;
        Some(dropped / udp.seen?.max(udp.sent.unwrap_or(0)).max(1) as f64)
    }
}
