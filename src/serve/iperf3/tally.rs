//! What came of a test: the results that the client is told.

use std::time::Duration;

use super::running::Outcome;
use super::streams::{Glance, Line};
use crate::net::bulk::Reading;
use crate::sys::tcp;
use crate::wire::iperf3::{Cpu, Inside, Params, Results, Stream, Transport};

/// What a stream has moved.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    /// Whether we sent.
    pub(super) sends: bool,
    /// What we have seen of it; of what was sent, jitter is the client's to tell.
    pub(super) seen: Stream,
}

impl Moved {
    /// What was moved in `time` from `base`, the end of what does not count, to `end`.
    pub(super) fn between(line: &Line, base: &Glance, end: &Glance, time: Duration) -> Self {
        let packets = |glance: &Glance| match (line.is_udp(), line.sends) {
            (false, _) => 0,
            (true, true) => glance.reading.units,
            (true, false) => glance.reading.highest,
        };
        let retransmits =
            |sent: tcp::Info| sent.retransmits.saturating_sub(base.sent.map_or(0, |sent| sent.retransmits));
        let seen = Stream {
            id: line.id,
            bytes: end.reading.octets.saturating_sub(base.reading.octets),
            retransmits: end.sent.map(retransmits).map(u64::from),
            jitter: Some(end.reading.jitter),
            errors: end.reading.lost,
            packets: packets(end),
            omitted: Some((base.reading.lost, packets(base))),
            elapsed: Some(time),
        };
        Self { sends: line.sends, seen }
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
        sender: busiest(true, Reading::ready),
        // What comes while a receiver waits for a processor lies in its socket: that may do no harm.
        receiver: busiest(false, |reading| reading.processor),
        receiver_ready: busiest(false, Reading::ready),
        rate: (ceiling > 0).then_some(ceiling),
        dropped: (is_udp && received().count() > 0).then(|| received().sum()),
    }
}

/// What the client is told. Of flows through which it receives, it is told its own jitter again, as iperf3 does.
pub(super) fn results(params: &Params, outcome: &Outcome, theirs: Option<&Results>) -> Results {
    let moved = &outcome.moved;
    let knows = params.transport == Transport::Tcp && moved.iter().any(|of| of.seen.retransmits.is_some());
    let stream = |of: &Moved| {
        let told = theirs.iter().flat_map(|theirs| &theirs.streams);
        let echoed = told.filter(|_| of.sends).find(|stream| stream.id == of.seen.id);
        Stream { jitter: echoed.map_or(of.seen.jitter, |stream| stream.jitter), ..of.seen }
    };
    Results {
        cpu: outcome.cpu,
        knows_retransmits: moved.iter().any(|of| of.sends).then_some(knows),
        congestion: outcome.congestion.clone(),
        output: None,
        inside: None,
        streams: moved.iter().map(stream).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(sends: bool, seen: Stream) -> Outcome {
        Outcome { moved: vec![Moved { sends, seen }], ..Outcome::default() }
    }

    #[test]
    fn a_senders_retransmits_are_known_over_tcp_alone() {
        let jitter = Some(Duration::from_millis(500));
        let theirs =
            Results { streams: vec![Stream { id: 1, jitter, ..Stream::default() }], ..Results::default() };
        let told = |transport, retransmits| {
            let params = Params { transport, ..Params::default() };
            let seen = Stream { id: 1, retransmits, ..Stream::default() };
            results(&params, &outcome(true, seen), Some(&theirs))
        };
        let tcp = told(Transport::Tcp, Some(3));
        assert_eq!((tcp.knows_retransmits, tcp.streams[0].retransmits), (Some(true), Some(3)));
        let udp = told(Transport::Udp, None);
        assert_eq!((udp.knows_retransmits, udp.streams[0].jitter), (Some(false), jitter));
    }

    #[test]
    fn who_only_receives_has_nothing_to_send_again_and_its_own_jitter() {
        let seen = Stream { id: 1, jitter: Some(Duration::from_millis(2)), ..Stream::default() };
        let theirs = Results { streams: vec![Stream { id: 1, ..Stream::default() }], ..Results::default() };
        let told = results(&Params::default(), &outcome(false, seen), Some(&theirs));
        assert_eq!((told.knows_retransmits, told.streams[0]), (None, seen));
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
        assert_eq!((told.sender, told.receiver, told.receiver_ready), (Some(0.9), Some(0.3), Some(0.9)));
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
