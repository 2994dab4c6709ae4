//! What came of a test: the results that the client is told.

use std::time::Duration;

use super::streams::{Glance, Line};
use crate::net::bulk::Reading;
use crate::sys::tcp;
use crate::wire::iperf3::{Cpu, Inside, Params, Results, Stream, Transport};

/// What a stream has moved once what was omitted is taken off.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    pub(super) id: u32,
    pub(super) sends: bool,
    pub(super) octets: u64,
    /// Segments sent again, where we send and know it.
    pub(super) retransmits: Option<u64>,
    pub(super) jitter: Duration,
    /// Datagrams lost, or sent; and what of them was omitted.
    pub(super) lost: (i64, i64),
    pub(super) packets: (u64, u64),
}

impl Moved {
    /// What was moved from `base`, the end of what was omitted, to `end`.
    pub(super) fn between(line: &Line, base: &Glance, end: &Glance) -> Self {
        let packets = |glance: &Glance| match line.sends {
            true => glance.reading.units,
            false => glance.reading.highest,
        };
        let retransmits = |sent: tcp::Info| {
            sent.retransmits.saturating_sub(base.sent.map_or(0, |sent| sent.retransmits)).into()
        };
        Self {
            id: line.id,
            sends: line.sends,
            octets: end.reading.octets.saturating_sub(base.reading.octets),
            retransmits: end.sent.map(retransmits),
            jitter: end.reading.jitter,
            lost: (end.reading.lost, base.reading.lost),
            packets: (packets(end), packets(base)),
        }
    }

    /// Datagrams lost after what was omitted. One that came late may have been counted as lost before.
    pub(super) fn lost(&self) -> u64 {
        u64::try_from(self.lost.0 - self.lost.1).unwrap_or(0)
    }

    /// Datagrams after what was omitted.
    pub(super) fn counted(&self) -> u64 {
        self.packets.0.saturating_sub(self.packets.1)
    }
}

/// Processor time of a test's threads, in percent of its time. The kernel tells a thread's time as a whole: how much of it was the
/// kernel's own is taken from the whole process meanwhile.
pub(super) fn cpu(threads: Duration, process: (Duration, Duration), time: Duration) -> Cpu {
    let (user, system) = process;
    let both = (user + system).as_secs_f64();
    let total = percent(threads, time);
    let share = if both > 0.0 { user.as_secs_f64() / both } else { 0.0 };
    Cpu { total, user: total * share, system: total * (1.0 - share) }
}

fn percent(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { part.as_secs_f64() / whole.as_secs_f64() * 100.0 }
}

/// What a client that is a waddleperf is told besides: how busy our threads were, what we dropped, and the `ceiling`.
pub(super) fn inside(lines: &[(bool, Reading)], time: Duration, ceiling: u64, is_udp: bool) -> Inside {
    let busiest = |sends: bool, busy: fn(&Reading) -> Duration| {
        let times = lines.iter().filter(|line| line.0 == sends).map(|(_, reading)| busy(reading));
        times.max().filter(|_| !time.is_zero()).map(|busy| busy.as_secs_f64() / time.as_secs_f64())
    };
    let received = || lines.iter().filter(|line| !line.0).map(|(_, reading)| reading.overflow);
    Inside {
        sender: busiest(true, |reading| reading.processor + reading.waited),
        // A thread that waits for a processor is late; what was received meanwhile lies in its socket.
        receiver: busiest(false, |reading| reading.processor),
        rate: (ceiling > 0).then_some(ceiling),
        dropped: (is_udp && received().count() > 0).then(|| received().sum()),
    }
}

