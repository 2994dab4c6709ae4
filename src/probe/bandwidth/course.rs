//! The course of a test: what each stream had moved at each interval, and all together every 100 ms.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Bandwidth;
use super::looks::Looks;
use super::report::{Bins, Interval, RoundTrips, Stalls, Tally, rate};
use super::trace::{DatagramCounts, Ends, Kernel, Snapshot, Total};
use crate::net::bulk::{Gauge, Reading, Worker};
use crate::probe::{Event, Events};
use crate::stats::percentile;
use crate::sys::{bulk, tcp};
use crate::units::Now;

/// The width of a bin.
pub(super) const BIN: Duration = Duration::from_millis(100);

/// One stream.
pub(super) struct Lane {
    pub(super) ends: Ends,
    pub(super) gauge: Arc<Gauge>,
    pub(super) tcp: Option<TcpStream>,
    /// What it showed when counting began, and at the last interval.
    base: Reading,
    last: Reading,
    /// The same of its connection.
    base_tcp: tcp::Info,
    last_tcp: tcp::Info,
    /// Segments sent again that intervals have told.
    told_again: u32,
    /// The largest congestion window and window granted, octets.
    windows: (u64, u64),
    /// Round trips in microseconds: least, largest, their sum, how many.
    rtts: (u64, u64, u64, u64),
    looks: Looks,
    /// What it came to; nothing after that counts.
    pub(super) end: Reading,
    has_ended: bool,
}

impl Lane {
    /// A stream that `start` starts. What is sent again from then on is the test's, and of the handshake nothing.
    ///
    /// # Errors
    /// Those of `start`.
    pub(super) fn started(
        ends: Ends,
        tcp: Option<TcpStream>,
        start: impl FnOnce() -> io::Result<Worker>,
    ) -> io::Result<(Self, Worker)> {
        let info = tcp.as_ref().and_then(|tcp| tcp::info(tcp.as_fd()).ok()).unwrap_or_default();
        let worker = start()?;
        let zero = Reading::default();
        let lane = Self {
            ends,
            gauge: Arc::clone(worker.gauge()),
            tcp,
            base: zero,
            last: zero,
            base_tcp: info,
            last_tcp: info,
            told_again: info.retransmits,
            windows: (0, 0),
            rtts: (u64::MAX, 0, 0, 0),
            looks: Looks::default(),
            end: zero,
            has_ended: false,
        };
        Ok((lane, worker))
    }

    fn info(&self) -> Option<tcp::Info> {
        self.tcp.as_ref().and_then(|tcp| tcp::info(tcp.as_fd()).ok())
    }

    /// Looks at the connection, of a sender.
    fn sample(&mut self) -> Option<tcp::Info> {
        let info = self.info().filter(|_| self.ends.sends)?;
        self.windows =
            (self.windows.0.max(info.window()), self.windows.1.max(info.snd_wnd.unwrap_or(0).into()));
        if let Some(rtt) = info.rtt {
            let us = rtt.as_micros() as u64;
            let (least, most, sum, count) = self.rtts;
            self.rtts = (least.min(us), most.max(us), sum + us, count + 1);
        }
        Some(info)
    }

    /// Looks at the connection, whoever sends.
    fn look(&mut self) {
        let info = if self.ends.sends { self.sample() } else { self.info() };
        if let Some(info) = info {
            self.looks.note(&info, self.ends.sends);
        }
    }

