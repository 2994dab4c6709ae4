//! What a conversation has brought: what this host tells the server, and the report with what the server has told.

use std::time::Duration;

use super::Bandwidth;
use super::both::Both;
use super::course::{Course, Lane};
use super::report::{Datagrams, Flow, Report};
use super::trace::Trace;
use crate::wire::iperf3::{Cpu, Results, Stream};

/// What a conversation has brought.
pub(super) struct Told {
    pub(super) asked: Bandwidth,
    /// What iperf3's own form tells of the beginning.
    pub(super) trace: Trace,
    pub(super) course: Course,
    /// How long what counts took: of what this host sent, of what it received.
    pub(super) spans: [Duration; 2],
    /// Processor time of this process meanwhile, and how long that was: its own, the kernel's for it.
    pub(super) processor: (Duration, Duration, Duration),
    pub(super) congestion: Option<String>,
    /// Its connections could take several paths.
    pub(super) multipath: bool,
    pub(super) results: Option<Results>,
    /// Why it ended before its end.
    pub(super) ended: Option<String>,
}

impl Told {
    /// What this host tells the server.
    pub(super) fn ours(&self) -> Results {
        let lanes = &self.course.lanes;
        let is_tcp = !self.asked.udp;
        Results {
            cpu: self.cpu(),
            knows_retransmits: lanes.iter().any(|lane| lane.ends.sends).then_some(is_tcp),
            congestion: self.congestion.clone().filter(|_| is_tcp),
            output: None,
            inside: None,
            streams: lanes.iter().map(|lane| self.stream(lane)).collect(),
        }
    }

    fn stream(&self, lane: &Lane) -> Stream {
        let (omitted, sends) = (lane.omitted(), lane.ends.sends);
        Stream {
            id: lane.ends.id,
            bytes: lane.counted().octets,
            retransmits: lane.retransmits(),
            jitter: (!sends).then_some(lane.end.jitter),
            errors: if sends { 0 } else { lane.end.lost },
            packets: if sends { lane.end.units } else { lane.end.highest },
            omitted: Some(if sends { (0, omitted.units) } else { (omitted.lost, omitted.highest) }),
            elapsed: Some(self.spans[usize::from(!sends)]),
        }
    }

    /// Processor time of this process, in percent.
    fn cpu(&self) -> Cpu {
        let (user, system, time) = self.processor;
        let of = |span: Duration| 100.0 * span.as_secs_f64() / time.as_secs_f64().max(1e-9);
        Cpu { total: of(user + system), user: of(user), system: of(system) }
    }

    /// What both ends have seen, and what this host knows besides.
    pub(super) fn report(self) -> Report {
        let ours = self.ours();
        let theirs = self.results.as_ref();
        let both = Both { asked: &self.asked, is_client: true, ours: &ours, theirs };
        let report = both.report(self.trace.length);
        Report {
            up: report.up.map(|flow| self.flow(&both, true, flow)),
            down: report.down.map(|flow| self.flow(&both, false, flow)),
            server_output: theirs.and_then(|results| results.output.clone()),
            multipath: self.multipath,
            ended: self.ended.clone(),
            trace: Some(Box::new(self.trace(&both))),
            ..report
        }
    }

    /// A direction, with what this host alone has seen of it.
    fn flow(&self, both: &Both<'_>, sends: bool, flow: Flow) -> Flow {
        let lanes: Vec<&Lane> = self.course.lanes.iter().filter(|lane| lane.ends.sends == sends).collect();
        let udp = flow.udp.map(|udp| if sends { udp } else { received(udp, &lanes) });
        let flow = Flow {
            bins: self.course.bins(sends),
            stalls: Some(self.course.stalls(sends)),
            tcp: self.course.round_trips().filter(|_| sends),
            udp,
            intervals: self.course.intervals[usize::from(!sends)].clone(),
            ..flow
        };
        Flow { limit: self.limit(both, &lanes, sends, &flow), ..flow }
    }

    /// What iperf3's own form tells.
    fn trace(&self, both: &Both<'_>) -> Trace {
        let total = |(lane, ours): (&Lane, &Stream)| lane.total(both.total(ours));
        let percent = |cpu: Cpu| [cpu.total, cpu.user, cpu.system];
        let their_congestion = both.theirs.and_then(|theirs| theirs.congestion.clone());
        let (sender, receiver) = match self.asked.reverse {
            false => (self.congestion.clone(), their_congestion),
            true => (their_congestion, self.congestion.clone()),
        };
        Trace {
            intervals: self.course.trace.clone(),
            totals: self.course.lanes.iter().zip(&both.ours.streams).map(total).collect(),
            cpu: [percent(both.ours.cpu), both.theirs.map_or([0.0; 3], |theirs| percent(theirs.cpu))],
            congestion: [sender, receiver],
            ..self.trace.clone()
        }
    }
}

/// What a receiver here knows of its datagrams besides.
fn received(udp: Datagrams, lanes: &[&Lane]) -> Datagrams {
    let readings = || lanes.iter().map(|lane| lane.counted());
    Datagrams {
        reordered: Some(readings().map(|of| of.disordered - of.duplicates.min(of.disordered)).sum()),
        duplicates: Some(readings().map(|of| of.duplicates).sum()),
        dropped_here: Some(readings().map(|of| of.overflow).sum()),
        ..udp
    }
}