/// What the client is told. Of flows through which it receives, it is told its own jitter again, as iperf3 does.
pub(super) fn results(
    params: &Params,
    moved: &[Moved],
    time: Duration,
    cpu: Cpu,
    congestion: Option<String>,
    theirs: &Results,
) -> Results {
    let is_udp = params.transport == Transport::Udp;
    let sends = moved.iter().any(|moved| moved.sends);
    let knows = !is_udp && moved.iter().any(|moved| moved.retransmits.is_some());
    let stream = |moved: &Moved| {
        let echoed = theirs.streams.iter().find(|stream| stream.id == moved.id && moved.sends);
        Stream {
            id: moved.id,
            bytes: moved.octets,
            retransmits: moved.retransmits.filter(|_| !is_udp),
            jitter: echoed.map_or(Some(moved.jitter), |stream| stream.jitter),
            errors: if is_udp { moved.lost.0 } else { 0 },
            packets: if is_udp { moved.packets.0 } else { 0 },
            omitted: Some(if is_udp { (moved.lost.1, moved.packets.1) } else { (0, 0) }),
            elapsed: Some(time),
        }
    };
    Results {
        cpu,
        knows_retransmits: sends.then_some(knows),
        congestion,
        output: None,
        inside: None,
        streams: moved.iter().map(stream).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn udp() -> Params {
        Params { transport: Transport::Udp, ..Params::default() }
    }

    #[test]
    fn what_was_omitted_is_told_apart() {
        let moved = Moved { id: 1, octets: 9000, lost: (12, 2), packets: (1000, 100), ..Moved::default() };
        assert_eq!((moved.lost(), moved.counted()), (10, 900));
        let told =
            results(&udp(), &[moved], Duration::from_secs(2), Cpu::default(), None, &Results::default());
        let [stream] = told.streams[..] else { panic!("one stream") };
        assert_eq!((stream.errors, stream.packets, stream.omitted), (12, 1000, Some((2, 100))));
        assert_eq!(
            (told.knows_retransmits, stream.retransmits, stream.elapsed),
            (None, None, Some(Duration::from_secs(2)))
        );
        let late = Moved { lost: (1, 2), ..moved };
        assert_eq!(late.lost(), 0);
    }

    #[test]
    fn a_senders_retransmits_are_known_over_tcp_alone() {
        let sent = Moved { id: 1, sends: true, retransmits: Some(3), ..Moved::default() };
        let theirs = Results {
            streams: vec![Stream { id: 1, jitter: Some(Duration::from_millis(500)), ..Stream::default() }],
            ..Results::default()
        };
        let told = |params: &Params, moved: Moved| {
            results(params, &[moved], Duration::from_secs(1), Cpu::default(), None, &theirs)
        };
        let tcp = told(&Params::default(), sent);
        assert_eq!((tcp.knows_retransmits, tcp.streams[0].retransmits), (Some(true), Some(3)));
        let udp = told(&udp(), Moved { retransmits: None, ..sent });
        assert_eq!(
            (udp.knows_retransmits, udp.streams[0].jitter),
            (Some(false), Some(Duration::from_millis(500)))
        );
    }

    #[test]
    fn our_own_clients_are_told_who_was_busy_and_what_was_dropped() {
        let ms = Duration::from_millis;
        let line = |processor, waited, overflow| Reading {
            processor: ms(processor),
            waited: ms(waited),
            overflow,
            ..Reading::default()
        };
        let lines = [(true, line(100, 800, 0)), (true, line(500, 0, 0)), (false, line(300, 600, 7))];
        let told = inside(&lines, ms(1000), 0, true);
        assert_eq!((told.sender, told.receiver), (Some(0.9), Some(0.3)));
        assert_eq!((told.rate, told.dropped), (None, Some(7)));
        let told = inside(&lines[..2], ms(1000), 8, true);
        assert_eq!((told.receiver, told.rate, told.dropped), (None, Some(8), None));
        assert_eq!(inside(&lines, ms(0), 0, false), Inside::default());
    }

    #[test]
    fn time_of_threads_is_percent_of_the_tests() {
        let ms = Duration::from_millis;
        let cpu = cpu(ms(1500), (ms(300), ms(900)), ms(1000));
        assert_eq!((cpu.total, cpu.user, cpu.system), (150.0, 37.5, 112.5));
        assert_eq!(super::cpu(ms(1), (ms(0), ms(0)), ms(0)), Cpu::default());
    }
}