    /// What was moved since the last interval.
    fn since(&mut self, span: Duration) -> (Tally, Option<tcp::Info>) {
        let reading = if self.has_ended { self.end } else { self.gauge.read() };
        let info = self.sample();
        let moved = reading.since(&self.last);
        let again = info.map(|info| {
            let before = std::mem::replace(&mut self.told_again, info.retransmits);
            u64::from(info.retransmits.saturating_sub(before))
        });
        let is_udp = self.tcp.is_none();
        let datagrams = if self.ends.sends { moved.units } else { reading.highest - self.last.highest };
        let tally = Tally {
            bytes: moved.octets,
            throughput_bps: rate(moved.octets, span),
            retransmits: again,
            cwnd_bytes: info.as_ref().map(tcp::Info::window),
            datagrams: is_udp.then_some(datagrams),
            lost: (is_udp && !self.ends.sends).then_some(moved.lost),
            jitter: (is_udp && !self.ends.sends).then_some(reading.jitter),
        };
        (self.last, self.last_tcp) = (reading, info.unwrap_or(self.last_tcp));
        (tally, info)
    }

    /// What it has moved of what counts.
    pub(super) fn counted(&self) -> Reading {
        self.end.since(&self.base)
    }

    /// What did not count.
    pub(super) const fn omitted(&self) -> &Reading {
        &self.base
    }

    /// Segments sent again, of a sender over TCP.
    pub(super) fn retransmits(&self) -> Option<u64> {
        let knows = self.ends.sends && self.tcp.is_some();
        knows.then(|| u64::from(self.last_tcp.retransmits.saturating_sub(self.base_tcp.retransmits)))
    }

    /// How long the receiver's window, and how long the own buffer kept a sender back that had something to send.
    pub(super) fn limited(&self) -> Option<[Duration; 2]> {
        let of = |info: &tcp::Info| Some([info.rwnd_limited?, info.sndbuf_limited?]);
        let (end, base) = (of(&self.last_tcp)?, of(&self.base_tcp).unwrap_or_default());
        self.ends.sends.then(|| std::array::from_fn(|n| end[n].saturating_sub(base[n])))
    }

    /// What its connection looked like.
    pub(super) const fn looks(&self) -> &Looks {
        &self.looks
    }

    /// The least round trip of late and their mean, in seconds; of who receives, the least alone.
    pub(super) fn round_trip(&self) -> Option<(f64, f64)> {
        let (_, _, sum, count) = self.rtts;
        let mean = (count > 0).then(|| sum as f64 / count as f64 / 1e6);
        let least = self.last_tcp.min_rtt.map(|rtt| rtt.as_secs_f64());
        Some((least.or(mean)?, mean.or(least)?))
    }

    /// The sizes of its buffers in octets: send, receive.
    pub(super) fn buffers(&self) -> Option<[usize; 2]> {
        let (send, receive) = bulk::buffers(self.tcp.as_ref()?)?;
        Some([send, receive])
    }

    /// `told` of both ends, and what this one alone knows.
    pub(super) fn total(&self, told: Total) -> Total {
        let (least, most, sum, count) = self.rtts;
        let rtt_us = sum.checked_div(count).map_or((0, 0, 0), |mean| (most, least, mean));
        Total {
            reorder: self.last_tcp.reordering.unwrap_or(0).into(),
            windows: self.windows,
            rtt_us,
            datagrams: DatagramCounts { disordered: self.counted().disordered, ..told.datagrams },
            ..told
        }
    }
}

/// All streams.
pub(super) struct Course {
    pub(super) lanes: Vec<Lane>,
    /// When it began, or when counting did.
    from: Instant,
    omits: bool,
    last: Instant,
    /// Octets of each bin: sent, received; and when the last one ended.
    bins: [Vec<f64>; 2],
    bin_octets: [u64; 2],
    bin_end: Instant,
    /// Every interval of each direction: sent, received.
    pub(super) intervals: [Vec<Interval>; 2],
    pub(super) trace: Vec<Vec<Snapshot>>,
    /// Another program's form tells each interval as it ends.
    is_streamed: bool,
    events: Events,
}

impl Course {
    pub(super) fn new(lanes: Vec<Lane>, began: Instant, asked: &Bandwidth, events: Events) -> Self {
        Self {
            lanes,
            from: began,
            omits: !asked.omit.0.is_zero(),
            last: began,
            bins: [Vec::new(), Vec::new()],
            bin_octets: [0; 2],
            bin_end: began,
            intervals: [Vec::new(), Vec::new()],
            trace: Vec::new(),
            is_streamed: asked.json_stream,
            events,
        }
    }

    /// When the next bin is full.
    pub(super) fn next_bin(&self) -> Instant {
        self.bin_end + BIN
    }

    fn octets(&self) -> [u64; 2] {
        let sum = |sends| {
            self.lanes
                .iter()
                .filter(|lane| lane.ends.sends == sends)
                .map(|lane| lane.gauge.read().octets)
                .sum()
        };
        [sum(true), sum(false)]
    }

    /// A bin is full.
    pub(super) fn bin(&mut self, now: Instant) {
        let octets = self.octets();
        let span = (now - self.bin_end).as_secs_f64();
        for way in [0, 1] {
            self.bins[way].push((octets[way] - self.bin_octets[way]) as f64 * 8.0 / span);
        }
        (self.bin_octets, self.bin_end) = (octets, now);
        self.lanes.iter_mut().for_each(Lane::look);
    }

    /// An interval is over.
    pub(super) fn interval(&mut self, now: Now) {
        let span = now.mono - self.last;
        let (start, end) = (self.last - self.from, now.mono - self.from);
        let omitted = self.omits;
        let tallies: Vec<(Ends, Tally, Option<tcp::Info>)> = self
            .lanes
            .iter_mut()
            .map(|lane| {
                let (tally, info) = lane.since(span);
                (lane.ends, tally, info)
            })
            .collect();
        self.last = now.mono;
        let snapshot = |(_, tally, info): &(Ends, Tally, Option<tcp::Info>)| Snapshot {
            span: (start, end),
            tally: *tally,
            tcp: info.as_ref().map(Kernel::from),
            omitted,
        };
        let snapshots: Vec<Snapshot> = tallies.iter().map(snapshot).collect();
        if self.is_streamed {
            self.events.tell(Event::Snapshots { of: snapshots.clone() });
        }
        self.trace.push(snapshots);
        let is_both =
            tallies.iter().any(|(ends, ..)| ends.sends) && tallies.iter().any(|(ends, ..)| !ends.sends);
        let is_alone = tallies.len() == 1 + usize::from(is_both);
        let tell = |stream: Option<u32>, up: bool, tally: Tally| {
            let (at, is_whole) = (now.wall, stream.is_none() || is_alone);
            self.events.tell(Event::Throughput {
                at,
                stream,
                is_whole,
                up,
                both: is_both,
                start,
                end,
                tally,
                omitted,
            });
        };
        for (way, sends) in [(0, true), (1, false)] {
            let of: Vec<(u32, Tally)> = tallies
                .iter()
                .filter(|(ends, ..)| ends.sends == sends)
                .map(|(ends, tally, _)| (ends.id, *tally))
                .collect();
            if of.is_empty() {
                continue;
            }
            of.iter().for_each(|(id, tally)| tell(Some(*id), sends, *tally));
            let all: Vec<Tally> = of.iter().map(|(_, tally)| *tally).collect();
            let tally = Tally::sum(&all, span);
            if of.len() > 1 {
                tell(None, sends, tally);
            }
            self.intervals[way].push(Interval { start, end, tally, omitted });
        }
    }

    /// What came so far does not count.
    pub(super) fn begin_anew(&mut self, now: Instant) {
        self.omits = false;
        (self.from, self.last, self.bin_end) = (now, now, now);
        self.bins = [Vec::new(), Vec::new()];
        for lane in &mut self.lanes {
            (lane.base, lane.base_tcp) = (lane.gauge.read(), lane.info().unwrap_or(lane.last_tcp));
            (lane.last, lane.last_tcp) = (lane.base, lane.base_tcp);
            lane.told_again = lane.base_tcp.retransmits;
            (lane.windows, lane.rtts, lane.looks) = ((0, 0), (u64::MAX, 0, 0, 0), Looks::default());
        }
        self.bin_octets = self.octets();
    }

    /// Notes what the streams of one direction have come to.
    pub(super) fn end(&mut self, sends: bool) {
        for lane in self.lanes.iter_mut().filter(|lane| lane.ends.sends == sends) {
            (lane.end, lane.has_ended) = (lane.gauge.read(), true);
            lane.last_tcp = lane.info().unwrap_or(lane.last_tcp);
        }
    }

    /// All threads are at rest: what they have used of a processor is known, and what their sockets had no room for. What they
    /// have moved after the end stays out.
    pub(super) fn rest(&mut self) {
        for lane in &mut self.lanes {
            let Reading { processor, waited, overflow, .. } = lane.gauge.read();
            (lane.end.processor, lane.end.waited, lane.end.overflow) = (processor, waited, overflow);
        }
    }

    /// When it began, or when counting did.
    pub(super) const fn from(&self) -> Instant {
        self.from
    }

    /// Whether the last interval has just ended.
    pub(super) fn is_told(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) < Duration::from_millis(10)
    }

    /// Whether something was moved since the last interval, or time has passed.
    pub(super) fn has_more(&self, now: Instant) -> bool {
        !self.is_told(now) || self.lanes.iter().any(|lane| lane.gauge.read().octets > lane.last.octets)
    }

    /// The bins of a direction.
    pub(super) fn bins(&self, sends: bool) -> Option<Bins> {
        let mut sorted = self.bins[usize::from(!sends)].clone();
        sorted.sort_by(f64::total_cmp);
        let at = |q| percentile(&sorted, q);
        Some(Bins {
            count: sorted.len() as u64,
            min_bps: *sorted.first()?,
            p5_bps: at(0.05)?,
            p50_bps: at(0.5)?,
            p95_bps: at(0.95)?,
            max_bps: *sorted.last()?,
        })
    }

    /// When nothing was moved, between bins in which something was.
    pub(super) fn stalls(&self, sends: bool) -> Stalls {
        stalls(&self.bins[usize::from(!sends)])
    }

    /// Round trips of a direction that this host sends.
    pub(super) fn round_trips(&self) -> Option<RoundTrips> {
        let lanes = || self.lanes.iter().filter(|lane| lane.rtts.3 > 0);
        let us = Duration::from_micros;
        let (sum, count) =
            lanes().fold((0, 0), |(sum, count), lane| (sum + lane.rtts.2, count + lane.rtts.3));
        Some(RoundTrips {
            min: us(lanes().map(|lane| lane.rtts.0).min()?),
            mean: us(sum / count),
            max: us(lanes().map(|lane| lane.rtts.1).max()?),
            cwnd_max_bytes: lanes().map(|lane| lane.windows.0).max()?,
            pmtu_bytes: lanes().map(|lane| lane.last_tcp.pmtu).max()?,
        })
    }
}

fn stalls(bins: &[f64]) -> Stalls {
    let moved = |bin: &f64| *bin > 0.0;
    let (Some(first), Some(last)) = (bins.iter().position(moved), bins.iter().rposition(moved)) else {
        return Stalls::default();
    };
    let runs = bins[first..=last].split(moved).map(<[f64]>::len).filter(|&length| length > 0);
    let mut stalls = Stalls::default();
    for length in runs {
        let time = BIN * length as u32;
        stalls.count += 1;
        stalls.total += time;
        stalls.longest = stalls.longest.max(time);
    }
    stalls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_lies_between_what_moves() {
        let found = stalls(&[0.0, 5.0, 0.0, 0.0, 0.0, 5.0, 0.0, 7.0, 0.0, 0.0]);
        let ms = Duration::from_millis;
        assert_eq!(found, Stalls { count: 2, total: ms(400), longest: ms(300) });
        assert_eq!(stalls(&[0.0, 0.0]), Stalls::default());
        assert_eq!(stalls(&[]), Stalls::default());
    }
}
